"""Loop: one pass over an iteration space that computes several elementwise results and reductions
at once.

Fusion makes these of an elementwise graph and the reductions that read it; nothing is stored that
nobody reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Op, Type, Variable
from workbench.core.ops.elementwise import mismatch
from workbench.core.scalar import PRIMITIVES, ScalarProgram, lowest
from workbench.core.types import TensorType, broadcast_shapes, tensor_type
from workbench.errors import ShapeError
from workbench.frozen import frozen

NO_IDENTITY = ("maximum", "minimum")


@frozen
class LoopResult:
    """One result of a loop: `reduce` is None for an elementwise one, else the primitive that
    combines elements.

    acc_dtype is what is accumulated in, dtype what is stored; `needs_elements` is whether a maximum
    of nothing is refused.
    """

    reduce: str | None
    dtype: str
    acc_dtype: str = ""
    needs_elements: bool = True


@frozen
class Loop(Op):
    """A scalar program over broadcast inputs; output i of the program is stored or reduced as
    `results[i]` says.

    All reductions are over the same `axes` of the iteration space, which has `ndim` axes.
    """

    takes_half = True

    program: ScalarProgram
    results: tuple[LoopResult, ...]
    axes: tuple[int, ...]
    ndim: int
    text: str = ""

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        full = broadcast_shapes([tensor_type(v).shape for v in inputs])
        kept = tuple(n for i, n in enumerate(full) if i not in self.axes)
        return [TensorType(r.dtype, full if r.reduce is None else kept) for r in self.results]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        shape = np.broadcast_shapes(*(v.shape for v in values))
        full = [np.broadcast_to(value, shape) for value in self.program.run(*values)]
        return [self._result(r, value) for r, value in zip(self.results, full, strict=True)]

    def _result(self, result: LoopResult, value: Array) -> Array:
        if result.reduce is None:
            return np.array(value, result.dtype)
        nothing = any(value.shape[a] == 0 for a in self.axes)
        if nothing and result.reduce in NO_IDENTITY and not result.needs_elements:
            kept = [n for a, n in enumerate(value.shape) if a not in self.axes]
            return np.full(kept, lowest(result.dtype), result.dtype)
        if nothing and result.reduce in NO_IDENTITY:
            raise ShapeError(
                f"{result.reduce} over no elements: the operand has shape {value.shape}",
                advice="see that it is not empty, or join it with a value that bounds the result",
            )
        combine: Any = PRIMITIVES[result.reduce].numpy
        reduced = combine.reduce(value.astype(result.acc_dtype), axis=self.axes)
        return np.asarray(reduced, result.dtype)

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        """Raises ShapeError where lengths differ on an axis that does not broadcast in the type."""
        for axis in range(-self.ndim, 0):
            lengths = {
                v.shape[axis]
                for v, variable in zip(values, inputs, strict=True)
                if v.ndim >= -axis and tensor_type(variable).shape[axis] != 1
            }
            if len(lengths) > 1:
                raise mismatch(str(self), inputs, values, axis + self.ndim)

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        size = int(np.prod(np.broadcast_shapes(*(v.shape for v in inputs))))
        return size * sum(1 for step in self.program.steps if step.prim not in ("cast", "const"))

    @property
    def label(self) -> str:
        return "fused loop"

    def __str__(self) -> str:
        return f"Loop{{{self.text or f'{len(self.program.steps)} steps'}}}"
