"""Arrays made from little: ranges with a number of points, grids, triangles, and what is like
another array.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.configuration import config
from workbench.core.graph import Variable
from workbench.core.ops.create import arange, eye, lengths_of, zeros
from workbench.core.ops.join import stack
from workbench.core.ops.positions import nonzero
from workbench.core.ops.scalars import (
    cast,
    eq,
    exp,
    ge,
    le,
    log,
    maximum,
    power,
    second,
    sign,
    switch,
    zeros_like,
)
from workbench.core.ops.shape import as_scalar_int, dimension, dimshuffle, shape_tuple
from workbench.core.ops.shaping import broadcast_arrays, swapaxes
from workbench.core.types import as_tensor, is_float, tensor_type, upcast
from workbench.errors import GraphError, RankError, ShapeError


def linspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: str | None = None,
) -> Any:
    """`num` numbers from start to stop at equal distances, with `endpoint` stop itself among them.
    Scalars; integers give floatX. `retstep`: (the numbers, their distance).
    """
    first, last, wide = _ends(start, stop)
    if not isinstance(num, Variable) and int(num) < 0:
        raise ShapeError(f"linspace of {num} points", advice="0 is the least")
    places = arange(num)
    count: Any = as_scalar_int(num) if isinstance(num, Variable) else as_tensor(int(num))
    gaps = maximum(count - int(endpoint), 1)
    step = (last - first) / cast(gaps, wide)
    points = cast(places, wide) * step + first
    if endpoint:  # exactly, whatever rounding says; where there is one point, it is the first
        points = switch(eq(places, switch(eq(count, 1), -1, count - 1)), last, points)
    made = cast(points, dtype) if dtype else points
    return (made, step) if retstep else made


def _ends(start: Any, stop: Any) -> tuple[Any, Any, str]:
    """Both ends as scalars of one float dtype."""
    ends = as_tensor(start), as_tensor(stop)
    if any(tensor_type(v).ndim for v in ends):
        raise RankError(
            "the ends of a range are scalars",
            f"from {start} to {stop}",
            advice="take one element of each",
        )
    dtypes = [tensor_type(v).dtype if isinstance(given, (Variable, np.generic, np.ndarray))
              else config.floatX for v, given in zip(ends, (start, stop), strict=True)]  # fmt: skip
    wide = upcast(*dtypes)
    wide = wide if is_float(wide) else config.floatX
    return cast(ends[0], wide), cast(ends[1], wide), wide


def logspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: str | None = None,
) -> Any:
    """`base` to the powers that `linspace` gives."""
    powers = linspace(start, stop, num, endpoint)
    points = power(cast(base, tensor_type(powers).dtype), powers)
    return cast(points, dtype) if dtype else points


def geomspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, dtype: str | None = None
) -> Any:
    """`num` numbers from start to stop, each the same multiple of the one before. Both ends have
    one sign, and neither is 0.
    """
    first, last, wide = _ends(start, stop)
    side = sign(first)
    count: Any = as_tensor(num)
    points = side * exp(linspace(log(first * side), log(last * side), num, endpoint))
    places = arange(num)
    points = switch(eq(places, 0), first, points)
    if endpoint:
        points = switch(eq(places, maximum(count - 1, 1)), last, points)
    return cast(points, dtype or wide)


def empty(shape: Any, dtype: str | None = None) -> Any:
    """An array whose contents do not matter (zeros, in fact); dtype floatX by default."""
    return zeros(shape, dtype)


def identity(n: Any, dtype: str | None = None) -> Any:
    """The square matrix with ones on its diagonal; dtype floatX by default."""
    return eye(n, dtype=dtype)


def full_like(x: Any, value: Any, dtype: str | None = None) -> Any:
    """A value in the shape and dtype of x (or the dtype given)."""
    variable = as_tensor(x)
    return second(variable, cast(value, dtype or tensor_type(variable).dtype))


def empty_like(x: Any, dtype: str | None = None) -> Any:
    """An array of x's shape whose contents do not matter (zeros, in fact)."""
    return zeros_like(x, dtype)


def identity_like(x: Any, dtype: str | None = None) -> Any:
    """Ones on the diagonal of a matrix of x's shape and dtype."""
    variable = as_tensor(x)
    if tensor_type(variable).ndim != 2:
        raise RankError(f"identity_like of {variable.type}", advice="give a matrix")
    rows, columns = shape_tuple(variable)
    return eye(rows, columns, dtype=dtype or tensor_type(variable).dtype)


# Grids


def meshgrid(*vectors: Any, indexing: str = "xy", sparse: bool = False) -> list[Any]:
    """The coordinates of all points of a grid, an array for each axis. 'xy': the second axis is the
    first vector's, as in pictures; 'ij': axes in order. `sparse`: not spread over the grid.
    """
    if indexing not in ("xy", "ij"):
        raise GraphError(f"meshgrid: indexing {indexing!r}", advice="give 'xy' or 'ij'")
    lines = [as_tensor(v).flatten() for v in vectors]  # type: ignore[attr-defined]
    ndim = len(lines)
    made = [
        dimshuffle(v, [0 if i == axis else "x" for i in range(ndim)])
        for axis, v in enumerate(lines)
    ]
    if not sparse:
        made = broadcast_arrays(*made) if made else []
    return [swapaxes(v, 0, 1) for v in made] if indexing == "xy" and ndim > 1 else made


def indices(dimensions: Any, dtype: str = "int64") -> Any:
    """The positions of all elements of a shape: an array for each axis, stacked."""
    lines = [arange(n, dtype=dtype) for n in lengths_of(dimensions)]
    return stack(meshgrid(*lines, indexing="ij"))


class _Grid:
    """`mgrid[0:2, 0:3]`: a stacked grid; `ogrid[…]`: a list of its axes. A step of `5j` means five
    points, the end among them.
    """

    def __init__(self, name: str, sparse: bool) -> None:
        self.name = name
        self.sparse = sparse

    def __getitem__(self, key: Any) -> Any:
        slices = key if isinstance(key, tuple) else (key,)
        if not all(isinstance(s, slice) and s.stop is not None for s in slices):
            raise GraphError(
                f"{self.name}[{key}]: slices with an end are needed",
                advice=f"write {self.name}[0:2, 0:3]",
            )
        lines = [_line(s) for s in slices]
        wide = upcast(*(tensor_type(v).dtype for v in lines))
        lines = [cast(v, wide) for v in lines]
        if not isinstance(key, tuple):
            return lines[0]
        made = meshgrid(*lines, indexing="ij", sparse=self.sparse)
        return made if self.sparse else stack(made)

    def __repr__(self) -> str:
        return f"workbench.tensor.{self.name}"


def _line(part: slice) -> Any:
    start = 0 if part.start is None else part.start
    if isinstance(part.step, complex):
        return linspace(start, part.stop, int(abs(part.step)))
    return arange(start, part.stop, 1 if part.step is None else part.step)


mgrid, ogrid = _Grid("mgrid", sparse=False), _Grid("ogrid", sparse=True)


# Triangles


def tri(n: Any, m: Any = None, k: Any = 0, dtype: str | None = None) -> Any:
    """Ones on and below the k-th diagonal; dtype floatX by default."""
    return cast(_below(n, n if m is None else m, k), dtype or config.floatX)


def _below(rows: Any, columns: Any, k: Any) -> Any:
    """Whether a place is on or below the k-th diagonal."""
    return ge(dimshuffle(arange(rows), [0, "x"]) + k, dimshuffle(arange(columns), ["x", 0]))


def tril(x: Any, k: Any = 0) -> Any:
    """The matrix (or stack of them) with zeros above its k-th diagonal."""
    variable = _matrices(x, "tril")
    rows, columns = shape_tuple(variable)[-2:]
    return switch(_below(rows, columns, k), variable, 0)


def triu(x: Any, k: Any = 0) -> Any:
    """The matrix (or stack of them) with zeros below its k-th diagonal."""
    variable = _matrices(x, "triu")
    rows, columns = shape_tuple(variable)[-2:]
    return switch(_below(rows, columns, k - 1), 0, variable)


def _matrices(x: Any, what: str) -> Variable:
    variable = as_tensor(x)
    if tensor_type(variable).ndim < 2:
        raise RankError(f"{what} of {variable.type}", advice="give a matrix, or a stack of them")
    return variable


def tril_indices(n: Any, k: Any = 0, m: Any = None) -> Any:
    """The positions on and below the k-th diagonal: rows and columns."""
    return nonzero(_below(n, n if m is None else m, k))


def triu_indices(n: Any, k: Any = 0, m: Any = None) -> Any:
    """The positions on and above the k-th diagonal: rows and columns."""
    rows, columns = n, n if m is None else m
    places = dimshuffle(arange(rows), [0, "x"]) + k, dimshuffle(arange(columns), ["x", 0])
    return nonzero(le(*places))


def tril_indices_from(x: Any, k: Any = 0) -> Any:
    """`tril_indices` of a matrix's own shape."""
    variable = as_tensor(x)
    return tril_indices(dimension(variable, 0), k, dimension(variable, 1))


def triu_indices_from(x: Any, k: Any = 0) -> Any:
    """`triu_indices` of a matrix's own shape."""
    variable = as_tensor(x)
    return triu_indices(dimension(variable, 0), k, dimension(variable, 1))
