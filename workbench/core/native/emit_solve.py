"""Factorisations by elimination, by LAPACK: a node fails where its matrix cannot be factorised, and
the interpreter says why.

Row-major memory is the transpose of what LAPACK sees. Where the transpose serves as well (Cholesky,
inverse, determinant, triangular systems) it is taken as it is; for others a matrix is copied into
columns, which are the numbers that NumPy gives LAPACK, too.
"""

from __future__ import annotations

from collections.abc import Callable

from workbench.core.graph import Apply, Op
from workbench.core.native.emit_blas import BlasCall, as_matrix, multiply
from workbench.core.native.program import emit_expanded
from workbench.core.native.ssa import Type, Value
from workbench.core.native.stacks import (
    LETTER,
    Call,
    Workspace,
    at_least_one,
    batch_space,
    by_columns,
    each,
    exchanged_row,
    number,
    over_batch,
    pivots,
)
from workbench.core.native.tensor import Name, Tensor, register_tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops import exponential, pseudoinverse, solve

Finish = Callable[[Value, Value], list[Value]]


def emit_cholesky(w: Writer, node: Apply) -> None:
    """The upper factor of the transpose, in place; then zeros above the diagonal."""
    a = w.tensor(node.inputs[0])
    *batch, n, columns = a.dims
    w.same(n, columns)
    out = w.allocate(node.out, a.dims)
    with each(w, batch, over_batch(w, a, batch), out) as (matrix, factor):
        w.copy(matrix, factor)
        call = Call(w).letters("U").integers(n).matrix(factor.data, n)
        call.succeed(f"{LETTER[a.dtype]}potrf")
        _clear_above(w, factor, n)
    w.bind(node.out, out)


def _clear_above(w: Writer, matrix: Tensor, n: Name) -> None:
    item = str(matrix.itemsize)
    with w.counted(n) as row:
        first = w.integer("add", w.integer("mul", row, n), w.integer("add", row, "1"))
        at = w.offset(matrix.data or "null", w.integer("mul", first, item))
        rest = w.integer("sub", w.integer("sub", n, row), "1")
        size = w.integer("mul", rest, item)
        w.code.line(f"call void @llvm.memset.p0.i64(ptr {at}, i8 0, i64 {size}, i1 false)")


def emit_inverse(w: Writer, node: Apply) -> None:
    """The transpose of the transpose's inverse, in place."""
    a = w.tensor(node.inputs[0])
    *batch, n, columns = a.dims
    w.same(n, columns)
    letter, stack = LETTER[a.dtype], over_batch(w, a, batch)
    out, exchanged = w.allocate(node.out, a.dims), pivots(w, n)

    def arguments(call: Call, data: Name | None = None, rows: Name | None = None) -> Call:
        return call.integers(n).matrix(data, n).pointers(rows)

    work = Workspace(w, f"{letter}getri", a.dtype, [n], arguments)
    with each(w, batch, stack, out) as (matrix, inverse):
        w.copy(matrix, inverse)
        _factorise(w, n, inverse.data, exchanged).succeed(f"{letter}getrf")
        work.add(arguments(Call(w), inverse.data, exchanged)).succeed(f"{letter}getri")
    w.bind(node.out, out)


def _factorise(w: Writer, n: Name, data: Name | None, exchanged: Name) -> Call:
    return Call(w).integers(n, n).matrix(data, n).pointers(exchanged)


def emit_solve(w: Writer, node: Apply) -> None:
    """Elimination in a copy by columns; the right side, by columns, becomes the solution."""
    a, b = (w.tensor(v) for v in node.inputs)
    n, k = a.dims[-1], b.dims[-1]
    w.same(a.dims[-2], n)
    w.same(b.dims[-2], n)
    batch = batch_space(w, node.inputs, (a, b))
    letter = LETTER[a.dtype]
    stacks = over_batch(w, a, batch), over_batch(w, b, batch)
    factors, exchanged = by_columns(w, a.dtype, (), n, n), pivots(w, n)
    one = k == "1"  # a column lies in memory as a row does
    out = w.allocate(node.out, (*batch, n, k)) if one else by_columns(w, a.dtype, batch, n, k)
    with each(w, batch, *stacks, out) as (matrix, right, solution):
        w.copy(matrix, factors)
        w.copy(right, solution)
        _factorise(w, n, factors.data, exchanged).succeed(f"{letter}getrf")
        call = Call(w).letters("N").integers(n, k).matrix(factors.data, n).pointers(exchanged)
        call.matrix(solution.data, n).succeed(f"{letter}getrs")
    w.bind(node.out, out)


def emit_solve_triangular(w: Writer, node: Apply) -> None:
    """Row-major X of A X = B is column-major Xᵀ of Xᵀ Aᵀ = Bᵀ: BLAS solves it in B's place."""
    op = node.op
    assert isinstance(op, solve.SolveTriangular)
    a, b = (w.tensor(v) for v in node.inputs)
    n, k = a.dims[-1], b.dims[-1]
    w.same(a.dims[-2], n)
    w.same(b.dims[-2], n)
    batch = batch_space(w, node.inputs, (a, b))
    stacks = over_batch(w, a, batch), over_batch(w, b, batch)
    out = w.allocate(node.out, (*batch, n, k))
    with each(w, batch, *stacks, out) as (triangle, right, solution):
        if not op.unit:
            require_diagonal(w, triangle, n)
        w.copy(right, solution)
        memory = as_matrix(w, triangle)
        call = BlasCall(w)
        call.letter("R")
        call.letter("U" if op.lower == memory.transposed else "L")
        call.letter("N" if memory.transposed else "T")
        call.letter("U" if op.unit else "N")
        call.integer(k)
        call.integer(n)
        call.number(number(w, a.dtype, 1.0))
        call.pointer(memory.data)
        call.integer(memory.lead)
        call.pointer(solution.data or "null")
        call.integer(at_least_one(w, k))
        call.call(f"{LETTER[a.dtype]}trsm")
    w.bind(node.out, out)


def require_diagonal(w: Writer, matrix: Tensor, n: Name) -> None:
    """Fail where there is a zero on the diagonal."""
    step = w.integer("add", *matrix.strides)
    with w.counted(n) as i:
        w.require(_element(w, matrix, w.integer("mul", i, step)).compare("une", 0.0).name, w.code)


def _element(w: Writer, matrix: Tensor, offset: Name) -> Value:
    at = w.offset(matrix.data or "null", offset)
    return w.scalar(Tensor(matrix.dtype, (), (), at))


def emit_slogdet(w: Writer, node: Apply) -> None:
    """The product of the pivots' signs and the sum of their logarithms."""
    tensors = _determinants(w, node, lambda sign, logarithm: [sign, logarithm])
    for v, tensor in zip(node.outputs, tensors, strict=True):
        w.bind(v, tensor)


def emit_det(w: Writer, node: Apply) -> None:
    """From the sign and the logarithm: the product of the pivots overflows on the way."""
    (tensor,) = _determinants(
        w, node, lambda sign, logarithm: [sign * sign.code.math("exp", logarithm)]
    )
    w.bind(node.out, tensor)


def _determinants(w: Writer, node: Apply, finish: Finish) -> list[Tensor]:
    """For each matrix what `finish` makes of its determinant's sign and logarithm."""
    a = w.tensor(node.inputs[0])
    *batch, n, columns = a.dims
    w.same(n, columns)
    stack, factors = over_batch(w, a, batch), w.scratch(a.dtype, (n, n))
    exchanged = pivots(w, n)
    if not batch:
        w.copy(stack, factors)
        numbers = finish(*_sign_and_logarithm(w, factors, n, exchanged))
        return [register_tensor(a.dtype, value.name) for value in numbers]
    outs = [w.allocate(v, batch) for v in node.outputs]
    with each(w, batch, stack, *outs) as (matrix, *places):
        w.copy(matrix, factors)
        numbers = finish(*_sign_and_logarithm(w, factors, n, exchanged))
        for value, place in zip(numbers, places, strict=True):
            w.store_scalar(value, place.data or "null")
    return outs


def _sign_and_logarithm(
    w: Writer, factors: Tensor, n: Name, exchanged: Name
) -> tuple[Value, Value]:
    """Of a matrix that is factorised in place; 0 and -inf where it is singular."""
    dtype = factors.dtype
    info = _factorise(w, n, factors.data, exchanged).run(f"{LETTER[dtype]}getrf")
    one, zero = number(w, dtype, 1.0), number(w, dtype, 0.0)
    sign, logarithm = (w.alloca(one.type.text, "sum") for _ in range(2))
    w.store_scalar(one, sign)
    w.store_scalar(zero, logarithm)
    step = w.integer("add", *factors.strides)
    with w.counted(n) as i:
        pivot = _element(w, factors, w.integer("mul", i, step))
        moved = w.compare("ne", exchanged_row(w, exchanged, i), i)
        turns = pivot.lt(0.0) ^ Value(w.code, Type("i1"), moved)
        now = _load(w, one.type, sign)
        w.store_scalar(turns.select(-now, now), sign)
        total = _load(w, one.type, logarithm) + w.code.math("log", abs(pivot))
        w.store_scalar(total, logarithm)
    whole = Value(w.code, Type("i1"), w.code.put(Type("i1"), f"icmp eq i64 {info}, 0").name)
    return (
        whole.select(_load(w, one.type, sign), 0.0),
        whole.select(_load(w, one.type, logarithm), float("-inf")),
    )


def _load(w: Writer, kind: Type, at: Name) -> Value:
    return w.code.put(kind, f"load {kind.text}, ptr {at}")


def emit_squared_times(w: Writer, node: Apply) -> None:
    """Each matrix times itself, over and over, by way of a copy."""
    x, count = w.tensor(node.inputs[0]), w.index(node.inputs[1])
    *batch, n, _ = x.dims
    out, copy = w.allocate(node.out, x.dims), w.scratch(x.dtype, (n, n))
    one, zero = number(w, x.dtype, 1.0), number(w, x.dtype, 0.0)
    with each(w, batch, over_batch(w, x, batch), out) as (matrix, result):
        w.copy(matrix, result)
        with w.counted(count):
            w.copy(result, copy)
            multiply(w, result, one, copy, copy, zero)
    w.bind(node.out, out)


EMITTERS: dict[type[Op], Emitter] = {
    solve.Cholesky: emit_cholesky,
    solve.Inverse: emit_inverse,
    solve.Det: emit_det,
    solve.SlogDet: emit_slogdet,
    solve.Solve: emit_solve,
    solve.SolveTriangular: emit_solve_triangular,
    pseudoinverse.Pinv: emit_expanded,
    exponential.Expm: emit_expanded,
    exponential.SquaredTimes: emit_squared_times,
}
