"""Products of matrices and vectors: Dot, and the BLAS forms Gemv, Gemm and Ger that specialisation
puts in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.elementwise import needs_none
from workbench.core.ops.shape import dimension, dimshuffle, flatten, shape_tuple, transpose
from workbench.core.types import TensorType, as_tensor, is_discrete, tensor_type, upcast
from workbench.errors import RankError, ShapeError
from workbench.frozen import frozen


@frozen
class Dot(Op):
    """The product of two matrices, a matrix and a vector, or two vectors."""

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        a, b = (tensor_type(v) for v in inputs)
        if not (1 <= a.ndim <= 2 and 1 <= b.ndim <= 2):
            raise RankError(
                f"dot takes vectors and matrices, not tensors of {a.ndim} and {b.ndim} axes",
                advice="tensordot takes higher ranks",
            )
        left, right = a.shape[-1], b.shape[0]
        if left is not None and right is not None and left != right:
            raise _dot_mismatch(inputs, a.shape, b.shape)
        return [TensorType(upcast(a.dtype, b.dtype), (*a.shape[:-1], *b.shape[1:]))]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        a, b = values
        dtype = np.result_type(a.dtype, b.dtype)
        return [np.asarray(np.dot(a.astype(dtype, copy=False), b.astype(dtype, copy=False)))]

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        a, b = values
        if a.shape[-1] != b.shape[0]:
            raise _dot_mismatch(inputs, a.shape, b.shape)

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        a, b = inputs
        (g,) = gradients
        if g is None or is_discrete(tensor_type(outputs[0]).dtype):
            return [None, None]
        ta, tb = tensor_type(a), tensor_type(b)
        parts = [_left_grad(ta.ndim, tb.ndim, a, b, g), _right_grad(ta.ndim, tb.ndim, a, b, g)]
        return [None if needs_none(v) else p for v, p in zip(inputs, parts, strict=True)]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        a, b = inputs
        return [[*shape_tuple(a)[:-1], *shape_tuple(b)[1:]]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 2 * int(outputs[0].size) * int(inputs[0].shape[-1])

    @property
    def label(self) -> str:
        return "dot"

    def __str__(self) -> str:
        return "dot"


def _left_grad(na: int, nb: int, a: Variable, b: Variable, g: Any) -> Any:
    if na == 1:
        return g * b if nb == 1 else Dot()(b, g)
    if nb == 1:
        return dimshuffle(g, (0, "x")) * dimshuffle(b, ("x", 0))
    return Dot()(g, transpose(b))


def _right_grad(na: int, nb: int, a: Variable, b: Variable, g: Any) -> Any:
    if nb == 1:
        return g * a if na == 1 else Dot()(transpose(a), g)
    if na == 1:
        return dimshuffle(a, (0, "x")) * dimshuffle(g, ("x", 0))
    return Dot()(transpose(a), g)


def _dot_mismatch(inputs: Sequence[Variable], a: Sequence[Any], b: Sequence[Any]) -> ShapeError:
    return ShapeError(
        f"shapes do not fit in dot: {tuple(a)} and {tuple(b)}; {a[-1]} is not {b[0]}",
        f"dot of {inputs[0].name or 'an expression'}: {inputs[0].type} and "
        f"{inputs[1].name or 'an expression'}: {inputs[1].type}",
        advice="the last axis of the first must be as long as the first axis of the second",
    )


def dot(a: Any, b: Any) -> Any:
    """As numpy.dot: the product of matrices and vectors; with a scalar, plain multiplication; for
    more axes, the sum of products over the last axis of a and the last but one of b.

    Raises ShapeError where these lengths differ.
    """
    x, y = as_tensor(a), as_tensor(b)
    left, right = tensor_type(x).ndim, tensor_type(y).ndim
    if left == 0 or right == 0:
        return x * y  # type: ignore[operator]
    if left <= 2 and right <= 2:
        return Dot()(x, y)
    from workbench.core.ops.products import tensordot

    return tensordot(x, y, [[left - 1], [max(right - 2, 0)]])


def matmul(a: Any, b: Any) -> Any:
    """As numpy.matmul, which is `a @ b`: see workbench.core.ops.batched."""
    from workbench.core.ops import batched

    return batched.matmul(a, b)


def outer(a: Any, b: Any) -> Any:
    """As numpy.outer: the matrix of all products of the elements of two tensors, flattened."""
    return dimshuffle(as_line(a), (0, "x")) * dimshuffle(as_line(b), ("x", 0))


def as_line(x: Any) -> Any:
    """All elements of a tensor, in C order, as a vector."""
    variable = as_tensor(x)
    return flatten(variable) if tensor_type(variable).ndim else dimshuffle(variable, ("x",))


class _Blas(Op):
    """alpha times a product plus beta times a tensor; where beta is 0 the tensor counts for
    nothing, not even as nan.

    These stand only in optimised graphs: gradients are taken before.
    """

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        return [tensor_type(inputs[0])]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])]

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        target, _, a, b, _ = values
        if a.shape[-1] != b.shape[0]:
            raise _dot_mismatch(inputs[2:4], a.shape, b.shape)
        if target.shape != (*a.shape[:-1], *b.shape[1:]):
            raise ShapeError(
                f"{self}: a product of {a.shape} and {b.shape} cannot be added to shape "
                f"{target.shape}",
                advice="the sum must have the shape of the product",
            )

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        target, alpha, a, b, beta = values
        product = np.asarray(alpha * np.dot(a, b), target.dtype)
        return [product if beta == 0 else np.asarray(beta * target + product, target.dtype)]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 2 * int(outputs[0].size) * int(inputs[2].shape[-1])


@frozen
class Gemv(_Blas):
    """beta * y + alpha * A @ x. Inputs: y, alpha, A, x, beta."""


@frozen
class Gemm(_Blas):
    """beta * Z + alpha * X @ Y. Inputs: Z, alpha, X, Y, beta."""


@frozen
class Ger(Op):
    """A + alpha * outer(x, y). Inputs: A, alpha, x, y."""

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        return [tensor_type(inputs[0])]

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        a, alpha, x, y = values
        if a.shape != (x.size, y.size):
            raise ShapeError(
                f"Ger: an outer product of {x.shape} and {y.shape} cannot be added to shape "
                f"{a.shape}",
                advice="the sum must have the shape of the product",
            )
        return [np.asarray(a + alpha * np.outer(x, y), a.dtype)]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 2 * int(outputs[0].size)


def dot_dims(a: Variable, b: Variable) -> list[Any]:
    """The dimensions of a product."""
    last = tensor_type(a).ndim - 1
    return [
        *(dimension(a, i) for i in range(last)),
        *(dimension(b, i) for i in range(1, tensor_type(b).ndim)),
    ]
