"""Convolutions and their adjoints on a device: each is a product of a matrix and windows, which one
tiled kernel gathers as it goes, so that no columns lie in memory.

What flows back to images is a convolution of the results. Where windows lie a stride apart, images
fall into phases, by the rest of a place divided by the stride: each phase reads other taps of the
filters, and is a convolution of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.core.graph import Apply, Op
from workbench.core.native.emit_convolution import of_one_group, turned
from workbench.core.native.emit_loops import Sink, run_loops
from workbench.core.native.emit_windows import (
    Axis,
    at_every_place,
    axes_of,
    divide,
    remainder,
    sizes_of,
)
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.convolution import Conv, ConvFilters, ConvImages
from workbench.core.scalar import ScalarBuilder
from workbench.core.types import tensor_type
from workbench.frozen import frozen
from workbench.gpu.dialect import c_type
from workbench.gpu.handmade import kernel
from workbench.gpu.ops import convolution
from workbench.gpu.ops.windows import MOST_AXES
from workbench.gpu.parts import Pair
from workbench.gpu.shares import over
from workbench.gpu.writer import DeviceWriter

FLAT, DEEP, COLUMNS = 32, 64, "128"
"""A tile has so many rows: fewer where all of them are few."""

LEAST_STEPS = "256"
"""A work group sums up over at least so many, before others take a part of them."""

FARTHEST = 1 << 30
"""Places along an axis are counted in 32 bits."""


@frozen
class Glide:
    """Where an element of windows is along an axis: at origin + v pace + y reach."""

    origin: Name
    pace: Name
    reach: Name


def emit_conv(w: Writer, node: Apply) -> None:
    """Results: filters times windows."""
    assert isinstance(w, DeviceWriter)
    op = node.op
    assert isinstance(op, Conv)
    x, filters = _operands(w, node)
    w.same(x.dims[1], w.integer("mul", filters.dims[1], str(op.groups)))
    of_one_group(w, filters.dims[0], op.groups)
    axes = _axes(w, op, x.dims[2:], filters.dims[2:])
    out = w.allocate(node.out, [x.dims[0], filters.dims[0], *(a.count for a in axes)])
    results = _grouped(w, out, 1, op.groups, swap=True)
    left = _grouped(w, turned(w, filters, op.flip), 0, op.groups)
    _multiply(w, _in_one_part(results), left, _grouped(w, x, 1, op.groups), _glides(w, op, axes))
    w.bind(node.out, out)


def emit_conv_filters(w: Writer, node: Apply) -> None:
    """Filters: results times windows. The sums are long and there are few of them, so that work
    groups share each.
    """
    assert isinstance(w, DeviceWriter)
    op = node.op
    assert isinstance(op, ConvFilters)
    x, g = _operands(w, node)
    w.same(x.dims[0], g.dims[0])
    channels = of_one_group(w, x.dims[1], op.groups)
    of_one_group(w, g.dims[1], op.groups)
    axes = _axes(w, op, x.dims[2:], sizes_of(w, op.sizes, node.inputs[2:]), g.dims[2:])
    out = w.allocate(node.out, [g.dims[1], channels, *(a.length for a in axes)])
    parts = _parts(w, out, w.multiply(g.dims[0], *g.dims[2:]), op.groups)
    partial = w.scratch(out.dtype, [parts, *out.dims], device=out.device)
    one = turned(w, partial.view(partial.data, out.dims, out.strides), op.flip)
    results = _in_parts(_grouped(w, one, 0, op.groups), parts, partial.strides[0])
    left = _grouped(w, g, 1, op.groups, swap=True)
    source = _grouped(w, x, 1, op.groups, swap=True)
    turned_round = [Glide(a.origin, a.reach, a.pace) for a in _glides(w, op, axes)]
    _multiply(w, results, left, source, turned_round, by_column=False)
    program = ScalarBuilder((out.dtype,)).program(0)
    run_loops(w, program, partial.dims, [partial], [Sink(out, 0, "add", out.dtype)], (0,))
    w.bind(node.out, out)


def emit_conv_images(w: Writer, node: Apply) -> None:
    """Images: filters times the windows of results that reach a place, phase by phase."""
    assert isinstance(w, DeviceWriter)
    op = node.op
    assert isinstance(op, ConvImages)
    filters, g = _operands(w, node)
    w.same(filters.dims[0], g.dims[1])
    of_one_group(w, filters.dims[0], op.groups)
    sizes = sizes_of(w, op.sizes, node.inputs[2:])
    axes = _axes(w, op, sizes, filters.dims[2:], g.dims[2:])
    channels = w.integer("mul", filters.dims[1], str(op.groups))
    out = w.allocate(node.out, [g.dims[0], channels, *sizes])
    source, taps = _grouped(w, g, 1, op.groups), turned(w, filters, op.flip)

    def phase(where: Sequence[Name]) -> None:
        phases = [
            _phase(w, *given)
            for given in zip(axes, op.place.stride, op.place.dilation, where, strict=True)
        ]
        images = _every(w, out, [p.places for p in phases])
        left = _every(w, taps, [p.taps for p in phases])
        results = _in_one_part(_grouped(w, images, 1, op.groups, swap=True))
        matrix = _grouped(w, left, 0, op.groups, swap=True)
        _multiply(w, results, matrix, source, [p.glide for p in phases])

    at_every_place(w, list(map(str, op.place.stride)), phase)
    w.bind(node.out, out)


# --- operands ---


def _operands(w: DeviceWriter, node: Apply) -> list[Tensor]:
    device = tensor_type(node.out).device
    return [w.placed(w.tensor(v), device) for v in node.inputs[:2]]


def _axes(
    w: Writer,
    op: Conv | ConvImages | ConvFilters,
    sizes: Sequence[Name],
    lengths: Sequence[Name],
    counts: Sequence[Name] | None = None,
) -> list[Axis]:
    """The axes; requires the windows to be as many as the results that there are."""
    axes = axes_of(w, op.place, sizes, lengths)
    for mine, theirs in zip(counts or (), axes, strict=False):
        w.same(mine, theirs.count)
    for a in axes:
        if not a.padded.isdigit():
            w.require(w.compare("slt", a.padded, str(FARTHEST)))
    return axes


def _glides(w: Writer, op: Conv | ConvFilters, axes: Sequence[Axis]) -> list[Glide]:
    """Where a tap of a window is, by the number of the window and that of the tap."""
    steps = zip(axes, op.place.stride, op.place.dilation, strict=True)
    return [Glide(w.integer("sub", "0", a.before), str(s), str(d)) for a, s, d in steps]


def _grouped(w: Writer, tensor: Tensor, axis: int, groups: int, swap: bool = False) -> Tensor:
    """A view with the groups, into which an axis falls, first; then the first two axes, the second
    one before where `swap`.
    """
    dims, strides = list(tensor.dims), list(tensor.strides)
    dims[axis] = divide(w, dims[axis], groups)
    apart = w.integer("mul", dims[axis], strides[axis])
    if swap:
        dims[:2], strides[:2] = dims[1::-1], strides[1::-1]
    return tensor.view(tensor.data, [str(groups), *dims], [apart, *strides])


def _in_parts(results: Tensor, parts: Name, apart: Name) -> Tensor:
    """A view with the axis of the parts that work groups have of each sum."""
    dims, strides = [parts, *results.dims], [apart, *results.strides]
    return results.view(results.data, dims, strides)


def _in_one_part(results: Tensor) -> Tensor:
    return _in_parts(results, "1", "0")


def _parts(w: DeviceWriter, out: Tensor, steps: Name, groups: int) -> Name:
    """How many work groups share a sum, so that the device is busy."""
    rows, columns = divide(w, out.dims[0], groups), w.multiply(*out.dims[1:])
    tiles = w.multiply(str(groups), _tiles_down(w, rows), over(w, columns, COLUMNS))
    busy = str(w.device(out.device).able.groups)
    fair = w.integer("sdiv", busy, w.call_i64("smax", tiles, "1"))
    return w.call_i64("smax", w.call_i64("smin", fair, over(w, steps, LEAST_STEPS)), "1")


def _tiles_down(w: Writer, rows: Name) -> Name:
    few = w.compare("sle", rows, str(FLAT))
    return w.select(few, over(w, rows, str(FLAT)), over(w, rows, str(DEEP)))


# --- phases ---


@frozen
class Every:
    """Elements of an axis: the first one's number, how far the next one is, how many."""

    first: Name
    step: int
    count: Name


@frozen
class Phase:
    """The places of a phase along an axis, the taps that reach them, and from where."""

    places: Every
    taps: Every
    glide: Glide


def _phase(w: Writer, axis: Axis, stride: int, dilation: int, first: Name) -> Phase:
    """Result p reaches place i by tap t where p stride + t dilation = i + before. For the i from
    `first` on, a stride apart, every `step`-th t does, from the `tap` on that solves it modulo the
    stride.
    """
    common = math.gcd(stride, dilation)
    step, apart = stride // common, dilation // common
    at = w.integer("add", first, axis.before)
    inverse = pow(apart, -1, step)
    tap = remainder(w, w.integer("mul", divide(w, at, common), str(inverse)), step)
    count = divide(w, w.integer("add", w.integer("sub", axis.length, tap), str(step - 1)), step)
    if common > 1:
        solved = w.compare("eq", remainder(w, at, common), "0")
        count = w.select(solved, count, "0")
    tap = w.call_i64("smin", tap, w.integer("sub", axis.length, "1"))  # an address that exists
    origin = w.integer(
        "sdiv", w.integer("sub", at, w.integer("mul", tap, str(dilation))), str(stride)
    )
    left = w.integer("add", w.integer("sub", axis.size, first), str(stride - 1))
    places = Every(first, stride, divide(w, left, stride))
    return Phase(places, Every(tap, step, count), Glide(origin, "1", str(-apart)))


def _every(w: Writer, tensor: Tensor, chosen: Sequence[Every]) -> Tensor:
    """A view of some elements of the last axes."""
    data, lead = tensor.data or "null", tensor.ndim - len(chosen)
    strides = list(tensor.strides[:lead])
    for every, stride in zip(chosen, tensor.strides[lead:], strict=True):
        data = w.offset(data, w.integer("mul", every.first, stride))
        strides.append(w.integer("mul", stride, str(every.step)))
    return tensor.view(data, [*tensor.dims[:lead], *(e.count for e in chosen)], strides)


# --- the product ---


def _multiply(
    w: DeviceWriter,
    out: Tensor,
    left: Tensor,
    source: Tensor,
    glides: Sequence[Glide],
    by_column: bool = True,
) -> None:
    """Queue the kernel: out of (part, group, row, u, v…), left of (group, row, x, y…), the source
    of (group, u, x, sizes…).
    """
    parts, groups, rows, u, *v = out.dims
    x, *y = left.dims[2:]
    tiles = _tiles_down(w, rows), over(w, w.multiply(u, *v), COLUMNS)
    part = over(w, w.multiply(x, *y), parts)
    (apart, of_out, *to), (of_left, *by), (of_source, *at) = (
        [w.integer("sdiv", s, str(t.itemsize)) for s in t.strides] for t in (out, left, source)
    )
    moves = zip(*((g.origin, g.pace, g.reach) for g in glides), strict=True)
    words = [
        *map(w.address, (out, left, source)), rows, u, *_three(v, "1"), x, *_three(y, "1"),
        *by[:2], *_three(by[2:]), *at[:2], *_three(at[2:]), *_three(source.dims[3:], "1"),
        *(name for move in moves for name in _three(move)),
        *to[:2], *_three(to[2:]), of_left, of_source, of_out, groups, *tiles, part, apart,
    ]  # fmt: skip
    made = {"T": c_type(out.dtype), "AXES": len(glides), "BY_COLUMN": int(by_column)}
    pair = Pair(kernel("convolve", DEEP=4, **made), kernel("convolve", DEEP=8, **made), FLAT)
    w.enqueue(out.device, pair, w.multiply(parts, groups, *tiles), words, rows)


def _three(names: Sequence[Name], missing: Name = "0") -> list[Name]:
    """As many as a kernel has axes."""
    return [missing] * (MOST_AXES - len(names)) + list(names)


EMITTERS: dict[type[Op], Emitter] = {
    convolution.GpuConv: emit_conv,
    convolution.GpuConvFilters: emit_conv_filters,
    convolution.GpuConvImages: emit_conv_images,
}
