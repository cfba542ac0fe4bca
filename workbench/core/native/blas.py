"""BLAS: addresses of its functions, how wide its integers are, and the number of its threads.

NumPy's wheels bring an OpenBLAS that is loaded already; programs call that one, so that there is
one pool of threads and nothing more to load. Where NumPy has another BLAS, it is scipy's, through
the exports of its Cython module.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from workbench.frozen import frozen

_ARGUMENTS = {"gemv": 11, "gemm": 13, "ger": 9, "scal": 4, "dot": 5, "axpy": 6, "trsm": 11}
_REALS = {"s": "float", "d": "double"}


@frozen
class Library:
    """A BLAS with Fortran's conventions: all arguments by pointer, column-major.

    integer   the LLVM type of its integers
    find      the address of a function by its BLAS name; KeyError where there is none
    threads   how the names of OpenBLAS's thread functions end, and the library they are in; None
              for another BLAS
    """

    integer: str
    find: Callable[[str], int]
    threads: tuple[ctypes.CDLL, str] | None = None


@functools.cache
def library() -> Library:
    """The BLAS of this process."""
    return _numpy_blas() or _scipy_blas()


def blas_symbol(name: str) -> int:
    """The address of a BLAS function, `dgemm`; KeyError if there is none of this name."""
    return library().find(name)


def integer_type() -> str:
    """The LLVM type of BLAS's integers."""
    return library().integer


def signature(name: str) -> tuple[str, int]:
    """The LLVM type of a function's result and how many pointers it takes; KeyError for a function
    not known here.
    """
    count = _ARGUMENTS[name[1:]]
    return _REALS[name[0]] if name[1:] == "dot" else "void", count


def set_threads_address() -> int | None:
    """The address of `void set_num_threads(int)`, or None where the library is not OpenBLAS."""
    return _thread_function("set")


def get_threads_address() -> int | None:
    """The address of `int get_num_threads()`, or None where the library is not OpenBLAS."""
    return _thread_function("get")


def set_threads(count: int) -> bool:
    """Set the number of threads (0.2 µs); False where the library is not OpenBLAS."""
    address = set_threads_address()
    if address is not None:
        ctypes.CFUNCTYPE(None, ctypes.c_int)(address)(count)
    return address is not None


def threads() -> int | None:
    """The number of threads, or None where the library is not OpenBLAS."""
    address = get_threads_address()
    return None if address is None else int(ctypes.CFUNCTYPE(ctypes.c_int)(address)())


def _thread_function(verb: str) -> int | None:
    if library().threads is None:
        return None
    dll, ending = library().threads  # type: ignore[misc]
    return _address(getattr(dll, f"scipy_openblas_{verb}_num_threads{ending}"))


def _address(function: object) -> int:
    address = ctypes.cast(function, ctypes.c_void_p).value  # type: ignore[arg-type]
    assert address is not None
    return address


def _numpy_blas() -> Library | None:
    """The OpenBLAS of NumPy's wheels: its names end in `64_` where its integers have 64 bits."""
    import numpy as np

    dll = _openblas(Path(np.__file__).parent, "numpy")
    if dll is None:
        return None
    for ending, integer in (("64_", "i64"), ("", "i32")):
        if hasattr(dll, f"scipy_openblas_set_num_threads{ending}"):
            return Library(integer, functools.partial(_exported, dll, ending), (dll, ending))
    return None


def _exported(dll: ctypes.CDLL, ending: str, name: str) -> int:
    try:
        return _address(getattr(dll, f"scipy_{name}_{ending}"))
    except AttributeError:
        raise KeyError(name) from None


def _openblas(package: Path, name: str) -> ctypes.CDLL | None:
    """The OpenBLAS that a package's wheel brings."""
    for folder in (package.parent / f"{name}.libs", package / ".dylibs"):
        for path in sorted(folder.glob("*openblas*")):
            return ctypes.CDLL(str(path))
    return None


def _scipy_blas() -> Library:
    return cython_exports("cython_blas")


def cython_exports(module: str) -> Library:
    """What scipy.linalg's `cython_blas` or `cython_lapack` exports."""
    exports = _cython_module(module).__pyx_capi__
    dll = _openblas(_scipy(), "scipy")
    known = dll is not None and hasattr(dll, "scipy_openblas_set_num_threads")
    return Library("i32", functools.partial(_capsule, exports), (dll, "") if known else None)  # type: ignore[arg-type]


def _capsule(exports: dict[str, object], name: str) -> int:
    """The address in a capsule, whose name is the function's C prototype."""
    get_name, get = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    get_name.restype, get_name.argtypes = ctypes.c_char_p, (ctypes.py_object,)
    get.restype, get.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    return get(exports[name], get_name(exports[name]))  # type: ignore[no-any-return]


def _cython_module(name: str) -> ModuleType:
    """A module of `scipy.linalg`: without the rest, half a second, where its file is found."""
    whole = f"scipy.linalg.{name}"
    if whole in sys.modules:
        return sys.modules[whole]
    for path in _scipy().glob(f"linalg/{name}.*"):
        spec = importlib.util.spec_from_file_location(whole, path)
        if path.suffix in (".so", ".pyd") and spec and spec.loader:
            try:
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
            except ImportError:
                break
            return module
    return importlib.import_module(whole)


def _scipy() -> Path:
    spec = importlib.util.find_spec("scipy")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(
            "native code takes BLAS from NumPy's wheel or from scipy, and found neither"
        )
    return Path(spec.submodule_search_locations[0])
