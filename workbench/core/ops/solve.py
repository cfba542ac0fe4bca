"""Ops that eliminate: Cholesky, Solve, SolveTriangular, Inverse, Det, SlogDet. All over stacks of
matrices, and by LAPACK. `linalg` has them as a user calls them.

A matrix that cannot be factorised raises LinearAlgebraError, which is a numpy.linalg.LinAlgError.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from workbench.core.graph import Array, Gradients, Type, Variable, Variables
from workbench.core.ops.batched import matmul as product
from workbench.core.ops.shape import dimension, shape_tuple
from workbench.core.ops.stacks import (
    MatrixOp,
    batch_dims,
    batch_shape,
    check_batches,
    check_square,
    each_matrix,
    folded,
    lower_triangle,
    matrices,
    side,
    spread_over_matrix,
    square,
    summed_over_batch,
    turned,
)
from workbench.core.types import TensorType, constant, tensor_type
from workbench.errors import DtypeError, LinearAlgebraError, ShapeError
from workbench.frozen import frozen


def failed(what: str, why: str, advice: str) -> LinearAlgebraError:
    """The error for a matrix that cannot be taken apart."""
    return LinearAlgebraError(f"{what}: {why}", advice=advice)


def singular(what: str) -> LinearAlgebraError:
    """The error for a singular matrix."""
    return failed(
        what,
        "the matrix is singular",
        "see that its rows are independent; pinv and lstsq take matrices that are not",
    )


def not_converged(what: str) -> LinearAlgebraError:
    """The error for an iteration that found no end."""
    return failed(what, "it did not converge", "look for nan and inf in the matrix")


def _transposed(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


class _SquareOp(MatrixOp):
    """An op of one stack of square matrices, with a result of the same shape."""

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = square(inputs[0], self.title)
        n = side(t)
        return [TensorType(t.dtype, (*t.shape[:-2], n, n))]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]] | None:
        return [shape_tuple(inputs[0])]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return int(self.cubes * inputs[0].size * inputs[0].shape[-1])

    cubes: ClassVar[float] = 2  # FLOPs, in cubes of the number of rows


@frozen
class Cholesky(_SquareOp):
    """The lower factor L of symmetric positive definite matrices, L Lᵀ = A. Only the lower
    triangles are read; the gradient is of these.
    """

    title, cubes = "cholesky", 1 / 3

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        # The upper factor of the transposed memory: what native code computes, to the bit.
        try:
            return [_transposed(np.linalg.cholesky(_transposed(values[0]), upper=True))]
        except np.linalg.LinAlgError:
            raise failed(
                self.title,
                "the matrix is not positive definite",
                "see that it is symmetric with positive eigenvalues; adding a little to its "
                "diagonal often helps",
            ) from None

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,), (factor,) = gradients, outputs
        if g is None:
            return [None]
        # Murray (2016): S = L⁻ᵀ Φ(Lᵀ g) L⁻¹, Φ the lower triangle with its diagonal halved.
        inner = product(turned(factor), lower_triangle(g))
        halved = (lower_triangle(inner) + lower_triangle(inner, strict=True)) * _half(g)
        upper = SolveTriangular(lower=False)
        left = upper(turned(factor), halved)
        both = turned(upper(turned(factor), turned(left)))
        return [folded(both)]


@frozen
class Inverse(_SquareOp):
    """A⁻¹. A singular matrix raises LinearAlgebraError."""

    title = "inv"

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        # Of the transposed memory: what native code computes, so that both call the same singular.
        try:
            return [_transposed(np.linalg.inv(_transposed(values[0])))]
        except np.linalg.LinAlgError:
            raise singular(self.title) from None

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,), (inverse,) = gradients, outputs
        if g is None:
            return [None]
        back = turned(inverse)
        return [-product(product(back, g), back)]


@frozen
class Det(MatrixOp):
    """The determinants. The gradient needs the inverse: there, a singular matrix is an error."""

    title = "det"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = square(inputs[0], self.title)
        return [TensorType(t.dtype, t.shape[:-2])]

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        return [np.asarray(np.linalg.det(values[0]), values[0].dtype)]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,), (x,) = gradients, inputs
        if g is None:
            return [None]
        return [spread_over_matrix(g * outputs[0]) * turned(Inverse()(x))]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])[:-2]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 2 * int(inputs[0].size) * int(inputs[0].shape[-1]) // 3


@frozen
class SlogDet(MatrixOp):
    """The determinants' signs (0 where singular) and the logarithms of their absolute values."""

    title = "slogdet"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = square(inputs[0], self.title)
        return [TensorType(t.dtype, t.shape[:-2])] * 2

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        sign, logarithm = np.linalg.slogdet(values[0])
        dtype = values[0].dtype
        return [np.asarray(sign, dtype), np.asarray(logarithm, dtype)]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        g = gradients[1]
        return [None if g is None else spread_over_matrix(g) * turned(Inverse()(inputs[0]))]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])[:-2]] * 2

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 2 * int(inputs[0].size) * int(inputs[0].shape[-1]) // 3


class _Solver(MatrixOp):
    """X of A X = B, for stacks of square A and of matrices B of as many rows."""

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        a, b = square(inputs[0], self.title), matrices(inputs[1], self.title)
        n = side(a)
        rows = b.shape[-2]
        if n is not None and rows is not None and n != rows:
            raise self._mismatch(a.shape, b.shape)
        if a.dtype != b.dtype:
            raise DtypeError(f"{self.title} takes operands of one dtype", advice="cast one of them")
        batch = batch_shape(a, b, what=self.title)
        return [TensorType(a.dtype, (*batch, rows if rows is not None else n, b.shape[-1]))]

    def _mismatch(self, a: Sequence[Any], b: Sequence[Any]) -> ShapeError:
        return ShapeError(
            f"{self.title}: a matrix of shape {tuple(a)} and a right side of shape {tuple(b)} do "
            "not fit",
            advice="the right side needs as many rows as the matrix has",
        )

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        a, b = values
        check_square(a.shape, self.title)
        if a.shape[-1] != b.shape[-2]:
            raise self._mismatch(a.shape, b.shape)
        check_batches(self.title, inputs, values)

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        a, b = inputs
        return [[*batch_dims(a, b), dimension(b, -2), dimension(b, -1)]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 2 * int(outputs[0].size) * int(inputs[0].shape[-1])


@frozen
class Solve(_Solver):
    """X of A X = B, by elimination. A singular A raises LinearAlgebraError."""

    title = "solve"

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        a, b = values
        try:
            return [np.linalg.solve(a, b)]
        except np.linalg.LinAlgError:
            raise singular(self.title) from None

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (a, b), (x,), (g,) = inputs, outputs, gradients
        if g is None:
            return [None, None]
        back = self(turned(a), g)
        of_matrix = -product(back, turned(x))
        return [summed_over_batch(of_matrix, a), summed_over_batch(back, b)]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        n = int(inputs[0].shape[-1])
        return 2 * int(inputs[0].size) * n // 3 + 2 * int(outputs[0].size) * n


@frozen
class SolveTriangular(_Solver):
    """X of A X = B for triangular A: the other triangle is not read, nor the diagonal where it is
    `unit`. A zero on the diagonal raises LinearAlgebraError.
    """

    lower: bool = True
    unit: bool = False

    title = "solve_triangular"

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        from scipy.linalg import solve_triangular

        a, b = values
        if not self.unit and (np.diagonal(a, axis1=-2, axis2=-1) == 0).any():
            raise singular(self.title)
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        a, b = (np.broadcast_to(v, (*batch, *v.shape[-2:])) for v in (a, b))
        out = np.empty(b.shape, b.dtype)
        for place in each_matrix(batch):
            if out[place].size:
                out[place] = solve_triangular(
                    a[place],
                    b[place],
                    lower=self.lower,
                    unit_diagonal=self.unit,
                    check_finite=False,
                )
        return [out]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (a, b), (x,), (g,) = inputs, outputs, gradients
        if g is None:
            return [None, None]
        back = SolveTriangular(not self.lower, self.unit)(turned(a), g)
        whole = -product(back, turned(x))
        read = whole if self.lower else turned(whole)
        triangle = lower_triangle(read, strict=self.unit)
        of_matrix = triangle if self.lower else turned(triangle)
        return [summed_over_batch(of_matrix, a), summed_over_batch(back, b)]

    def __str__(self) -> str:
        return f"SolveTriangular{{{'lower' if self.lower else 'upper'}}}"


def _half(g: Any) -> Any:
    return constant(0.5, tensor_type(g).dtype)
