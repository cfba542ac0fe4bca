"""Transfers: over the bus, or nothing where the value is there already."""

from __future__ import annotations

from workbench.core.graph import Apply, Constant
from workbench.core.native.tensor import register_tensor
from workbench.core.native.writer import Writer
from workbench.core.ops.transfer import GpuFromHost, GpuToGpu, HostFromGpu
from workbench.core.types import tensor_type
from workbench.gpu.writer import DeviceWriter


def emit_to_device(w: Writer, node: Apply) -> None:
    """To a device, from the host or another one; constants are there."""
    assert isinstance(w, DeviceWriter)
    source, device = node.inputs[0], tensor_type(node.out).device
    if isinstance(source, Constant) and source.data.size:
        tensor = w.constant_on(source, device)
        if node.out not in w.destinations:
            w.bind(node.out, tensor)
            return
    else:
        tensor = w.tensor(source)
    made = w.allocate(node.out, tensor.dims)
    w.copy(tensor, made)
    w.bind(node.out, made)


def emit_to_host(w: Writer, node: Apply) -> None:
    """To the host; a number into a register: 0 where the device fails, so that a loop that goes by
    it ends.
    """
    assert isinstance(w, DeviceWriter)
    tensor = w.tensor(node.inputs[0])
    if tensor.scalar is not None and node.out not in w.destinations:
        w.bind(node.out, tensor)
        return
    if tensor.dims or node.out in w.destinations:
        made = w.allocate(node.out, tensor.dims)
        w.copy(tensor, made)
    else:
        from workbench.core.native.ssa import memory_type

        kind = memory_type(tensor.dtype)
        place = w.array(tensor.dtype, (), w.alloca(kind))
        w.code.line(f"store {kind} zeroinitializer, ptr {place.data}")
        w.copy(tensor, place)
        made = register_tensor(tensor.dtype, w.scalar(place).name)
    w.bind(node.out, made)


EMITTERS = {GpuFromHost: emit_to_device, GpuToGpu: emit_to_device, HostFromGpu: emit_to_host}
