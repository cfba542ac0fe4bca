"""Convolutions as ops, over one, two or three axes, and their adjoints: each other's gradients.

Inputs are (n, channels, *sizes), filters (filters, channels, *lengths). Natively each is one
product of matrices per image, of the filters and of the image's windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.elementwise import needs_none
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
from workbench.core.types import FLOATS, Shape, TensorType, tensor_type
from workbench.errors import DtypeError, RankError, ShapeError
from workbench.frozen import frozen


@frozen
class _Conv(Op):
    """What the three have in common.

    flip      whether the filters are turned round: a convolution; else a correlation
    groups    channels and filters fall into so many groups that have nothing to do with each other
    """

    place: Placing
    flip: bool = True
    groups: int = 1

    @property
    def ndim(self) -> int:
        return self.place.ndim

    def filters(self, w: Any) -> Any:
        """The filters as a correlation takes them."""
        return np.flip(w, tuple(range(2, w.ndim))) if self.flip else w

    def pads(self, lengths: Sequence[int]) -> list[tuple[int, int]]:
        return [self.place.pad(i, length) for i, length in enumerate(lengths)]

    def windows(self, x: Any, lengths: Sequence[int]) -> Any:
        """(n, channels, *counts, *lengths), after padding."""
        counts = self.place.checked(x.shape[2:], lengths, self.label)
        whole = padded(x, self.pads(lengths))
        return view_of_windows(whole, self.place, counts, lengths)

    def parts(self, x: Any, axis: int) -> list[Any]:
        """One part for each group."""
        return np.split(x, self.groups, axis)

    def check_types(self, *inputs: Variable) -> None:
        """Raises RankError or DtypeError for what is not two tensors of the rank, of one float
        dtype.
        """
        types = [tensor_type(v) for v in inputs]
        if any(t.ndim != self.ndim + 2 for t in types):
            raise RankError(
                f"{self.label} takes tensors of {self.ndim + 2} axes: (n, channels, sizes…) and "
                "(filters, channels, lengths…)",
                advice="add axes with dimshuffle, or reshape",
            )
        if len({t.dtype for t in types}) > 1 or types[0].dtype not in FLOATS:
            raise DtypeError(
                f"{self.label} takes two tensors of one float dtype",
                advice="cast them to one of float16, float32 and float64",
            )

    @property
    def title(self) -> str:
        return f"conv{self.ndim}d"

    @property
    def label(self) -> str:
        return self.title

    def __str__(self) -> str:
        parts = [str(self.place)]
        parts += ["no flip"] if not self.flip else []
        parts += [f"groups={self.groups}"] if self.groups > 1 else []
        name = f"{type(self).__name__.replace('Conv', f'Conv{self.ndim}d', 1)}"
        return f"{name}{{{', '.join(parts)}}}"


@frozen
class Conv(_Conv):
    """Images convolved with filters: x (n, c, *sizes), w (f, c / groups, *lengths) to (n, f,
    *counts).
    """

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        self.check_types(*inputs)
        x, w = (tensor_type(v) for v in inputs)
        self._check_channels(x.shape, w.shape)
        sizes, lengths = x.shape[2:], w.shape[2:]
        counts = self.place.counts(sizes, lengths)
        if None not in counts:
            self.place.checked(sizes, lengths, self.label)  # type: ignore[arg-type]
        return [TensorType(x.dtype, (x.shape[0], w.shape[0], *counts))]

    def _check_channels(self, x: Shape, w: Shape) -> None:
        wrong = None
        if x[1] is not None and w[1] is not None and x[1] != w[1] * self.groups:
            wrong = f"the images have {x[1]} channels, the filters are for {w[1] * self.groups}"
        elif w[0] is not None and w[0] % self.groups:
            wrong = f"{w[0]} filters do not fall into {self.groups} groups"
        if wrong:
            raise ShapeError(
                f"{self.label}: {wrong}",
                f"images of {x}, filters of {w}, groups {self.groups}",
                advice="filters are (filters, channels / groups, lengths…)",
            )

    def evaluate(self, *values: Array) -> Sequence[Array]:
        x, w = values
        self._check_channels(x.shape, w.shape)
        windows, n = self.windows(x, w.shape[2:]), self.ndim
        axes = (range(2 + n, 2 + 2 * n), range(2, 2 + n))
        found = [
            np.moveaxis(np.tensordot(v, f, ((1, *axes[0]), (1, *axes[1]))), -1, 1)
            for v, f in zip(self.parts(windows, 1), self.parts(self.filters(w), 0), strict=True)
        ]
        return [np.concatenate(found, 1)]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        x, w = inputs
        (g,) = gradients
        if g is None:
            return [None, None]
        return [self.to_images(w, g, x), self.to_filters(x, g, w)]

    def to_images(self, w: Any, g: Any, x: Any) -> Any:
        """The adjoint by the images, in x's shape; None where x takes no gradient."""
        return None if needs_none(x) else _adjoint(ConvImages, self, w, g, x)

    def to_filters(self, x: Any, g: Any, w: Any) -> Any:
        """The adjoint by the filters, in w's shape; None where w takes no gradient."""
        return None if needs_none(w) else _adjoint(ConvFilters, self, x, g, w)

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        x, w = (shape_tuple(v) for v in inputs)
        return [[x[0], w[0], *self.place.counts(x[2:], w[2:])]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        w = inputs[1]
        return 2 * int(outputs[0].size) * (int(w.size) // max(int(w.shape[0]), 1))


def _adjoint(kind: Any, op: Any, a: Any, b: Any, like: Any) -> Any:
    """An adjoint of a convolution in the shape of `like`."""
    sizes = shape_tuple(like)[2:]
    made = kind(op.place, op.flip, op.groups, static_lengths(sizes))
    return made(a, b, *map(as_scalar_int, sizes))


@frozen
class _Adjoint(_Conv):
    """An adjoint of `Conv`: two tensors and the sizes that the result's last axes have."""

    sizes: Shape = ()

    def connected(self, index: int) -> bool:
        return index < 2

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        g, filters = inputs[1], outputs[0] if isinstance(self, ConvFilters) else inputs[0]
        return 2 * int(g.size) * (int(filters.size) // max(int(filters.shape[0]), 1))

    def forward(self) -> Conv:
        return Conv(self.place, self.flip, self.groups)

    def check_counts(self, sizes: Sequence[int], lengths: Sequence[int], g: Array) -> None:
        """Raises ShapeError where a convolution of these sizes has another shape than g."""
        counts = self.place.checked(sizes, lengths, self.label)
        if tuple(counts) != g.shape[2:]:
            raise ShapeError(
                f"{self.label}: a convolution of images of {tuple(sizes)} with filters of "
                f"{tuple(lengths)} is of {tuple(counts)}, not of {g.shape[2:]}",
                advice="give the shape of the images that it comes from",
            )


@frozen
class ConvImages(_Adjoint):
    """What flows back to the images, also called a transposed convolution: w (f, c / groups,
    *lengths), g (n, f, *counts) to (n, c, *sizes).
    """

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        self.check_types(*inputs[:2])
        w, g = (tensor_type(v) for v in inputs[:2])
        if None not in (w.shape[0], g.shape[1]) and w.shape[0] != g.shape[1]:
            raise self._other_channels(w.shape, g.shape)
        channels = None if w.shape[1] is None else w.shape[1] * self.groups
        return [TensorType(w.dtype, (g.shape[0], channels, *self.sizes))]

    def _other_channels(self, w: Shape, g: Shape) -> ShapeError:
        return ShapeError(
            f"{self.label}: the input has {g[1]} channels, there are {w[0]} filters",
            f"filters of {w}, input of {g}",
            advice="filters are (channels of the input, channels of the result, lengths…)",
        )

    def evaluate(self, *values: Array) -> Sequence[Array]:
        w, g = values[:2]
        if w.shape[0] != g.shape[1]:
            raise self._other_channels(w.shape, g.shape)
        sizes, lengths = [int(n) for n in values[2:]], w.shape[2:]
        self.check_counts(sizes, lengths, g)
        pads = self.pads(lengths)
        larger = [s + a + b for s, (a, b) in zip(sizes, pads, strict=True)]
        x = np.zeros((g.shape[0], w.shape[1] * self.groups, *larger), g.dtype)
        groups = (self.parts(x, 1), self.parts(self.filters(w), 0), self.parts(g, 1))
        for part, f, gradient in zip(*groups, strict=True):
            windows = np.tensordot(gradient, f, (1, 0))  # n, counts, channels, lengths
            add_windows(part, np.moveaxis(windows, 1 + self.ndim, 1), self.place, lengths)
        return [inside(x, pads, sizes)]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        w, g, *sizes = inputs
        (u,) = gradients
        if u is None:
            return [None] * len(inputs)
        conv = self.forward()
        back = None if needs_none(g) else conv(u, w)
        return [conv.to_filters(u, g, w), back, *[None] * len(sizes)]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        w, g = (shape_tuple(v) for v in inputs[:2])
        return [[g[0], w[1] * self.groups, *known_or(self.sizes, inputs[2:])]]

    @property
    def label(self) -> str:
        return f"{self.title} to images"


@frozen
class ConvFilters(_Adjoint):
    """What flows back to the filters: x (n, c, *sizes), g (n, f, *counts) to (f, c / groups,
    *lengths).
    """

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        self.check_types(*inputs[:2])
        x, g = (tensor_type(v) for v in inputs[:2])
        channels = None if x.shape[1] is None else x.shape[1] // self.groups
        return [TensorType(x.dtype, (g.shape[1], channels, *self.sizes))]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        x, g = values[:2]
        lengths = [int(n) for n in values[2:]]
        self.check_counts(x.shape[2:], lengths, g)
        windows, n = self.windows(x, lengths), self.ndim
        axes = (0, *range(2, 2 + n))
        found = [
            np.tensordot(gradient, v, (axes, axes))
            for gradient, v in zip(self.parts(g, 1), self.parts(windows, 1), strict=True)
        ]
        return [np.ascontiguousarray(self.filters(np.concatenate(found, 0)))]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        x, g, *sizes = inputs
        (u,) = gradients
        if u is None:
            return [None] * len(inputs)
        conv = self.forward()
        back = None if needs_none(g) else conv(x, u)
        return [conv.to_images(u, g, x), back, *[None] * len(sizes)]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        x, g = (shape_tuple(v) for v in inputs[:2])
        channels = x[1] if self.groups == 1 else x[1] // self.groups
        return [[g[1], channels, *known_or(self.sizes, inputs[2:])]]

    @property
    def label(self) -> str:
        return f"{self.title} to filters"
