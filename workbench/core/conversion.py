"""The conversion of values to arrays of a variable's dtype: what is taken, and what is an error."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from workbench.configuration import config
from workbench.core.devices import is_device_array
from workbench.core.graph import Array, Variable
from workbench.errors import DtypeError, WorkbenchError

_FLAGS = config.values


class Kind(Protocol):
    """A type of tensors."""

    @property
    def dtype(self) -> str: ...

    @property
    def ndim(self) -> int: ...


class TooWideError(DtypeError, OverflowError):
    """An integer that 64 bits do not hold."""


def to_array(
    value: object, kind: Kind, strict: bool = False, allow_downcast: bool | None = None
) -> Array:
    """The value as an array of the type's dtype, of whatever rank. Raises DtypeError where that
    loses something (unless `allow_downcast`), or where it is `strict` and no such array.
    """
    dtype = np.dtype(kind.dtype)
    if is_device_array(value):
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        if value.dtype == dtype:
            return np.asarray(value)  # of the base class: a matrix's * is another *
        lossy = allow_downcast and value.dtype.kind in "biufc"
        if not strict and (lossy or np.can_cast(value.dtype, dtype, "safe")):
            return _converted(np.asarray(value), dtype)
        raise _lossy(f"an array of {value.dtype}", kind)
    if isinstance(value, Variable):
        raise DtypeError(
            f"the symbolic variable {value} was given where a value is needed",
            f"the variable is of {kind}",
            advice="values are arrays or numbers",
        )
    if strict:
        raise DtypeError(
            f"a NumPy array of {kind.dtype} is required (strict); got {type(value).__name__}",
            f"the variable is of {kind}",
            advice=f"give numpy.asarray(value, '{kind.dtype}')",
        )
    wide = isinstance(value, int) and not -(2**63) <= value < 2**63
    error_class = TooWideError if wide else DtypeError
    try:
        array = np.asarray(value)
        if array.dtype == dtype:
            return array
        if array.dtype.kind not in "biufc":
            raise error_class(
                f"{short(value)} is not a number or an array of numbers that fit in 64 bits",
                f"the variable is of {kind}",
                advice=f"give numpy.asarray(value, '{kind.dtype}')",
            )
        converted = _converted(array, dtype)
    except WorkbenchError:
        raise
    except (ValueError, OverflowError) as error:
        raise DtypeError(
            f"cannot make an array of {kind.dtype} from {type(value).__name__}: {error}",
            f"the variable is of {kind}",
            advice="give a number, or an array (or lists of equal lengths) of numbers",
        ) from error
    if allow_downcast or _survives(array, converted):
        return converted
    if allow_downcast is None and _python_float(value, kind):
        return converted
    raise _lossy(f"the value {short(value)} ({array.dtype})", kind, error_class)


def _lossy(what: str, kind: Kind, error_class: type[DtypeError] = DtypeError) -> DtypeError:
    return error_class(
        f"{what} cannot become {kind.dtype} without loss",
        f"the variable is of {kind}",
        advice=f"convert it yourself with numpy.asarray(value, '{kind.dtype}') "
        "or pass allow_input_downcast=True",
    )


def _converted(array: Array, dtype: np.dtype[Any]) -> Array:
    """The array in another dtype: what does not fit wraps or becomes inf, a fraction or imaginary
    part is dropped.
    """
    if array.dtype.kind == "c" and dtype.kind in "iuf":
        array = array.real
    with np.errstate(all="ignore"):
        return array.astype(dtype)


def short(value: object) -> str:
    """The value's repr, cut."""
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "..."


def _survives(before: Array, after: Array) -> bool:
    if before.dtype.kind == "c" and after.dtype.kind != "c":
        return False
    nan = before.dtype.kind in "fc"
    back = _converted(after, before.dtype)
    return np.array_equal(before, back, equal_nan=nan) and np.array_equal(
        before, after, equal_nan=nan
    )


def _python_float(value: object, kind: Kind) -> bool:
    """A plain float is taken as a float32 scalar where floatX says so, as `x * 0.1` would."""
    plain = isinstance(value, float) and not isinstance(
        value, np.generic
    )  # np.float64 is a float, too
    return plain and kind.ndim == 0 and kind.dtype == "float32" == _FLAGS["floatX"]
