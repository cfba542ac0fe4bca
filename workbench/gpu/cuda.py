"""CUDA by pycuda: the driver of NVIDIA's devices.

pycuda knows the devices, and has the context and the stream. Memory, modules of machine code and
what programs call are the driver library's own functions, found in the process: pycuda frees memory
in the thread alone that made the context, and no thread may end while it is in one.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from workbench.configuration import config
from workbench.core.array import Array
from workbench.core.native.cache import ObjectCache, default_directory
from workbench.errors import DeviceError, DeviceLostError, DeviceMemoryError, DriverError
from workbench.gpu import cublas, glue_cuda, nvrtc
from workbench.gpu.cuda_context import Context, Memory
from workbench.gpu.device import linked_functions
from workbench.gpu.dialect import Capabilities
from workbench.gpu.fast_math import FastMath

INSTALL = (
    "install the NVIDIA driver, and pip install pycuda nvidia-cuda-nvrtc nvidia-cublas (pycuda is "
    "built with the CUDA toolkit)"
)
GROUPS_PER_UNIT = 32
"""Work groups that keep a multiprocessor busy."""

OUT_OF_MEMORY = 2

UNFIT = (200, 209, 218, 222)
"""The driver's status where it cannot do with what NVRTC made: invalid image, no binary for this
device, invalid PTX, PTX of an unknown version.
"""


class Library:
    """pycuda's driver, and the C library under it."""

    def __init__(self) -> None:
        try:
            import pycuda.driver as driver

            driver.init()
            self._c = ctypes.CDLL("libcuda.so.1" if os.name == "posix" else "nvcuda.dll")
        except ImportError as missing:
            raise DriverError(f"CUDA devices need pycuda: {missing}", advice=INSTALL) from None
        except Exception as error:  # pycuda has its own, which is not there without a driver
            raise DriverError(f"CUDA's driver does not start: {error}", advice=INSTALL) from None
        self.driver: Any = driver

    def address(self, name: str) -> int:
        """Where a function of the C library is."""
        return ctypes.cast(getattr(self._c, name), ctypes.c_void_p).value or 0

    def call(self, name: str, *args: Any) -> int:
        """Call one; returns its status."""
        return int(getattr(self._c, name)(*args))

    def cubin(self, text: str, architecture: str, options: Sequence[str]) -> bytes:
        """Machine code for a program. Raises KernelError."""
        return nvrtc.cubin(text, architecture, options)

    def blas(self) -> Any:
        """cuBLAS, or None."""
        return cublas.library()


@functools.cache
def library() -> Library:
    """The library of this process. Raises DriverError where it is missing."""
    return Library()


def count() -> int:
    """How many devices there are. Raises DriverError."""
    return int(library().driver.Device.count())


def listed() -> Iterator[tuple[Any, ...]]:
    """The fields of `listing.DeviceInfo` for each device. Raises DriverError."""
    driver = library().driver
    for k in range(count()):
        device = driver.Device(k)
        units = device.get_attribute(driver.device_attribute.MULTIPROCESSOR_COUNT)
        yield f"cuda{k}", device.name(), int(device.total_memory()), int(units), True, True


class Cuda:
    """The driver of one CUDA device: see `device.Driver`."""

    accelerator = True

    def __init__(self, name: str, lib: Library | None = None) -> None:
        self._lib = lib or library()
        self._driver = driver = self._lib.driver
        self.name = name
        self._device = driver.Device(int(name.removeprefix("cuda")))
        self.title = str(self._device.name())
        self.memory = int(self._device.total_memory())
        attribute = driver.device_attribute.MULTIPROCESSOR_COUNT
        self.units = int(self._device.get_attribute(attribute))
        chosen = FastMath.chosen()
        self._primary = self._entered()
        try:
            self._stream = driver.Stream()
            self.queue_handle = int(self._stream.handle)
            self._blas = cublas.Handle(self._lib.blas(), self.queue_handle, chosen.all)
        finally:
            self._primary.pop()
        self._context = Context(self._lib, int(self._primary.handle))
        self._queue = ctypes.c_void_p(self.queue_handle)
        atexit.register(self._leave)
        major, minor = self._device.compute_capability()
        self.architecture = f"sm_{major}{minor}"
        self.able = Capabilities(
            "cuda", word_limit=512, groups=self.units * GROUPS_PER_UNIT, options=chosen.cuda(),
            fast_math=chosen.all, replays=True,
        )  # fmt: skip
        self._cache = ObjectCache(default_directory())
        self._events: Any = ()

    def _entered(self) -> Any:
        """pycuda's context, which this thread is in then. Raises DriverError."""
        try:
            context = self._device.retain_primary_context()
            context.push()
        except Exception as error:  # pycuda's
            raise DriverError(
                f"{self.name} ({self.title}) gives no context: {error}",
                advice="nvidia-smi tells its state, and who else uses it",
            ) from None
        return context

    def _call(self, what: str, name: str, *args: Any) -> None:
        """A function of the library, in the device's context. Raises our error of its status."""
        if status := self._context.call(name, *args):
            raise self.error(status, what)

    def _leave(self) -> None:
        """At the end of the process: pycuda gives the stream and the context back, while it can."""
        self._context.ended = True
        self._stream = None
        self._primary.detach()

    def functions(self) -> Mapping[str, int]:
        symbols = {name: self._lib.address(name) for name in glue_cuda.FUNCTIONS}
        exports = [*glue_cuda.EXPORTS]
        if self._blas.found:
            symbols |= self._blas.addresses(glue_cuda.LIBRARY_FUNCTIONS)
            exports.append("gemm")
        self._code, addresses = linked_functions(glue_cuda.text(self._blas.found), symbols, exports)
        return addresses

    def fill_state(self, word: Callable[[str], Any]) -> None:
        word("queue").value = self.queue_handle
        word("context").value = self._context.handle.value or 0
        word("library").value = self._blas.handle

    # --- memory ---

    def allocate(self, size: int) -> tuple[int, Any]:
        address = ctypes.c_uint64()
        self._call("taking memory", "cuMemAlloc_v2", ctypes.byref(address), _size(size))
        return address.value, Memory(self._context, address)

    def place(self, address: int) -> tuple[int, int]:
        return address, 0

    def upload(self, address: int, array: Array) -> None:
        host = ctypes.c_void_p(array.ctypes.data)
        given = ctypes.c_uint64(address), host, _size(array.nbytes), self._queue
        self._call("a copy to it", "cuMemcpyHtoDAsync_v2", *given)
        self.finish()

    def download(self, address: int, array: Array) -> None:
        host = ctypes.c_void_p(array.ctypes.data)
        given = host, ctypes.c_uint64(address), _size(array.nbytes), self._queue
        self._call("a copy from it", "cuMemcpyDtoHAsync_v2", *given)
        self.finish()

    def copy(self, into: int, source: int, size: int) -> None:
        given = ctypes.c_uint64(into), ctypes.c_uint64(source), _size(size), self._queue
        self._call("a copy", "cuMemcpyDtoDAsync_v2", *given)

    def finish(self) -> None:
        self._call("the work before", "cuStreamSynchronize", self._queue)

    def settle(self) -> None:
        self._context.call("cuCtxSynchronize")

    # --- kernels ---

    def program(self, text: str, names: Sequence[str]) -> Any:
        """A loaded module: compiled, or from the disk, where this text was compiled before."""
        options = self.able.options
        identity = repr((nvrtc.version(), self.architecture, options, text))
        key = hashlib.sha256(identity.encode()).hexdigest()
        code = self._cache.get(key) if config.cache else None
        if code is None:
            code = self._lib.cubin(text, self.architecture, options)
            if config.cache:
                self._cache.put(key, code)
        module = ctypes.c_void_p()
        self._call("loading kernels", "cuModuleLoadData", ctypes.byref(module), code)
        return module

    def handle(self, program: Any, name: str) -> tuple[int, Any]:
        found = ctypes.c_void_p()
        given = ctypes.byref(found), program, name.encode()
        self._call(f"finding the kernel {name}", "cuModuleGetFunction", *given)
        return found.value or 0, program

    # --- times ---

    def events(self, capacity: int) -> Any:
        """Two for each command: before and after it."""
        if len(self._events) < 2 * capacity:
            made = (ctypes.c_void_p * (2 * capacity))()
            for k in range(2 * capacity):
                event = ctypes.c_void_p()
                self._call("making events", "cuEventCreate", ctypes.byref(event), 0)
                made[k] = event.value
            self._events = made
        return self._events

    def spans(self, events: Any, count: int) -> list[tuple[float, float]]:
        pairs = zip(events[: 2 * count : 2], events[1 : 2 * count : 2], strict=True)
        return [(self._between(events[0], a), self._between(a, b)) for a, b in pairs]

    def _between(self, before: int, after: int) -> float:
        """The seconds from one event to another."""
        milliseconds = ctypes.c_float()
        pair = ctypes.c_void_p(before), ctypes.c_void_p(after)
        self._context.call("cuEventElapsedTime", ctypes.byref(milliseconds), *pair)
        return milliseconds.value * 1e-3

    # --- errors ---

    def error(self, status: int, what: str) -> DeviceError:
        if status < 0:
            return DeviceLostError(f"{self.name}: cuBLAS failed at {what}: status {-status}")
        if status == glue_cuda.TOO_MANY_GROUPS:
            return DeviceError(
                f"{self.name} takes {glue_cuda.MOST_GROUPS} work groups at once, {what} has more",
                advice="compute it in parts",
            )
        name = ctypes.c_char_p()
        self._lib.call("cuGetErrorName", status, ctypes.byref(name))
        told = (name.value or b"").decode() or f"status {status}"
        wrong = f"{self.name} ({self.title}) failed at {what}: {told}"
        if status == OUT_OF_MEMORY:
            return DeviceMemoryError(wrong)
        if status in UNFIT:
            return DriverError(wrong, advice="see that NVRTC is not newer than the driver")
        return DeviceLostError(
            wrong,
            advice="a device that failed so is of no use to this process any more: start it again, "
            "with CUDA_LAUNCH_BLOCKING=1 or config.device_sync=True to learn which node it was",
        )


_size = ctypes.c_size_t
