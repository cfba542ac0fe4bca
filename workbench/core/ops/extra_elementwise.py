"""Elementwise functions written with the scalar ops: reciprocal, hypot, logaddexp, degrees,
isclose, clip.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.core.ops.scalars import (
    absolute,
    and_,
    eq,
    exp,
    isinf,
    isnan,
    le,
    log1p,
    maximum,
    minimum,
    mul,
    or_,
    sqrt,
    switch,
    true_div,
)
from workbench.core.types import as_tensor, constant, float_like, tensor_type


def _float_constant(value: float, *operands: Any) -> Any:
    """A number in the float dtype that goes with the operands, so that it widens nothing."""
    return constant(value, float_like(*(tensor_type(as_tensor(v)).dtype for v in operands)))


def clip(x: Any, low: Any, high: Any) -> Any:
    """x, not below `low` and not above `high`."""
    return minimum(maximum(x, low), high)


def reciprocal(x: Any) -> Any:
    """1 / x."""
    return true_div(1, x)


def deg2rad(x: Any) -> Any:
    """Degrees as radians."""
    return mul(x, _float_constant(math.pi / 180, x))


def rad2deg(x: Any) -> Any:
    """Radians as degrees."""
    return mul(x, _float_constant(180 / math.pi, x))


def hypot(x: Any, y: Any) -> Any:
    """sqrt(x² + y²), without overflow on the way."""
    large, small = maximum(absolute(x), absolute(y)), minimum(absolute(x), absolute(y))
    ratio = true_div(small, switch(eq(large, 0), 1, large))
    infinite = or_(isinf(x), isinf(y))
    one = _float_constant(1, x, y)
    return switch(infinite, _float_constant(np.inf, x, y), large * sqrt(one + ratio * ratio))


def logaddexp(x: Any, y: Any) -> Any:
    """log(exp(x) + exp(y)), without overflow on the way."""
    large, small = maximum(x, y), minimum(x, y)
    gap = switch(eq(small, large), 0, small - large)  # equal infinities have no difference
    return large + log1p(exp(gap))


def isclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether |x - y| <= atol + rtol·|y|; equal infinities are close, nan is close to nothing but
    where told.
    """
    bound = _float_constant(atol, x, y) + absolute(y) * _float_constant(rtol, x, y)
    finite = and_(and_(~isinf(x), ~isinf(y)), le(absolute(as_tensor(x) - y), bound))
    close = or_(eq(x, y), finite)
    return or_(close, and_(isnan(x), isnan(y))) if equal_nan else close
