"""Sets, counts and differences: unique, isin, bincount, histogram, digitize, diff, interp. All of
it is written with sorting, searching and indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Constant, Variable
from workbench.core.ops import reduce
from workbench.core.ops.checks import checked
from workbench.core.ops.create import ones, zeros
from workbench.core.ops.cumulative import cumsum
from workbench.core.ops.indexing import inc_subtensor, set_subtensor
from workbench.core.ops.join import concatenate, join
from workbench.core.ops.positions import nonzero
from workbench.core.ops.scalars import (
    and_,
    cast,
    eq,
    ge,
    gt,
    isnan,
    le,
    lt,
    maximum,
    minimum,
    neq,
    or_,
    switch,
    true_div,
    xor,
    zeros_like,
)
from workbench.core.ops.shape import dimension, flatten, normal_axis, reshape, shape_tuple
from workbench.core.ops.shaping import moveaxis
from workbench.core.ops.sorting import argsort, argsort_rows, searchsorted, sort
from workbench.core.ops.statistics import histogram_edges
from workbench.core.types import as_tensor, constant, is_float, is_integer, tensor_type
from workbench.errors import DtypeError, RankError, ShapeError


def unique(
    x: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
) -> Any:
    """The elements in ascending order, each once (nan too); along an axis its slices. With any of
    the flags a list: then come where each stands first, for every element of x its position among
    them, how often each occurs.
    """
    variable = as_tensor(x)
    if axis is not None:
        return _unique_slices(variable, (return_index, return_inverse, return_counts), axis)
    line = flatten(variable)
    if not (return_index or return_inverse):
        ordered, order = sort(line), None
    else:
        order = argsort(line)
        ordered = line[order]
    new = _first_of_equals(ordered)
    first = ordered[nonzero(new)[0]]
    flags = return_index, return_inverse, return_counts
    return _described(first, new, order, shape_tuple(variable), flags)


def _unique_slices(x: Variable, flags: tuple[bool, bool, bool], axis: int) -> Any:
    """The same of slices along an axis: of the rows of a matrix, that is."""
    where = normal_axis(axis, x, "unique")
    front = moveaxis(x, where, 0)
    n = dimension(front, 0)
    width = reduce.prod(as_tensor([1, *shape_tuple(front)[1:]]))
    rows = reshape(front, [n, width])
    order = argsort_rows(rows)
    ordered = rows[order]
    differs = reduce.any(neq(ordered[1:], ordered[:-1]), axis=1)
    new = concatenate([ones([minimum(n, 1)], "bool"), differs])
    found = moveaxis(front[order[nonzero(new)[0]]], 0, where)
    return _described(found, new, order, [n], flags)


def _described(found: Any, new: Any, order: Any, shape: Any, flags: tuple[bool, bool, bool]) -> Any:
    """What `unique` returns: `new` tells where each begins, in the order of their sorting."""
    return_index, return_inverse, return_counts = flags
    (starts,) = nonzero(new)
    results = [found]
    if return_index:
        results.append(order[starts])
    if return_inverse:
        places = set_subtensor(zeros_like(order)[order], cumsum(new) - 1)
        results.append(reshape(places, shape))
    if return_counts:
        ends = concatenate([starts, [dimension(new, 0)]])
        results.append(ends[1:] - ends[:-1])
    return results if len(results) > 1 else results[0]


def _first_of_equals(ordered: Any) -> Any:
    """Whether each element of an ascending vector differs from the one before."""
    before, after = ordered[:-1], ordered[1:]
    differs = neq(before, after)
    if is_float(tensor_type(ordered).dtype):
        differs = and_(differs, ~and_(isnan(before), isnan(after)))
    head = ordered[:1]
    return concatenate([or_(eq(head, head), neq(head, head)), differs])  # True, where there is one


def isin(x: Any, test: Any, invert: bool = False) -> Any:
    """Whether each element of x is one of the test's."""
    variable, known = as_tensor(x), sort(flatten(as_tensor(test)))
    found = gt(searchsorted(known, variable, "right"), searchsorted(known, variable, "left"))
    if is_float(tensor_type(variable).dtype):
        found = and_(found, ~isnan(variable))  # nan is no other nan
    return ~found if invert else found


in1d = isin


def union1d(x: Any, y: Any) -> Any:
    """The elements of either, in ascending order, each once."""
    return unique(concatenate([flatten(as_tensor(x)), flatten(as_tensor(y))]))


def intersect1d(x: Any, y: Any) -> Any:
    """The elements of both, in ascending order, each once."""
    found = unique(x)
    return found[isin(found, y)]


def setdiff1d(x: Any, y: Any) -> Any:
    """The elements of x that are not y's, in ascending order, each once."""
    found = unique(x)
    return found[isin(found, y, invert=True)]


def bincount(x: Any, weights: Any = None, minlength: Any = 0, assert_nonneg: bool = False) -> Any:
    """How often each of 0, 1, … occurs in a vector of integers, or the sum of the weights where it
    does. As long as the largest needs, and `minlength` at least. A number below 0 is an error
    whether `assert_nonneg` asks for it or not.
    """
    line = as_tensor(x)
    t = tensor_type(line)
    if t.ndim != 1 or not (is_integer(t.dtype) or t.dtype == "bool"):
        raise DtypeError(f"bincount of {t}", advice="give a vector of integers")
    if isinstance(minlength, (int, np.integer)) and minlength < 0:
        raise ShapeError(f"bincount: minlength={minlength}", advice="0 is the least")
    places = cast(line, "int64")
    if t.dtype[0] == "i":
        places = checked(
            places,
            reduce.all(ge(line, 0)),
            wrong="bincount: a number is below 0",
            advice="count numbers from 0 on; shift them up",
        )
    most = reduce.max(join(0, constant([-1], "int64"), places)) + 1
    n = maximum(most, 0 if minlength is None else cast(minlength, "int64"))
    if weights is None:
        return inc_subtensor(zeros([n], "int64")[places], constant(1, "int64"))
    heavy = as_tensor(weights)
    if tensor_type(heavy).ndim != 1:
        raise RankError(f"bincount: weights of {heavy.type}", advice="give a vector of x's length")
    heavy = heavy if is_float(tensor_type(heavy).dtype) else cast(heavy, "float64")
    return inc_subtensor(zeros([n], tensor_type(heavy).dtype)[places], _as_long(heavy, line))


def _as_long(weights: Variable, line: Variable) -> Any:
    return checked(
        weights,
        eq(dimension(weights, 0), dimension(line, 0)),
        wrong="there are not as many weights as numbers",
        advice="give a weight for each",
    )


def histogram(
    x: Any,
    bins: Any = 10,
    range: Sequence[float] | None = None,
    density: bool = False,
    weights: Any = None,
) -> tuple[Any, Any]:
    """How many elements lie in each bin, and the bins' ends. `bins`: how many equal ones (of x's
    range, or the one given), or their ends; the last one has both its ends.
    """
    line = flatten(as_tensor(x))
    edges = histogram_edges(line, bins, range)
    ends = cast(edges, tensor_type(line).dtype) if is_float(tensor_type(line).dtype) else edges
    last = dimension(ends, 0) - 1
    find = _equal_bin if isinstance(bins, int) else _bin
    place = find(line, ends, last)
    inside = nonzero(and_(ge(line, ends[0]), le(line, ends[-1])))[0]
    heavy = None if weights is None else flatten(as_tensor(weights))[inside]
    counts = bincount(place[inside], heavy, minlength=last)
    if density:
        whole = cast(counts, "float64")
        counts = true_div(true_div(whole, edges[1:] - edges[:-1]), reduce.sum(whole))
    return counts, edges


def _bin(x: Any, ends: Any, n: Any) -> Any:
    """The number of the bin that each element lies in, by search."""
    place = searchsorted(ends, x, side="right") - 1
    return switch(eq(x, ends[-1]), n - 1, place)


def _equal_bin(x: Any, ends: Any, n: int) -> Any:
    """The number of the bin of n equal ones, computed; then set right where rounding took it over
    an end. What lies outside is in the first or the last bin.
    """
    low, high = ends[0], ends[-1]
    share = true_div(x - low, high - low) * n
    place = maximum(minimum(cast(share, "int64"), n - 1), 0)
    place = maximum(place - cast(lt(x, ends[place]), "int64"), 0)
    above = and_(ge(x, ends[place + 1]), lt(place, n - 1))
    return place + cast(above, "int64")


def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """For each element the number of the bin that it lies in, between the ascending or descending
    ends of a vector; `right`: an end belongs to the bin below it.
    """
    ends = as_tensor(bins)
    if tensor_type(ends).ndim != 1:
        raise RankError(f"digitize: bins of {ends.type}", advice="give a vector")
    side = "left" if right else "right"
    rising = searchsorted(ends, x, side)
    if isinstance(ends, Constant) and np.all(np.diff(ends.data) >= 0):
        return rising
    turned = ends[::-1]  # type: ignore[index]
    n = dimension(ends, 0)
    falling = n - searchsorted(turned, x, side)
    return switch(reduce.any(turned[1:] > turned[:-1]), falling, rising)


# Differences


def diff(x: Any, n: int = 1, axis: int = -1) -> Any:
    """The differences of neighbours along an axis, n times over; of bools whether they differ."""
    variable = as_tensor(x)
    where = normal_axis(axis, variable, "diff")
    if n < 0:
        raise ShapeError(f"diff: {n} times", advice="0 is the least")
    whole = (slice(None),) * where
    for _ in range_of(n):
        after = variable[(*whole, slice(1, None))]  # type: ignore[index]
        before = variable[(*whole, slice(None, -1))]  # type: ignore[index]
        bools = tensor_type(variable).dtype == "bool"
        variable = xor(after, before) if bools else after - before
    return variable


range_of = range  # the name is also that of an argument above


def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of neighbours in the flattened tensor, with more before and after them."""
    inner = diff(flatten(as_tensor(x)))
    dtype = tensor_type(inner).dtype
    parts = [None if p is None else cast(flatten(as_tensor(p)), dtype) for p in (to_begin, to_end)]
    return concatenate([p for p in (parts[0], inner, parts[1]) if p is not None])


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The area below y along an axis, between neighbours by the straight line; x is where they are,
    of y's shape or a vector, else they are dx apart.
    """
    heights = as_tensor(y)
    where = normal_axis(axis, heights, "trapezoid")
    ndim = tensor_type(heights).ndim
    whole = (slice(None),) * where
    steps = dx
    if x is not None:
        places = as_tensor(x)
        steps = diff(places, axis=where if tensor_type(places).ndim == ndim else 0)
        if tensor_type(places).ndim == 1 and ndim > 1:
            steps = steps.dimshuffle(*(0 if i == where else "x" for i in range_of(ndim)))
    total = heights[(*whole, slice(1, None))] + heights[(*whole, slice(None, -1))]  # type: ignore[index]
    return reduce.sum(total * steps / 2, axis=where)


trapz = trapezoid


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    """The value at x of the straight lines through the points (xp, fp), xp ascending; outside, that
    of the nearest end, or `left` and `right`.
    """
    given = [as_tensor(v) for v in (x, xp, fp)]
    where, places, heights = (
        v if is_float(tensor_type(v).dtype) else cast(v, "float64") for v in given
    )
    last = dimension(places, 0) - 1
    k = maximum(minimum(searchsorted(places, where, "right") - 1, last - 1), 0)
    after = minimum(k + 1, last)
    low, high = places[k], places[after]  # type: ignore[index]
    gap = high - low
    share = switch(eq(gap, 0), 0, (where - low) / switch(eq(gap, 0), 1, gap))
    found = heights[k] + (heights[after] - heights[k]) * share  # type: ignore[index]
    found = switch(where < places[0], heights[0] if left is None else left, found)  # type: ignore[index]
    return switch(where > places[-1], heights[-1] if right is None else right, found)  # type: ignore[index]
