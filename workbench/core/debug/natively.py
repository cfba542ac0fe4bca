"""Every node of a graph as a native program by itself, compared with the interpreter."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.debug.compare import difference
from workbench.core.debug.errors import BadThunkOutput
from workbench.core.debug.watch import check_untouched, copied
from workbench.core.graph import Apply, Constant, describe
from workbench.core.link import native_link


class NativeNodes:
    """Native programs of single nodes, made when they are first needed.

    twice    each runs twice, the second time in memory that was used before
    strides  where the layout of a result differs from the interpreter's: 0 is not looked at, 1 is
             warned of, 2 is an error
    """

    def __init__(self, twice: bool = True, strides: int = 0) -> None:
        self.twice = twice
        self.strides = strides
        self._made: dict[Apply, Any] = {}  # Any: a Linked, or None where there is no form

    def check(self, node: Apply, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Raises BadThunkOutput where native code gives other outputs than these, BadDestroyMap
        where it writes to the inputs.
        """
        if node not in self._made:
            self._made[node] = _native(node)
        linked = self._made[node]
        if linked is None:
            return
        given = dict(zip(node.inputs, inputs, strict=True))
        args = [copied(a) for v, a in given.items() if not isinstance(v, Constant)]
        args = [np.asarray(a) if isinstance(a, np.generic) else a for a in args]
        copies = [copied(a) for a in args]
        for _ in range(2 if self.twice else 1):
            found = run_native(linked, args, node)
            read = [v for v in given if not isinstance(v, Constant)]
            check_untouched(_over(node, read), copies, args, "native code")
            for i, (a, b) in enumerate(zip(outputs, found, strict=True)):
                self._compare(node, i, a, b, inputs)

    def _compare(self, node: Apply, i: int, a: Any, b: Any, inputs: Sequence[Any]) -> None:
        if text := difference(a, b, inputs):
            raise BadThunkOutput(
                f"native code and the interpreter differ in output {i} of {node.op}: {text}",
                describe(node.op, node.inputs),
                place=node.place,
                advice="use linker='py' until it is mended, and report it",
            ).at(node)
        if self.strides and getattr(a, "size", 0) > 1 and a.strides != b.strides:
            text = f"output {i} of {node.op} has strides {b.strides} natively, else {a.strides}"
            if self.strides > 1:
                raise BadThunkOutput(text, place=node.place).at(node)
            warnings.warn(text, stacklevel=2)


def _native(node: Apply) -> Any:
    """The node's native program, or None where it has none."""
    try:
        from workbench.core.native.split import alone
    except ImportError:  # llvmlite is not installed, or not for this machine
        return None
    linked = native_link(alone(node), _handed_over)
    return None if linked.notes else linked


def _handed_over(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("the native program does not take these arguments")


def run_native(linked: Any, args: Sequence[Any], node: Apply | None) -> Sequence[Any]:
    """What native code gives. Raises BadThunkOutput where it refuses what the interpreter took."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "native code refused")
        try:
            found: Sequence[Any] = linked.run(args)
        except Exception as error:
            where = f" of {node.op}" if node is not None else ""
            raise BadThunkOutput(
                f"native code{where} failed, and the interpreter does not: {error}",
                place=None if node is None else node.place,
                advice="use linker='py' until it is mended, and report it",
            ).at(node) from error
    return found


def _over(node: Apply, read: Sequence[Any]) -> Apply:
    """The node as one that reads each variable once, in the order of its native program."""
    return Apply(node.op, read, [v.type for v in node.outputs], node.lines)
