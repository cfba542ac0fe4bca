"""The writer of a program with devices: where a tensor lies on one, its memory is asked of the
device, its loop nests are launched, and copies go over the bus.

All else is as for the processor: lengths, checks, views and loops are the host's, and what they
come to are words that kernels are given.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.devices import find
from workbench.core.graph import Apply, Constant
from workbench.core.native.abi import field
from workbench.core.native.emit_loops import Fitted, Sink, copy_nest, run_loops
from workbench.core.native.ssa import Type, Value
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Moving, Writer
from workbench.core.nest import Nest
from workbench.core.scalar import ScalarBuilder
from workbench.gpu.abi import DEVICE_FAILED, FLAGGED, OUTPUT, STATE, TABLE, UPDATE
from workbench.gpu.asking import ASKING
from workbench.gpu.device import Device
from workbench.gpu.dialect import GROUP_SIZE, Kernel
from workbench.gpu.launches import launch_as, narrowed
from workbench.gpu.nest_kernel import NestKernel
from workbench.gpu.parts import Pair, Parts
from workbench.gpu.replaying import Replaying, replaying
from workbench.gpu.shares import over
from workbench.gpu.transpose import transpose, turned_axes


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
        self._loops: list[Replaying | None] = []
        self._replays = False
        self.functions.append(ASKING)

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
            self._replays,
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
        words = f"i64 {self.mark}, i64 {slot}, i64 {size}"
        return f"call ptr @wb.device_slot(ptr %ctx, ptr {table}, {words})"

    def returned_call(self, kind: str, of: str, device: str) -> str:
        self._answers = self._answers or device == "cpu" or kind == "update"
        if device == "cpu":
            return super().returned_call(kind, of, device)
        index, typenum, rank, shape = (part.split()[1] for part in of.split(", "))
        what = OUTPUT if kind == "output" else UPDATE
        table = f"%device{self.number(device)}"
        words = f"i64 {self.mark}, i64 {what}, i64 {index}, i64 {typenum}, i64 {rank}"
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
        """Pinned memory is waited for; other threads of Python need not."""
        whole = self.in_memory(source)
        place = into if into.contiguous else self.scratch(into.dtype, into.dims, device=into.device)
        if whole.dtype != into.dtype:
            place = self.scratch(whole.dtype, into.dims, device=into.device)
        size = self.bytes_of(whole.dtype, whole.dims)
        self.code.line("call void @wb.release(ptr %ctx)")
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
        if self.loop is not None and function != "launch":
            self.loop.spoilt = True
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

    # --- loops ---

    @property
    def loop(self) -> Replaying | None:
        """The innermost loop, where it may be replayed."""
        return self._loops[-1] if self._loops else None

    def loop_begins(self, node: Apply, n: Name) -> None:
        loop = replaying(self, node, n)
        self._replays = self._replays or loop is not None
        self._loops.append(loop)

    def step_begins(self) -> None:
        if self.loop is not None:
            self.loop.step()

    def loop_ends(self, period: int) -> None:
        if (loop := self._loops.pop()) is not None:
            loop.end(period)

    # --- launches ---

    def groups(self, device: str, points: Name, each: Name = str(GROUP_SIZE)) -> Name:
        """Work groups whose threads take points in turn, `each` points a group at a time."""
        return self.call_i64("smin", over(self, points, each), str(self.device(device).able.groups))

    def enqueue(
        self, device: str, pair: Pair, groups: Name, words: Sequence[Name], points: Name = "0"
    ) -> None:
        """Queue a kernel: the wide one where there are too many points for the narrow one."""
        number = self.kernel_number(device, pair)
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
        given = f"ptr {table}, ptr {kernels}, i64 {self.mark}, i64 {index}"
        found = f"call ptr @wb.device_kernel(ptr %ctx, {given})"
        kernel = code.put(Type("ptr"), found).name
        self.not_null(code, kernel)
        loop = self.loop
        noted = loop.add(pair.narrow, kernel, groups, block) if loop is not None else None
        counts = f"i64 {len(words)}, i64 {pair.narrow.buffers}"
        self.call(device, "launch", f"ptr {kernel}, i64 {groups}, ptr {block}, {counts}")
        if noted is not None:
            _, after = noted
            code.line(f"br label %{after}")
            self.start_block(after)

    def kernel_number(self, device: str, pair: Pair) -> int:
        """The number of the pair's first kernel among those of the device's table."""
        known = self._kernels.setdefault(device, {})
        return 2 * known.setdefault(pair, len(known))

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
        """A nest as a kernel."""
        able = self.device(results[0][0].device).able
        fit = Fitted(nest if able.float64 else narrowed(nest), dims, operands, results)
        if (axes := turned_axes(fit)) is not None:
            transpose(self, fit, *axes)
        else:
            launch_as(self, NestKernel, fit)


def _is_small(count: Name, most: int) -> bool:
    return count.isdigit() and int(count) <= most
