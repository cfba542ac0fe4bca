"""exp, exp2, expm1, tanh, sigmoid, softplus.

x = n·ln2 + r with |r| <= ln2/2; exp(r) = 1 + r + r²·q(r), q interpolated at Chebyshev nodes
(relative error < 2⁻⁵⁸ in float64, 2⁻³⁰ in float32); n is found and turned into an exponent by
adding 1.5·2^(mantissa bits), no conversion needed.
"""

from __future__ import annotations

from workbench.core.native.ssa import Value
from workbench.core.native.vmath.table import function, is_double
from workbench.frozen import frozen


@frozen
class _Constants:
    """Per float type: where exp leaves the range, the parts of ln 2 (n·ln2_high is exact), the
    polynomial q.
    """

    lowest: float  # exp is 0 from here down
    highest: float  # and inf from here up
    ln2_high: float
    ln2_low: float
    mantissa: int
    bias: int
    q: tuple[float, ...]


_DOUBLE = _Constants(
    -746.0, 710.0, 0.6931471805582987, 1.6465949582897082e-12, 52, 1023,
    (0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326084,
     0.0013888888888883711, 0.0001984126987500228, 2.480158732567746e-05, 2.755725517000089e-06,
     2.755727347871858e-07, 2.5105312729622103e-08, 2.09147553258932e-09),
)  # fmt: skip
_SINGLE = _Constants(
    -105.0, 89.0, 0.693115234375, 3.1946184945309415e-05, 23, 127,
    (0.500000001353873, 0.16666666681704215, 0.04166646419740569, 0.008333310844647862,
     0.0013933730715792083, 0.00019891080463998843),
)  # fmt: skip
_LOG2_E = 1.4426950408889634
_LN_2 = 0.6931471805599453


def _constants(x: Value) -> _Constants:
    return _DOUBLE if is_double(x) else _SINGLE


def clamp(x: Value, low: float, high: float) -> Value:
    """x within [low, high]; nan stays."""
    x = x.lt(low).select(x.like(low), x)
    return x.gt(high).select(x.like(high), x)


def nearest(x: Value) -> tuple[Value, Value]:
    """The integer nearest to x (|x| < 2^20), as a float and as an integer in a register of the same
    width.
    """
    c = _constants(x)
    magic = 1.5 * 2.0**c.mantissa
    shifted = x + magic
    return shifted - magic, shifted.bits - x.like(magic).bits


def scale(x: Value, n: Value) -> Value:
    """x·2ⁿ with a single rounding, for |n| up to twice the largest exponent."""
    c = _constants(x)
    half = n.ashr(1)
    first, second = (((part + c.bias) << c.mantissa).as_float() for part in (half, n - half))
    return x * first * second


def _split(x: Value) -> tuple[Value, Value]:
    """R and the integer n for a clamped x."""
    c = _constants(x)
    n, integer = nearest(x * _LOG2_E)
    return n.fma(-c.ln2_low, n.fma(-c.ln2_high, x)), integer


def _expm1_reduced(r: Value) -> Value:
    """exp(r) - 1 for |r| <= ln2/2."""
    return (r * r).fma(r.polynomial(_constants(r).q), r)


@function("exp")
def exp(x: Value) -> Value:
    """Below 1 ulp."""
    c = _constants(x)
    r, n = _split(clamp(x, c.lowest, c.highest))
    return scale(_expm1_reduced(r) + 1.0, n)


def exp_of_sum(x: Value, low: Value) -> Value:
    """exp(x + low) for |low| much smaller than |x|."""
    c = _constants(x)
    r, n = _split(clamp(x, c.lowest, c.highest))
    return scale(_expm1_reduced(r + low) + 1.0, n)


def exp2_coarse(x: Value) -> Value:
    """2ˣ for a float64 with |x| < 1000, to 2⁻³²."""
    whole, n = nearest(x)
    r = (x - whole) * _LN_2
    mantissa = (r * r).fma(r.polynomial(_SINGLE.q), r) + 1.0
    return mantissa * ((n + _DOUBLE.bias) << _DOUBLE.mantissa).as_float()


@function("exp2")
def exp2(x: Value) -> Value:
    """2 to the x; below 1.1 ulp."""
    c = _constants(x)
    x = clamp(x, -c.bias - c.mantissa - 2.0, c.bias + 2.0)
    whole, n = nearest(x)
    return scale(_expm1_reduced((x - whole) * _LN_2) + 1.0, n)


@function("expm1")
def expm1(x: Value) -> Value:
    """Below 2 ulp: (p + (1 - 2⁻ⁿ))·2ⁿ with p the same of r."""
    c = _constants(x)
    r, n = _split(clamp(x, -0.75 * c.mantissa - 2.0, c.highest))
    near = (n.like(c.bias) - n) << c.mantissa
    shrunk = n.gt(c.bias - 1).select(x.like(0.0), near.as_float())
    result = scale(_expm1_reduced(r) + (1.0 - shrunk), n)
    return result.copysign(x)


@function("tanh")
def tanh(x: Value) -> Value:
    """t/(t + 2) with t = expm1(2|x|); below 2.5 ulp."""
    limit = 20.0 if is_double(x) else 10.0
    size = abs(x)
    size = size.gt(limit).select(x.like(limit), size)
    t = x.code.math("expm1", size + size)
    return (t / (t + 2.0)).copysign(x)


@function("sigmoid")
def sigmoid(x: Value) -> Value:
    """1/(1 + exp(-x)), without overflow on either side; below 2.5 ulp."""
    small = x.code.math("exp", -abs(x))
    return x.lt(0.0).select(small, x.like(1.0)) / (small + 1.0)


@function("softplus")
def softplus(x: Value) -> Value:
    """log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)); below 2 ulp."""
    return x.lt(0.0).select(x.like(0.0), x) + x.code.math("log1p", x.code.math("exp", -abs(x)))
