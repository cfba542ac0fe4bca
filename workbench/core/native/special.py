"""Special functions of scipy as C functions: the addresses that `scipy.special.cython_special`
exports.
"""

from __future__ import annotations

import ctypes

from workbench.core.scalar import SPECIAL


def declaration(name: str, symbol: str) -> str:
    """As LLVM declares it: the last argument is Cython's, and is 0."""
    return f"double @{symbol}({', '.join(['double'] * SPECIAL[name])}, i32) nounwind willreturn"


def address(name: str) -> int:
    """Of the function of float64, among the overloads that Cython makes of some; KeyError if there
    is none.
    """
    from scipy.special import cython_special  # here: it costs a fifth of a second to import

    exports = cython_special.__pyx_capi__
    prototype = f"double ({'double, ' * SPECIAL[name]}int __pyx_skip_dispatch)".encode()
    for key in (name, f"__pyx_fuse_0{name}", f"__pyx_fuse_1{name}"):
        if key in exports and _name(exports[key]) == prototype:
            return _pointer(exports[key], prototype)
    raise KeyError(name)


def _name(capsule: object) -> bytes | None:
    get = ctypes.pythonapi.PyCapsule_GetName
    get.restype, get.argtypes = ctypes.c_char_p, (ctypes.py_object,)
    return get(capsule)  # type: ignore[no-any-return]


def _pointer(capsule: object, name: bytes) -> int:
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    return get(capsule, name)  # type: ignore[no-any-return]
