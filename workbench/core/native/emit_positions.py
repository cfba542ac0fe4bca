"""Positions: of what is not zero, of the greatest and the smallest element."""

from __future__ import annotations

from workbench.core.graph import Apply
from workbench.core.native.emit_index import address, element, over, slice_at
from workbench.core.native.emit_loops import Sink, run_loops
from workbench.core.native.ssa import Type, Value, memory_type
from workbench.core.native.tensor import Tensor, register_tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.nest import Reducer
from workbench.core.ops.positions import Argmax, Argmin, Nonzero
from workbench.core.scalar import ScalarBuilder


def emit_nonzero(w: Writer, node: Apply) -> None:
    """Two walks over the tensor: the first counts how many there are. The second stores every
    position, and moves on only behind what is not zero: there is no branch to predict.
    """
    x = w.tensor(node.inputs[0])
    counter = w.alloca("i64", "found")
    w.code.line(f"store i64 0, ptr {counter}")
    with over(w, x.dims) as at:
        _advance(w, counter, _is_set(w, element(w, x, at)))
    count = w.code.put(Type("i64"), f"load i64, ptr {counter}").name
    # One place more, for what the walk stores behind the last that is not zero.
    room = [w.scratch("int64", [w.integer("add", count, "1")]) for _ in node.outputs]
    w.code.line(f"store i64 0, ptr {counter}")
    with over(w, x.dims) as at:
        k = w.code.put(Type("i64"), f"load i64, ptr {counter}").name
        for place, line in zip(at, room, strict=True):
            w.store_scalar(Value(w.code, Type("i64"), place), address(w, line, [k]))
        _advance(w, counter, _is_set(w, element(w, x, at)))
    for v, line in zip(node.outputs, room, strict=True):
        w.bind(v, line.view(line.data, [count], line.strides, contiguous=True))


def _is_set(w: Writer, tensor: Tensor) -> Value:
    value = w.scalar(tensor)
    return value if value.type.scalar == "i1" else value.ne(0)


def _advance(w: Writer, counter: str, condition: Value) -> None:
    old = w.code.put(Type("i64"), f"load i64, ptr {counter}")
    w.store_scalar(old + condition.convert("zext", "i64"), counter)


def emit_argmax(w: Writer, node: Apply) -> None:
    """The extreme itself, which takes whole vectors at a time; then the first place that has it.
    The first nan counts as one.
    """
    op = node.op
    assert isinstance(op, Argmax)
    x = w.tensor(node.inputs[0])
    if x.scalar is not None:
        x = w.in_memory(x)
    w.require(w.compare("ne", x.dims[op.axis], "0"))
    dims = [n for i, n in enumerate(x.dims) if i != op.axis]
    memory = memory_type(x.dtype)
    extreme = w.scratch(x.dtype, dims) if dims else w.array(x.dtype, (), w.alloca(memory))
    builder = ScalarBuilder((x.dtype,))
    reducer: Reducer = "minimum" if isinstance(op, Argmin) else "maximum"
    sink = Sink(extreme, 0, reducer, x.dtype)
    run_loops(w, builder.program(0), x.dims, [x], [sink], (op.axis,))
    out = w.allocate(node.out, dims) if dims else w.array("int64", (), w.alloca("i64"))
    find = _first_in_rows if op.axis == x.ndim - 1 else _first_of_slices
    find(w, x, extreme, out, op.axis)
    w.bind(node.out, out if dims else register_tensor("int64", w.scalar(out).name))


def _first_in_rows(w: Writer, x: Tensor, extreme: Tensor, out: Tensor, axis: int) -> None:
    """Along each row until it is found; it is there."""
    with over(w, out.dims) as at:
        wanted, row = w.scalar(element(w, extreme, at)), element(w, x, at)
        counter = w.alloca("i64", "place")
        w.code.line(f"store i64 0, ptr {counter}")
        look, on, done = w.label("look"), w.label("on"), w.label("found")
        w.code.line(f"br label %{look}")
        w.start_block(look)
        k = w.code.put(Type("i64"), f"load i64, ptr {counter}")
        value = w.scalar(element(w, row, [k.name]))
        here = value.eq(wanted)
        if value.type.is_float:
            here = here | value.isnan()
        w.code.line(f"br i1 {here.name}, label %{done}, label %{on}")
        w.start_block(on)
        w.store_scalar(k + 1, counter)
        w.code.line(f"br label %{look}")
        w.start_block(done)
        w.store_scalar(k, address(w, out, at))


def _first_of_slices(w: Writer, x: Tensor, extreme: Tensor, out: Tensor, axis: int) -> None:
    """Slice by slice from the last to the first: the first that has it is the last to write."""
    dtype = x.dtype
    builder = ScalarBuilder((dtype, dtype, "int64", "int64"))
    here = builder.prim("eq", "bool", 0, 1)
    if dtype[0] == "f":
        here = builder.prim("or", "bool", here, builder.prim("isnan", "bool", 0))
    step = builder.program(builder.prim("select", "int64", here, 2, 3))
    n = x.dims[axis]
    with w.counted(n) as i:
        k = w.integer("sub", w.integer("sub", n, "1"), i)
        given = [slice_at(w, x, axis, k), extreme, register_tensor("int64", k, out.dims), out]
        run_loops(w, step, out.dims, given, [Sink(out, 0, inplace=(3,))], ())


EMITTERS: dict[type, Emitter] = {
    Nonzero: emit_nonzero,
    Argmax: emit_argmax,
    Argmin: emit_argmax,
}
