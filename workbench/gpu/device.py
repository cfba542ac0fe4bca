"""A device: memory, arrays, kernels and a queue, over a driver."""

from __future__ import annotations

import ctypes
import hashlib
import itertools
import os
import sys
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from workbench.configuration import config
from workbench.core.array import Array
from workbench.core.native import engine
from workbench.core.native.abi import WORD
from workbench.core.ops.transfer import DTYPES
from workbench.errors import DeviceError, DeviceLostError, DeviceMemoryError, DtypeError
from workbench.frozen import frozen
from workbench.gpu.abi import FLAG_WORDS, MARK_BITS, STATE
from workbench.gpu.array import DeviceArray
from workbench.gpu.dialect import Capabilities, Kernel, program_text
from workbench.gpu.pool import Pool


class Driver(Protocol):
    """What a back end gives: `opencl.OpenCL` and `cuda.Cuda`.

    title       the device's own name
    able        what kernels may use
    memory      bytes in all
    units       compute units
    accelerator whether it is no ordinary processor
    """

    name: str
    title: str
    able: Capabilities
    memory: int
    units: int
    accelerator: bool
    queue_handle: int

    def functions(self) -> Mapping[str, int]:
        """The addresses of the table's functions."""

    def fill_state(self, word: Callable[[str], Any]) -> None:
        """Put what the functions need into the state."""

    def allocate(self, size: int) -> tuple[int, Any]:
        """Memory: its address and what keeps it. Raises DeviceMemoryError."""

    def place(self, address: int) -> tuple[int, int]:
        """The memory at an address as other libraries know it: a handle, and bytes from there."""

    def program(self, text: str, names: Sequence[str]) -> Any:
        """A compiled program. Raises KernelError."""

    def handle(self, program: Any, name: str) -> tuple[int, Any]:
        """A kernel of a program for one function: its handle and what keeps it."""

    def upload(self, address: int, array: Array) -> None: ...

    def download(self, address: int, array: Array) -> None:
        """Waits for what was queued before."""

    def copy(self, into: int, source: int, size: int) -> None: ...

    def finish(self) -> None: ...

    def settle(self) -> None:
        """Wait for what others have queued, too, where that can be done."""

    def error(self, status: int, what: str) -> DeviceError:
        """The named error of a status."""

    def events(self, capacity: int) -> Any:
        """An array with the events of so many commands, as the table's functions record them."""

    def spans(self, events: Any, count: int) -> list[tuple[float, float]]:
        """When each of so many commands began, after the first one, and its seconds."""


class Arena(Protocol):
    """Memory that a function keeps from call to call."""

    @property
    def busy(self) -> bool: ...

    def free(self) -> None: ...


@frozen
class Traffic:
    """What went over the bus so far."""

    uploads: int = 0
    uploaded: int = 0
    downloads: int = 0
    downloaded: int = 0

    def since(self, before: Traffic) -> Traffic:
        """What came after."""
        return Traffic(
            self.uploads - before.uploads,
            self.uploaded - before.uploaded,
            self.downloads - before.downloads,
            self.downloaded - before.downloaded,
        )


class Device:
    """A device that was started. There is one for each name in a process."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.name, self.title, self.able = driver.name, driver.title, driver.able
        self.mark = mark_of(self.name)
        self.functions = driver.functions()
        self._state = (ctypes.c_size_t * len(STATE.fields))()
        driver.fill_state(self.word)
        self.block_on_commands(bool(config.device_sync))
        self.arenas: weakref.WeakSet[Arena] = weakref.WeakSet()
        title = f"{self.name} ({self.title})"
        self.pool = Pool(driver.allocate, driver.memory, title, self._reclaim)
        self._programs: dict[str, Any] = {}
        self._programs_by_number: weakref.WeakValueDictionary[int, Any] = (
            weakref.WeakValueDictionary()
        )
        self._numbers = itertools.count(1)
        self._arrange_memory()
        self.flags = self.pool.block(FLAG_WORDS * WORD)
        self._zeros = np.zeros(FLAG_WORDS, np.int64)
        driver.upload(self.flags.address, self._zeros)

    def _arrange_memory(self) -> None:
        if limit := config.device_memory:
            self.pool.limit = min(self.pool.total, int(limit * 1e6))
        share = config.use("gpuarray.preallocate") or config.use("lib.cnmem")
        if share:
            wanted = share * self.pool.total if share <= 1 else share * 1e6
            self.pool.preallocate(min(int(wanted), self.pool.limit))

    def _reclaim(self) -> None:
        """Free the intermediate results that functions keep between calls, where allow_gc lets."""
        for arena in list(self.arenas) if config.allow_gc else ():
            if not arena.busy:
                arena.free()

    # --- state ---

    @property
    def state(self) -> int:
        """The address of what the table's functions are given."""
        return ctypes.addressof(self._state)

    def word(self, field: str) -> ctypes.c_int64:
        """A word of the state, to read and to write."""
        return ctypes.c_int64.from_address(self.state + STATE.offset(field))

    @property
    def holds_float64(self) -> bool:
        """Whether it computes with float64."""
        return self.able.float64

    @property
    def language(self) -> str:
        return self.able.language

    @property
    def queue_handle(self) -> int:
        return self.driver.queue_handle

    @property
    def traffic(self) -> Traffic:
        """How often, and how many bytes, host and device gave each other."""
        return Traffic(
            *(self.word(f).value for f in ("uploads", "uploaded", "downloads", "downloaded"))
        )

    def block_on_commands(self, wanted: bool) -> None:
        """Whether every command is waited for: config.device_sync, or CUDA's own variable."""
        always = os.environ.get("CUDA_LAUNCH_BLOCKING", "0") not in ("", "0")
        self.word("blocking").value = int(wanted or always)

    # --- arrays ---

    def empty(self, shape: Sequence[int], dtype: Any) -> DeviceArray:
        """A new array; contents undefined. Raises DeviceMemoryError."""
        kind = np.dtype(dtype)
        size = kind.itemsize
        for n in shape:
            size *= int(n)
        return DeviceArray(self, self.pool.block(size), shape, kind)

    def array(self, value: Any) -> DeviceArray:
        """A copy of an array, of the host or of any device. Raises DtypeError and
        DeviceMemoryError.
        """
        if isinstance(value, DeviceArray) and value.device is self:
            return self.copy_of(value)
        source = _held_there(np.asarray(value, order="C"))
        made = self.empty(source.shape, source.dtype)
        if source.nbytes:
            self.driver.upload(made.block.address, source)
        self._count("uploads", source.nbytes)
        return made

    def copy_of(self, array: DeviceArray) -> DeviceArray:
        made = self.empty(array.shape, array.dtype)
        if array.nbytes:
            self.driver.copy(made.block.address, array.block.address, array.nbytes)
        return made

    def is_free(self, holder: list[Any], k: int) -> bool:
        """Whether nobody but a list holds its element number k."""
        held = holder[k]
        return sys.getrefcount(held) == ALONE

    def write(self, array: DeviceArray, value: Array) -> None:
        """Put a host array of the same shape and dtype into an array."""
        if array.nbytes:
            self.driver.upload(array.block.address, np.ascontiguousarray(value))
        self._count("uploads", array.nbytes)

    def read(self, array: DeviceArray) -> Array:
        """A copy on the host, when all that was queued is done. Raises the error of what failed."""
        made = np.empty(array.shape, array.dtype)
        if array.nbytes:
            self.driver.download(array.block.address, made)
        self._count("downloads", array.nbytes)
        self.look()
        return made

    def _count(self, what: str, size: int) -> None:
        self.word(what).value += 1
        self.word(what[:-1] + "ed").value += size

    # --- errors ---

    def finish(self) -> None:
        """Wait for all that was queued. Raises the error of what failed."""
        self.driver.finish()
        self.look()

    def look(self) -> None:
        """Raise the error that a kernel or the driver has reported."""
        status, node = self.word("error"), self.word("node")
        if status.value:
            code, status.value = status.value, 0
            raise self.driver.error(ctypes.c_int32(code).value, f"command {node.value}")
        if report := self.take_report():
            program = self._programs_by_number.get(report >> MARK_BITS)
            if program is None:
                raise DeviceLostError(f"a kernel on {self.name} reported an error")
            raise program.reported(report & (1 << MARK_BITS) - 1)

    def take_report(self) -> int:
        """What a kernel has reported since somebody looked, or 0."""
        watched = self.word("watched")
        if not watched.value:
            return 0
        watched.value = 0
        flags = np.empty(FLAG_WORDS, np.int64)
        self.driver.download(self.flags.address, flags)
        if flags[0]:
            self.driver.upload(self.flags.address, self._zeros)
        return int(flags[0])

    def enrol(self, program: Any) -> int:
        """A number for a program, whose `reported(mark)` gives the error that a kernel reports."""
        number = next(self._numbers)
        self._programs_by_number[number] = program
        return number

    # --- kernels ---

    def handles(self, kernels: Sequence[Kernel]) -> list[tuple[int, Any]]:
        """Kernels for one function, each with what keeps it; those that are new to this process are
        compiled in one program. Raises KernelError and DeviceMemoryError.
        """
        new = {k.name: k for k in kernels if k.name not in self._programs}
        if new:
            chosen = sorted(new.values(), key=lambda k: k.name)
            given = program_text(chosen, self.able), [k.name for k in chosen]
            try:
                made = self.driver.program(*given)
            except DeviceMemoryError:  # machine code takes memory, too
                self.pool.make_room()
                made = self.driver.program(*given)
            self._programs.update((name, made) for name in new)
        return [self.driver.handle(self._programs[k.name], k.name) for k in kernels]

    def __repr__(self) -> str:
        kind = "" if self.able.float64 else ", no float64"
        return (
            f"<{self.name}: {self.title}, {self.driver.units} units, "
            f"{self.driver.memory / 1e9:.1f} GB{kind}>"
        )


def _held_there(array: Array) -> Array:
    """The array as a device holds it: in this machine's byte order. Raises DtypeError."""
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if str(array.dtype) not in DTYPES:
        raise DtypeError(
            f"a device holds no {array.dtype}", advice="the dtypes are " + ", ".join(DTYPES)
        )
    return array


def _alone() -> int:
    """What getrefcount says of an object that a list holds, and one name."""
    holder: list[Any] = [object()]
    held = holder[0]
    return sys.getrefcount(held)


ALONE = _alone()


def mark_of(name: str) -> int:
    """The number by which native code knows a device; the same in all processes."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "little")


def linked_functions(
    text: str, symbols: Mapping[str, int], exports: Iterable[str]
) -> tuple[Any, dict[str, int]]:
    """Machine code for a driver's functions: what keeps it, and the addresses."""
    from workbench.core.native.library import complete

    names = tuple(exports)
    whole = complete(text)
    module = engine.compile(
        whole.text, {**whole.symbols, **symbols}, names, cache=bool(config.cache)
    )
    return module, {name: module.address(name) for name in names}


def tell(device: Device) -> None:
    """Say which device is used, as config.print_active_device asks."""
    if config.print_active_device:
        print(f"Using device {device.name}: {device.title}", file=sys.stderr)
