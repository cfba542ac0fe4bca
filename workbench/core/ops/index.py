"""Indexing ops: Subtensor and IncSubtensor for scalars and slices, the Advanced pair for index
arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.alloc import broadcast_onto, check_spread
from workbench.core.ops.scalars import zeros_like
from workbench.core.ops.shape import dimension, shape_tuple
from workbench.core.ops.slices import (
    FULL,
    Spec,
    count_dynamic,
    describe,
    fill,
    slice_length,
)
from workbench.core.types import (
    TensorType,
    broadcast_shapes,
    constant,
    is_discrete,
    is_integer,
    tensor_type,
)
from workbench.errors import DtypeError, GraphError, IndexOutOfRange, RankError, ShapeError
from workbench.frozen import frozen


@frozen
class Subtensor(Op):
    """x[index] for scalars and slices: a view."""

    takes_half = True

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

    def writer(self, put: bool) -> Op:
        """The op that puts something in this place, or adds it."""
        return IncSubtensor(self.spec, put)

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

    @property
    def takes_half(self) -> bool:  # type: ignore[override]
        return self.set

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

    takes_half = True

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

    def writer(self, put: bool) -> Op:
        """The op that puts something in this place, or adds it."""
        return AdvancedIncSubtensor(self.spec, put)

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

    @property
    def takes_half(self) -> bool:  # type: ignore[override]
        return self.set

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
