"""Scan as a loop of the native program.

A sequence is a row pointer that moves. A state that is stacked lives in its stack: step t reads
rows that were written before it. Where only the last rows are kept, as many buffers as the taps
reach back, and one, change places. Scalars are kept in registers. Nothing is allocated inside the
loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

from workbench.core.graph import Apply, Variable
from workbench.core.link import LINKERS
from workbench.core.native.ssa import Type, Value, memory_type
from workbench.core.native.target import NoNativeForm
from workbench.core.native.tensor import Name, Tensor, register_tensor
from workbench.core.native.writer import Destination, Writer
from workbench.core.scan.op import Scan, Taps, depth, span
from workbench.core.types import tensor_type

POLL = 1 << 14
"""Ctrl-C is asked for once in so many steps."""

LONG_LOOP = 64
"""Loops of more steps than this release the GIL."""


def emit_scan(w: Writer, node: Apply) -> None:
    """The loop of a Scan node."""
    op = node.op
    assert isinstance(op, Scan)
    if op.mode is not None and not LINKERS[op.mode.linker].native:
        raise NoNativeForm(f"{op}, whose mode has it interpreted,", "any dtype")
    _Loop(w, node, op).write()


Place = Callable[[Sequence[Name]], Tensor]
"""Gives the memory of a row, told its dimensions."""


@dataclass
class _Rotating:
    """Buffers for the last values of a state: `slots[0]` is the oldest's address, the last one's is
    written next.
    """

    slots: list[Name]
    row: Tensor  # its data is any one's


class _Loop:
    def __init__(self, w: Writer, node: Apply, op: Scan) -> None:
        self.w, self.node, self.op = w, node, op
        n_steps, sequences, initial, carried, non_sequences = op.split(node.inputs)
        self.n = w.index(n_steps)
        self.depth = w.depth  # outside the loop
        self.sequences = [w.tensor(v) for v in sequences]
        self.initial = [w.tensor(v) for v in initial]
        self.node_initial: list[Variable] = initial
        self.carried = [w.tensor(v) for v in carried]
        self.non_sequences = [w.tensor(v) for v in non_sequences]
        self.inner_sequences, self.inner_states, self.inner_carried, self.inner_rest = (
            op.split_inner(op.inner.inputs)
        )
        self.stacks: dict[int, Tensor] = {}
        # stacks of states with their initial rows before them
        self.behind: dict[int, Tensor] = {}
        self.rotating: dict[int, _Rotating] = {}
        # scalar states: one alloca per past step, the oldest first
        self.registers: dict[int, list[Name]] = {}
        # a register, two buffers that change places, or one that is written over
        self.carry: list[Name | _Rotating | Tensor] = []
        # stacks made inside the loop: nobody else may take their memory
        self.held: list[Tensor] = []

    # --- the whole ---

    def write(self) -> None:
        w, op = self.w, self.op
        w.has_loops = True
        self._check_lengths()
        if w.depth == 0:
            self._release_gil()
        for i in range(len(op.states)):
            self._open_state(i)
        for i in range(len(op.states), op.n_stacked):
            self._open_map(i)
        for v, start in zip(self.inner_carried, self.carried, strict=True):
            self._open_carried(v, start)
        executed = w.alloca("i64", "executed")
        outer = w.code
        outer.line(f"store i64 0, ptr {executed}")
        w.loop_begins(self.node, self.n)
        head, body, done = w.label("step"), w.label("body"), w.label("last")
        if not self.n.isdigit() or self.n == "0":
            w.idle.append((self.depth, w.compare("eq", self.n, "0")))
        with w.inside() as inner:
            t = inner.put(Type("i64"), f"load i64, ptr {executed}").name
            inner.line(f"{(more := w.fresh())} = icmp slt i64 {t}, {self.n}")
            inner.line(f"br i1 {more}, label %{body}, label %{done}")
            w.start_block(body, inner)
            w.step_begins()
            self._check_rows()
            self._bind_inputs(t)
            self._place_outputs(t)
            w.write_nodes(op.inner.nodes, op.inner.outputs)
            self._close_step(t, executed, head, done)
        w.idle = [(depth, idle) for depth, idle in w.idle if depth < self.depth]
        outer.line(f"br label %{head}")
        outer.lines.append(f"{head}:")
        outer.lines += inner.lines
        outer.lines.append(f"{done}:")
        w.loop_ends(self._period())
        self._bind_results(executed)
        for tensor in self.held:
            w.lives.drop(tensor, w.depth)

    def _period(self) -> int:
        """After so many steps the same buffers are written again."""
        carried = (ring for ring in self.carry if isinstance(ring, _Rotating))
        turns = [len(ring.slots) for ring in (*self.rotating.values(), *carried)]
        return math.lcm(*turns, *(k for i in self.stacks if (k := self.op.keep[i])))

    def _check_lengths(self) -> None:
        """As the definition has it: no negative number of steps, and rows enough for every tap."""
        w = self.w
        w.require(w.compare("sge", self.n, "0"))
        none = w.compare("eq", self.n, "0")
        for s, taps in zip(self.sequences, self.op.sequences, strict=True):
            needed = w.integer("add", self.n, str(span(taps)))
            if needed != s.dims[0]:
                enough = w.compare("sge", s.dims[0], needed)
                w.require(w.region(none, enough).put(Type("i1"), f"or i1 {none}, {enough}").name)
        for s, state in zip(self.initial, self.op.states, strict=True):
            w.require(w.compare("sge", s.dims[0], str(depth(state))))

    def _check_rows(self) -> None:
        """The values of a state have the shape of its initial value."""
        for i, start in enumerate(self.initial):
            if i in self.stacks:
                for mine, theirs in zip(self.stacks[i].dims[1:], start.dims[1:], strict=True):
                    self.w.same(mine, theirs)

    def _release_gil(self) -> None:
        w = self.w
        long, go_on = w.label("long"), w.label("loop")
        w.code.line(
            f"br i1 {w.compare('sgt', self.n, str(LONG_LOOP))}, label %{long}, label %{go_on}"
        )
        w.start_block(long)
        w.code.line("call void @wb.release(ptr %ctx)")
        w.code.line(f"br label %{go_on}")
        w.start_block(go_on)

    # --- before the loop ---

    def _open_state(self, i: int) -> None:
        """Memory for state i: its stack, or what its taps (and the rows kept) reach back to."""
        w, taps = self.w, self.op.states[i]
        start = self.initial[i]
        skip = w.integer("sub", start.dims[0], str(depth(taps)))
        first = (
            w.offset(start.data, w.integer("mul", skip, start.strides[0])) if start.data else None
        )
        rows = start.view(
            first, (str(depth(taps)), *start.dims[1:]), start.strides, contiguous=start.contiguous
        )
        if _is_scalar(self.op.inner.outputs[i]):
            self._open_scalars(i, rows, taps)
        keep = self.op.keep[i]
        if keep is None:
            stack = self._stack_behind(i, rows)
            if stack is not None:
                self.stacks[i] = stack
                return
            self.stacks[i] = self._stack(self.node.outputs[i], rows.dims[1:])
            if i not in self.registers:
                self.initial[i] = w.in_memory(rows)
        elif i not in self.registers:
            device = tensor_type(self.node.outputs[i]).device
            self.rotating[i] = self._rotate(rows, max(depth(taps), keep), device)

    def _stack_behind(self, i: int, rows: Tensor) -> Tensor | None:
        """Memory for the rows of state i, its initial rows before them: every step finds its past
        at one distance. None where the rows are to be written elsewhere.
        """
        w, out = self.w, self.node.outputs[i]
        static = tensor_type(out).shape[1:]
        known = all(n is None or str(n) == d for n, d in zip(static, rows.dims[1:], strict=True))
        if out in w.destinations or not known:
            return None
        reach, row = rows.dims[0], rows.dims[1:]
        dims = (w.integer("add", self.n, reach), *row)
        block = w.scratch(rows.dtype, dims, self.depth, tensor_type(out).device)
        w.copy(rows, block.view(block.data, rows.dims, block.strides, contiguous=True))
        self.behind[i] = block
        return _row_onwards(w, block, reach, self.n)

    def _stack(self, out: Variable, row: Sequence[Name]) -> Tensor:
        """Memory for one row per step; where `until` may stop early, the caller's array is made
        afterwards.
        """
        if not self.op.until:
            return self.w.allocate(out, (self.n, *row), self.depth)
        t = tensor_type(out)
        return self.w.scratch(t.dtype, (self.n, *row), self.depth, t.device)

    def _open_scalars(self, i: int, rows: Tensor, taps: Taps) -> None:
        """Registers for the past of a scalar state."""
        w = self.w
        kept = max(depth(taps), self.op.keep[i] or 0)
        memory = memory_type(rows.dtype)
        cells = [w.alloca(memory, "past") for _ in range(kept)]
        for k, cell in enumerate(cells[len(cells) - depth(taps) :]):
            at = (
                w.offset(rows.data, w.integer("mul", str(k), rows.strides[0]))
                if rows.data
                else None
            )
            w.store_scalar(w.scalar(rows.view(at, (), ())), cell)
        for cell in cells[: len(cells) - depth(taps)]:
            w.code.line(f"store {memory} zeroinitializer, ptr {cell}")
        self.registers[i] = cells

    def _rotate(self, rows: Tensor, reach: int, device: str) -> _Rotating:
        """`reach` + 1 buffers in a row, the initial values in the youngest of them but the last."""
        w = self.w
        n = int(rows.dims[0])
        block = w.scratch(rows.dtype, (str(reach + 1), *rows.dims[1:]), device=device)
        filled = w.offset(block.data or "null", w.integer("mul", str(reach - n), block.strides[0]))
        w.copy(rows, block.view(filled, rows.dims, block.strides, contiguous=True))
        slots: list[Name] = []
        for k in range(reach + 1):
            slot = w.alloca("ptr", "turn")
            at = w.offset(block.data or "null", w.integer("mul", str(k), block.strides[0]))
            w.code.line(f"store ptr {at}, ptr {slot}")
            slots.append(slot)
        return _Rotating(
            slots, w.array(rows.dtype, rows.dims[1:], block.data or "null", block.buffer, device)
        )

    def _open_map(self, i: int) -> None:
        """Memory for a map of scalars; others get theirs when the body tells their dimensions."""
        v, keep = self.op.inner.outputs[i], self.op.keep[i]
        if not _is_scalar(v):
            return
        if keep is None:
            self.stacks[i] = self._stack(self.node.outputs[i], ())
            return
        memory = memory_type(tensor_type(v).dtype)
        self.registers[i] = [self.w.alloca(memory, "kept") for _ in range(keep)]
        for cell in self.registers[i]:
            self.w.code.line(f"store {memory} zeroinitializer, ptr {cell}")

    def _stack_of_rows(self, i: int, t: Name, row: Sequence[Name]) -> Tensor:
        """Row t of map i, whose stack is made before the loop now that its rows' dimensions are
        known.

        A map of which the last `keep` rows are kept writes over the row of `keep` steps ago.
        """
        w, keep = self.w, self.op.keep[i]
        if w.depth_of(*row) >= w.depth:
            raise NoNativeForm(
                "a map whose shape changes from step to step",
                tensor_type(self.node.outputs[i]).dtype,
            )
        if keep is None:
            stack = self._stack(self.node.outputs[i], row)
            at = t
        else:
            of = tensor_type(self.node.outputs[i])
            stack = w.scratch(of.dtype, (str(keep), *row), self.depth, of.device)
            at = "0" if keep == 1 else w.integer("urem", t, str(keep))
        self.stacks[i] = stack
        w.lives.hold(stack)
        self.held.append(stack)
        return replace(_row(w, stack, at), buffer=None)

    def _open_carried(self, inner: Variable, start: Tensor) -> None:
        w, device = self.w, inner.type.device
        if _is_scalar(inner):
            cell = w.alloca(memory_type(start.dtype), "carry")
            w.store_scalar(w.scalar(start), cell)
            self.carry.append(cell)
        else:
            if self._is_written_over(inner):
                buffer = w.scratch(start.dtype, start.dims, device=device)
                w.copy(start, buffer)
                self.carry.append(buffer)
                return
            rows = start.view(
                start.data, ("1", *start.dims), ("0", *start.strides), contiguous=start.contiguous
            )
            self.carry.append(self._rotate(rows, 1, device))

    def _is_written_over(self, inner: Variable) -> bool:
        """Whether only one node of the body reads this carried value, and writes the next over
        it.
        """
        op = self.op
        after = op.inner.outputs[op.n_stacked + self.inner_carried.index(inner)]
        node = after.owner
        return (
            node is not None
            and getattr(node.op, "overwrites", False)
            and node.inputs[0] is inner
            and node.outputs[0] is after
            and sum(v is inner for node in op.inner.nodes for v in node.inputs) == 1
            and op.inner.outputs.count(after) == 1
            and inner not in op.inner.outputs
        )

    # --- one step ---

    def _bind_inputs(self, t: Name) -> None:
        w, op = self.w, self.op
        for s, taps, variables in zip(
            self.sequences, op.sequences, self.inner_sequences, strict=True
        ):
            for k, v in zip(taps, variables, strict=True):
                self._bind(v, _row(w, s, w.integer("add", t, str(k - min(*taps, 0)))))
        for i, (taps, variables) in enumerate(zip(op.states, self.inner_states, strict=True)):
            for k, v in zip(taps, variables, strict=True):
                self._bind(v, self._recall(i, taps, k, t))
        for place, v, start in zip(self.carry, self.inner_carried, self.carried, strict=True):
            if isinstance(place, _Rotating):
                self._bind(v, self._turned(place, 0))
            elif isinstance(place, Tensor):
                self._bind(v, place)
            else:
                self._bind(v, Tensor(start.dtype, (), (), place))
        for tensor, v in zip(self.non_sequences, self.inner_rest, strict=True):
            w.tensors[v] = replace(tensor, buffer=None)

    def _bind(self, variable: Variable, tensor: Tensor) -> None:
        """Scalars are read into registers here, before anything is written."""
        w = self.w
        if tensor.ndim == 0 and tensor.scalar is None and tensor.device == "cpu":
            tensor = register_tensor(tensor.dtype, w.scalar(tensor).name)
        w.tensors[variable] = replace(tensor, buffer=None)

    def _recall(self, i: int, taps: Taps, k: int, t: Name) -> Tensor:
        """State i as it was k < 0 steps ago."""
        w = self.w
        if i in self.registers:
            cells = self.registers[i]
            return Tensor(self.initial[i].dtype, (), (), cells[k])
        if i in self.rotating:
            return self._turned(self.rotating[i], len(self.rotating[i].slots) - 1 + k)
        stack, rows = self.stacks[i], self.initial[i]
        if i in self.behind:
            return _row(w, self.behind[i], w.integer("add", t, str(k + depth(taps))))
        step = w.integer("add", t, str(k))
        young = w.offset(stack.data or "null", w.integer("mul", step, stack.strides[0]))
        old = w.offset(
            rows.data or "null",
            w.integer("mul", w.integer("add", step, str(depth(taps))), rows.strides[0]),
        )
        stepped = w.compare("sge", step, "0")
        data = w.code.put(Type("ptr"), f"select i1 {stepped}, ptr {young}, ptr {old}").name
        return w.array(stack.dtype, stack.dims[1:], data, device=stack.device)

    def _turned(self, ring: _Rotating, k: int) -> Tensor:
        data = self.w.code.put(Type("ptr"), f"load ptr, ptr {ring.slots[k]}").name
        return ring.row.view(data, ring.row.dims, ring.row.strides, contiguous=True)

    def _place_outputs(self, t: Name) -> None:
        """Where the body writes what is kept: rows of stacks, or the buffer whose turn it is."""
        w, op = self.w, self.op
        self.pending: list[tuple[Variable, Tensor | Place]] = []
        for i, v in enumerate(op.inner.outputs[: op.n_stacked]):
            if i in self.stacks:
                self._want(v, _row(w, self.stacks[i], t))
            elif i in self.rotating:
                self._want(v, self._turned(self.rotating[i], -1))
            elif i not in self.registers:
                self._want(v, partial(self._stack_of_rows, i, t))
        first = op.n_stacked
        for place, v in zip(
            self.carry, op.inner.outputs[first : first + op.n_carried], strict=True
        ):
            if isinstance(place, _Rotating):
                self._want(v, self._turned(place, -1))
            elif isinstance(place, Tensor):
                self._want(v, place)

    def _want(self, variable: Variable, row: Tensor | Place) -> None:
        """Have the variable written there as it is computed where a node of the body makes it, else
        copied afterwards.
        """
        w = self.w
        row = replace(row, buffer=None) if isinstance(row, Tensor) else row
        made_here = variable.owner is not None and variable not in self.op.inner.inputs
        if made_here and variable not in w.destinations and not _is_scalar(variable):
            w.destinations[variable] = Destination("row", place=row)
        else:
            self.pending.append((variable, row))

    def _heed_signals(self, t: Name) -> None:
        """Every POLL steps, ask whether the user has interrupted."""
        w = self.w
        ask, go_on = w.label("ask"), w.label("go")
        count = w.code.put(Type("i64"), f"and i64 {t}, {POLL - 1}").name
        due = w.code.put(Type("i1"), f"icmp eq i64 {count}, {POLL - 1}").name
        w.code.line(f"br i1 {due}, label %{ask}, label %{go_on}")
        w.start_block(ask)
        stop = w.code.put(Type("i1"), "call i1 @wb.interrupted(ptr %ctx)").name
        w.code.line(f"br i1 {stop}, label %interrupted, label %{go_on}")
        w.start_block(go_on)

    def _close_step(self, t: Name, executed: Name, head: str, done: str) -> None:
        w, op = self.w, self.op
        self._heed_signals(t)
        for v, row in self.pending:
            value = w.tensor(v)
            place = row if isinstance(row, Tensor) else row(value.dims)
            for mine, theirs in zip(value.dims, place.dims, strict=True):
                w.same(mine, theirs)
            w.copy(value, place)
        self._shift_scalars()
        for ring in (*self.rotating.values(), *(p for p in self.carry if isinstance(p, _Rotating))):
            self._turn(ring)
        after = w.code.put(Type("i64"), f"add nuw nsw i64 {t}, 1").name
        w.code.line(f"store i64 {after}, ptr {executed}")
        if op.until:
            stop = w.scalar(w.tensor(op.inner.outputs[-1]))
            if stop.type.scalar != "i1":
                stop = stop.ne(0)
            w.code.line(f"br i1 {stop.name}, label %{done}, label %{head}")
        else:
            w.code.line(f"br label %{head}")
        for v in dict.fromkeys(op.inner.outputs):
            if v.owner is not None and v not in op.inner.inputs:
                w.lives.drop(w.tensor(v), w.depth)

    def _shift_scalars(self) -> None:
        """All new values are read before any register is written: one state may be another's new
        value.
        """
        w, op = self.w, self.op
        states = [
            (self.registers[i], w.scalar(w.tensor(op.inner.outputs[i]))) for i in self.registers
        ]
        first = op.n_stacked
        new = op.inner.outputs[first : first + op.n_carried]
        carried = [
            (place, w.scalar(w.tensor(v)))
            for place, v in zip(self.carry, new, strict=True)
            if isinstance(place, Name)
        ]
        for cells, value in states:
            memory = memory_type_of(value)
            for older, younger in pairwise(cells):
                moved = w.code.put(Type(memory), f"load {memory}, ptr {younger}")
                w.code.line(f"store {moved.typed}, ptr {older}")
            w.store_scalar(value, cells[-1])
        for place, value in carried:
            w.store_scalar(value, place)

    def _turn(self, ring: _Rotating) -> None:
        """The oldest buffer is written next."""
        code = self.w.code
        pointers = [code.put(Type("ptr"), f"load ptr, ptr {slot}").name for slot in ring.slots]
        for slot, data in zip(ring.slots, [*pointers[1:], pointers[0]], strict=True):
            code.line(f"store ptr {data}, ptr {slot}")

    # --- after the loop ---

    def _bind_results(self, executed: Name) -> None:
        w, op = self.w, self.op
        n = self.n
        if op.until:
            n = w.code.put(Type("i64"), f"load i64, ptr {executed}").name
        for i, out in enumerate(self.node.outputs[: op.n_stacked]):
            w.bind(out, self._stacked(i, n))
            if i not in self.behind:
                continue
            initial = self.node_initial[i]
            if tensor_type(initial).shape[0] == depth(op.states[i]):
                w.pasts[out] = (initial, self._with_past(i, n))
        for place, out in zip(self.carry, self.node.outputs[op.n_stacked :], strict=True):
            if isinstance(place, _Rotating):
                w.bind(out, self._turned(place, 0))
            elif isinstance(place, Tensor):
                w.bind(out, place)
            else:
                tensor = Tensor(tensor_type(out).dtype, (), (), place)
                w.bind(out, register_tensor(tensor.dtype, w.scalar(tensor).name))

    def _with_past(self, i: int, n: Name) -> Tensor:
        """The initial rows of state i and those of `n` executed steps."""
        block = self.behind[i]
        rows = self.w.integer("add", n, str(depth(self.op.states[i])))
        dims = (rows, *block.dims[1:])
        return block.view(block.data, dims, block.strides, contiguous=True)

    def _stacked(self, i: int, n: Name) -> Tensor:
        """The rows of output i, of which `n` steps were executed."""
        w, keep = self.w, self.op.keep[i]
        if keep is None:
            stack = self.stacks[i]
            return stack.view(stack.data, (n, *stack.dims[1:]), stack.strides, contiguous=True)
        rows = w.call_i64("smin", n, str(keep))
        if i in self.registers:
            return self._kept_scalars(i, keep, rows)
        if i in self.stacks:
            return self._unwound(self.stacks[i], keep, rows, n)
        ring = self.rotating[i]
        block = w.scratch(ring.row.dtype, (str(keep), *ring.row.dims), device=ring.row.device)
        for k in range(keep):
            source = self._turned(ring, len(ring.slots) - 1 - keep + k)
            w.copy(source, _row(w, block, str(k)))
        first = w.offset(
            block.data or "null",
            w.integer("mul", w.integer("sub", str(keep), rows), block.strides[0]),
        )
        return block.view(first, (rows, *block.dims[1:]), block.strides, contiguous=True)

    def _unwound(self, stack: Tensor, keep: int, rows: Name, n: Name) -> Tensor:
        """The rows that a map kept, the oldest first: row k is that of step n - rows + k."""
        w = self.w
        if keep == 1:
            return stack.view(stack.data, (rows, *stack.dims[1:]), stack.strides, contiguous=True)
        block = w.scratch(stack.dtype, stack.dims, device=stack.device)
        first = w.integer("sub", n, rows)
        for k in range(keep):
            at = w.integer("urem", w.integer("add", first, str(k)), str(keep))
            w.copy(_row(w, stack, at), _row(w, block, str(k)))
        return block.view(block.data, (rows, *block.dims[1:]), block.strides, contiguous=True)

    def _kept_scalars(self, i: int, keep: int, rows: Name) -> Tensor:
        w = self.w
        cells = self.registers[i][-keep:]
        dtype = tensor_type(self.node.outputs[i]).dtype
        block = w.scratch(dtype, (str(keep),))
        for k, cell in enumerate(cells):
            value = w.scalar(Tensor(dtype, (), (), cell))
            w.store_scalar(value, w.offset(block.data or "null", str(k * block.itemsize)))
        skip = w.integer("sub", str(keep), rows)
        first = w.offset(block.data or "null", w.integer("mul", skip, str(block.itemsize)))
        return block.view(first, (rows,), block.strides, contiguous=True)


def _row_onwards(w: Writer, tensor: Tensor, first: Name, count: Name) -> Tensor:
    """`count` rows along the first axis."""
    data = w.offset(tensor.data or "null", w.integer("mul", first, tensor.strides[0]))
    return tensor.view(data, (count, *tensor.dims[1:]), tensor.strides, contiguous=True)


def _row(w: Writer, tensor: Tensor, t: Name) -> Tensor:
    """Row t along the first axis."""
    if tensor.scalar is not None:
        return register_tensor(tensor.dtype, tensor.scalar, tensor.dims[1:])
    data = w.offset(tensor.data or "null", w.integer("mul", t, tensor.strides[0]))
    return tensor.view(data, tensor.dims[1:], tensor.strides[1:], contiguous=tensor.contiguous)


def _is_scalar(variable: Variable) -> bool:
    """Whether a value is kept in a register: those of a device stay in its memory."""
    return tensor_type(variable).ndim == 0 and variable.type.device == "cpu"


def memory_type_of(value: Value) -> str:
    """The type in memory of a value in a register."""
    return "i8" if value.type.scalar == "i1" else value.type.scalar
