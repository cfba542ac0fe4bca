"""Ops that change or build shapes. Views cost nothing: they are another address, other dimensions,
other strides.
"""

from __future__ import annotations

from workbench.core.graph import Apply
from workbench.core.native.convert import convert
from workbench.core.native.emit_loops import spread
from workbench.core.native.ssa import Type, Value, scalar_type
from workbench.core.native.tensor import Name, register_tensor
from workbench.core.native.writer import Writer
from workbench.core.ops.create import ARange
from workbench.core.ops.join import Join
from workbench.core.ops.shape import Dimension, DimShuffle, MakeVector, Reshape, SpecifyBroadcast
from workbench.core.types import tensor_type


def emit_dimension(w: Writer, node: Apply) -> None:
    """A length is a name already."""
    op = node.op
    assert isinstance(op, Dimension)
    w.bind(node.out, register_tensor("int64", w.canonical(w.tensor(node.inputs[0]).dims[op.axis])))


def emit_dimshuffle(w: Writer, node: Apply) -> None:
    """Axes in another order: other strides."""
    op = node.op
    assert isinstance(op, DimShuffle)
    x = w.tensor(node.inputs[0])
    dims = ["1" if i == "x" else x.dims[int(i)] for i in op.order]
    strides = ["0" if i == "x" else x.strides[int(i)] for i in op.order]
    kept = [int(i) for i in op.order if i != "x"]
    w.bind(
        node.out, x.view(x.data, dims, strides, contiguous=x.contiguous and kept == sorted(kept))
    )


def emit_reshape(w: Writer, node: Apply) -> None:
    """The same memory where it is contiguous, else a copy; the sizes must be equal."""
    op = node.op
    assert isinstance(op, Reshape)
    x = w.tensor(node.inputs[0])
    size = w.multiply(*x.dims)
    dims = [
        str(n) if n is not None else w.index(v)
        for n, v in zip(op.static, node.inputs[1:], strict=True)
    ]
    open_axes = [
        i for i, (n, v) in enumerate(zip(op.static, node.inputs[1:], strict=True)) if n is None
    ]
    if open_axes:
        dims = _fill_minus_one(w, dims, open_axes, size)
    for i in open_axes:
        w.require(w.compare("sge", dims[i], "0"))
    w.same(w.multiply(*dims), size)
    if x.scalar is not None:
        w.bind(node.out, register_tensor(x.dtype, x.scalar, dims))
        return
    if x.contiguous:
        w.bind(node.out, w.array(x.dtype, dims, x.data or "null", x.buffer, x.device))
        return
    out = w.allocate(node.out, dims)
    w.copy(x, w.array(x.dtype, x.dims, out.data or "null", device=out.device))
    w.bind(node.out, out)


def _fill_minus_one(w: Writer, dims: list[Name], open_axes: list[int], size: Name) -> list[Name]:
    """At most one -1 stands for the length that is left over."""
    missing = [dims[i] for i in open_axes]
    if missing == ["-1"]:
        rest = w.multiply(*(d for i, d in enumerate(dims) if i not in open_axes))
        return [_divide(w, size, rest) if i in open_axes else d for i, d in enumerate(dims)]
    known: Name = "1"
    for i, d in enumerate(dims):
        if i in open_axes:
            d = w.select(w.compare("eq", d, "-1"), "1", d)
        known = w.integer("mul", known, d)
    rest = _divide(w, size, known)
    return [
        w.select(w.compare("eq", d, "-1"), rest, d) if i in open_axes else d
        for i, d in enumerate(dims)
    ]


def _divide(w: Writer, size: Name, by: Name) -> Name:
    """Size / by, 0 where by is 0."""
    safe = w.call_i64("smax", by, "1") if not by.isdigit() or by == "0" else by
    return w.integer("sdiv", size, safe)


def emit_alloc(w: Writer, node: Apply) -> None:
    """A value spread over a shape: stride 0, no memory of its own until someone writes to it."""
    value, *lengths = node.inputs
    static = tensor_type(node.out).shape
    dims = [str(n) if n is not None else w.index(v) for n, v in zip(static, lengths, strict=True)]
    for n, d in zip(static, dims, strict=True):
        if n is None:
            w.require(w.compare("sge", d, "0"))
    tensor = w.tensor(value)
    extra = len(dims) - tensor.ndim
    for mine, wanted, known in zip(
        tensor.dims, dims[extra:], tensor_type(value).shape, strict=True
    ):
        if known != 1:
            w.same(mine, wanted)
    w.bind(node.out, spread(tensor, dims))


def emit_specify(w: Writer, node: Apply) -> None:
    """A length that was promised, checked."""
    op = node.op
    assert isinstance(op, SpecifyBroadcast)
    x = w.tensor(node.inputs[0])
    for n, known in zip(x.dims, op.static, strict=True):
        if known is not None:
            w.same(n, str(known))
    dims = [
        str(known) if known is not None else n for n, known in zip(x.dims, op.static, strict=True)
    ]
    w.bind(node.out, x.view(x.data, dims, x.strides, contiguous=x.contiguous))


def emit_same(w: Writer, node: Apply) -> None:
    """The operand itself."""
    w.bind(node.out, w.tensor(node.inputs[0]))


def emit_make_vector(w: Writer, node: Apply) -> None:
    """Scalars side by side."""
    op = node.op
    assert isinstance(op, MakeVector)
    out = w.allocate(node.out, [str(len(node.inputs))])
    for i, v in enumerate(node.inputs):
        value = convert(w.scalar(w.tensor(v)), tensor_type(v).dtype, op.dtype)
        w.store_scalar(value, w.offset(out.data or "null", str(i * out.itemsize)))
    w.bind(node.out, out)


def emit_join(w: Writer, node: Apply) -> None:
    """Each part copied to its place; a loop's states may lie behind their initial rows already."""
    op = node.op
    assert isinstance(op, Join)
    past = w.pasts.get(node.inputs[-1])
    if past is not None and op.axis == 0 and node.inputs[:-1] == (past[0],):
        w.bind(node.out, past[1])
        return
    tensors = [w.tensor(v) for v in node.inputs]
    dims = list(tensors[0].dims)
    for t in tensors[1:]:
        for axis, n in enumerate(t.dims):
            if axis == op.axis:
                dims[axis] = w.integer("add", dims[axis], n)
            else:
                w.same(dims[axis], n)
    out = w.allocate(node.out, dims)
    start: Name = "0"
    for t in tensors:
        data = w.offset(out.data or "null", w.integer("mul", start, out.strides[op.axis]))
        w.copy(t, out.view(data, t.dims, out.strides, contiguous=op.axis == 0))
        start = w.integer("add", start, t.dims[op.axis])
    w.bind(node.out, out)


def emit_arange(w: Writer, node: Apply) -> None:
    """Start + i * step, as NumPy has it: the step is (start + step) - start."""
    op = node.op
    assert isinstance(op, ARange)
    start, stop, step = (w.scalar(w.tensor(v)) for v in node.inputs)
    kind = Type(scalar_type(op.dtype))
    length = arange_length(w, op, start, stop, step)
    out = w.allocate(node.out, [length])
    delta = (start + step) - start
    with w.counted(length) as i:
        number = Value(w.code, Type("i64"), i)
        if kind.is_float:
            value = Value(w.code, kind, start.name) + number.convert("sitofp", kind.scalar) * Value(
                w.code, kind, delta.name
            )
        else:
            narrow = number if kind.bits == 64 else number.convert("trunc", kind.scalar)
            value = Value(w.code, kind, start.name) + narrow * Value(w.code, kind, delta.name)
        at = w.offset(out.data or "null", w.integer("mul", i, str(out.itemsize)))
        w.store_scalar(Value(w.code, kind, value.name), at)
    w.bind(node.out, out)


def arange_length(w: Writer, op: ARange, start: Value, stop: Value, step: Value) -> Name:
    """How many steps there are before stop; a step of 0 fails."""
    if op.dtype[0] != "f":
        return _integer_length(w, op.dtype, start, stop, step)
    wide = (
        v if v.type.scalar == "double" else v.convert("fpext", "double")
        for v in (start, stop, step)
    )
    return _float_length(w, *wide)


def _float_length(w: Writer, start: Value, stop: Value, step: Value) -> Name:
    """ceil((stop - start) / step), not below 0; a step of 0 fails."""
    w.require(step.ne(0.0).name, w.code)
    steps = w.code.intrinsic("ceil", (stop - start) / step)
    length = w.code.put(Type("i64"), f"call i64 @llvm.fptosi.sat.i64.f64(double {steps.name})").name
    return w.call_i64("smax", length, "0")


def _integer_length(w: Writer, dtype: str, start: Value, stop: Value, step: Value) -> Name:
    """The number of steps before stop: (stop - start + step ∓ 1) / step, not below 0; a step of 0
    fails.
    """

    def wide(v: Value) -> Name:
        return (
            v.name
            if v.type.bits == 64 or v.name.lstrip("-").isdigit()
            else v.convert("zext" if dtype[0] == "u" else "sext", "i64").name
        )

    first, last, stride = wide(start), wide(stop), wide(step)
    way = w.integer("sub", last, first)
    if stride == "1":
        return w.call_i64("smax", way, "0")
    w.require(w.compare("ne", stride, "0"))
    bias = w.select(w.compare("sgt", stride, "0"), "-1", "1")
    if not stride.lstrip("-").isdigit():  # the check may be skipped, before a loop of no steps
        stride = w.select(w.compare("eq", stride, "0"), "1", stride)
    return w.call_i64(
        "smax",
        w.integer("sdiv", w.integer("add", w.integer("add", way, stride), bias), stride),
        "0",
    )


def emit_eye(w: Writer, node: Apply) -> None:
    """Zeros, then ones along the k-th diagonal: row i has its one in column i + k."""
    rows, columns, k = (w.index(v) for v in node.inputs)
    for length in (rows, columns):
        w.require(w.compare("sge", length, "0"))
    out = w.allocate(node.out, [rows, columns])
    w.clear(out)
    first = w.call_i64("smax", "0", w.integer("sub", "0", k))
    last = w.call_i64("smin", rows, w.integer("sub", columns, k))
    count = w.call_i64("smax", w.integer("sub", last, first), "0")
    column = w.integer("add", first, k)
    start = w.integer("add", w.integer("mul", first, columns), column)
    data = w.offset(out.data or "null", w.integer("mul", start, str(out.itemsize)))
    step = w.integer("mul", w.integer("add", columns, "1"), str(out.itemsize))
    one = register_tensor(out.dtype, Type(scalar_type(out.dtype)).literal(1), [count])
    w.copy(one, out.view(data, [count], [step]))
    w.bind(node.out, out)
