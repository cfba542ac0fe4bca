"""Addresses of BLAS functions from scipy's Cython exports, and the number of its threads."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

_MODULE = "scipy.linalg.cython_blas"
_RESULTS = {"void": "void", "d": "double", "s": "float", "int": "i32"}


def blas_symbol(name: str) -> int:
    """The address of a Fortran BLAS function (`dgemm`: all arguments by pointer, 32-bit ints,
    column-major).

    KeyError if there is none of this name.
    """
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    return get(_exports()[name], _prototype(name).encode())  # type: ignore[no-any-return]


def signature(name: str) -> tuple[str, int]:
    """The LLVM type of a function's result and how many pointers it takes; KeyError as above and
    for complex results.
    """
    result, arguments = re.fullmatch(r"(.*) \((.*)\)", _prototype(name)).groups()  # type: ignore[union-attr]
    return _RESULTS[result.rpartition("_")[2]], arguments.count(",") + 1


def set_threads_address() -> int | None:
    """The address of `void set_num_threads(int)` of scipy's OpenBLAS, or None where it is another
    BLAS.
    """
    library = _openblas()
    if library is None:
        return None
    return ctypes.cast(library.scipy_openblas_set_num_threads, ctypes.c_void_p).value


def set_threads(count: int) -> bool:
    """Set the number of threads of scipy's OpenBLAS (0.2 µs); False where it is another BLAS."""
    library = _openblas()
    if library is not None:
        library.scipy_openblas_set_num_threads(count)
    return library is not None


def threads() -> int | None:
    """The number of threads of scipy's OpenBLAS, or None where it is another BLAS."""
    library = _openblas()
    return None if library is None else int(library.scipy_openblas_get_num_threads())


def _prototype(name: str) -> str:
    """A capsule's name: the function's C prototype."""
    get = ctypes.pythonapi.PyCapsule_GetName
    get.restype, get.argtypes = ctypes.c_char_p, (ctypes.py_object,)
    return get(_exports()[name]).decode()  # type: ignore[no-any-return]


@functools.cache
def _exports() -> dict[str, object]:
    return _module().__pyx_capi__  # type: ignore[no-any-return]


def _module() -> ModuleType:
    """`scipy.linalg.cython_blas`, without the rest of `scipy.linalg` (half a second) where its file
    is found.
    """
    if _MODULE in sys.modules:
        return sys.modules[_MODULE]
    for path in _scipy().glob("linalg/cython_blas.*"):
        spec = importlib.util.spec_from_file_location(_MODULE, path)
        if path.suffix in (".so", ".pyd") and spec and spec.loader:
            try:
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
            except ImportError:
                break
            return module
    return importlib.import_module(_MODULE)


def _scipy() -> Path:
    spec = importlib.util.find_spec("scipy")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("native code takes BLAS from scipy, which is not installed")
    return Path(spec.submodule_search_locations[0])


@functools.cache
def _openblas() -> ctypes.CDLL | None:
    """The OpenBLAS that scipy's wheels bring."""
    _exports()  # loads it
    for folder in ("../scipy.libs", ".dylibs"):
        for path in sorted((_scipy() / folder).glob("*openblas*")):
            library = ctypes.CDLL(str(path))
            if hasattr(library, "scipy_openblas_set_num_threads"):
                return library
    return None
