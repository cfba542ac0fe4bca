"""DLPack: an array of a device in the hands of another library, without a copy. See
https://dmlc.github.io/dlpack and the array API standard's `__dlpack__`.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np

from workbench.gpu import glue_dlpack
from workbench.gpu.array import DeviceArray
from workbench.gpu.device import linked_functions

CPU, CUDA, OPENCL = 1, 2, 4
"""Kinds of devices."""

IS_COPIED = 2
"""The flag that says that the consumer is the only holder."""

_CODES = {"i": 0, "u": 1, "f": 2, "b": 6}


class Tensor(ctypes.Structure):
    """DLTensor. On OpenCL `data` is a cl_mem."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


class Managed(ctypes.Structure):
    """DLManagedTensor."""

    _fields_ = (("tensor", Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p))


class Versioned(ctypes.Structure):
    """DLManagedTensorVersioned."""

    _fields_ = (
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", Tensor),
    )


NAMES = {Managed: b"dltensor", Versioned: b"dltensor_versioned"}


def capsule(
    array: DeviceArray,
    *,
    stream: int | None = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """A capsule with the array, as `__dlpack__` gives it. All that computes the array is done then,
    unless `stream` is -1. For the processor, dl_device=(1, 0), it holds a copy.

    Raises BufferError where that cannot be had: another device, or the processor without a copy.
    """
    here = device_of(array)
    wanted = here if dl_device is None else (int(dl_device[0]), int(dl_device[1]))
    if wanted == (CPU, 0):
        if copy is False:
            raise BufferError(f"{array!r} cannot be seen by the processor without a copy")
        host: Any = np.asarray(array)
        return host.__dlpack__()
    if wanted != here:
        raise BufferError(f"{array!r} is device {here} to DLPack, and cannot be had on {wanted}")
    if stream is not None and here[0] == OPENCL:
        raise BufferError("OpenCL has no streams: pass stream=None")
    held = array.copy() if copy else array
    if stream != -1:
        held.sync()
    kind = Versioned if max_version is not None and max_version[0] >= 1 else Managed
    return _Export(held, kind, bool(copy)).capsule()


def device_of(array: DeviceArray) -> tuple[int, int]:
    """The kind and the number of the device, as DLPack has them."""
    name = array.device.name
    if array.device.language == "cuda":
        return CUDA, int(name.removeprefix("cuda"))
    from workbench.gpu.opencl import listed

    return OPENCL, [known for known, _ in listed()].index(name)


class _Export:
    """What a consumer holds: the struct, its lengths and strides, and the array. It is kept by the
    reference that `context` counts, until the deleter is called.
    """

    def __init__(self, array: DeviceArray, kind: Any, copied: bool) -> None:
        self.array, self.kind = array, kind
        words = ctypes.c_int64 * array.ndim
        self.shape = words(*array.shape)
        self.strides = words(*(step // array.itemsize for step in array.strides))
        self.struct = kind(context=id(self), deleter=_functions(kind)[1]["delete"])
        self._fill(self.struct.tensor)
        if kind is Versioned:
            self.struct.major, self.struct.flags = 1, IS_COPIED if copied else 0

    def _fill(self, tensor: Any) -> None:
        array = self.array
        tensor.device_type, tensor.device_id = device_of(array)
        tensor.data, tensor.byte_offset = array.device.driver.place(array.block.address)
        tensor.ndim = array.ndim
        tensor.code, tensor.bits = _CODES[array.dtype.kind], 8 * array.itemsize
        tensor.lanes = 1
        words = ctypes.POINTER(ctypes.c_int64)
        tensor.shape = ctypes.cast(self.shape, words)
        tensor.strides = ctypes.cast(self.strides, words)

    def __del__(self) -> None:
        """The consumer is done: it has queued what it does with the array, on a stream of its own
        maybe, for which ours does not wait.
        """
        self.array.device.driver.settle()

    def capsule(self) -> Any:
        _increase(id(self))
        address, name = ctypes.addressof(self.struct), NAMES[self.kind]
        return _new_capsule(address, name, _functions(self.kind)[1]["destroy"])


# Functions of Python by prototypes of our own: those of ctypes.pythonapi are everybody's.
_increase = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(("Py_IncRef", ctypes.pythonapi))
_new_capsule = ctypes.PYFUNCTYPE(
    ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p
)(("PyCapsule_New", ctypes.pythonapi))


@functools.cache
def _functions(kind: Any) -> tuple[Any, dict[str, int]]:
    """What gives an array of this kind back: see `glue_dlpack`."""
    text = glue_dlpack.text(NAMES[kind], kind.context.offset)
    return linked_functions(text, glue_dlpack.symbols(), glue_dlpack.EXPORTS)
