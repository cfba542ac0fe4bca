"""Windows on a device: all of them are a view; what is in them is combined, and added up where they
come from, by threads that each collect what one result needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.core.graph import Apply, Op
from workbench.core.native.emit_pool import (
    from_maxima_result,
    pool_result,
    spread_result,
    to_maxima_result,
)
from workbench.core.native.emit_windows import Axis, add_windows_result, all_windows
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.nest import accumulator_dtype
from workbench.core.ops.windows import Placing
from workbench.core.scalar import lowest
from workbench.core.types import tensor_type
from workbench.gpu.dialect import c_type
from workbench.gpu.handmade import kernel
from workbench.gpu.ops import windows
from workbench.gpu.parts import Pair
from workbench.gpu.render import literal
from workbench.gpu.writer import DeviceWriter


def emit_windows(w: Writer, node: Apply) -> None:
    """A view."""
    assert isinstance(w, DeviceWriter)
    x = w.placed(w.tensor(node.inputs[0]), tensor_type(node.out).device)
    w.bind(node.out, all_windows(w, node, x))


def _collecting(
    result: Callable[[Writer, Apply], tuple[Tensor, list[Axis]]],
    file: str,
    largest: bool = False,
    **parameters: int,
) -> Emitter:
    """An emitter of a kernel over windows. `result` checks the operands and gives memory for the
    result. Of three tensors, the first two say which elements of the last one count; what is
    collected is added up, or the largest.
    """

    def emit(w: Writer, node: Apply) -> None:
        assert isinstance(w, DeviceWriter)
        out, axes = result(w, node)
        tensors = node.inputs[: node.op.hosts_from]  # type: ignore[attr-defined]  # OnDevice's
        *alike, source = (w.on(w.tensor(v), out.device) for v in tensors)
        x, y = alike or (source, source)
        made = {
            "T": c_type(x.dtype), "U": c_type(out.dtype), "AXES": len(axes),
            "CHOSEN": int(bool(alike)), **parameters, **_combination(w, out, largest),
        }  # fmt: skip
        pair = Pair(kernel(file, INDEX="i32", **made), kernel(file, INDEX="i64", **made))
        count = w.multiply(*out.dims)
        addresses = map(w.address, (out, source, x, y))
        words = [*addresses, count, *_geometry(axes, node.op.place)]  # type: ignore[attr-defined]
        points = w.integer("add", count, w.multiply(*source.dims))
        w.enqueue(out.device, pair, w.groups(out.device, count), words, points)
        w.bind(node.out, out)

    return emit


def _combination(w: DeviceWriter, out: Tensor, largest: bool) -> dict[str, str]:
    """The parameters that say how elements are combined."""
    dtype = out.dtype
    if largest:
        kind, first = c_type(dtype), literal(lowest(dtype), dtype)
        combine = "NAME_either" if dtype == "bool" else f"larger_{kind}"
        return {"ACC": kind, "FIRST": first, "COMBINE": combine}
    if dtype == "bool":
        return {"ACC": "b8", "FIRST": "0", "COMBINE": "NAME_either"}
    wide = w.device(out.device).able.float64 or dtype[0] != "f"
    kind = c_type(accumulator_dtype("add", dtype) if wide else dtype)
    return {"ACC": kind, "FIRST": "0", "COMBINE": "NAME_plus"}


def _geometry(axes: Sequence[Axis], place: Placing) -> list[Name]:
    """Six words for each of three axes, of which there may be fewer."""
    steps = zip(axes, place.stride, place.dilation, strict=True)
    own = [(a.size, a.length, str(s), str(d), a.before, a.count) for a, s, d in steps]
    missing = [("1", "1", "1", "1", "0", "1")] * (windows.MOST_AXES - len(own))
    return [name for field in zip(*missing, *own, strict=True) for name in field]


EMITTERS: dict[type[Op], Emitter] = {
    windows.GpuWindows: emit_windows,
    windows.GpuAddWindows: _collecting(add_windows_result, "spread", WITHIN=1),
    windows.GpuMaxPool: _collecting(pool_result, "pool", largest=True),
    windows.GpuSumPool: _collecting(pool_result, "pool"),
    windows.GpuSpreadPool: _collecting(spread_result, "spread", WITHIN=0),
    windows.GpuToMaxima: _collecting(to_maxima_result, "spread", WITHIN=0),
    windows.GpuFromMaxima: _collecting(from_maxima_result, "pool"),
}
