"""cuBLAS by its C functions: where NVIDIA's wheel or the toolkit has brought it."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterable
from typing import Any

from workbench.errors import DeviceError
from workbench.gpu.nvrtc import first_library

_TF32 = 3

PRODUCTS = {
    "float32": "cublasSgemmStridedBatched_64",
    "float64": "cublasDgemmStridedBatched_64",
}
"""The functions for stacks of matrices, which count in 64 bits: since CUDA 12."""


@functools.cache
def library() -> ctypes.CDLL | None:
    """The library, or None: then products are our own kernel's."""
    names = "libcublas.so.13", "libcublas.so.12"
    return first_library("libcublas.so.*[0-9]", *names, having=tuple(PRODUCTS.values()))


class Handle:
    """The library's handle for a stream. `handle` is 0 where there is no library."""

    def __init__(self, lib: Any, stream: int, coarse: bool = False) -> None:
        self._lib = lib
        self.handle = 0
        if lib is None:
            return
        made = ctypes.c_void_p()
        self._check(lib.cublasCreate_v2(ctypes.byref(made)))
        self.handle = made.value or 0
        self._check(lib.cublasSetStream_v2(made, ctypes.c_void_p(stream)))
        if coarse:
            self._check(lib.cublasSetMathMode(made, _TF32))

    @property
    def found(self) -> bool:
        return self.handle != 0

    def addresses(self, names: Iterable[str]) -> dict[str, int]:
        """Where its functions are."""
        return {
            name: ctypes.cast(getattr(self._lib, name), ctypes.c_void_p).value or 0
            for name in names
        }

    def _check(self, status: int) -> None:
        if status:
            raise DeviceError(
                f"cuBLAS does not start: status {status}",
                advice="see that its version and the driver's fit",
            )
