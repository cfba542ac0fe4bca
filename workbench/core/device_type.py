"""The type of tensors that lie on a device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.types import TensorType
from workbench.frozen import frozen


@frozen
class DeviceType(TensorType):
    """Tensors of one dtype and rank in the memory of a device; `device` is its full name.

    Values are `DeviceArray`s. Where the interpreter runs such a graph they are NumPy's.
    """

    device: str = ""  # type: ignore[misc]  # a class's attribute there, a field here

    def __init__(self, dtype: Any, shape: Sequence[int | None] = (), device: str = "") -> None:
        TensorType.__init__(self, dtype, shape)
        vars(self)["device"] = device

    @property
    def host(self) -> TensorType:
        """The type of the same tensors in the memory of the host."""
        return TensorType(self.dtype, self.shape)

    def with_dtype(self, dtype: str) -> TensorType:
        return DeviceType(dtype, self.shape, self.device)

    def convert(
        self, value: object, *, strict: bool = False, allow_downcast: bool | None = None
    ) -> Any:
        """The value as an array on the device: one that is there already itself, else a copy of
        what the host's type makes of it. Raises the errors of that conversion, and DeviceError.
        """
        from workbench.core.devices import find, is_device_array

        if is_device_array(value):
            held: Any = value
            of = TensorType(str(held.dtype), held.shape)
            if held.device.name == self.device and self.host.accepts(of):
                return held
        array = self.host.convert(value, strict=strict, allow_downcast=allow_downcast)
        return find(self.device).array(array)

    def place(self, value: Any) -> Any:
        from workbench.core.devices import find, is_device_array

        return value if is_device_array(value) else find(self.device).array(np.asarray(value))

    def __str__(self) -> str:
        inside = str(self.host).partition("(")[2]
        return f"GpuArrayType<{self.device}>({inside}"

    __repr__ = __str__


def lies_on(type: TensorType, device: str) -> TensorType:
    """The type of the same tensors on a device, or 'cpu'."""
    if device == "cpu":
        return TensorType(type.dtype, type.shape)
    return DeviceType(type.dtype, type.shape, device)
