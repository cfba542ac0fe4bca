"""Tensors joined, split, repeated and turned, by NumPy's names. All of it is views, joins
and indices.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from workbench.core.graph import Variable
from workbench.core.ops import reduce
from workbench.core.ops.alloc import alloc
from workbench.core.ops.checks import checked
from workbench.core.ops.create import arange
from workbench.core.ops.join import concatenate, join
from workbench.core.ops.scalars import (
    cast,
    eq,
    ge,
    maximum,
    minimum,
    mod,
)
from workbench.core.ops.shape import (
    as_scalar_int,
    dimension,
    dimshuffle,
    flatten,
    normal_axis,
    reshape,
    shape_tuple,
    static_int,
)
from workbench.core.ops.shaping import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    several,
    shape_padleft,
    shape_padright,
    swapaxes,
)
from workbench.core.types import as_tensor, is_integer, tensor_type
from workbench.errors import DtypeError, RankError, ShapeError

FULL = slice(None)


# Joining and splitting


def hstack(tensors: Sequence[Any]) -> Any:
    """The tensors side by side: along axis 1, vectors along axis 0."""
    parts = [atleast_1d(t) for t in tensors]
    return concatenate(parts, axis=0 if parts and parts[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Any]) -> Any:
    """The tensors below one another; a vector is a row."""
    return concatenate([atleast_2d(t) for t in tensors], axis=0)


def dstack(tensors: Sequence[Any]) -> Any:
    """The tensors behind one another, along axis 2."""
    return concatenate([atleast_3d(t) for t in tensors], axis=2)


def column_stack(tensors: Sequence[Any]) -> Any:
    """The tensors side by side; a vector is a column."""
    parts = [as_tensor(t) for t in tensors]
    return concatenate(
        [v if v.ndim >= 2 else shape_padright(atleast_1d(v)) for v in parts],  # type: ignore[attr-defined]
        axis=1,
    )


def append(x: Any, values: Any, axis: int | None = None) -> Any:
    """x with values after it along an axis (None: both flattened)."""
    if axis is None:
        return concatenate([flatten(as_tensor(x)), flatten(as_tensor(values))])
    return concatenate([x, values], axis)


def split(x: Any, splits_size: Any, n_splits: int | None = None, axis: int = 0) -> list[Any]:
    """x in `n_splits` parts along an axis, whose lengths `splits_size` (a vector) gives.

    Without `n_splits` as NumPy: an int is the number of equal parts, a list the places to cut at.
    """
    variable = as_tensor(x)
    where = normal_axis(axis, variable, "split")
    if n_splits is None:
        return _split_as_numpy(variable, splits_size, where)
    sizes = [splits_size[i] for i in range(n_splits)]
    if not isinstance(splits_size, Variable) and len(splits_size) != n_splits:
        raise ShapeError(
            f"split in {n_splits} parts: {len(splits_size)} lengths are given",
            f"split of {variable}: {variable.type}",
            advice="give a length for each part",
        )
    ends: list[Any] = [0]
    for size in sizes:
        ends.append(ends[-1] + (as_scalar_int(size) if isinstance(size, Variable) else int(size)))
    whole = _require_total(variable, ends[-1], where)
    return [_between(whole, a, b, where) for a, b in pairwise(ends)]


def _require_total(x: Variable, total: Any, axis: int) -> Any:
    n = dimension(x, axis)
    wrong, advice = "split: the lengths do not add up to that of the axis", "make them do so"
    if isinstance(total, int) and isinstance(n, int):
        if total != n:
            raise ShapeError(f"{wrong}: {total}, {n}", f"split of {x}: {x.type}", advice=advice)
        return x
    return checked(x, eq(total, n), wrong=wrong, advice=advice)


def _split_as_numpy(x: Variable, places: Any, axis: int) -> list[Any]:
    if not isinstance(places, (int, np.integer)):
        return _cut(x, places, axis)
    n, count = dimension(x, axis), int(places)
    wrong, advice = f"an axis does not split in {count} equal parts", "use array_split"
    if count < 1 or (isinstance(n, int) and n % count):
        raise ShapeError(wrong, f"split of {x}: {x.type}", advice=advice)
    if not isinstance(n, int):
        x = checked(x, eq(mod(n, count), 0), wrong=wrong, advice=advice)
    size = n // count
    return [_between(x, i * size, (i + 1) * size, axis) for i in range(count)]


def _cut(x: Variable, places: Any, axis: int) -> list[Any]:
    """x cut at places, as NumPy's slices have it."""
    cuts = list(places)
    starts, stops = [0, *cuts], [*cuts, None]
    return [_between(x, a, b, axis) for a, b in zip(starts, stops, strict=True)]


def _between(x: Any, start: Any, stop: Any, axis: int) -> Any:
    return x[(FULL,) * axis + (slice(start, stop),)]


def array_split(x: Any, places: Any, axis: int = 0) -> list[Any]:
    """x in so many parts along an axis, the first ones longer by one where they are not equal; or
    cut at the places of a list.
    """
    variable = as_tensor(x)
    where = normal_axis(axis, variable, "array_split")
    if not isinstance(places, (int, np.integer)):
        return _cut(variable, places, where)
    n, count = dimension(variable, where), int(places)
    if count < 1:
        raise ShapeError(f"array_split in {count} parts", advice="give one part at least")
    ends = [i * (n // count) + minimum(i, n % count) for i in range(count + 1)]
    return [_between(variable, a, b, where) for a, b in pairwise(ends)]


def hsplit(x: Any, places: Any) -> list[Any]:
    """`split` along axis 1 as NumPy has it, of a vector along axis 0."""
    variable = as_tensor(x)
    return split(variable, places, axis=0 if tensor_type(variable).ndim == 1 else 1)


def vsplit(x: Any, places: Any) -> list[Any]:
    """`split` along axis 0 as NumPy has it."""
    return split(x, places, axis=0)


def dsplit(x: Any, places: Any) -> list[Any]:
    """`split` along axis 2 as NumPy has it."""
    return split(x, places, axis=2)


# Repeating


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Every element (or slice along an axis; None: of the flattened tensor) so many times: a
    number, or a vector with one for each.
    """
    variable = as_tensor(x)
    if axis is None:
        variable, axis = flatten(variable), 0
    where = normal_axis(axis, variable, "repeat")
    times = as_tensor(repeats)
    t = tensor_type(times)
    if not is_integer(t.dtype) and t.dtype != "bool":
        raise DtypeError(
            f"repeat: the number of times is of {t}", advice="give integers: cast it to int64"
        )
    if t.ndim > 1:
        raise RankError(f"repeat: the numbers of times are of {t}", advice="give a vector")
    if t.ndim == 1 and t.shape != (1,):
        return _repeat_each(variable, cast(times, "int64"), where)
    count = times[0] if t.ndim else times  # type: ignore[index]
    known = static_int(count)
    return _repeat_all(variable, cast(count, "int64") if known is None else known, where)


def _repeat_all(x: Variable, count: Any, axis: int) -> Any:
    """A new axis to spread over, then joined with the one before it."""
    ndim = tensor_type(x).ndim
    dims = list(shape_tuple(x))
    apart = dimshuffle(x, [*range(axis + 1), "x", *range(axis + 1, ndim)])
    spread = alloc(apart, *dims[: axis + 1], count, *dims[axis + 1 :])
    dims[axis] = dims[axis] * count
    return reshape(spread, dims)


def _repeat_each(x: Variable, times: Any, axis: int) -> Any:
    """Position k of the result is in the first slice whose repeats reach beyond k."""
    from workbench.core.ops.cumulative import cumsum
    from workbench.core.ops.sorting import searchsorted

    times = checked(
        times,
        eq(dimension(times, 0), dimension(x, axis)),
        reduce.all(ge(times, 0)),
        wrong="repeat: a number of times is below 0, or there are not as many as elements",
        advice="give one number, or a vector of the axis's length; 0 leaves an element out",
    )
    ends = cumsum(times)
    positions = searchsorted(ends, arange(times.sum()), side="right")
    return x[(FULL,) * axis + (positions,)]  # type: ignore[index]


def tile(x: Any, reps: Any, ndim: int | None = None) -> Any:
    """x repeated as a whole so many times along each axis; missing axes are new leading ones.
    `ndim` is needed where `reps` is a vector of unknown length.
    """
    variable = as_tensor(x)
    given = _repetitions(reps, ndim)
    rank = builtins.max(len(given), tensor_type(variable).ndim)
    if ndim is not None and ndim < rank:
        raise RankError(f"tile: {rank} axes do not fit in ndim={ndim}", advice="leave it out")
    rank = builtins.max(rank, ndim or 0)
    counts = [1] * (rank - len(given)) + given
    whole = shape_padleft(variable, rank - tensor_type(variable).ndim)
    dims = shape_tuple(whole)
    order = [part for i in range(rank) for part in ("x", i)]
    both = [n for count, length in zip(counts, dims, strict=True) for n in (count, length)]
    spread = alloc(dimshuffle(whole, order), *both)
    return reshape(spread, [c * n for c, n in zip(counts, dims, strict=True)])


def _repetitions(reps: Any, ndim: int | None) -> list[Any]:
    if isinstance(reps, Variable) and tensor_type(reps).ndim == 1:
        count = ndim if ndim is not None else tensor_type(reps).shape[0]
        if count is None:
            raise RankError(
                "tile by a vector of unknown length",
                f"{reps}: {reps.type}",
                advice="give ndim=, the number of axes of the result",
            )
        given: list[Any] = [reps[i] for i in range(count)]  # type: ignore[index]
    else:
        given = list(reps) if isinstance(reps, (list, tuple, np.ndarray)) else [reps]
    return [cast(r, "int64") if isinstance(r, Variable) else int(r) for r in given]


# Turning


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """x with its elements moved on along an axis, or several (None: the flattened tensor); what
    falls off one end comes in at the other.
    """
    variable = as_tensor(x)
    if axis is None:
        return reshape(_rolled(flatten(variable), shift, 0), shape_tuple(variable))
    axes = several(axis)
    shifts = list(shift) if isinstance(shift, (tuple, list)) else [shift] * len(axes)
    if len(shifts) == 1:
        shifts *= len(axes)
    if len(shifts) != len(axes):
        raise ShapeError(
            f"roll: {len(shifts)} shifts along {len(axes)} axes", advice="give one for each axis"
        )
    for amount, a in zip(shifts, axes, strict=True):
        variable = _rolled(variable, amount, normal_axis(a, variable, "roll"))
    return variable


def _rolled(x: Variable, shift: Any, axis: int) -> Any:
    n = dimension(x, axis)
    amount: Any = as_scalar_int(shift) if isinstance(shift, Variable) else int(shift)
    if isinstance(n, int):
        place = mod(amount, n) if n and isinstance(amount, Variable) else amount % (n or 1)
    else:
        place = mod(amount, maximum(n, 1))  # nothing moves in an empty tensor
    cut = n - place
    whole = (FULL,) * axis
    return join(axis, x[(*whole, slice(cut, None))], x[(*whole, slice(None, cut))])  # type: ignore[index]


def flip(x: Any, axis: Any = None) -> Any:
    """x backwards along an axis, several, or all of them (None): a view."""
    variable = as_tensor(x)
    ndim = tensor_type(variable).ndim
    axes = (
        range(ndim) if axis is None else [normal_axis(a, variable, "flip") for a in several(axis)]
    )
    turned = tuple(slice(None, None, -1) if i in axes else FULL for i in range(ndim))
    return variable[turned] if ndim else variable  # type: ignore[index]


def fliplr(x: Any) -> Any:
    """x backwards along axis 1."""
    return flip(x, 1)


def flipud(x: Any) -> Any:
    """x backwards along axis 0."""
    return flip(x, 0)


def rot90(x: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """x turned by k quarters of a circle, from the first of the two axes towards the second."""
    variable = as_tensor(x)
    a, b = (normal_axis(i, variable, "rot90") for i in axes)
    if a == b:
        raise RankError(f"rot90: the axes {axes} are one", advice="name two axes")
    turns = {
        0: lambda v: v,
        1: lambda v: swapaxes(flip(v, b), a, b),
        2: lambda v: flip(v, (a, b)),
        3: lambda v: flip(swapaxes(v, a, b), b),
    }
    return turns[k % 4](variable)
