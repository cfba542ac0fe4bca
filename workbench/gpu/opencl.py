"""OpenCL by pyopencl: the driver of its devices."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from workbench.configuration import config
from workbench.core.array import Array
from workbench.core.native.cache import ObjectCache, default_directory
from workbench.errors import (
    DeviceError,
    DeviceLostError,
    DeviceMemoryError,
    DriverError,
    KernelError,
)
from workbench.gpu import glue_opencl
from workbench.gpu.abi import OFFSET_BITS
from workbench.gpu.device import linked_functions
from workbench.gpu.dialect import Capabilities
from workbench.gpu.fast_math import FastMath

INSTALL = (
    "pip install pyopencl; for a processor as a device also its driver: apt install pocl-opencl-icd"
)
MOST_BUFFERS = 1 << 18
GROUPS_PER_UNIT = {True: 32, False: 8}
"""Work groups that keep a unit of an accelerator, or of a processor, busy."""


def _pyopencl() -> Any:
    """The library. Raises DriverError where it is not installed."""
    try:
        import pyopencl
    except ImportError as missing:
        raise DriverError(f"OpenCL devices need pyopencl: {missing}", advice=INSTALL) from None
    return pyopencl


def listed() -> Iterator[tuple[str, Any]]:
    """Every OpenCL device with its full name; platforms without devices have no number. Raises
    DriverError.
    """
    cl = _pyopencl()
    try:
        platforms = cl.get_platforms()
    except cl.Error as error:
        raise DriverError(f"OpenCL finds no driver: {error}", advice=INSTALL) from None
    number = 0
    for platform in platforms:
        try:
            devices = platform.get_devices()
        except cl.Error:
            continue
        for k, device in enumerate(devices):
            yield f"opencl{number}" + (f":{k}" if k else ""), device
        number += bool(devices)


def is_accelerator(cl_device: Any) -> bool:
    """Whether it is no ordinary processor."""
    return not cl_device.type & _pyopencl().device_type.CPU


class OpenCL:
    """The driver of one OpenCL device: see `device.Driver`."""

    def __init__(self, name: str, cl_device: Any) -> None:
        self._cl = cl = _pyopencl()
        self.name, self._device = name, cl_device
        self.title = cl_device.name.strip()
        self.memory = int(cl_device.global_mem_size)
        self.units = int(cl_device.max_compute_units)
        self.accelerator = is_accelerator(cl_device)
        self._context = cl.Context([cl_device])
        profiling = cl.command_queue_properties.PROFILING_ENABLE
        self._queue = cl.CommandQueue(self._context, properties=profiling)
        self.queue_handle = int(self._queue.int_ptr)
        self.able = self._capabilities()
        self._handles = (ctypes.c_void_p * MOST_BUFFERS)()
        self._buffers: dict[int, Any] = {}
        self._free_numbers: list[int] = []
        self._count = 0
        self._cache = ObjectCache(default_directory())

    def _capabilities(self) -> Capabilities:
        device, cl = self._device, self._cl
        extensions = set(device.extensions.split())
        options = ["-cl-std=CL1.2", "-w"]
        exact = cl.device_fp_config.CORRECTLY_ROUNDED_DIVIDE_SQRT
        chosen = FastMath.chosen()
        if not (chosen.division or chosen.roots) and device.single_fp_config & exact:
            options.append("-cl-fp32-correctly-rounded-divide-sqrt")
        return Capabilities(
            "opencl",
            float64="cl_khr_fp64" in extensions,
            atomics64="cl_khr_int64_base_atomics" in extensions,
            word_limit=min(glue_opencl.MOST_WORDS, int(device.max_parameter_size) // 8),
            groups=self.units * GROUPS_PER_UNIT[self.accelerator],
            options=(*options, *chosen.opencl()),
            replays=self.accelerator,
            fast_math=chosen.all,
        )

    def functions(self) -> Mapping[str, int]:
        return _functions()[1]

    def fill_state(self, word: Callable[[str], Any]) -> None:
        word("queue").value = self.queue_handle
        word("buffers").value = ctypes.addressof(self._handles)

    # --- memory ---

    def allocate(self, size: int) -> tuple[int, Any]:
        cl = self._cl
        if size > self._device.max_mem_alloc_size:
            raise DeviceMemoryError(f"{self.name} gives no {size} bytes in one piece")
        try:
            buffer = cl.Buffer(self._context, cl.mem_flags.READ_WRITE, size)
        except cl.Error as error:
            raise DeviceMemoryError(f"{self.name}: {error}") from None
        held = _Numbered(self, buffer)
        return held.number << OFFSET_BITS, held

    def number(self, buffer: Any) -> int:
        """The number by which programs know a buffer: from 1 on, so that no address is 0."""
        if self._free_numbers:
            number = self._free_numbers.pop()
        else:
            self._count += 1
            number = self._count
        if number >= MOST_BUFFERS:
            raise DeviceMemoryError(f"{self.name} has {MOST_BUFFERS} buffers already")
        self._handles[number], self._buffers[number] = buffer.int_ptr, buffer
        return number

    def forget(self, number: int) -> None:
        """A buffer is gone."""
        self._handles[number] = None
        del self._buffers[number]
        self._free_numbers.append(number)

    def place(self, address: int) -> tuple[int, int]:
        buffer, offset = self._place(address)
        return int(buffer.int_ptr), offset

    def _place(self, address: int) -> tuple[Any, int]:
        return self._buffers[address >> OFFSET_BITS], address & ((1 << OFFSET_BITS) - 1)

    def upload(self, address: int, array: Array) -> None:
        buffer, offset = self._place(address)
        with self._named_errors():
            self._cl.enqueue_copy(self._queue, buffer, array, dst_offset=offset, is_blocking=True)

    def download(self, address: int, array: Array) -> None:
        buffer, offset = self._place(address)
        with self._named_errors():
            self._cl.enqueue_copy(self._queue, array, buffer, src_offset=offset, is_blocking=True)

    def copy(self, into: int, source: int, size: int) -> None:
        target, target_offset = self._place(into)
        origin, origin_offset = self._place(source)
        with self._named_errors():
            self._cl.enqueue_copy(
                self._queue, target, origin, byte_count=size, src_offset=origin_offset,
                dst_offset=target_offset,
            )  # fmt: skip

    def finish(self) -> None:
        with self._named_errors():
            self._queue.finish()

    def settle(self) -> None:
        """OpenCL does not tell of others' queues."""

    # --- kernels ---

    def program(self, text: str, names: Sequence[str]) -> Any:
        """Built from a binary that is on the disk, where this text was compiled before."""
        identity = (
            self._device.platform.version, self._device.version, self._device.driver_version,
            self.title, self.able.options, text,
        )  # fmt: skip
        key = hashlib.sha256(repr(identity).encode()).hexdigest()
        binary = self._cache.get(key) if config.cache else None
        if binary is not None and (made := self._from_binary(binary)) is not None:
            return made
        made = self._built(self._cl.Program(self._context, text))
        if config.cache:
            self._cache.put(key, made.get_info(self._cl.program_info.BINARIES)[0])
        return made

    def _from_binary(self, binary: bytes) -> Any:
        try:
            return self._built(self._cl.Program(self._context, [self._device], [binary]))
        except (KernelError, self._cl.Error):
            return None

    def _built(self, program: Any) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the compiler's own remarks
                return program.build(list(self.able.options), cache_dir=False)
        except self._cl.Error as error:
            raise KernelError(
                f"{self.name}'s compiler refused a kernel: {str(error)[:4000]}",
                advice="please report it, with wb.devices()",
            ) from None

    def handle(self, program: Any, name: str) -> tuple[int, Any]:
        kernel = self._cl.Kernel(program, name)
        return int(kernel.int_ptr), kernel

    # --- times ---

    def events(self, capacity: int) -> Any:
        return (ctypes.c_void_p * capacity)()

    def spans(self, events: Any, count: int) -> list[tuple[float, float]]:
        found = []
        for handle in events[:count]:
            event = self._cl.Event.from_int_ptr(handle, retain=False)
            event.wait()
            found.append((event.profile.start, event.profile.end))
        first = found[0][0] if found else 0
        return [((start - first) * 1e-9, (end - start) * 1e-9) for start, end in found]

    # --- errors ---

    def error(self, status: int, what: str) -> DeviceError:
        cl = self._cl
        name = cl.status_code.to_string(status, f"status {status}")
        memory = (
            cl.status_code.MEM_OBJECT_ALLOCATION_FAILURE, cl.status_code.OUT_OF_RESOURCES,
            cl.status_code.OUT_OF_HOST_MEMORY,
        )  # fmt: skip
        kind = DeviceMemoryError if status in memory else DeviceLostError
        return kind(f"{self.name} ({self.title}) failed at {what}: {name}")

    def _named_errors(self) -> _Named:
        return _Named(self)


class _Numbered:
    """Keeps a buffer and its number."""

    def __init__(self, driver: OpenCL, buffer: Any) -> None:
        self.driver = driver
        self.number = driver.number(buffer)

    def __del__(self) -> None:
        if hasattr(self, "number"):
            self.driver.forget(self.number)


class _Named:
    """Turns the library's errors into ours."""

    def __init__(self, driver: OpenCL) -> None:
        self.driver = driver

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is not None and issubclass(kind, self.driver._cl.Error):
            raise self.driver.error(error.code, "a transfer") from None


@functools.cache
def _functions() -> tuple[Any, dict[str, int]]:
    """The table's functions, linked with those of OpenCL's loader that pyopencl uses."""
    cl = _pyopencl()
    loader = ctypes.CDLL(cl._cl.__file__)  # a symbol is looked for in what it depends on, too
    symbols = {
        name: ctypes.cast(getattr(loader, name), ctypes.c_void_p).value or 0
        for name in glue_opencl.FUNCTIONS
    }
    return linked_functions(glue_opencl.TEXT, symbols, glue_opencl.EXPORTS)
