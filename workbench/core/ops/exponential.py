"""Expm, the exponential of a matrix; and the same in simpler ops, as native code computes it:
scaling, the Padé approximant of degree 13, squaring (Higham, SIAM J. Matrix Anal. Appl. 26, 2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.batched import matmul as product
from workbench.core.ops.diagonals import IncDiagonal
from workbench.core.ops.join import join
from workbench.core.ops.reduce import max as largest
from workbench.core.ops.reduce import sum as total
from workbench.core.ops.scalars import (
    absolute,
    cast,
    ceil,
    exp2,
    gt,
    log2,
    minimum,
    neg,
    switch,
    zeros_like,
)
from workbench.core.ops.shape import dimension, flatten, shape_tuple
from workbench.core.ops.solve import Solve
from workbench.core.ops.stacks import Expanded, side, square, turned
from workbench.core.types import TensorType, constant, tensor_type
from workbench.frozen import frozen

# Up to this 1-norm the approximant of degree 13 is exact to double precision (table 2.3).
_REACH = 5.371920351148152
_COEFFICIENTS = (
    64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000,
    10559470521600, 670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
)  # fmt: skip
_MOST_SQUARINGS = 1100  # more than any finite double needs


@frozen
class Expm(Expanded):
    """The exponentials of square matrices, by scaling, a Padé approximant and squaring (Higham,
    2005).
    """

    title = "expm"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = square(inputs[0], self.title)
        n = side(t)
        return [TensorType(t.dtype, (*t.shape[:-2], n, n))]

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        from scipy.linalg import expm

        (x,) = values
        return [np.asarray(expm(x) if x.size else x.copy(), x.dtype)]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (x,), (g,) = inputs, gradients
        if g is None:
            return [None]
        # The Fréchet derivative in the direction g is a corner of expm of a block matrix.
        a = turned(x)
        n = dimension(x, -1)
        blocks = join(-2, join(-1, a, g), join(-1, zeros_like(a), a))
        return [self(blocks)[..., :n, n:]]

    def expand(self, x: Variable) -> Any:
        return pade_and_squares(x)

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 20 * int(inputs[0].size) * int(inputs[0].shape[-1])


def pade_and_squares(x: Any) -> Any:
    """expm(x), for a stack of square matrices. All are scaled as the largest needs it."""
    dtype = tensor_type(x).dtype
    count = _squarings(x, dtype)
    scaled = x * exp2(neg(count))
    odd, even = _numerator(scaled, dtype)
    approximant = Solve()(even - odd, even + odd)
    return SquaredTimes()(approximant, cast(count, "int64"))


def _squarings(x: Any, dtype: str) -> Any:
    """How often the matrices have to be halved, as a scalar of their dtype."""
    columns = flatten(total(absolute(x), axis=-2))
    norm = largest(join(0, columns, constant([0], dtype)))  # 0 where there is no column
    reach = constant(_REACH, dtype)
    needed = minimum(ceil(log2(switch(gt(norm, reach), norm / reach, 1))), _MOST_SQUARINGS)
    return cast(needed, dtype)


def _numerator(x: Any, dtype: str) -> tuple[Any, Any]:
    """The odd and the even part of the approximant's numerator."""
    b = [constant(float(c) / _COEFFICIENTS[0], dtype) for c in _COEFFICIENTS]
    x2 = product(x, x)
    x4 = product(x2, x2)
    x6 = product(x4, x2)

    def part(k: int) -> Any:
        high = product(x6, b[12 + k] * x6 + b[10 + k] * x4 + b[8 + k] * x2)
        return IncDiagonal()(high + b[6 + k] * x6 + b[4 + k] * x4 + b[2 + k] * x2, b[k])

    return product(x, part(1)), part(0)


@frozen
class SquaredTimes(Op):
    """A stack of square matrices multiplied by itself, a number of times over. Inputs: the stack,
    the number. It stands only in the native form of expm.
    """

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        return [tensor_type(inputs[0])]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        x, count = values
        for _ in range(int(count)):
            x = np.matmul(x, x)
        return [x]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])]
