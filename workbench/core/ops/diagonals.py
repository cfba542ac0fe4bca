"""Diagonals: read as views, put into and added to."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops import reduce
from workbench.core.ops.alloc import alloc, broadcast_onto, check_spread
from workbench.core.ops.create import arange
from workbench.core.ops.indexing import set_subtensor
from workbench.core.ops.scalars import cast, maximum, minimum, zeros_like
from workbench.core.ops.shape import as_scalar_int, dimension, flatten, normal_axis, shape_tuple
from workbench.core.ops.shaping import moveaxis
from workbench.core.types import TensorType, as_tensor, constant, is_discrete, tensor_type
from workbench.errors import DtypeError, GraphError, RankError, ShapeError
from workbench.frozen import frozen


@frozen
class Diagonal(Op):
    """The diagonal over the last two axes, `offset` places to the right of the main one, as the
    last axis: a view.
    """

    takes_half = True

    offset: int = 0

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = tensor_type(inputs[0])
        if t.ndim < 2:
            raise RankError(
                f"{inputs[0]} of {t} has no diagonal", advice="give a matrix, or a stack of them"
            )
        rows, columns = t.shape[-2:]
        known = None if rows is None or columns is None else self.length(rows, columns)
        return [TensorType(t.dtype, (*t.shape[:-2], known))]

    def length(self, rows: Any, columns: Any) -> Any:
        """How many elements the diagonal has, from ints or from integer scalars."""
        down, right = max(-self.offset, 0), max(self.offset, 0)
        if isinstance(rows, int) and isinstance(columns, int):
            return max(min(rows - down, columns - right), 0)
        shorter = minimum(rows - down, columns - right)
        return maximum(shorter, 0) if self.offset else shorter

    def evaluate(self, *values: Array) -> Sequence[Array]:
        return [np.diagonal(values[0], self.offset, -2, -1)]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        if g is None or is_discrete(tensor_type(inputs[0]).dtype):
            return [None]
        return [IncDiagonal(self.offset)(zeros_like(inputs[0]), g)]

    def writer(self, put: bool) -> Op:
        """The op that puts something in this place, or adds it."""
        return IncDiagonal(self.offset, put)

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        *rest, rows, columns = shape_tuple(inputs[0])
        return [[*rest, self.length(rows, columns)]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 0

    @property
    def label(self) -> str:
        return f"diagonal({self.offset})" if self.offset else "diagonal"

    def __str__(self) -> str:
        return f"Diagonal{{offset={self.offset}}}"


@frozen
class IncDiagonal(Op):
    """x with `y` added on a diagonal over the last two axes, or put there where `set`. Inputs: x
    and y of its dtype, which broadcasts along the diagonal.
    """

    offset: int = 0
    set: bool = False

    @property
    def takes_half(self) -> bool:  # type: ignore[override]
        return self.set

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        x, y = inputs
        (place,) = Diagonal(self.offset).infer(x)
        assert isinstance(place, TensorType)
        if tensor_type(y).ndim > place.ndim:
            raise RankError(
                f"cannot put {y} of {y.type} on a diagonal of {place}: it has more axes",
                advice="give a number or a vector",
            )
        if tensor_type(y).dtype != place.dtype:
            raise DtypeError(
                f"cannot put {y} of {y.type} on a diagonal of {place}: another dtype",
                advice=f"cast it to {place.dtype}",
            )
        broadcast_onto(tensor_type(y).shape, place.shape, "a diagonal")
        return [tensor_type(x)]

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        place = np.diagonal(values[0], self.offset, -2, -1)
        check_spread(inputs[1], values[1], place.shape, self.label)

    def evaluate(self, *values: Array) -> Sequence[Array]:
        x, y = values
        result = x.copy()
        place = np.lib.stride_tricks.as_strided(*_strided(result, self.offset))
        if self.set:
            place[...] = y
        else:
            np.add(place, y, out=place)
        return [result]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        if g is None:
            return [None, None]
        picked = Diagonal(self.offset)(g)
        zero = constant(0, tensor_type(g).dtype)
        to_x = IncDiagonal(self.offset, set=True)(g, zero) if self.set else g
        return [to_x, reduce.sum_to(picked, inputs[1], picked)]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])]

    @property
    def label(self) -> str:
        return f"{'set' if self.set else 'inc'} diagonal"

    def __str__(self) -> str:
        return f"IncDiagonal{{offset={self.offset},set={self.set}}}"


def _strided(x: Array, offset: int) -> tuple[Array, tuple[int, ...], tuple[int, ...]]:
    """A diagonal's memory, shape and strides: NumPy's own view of it cannot be written to."""
    place = np.diagonal(x, offset, -2, -1)
    down, right = max(-offset, 0), max(offset, 0)
    return x[..., down:, right:], place.shape, place.strides


def diagonal(x: Any, offset: Any = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of x over two axes, `offset` places to the right of the main one, as the last
    axis.
    """
    variable = as_tensor(x)
    if tensor_type(variable).ndim < 2:
        raise RankError(
            f"{variable} of {variable.type} has no diagonal",
            advice="give a matrix, or write diag(v) to make one of a vector",
        )
    a, b = (normal_axis(i, variable, "diagonal") for i in (axis1, axis2))
    if a == b:
        raise RankError(f"diagonal over the axes {axis1} and {axis2}", advice="name two axes")
    moved = moveaxis(variable, (a, b), (-2, -1))
    if isinstance(offset, Variable):
        moved, offset = _shifted(moved, offset), 0
    return Diagonal(_whole(offset))(moved)


def _shifted(x: Any, offset: Variable) -> Any:
    """The part of x whose main diagonal is the one at a variable offset: a view."""
    k = as_scalar_int(offset)
    return x[..., maximum(-k, 0) :, maximum(k, 0) :]  # type: ignore[operator]


def _whole(offset: Any) -> int:
    try:
        return operator.index(offset)
    except TypeError:
        raise GraphError(
            f"a diagonal's offset is an integer, not {offset!r}", advice="give an int"
        ) from None


def diag(v: Any, k: int = 0) -> Any:
    """The square matrix with a vector on its k-th diagonal; of a matrix, that diagonal."""
    variable = as_tensor(v)
    ndim = tensor_type(variable).ndim
    if ndim not in (1, 2):
        raise RankError(
            f"diag of {variable.type}", advice="give a vector or a matrix; see diagonal"
        )
    return diagonal(variable, k) if ndim == 2 else alloc_diag(variable, k)


extract_diag = diagonal


def alloc_diag(x: Any, offset: int = 0) -> Any:
    """Zeros with the last axis of x on a diagonal over two axes in its place."""
    variable, k = as_tensor(x), _whole(offset)
    *rest, n = shape_tuple(variable)
    side = n + abs(k)
    target = alloc(constant(0, tensor_type(variable).dtype), *rest, side, side)
    return IncDiagonal(k, set=True)(target, variable)


def diagflat(x: Any, k: int = 0) -> Any:
    """`diag` of all elements of x in a row."""
    return alloc_diag(flatten(as_tensor(x)), k)


def fill_diagonal(x: Any, value: Any) -> Any:
    """x with a value (or, for a matrix, a vector) on its main diagonal; of more than two axes,
    whose lengths are then equal, on the places [i, i, …, i].
    """
    variable = as_tensor(x)
    ndim = tensor_type(variable).ndim
    if ndim < 2:
        raise RankError(f"fill_diagonal of {variable.type}", advice="give two axes at least")
    if ndim == 2:
        return fill_diagonal_offset(variable, value, 0)
    known = {n for n in tensor_type(variable).shape if n is not None}
    if len(known) > 1:
        raise ShapeError(
            f"fill_diagonal of {variable.type}: all axes must have one length",
            advice="of a stack of matrices, fill each one's",
        )
    places = arange(dimension(variable, 0))
    return set_subtensor(variable[(places,) * ndim], value)  # type: ignore[index]


def fill_diagonal_offset(x: Any, value: Any, offset: Any) -> Any:
    """The matrix x with a value or a vector on the diagonal `offset` places to the right."""
    variable = as_tensor(x)
    put = cast(value, tensor_type(variable).dtype)
    if isinstance(offset, Variable):
        part = _shifted(variable, offset)
        return set_subtensor(part, IncDiagonal(0, set=True)(part, put))
    return IncDiagonal(_whole(offset), set=True)(variable, put)
