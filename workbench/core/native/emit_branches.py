"""A choice as a branch of the native program.

What a branch computes, checks and allocates is written inside it, however little it depends on: the
branch that is not taken must not fail. Both branches leave an array's value in one slot of the
arena, or where the result is wanted; a scalar's in a register. A choice between arrays that are
there already is one between addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from workbench.core.graph import Apply, Variable, toposort
from workbench.core.native.ssa import Type, memory_type
from workbench.core.native.target import NoNativeForm
from workbench.core.native.tensor import Name, Tensor, register_tensor
from workbench.core.native.writer import Destination, Emitter, Writer
from workbench.core.ops.branches import IfElse
from workbench.core.types import TensorType, tensor_type

Place = Callable[[Sequence[Name]], Tensor]
"""Gives the memory of a result, told its dimensions."""


def emit_if_else(w: Writer, node: Apply) -> None:
    """Both branches of an IfElse node, of which one runs."""
    op = node.op
    assert isinstance(op, IfElse)
    if op.inner is None and w.is_inside_branch:  # its branches' work stands outside: all would run
        raise NoNativeForm("branches in branches, so deep", "any dtype")
    if not all(isinstance(v.type, TensorType) for v in node.outputs):
        raise NoNativeForm("a choice between objects", "object")
    _Choice(w, node, op).write()


@dataclass
class _Result:
    """Where an output's value is found after the branches: cells that each of them fills."""

    output: Variable
    wanted: Destination | None
    slot: int | None = None
    data: Name = ""
    cells: list[Name] = field(default_factory=list)  # of the dimensions, then of the strides
    dims: list[list[Name]] = field(default_factory=list)  # as each branch has them
    is_address: bool = False  # of an array that is there already
    is_strided: bool = False
    is_row: bool = False  # a row of a loop's stack, whose lengths do not change

    @property
    def ndim(self) -> int:
        return tensor_type(self.output).ndim

    @property
    def dtype(self) -> str:
        return tensor_type(self.output).dtype

    @property
    def device(self) -> str:
        return tensor_type(self.output).device

    @property
    def is_scalar(self) -> bool:
        """Whether the value is kept in a register."""
        return self.ndim == 0 and self.device == "cpu"


class _Choice:
    def __init__(self, w: Writer, node: Apply, op: IfElse) -> None:
        self.w = w
        self.condition, *captured = node.inputs
        self.read = captured if op.inner is None else op.inner.inputs
        tensors = [w.tensor(v) for v in captured]
        self.outer = dict(zip(self.read, tensors, strict=True))
        if op.inner is not None:
            w.tensors.update((v, replace(t, buffer=None)) for v, t in self.outer.items())
        self.branches = op.branches(node.inputs)
        self.results = [
            self._open(v, pair)
            for v, pair in zip(node.outputs, zip(*self.branches, strict=True), strict=True)
        ]

    def write(self) -> None:
        w = self.w
        condition = w.scalar(w.tensor(self.condition))
        if condition.type.scalar != "i1":
            condition = condition.ne(0)
        labels = [w.label("then"), w.label("else")]
        outer, after = w.code, w.label("chosen")
        outer.line(f"br i1 {condition.name}, label %{labels[0]}, label %{labels[1]}")
        for label, values in zip(labels, self.branches, strict=True):
            with w.kept_inside() as region:
                self._write_branch(values)
            outer.lines += [f"{label}:", *region.lines]
            outer.line(f"br label %{after}")
        w.start_block(after)
        for result in self.results:
            w.bind(result.output, self._value(result))

    # --- before ---

    def _open(self, output: Variable, values: tuple[Variable, Variable]) -> _Result:
        w = self.w
        if tensor_type(output).ndim == 0 and output.type.device == "cpu":
            cell = w.alloca(memory_type(tensor_type(output).dtype), "chosen")
            return _Result(output, None, data=cell)
        wanted = w.destinations.get(output)
        is_row = False
        if wanted is not None and callable(wanted.place):
            is_row = wanted.kind == "row"
            wanted = None  # its memory is made once, and told the dimensions
        result = _Result(output, wanted, data=w.alloca("ptr", "chosen"), is_row=is_row)
        result.is_address = wanted is None and all(map(self._stays, values))
        result.is_strided = result.is_address and not all(w.tensor(v).contiguous for v in values)
        count = result.ndim * (2 if result.is_strided else 1)
        result.cells = [w.alloca("i64", "length") for _ in range(count)]
        if wanted is not None:
            del w.destinations[output]
        elif not result.is_address:
            result.slot = w.lives.take("", w.depth, device=result.device)
            result.slot = w.new_slot(result.device) if result.slot is None else result.slot
            w.lives.taken(result.slot, f"of {result.data}")
        return result

    def _stays(self, value: Variable) -> bool:
        """Whether a value is in memory that lasts as long as the program: an input's."""
        tensor = self.outer.get(value)
        return tensor is not None and tensor.buffer is None and tensor.data is not None

    # --- one branch ---

    def _write_branch(self, values: Sequence[Variable]) -> None:
        w = self.w
        made = toposort(values, stop=self.read)
        own = {v for node in made for v in node.outputs}
        pending: list[tuple[Variable, _Result]] = []
        for v, result in zip(values, self.results, strict=True):
            if not result.is_scalar and v in own and v not in w.destinations:
                place = self._place(result)
                w.destinations[v] = Destination("branch", place=place)
            else:
                pending.append((v, result))
        w.write_nodes(made, values)
        for v, result in pending:
            self._leave(w.tensor(v), result)
        for v in dict.fromkeys(values):
            if v in own:
                w.lives.drop(w.tensor(v), w.depth)

    def _leave(self, value: Tensor, result: _Result) -> None:
        """A value that no node of the branch has put into its place."""
        w = self.w
        if result.is_scalar:
            w.store_scalar(w.scalar(value), result.data)
        elif result.is_address:
            self._tell(result, value)
            for stride, cell in zip(value.strides, result.cells[result.ndim :], strict=False):
                w.code.line(f"store i64 {stride}, ptr {cell}")
        else:
            w.copy(value, self._place(result)(value.dims))

    def _place(self, result: _Result) -> Place:
        def place(dims: Sequence[Name]) -> Tensor:
            memory = replace(self._memory(result, dims), buffer=None)
            self._tell(result, memory)
            return memory

        return place

    def _memory(self, result: _Result, dims: Sequence[Name]) -> Tensor:
        w = self.w
        if result.slot is not None:
            return w.in_slot(result.slot, result.dtype, dims)
        wanted = result.wanted
        assert wanted is not None
        if wanted.place is None:
            return w.returned(wanted.kind, wanted.index, result.dtype, dims, result.device)
        assert isinstance(wanted.place, Tensor)
        for mine, theirs in zip(dims, wanted.place.dims, strict=True):
            w.same(mine, theirs)
        return wanted.place

    def _tell(self, result: _Result, value: Tensor) -> None:
        """Keep the address and the dimensions for after the branch."""
        w = self.w
        w.code.line(f"store ptr {value.data}, ptr {result.data}")
        dims = [w.canonical(n) for n in value.dims]
        result.dims.append(dims)
        for n, cell in zip(dims, result.cells, strict=False):
            w.code.line(f"store i64 {n}, ptr {cell}")

    # --- after ---

    def _value(self, result: _Result) -> Tensor:
        w = self.w
        if result.is_scalar:
            return register_tensor(
                result.dtype, w.scalar(Tensor(result.dtype, (), (), result.data)).name
            )
        if result.wanted is not None and isinstance(result.wanted.place, Tensor):
            return replace(result.wanted.place, buffer=None)
        data = w.code.put(Type("ptr"), f"load ptr, ptr {result.data}").name
        dims = [self._length(result, axis) for axis in range(result.ndim)]
        if not result.is_strided:
            return w.array(result.dtype, dims, data, result.slot, result.device)
        strides = [self._load(cell) for cell in result.cells[result.ndim :]]
        return Tensor(
            result.dtype, tuple(dims), tuple(strides), data, forward=False, device=result.device
        )

    def _length(self, result: _Result, axis: int) -> Name:
        """The length of an axis: a name that both branches know, or what the taken one found."""
        known = tensor_type(result.output).shape[axis]
        if known is not None:
            return str(known)
        first, second = (dims[axis] for dims in result.dims)
        if first == second and self.w.depth_of(first) <= self.w.depth:
            return first
        found = self._load(result.cells[axis])
        before = [n for n in (first, second) if self.w.depth_of(n) < self.w.depth]
        if result.is_row and before:
            self.w.same(found, before[0])
            return before[0]
        return found

    def _load(self, cell: Name) -> Name:
        return self.w.code.put(Type("i64"), f"load i64, ptr {cell}").name


EMITTERS: dict[type, Emitter] = {IfElse: emit_if_else}
