"""Stacks of matrices, as NumPy's linear algebra takes them: the matrices are the last two axes, all
axes before count them. What ops over them share: types, transposes, triangles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Op, Variable
from workbench.core.ops.create import arange
from workbench.core.ops.reduce import sum_to
from workbench.core.ops.scalars import cast, ge, gt, switch
from workbench.core.ops.shape import dimension, dimshuffle, shape_tuple
from workbench.core.types import (
    FLOATS,
    Shape,
    TensorType,
    as_tensor,
    broadcast_shapes,
    is_discrete,
    tensor_type,
)
from workbench.errors import DtypeError, RankError, ShapeError


def floating(x: Any) -> Any:
    """x as a tensor of real floats: integers and bools become float64, as in numpy.linalg."""
    variable = as_tensor(x)
    return cast(variable, "float64") if is_discrete(tensor_type(variable).dtype) else variable


def matrices(variable: Variable, what: str) -> TensorType:
    """The type of a stack of matrices of real floats. Raises RankError, DtypeError."""
    t = tensor_type(variable)
    if t.ndim < 2:
        raise RankError(
            f"{what} takes matrices; a tensor of {t.ndim} axes is none",
            f"{what} of {variable.name or 'an expression'}: {t}",
            advice="matrices are the last two axes; make axes with dimshuffle",
        )
    if t.dtype not in FLOATS:
        raise DtypeError(
            f"{what} is of real floats, not of {t.dtype}",
            f"{what} of {variable.name or 'an expression'}: {t}",
            advice="cast it to float64, or take the real part",
        )
    return t


def square(variable: Variable, what: str) -> TensorType:
    """The type of a stack of square matrices of real floats. Raises ShapeError too."""
    t = matrices(variable, what)
    check_square(t.shape, what)
    return t


def check_square(shape: Sequence[int | None], what: str) -> None:
    """Raises ShapeError where a shape is known not to be a square matrix's."""
    rows, columns = shape[-2:]
    if rows is not None and columns is not None and rows != columns:
        raise ShapeError(
            f"{what} takes square matrices; these are {rows} × {columns}",
            advice="give a matrix with as many rows as columns",
        )


def side(t: TensorType) -> int | None:
    """How many rows square matrices of this type have, where either axis tells."""
    rows, columns = t.shape[-2:]
    return columns if rows is None else rows


def batch_shape(*types: TensorType, what: str) -> Shape:
    """The axes before the matrices, together: those of static length 1 broadcast."""
    return broadcast_shapes([t.shape[:-2] for t in types], what)


def batch_dims(*inputs: Variable) -> list[Any]:
    """The lengths of those axes: ints or int64 scalar variables."""
    types = [tensor_type(v) for v in inputs]
    dims: list[Any] = list(batch_shape(*types, what="stacks"))
    for axis in range(-len(dims), 0):
        if dims[axis] is None:
            source = next(
                v
                for v, t in zip(inputs, types, strict=True)
                if t.ndim - 2 >= -axis and t.shape[axis - 2] != 1
            )
            dims[axis] = dimension(source, axis - 2)
    return dims


def check_batches(what: str, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
    """Raises ShapeError where lengths before the matrices differ and do not broadcast in the
    type.
    """
    for axis in range(-max((v.ndim for v in values), default=0), -2):
        lengths = {
            v.shape[axis]
            for v, variable in zip(values, inputs, strict=True)
            if v.ndim >= -axis and tensor_type(variable).shape[axis] != 1
        }
        if len(lengths) > 1:
            raise ShapeError(
                f"{what}: stacks of {' and '.join(str(v.shape) for v in values)} do not fit",
                advice="the axes before the last two must be equal, or 1 in the type",
            )


def each_matrix(shape: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The place of every matrix in a stack of this shape."""
    return iter(np.ndindex(*shape))


def turned(x: Any) -> Any:
    """Every matrix transposed: the last two axes change places."""
    variable = as_tensor(x)
    last = tensor_type(variable).ndim - 1
    return dimshuffle(variable, (*range(last - 1), last, last - 1))


def as_columns(x: Any) -> Any:
    """A stack of vectors as matrices of one column."""
    variable = as_tensor(x)
    return dimshuffle(variable, (*range(tensor_type(variable).ndim), "x"))


def as_rows(x: Any) -> Any:
    """A stack of vectors as matrices of one row, which spread over rows."""
    variable = as_tensor(x)
    last = tensor_type(variable).ndim - 1
    return dimshuffle(variable, (*range(last), "x", last))


def spread_over_matrix(x: Any) -> Any:
    """A number for each matrix, which spreads over its elements."""
    variable = as_tensor(x)
    return dimshuffle(variable, (*range(tensor_type(variable).ndim), "x", "x"))


def lower_triangle(x: Any, strict: bool = False) -> Any:
    """What is on and below the diagonals (`strict`: below); zeros elsewhere."""
    rows, columns = positions(x)
    return switch((gt if strict else ge)(rows, columns), x, 0)


def upper_triangle(x: Any, strict: bool = False) -> Any:
    """What is on and above the diagonals (`strict`: above); zeros elsewhere."""
    rows, columns = positions(x)
    return switch((gt if strict else ge)(columns, rows), x, 0)


def positions(x: Any) -> tuple[Any, Any]:
    """Row numbers as a column, column numbers as a row."""
    rows, columns = shape_tuple(x)[-2:]
    return dimshuffle(arange(rows), (0, "x")), dimshuffle(arange(columns), ("x", 0))


def mirrored(x: Any) -> Any:
    """Symmetric matrices from their lower triangles: what is above the diagonals is not looked
    at.
    """
    return lower_triangle(x) + turned(lower_triangle(x, strict=True))


def folded(x: Any) -> Any:
    """What `mirrored` sends back: gradients above the diagonals are added to those below."""
    return lower_triangle(x) + lower_triangle(turned(x), strict=True)


def summed_over_batch(gradient: Any, operand: Variable) -> Any:
    """A gradient summed over the axes along which the operand was spread."""
    return sum_to(gradient, operand, as_tensor(gradient))


class MatrixOp(Op):
    """An op over stacks of matrices. `title` is what errors call it."""

    title = ""
    is_linear_algebra = True  # the rules about such ops are imported where one is in a graph

    @property
    def label(self) -> str:
        return self.title

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        check_square(values[0].shape, self.title)


class Expanded(MatrixOp):
    """An op whose meaning is an expression of others: `expand` writes it, for native code."""

    def expand(self, x: Variable) -> Any:
        raise NotImplementedError  # every subclass has one
