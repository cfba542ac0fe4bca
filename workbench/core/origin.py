"""Where the user wrote a node: the file or notebook cell and the line, found from the Python stack.

A node stores raw `(filename, line)` pairs, which cost a microsecond; `resolve` turns them into
`Place` records with the line's text when someone looks.
"""

from __future__ import annotations

import contextlib
import linecache
import os
import re
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from functools import lru_cache
from types import FrameType

from workbench.configuration import config
from workbench.core.records import Place
from workbench.errors import WorkbenchError

Line = tuple[str, int]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_NOT_THE_USERS = (_PACKAGE, contextlib.__file__, "<frozen importlib")
_FLAGS = config.values  # asked for every node
_current: ContextVar[tuple[Line, ...] | None] = ContextVar("workbench_origin", default=None)


def capture() -> tuple[Line, ...]:
    """The nearest line on the stack that is not the workbench's own, or what `inherited` says.

    `config.traceback.limit` is how many such lines are kept.
    """
    current = _current.get()
    if current is not None:
        return current
    frame = sys._getframe(1)
    while frame is not None:
        filename = frame.f_code.co_filename
        if not filename.startswith(_NOT_THE_USERS):
            if _FLAGS["traceback.limit"] != 1:
                return _several(frame, _FLAGS["traceback.limit"])
            return ((filename, frame.f_lineno),)
        frame = frame.f_back  # type: ignore[assignment]
    return ()


def _several(frame: FrameType | None, limit: int) -> tuple[Line, ...]:
    """The user's lines from this frame outwards."""
    found: list[Line] = []
    while frame is not None and len(found) < limit:
        if not frame.f_code.co_filename.startswith(_NOT_THE_USERS):
            found.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return tuple(found)


def users_own() -> bool:
    """Whether a node made now is the user's own: neither a gradient's nor a rewrite's."""
    return _current.get() is None


class KeptLine(tuple[str, int]):
    """A line as it was in the process that pickled it, with its text."""

    text: str

    def __new__(cls, filename: str, number: int, text: str) -> KeptLine:
        line = super().__new__(cls, (filename, number))
        line.text = text
        return line

    def __reduce__(self) -> tuple[type[KeptLine], tuple[str, int, str]]:
        return KeptLine, (*self, self.text)


@lru_cache(maxsize=4096)
def kept_lines(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines with their text, for a process that may not have the files."""
    return tuple(map(_kept, lines))


@lru_cache(maxsize=4096)
def _kept(line: Line) -> Line:
    if isinstance(line, KeptLine):
        return line
    place = resolve(line)
    return KeptLine(place.file, place.line, place.text)


@contextlib.contextmanager
def inherited(lines: tuple[Line, ...]) -> Iterator[None]:
    """Nodes made in this block come from these lines: a gradient's from its forward node's, a
    rewrite's from what it replaces.
    """
    token = _current.set(lines)
    try:
        yield
    finally:
        _current.reset(token)


def resolve(line: Line) -> Place:
    """The record of one line, with its text where Python still has it."""
    filename, number = line
    if isinstance(line, KeptLine):
        return Place(filename, number, line.text)
    return Place(cell_name(filename), number, linecache.getline(filename, number).strip())


def resolve_all(lines: tuple[Line, ...]) -> tuple[Place, ...]:
    """The records of several lines."""
    return tuple(map(resolve, lines))


def cell_name(filename: str) -> str:
    """'Cell 3' for a notebook cell's file name, else the path from the working directory where that
    is shorter.
    """
    if re.match(r"<ipython-input-(\d+)-|.*ipykernel_\d+[/\\]", filename):
        return _cell_number(filename)
    if os.path.isabs(filename):
        relative = os.path.relpath(filename)
        return relative if not relative.startswith("..") else os.path.basename(filename)
    return filename


def _cell_number(filename: str) -> str:
    if match := re.match(r"<ipython-input-(\d+)-", filename):
        return f"Cell {match[1]}"
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    names = getattr(getattr(shell, "compile", None), "_filename_map", {})
    number = names.get(filename)
    return f"Cell {number}" if number is not None else "a notebook cell"


def merge(first: tuple[Line, ...], second: tuple[Line, ...]) -> tuple[Line, ...]:
    """Both sets of lines, each once, in order."""
    if first == second or not second:
        return first
    return tuple(dict.fromkeys((*first, *second)))


def here() -> Place | None:
    """The user's line that is running now."""
    lines = capture()
    return resolve(lines[0]) if lines else None


WorkbenchError.locate = staticmethod(here)  # type: ignore[method-assign]
