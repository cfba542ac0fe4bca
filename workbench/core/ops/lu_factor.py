"""Elimination shared by several readers: LuFactor, in the form that LAPACK keeps, and LuSolve from
it. (`lu` gives the factors apart, as a user asks for them.)

These stand only in optimised graphs: gradients are taken before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Type, Variable
from workbench.core.ops.shape import dimension, shape_tuple
from workbench.core.ops.solve import singular
from workbench.core.ops.stacks import (
    MatrixOp,
    batch_dims,
    batch_shape,
    check_batches,
    check_square,
    each_matrix,
    side,
    square,
)
from workbench.core.types import TensorType, tensor_type
from workbench.errors import ShapeError
from workbench.frozen import frozen


@frozen
class LuFactor(MatrixOp):
    """L (below its diagonal of ones) and U in one square matrix, and for each row the one that it
    was exchanged for, counted from 0.
    """

    title = "lu_factor"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = square(inputs[0], self.title)
        batch, n = t.shape[:-2], side(t)
        return [TensorType(t.dtype, (*batch, n, n)), TensorType("int64", (*batch, n))]

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        from scipy.linalg import get_lapack_funcs

        (x,) = values
        factors, rows = np.empty_like(x), np.zeros(x.shape[:-1], "int64")
        (getrf,) = get_lapack_funcs(("getrf",), (x,))
        for place in each_matrix(x.shape[:-2]) if x.size else ():
            factors[place], rows[place], _ = getrf(x[place])
        return [factors, rows]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        dims = shape_tuple(inputs[0])
        return [dims, dims[:-1]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 2 * int(inputs[0].size) * int(inputs[0].shape[-1]) // 3


@frozen
class LuSolve(MatrixOp):
    """X of A X = B (`transposed`: of Aᵀ X = B). Inputs: LuFactor's outputs for A, and B."""

    transposed: bool = False

    title = "lu_solve"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        a, _, b = (tensor_type(v) for v in inputs)
        batch = batch_shape(a, b, what=self.title)
        rows = b.shape[-2] if b.shape[-2] is not None else side(a)
        return [TensorType(a.dtype, (*batch, rows, b.shape[-1]))]

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        a, _, b = values
        check_square(a.shape, self.title)
        if a.shape[-1] != b.shape[-2]:
            raise ShapeError(
                f"{self.title}: a matrix of shape {a.shape} and a right side of shape {b.shape} do "
                "not fit",
                advice="the right side needs as many rows as the matrix has",
            )
        check_batches(self.title, (inputs[0], inputs[2]), (a, b))

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        from scipy.linalg import get_lapack_funcs

        factors, rows, b = values
        if (np.diagonal(factors, axis1=-2, axis2=-1) == 0).any():
            raise singular("solve")
        batch = np.broadcast_shapes(factors.shape[:-2], b.shape[:-2])
        spread = [np.broadcast_to(v, (*batch, *v.shape[-2:])) for v in (factors, b)]
        exchanged = np.broadcast_to(rows, (*batch, rows.shape[-1]))
        out = np.empty(spread[1].shape, b.dtype)
        (getrs,) = get_lapack_funcs(("getrs",), (factors,))
        for place in each_matrix(batch) if out.size else ():
            out[place], _ = getrs(
                spread[0][place], exchanged[place], spread[1][place], trans=int(self.transposed)
            )
        return [out]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        a, _, b = inputs
        return [[*batch_dims(a, b), dimension(b, -2), dimension(b, -1)]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 2 * int(outputs[0].size) * int(inputs[0].shape[-1])
