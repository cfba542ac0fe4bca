"""The writer of a program with devices: where a tensor lies on one, its memory is asked of the
device, its loop nests are launched, and copies go over the bus.

All else is as for the processor: lengths, checks, views and loops are the host's, and what they
come to are words that kernels are given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.core.array import Array
from workbench.core.devices import find
from workbench.core.graph import Apply, Constant
from workbench.core.native.abi import CONTEXT, SLOT, field
from workbench.core.native.emit_loops import Fitted, Sink, copy_nest, run_loops
from workbench.core.native.ssa import Type, Value
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Moving, Writer
from workbench.core.nest import Nest, Operand, Result, Stride
from workbench.core.scalar import ScalarBuilder
from workbench.frozen import frozen
from workbench.gpu.abi import (
    ANSWER,
    COMPILE,
    DEVICE_FAILED,
    FLAGGED,
    GROW,
    OUTPUT,
    STATE,
    TABLE,
    UPDATE,
)
from workbench.gpu.device import Device
from workbench.gpu.dialect import GROUP_SIZE, Kernel
from workbench.gpu.nest_kernel import WIDEST_SPACE, NestKernel
from workbench.gpu.shares import COLUMN_LANES, over, shares

TOTALS_AT_ONCE = 4
"""Totals whose chunks one launch combines: a kernel takes so many arrays of any rank."""


@frozen
class Pair:
    """A kernel for spaces of so many points at most, as a rule what 32 bits can count, and one for
    larger ones, which is compiled when it is first needed.
    """

    narrow: Kernel
    wide: Kernel
    most: int = WIDEST_SPACE


@frozen
class Parts:
    """What the devices of a program need.

    devices    their names, in the order of the tables
    kernels    for each device
    constants  for each device
    marks      the nodes, by the number that errors and times name, each with the outermost node
               that holds it
    n_slots    how many slots of the arena there are
    """

    devices: tuple[str, ...]
    kernels: tuple[tuple[Pair, ...], ...]
    constants: tuple[tuple[Array, ...], ...]
    marks: tuple[tuple[Apply, Apply | None], ...]
    n_slots: int


class DeviceWriter(Writer):
    """See the module."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.devices: list[str] = []
        self._kernels: dict[str, dict[Pair, int]] = {}
        self._constants_of: dict[str, list[Constant]] = {}
        self._fields: dict[tuple[str, str], Name] = {}
        self._marks: dict[tuple[Apply, Apply | None], int] = {}
        self.checks: list[str] = []  # devices with kernels that may report
        self._answers = False  # whether it stores updates or gives the host something
        self.functions.append(_HELPERS)

    @property
    def is_exclusive(self) -> bool:
        return True

    def parts(self) -> Parts:
        return Parts(
            tuple(self.devices),
            tuple(tuple(self._kernels.get(d, ())) for d in self.devices),
            tuple(tuple(v.data for v in self._constants_of.get(d, ())) for d in self.devices),
            tuple(self._marks),
            self.n_slots,
        )

    def ending(self) -> Sequence[str]:
        """Leave with DEVICE_FAILED where a device has reported an error."""
        count = max(len(self.devices), 1)
        self.globals.append(f"@wb.devices = global [{count} x ptr] zeroinitializer")
        lines = list(self._look())
        for k, device in enumerate(self.devices):
            state = self.table(device, "state")
            lines += [
                f"  {field(STATE, state, 'error', f'%error{k}.at')}",
                f"  %error{k} = load i64, ptr %error{k}.at",
                f"  %fine{k} = icmp eq i64 %error{k}, 0",
                f"  br i1 %fine{k}, label %fine.{k}, label %device.failed",
                f"fine.{k}:",
            ]
        self.failures.append(f"device.failed:\n  ret i32 {DEVICE_FAILED}")
        return lines

    def _look(self) -> Sequence[str]:
        """Leave with FLAGGED where a kernel has reported an error, before anything is stored or
        shown. A program that only gives handles does not wait: who reads them looks.
        """
        if not self.checks or not self._answers:
            return ()
        start = len(self.code.lines)
        for device in self.checks:
            flag = self.alloca("i64", "flag")
            words = f"ptr {flag}, i64 {self._flags(device)}, i64 8"
            state, pointer = self.table(device, "state"), self.table(device, "download")
            self.code.line(f"call void {pointer}(ptr {state}, {words}, i64 -1)")
            value = self.code.put(Type("i64"), f"load i64, ptr {flag}").name
            fine, go_on = self.compare("eq", value, "0"), self.label("fine")
            self.code.line(f"br i1 {fine}, label %{go_on}, label %flagged")
            self.start_block(go_on)
        self.failures.append(f"flagged:\n  ret i32 {FLAGGED}")
        lines, self.code.lines[start:] = self.code.lines[start:], []
        return lines

    def _flags(self, device: str) -> Name:
        flags = self.table(device, "flags")
        return self.code.put(Type("i64"), f"ptrtoint ptr {flags} to i64").name

    def report(self, device: str) -> tuple[Name, Name]:
        """Two words for a kernel that may report an error: a buffer, and what to put there."""
        if device not in self.checks:
            self.checks.append(device)
        state, code = self.table(device, "state"), self.code
        at = code.put(Type("ptr"), f"getelementptr i8, ptr {state}, i64 {STATE.offset('watched')}")
        code.line(f"store i64 1, ptr {at.name}")
        program = self.table(device, "program")
        number = code.put(Type("i64"), f"ptrtoint ptr {program} to i64").name
        return self._flags(device), code.put(Type("i64"), f"or i64 {number}, {self.mark}").name

    # --- tables ---

    def number(self, device: str) -> int:
        """The number of a device among the program's own."""
        if device not in self.devices:
            k = len(self.devices)
            self.devices.append(device)
            self.allocas += [
                f"  %device{k}.at = getelementptr ptr, ptr @wb.devices, i64 {k}",
                f"  %device{k} = load ptr, ptr %device{k}.at",
            ]
            enter, state = self.table(device, "enter"), self.table(device, "state")
            self.allocas.append(f"  call void {enter}(ptr {state})")
        return self.devices.index(device)

    def table(self, device: str, name: str) -> Name:
        """A field of a device's table, read when the program begins."""
        k = self.number(device)
        if (device, name) not in self._fields:
            into = f"%device{k}.{name}"
            self.allocas += [
                f"  {field(TABLE, f'%device{k}', name, into + '.at')}",
                f"  {into} = load ptr, ptr {into}.at",
            ]
            self._fields[device, name] = into
        return self._fields[device, name]

    def device(self, name: str) -> Device:
        """The device itself."""
        found = find(name)
        assert isinstance(found, Device)
        return found

    @property
    def mark(self) -> int:
        """The number of the node that is written now; -1 for what is done for none."""
        if self.node is None:
            return -1
        return self._marks.setdefault((self.node, self.holder), len(self._marks))

    # --- memory ---

    def slot_call(self, slot: int, size: Name) -> str:
        device = self.lives.devices[slot]
        if device == "cpu":
            return super().slot_call(slot, size)
        table = f"%device{self.number(device)}"
        return f"call ptr @wb.device_slot(ptr %ctx, ptr {table}, i64 {slot}, i64 {size})"

    def returned_call(self, kind: str, of: str, device: str) -> str:
        self._answers = self._answers or device == "cpu" or kind == "update"
        if device == "cpu":
            return super().returned_call(kind, of, device)
        index, typenum, rank, shape = (part.split()[1] for part in of.split(", "))
        what = OUTPUT if kind == "output" else UPDATE
        table = f"%device{self.number(device)}"
        words = f"i64 {what}, i64 {index}, i64 {typenum}, i64 {rank}"
        return f"call ptr @wb.device_ask(ptr %ctx, ptr {table}, {words}, ptr {shape})"

    def constant_on(self, variable: Constant, device: str) -> Tensor:
        """A constant that lies on a device since the program was linked."""
        known = self._constants_of.setdefault(device, [])
        if variable not in known:
            known.append(variable)
        code = self.codes[0]
        constants = self.table(device, "constants")
        k = known.index(variable)
        at = code.put(Type("ptr"), f"getelementptr ptr, ptr {constants}, i64 {k}").name
        data = code.put(Type("ptr"), f"load ptr, ptr {at}").name
        dims = [str(n) for n in variable.data.shape]
        return self.array(str(variable.data.dtype), dims, data, device=device)

    def on(self, tensor: Tensor, device: str) -> Tensor:
        """The tensor in one piece of a device's memory; copied where it is not."""
        if tensor.device == device and tensor.data is not None and tensor.contiguous:
            return tensor
        made = self.scratch(tensor.dtype, tensor.dims, device=device)
        self.copy(tensor, made)
        return made

    def placed(self, tensor: Tensor, device: str, dtype: str | None = None) -> Tensor:
        """The tensor with an address in a device's memory, whatever its strides; copied where it
        has none, or where another dtype is wanted.
        """
        wanted = dtype or tensor.dtype
        if tensor.dtype == wanted and tensor.device == device and tensor.data is not None:
            return tensor
        made = self.scratch(wanted, tensor.dims, device=device)
        self.copy(tensor, made)
        return made

    # --- copies ---

    def copy(self, source: Tensor, into: Tensor) -> None:
        if into.device == source.device == "cpu":
            copy_nest(self, source, into)
        elif into.device == "cpu":
            self._download(source, into)
        elif source.device == into.device or source.scalar is not None:
            self._copy_within(source, into)
        elif source.device == "cpu":
            self._upload(source, into)
        else:
            between = self.scratch(source.dtype, source.dims)
            self._download(source, between)
            self._upload(between, into)

    def _copy_within(self, source: Tensor, into: Tensor) -> None:
        alike = source.dtype == into.dtype and source.dims == into.dims
        if alike and source.data is not None and source.contiguous and into.contiguous:
            size = self.bytes_of(into.dtype, into.dims)
            words = f"{self._word(into)}, {self._word(source)}, i64 {size}"
            self.call(into.device, "copy", words)
            return
        builder = ScalarBuilder((source.dtype,))
        program = builder.program(builder.cast(0, into.dtype))
        run_loops(self, program, into.dims, [source], [Sink(into, 0)], ())

    def _upload(self, source: Tensor, into: Tensor) -> None:
        whole = self.in_memory(source)
        place = into if into.contiguous else self.scratch(into.dtype, into.dims, device=into.device)
        if whole.dtype != into.dtype:
            place = self.scratch(whole.dtype, into.dims, device=into.device)
        size = self.bytes_of(whole.dtype, whole.dims)
        self.call(into.device, "upload", f"{self._word(place)}, ptr {whole.data}, i64 {size}")
        if place is not into:
            self._copy_within(place, into)

    def _download(self, source: Tensor, into: Tensor) -> None:
        """The host waits for it; other threads of Python need not."""
        whole = self.on(source, source.device)
        place = into if into.contiguous else self.scratch(whole.dtype, into.dims)
        if whole.dtype != into.dtype:
            place = self.scratch(whole.dtype, into.dims)
        size = self.bytes_of(whole.dtype, whole.dims)
        self.code.line("call void @wb.release(ptr %ctx)")
        words = f"ptr {place.data}, {self._word(whole)}, i64 {size}"
        self.call(source.device, "download", words)
        if place is not into:
            copy_nest(self, place, into)

    def clear(self, tensor: Tensor) -> None:
        if tensor.device == "cpu":
            super().clear(tensor)
            return
        size = self.bytes_of(tensor.dtype, tensor.dims)
        self.call(tensor.device, "fill", f"{self._word(tensor)}, i64 {size}")

    def call(self, device: str, function: str, words: str) -> None:
        """Call a function of a device's table."""
        state = self.table(device, "state")
        pointer = self.table(device, function)
        self.code.line(f"call void {pointer}(ptr {state}, {words}, i64 {self.mark})")

    def _word(self, tensor: Tensor) -> str:
        return f"i64 {self.address(tensor)}"

    def address(self, tensor: Tensor) -> Name:
        """A tensor's address as a number."""
        if tensor.data in (None, "null"):
            return "0"
        return self.code.put(Type("i64"), f"ptrtoint ptr {tensor.data} to i64").name

    def bits(self, value: Value) -> Name:
        """A scalar in the bits of a word, as kernels read it."""
        if value.type.is_float:
            value = value.bits
        if value.type.bits == 64:
            return value.name
        return value.convert("zext" if value.type.bits == 1 else "sext", "i64").name

    # --- launches ---

    def groups(self, device: str, points: Name, each: Name = str(GROUP_SIZE)) -> Name:
        """Work groups whose threads take points in turn, `each` points a group at a time."""
        return self.call_i64("smin", over(self, points, each), str(self.device(device).able.groups))

    def enqueue(
        self, device: str, pair: Pair, groups: Name, words: Sequence[Name], points: Name = "0"
    ) -> None:
        """Queue a kernel: the wide one where there are too many points for the narrow one."""
        known = self._kernels.setdefault(device, {})
        number = 2 * known.setdefault(pair, len(known))
        code, table = self.code, f"%device{self.number(device)}"
        index: Name = str(number)
        if pair.wide.name != pair.narrow.name and not _is_small(points, pair.most):
            many = self.compare("sgt", points, str(pair.most))
            index = self.select(many, str(number + 1), index)
        block = self.alloca(f"[{len(words)} x i64]", "words")
        for i, word in enumerate(words):
            at = code.put(Type("ptr"), f"getelementptr i64, ptr {block}, i64 {i}").name
            code.line(f"store i64 {word}, ptr {at}")
        kernels = self.table(device, "kernels")
        found = f"call ptr @wb.device_kernel(ptr %ctx, ptr {table}, ptr {kernels}, i64 {index})"
        kernel = code.put(Type("ptr"), found).name
        self.not_null(code, kernel)
        counts = f"i64 {len(words)}, i64 {pair.narrow.buffers}"
        self.call(device, "launch", f"ptr {kernel}, i64 {groups}, ptr {block}, {counts}")

    def queue(self, device: str, kernel: Kernel, groups: Name, words: Sequence[Name]) -> None:
        """Queue a kernel that counts in 64 bits, or never far."""
        self.enqueue(device, Pair(kernel, kernel), groups, words)

    def launch(
        self,
        nest: Nest,
        dims: Sequence[Name],
        operands: Sequence[Moving],
        results: Sequence[Moving],
    ) -> None:
        """A nest as a kernel; where its reduction is cut into chunks, as two."""
        from workbench.gpu.transpose import transpose, turned_axes

        fit = Fitted(nest, dims, operands, results)
        if (axes := turned_axes(fit)) is not None:
            transpose(self, fit, *axes)
        else:
            self.launch_as(NestKernel, fit)

    def launch_as(self, kind: type[NestKernel], fit: Fitted, **counts: Name) -> None:
        """A nest as a kernel of some kind; `counts` are words that only such kernels have."""
        nest, operands = fit.nest, fit.operands
        device = fit.results[0][0].device
        pointed = frozenset(
            k
            for k, (t, _) in enumerate(operands)
            if nest.operands[k].by_value and t.device != "cpu"
        )
        able = self.device(device).able
        kernel = kind(nest, pointed, False, able.pack)
        wide = kind(nest, pointed, True, able.pack)
        pair = Pair(kernel.kernel(able), (wide if _divides(nest) else kernel).kernel(able))
        launch = _Launch(self, device, kernel, fit.dims, [*operands, *fit.results])
        launch.counts.update(counts)
        launch.write(pair)


class _Launch:
    """One launch of a nest: the words that its kernel is given."""

    def __init__(
        self, w: DeviceWriter, device: str, kernel: NestKernel, dims: Sequence[Name],
        items: Sequence[Moving],
    ) -> None:  # fmt: skip
        self.w, self.device, self.kernel, self.dims, self.items = w, device, kernel, dims, items
        self.nest = kernel.nest
        self.partial: dict[int, Tensor] = {}
        self.counts: dict[str, Name] = {}

    def write(self, pair: Pair) -> None:
        groups = self._spread_out() if self.kernel.reduces else self._in_turn()
        words = [self._word(*word) for word in self.kernel.words]
        points = self.w.multiply(*self.dims)
        self.w.enqueue(self.device, pair, groups, words, points)
        totals = list(self.partial)
        for i in range(0, len(totals), TOTALS_AT_ONCE):
            self._combine(totals[i : i + TOTALS_AT_ONCE])

    def _word(self, kind: str, k: int, axis: int) -> Name:
        w = self.w
        if kind == "buffer":
            return w.address(self.items[k][0])
        if kind == "partial":
            return w.address(self.partial[k]) if k in self.partial else "0"
        if kind == "dim":
            return self.dims[k]
        if kind == "stride":
            return self.items[k][1][axis]
        if kind == "scalar":
            tensor = self.items[k][0]
            assert tensor.device == "cpu", "an operand that moves lies elsewhere"
            return w.bits(w.scalar(tensor))
        return self.counts[kind]

    # --- elementwise ---

    def _in_turn(self) -> Name:
        """Groups of threads that take points in turn."""
        w, points = self.w, self.w.multiply(*self.dims)
        self.counts["points"] = points
        per_group = str(GROUP_SIZE)
        if self.kernel.pack > 1:
            aligned = self._aligned()
            whole = w.integer("sdiv", points, str(self.kernel.pack))
            self.counts["packs"] = w.select(aligned, whole, "0")
            per_group = w.select(aligned, str(GROUP_SIZE * self.kernel.pack), per_group)
        return w.groups(self.device, points, per_group)

    def _aligned(self) -> Name:
        """Whether every address is that of a whole pack."""
        w, code = self.w, self.w.code
        bits: Name = "0"
        for k, item in enumerate(self.kernel.items):
            if self.kernel.moves(k):
                size = min(16, np.dtype(item.dtype).itemsize * self.kernel.pack)
                address = w.address(self.items[k][0])
                low = code.put(Type("i64"), f"and i64 {address}, {size - 1}").name
                bits = code.put(Type("i64"), f"or i64 {bits}, {low}").name
        return code.put(Type("i1"), f"icmp eq i64 {bits}, 0").name

    # --- reductions ---

    def _spread_out(self) -> Name:
        """Lanes for each kept point, and chunks of the reduced ones where points are few."""
        w, able, counts = self.w, self.w.device(self.device).able, self.counts
        kept = w.multiply(*(self.dims[a] for a in self.nest.kept))
        reduced = w.multiply(*(self.dims[a] for a in self.nest.reduced))
        beside = kept if self.kernel.by_column else "1"
        cut = shares(w, kept, reduced, beside, able.groups)
        counts.update(kept=kept, reduced=reduced)
        counts.update(lanes=cut.lanes, chunks=cut.chunks, chunk=cut.chunk)
        self._chunks = cut.chunks
        if cut.chunks != "1":
            self._make_room(cut.chunks, kept)
        return w.integer("mul", cut.blocks, cut.chunks)

    def _make_room(self, chunks: Name, kept: Name) -> None:
        """Memory for the chunks' partial results, as [chunks, kept]."""
        w = self.w
        for k, result in enumerate(self.nest.results):
            if result.reducer is not None:
                self.partial[k] = w.scratch(result.accumulator, [chunks, kept], device=self.device)

    def _combine(self, totals: Sequence[int]) -> None:
        """The second launch, over the chunks of some totals: it does nothing where there is one."""
        w, nest = self.w, self.nest
        dtypes = [nest.results[k].accumulator for k in totals]
        kept_dims = [self.dims[a] for a in nest.kept]
        count = len(kept_dims)
        inner: list[Stride] = ["any"] * count
        if inner:
            inner[-1] = "unit"
        operand_kinds: tuple[Stride, ...] = ("any", *inner) if inner else ("unit",)
        builder = ScalarBuilder(dtypes)
        second = Nest(
            1 + count,
            builder.program(*range(len(totals))),
            tuple(Operand(d, operand_kinds) for d in dtypes),
            tuple(
                Result(
                    i, nest.results[k].dtype,
                    ("zero", *(nest.results[k].strides[a] for a in nest.kept)),
                    nest.results[k].reducer, nest.results[k].accumulator,
                )
                for i, k in enumerate(totals)
            ),
            (0,),
        )  # fmt: skip
        first = len(nest.operands)
        stored: list[Moving] = []
        for tensor, steps in (self.items[first + k] for k in totals):
            stored.append((tensor, ("0", *(steps[a] for a in nest.kept))))
        read: list[Moving] = []
        for k, d in zip(totals, dtypes, strict=True):
            steps = w.strides([self._chunks, *kept_dims], np.dtype(d).itemsize)
            read.append((self.partial[k], steps))
        kernel = NestKernel(second)
        able = w.device(self.device).able
        pair = Pair(kernel.kernel(able), NestKernel(second, wide=True).kernel(able))
        last = _Last(w, self.device, kernel, [self._chunks, *kept_dims], [*read, *stored])
        last.write(pair)


class _Last(_Launch):
    """The launch that combines chunks: its own reduction is not cut, and without chunks it is not
    made.
    """

    def _spread_out(self) -> Name:
        w = self.w
        kept = w.multiply(*self.dims[1:])
        lanes = str(COLUMN_LANES if len(self.dims) > 1 else GROUP_SIZE)
        across = str(GROUP_SIZE // int(lanes))
        self.counts.update(
            kept=kept, reduced=self.dims[0], lanes=lanes, chunks="1", chunk=self.dims[0]
        )
        several = w.compare("sgt", self.dims[0], "1")
        return w.select(several, over(w, kept, across), "0")


def _divides(nest: Nest) -> bool:
    """Whether a kernel counts points along several axes, so that their number's width matters."""
    return nest.ndim > 1


def _is_small(count: Name, most: int) -> bool:
    return count.isdigit() and int(count) <= most


def _context(name: str, into: str) -> str:
    return f"{field(CONTEXT, '%ctx', name, into + '.at')}\n  {into} = load ptr, ptr {into}.at"


def _of_table(name: str) -> str:
    return f"{field(TABLE, '%table', name, f'%{name}.at')}\n  %{name} = load ptr, ptr %{name}.at"


def _request(position: int, value: str) -> str:
    return f"""%r{position} = getelementptr i64, ptr %request, i64 {position}
  store i64 {value}, ptr %r{position}"""


_HELPERS = f"""
define internal ptr @wb.device_ask(ptr %ctx, ptr %table, i64 %what, i64 %a, i64 %b, i64 %c,
                                   ptr %dims) noinline optnone nounwind {{
  {_context("tstate", "%state")}
  call void @wb.acquire(ptr %ctx)
  {_of_table("request")}
  {_of_table("service")}
  %place = ptrtoint ptr %dims to i64
  {_request(0, "%what")}
  {_request(1, "%a")}
  {_request(2, "%b")}
  {_request(3, "%c")}
  {_request(4, "%place")}
  %result = call ptr @py.PyObject_Vectorcall(ptr %service, ptr null, i64 0, ptr null)
  %answer.at = getelementptr i64, ptr %request, i64 {ANSWER}
  %answer = load i64, ptr %answer.at
  %none = icmp eq i64 %answer, 0
  %is.output = icmp eq i64 %what, {OUTPUT}
  %is.update = icmp eq i64 %what, {UPDATE}
  br i1 %none, label %drop, label %sort
sort:
  br i1 %is.output, label %output, label %other
other:
  br i1 %is.update, label %update, label %drop
output:
  {_context("outputs", "%outputs")}
  %output.at = getelementptr ptr, ptr %outputs, i64 %a
  store ptr %result, ptr %output.at
  br label %kept
update:
  {_context("updates", "%updates")}
  %update.at = getelementptr ptr, ptr %updates, i64 %a
  store ptr %result, ptr %update.at
  br label %kept
drop:
  call void @py.Py_DecRef(ptr %result)
  br label %kept
kept:
  %held = icmp eq ptr %state, null
  br i1 %held, label %done, label %give
give:
  call void @wb.release(ptr %ctx)
  br label %done
done:
  %address = inttoptr i64 %answer to ptr
  ret ptr %address
}}

define internal ptr @wb.device_slot(ptr %ctx, ptr %table, i64 %slot, i64 %bytes)
    noinline nounwind {{
  {_of_table("slots")}
  %offset = mul nuw nsw i64 %slot, {SLOT.size}
  %at = getelementptr i8, ptr %slots, i64 %offset
  %capacity.at = getelementptr i8, ptr %at, i64 {SLOT.offset("capacity")}
  %capacity = load i64, ptr %capacity.at
  %fits = icmp ult i64 %bytes, %capacity
  br i1 %fits, label %have, label %grow
have:
  %data = load ptr, ptr %at
  ret ptr %data
grow:
  %new = call ptr @wb.device_ask(ptr %ctx, ptr %table, i64 {GROW}, i64 %slot, i64 %bytes, i64 0,
                                 ptr null)
  ret ptr %new
}}

define internal ptr @wb.device_kernel(ptr %ctx, ptr %table, ptr %kernels, i64 %index)
    noinline nounwind {{
  %at = getelementptr ptr, ptr %kernels, i64 %index
  %kernel = load ptr, ptr %at
  %there = icmp ne ptr %kernel, null
  br i1 %there, label %have, label %compile
have:
  ret ptr %kernel
compile:
  %new = call ptr @wb.device_ask(ptr %ctx, ptr %table, i64 {COMPILE}, i64 %index, i64 0, i64 0,
                                 ptr null)
  ret ptr %new
}}
"""
