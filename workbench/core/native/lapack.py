"""LAPACK: addresses of its routines and how wide their integers are.

It is found where BLAS is (`blas`): NumPy's OpenBLAS carries it; else it is scipy's, through the
exports of its Cython module. All arguments go by pointer, and the last one is `info`.
"""

from __future__ import annotations

import functools

from workbench.core.native.blas import Library, cython_exports, library

_ARGUMENTS = {
    "getrf": 6, "getri": 7, "getrs": 9, "potrf": 5, "trtrs": 10, "syevd": 11, "gesdd": 14,
    "geqrf": 8, "orgqr": 9,
}  # fmt: skip


@functools.cache
def lapack() -> Library:
    """The LAPACK of this process."""
    blas = library()
    try:
        blas.find("dgetrf")
    except KeyError:
        return cython_exports("cython_lapack")
    return blas


def lapack_symbol(name: str) -> int:
    """The address of a routine, `dgetrf`; KeyError if there is none of this name."""
    return lapack().find(name)


def integer_type() -> str:
    """The LLVM type of LAPACK's integers."""
    return lapack().integer


def argument_count(name: str) -> int:
    """How many pointers a routine takes; KeyError for one that is not known here."""
    return _ARGUMENTS[name[1:]]
