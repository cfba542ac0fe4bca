"""Where CPython and NumPy keep the fields that the native entry reads, and whether this interpreter
is like that.
"""

from __future__ import annotations

import ctypes
import functools
import platform
import sys
import sysconfig

import numpy as np

_HEAD = object.__basicsize__  # reference count and type

TYPE = _HEAD - 8
FLOAT_VALUE = _HEAD
LIST_SIZE = _HEAD
LIST_ITEMS = _HEAD + 8

ARRAY_DATA = _HEAD
ARRAY_NDIM = _HEAD + 8  # i32
ARRAY_DIMS = _HEAD + 16
ARRAY_STRIDES = _HEAD + 24
ARRAY_BASE = _HEAD + 32
ARRAY_DESCR = _HEAD + 40
ARRAY_FLAGS = _HEAD + 48  # i32

DESCR_BYTEORDER = _HEAD + 10  # char
DESCR_TYPE_NUM = _HEAD + 12  # i32

C_CONTIGUOUS, OWNDATA, ALIGNED, WRITEABLE = 0x1, 0x4, 0x100, 0x400
READABLE = C_CONTIGUOUS | ALIGNED
REUSABLE = C_CONTIGUOUS | OWNDATA | ALIGNED | WRITEABLE


@functools.cache
def is_known() -> bool:
    """Whether the native entry works here: a 64-bit little-endian CPython with the GIL, and fields
    as above.
    """
    if platform.python_implementation() != "CPython" or sys.byteorder != "little" or _HEAD != 16:
        return False
    if sysconfig.get_config_var("Py_GIL_DISABLED") or hasattr(sys, "gettotalrefcount"):
        return False
    return _fields_agree()


def _fields_agree() -> bool:
    array = np.empty((3, 5), np.float32)
    cell, number = [array, None], 2.5
    at, descr = id(array), id(array.dtype)
    return (
        _word(at + TYPE) == id(np.ndarray)
        and _word(at + ARRAY_DATA) == array.ctypes.data
        and _int(at + ARRAY_NDIM) == 2
        and [_word(_word(at + ARRAY_DIMS) + 8 * i) for i in range(2)] == [3, 5]
        and [_word(_word(at + ARRAY_STRIDES) + 8 * i) for i in range(2)] == [20, 4]
        and _word(at + ARRAY_BASE) == 0
        and _word(at + ARRAY_DESCR) == descr
        and _int(at + ARRAY_FLAGS) & 0x50F == REUSABLE
        and _int(descr + DESCR_TYPE_NUM) == array.dtype.num
        and ctypes.c_char.from_address(descr + DESCR_BYTEORDER).value == b"="
        and _word(id(cell) + LIST_SIZE) == 2
        and _word(_word(id(cell) + LIST_ITEMS)) == at
        and ctypes.c_double.from_address(id(number) + FLOAT_VALUE).value == number
        and _int(at) == sys.getrefcount(array) - 1
    )


def _word(address: int) -> int:
    return ctypes.c_size_t.from_address(address).value


def _int(address: int) -> int:
    return ctypes.c_int32.from_address(address).value
