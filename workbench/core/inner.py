"""Inner graphs: what a scan or a condition holds. Frozen, compared by identity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workbench.core.graph import Apply, Constant, Op, Variable, is_shared, leaves, toposort
from workbench.errors import GraphError


@dataclass(frozen=True, eq=False)
class InnerGraph:
    """Inputs and outputs of a graph that stands inside an op. It reads nothing but its inputs and
    constants.
    """

    inputs: tuple[Variable, ...]
    outputs: tuple[Variable, ...]

    def __post_init__(self) -> None:
        for v in leaves(self.outputs, stop=self.inputs):
            if v not in self.inputs and (not isinstance(v, Constant) or is_shared(v)):
                raise GraphError(
                    f"an inner graph reads {v}, which is not one of its inputs", place=v.place
                )

    @cached_property
    def nodes(self) -> tuple[Apply, ...]:
        return tuple(toposort(self.outputs, stop=self.inputs))

    def __reduce__(self) -> Any:
        from workbench.core.pickling import Bundle

        return _load, (Bundle((*self.inputs, *self.outputs)), len(self.inputs))

    def __deepcopy__(self, memo: dict[int, Any]) -> InnerGraph:
        """Nothing can change it."""
        return self

    def with_outputs(self, outputs: Sequence[Variable]) -> InnerGraph:
        return InnerGraph(self.inputs, tuple(outputs))


def _load(variables: tuple[Variable, ...], count: int) -> InnerGraph:
    return InnerGraph(variables[:count], variables[count:])


def inner_of(op: Op) -> InnerGraph | None:
    """The inner graph of an op that has one."""
    inner = getattr(op, "inner", None)
    return inner if isinstance(inner, InnerGraph) else None
