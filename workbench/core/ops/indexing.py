"""Indexing as a user writes it: x[…], set_subtensor, inc_subtensor."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Constant, Op, Variable
from workbench.core.ops.index import AdvancedSubtensor, Subtensor
from workbench.core.ops.join import stack
from workbench.core.ops.positions import nonzero
from workbench.core.ops.scalars import cast, eq
from workbench.core.ops.shape import Dimension, DimShuffle, dimension, dimshuffle
from workbench.core.ops.slices import FULL, Entry
from workbench.core.types import as_tensor, is_integer, tensor_type
from workbench.errors import GraphError, IndexOutOfRange, RankError


def getitem(x: Variable, index: Any) -> Any:
    """x[index]: ints, slices, None, Ellipsis, integer scalars, vectors and arrays, masks of
    bools.
    """
    given = index if isinstance(index, tuple) else (index,)
    items = _expand(_unmasked(given, x), x)
    parts: list[Variable] = []
    spec = tuple(_entry(item, parts.append) for item in items if item is not None)
    has_new = any(item is None for item in items)
    keep = 0 if has_new else 1  # x[:] stays an indexed expression, for set_subtensor
    while len(spec) > keep and spec[-1] == FULL:
        spec = spec[:-1]
    n = max((tensor_type(p).ndim for p in parts), default=0)
    op: Op = AdvancedSubtensor(spec) if n else Subtensor(spec)
    result: Any = op(x, *parts) if spec else x
    return _with_new_axes(items, result, n) if has_new else result


def _with_new_axes(items: Sequence[Any], result: Variable, n: int) -> Any:
    """The result of an index without its Nones, with their new axes where NumPy has them; `n` is
    the number of axes that the index arrays have together.
    """
    start = _place_of_arrays([item for item in items if item is not None])
    block = range(start, start + n)
    rest = iter(i for i in range(tensor_type(result).ndim) if i not in block)
    order = ["x" if item is None else next(rest) for item in items if not _drops(item)]
    at = _place_of_arrays(items)
    return dimshuffle(result, [*order[:at], *block, *order[at:]])


def _place_of_arrays(items: Sequence[Any]) -> int:
    """How many axes stand before those of index arrays: none where one is between two arrays."""
    named = [i for i, item in enumerate(items) if _drops(item)]
    together = bool(named) and named[-1] - named[0] + 1 == len(named)
    return named[0] if together else 0


def _unmasked(items: tuple[Any, ...], x: Variable) -> tuple[Any, ...]:
    """The items of an index, with the vectors of positions that masks of bools stand for. A mask's
    lengths must be those of the axes it stands for.
    """
    masks = [_mask(item) for item in items]
    used = sum(
        1 if m is None else tensor_type(m).ndim
        for m, item in zip(masks, items, strict=True)
        if item is not None and item is not Ellipsis
    )
    result: list[Any] = []
    axis = 0
    for item, mask in zip(items, masks, strict=True):
        if mask is not None:
            positions = _positions(mask, x, axis)
            axis += len(positions)
            result += positions
            continue
        if item is Ellipsis:
            axis += tensor_type(x).ndim - used
        elif item is not None:
            axis += 1
        result.append(item)
    return tuple(result)


def _mask(item: Any) -> Variable | None:
    """The mask of bools that an item of an index is, else None."""
    if isinstance(item, Variable):
        t = tensor_type(item)
        return item if t.ndim and t.dtype == "bool" else None
    if isinstance(item, (list, np.ndarray)) and not _symbolic(item) and np.ndim(item):
        array = np.asarray(item)
        return as_tensor(array) if array.dtype == "bool" else None
    return None


def _positions(mask: Variable, x: Variable, axis: int) -> tuple[Any, ...]:
    """The positions that are true, an array for each axis of the mask."""
    ndim, t = tensor_type(mask).ndim, tensor_type(x)
    if axis + ndim > t.ndim:
        raise IndexOutOfRange(
            f"a mask of {ndim} axes does not fit on axis {axis} of {x}, which has {t.ndim} axes",
            f"an index of {x}: {x.type}",
            advice="a mask has at most the axes that are left",
        )
    unsure = [i for i in range(ndim) if not same_length(mask, i, x, axis + i)]
    for i in unsure:
        n, wanted = tensor_type(mask).shape[i], t.shape[axis + i]
        if n is not None and wanted is not None:
            raise IndexOutOfRange(
                f"a mask of length {n} on an axis of length {wanted}",
                f"an index of {x}: {x.type}",
                advice=_MASK_ADVICE,
            )
    if isinstance(mask, Constant) and not unsure:
        return np.nonzero(mask.data)
    found = nonzero(mask)
    if not unsure:
        return found  # type: ignore[no-any-return]
    from workbench.core.ops.checks import checked

    equal = [eq(dimension(mask, i), dimension(x, axis + i)) for i in unsure]
    wrong = "a mask of another length than the axis that it is for"
    return tuple(checked(v, *equal, wrong=wrong, advice=_MASK_ADVICE, kind="index") for v in found)


_MASK_ADVICE = "a mask has an element for every element of its axis"


def same_length(a: Variable, i: int, b: Variable, j: int) -> bool:
    """Whether axis i of a surely is as long as axis j of b."""
    return bool(_length_of(a, i) == _length_of(b, j))


_FARTHEST = 100  # nodes that a length is traced back over


def _length_of(variable: Variable, axis: int) -> Any:
    """A length as far back as it is traced: a number, or a variable and its axis."""
    for _ in range(_FARTHEST):
        known = tensor_type(variable).shape[axis]
        if known is not None:
            return known
        node = variable.owner
        shapes = None if node is None else node.op.shape(node.inputs)
        if node is None or shapes is None:
            return id(variable), axis
        dim = shapes[variable.index][axis]
        maker = dim.owner if isinstance(dim, Variable) else None
        if maker is None or not isinstance(maker.op, Dimension):
            return dim if isinstance(dim, int) else (id(variable), axis)
        variable, axis = maker.inputs[0], maker.op.axis
    return id(variable), axis


def _symbolic(item: Any) -> bool:
    return isinstance(item, list) and any(isinstance(i, Variable) for i in item)


def _drops(item: Any) -> bool:
    return not (item is None or isinstance(item, slice))


def _expand(items: tuple[Any, ...], x: Variable) -> list[Any]:
    """The index with its Ellipsis written out, and a slice for every axis that is left."""
    where = [i for i, item in enumerate(items) if item is Ellipsis]
    if len(where) > 1:
        raise IndexOutOfRange(
            "an index can have only one Ellipsis",
            f"an index of {x}: {x.type}",
            advice="write out the slices of one of them",
        )
    if not where:
        items, where = (*items, Ellipsis), [len(items)]
    used = len([i for i in items if i is not None]) - 1
    full = [slice(None)] * (tensor_type(x).ndim - used)
    return [*items[: where[0]], *full, *items[where[0] + 1 :]]


def _entry(item: Any, add: Callable[[Variable], None]) -> Entry:
    def scalar(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, Variable):
            t = tensor_type(value)
            if t.ndim == 0 and is_integer(t.dtype):
                add(value)
                return "?"
            raise GraphError(
                f"a slice takes integer scalars; {value} is of {t}", advice="cast it to int64"
            )
        return _whole(value)

    if isinstance(item, slice):
        if item.step is not None and not isinstance(item.step, Variable) and item.step == 0:
            raise _ZeroStep("a slice's step cannot be 0", advice="give a step of 1 or -1")
        return (scalar(item.start), scalar(item.stop), scalar(item.step))
    if isinstance(item, (bool, np.bool_)):
        raise GraphError(
            "True and False are no indices", advice="a mask is an array of bools: x[x > 0]"
        )
    if isinstance(item, Variable):
        if not is_integer(tensor_type(item).dtype):
            raise GraphError(
                f"indices must be integers; {item} is of {item.type}",
                advice="cast it to int64; a mask of bools has an axis at least",
            )
        add(item)
        return "?"
    if _symbolic(item):
        add(stack(item))
        return "?"
    if isinstance(item, (list, np.ndarray)) and np.ndim(item) > 0:
        add(as_tensor(np.asarray(item, "int64") if len(item) == 0 else item))
        return "?"
    return _whole(item)


def _whole(item: Any) -> int:
    try:
        return operator.index(item)
    except TypeError:
        raise GraphError(
            f"{item!r} is no index",
            advice="give an integer, a slice, None, Ellipsis, or integers or bools in an array",
        ) from None


class _ZeroStep(GraphError, ValueError):
    """A slice with step 0."""


def set_subtensor(x: Any, y: Any) -> Any:
    """The tensor that `x`, an indexed expression, was taken from, with y in that place."""
    return _subtensor(x, y, put=True)


def inc_subtensor(x: Any, y: Any) -> Any:
    """The tensor that `x`, an indexed expression, was taken from, with y added in that place."""
    return _subtensor(x, y, put=False)


def _subtensor(x: Any, y: Any, put: bool) -> Any:
    value, place = as_tensor(y), x
    node = getattr(place, "owner", None)
    if node is not None and isinstance(node.op, DimShuffle):  # x[None, 1:]
        place = node.inputs[0]
        value, node = _moved_back(value, x, node.op), place.owner
    if node is None or not hasattr(node.op, "writer"):
        raise GraphError(
            f"{x} is not an indexed expression",
            advice="give one such as x[2:4]; the whole x with the part changed is returned",
        )
    source, *parts = node.inputs
    return node.op.writer(put)(source, cast(value, tensor_type(source).dtype), *parts)


def _moved_back(value: Variable, x: Variable, op: DimShuffle) -> Any:
    """A value for an expression with moved axes, with its axes as they were before."""
    ndim = tensor_type(x).ndim
    missing = ndim - tensor_type(value).ndim
    if missing < 0:
        raise RankError(
            f"cannot put {value} of {value.type} into {x} of {x.type}: it has more axes",
            advice="take a part of it, or index fewer axes",
        )
    whole = dimshuffle(value, ["x"] * missing + list(range(ndim - missing)))
    before = sorted(i for i in op.order if i != "x")
    return dimshuffle(whole, [op.order.index(i) for i in before])
