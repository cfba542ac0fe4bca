"""The magics themselves: they read the line, run the body, and show the Workbench."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from IPython.core.displaypub import DisplayPublisher
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class
from IPython.display import display

from workbench.configuration import config
from workbench.errors import UsageError
from workbench.inspection.examine import inspect
from workbench.inspection.workbench import Workbench
from workbench.magics.cell import Body, cell_body, explain_to, silent
from workbench.magics.options import option_help, parse
from workbench.magics.request import Namespace, answer, call_target, name_variables


@magics_class
class WorkbenchMagics(Magics):
    """See each magic's own help: `%%symgraph?`."""

    shell: Any

    @line_cell_magic
    def symgraph(self, line: str, cell: str | None = None) -> None:
        if cell is None:
            self._guard(lambda: self._line(line, "%symgraph", None))
            return
        body = cell_body(self.shell, line, cell, "symgraph")
        self._guard(lambda: self._cell(line, cell, body), body)

    @line_magic
    def symprofile(self, line: str) -> None:
        """Where the time of a call goes: `%symprofile f(x, y)`. Shared variables keep their
        values.
        """
        self._guard(lambda: self._line(line, "%symprofile", "profile"))

    @line_magic
    def symscan(self, line: str) -> None:
        """Every iteration of the scans of a call: `%symscan f(x, y)`."""
        self._guard(lambda: self._line(line, "%symscan", "scan"))

    @line_magic
    def symvalues(self, line: str) -> None:
        """The value on every node of a call: `%symvalues f(x, y)`."""
        self._guard(lambda: self._line(line, "%symvalues", "values"))

    @line_magic
    def symconfig(self, line: str) -> Any:
        """The configuration: `%symconfig` shows all flags, `%symconfig floatX` one, `%symconfig
        floatX=float32` sets; `%symconfig profil` shows those that speak of it.
        """
        return self._guard(lambda: _configure(line))

    def _cell(self, line: str, cell: str, body: Body) -> None:
        request = parse(line)
        # shared variables that the cell makes lie where it runs
        there = {} if request.device is None else {"device": request.device}
        with config.hold(there):
            target = body.run(self.shell.user_ns, needs_value=request.outputs is None)
            name_variables(self.shell.user_ns, body.assigned)
            seen = answer(request, target, self.shell.user_ns, "%%symgraph")
        self._give(seen, request.out, request.silent or silent(cell))

    def _line(self, line: str, command: str, view: str | None) -> None:
        request = parse(line, command)
        request.view = request.view or view
        text = _expression(request.words)
        if not text and request.outputs is None:
            raise UsageError(f"{command}: say what to show, as in {command} {_EXAMPLES[command]}")
        space = Namespace(self.shell.user_ns, command)
        target, given = call_target(text, space) if text else (None, {})
        request.words = []
        if given:
            seen = inspect(
                target,
                values=given,
                mode=request.mode,
                device=request.device,
                view=request.view or "graph",
            )
        else:
            seen = answer(request, target, self.shell.user_ns, command)
        self._give(seen, request.out, request.silent)

    def _give(self, seen: Workbench, name: str | None, quiet: bool) -> None:
        """Bind and show; an error while evaluating is raised after its graph was shown."""
        if name is not None:
            self.shell.user_ns[name] = seen
        if seen.error is not None:
            self._picture(seen)
            raise seen.error
        if not quiet:
            display(seen)

    def _picture(self, seen: Workbench) -> None:
        """What there is of a graph that failed. Where only text is shown, in a terminal, it would
        be the error's once more.
        """
        if type(self.shell.display_pub) is not DisplayPublisher:
            display(seen)

    def _guard(self, action: Callable[[], Any], body: Body | None = None) -> Any:
        """Run it; errors are shown as a user needs them, with the part of the graph that there
        is.
        """
        try:
            return action()
        except Exception as error:
            drawn = getattr(error, "workbench", None)
            if drawn is not None:
                self._picture(drawn)
            raise explain_to(self.shell, error, body) from None


def _expression(words: Sequence[str]) -> str:
    """The words as one expression, or a tuple of those that they are one by one."""
    text = " ".join(words)
    try:
        compile(text, "", "eval")
    except SyntaxError:
        return ", ".join(word.strip(",") for word in words)
    return text


_EXAMPLES = {
    "%symgraph": "cost",
    "%symprofile": "f(x, y)",
    "%symscan": "f(x, y)",
    "%symvalues": "f(x, y)",
}

WorkbenchMagics.symgraph.__doc__ = f"""Compile a cell; show its graph, rewrites, values and times.

    %%symgraph [TITLE] [options]
    BODY

    %symgraph EXPRESSION [options]

The body runs in your namespace. Its last expression is what is compiled: a variable, a list of
them, or a compiled function. Inputs are found by themselves, and variables without a name get the
one that they have in the cell. Shared variables keep their values.

Options
{option_help()}

A ; at the end of the line or of the body shows nothing.

Examples

    %%symgraph logreg -o wbk --wrt w b --values x=D[0] y=D[1] --view rewrites
    x, y = T.matrix('x'), T.vector('y')
    p = T.nnet.sigmoid(T.dot(x, w) + b)
    T.nnet.binary_crossentropy(p, y).mean()

    %symgraph cost
    %symgraph train --view profile --values x=images y=labels
    %symprofile train(images, labels)

The object that -o binds holds what is shown: .graph .optimised .history .values['p'] .trace
.profile .function, and .to_html(path='page.html'), .to_svg(), .to_dot(), .to_json().
"""


def _configure(line: str) -> Any:
    words = line.rstrip("; ").split()
    if not words:
        return config
    if not any("=" in word for word in words):
        return _shown(" ".join(words))
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"%symconfig: {word}: show flags or set them, not both")
        section, _, flag = name.rpartition(".")
        setattr(getattr(config, section) if section else config, flag, value)
    return None


def _shown(text: str) -> Any:
    """The value of the flag of this name, else all flags that speak of it."""
    if any(name == text for name, *_ in config.rows()):
        return config.values[text]
    return config.matching(text) or getattr(config, text)  # that says which name is near
