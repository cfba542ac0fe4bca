"""What was computed inside the choices of a compiled graph: the values of the branch that ran."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from workbench.core.graph import Apply, Variable
from workbench.core.ops.branches import IfElse
from workbench.core.records import Port, Summary
from workbench.core.snapshot import Ids, port, snapshot
from workbench.core.values import ValueRecorder

Path = tuple[Apply, ...]  # a choice, the choice inside it that is meant, and so on


class Found(NamedTuple):
    """A value inside the choice at `place` ('12'; '12/3' for a choice in one)."""

    place: str
    port: Port
    summary: Summary
    array: Any  # None where it was too large to keep


class Branches:
    """Listens to the interpreter. A choice inside a loop is left to the loop's trace."""

    def __init__(self, nodes: Sequence[Apply], budget: int) -> None:
        self.recorders: dict[Path, ValueRecorder] = {}
        self._budget = budget
        self._outermost = set(nodes)
        self._path: Path = ()

    def before(self, node: Apply, inputs: Sequence[Any]) -> None:
        inner = _inner(node)
        if inner is None or not self._holds(node):
            return
        self._path = (*self._path, node)
        made = self.recorders[self._path] = ValueRecorder(inner.nodes, self._budget)
        for variable, value in zip(inner.inputs, inputs[1:], strict=True):
            made.add(variable, value)

    def after(
        self, node: Apply, inputs: Sequence[Any], outputs: Sequence[Any], seconds: float
    ) -> None:
        if self._path and node is self._path[-1]:
            self._path = self._path[:-1]
        if self._path:
            self.recorders[self._path].after(node, inputs, outputs, seconds)

    def _holds(self, node: Apply) -> bool:
        if not self._path:
            return node in self._outermost
        return node in self.recorders[self._path].nodes

    def found(self, first: Callable[[Variable], Port | None]) -> Iterator[Found]:
        """Every value with its place. `first` says where the output of an outermost choice is."""
        for path, recorder in self.recorders.items():
            outer, ids = first(path[0].outputs[0]), _ids(path[-1])
            if outer is None:
                continue
            inner = (_ids(above)[node] for above, node in pairwise(path))
            place = "/".join(map(str, (outer.node, *inner)))
            for variable, summary in recorder.summaries.items():
                yield Found(place, port(variable, ids), summary, recorder.kept.get(variable))


def _inner(node: Apply) -> Any:
    return node.op.inner if isinstance(node.op, IfElse) else None


def _ids(node: Apply) -> Ids:
    """The ids that the snapshot of a choice's inside gives its nodes."""
    ids: Ids = {}
    inner = _inner(node)
    snapshot(inner.outputs, inner.inputs, ids=ids)
    return ids
