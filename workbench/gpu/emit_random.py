"""Draws on a device, bit for bit those of the host: a thread takes some streams, or some blocks."""

from __future__ import annotations

import numpy as np

from workbench.core.graph import Apply, Op
from workbench.core.native.emit_random import sample_dims
from workbench.core.native.ssa import Type
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.mrg import MRGUniform
from workbench.core.ops.philox import PhiloxUniform
from workbench.core.random.mrg import UNIT
from workbench.core.random.philox import LENGTH, PER_BLOCK
from workbench.gpu.dialect import c_type
from workbench.gpu.handmade import kernel
from workbench.gpu.ops import random
from workbench.gpu.parts import Pair
from workbench.gpu.render import literal
from workbench.gpu.shares import over
from workbench.gpu.writer import DeviceWriter


def emit_mrg_uniform(w: Writer, node: Apply) -> None:
    """A thread for each stream."""
    assert isinstance(w, DeviceWriter)
    op = node.op
    assert isinstance(op, MRGUniform)
    given = w.tensor(node.inputs[0])
    streams = given.dims[0]
    w.same(given.dims[1], "6")
    w.require(w.compare("sge", streams, "1"))
    old, new, out = _memory(w, node, given, sample_dims(w, op.static, node.inputs[1:]))
    made = kernel("mrg", T=c_type(op.dtype), UNIT=literal(UNIT[op.dtype], op.dtype))
    words = [*map(w.address, (new, out, old)), streams, w.multiply(*out.dims)]
    w.enqueue(out.device, Pair(made, made), w.groups(out.device, streams), words)


_NUMBERS = {
    "float32": ("u32", "NAME_single"), "float64": ("u64", "NAME_double"),
    "uint32": ("u32", "NAME_integer"), "uint64": ("u64", "NAME_integer"),
}  # fmt: skip


def emit_philox_uniform(w: Writer, node: Apply) -> None:
    """A thread for each block."""
    assert isinstance(w, DeviceWriter)
    op = node.op
    assert isinstance(op, PhiloxUniform)
    given = w.tensor(node.inputs[0])
    w.same(given.dims[0], str(LENGTH))
    old, new, out = _memory(w, node, given, sample_dims(w, op.static, node.inputs[1:]))
    kind, each = c_type(op.dtype), PER_BLOCK[op.dtype]
    bits, number = _NUMBERS[op.dtype]
    made = kernel("philox", T=kind, EACH=each, PACK=f"{kind}_{each}", BITS=bits, NUMBER=number)
    count = w.multiply(*out.dims)
    blocks = over(w, count, str(each))
    words = [*map(w.address, (new, out, old)), count, blocks, _whole(w, out, count, each)]
    groups = w.call_i64("smax", w.groups(out.device, blocks), "1")  # the state is written
    w.enqueue(out.device, Pair(made, made), groups, words)


def _memory(
    w: DeviceWriter, node: Apply, given: Tensor, dims: list[Name]
) -> tuple[Tensor, Tensor, Tensor]:
    """The old state in one piece, memory for the new one and for the sample."""
    new = w.allocate(node.outputs[0], given.dims)
    out = w.allocate(node.outputs[1], dims)
    w.bind(node.outputs[0], new)
    w.bind(node.outputs[1], out)
    return w.on(given, out.device), new, out


def _whole(w: DeviceWriter, out: Tensor, count: Name, each: int) -> Name:
    """How many blocks lie so that they are written at once."""
    size = each * np.dtype(out.dtype).itemsize
    low = w.code.put(Type("i64"), f"and i64 {w.address(out)}, {size - 1}").name
    return w.select(w.compare("eq", low, "0"), w.integer("sdiv", count, str(each)), "0")


EMITTERS: dict[type[Op], Emitter] = {
    random.GpuMRGUniform: emit_mrg_uniform,
    random.GpuPhiloxUniform: emit_philox_uniform,
}
