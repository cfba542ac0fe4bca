"""Shared variables: named storage that functions read and update."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from workbench.core.graph import Array, Type, Variable
from workbench.core.types import GenericType, TensorType, tell_of_float64
from workbench.core.variable import TensorVariable
from workbench.errors import GraphError


class SharedVariable(Variable):
    """A variable with a value that lives between calls.

    `cell` is `[value, spare]`: functions read the first; an update writes the new value into the
    spare array where nobody else holds it, and swaps the two after the whole call has succeeded.
    """

    __slots__ = ("allow_downcast", "cell", "default_update", "strict")

    def __init__(
        self,
        type: Type,
        value: object,
        name: str | None,
        strict: bool = False,
        allow_downcast: bool | None = None,
        cell: list[Any] | None = None,
    ) -> None:
        super().__init__(type, None, 0, name)
        self.cell: list[Any] = [value, None] if cell is None else cell
        self.strict = strict
        self.allow_downcast = allow_downcast
        self.default_update: Variable | None = None

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> Any:
        """The value: a copy, or the stored object itself where `borrow`."""
        return self.cell[0] if borrow else copy.deepcopy(self.cell[0])

    def set_value(self, new_value: Any, borrow: bool = False) -> None:
        """Store a value: a copy of it, or the very object where `borrow` and no conversion is
        needed.
        """
        value = self.convert(new_value)
        self.cell[0] = copy.deepcopy(value) if value is new_value and not borrow else value

    def convert(self, value: Any) -> Any:
        return self.type.convert(value, strict=self.strict, allow_downcast=self.allow_downcast)  # type: ignore[attr-defined]

    def clone(self) -> SharedVariable:
        """Another variable over the same storage."""
        return type(self)(
            self.type, None, self.name, self.strict, self.allow_downcast, cell=self.cell
        )

    @property
    def value(self) -> Any:
        raise GraphError("shared variables are read with get_value() and written with set_value()")


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


def shared(
    value: Any,
    name: str | None = None,
    strict: bool = False,
    allow_downcast: bool | None = None,
    borrow: bool = False,
    broadcastable: tuple[bool, ...] | None = None,
    target: str = "cpu",
) -> Any:
    """A shared variable that holds `value`.

    Arrays and NumPy scalars keep their dtype; a Python int becomes int64, a float float64; of a
    numpy.random.RandomState its state is held; anything else as an opaque object. `borrow` stores
    the very array. Lengths are not part of the type, so that `set_value` may change them;
    `broadcastable` fixes axes to length 1. Raises
    GraphError for a symbolic variable.
    """
    if isinstance(value, Variable):
        raise GraphError(f"shared() takes a value, not the symbolic variable {value}")
    array = _as_array(value)
    if array is None and type(value).__name__ == "RandomState":
        from workbench.core.random.state import shared_state

        return shared_state(value, name)
    if array is None:
        held = value if borrow else copy.deepcopy(value)
        return SharedVariable(GenericType(), held, name, strict, allow_downcast)
    stored: Array = array if borrow or array is not value else array.copy()
    flags = broadcastable if broadcastable is not None else (False,) * stored.ndim
    if len(flags) != stored.ndim:
        raise GraphError(
            f"broadcastable has {len(flags)} flags; the value has shape {stored.shape}"
        )
    static = tuple(1 if flag else None for flag in flags)
    return TensorSharedVariable(
        TensorType(str(stored.dtype), static), stored, name, strict, allow_downcast
    )


def _as_array(value: Any) -> Array | None:
    """The value as an array where it is a number or an array, else None."""
    if isinstance(value, (bool, np.bool_)):
        return np.asarray(value, "bool")
    if isinstance(value, int):
        return np.asarray(value, "int64")
    if isinstance(value, (float, complex)):
        return np.asarray(value)
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc":
        return np.asarray(value)
    return None
