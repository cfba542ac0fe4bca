"""Elements chosen by positions or conditions: take, take_along_axis, choose, compress, where,
nonzero, multi-indices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Variable
from workbench.core.ops import reduce
from workbench.core.ops.alloc import alloc
from workbench.core.ops.checks import checked
from workbench.core.ops.create import arange
from workbench.core.ops.indexing import inc_subtensor, set_subtensor
from workbench.core.ops.join import stack
from workbench.core.ops.positions import nonzero
from workbench.core.ops.scalars import (
    and_,
    cast,
    floor_div,
    ge,
    lt,
    maximum,
    minimum,
    mod,
    switch,
)
from workbench.core.ops.shape import dimension, dimshuffle, flatten, normal_axis, shape_tuple
from workbench.core.ops.shaping import broadcast_arrays
from workbench.core.types import as_tensor, is_integer, tensor_type
from workbench.errors import DtypeError, GraphError, RankError, ShapeError

_MODES = ("raise", "wrap", "clip")


def take(x: Any, indices: Any, axis: int | None = None, mode: str = "raise") -> Any:
    """The elements of x at these positions along an axis (None: of the flattened tensor).

    mode  what a position outside does: 'raise' IndexError, 'wrap' round, 'clip' to the nearest end
          (then negative ones are 0)
    """
    variable = as_tensor(x)
    if axis is None:
        variable, axis = flatten(variable), 0
    where = normal_axis(axis, variable, "take")
    positions = bounded(_integers(indices, "take"), dimension(variable, where), mode, "take")
    return variable[(slice(None),) * where + (positions,)]  # type: ignore[index]


def bounded(positions: Any, n: Any, mode: str, what: str) -> Any:
    """Positions within an axis of length n, by NumPy's mode: 'raise' leaves the check to the index
    itself.
    """
    if mode not in _MODES:
        raise GraphError(f"{what}: mode {mode!r}", advice=f"the modes are {', '.join(_MODES)}")
    if mode == "raise":
        return positions
    return mod(positions, n) if mode == "wrap" else maximum(minimum(positions, n - 1), 0)


def _integers(indices: Any, what: str) -> Any:
    empty = isinstance(indices, (list, tuple, np.ndarray)) and np.size(indices) == 0
    positions = as_tensor(np.asarray(indices, "int64") if empty else indices)
    if not is_integer(tensor_type(positions).dtype):
        raise DtypeError(
            f"{what}: positions must be integers; {positions} is of {positions.type}",
            advice="cast them to int64; a mask of bools is written x[mask]",
        )
    return positions


def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    """x at positions that have its rank: result[i, j] = x[i, indices[i, j]] for the last axis.
    None: both flattened.
    """
    return _along(x, indices, axis)


def put_along_axis(x: Any, indices: Any, values: Any, axis: int) -> Any:
    """x with these values at the places that take_along_axis would read."""
    return set_subtensor(_along(x, indices, axis), values)


def add_along_axis(x: Any, indices: Any, values: Any, axis: int) -> Any:
    """x with these values added at the places that take_along_axis would read."""
    return inc_subtensor(_along(x, indices, axis), values)


def _along(x: Any, indices: Any, axis: int | None) -> Any:
    variable, positions = as_tensor(x), _integers(indices, "take_along_axis")
    if axis is None:
        variable, positions, axis = flatten(variable), flatten(positions), 0
    where, ndim = normal_axis(axis, variable, "take_along_axis"), tensor_type(variable).ndim
    if tensor_type(positions).ndim != ndim:
        raise RankError(
            f"take_along_axis: the positions have {tensor_type(positions).ndim} axes",
            f"of {variable}: {variable.type}",
            advice=f"give them {ndim} axes, as the tensor has",
        )
    if ndim == 1:
        return variable[positions]  # type: ignore[index]
    places = [
        positions if i == where else _grid(dimension(variable, i), i, ndim) for i in range(ndim)
    ]
    return variable[tuple(places)]  # type: ignore[index]


def _grid(n: Any, axis: int, ndim: int) -> Any:
    """0, 1, … along one of several axes."""
    return arange(n).dimshuffle(*(0 if i == axis else "x" for i in range(ndim)))


def choose(a: Any, choices: Any, mode: str = "raise") -> Any:
    """For every element of a, which counts the choices (a sequence, or the first axis of a tensor),
    the element of that choice in its place; all are broadcast together.
    """
    which, every = _choices(_integers(a, "choose"), choices)
    count = dimension(every, 0)
    line = bounded(which, count, mode, "choose")
    if mode == "raise":
        line = checked(
            line,
            reduce.all(and_(ge(line, 0), lt(line, count))),
            wrong="choose: an element does not count one of the choices",
            advice="give numbers from 0 on, or mode='wrap' or 'clip'",
        )
    ndim = tensor_type(line).ndim
    return every[(line, *(_grid(dimension(line, i), i, ndim) for i in range(ndim)))]


def _choices(which: Any, choices: Any) -> tuple[Any, Any]:
    """What counts the choices, and they as one tensor, both spread over their shape together."""
    if isinstance(choices, (list, tuple)):
        if not choices:
            raise ShapeError("choose of no choices", advice="give at least one")
        which, *spread = broadcast_arrays(which, *choices)
        return which, stack(spread)
    every: Any = as_tensor(choices)
    if not every.ndim:
        raise RankError("choose of a scalar", advice="give a sequence of choices")
    which, _ = broadcast_arrays(which, every[0])
    new = ["x"] * (which.ndim - every.ndim + 1)
    every = dimshuffle(every, (0, *new, *range(1, every.ndim)))
    return which, alloc(every, dimension(every, 0), *shape_tuple(which))


def compress(condition: Any, x: Any, axis: int | None = None) -> Any:
    """The slices of x along an axis (None: its elements in a row) for which the vector of
    conditions is true. It may be shorter than the axis.
    """
    chosen = as_tensor(condition)
    if tensor_type(chosen).ndim != 1:
        raise RankError(
            f"compress takes a vector of conditions; {chosen} is of {chosen.type}",
            advice="write x[mask] for a mask of more axes",
        )
    return take(x, nonzero(chosen)[0], axis)


def extract(condition: Any, x: Any) -> Any:
    """The elements of x, in a row, for which the condition is true."""
    return compress(flatten(as_tensor(condition)), x)


def nonzero_values(x: Any) -> Any:
    """What is not zero, in a row."""
    line = flatten(as_tensor(x))
    return line[nonzero(line)[0]]


def flatnonzero(x: Any) -> Any:
    """The positions of what is not zero in the flattened tensor."""
    return nonzero(flatten(as_tensor(x)))[0]


def argwhere(x: Any) -> Any:
    """The positions of what is not zero, a row each."""
    return stack(list(nonzero(as_tensor(x))), axis=1)


def where(condition: Any, *branches: Any) -> Any:
    """`where(c, x, y)`: x where c is true, else y. `where(c)`: the positions of what is true."""
    if not branches:
        return nonzero(condition)
    if len(branches) != 2:
        raise GraphError(
            "where takes a condition, or a condition and two branches", advice="give both branches"
        )
    return switch(condition, *branches)


def ravel_multi_index(
    multi_index: Sequence[Any], dims: Any, mode: str = "raise", order: str = "C"
) -> Any:
    """The positions in the flattened tensor of shape `dims` of what one vector of positions for
    each axis names.
    """
    lengths = _lengths(dims)
    places = [_integers(i, "ravel_multi_index") for i in multi_index]
    if len(places) != len(lengths):
        raise RankError(
            f"ravel_multi_index: positions for {len(places)} axes, lengths of {len(lengths)}",
            advice="give one array of positions for each axis",
        )
    wide = [cast(p, "int64") for p in places]
    kept = [bounded(p, n, mode, "ravel_multi_index") for p, n in zip(wide, lengths, strict=True)]
    if mode == "raise":
        kept = [_inside(p, n, "ravel_multi_index") for p, n in zip(kept, lengths, strict=True)]
    total: Any = 0
    for place, step in zip(kept, _steps(lengths, order), strict=True):
        total = place * step + total
    return total


def unravel_index(indices: Any, dims: Any, order: str = "C") -> list[Any]:
    """For each axis of a tensor of shape `dims` the positions of what these positions in the
    flattened tensor name.
    """
    lengths = _lengths(dims)
    places = cast(_integers(indices, "unravel_index"), "int64")
    places = _inside(places, math.prod(lengths), "unravel_index")
    steps = _steps(lengths, order)
    return [mod(floor_div(places, s), n) for s, n in zip(steps, lengths, strict=True)]


def _inside(positions: Any, n: Any, what: str) -> Any:
    return checked(
        positions,
        reduce.all(and_(ge(positions, 0), lt(positions, n))),
        wrong=f"{what}: a position lies outside the shape",
        advice="positions go from 0 to n - 1 on an axis of length n",
    )


def _lengths(dims: Any) -> list[Any]:
    """The lengths that a shape is made of."""
    from workbench.core.ops.create import lengths_of

    return [n if isinstance(n, Variable) else int(n) for n in lengths_of(dims)]


def _steps(lengths: Sequence[Any], order: str) -> list[Any]:
    """How far apart neighbours along each axis are in the flattened tensor."""
    if order not in ("C", "F"):
        raise GraphError(f"the order {order!r} of axes", advice="give 'C' or 'F'")
    steps: list[Any] = []
    step: Any = 1
    for n in reversed(lengths) if order == "C" else lengths:
        steps.append(step)
        step = step * n
    return steps[::-1] if order == "C" else steps
