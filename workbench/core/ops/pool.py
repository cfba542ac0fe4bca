"""Pooling as ops: the maximum or the sum of every window of the last axes, and what flows back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.elementwise import needs_none
from workbench.core.ops.scalars import maximum
from workbench.core.ops.shape import as_scalar_int, shape_tuple
from workbench.core.ops.windows import (
    Placing,
    add_windows,
    inside,
    known_or,
    padded,
    static_lengths,
    view_of_windows,
)
from workbench.core.scalar import lowest
from workbench.core.types import Shape, TensorType, tensor_type
from workbench.errors import DtypeError, RankError, ShapeError
from workbench.frozen import frozen


@frozen
class _Pool(Op):
    """Windows of these lengths over the last axes.

    pad      how many elements are put before and after each axis: less than a window has
    partial  whether there are windows that reach over the end, as far as they begin inside
    """

    lengths: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    partial: bool = False

    @property
    def ndim(self) -> int:
        return len(self.lengths)

    @property
    def place(self) -> Placing:
        """Of the windows over what is padded."""
        return Placing(self.stride, (1,) * self.ndim)

    @property
    def parameters(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], bool]:
        """What all ops over these windows have."""
        return self.lengths, self.stride, self.pad, self.partial

    def count(self, axis: int, size: Any) -> Any:
        """How many windows an axis of this size (an int, or an int64 scalar variable) has."""
        length, stride = self.lengths[axis], self.stride[axis]
        size = size + 2 * self.pad[axis] if self.pad[axis] else size
        if not self.partial:
            return (size - length) // stride + 1
        if stride >= length:
            return (size - 1) // stride + 1
        more = (size - 1 - length + stride) // stride
        return (max(more, 0) if isinstance(more, int) else maximum(more, 0)) + 1

    def counts(self, sizes: Sequence[Any]) -> list[Any]:
        return [None if n is None else self.count(i, n) for i, n in enumerate(sizes)]

    def checked(self, sizes: Sequence[int]) -> list[int]:
        """The numbers of windows. Raises ShapeError where none fits."""
        counts = self.counts(sizes)
        if any(n < 1 for n in counts):
            raise ShapeError(
                f"{self.label}: a window of {self.lengths} does not fit into {tuple(sizes)}",
                advice="use smaller windows, pad, or ignore_border=False",
            )
        return counts

    def pads(self, sizes: Sequence[int]) -> list[tuple[int, int]]:
        """How many elements are put before and after, so that all windows lie inside."""
        found = []
        for i, (count, size) in enumerate(zip(self.checked(sizes), sizes, strict=True)):
            needed = (count - 1) * self.stride[i] + self.lengths[i]
            found.append((self.pad[i], max(needed - size - self.pad[i], 0)))
        return found

    def windows(self, x: Any, fill: Any) -> Any:
        """All of them: (…, *counts, *lengths)."""
        sizes = x.shape[x.ndim - self.ndim :]
        whole = padded(x, self.pads(sizes), fill)
        return view_of_windows(whole, self.place, self.checked(sizes), self.lengths)

    def spread(self, windows: Any, sizes: Sequence[int]) -> Any:
        """Windows added up to axes of these sizes."""
        pads = self.pads(sizes)
        lead = windows.shape[: windows.ndim - 2 * self.ndim]
        larger = [s + a + b for s, (a, b) in zip(sizes, pads, strict=True)]
        x = np.zeros((*lead, *larger), windows.dtype)
        add_windows(x, windows, self.place, self.lengths)
        return inside(x, pads, sizes)

    def over_windows(self, x: Any) -> Any:
        """With an axis of length 1 for each of the windows' axes."""
        return x.reshape(x.shape + (1,) * self.ndim)

    def check_rank(self, variable: Variable) -> None:
        """Raises RankError, DtypeError."""
        t = tensor_type(variable)
        if t.ndim < self.ndim:
            raise RankError(
                f"{self.label} over {self.ndim} axes: there are {t.ndim}",
                advice="add axes with dimshuffle",
            )
        if t.dtype[0] == "c":
            raise DtypeError(
                f"{self.label} is not defined on complex numbers",
                advice="pool their real and imaginary parts",
            )

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        pooled = min(int(i.size) for i in (*inputs, *outputs) if getattr(i, "shape", ()))
        return pooled * int(np.prod(self.lengths))

    def __str__(self) -> str:
        parts = [str(self.lengths)]
        parts += [f"stride={self.stride}"] if self.stride != self.lengths else []
        parts += [f"pad={self.pad}"] if any(self.pad) else []
        parts += ["partial"] if self.partial else []
        return f"{type(self).__name__}{{{', '.join(parts)}}}"


class _Pooled(_Pool):
    """From x (…, *sizes) to (…, *counts)."""

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        self.check_rank(inputs[0])
        t = tensor_type(inputs[0])
        lead, sizes = t.shape[: t.ndim - self.ndim], t.shape[t.ndim - self.ndim :]
        counts = self.counts(sizes)
        if None not in sizes:
            self.checked(sizes)  # type: ignore[arg-type]
        return [TensorType(t.dtype, (*lead, *counts))]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        dims = shape_tuple(inputs[0])
        lead = len(dims) - self.ndim
        return [[*dims[:lead], *self.counts(dims[lead:])]]

    @property
    def inner(self) -> tuple[int, ...]:
        """The axes of what is in a window."""
        return tuple(range(-self.ndim, 0))


@frozen
class MaxPool(_Pooled):
    """The largest element of every window; what is put round it counts for nothing."""

    def evaluate(self, *values: Array) -> Sequence[Array]:
        (x,) = values
        return [self.windows(x, lowest(str(x.dtype))).max(self.inner)]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (x,), (y,), (g,) = inputs, outputs, gradients
        if g is None or needs_none(x):
            return [None]
        return [ToMaxima(*self.parameters)(x, y, g)]

    @property
    def label(self) -> str:
        return "max pool"


@frozen
class SumPool(_Pooled):
    """The sum of every window's elements."""

    def evaluate(self, *values: Array) -> Sequence[Array]:
        (x,) = values
        return [np.asarray(self.windows(x, 0).sum(self.inner), x.dtype)]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (x,), (g,) = inputs, gradients
        if g is None or needs_none(x):
            return [None]
        sizes = shape_tuple(x)[-self.ndim :]
        back = SpreadPool(*self.parameters, static_lengths(sizes))
        return [back(g, *map(as_scalar_int, sizes))]

    @property
    def label(self) -> str:
        return "sum pool"


@frozen
class SpreadPool(_Pool):
    """The adjoint of `SumPool`: every element to all places of its window. Inputs: (…, *counts) and
    the sizes of the result's last axes.
    """

    sizes: Shape = ()

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        self.check_rank(inputs[0])
        t = tensor_type(inputs[0])
        return [TensorType(t.dtype, (*t.shape[: t.ndim - self.ndim], *self.sizes))]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        g, *sizes = values
        wanted = [int(n) for n in sizes]
        counts = tuple(self.checked(wanted))
        if counts != g.shape[g.ndim - self.ndim :]:
            raise ShapeError(
                f"{self.label}: {g.shape[g.ndim - self.ndim :]} windows do not come from axes of "
                f"{tuple(wanted)}",
                advice=f"there are {counts} of them",
            )
        windows = np.broadcast_to(self.over_windows(g), g.shape + self.lengths)
        return [self.spread(windows, wanted)]

    def connected(self, index: int) -> bool:
        return index == 0

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (u,) = gradients
        rest = [None] * (len(inputs) - 1)
        if u is None or needs_none(inputs[0]):
            return [None, *rest]
        return [SumPool(*self.parameters)(u), *rest]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        dims = shape_tuple(inputs[0])
        return [[*dims[: len(dims) - self.ndim], *known_or(self.sizes, inputs[1:])]]

    @property
    def label(self) -> str:
        return "spread"


@frozen
class ToMaxima(_Pool):
    """What flows back from `MaxPool`: x, its result y and a g of y's shape to x's shape. g goes to
    every element of a window that equals its maximum.
    """

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        self.check_rank(inputs[0])
        x, _, g = (tensor_type(v) for v in inputs)
        return [TensorType(g.dtype, x.shape)]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        x, y, g = values
        largest = self.windows(x, lowest(str(x.dtype))) == self.over_windows(y)
        zero = np.zeros((), g.dtype)
        return [
            self.spread(
                np.where(largest, self.over_windows(g), zero), x.shape[x.ndim - self.ndim :]
            )
        ]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        x, y, _ = inputs
        (u,) = gradients
        if u is None:
            return [None] * 3
        return [None, None, FromMaxima(*self.parameters)(x, y, u)]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])]

    @property
    def label(self) -> str:
        return "to maxima"


@frozen
class FromMaxima(_Pool):
    """The adjoint of `ToMaxima` by g: the sum of u over the elements of a window that equal its
    maximum.
    """

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        self.check_rank(inputs[0])
        _, y, u = (tensor_type(v) for v in inputs)
        return [TensorType(u.dtype, y.shape)]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        x, y, u = values
        largest = self.windows(x, lowest(str(x.dtype))) == self.over_windows(y)
        inner = tuple(range(-self.ndim, 0))
        chosen = np.where(largest, self.windows(u, 0), np.zeros((), u.dtype))
        return [np.asarray(chosen.sum(inner), u.dtype)]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        x, y, _ = inputs
        (g,) = gradients
        if g is None:
            return [None] * 3
        return [None, None, ToMaxima(*self.parameters)(x, y, g)]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[1])]

    @property
    def label(self) -> str:
        return "from maxima"
