"""Products of stacks of matrices: BatchedDot, `matmul`, `batched_dot`, `batched_tensordot`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.dot import Dot
from workbench.core.ops.elementwise import needs_none
from workbench.core.ops.reduce import sum as total
from workbench.core.ops.shape import dimension, dimshuffle, reshape, shape_tuple
from workbench.core.ops.stacks import (
    batch_dims,
    batch_shape,
    check_batches,
    summed_over_batch,
    turned,
)
from workbench.core.types import TensorType, as_tensor, is_discrete, tensor_type, upcast
from workbench.errors import RankError, ShapeError
from workbench.frozen import frozen


@frozen
class BatchedDot(Op):
    """The products of two stacks of matrices, one by one. Axes before the last two that have static
    length 1, and missing ones, are spread.
    """

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        a, b = (tensor_type(v) for v in inputs)
        if a.ndim < 2 or b.ndim < 2:
            raise RankError(
                f"a batched product takes stacks of matrices, not tensors of {a.ndim} and "
                f"{b.ndim} axes",
                advice="matmul and batched_dot take vectors, too",
            )
        left, right = a.shape[-1], b.shape[-2]
        if left is not None and right is not None and left != right:
            raise _mismatch(inputs, a.shape, b.shape)
        batch = batch_shape(a, b, what="batched product")
        return [TensorType(upcast(a.dtype, b.dtype), (*batch, a.shape[-2], b.shape[-1]))]

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        a, b = values
        if a.shape[-1] != b.shape[-2]:
            raise _mismatch(inputs, a.shape, b.shape)
        check_batches("batched product", inputs, values)

    def evaluate(self, *values: Array) -> Sequence[Array]:
        a, b = values
        dtype = np.result_type(a.dtype, b.dtype)
        return [np.matmul(a.astype(dtype, copy=False), b.astype(dtype, copy=False))]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        a, b = inputs
        (g,) = gradients
        if g is None or is_discrete(tensor_type(outputs[0]).dtype):
            return [None, None]
        parts = [(a, g, turned(b)), (b, turned(a), g)]
        return [
            None if needs_none(v) else summed_over_batch(matmul(left, right), v)
            for v, left, right in parts
        ]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        a, b = inputs
        return [[*batch_dims(a, b), dimension(a, -2), dimension(b, -1)]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 2 * int(outputs[0].size) * int(inputs[0].shape[-1])

    @property
    def label(self) -> str:
        return "batched_dot"


def _mismatch(inputs: Sequence[Variable], a: Sequence[Any], b: Sequence[Any]) -> ShapeError:
    return ShapeError(
        f"shapes do not fit in a batched product: {tuple(a)} and {tuple(b)}; {a[-1]} is not "
        f"{b[-2]}",
        f"batched product of {inputs[0].name or 'an expression'}: {inputs[0].type} and "
        f"{inputs[1].name or 'an expression'}: {inputs[1].type}",
        advice="the last axis of the first must be as long as the last but one of the second",
    )


def matmul(a: Any, b: Any) -> Any:
    """As numpy.matmul: the last two axes are matrices, axes before them broadcast (where their
    length is 1 in the type); a vector is a row on the left and a column on the right.

    Raises RankError for scalars, ShapeError where lengths do not fit.
    """
    x, y = as_tensor(a), as_tensor(b)
    left, right = tensor_type(x).ndim, tensor_type(y).ndim
    if left == 0 or right == 0:
        raise RankError(
            "matmul does not take scalars",
            f"matmul of {x}: {x.type} and {y}: {y.type}",
            advice="multiply by a scalar with *",
        )
    if left <= 2 and right <= 2:
        return Dot()(x, y)
    if right == 1:
        return _rows_times(x, y)
    if left == 1:
        made = BatchedDot()(dimshuffle(x, ("x", 0)), y)
        return dimshuffle(made, (*range(right - 2), right - 1))
    if right == 2:
        return _rows_times(x, y)
    return BatchedDot()(x, y)


def _rows_times(x: Variable, y: Variable) -> Any:
    """All matrices of a stack times the same matrix or vector: one product of all their rows."""
    rows = reshape(x, (-1, dimension(x, -1)))
    return reshape(Dot()(rows, y), (*shape_tuple(x)[:-1], *shape_tuple(y)[1:]))


def batched_dot(a: Any, b: Any) -> Any:
    """For each entry along the first axis, the product of the two entries, as `dot` has it: of
    vectors a number, of a matrix and a vector a vector, of tensors over the last axis of the first
    and the last but one of the second. The first axes must be of equal length.

    Raises RankError for scalars, ShapeError where lengths do not fit.
    """
    x, y = as_tensor(a), as_tensor(b)
    left, right = tensor_type(x).ndim, tensor_type(y).ndim
    if left == 0 or right == 0:
        raise RankError(
            "batched_dot takes tensors whose first axis counts the entries, not scalars",
            f"batched_dot of {x}: {x.type} and {y}: {y.type}",
            advice="multiply by a scalar with *",
        )
    _same_batch(x, y)
    if left == 1 or right == 1:  # numbers times entries
        small, large = (x, y) if left == 1 else (y, x)
        return dimshuffle(small, (0, *["x"] * (tensor_type(large).ndim - 1))) * large
    axes = [[left - 1], [max(right - 2, 1)]]
    return batched_tensordot(x, y, axes)


def batched_tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """For each entry along the first axis, the `tensordot` of the two entries.

    `axes` is how many of the last axes of x meet the first axes after the batch of y, or two lists
    of axes that meet, counted with the batch axis, which is 0 and must not be among them.
    """
    a, b = as_tensor(x), as_tensor(y)
    from workbench.core.ops.products import meeting_axes

    _same_batch(a, b)
    left, right = meeting_axes("batched_tensordot", a, b, axes, first=1)
    return contract(a, b, ((0,), (0,)), (left, right))


Pair = tuple[tuple[int, ...], tuple[int, ...]]


def contract(a: Variable, b: Variable, batch: Pair, summed: Pair) -> Any:
    """The sum of products over the `summed` axes, for each place along the `batch` axes, which come
    first in the result; then what is left of a, then what is left of b.
    """
    rest_a = [i for i in range(tensor_type(a).ndim) if i not in (*batch[0], *summed[0])]
    rest_b = [i for i in range(tensor_type(b).ndim) if i not in (*batch[1], *summed[1])]
    dims = [
        *(_known(dimension(a, i), dimension(b, j)) for i, j in zip(*batch, strict=True)),
        *(dimension(a, i) for i in rest_a),
        *(dimension(b, i) for i in rest_b),
    ]
    count = len(batch[0])
    if not summed[0]:
        return _beside(a, (*batch[0], *rest_a), len(rest_b)) * _beside(
            b, (*batch[1], *rest_b), len(rest_a), after=count
        )
    if batch[0] and not rest_a and not rest_b:
        weights = dimshuffle(a, (*batch[0], *summed[0])) * dimshuffle(b, (*batch[1], *summed[1]))
        return total(
            weights, tuple(range(count, count + len(summed[0]))), tensor_type(weights).dtype
        )
    left = _grouped(a, batch[0], rest_a, summed[0])
    right = _grouped(b, batch[1], summed[1], rest_b)
    made = BatchedDot()(left, right) if count else Dot()(left, right)
    plain = len(rest_a) == len(rest_b) == 1
    return made if plain else reshape(made, dims)


def _beside(x: Variable, order: Sequence[int], others: int, after: int | None = None) -> Any:
    """The axes in this order, with new ones where the other factor has axes of its own: at the end,
    or after so many.
    """
    place = len(order) if after is None else after
    return dimshuffle(x, (*order[:place], *["x"] * others, *order[place:]))


def _grouped(x: Variable, batch: Sequence[int], *groups: Sequence[int]) -> Any:
    """The batch axes, then each group of axes as one axis."""
    moved = dimshuffle(x, (*batch, *(i for group in groups for i in group)))
    if all(len(group) == 1 for group in groups):
        return moved
    lengths = []
    for group in groups:
        length: Any = 1
        for i in group:
            length = length * dimension(x, i)
        lengths.append(length)
    return reshape(moved, [*(dimension(x, i) for i in batch), *lengths])


def _known(a: Any, b: Any) -> Any:
    return a if isinstance(a, int) else b


def _same_batch(x: Variable, y: Variable) -> None:
    """Raises ShapeError where the first axes are known to differ."""
    a, b = tensor_type(x).shape[0], tensor_type(y).shape[0]
    if a is not None and b is not None and a != b:
        raise ShapeError(
            f"the batches do not fit: {a} and {b} entries",
            f"batched product of {x}: {x.type} and {y}: {y.type}",
            advice="the first axes must be of equal length",
        )
