"""What is computed along an axis on a device: softmax, places of extremes, running totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from workbench.core.graph import Apply, Op
from workbench.core.native.emit_loops import iteration_space, spread
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.along import Along
from workbench.core.ops.positions import Argmax
from workbench.core.types import tensor_type
from workbench.gpu.dialect import Kernel, c_type
from workbench.gpu.handmade import kernel
from workbench.gpu.lines import Lines, lines_of
from workbench.gpu.ops import along
from workbench.gpu.render import combined
from workbench.gpu.shares import Shares
from workbench.gpu.writer import DeviceWriter

Parameters = Mapping[str, object]
"""What a kernel is made with."""

_FEW = 4
"""Elements that a thread goes over, where there are lanes enough."""

_EACH = 8
"""Elements that a thread of `scan.c` takes at once."""


def emit_softmax(w: Writer, node: Apply) -> None:
    """The largest element, the sum and the result: three walks along each line."""
    op = node.op
    assert isinstance(w, DeviceWriter)
    assert isinstance(op, Along)
    x, t = w.tensor(node.inputs[0]), tensor_type(node.out)
    lines = lines_of(w, x, op.axis, t.device)
    out = w.allocate(node.out, x.dims)
    kind = c_type(t.dtype)
    made = kernel(
        "softmax", X=c_type(x.dtype), T=kind, LARGER=f"larger_{kind}",
        ACC="f64" if w.device(t.device).able.float64 else kind,
        LOGARITHM=int(op.title == "log_softmax"),
    )  # fmt: skip
    cut = lines.shares(w, _FEW)
    words = [*map(w.address, (out, lines.tensor)), lines.count, lines.length, lines.inner]
    w.queue(t.device, made, cut.blocks, [*words, cut.lanes])
    w.bind(node.out, out)


def emit_argmax(w: Writer, node: Apply) -> None:
    """The first place in each chunk of a line, then the first of these."""
    op = node.op
    assert isinstance(w, DeviceWriter)
    assert isinstance(op, Argmax)
    x, device = w.tensor(node.inputs[0]), tensor_type(node.out).device
    w.require(w.compare("ne", x.dims[op.axis], "0"))
    lines = lines_of(w, x, op.axis, device)
    out = w.allocate(node.out, [n for i, n in enumerate(x.dims) if i != op.axis])
    made = kernel("argmax", T=c_type(x.dtype), BEYOND=">" if op.title == "argmax" else "<")
    cut = lines.shares(w, _FEW)
    sizes = [lines.count, lines.length, lines.inner, cut.lanes]

    def look(groups: Name, into: Name, *how: Name, places: Name = "0") -> None:
        w.queue(device, made, groups, [into, w.address(lines.tensor), places, *sizes, *how])

    result, groups = w.address(out), w.multiply(cut.blocks, cut.chunks)
    if cut.chunks == "1":
        look(groups, result, "1", cut.chunk, "0")
    else:
        parts = w.address(w.scratch("int64", [cut.chunks, lines.count], device=device))
        short = w.compare("eq", cut.chunks, "1")
        look(groups, w.select(short, result, parts), cut.chunks, cut.chunk, "0")
        again = w.select(short, "0", cut.blocks)
        look(again, result, "1", cut.chunks, cut.chunks, places=parts)
    w.bind(node.out, out)


def emit_running(w: Writer, node: Apply) -> None:
    """cumsum, cumprod, cummax, cummin."""
    op = node.op
    assert isinstance(op, Along)
    wide = tensor_type(node.out).dtype
    prim: str = op.prim  # type: ignore[attr-defined]  # what runs has one
    if wide == "bool":
        prim = "or" if prim == "maximum" else "and"
    how = {"PAIRED": 0, "COMBINED": combined(prim, wide, "x", "y")}
    _emit_scan(w, node, op.axis, how, how)


def emit_recurrence(w: Writer, node: Apply) -> None:
    """A linear recurrence: a * y + b."""
    op = node.op
    assert isinstance(op, Along)
    one, other = ({"PAIRED": 1, "OF_TOTALS": k} for k in range(2))
    _emit_scan(w, node, op.axis, one, other)


def _emit_scan(
    w: Writer, node: Apply, axis: int, of_elements: Parameters, of_totals: Parameters
) -> None:
    """A scan along an axis; what the kernel is made with for elements, and for chunks' totals."""
    assert isinstance(w, DeviceWriter)
    operands = [w.tensor(v) for v in node.inputs]
    dims, device = iteration_space(w, node.inputs, operands), tensor_type(node.out).device
    lines = [lines_of(w, spread(t, dims), axis, device) for t in operands]
    out = w.allocate(node.out, dims)
    kind = c_type(out.dtype)
    first = kernel("scan", X=c_type(operands[0].dtype), T=kind, **of_elements)
    again = kernel("scan", X=kind, T=kind, **of_totals)
    _scan(w, lines, out, first, again)
    w.bind(node.out, out)


def _scan(
    w: DeviceWriter, lines: Sequence[Lines], out: Tensor, first: Kernel, again: Kernel
) -> None:
    """In one launch, or in three: the chunks' totals, what they end with, and all elements."""
    line, given = lines[0], [each.tensor for each in lines]
    cut = line.shares(w, _EACH)
    if cut.chunks == "1":
        _queue(w, first, line, cut, given, out)
        return
    dims = [cut.chunks, line.count]
    totals = [w.scratch(out.dtype, dims, device=out.device) for _ in lines]
    short = w.compare("eq", cut.chunks, "1")
    over_chunks = Lines(totals[-1], line.count, cut.chunks, line.count)
    whole = replace(over_chunks.shares(w, _EACH), chunks="1", chunk=cut.chunks)
    unless_short = [
        replace(share, blocks=w.select(short, "0", share.blocks)) for share in (cut, whole)
    ]
    _queue(w, first, line, unless_short[0], given, totals[-1], totals[0])
    _queue(w, again, over_chunks, unless_short[1], totals, totals[-1])
    _queue(w, first, line, cut, given, out, ends=totals[-1])


def _queue(
    w: DeviceWriter, made: Kernel, lines: Lines, cut: Shares, given: Sequence[Tensor], out: Tensor,
    totals: Tensor | None = None, ends: Tensor | None = None,
) -> None:  # fmt: skip
    """One launch; with `totals` (a recurrence's a go there) only those of chunks are stored."""
    places = [
        w.address(t) if t is not None else "0" for t in (out, totals, given[0], given[-1], ends)
    ]
    sizes = [lines.count, lines.length, lines.inner, cut.lanes, cut.chunks, cut.chunk]
    words = [*places, *sizes, str(int(totals is None))]
    w.queue(out.device, made, w.multiply(cut.blocks, cut.chunks), words)


EMITTERS: dict[type[Op], Emitter] = {
    **dict.fromkeys((along.GpuSoftmax, along.GpuLogSoftmax), emit_softmax),
    **dict.fromkeys((along.GpuArgmax, along.GpuArgmin), emit_argmax),
    **dict.fromkeys(
        (along.GpuCumSum, along.GpuCumProd, along.GpuCumMax, along.GpuCumMin), emit_running
    ),
    along.GpuRecurrence: emit_recurrence,
}
