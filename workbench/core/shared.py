"""Shared variables: named storage that functions read and update."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from workbench.configuration import config
from workbench.core.devices import chosen, find, is_device_array
from workbench.core.graph import Array, Type, Variable
from workbench.core.types import GenericType, TensorType, tell_of_float64
from workbench.core.variable import TensorVariable
from workbench.errors import DtypeError, GraphError

_FLAGS = config.values


class SharedVariable(Variable):
    """A variable with a value that lives between calls.

    `cell` is `[value, spare]`: functions read the first; an update writes the new value into the
    spare array where nobody else holds it, and swaps the two after the whole call has succeeded.
    `shares` is the variable with whose storage this one was made, if it was.
    """

    __slots__ = ("allow_downcast", "cell", "default_update", "shares", "strict")

    def __init__(
        self,
        type: Type,
        value: object,
        name: str | None,
        strict: bool = False,
        allow_downcast: bool | None = None,
        cell: list[Any] | None = None,
    ) -> None:
        if name is not None and not isinstance(name, str):
            raise GraphError(
                f"a shared variable's name is text, not {name!r}", advice="write name='w'"
            )
        super().__init__(type, None, 0, name)
        self.cell: list[Any] = [value, None] if cell is None else cell
        self.strict = strict
        self.allow_downcast = allow_downcast
        self.default_update: Variable | None = None
        self.shares: SharedVariable | None = None

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> Any:
        """The value: a copy, or the stored object itself where `borrow`."""
        return self.cell[0] if borrow else copy.deepcopy(self.cell[0])

    def set_value(self, new_value: Any, borrow: bool = False) -> None:
        """Store a value: a copy of it, or the very object where `borrow` and no conversion is
        needed. Lengths may differ from those before.

        Raises DtypeError, RankError or LengthError, each a TypeError, for a value that the type
        does not take.
        """
        self.cell[0] = kept(self.convert(new_value), new_value, borrow)

    def convert(self, value: Any) -> Any:
        return self.type.convert(value, strict=self.strict, allow_downcast=self.allow_downcast)  # type: ignore[attr-defined]

    def clone(self) -> SharedVariable:
        """Another variable over the same storage."""
        twin = type(self)(
            self.type, None, self.name, self.strict, self.allow_downcast, cell=self.cell
        )
        twin.shares = self if self.shares is None else self.shares
        return twin

    @property
    def value(self) -> Any:
        raise _no_value(self)

    @value.setter
    def value(self, value: Any) -> None:
        raise _no_value(self)


class TensorSharedVariable(TensorVariable, SharedVariable):
    """A shared array."""

    __slots__ = ()

    def __init__(
        self,
        type: TensorType,
        value: Any,
        name: str | None,
        strict: bool = False,
        allow_downcast: bool | None = None,
        cell: list[Any] | None = None,
    ) -> None:
        SharedVariable.__init__(self, type, value, name, strict, allow_downcast, cell)
        tell_of_float64(type)

    def zero(self) -> None:
        """Set every element to zero, keeping the shape."""
        self.cell[0] = np.zeros_like(self.cell[0])


def _no_value(variable: Variable) -> GraphError:
    return GraphError(
        "a shared variable has no attribute 'value'",
        f"{variable}: {variable.type}",
        variable.place,
        "read it with get_value() and write it with set_value()",
        variable,
    )


def kept(value: Any, given: Any, borrow: bool) -> Any:
    """What is stored of a value that was made of what a user gave: nothing of his without
    `borrow`.
    """
    if borrow:
        return value
    if isinstance(value, np.ndarray) and isinstance(given, np.ndarray):
        return value.copy() if np.may_share_memory(value, given) else value
    return copy.deepcopy(value) if value is given else value


def shared(
    value: Any,
    name: str | None = None,
    strict: bool = False,
    allow_downcast: bool | None = None,
    borrow: bool = False,
    broadcastable: tuple[bool, ...] | None = None,
    target: str | None = None,
) -> Any:
    """A shared variable that holds `value`.

    Arrays and NumPy scalars keep their dtype; a Python int becomes int64, a float float64; of a
    numpy.random.RandomState its state is held; anything else as an opaque object. `borrow` stores
    the very array. Lengths are not part of the type, so that `set_value` may change them;
    `broadcastable` fixes axes to length 1. `strict` and `allow_downcast` are for what `set_value`
    takes. `target` is the device that holds the value; None: config.device, where that can hold it.

    Raises GraphError for a symbolic variable, DtypeError for numbers of more than 64 bits
    and for what the target cannot hold, LengthError where an axis that is to broadcast has another
    length than 1, DeviceError.
    """
    if isinstance(value, Variable):
        raise GraphError(
            f"shared() takes a value, not the symbolic variable {value}",
            f"{value}: {value.type}",
            value.place,
            "give an array or a number; a function reads an input as it is",
            value,
        )
    array = value if is_device_array(value) else _as_array(value)
    if array is None and target not in (None, "cpu"):
        raise DtypeError(
            f"a device holds arrays of numbers, and no {type(value).__name__}",
            advice="give a NumPy array, or leave target out",
        )
    if array is None and type(value).__name__ == "RandomState":
        from workbench.core.random.state import shared_state

        return shared_state(value, name)
    if array is None:
        held = kept(value, value, borrow)
        return SharedVariable(GenericType(), held, name, strict, allow_downcast)
    flags = broadcastable if broadcastable is not None else (False,) * array.ndim
    if len(flags) != array.ndim:
        raise GraphError(
            f"broadcastable has {len(flags)} flags; the value has shape {array.shape}",
            advice="give a flag for each axis",
        )
    device = _device_for(array, target)
    if device != "cpu":
        from workbench.core.device_shared import shared_on

        return shared_on(array, device, name, strict, allow_downcast, flags, borrow)
    array = np.asarray(array)
    kind = TensorType(str(array.dtype), tuple(1 if flag else None for flag in flags))
    stored = kind.convert(kept(array, value, borrow))
    return TensorSharedVariable(kind, stored, name, strict, allow_downcast)


def _device_for(array: Any, target: str | None) -> str:
    """The full name of the device that is to hold an array. Raises DeviceError where one is asked
    for that is not there.
    """
    if target is not None:
        return chosen(target)
    if is_device_array(array):
        return str(array.device.name)
    if _FLAGS["device"] == "cpu" or array.dtype.kind == "c":
        return "cpu"
    name = chosen(None)
    if name == "cpu" or (array.dtype == "float64" and not find(name).holds_float64):
        return "cpu"
    return name


def _as_array(value: Any) -> Array | None:
    """The value as an array where it is a number or an array, else None."""
    if isinstance(value, (bool, np.bool_)):
        return np.asarray(value, "bool")
    if isinstance(value, int):
        try:
            return np.asarray(value, "int64")
        except OverflowError:
            raise DtypeError(
                f"the integer {value} does not fit in int64",
                advice="give numpy.uint64(value), or a float",
            ) from None
    if isinstance(value, (float, complex)):
        return np.asarray(value)
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc":
        return np.asarray(value)
    return None
