"""Arrays that are made of numbers, on a device."""

from __future__ import annotations

from workbench.core.graph import Apply, Op
from workbench.core.native import emit_shape
from workbench.core.native.emit_loops import Sink, run_loops
from workbench.core.native.tensor import Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.create import ARange
from workbench.core.scalar import ScalarBuilder
from workbench.gpu.dialect import c_type
from workbench.gpu.handmade import kernel
from workbench.gpu.nest_kernel import from_word
from workbench.gpu.ops import create
from workbench.gpu.writer import DeviceWriter

_AT_ONCE = 16
"""Elements of a vector that one kernel stores, each a result of its own."""


def emit_arange(w: Writer, node: Apply) -> None:
    """Start + i * step, as NumPy has it: the step is (start + step) - start."""
    op = node.op
    assert isinstance(w, DeviceWriter)
    assert isinstance(op, ARange)
    start, stop, step = (w.scalar(w.tensor(v)) for v in node.inputs)
    length = emit_shape.arange_length(w, op, start, stop, step)
    out = w.allocate(node.out, [length])
    kind = c_type(op.dtype)
    made = kernel(
        "arange", T=kind, WIDE=kind if op.dtype[0] == "f" else "u64",
        START=from_word(op.dtype, "W(2)"), STEP=from_word(op.dtype, "W(3)"),
    )  # fmt: skip
    words = [w.address(out), length, w.bits(start), w.bits((start + step) - start)]
    w.queue(out.device, made, w.groups(out.device, length), words)
    w.bind(node.out, out)


def emit_make_vector(w: Writer, node: Apply) -> None:
    """Scalars side by side, wherever they lie."""
    out = w.allocate(node.out, [str(len(node.inputs))])
    scalars = [w.tensor(v) for v in node.inputs]
    for first in range(0, len(scalars), _AT_ONCE):
        part = scalars[first : first + _AT_ONCE]
        builder = ScalarBuilder([t.dtype for t in part])
        program = builder.program(*(builder.cast(k, out.dtype) for k in range(len(part))))
        sinks = [Sink(_element(w, out, first + k), k) for k in range(len(part))]
        run_loops(w, program, [], part, sinks, ())
    w.bind(node.out, out)


def _element(w: Writer, vector: Tensor, k: int) -> Tensor:
    return vector.view(w.offset(vector.data or "null", str(k * vector.itemsize)), (), ())


EMITTERS: dict[type[Op], Emitter] = {
    create.GpuARange: emit_arange,
    create.GpuEye: emit_shape.emit_eye,
    create.GpuMakeVector: emit_make_vector,
}
