"""Elimination whose result several nodes read: it is kept by columns, as LAPACK wants it again."""

from __future__ import annotations

from workbench.core.graph import Apply, Op
from workbench.core.native.emit_solve import require_diagonal
from workbench.core.native.lapack import integer_type
from workbench.core.native.ssa import Type
from workbench.core.native.stacks import (
    LETTER,
    Call,
    batch_space,
    by_columns,
    each,
    exchanged_row,
    over_batch,
    pivots,
)
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.lu_factor import LuFactor, LuSolve


def emit_lu_factor(w: Writer, node: Apply) -> None:
    """Elimination in a copy by columns; singular matrices are factorised, too."""
    a = w.tensor(node.inputs[0])
    *batch, n, columns = a.dims
    w.same(n, columns)
    stack, exchanged = over_batch(w, a, batch), pivots(w, n)
    factors = by_columns(w, a.dtype, batch, n, n)
    rows = w.allocate(node.outputs[1], (*batch, n))
    with each(w, batch, stack, factors, rows) as (matrix, copy, row):
        w.copy(matrix, copy)
        call = Call(w).integers(n, n).matrix(copy.data, n).pointers(exchanged)
        info = call.run(f"{LETTER[a.dtype]}getrf")
        w.require(w.compare("sge", info, "0"), w.code)
        with w.counted(n) as i:
            place = w.offset(row.data or "null", w.integer("mul", i, row.strides[0]))
            w.code.line(f"store i64 {exchanged_row(w, exchanged, i)}, ptr {place}")
    w.bind(node.outputs[0], factors)
    w.bind(node.outputs[1], rows)


def emit_lu_solve(w: Writer, node: Apply) -> None:
    """The right side, by columns, becomes the solution."""
    op = node.op
    assert isinstance(op, LuSolve)
    a, rows, b = (w.tensor(v) for v in node.inputs)
    n, k = a.dims[-1], b.dims[-1]
    w.same(a.dims[-2], n)
    w.same(b.dims[-2], n)
    batch = batch_space(w, (node.inputs[0], node.inputs[2]), (a, b))
    by_column = a.data is not None and a.strides[-2] == str(a.itemsize)
    lines = rows.view(rows.data, (*rows.dims, "1"), (*rows.strides, "0"))
    stacks = [over_batch(w, t, batch) for t in (a, lines, b)]
    own, exchanged = None if by_column else by_columns(w, a.dtype, (), n, n), pivots(w, n)
    out = by_columns(w, a.dtype, batch, n, k)
    with each(w, batch, *stacks, out) as (factors, line, right, solution):
        if own is not None:
            w.copy(factors, own)
        memory = own or factors
        require_diagonal(w, memory, n)
        _count_from_one(w, line, exchanged, n)
        w.copy(right, solution)
        call = Call(w).letters("T" if op.transposed else "N").integers(n, k)
        lead = w.integer("sdiv", memory.strides[-1], str(memory.itemsize))
        call.matrix(memory.data, lead).pointers(exchanged)
        call.matrix(solution.data, n).succeed(f"{LETTER[a.dtype]}getrs")
    w.bind(node.out, out)


def _count_from_one(w: Writer, rows: Tensor, exchanged: Name, n: Name) -> None:
    """Rows as LAPACK has them: in its integers, counted from 1."""
    kind = Type(integer_type())
    with w.counted(n) as i:
        at = w.offset(rows.data or "null", w.integer("mul", i, rows.strides[0]))
        row = w.code.put(Type("i64"), f"load i64, ptr {at}") + 1
        narrow = row if kind.bits == 64 else row.convert("trunc", kind.scalar)
        place = w.offset(exchanged, w.integer("mul", i, str(kind.bits // 8)))
        w.code.line(f"store {narrow.typed}, ptr {place}")


EMITTERS: dict[type[Op], Emitter] = {LuFactor: emit_lu_factor, LuSolve: emit_lu_solve}
