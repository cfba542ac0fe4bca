"""Along: the base of ops whose result has the operands' shape and is computed along one axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from workbench.core.graph import Op, Type, Variable
from workbench.core.ops.shape import shape_tuple
from workbench.core.types import TensorType, tensor_type
from workbench.errors import RankError
from workbench.frozen import frozen


@frozen
class Along(Op):
    """What running totals and orders have in common."""

    axis: int

    title: ClassVar[str] = ""

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = tensor_type(inputs[0])
        if not 0 <= self.axis < t.ndim:
            raise RankError(
                f"{self.title} along axis {self.axis}: {inputs[0]} has {t.ndim} axes",
                advice="give one of its axes; a scalar has none",
            )
        return [TensorType(self.out_dtype(t.dtype), t.shape)]

    def out_dtype(self, dtype: str) -> str:
        return dtype

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])]

    @property
    def label(self) -> str:
        return self.title

    def __str__(self) -> str:
        return f"{type(self).__name__}{{axis={self.axis}}}"
