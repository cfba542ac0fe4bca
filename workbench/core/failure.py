"""What is told of a call that failed: the error as the user's own graph gives it, and as much more
as `config.exception_verbosity` asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from workbench.configuration import config
from workbench.core.graph import Apply, Variable, is_shared, leaves
from workbench.core.interpreter import Interpreter, lookup, same_kind
from workbench.core.ops.print_op import silenced
from workbench.core.program import Program
from workbench.errors import MissingInputError, WorkbenchError

HINT = "HINT: config.exception_verbosity = 'high' shows the node's graph and what is in memory"
LARGEST = 20
"""How many values of those in memory are listed."""


def explained(error: Exception, program: Program, values: Sequence[Any]) -> Exception:
    """The error that running the graph as it was written gives, for the optimised one holds ops
    that the user did not write; where it gives none, the error itself.
    """
    given = dict(zip(program.variables, values, strict=True))
    held = _Held(program, given)
    own = error
    try:
        with silenced():
            Interpreter(program.results).run(given, [held])
    except Exception as found:
        own = found
    if own is error and not isinstance(error, WorkbenchError):
        return error
    if config.exception_verbosity == "low":
        own.add_note(HINT)
        return own
    node = held.running[-1] if held.running else getattr(own, "node", None)
    details = "\n\n".join((*_graph_of(node), held.footprint()))
    if not isinstance(own, WorkbenchError):
        return same_kind(own, f"{own}\n\n{details}")
    own.details = f"\n{details}"
    return own


def _graph_of(node: Any) -> Iterator[str]:
    if not isinstance(node, Apply):
        return
    from workbench.core.printing.debug_print import debugprint

    yield "Debugprint of the apply node:\n" + debugprint(node, print_type=True, file="str").rstrip()


class _Held:
    """Listens to the interpreter: which node runs, and what is in memory."""

    def __init__(self, program: Program, given: dict[Variable, Any]) -> None:
        self.running: list[Apply] = []
        self._values: list[tuple[str, str, Any]] = []
        read = dict.fromkeys((*program.variables, *leaves(program.results)))
        for v in read:
            try:
                self._values.append((str(v), _kind(v), lookup(given, v)))
            except MissingInputError:  # it is the error that is told
                continue

    def before(self, node: Apply, inputs: Sequence[Any]) -> None:
        self.running.append(node)

    def after(
        self, node: Apply, inputs: Sequence[Any], outputs: Sequence[Any], seconds: float
    ) -> None:
        self.running.pop()
        if not self.running:
            self._values += zip(map(str, node.outputs), ["Result"] * len(outputs), outputs)

    def footprint(self) -> str:
        """The values in memory when the node failed, the largest first."""
        sized = [(_bytes(value), *row, value) for *row, value in self._values]
        sized.sort(key=lambda row: -row[0])
        lines = [
            f" - {name}, {kind}, Shape: {np.shape(value)}, "
            f"ElemSize: {getattr(value, 'itemsize', 0)} Byte(s), TotalSize: {size} Byte(s)"
            for size, name, kind, value in sized[:LARGEST]
        ]
        if len(sized) > LARGEST:
            lines.append(f" - and {len(sized) - LARGEST} more")
        total = sum(row[0] for row in sized)
        return "\n".join(
            ["Storage map footprint:", *lines, f" TotalSize: {total} Byte(s) {total / 1e9:.3f} GB"]
        )


def _kind(variable: Variable) -> str:
    if is_shared(variable):
        return "Shared Input"
    return "Constant" if hasattr(variable, "data") else "Input"


def _bytes(value: Any) -> int:
    return int(getattr(value, "nbytes", 0))
