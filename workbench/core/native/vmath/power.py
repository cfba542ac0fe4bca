"""pow: exp(y·log|x|) with the logarithm in two doubles (float32: in one), then the special cases.
Below 1 ulp.

log(1 + f) = 2·atanh(s), s = f/(2 + f). Exact products are by `llvm.fma`: the one place where
rounding twice would be wrong.
"""

from __future__ import annotations

from workbench.core.native.ssa import Value
from workbench.core.native.vmath import logarithm
from workbench.core.native.vmath.exponential import clamp, exp2_coarse, exp_of_sum
from workbench.core.native.vmath.table import function, is_double

_LN2_HIGH, _LN2_LOW = 0.6931471805599453, 2.3190468138462996e-17
_TWO_THIRDS_HIGH, _TWO_THIRDS_LOW = 0.6666666666666666, 3.700743415417188e-17
# (2·atanh(s) - 2s - 2s³/3)/s⁵ in s², interpolated: error < 2⁻⁶² of the whole
_ATANH = (
    0.4000000000000003, 0.2857142857133801, 0.22222222271326808, 0.18181808210921882,
    0.15385577463308145, 0.13285868837545742, 0.1291471218393509,
)  # fmt: skip

_ATANH_LOG2 = tuple(2.8853900817779268 / (2 * i + 1) for i in range(7))
"""2·atanh(s)/(s·ln 2) in s²."""

Pair = tuple[Value, Value]
"""An unevaluated sum of a number and a much smaller one."""


@function("pow", 2, inline=False)
def pow(x: Value, y: Value) -> Value:
    """x to the y as NumPy has it for all special values."""
    size = abs(x)
    magnitude = _double(size, y) if is_double(x) else _single(size, y)
    return _specials(x, y, size, magnitude)


def _double(size: Value, y: Value) -> Value:
    high, low = _log(size)
    product = y * high
    rest = y.exact_fma(high, -product) + y * low
    rest = abs(product).lt(1000.0).select(rest, 0.0)  # beyond it is inf - inf, and exp is 0 or inf
    return exp_of_sum(product, rest)


def _single(size: Value, y: Value) -> Value:
    """2^(y·log2 x) in double, to float32's precision."""
    x, y = (v.convert("fpext", "double") for v in (size, y))
    f, k = logarithm.split(x)
    s = f / (f + 2.0)
    power = y * s.fma((s * s).polynomial(_ATANH_LOG2), k)
    return exp2_coarse(clamp(power, -200.0, 200.0)).convert("fptrunc", "float")


def _specials(x: Value, y: Value, size: Value, magnitude: Value) -> Value:
    """The result for any x and y, given |x|^y for ordinary ones."""
    infinity = float("inf")
    grows = size.gt(1.0) ^ y.lt(0.0)
    limit = grows.select(y.like(infinity), 0.0)
    extreme = size.eq(0.0) | size.eq(infinity) | abs(y).eq(infinity)
    result = extreme.select(size.eq(1.0).select(y.like(1.0), limit), magnitude)
    result = _signed(x, y, result)
    result = x.isnan().select(x, y.isnan().select(y, result))
    return (y.eq(0.0) | x.eq(1.0)).select(y.like(1.0), result)


def _signed(x: Value, y: Value, result: Value) -> Value:
    """Minus for odd powers of negative numbers, nan for broken ones."""
    half = y * 0.5
    floor = y.code.intrinsic("floor", y)
    whole = floor.eq(y)
    odd = whole & y.code.intrinsic("floor", half).ne(half) & abs(y).lt(float("inf"))
    negative = x.bits.lt(0)
    signed = (negative & odd).select(-result, result)
    broken = x.lt(0.0) & ~whole & x.gt(-float("inf"))
    return broken.select(x.like(float("nan")), signed)


def _log(x: Value) -> Pair:
    """Log x for positive finite x in two doubles, to about 2⁻⁶⁵."""
    f, k = logarithm.split(x)
    s_high, s_low = _quotient(f)
    z_high, z_low = _product((s_high, s_low), (s_high, s_low))
    bracket = _sum(f.like(_TWO_THIRDS_HIGH), z_high * z_high.polynomial(_ATANH))
    bracket = bracket[0], bracket[1] + _TWO_THIRDS_LOW
    cubic = _product(_product((s_high, s_low), (z_high, z_low)), bracket)
    high, low = _sum(s_high * 2.0, cubic[0])
    low = low + (s_low * 2.0 + cubic[1])
    whole = k * _LN2_HIGH
    lost = k.exact_fma(_LN2_HIGH, -whole) + k * _LN2_LOW
    top, rest = _sum(whole, high)
    return _sum(top, rest + (low + lost))


def _quotient(f: Value) -> Pair:
    """f/(2 + f) for |f| < 1."""
    bottom = f + 2.0
    lost = f - (bottom - 2.0)
    high = f / bottom
    rest = (-high).exact_fma(bottom, f) - high * lost
    return high, rest / bottom


def _sum(a: Value, b: Value) -> Pair:
    """A + b exactly."""
    total = a + b
    second = total - a
    return total, (a - (total - second)) + (b - second)


def _product(a: Pair, b: Pair) -> Pair:
    high = a[0] * b[0]
    low = a[0].exact_fma(b[0], -high) + (a[0] * b[1] + a[1] * b[0])
    return high, low
