"""Samples: windows, convolutions and pools, against SciPy and plain loops."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from workbench.core.ops.convolution import Conv, ConvFilters, ConvImages
from workbench.core.ops.pool import FromMaxima, MaxPool, SpreadPool, SumPool, ToMaxima
from workbench.core.ops.shape import as_scalar_int
from workbench.core.ops.windows import AddWindows, Placing, Windows, placing
from workbench.core.samples.declare import Sample, numbers, of

# Any: arrays of numbers


def _slide(x: Any, lengths: Any, stride: Any, dilation: Any) -> Any:
    """All windows, by NumPy's own view."""
    n = len(lengths)
    spans = [(k - 1) * d + 1 for k, d in zip(lengths, dilation, strict=True)]
    axes = tuple(range(x.ndim - n, x.ndim))
    view: Any = np.lib.stride_tricks.sliding_window_view(x, spans, axes)
    outer = tuple(slice(None, None, s) for s in stride)
    return view[(..., *outer, *(slice(None, None, d) for d in dilation))]


@of(Windows)
def _windows() -> Iterator[Sample]:
    for lengths, stride, dilation in (
        ((2,), (1,), (1,)),
        ((3,), (2,), (2,)),
        ((2, 3), (2, 1), (1, 1)),
        ((2, 2), (2, 2), (1, 2)),
    ):
        yield Sample(
            f"{lengths} {stride} {dilation}",
            Windows(lengths, Placing(stride, dilation)),
            (numbers(2, 5, 6),),
            lambda x, a=lengths, s=stride, d=dilation: _slide(x, a, s, d),
            smooth=(0,),
        )
    yield Sample(
        "no rows",
        Windows((2,), placing(1)),
        (numbers(0, 4),),
        lambda x: _slide(x, (2,), (1,), (1,)),
    )


@of(AddWindows)
def _add_windows() -> Iterator[Sample]:
    for lengths, stride, dilation in (((3,), (1,), (1,)), ((2, 2), (2, 1), (1, 2))):
        op = AddWindows(lengths, Placing(stride, dilation), (None,) * len(lengths))
        sizes = (5, 6)[2 - len(lengths) :]
        probe = _slide(np.arange(30.0).reshape(5, 6), lengths, stride, dilation)
        yield Sample(
            f"{lengths} {stride} {dilation}",
            lambda v, op=op, sizes=sizes: op(v, *map(as_scalar_int, sizes)),
            (numbers(*probe.shape),),
            lambda v, a=lengths, s=stride, d=dilation: _added(v, a, s, d),
            8,
            (0,),
        )


def _added(v: Any, lengths: Any, stride: Any, dilation: Any) -> Any:
    """Every element to where it comes from: found by the windows of the places' numbers."""
    numbers_of = _slide(np.arange(30).reshape(5, 6), lengths, stride, dilation)
    result: Any = np.zeros(30)
    np.add.at(result, numbers_of.ravel(), v.ravel())
    return result.reshape(5, 6)


def _dilated(w: Any, dilation: Any) -> Any:
    n = len(dilation)
    lengths = [(k - 1) * d + 1 for k, d in zip(w.shape[-n:], dilation, strict=True)]
    result: Any = np.zeros((*w.shape[:-n], *lengths), w.dtype)
    result[(..., *(slice(None, None, d) for d in dilation))] = w
    return result


def convolved(x: Any, w: Any, op: Conv) -> Any:
    """A convolution, pair by pair of channels, by SciPy."""
    from scipy.signal import convolve, correlate

    pads = [op.place.pad(i, k) for i, k in enumerate(w.shape[2:])]
    x = np.pad(x, [(0, 0), (0, 0), *pads])
    w = _dilated(w, op.place.dilation)
    steps = tuple(slice(None, None, s) for s in op.place.stride)
    each, filters = x.shape[1] // op.groups, w.shape[0] // op.groups
    function: Callable[..., Any] = convolve if op.flip else correlate
    images = [
        [
            sum(
                function(image[f // filters * each + c], w[f, c], "valid", "direct")
                for c in range(each)
            )
            for f in range(w.shape[0])
        ]
        for image in x
    ]
    found: Any = np.array(images)
    return found[(..., *steps)]


def _adjoint(op: Conv, which: int, shape: Any) -> Callable[..., Any]:
    """The adjoint by one operand: a convolution is linear in it, so its matrix is made column by
    column.
    """

    def apply(other: Any, g: Any) -> Any:
        result: Any = np.zeros(shape, g.dtype)
        for place in np.ndindex(*shape):
            unit = np.zeros(shape, g.dtype)
            unit[place] = 1
            x, w = (unit, other) if which == 0 else (other, unit)
            result[place] = (convolved(x, w, op) * g).sum()
        return result

    return apply


_CONVOLUTIONS = {
    "valid": (Conv(placing(2)), (2, 3, 5, 4), (2, 3, 2, 3)),
    "correlation": (Conv(placing(2), False), (1, 2, 4, 4), (2, 2, 3, 2)),
    "full": (Conv(placing(2, border="full")), (1, 2, 3, 3), (2, 2, 2, 3)),
    "half, strides": (Conv(placing(2, (2, 1), border="half")), (1, 2, 5, 4), (2, 2, 3, 3)),
    "groups, dilation": (
        Conv(placing(2, 1, (2, 1), (1, 2)), groups=2), (1, 4, 4, 3), (4, 2, 2, 2),
    ),
    "uneven border": (Conv(placing(1, 2, 1, ((0, 2),))), (2, 1, 5), (1, 1, 2)),
    "three axes": (Conv(placing(3)), (1, 1, 3, 3, 2), (1, 1, 2, 2, 2)),
}  # fmt: skip


@of(Conv)
def _conv() -> Iterator[Sample]:
    for name, (op, x, w) in _CONVOLUTIONS.items():
        for dtype in ("float64", "float32") if name == "valid" else ("float64",):
            yield Sample(
                f"{name} {dtype}",
                op,
                (numbers(*x, dtype=dtype), numbers(*w, dtype=dtype, seed=1)),
                lambda x, w, op=op: convolved(x, w, op),
                32,
                (0, 1) if dtype == "float64" else (),
            )
    op = Conv(placing(2))
    yield Sample(
        "no images",
        op,
        (numbers(0, 2, 3, 3), numbers(1, 2, 2, 2)),
        lambda x, w: np.zeros((0, 1, 2, 2)),
    )
    yield Sample(
        "no channels",
        op,
        (numbers(1, 0, 3, 3), numbers(2, 0, 2, 2)),
        lambda x, w: np.zeros((1, 2, 2, 2)),
    )


@of(ConvImages)
def _conv_images() -> Iterator[Sample]:
    for name, (op, x, w) in _CONVOLUTIONS.items():
        adjoint = ConvImages(op.place, op.flip, op.groups, (None,) * op.ndim)
        g = convolved(np.zeros(x), np.zeros(w), op).shape
        yield Sample(
            name,
            lambda w, g, a=adjoint, x=x: a(w, g, *map(as_scalar_int, x[2:])),
            (numbers(*w), numbers(*g, seed=1)),
            _adjoint(op, 0, x),
            64,
            (0, 1),
        )


@of(ConvFilters)
def _conv_filters() -> Iterator[Sample]:
    for name, (op, x, w) in _CONVOLUTIONS.items():
        adjoint = ConvFilters(op.place, op.flip, op.groups, (None,) * op.ndim)
        g = convolved(np.zeros(x), np.zeros(w), op).shape
        yield Sample(
            name,
            lambda x, g, a=adjoint, w=w: a(x, g, *map(as_scalar_int, w[2:])),
            (numbers(*x), numbers(*g, seed=1)),
            _adjoint(op, 1, w),
            64,
            (0, 1),
        )


_POOLS = {
    "side by side": ((2, 2), (2, 2), (0, 0), False),
    "overlapping": ((3, 2), (1, 2), (0, 0), False),
    "padded": ((2, 3), (2, 1), (1, 2), False),
    "partial": ((3, 2), (2, 3), (0, 0), True),
    "apart": ((1, 2), (3, 3), (0, 0), True),
    "one axis": ((3,), (2,), (1,), False),
    "large": ((5, 4), (1, 1), (0, 0), False),
}


def _places(x: Any, op: Any) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """For every window its number and where it lies in x."""
    n = len(op.lengths)
    starts = []
    for size, k, s, p in zip(x.shape[-n:], op.lengths, op.stride, op.pad, strict=True):
        last = size + p - k if not op.partial else size - 1
        along = list(range(-p, last + 1, s))
        while op.partial and len(along) > 1 and along[-2] + k >= size and s < k:
            along.pop()  # the window before reaches the end already
        starts.append(along)
    for where in itertools.product(*(range(len(s)) for s in starts)):
        corner = [s[i] for s, i in zip(starts, where, strict=True)]
        yield where, tuple(slice(max(c, 0), c + k) for c, k in zip(corner, op.lengths, strict=True))


def pooled(x: Any, op: Any, combine: Callable[..., Any]) -> Any:
    """A pool, window by window."""
    n = len(op.lengths)
    found = {i: combine(x[(..., *w)], tuple(range(-n, 0))) for i, w in _places(x, op)}
    counts = tuple(np.max(list(found), axis=0) + 1)
    result: Any = np.zeros((*x.shape[:-n], *counts), x.dtype)
    for i, value in found.items():
        result[(..., *i)] = value
    return result


@of(MaxPool)
def _max_pool() -> Iterator[Sample]:
    for name, parameters in _POOLS.items():
        for dtype in ("float64", "float32", "int8", "bool") if name == "padded" else ("float64",):
            op = MaxPool(*parameters)
            yield Sample(
                f"{name} {dtype}",
                op,
                (numbers(2, 5, 6, dtype=dtype),),
                lambda x, op=op: pooled(x, op, np.max),
                0,
                (0,) if dtype == "float64" else (),
            )
    nan = np.array([[1, np.nan, 0, 2.0], [1, 1, 0, 2]])
    op = MaxPool(*_POOLS["side by side"])
    yield Sample("nan", op, (nan,), lambda x: pooled(x, op, np.max))


@of(SumPool)
def _sum_pool() -> Iterator[Sample]:
    for name, parameters in _POOLS.items():
        op = SumPool(*parameters)
        for dtype in ("float64", "int32") if name == "padded" else ("float64",):
            yield Sample(
                f"{name} {dtype}",
                op,
                (numbers(2, 5, 6, dtype=dtype),),
                lambda x, op=op: pooled(x, op, np.sum),
                8,
                (0,) if dtype == "float64" else (),
            )


@of(SpreadPool)
def _spread_pool() -> Iterator[Sample]:
    for name, parameters in _POOLS.items():
        n = len(parameters[0])
        op = SpreadPool(*parameters, (None,) * n)
        g = pooled(np.zeros((2, 5, 6)), op, np.sum).shape
        yield Sample(
            name,
            lambda g, op=op, n=n: op(g, *map(as_scalar_int, (5, 6)[2 - n :])),
            (numbers(*g),),
            lambda g, op=op: _spread(g, np.ones((2, 5, 6)), op),
            8,
            (0,),
        )


def _spread(g: Any, weights: Any, op: Any, x: Any = None) -> Any:
    """Each element of g added to its window, or to the elements of x that are its maximum."""
    result: Any = np.zeros(weights.shape, g.dtype)
    n = len(op.lengths)
    for i, where in _places(weights, op):
        value = g[(..., *i)][(..., *(None,) * n)]
        part = (
            1
            if x is None
            else x[(..., *where)] == x[(..., *where)].max(tuple(range(-n, 0)), keepdims=True)
        )
        result[(..., *where)] += value * part
    return result


_EQUAL = np.array([[[1.0, 1, 0, 2, 2, 2], [0, 1, 0, 2, 3, 1]] * 2])


@of(ToMaxima)
def _to_maxima() -> Iterator[Sample]:
    for name, parameters in _POOLS.items():
        op, pool = ToMaxima(*parameters), MaxPool(*parameters)
        for what, x in (("", numbers(2, 5, 6)), (", equal elements", _EQUAL)):
            if what and name == "large":
                continue
            y = pooled(x, pool, np.max)
            yield Sample(
                name + what,
                lambda g, x=x, y=y, op=op: op(_fixed(x), _fixed(y), g),
                (numbers(*y.shape, seed=2),),
                lambda g, x=x, op=op: _spread(g, x, op, x),
                8,
                (0,),
            )


@of(FromMaxima)
def _from_maxima() -> Iterator[Sample]:
    for name, parameters in _POOLS.items():
        op, x = FromMaxima(*parameters), numbers(2, 5, 6)
        y = pooled(x, MaxPool(*parameters), np.max)
        yield Sample(
            name,
            lambda u, x=x, y=y, op=op: op(_fixed(x), _fixed(y), u),
            (numbers(2, 5, 6, seed=3),),
            lambda u, x=x, op=op: _taken(u, x, op),
            8,
            (0,),
        )


def _taken(u: Any, x: Any, op: Any) -> Any:
    n = len(op.lengths)
    y = pooled(x, op, np.max)
    result: Any = np.zeros(y.shape)
    for i, where in _places(x, op):
        same = x[(..., *where)] == y[(..., *i)][(..., *(None,) * n)]
        result[(..., *i)] = (u[(..., *where)] * same).sum(tuple(range(-n, 0)))
    return result


def _fixed(value: Any) -> Any:
    from workbench.core.types import as_tensor

    return as_tensor(value)
