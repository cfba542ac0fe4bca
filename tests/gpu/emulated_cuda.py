"""A CUDA library for machines without one: every call of the driver is made and recorded; memory
and kernels are those of an OpenCL device. So all of our own CUDA driver runs.
"""

from __future__ import annotations

import ctypes
import re
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.gpu.emulated_cublas import EmulatedBlas
from workbench.gpu import cuda, glue_cuda, plugin
from workbench.gpu.dialect import GROUP_SIZE, source

_Plain = ctypes.c_uint64.__mro__[1]
"""Numbers of C."""

FIRST_ADDRESS = 0x7F00_0000_0000
INVALID_VALUE, INVALID_CONTEXT, INVALID_HANDLE, ILLEGAL_ADDRESS = 1, 201, 400, 700

_SIGNATURES = {
    "cuCtxPushCurrent_v2": "p",
    "cuCtxPopCurrent_v2": "p",
    "cuStreamSynchronize": "p",
    "cuLaunchKernel": "piiiiiiippp",
    "cuPointerGetAttribute": "piq",
    "cuMemcpyHtoDAsync_v2": "qpqp",
    "cuMemcpyDtoHAsync_v2": "pqqp",
    "cuMemcpyDtoDAsync_v2": "qqqp",
    "cuMemsetD8Async": "qbqp",
    "cuEventRecord": "pp",
}
_ANYWHERE = ("cuCtxPushCurrent_v2", "cuGetErrorName")
"""What is called outside of any context."""

_TYPES = {"p": ctypes.c_void_p, "i": ctypes.c_int, "q": ctypes.c_int64, "b": ctypes.c_byte}


class OutOfMemory(Exception):
    """There is no memory."""


class OtherDevice(Exception):
    """A stream, an event or a kernel is not the current context's."""


class Memory:
    """Addresses, and the OpenCL buffers behind them."""

    def __init__(self, cl: Any, context: Any, limit: int, first: int) -> None:
        self.cl, self.context, self.limit = cl, context, limit
        self.buffers: dict[int, tuple[Any, int]] = {}
        self._next = first

    def allocate(self, size: int) -> int:
        if size + sum(size for _, size in self.buffers.values()) > self.limit:
            raise OutOfMemory("cuMemAlloc failed: out of memory")
        base, self._next = self._next, self._next + size + 4096 & ~255
        self.buffers[base] = self.cl.Buffer(self.context, self.cl.mem_flags.READ_WRITE, size), size
        return base

    def release(self, base: int) -> None:
        self.buffers.pop(base, None)

    def find(self, address: int) -> tuple[Any, int]:
        """The buffer that an address lies in, and how far. Raises KeyError for a wild one."""
        bases = sorted(self.buffers)
        base = bases[bisect_right(bases, address) - 1] if bases else 0
        buffer, size = self.buffers[base]
        if not 0 <= address - base < size:
            raise KeyError(address)
        return buffer, address - base


class EmulatedLibrary:
    """What `workbench.gpu.cuda.Library` is, for some devices. `calls` has the name of every driver
    function that was called; `fail` names one that is to give a status. What is uploaded from
    arrays in `pinned` is read late.
    """

    def __init__(self, devices: int = 1, limit: int = 1 << 30) -> None:
        import pyopencl as cl

        self._cl = cl
        device = next(d for p in cl.get_platforms() for d in p.get_devices())
        self._context = cl.Context([device])
        self.queue = cl.CommandQueue(self._context)
        self.limit = limit
        self.memories = [
            Memory(cl, self._context, limit, FIRST_ADDRESS + (k << 40)) for k in range(devices)
        ]
        self.products: EmulatedBlas | None = None
        self.pinned: list[Any] = []
        self._late: list[Callable[[], None]] = []
        self._thread = threading.local()
        self.calls: list[str] = []
        self.fail: dict[str, int] = {}
        self.driver = _driver(self)
        self._callbacks: dict[str, Any] = {}
        self._kernels: list[tuple[Any, int, int, int]] = []
        self._modules: list[str] = []
        self._events: list[float] = []

    # --- the C library ---

    def address(self, name: str) -> int:
        if name not in self._callbacks:
            kind = ctypes.CFUNCTYPE(ctypes.c_int, *(_TYPES[c] for c in _SIGNATURES[name]))
            self._callbacks[name] = kind(self._recorded(name, getattr(self, f"_{name}")))
        return ctypes.cast(self._callbacks[name], ctypes.c_void_p).value or 0

    def _recorded(self, name: str, function: Callable[..., int]) -> Callable[..., int]:
        def call(*args: Any) -> int:
            self.calls.append(name)
            if status := self.fail.get(name, 0):
                return status
            if name not in _ANYWHERE and not self.contexts:
                return INVALID_CONTEXT
            try:
                return function(*args)
            except KeyError:
                return ILLEGAL_ADDRESS
            except OtherDevice:
                return INVALID_HANDLE

        return call

    @property
    def contexts(self) -> list[int]:
        """Those that this thread has entered, the current one last."""
        if not hasattr(self._thread, "contexts"):
            self._thread.contexts = []
        entered: list[int] = self._thread.contexts
        return entered

    @property
    def memory(self) -> Memory:
        """That of the current context's device."""
        return self.memories[self.contexts[-1] - CONTEXT if self.contexts else 0]

    def in_order(self, stream: int) -> None:
        """Raises OtherDevice where a stream is not the current context's."""
        if stream - STREAM != self.contexts[-1] - CONTEXT:
            raise OtherDevice

    def call(self, name: str, *args: Any) -> int:
        plain = (a.value or 0 if isinstance(a, _Plain) else a for a in args)
        return self._recorded(name, getattr(self, f"_{name}"))(*plain)

    def blas(self) -> EmulatedBlas | None:
        return self.products

    def cubin(self, text: str, architecture: str, options: Sequence[str]) -> bytes:
        """The program in the other dialect."""
        assert architecture == "sm_90"
        return text.replace(source("cuda.h"), source("opencl.h")).encode()

    def _cuCtxPushCurrent_v2(self, context: int) -> int:
        self.contexts.append(context)
        return 0

    def _cuCtxPopCurrent_v2(self, place: Any) -> int:
        self.contexts.pop()
        return 0

    def _cuCtxSynchronize(self) -> int:
        return self._cuStreamSynchronize(self.contexts[-1] - CONTEXT + STREAM)

    def _cuMemAlloc_v2(self, address: Any, size: int) -> int:
        try:
            address._obj.value = self.memory.allocate(size)
        except OutOfMemory:
            return cuda.OUT_OF_MEMORY
        return 0

    def _cuMemFree_v2(self, address: int) -> int:
        self.memory.release(address)
        return 0

    def _cuStreamSynchronize(self, stream: int) -> int:
        self.in_order(stream)
        late, self._late = self._late, []
        for upload in late:
            upload()
        self.queue.finish()
        return 0

    def _cuModuleLoadData(self, handle: Any, code: bytes) -> int:
        self._modules.append(code.decode())
        handle._obj.value = len(self._modules)
        return 0

    def _cuModuleGetFunction(self, handle: Any, module: Any, name: bytes) -> int:
        text, wanted = self._modules[module - 1], name.decode()
        found = re.search(rf"KERNEL\({wanted}, (\d+), (\d+)\)", text)
        if found is None:
            return 500
        program = self._cl.Program(self._context, text).build(cache_dir=False)
        kernel = self._cl.Kernel(program, wanted)
        self._kernels.append((kernel, int(found[1]), int(found[2]), self.contexts[-1]))
        handle._obj.value = len(self._kernels)
        return 0

    def _cuLaunchKernel(self, kernel: int, groups: int, *rest: Any) -> int:
        assert rest[:6] == (1, 1, GROUP_SIZE, 1, 1, 0)
        self.in_order(rest[6])
        compiled, n_words, n_buffers, context = self._kernels[kernel - 1]
        if context != self.contexts[-1]:
            raise OtherDevice
        block = ctypes.c_void_p.from_address(rest[7]).value
        words = np.array((ctypes.c_int64 * n_words).from_address(block or 0))
        for k in range(n_buffers):
            if words[k] == 0:  # nothing is read there
                compiled.set_arg(1 + k, None)
                continue
            buffer, words[k] = self.memory.find(int(words[k]))
            compiled.set_arg(1 + k, buffer)
        compiled.set_arg(0, words)
        size = (groups * GROUP_SIZE,)
        self._cl.enqueue_nd_range_kernel(self.queue, compiled, size, (GROUP_SIZE,))
        return 0

    def _cuMemcpyHtoDAsync_v2(self, address: int, host: int, size: int, stream: int) -> int:
        self.in_order(stream)
        array = np.ctypeslib.as_array((ctypes.c_byte * size).from_address(host))
        if self._is_pinned(host):
            self._late.append(lambda: self.write(address, array))
        else:
            self.write(address, array)
        return 0

    def _is_pinned(self, host: int) -> bool:
        return any(0 <= host - a.ctypes.data < a.nbytes for a in self.pinned)

    def _cuPointerGetAttribute(self, place: int, attribute: int, address: int) -> int:
        assert attribute == glue_cuda.MEMORY_TYPE
        return 0 if self._is_pinned(address) else INVALID_VALUE

    def _cuMemcpyDtoHAsync_v2(self, host: int, address: int, size: int, stream: int) -> int:
        self.in_order(stream)
        self.read(address, np.ctypeslib.as_array((ctypes.c_byte * size).from_address(host)))
        return 0

    def _cuMemcpyDtoDAsync_v2(self, into: int, source: int, size: int, stream: int) -> int:
        self.in_order(stream)
        (target, a), (origin, b) = self.memory.find(into), self.memory.find(source)
        self._cl.enqueue_copy(
            self.queue, target, origin, byte_count=size, dst_offset=a, src_offset=b
        )
        return 0

    def _cuMemsetD8Async(self, address: int, value: int, size: int, stream: int) -> int:
        self.in_order(stream)
        buffer, offset = self.memory.find(address)
        self._cl.enqueue_fill_buffer(self.queue, buffer, np.int8(value), offset, size)
        return 0

    def _cuEventCreate(self, place: Any, flags: int) -> int:
        self._events.append(0.0)
        place._obj.value = len(self._events)
        return 0

    def _cuEventRecord(self, event: int, stream: int) -> int:
        self.in_order(stream)
        self.queue.finish()
        self._events[event - 1] = time.perf_counter()
        return 0

    def _cuEventElapsedTime(self, milliseconds: Any, before: Any, after: Any) -> int:
        seconds = self._events[after - 1] - self._events[before - 1]
        milliseconds._obj.value = seconds * 1e3
        return 0

    def _cuGetErrorName(self, status: int, name: Any) -> int:
        name._obj.value = {2: b"CUDA_ERROR_OUT_OF_MEMORY"}.get(status, b"CUDA_ERROR_UNKNOWN")
        return 0

    def write(self, address: int, array: Any) -> None:
        buffer, offset = self.memory.find(address)
        self._cl.enqueue_copy(self.queue, buffer, array, dst_offset=offset)

    def read(self, address: int, array: Any) -> None:
        buffer, offset = self.memory.find(address)
        self._cl.enqueue_copy(self.queue, array, buffer, src_offset=offset)


CONTEXT, STREAM = 0x1234, 0x5678
"""Handles of the first device's."""


def _driver(library: EmulatedLibrary) -> Any:
    """pycuda.driver, as far as it is used."""

    class Device:
        def __init__(self, k: int) -> None:
            self.k = k

        @staticmethod
        def count() -> int:
            return len(library.memories)

        def name(self) -> str:
            return "an emulated device"

        def total_memory(self) -> int:
            return library.limit

        def compute_capability(self) -> tuple[int, int]:
            return 9, 0

        def get_attribute(self, attribute: object) -> int:
            return 2

        def retain_primary_context(self) -> Any:
            handle, entered = CONTEXT + self.k, library.contexts
            return SimpleNamespace(
                handle=handle,
                push=lambda: entered.append(handle),
                pop=entered.pop,
                detach=lambda: library.calls.append("detach"),
            )

    return SimpleNamespace(
        Device=Device,
        device_attribute=SimpleNamespace(MULTIPROCESSOR_COUNT=16),
        Stream=lambda: SimpleNamespace(handle=STREAM + library.contexts[-1] - CONTEXT),
    )


@contextmanager
def emulated(devices: int = 1, blas: bool = False) -> Iterator[EmulatedLibrary]:
    """In this context the CUDA library is a fresh emulated one, and no device was started."""
    made = EmulatedLibrary(devices)
    if blas:
        made.products = EmulatedBlas(made)
    with (
        pytest.MonkeyPatch.context() as patch,
        wb.config.change(cache=False, print_active_device=False),
    ):
        patch.setattr(cuda, "library", lambda: made)
        plugin.find.cache_clear()
        yield made
    plugin.find.cache_clear()
