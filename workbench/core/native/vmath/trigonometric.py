"""sin and cos: x = n·π/2 + r, |r| <= π/4, r in two parts; the polynomials of FreeBSD's k_sin.c and
k_cos.c.

π/2 is in four parts of 33 bits (the last of 53), so that n times a part is exact for |n| < 2²⁰:
beyond, the whole vector goes to the C library. float32 is computed in float64, with less care.
Below 1 ulp.
"""

from __future__ import annotations

from workbench.core.native.ssa import Type, Value
from workbench.core.native.vmath.exponential import nearest
from workbench.core.native.vmath.lanes import by_lanes
from workbench.core.native.vmath.table import function, is_double

_HALF_PI = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32)
_TWO_OVER_PI = 0.6366197723675814
_LARGEST = 1.0e6  # where n is still far below 2²⁰
_SIN = (
    -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04,
    2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10,
)  # fmt: skip
_COS = (
    4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05,
    -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11,
)  # fmt: skip


@function("sin", inline=False)
def sin(x: Value) -> Value:
    """The sine of x radians."""
    return _either("sin", 0, x)


@function("cos", inline=False)
def cos(x: Value) -> Value:
    """The cosine of x radians."""
    return _either("cos", 1, x)


def _either(name: str, quarter: int, x: Value) -> Value:
    """The reduced sine or cosine, or the C library if an argument is huge."""
    code = x.code
    huge = _any(abs(x).gt(_LARGEST))
    code.line(f"br i1 {huge.name}, label %huge, label %usual")
    code.lines.append("usual:")
    usual = _reduced(x, quarter) if is_double(x) else _coarse(x, quarter)
    code.line("br label %end")
    code.lines.append("huge:")
    exact = by_lanes(name, x)
    code.line("br label %end")
    code.lines.append("end:")
    return code.put(x.type, f"phi {x.type.text} [ {usual.name}, %usual ], [ {exact.name}, %huge ]")


def _any(mask: Value) -> Value:
    if mask.type.lanes == 1:
        return mask
    reduce = f"llvm.vector.reduce.or.{mask.type.suffix}"
    return mask.code.put(Type("i1"), f"call i1 @{reduce}({mask.typed})")


def _reduced(x: Value, quarter: int) -> Value:
    """sin(x + quarter·π/2) for |x| up to _LARGEST; -0.0, inf and nan stay what they give."""
    n, integer = nearest(x * _TWO_OVER_PI)
    high, low = _remainder(x, n)
    value = _quadrant(integer + quarter, _sine(high, low), _cosine(high, low))
    return value if quarter else abs(x).lt(2.0**-27).select(x, value)


def _quadrant(turns: Value, sine: Value, cosine: Value) -> Value:
    """The function and the sign that a number of quarter turns has."""
    value = (turns & 1).ne(0).select(cosine, sine)
    return (value.bits ^ ((turns & 2) << 62)).as_float()


def _coarse(x: Value, quarter: int) -> Value:
    """The same in float32's precision, computed in float64 with shorter series."""
    wide = x.convert("fpext", "double")
    n, integer = nearest(wide * _TWO_OVER_PI)
    r = n.fma(-_HALF_PI[1], wide - n * _HALF_PI[0])
    z = r * r
    sine = (r * z).fma(z.polynomial(_SIN[:4]), r)
    cosine = (z * z).fma(z.polynomial(_COS[:4]), 1.0 - 0.5 * z)
    value = _quadrant(integer + quarter, sine, cosine).convert("fptrunc", "float")
    return value if quarter else x.eq(0.0).select(x, value)


def _remainder(x: Value, n: Value) -> tuple[Value, Value]:
    """x - n·π/2 as high + low: each part is taken off with what the subtraction before it lost."""
    high, low = x - n * _HALF_PI[0], x.like(0.0)
    for part in _HALF_PI[1:]:
        product = n * part
        rest = high - product
        back = rest - high
        lost = (high - (rest - back)) - (product + back)
        high, low = rest, low + lost
    total = high + low
    return total, (high - total) + low


def _sine(x: Value, low: Value) -> Value:
    """sin(x + low) for |x| <= π/4."""
    z = x * x
    v = z * x
    rest = z.polynomial(_SIN[1:])
    return x - ((z * (0.5 * low - v * rest) - low) - v * _SIN[0])


def _cosine(x: Value, low: Value) -> Value:
    """cos(x + low) for |x| <= π/4."""
    z = x * x
    rest = z * z.polynomial(_COS)
    half = 0.5 * z
    w = 1.0 - half
    return w + (((1.0 - w) - half) + (z * rest - x * low))
