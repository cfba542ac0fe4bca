"""Sorting on a device: pieces of rows in local memory, then runs merged two by two, each twice as
long as before. Positions are sorted as values are, and compared by what lies there.
"""

from __future__ import annotations

from workbench.core.graph import Apply, Op
from workbench.core.native.emit_index import reordered
from workbench.core.native.ssa import Type
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.sorting import ArgSort, SearchSorted, Sort
from workbench.core.types import tensor_type
from workbench.gpu.dialect import GROUP_SIZE, c_type
from workbench.gpu.handmade import kernel
from workbench.gpu.ops import sorting
from workbench.gpu.shares import doublings, over
from workbench.gpu.writer import DeviceWriter

_EACH = 3
"""Threads have 2 to the power of this many items, as `items.h` says."""

_TILE = _EACH + (GROUP_SIZE - 1).bit_length()
"""Work groups have 2 to the power of this many."""


def emit_sort(w: Writer, node: Apply) -> None:
    """Values, or their positions, in order along an axis."""
    op = node.op
    assert isinstance(w, DeviceWriter)
    assert isinstance(op, (Sort, ArgSort))
    x = w.tensor(node.inputs[0])
    axes = [*(i for i in range(x.ndim) if i != op.axis), op.axis]
    out = w.allocate(node.out, x.dims)
    lines, into = w.on(reordered(x, axes), out.device), reordered(out, axes)
    place = into if into.contiguous else w.scratch(out.dtype, into.dims, device=out.device)
    _sort(w, lines, place, "1", isinstance(op, ArgSort))
    if place is not into:
        w.copy(place, into)
    w.bind(node.out, out)


def emit_argsort_rows(w: Writer, node: Apply) -> None:
    """The positions of rows, compared element by element."""
    assert isinstance(w, DeviceWriter)
    x = w.on(w.tensor(node.inputs[0]), tensor_type(node.out).device)
    out = w.allocate(node.out, x.dims[:1])
    _sort(w, x, out, x.dims[1], True)
    w.bind(node.out, out)


def order_of(w: DeviceWriter, keys: Tensor) -> Tensor:
    """The positions that sort a vector of a device; equals keep their order."""
    order = w.scratch("int64", keys.dims, device=keys.device)
    _sort(w, keys, order, "1", True)
    return order


def _sort(w: DeviceWriter, x: Tensor, out: Tensor, columns: Name, by_position: bool) -> None:
    """Sort along the last axis of what lies in one piece."""
    *outer, n = out.dims
    rows, device = w.multiply(*outer), out.device
    kind = c_type(x.dtype)
    kinds = {
        "T": kind, "ITEM": "i64" if by_position else kind, "ORDER": _order(x.dtype),
        "BY_POSITION": int(by_position), "COLUMNS": columns if columns == "1" else "W(5)",
    }  # fmt: skip
    steps = doublings(w, n)
    shift = w.call_i64("smin", w.call_i64("smax", steps, str(_EACH)), str(_TILE))
    merges = w.call_i64("smax", w.integer("sub", steps, str(_TILE)), "0")
    pieces = over(w, n, str(1 << _TILE))
    per_group = w.integer("shl", "1", w.integer("sub", str(_TILE), shift))
    groups = over(w, w.integer("mul", rows, pieces), per_group)
    spare = out if merges == "0" else w.scratch(out.dtype, out.dims, device=device)
    places = w.address(out), w.address(spare)
    words = [_either(w, merges, places), w.address(x), rows, n, shift, columns, pieces]
    w.queue(device, kernel("sort", **kinds), groups, words)
    if merges == "0":
        return
    merge, threads = kernel("merge", **kinds), w.multiply(rows, over(w, n, str(1 << _EACH)))
    with w.counted(merges) as i:
        left = w.integer("sub", merges, i)
        source, into = _either(w, left, places), _either(w, w.integer("sub", left, "1"), places)
        run = w.integer("shl", str(1 << _TILE), i)
        words = [into, source, w.address(x), rows, n, columns, run]
        w.queue(device, merge, w.groups(device, threads), words)


def _either(w: DeviceWriter, merges_left: Name, places: tuple[Name, Name]) -> Name:
    """Where items lie before so many merges, so that they end in the first place."""
    odd = w.region(merges_left).put(Type("i64"), f"and i64 {merges_left}, 1").name
    return w.select(w.compare("eq", odd, "0"), *places)


def _order(dtype: str) -> str:
    return f"order_{'u8' if dtype == 'bool' else c_type(dtype)}"


def emit_searchsorted(w: Writer, node: Apply) -> None:
    """For each element a search by halves."""
    op = node.op
    assert isinstance(w, DeviceWriter)
    assert isinstance(op, SearchSorted)
    device = tensor_type(node.out).device
    line, values = (w.on(w.tensor(v), device) for v in node.inputs)
    out = w.allocate(node.out, values.dims)
    made = kernel(
        "search", T=c_type(line.dtype), ORDER=_order(line.dtype),
        BEFORE="<" if op.side == "left" else "<=",
    )  # fmt: skip
    count = w.multiply(*values.dims)
    words = [*map(w.address, (out, line, values)), line.dims[0], count]
    w.queue(device, made, w.groups(device, count), words)
    w.bind(node.out, out)


EMITTERS: dict[type[Op], Emitter] = {
    sorting.GpuSort: emit_sort,
    sorting.GpuArgSort: emit_sort,
    sorting.GpuArgSortRows: emit_argsort_rows,
    sorting.GpuSearchSorted: emit_searchsorted,
}
