"""Running a cell's body as the user's own code, so that tracebacks and origins name its cell and
lines.
"""

from __future__ import annotations

import ast
import linecache
import sys
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from workbench.errors import UsageError, WorkbenchError


class BodySyntaxError(WorkbenchError, ValueError):
    """The body of a cell is not Python; the message is what Python says."""


class Body:
    """Source text whose last expression has a value. `first` is the number of its first line.

    name  the file name under which Python knows it: of a notebook cell, or a path
    """

    def __init__(self, source: str, name: str, first: int = 1) -> None:
        self.name = name
        self.source = source
        self.first = first
        self.assigned: tuple[str, ...] = ()  # the names that `run` bound, in order

    def run(self, namespace: dict[str, Any], needs_value: bool = True) -> Any:
        """The value of the last expression (or of the name that the last line assigns), after
        running the lines before.

        Raises UsageError where there is neither and one is needed; errors of the code come without
        the frames above it.
        """
        tree = self._parsed()
        self.assigned = tuple(_assigned(tree))
        last = _value_of(tree)
        if last is None and needs_value:
            raise UsageError(
                "the cell ends without a value: end it with an expression, or name --outputs"
            )
        try:
            exec(self._compile(tree), namespace)
            return None if last is None else eval(self._compile(last), namespace)
        except Exception as error:
            error.__traceback__ = self.own_frames(error.__traceback__)
            raise

    def _parsed(self) -> ast.Module:
        try:
            return ast.parse("\n" * (self.first - 1) + self.source, self.name)
        except SyntaxError as error:
            raise BodySyntaxError("".join(traceback.format_exception_only(error)).strip()) from None

    def _compile(self, tree: ast.Module | ast.Expression) -> Any:
        return compile(tree, self.name, "exec" if isinstance(tree, ast.Module) else "eval")

    def own_frames(self, frames: TracebackType | None) -> TracebackType | None:
        """The traceback from the body's own first frame on."""
        frame = frames
        while frame is not None and frame.tb_frame.f_code.co_filename != self.name:
            frame = frame.tb_next
        return frame or frames


def _value_of(tree: ast.Module) -> ast.Expression | None:
    """The last expression, taken out of the tree; or the name that the last line assigns."""
    if not tree.body:
        return None
    last = tree.body[-1]
    if isinstance(last, ast.Expr):
        tree.body.pop()
        return ast.Expression(last.value)
    target = last.targets[0] if isinstance(last, ast.Assign) and len(last.targets) == 1 else None
    if isinstance(target, ast.Name):
        name = ast.Name(target.id, ast.Load())
        return ast.fix_missing_locations(ast.copy_location(ast.Expression(name), last))
    return None


def _assigned(tree: ast.Module) -> Iterator[str]:
    """The names that assignments at the top level bind."""
    for statement in tree.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id


def cell_body(shell: Any, line: str, cell: str, magic: str) -> Body:
    """The body of a cell magic under the cell's own file name, its lines numbered as the user sees
    them.
    """
    head = "\n" * _blank_lines(shell, cell) + f"%%{magic} {line}".rstrip() + "\n"
    code = shell.transform_cell(cell)
    name = shell.compile.cache(head + code, _number(shell), raw_code=head + cell)
    return Body(code, name, first=head.count("\n") + 1)


def _number(shell: Any) -> int:
    """The number of the cell that is running, which IPython knows by its file name."""
    numbers = getattr(shell.compile, "_filename_map", {})
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename in numbers:
            return int(numbers[frame.f_code.co_filename])
        frame = frame.f_back  # type: ignore[assignment]
    return int(shell.execution_count)


def _blank_lines(shell: Any, cell: str) -> int:
    """How many empty lines stand above the magic."""
    history = getattr(shell.history_manager, "input_hist_raw", [""])
    raw = history[-1] if history else ""
    if not raw.rstrip().endswith(cell.rstrip()):
        return 0
    return len(raw[: len(raw) - len(raw.lstrip())].splitlines())


def file_body(path: str) -> Body:
    """The body of a Python file."""
    return Body("".join(linecache.getlines(path)), path)


def silent(cell: str) -> bool:
    """Whether the last line of code ends with a semicolon."""
    import io
    import tokenize

    tokens = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(cell).readline):
            if token.type not in (
                tokenize.COMMENT,
                tokenize.NL,
                tokenize.NEWLINE,
                tokenize.ENDMARKER,
            ):
                tokens.append(token)
    except (tokenize.TokenError, SyntaxError):
        return False
    return bool(tokens) and tokens[-1].string == ";"


def show_briefly(error: BaseException, render: Callable[[], list[str]] | None = None) -> None:
    """Make IPython show this error in its own few lines, without a traceback."""

    def lines() -> list[str]:
        return f"{type(error).__name__}: {error}".splitlines()

    error._render_traceback_ = render or lines  # type: ignore[attr-defined]


def user_frames(shell: Any, error: BaseException, body: Body | None) -> Callable[[], list[str]]:
    """How IPython shows an error of the user's own code: its frames from the cell's on."""

    def lines() -> list[str]:
        frames = body.own_frames(error.__traceback__) if body else error.__traceback__
        shown: list[str] = shell.InteractiveTB.structured_traceback(
            type(error), error, frames, tb_offset=0
        )
        return shown

    return lines


def explain_to(shell: Any, error: Exception, body: Body | None = None) -> Exception:
    """The error, made to be shown as the user needs it: the workbench's own in a few lines, others
    from the user's code on.
    """
    if isinstance(error, WorkbenchError):
        forget_shell(error)
    if isinstance(error, UsageError):
        show_briefly(error, lambda: [f"UsageError: {error.wrong}"])
    elif isinstance(error, BodySyntaxError):
        show_briefly(error, lambda: error.wrong.splitlines())
    elif isinstance(error, WorkbenchError):
        show_briefly(error)
    else:
        show_briefly(error, user_frames(shell, error, body))
    return error


def forget_shell(error: WorkbenchError) -> None:
    """Leave out a line that is of no cell: it is the shell's own, which called the magic."""
    if not str(getattr(error.here, "file", "")).startswith("Cell"):
        error.here = None
