"""Eigenvalues, singular values and orthogonal factors, by LAPACK, from copies by columns: NumPy
makes such copies, too, so that vectors have the same signs.
"""

from __future__ import annotations

from workbench.core.graph import Apply, Op
from workbench.core.native.ssa import Type
from workbench.core.native.stacks import (
    LETTER,
    Call,
    Workspace,
    by_columns,
    each,
    exchange,
    number,
    over_batch,
    pivots,
)
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.decompose import Eigh, Eigvalsh, Qr, SingularValues, Svd
from workbench.core.ops.lu import Lu


def emit_eigh(w: Writer, node: Apply) -> None:
    """Eigenvalues, and eigenvectors in the place of the copy."""
    op = node.op
    assert isinstance(op, (Eigh, Eigvalsh))
    with_vectors = isinstance(op, Eigh)
    a = w.tensor(node.inputs[0])
    *batch, n, columns = a.dims
    w.same(n, columns)
    letters = ("V" if with_vectors else "N") + ("L" if op.lower else "U")
    routine = f"{LETTER[a.dtype]}syevd"

    def arguments(call: Call, data: Name | None = None, out: Name | None = None) -> Call:
        return call.letters(letters).integers(n).matrix(data, n).pointers(out)

    work = Workspace(w, routine, a.dtype, [n], arguments, integers=True)
    stack = over_batch(w, a, batch)
    values = w.allocate(node.outputs[0], (*batch, n))
    results = [values, by_columns(w, a.dtype, batch, n, n)] if with_vectors else [values]
    spare = None if with_vectors else by_columns(w, a.dtype, (), n, n)
    with each(w, batch, stack, *results) as (matrix, *parts):
        copy = spare or parts[1]
        w.copy(matrix, copy)
        work.add(arguments(Call(w), copy.data, parts[0].data)).succeed(routine)
    for v, tensor in zip(node.outputs, results, strict=True):
        w.bind(v, tensor)


def emit_svd(w: Writer, node: Apply) -> None:
    """U, singular values and Vᵀ, or the singular values alone."""
    op, a = node.op, w.tensor(node.inputs[0])
    *batch, m, n = a.dims
    k = w.call_i64("smin", m, n)
    letter = LETTER[a.dtype]
    job, left, right = "N", "1", "1"
    if isinstance(op, Svd):
        job, left, right = ("A", m, n) if op.full else ("S", k, k)

    def arguments(call: Call, *data: Name | None) -> Call:
        matrix, values, u, v = data or (None,) * 4
        call.letters(job).integers(m, n).matrix(matrix, m).pointers(values)
        return call.matrix(u, m).matrix(v, right)

    work = Workspace(w, f"{letter}gesdd", a.dtype, [m, n], arguments, after=1)
    integers = w.scratch("int64", (w.multiply("8", k),)).data
    copy, stack = by_columns(w, a.dtype, (), m, n), over_batch(w, a, batch)
    values = w.allocate(node.outputs[-2 if job != "N" else 0], (*batch, k))
    made = [values]
    if job != "N":
        u = by_columns(w, a.dtype, batch, m, left)
        v = by_columns(w, a.dtype, batch, right, n)
        made = [u, values, v]
    with each(w, batch, stack, *made) as (matrix, *results):
        w.copy(matrix, copy)
        data = [t.data for t in results]
        u_data, s_data, v_data = data if len(data) == 3 else (None, data[0], None)
        call = work.add(arguments(Call(w), copy.data, s_data, u_data, v_data))
        call.pointers(integers).succeed(f"{letter}gesdd")
        if job == "A":
            for square in (results[0], results[-1]):
                _identity_if_none(w, square, k)
    for variable, tensor in zip(node.outputs, made, strict=True):
        w.bind(variable, tensor)


def _identity_if_none(w: Writer, square: Tensor, k: Name) -> None:
    """LAPACK writes nothing where there are no singular values: any orthogonal matrix will do."""
    if k.isdigit() and k != "0":
        return
    n = square.dims[0]
    with w.counted(w.select(w.compare("eq", k, "0"), "1", "0")):
        w.clear(square)
        step = w.integer("add", *square.strides)
        with w.counted(n) as i:
            _put_one(w, square, w.integer("mul", i, step))


def emit_qr(w: Writer, node: Apply) -> None:
    """Reflections below the diagonal of a copy; R is above it, and Q is made of them."""
    op, a = node.op, w.tensor(node.inputs[0])
    assert isinstance(op, Qr)
    *batch, m, n = a.dims
    k = w.call_i64("smin", m, n)
    wide = m if op.mode == "complete" else k  # columns of Q, rows of R
    letter, stack = LETTER[a.dtype], over_batch(w, a, batch)
    copy = by_columns(w, a.dtype, (), m, n)
    scales = w.scratch(a.dtype, (k,)).data
    outs = [by_columns(w, a.dtype, batch, wide, n)]
    if op.mode != "r":
        outs.insert(0, by_columns(w, a.dtype, batch, m, wide))

    def reflect(call: Call, data: Name | None = None) -> Call:
        return call.integers(m, n).matrix(data, m).pointers(data and scales)

    def unfold(call: Call, data: Name | None = None) -> Call:
        return call.integers(m, wide, k).matrix(data, m).pointers(data and scales)

    reflecting = Workspace(w, f"{letter}geqrf", a.dtype, [m, n], reflect)
    unfolding = Workspace(w, f"{letter}orgqr", a.dtype, [m, n], unfold)
    with each(w, batch, stack, *outs) as (matrix, *results):
        w.copy(matrix, copy)
        reflecting.add(reflect(Call(w), copy.data)).succeed(f"{letter}geqrf")
        _copy_above(w, copy, results[-1], wide)
        if op.mode != "r":
            q = results[0].data
            size = w.bytes_of(a.dtype, (m, k))
            _copy_bytes(w, copy.data, q, size)
            unfolding.add(unfold(Call(w), q)).succeed(f"{letter}orgqr")
    for variable, tensor in zip(node.outputs, outs, strict=True):
        w.bind(variable, tensor)


def emit_lu(w: Writer, node: Apply) -> None:
    """Elimination in a copy; L is below its diagonal, U above it."""
    a = w.tensor(node.inputs[0])
    *batch, m, n = a.dims
    k = w.call_i64("smin", m, n)
    stack, copy = over_batch(w, a, batch), by_columns(w, a.dtype, (), m, n)
    exchanged, order = pivots(w, k), pivots(w, m)
    sides = ((m, m), (m, k), (k, n))
    outs = [by_columns(w, a.dtype, batch, rows, columns) for rows, columns in sides]
    with each(w, batch, stack, *outs) as (matrix, permutation, left, right):
        w.copy(matrix, copy)
        call = Call(w).integers(m, n).matrix(copy.data, m).pointers(exchanged)
        info = call.run(f"{LETTER[a.dtype]}getrf")  # above 0: singular, but factorised
        w.require(w.compare("sge", info, "0"), w.code)
        _copy_above(w, copy, right, k)
        _copy_below(w, copy, left)
        exchange(w, k, exchanged, m, order)
        w.clear(permutation)
        with w.counted(m) as i:
            row = w.code.put(Type("i64"), f"load i64, ptr {_word(w, order, i)}").name
            place = w.integer("add", w.integer("mul", i, m), row)
            _put_one(w, permutation, w.integer("mul", place, str(a.itemsize)))
    for variable, tensor in zip(node.outputs, outs, strict=True):
        w.bind(variable, tensor)


def _word(w: Writer, data: Name, i: Name) -> Name:
    return w.offset(data, w.integer("mul", i, "8"))


def _put_one(w: Writer, matrix: Tensor, offset: Name) -> None:
    at = w.offset(matrix.data or "null", offset)
    w.store_scalar(number(w, matrix.dtype, 1.0), at)


def _copy_below(w: Writer, source: Tensor, into: Tensor) -> None:
    """What is below the diagonal of a matrix by columns, ones on it, zeros above it."""
    item, rows = str(source.itemsize), into.dims[0]
    with w.counted(into.dims[1]) as j:
        start = w.offset(source.data or "null", w.integer("mul", j, source.strides[1]))
        column = w.offset(into.data or "null", w.integer("mul", j, into.strides[1]))
        _copy_bytes(w, start, column, w.integer("mul", rows, item))
        above = w.integer("mul", j, item)
        w.code.line(f"call void @llvm.memset.p0.i64(ptr {column}, i8 0, i64 {above}, i1 false)")
        w.store_scalar(number(w, into.dtype, 1.0), w.offset(column, above))


def _copy_above(w: Writer, source: Tensor, into: Tensor, rows: Name) -> None:
    """The upper triangle of a matrix by columns, zeros below it; the result may have fewer rows."""
    item = str(source.itemsize)
    with w.counted(into.dims[1]) as j:
        start = w.offset(source.data or "null", w.integer("mul", j, source.strides[1]))
        column = w.offset(into.data or "null", w.integer("mul", j, into.strides[1]))
        count = w.call_i64("smin", w.integer("add", j, "1"), rows)
        size = w.integer("mul", count, item)
        _copy_bytes(w, start, column, size)
        rest = w.integer("mul", w.integer("sub", rows, count), item)
        below = w.offset(column, size)
        w.code.line(f"call void @llvm.memset.p0.i64(ptr {below}, i8 0, i64 {rest}, i1 false)")


def _copy_bytes(w: Writer, source: Name | None, into: Name | None, size: Name) -> None:
    places = f"ptr {into}, ptr {source}"
    w.code.line(f"call void @llvm.memcpy.p0.p0.i64({places}, i64 {size}, i1 false)")


EMITTERS: dict[type[Op], Emitter] = {
    Eigh: emit_eigh,
    Eigvalsh: emit_eigh,
    Svd: emit_svd,
    SingularValues: emit_svd,
    Qr: emit_qr,
    Lu: emit_lu,
}
