"""Sizes and parameters of draws, brought to what the ops take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Variable
from workbench.core.ops.shape import as_scalar_int, dimension, static_int
from workbench.core.types import FLOATS, as_tensor, constant, is_integer, tensor_type
from workbench.errors import DtypeError, RandomError, WorkbenchError


def real(value: Any, what: str) -> Variable:
    """A parameter: variables as they are, numbers and arrays as float64 constants, which is what
    NumPy computes with. Raises DtypeError for what is no number.
    """
    return _parameter(value, "float64", what)


def whole(value: Any, what: str) -> Variable:
    """A parameter that is an integer: variables as they are, the rest as int64 constants."""
    return _parameter(value, "int64", what)


def _parameter(value: Any, dtype: str, what: str) -> Variable:
    try:
        variable = as_tensor(value)
    except WorkbenchError as error:
        raise DtypeError(f"{what} is no number: {value!r:.80}", advice=error.advice) from None
    if variable is value or variable.owner is not None:
        return variable
    given = np.asarray(value)
    made = given.astype(dtype) if given.dtype.kind in "biuf" else given
    if made.dtype != dtype or (dtype == "int64" and not np.array_equal(made, given)):
        raise DtypeError(
            f"{what} is {value!r:.80}",
            advice=f"give {'integers' if dtype == 'int64' else 'real numbers'}",
        )
    return constant(made, dtype)


def lengths_of(size: Any, ndim: int | None, parameters: Sequence[Variable]) -> list[Variable]:
    """The lengths of the sample's axes, int64 scalars.

    size        an int or integer scalar; a sequence of these; a vector variable, of known length
                or with `ndim` told; None for the shape that the parameters have together
    """
    if size is None:
        dims = _together(parameters)
    elif isinstance(size, Variable) and tensor_type(size).ndim == 1:
        count = tensor_type(size).shape[0] if ndim is None else ndim
        if count is None:
            raise RandomError(
                "a size of an unknown number of axes",
                f"{size}: {size.type}",
                size.place,
                "give ndim=, the number of axes of the sample",
            )
        dims = [size[i] for i in range(count)]  # type: ignore[index]
    else:
        dims = list(size) if isinstance(size, (list, tuple, np.ndarray)) else [size]
    _check_ndim(ndim, len(dims), size)
    return [_length(n) for n in dims]


def _check_ndim(ndim: int | None, count: int, size: Any) -> None:
    if ndim is not None and ndim != count:
        raise RandomError(
            f"ndim is {ndim}, and the size {size} has {count} axes",
            advice="leave ndim out, or give a length for every axis",
        )


def _length(n: Any) -> Variable:
    length = as_scalar_int(n if isinstance(n, Variable) else _int(n))
    known = static_int(length)
    if known is not None and known < 0:
        raise RandomError(f"a length of {known}", advice="lengths are not negative")
    return length


def _int(n: Any) -> Any:
    return int(n) if isinstance(n, np.integer) else n


def _together(parameters: Sequence[Variable]) -> list[Any]:
    """The dimensions that parameters have when they broadcast together."""
    ndim = max((tensor_type(v).ndim for v in parameters), default=0)
    dims: list[Any] = []
    for axis in range(-ndim, 0):
        own = [dimension(v, axis) for v in parameters if tensor_type(v).ndim >= -axis]
        dims.append(next((n for n in own if not (isinstance(n, int) and n == 1)), 1))
    return dims


def check_dtype(dtype: str, kinds: str, what: str) -> str:
    """The dtype, `floatX` resolved. Raises DtypeError for another kind."""
    from workbench.configuration import config

    found = config.floatX if dtype == "floatX" else str(dtype)
    known = "f" in kinds and found in FLOATS
    if not known and not ("i" in kinds and (is_integer(found) or found == "bool")):
        noun = "floats" if kinds == "f" else "integers and floats"
        raise DtypeError(f"{what} of dtype {dtype!r}", advice=f"it gives {noun}")
    return found
