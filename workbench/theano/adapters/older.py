"""Functions of tensors that have no name of ours: each is a line or two of it."""

from __future__ import annotations

from typing import Any

import workbench.tensor as T
from workbench.errors import RankError, UsageError


def ones_like(model: Any, dtype: str | None = None, opt: bool = False) -> Any:
    """`T.ones_like`; `opt` was a hint to the compiler."""
    return T.ones_like(model, dtype)


def zeros_like(model: Any, dtype: str | None = None, opt: bool = False) -> Any:
    """`T.zeros_like`; `opt` was a hint to the compiler."""
    return T.zeros_like(model, dtype)


def tensor(
    dtype: str | None = None, broadcastable: Any = (), name: str | None = None, **known: Any
) -> Any:
    """A new variable of a dtype whose axes broadcast where the flags say so."""
    return T.tensor(dtype, known.get("shape", broadcastable), name)


def round(a: Any, mode: str | None = None) -> Any:
    """The nearest whole number; where two are, by mode: half_away_from_zero or half_to_even."""
    return T.round(a, mode=mode or "half_to_even")


def iround(a: Any, mode: str | None = None) -> Any:
    """`round`, as an int64."""
    return T.iround(a, mode or "half_to_even")


def ceil_intdiv(a: Any, b: Any) -> Any:
    """The least whole number that is not below a / b, of whole numbers."""
    quotient = T.floor_div(a, b)
    return quotient + T.cast(T.neq(T.mod(a, b), 0), quotient.dtype)


def set_subtensor(
    x: Any, y: Any, inplace: bool = False, tolerate_inplace_aliasing: bool = False
) -> Any:
    """`T.set_subtensor`; what is done in place, the compiler decides."""
    return T.set_subtensor(x, y)


def inc_subtensor(
    x: Any,
    y: Any,
    inplace: bool = False,
    set_instead_of_inc: bool = False,
    tolerate_inplace_aliasing: bool = False,
) -> Any:
    """`T.inc_subtensor`; what is done in place, the compiler decides."""
    return T.set_subtensor(x, y) if set_instead_of_inc else T.inc_subtensor(x, y)


def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    """`T.choose`; a symbolic value is written nowhere, so that `out` is None."""
    if out is not None:
        raise UsageError("choose: out is given", advice="use what it returns")
    return T.choose(a, choices, mode)


def transfer(var: Any, target: str) -> Any:
    """The variable on a device."""
    variable: Any = T.as_tensor_variable(var)
    return variable.transfer(target)


def stacklists(arg: Any) -> Any:
    """Nested lists of tensors of one shape as one tensor."""
    if isinstance(arg, (list, tuple)):
        return T.stack([stacklists(part) for part in arg])
    return T.as_tensor_variable(arg)


def get_vector_length(v: Any) -> int:
    """How many elements a vector has, where its type tells. Raises ValueError."""
    variable: Any = T.as_tensor_variable(v)
    if variable.ndim != 1:
        raise RankError(f"{v} is no vector, but of {variable.type}")
    length = variable.type.shape[0]
    if length is None:
        raise UsageError(f"the length of {v} is known only when it runs")
    return int(length)


def is_flat(var: Any, ndim: int | None = None, outdim: int | None = None) -> bool:
    """Whether the variable has so many axes."""
    return bool(var.ndim == next((n for n in (ndim, outdim) if n is not None), 1))


def inverse_permutation(perm: Any) -> Any:
    """The permutation that undoes this one (a vector, or one in each row)."""
    return T.argsort(perm, axis=-1)


def permute_row_elements(x: Any, y: Any, inverse: Any = 0) -> Any:
    """The rows of x in the order of the rows of y (or of y, a vector), or in the order that undoes
    that.
    """
    rows: Any = T.as_tensor_variable(x)
    order: Any = T.as_tensor_variable(y)
    order = T.switch(inverse, inverse_permutation(order), order)
    if order.ndim < rows.ndim:
        order = T.broadcast_to(order, [rows.shape[i] for i in range(rows.ndim)])
    return T.take_along_axis(rows, order, axis=-1)


def bartlett(M: Any) -> Any:
    """The window of Bartlett: M points of a triangle that begins and ends at 0."""
    last = T.cast(T.as_tensor_variable(M), "float64") - 1
    n = T.arange(M)
    window = 1 - T.abs(2 * n - last) / T.maximum(last, 1)
    return T.switch(T.eq(last, 0), 1.0, window)


def as_it_is(x: Any) -> Any:
    """The tensor as it is: all memory is laid out as the compiler wants it."""
    return T.as_tensor_variable(x)


class Unique:
    """The different elements of a tensor, in order, and what else was asked for."""

    def __init__(
        self,
        return_index: bool = False,
        return_inverse: bool = False,
        return_counts: bool = False,
    ) -> None:
        self.asked = return_index, return_inverse, return_counts

    def __call__(self, x: Any) -> Any:
        return T.unique(x, *self.asked)
