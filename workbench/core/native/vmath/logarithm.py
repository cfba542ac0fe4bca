"""log, log1p, log2, log10.

x = 2ᵏ·(1 + f) with 1 + f in [√½, √2); s = f/(2 + f); log(1 + f) = f - (f²/2 - s·(f²/2 + R(s²))),
after FreeBSD's e_log.c and s_log1p.c (their minimax coefficients). Below 1 ulp.
"""

from __future__ import annotations

from workbench.core.native.ssa import Value
from workbench.core.native.vmath.table import function, is_double, through_double
from workbench.frozen import frozen


@frozen
class _Constants:
    mantissa: int
    bias: int
    sqrt_half: int  # the bits of √½
    smallest: float  # normal
    rescue: int  # denormals are multiplied by 2^rescue
    ln2_high: float
    ln2_low: float
    r: tuple[float, ...]


_DOUBLE = _Constants(
    52, 1023, 0x3FE6A09E667F3BCD, 2.0**-1022, 54, 0.6931471805582987, 1.6465949582897082e-12,
    (0.6666666666666735130, 0.3999999999940941908, 0.2857142874366239149, 0.2222219843214978396,
     0.1818357216161805012, 0.1531383769920937332, 0.1479819860511658591),
)  # fmt: skip
_SINGLE = _Constants(
    23, 127, 0x3F3504F3, 2.0**-126, 25, 0.693115234375, 3.1946184945309415e-05,
    (0xAAAAAA * 2.0**-24, 0xCCCE13 * 2.0**-25, 0x91E9EE * 2.0**-25, 0xF89E26 * 2.0**-26),
)  # fmt: skip


def _constants(x: Value) -> _Constants:
    return _DOUBLE if is_double(x) else _SINGLE


def split(x: Value) -> tuple[Value, Value]:
    """(f, k) for positive finite x, k as a float."""
    c = _constants(x)
    tiny = x.lt(c.smallest)
    bits = tiny.select(x * 2.0**c.rescue, x).bits
    above = bits - c.sqrt_half
    exponent = above.ashr(c.mantissa)
    f = (bits - (exponent << c.mantissa)).as_float() - 1.0
    k = exponent - tiny.select(exponent.like(c.rescue), 0)
    return f, _small_to_float(k, x)


def _small_to_float(k: Value, x: Value) -> Value:
    """|k| < 2^20 as a float, by its bits: vectors of int64 have no quick conversion everywhere."""
    magic = 1.5 * 2.0 ** _constants(x).mantissa
    return (k + x.like(magic).bits).as_float() - magic


def _tail(f: Value) -> tuple[Value, Value]:
    """f²/2 and s·(f²/2 + R): log(1 + f) = f - (first - second)."""
    half_square = f * f * 0.5
    s = f / (f + 2.0)
    z = s * s
    return half_square, s * (half_square + z * z.polynomial(_constants(f).r))


def _specials(x: Value, result: Value, pole: float) -> Value:
    """-inf at the pole, nan below it, inf and nan as they are."""
    infinity = float("inf")
    result = x.lt(infinity).select(result, x)
    result = x.eq(pole).select(x.like(-infinity), result)
    return x.lt(pole).select(x.like(float("nan")), result)


@function("log")
def log(x: Value) -> Value:
    """The natural logarithm."""
    c = _constants(x)
    f, k = split(x)
    half_square, rest = _tail(f)
    return _specials(x, k * c.ln2_high - ((half_square - (rest + k * c.ln2_low)) - f), 0.0)


@function("log1p")
def log1p(x: Value) -> Value:
    """log(u) + (what the rounding of u = 1 + x lost)/u."""
    c = _constants(x)
    u = x + 1.0
    f, k = split(u)
    lost = u.gt(2.0).select(1.0 - (u - x), x - (u - 1.0)) / u
    half_square, rest = _tail(f)
    result = k * c.ln2_high - ((half_square - (rest + (k * c.ln2_low + lost))) - f)
    return x.eq(0.0).select(x, _specials(x, result, -1.0))


def _other_base(x: Value, high: float, low: float, unit_high: float, unit_low: float) -> Value:
    """(log(1 + f) in two parts)·(high + low) + k·unit, after FreeBSD's e_log10.c."""
    f, k = split(x)
    half_square, rest = _tail(f)
    first = ((f - half_square).bits & ~0xFFFFFFFF).as_float()
    second = ((f - first) - half_square) + rest
    unit, product = k * unit_high, first * high
    total = unit + product
    lost = (unit - total) + product
    small = k * unit_low + (second + first) * low + second * high + lost
    return _specials(x, total + small, 0.0)


@function("log2")
def log2(x: Value) -> Value:
    """Exact for powers of two."""
    if not is_double(x):
        return through_double("log2", x)
    return _other_base(x, 1.442695040255785, 6.331784189566044e-10, 1.0, 0.0)


@function("log10")
def log10(x: Value) -> Value:
    """The logarithm to base ten."""
    if not is_double(x):
        return through_double("log10", x)
    return _other_base(
        x, 0.43429448176175356, 1.414982685385801e-10, 0.30102999566224753, 1.7336659603752853e-12
    )
