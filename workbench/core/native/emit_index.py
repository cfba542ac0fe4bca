"""Indexing: slices are views; index arrays are loops that copy elements or rows, checked one by
one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from workbench.core.graph import Apply, Variable
from workbench.core.native.emit_loops import Sink, copy_nest, iteration_space, run_loops, spread
from workbench.core.native.ssa import Code, Type, Value, memory_type, scalar_type
from workbench.core.native.target import NoNativeForm
from workbench.core.native.tensor import Name, Tensor, register_tensor
from workbench.core.native.writer import Writer
from workbench.core.ops.index import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    Entry,
    IncSubtensor,
    Spec,
    Subtensor,
)
from workbench.core.scalar import ScalarBuilder


def emit_subtensor(w: Writer, node: Apply) -> None:
    """A slice is a view; an element is read into a register."""
    op = node.op
    assert isinstance(op, Subtensor)
    x = w.tensor(node.inputs[0])
    view = sliced(w, x, op.spec, node.inputs[1:])
    if view.ndim == 0 and node.out not in w.destinations:
        view = register_tensor(x.dtype, w.scalar(view).name)
    w.bind(node.out, view)


def sliced(w: Writer, x: Tensor, spec: Spec, parts: Sequence[Variable]) -> Tensor:
    """x[spec] as a view."""
    left = iter(parts)
    offset: Name = "0"
    dims: list[Name] = []
    strides: list[Name] = []
    contiguous, forward = x.contiguous, x.forward
    for axis, entry in enumerate(spec):
        n, step = x.dims[axis], x.strides[axis]
        if isinstance(entry, tuple):
            start, length, stride = _slice(w, entry, left, n)
            offset = w.integer("add", offset, w.integer("mul", start, step))
            contiguous = (contiguous and entry == (None, None, None)) or _leading(
                axis, entry, contiguous, dims
            )
            forward = forward and stride > 0
            dims.append(length)
            strides.append(w.integer("mul", step, str(stride)))
        else:
            position = _position(w, w.index(next(left)) if entry == "?" else str(entry), n)
            offset = w.integer("add", offset, w.integer("mul", position, step))
            contiguous = contiguous and not dims
    dims += x.dims[len(spec) :]
    strides += x.strides[len(spec) :]
    if x.scalar is not None:
        return register_tensor(x.dtype, x.scalar, dims)
    return x.view(
        w.offset(x.data or "null", offset), dims, strides, contiguous=contiguous, forward=forward
    )


def _leading(axis: int, entry: Entry, contiguous: bool, dims: list[Name]) -> bool:
    """Whether a slice of the first axis left, in steps of 1, keeps the rest in one piece."""
    return contiguous and not dims and isinstance(entry, tuple) and entry[2] in (None, 1)


def _position(w: Writer, index: Name, n: Name) -> Name:
    """An index from the front, required to be within the axis."""
    if index.isdigit():
        position = index
    elif index.lstrip("-").isdigit():
        position = w.integer("add", n, index)
    else:
        position = w.select(w.compare("slt", index, "0"), w.integer("add", index, n), index)
    w.require(w.compare("ult", position, n))
    return position


def _slice(
    w: Writer, entry: tuple[Any, Any, Any], left: Iterator[Variable], n: Name
) -> tuple[Name, Name, int]:
    """Start, length and step of a slice of an axis of length n, as Python has them."""
    start, stop, step = (
        w.index(next(left)) if e == "?" else (None if e is None else str(e)) for e in entry
    )
    if step is not None and not step.lstrip("-").isdigit():
        raise NoNativeForm("a slice's symbolic step", "int64")
    stride = int(step) if step is not None else 1
    if stride == 0:
        raise NoNativeForm("a slice's step of 0", "int64")
    low, high = ("0", n) if stride > 0 else ("-1", w.integer("sub", n, "1"))

    def bound(value: Name | None, default: Name) -> Name:
        if value is None:
            return default
        if value.lstrip("-").isdigit():
            return (
                w.call_i64("smin", value, high)
                if int(value) >= 0
                else w.call_i64("smax", w.integer("add", n, value), low)
            )
        negative = w.compare("slt", value, "0")
        below = w.call_i64("smax", w.integer("add", value, n), low)
        return w.select(negative, below, w.call_i64("smin", value, high))

    first = bound(start, low if stride > 0 else high)
    last = bound(stop, high if stride > 0 else low)
    way = w.integer("sub", last, first) if stride > 0 else w.integer("sub", first, last)
    if start is None and stop is None and abs(stride) == 1:
        return first, n, stride
    if abs(stride) != 1:
        way = w.integer("sdiv", w.integer("add", way, str(abs(stride) - 1)), str(abs(stride)))
    return first, w.call_i64("smax", way, "0"), stride


def emit_inc_subtensor(w: Writer, node: Apply) -> None:
    """A copy (or the operand itself, where it dies here) with a part of it changed."""
    op = node.op
    assert isinstance(op, IncSubtensor)
    out = _own_copy(w, node)
    view = sliced(w, out, op.spec, node.inputs[2:])
    _write(w, view, spread_checked(w, w.tensor(node.inputs[1]), node.inputs[1], view), op.set)
    w.bind(node.out, out)


def _own_copy(w: Writer, node: Apply) -> Tensor:
    """The tensor to change: the operand's own memory where nobody else reads it, else a copy."""
    x = w.tensor(node.inputs[0])
    if node.out not in w.destinations and x.contiguous and w.dies_here(node.inputs[0], x):
        return w.array(x.dtype, x.dims, x.data or "null", x.buffer)
    out = w.allocate(node.out, x.dims)
    copy_nest(w, x, out)
    return out


def spread_checked(w: Writer, y: Tensor, variable: Variable, view: Tensor) -> Tensor:
    """Y with the dimensions of the view; requires its lengths to fit."""
    from workbench.core.types import tensor_type

    for n, wanted, known in zip(
        y.dims[::-1], view.dims[::-1], tensor_type(variable).shape[::-1], strict=False
    ):
        if known != 1:
            w.same(n, wanted)
    return spread(y, view.dims)


def _write(w: Writer, view: Tensor, y: Tensor, put: bool) -> None:
    if put:
        copy_nest(w, y, view)
        return
    builder = ScalarBuilder((view.dtype, view.dtype))
    total = builder.program(builder.prim("or" if view.dtype == "bool" else "add", view.dtype, 0, 1))
    if view.ndim == 0:
        value = (
            w.scalar(view) + w.scalar(y) if view.dtype != "bool" else w.scalar(view) | w.scalar(y)
        )
        w.store_scalar(value, view.data or "null")
        return
    run_loops(w, total, view.dims, [view, y], [Sink(view, 0, inplace=(0,))], ())


def emit_advanced_subtensor(w: Writer, node: Apply) -> None:
    """Elements or rows picked by index arrays."""
    op = node.op
    assert isinstance(op, AdvancedSubtensor)
    x, *parts = node.inputs
    source = w.tensor(x)
    arrays, space, rest = _indices(w, op.spec, source, parts)
    out = w.allocate(node.out, [*space, *(source.dims[i] for i in rest)])
    with _over(w, space) as at:
        row = _row(w, source, arrays, at, rest)
        place = _element(w, out, at, len(space))
        _transfer(w, row, place, put=True)
    w.bind(node.out, out)


def emit_advanced_inc_subtensor(w: Writer, node: Apply) -> None:
    """Elements or rows added to, one by one, so that repeated indices add up."""
    op = node.op
    assert isinstance(op, AdvancedIncSubtensor)
    out = _own_copy(w, node)
    arrays, space, rest = _indices(w, op.spec, out, node.inputs[2:])
    y = w.tensor(node.inputs[1])
    dims = [*space, *(out.dims[i] for i in rest)]
    y = spread_checked(w, y, node.inputs[1], out.view(out.data, dims, ["0"] * len(dims)))
    if y.data is None and y.scalar is None:
        y = w.in_memory(y)
    with _over(w, space) as at:
        row = _row(w, out, arrays, at, rest)
        _transfer(w, _element(w, y, at, len(space)), row, op.set)
    w.bind(node.out, out)


Indices = list[tuple[int, Tensor]]


def _indices(
    w: Writer, spec: Spec, x: Tensor, parts: Sequence[Variable]
) -> tuple[Indices, list[Name], list[int]]:
    """Index arrays by axis, the space they have together, and the axes that are taken whole."""
    if any(isinstance(e, tuple) and e != (None, None, None) for e in spec):
        raise NoNativeForm("slices between index arrays", x.dtype)
    named = [i for i, e in enumerate(spec) if not isinstance(e, tuple)]
    if named != list(range(len(named))):
        raise NoNativeForm("index arrays after whole axes", x.dtype)
    tensors = [w.tensor(v) for v in parts]
    space = iteration_space(w, parts, tensors)
    left = iter(tensors)
    arrays: Indices = []
    for axis in named:
        entry = spec[axis]
        arrays.append((axis, next(left) if entry == "?" else register_tensor("int64", str(entry))))
    for _, t in arrays:
        if t.dtype == "bool":
            raise NoNativeForm("a mask as an index", "bool")
    spread_arrays = [(axis, spread(t, space)) for axis, t in arrays]
    return spread_arrays, space, [i for i in range(x.ndim) if i not in named]


class _over:  # reads as a word: `with _over(w, space) as at`
    """A loop nest over a space; gives the list of its counters."""

    def __init__(self, w: Writer, space: Sequence[Name]) -> None:
        self.w, self.space, self.stack = w, space, ExitStack()

    def __enter__(self) -> list[Name]:
        return [self.stack.enter_context(self.w.counted(n)) for n in self.space]

    def __exit__(self, *error: Any) -> None:
        self.stack.__exit__(*error)


def _address(w: Writer, tensor: Tensor, at: Sequence[Name]) -> Name:
    offset: Name = "0"
    for i, step in zip(at, tensor.strides, strict=False):
        offset = w.integer("add", offset, w.integer("mul", i, step))
    return w.offset(tensor.data or "null", offset)


def _element(w: Writer, tensor: Tensor, at: Sequence[Name], depth: int) -> Tensor:
    """tensor[at], over the axes after `depth`."""
    if tensor.scalar is not None:
        return register_tensor(tensor.dtype, tensor.scalar, tensor.dims[depth:])
    data = _address(w, tensor, at)
    return tensor.view(
        data, tensor.dims[depth:], tensor.strides[depth:], contiguous=tensor.contiguous
    )


def _row(w: Writer, x: Tensor, arrays: Indices, at: Sequence[Name], rest: Sequence[int]) -> Tensor:
    """x[indices at this point], checked one by one: a view over the axes that are taken whole."""
    if x.scalar is not None:
        return register_tensor(x.dtype, x.scalar, [x.dims[i] for i in rest])
    offset: Name = "0"
    for axis, index in arrays:
        element = _element(w, index, at, len(at))
        value = w.scalar(element)
        wide = _wide(w.code, value, index.dtype)
        position = _position(w, wide, x.dims[axis])
        offset = w.integer("add", offset, w.integer("mul", position, x.strides[axis]))
    data = w.offset(x.data or "null", offset)
    return x.view(
        data, [x.dims[i] for i in rest], [x.strides[i] for i in rest], contiguous=x.contiguous
    )


def _wide(code: Code, value: Value, dtype: str) -> Name:
    if value.type.bits == 64 or value.name.lstrip("-").isdigit():
        return value.name
    return value.convert("zext" if dtype[0] == "u" else "sext", "i64").name


def _transfer(w: Writer, source: Tensor, into: Tensor, put: bool) -> None:
    if into.ndim:
        _write(w, into, source, put)
        return
    value = w.scalar(source)
    if not put:
        memory = memory_type(into.dtype)
        old = w.code.put(Type(memory), f"load {memory}, ptr {into.data}")
        before = old.ne(0) if into.dtype == "bool" else old
        value = before | value if into.dtype == "bool" else before + value
    assert value.type.scalar == scalar_type(into.dtype)
    w.store_scalar(value, into.data or "null")


def emit_argmax(w: Writer, node: Apply) -> None:
    """The first maximum along an axis; the first nan counts as one."""
    from workbench.core.ops.reduce import Argmax

    op = node.op
    assert isinstance(op, Argmax)
    x = w.tensor(node.inputs[0])
    if x.scalar is not None:
        x = w.in_memory(x)
    kept = [i for i in range(x.ndim) if i != op.axis]
    w.require(w.compare("ne", x.dims[op.axis], "0"))
    dims = [x.dims[i] for i in kept]
    out = w.allocate(node.out, dims) if dims else w.array("int64", (), w.alloca("i64"))
    kind = Type(scalar_type(x.dtype))
    best, where = w.alloca(memory_type(x.dtype), "best"), w.alloca("i64", "where")
    with _over(w, dims) as at:
        offset: Name = "0"
        for i, axis in zip(at, kept, strict=True):
            offset = w.integer("add", offset, w.integer("mul", i, x.strides[axis]))
        base = w.offset(x.data or "null", offset)
        first = x.view(base, (), ())
        w.store_scalar(w.scalar(first), best)
        w.code.line(f"store i64 0, ptr {where}")
        with w.counted(x.dims[op.axis]) as k:
            _keep_larger(w, x, kind, base, k, op.axis, best, where)
        found = w.code.put(Type("i64"), f"load i64, ptr {where}")
        w.store_scalar(found, _address(w, out, at))
    w.bind(node.out, out if dims else register_tensor("int64", w.scalar(out).name))


def _keep_larger(
    w: Writer, x: Tensor, kind: Type, base: Name, k: Name, axis: int, best: Name, where: Name
) -> None:
    value = w.scalar(x.view(w.offset(base, w.integer("mul", k, x.strides[axis])), (), ()))
    so_far = w.scalar(x.view(best, (), ()))
    if kind.is_float:
        larger = value.compare("ugt", so_far)  # or one of them is nan
        larger = so_far.isnan().select(Value(w.code, Type("i1"), "false"), larger)
    else:
        larger = value.compare("sgt" if x.dtype[0] == "i" else "ugt", so_far)
    w.store_scalar(larger.select(value, so_far), best)
    old = w.code.put(Type("i64"), f"load i64, ptr {where}")
    new = larger.select(Value(w.code, Type("i64"), k), old)
    w.code.line(f"store i64 {new.name}, ptr {where}")
