"""Axes moved, put in, left out and spread over, by NumPy's names: views, all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.ops.alloc import alloc
from workbench.core.ops.shape import dimension, dimshuffle, flatten, normal_axis, specify_shape
from workbench.core.types import as_tensor, broadcast_shapes, tensor_type
from workbench.errors import GraphError, RankError

# Axes


def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """x with the axes `source` (an int or several) at the places `destination`."""
    variable = as_tensor(x)
    ndim = tensor_type(variable).ndim
    sources, places = (
        [normal_axis(a, variable, "moveaxis") for a in several(given)]
        for given in (source, destination)
    )
    if (
        len(sources) != len(places)
        or len(set(sources)) < len(sources)
        or len(set(places)) < len(places)
    ):
        raise RankError(
            f"moveaxis: axes {source} to {destination}",
            f"moveaxis of {variable}: {variable.type}",
            advice="name every axis once, and as many places",
        )
    order = [i for i in range(ndim) if i not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return dimshuffle(variable, order)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """x with two axes exchanged."""
    variable = as_tensor(x)
    a, b = (normal_axis(i, variable, "swapaxes") for i in (axis1, axis2))
    order = list(range(tensor_type(variable).ndim))
    order[a], order[b] = order[b], order[a]
    return dimshuffle(variable, order)


def rollaxis(x: Any, axis: int, start: int = 0) -> Any:
    """x with one axis moved before the axis `start`."""
    variable = as_tensor(x)
    ndim = tensor_type(variable).ndim
    where = normal_axis(axis, variable, "rollaxis")
    before = start + ndim if start < 0 else start
    if not 0 <= before <= ndim:
        raise RankError(
            f"rollaxis: {start} is no place for an axis; there are {ndim}",
            f"rollaxis of {variable}: {variable.type}",
            advice=f"places go from {-ndim} to {ndim}",
        )
    return moveaxis(variable, where, before - 1 if where < before else before)


def expand_dims(x: Any, axis: Any) -> Any:
    """x with a new axis of length 1 at this place, or at several, of the result."""
    variable = as_tensor(x)
    wanted = several(axis)
    new = [normal_axis(a, variable, "expand_dims", extra=len(wanted)) for a in wanted]
    if len(set(new)) < len(new):
        raise RankError(f"expand_dims: an axis twice in {axis}", advice="name every place once")
    kept = iter(range(tensor_type(variable).ndim))
    total = tensor_type(variable).ndim + len(new)
    return dimshuffle(variable, ["x" if i in new else next(kept) for i in range(total)])


def squeeze(x: Any, axis: Any = None) -> Any:
    """x without its axes of length 1: of those that the type knows, or the ones that are named
    (their length is then checked when it runs).
    """
    variable = as_tensor(x)
    static = tensor_type(variable).shape
    if axis is None:
        gone = [i for i, n in enumerate(static) if n == 1]
    else:
        gone = [normal_axis(a, variable, "squeeze") for a in several(axis)]
    declared = specify_shape(variable, [1 if i in gone else n for i, n in enumerate(static)])
    return dimshuffle(declared, [i for i in range(len(static)) if i not in gone])


def shape_padleft(x: Any, n_ones: int = 1) -> Any:
    """x with new axes of length 1 before all others."""
    return dimshuffle(x, ["x"] * n_ones + list(range(tensor_type(as_tensor(x)).ndim)))


def shape_padright(x: Any, n_ones: int = 1) -> Any:
    """x with new axes of length 1 after all others."""
    return dimshuffle(x, list(range(tensor_type(as_tensor(x)).ndim)) + ["x"] * n_ones)


def shape_padaxis(x: Any, axis: int) -> Any:
    """x with one new axis of length 1 at this place of the result."""
    return expand_dims(x, axis)


def patternbroadcast(x: Any, broadcastable: Sequence[bool]) -> Any:
    """x, declared to have length 1 on the axes that are true, and unknown lengths on the others."""
    variable = as_tensor(x)
    flags = list(broadcastable)
    static = tensor_type(variable).shape
    if len(flags) != len(static):
        raise RankError(
            f"patternbroadcast: {len(flags)} flags for {len(static)} axes",
            f"patternbroadcast of {variable}: {variable.type}",
            advice="give a flag for every axis",
        )
    lengths = (1 if f else (None if n == 1 else n) for f, n in zip(flags, static, strict=True))
    return specify_shape(variable, list(lengths))


def atleast_1d(*tensors: Any) -> Any:
    """Each tensor with one axis at least; a list of them where several are given."""
    return _each(lambda x: x if x.ndim else shape_padleft(x), tensors)


def atleast_2d(*tensors: Any) -> Any:
    """Each tensor with two axes at least: new ones come first."""
    return _each(lambda x: x if x.ndim >= 2 else shape_padleft(x, 2 - x.ndim), tensors)


def atleast_3d(*tensors: Any) -> Any:
    """Each tensor with three axes at least, as NumPy has it: a vector's is the middle one."""

    def made(x: Any) -> Any:
        if x.ndim >= 3:
            return x
        return shape_padright(x) if x.ndim == 2 else shape_padright(shape_padleft(x), 2 - x.ndim)

    return _each(made, tensors)


def ravel(x: Any, order: str = "C") -> Any:
    """All elements in a row: by rows ('C') or by columns ('F')."""
    variable = as_tensor(x)
    if order not in ("C", "F", "A", "K"):
        raise GraphError(f"ravel: order {order!r}", advice="give 'C' or 'F'")
    return flatten(variable.T if order == "F" else variable)  # type: ignore[attr-defined]


def several(axis: Any) -> list[int]:
    """One axis or several, as a list."""
    return [int(a) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))]


def _each(made: Any, tensors: Sequence[Any]) -> Any:
    results = [made(as_tensor(t)) for t in tensors]
    return results[0] if len(results) == 1 else results


# Spreading


def broadcast_to(x: Any, shape: Any) -> Any:
    """x spread over a shape: along new leading axes, and axes whose length is 1 in the type."""
    from workbench.core.ops.create import lengths_of

    return alloc(x, *lengths_of(shape))


def broadcast_arrays(*tensors: Any) -> list[Any]:
    """The tensors spread over the shape that they have together."""
    variables = [as_tensor(t) for t in tensors]
    types = [tensor_type(v) for v in variables]
    static = broadcast_shapes([t.shape for t in types])
    dims: list[Any] = list(static)
    for axis in range(-len(static), 0):
        if dims[axis] is None:
            having = (v for v, t in zip(variables, types, strict=True)
                      if t.ndim >= -axis and t.shape[axis] != 1)  # fmt: skip
            source = next(having)
            dims[axis] = dimension(source, axis + tensor_type(source).ndim)
    same = [t.shape == static and None not in static for t in types]
    return [v if done else alloc(v, *dims) for v, done in zip(variables, same, strict=True)]
