"""Diagonals: a step of a row and a column at once is a view."""

from __future__ import annotations

from workbench.core.graph import Apply
from workbench.core.native.emit_index import spread_checked, write_into
from workbench.core.native.tensor import Tensor, register_tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.diagonals import Diagonal, IncDiagonal


def emit_diagonal(w: Writer, node: Apply) -> None:
    """The same memory with one stride for two."""
    op = node.op
    assert isinstance(op, Diagonal)
    w.bind(node.out, _view(w, w.tensor(node.inputs[0]), op.offset))


def emit_inc_diagonal(w: Writer, node: Apply) -> None:
    """A copy (or the operand itself, where it dies here) with its diagonal changed."""
    op = node.op
    assert isinstance(op, IncDiagonal)
    out = w.changeable(node)
    view = _view(w, out, op.offset)
    write_into(w, view, spread_checked(w, w.tensor(node.inputs[1]), node.inputs[1], view), op.set)
    w.bind(node.out, out)


def _view(w: Writer, x: Tensor, offset: int) -> Tensor:
    *rest, rows, columns = x.dims
    down, right = str(max(-offset, 0)), str(max(offset, 0))
    length = w.call_i64("smin", w.integer("sub", rows, down), w.integer("sub", columns, right))
    dims = [*rest, w.call_i64("smax", length, "0")]
    if x.scalar is not None:
        return register_tensor(x.dtype, x.scalar, dims)
    start = w.integer(
        "add",
        w.integer("mul", down, x.strides[-2]),
        w.integer("mul", right, x.strides[-1]),
    )
    step = w.integer("add", x.strides[-2], x.strides[-1])
    return x.view(w.offset(x.data or "null", start), dims, [*x.strides[:-2], step])


EMITTERS: dict[type, Emitter] = {Diagonal: emit_diagonal, IncDiagonal: emit_inc_diagonal}
