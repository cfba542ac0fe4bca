"""Indexing: slices are views; index arrays are loops that copy elements or rows, checked one by
one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from workbench.core.graph import Apply, Variable
from workbench.core.native.emit_loops import Sink, iteration_space, run_loops, spread
from workbench.core.native.ssa import Type, Value, memory_type, scalar_type
from workbench.core.native.target import NoNativeForm
from workbench.core.native.tensor import Name, Tensor, register_tensor
from workbench.core.native.writer import Writer
from workbench.core.ops.index import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
)
from workbench.core.ops.slices import FULL, Entry, Spec
from workbench.core.scalar import ScalarBuilder
from workbench.frozen import frozen


def emit_subtensor(w: Writer, node: Apply) -> None:
    """A slice is a view; an element is read into a register."""
    op = node.op
    assert isinstance(op, Subtensor)
    x = w.tensor(node.inputs[0])
    view = sliced(w, x, op.spec, node.inputs[1:])
    if view.ndim == 0 and view.device == "cpu" and node.out not in w.destinations:
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
            whole = contiguous and entry == (None, None, None)
            contiguous = whole or _leading(entry, contiguous, dims)
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


def _leading(entry: Entry, contiguous: bool, dims: list[Name]) -> bool:
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
    out = w.changeable(node)
    view = sliced(w, out, op.spec, node.inputs[2:])
    write_into(w, view, spread_checked(w, w.tensor(node.inputs[1]), node.inputs[1], view), op.set)
    w.bind(node.out, out)


def spread_checked(w: Writer, y: Tensor, variable: Variable, view: Tensor) -> Tensor:
    """y with the dimensions of the view; requires its lengths to fit."""
    from workbench.core.types import tensor_type

    for n, wanted, known in zip(
        y.dims[::-1], view.dims[::-1], tensor_type(variable).shape[::-1], strict=False
    ):
        if known != 1:
            w.same(n, wanted)
    return spread(y, view.dims)


def write_into(w: Writer, view: Tensor, y: Tensor, put: bool) -> None:
    """Puts y into a view, or adds it; no place is named twice."""
    if put:
        w.copy(y, view)
        return
    builder = ScalarBuilder((view.dtype, view.dtype))
    total = builder.program(builder.prim("or" if view.dtype == "bool" else "add", view.dtype, 0, 1))
    if view.ndim == 0 and view.device == "cpu":
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
    pick = picked(w, op.spec, w.tensor(x), parts)
    out = w.allocate(node.out, pick.result_dims)
    with over(w, pick.space) as at:
        _transfer(w, _row(w, pick, at), element(w, pick.turned(out), at), put=True)
    w.bind(node.out, out)


def emit_advanced_inc_subtensor(w: Writer, node: Apply) -> None:
    """Elements or rows added to, one by one, so that repeated indices add up."""
    op = node.op
    assert isinstance(op, AdvancedIncSubtensor)
    out = w.changeable(node)
    pick = picked(w, op.spec, out, node.inputs[2:])
    y = w.tensor(node.inputs[1])
    dims = pick.result_dims
    y = spread_checked(w, y, node.inputs[1], out.view(out.data, dims, ["0"] * len(dims)))
    with over(w, pick.space) as at:
        _transfer(w, element(w, pick.turned(y), at), _row(w, pick, at), op.set)
    w.bind(node.out, out)


@frozen
class Pick:
    """An index with arrays.

    source    the tensor's memory, its indexed axes first
    arrays    for each indexed axis its positions, over the common `space`
    position  where the space's axes stand among those of the result
    """

    source: Tensor
    arrays: Sequence[Tensor]
    space: Sequence[Name]
    position: int

    @property
    def rest(self) -> Sequence[Name]:
        """The dimensions that are taken whole."""
        return self.source.dims[len(self.arrays) :]

    @property
    def result_dims(self) -> list[Name]:
        return [*self.rest[: self.position], *self.space, *self.rest[self.position :]]

    def turned(self, result: Tensor) -> Tensor:
        """The result (or what is put there) with the space's axes first."""
        here = range(self.position, self.position + len(self.space))
        return reordered(result, [*here, *(i for i in range(result.ndim) if i not in here)])


def picked(w: Writer, spec: Spec, x: Tensor, parts: Sequence[Variable]) -> Pick:
    """What an index means: slices become a view, and the arrays' axes move to the front."""
    left = iter(parts)
    slice_parts: list[Variable] = []
    variables: list[Variable] = []
    for entry in spec:
        taken = [next(left) for e in (entry if isinstance(entry, tuple) else (entry,)) if e == "?"]
        (slice_parts if isinstance(entry, tuple) else variables).extend(taken)
    view = sliced(w, x, tuple(e if isinstance(e, tuple) else FULL for e in spec), slice_parts)
    named = [i for i, e in enumerate(spec) if not isinstance(e, tuple)]
    rest = [i for i in range(x.ndim) if i not in named]
    tensors = [w.tensor(v) for v in variables]
    if any(t.dtype == "bool" for t in tensors):
        raise NoNativeForm("a mask as an index", "bool")
    space = iteration_space(w, variables, tensors)
    given = iter(tensors)
    arrays = [
        next(given) if spec[i] == "?" else register_tensor("int64", str(spec[i])) for i in named
    ]
    together = named[-1] - named[0] + 1 == len(named)
    position = sum(i < named[0] for i in rest) if together else 0
    spread_arrays = [spread(t, space) for t in arrays]
    return Pick(reordered(view, [*named, *rest]), spread_arrays, space, position)


def reordered(tensor: Tensor, order: Sequence[int]) -> Tensor:
    """The same memory with its axes in another order."""
    same = list(order) == list(range(tensor.ndim))
    return tensor.view(
        tensor.data,
        [tensor.dims[i] for i in order],
        [tensor.strides[i] for i in order],
        contiguous=tensor.contiguous and same,
    )


class over:  # reads as a word: `with over(w, space) as at`
    """A loop nest over a space; gives the list of its counters."""

    def __init__(self, w: Writer, space: Sequence[Name]) -> None:
        self.w, self.space, self.stack = w, space, ExitStack()

    def __enter__(self) -> list[Name]:
        return [self.stack.enter_context(self.w.counted(n)) for n in self.space]

    def __exit__(self, *error: Any) -> None:
        self.stack.__exit__(*error)


def address(w: Writer, tensor: Tensor, at: Sequence[Name]) -> Name:
    """Where tensor[at] is."""
    offset: Name = "0"
    for i, step in zip(at, tensor.strides, strict=False):
        offset = w.integer("add", offset, w.integer("mul", i, step))
    return w.offset(tensor.data or "null", offset)


def element(w: Writer, tensor: Tensor, at: Sequence[Name]) -> Tensor:
    """tensor[at], over the axes that are left."""
    depth = len(at)
    if tensor.scalar is not None:
        return register_tensor(tensor.dtype, tensor.scalar, tensor.dims[depth:])
    dims, strides = tensor.dims[depth:], tensor.strides[depth:]
    return tensor.view(address(w, tensor, at), dims, strides, contiguous=tensor.contiguous)


def slice_at(w: Writer, tensor: Tensor, axis: int, k: Name) -> Tensor:
    """tensor[..., k, ...]"""
    data = w.offset(tensor.data or "null", w.integer("mul", k, tensor.strides[axis]))
    dims = [d for i, d in enumerate(tensor.dims) if i != axis]
    strides = [s for i, s in enumerate(tensor.strides) if i != axis]
    return tensor.view(data, dims, strides, contiguous=tensor.contiguous and axis == 0)


def _row(w: Writer, pick: Pick, at: Sequence[Name]) -> Tensor:
    """What is picked at this point of the space; every index is checked."""
    x, count = pick.source, len(pick.arrays)
    if x.scalar is not None:
        return register_tensor(x.dtype, x.scalar, pick.rest)
    offset: Name = "0"
    for n, step, index in zip(x.dims, x.strides, pick.arrays, strict=False):
        wide = _wide(w.scalar(element(w, index, at)), index.dtype)
        offset = w.integer("add", offset, w.integer("mul", _position(w, wide, n), step))
    data = w.offset(x.data or "null", offset)
    return x.view(data, pick.rest, x.strides[count:], contiguous=x.contiguous)


def _wide(value: Value, dtype: str) -> Name:
    if value.type.bits == 64 or value.name.lstrip("-").isdigit():
        return value.name
    return value.convert("zext" if dtype[0] == "u" else "sext", "i64").name


def _transfer(w: Writer, source: Tensor, into: Tensor, put: bool) -> None:
    if into.ndim:
        write_into(w, into, source, put)
        return
    value = w.scalar(source)
    if not put:
        memory = memory_type(into.dtype)
        old = w.code.put(Type(memory), f"load {memory}, ptr {into.data}")
        before = old.ne(0) if into.dtype == "bool" else old
        value = before | value if into.dtype == "bool" else before + value
    assert value.type.scalar == scalar_type(into.dtype)
    w.store_scalar(value, into.data or "null")
