"""Indexing as a user writes it: x[…], nonzero, set_subtensor, inc_subtensor."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Op, Variable
from workbench.core.ops.index import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Nonzero,
    Subtensor,
    builtin_any,
)
from workbench.core.ops.scalars import cast
from workbench.core.ops.shape import (
    dimshuffle,
    stack,
)
from workbench.core.ops.slices import (
    FULL,
    Entry,
)
from workbench.core.types import (
    as_tensor,
    is_integer,
    tensor_type,
)
from workbench.errors import GraphError, IndexOutOfRange


def nonzero(x: Any) -> tuple[Any, ...]:
    """The positions of what is not zero: an int64 vector for each axis, in C order."""
    return tuple(Nonzero().apply(as_tensor(x)).outputs)


def getitem(x: Variable, index: Any) -> Any:
    """x[index]: ints, slices, None, Ellipsis, integer scalars, vectors and arrays, masks of
    bools.
    """
    given = index if isinstance(index, tuple) else (index,)
    items = _expand(tuple(part for item in given for part in _unmasked(item)), x)
    new_axes = [i for i, item in enumerate(i for i in items if not _drops(i)) if item is None]
    parts: list[Variable] = []
    spec = tuple(_entry(item, parts.append) for item in items if item is not None)
    keep = 0 if new_axes else 1  # x[:] stays an indexed expression, for set_subtensor
    while len(spec) > keep and spec[-1] == FULL:
        spec = spec[:-1]
    advanced = builtin_any(tensor_type(p).ndim > 0 for p in parts)
    op: Op = AdvancedSubtensor(spec) if advanced else Subtensor(spec)
    result: Any = op(x, *parts) if spec else x
    if not new_axes:
        return result
    if advanced:
        raise GraphError(
            "None in an index with index arrays is not supported",
            f"an index of {x}: {x.type}",
            advice="use dimshuffle on the result",
        )
    kept = iter(range(tensor_type(result).ndim))
    total = tensor_type(result).ndim + len(new_axes)
    return dimshuffle(result, ["x" if i in new_axes else next(kept) for i in range(total)])


def _unmasked(item: Any) -> Sequence[Any]:
    """The item of an index, or the vectors of positions that a mask of bools stands for."""
    if isinstance(item, (list, np.ndarray)) and np.ndim(item) and not _symbolic(item):
        array = np.asarray(item)
        return np.nonzero(array) if array.dtype == "bool" else [item]
    if isinstance(item, Variable) and tensor_type(item).ndim and tensor_type(item).dtype == "bool":
        return nonzero(item)
    return [item]


def _symbolic(item: Any) -> bool:
    return isinstance(item, list) and builtin_any(isinstance(i, Variable) for i in item)


def _drops(item: Any) -> bool:
    return not (item is None or isinstance(item, slice))


def _expand(items: tuple[Any, ...], x: Variable) -> list[Any]:
    """The index with its Ellipsis written out."""
    where = [i for i, item in enumerate(items) if item is Ellipsis]
    if len(where) > 1:
        raise IndexOutOfRange(
            "an index can have only one Ellipsis",
            f"an index of {x}: {x.type}",
            advice="write out the slices of one of them",
        )
    if not where:
        return list(items)
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
    node = getattr(x, "owner", None)
    kinds: dict[type[Op], Any] = {Subtensor: IncSubtensor, AdvancedSubtensor: AdvancedIncSubtensor}
    if node is None or type(node.op) not in kinds:
        raise GraphError(
            f"{x} is not an indexed expression",
            advice="give one such as x[2:4]; the whole x with the part changed is returned",
        )
    source, *parts = node.inputs
    value = cast(as_tensor(y), tensor_type(source).dtype)
    return kinds[type(node.op)](node.op.spec, put)(source, value, *parts)
