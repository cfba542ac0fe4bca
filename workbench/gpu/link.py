"""Running a plan with devices: its program, its tables, and what it asks of Python."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from workbench.configuration import config
from workbench.core.devices import find
from workbench.core.graph import Apply
from workbench.core.link import Fast, Plan, PyLinked
from workbench.core.native import engine, layout
from workbench.core.native.abi import SLOT, WORD
from workbench.core.native.entry import ENTRY_EXPORTS, Owner, entry_text, native_entry
from workbench.core.native.library import complete
from workbench.core.native.program import Program, write_program
from workbench.core.native.runtime import INTERRUPTED, NO_MEMORY
from workbench.core.native.split import split_link
from workbench.core.native.target import NoNativeForm
from workbench.core.ops.shape import Dimension
from workbench.core.ops.transfer import Transfer
from workbench.core.profile import Profiler
from workbench.errors import DeviceError, DeviceMemoryError, IndexOutOfRange
from workbench.gpu.abi import (
    ANSWER,
    COMPILE,
    DEVICE_FAILED,
    FLAGGED,
    GROW,
    MARK_BITS,
    OUTPUT,
    REQUEST_WORDS,
    TABLE,
)
from workbench.gpu.array import DeviceArray
from workbench.gpu.device import Device
from workbench.gpu.recording import Recording
from workbench.gpu.writer import DeviceWriter, Parts

_FLAGS = config.values


def link_devices(plan: Plan, slow: Fast) -> Any:  # Any: a Linked
    """The plan as one native program, or as several where some op of the host's has no native
    form.
    """
    if not layout.is_known():
        raise DeviceError(
            "functions for devices run on 64-bit CPython only",
            advice="use CPython with the GIL, or device='cpu'",
        )
    try:
        return DeviceLinked(plan, slow)
    except NoNativeForm:
        return split_link(plan, lambda part: DeviceLinked(part, slow))


class DeviceLinked:
    """A plan as one native program whose nests are launched on devices."""

    notes: Sequence[str] = ()

    def __init__(self, plan: Plan, slow: Fast) -> None:
        self.plan = plan
        self._user_slow = slow
        self._ready = threading.local()
        self._built = Build(plan, self._slow)
        self._timed_build: TimedBuild | None = None
        self._blocking = bool(_FLAGS["device_sync"])
        self.fast: Fast | None = self._fast()

    @property
    def stages(self) -> list[tuple[str, float]]:
        """What compiling took, in seconds."""
        return [*self._built.module.timings.items(), ("kernels", self._built.kernel_seconds)]

    def _fast(self) -> Fast:
        """The entry, before which a change of config.device_sync is heeded."""
        entry, flags = self._built.entry, _FLAGS

        def call(*args: Any, **kwargs: Any) -> Any:
            if flags["device_sync"] is not self._blocking:
                self._heed()
            return entry(*args, **kwargs)

        return call

    def _heed(self) -> None:
        self._blocking = bool(_FLAGS["device_sync"])
        for table in self._built.tables:
            table.device.block_on_commands(self._blocking)

    def run(self, args: Sequence[Any], profile: Profiler | None = None) -> list[Any]:
        ready = [_ready_argument(v, a) for v, a in zip(self.plan.inputs, args, strict=True)]
        return self._call(self._built, ready) if profile is None else self._timed(ready, profile)

    def _timed(self, ready: Sequence[Any], profile: Profiler) -> list[Any]:
        """A call of the program that tells what each node took."""
        if self._timed_build is None:
            start = time.perf_counter()
            self._timed_build = TimedBuild(self.plan, self._slow)
            profile.preparing(time.perf_counter() - start)
        with self._timed_build.recorded(profile) as build:
            return self._call(build, ready)

    def _call(self, build: Build, ready: Sequence[Any]) -> list[Any]:
        self._ready.build = build
        self._heed()
        try:
            result = build.entry(*ready)
        finally:
            self._ready.build = None
        return [result] if self.plan.single else result

    def _slow(self, *args: Any, **kwargs: Any) -> Any:
        """What the entry does not take, and what its program failed at."""
        now = getattr(self._ready, "build", None)
        build = now or self._built
        failure = build.owner.last_error()
        code = 0 if failure is None else failure[0]
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if code == NO_MEMORY:
            raise build.service_error()
        if code == DEVICE_FAILED:
            raise build.device_error()
        if now is None:
            return self._user_slow(*args, **kwargs)
        if code == FLAGGED:
            error = build.flagged()
            PyLinked(self.plan).run(args)  # it says what is wrong
            raise error
        if code == 0 and build.busy:
            while build.busy:  # another thread's call
                time.sleep(1e-4)
            return build.entry(*args)
        results = PyLinked(self.plan).run(args)
        return results[0] if self.plan.single else results

    def free(self) -> None:
        """Give back the memory that is kept between calls."""
        for build in filter(None, (self._built, self._timed_build)):
            build.free()

    def code(self, kind: str = "llvm") -> str:
        """The program's text: 'llvm', 'optimised' or 'assembly' of what the host runs, or the
        'kernels'.
        """
        if kind == "kernels":
            return self._built.kernel_text
        text = self._built.text
        if kind == "llvm":
            return text
        return engine.assembly(text) if kind == "assembly" else engine.optimised(text)


def _ready_argument(variable: Any, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return np.require(value, requirements=("C", "A"))
    return value


class Build:
    """A program written, compiled and entered, with its tables."""

    timed = False

    def __init__(self, plan: Plan, slow: Fast) -> None:
        self.program: Program = write_program(
            plan.inputs, plan.outputs, plan.updates, engine.host(), single=plan.single,
            timed=self.timed, blas_threads=config.blas_threads, strict=plan.strict,
            writer=DeviceWriter,
        )  # fmt: skip
        parts = self.program.parts
        assert isinstance(parts, Parts)
        self.parts = parts
        whole = complete(self.program.text + entry_text(self.program.spec))
        self.text = whole.text
        exports = (*ENTRY_EXPORTS, "wb.devices", *(("wb.times",) if self.timed else ()))
        self.module = engine.compile(whole.text, whole.symbols, exports, cache=config.cache)
        start = time.perf_counter()
        self.tables = [DeviceTable(self, k) for k in range(len(parts.devices))]
        self.kernel_seconds = time.perf_counter() - start
        at = self.module.address("wb.devices")
        for k, table in enumerate(self.tables):
            ctypes.c_size_t.from_address(at + WORD * k).value = table.address
        cells = [variable.cell for variable in self.program.shared]
        self.entry = native_entry(
            self.module, self.program.spec, cells, slow, plan.name or "function"
        )
        self.owner: Owner = self.entry.__self__  # type: ignore[attr-defined]
        self.cells = [self.owner.cells[k] for k in self.program.spec.updates]

    @property
    def busy(self) -> bool:
        """Whether a call runs."""
        return self.owner.busy

    @property
    def kernel_text(self) -> str:
        names: dict[str, str] = {}
        for pairs in self.parts.kernels:
            names.update((pair.narrow.name, pair.narrow.text) for pair in pairs)
        return "\n".join(names.values())

    def service_error(self) -> Exception:
        """What went wrong in Python while the program ran."""
        for table in self.tables:
            error, table.error = table.error, None
            if error is not None:
                return error
        return DeviceMemoryError("there is no memory for the results")

    def device_error(self) -> Exception:
        """What a driver has reported, and at which node."""
        for table in self.tables:
            mark = table.device.word("node").value
            try:
                table.device.look()
            except DeviceError as error:
                if 0 <= mark < len(self.parts.marks):
                    node, _ = self.parts.marks[mark]
                    error.met, error.place, error.node = str(node.op), node.place, node
                return error
        return DeviceError("a device failed")

    def flagged(self) -> Exception:
        """The error that a kernel of this program, or of one before, has reported."""
        for table in self.tables:
            try:
                table.device.look()
            except Exception as error:
                return error
        return DeviceError("a kernel reported an error")

    def reported(self, mark: int) -> Exception:
        """The error of a node whose kernel reported one."""
        node, _ = self.parts.marks[mark]
        return IndexOutOfRange(
            f"an index is out of range in {node.op}", str(node.op), node.place,
            "it was found when the device had run; config.device_sync=True finds it in the call",
            node,
        )  # fmt: skip

    def free(self) -> None:
        self.owner.free()
        for table in self.tables:
            table.free()


class TimedBuild(Build):
    """A program whose nodes are timed: on the host by its clock, which for a node of a device is
    what it takes to queue its commands; on the devices by events.
    """

    timed = True

    def __init__(self, plan: Plan, slow: Fast) -> None:
        super().__init__(plan, slow)
        words = ctypes.c_int64 * (2 * len(self.program.timed))
        self._words = words.from_address(self.module.address("wb.times"))

    @contextmanager
    def recorded(self, profile: Profiler) -> Iterator[Build]:
        """A call in this context is told to a profiler."""
        recordings = [Recording(table.device) for table in self.tables]
        before = list(self._words)
        with ExitStack() as stack:
            for recording in recordings:
                stack.enter_context(recording)
            yield self
        queued = self._queued(before)
        there = self._on_devices(recordings, profile)
        for (node, parent), (host, calls) in queued.items():
            device, seconds = there.get(node, ("", 0.0))
            if device:
                form = "transfer" if isinstance(node.op, Transfer) else "kernel"
                launch = 0.0 if form == "transfer" else host  # which the host waits for
                profile.node(node, seconds, calls, form=form, device=device, parent=parent,
                             launch=launch)  # fmt: skip
            elif not _is_view(node):
                profile.node(node, host, calls, form="native", parent=parent)

    def _queued(self, before: Sequence[int]) -> dict[tuple[Apply, Apply | None], tuple[float, int]]:
        """The host's seconds for each node that ran, and its runs."""
        now, found = list(self._words), {}
        for k, key in enumerate(self.program.timed):
            calls = now[2 * k + 1] - before[2 * k + 1]
            if calls:
                found[key] = ((now[2 * k] - before[2 * k]) * 1e-9, calls)
        return found

    def _on_devices(
        self, recordings: Sequence[Recording], profile: Profiler
    ) -> dict[Apply, tuple[str, float]]:
        """The seconds of each node with commands, and on which device."""
        found: dict[Apply, tuple[str, float]] = {}
        for recording in recordings:
            name = recording.device.name
            for mark, seconds in recording.times():
                if mark >= 0:
                    node, _ = self.parts.marks[mark]
                    found[node] = name, found.get(node, (name, 0.0))[1] + seconds
            if recording.dropped:
                profile.note(f"{recording.dropped} commands of {name} came too late to be timed")
        return found


def _is_view(node: Apply) -> bool:
    """Whether a node of a device queued nothing: it is only another look at its operand."""
    return node.op.on_device and not isinstance(node.op, Dimension)


class DeviceTable:
    """A device's table of one program, and the service that the program asks for what needs
    Python.
    """

    def __init__(self, build: Build, k: int) -> None:
        parts = build.parts
        self._build = build
        device = find(parts.devices[k])
        assert isinstance(device, Device)
        self.device = device
        self.error: Exception | None = None
        self.pairs = parts.kernels[k]
        self.constants = [device.array(value) for value in parts.constants[k]]
        self._blocks: dict[int, Any] = {}
        self._slots = (ctypes.c_size_t * max(SLOT.size // WORD * parts.n_slots, 1))()
        self._request = (ctypes.c_int64 * REQUEST_WORDS)()
        self._kernels = (ctypes.c_void_p * max(2 * len(self.pairs), 1))()
        self._held: list[Any] = []  # kernels
        self._addresses = (ctypes.c_size_t * max(len(self.constants), 1))(
            *(c.block.address for c in self.constants)
        )
        self._service = self.serve  # one bound method, which the table names
        self._table = (ctypes.c_size_t * len(TABLE.fields))()
        self._fill()
        self._compile()

    @property
    def address(self) -> int:
        return ctypes.addressof(self._table)

    def _fill(self) -> None:
        values = {
            **self.device.functions,
            "state": self.device.state,
            "kernels": ctypes.addressof(self._kernels),
            "slots": ctypes.addressof(self._slots),
            "constants": ctypes.addressof(self._addresses),
            "service": id(self._service),
            "request": ctypes.addressof(self._request),
            "flags": self.device.flags.address,
            "program": self.device.enrol(self._build) << MARK_BITS,
        }
        for i, name in enumerate(TABLE.fields):
            self._table[i] = values.get(name, 0)

    def _compile(self) -> None:
        """The narrow kernels; a wide one is compiled when it is first needed."""
        narrow = [pair.narrow for pair in self.pairs]
        for k, (handle, held) in enumerate(self.device.handles(narrow)):
            self._kernels[2 * k] = handle
            self._held.append(held)

    # --- the service ---

    def serve(self) -> Any:
        """Answer what the program asks for."""
        words = self._request
        words[ANSWER] = 0
        try:
            what, a, b = words[0], words[1], words[2]
            if what == GROW:
                words[ANSWER] = self._grow(a, b)
                return None
            if what == COMPILE:
                words[ANSWER] = self._compile_one(a)
                return None
            return self._returned(what == OUTPUT, a, b)
        except Exception as error:
            self.error = error
            return None

    def _grow(self, slot: int, size: int) -> int:
        """Memory for a slot of the arena; it had less, which work that is queued may still use."""
        self._blocks.pop(slot, None)
        block = self.device.pool.block(size + 1)
        self._blocks[slot] = block
        at = SLOT.size // WORD * slot
        self._slots[at + SLOT.fields.index("data")] = block.address
        self._slots[at + SLOT.fields.index("capacity")] = block.size
        return int(block.address)

    def _compile_one(self, index: int) -> int:
        pair = self.pairs[index // 2]
        ((handle, held),) = self.device.handles([pair.wide if index % 2 else pair.narrow])
        self._kernels[index] = handle
        self._held.append(held)
        return handle

    def _returned(self, is_output: bool, k: int, typenum: int) -> DeviceArray:
        """A new array for an output or an update: in a shared variable's spare one where that fits
        and nobody else holds it.
        """
        rank, place = self._request[3], self._request[4]
        shape = tuple((ctypes.c_int64 * rank).from_address(place)) if rank else ()
        array = None
        if not is_output:
            cell = self._build.cells[k]
            if self._fits(cell[1], shape, typenum) and self.device.is_free(cell, 1):
                array, cell[1] = cell[1], None
        if array is None:
            array = self.device.empty(shape, _DTYPES[typenum])
        self._request[ANSWER] = array.block.address
        return array

    def _fits(self, array: Any, shape: tuple[int, ...], typenum: int) -> bool:
        return (
            isinstance(array, DeviceArray)
            and array.device is self.device
            and array.shape == shape
            and array.dtype.num == typenum
        )

    def free(self) -> None:
        """Give the arena back to the pool."""
        self._blocks.clear()
        ctypes.memset(self._slots, 0, ctypes.sizeof(self._slots))


_DTYPES: dict[int, np.dtype[Any]] = {np.dtype(code).num: np.dtype(code) for code in "?bhilqBHILQfd"}
