"""The writer of a native program: the text of `i32 @program(ptr %ctx)`, node by node.

`regions` says where code stands; here are nodes, what is required of their operands, memory and
values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from workbench.core.graph import Apply, Constant, Op, Variable
from workbench.core.native.kernel import Argument, kernel_call, kernel_text
from workbench.core.native.lives import Lives
from workbench.core.native.regions import Region, Regions
from workbench.core.native.ssa import Code, Type, Value, is_native, memory_type, scalar_type
from workbench.core.native.target import NoNativeForm, Target
from workbench.core.native.tensor import Name, Tensor, register_tensor
from workbench.core.nest import Nest
from workbench.core.types import TensorType

Emitter = Callable[["Writer", Apply], None]

RELEASE_ABOVE = 1 << 15
"""The GIL is released for calls whose inputs have more elements than this in all, and for long
loops.
"""


Moving = tuple[Tensor, Sequence[Name]]
"""A tensor, and its strides over the axes of a nest."""


@dataclass
class Destination:
    """Where a variable's value has to be written: an 'output', an 'update', a 'row' of a scan's
    stack, or what a 'branch' leaves.

    `place` is the memory of a row, or gives that of a row or branch when it is told the dimensions.
    """

    kind: str
    index: int = 0
    place: Tensor | Callable[[Sequence[Name]], Tensor] | None = None


@dataclass
class Writer(Regions):
    """What is known while a program is written."""

    target: Target
    emitter_of: Callable[[Op], Emitter]
    timed: bool = False
    tensors: dict[Variable, Tensor] = field(default_factory=dict)
    destinations: dict[Variable, Destination] = field(default_factory=dict)
    kernels: dict[Nest, str] = field(default_factory=dict)
    functions: list[str] = field(default_factory=list)
    globals: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    failed: list[Apply] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.node: Apply | None = None
        self.has_blas = False
        self.has_loops = False  # whether the program itself has loops, and not its kernels only
        self.holder: Apply | None = None  # the outermost node whose body is written now
        self.timed_nodes: list[tuple[Apply, Apply | None]] = []
        self.lives = Lives()
        self.dying: set[Variable] = set()
        self._constants: dict[Variable, Tensor] = {}
        # for what a loop stacked its initial rows, and both in one array where they lie so
        self.pasts: dict[Variable, tuple[Variable, Tensor]] = {}
        # for each loop around, the depth outside of it and whether it takes no step
        self.idle: list[tuple[int, Name]] = []

    # --- what a program with devices has besides ---

    @property
    def is_exclusive(self) -> bool:
        """Whether one call runs at a time."""
        return False

    def parts(self) -> object:
        """What the devices need to run the program."""
        return None

    def ending(self) -> Sequence[str]:
        """Lines before the program returns; asked for when all else is written."""
        return ()

    # --- nodes ---

    def write_nodes(self, nodes: Sequence[Apply], outputs: Sequence[Variable]) -> None:
        """Each node in order; memory is given back after its last reader. The outputs stay."""
        last = {v: i for i, node in enumerate(nodes) for v in node.inputs}
        kept = set(outputs)
        around = self.node, self.dying, self.lives.new, self.holder
        self.lives.new = []
        self.holder = self.holder or self.node
        for i, node in enumerate(nodes):
            self.node = node
            self.dying = {
                v for v in node.inputs if last[v] == i and v not in kept and v.owner is not None
            }
            self.write_node(node)
            unread = [v for v in node.outputs if v not in last and v not in kept]
            for v in dict.fromkeys((*(v for v in node.inputs if v in self.dying), *unread)):
                self.lives.drop(self.tensors[v], self.depth)
            self.lives.end_node(self.depth)
        self.node, self.dying, self.lives.new, self.holder = around

    def write_node(self, node: Apply) -> None:
        for variable in node.outputs if self.holder is not None else ():
            native_type(variable, self.target)
        emitter = self.emitter_of(node.op)
        if not self.timed:
            emitter(self, node)
            return
        start = self._clock()
        emitter(self, node)
        self._count_time(node, start)

    def _clock(self) -> Name:
        """Nanoseconds, now."""
        at = self.alloca("{ i64, i64 }", "now")
        self.code.line(f"call i32 @libc.clock_gettime(i32 1, ptr {at})")
        seconds = self.code.put(Type("i64"), f"load i64, ptr {at}").name
        rest = self.code.put(Type("ptr"), f"getelementptr i8, ptr {at}, i64 8").name
        part = self.code.put(Type("i64"), f"load i64, ptr {rest}").name
        whole = self.code.put(Type("i64"), f"mul i64 {seconds}, 1000000000").name
        return self.code.put(Type("i64"), f"add i64 {whole}, {part}").name

    def _count_time(self, node: Apply, start: Name) -> None:
        """Add the time since `start`, and one run, to the node's counters."""
        k = len(self.timed_nodes)
        self.timed_nodes.append((node, self.holder))
        passed = self.code.put(Type("i64"), f"sub i64 {self._clock()}, {start}").name
        for word, amount in ((2 * k, passed), (2 * k + 1, "1")):
            at = self.code.put(Type("ptr"), f"getelementptr i64, ptr @wb.times, i64 {word}").name
            old = self.code.put(Type("i64"), f"load i64, ptr {at}").name
            new = self.code.put(Type("i64"), f"add i64 {old}, {amount}").name
            self.code.line(f"store i64 {new}, ptr {at}")

    # --- checks ---

    def require(self, condition: Name, code: Code | None = None) -> None:
        """Leave the program with this node's failure unless the i1 holds.

        What stands before a loop that takes no step is not checked for its steps.
        """
        code = code or self.region(condition)
        for depth, idle in self.idle:
            if isinstance(code, Region) and code.depth <= depth:  # before a loop: for its steps
                code = self.region(condition, idle)
                condition = code.put(Type("i1"), f"or i1 {condition}, {idle}").name
        go_on, fail = self.label("ok"), self.label("fail")
        code.line(f"br i1 {condition}, label %{go_on}, label %{fail}")
        self.start_block(go_on, code)
        self.failures.append(f"{fail}:\n  ret i32 {self._failure()}")

    def _failure(self) -> int:
        """The result that says that the present node failed."""
        assert self.node is not None
        if not self.failed or self.failed[-1] is not self.node:
            self.failed.append(self.node)
        return len(self.failed)

    def same(self, a: Name, b: Name) -> None:
        """Require two dimensions to be equal; known from here on."""
        a, b = self.canonical(a), self.canonical(b)
        if a == b:
            return
        self.require(self.compare("eq", a, b))
        keep, drop = (
            (a, b)
            if a.isdigit() or (not b.isdigit() and self.depth_of(a) <= self.depth_of(b))
            else (b, a)
        )
        self._equal[drop] = keep

    # --- memory ---

    def strides(self, dims: Sequence[Name], itemsize: int) -> tuple[Name, ...]:
        """Byte strides of a C-contiguous array."""
        strides: list[Name] = []
        step: Name = str(itemsize)
        for n in reversed(dims):
            strides.append(step)
            step = self.integer("mul", step, n)
        return tuple(reversed(strides))

    def bytes_of(self, dtype: str, dims: Sequence[Name]) -> Name:
        return self.multiply(str(np.dtype(dtype).itemsize), *dims)

    def scratch(
        self, dtype: str, dims: Sequence[Name], outside: int | None = None, device: str = "cpu"
    ) -> Tensor:
        """Memory of the arena for an array of these dimensions; contents undefined. `outside`: see
        `Lives.take`.
        """
        size = self.bytes_of(dtype, dims)
        slot = self.lives.take(size, self.depth, outside, device)
        if slot is None:
            slot = self.new_slot(device)
        self.lives.taken(slot, size)
        return self.in_slot(slot, dtype, dims)

    def in_slot(self, slot: int, dtype: str, dims: Sequence[Name]) -> Tensor:
        """An array of these dimensions in a slot that was taken."""
        size = self.bytes_of(dtype, dims)
        code = self.region(size)
        data = code.put(Type("ptr"), self.slot_call(slot, size)).name
        self.not_null(code, data)
        return self.array(dtype, dims, data, slot, self.lives.devices[slot])

    def slot_call(self, slot: int, size: Name) -> str:
        """What asks for the memory of a slot."""
        return f"call ptr @wb.slot(ptr %ctx, i32 {slot}, i64 {size})"

    def new_slot(self, device: str = "cpu") -> int:
        self.lives.devices.append(device)
        return len(self.lives.devices) - 1

    @property
    def n_slots(self) -> int:
        """How many slots there are."""
        return len(self.lives.devices)

    def array(
        self,
        dtype: str,
        dims: Sequence[Name],
        data: Name,
        buffer: int | None = None,
        device: str = "cpu",
    ) -> Tensor:
        """A contiguous array at an address."""
        strides = self.strides(dims, np.dtype(dtype).itemsize)
        return Tensor(
            dtype, tuple(dims), strides, data, buffer=buffer, contiguous=True, device=device
        )

    def not_null(self, code: Code, data: Name) -> None:
        go_on = self.label("ok")
        missing = code.put(Type("i1"), f"icmp eq ptr {data}, null").name
        code.line(f"br i1 {missing}, label %no.memory, label %{go_on}")
        self.start_block(go_on, code)

    # --- loops ---

    def loop_begins(self, node: Apply, n: Name) -> None:
        """A loop of so many steps is about to begin; what follows is its own until `loop_ends`."""

    def step_begins(self) -> None:
        """Each of its steps begins with what is written now."""

    def loop_ends(self, period: int) -> None:
        """All its steps are done; they write the same buffers after every `period` steps."""

    def allocate(
        self, variable: Variable, dims: Sequence[Name], outside: int | None = None
    ) -> Tensor:
        """Memory for a variable's value: the array it is to be returned in, or its row of a stack,
        or the arena's.
        """
        t = variable.type
        assert isinstance(t, TensorType)
        dims = tuple(
            str(n) if n is not None else self.canonical(d)
            for n, d in zip(t.shape, dims, strict=True)
        )
        wanted = self.destinations.pop(variable, None)
        if wanted is None:
            return self.scratch(t.dtype, dims, outside, t.device)
        return self._destination(wanted, t, dims)

    def _destination(self, wanted: Destination, t: TensorType, dims: Sequence[Name]) -> Tensor:
        if wanted.place is None:
            return self.returned(wanted.kind, wanted.index, t.dtype, dims, t.device)
        row = wanted.place if isinstance(wanted.place, Tensor) else wanted.place(dims)
        for mine, theirs in zip(dims, row.dims, strict=True):
            self.same(mine, theirs)
        return row

    def returned(
        self, kind: str, index: int, dtype: str, dims: Sequence[Name], device: str = "cpu"
    ) -> Tensor:
        """A new array that the caller gets ('output') or that a shared variable is to hold
        ('update').
        """
        code = self.region(*dims)
        shape = self.alloca(f"[{max(len(dims), 1)} x i64]", "dims")
        for i, n in enumerate(dims):
            at = code.put(Type("ptr"), f"getelementptr i64, ptr {shape}, i64 {i}").name
            code.line(f"store i64 {n}, ptr {at}")
        typenum = np.dtype(dtype).num
        of = f"i32 {index}, i32 {typenum}, i32 {len(dims)}, ptr {shape}"
        data = code.put(Type("ptr"), self.returned_call(kind, of, device)).name
        self.not_null(code, data)
        return self.array(dtype, dims, data, device=device)

    def returned_call(self, kind: str, of: str, device: str) -> str:
        """What asks for an array that is returned."""
        return f"call ptr @wb.alloc_{kind}(ptr %ctx, {of})"

    # --- values ---

    def tensor(self, variable: Variable) -> Tensor:
        """Where a variable's value is."""
        known = self.tensors.get(variable)
        if known is not None:
            return known
        if isinstance(variable, Constant):
            if variable not in self._constants:
                self._constants[variable] = self._constant(variable)
            return self._constants[variable]
        raise AssertionError(f"{variable} is read before it is computed")

    def _constant(self, variable: Constant) -> Tensor:
        data = np.ascontiguousarray(variable.data)
        dtype = str(data.dtype)
        dims = tuple(map(str, variable.data.shape))
        try:
            kind = Type(scalar_type(dtype))
        except KeyError:
            raise NoNativeForm("constant", dtype) from None
        if data.size == 1 or (data.size and (data == data.flat[0]).all() and data.flat[0] != 0):
            return register_tensor(dtype, kind.literal(data.flat[0].item()), dims)
        name = f"@constant{len(self.globals)}"
        content = "".join(f"\\{byte:02X}" for byte in data.tobytes())
        self.globals.append(
            f'{name} = private unnamed_addr constant [{data.nbytes} x i8] c"{content}", align 64'
        )
        return self.array(dtype, dims, name)

    def scalar(self, tensor: Tensor) -> Value:
        """The value of a tensor of one element, in a register (bool: i1)."""
        kind = Type(scalar_type(tensor.dtype))
        if tensor.scalar is not None:
            return Value(self.code, kind, tensor.scalar)
        memory = memory_type(tensor.dtype)
        loaded = self.code.put(
            Type(memory), f"load {memory}, ptr {tensor.data}, align {tensor.itemsize}"
        )
        return loaded.ne(0) if tensor.dtype == "bool" else loaded

    def index(self, variable: Variable) -> Name:
        """An integer scalar variable as i64."""
        tensor = self.tensor(variable)
        value = self.scalar(tensor)
        if value.type.scalar == "i64":
            return value.name
        signed = np.dtype(tensor.dtype).kind == "i"
        if (literal := value.name).lstrip("-").isdigit():
            return literal
        return value.convert("sext" if signed else "zext", "i64").name

    def in_memory(self, tensor: Tensor) -> Tensor:
        """The same value as a contiguous array: copied where it is not one."""
        if tensor.data is not None and tensor.contiguous:
            return tensor
        if tensor.scalar is not None and all(n == "1" for n in tensor.dims):
            memory = memory_type(tensor.dtype)
            data = self.alloca(memory)
            self.store_scalar(
                Value(self.code, Type(scalar_type(tensor.dtype)), tensor.scalar), data
            )
            return self.array(tensor.dtype, tensor.dims, data)
        copy = self.scratch(tensor.dtype, tensor.dims, device=tensor.device)
        self.copy(tensor, copy)
        return copy

    def changeable(self, node: Apply) -> Tensor:
        """The first operand's value in memory that the node may change: the operand's own where
        nobody else reads it, not even the node by another operand; else a copy.
        """
        x, *others = (self.tensor(v) for v in node.inputs)
        alone = all(other.buffer != x.buffer for other in others)
        unwanted = node.out not in self.destinations
        if unwanted and alone and x.contiguous and self.dies_here(node.inputs[0], x):
            return self.array(x.dtype, x.dims, x.data or "null", x.buffer, x.device)
        out = self.allocate(node.out, x.dims)
        self.copy(x, out)
        return out

    def dies_here(self, variable: Variable, tensor: Tensor) -> bool:
        """Whether the present node is the last to read the memory of this variable, so that it may
        write over it.
        """
        return self.lives.only_holder(tensor) and variable in self.dying

    def store_scalar(self, value: Value, data: Name) -> None:
        if value.type.scalar == "i1":
            value = value.convert("zext", "i8")
        self.code.line(f"store {value.typed}, ptr {data}")

    def copy(self, source: Tensor, into: Tensor) -> None:
        """Every element of a tensor into memory of the same dimensions."""
        from workbench.core.native.emit_loops import copy_nest

        copy_nest(self, source, into)

    def clear(self, tensor: Tensor) -> None:
        """Every byte of a contiguous array to zero."""
        size = self.bytes_of(tensor.dtype, tensor.dims)
        target = f"ptr {tensor.data}, i8 0, i64 {size}, i1 false"
        self.code.line(f"call void @llvm.memset.p0.i64({target})")

    def bind(self, variable: Variable, tensor: Tensor) -> None:
        """Say where a variable's value is; if it is wanted elsewhere, it is copied there now."""
        wanted = self.destinations.pop(variable, None)
        if wanted is not None:
            assert isinstance(variable.type, TensorType)
            self.copy(tensor, self._destination(wanted, variable.type, tensor.dims))
        self.tensors[variable] = _with_known_lengths(tensor, variable)
        self.lives.hold(tensor)

    # --- kernels ---

    def launch(
        self,
        nest: Nest,
        dims: Sequence[Name],
        operands: Sequence[Moving],
        results: Sequence[Moving],
    ) -> None:
        """Have a device run a nest."""
        raise AssertionError("this program has no device")

    def run_nest(
        self,
        nest: Nest,
        dims: Sequence[Name],
        operands: Sequence[Argument],
        results: Sequence[Argument],
    ) -> None:
        """Call the kernel of a nest; equal nests share one."""
        name = self.kernels.get(nest)
        if name is None:
            name = self.kernels[nest] = f"kernel{len(self.kernels)}"
            self.functions.append(kernel_text(name, nest, self.target))
        self.code.line(kernel_call(name, nest, dims, operands, results))

    @contextmanager
    def counted(self, count: Name) -> Iterator[Name]:
        """A loop `for i in range(count)` in the present region, its body one deeper; yields i."""
        self.has_loops = True
        counter = self.alloca("i64", "i")
        outer = self.code
        outer.line(f"store i64 0, ptr {counter}")
        head, body, done = self.label("head"), self.label("body"), self.label("done")
        with self.inside() as inner:
            i = inner.put(Type("i64"), f"load i64, ptr {counter}").name
            inner.line(f"{(more := self.fresh())} = icmp slt i64 {i}, {count}")
            inner.line(f"br i1 {more}, label %{body}, label %{done}")
            self.start_block(body, inner)
            yield i
            after = inner.put(Type("i64"), f"add nuw nsw i64 {i}, 1").name
            inner.line(f"store i64 {after}, ptr {counter}")
            inner.line(f"br label %{head}")
        outer.line(f"br label %{head}")
        outer.lines.append(f"{head}:")
        outer.lines += inner.lines
        outer.lines.append(f"{done}:")


def native_type(variable: Variable, target: Target) -> TensorType:
    """A variable's type. Raises NoNativeForm where no register holds its elements."""
    t = variable.type
    if not isinstance(t, TensorType):
        raise NoNativeForm(f"{variable} of {t}", "object")
    if not is_native(t.dtype) or (t.dtype == "float16" and not target.half):
        raise NoNativeForm(str(variable), t.dtype)
    return t


def _with_known_lengths(tensor: Tensor, variable: Variable) -> Tensor:
    """A tensor with the lengths that its type knows, for only a literal 1 is seen to spread."""
    shape = variable.type.shape if isinstance(variable.type, TensorType) else ()
    known = zip(tensor.dims, shape, strict=False)
    dims = (*(dim if n is None else str(n) for dim, n in known), *tensor.dims[len(shape) :])
    return tensor if dims == tensor.dims else replace(tensor, dims=dims)
