"""Pooling natively: of small windows every element is an operand of one loop; large ones are
reduced.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from workbench.core.graph import Apply
from workbench.core.native.emit_loops import Sink, run_loops
from workbench.core.native.emit_windows import (
    Axis,
    add_windows,
    at_every_place,
    divide,
    element_of_windows,
    fill,
    inside,
    sizes_of,
    windows_view,
    with_address,
    with_border,
)
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.nest import Reducer, accumulator_dtype
from workbench.core.ops.pool import FromMaxima, MaxPool, SpreadPool, SumPool, ToMaxima
from workbench.core.scalar import ScalarBuilder, ScalarProgram, lowest

UNROLLED = 16
"""Windows of so many elements at most are one loop's operands."""

Pool = MaxPool | SumPool | SpreadPool | ToMaxima | FromMaxima


def pool_axes(w: Writer, op: Pool, sizes: Sequence[Name]) -> list[Axis]:
    """The axes that windows slide over; requires one to fit into each."""
    found = []
    for i, size in enumerate(sizes):
        length, stride, pad = op.lengths[i], op.stride[i], str(op.pad[i])
        around = w.integer("add", size, str(2 * op.pad[i]))
        if not op.partial:
            room = w.integer("sub", around, str(length))
            w.require(w.compare("sge", room, "0"))
            count = w.integer("add", divide(w, room, stride), "1")
            padded = around
        else:
            count = _partial_count(w, size, length, stride)
            reach = w.integer("mul", w.integer("sub", count, "1"), str(stride))
            padded = w.call_i64("smax", size, w.integer("add", reach, str(length)))
        found.append(Axis(size, str(length), count, pad, padded))
    return found


def _partial_count(w: Writer, size: Name, length: int, stride: int) -> Name:
    w.require(w.compare("sge", size, "1"))
    if stride >= length:
        return w.integer("add", divide(w, w.integer("sub", size, "1"), stride), "1")
    more = w.integer("sub", size, str(1 + length - stride))
    more = w.call_i64("smax", more, "0")
    return w.integer("add", divide(w, more, stride), "1")


def _bordered(op: Pool) -> bool:
    return op.partial or any(op.pad)


def _windows(w: Writer, op: Pool, x: Tensor, axes: Sequence[Axis], value: float) -> Tensor:
    """The view of all windows of x, with its border."""
    x = with_address(w, x)
    if _bordered(op):
        whole, hole = with_border(w, x.dims[: x.ndim - op.ndim], x.dtype, axes, value)
        w.copy(x, hole)
        x = whole
    return windows_view(w, x, op.place, axes)


def _lead(op: Pool, x: Tensor) -> tuple[Name, ...]:
    return x.dims[: x.ndim - op.ndim]


def emit_pool(w: Writer, node: Apply) -> None:
    """The maximum or the sum of every window."""
    op = node.op
    assert isinstance(op, (MaxPool, SumPool))
    x = w.tensor(node.inputs[0])
    out, axes = pool_result(w, node)
    largest = isinstance(op, MaxPool)
    windows = _windows(w, op, x, axes, lowest(x.dtype) if largest else 0)
    reducer: Reducer = "maximum" if largest else "add"
    if math.prod(op.lengths) <= UNROLLED:
        places = [
            element_of_windows(w, windows, op.ndim, [str(i) for i in where])
            for where in itertools.product(*map(range, op.lengths))
        ]
        program = _combined(reducer, x.dtype, len(places))
        run_loops(w, program, out.dims, places, [Sink(out, 0)], ())
    else:
        axes_reduced = tuple(range(out.ndim, out.ndim + op.ndim))
        program = ScalarBuilder((x.dtype,)).program(0)
        sink = Sink(out, 0, reducer, accumulator_dtype(reducer, x.dtype))
        run_loops(w, program, windows.dims, [windows], [sink], axes_reduced)
    w.bind(node.out, out)


def pool_result(w: Writer, node: Apply) -> tuple[Tensor, list[Axis]]:
    """Memory for the result of a node of `MaxPool` or `SumPool`, and its axes."""
    op, x = node.op, w.tensor(node.inputs[0])
    assert isinstance(op, (MaxPool, SumPool))
    axes = pool_axes(w, op, x.dims[x.ndim - op.ndim :])
    return w.allocate(node.out, [*_lead(op, x), *(a.count for a in axes)]), axes


def _combined(reducer: Reducer, dtype: str, count: int) -> ScalarProgram:
    """All operands combined, neighbours first."""
    b = ScalarBuilder((dtype,) * count)
    prim = {"maximum": "or", "add": "or"}[reducer] if dtype == "bool" else reducer
    values = list(range(count))
    while len(values) > 1:
        pairs = zip(values[::2], values[1::2], strict=False)
        rest = values[len(values) // 2 * 2 :]
        values = [b.prim(prim, dtype, x, y) for x, y in pairs] + rest
    return b.program(values[0])


def emit_spread(w: Writer, node: Apply) -> None:
    """Zeros, and every element added to all places of its window."""
    op = node.op
    assert isinstance(op, SpreadPool)
    g = with_address(w, w.tensor(node.inputs[0]))
    out, axes = spread_result(w, node)
    source = g.view(g.data, [*g.dims, *(a.length for a in axes)], [*g.strides, *["0"] * op.ndim])
    whole = _target(w, op, out, axes)
    add_windows(w, windows_view(w, whole, op.place, axes), source, axes)
    _finish(w, op, whole, out, axes)
    w.bind(node.out, out)


def spread_result(w: Writer, node: Apply) -> tuple[Tensor, list[Axis]]:
    """Memory for the result of a node of `SpreadPool`, and its axes; checks the operand."""
    op, g = node.op, w.tensor(node.inputs[0])
    assert isinstance(op, SpreadPool)
    sizes = sizes_of(w, op.sizes, node.inputs[1:])
    axes = pool_axes(w, op, sizes)
    for mine, a in zip(g.dims[g.ndim - op.ndim :], axes, strict=True):
        w.same(mine, a.count)
    return w.allocate(node.out, [*_lead(op, g), *sizes]), axes


def _target(w: Writer, op: Pool, out: Tensor, axes: Sequence[Axis]) -> Tensor:
    """Zeros to add into: the result itself, or with a border."""
    whole = out
    if _bordered(op):
        whole = w.scratch(out.dtype, [*_lead(op, out), *(a.padded for a in axes)])
    fill(w, whole, 0)
    return whole


def _finish(w: Writer, op: Pool, whole: Tensor, out: Tensor, axes: Sequence[Axis]) -> None:
    if _bordered(op):
        w.copy(inside(w, whole, axes), out)


def emit_to_maxima(w: Writer, node: Apply) -> None:
    """Place by place: g where the element is its window's maximum."""
    op = node.op
    assert isinstance(op, ToMaxima)
    x, y, g = (w.tensor(v) for v in node.inputs)
    out, axes = to_maxima_result(w, node)
    windows = _windows(w, op, x, axes, lowest(x.dtype))
    whole = _target(w, op, out, axes)
    targets = windows_view(w, whole, op.place, axes)
    program = _chosen(x.dtype, g.dtype)

    def add(where: Sequence[Name]) -> None:
        element = element_of_windows(w, windows, op.ndim, where)
        target = element_of_windows(w, targets, op.ndim, where)
        sink = Sink(target, 0, None, "", (3,))
        run_loops(w, program, target.dims, [element, y, g, target], [sink], ())

    at_every_place(w, [a.length for a in axes], add)
    _finish(w, op, whole, out, axes)
    w.bind(node.out, out)


def to_maxima_result(w: Writer, node: Apply) -> tuple[Tensor, list[Axis]]:
    """Memory for the result of a node of `ToMaxima`, and its axes; checks the operands."""
    op = node.op
    assert isinstance(op, ToMaxima)
    x, y, g = (w.tensor(v) for v in node.inputs)
    axes = pool_axes(w, op, x.dims[x.ndim - op.ndim :])
    _same_windows(w, op, x, y, axes)
    _same_windows(w, op, x, g, axes)
    return w.allocate(node.out, x.dims), axes


def emit_from_maxima(w: Writer, node: Apply) -> None:
    """Place by place: u where the element is its window's maximum, added up."""
    op = node.op
    assert isinstance(op, FromMaxima)
    x, y, u = (w.tensor(v) for v in node.inputs)
    out, axes = from_maxima_result(w, node)
    windows = _windows(w, op, x, axes, lowest(x.dtype))
    sources = _windows(w, op, u, axes, 0)
    fill(w, out, 0)
    program = _chosen(x.dtype, u.dtype)

    def add(where: Sequence[Name]) -> None:
        element = element_of_windows(w, windows, op.ndim, where)
        source = element_of_windows(w, sources, op.ndim, where)
        sink = Sink(out, 0, None, "", (3,))
        run_loops(w, program, out.dims, [element, y, source, out], [sink], ())

    at_every_place(w, [a.length for a in axes], add)
    w.bind(node.out, out)


def from_maxima_result(w: Writer, node: Apply) -> tuple[Tensor, list[Axis]]:
    """Memory for the result of a node of `FromMaxima`, and its axes; checks the operands."""
    op = node.op
    assert isinstance(op, FromMaxima)
    x, y, u = (w.tensor(v) for v in node.inputs)
    axes = pool_axes(w, op, x.dims[x.ndim - op.ndim :])
    _same_windows(w, op, x, y, axes)
    for mine, theirs in zip(x.dims, u.dims, strict=True):
        w.same(mine, theirs)
    return w.allocate(node.out, y.dims), axes


def _same_windows(w: Writer, op: Pool, x: Tensor, y: Tensor, axes: Sequence[Axis]) -> None:
    for mine, theirs in zip(y.dims, [*_lead(op, x), *(a.count for a in axes)], strict=True):
        w.same(mine, theirs)


def _chosen(dtype: str, of: str) -> ScalarProgram:
    """(x, y, g, total) → total + (g where x = y, else 0)."""
    b = ScalarBuilder((dtype, dtype, of, of))
    part = b.prim("select", of, b.prim("eq", "bool", 0, 1), 2, b.const(0, of))
    return b.program(b.prim("add", of, 3, part))


EMITTERS: dict[type, Emitter] = {
    MaxPool: emit_pool,
    SumPool: emit_pool,
    SpreadPool: emit_spread,
    ToMaxima: emit_to_maxima,
    FromMaxima: emit_from_maxima,
}
