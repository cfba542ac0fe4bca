"""DLPack capsules: the struct's fields, how long the array lives, what is refused."""

from __future__ import annotations

import ctypes
import gc
import weakref
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.gpu.emulated_cuda import emulated
from tests.gpu.support import DEVICE
from workbench.core.devices import find
from workbench.gpu import dlpack
from workbench.gpu.dlpack import Managed, Versioned

api = ctypes.pythonapi
name_of = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", api))
pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", api)
)
rename = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_SetName", api)
)


def there(value: Any) -> Any:
    return find(DEVICE).array(np.asarray(value))


def struct_of(capsule: Any, kind: Any = Managed) -> Any:
    """The struct in a capsule, as a consumer sees it; it keeps the capsule."""
    assert name_of(capsule) == dlpack.NAMES[kind]
    struct = kind.from_address(pointer_of(capsule, dlpack.NAMES[kind]))
    struct.capsule = capsule
    return struct


def consume(capsule: Any, kind: Any = Managed) -> Any:
    """Take over what a capsule holds; returns what gives it back."""
    struct = struct_of(capsule, kind)
    rename(capsule, CONSUMED[kind])
    address = ctypes.addressof(struct)
    delete = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(struct.deleter)
    return lambda: delete(address)


CONSUMED = {
    Managed: b"used_dltensor",
    Versioned: b"used_dltensor_versioned",
}  # kept: they are names


@pytest.mark.parametrize(
    ("dtype", "code", "bits"),
    [("bool", 6, 8), ("int8", 0, 8), ("int64", 0, 64), ("uint16", 1, 16), ("float32", 2, 32)],
)
def test_fields(dtype: str, code: int, bits: int) -> None:
    array = there(np.ones((2, 3, 4), dtype))
    tensor = struct_of(array.__dlpack__()).tensor
    assert (tensor.code, tensor.bits, tensor.lanes, tensor.ndim) == (code, bits, 1, 3)
    assert tensor.shape[:3] == [2, 3, 4]
    assert tensor.strides[:3] == [12, 4, 1]
    assert (tensor.device_type, tensor.device_id) == array.__dlpack_device__()


def test_the_memory_itself() -> None:
    """On OpenCL a buffer's handle, which the array's bytes can be read from."""
    array = there([1.0, 2.0, 3.0])
    tensor = struct_of(array.__dlpack__()).tensor
    driver: Any = array.device.driver
    assert (tensor.data, tensor.byte_offset) == driver.place(array.block.address)
    if array.device.language != "opencl":
        return
    import pyopencl as cl

    buffer, found = cl.Buffer.from_int_ptr(tensor.data), np.empty(3)
    cl.enqueue_copy(driver._queue, found, buffer, src_offset=tensor.byte_offset)
    np.testing.assert_array_equal(found, [1, 2, 3])


def test_without_axes_and_empty() -> None:
    assert struct_of(there(2.5).__dlpack__()).tensor.ndim == 0
    tensor = struct_of(there(np.ones((0, 3))).__dlpack__()).tensor
    assert tensor.shape[:2] == [0, 3]


@pytest.mark.parametrize("kind", [Managed, Versioned])
def test_the_array_lives_as_long_as_its_consumer(kind: Any) -> None:
    array = there([1.0, 2.0])
    alive = weakref.ref(array)
    delete = consume(array.__dlpack__(max_version=(1, 0) if kind is Versioned else None), kind)
    del array
    gc.collect()
    assert alive() is not None
    np.testing.assert_array_equal(alive(), [1, 2])
    delete()
    assert alive() is None


def test_a_capsule_that_nobody_consumes() -> None:
    for version in (None, (1, 0)):
        array = there([1.0])
        alive = weakref.ref(array)
        capsule = array.__dlpack__(max_version=version)
        del array
        assert alive() is not None
        del capsule
        assert alive() is None


def test_many_consumers() -> None:
    """Each keeps the array by itself."""
    array = there([1.0])
    alive = weakref.ref(array)
    deleters = [consume(array.__dlpack__()) for _ in range(3)]
    del array
    for delete in deleters:
        assert alive() is not None
        delete()
    assert alive() is None


def test_versions() -> None:
    array = there([1.0])
    assert name_of(array.__dlpack__(max_version=(0, 8))) == b"dltensor"
    struct = struct_of(array.__dlpack__(max_version=(2, 1)), Versioned)
    assert (struct.major, struct.minor, struct.flags) == (1, 0, 0)


def test_copies() -> None:
    """A copy is memory of its own, and said to be one."""
    array = there([1.0, 2.0])
    same, other = (array.__dlpack__(max_version=(1, 0), copy=copy) for copy in (False, True))
    mine, theirs = struct_of(same, Versioned), struct_of(other, Versioned)
    place = array.device.driver.place(array.block.address)
    assert (mine.tensor.data, mine.tensor.byte_offset) == place
    assert (theirs.tensor.data, theirs.tensor.byte_offset) != place
    assert (mine.flags, theirs.flags) == (0, dlpack.IS_COPIED)


def test_numpy_takes_a_copy() -> None:
    array = there([[1.0, 2.0], [3.0, 4.0]])
    found = np.from_dlpack(array, device="cpu")
    np.testing.assert_array_equal(found, array)
    with pytest.raises(BufferError, match="without a copy"):
        array.__dlpack__(dl_device=(dlpack.CPU, 0), copy=False)


def test_what_is_refused() -> None:
    array = there([1.0])
    with pytest.raises(BufferError, match=r"cannot be had on \(2, 7\)"):
        array.__dlpack__(dl_device=(2, 7))
    with pytest.raises(TypeError):
        array.__dlpack__(unknown=1)
    if array.device.language == "opencl":
        with pytest.raises(BufferError, match="no streams"):
            array.__dlpack__(stream=5)


def test_cuda() -> None:
    """The address itself; CUDA's own protocol is there, too."""
    with emulated():
        array = wb.shared(np.ones((2, 3), "float32"), target="cuda0").get_value(
            borrow=True, return_internal_type=True
        )
        assert array.__dlpack_device__() == (dlpack.CUDA, 0)
        tensor = struct_of(array.__dlpack__(stream=-1)).tensor
        assert (tensor.data, tensor.byte_offset) == (array.block.address, 0)
        shown = array.__cuda_array_interface__
        assert (shown["shape"], shown["typestr"]) == ((2, 3), "<f4")
        assert shown["data"] == (array.block.address, False)


def test_other_streams_are_waited_for() -> None:
    """Memory that a consumer gives back may be read on a stream of its own still."""
    with emulated() as library:
        array: Any = find("cuda0").array(np.ones(3))  # type: ignore[attr-defined]
        done = consume(array.__dlpack__())
        del array
        library.calls.clear()
        done()
        assert "cuCtxSynchronize" in library.calls


def test_a_consumer_that_refuses() -> None:
    """NumPy knows no OpenCL: its error is what one sees, and nothing is held."""
    array = there([1.0, 2.0])
    gone = weakref.ref(array)
    if DEVICE.startswith("opencl"):
        with pytest.raises((RuntimeError, BufferError), match=r"[Dd]evice"):
            np.from_dlpack(array)
    del array
    gc.collect()
    assert gone() is None


def test_given_back_while_an_exception_is_on_its_way() -> None:
    array = there([1.0, 2.0])

    def fail() -> None:
        held = [array.__dlpack__(), consume(array.__dlpack__())]
        raise KeyError(len(held))

    with pytest.raises(KeyError):
        fail()
    np.testing.assert_array_equal(np.from_dlpack(array, device="cpu"), [1, 2])
