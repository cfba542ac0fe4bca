"""Products: BLAS where a layout and dtype fit, the program's own loops elsewhere."""

from __future__ import annotations

from workbench.core.graph import Apply, Variable
from workbench.core.native.blas import integer_type
from workbench.core.native.emit_loops import Sink, run_loops
from workbench.core.native.ssa import Type, Value, scalar_type
from workbench.core.native.tensor import Name, Tensor, register_tensor
from workbench.core.native.writer import Writer
from workbench.core.nest import accumulator_dtype
from workbench.core.scalar import ScalarBuilder
from workbench.core.types import tensor_type
from workbench.frozen import frozen

LETTER = {"float32": "s", "float64": "d"}


@frozen
class Matrix:
    """A matrix as BLAS takes it, column-major: an address, a leading dimension, and whether it is
    the transpose.
    """

    data: Name
    lead: Name
    transposed: bool  # the memory, read column-major, is the transpose of the matrix


def as_matrix(w: Writer, tensor: Tensor) -> Matrix:
    """A matrix's memory for BLAS; copied where neither axis has the item size as its stride, or
    rows lie less than their length apart.
    """
    fits = tensor.forward and not tensor.overlaps and _has_unit_axis(tensor)
    if tensor.data is None or not fits:
        tensor = w.in_memory(tensor)
    item = str(tensor.itemsize)
    rows, columns = tensor.dims
    if tensor.strides[1] == item or tensor.contiguous:
        lead = _lead(w, tensor, 0, columns)
        return Matrix(tensor.data or "null", lead, transposed=True)
    return Matrix(tensor.data or "null", _lead(w, tensor, 1, rows), transposed=False)


def _has_unit_axis(tensor: Tensor) -> bool:
    return tensor.contiguous or (
        "0" not in tensor.strides and str(tensor.itemsize) in tensor.strides
    )


def _lead(w: Writer, tensor: Tensor, axis: int, length: Name) -> Name:
    """The leading dimension: the other axis's stride in elements, at least that axis's length and
    1.
    """
    step = (
        length
        if tensor.contiguous
        else w.integer("sdiv", tensor.strides[axis], str(tensor.itemsize))
    )
    return w.call_i64("smax", w.call_i64("smax", step, length), "1")


@frozen
class Line:
    """A vector as BLAS takes it: an address and a step in elements."""

    data: Name
    step: Name


def as_vector(w: Writer, tensor: Tensor) -> Line:
    """A vector's memory for BLAS; copied where its step is 0 or negative."""
    if tensor.data is None or not tensor.forward or tensor.strides[0] == "0":
        tensor = w.in_memory(tensor)
    if tensor.contiguous or tensor.strides[0] == str(tensor.itemsize):
        return Line(tensor.data or "null", "1")
    return Line(tensor.data or "null", w.integer("sdiv", tensor.strides[0], str(tensor.itemsize)))


class BlasCall:
    """The arguments of one BLAS call: everything goes by address."""

    def __init__(self, w: Writer) -> None:
        self.w = w
        self.arguments: list[str] = []

    def letter(self, character: str) -> None:
        self._put("i8", str(ord(character)))

    def integer(self, value: Name) -> None:
        code, kind = self.w.region(value), integer_type()
        if kind == "i32" and not value.isdigit():
            value = code.put(Type("i32"), f"trunc i64 {value} to i32").name
        at = self.w.alloca(kind, "n")
        code.line(f"store {kind} {value}, ptr {at}")
        self.arguments.append(f"ptr {at}")

    def number(self, value: Value) -> None:
        self._put(value.type.text, value.name)

    def pointer(self, data: Name) -> None:
        self.arguments.append(f"ptr {data}")

    def _put(self, type: str, value: Name) -> None:
        at = self.w.alloca(type, "p")
        self.w.code.line(f"store {type} {value}, ptr {at}")
        self.arguments.append(f"ptr {at}")

    def call(self, function: str) -> None:
        self.w.has_blas = True
        self.w.code.line(f"call void @blas.{function}({', '.join(self.arguments)})")


def _target(w: Writer, node: Apply, beta: Variable, dims: list[Name]) -> tuple[Tensor, Value]:
    """Where a product is written, holding beta's tensor already where beta counts; and beta's
    value.
    """
    kind = Type(scalar_type(tensor_type(node.out).dtype))
    if _is_zero(beta):
        return w.allocate(node.out, dims), Value(w.code, kind, kind.literal(0.0))
    previous = w.tensor(node.inputs[0])
    for mine, theirs in zip(previous.dims, dims, strict=True):
        w.same(mine, theirs)
    return w.changeable(node), w.scalar(w.tensor(beta))


def _is_zero(variable: Variable) -> bool:
    data = getattr(variable, "data", None)
    return data is not None and data.ndim == 0 and data == 0


def emit_gemv(w: Writer, node: Apply) -> None:
    """Beta y + alpha A x, by BLAS."""
    _, alpha, a, x, beta = node.inputs
    matrix, vector = w.tensor(a), w.tensor(x)
    w.same(matrix.dims[1], vector.dims[0])
    scale = w.scalar(w.tensor(alpha))
    out, rest = _target(w, node, beta, [matrix.dims[0]])
    multiply_vector(w, out, scale, matrix, vector, rest)
    w.bind(node.out, out)


def multiply_vector(
    w: Writer, out: Tensor, alpha: Value, a: Tensor, x: Tensor, beta: Value
) -> None:
    """Out = alpha a x + beta out. BLAS leaves `out` alone where a side is empty: then it is cleared
    here.
    """
    if (not a.dims[1].isdigit() or a.dims[1] == "0") and beta.name != beta.type.literal(1.0):
        _scale_if_empty(w, out, a.dims[1], beta)
    m, v = as_matrix(w, a), as_vector(w, x)
    rows, columns = a.dims
    call = BlasCall(w)
    call.letter("T" if m.transposed else "N")
    for n in (columns, rows) if m.transposed else (rows, columns):
        call.integer(n)
    call.number(alpha)
    call.pointer(m.data)
    call.integer(m.lead)
    call.pointer(v.data)
    call.integer(v.step)
    call.number(beta)
    call.pointer(out.data or "null")
    call.integer("1")
    call.call(f"{LETTER[out.dtype]}gemv")


def _scale_if_empty(w: Writer, out: Tensor, length: Name, beta: Value) -> None:
    """Where the shared axis is empty: out = beta out, which is zero for a beta of 0."""
    size = w.bytes_of(out.dtype, out.dims)
    empty = w.region(length).put(Type("i1"), f"icmp eq i64 {length}, 0").name
    scale, after = w.label("scale"), w.label("after")
    w.code.line(f"br i1 {empty}, label %{scale}, label %{after}")
    w.start_block(scale)
    if beta.name == beta.type.literal(0.0):
        w.code.line(f"call void @llvm.memset.p0.i64(ptr {out.data}, i8 0, i64 {size}, i1 false)")
    else:
        call = BlasCall(w)
        call.integer(out.dims[0])
        call.number(beta)
        call.pointer(out.data or "null")
        call.integer("1")
        call.call(f"{LETTER[out.dtype]}scal")
    w.code.line(f"br label %{after}")
    w.start_block(after)


def emit_gemm(w: Writer, node: Apply) -> None:
    """Beta Z + alpha X Y, by BLAS."""
    _, alpha, x, y, beta = node.inputs
    a, b = w.tensor(x), w.tensor(y)
    w.same(a.dims[1], b.dims[0])
    scale = w.scalar(w.tensor(alpha))
    out, rest = _target(w, node, beta, [a.dims[0], b.dims[1]])
    multiply(w, out, scale, a, b, rest)
    w.bind(node.out, out)


def multiply(w: Writer, out: Tensor, alpha: Value, a: Tensor, b: Tensor, beta: Value) -> None:
    """Row-major out = alpha a b + beta out is column-major outᵀ = alpha bᵀ aᵀ + beta outᵀ."""
    left, right = as_matrix(w, b), as_matrix(w, a)
    call = BlasCall(w)
    call.letter("N" if left.transposed else "T")
    call.letter("N" if right.transposed else "T")
    call.integer(b.dims[1])
    call.integer(a.dims[0])
    call.integer(a.dims[1])
    call.number(alpha)
    call.pointer(left.data)
    call.integer(left.lead)
    call.pointer(right.data)
    call.integer(right.lead)
    call.number(beta)
    call.pointer(out.data or "null")
    call.integer(w.call_i64("smax", out.dims[1], "1"))
    call.call(f"{LETTER[out.dtype]}gemm")


def emit_ger(w: Writer, node: Apply) -> None:
    """A + alpha x yᵀ, by BLAS."""
    before, scale, u, v = (w.tensor(i) for i in node.inputs)
    w.same(before.dims[0], u.dims[0])
    w.same(before.dims[1], v.dims[0])
    out = w.changeable(node)
    left, right = as_vector(w, v), as_vector(w, u)
    call = BlasCall(w)
    call.integer(v.dims[0])
    call.integer(u.dims[0])
    call.number(w.scalar(scale))
    for line in (left, right):
        call.pointer(line.data)
        call.integer(line.step)
    call.pointer(out.data or "null")
    call.integer(w.call_i64("smax", out.dims[1], "1"))
    call.call(f"{LETTER[out.dtype]}ger")
    w.bind(node.out, out)


def emit_dot(w: Writer, node: Apply) -> None:
    """A product that specialisation left: of vectors, of integers, or in a graph that was not
    optimised.
    """
    a, b = (w.tensor(v) for v in node.inputs)
    dtype = tensor_type(node.out).dtype
    w.same(a.dims[-1], b.dims[0])
    alike = a.dtype == b.dtype == dtype
    if alike and dtype in LETTER and max(a.ndim, b.ndim) == 2:
        _dot_by_blas(w, node, a, b)
        return
    _dot_by_loops(w, node, a, b)


def _dot_by_blas(w: Writer, node: Apply, a: Tensor, b: Tensor) -> None:
    out = w.allocate(node.out, [*a.dims[:-1], *b.dims[1:]])
    kind = Type(scalar_type(out.dtype))
    one, zero = Value(w.code, kind, kind.literal(1.0)), Value(w.code, kind, kind.literal(0.0))
    if a.ndim == b.ndim == 2:
        multiply(w, out, one, a, b, zero)
    elif a.ndim == 2:
        multiply_vector(w, out, one, a, b, zero)
    else:
        turned = b.view(b.data, b.dims[::-1], b.strides[::-1])
        multiply_vector(w, out, one, turned, a, zero)
    w.bind(node.out, out)


def _dot_by_loops(w: Writer, node: Apply, a: Tensor, b: Tensor) -> None:
    """The sum over the shared axis, as a reduction over the space of rows, columns and that axis
    (which comes last).
    """
    dtype = tensor_type(node.out).dtype
    builder = ScalarBuilder((a.dtype, b.dtype))
    product = builder.prim(
        "and" if dtype == "bool" else "mul", dtype, builder.cast(0, dtype), builder.cast(1, dtype)
    )
    rows, columns, shared = list(a.dims[:-1]), list(b.dims[1:]), a.dims[-1]
    space = [*rows, *columns, shared]
    left = a.view(a.data, space, [*a.strides[:-1], *["0"] * len(columns), a.strides[-1]])
    right = b.view(b.data, space, [*["0"] * len(rows), *b.strides[1:], b.strides[0]])
    kept = [*rows, *columns]
    scalar = not kept
    out = (
        w.array(dtype, (), w.alloca("i8" if dtype == "bool" else scalar_type(dtype)))
        if scalar
        else w.allocate(node.out, kept)
    )
    reducer = "or" if dtype == "bool" else "add"
    accumulator = dtype if dtype == "bool" else accumulator_dtype("add", dtype)
    sink = Sink(out, 0, reducer, accumulator)  # type: ignore[arg-type]  # one of the reducers
    run_loops(w, builder.program(product), space, [left, right], [sink], (len(kept),))
    w.bind(node.out, register_tensor(dtype, w.scalar(out).name) if scalar else out)
