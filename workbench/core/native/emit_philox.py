"""Draws from the counter-based generator Philox4x32-10."""

from __future__ import annotations

from workbench.core.graph import Apply, Op
from workbench.core.native.emit_random import release_if_many, sample_dims
from workbench.core.native.philox import name_of
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.philox import PhiloxUniform
from workbench.core.random.philox import LENGTH


def emit_philox_uniform(w: Writer, node: Apply) -> None:
    """One call for all numbers: from the old state, the new one and the sample."""
    op = node.op
    assert isinstance(op, PhiloxUniform)
    old = w.in_memory(w.tensor(node.inputs[0]))
    w.same(old.dims[0], str(LENGTH))
    dims = sample_dims(w, op.static, node.inputs[1:])
    release_if_many(w, dims)
    new = w.allocate(node.outputs[0], [str(LENGTH)])
    out = w.allocate(node.outputs[1], dims)
    w.has_loops = True
    w.code.line(
        f"call void @{name_of(op.dtype, w.target)}(ptr {old.data}, ptr {new.data}, "
        f"ptr {out.data}, i64 {w.multiply(*dims)})"
    )
    w.bind(node.outputs[0], new)
    w.bind(node.outputs[1], out)


EMITTERS: dict[type[Op], Emitter] = {PhiloxUniform: emit_philox_uniform}
