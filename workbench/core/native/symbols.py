"""What modules may call outside themselves: for each prefix the declarations and where the
addresses are.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable

import numpy as np

from workbench.frozen import frozen

_POINTER, _INT, _LONG, _NOTHING = "ptr", "i32", "i64", "void"


@frozen
class External:
    """A declaration (without `declare`) and the address behind it."""

    declaration: str
    address: int


PYTHON_FUNCTIONS = {
    "PyEval_SaveThread": "ptr @{}()",
    "PyEval_RestoreThread": "void @{}(ptr)",
    "PyObject_Vectorcall": "ptr @{}(ptr, ptr, i64, ptr)",
    "Py_IncRef": "void @{}(ptr)",
    "Py_DecRef": "void @{}(ptr)",
    "PyList_New": "ptr @{}(i64)",
    "PyErr_Clear": "void @{}()",
    "PyErr_CheckSignals": "i32 @{}()",
    "PyMem_RawMalloc": "ptr @{}(i64)",
    "PyMem_RawCalloc": "ptr @{}(i64, i64)",
    "PyMem_RawFree": "void @{}(ptr)",
}
PYTHON_OBJECTS = {"None": None, "float": float}
NUMPY_FUNCTIONS = {"PyArray_New": (93, "ptr @{}(ptr, i32, ptr, i32, ptr, ptr, i32, i32, ptr)")}
LIBC_FUNCTIONS = {"clock_gettime": "i32 @{}(i32, ptr)"}
LIBM_BINARY = frozenset(("pow", "atan2", "fmod", "nextafter"))
ALWAYS = (
    "memcpy", "memmove", "memset", "fmod", "fmodf", "fma", "fmaf", "rint", "rintf",
    "floor", "floorf", "ceil", "ceilf", "trunc", "truncf",
)  # fmt: skip
"""C functions that LLVM itself may call."""


def external(name: str) -> External:
    """The external function or object `prefix.rest`; KeyError if there is none of this name."""
    prefix, _, rest = name.partition(".")
    return _FINDERS[prefix](name, rest)


@functools.cache
def always() -> dict[str, int]:
    """The addresses of what LLVM's own code generation may refer to."""
    return {name: _address(_libm(), name) for name in ALWAYS}


def _python(name: str, rest: str) -> External:
    if rest in PYTHON_OBJECTS:
        return External(f"@{name} = external global i8", id(PYTHON_OBJECTS[rest]))
    return External(PYTHON_FUNCTIONS[rest].format(name), _address(ctypes.pythonapi, rest))


def _numpy(name: str, rest: str) -> External:
    if rest == "ndarray":
        return External(f"@{name} = external global i8", id(np.ndarray))
    if rest.startswith("dtype."):
        return External(f"@{name} = external global i8", id(np.dtype(rest.removeprefix("dtype."))))
    slot, declaration = NUMPY_FUNCTIONS[rest]
    return External(declaration.format(name), _numpy_table()[slot])


def _math(name: str, rest: str) -> External:
    base = rest if rest in LIBM_BINARY else rest.removesuffix("f") if rest != "erf" else rest
    scalar = "float" if rest != base else "double"
    arguments = ", ".join([scalar] * (2 if base in LIBM_BINARY else 1))
    return External(
        f"{scalar} @{name}({arguments}) nounwind willreturn memory(none)", _address(_libm(), rest)
    )


def _blas(name: str, rest: str) -> External:
    from workbench.core.native import blas

    if rest == "set_num_threads":
        return External(f"void @{name}(i32)", blas.set_threads_address() or 0)
    if rest == "get_num_threads":
        return External(f"i32 @{name}()", blas.get_threads_address() or 0)
    result, count = blas.signature(rest)
    return External(f"{result} @{name}({', '.join(['ptr'] * count)})", blas.blas_symbol(rest))


def _special(name: str, rest: str) -> External:
    from workbench.core.native import special

    return External(special.declaration(rest, name), special.address(rest))


def _lapack(name: str, rest: str) -> External:
    from workbench.core.native import lapack

    arguments = ", ".join(["ptr"] * lapack.argument_count(rest))
    return External(f"void @{name}({arguments})", lapack.lapack_symbol(rest))


def _gpu(name: str, rest: str) -> External:
    """A class of the devices' package."""
    from workbench.core.devices import plugin

    return External(f"@{name} = external global i8", id(getattr(plugin(), rest)))


def _libc(name: str, rest: str) -> External:
    return External(LIBC_FUNCTIONS[rest].format(name), _address(ctypes.CDLL(None), rest))


_FINDERS: dict[str, Callable[[str, str], External]] = {
    "py": _python, "np": _numpy, "libm": _math, "libc": _libc, "blas": _blas,
    "lapack": _lapack,
    "special": _special, "gpu": _gpu,
}  # fmt: skip
PREFIXES = frozenset(_FINDERS)


@functools.cache
def _libm() -> ctypes.CDLL:
    """The C library's mathematics, which is loaded already: asking the linker takes 20 ms."""
    process = None if os.name == "nt" else ctypes.CDLL(None)
    if process is not None and hasattr(process, "lgamma"):
        return process
    from ctypes.util import find_library

    return ctypes.CDLL(find_library("m") or find_library("msvcrt"))


def _address(library: ctypes.CDLL, name: str) -> int:
    address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    assert address is not None
    return address


@functools.cache
def _numpy_table() -> ctypes.Array[ctypes.c_size_t]:
    """NumPy's C API: an array of addresses."""
    from numpy._core import _multiarray_umath  # type: ignore[attr-defined]

    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    pointer = get(_multiarray_umath._ARRAY_API, None)
    return (ctypes.c_size_t * 100).from_address(pointer)
