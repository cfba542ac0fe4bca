"""Pooling as functions: `pool_2d` and its like."""

from __future__ import annotations

import math
from typing import Any

from workbench.core.ops.create import arange
from workbench.core.ops.pool import MaxPool, SumPool, ToMaxima
from workbench.core.ops.scalars import cast, maximum, minimum, true_div
from workbench.core.ops.shape import dimension, dimshuffle
from workbench.core.ops.windows import whole_numbers
from workbench.core.types import as_tensor, constant, float_like, tensor_type
from workbench.errors import RankError, UsageError, nearest

_MODES = ("max", "sum", "average_inc_pad", "average_exc_pad")


def _pool(
    ndim: int, input: Any, ws: Any, ignore_border: bool, stride: Any, pad: Any, mode: str
) -> Any:
    what = f"pool_{ndim}d"
    if mode not in _MODES:
        raise UsageError(
            f"{what} has no mode {mode!r}.{nearest(str(mode), list(_MODES))}",
            advice=f"the modes are {', '.join(_MODES)}",
        )
    x = as_tensor(input)
    if tensor_type(x).ndim < ndim:
        raise RankError(
            f"{what} pools the last {ndim} axes; {x} has {tensor_type(x).ndim}",
            f"{what} of {x}: {x.type}",
            advice="add axes with dimshuffle",
        )
    lengths = whole_numbers(ws, ndim, 1, f"{what}: ws")
    steps = lengths if stride is None else whole_numbers(stride, ndim, 1, f"{what}: stride")
    pads = whole_numbers(pad, ndim, 0, f"{what}: pad")
    if any(p >= n for p, n in zip(pads, lengths, strict=True)):
        raise UsageError(
            f"{what}: a pad of {pads} leaves windows of {lengths} with nothing in them",
            advice="pad less than a window is long",
        )
    if any(pads) and not ignore_border:
        raise UsageError(
            f"{what}: windows that reach over the end do not go with a pad",
            advice="leave out pad, or ignore_border=False",
        )
    parameters = lengths, steps, pads, not ignore_border
    if mode == "max":
        return MaxPool(*parameters)(x)
    total = SumPool(*parameters)
    if mode == "sum":
        return total(x)
    floats = cast(x, float_like(tensor_type(x).dtype))
    whole = mode == "average_inc_pad" or not any(pads)
    if ignore_border and whole:
        return true_div(total(floats), constant(math.prod(lengths), tensor_type(floats).dtype))
    return true_div(total(floats), _sizes(total, floats))


def _sizes(pool: SumPool, x: Any) -> Any:
    """How many elements of x every window has, over the last axes."""
    product: Any = None
    ndim = tensor_type(x).ndim
    for i in range(pool.ndim):
        size = dimension(x, ndim - pool.ndim + i)
        first = arange(pool.count(i, size)) * pool.stride[i] - pool.pad[i]
        many = minimum(first + pool.lengths[i], size) - maximum(first, 0)
        order = [0 if k == i else "x" for k in range(pool.ndim)]
        along = dimshuffle(many, order)
        product = along if product is None else product * along
    return cast(product, tensor_type(x).dtype)


# Any, below: numbers, arrays or variables


def pool_1d(
    input: Any,
    ws: Any,
    ignore_border: bool = True,
    stride: Any = None,
    pad: Any = 0,
    mode: str = "max",
) -> Any:
    """As `pool_2d`, over the last axis."""
    return _pool(1, input, ws, ignore_border, stride, pad, mode)


def pool_2d(
    input: Any,
    ws: Any,
    ignore_border: bool = True,
    stride: Any = None,
    pad: Any = (0, 0),
    mode: str = "max",
) -> Any:
    """Every window of the last two axes as one number.

    ws             rows and columns of a window
    ignore_border  False: windows may reach over the end, and have fewer elements there
    stride         how far the next window is, by default the window's shape
    pad            how many rows and columns are put round it; they are never a maximum
    mode           'max', 'sum', 'average_inc_pad' (the pad counts as zeros), 'average_exc_pad'

    The gradient of 'max' goes to every element that equals its window's maximum. Raises UsageError,
    RankError, ShapeError.
    """
    return _pool(2, input, ws, ignore_border, stride, pad, mode)


def pool_3d(
    input: Any,
    ws: Any,
    ignore_border: bool = True,
    stride: Any = None,
    pad: Any = (0, 0, 0),
    mode: str = "max",
) -> Any:
    """As `pool_2d`, over the last three axes."""
    return _pool(3, input, ws, ignore_border, stride, pad, mode)


def max_pool_2d_same_size(input: Any, patch_size: Any) -> Any:
    """The input with only the maxima of patches side by side kept, zeros elsewhere."""
    x = as_tensor(input)
    pool = pool_2d(x, patch_size, ignore_border=False)
    return ToMaxima(*pool.owner.op.parameters)(x, pool, pool)
