"""Elementwise functions written with the scalar ops: angles, logic, bounds, rounding, closeness.

Any: operands are numbers, arrays or variables, and the results are variables with operators.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.ops.scalars import (
    absolute,
    and_,
    cast,
    eq,
    exp2,
    floor_div,
    invert,
    isinf,
    isnan,
    le,
    lt,
    maximum,
    minimum,
    mod,
    mul,
    neq,
    or_,
    power,
    rint,
    sub,
    switch,
    true_div,
    trunc,
    xor,
)
from workbench.core.ops.scalars.complex_numbers import imag, real
from workbench.core.ops.scalars.floats import (
    copysign,
    isneginf,
    isposinf,
    nextafter,
    round_half_away_from_zero,
)
from workbench.core.types import as_tensor, constant, float_like, is_discrete, tensor_type
from workbench.errors import DtypeError, UsageError, nearest

bitwise_and, bitwise_or, bitwise_xor, bitwise_not = and_, or_, xor, invert
fix = trunc


def _float_constant(value: float, *operands: Any) -> Any:
    """A number in the float dtype that goes with the operands, so that it widens nothing."""
    return constant(value, float_like(*(tensor_type(as_tensor(v)).dtype for v in operands)))


def _dtype(x: Any) -> str:
    return tensor_type(as_tensor(x)).dtype


def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """x, not below `low` and not above `high`; None is no bound. The gradient flows at the bounds,
    too.
    """
    bounded = as_tensor(x) if low is None else maximum(x, low)
    return bounded if high is None else minimum(bounded, high)


def positive(x: Any) -> Any:
    """x itself."""
    return as_tensor(x)


def fabs(x: Any) -> Any:
    """|x| as a float."""
    return absolute(cast(x, float_like(_dtype(x))))


def reciprocal(x: Any) -> Any:
    """1 / x, a float for integers, too."""
    return true_div(1, x)


def float_power(x: Any, y: Any) -> Any:
    """x ** y computed in float64 (or complex128) at least."""
    wide = "complex128" if "c" in (_dtype(x)[0], _dtype(y)[0]) else "float64"
    return power(cast(x, wide), cast(y, wide))


def divmod(x: Any, y: Any) -> tuple[Any, Any]:
    """The floored quotient and its rest."""
    return floor_div(x, y), mod(x, y)


def modf(x: Any) -> tuple[Any, Any]:
    """The fraction and the whole part, both of x's sign."""
    value = cast(x, float_like(_dtype(x)))
    whole = trunc(value)
    return copysign(switch(isinf(value), 0, value - whole), value), whole


def ldexp(x: Any, exponent: Any) -> Any:
    """x·2 ** exponent, for whole exponents."""
    power_of = as_tensor(exponent)
    if not is_discrete(_dtype(power_of)):
        raise DtypeError(
            f"ldexp takes whole exponents, not {_dtype(power_of)}",
            advice="cast it to an integer dtype, or write x * T.exp2(y)",
        )
    dtype = float_like(_dtype(x))
    half = floor_div(power_of, 2)  # 2 ** exponent may leave the range where the result does not
    parts = (exp2(cast(part, dtype)) for part in (half, sub(power_of, half)))
    return mul(mul(cast(x, dtype), next(parts)), next(parts))


def spacing(x: Any) -> Any:
    """The distance to the next float away from 0, of x's sign."""
    value = cast(x, float_like(_dtype(x)))
    away = switch(lt(value, 0), -math.inf, math.inf)
    return nextafter(value, away) - value


def deg2rad(x: Any) -> Any:
    """Degrees as radians."""
    return mul(x, _float_constant(math.pi / 180, x))


def rad2deg(x: Any) -> Any:
    """Radians as degrees."""
    return mul(x, _float_constant(180 / math.pi, x))


radians, degrees = deg2rad, rad2deg


def logical_and(x: Any, y: Any) -> Any:
    """Whether both are true; what is not 0 is true. `and_` combines the bits of integers."""
    return and_(_truth(x), _truth(y))


def logical_or(x: Any, y: Any) -> Any:
    """Whether one of them is true; what is not 0 is true."""
    return or_(_truth(x), _truth(y))


def logical_xor(x: Any, y: Any) -> Any:
    """Whether exactly one of them is true; what is not 0 is true."""
    return xor(_truth(x), _truth(y))


def logical_not(x: Any) -> Any:
    """Whether it is 0 or False."""
    return invert(_truth(x))


def _truth(x: Any) -> Any:
    variable = as_tensor(x)
    return variable if tensor_type(variable).dtype == "bool" else neq(variable, 0)


_ROUNDING: dict[str, Callable[[Any], Any]] = {
    "half_to_even": rint,
    "half_away_from_zero": round_half_away_from_zero,
}


def round(x: Any, decimals: int = 0, mode: str = "half_to_even") -> Any:
    """To so many decimals (of tens, where negative), halves to the even neighbour or away from
    zero. Integers stay integers.
    """
    if isinstance(decimals, str):
        decimals, mode = 0, decimals  # round(x, 'half_to_even')
    if mode not in _ROUNDING:
        raise UsageError(
            f"round has no mode {mode!r}.{nearest(str(mode), list(_ROUNDING))}",
            advice=f"the modes are {', '.join(_ROUNDING)}",
        )
    nearest_whole = _ROUNDING[mode]
    if decimals == 0 or (decimals > 0 and is_discrete(_dtype(x))):
        return nearest_whole(x)
    scale = _float_constant(10.0 ** builtins.abs(decimals), x)
    if decimals > 0:
        return true_div(nearest_whole(mul(x, scale)), scale)
    return cast(mul(nearest_whole(true_div(x, scale)), scale), _dtype(x))


def iround(x: Any, mode: str = "half_to_even") -> Any:
    """Rounded, as int64."""
    return cast(round(x, mode=mode), "int64")


def nan_to_num(x: Any, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """x with numbers in the place of nan and the infinities: by default 0 and the dtype's ends."""
    variable: Any = as_tensor(x)
    dtype = _dtype(variable)
    if is_discrete(dtype):
        return variable
    if dtype[0] == "c":
        from workbench.core.ops.scalars.complex_numbers import complex_

        parts = (nan_to_num(part(variable), nan, posinf, neginf) for part in (real, imag))
        return complex_(*parts)
    ends = np.finfo(dtype)
    high = constant(ends.max, dtype) if posinf is None else cast(posinf, dtype)
    low = constant(ends.min, dtype) if neginf is None else cast(neginf, dtype)
    finite = switch(isposinf(variable), high, switch(isneginf(variable), low, variable))
    return switch(isnan(variable), cast(nan, dtype), finite)


def isclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether |x - y| <= atol + rtol·|y|; equal infinities are close, nan is close to nothing but
    where told.
    """
    bound = _float_constant(atol, x, y) + absolute(y) * _float_constant(rtol, x, y)
    finite = and_(and_(~isinf(x), ~isinf(y)), le(absolute(as_tensor(x) - y), bound))
    close = or_(eq(x, y), finite)
    return or_(close, and_(isnan(x), isnan(y))) if equal_nan else close


def allclose(
    x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether all elements are close: see `isclose`."""
    from workbench.core.ops.reduce import all as holds

    return holds(isclose(x, y, rtol, atol, equal_nan))
