"""Indexing: Subtensor and IncSubtensor for scalars and slices, the Advanced pair for index arrays.

The structure of an index is part of the op, a tuple with one entry per axis: an int, '?' (a scalar
or array among the inputs), or (start, stop, step) of ints, None and '?'. The inputs after the
tensor fill the '?' in order.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.scalars import cast, maximum, minimum, switch, zeros_like
from workbench.core.ops.shape import (
    as_scalar_int,
    broadcast_onto,
    check_spread,
    dimension,
    dimshuffle,
    shape_tuple,
    stack,
)
from workbench.core.types import (
    TensorType,
    as_tensor,
    broadcast_shapes,
    constant,
    is_discrete,
    is_integer,
    tensor_type,
)
from workbench.errors import DtypeError, GraphError, IndexOutOfRange, RankError, ShapeError
from workbench.frozen import frozen

Entry = int | str | tuple[Any, Any, Any]  # Any: int, None or '?'
Spec = tuple[Entry, ...]
FULL: Entry = (None, None, None)


def fill(spec: Spec, parts: Sequence[Any]) -> tuple[Any, ...]:
    """The index that NumPy takes: every '?' replaced by the next part."""
    left = iter(parts)

    def part(entry: Any) -> Any:
        return next(left) if entry == "?" else entry

    return tuple(slice(*map(part, e)) if isinstance(e, tuple) else part(e) for e in spec)


def count_dynamic(spec: Spec) -> int:
    """How many inputs fill the '?' of an index."""
    return sum(e.count("?") if isinstance(e, tuple) else e == "?" for e in spec)


def describe(spec: Spec) -> str:
    """How the index reads: '[?, 1:, ::-1]'."""

    def part(e: Any) -> str:
        return "" if e is None else str(e)

    def entry(e: Entry) -> str:
        if not isinstance(e, tuple):
            return part(e)
        return f"{part(e[0])}:{part(e[1])}" + (f":{part(e[2])}" if e[2] is not None else "")

    return f"[{', '.join(map(entry, spec))}]"


def slice_length(start: Any, stop: Any, step: Any, n: Any) -> Any:
    """The length of n[start:stop:step], from ints (NumPy's rule) or integer scalars; None for a
    symbolic step.
    """
    if all(v is None or isinstance(v, int) for v in (start, stop, step)) and isinstance(n, int):
        return len(range(*slice(start, stop, step).indices(n)))
    if not (step is None or isinstance(step, int)):
        return None
    stride = 1 if step is None else step
    first, last = slice_bounds(start, stop, stride, n)
    length = (last - first) if stride > 0 else (first - last)
    steps = length if abs(stride) == 1 else (length + (abs(stride) - 1)) // abs(stride)
    if (start is None and stop is None) and abs(stride) == 1:
        return n
    return maximum(steps, 0)


def slice_bounds(start: Any, stop: Any, step: int, n: Any) -> tuple[Any, Any]:
    """First and last (exclusive) position of a slice of an axis of length n, as Python's
    slice.indices has them.
    """
    low, high = (0, n) if step > 0 else (-1, n - 1)

    def bound(value: Any, default: Any) -> Any:
        if value is None:
            return default
        if isinstance(value, int):
            return minimum(value, high) if value >= 0 else maximum(n + value, low)
        value = as_scalar_int(value)
        return switch(value < 0, maximum(value + n, low), minimum(value, high))

    return (
        (bound(start, low), bound(stop, high))
        if step > 0
        else (bound(start, high), bound(stop, low))
    )


@frozen
class Subtensor(Op):
    """x[index] for scalars and slices: a view."""

    spec: Spec

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = tensor_type(inputs[0])
        if len(self.spec) > t.ndim:
            raise IndexOutOfRange(
                f"too many indices: {inputs[0]} has {t.ndim} axes, the index "
                f"{describe(self.spec)} names "
                        f"{len(self.spec)}",
                advice="give at most one index for each axis",
            )  # fmt: skip
        shape: list[int | None] = []
        for entry, n in zip(self.spec, t.shape, strict=False):
            if isinstance(entry, tuple):
                static = n is not None and "?" not in entry
                shape.append(slice_length(*entry, n) if static else (n if entry == FULL else None))
            elif isinstance(entry, int) and n is not None and not -n <= entry < n:
                raise IndexOutOfRange(
                    f"index {entry} is out of range for an axis of length {n} of {inputs[0]}",
                    advice=f"indices go from {-n} to {n - 1}" if n else "the axis is empty",
                )
        return [TensorType(t.dtype, (*shape, *t.shape[len(self.spec) :]))]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        x, *parts = values
        try:
            return [np.asarray(x[fill(self.spec, [int(p) for p in parts])])]
        except IndexError as error:
            raise _out_of_range(error, self.spec, parts, x) from None

    def connected(self, index: int) -> bool:
        return index == 0

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        x, *parts = inputs
        (g,) = gradients
        none = [None] * len(parts)
        if g is None or is_discrete(tensor_type(x).dtype):
            return [None, *none]
        return [IncSubtensor(self.spec)(zeros_like(x), g, *parts), *none]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]] | None:
        x, *parts = inputs
        dims: list[Any] = []
        for axis, entry in enumerate(fill(self.spec, parts)):
            if isinstance(entry, slice):
                n = slice_length(entry.start, entry.stop, entry.step, dimension(x, axis))
                if n is None:
                    return None
                dims.append(n)
        return [[*dims, *(dimension(x, i) for i in range(len(self.spec), tensor_type(x).ndim))]]

    @property
    def label(self) -> str:
        return describe(self.spec)

    def __str__(self) -> str:
        return f"Subtensor{{{describe(self.spec)[1:-1]}}}"


@frozen
class IncSubtensor(Op):
    """x with `y` added at x[index], or put there where `set`. Inputs: x, y of x's dtype, then the
    index's parts.
    """

    spec: Spec
    set: bool = False

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        x, y, *parts = inputs
        _check_fits(x, y, _type(Subtensor(self.spec), x, parts), self.spec)
        return [tensor_type(x)]

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        x, y, *parts = values
        (place,) = Subtensor(self.spec).evaluate(x, *parts)
        check_spread(inputs[1], y, place.shape, self.label)

    def connected(self, index: int) -> bool:
        return index < 2

    def evaluate(self, *values: Array) -> Sequence[Array]:
        x, y, *parts = values
        result = x.copy()
        where = fill(self.spec, [int(p) for p in parts])
        try:
            if self.set:
                result[where] = y
            elif result.dtype == "bool":
                result[where] |= y
            else:
                result[where] += y  # no place is named twice
        except IndexError as error:
            raise _out_of_range(error, self.spec, parts, x) from None
        except ValueError as error:
            raise _does_not_fit(error, self.spec, x) from None
        return [result]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        from workbench.core.ops.reduce import sum_to

        _, y, *parts = inputs
        (g,) = gradients
        none = [None] * len(parts)
        if g is None:
            return [None, None, *none]
        picked = Subtensor(self.spec)(g, *parts)
        to_x = (
            IncSubtensor(self.spec, set=True)(g, constant(0, tensor_type(g).dtype), *parts)
            if self.set
            else g
        )
        return [to_x, sum_to(picked, y, picked), *none]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])]

    @property
    def label(self) -> str:
        return f"{'set' if self.set else 'inc'}{describe(self.spec)}"

    def __str__(self) -> str:
        return f"IncSubtensor{{{'Set' if self.set else 'Inc'};{describe(self.spec)[1:-1]}}}"


def _type(op: Op, x: Variable, parts: Sequence[Variable]) -> TensorType:
    (type,) = op.infer(x, *parts)
    assert isinstance(type, TensorType)
    return type


def _check_fits(x: Variable, y: Variable, place: TensorType, spec: Spec) -> None:
    """Raises where y cannot be put into x[spec], which is of type `place`."""
    t = tensor_type(y)
    if t.ndim > place.ndim:
        raise RankError(
            f"cannot put {y} of {t} into {x}{describe(spec)} of {place}: it has more axes",
            advice="take a part of it, or index fewer axes",
        )
    if t.dtype != place.dtype:
        raise DtypeError(
            f"cannot put {y} of {t} into {x}{describe(spec)} of {place}: another dtype",
            advice=f"cast it to {place.dtype}",
        )
    broadcast_onto(t.shape, place.shape, f"{x}{describe(spec)}")


def _out_of_range(
    error: Exception, spec: Spec, parts: Sequence[Array], x: Array
) -> IndexOutOfRange:
    given = f" with {', '.join(_short(p) for p in parts)}" if parts else ""
    return IndexOutOfRange(
        f"{error}: x{describe(spec)}{given} of shape {x.shape}",
        advice="an index goes from -n to n - 1 on an axis of length n",
    )


def _short(part: Array) -> str:
    return str(part) if part.ndim == 0 else f"an array of shape {part.shape}"


def _does_not_fit(error: Exception, spec: Spec, x: Array) -> ShapeError:
    return ShapeError(
        f"{error}: x{describe(spec)} of shape {x.shape}",
        advice="the value must have the shape of the indexed part, or broadcast to it",
    )


@frozen
class AdvancedSubtensor(Op):
    """x[index] with index arrays, as NumPy: they broadcast together, and slices may stand
    between.
    """

    spec: Spec

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        x, *parts = inputs
        t = tensor_type(x)
        if len(self.spec) > t.ndim:
            raise IndexOutOfRange(
                f"too many indices: {x} has {t.ndim} axes, the index names {len(self.spec)}",
                advice="give at most one index for each axis",
            )
        for part in parts:
            if not is_integer(tensor_type(part).dtype):
                raise GraphError(
                    f"indices must be integers; {part} is of {part.type}",
                    advice="cast it to int64; a mask of bools is written x[mask]",
                )
        arrays, slices = self._places(parts)
        index_shape = broadcast_shapes([tensor_type(p).shape for _, p in arrays], "index arrays")
        kept: list[int | None] = [
            slice_length(e[0], e[1], e[2], t.shape[i])
            if t.shape[i] is not None and "?" not in e
            else (t.shape[i] if e == FULL else None)
            for i, e in slices
        ]
        rest = t.shape[len(self.spec) :]
        position = 0 if self._scattered() else min(i for i, _ in arrays)
        before = [n for (i, _), n in zip(slices, kept, strict=True) if i < position]
        after = [n for (i, _), n in zip(slices, kept, strict=True) if i >= position]
        return [TensorType(t.dtype, (*before, *index_shape, *after, *rest))]

    def _places(
        self, parts: Sequence[Variable]
    ) -> tuple[list[tuple[int, Any]], list[tuple[int, Any]]]:
        """Axes with an index (array, scalar or int) and axes with a slice."""
        arrays: list[tuple[int, Any]] = []
        slices: list[tuple[int, Any]] = []
        left = iter(parts)
        for i, entry in enumerate(self.spec):
            if isinstance(entry, tuple):
                slices.append((i, entry))
                for e in entry:
                    if e == "?":
                        next(left)
            else:
                arrays.append((i, next(left) if entry == "?" else constant(entry, "int64")))
        return arrays, slices

    def _scattered(self) -> bool:
        """Whether a slice stands between two index arrays: NumPy then puts their axes first."""
        where = [i for i, e in enumerate(self.spec) if not isinstance(e, tuple)]
        return where[-1] - where[0] + 1 != len(where)

    def evaluate(self, *values: Array) -> Sequence[Array]:
        x, *parts = values
        try:
            return [np.asarray(x[fill(self.spec, parts)])]
        except IndexError as error:
            raise _out_of_range(error, self.spec, parts, x) from None

    def connected(self, index: int) -> bool:
        return index == 0

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]] | None:
        x, *parts = inputs
        static = _type(self, x, parts).shape
        arrays, slices = self._places(parts)
        index = next(v for _, v in arrays if tensor_type(v).ndim)
        if any(tensor_type(v).ndim and v is not index for _, v in arrays):
            return None if None in static else [static]  # which one broadcasts is not known
        left = iter(parts)
        lengths: list[Any] = []
        for axis, entry in enumerate(self.spec):
            filled = fill((entry,), [next(left) for _ in range(count_dynamic((entry,)))])[0]
            if isinstance(filled, slice):
                lengths.append(
                    slice_length(filled.start, filled.stop, filled.step, dimension(x, axis))
                )
        position = 0 if self._scattered() else sum(axis < arrays[0][0] for axis, _ in slices)
        rest = [dimension(x, i) for i in range(len(self.spec), tensor_type(x).ndim)]
        dims = [*lengths[:position], *shape_tuple(index), *lengths[position:], *rest]
        return None if None in dims else [dims]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        x, *parts = inputs
        (g,) = gradients
        none = [None] * len(parts)
        if g is None or is_discrete(tensor_type(x).dtype):
            return [None, *none]
        return [AdvancedIncSubtensor(self.spec)(zeros_like(x), g, *parts), *none]

    @property
    def is_take(self) -> bool:
        """Whole rows by one index array: x[rows]."""
        return self.spec == ("?",)

    @property
    def label(self) -> str:
        return f"take{describe(self.spec)}"

    def __str__(self) -> str:
        return f"AdvancedSubtensor{{{describe(self.spec)[1:-1]}}}"


@frozen
class AdvancedIncSubtensor(Op):
    """x with `y` added at x[index] (repeated indices accumulate), or put there where `set`."""

    spec: Spec
    set: bool = False

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        x, y, *parts = inputs
        _check_fits(x, y, _type(AdvancedSubtensor(self.spec), x, parts), self.spec)
        return [tensor_type(x)]

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        x, y, *parts = values
        if 1 in y.shape:
            (place,) = AdvancedSubtensor(self.spec).evaluate(x, *parts)
            check_spread(inputs[1], y, place.shape, self.label)

    def connected(self, index: int) -> bool:
        return index < 2

    def evaluate(self, *values: Array) -> Sequence[Array]:
        x, y, *parts = values
        result = x.copy()
        where = fill(self.spec, parts)
        try:
            if self.set:
                result[where] = y
            else:
                np.add.at(result, where, y)  # a place may be named twice
        except IndexError as error:
            raise _out_of_range(error, self.spec, parts, x) from None
        except ValueError as error:
            raise _does_not_fit(error, self.spec, x) from None
        return [result]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        from workbench.core.ops.reduce import sum_to

        _, y, *parts = inputs
        (g,) = gradients
        none = [None] * len(parts)
        if g is None:
            return [None, None, *none]
        picked = AdvancedSubtensor(self.spec)(g, *parts)
        zero = constant(0, tensor_type(g).dtype)
        to_x = AdvancedIncSubtensor(self.spec, set=True)(g, zero, *parts) if self.set else g
        return [to_x, sum_to(picked, y, picked), *none]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])]

    @property
    def label(self) -> str:
        return f"{'put' if self.set else 'add'}{describe(self.spec)}"

    def __str__(self) -> str:
        return f"AdvancedIncSubtensor{{{describe(self.spec)[1:-1]},set={self.set}}}"


@frozen
class Nonzero(Op):
    """The positions of what is not zero: an int64 vector for each axis, in C order."""

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        if (ndim := tensor_type(inputs[0]).ndim) == 0:
            raise RankError("nonzero of a scalar", advice="compare it with 0")
        return [TensorType("int64", (None,))] * ndim

    def evaluate(self, *values: Array) -> Sequence[Array]:
        return [np.asarray(i, "int64") for i in np.nonzero(values[0])]

    def connected(self, index: int) -> bool:
        return False

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        return [None]

    @property
    def label(self) -> str:
        return "nonzero"


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


builtin_any: Callable[[Iterator[bool]], bool] = any


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
