"""Draws from many streams of MRG31k3p side by side."""

from __future__ import annotations

from workbench.core.graph import Apply, Op
from workbench.core.native.emit_random import release_if_many, sample_dims
from workbench.core.native.mrg import name_of
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.mrg import MRGUniform


def emit_mrg_uniform(w: Writer, node: Apply) -> None:
    """One call for all numbers: from the old states, the new ones and the sample."""
    op = node.op
    assert isinstance(op, MRGUniform)
    old = w.in_memory(w.tensor(node.inputs[0]))
    w.same(old.dims[1], "6")
    w.require(w.compare("sge", old.dims[0], "1"))
    dims = sample_dims(w, op.static, node.inputs[1:])
    release_if_many(w, dims)
    new = w.allocate(node.outputs[0], [old.dims[0], "6"])
    out = w.allocate(node.outputs[1], dims)
    w.has_loops = True
    name = name_of(op.dtype, w.target)
    w.code.line(
        f"call void @{name}(ptr {old.data}, ptr {new.data}, i64 {old.dims[0]}, "
        f"ptr {out.data}, i64 {w.multiply(*dims)})"
    )
    w.bind(node.outputs[0], new)
    w.bind(node.outputs[1], out)


EMITTERS: dict[type[Op], Emitter] = {MRGUniform: emit_mrg_uniform}
