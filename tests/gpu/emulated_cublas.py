"""cuBLAS for machines without it, over an emulated CUDA library: matrices lie by columns."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tests.gpu.emulated_cuda import EmulatedLibrary

INVALID_VALUE = 7

_P, _I, _L = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
_GEMM = ctypes.CFUNCTYPE(_I, _P, _I, _I, _L, _L, _L, _P, _P, _L, _L, _P, _L, _L, _P, _P, _L, _L, _L)


class EmulatedBlas:
    """What `workbench.gpu.cublas` calls. `products` has what every product was given after the
    handle; `status` is what they give.
    """

    def __init__(self, library: EmulatedLibrary) -> None:
        self._library = library
        self._streams: list[int] = []
        self.products: list[tuple[Any, ...]] = []
        self.status = 0
        self.cublasSgemmStridedBatched_64 = _GEMM(lambda *given: self._gemm(np.float32, *given))
        self.cublasDgemmStridedBatched_64 = _GEMM(lambda *given: self._gemm(np.float64, *given))

    def cublasCreate_v2(self, place: Any) -> int:
        assert self._library.contexts
        self._streams.append(0)
        place._obj.value = len(self._streams)
        return 0

    def cublasSetStream_v2(self, handle: Any, stream: Any) -> int:
        self._library.in_order(stream.value)
        self._streams[handle.value - 1] = stream.value
        return 0

    def _gemm(self, dtype: Any, handle: int, *given: Any) -> int:
        self.products.append(given)
        self._library.in_order(self._streams[handle - 1])
        if self.status:
            return self.status
        a_turned, b_turned, m, n, k, alpha, a, lda, a_step, b, ldb, b_step, *rest = given
        beta, c, ldc, c_step, batch = rest
        sizes = [(k, m) if a_turned else (m, k), (n, k) if b_turned else (k, n), (m, n)]
        leads = lda, ldb, ldc
        if any(ld < max(1, rows) for ld, (rows, _) in zip(leads, sizes, strict=True)):
            return INVALID_VALUE
        if 0 in (m, n, k):  # no promise is made of what is there then
            return 0
        by, of = (ctypes.cast(x, ctypes.POINTER(np.ctypeslib.as_ctypes_type(dtype)))[0]
                  for x in (alpha, beta))  # fmt: skip
        for i in range(batch):
            places = (a, a_step), (b, b_step), (c, c_step)
            (_, left), (_, right), (memory, out) = (
                self._matrix(address + i * step * np.dtype(dtype).itemsize, size, ld, dtype)
                for (address, step), size, ld in zip(places, sizes, leads, strict=True)
            )
            product = by * (left.T if a_turned else left) @ (right.T if b_turned else right)
            out[:] = product + of * out if of else product
            self._library.write(c + i * c_step * out.itemsize, memory)
        return 0

    def _matrix(self, address: int, size: tuple[int, int], ld: int, dtype: Any) -> tuple[Any, Any]:
        """A copy of all that lies between the ends of a matrix, and the matrix in it."""
        rows, columns = size
        whole = np.empty(ld * (columns - 1) + rows, dtype)
        self._library.read(address, whole)
        item = whole.itemsize
        return whole, np.lib.stride_tricks.as_strided(whole, size, (item, ld * item))
