"""Statistics over axes: spreads, quantiles, weighted means, sums without nan, covariances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workbench.core.graph import Variable
from workbench.core.half import rounded_once
from workbench.core.ops import reduce
from workbench.core.ops.dot import dot
from workbench.core.ops.gradient_control import disconnected_grad
from workbench.core.ops.reduce import normal_axes
from workbench.core.ops.scalars import (
    absolute,
    cast,
    ceil,
    eq,
    exp,
    floor,
    invert,
    isinf,
    isnan,
    log,
    neq,
    second,
    sqrt,
    switch,
    true_div,
)
from workbench.core.ops.shape import dimension, dimshuffle, flatten
from workbench.core.ops.shaping import expand_dims
from workbench.core.ops.sorting import sort
from workbench.core.types import as_tensor, constant, is_float, tensor_type
from workbench.errors import DtypeError, GraphError, RankError, ShapeError


def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element less the smallest one, over some axes."""
    return reduce.max(x, axis, keepdims) - reduce.min(x, axis, keepdims)


def count_nonzero(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """How many elements are not zero, over some axes; int64."""
    return reduce.sum(neq(x, 0), axis, keepdims=keepdims)


@rounded_once
def average(
    x: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: bool = False
) -> Any:
    """The mean over some axes, of elements that count as much as their weights say. Weights have
    x's shape, or one axis, that of `axis`. `returned`: (the mean, the sum of the weights).
    """
    variable = as_tensor(x)
    if weights is None:
        weights = constant(1, _float_of(variable))
        spread = second(variable, weights)
    else:
        spread = second(variable, _weights_along(variable, axis, as_tensor(weights)))
    total = reduce.sum(spread, axis, keepdims=keepdims)
    found = true_div(reduce.sum(variable * spread, axis, keepdims=keepdims), total)
    return (found, total) if returned else found


def _weights_along(x: Variable, axis: Any, weights: Variable) -> Any:
    ndim = tensor_type(x).ndim
    if tensor_type(weights).ndim == ndim:
        return weights
    axes = normal_axes(axis, ndim, "average")
    if tensor_type(weights).ndim != 1 or len(axes) != 1:
        raise RankError(
            f"average: weights of {weights.type} for {x} of {x.type}",
            advice="give weights of its shape, or a vector of them for one axis",
        )
    return dimshuffle(weights, [0 if i == axes[0] else "x" for i in range(ndim)])


def _float_of(x: Variable) -> str:
    dtype = tensor_type(x).dtype
    return dtype if is_float(dtype) else "float64"


# Without nan


def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over some axes of what is not nan."""
    return reduce.sum(switch(isnan(x), 0, x), axis, keepdims=keepdims)


def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product over some axes of what is not nan."""
    return reduce.prod(switch(isnan(x), 1, x), axis, keepdims=keepdims)


@rounded_once
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over some axes of what is not nan; nan where nothing is left."""
    variable = as_tensor(x)
    if not is_float(tensor_type(variable).dtype):
        return reduce.mean(variable, axis, keepdims=keepdims)
    total = nansum(variable, axis, keepdims)
    return true_div(total, _numbers(variable, axis, keepdims))


@rounded_once
def nanvar(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """The variance over some axes of what is not nan, divided by n - ddof."""
    variable = as_tensor(x)
    if not is_float(tensor_type(variable).dtype):
        return reduce.var(variable, axis, ddof, keepdims)
    centred = absolute(variable - nanmean(variable, axis, keepdims=True))
    total = nansum(centred * centred, axis, keepdims)
    return true_div(total, _numbers(variable, axis, keepdims) - ddof)


@rounded_once
def nanstd(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """The standard deviation over some axes of what is not nan."""
    return sqrt(nanvar(x, axis, ddof, keepdims))


def _numbers(x: Variable, axis: Any, keepdims: bool) -> Any:
    """How many elements are not nan, in x's dtype."""
    dtype = {"complex64": "float32", "complex128": "float64"}.get(
        tensor_type(x).dtype, tensor_type(x).dtype
    )
    return cast(reduce.sum(invert(isnan(x)), axis, keepdims=keepdims), dtype)


def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element over some axes that is not nan; nan where nothing is left."""
    return _extreme(x, axis, keepdims, -math.inf, reduce.max)


def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element over some axes that is not nan; nan where nothing is left."""
    return _extreme(x, axis, keepdims, math.inf, reduce.min)


def _extreme(x: Any, axis: Any, keepdims: bool, instead: float, combine: Any) -> Any:
    variable = as_tensor(x)
    dtype = tensor_type(variable).dtype
    if not is_float(dtype):
        return combine(variable, axis, keepdims)
    found = combine(switch(isnan(variable), constant(instead, dtype), variable), axis, keepdims)
    nothing = reduce.all(isnan(variable), axis, keepdims)
    return switch(nothing, constant(math.nan, dtype), found)


# Quantiles


def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle element in order over some axes, or the mean of the two in the middle; nan where
    there is one.
    """
    return quantile(x, 0.5, axis, keepdims)


def percentile(x: Any, q: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """`quantile` at q / 100."""
    return quantile(x, true_div(q, 100.0), axis, keepdims)


def quantile(x: Any, q: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """What a share q (0 to 1; a scalar, or a vector for several, along a new first axis) of the
    elements over some axes is below, between two of them by the straight line; nan where there is
    one.
    """
    variable, share = as_tensor(x), as_tensor(q)
    if tensor_type(variable).dtype[0] == "c":
        raise DtypeError("quantiles of complex numbers, which have no order", advice="use abs")
    if tensor_type(share).ndim > 1:
        raise RankError(f"quantile at {share.type}", advice="give a scalar or a vector")
    ndim = tensor_type(variable).ndim
    axes = normal_axes(axis, ndim, "quantile")
    kept = [i for i in range(ndim) if i not in axes]
    line = cast(flatten(dimshuffle(variable, (*kept, *axes)), len(kept) + 1), _float_of(variable))
    ordered = dimshuffle(sort(line), (len(kept), *range(len(kept))))  # what is chosen comes first
    found = _between(ordered, cast(share, tensor_type(ordered).dtype))
    if not keepdims:
        return found
    several = tensor_type(share).ndim
    return expand_dims(found, tuple(a + several for a in axes))


def _between(ordered: Any, share: Any) -> Any:
    """The elements at these shares of the way along the first axis, which ends in nan if there is
    one.
    """
    last = dimension(ordered, 0) - 1
    if isinstance(last, int) and last < 0:
        raise ShapeError("a quantile of no elements", advice="see that there are some")
    place = share * cast(as_tensor(last), tensor_type(share).dtype)
    below, above = floor(place), ceil(place)
    several = tensor_type(share).ndim
    rank = tensor_type(ordered).ndim - 1
    weight = dimshuffle(place - below, [*range(several), *["x"] * rank])
    low, high = (ordered[cast(p, "int64")] for p in (below, above))
    # Equal ends have no line between them: the difference of infinities is nan.
    found = switch(eq(low, high), low, low + (high - low) * weight)
    return switch(isnan(ordered[-1]), ordered[-1], found)


# Sums of exponentials, covariances


@rounded_once
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over some axes, without overflow on the way."""
    variable = as_tensor(x)
    if not is_float(tensor_type(variable).dtype):
        variable = cast(variable, "float64")
    largest = disconnected_grad(reduce.max(variable, axis, keepdims=True))
    safe = switch(isinf(largest), 0, largest)
    total = log(reduce.sum(exp(variable - safe), axis, keepdims=True)) + safe
    if keepdims:
        return total
    axes = normal_axes(axis, tensor_type(variable).ndim, "logsumexp")
    return dimshuffle(total, [i for i in range(tensor_type(variable).ndim) if i not in axes])


@rounded_once
def cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None) -> Any:
    """The covariances of variables, a row each (a column, unless `rowvar`), divided by n - 1, or n
    with `bias`, or n - ddof. `y`: more variables.
    """
    lines = _observations(m, rowvar)
    if y is not None:
        from workbench.core.ops.join import concatenate

        lines = concatenate([lines, _observations(y, rowvar)])
    off = (0 if bias else 1) if ddof is None else ddof
    centred = lines - reduce.mean(lines, axis=1, keepdims=True)
    n = cast(as_tensor(dimension(lines, 1)), tensor_type(lines).dtype)
    found = dot(centred, dimshuffle(centred, (1, 0))) / (n - off)
    single = y is None and tensor_type(as_tensor(m)).ndim < 2
    return found[0, 0] if single else found


def _observations(m: Any, rowvar: bool) -> Any:
    variable = as_tensor(m)
    if tensor_type(variable).dtype[0] == "c":
        raise DtypeError("covariances of complex numbers", advice="take their parts")
    ndim = tensor_type(variable).ndim
    if ndim > 2:
        raise RankError(f"covariances of {variable.type}", advice="give a matrix or a vector")
    rows = dimshuffle(variable, ["x"] * (2 - ndim) + list(range(ndim)))
    if not rowvar and ndim == 2:
        rows = dimshuffle(rows, (1, 0))
    return cast(rows, _float_of(variable))


@rounded_once
def corrcoef(m: Any, y: Any = None, rowvar: bool = True) -> Any:
    """The correlations of variables, a row each (a column, unless `rowvar`)."""
    found = cov(m, y, rowvar)
    if not tensor_type(found).ndim:
        return found / found
    from workbench.core.ops.diagonals import diagonal

    spread = sqrt(diagonal(found))
    return found / dimshuffle(spread, (0, "x")) / dimshuffle(spread, ("x", 0))


def histogram_edges(x: Variable, bins: Any, range: Sequence[float] | None) -> Any:
    """The ends of `bins` equal parts of a range (by default x's own), or the ends given."""
    from workbench.core.ops.grids import linspace

    if not isinstance(bins, int):
        return as_tensor(bins)
    if bins < 1:
        raise GraphError(f"a histogram of {bins} bins", advice="give one at least")
    low, high = (reduce.min(x), reduce.max(x)) if range is None else range
    low, high = (cast(v, _float_of(x)) for v in (low, high))
    flat = eq(low, high)
    return linspace(switch(flat, low - 0.5, low), switch(flat, high + 0.5, high), bins + 1)
