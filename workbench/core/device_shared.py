"""Shared variables whose value lies on a device."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.device_type import DeviceType
from workbench.core.devices import find, is_device_array
from workbench.core.shared import SharedVariable, TensorSharedVariable


class DeviceSharedVariable(TensorSharedVariable):
    """A shared array on a device. In graphs it is read as a tensor of the host, by transfers that
    functions for the device leave out.

    `internal`: `get_value` gives the device's array, as it was made of one.
    """

    __slots__ = ("internal",)

    type: DeviceType
    internal: bool

    def clone(self) -> SharedVariable:
        twin = super().clone()
        assert isinstance(twin, DeviceSharedVariable)
        twin.internal = self.internal
        return twin

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> Any:
        """The value, copied to the host; with `return_internal_type` (or where the variable was
        made of an array of a device) a copy on the device, or the very array where `borrow`.
        """
        value = self.cell[0]
        if not (return_internal_type or self.internal):
            return np.asarray(value)
        return value if borrow else value.copy()

    def set_value(self, new_value: Any, borrow: bool = False) -> None:
        """Copy a value to the device: into the memory that is there, where its shape fits and
        nobody else holds it. An array that lies on the device is copied there; where `borrow`, the
        very array is kept.

        Raises DtypeError, RankError or LengthError, each a TypeError, for a value that the type
        does not take; DeviceMemoryError.
        """
        if is_device_array(new_value) and new_value.device.name == self.type.device:
            value = self.convert(new_value)
            self.cell[0] = value if borrow else value.copy()
            return
        array = self.type.host.convert(
            new_value, strict=self.strict, allow_downcast=self.allow_downcast
        )
        self._write(array)

    def _write(self, array: Any) -> None:
        device: Any = find(self.type.device)
        # The present value may be in somebody's hands; the spare one is in nobody's but ours.
        if getattr(self.cell[1], "shape", None) == array.shape and device.is_free(self.cell, 1):
            spare, self.cell[1] = self.cell[1], None
            device.write(spare, array)
            self.cell[0], self.cell[1] = spare, self.cell[0]
            return
        self.cell[0] = device.array(array)

    def zero(self) -> None:
        """Set every element to zero, keeping the shape."""
        self.set_value(np.zeros(self.cell[0].shape, self.cell[0].dtype))


def shared_on(
    value: Any, device: str, name: str | None, strict: bool, allow_downcast: bool | None,
    flags: Any, borrow: bool,
) -> DeviceSharedVariable:  # fmt: skip
    """A shared variable on a device of this full name, of a host array or one of a device."""
    held = is_device_array(value)
    kind = DeviceType(str(value.dtype), tuple(1 if flag else None for flag in flags), device)
    there = held and value.device.name == device
    stored = value if there and borrow else kind.convert(value)
    if there and not borrow:
        stored = value.copy()
    made = DeviceSharedVariable(kind, stored, name, strict, allow_downcast)
    made.internal = held
    return made
