"""More elements round a tensor: numbers, its edge, or its own elements again."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.ops.alloc import alloc
from workbench.core.ops.create import arange
from workbench.core.ops.join import join
from workbench.core.ops.scalars import (
    cast,
    lt,
    maximum,
    minimum,
    mod,
    switch,
)
from workbench.core.ops.shape import dimension, shape_tuple
from workbench.core.types import as_tensor, tensor_type
from workbench.errors import GraphError, ShapeError

FULL = slice(None)


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    """x with more elements round it: `pad_width` is a number, (before, after), or such a pair for
    each axis.

    mode  'constant', 'edge', 'reflect' (without the edge itself), 'symmetric' (with it) or 'wrap'
    """
    variable = as_tensor(x)
    ndim = tensor_type(variable).ndim
    widths = _pairs(pad_width, ndim, "pad_width")
    if mode not in ("constant", *_PADDED):
        raise GraphError(
            f"pad: mode {mode!r}", advice=f"the modes are constant, {', '.join(_PADDED)}"
        )
    values = _pairs(constant_values, ndim, "constant_values")
    for axis, (before, after) in enumerate(widths):
        if any(isinstance(n, int) and n < 0 for n in (before, after)):
            raise ShapeError(f"pad: a width below 0: {before}, {after}", advice="0 is the least")
        if isinstance(before, int) and isinstance(after, int) and before == after == 0:
            continue
        if mode == "constant":
            variable = _pad_with(variable, before, after, values[axis], axis)
        else:
            n = dimension(variable, axis)
            positions = _PADDED[mode](arange(-before, n + after), n)
            variable = variable[(FULL,) * axis + (positions,)]  # type: ignore[index]
    return variable


def _pad_with(x: Any, before: Any, after: Any, values: Any, axis: int) -> Any:
    """Two blocks of numbers round x."""
    dims = list(shape_tuple(x))
    dtype, parts = tensor_type(x).dtype, [x]
    for count, value, at in ((before, values[0], 0), (after, values[1], 2)):
        if isinstance(count, int) and count == 0:
            continue
        block = alloc(cast(value, dtype), *dims[:axis], count, *dims[axis + 1 :])
        parts.insert(at, block)
    return join(axis, *parts)


def _reflected(positions: Any, n: Any) -> Any:
    """Back and forth between 0 and n - 1."""
    period = maximum(2 * n - 2, 1)  # one element is its own reflection
    there = mod(positions, period)
    return minimum(there, period - there)


def _mirrored(positions: Any, n: Any) -> Any:
    """Back and forth, each end twice."""
    there = mod(positions, 2 * n)
    return switch(lt(there, n), there, 2 * n - 1 - there)


_PADDED: dict[str, Any] = {
    "edge": lambda positions, n: maximum(minimum(positions, n - 1), 0),
    "reflect": _reflected,
    "symmetric": _mirrored,
    "wrap": lambda positions, n: mod(positions, n),
}
"""Where each element of a padded axis of length n comes from."""


def _pairs(given: Any, ndim: int, what: str) -> list[tuple[Any, Any]]:
    """(before, after) for each axis, from a number, a pair, or pairs."""
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if not isinstance(given, (tuple, list)):
        return [(given, given)] * ndim
    if not any(isinstance(part, (tuple, list)) for part in given):
        if len(given) == 1:
            return [(given[0], given[0])] * ndim
        if len(given) == 2:
            return [(given[0], given[1])] * ndim
    pairs = [tuple(part) * (2 if len(part) == 1 else 1) for part in given
             if isinstance(part, (tuple, list)) and len(part) in (1, 2)]  # fmt: skip
    if len(pairs) == 1 == len(given):
        pairs *= ndim
    if len(pairs) != ndim or len(given) not in (1, ndim):
        raise ShapeError(
            f"pad: {what} {given!r} for {ndim} axes",
            advice="give a number, (before, after), or one such pair for each axis",
        )
    return [(pair[0], pair[1]) for pair in pairs]
