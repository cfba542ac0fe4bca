"""Draws from the counter-based generator Philox4x32-10."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.shape import static_or_self
from workbench.core.random.philox import DTYPE, LENGTH, PER_BLOCK, after, numbers
from workbench.core.types import Shape as StaticShape
from workbench.core.types import TensorType, tensor_type
from workbench.errors import DtypeError, GraphError, RandomError
from workbench.frozen import frozen


@frozen
class PhiloxUniform(Op):
    """Floats between 0 and 1, neither of which they reach, or unsigned integers of 32 or 64 bits,
    each as likely as any other. Inputs: the state, a vector of three words; the lengths of the
    sample's axes. Outputs: the state after the draw; the sample. A draw begins with a new block.
    """

    dtype: str
    static: StaticShape

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = tensor_type(inputs[0])
        if t.dtype != DTYPE or t.shape not in ((LENGTH,), (None,)):
            raise GraphError(
                f"{inputs[0]} does not hold a state of Philox: it is of {t}",
                advice="draw from CounterStreams",
            )
        if self.dtype not in PER_BLOCK:
            raise DtypeError(
                f"Philox does not draw numbers of {self.dtype}",
                advice=f"it draws {', '.join(PER_BLOCK)}; cast those",
            )
        return [TensorType(DTYPE, t.shape), TensorType(self.dtype, self.static)]

    def evaluate(self, *values: Any) -> Sequence[Array]:
        start, *lengths = values
        shape = tuple(map(int, lengths))
        if any(n < 0 for n in shape) or start.shape != (LENGTH,):
            raise RandomError(
                f"a sample of shape {shape} from a state of shape {start.shape}",
                advice=f"lengths are not negative, and a state is a vector of {LENGTH} words",
            )
        count = int(np.prod(shape, dtype=np.int64))
        drawn = numbers(start, count, self.dtype)
        return [after(start, -(-count // PER_BLOCK[self.dtype])), drawn.reshape(shape)]

    def connected(self, index: int) -> bool:
        return False

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        return [None] * len(inputs)

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        known = zip(self.static, inputs[1:], strict=True)
        return [[LENGTH], [n if n is not None else static_or_self(v) for n, v in known]]

    @property
    def label(self) -> str:
        return "uniform"

    def __str__(self) -> str:
        return f"PhiloxUniform{{{self.dtype}}}"
