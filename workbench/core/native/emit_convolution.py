"""Convolutions natively: for each image, the windows of a few rows at a time are put side by side
and multiplied with the filters by BLAS. So the columns stay in the cache, and memory is that of a
few rows of one image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.core.graph import Apply
from workbench.core.native.emit_blas import LETTER, BlasCall
from workbench.core.native.emit_windows import (
    Axis,
    add_windows,
    axes_of,
    divide,
    fill,
    inside,
    literal,
    remainder,
    sizes_of,
    windows_view,
    with_address,
    with_border,
)
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.convolution import Conv, ConvFilters, ConvImages
from workbench.frozen import frozen

COLUMN_BYTES = 1 << 19
"""How much memory the windows that are multiplied at once take, about."""


@frozen
class _Frame:
    """A convolution's dimensions: images (n, groups × channels, sizes), filters (groups × filters,
    channels, lengths), results (n, groups × filters, counts).
    """

    op: Conv | ConvImages | ConvFilters
    dtype: str
    n: Name
    groups: Name
    channels: Name  # of one group
    filters: Name  # of one group
    axes: tuple[Axis, ...]
    depth: Name  # channels × lengths: what is summed over
    line: Name  # how many windows one row of the first axis has
    area: Name  # all windows of an image
    rows: Name  # how many rows are done at once

    @property
    def item(self) -> Name:
        return "4" if self.dtype == "float32" else "8"


def _frame(
    w: Writer,
    op: Conv | ConvImages | ConvFilters,
    dtype: str,
    n: Name,
    channels: Name,
    filters: Name,
    sizes: Sequence[Name],
    lengths: Sequence[Name],
) -> _Frame:
    axes = axes_of(w, op.place, sizes, lengths)
    filters = of_one_group(w, filters, op.groups)
    depth = w.multiply(channels, *lengths)
    line = w.multiply(*(a.count for a in axes[1:]))
    item = "4" if dtype == "float32" else "8"
    bytes = w.call_i64("smax", w.multiply(item, depth, line), "1")
    fitting = w.call_i64("smax", w.integer("sdiv", str(COLUMN_BYTES), bytes), "1")
    rows = w.call_i64("smin", fitting, axes[0].count)
    area = w.multiply(*(a.count for a in axes))
    return _Frame(
        op, dtype, n, str(op.groups), channels, filters, tuple(axes), depth, line, area, rows
    )


def of_one_group(w: Writer, count: Name, groups: int) -> Name:
    """How many of so many channels or filters a group has; requires them to fall into groups."""
    if groups == 1:
        return count
    w.require(w.compare("eq", remainder(w, count, groups), "0"))
    return divide(w, count, groups)


@frozen
class _Place:
    """Where the loops stand: an image, a group, the first row and how many there are."""

    image: Name
    group: Name
    first: Name
    rows: Name
    width: Name  # how many windows these rows have


Body = Callable[[Tensor, _Place], None]


def _each_image(w: Writer, f: _Frame, images: Tensor, body: Callable[[Tensor, Name], None]) -> None:
    """For each image: the view of it with its border."""
    whole = hole = None
    if f.op.place.pads:
        whole, hole = with_border(w, images.dims[1:2], f.dtype, f.axes)  # the border stays as it is
    with w.counted(f.n) as i:
        start = w.offset(images.data or "null", w.integer("mul", i, images.strides[0]))
        image = images.view(start, images.dims[1:], images.strides[1:])
        if whole is not None and hole is not None:
            w.copy(image, hole)
        body(image if whole is None else whole, i)


def _each_block(w: Writer, f: _Frame, image: Name, body: Callable[[_Place], None]) -> None:
    """For each group and block of rows of windows."""
    count = f.axes[0].count
    with w.counted(f.groups) as group:
        more = w.integer("sub", w.integer("add", count, f.rows), "1")
        blocks = w.integer("sdiv", more, f.rows)
        with w.counted(blocks) as block:
            first = w.integer("mul", block, f.rows)
            rows = w.call_i64("smin", f.rows, w.integer("sub", count, first))
            body(_Place(image, group, first, rows, w.integer("mul", rows, f.line)))


def _columns(w: Writer, f: _Frame, memory: Tensor, p: _Place) -> Tensor:
    """The columns of a block in memory: channels, lengths, windows."""
    counts = [p.rows, *(a.count for a in f.axes[1:])]
    dims = [f.channels, *(a.length for a in f.axes), *counts]
    return w.array(f.dtype, dims, memory.data or "null")


def _windows(w: Writer, f: _Frame, image: Tensor, p: _Place) -> Tensor:
    """The same windows in the image: a view."""
    step = w.integer("mul", w.integer("mul", p.group, f.channels), image.strides[0])
    data = w.offset(image.data or "null", step)
    part = image.view(data, [f.channels, *image.dims[1:]], image.strides)
    return windows_view(w, part, f.op.place, f.axes, p.first, p.rows, inner_first=True)


def _result(w: Writer, f: _Frame, results: Tensor, p: _Place) -> Name:
    """The address of a block's results: filters × area, of which `width` count."""
    per_image = w.multiply(f.groups, f.filters, f.area)
    at = w.integer("mul", p.image, per_image)
    at = w.integer("add", at, w.multiply(p.group, f.filters, f.area))
    at = w.integer("add", at, w.integer("mul", p.first, f.line))
    return w.offset(results.data or "null", w.integer("mul", at, f.item))


def _filters(w: Writer, f: _Frame, filters: Tensor, p: _Place) -> Name:
    """The address of a group's filters: filters × depth."""
    at = w.multiply(p.group, f.filters, f.depth, f.item)
    return w.offset(filters.data or "null", at)


def turned(w: Writer, filters: Tensor, flip: bool) -> Tensor:
    """The filters as a correlation takes them, as a view."""
    if not flip or filters.data is None:
        return filters
    start: Name = "0"
    strides = list(filters.strides)
    for axis in range(2, filters.ndim):
        last = w.integer("sub", filters.dims[axis], "1")
        start = w.integer("add", start, w.integer("mul", last, strides[axis]))
        strides[axis] = w.integer("sub", "0", strides[axis])
    data = w.offset(filters.data, start)
    return filters.view(data, filters.dims, strides, forward=False)


def _gemm(
    w: Writer,
    f: _Frame,
    letters: str,
    sizes: tuple[Name, Name, Name],
    operands: tuple[tuple[Name, Name], tuple[Name, Name], tuple[Name, Name]],
    beta: float,
) -> None:
    """BLAS's C = A B + beta C, column-major; `operands` are addresses and leading dimensions."""
    (a, lead_a), (b, lead_b), (c, lead_c) = operands
    call = BlasCall(w)
    for letter in letters:
        call.letter(letter)
    for size in sizes:
        call.integer(size)
    call.number(literal(w, f.dtype, 1.0))
    for data, lead in ((a, lead_a), (b, lead_b)):
        call.pointer(data)
        call.integer(w.call_i64("smax", lead, "1"))
    call.number(literal(w, f.dtype, beta))
    call.pointer(c)
    call.integer(w.call_i64("smax", lead_c, "1"))
    call.call(f"{LETTER[f.dtype]}gemm")


def _column_memory(w: Writer, f: _Frame) -> Tensor:
    return w.scratch(f.dtype, [f.depth, w.integer("mul", f.rows, f.line)])


def emit_conv(w: Writer, node: Apply) -> None:
    """Results = filters × columns, image by image."""
    op = node.op
    assert isinstance(op, Conv)
    x, filters = (with_address(w, w.tensor(v)) for v in node.inputs)
    w.same(x.dims[1], w.integer("mul", filters.dims[1], str(op.groups)))
    f = _frame(
        w, op, x.dtype, x.dims[0], filters.dims[1], filters.dims[0], x.dims[2:], filters.dims[2:]
    )
    out = w.allocate(node.out, [x.dims[0], filters.dims[0], *(a.count for a in f.axes)])
    rows = w.in_memory(turned(w, filters, op.flip))
    memory = _column_memory(w, f)

    def block(image: Tensor, p: _Place) -> None:
        w.copy(_windows(w, f, image, p), _columns(w, f, memory, p))
        operands = (
            (memory.data or "null", p.width),
            (_filters(w, f, rows, p), f.depth),
            (_result(w, f, out, p), f.area),
        )
        _gemm(w, f, "NN", (p.width, f.filters, f.depth), operands, 0.0)

    _each_image(w, f, x, lambda image, i: _each_block(w, f, i, lambda p: block(image, p)))
    w.bind(node.out, out)


def emit_conv_filters(w: Writer, node: Apply) -> None:
    """Filters += results × columnsᵀ, image by image."""
    op = node.op
    assert isinstance(op, ConvFilters)
    x, g = (with_address(w, w.tensor(v)) for v in node.inputs[:2])
    g = w.in_memory(g)
    lengths = sizes_of(w, op.sizes, node.inputs[2:])
    w.same(x.dims[0], g.dims[0])
    channels = of_one_group(w, x.dims[1], op.groups)
    f = _frame(w, op, x.dtype, x.dims[0], channels, g.dims[1], x.dims[2:], lengths)
    _same_counts(w, f, g)
    out = w.allocate(node.out, [g.dims[1], channels, *lengths])
    total = w.scratch(x.dtype, out.dims) if op.flip else out
    fill(w, total, 0)
    memory = _column_memory(w, f)

    def block(image: Tensor, p: _Place) -> None:
        w.copy(_windows(w, f, image, p), _columns(w, f, memory, p))
        operands = (
            (memory.data or "null", p.width),
            (_result(w, f, g, p), f.area),
            (_filters(w, f, total, p), f.depth),
        )
        _gemm(w, f, "TN", (f.depth, f.filters, p.width), operands, 1.0)

    _each_image(w, f, x, lambda image, i: _each_block(w, f, i, lambda p: block(image, p)))
    if op.flip:
        w.copy(turned(w, total, True), out)
    w.bind(node.out, out)


def emit_conv_images(w: Writer, node: Apply) -> None:
    """Columns = filtersᵀ × results, added to the images where they overlap."""
    op = node.op
    assert isinstance(op, ConvImages)
    filters, g = (with_address(w, w.tensor(v)) for v in node.inputs[:2])
    g = w.in_memory(g)
    sizes = sizes_of(w, op.sizes, node.inputs[2:])
    w.same(filters.dims[0], g.dims[1])
    f = _frame(w, op, g.dtype, g.dims[0], filters.dims[1], filters.dims[0], sizes, filters.dims[2:])
    _same_counts(w, f, g)
    channels = w.integer("mul", filters.dims[1], str(op.groups))
    out = w.allocate(node.out, [g.dims[0], channels, *sizes])
    rows = w.in_memory(turned(w, filters, op.flip))
    memory = _column_memory(w, f)
    whole = w.scratch(f.dtype, [channels, *(a.padded for a in f.axes)]) if op.place.pads else None

    def block(image: Tensor, p: _Place) -> None:
        operands = (
            (_result(w, f, g, p), f.area),
            (_filters(w, f, rows, p), f.depth),
            (memory.data or "null", p.width),
        )
        _gemm(w, f, "NT", (p.width, f.depth, f.filters), operands, 0.0)
        add_windows(
            w, _windows(w, f, image, p), _columns(w, f, memory, p), f.axes, inner_first=True
        )

    with w.counted(f.n) as i:
        start = w.offset(out.data or "null", w.integer("mul", i, out.strides[0]))
        image = w.array(f.dtype, out.dims[1:], start)
        target = image if whole is None else whole
        fill(w, target, 0)
        _each_block(w, f, i, lambda p: block(target, p))
        if whole is not None:
            w.copy(inside(w, whole, f.axes), image)
    w.bind(node.out, out)


def _same_counts(w: Writer, f: _Frame, g: Tensor) -> None:
    for mine, theirs in zip(g.dims[2:], f.axes, strict=True):
        w.same(mine, theirs.count)


EMITTERS: dict[type, Emitter] = {
    Conv: emit_conv,
    ConvFilters: emit_conv_filters,
    ConvImages: emit_conv_images,
}
