"""Draws from many streams of MRG31k3p side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.shape import shape_tuple, static_or_self
from workbench.core.random.mrg import STATES, UNIT, numbers
from workbench.core.types import Shape as StaticShape
from workbench.core.types import TensorType, tensor_type
from workbench.errors import GraphError, RandomError
from workbench.frozen import frozen


@frozen
class MRGUniform(Op):
    """Numbers between 0 and 1, neither of which they reach. Inputs: the streams' states, a row
    each; the lengths of the sample's axes. Outputs: the states after the draw; the sample, whose
    element i is of stream i modulo their number.
    """

    dtype: str
    static: StaticShape

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = tensor_type(inputs[0])
        if t.dtype != STATES.dtype or t.ndim != 2 or t.shape[1] not in (6, None):
            raise GraphError(
                f"{inputs[0]} does not hold states of streams: it is of {t}",
                advice="draw from MRG_RandomStreams",
            )
        return [TensorType("int32", t.shape), TensorType(self.dtype, self.static)]

    def evaluate(self, *values: Any) -> Sequence[Array]:
        states, *lengths = values
        shape = tuple(map(int, lengths))
        if any(n < 0 for n in shape) or not len(states) or states.shape[1] != 6:
            raise RandomError(
                f"a sample of shape {shape} from states of shape {states.shape}",
                advice="lengths are not negative, and states are rows of six numbers",
            )
        after, drawn = numbers(states, int(np.prod(shape, dtype=np.int64)))
        unit = np.dtype(self.dtype).type(UNIT[self.dtype])
        return [after, (drawn.astype(self.dtype) * unit).reshape(shape)]

    def connected(self, index: int) -> bool:
        return False

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        return [None] * len(inputs)

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        known = zip(self.static, inputs[1:], strict=True)
        rows = shape_tuple(inputs[0])[0]
        return [[rows, 6], [n if n is not None else static_or_self(v) for n, v in known]]

    @property
    def label(self) -> str:
        return "uniform"

    def __str__(self) -> str:
        return f"MRGUniform{{{self.dtype}}}"
