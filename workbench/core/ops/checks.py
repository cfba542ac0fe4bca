"""Check: a value that is there only where conditions hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.types import as_tensor, tensor_type
from workbench.errors import ConditionError, IndexOutOfRange, RankError, ShapeError, WorkbenchError
from workbench.frozen import frozen

_KINDS: dict[str, type[WorkbenchError]] = {
    "shape": ShapeError,
    "index": IndexOutOfRange,
    "assertion": ConditionError,
}


@frozen
class Check(Op):
    """Its first input, as it is. The others are scalar conditions: where one is 0 when it runs, an
    error says what was wrong and what to do.
    """

    takes_half = True

    wrong: str
    advice: str
    kind: str = "shape"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        x, *conditions = inputs
        for v in conditions:
            if tensor_type(v).ndim:
                raise RankError(f"a condition is a scalar; {v} is of {v.type}", advice="use all")
        return [tensor_type(x)]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        x, *conditions = values
        if not all(c[()] for c in conditions):
            raise _KINDS[self.kind](self.wrong, advice=self.advice)
        return [x]

    def connected(self, index: int) -> bool:
        return index == 0

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        return [gradients[0], *([None] * (len(inputs) - 1))]

    def shape(self, inputs: Sequence[Variable]) -> None:
        """Not told: a length that was read off the first input would not be checked."""

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 0

    @property
    def label(self) -> str:
        return "check"


def checked(
    x: Any, *conditions: Any, wrong: str, advice: str, kind: str = "shape"
) -> Any:  # Any: variables
    """x, and an error where one of the conditions is not true when it runs."""
    return Check(wrong, advice, kind)(as_tensor(x), *map(as_tensor, conditions))
