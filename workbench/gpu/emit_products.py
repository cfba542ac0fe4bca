"""Products of matrices and vectors on a device.

A product with a vector is a reduction like any other; of two matrices it is the driver's library's,
or a tiled kernel of our own. alpha and beta may be numbers of the host's or lie on the device.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.graph import Apply, Constant, Op, Variable
from workbench.core.native.abi import field
from workbench.core.native.emit_loops import Sink, run_loops
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.nest import accumulator_dtype
from workbench.core.scalar import ScalarBuilder, ScalarProgram
from workbench.core.types import tensor_type
from workbench.frozen import frozen
from workbench.gpu.abi import PRODUCT
from workbench.gpu.dialect import c_type
from workbench.gpu.handmade import kernel
from workbench.gpu.ops import general
from workbench.gpu.parts import Pair
from workbench.gpu.shares import over
from workbench.gpu.writer import DeviceWriter


def emit_gemv(w: Writer, node: Apply) -> None:
    """beta y + alpha A x."""
    assert isinstance(w, DeviceWriter)
    _, _, a, x, _ = node.inputs
    matrix, vector = w.tensor(a), w.tensor(x)
    w.same(matrix.dims[1], vector.dims[0])
    _scaled(w, node, [matrix.dims[0]], lambda out: multiply(w, out, matrix, vector))


def emit_gemm(w: Writer, node: Apply) -> None:
    """beta Z + alpha X Y."""
    assert isinstance(w, DeviceWriter)
    _, _, a, b, _ = node.inputs
    left, right = w.tensor(a), w.tensor(b)
    w.same(left.dims[1], right.dims[0])
    _scaled(w, node, [left.dims[0], right.dims[1]], lambda out: multiply(w, out, left, right))


def emit_ger(w: Writer, node: Apply) -> None:
    """A + alpha x yᵀ: an elementwise kernel."""
    before, scale, u, v = (w.tensor(i) for i in node.inputs)
    w.same(before.dims[0], u.dims[0])
    w.same(before.dims[1], v.dims[0])
    dtype = before.dtype
    b = ScalarBuilder((dtype,) * 4)
    product = b.prim("mul", dtype, 1, b.prim("mul", dtype, 2, 3))
    program = b.program(b.prim("add", dtype, 0, product))
    out = w.allocate(node.out, before.dims)
    column = u.view(u.data, (*u.dims, "1"), (*u.strides, "0"))
    space = list(out.dims)
    run_loops(w, program, space, [before, scale, column, v], [Sink(out, 0)], ())
    w.bind(node.out, out)


def emit_dot(w: Writer, node: Apply) -> None:
    """A product without alpha and beta."""
    assert isinstance(w, DeviceWriter)
    a, b = (w.tensor(v) for v in node.inputs)
    w.same(a.dims[-1], b.dims[0])
    out = w.allocate(node.out, [*a.dims[:-1], *b.dims[1:]])
    multiply(w, out, a, b)
    w.bind(node.out, out)


def multiply(w: DeviceWriter, out: Tensor, a: Tensor, b: Tensor) -> None:
    """out = a b."""
    if a.ndim == b.ndim == 2 and out.dtype != "bool":
        tiled(w, *(t.view(t.data, ("1", *t.dims), ("0", *t.strides)) for t in (out, a, b)))
    else:
        reduced(w, out, a, b)


def tiled(w: DeviceWriter, out: Tensor, a: Tensor, b: Tensor) -> None:
    """The product of two stacks of matrices, tile by tile."""
    dtype, device = out.dtype, out.device
    a, b = (w.placed(t, device, dtype) for t in (a, b))
    if dtype in ("float32", "float64") and w.device(device).functions.get("gemm"):
        by_library(w, out, a, b)
        return
    batch, rows, columns = out.dims
    shared = a.dims[2]
    kind = c_type(dtype)
    made = kernel(
        "gemm", T=kind, ACC=kind if dtype[0] == "f" else "i64", A_BY_ROW=_by_row(a),
        B_BY_ROW=_by_row(b),
        MULTIPLY_ADD="fma" if dtype[0] == "f" else "NAME_multiply_add",
    )  # fmt: skip
    tiles = [over(w, n, "64") for n in (rows, columns)]
    steps = [w.integer("sdiv", s, str(t.itemsize)) for t in (a, b, out) for s in t.strides]
    words = [*map(w.address, (out, a, b)), rows, columns, shared, *steps, *tiles]
    w.enqueue(device, Pair(made, made), w.multiply(batch, *tiles), words)


def by_library(w: DeviceWriter, out: Tensor, a: Tensor, b: Tensor) -> None:
    """The same by the driver's library."""
    left, right = _laid(w, a), _laid(w, b)
    batch, rows, columns = out.dims
    shared = a.dims[2]
    _clear_where_empty(w, out, shared)
    values = {
        "double": str(int(out.dtype == "float64")),
        "a.transposed": str(int(left.transposed)), "b.transposed": str(int(right.transposed)),
        "rows": rows, "columns": columns, "shared": shared,
        "a": left.data, "a.lead": left.lead, "a.step": left.step,
        "b": right.data, "b.lead": right.lead, "b.step": right.step,
        "c": w.address(out), "c.lead": w.call_i64("smax", columns, "1"),
        "c.step": w.integer("sdiv", out.strides[0], str(out.itemsize)),
        "batch": w.select(_is_zero(w, w.multiply(rows, columns, shared)), "0", batch),
    }  # fmt: skip
    block = w.alloca(f"[{len(PRODUCT.fields)} x i64]", "product")
    for name, value in values.items():
        w.code.line(field(PRODUCT, block, name, at := w.fresh("at")))
        w.code.line(f"store i64 {value}, ptr {at}")
    w.call(out.device, "gemm", f"ptr {block}")


def _clear_where_empty(w: DeviceWriter, out: Tensor, shared: Name) -> None:
    """The library makes no promise for sums of nothing."""
    if not shared.isdigit() or shared == "0":
        size = w.select(_is_zero(w, shared), w.bytes_of(out.dtype, out.dims), "0")
        w.call(out.device, "fill", f"i64 {w.address(out)}, i64 {size}")


def _is_zero(w: DeviceWriter, count: Name) -> Name:
    return w.compare("eq", count, "0")


@frozen
class _Laid:
    """How a stack of matrices lies, for the library: an address, a leading dimension, the step from
    matrix to matrix, and whether each is transposed in memory.
    """

    data: Name
    lead: Name
    step: Name
    transposed: bool


def _laid(w: DeviceWriter, tensor: Tensor) -> _Laid:
    item = str(tensor.itemsize)
    _, rows, columns = tensor.dims
    inner = tensor.strides[1:]
    fits = tensor.forward and not tensor.overlaps and item in inner and "0" not in inner
    if not fits:
        tensor = w.in_memory(tensor)
    by_row = tensor.strides[2] == item
    steps = [w.integer("sdiv", s, item) for s in tensor.strides]
    least = columns if by_row else rows
    lead = w.call_i64("smax", w.call_i64("smax", steps[1 if by_row else 2], least), "1")
    return _Laid(w.address(tensor), lead, steps[0], not by_row)


def _by_row(tensor: Tensor) -> int:
    """Whether neighbouring elements of a row are neighbours in memory."""
    return int(tensor.strides[-1] == str(tensor.itemsize))


def reduced(w: DeviceWriter, out: Tensor, a: Tensor, b: Tensor) -> None:
    """out = a b: a reduction over the shared axis, which comes first where neighbours in memory
    lie along the other. Sums of floats have their dtype, as in BLAS.
    """
    dtype = out.dtype
    builder = ScalarBuilder((a.dtype, b.dtype))
    is_bool = dtype == "bool"
    product = builder.prim(
        "and" if is_bool else "mul", dtype, builder.cast(0, dtype), builder.cast(1, dtype)
    )
    rows, columns, shared = list(a.dims[:-1]), list(b.dims[1:]), a.dims[-1]
    kept = [*rows, *columns]
    left = [*a.strides[:-1], *["0"] * len(columns)]
    right = [*["0"] * len(rows), *b.strides[1:]]
    first = str(out.itemsize) in (a.strides[0] if a.ndim > 1 else "", *b.strides[1:])

    def over_space(tensor: Tensor, steps: list[Name], step: Name) -> Tensor:
        dims = [shared, *kept] if first else [*kept, shared]
        return tensor.view(tensor.data, dims, [step, *steps] if first else [*steps, step])

    operands = [over_space(a, left, a.strides[-1]), over_space(b, right, b.strides[0])]
    accumulator = dtype if is_bool or dtype[0] == "f" else accumulator_dtype("add", dtype)
    sink = Sink(out, 0, "or" if is_bool else "add", accumulator)
    axes = (0 if first else len(kept),)
    run_loops(w, builder.program(product), operands[0].dims, operands, [sink], axes)


def _scaled(w: DeviceWriter, node: Apply, dims: Sequence[Name], product: object) -> None:
    """beta * the first input + alpha * product."""
    assert callable(product)
    target, alpha, *_, beta = node.inputs
    plain = _is(alpha, 1) and _is(beta, 0)
    out = w.allocate(node.out, dims) if plain else None
    if out is not None:
        product(out)
        w.bind(node.out, out)
        return
    dtype = tensor_type(node.out).dtype
    made = w.scratch(dtype, dims, device=tensor_type(node.out).device)
    product(made)
    tensors = [made, w.tensor(alpha)]
    if not _is(beta, 0):
        previous = w.tensor(target)
        for mine, theirs in zip(previous.dims, dims, strict=True):
            w.same(mine, theirs)
        tensors += [w.tensor(beta), previous]
    out = w.allocate(node.out, dims)
    program = _scaling(dtype, len(tensors) > 2, isinstance(beta, Constant))
    run_loops(w, program, list(out.dims), tensors, [Sink(out, 0)], ())
    w.bind(node.out, out)


def _scaling(dtype: str, adds: bool, known: bool) -> ScalarProgram:
    """product * alpha, plus beta * previous where it adds; a beta of 0 forgets even nan."""
    b = ScalarBuilder((dtype,) * (4 if adds else 2))
    scaled = b.prim("mul", dtype, 1, 0)
    if not adds:
        return b.program(scaled)
    total = b.prim("add", dtype, scaled, b.prim("mul", dtype, 2, 3))
    if not known:
        none = b.prim("eq", "bool", 2, b.const(0, dtype))
        total = b.prim("select", dtype, none, scaled, total)
    return b.program(total)


def _is(variable: Variable, number: float) -> bool:
    return isinstance(variable, Constant) and not variable.data.ndim and variable.data == number


EMITTERS: dict[type[Op], Emitter] = {
    general.GpuDot: emit_dot,
    general.GpuGemv: emit_gemv,
    general.GpuGemm: emit_gemm,
    general.GpuGer: emit_ger,
}
