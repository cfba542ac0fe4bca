"""Elementwise ops, fused loops and reductions as kernels; on scalars, as plain instructions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.core.graph import Apply, Variable
from workbench.core.native.convert import convert
from workbench.core.native.kernel import Argument
from workbench.core.native.lower import lower
from workbench.core.native.ssa import memory_type
from workbench.core.native.tensor import Name, Tensor, register_tensor
from workbench.core.native.writer import Moving, Writer
from workbench.core.nest import Nest, Operand, Reducer, Result, Stride
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.loop import NO_IDENTITY, Loop
from workbench.core.ops.reduce import Reduce
from workbench.core.ops.scalars import Second
from workbench.core.scalar import ScalarBuilder, ScalarProgram
from workbench.core.types import tensor_type
from workbench.frozen import frozen


def emit_elemwise(w: Writer, node: Apply) -> None:
    """A scalar program over arrays: a kernel; over scalars: instructions."""
    op = node.op
    assert isinstance(op, Elemwise)
    if isinstance(op.scalar, Second):
        _emit_second(w, node)
        return
    program = op.scalar.program(tuple(tensor_type(v).dtype for v in node.inputs))
    tensors = [w.tensor(v) for v in node.inputs]
    first = tensor_type(node.outputs[0])
    if first.ndim == 0 and first.device == "cpu":
        _emit_scalars(w, node, program, tensors)
        return
    space = iteration_space(w, node.inputs, tensors)
    outputs: list[Tensor] = []
    inplace: list[tuple[int, ...]] = []
    for v in node.outputs:
        outputs_tensor, operand = _result_memory(w, node, v, space, tensors, outputs)
        outputs.append(outputs_tensor)
        inplace.append(operand)
    sinks = [
        Sink(out, i, None, "", own)
        for i, (out, own) in enumerate(zip(outputs, inplace, strict=True))
    ]
    run_loops(w, program, space, tensors, sinks, ())
    for v, tensor in zip(node.outputs, outputs, strict=True):
        w.bind(v, tensor)


def _emit_scalars(
    w: Writer, node: Apply, program: ScalarProgram, tensors: Sequence[Tensor]
) -> None:
    """On scalars: instructions in registers."""
    values = lower(program, w.code, [w.scalar(t).name for t in tensors], 1)
    for v, value in zip(node.outputs, values, strict=True):
        w.bind(v, register_tensor(tensor_type(v).dtype, value.name))


def _emit_second(w: Writer, node: Apply) -> None:
    """The second operand, spread over the shape of both: no memory of its own."""
    tensors = [w.tensor(v) for v in node.inputs]
    w.bind(node.out, spread(tensors[1], iteration_space(w, node.inputs, tensors)))


def spread(tensor: Tensor, space: Sequence[Name]) -> Tensor:
    """A tensor looked at with the dimensions of a larger space: new and stretched axes have stride
    0.
    """
    extra = len(space) - tensor.ndim
    strides: list[Name] = ["0"] * extra
    whole = extra == 0
    for n, step, wanted in zip(tensor.dims, tensor.strides, space[extra:], strict=True):
        stretched = n == "1" and wanted != "1"
        whole = whole and not stretched
        strides.append("0" if stretched else step)
    return tensor.view(tensor.data, space, strides, contiguous=tensor.contiguous and whole)


def iteration_space(
    w: Writer, variables: Sequence[Variable], tensors: Sequence[Tensor]
) -> list[Name]:
    """The dimensions that the operands have together; requires lengths to be equal where the types
    do not broadcast.
    """
    ndim = max((t.ndim for t in tensors), default=0)
    space: list[Name] = []
    for axis in range(-ndim, 0):
        names: list[Name] = []
        for variable, tensor in zip(variables, tensors, strict=True):
            t = tensor_type(variable)
            if t.ndim >= -axis and t.shape[axis] != 1:
                known = t.shape[axis]
                names.append(str(known) if known is not None else w.canonical(tensor.dims[axis]))
        for other in names[1:]:
            w.same(names[0], other)
        space.append(w.canonical(names[0]) if names else "1")
    return space


def _result_memory(
    w: Writer,
    node: Apply,
    variable: Variable,
    space: Sequence[Name],
    tensors: Sequence[Tensor],
    taken: Sequence[Tensor],
) -> tuple[Tensor, tuple[int, ...]]:
    """Where an elementwise result goes: over an operand that nobody reads any more, or into new
    memory.
    """
    if variable not in w.destinations:
        for v, t in zip(node.inputs, tensors, strict=True):
            wanted = tensor_type(variable)
            reusable = t.contiguous and t.itemsize == wanted.numpy_dtype.itemsize
            reusable = reusable and t.device == wanted.device
            if (
                reusable
                and list(t.dims) == list(space)
                and w.dies_here(v, t)
                and all(t.buffer != o.buffer for o in taken)
            ):
                same = tuple(
                    k
                    for k, other in enumerate(tensors)
                    if other.buffer == t.buffer and other.buffer is not None
                )
                if all(tensors[k].data == t.data and tensors[k].strides == t.strides for k in same):
                    assert t.data is not None
                    dtype = tensor_type(variable).dtype
                    return w.array(dtype, space, t.data, t.buffer, t.device), same
    return w.allocate(variable, space), ()


@frozen
class Sink:
    """Where one output of a program goes: a tensor (of the kept axes, for a total), and how it is
    combined.
    """

    tensor: Tensor
    output: int
    reducer: Reducer | None = None
    accumulator: str = ""
    inplace: tuple[int, ...] = ()


@frozen
class Fitted:
    """A nest that fits how its tensors lie, its lengths, and the tensors with their strides."""

    nest: Nest
    dims: Sequence[Name]
    operands: Sequence[Moving]
    results: Sequence[Moving]


def run_loops(
    w: Writer,
    program: ScalarProgram,
    space: Sequence[Name],
    tensors: Sequence[Tensor],
    sinks: Sequence[Sink],
    axes: tuple[int, ...],
) -> None:
    """A kernel for a program over a space, with neighbouring axes joined where memory allows it."""
    fit = fitted(w, program, space, tensors, sinks, axes)
    if sinks[0].tensor.device != "cpu":
        w.launch(fit.nest, fit.dims, fit.operands, fit.results)
        return
    passed = [
        _argument(w, t, o, s) for (t, s), o in zip(fit.operands, fit.nest.operands, strict=True)
    ]
    stored = [Argument(_data(t), s) for t, s in fit.results]
    w.run_nest(fit.nest, fit.dims, passed, stored)


def fitted(
    w: Writer,
    program: ScalarProgram,
    space: Sequence[Name],
    tensors: Sequence[Tensor],
    sinks: Sequence[Sink],
    axes: tuple[int, ...],
) -> Fitted:
    """The nest of a program over a space, with neighbouring axes joined where memory allows it."""
    if not space:  # of one element, which a device has in its memory
        space, sinks = ["1"], [replace(k, tensor=_as_row(k.tensor)) for k in sinks]
    ndim = len(space)
    items = [_Moves(_still(_padded(t, ndim), space), t.contiguous) for t in tensors]
    items += [
        _Moves(_still(_expanded(sink, axes), space), sink.tensor.contiguous) for sink in sinks
    ]
    groups = _joined_axes(w, space, items, axes)
    dims = [w.multiply(*(space[a] for a in group)) for group in groups]
    taken = [[item.strides[group[-1]] for group in groups] for item in items]
    reduced = tuple(i for i, group in enumerate(groups) if group[0] in axes)
    n = len(tensors)
    nest = Nest(
        len(groups),
        program,
        tuple(Operand(t.dtype, _kinds(t, s)) for t, s in zip(tensors, taken[:n], strict=True)),
        tuple(
            Result(
                k.output,
                k.tensor.dtype,
                _stored_kinds(k, s, dims, reduced),
                k.reducer,
                k.accumulator,
                k.inplace,
            )
            for k, s in zip(sinks, taken[n:], strict=True)
        ),
        reduced,
    )
    stored = [k.tensor for k in sinks]
    return Fitted(nest, dims, list(zip(tensors, taken[:n])), list(zip(stored, taken[n:])))


def _as_row(tensor: Tensor) -> Tensor:
    """One element as a vector."""
    return tensor if tensor.dims else tensor.view(tensor.data, ("1",), ("0",), contiguous=True)


def _data(tensor: Tensor) -> Name:
    assert tensor.data is not None
    return tensor.data


def _padded(tensor: Tensor, ndim: int) -> list[Name]:
    return ["0"] * (ndim - tensor.ndim) + [
        "0" if n == "1" else step for n, step in zip(tensor.dims, tensor.strides, strict=True)
    ]


def _still(strides: Sequence[Name], space: Sequence[Name]) -> list[Name]:
    """The strides, with 0 along axes of which the space has 1: a tensor's own length may not have
    been known as 1 when it was made.
    """
    return ["0" if n == "1" else step for n, step in zip(space, strides, strict=True)]


def _expanded(sink: Sink, axes: tuple[int, ...]) -> list[Name]:
    """A result's strides over the whole space: 0 along the axes of a total."""
    strides = [
        "0" if n == "1" else step
        for n, step in zip(sink.tensor.dims, sink.tensor.strides, strict=True)
    ]
    if sink.reducer is None:
        return strides
    left = iter(strides)
    ndim = len(strides) + len(axes)
    return ["0" if axis in axes else next(left) for axis in range(ndim)]


@frozen
class _Moves:
    """How an operand or result moves over the whole space."""

    strides: Sequence[Name]
    contiguous: bool

    def joins(self, w: Writer, a: int, b: int, length: Name) -> bool:
        """Whether going over axis a and then b is going over one axis."""
        outer, inner = self.strides[a], self.strides[b]
        if self.contiguous and outer != "0" and inner != "0":
            return True
        return outer == w.integer_known("mul", inner, length)


def _joined_axes(
    w: Writer, space: Sequence[Name], items: Sequence[_Moves], axes: tuple[int, ...]
) -> list[list[int]]:
    """Groups of neighbouring axes over which every operand moves as over one axis; axes of length 1
    are left out.
    """
    groups: list[list[int]] = []
    for axis, length in enumerate(space):
        if length == "1" and axis not in axes:
            continue
        last = groups[-1][-1] if groups else -1
        if (
            groups
            and (last in axes) == (axis in axes)
            and all(i.joins(w, last, axis, length) for i in items)
        ):
            groups[-1].append(axis)
        else:
            groups.append([axis])
    return groups or [[len(space) - 1]]


def _kinds(tensor: Tensor, strides: Sequence[Name]) -> tuple[Stride, ...]:
    """The kinds of an operand's strides; contiguous ones are known at compile time."""
    kinds: list[Stride] = ["zero" if step == "0" else "any" for step in strides]
    if kinds and strides[-1] == str(tensor.itemsize):
        kinds[-1] = "unit"
    return tuple(kinds)


def _stored_kinds(
    sink: Sink, strides: Sequence[Name], dims: Sequence[Name], reduced: Sequence[int]
) -> tuple[Stride, ...]:
    """The kinds of a result's strides. One that is 0 because the array is empty is no spreading."""
    still = [n == "1" or (sink.reducer and axis in reduced) for axis, n in enumerate(dims)]
    kinds = _kinds(sink.tensor, strides)
    return tuple("zero" if s else "any" if k == "zero" else k for k, s in zip(kinds, still))


def _argument(w: Writer, tensor: Tensor, operand: Operand, strides: Sequence[Name]) -> Argument:
    if not operand.by_value:
        return Argument(_in_data(w, tensor), strides)
    value = w.scalar(tensor)
    if tensor.dtype == "bool":
        value = value.convert("zext", "i8")
    assert value.type.scalar == memory_type(tensor.dtype)
    return Argument(value.name)


def _in_data(w: Writer, tensor: Tensor) -> Name:
    return tensor.data if tensor.data is not None else _data(w.in_memory(tensor))


def emit_reduce(w: Writer, node: Apply) -> None:
    """A reduction on its own: a loop whose program casts to what is accumulated."""
    op = node.op
    assert isinstance(op, Reduce)
    dtype = tensor_type(node.inputs[0]).dtype
    builder = ScalarBuilder((dtype,))
    program = builder.program(builder.cast(0, "bool") if op.prim in ("and", "or") else 0)
    accumulator = op.acc_dtype(dtype) if op.prim not in ("and", "or") else "bool"
    needs = op.empty is None
    _emit_totals(w, node, program, op.axes, [(_reducer(op.prim), accumulator)], needs)


def emit_loop(w: Writer, node: Apply) -> None:
    """A fused loop: results and totals at once."""
    op = node.op
    assert isinstance(op, Loop)
    needs = any(r.needs_elements and r.reduce in NO_IDENTITY for r in op.results)
    kinds = [(_reducer(r.reduce), r.acc_dtype) for r in op.results]
    _emit_totals(w, node, op.program, op.axes, kinds, needs)


def _reducer(prim: str | None) -> Reducer | None:
    return prim  # type: ignore[return-value]  # the ops' names are the nest's


def _emit_totals(
    w: Writer,
    node: Apply,
    program: ScalarProgram,
    axes: tuple[int, ...],
    kinds: Sequence[tuple[Reducer | None, str]],
    needs_elements: bool,
) -> None:
    tensors = [w.tensor(v) for v in node.inputs]
    space = iteration_space(w, node.inputs, tensors)
    if needs_elements:
        for axis in axes:
            w.require(w.compare("ne", space[axis], "0"))
    kept = [n for i, n in enumerate(space) if i not in axes]
    sinks: list[Sink] = []
    for i, (v, (reducer, accumulator)) in enumerate(zip(node.outputs, kinds, strict=True)):
        dims = space if reducer is None else kept
        if dims or tensor_type(v).device != "cpu":
            tensor = w.allocate(v, dims)
        else:
            dtype = tensor_type(v).dtype
            tensor = w.array(dtype, (), w.alloca(memory_type(dtype)))
        sinks.append(Sink(tensor, i, reducer, accumulator))
    run_loops(w, program, space, tensors, sinks, axes)
    for v, sink in zip(node.outputs, sinks, strict=True):
        tensor = sink.tensor
        in_memory = tensor.ndim or tensor.device != "cpu"
        w.bind(v, tensor if in_memory else register_tensor(tensor.dtype, w.scalar(tensor).name))


def copy_nest(w: Writer, source: Tensor, into: Tensor) -> None:
    """Every element from one place to another, cast where the dtypes differ."""
    if not source.dims:
        w.store_scalar(convert(w.scalar(source), source.dtype, into.dtype), _data(into))
        return
    alike = source.dtype == into.dtype and source.ndim == into.ndim
    if alike and source.data is not None and source.contiguous and into.contiguous:
        size = w.bytes_of(into.dtype, into.dims)
        places = f"ptr {into.data}, ptr {source.data}"
        w.code.line(f"call void @llvm.memcpy.p0.p0.i64({places}, i64 {size}, i1 false)")
        return
    builder = ScalarBuilder((source.dtype,))
    program = builder.program(builder.cast(0, into.dtype))
    run_loops(w, program, into.dims, [source], [Sink(into, 0)], ())
