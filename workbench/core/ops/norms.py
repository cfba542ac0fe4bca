"""Norms of vectors: p-norms of elements over some axes. The method `x.norm(L)` is this one; norms
of matrices are in `matrix_norms`.
"""

from __future__ import annotations

import math
from typing import Any

from workbench.core.half import rounded_once
from workbench.core.ops.reduce import max as largest
from workbench.core.ops.reduce import min as smallest
from workbench.core.ops.reduce import sum as total
from workbench.core.ops.scalars import absolute, cast, eq, neq, power, sqrt, switch
from workbench.core.ops.stacks import floating
from workbench.core.types import constant, tensor_type
from workbench.errors import UsageError


@rounded_once
def norm(x: Any, L: float | str, axis: Any = None, keepdims: bool = False) -> Any:
    """The L-norm of the elements over some axes (all by default): (Σ|x|ᴸ)^(1/L), for 0 how many are
    not zero, for inf and -inf the largest and smallest absolute value.

    Its gradient is 0 where all elements are 0. Integers are taken as float64. Raises UsageError for
    an L that is no number.
    """
    variable = floating(x)
    p = _number(L)
    if p == 2:
        squares = variable if tensor_type(variable).dtype[0] == "f" else absolute(variable)
        return _root(total(squares * squares, axis, keepdims=keepdims))
    size = absolute(variable)
    if math.isinf(p):
        return (largest if p > 0 else smallest)(size, axis, keepdims)
    if p == 1:
        return total(size, axis, keepdims=keepdims)
    dtype = tensor_type(size).dtype
    if p == 0:
        return total(cast(neq(variable, 0), dtype), axis, keepdims=keepdims)
    sums = total(power(size, constant(p, dtype)), axis, keepdims=keepdims)
    if p < 0:  # zeros make it infinite, and the norm 0
        return power(sums, constant(1 / p, dtype))
    none = eq(sums, 0)
    return switch(none, 0, power(switch(none, 1, sums), constant(1 / p, dtype)))


def _root(squares: Any) -> Any:
    """The square root; where it is 0, so is its gradient."""
    none = eq(squares, 0)
    return switch(none, 0, sqrt(switch(none, 1, squares)))


def _number(p: Any) -> float:
    try:
        return float(p)
    except (TypeError, ValueError):
        raise UsageError(
            f"norm: there is no norm {p!r} of vectors",
            advice="give a number, inf or -inf; 'fro' and 'nuc' are norms of matrices",
        ) from None
