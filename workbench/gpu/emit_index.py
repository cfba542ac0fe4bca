"""Index arrays on a device: reading what they pick, and writing there. What is written is sorted by
its place first, so that what comes last stays, and sums are the same in every run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from workbench.core.graph import Apply, Op
from workbench.core.native.emit_index import Pick, picked, spread_checked
from workbench.core.native.emit_loops import Sink, fitted
from workbench.core.native.tensor import Name, Tensor, register_tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.index import AdvancedIncSubtensor, AdvancedSubtensor
from workbench.core.scalar import ScalarBuilder, ScalarProgram
from workbench.core.types import tensor_type
from workbench.gpu.emit_sorting import order_of
from workbench.gpu.launches import launch_as
from workbench.gpu.ops import index
from workbench.gpu.pick_kernels import BLOCK, NOWHERE, Carry, Gather, Places, Scatter
from workbench.gpu.shares import over
from workbench.gpu.writer import DeviceWriter


def emit_advanced_subtensor(w: Writer, node: Apply) -> None:
    """Elements or rows picked by index arrays."""
    op = node.op
    assert isinstance(w, DeviceWriter)
    assert isinstance(op, AdvancedSubtensor)
    device = tensor_type(node.out).device
    x, *parts = node.inputs
    source = w.tensor(x)
    if source.data is None:
        source = w.on(source, device)
    pick = picked(w, op.spec, source, parts)
    out = w.allocate(node.out, pick.result_dims)
    places = _over_space(pick, _places(w, pick, device))
    program = ScalarBuilder(("int64", out.dtype)).program(1)
    fit = fitted(w, program, out.dims, [places, _over_rest(pick)], [Sink(out, 0)], ())
    launch_as(w, Gather, fit)
    w.bind(node.out, out)


def emit_advanced_inc_subtensor(w: Writer, node: Apply) -> None:
    """Elements or rows put or added, run by run of equal places."""
    op = node.op
    assert isinstance(w, DeviceWriter)
    assert isinstance(op, AdvancedIncSubtensor)
    out = w.changeable(node)
    pick = picked(w, op.spec, out, node.inputs[2:])
    dims = pick.result_dims
    place = out.view(out.data, dims, ["0"] * len(dims))
    y = spread_checked(w, w.tensor(node.inputs[1]), node.inputs[1], place)
    places = _places(w, pick, out.device)
    count = w.multiply(*pick.space)
    order = order_of(w, w.array("int64", [count], places.data or "null", device=out.device))
    flat = replace(pick, space=[count])
    target, y = _over_rest(flat), _in_a_row(w, pick, y, flat.result_dims)
    words = {"places": w.address(places), "count": count}
    carried = _carried(w, flat, y, order, op.set, words)
    given = [target, y, _over_space(flat, order), carried]
    program = _change(given, op.set)
    fit = fitted(w, program, target.dims, given, [Sink(target, 0, inplace=(0,))], ())
    launch_as(w, Scatter, fit, **words)
    w.bind(node.out, out)


def _carried(
    w: DeviceWriter, flat: Pick, y: Tensor, order: Tensor, put: bool, words: Mapping[str, Name]
) -> Tensor:
    """What each block of places adds to the run that goes on there: where there is one block,
    none does.
    """
    blocks = replace(flat, space=[over(w, flat.space[0], str(BLOCK))])
    made = w.scratch(y.dtype, blocks.result_dims, device=order.device)
    given = [made, y.view(y.data, made.dims, y.strides), _over_space(blocks, order)]
    sink = Sink(made, 0, inplace=(0,))
    if blocks.space != ["1"]:
        fit = fitted(w, _change(given, put), made.dims, given, [sink], ())
        launch_as(w, Carry, fit, **words)
    return made.view(made.data, flat.result_dims, made.strides)


def _places(w: DeviceWriter, pick: Pick, device: str) -> Tensor:
    """How far from the source's address each place is, over the pick's space."""
    count = len(pick.arrays)
    made = w.scratch("int64", pick.space, device=device)
    numbers = (*pick.source.dims[:count], *pick.source.strides[:count])
    given = [*pick.arrays, *(register_tensor("int64", n) for n in numbers)]
    program = _offset([t.dtype for t in pick.arrays])
    fit = fitted(w, program, pick.space, given, [Sink(made, 0)], ())
    flags, mark = w.report(device)
    launch_as(w, Places, fit, flags=flags, mark=mark)
    return made


def _offset(dtypes: Sequence[str]) -> ScalarProgram:
    """From indices, lengths and strides to one offset, or NOWHERE."""
    count, dtype = len(dtypes), "int64"
    b = ScalarBuilder((*dtypes, *[dtype] * (2 * count)))
    zero = b.const(0, dtype)
    total, inside = zero, b.const(True, "bool")
    for k in range(count):
        given, n, step = b.cast(k, dtype), count + k, 2 * count + k
        negative = b.prim("lt", "bool", given, zero)
        at = b.prim("select", dtype, negative, b.prim("add", dtype, given, n), given)
        for holds in (b.prim("ge", "bool", at, zero), b.prim("lt", "bool", at, n)):
            inside = b.prim("and", "bool", inside, holds)
        total = b.prim("add", dtype, total, b.prim("mul", dtype, at, step))
    return b.program(b.prim("select", dtype, inside, total, b.const(NOWHERE, dtype)))


def _change(given: Sequence[Tensor], put: bool) -> ScalarProgram:
    """From an element and what is written, the first two of what is given, to what it becomes."""
    b, dtype = ScalarBuilder([t.dtype for t in given]), given[0].dtype
    return b.program(1 if put else b.prim("or" if dtype == "bool" else "add", dtype, 0, 1))


def _over_rest(pick: Pick) -> Tensor:
    """The source over the result's axes, without the offsets: it moves along what is whole."""
    source, p = pick.source, pick.position
    steps = source.strides[len(pick.arrays) :]
    still = ["0"] * len(pick.space)
    return source.view(source.data, pick.result_dims, [*steps[:p], *still, *steps[p:]])


def _over_space(pick: Pick, tensor: Tensor) -> Tensor:
    """A tensor of the pick's space over the result's axes."""
    p = pick.position
    still = ["0"] * (len(pick.rest) - p)
    return tensor.view(tensor.data, pick.result_dims, [*["0"] * p, *tensor.strides, *still])


def _in_a_row(w: DeviceWriter, pick: Pick, y: Tensor, dims: Sequence[str]) -> Tensor:
    """What is written, with the axes of the space as one; copied where it does not lie so."""
    p, stop = pick.position, pick.position + len(pick.space)
    if len(pick.space) > 1 and not y.contiguous and any(s != "0" for s in y.strides[p:stop]):
        y = w.on(y, pick.source.device)
    steps = [*y.strides[:p], y.strides[stop - 1], *y.strides[stop:]]
    return y.view(y.data, dims, steps, contiguous=y.contiguous)


EMITTERS: dict[type[Op], Emitter] = {
    index.GpuAdvancedSubtensor: emit_advanced_subtensor,
    index.GpuAdvancedIncSubtensor: emit_advanced_inc_subtensor,
}
