"""Sorting elements, positions and rows, searching, and what is written with them: topk, lexsort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.along import Along
from workbench.core.ops.checks import checked
from workbench.core.ops.scalars import cast, ge, zeros_like
from workbench.core.ops.shape import dimension, flatten, normal_axis, shape_tuple
from workbench.core.types import TensorType, as_tensor, is_discrete, tensor_type, upcast
from workbench.errors import GraphError, RankError, ShapeError
from workbench.frozen import frozen


class _Ordering(Along):
    """An op that orders the elements along one axis: nan comes last, equals keep their order."""

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 0


@frozen
class Sort(_Ordering):
    """The elements along an axis in ascending order, -0.0 before 0.0."""

    title = "sort"

    def evaluate(self, *values: Array) -> Sequence[Array]:
        (x,) = values
        result = np.sort(x, axis=self.axis)
        if x.dtype.kind != "f":
            return [result]
        zero, negative = result == 0, np.signbit(x) & (x == 0)
        rank = np.cumsum(zero, axis=self.axis)
        first = rank <= np.sum(negative, axis=self.axis, keepdims=True)
        result[zero] = np.where(first, -0.0, 0.0)[zero]
        return [result]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        from workbench.core.ops.selecting import put_along_axis

        x, (g,) = inputs[0], gradients
        if g is None or is_discrete(tensor_type(x).dtype):
            return [None]
        return [put_along_axis(zeros_like(x), ArgSort(self.axis)(x), g, self.axis)]


@frozen
class ArgSort(_Ordering):
    """The positions of the elements along an axis in ascending order, int64."""

    title = "argsort"

    def out_dtype(self, dtype: str) -> str:
        return "int64"

    def evaluate(self, *values: Array) -> Sequence[Array]:
        return [np.argsort(values[0], axis=self.axis, kind="stable")]

    def connected(self, index: int) -> bool:
        return False

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        return [None]


@frozen
class ArgSortRows(Op):
    """The positions of a matrix's rows in ascending order by the first column, equals by the
    second, and so on; int64. Equal rows keep their order.
    """

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = tensor_type(inputs[0])
        if t.ndim != 2:
            raise RankError(f"rows of {inputs[0]}, which is of {t}", advice="give a matrix")
        return [TensorType("int64", t.shape[:1])]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        order = np.arange(len(values[0]))
        for column in values[0].T[::-1]:
            order = order[np.argsort(column[order], kind="stable")]
        return [order]

    def connected(self, index: int) -> bool:
        return False

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        return [None]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])[:1]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 0

    @property
    def label(self) -> str:
        return "argsort rows"


@frozen
class SearchSorted(Op):
    """Where elements would be put into an ascending vector, int64: before equals ('left') or after
    them. Inputs: the vector, the elements, of one dtype.
    """

    side: str = "left"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        line, elements = (tensor_type(v) for v in inputs)
        if line.ndim != 1:
            raise RankError(
                f"searchsorted looks in a vector; {inputs[0]} is of {line}",
                advice="flatten and sort it first",
            )
        return [TensorType("int64", elements.shape)]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        line, elements = values
        return [np.asarray(np.searchsorted(line, elements, side=self.side), "int64")]  # type: ignore[call-overload]

    def connected(self, index: int) -> bool:
        return False

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        return [None, None]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[1])]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 0

    @property
    def label(self) -> str:
        return "searchsorted"

    def __str__(self) -> str:
        return f"SearchSorted{{{self.side}}}"


def _ordered(kind: type[_Ordering], x: Any, axis: int | None) -> Any:
    variable = as_tensor(x)
    if axis is None:
        return kind(0)(flatten(variable))
    return kind(normal_axis(axis, variable, kind.__name__.lower()))(variable)


def sort(x: Any, axis: int | None = -1, kind: str | None = None, order: Any = None) -> Any:
    """x in ascending order along an axis (None: flattened), nan last. `kind` and `order` are taken
    for NumPy's sake: the order of equals is always kept.
    """
    return _ordered(Sort, x, axis)


def argsort(x: Any, axis: int | None = -1, kind: str | None = None, order: Any = None) -> Any:
    """The positions that sort x along an axis (None: flattened), int64; equals keep their order."""
    return _ordered(ArgSort, x, axis)


def partition(x: Any, kth: Any, axis: int | None = -1) -> Any:
    """x with its kth smallest elements in their places along an axis: all of it is sorted."""
    return sort(x, axis)


def argpartition(x: Any, kth: Any, axis: int | None = -1) -> Any:
    """The positions that put the kth smallest elements in their places along an axis."""
    return argsort(x, axis)


def topk_and_argtopk(
    x: Any, kth: Any, axis: int | None = -1, sorted: bool = True, idx_dtype: str = "int64"
) -> list[Any]:
    """The kth largest elements along an axis (None: flattened), largest first, and their positions;
    a negative kth gives the smallest ones, smallest first. A variable kth is taken as positive; the
    result is in order whether `sorted` asks for it or not.
    """
    from workbench.core.ops.selecting import take_along_axis

    variable = as_tensor(x)
    if axis is None:
        variable, axis = flatten(variable), 0
    where = normal_axis(axis, variable, "topk")
    found = _best(variable, kth, where)
    return [take_along_axis(variable, found, where), cast(found, idx_dtype)]


def topk(
    x: Any, kth: Any, axis: int | None = -1, sorted: bool = True, idx_dtype: str = "int64"
) -> Any:
    """The kth largest elements along an axis, largest first; see `topk_and_argtopk`."""
    return topk_and_argtopk(x, kth, axis, sorted, idx_dtype)[0]


def argtopk(
    x: Any, kth: Any, axis: int | None = -1, sorted: bool = True, idx_dtype: str = "int64"
) -> Any:
    """The positions of the kth largest elements along an axis; see `topk_and_argtopk`."""
    return topk_and_argtopk(x, kth, axis, sorted, idx_dtype)[1]


def _best(x: Variable, kth: Any, axis: int) -> Any:
    """The positions of the kth largest elements, or of the -kth smallest; at most all."""
    if isinstance(kth, (int, np.integer)) and kth == 0:
        raise ShapeError(
            "topk of 0 elements",
            f"topk of {x}: {x.type}",
            advice="kth is at least 1, or at most -1 for the smallest",
        )
    known = tensor_type(x).shape[axis]
    if isinstance(kth, (int, np.integer)) and known is not None and abs(int(kth)) > known:
        raise ShapeError(
            f"topk of {abs(int(kth))} elements of {known}",
            f"topk of {x}: {x.type}",
            advice=f"kth is at most {known}",
        )
    if isinstance(kth, (int, np.integer)) and kth < 0:
        return ArgSort(axis)(x)[(slice(None),) * axis + (slice(None, -int(kth)),)]
    count = int(kth) if isinstance(kth, (int, np.integer)) else as_tensor(kth)
    start = dimension(x, axis) - count  # the last of the ascending order, from behind
    if isinstance(start, Variable):
        start = checked(
            start,
            ge(start, 0),
            wrong="topk of more elements than there are",
            advice="kth is at most the length of the axis",
        )
    tail = ArgSort(axis)(x)[(slice(None),) * axis + (slice(start, None),)]
    return tail[(slice(None),) * axis + (slice(None, None, -1),)]


def searchsorted(x: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """Where elements v would be put into the ascending vector x (ascending in the order `sorter`,
    if that is given), before ('left') or after ('right') equals.
    """
    if side not in ("left", "right"):
        raise GraphError(f"searchsorted: side {side!r}", advice="give 'left' or 'right'")
    line, elements = as_tensor(x), as_tensor(v)
    if sorter is not None:
        line = line[sorter]  # type: ignore[index]
    wide = upcast(tensor_type(line).dtype, tensor_type(elements).dtype)
    return SearchSorted(side)(cast(line, wide), cast(elements, wide))


def argsort_rows(x: Any) -> Any:
    """The positions of a matrix's rows in ascending order, by the first column first."""
    return ArgSortRows()(as_tensor(x))


def lexsort(keys: Any, axis: int = -1) -> Any:
    """The positions that sort by the last key, equals by the one before, and so on."""
    from workbench.core.ops.selecting import take_along_axis

    first, *rest = (as_tensor(k) for k in keys)
    order = argsort(first, axis)
    for key in rest:
        order = take_along_axis(order, argsort(take_along_axis(key, order, axis), axis), axis)
    return order
