"""Addresses of BLAS functions from scipy's Cython exports, and the number of its threads."""

from __future__ import annotations


def blas_symbol(name: str) -> int:
    """The address of a Fortran BLAS function (`dgemm`: all arguments by pointer, 32-bit ints, column-major)."""
    raise NotImplementedError


def set_threads_address() -> int | None:
    """The address of `void set_num_threads(int)` of scipy's OpenBLAS, or None where it is another BLAS."""
    raise NotImplementedError
