"""Ops that iterate or reflect: Eigh, Eigvalsh, Eig, Svd, SingularValues, Qr. All over stacks of
matrices, and by LAPACK. `linalg` has them as a user calls them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Type, Variable, Variables, describe
from workbench.core.ops.batched import matmul as product
from workbench.core.ops.join import join
from workbench.core.ops.scalars import cast, eq, minimum, switch, zeros_like
from workbench.core.ops.shape import dimension, shape_tuple
from workbench.core.ops.solve import SolveTriangular, not_converged
from workbench.core.ops.stacks import (
    MatrixOp,
    as_columns,
    as_rows,
    folded,
    matrices,
    mirrored,
    positions,
    side,
    square,
    turned,
    upper_triangle,
)
from workbench.core.types import TensorType, tensor_type
from workbench.errors import NullGradientError
from workbench.frozen import frozen


@frozen
class Eigh(MatrixOp):
    """Eigenvalues in ascending order and eigenvectors (as columns) of symmetric matrices, of which
    one triangle is read; the gradient is of this one.

    The gradient through eigenvectors needs distinct eigenvalues: it is nan or infinite elsewhere.
    """

    lower: bool = True

    title = "eigh"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = square(inputs[0], self.title)
        n, batch = side(t), t.shape[:-2]
        return [TensorType(t.dtype, (*batch, n)), TensorType(t.dtype, (*batch, n, n))]

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        try:
            return list(np.linalg.eigh(values[0], UPLO=_triangle(self.lower)))
        except np.linalg.LinAlgError:
            raise not_converged(self.title) from None

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        values, vectors = outputs
        of_values, of_vectors = gradients
        left: Any = None
        if of_vectors is not None:
            gaps = as_rows(values) - as_columns(values)
            left = product(vectors, _divided(product(turned(vectors), of_vectors), gaps))
        if of_values is not None:
            left = _plus(left, vectors * as_rows(of_values))
        if left is None:
            return [None]
        whole = product(left, turned(vectors))
        return [folded(whole) if self.lower else turned(folded(turned(whole)))]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        dims = shape_tuple(inputs[0])
        return [dims[:-1], dims]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 9 * int(inputs[0].size) * int(inputs[0].shape[-1])


def _triangle(lower: bool) -> Any:
    return "L" if lower else "U"


def _divided(x: Any, gaps: Any) -> Any:
    """x over the gaps between eigenvalues; 0 on the diagonals, where there is none."""
    same = eq(*positions(gaps))
    return switch(same, 0, x / switch(same, 1, gaps))


def _plus(x: Any, y: Any) -> Any:
    return y if x is None else x + y


@frozen
class Eigvalsh(MatrixOp):
    """The eigenvalues, in ascending order, of symmetric matrices, of which one triangle is read."""

    lower: bool = True

    title = "eigvalsh"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = square(inputs[0], self.title)
        return [TensorType(t.dtype, (*t.shape[:-2], side(t)))]

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        try:
            return [np.linalg.eigvalsh(values[0], UPLO=_triangle(self.lower))]
        except np.linalg.LinAlgError:
            raise not_converged(self.title) from None

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        if g is None:
            return [None]
        decomposition = Eigh(self.lower)
        outputs = decomposition(inputs[0])
        return decomposition.grad(inputs, outputs, [g, None])

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])[:-1]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 4 * int(inputs[0].size) * int(inputs[0].shape[-1]) // 3


@frozen
class Eig(MatrixOp):
    """Eigenvalues and eigenvectors (as columns) of any square matrices; complex, in no order. It
    has no gradient.
    """

    title = "eig"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = square(inputs[0], self.title)
        n, batch = side(t), t.shape[:-2]
        dtype = "complex128" if t.dtype == "float64" else "complex64"
        return [TensorType(dtype, (*batch, n)), TensorType(dtype, (*batch, n, n))]

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        (x,) = values
        dtype = np.result_type(x.dtype, np.complex64)
        try:
            return [np.asarray(part, dtype) for part in np.linalg.eig(x)]
        except np.linalg.LinAlgError:
            raise not_converged(self.title) from None

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        dims = shape_tuple(inputs[0])
        return [dims[:-1], dims]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 25 * int(inputs[0].size) * int(inputs[0].shape[-1])


@frozen
class Svd(MatrixOp):
    """U, the singular values in descending order, and Vᵀ, of A = U diag(s) Vᵀ. `full`: U and V are
    square.

    The gradient through U and Vᵀ needs distinct singular values, none of them zero where A is not
    square; with `full` it is defined for square matrices only.
    """

    full: bool = True

    title = "svd"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = matrices(inputs[0], self.title)
        (*batch, m, n), k = t.shape, shorter(t)
        left, right = ((m, m), (n, n)) if self.full else ((m, k), (k, n))
        return [TensorType(t.dtype, (*batch, *dims)) for dims in (left, (k,), right)]

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        """Every matrix has one."""

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        try:
            return list(np.linalg.svd(values[0], full_matrices=self.full))
        except np.linalg.LinAlgError:
            raise not_converged(self.title) from None

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (x,), (u, s, vt), (gu, gs, gvt) = inputs, outputs, gradients
        square_shape = _is_square(tensor_type(x))
        if self.full and not square_shape:
            if gu is not None or gvt is not None:
                raise NullGradientError(
                    "the gradient through the square U or V of a matrix that is not square is not "
                    "defined",
                    describe(self, inputs),
                    advice="pass full_matrices=False",
                )
            u, s, vt = Svd(full=False)(x)
        left = _svd_left(u, s, vt, gu, gvt)
        if gs is not None:
            left = _plus(left, u * as_rows(gs))
        if left is None:
            return [None]
        whole = product(left, vt)
        if gu is not None and not square_shape:
            scaled = gu / as_rows(s)
            whole = whole + product(scaled - product(u, product(turned(u), scaled)), vt)
        if gvt is not None and not square_shape:
            scaled = gvt / as_columns(s)
            whole = whole + product(u, scaled - product(product(scaled, turned(vt)), vt))
        return [whole]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        *batch, m, n = shape_tuple(inputs[0])
        k = shorter_dim(m, n)
        left, right = ((m, m), (n, n)) if self.full else ((m, k), (k, n))
        return [[*batch, *left], [*batch, k], [*batch, *right]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 22 * int(inputs[0].size) * int(min(inputs[0].shape[-2:]))


def _svd_left(u: Any, s: Any, vt: Any, gu: Any, gvt: Any) -> Any:
    """What turns of U and V send back, but for the factor Vᵀ on the right (Townsend, 2016)."""
    inner: Any = None
    gaps = as_rows(s * s) - as_columns(s * s)
    if gu is not None:
        turn = product(turned(u), gu)
        inner = _divided(turn - turned(turn), gaps) * as_rows(s)
    if gvt is not None:
        turn = product(vt, turned(gvt))
        inner = _plus(inner, as_columns(s) * _divided(turn - turned(turn), gaps))
    return None if inner is None else product(u, inner)


def _is_square(t: TensorType) -> bool:
    return t.shape[-1] is not None and t.shape[-1] == t.shape[-2]


def shorter(t: TensorType) -> int | None:
    """The length of the shorter side of matrices, where both are known."""
    m, n = t.shape[-2:]
    return None if m is None or n is None else min(m, n)


def shorter_dim(m: Any, n: Any) -> Any:
    """The smaller of two dimensions."""
    if isinstance(m, int) and isinstance(n, int):
        return min(m, n)
    return cast(minimum(m, n), "int64")


@frozen
class SingularValues(MatrixOp):
    """The singular values, in descending order."""

    title = "svdvals"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = matrices(inputs[0], self.title)
        return [TensorType(t.dtype, (*t.shape[:-2], shorter(t)))]

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        """Every matrix has them."""

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        try:
            return [np.linalg.svd(values[0], compute_uv=False)]
        except np.linalg.LinAlgError:
            raise not_converged(self.title) from None

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        if g is None:
            return [None]
        u, _, vt = Svd(full=False)(inputs[0])
        return [product(u * as_rows(g), vt)]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        *batch, m, n = shape_tuple(inputs[0])
        return [[*batch, shorter_dim(m, n)]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 4 * int(inputs[0].size) * int(min(inputs[0].shape[-2:]))


@frozen
class Qr(MatrixOp):
    """Q with orthonormal columns and upper triangular R, A = Q R. `mode` is 'reduced', 'complete'
    (Q is square) or 'r' (R of the reduced mode only).

    The gradient needs the first columns, as many as the shorter side has, to be independent; in
    'complete' mode it is defined where the shape says that there are no more rows than columns.
    """

    mode: str = "reduced"

    title = "qr"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = matrices(inputs[0], self.title)
        *batch, m, n = t.shape
        k = m if self.mode == "complete" else shorter(t)
        r = TensorType(t.dtype, (*batch, k, n))
        return [r] if self.mode == "r" else [TensorType(t.dtype, (*batch, m, k)), r]

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        """Every matrix has one."""

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        result = np.linalg.qr(values[0], mode=self.mode)  # type: ignore[call-overload]
        return [result] if self.mode == "r" else list(result)

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (x,) = inputs
        if all(g is None for g in gradients):
            return [None]
        if self.mode == "r":
            q, r = Qr("reduced")(x)
            return [_qr_gradient(x, q, r, None, gradients[0])]
        m, n = tensor_type(x).shape[-2:]
        if self.mode == "complete" and (m is None or n is None or m > n):
            raise NullGradientError(
                "the gradient through the square Q of a matrix with more rows is not defined",
                describe(self, inputs),
                advice="pass mode='reduced', or declare a shape with no more rows than columns",
            )
        return [_qr_gradient(x, *outputs, *gradients)]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        *batch, m, n = shape_tuple(inputs[0])
        k = m if self.mode == "complete" else shorter_dim(m, n)
        r = [*batch, k, n]
        return [r] if self.mode == "r" else [[*batch, m, k], r]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 4 * int(inputs[0].size) * int(min(inputs[0].shape[-2:]))


def _qr_gradient(x: Any, q: Any, r: Any, gq: Any, gr: Any) -> Any:
    """Of the first columns, as many as there are rows: Walter and Lehmann (2013). What is right of
    them is Qᵀ times the columns there: it sends its gradient to those and to Q.
    """
    m, n = tensor_type(x).shape[-2:]
    k = dimension(q, -1)
    tall = m is not None and n is not None and m >= n
    gr = None if gr is None else upper_triangle(gr)
    if tall:
        return _tall_qr_gradient(q, r, gq, gr)
    of_rest: Any = zeros_like(x[..., k:])
    if gr is not None:
        gq = _plus(gq, product(x[..., k:], turned(gr[..., k:])))
        of_rest, gr = product(q, gr[..., k:]), gr[..., :k]
    return join(-1, _tall_qr_gradient(q, r[..., :k], gq, gr), of_rest)


def _tall_qr_gradient(q: Any, r: Any, gq: Any, gr: Any) -> Any:
    inner: Any = None
    if gr is not None:
        inner = product(r, turned(gr))
    if gq is not None:
        turn = product(turned(gq), q)
        inner = -turn if inner is None else inner - turn
    left = product(q, mirrored(inner))
    # times R⁻ᵀ from the right
    return turned(SolveTriangular(lower=False)(r, turned(_plus(gq, left))))
