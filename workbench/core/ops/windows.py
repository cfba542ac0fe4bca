"""Windows that slide over the last axes of a tensor: where they lie, the view of all of them, and
its adjoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.elementwise import needs_none
from workbench.core.ops.shape import as_scalar_int, shape_tuple, static_int
from workbench.core.types import Shape, TensorType, as_tensor, tensor_type
from workbench.errors import RankError, ShapeError, UsageError, nearest
from workbench.frozen import frozen

Border = str | tuple[tuple[int, int], ...]


@frozen
class Placing:
    """How windows lie along some axes.

    stride    how far the next window is, for each axis
    dilation  how far the next element of a window is
    border    'valid': windows lie inside; 'full': they touch the inside; 'half': as many windows as
              elements, for odd lengths and stride 1; or for each axis how many elements are put
              before and after it
    """

    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    border: Border = "valid"

    @property
    def ndim(self) -> int:
        return len(self.stride)

    @property
    def pads(self) -> bool:
        """Whether elements may be put round the axes."""
        return self.border != "valid" and self.border != ((0, 0),) * self.ndim

    # Any, below: ints, or int64 scalar variables

    def span(self, axis: int, length: Any) -> Any:
        """What a window of this length reaches over."""
        return (length - 1) * self.dilation[axis] + 1 if self.dilation[axis] != 1 else length

    def pad(self, axis: int, length: Any) -> tuple[Any, Any]:
        """How many elements are put before and after an axis, for windows of this length."""
        if not isinstance(self.border, str):
            return self.border[axis]
        span = self.span(axis, length)
        if self.border == "valid":
            return 0, 0
        amount = span - 1 if self.border == "full" else span // 2
        return amount, amount

    def count(self, axis: int, size: Any, length: Any) -> Any:
        """How many windows of this length there are along an axis of this size."""
        before, after = self.pad(axis, length)
        room = size + (before + after) - self.span(axis, length)
        return room // self.stride[axis] + 1 if self.stride[axis] != 1 else room + 1

    def counts(self, sizes: Sequence[Any], lengths: Sequence[Any]) -> list[Any]:
        """The numbers of windows along all axes; None where a length is None."""
        return [
            None if size is None or length is None else self.count(i, size, length)
            for i, (size, length) in enumerate(zip(sizes, lengths, strict=True))
        ]

    def checked(self, sizes: Sequence[int], lengths: Sequence[int], what: str) -> list[int]:
        """The same of numbers. Raises ShapeError where no window fits."""
        for i, (size, length) in enumerate(zip(sizes, lengths, strict=True)):
            before, after = self.pad(i, length)
            if length < 1 or size + before + after < self.span(i, length):
                raise ShapeError(
                    f"{what}: a window of {tuple(lengths)} does not fit into {tuple(sizes)}, "
                    f"which is padded by {before} and {after} on axis {i} of these",
                    advice="use smaller windows, or a border mode that pads: 'half' or 'full'",
                )
        return [self.count(i, *pair) for i, pair in enumerate(zip(sizes, lengths, strict=True))]

    def __str__(self) -> str:
        parts = [str(self.border)]
        parts += [f"stride={self.stride}"] if set(self.stride) != {1} else []
        parts += [f"dilation={self.dilation}"] if set(self.dilation) != {1} else []
        return ", ".join(parts)


def placing(
    ndim: int, stride: Any = 1, dilation: Any = 1, border: Any = "valid", what: str = "windows"
) -> Placing:
    """Checked: a number stands for all axes. Raises UsageError."""
    return Placing(
        whole_numbers(stride, ndim, 1, f"{what}: the stride"),
        whole_numbers(dilation, ndim, 1, f"{what}: the dilation"),
        _border(border, ndim, what),
    )


def whole_numbers(value: Any, ndim: int, least: int, what: str) -> tuple[int, ...]:
    """A number for each axis; one number stands for all. Raises UsageError."""
    values = tuple(value) if isinstance(value, (tuple, list, np.ndarray)) else (value,) * ndim
    fits = all(isinstance(v, (int, np.integer)) and v >= least for v in values)
    if len(values) != ndim or not fits:
        raise UsageError(
            f"{what} is {value!r}, not {ndim} whole numbers from {least} on",
            advice=f"give one int, or a tuple of {ndim} of them",
        )
    return tuple(int(v) for v in values)


_BORDERS = ("valid", "full", "half")


def _border(border: Any, ndim: int, what: str) -> Border:
    if isinstance(border, str):
        if border not in _BORDERS:
            raise UsageError(
                f"{what} has no border mode {border!r}.{nearest(border, list(_BORDERS))}",
                advice="the modes are 'valid', 'full', 'half' (which keeps the size, for odd "
                "lengths), a number, or a tuple of numbers",
            )
        return border
    values = tuple(border) if isinstance(border, (tuple, list)) else (border,) * ndim
    pairs = [v if isinstance(v, (tuple, list)) else (v, v) for v in values]
    if len(pairs) != ndim or any(len(p) != 2 for p in pairs):
        raise UsageError(
            f"{what}: the border mode {border!r} is not for {ndim} axes",
            advice="give one number, or a number (or a pair of them) for each axis",
        )
    return tuple(
        (before, after)
        for before, after in (whole_numbers(p, 2, 0, f"{what}: the border") for p in pairs)
    )


# Any, below: arrays of numbers


def padded(x: Any, pads: Sequence[tuple[int, int]], fill: float = 0) -> Any:
    """With elements put round the last axes."""
    if not any(map(any, pads)):
        return x
    lead = [(0, 0)] * (x.ndim - len(pads))
    return np.pad(x, [*lead, *pads], constant_values=fill)


def inside(x: Any, pads: Sequence[tuple[int, int]], sizes: Sequence[int]) -> Any:
    """What was there before `padded`."""
    kept = (slice(before, before + n) for (before, _), n in zip(pads, sizes, strict=True))
    return x[(..., *kept)].copy()


def view_of_windows(x: Any, place: Placing, counts: Sequence[int], lengths: Sequence[int]) -> Any:
    """A read-only view: the leading axes, the windows, what is in them."""
    lead, last = x.shape[: x.ndim - place.ndim], x.strides[x.ndim - place.ndim :]
    steps = [step * s for step, s in zip(last, place.stride, strict=True)]
    inner = [step * d for step, d in zip(last, place.dilation, strict=True)]
    strides = (*x.strides[: x.ndim - place.ndim], *steps, *inner)
    return as_strided(x, (*lead, *counts, *lengths), strides, writeable=False)


def add_windows(x: Any, windows: Any, place: Placing, lengths: Sequence[int]) -> None:
    """The adjoint of the view: add every window's elements to where they came from."""
    n = place.ndim
    counts = windows.shape[windows.ndim - 2 * n : windows.ndim - n]
    if 0 in counts:
        return
    for offset in np.ndindex(*lengths):
        where = tuple(
            slice(o * d, o * d + (count - 1) * s + 1, s)
            for o, d, s, count in zip(offset, place.dilation, place.stride, counts, strict=True)
        )
        x[(..., *where)] += windows[(..., *offset)]


@frozen
class Windows(Op):
    """Every window of the last axes, which lie inside: x of (…, *sizes) gives (…, *counts,
    *lengths). Natively only other strides.
    """

    lengths: tuple[int, ...]
    place: Placing

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = tensor_type(inputs[0])
        lead, sizes = _split(t.shape, self.place.ndim, self)
        counts = self.place.counts(sizes, self.lengths)
        if any(n is not None and n < 1 for n in counts):
            self.place.checked([n or 0 for n in sizes], self.lengths, "windows")
        return [TensorType(t.dtype, (*lead, *counts, *self.lengths))]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        (x,) = values
        sizes = x.shape[x.ndim - self.place.ndim :]
        counts = self.place.checked(sizes, self.lengths, "windows")
        return [view_of_windows(x, self.place, counts, self.lengths).copy()]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        if g is None or needs_none(inputs[0]):
            return [None]
        sizes = shape_tuple(inputs[0])[-self.place.ndim :]
        add = AddWindows(self.lengths, self.place, static_lengths(sizes))
        return [add(g, *map(as_scalar_int, sizes))]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        lead, sizes = _split(shape_tuple(inputs[0]), self.place.ndim, self)
        return [[*lead, *self.place.counts(sizes, self.lengths), *self.lengths]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 0

    @property
    def label(self) -> str:
        return "windows"

    def __str__(self) -> str:
        return f"Windows{{{self.lengths}, {self.place}}}"


@frozen
class AddWindows(Op):
    """The adjoint of `Windows`: windows added up where they overlap. Inputs: (…, *counts, *lengths)
    and the sizes of the last axes.
    """

    lengths: tuple[int, ...]
    place: Placing
    sizes: Shape

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = tensor_type(inputs[0])
        lead, last = _split(t.shape, 2 * self.place.ndim, self)
        if any(n not in (None, k) for n, k in zip(last[self.place.ndim :], self.lengths)):
            raise ShapeError(
                f"windows of {self.lengths} are to be added, not of {last[self.place.ndim :]}",
                advice="give them as `windows` makes them",
            )
        return [TensorType(t.dtype, (*lead, *self.sizes))]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        windows, *sizes = values
        n = self.place.ndim
        wanted = self.place.checked([int(s) for s in sizes], self.lengths, "windows")
        counts = windows.shape[windows.ndim - 2 * n : windows.ndim - n]
        if tuple(wanted) != counts:
            raise ShapeError(
                f"{counts} windows do not come from axes of {tuple(int(s) for s in sizes)}",
                advice=f"there are {tuple(wanted)} of them",
            )
        lead = windows.shape[: windows.ndim - 2 * n]
        x = np.zeros((*lead, *(int(s) for s in sizes)), windows.dtype)
        add_windows(x, windows, self.place, self.lengths)
        return [x]

    def connected(self, index: int) -> bool:
        return index == 0

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        back = None if g is None or needs_none(inputs[0]) else Windows(self.lengths, self.place)(g)
        return [back, *[None] * (len(inputs) - 1)]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        lead, _ = _split(shape_tuple(inputs[0]), 2 * self.place.ndim, self)
        return [[*lead, *known_or(self.sizes, inputs[1:])]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return int(inputs[0].size)

    @property
    def label(self) -> str:
        return "add windows"

    def __str__(self) -> str:
        return f"AddWindows{{{self.place}}}"


def static_lengths(lengths: Sequence[Any]) -> Shape:
    """What is known of some lengths: ints as they are, constants' values, None for others."""
    return tuple(n if n is None or isinstance(n, int) else static_int(n) for n in lengths)


def known_or(static: Shape, variables: Sequence[Variable]) -> list[Any]:
    """The lengths that are known, the variables for the others."""
    return [v if n is None else n for n, v in zip(static, variables, strict=True)]


def _split(shape: Sequence[Any], n: int, op: Op) -> tuple[Sequence[Any], Sequence[Any]]:
    if len(shape) < n:
        raise RankError(
            f"{op.label} needs {n} axes; there are {len(shape)}", advice="add axes with dimshuffle"
        )
    return shape[: len(shape) - n], shape[len(shape) - n :]


def windows(x: Any, lengths: Any, stride: Any = 1, dilation: Any = 1) -> Any:
    """All windows of the last axes of x, as many as `lengths` has: (…, *sizes) to (…, *counts,
    *lengths).

    `stride` is how far the next window is, `dilation` how far the next element of one. With an int
    for `lengths` they slide over the last axis. Raises UsageError, RankError, ShapeError.
    """
    many = tuple(lengths) if isinstance(lengths, (tuple, list)) else (lengths,)
    sizes = whole_numbers(many, len(many), 1, "windows: the length")
    return Windows(sizes, placing(len(sizes), stride, dilation))(as_tensor(x))
