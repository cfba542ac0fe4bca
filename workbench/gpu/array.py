"""DeviceArray: an array in the memory of a device, as users hold it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.core.array import Array
from workbench.gpu.pool import Block

if TYPE_CHECKING:
    from workbench.gpu.device import Device

HEAD = 4
"""Words before the lengths: the address, the device's mark, the dtype's number, the rank."""


class DeviceArray:
    """An array on a device, in C order.

    What a function computes on a device is there when it is read: `numpy.asarray(a)` copies it to
    the host and waits for it, `a.sync()` only waits. `a.device` is where it lies.
    """

    # `words` is what native code reads: HEAD words, the lengths, the strides.
    __slots__ = ("__weakref__", "block", "device", "dtype", "shape", "words")

    lies_on_device: ClassVar[bool] = True
    __array_priority__ = 1000.0

    def __init__(self, device: Device, block: Block, shape: Sequence[int], dtype: Any) -> None:
        self.device, self.block = device, block
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.shape = tuple(shape)
        head = (block.address, device.mark, self.dtype.num, len(self.shape))
        self.words = np.array((*head, *self.shape, *self.strides), np.int64)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        size = 1
        for n in self.shape:
            size *= n
        return size

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next, along each axis."""
        steps, step = [], self.itemsize
        for n in reversed(self.shape):
            steps.append(step)
            step *= n
        return tuple(reversed(steps))

    @property
    def T(self) -> Array:
        """The transpose, copied to the host."""
        return np.asarray(self).T

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("an array on a device cannot be seen by NumPy without a copy")
        value = self.device.read(self)
        return value if dtype is None else value.astype(dtype, copy=False)

    def sync(self) -> DeviceArray:
        """Wait until it is computed. Raises the error of what computed it, where that failed."""
        self.device.finish()
        return self

    def copy(self) -> DeviceArray:
        """Another array with the same values on the same device."""
        return self.device.copy_of(self)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> DeviceArray:
        return self.copy()

    def __reduce__(self) -> Any:
        """Pickled as NumPy's array, and the name of the device."""
        return _load, (np.asarray(self), self.device.name)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array without axes")
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        """A part, copied to the host."""
        return np.asarray(self)[index]

    def __iter__(self) -> Iterator[Any]:
        """The parts along the first axis, copied to the host at once."""
        return iter(np.asarray(self))

    def _number(self) -> Any:
        if self.size != 1:
            raise TypeError("only an array of one element is a number")
        return np.asarray(self).reshape(())[()]

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def __bool__(self) -> bool:
        return bool(self._number())

    def item(self) -> Any:
        """The one element, as a Python number."""
        return self._number().item()

    def tolist(self) -> Any:
        """Lists of Python numbers."""
        return np.asarray(self).tolist()

    def __dlpack__(self, **options: Any) -> Any:
        from workbench.gpu.dlpack import capsule

        return capsule(self, **options)

    def __dlpack_device__(self) -> tuple[int, int]:
        from workbench.gpu.dlpack import device_of

        return device_of(self)

    def __getattr__(self, name: str) -> Any:
        """`__cuda_array_interface__`, on CUDA only: others must see that it is not there."""
        if name == "__cuda_array_interface__" and self.device.language == "cuda":
            return {
                "shape": self.shape,
                "typestr": self.dtype.str,
                "data": (self.block.address, False),
                "version": 3,
                "strides": None,
                "stream": self.device.queue_handle or 1,
            }
        raise AttributeError(f"'DeviceArray' object has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<DeviceArray {self.dtype} {self.shape} on {self.device.name}>"


def _load(value: Array, device: str) -> Any:
    """On the device where there is one of this name, else as NumPy's array."""
    from workbench.core.devices import find
    from workbench.errors import DeviceError

    try:
        return find(device).array(value)
    except DeviceError:
        return value


def slot_offset(name: str) -> int:
    """Where a DeviceArray holds what this attribute is: bytes from the object's beginning. Raises
    RuntimeError for an interpreter that keeps it elsewhere.
    """
    import ctypes

    probe, mark = DeviceArray.__new__(DeviceArray), object()
    setattr(probe, name, mark)
    for offset in range(object.__basicsize__, DeviceArray.__basicsize__, 8):
        if ctypes.c_size_t.from_address(id(probe) + offset).value == id(mark):
            return offset
    raise RuntimeError(f"DeviceArray.{name} is not found in memory")
