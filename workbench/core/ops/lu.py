"""Lu: the factors of elimination with exchanged rows, as an op and as a user calls it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Type, Variable, Variables
from workbench.core.ops.batched import matmul as product
from workbench.core.ops.create import zeros
from workbench.core.ops.decompose import shorter, shorter_dim
from workbench.core.ops.join import join
from workbench.core.ops.scalars import zeros_like
from workbench.core.ops.shape import shape_tuple
from workbench.core.ops.solve import SolveTriangular
from workbench.core.ops.stacks import (
    MatrixOp,
    each_matrix,
    floating,
    lower_triangle,
    matrices,
    turned,
    upper_triangle,
)
from workbench.core.types import TensorType, tensor_type
from workbench.frozen import frozen


@frozen
class Lu(MatrixOp):
    """A permutation P, L with a diagonal of ones and upper triangular U, A = P L U.

    The gradient needs the first columns, as many as the shorter side has, to be independent; P has
    none.
    """

    title = "lu"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = matrices(inputs[0], self.title)
        (*batch, m, n), k = t.shape, shorter(t)
        return [TensorType(t.dtype, (*batch, *dims)) for dims in ((m, m), (m, k), (k, n))]

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        """Every matrix has one."""

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        from scipy.linalg import lu as factorised

        (x,) = values
        *batch, m, n = x.shape
        k = min(m, n)
        shapes = ((m, m), (m, k), (k, n))
        p, left, right = (np.zeros((*batch, *dims), x.dtype) for dims in shapes)
        p[...] = np.eye(m)
        for place in each_matrix(batch) if k else ():
            p[place], left[place], right[place] = factorised(x[place].copy(), check_finite=False)
        return [p, left, right]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        p, left, right = outputs
        _, g_left, g_right = gradients
        if g_left is None and g_right is None:
            return [None]
        g_left = zeros_like(left) if g_left is None else g_left
        g_right = zeros_like(right) if g_right is None else g_right
        return [product(p, _eliminated(left, right, g_left, g_right))]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        *batch, m, n = shape_tuple(inputs[0])
        k = shorter_dim(m, n)
        return [[*batch, m, m], [*batch, m, k], [*batch, k, n]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 2 * int(inputs[0].size) * int(min(inputs[0].shape[-2:])) // 3


def _eliminated(left: Any, right: Any, g_left: Any, g_right: Any) -> Any:
    """The gradient of the matrix with exchanged rows, in blocks: the square one at the top left,
    what is right of it (in wide matrices) and what is below it (in tall ones).
    """
    *batch, m, k = shape_tuple(left)
    n = shape_tuple(right)[-1]
    top, bottom = left[..., :k, :], left[..., k:, :]
    square, rest = right[..., :k], right[..., k:]
    of_rest = _times_inverse_transposed(top, g_right[..., k:])
    of_bottom = _over(g_left[..., k:, :], square)
    of_top = g_left[..., :k, :] - product(of_rest, turned(rest))
    of_square = g_right[..., :k] - product(turned(bottom), of_bottom)
    inner = lower_triangle(product(turned(top), of_top), strict=True)
    inner = inner + upper_triangle(product(of_square, turned(square)))
    of_corner = _over(_times_inverse_transposed(top, inner), square)
    below = join(-1, of_bottom, zeros([*batch, m - k, n - k], tensor_type(left).dtype))
    return join(-2, join(-1, of_corner, of_rest), below)


def _times_inverse_transposed(unit_lower: Any, x: Any) -> Any:
    """L⁻ᵀ times the matrix."""
    return SolveTriangular(lower=False, unit=True)(turned(unit_lower), x)


def _over(x: Any, upper: Any) -> Any:
    """The matrix times U⁻ᵀ."""
    return turned(SolveTriangular(lower=False)(upper, turned(x)))


def lu(a: Any, permute_l: bool = False) -> tuple[Any, ...]:
    """As scipy.linalg.lu: P, L and U with a = P L U; P L and U where `permute_l`."""
    p, left, right = Lu()(floating(a))
    return (product(p, left), right) if permute_l else (p, left, right)
