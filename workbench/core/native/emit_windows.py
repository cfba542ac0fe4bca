"""Windows natively: other dimensions and strides; and what conv and pool do with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from workbench.core.graph import Apply, Variable
from workbench.core.native.emit_loops import Sink, run_loops
from workbench.core.native.ssa import Type, Value, scalar_type
from workbench.core.native.tensor import Name, Tensor, register_tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.windows import AddWindows, Placing, Windows
from workbench.core.scalar import ScalarBuilder
from workbench.core.types import Shape
from workbench.frozen import frozen


@frozen
class Axis:
    """One axis that windows slide over, in names: its size, a window's length, how many windows,
    what is padded before it, and its size with what is padded.
    """

    size: Name
    length: Name
    count: Name
    before: Name
    padded: Name


def axes_of(
    w: Writer, place: Placing, sizes: Sequence[Name], lengths: Sequence[Name]
) -> list[Axis]:
    """The axes; requires a window to fit into each."""
    found = []
    for i, (size, length) in enumerate(zip(sizes, lengths, strict=True)):
        span = _span(w, place, i, length)
        before, after = _pad(w, place, i, span)
        padded = w.integer("add", size, w.integer("add", before, after))
        room = w.integer("sub", padded, span)
        if not (room.isdigit() and length.isdigit() and length != "0"):
            w.require(w.compare("sge", room, "0"))
            w.require(w.compare("sge", length, "1"))
        count = w.integer("add", divide(w, room, place.stride[i]), "1")
        found.append(Axis(size, length, count, before, padded))
    return found


def _span(w: Writer, place: Placing, i: int, length: Name) -> Name:
    step = str(place.dilation[i])
    return w.integer("add", w.integer("mul", w.integer("sub", length, "1"), step), "1")


def _pad(w: Writer, place: Placing, i: int, span: Name) -> tuple[Name, Name]:
    if not isinstance(place.border, str):
        before, after = place.border[i]
        return str(before), str(after)
    if place.border == "valid":
        return "0", "0"
    amount = w.integer("sub", span, "1") if place.border == "full" else divide(w, span, 2)
    return amount, amount


def divide(w: Writer, a: Name, by: int) -> Name:
    """A // by for what is not negative."""
    return str(int(a) // by) if a.isdigit() else w.integer("sdiv", a, str(by))


def remainder(w: Writer, a: Name, by: int) -> Name:
    """A % by for what is not negative."""
    return str(int(a) % by) if a.isdigit() else "0" if by == 1 else w.integer("srem", a, str(by))


def windows_view(
    w: Writer,
    x: Tensor,
    place: Placing,
    axes: Sequence[Axis],
    first: Name = "0",
    rows: Name | None = None,
    inner_first: bool = False,
) -> Tensor:
    """All windows of the last axes: leading axes, counts, lengths (or lengths, counts).

    With `rows`, only so many along the first of these axes, from the window number `first` on.
    """
    n = len(axes)
    last = x.strides[x.ndim - n :]
    steps = [w.integer("mul", s, str(k)) for s, k in zip(last, place.stride, strict=True)]
    inner = [w.integer("mul", s, str(k)) for s, k in zip(last, place.dilation, strict=True)]
    counts = [a.count for a in axes]
    if rows is not None:
        counts[0] = rows
    data = w.offset(x.data or "null", w.integer("mul", first, steps[0]))
    outer = (counts, steps), ([a.length for a in axes], inner)
    (d1, s1), (d2, s2) = outer[::-1] if inner_first else outer
    lead = x.ndim - n
    seen = x.view(data, [*x.dims[:lead], *d1, *d2], [*x.strides[:lead], *s1, *s2])
    return replace(seen, overlaps=True)


def fill(w: Writer, tensor: Tensor, value: float) -> None:
    """All elements of a contiguous array."""
    if value == 0:
        size = w.bytes_of(tensor.dtype, tensor.dims)
        w.code.line(f"call void @llvm.memset.p0.i64(ptr {tensor.data}, i8 0, i64 {size}, i1 false)")
        return
    kind = Type(scalar_type(tensor.dtype))
    w.copy(register_tensor(tensor.dtype, kind.literal(value), tensor.dims), tensor)


def with_border(
    w: Writer, lead: Sequence[Name], dtype: str, axes: Sequence[Axis], value: float = 0
) -> tuple[Tensor, Tensor]:
    """Memory for padded axes, filled, and the view of what is inside the border."""
    whole = w.scratch(dtype, [*lead, *(a.padded for a in axes)])
    fill(w, whole, value)
    return whole, inside(w, whole, axes)


def inside(w: Writer, whole: Tensor, axes: Sequence[Axis]) -> Tensor:
    """The view of padded axes that leaves out the border."""
    lead = whole.ndim - len(axes)
    start: Name = "0"
    for a, stride in zip(axes, whole.strides[lead:], strict=True):
        start = w.integer("add", start, w.integer("mul", a.before, stride))
    dims = [*whole.dims[:lead], *(a.size for a in axes)]
    return whole.view(w.offset(whole.data or "null", start), dims, whole.strides)


def add_into(w: Writer, target: Tensor, source: Tensor) -> None:
    """Target += source, of the same dimensions; the target's elements do not overlap."""
    b = ScalarBuilder((target.dtype, target.dtype))
    logic = target.dtype == "bool"
    program = b.program(b.prim("or" if logic else "add", target.dtype, 0, 1))
    run_loops(w, program, target.dims, [target, source], [Sink(target, 0, None, "", (0,))], ())


def element_of_windows(
    w: Writer, windows: Tensor, n: int, where: Sequence[Name], inner_first: bool = False
) -> Tensor:
    """Of windows (…, counts, lengths) the elements at one place in each: (…, counts)."""
    end = windows.ndim - n if inner_first else windows.ndim
    chosen = range(end - n, end)
    start: Name = "0"
    for axis, i in zip(chosen, where, strict=True):
        start = w.integer("add", start, w.integer("mul", i, windows.strides[axis]))
    kept = [a for a in range(windows.ndim) if a not in chosen]
    data = w.offset(windows.data or "null", start)
    return windows.view(data, [windows.dims[a] for a in kept], [windows.strides[a] for a in kept])


def add_windows(
    w: Writer, target: Tensor, source: Tensor, axes: Sequence[Axis], inner_first: bool = False
) -> None:
    """Add the windows of `source` to where they come from: `target` is a view of windows, too."""

    def add(where: Sequence[Name]) -> None:
        into = element_of_windows(w, target, len(axes), where, inner_first)
        add_into(w, into, element_of_windows(w, source, len(axes), where, inner_first))

    at_every_place(w, [a.length for a in axes], add)


def at_every_place(
    w: Writer,
    lengths: Sequence[Name],
    body: Callable[[Sequence[Name]], None],
    where: Sequence[Name] = (),
) -> None:
    """Loops over the places of a window."""
    if len(where) == len(lengths):
        body(where)
        return
    if lengths[len(where)] == "1":
        at_every_place(w, lengths, body, [*where, "0"])
        return
    with w.counted(lengths[len(where)]) as i:
        at_every_place(w, lengths, body, [*where, i])


def emit_windows(w: Writer, node: Apply) -> None:
    """A view."""
    w.bind(node.out, all_windows(w, node, with_address(w, w.tensor(node.inputs[0]))))


def with_address(w: Writer, tensor: Tensor) -> Tensor:
    """The tensor in memory, whatever its strides."""
    return tensor if tensor.data is not None else w.in_memory(tensor)


def all_windows(w: Writer, node: Apply, x: Tensor) -> Tensor:
    """The result of a node of `Windows` of x."""
    op = node.op
    assert isinstance(op, Windows)
    n = op.place.ndim
    axes = axes_of(w, op.place, x.dims[x.ndim - n :], [str(k) for k in op.lengths])
    return windows_view(w, x, op.place, axes)


def emit_add_windows(w: Writer, node: Apply) -> None:
    """Zeros, and the windows added place by place."""
    op = node.op
    assert isinstance(op, AddWindows)
    source = with_address(w, w.tensor(node.inputs[0]))
    out, axes = add_windows_result(w, node)
    fill(w, out, 0)
    add_windows(w, windows_view(w, out, op.place, axes), source, axes)
    w.bind(node.out, out)


def add_windows_result(w: Writer, node: Apply) -> tuple[Tensor, list[Axis]]:
    """Memory for the result of a node of `AddWindows`, and its axes; checks the operand."""
    op = node.op
    assert isinstance(op, AddWindows)
    source, n = w.tensor(node.inputs[0]), op.place.ndim
    sizes = sizes_of(w, op.sizes, node.inputs[1:])
    axes = axes_of(w, op.place, sizes, [str(k) for k in op.lengths])
    lead = source.ndim - 2 * n
    for mine, theirs in zip(source.dims[lead : lead + n], axes, strict=True):
        w.same(mine, theirs.count)
    for mine, length in zip(source.dims[lead + n :], op.lengths, strict=True):
        w.same(mine, str(length))
    return w.allocate(node.out, [*source.dims[:lead], *sizes]), axes


def sizes_of(w: Writer, static: Shape, given: Sequence[Variable]) -> list[Name]:
    """The lengths of a result's last axes: those that are known, the operands for the others."""
    return [w.index(v) if n is None else str(n) for v, n in zip(given, static, strict=True)]


def literal(w: Writer, dtype: str, number: float) -> Value:
    """A constant in a register."""
    kind = Type(scalar_type(dtype))
    return Value(w.code, kind, kind.literal(number))


EMITTERS: dict[type, Emitter] = {Windows: emit_windows, AddWindows: emit_add_windows}
