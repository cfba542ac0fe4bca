"""digamma, the derivative of log Γ.

Below zero ψ(x) = ψ(1 - x) - π/tan(πx); then ψ(x) = ψ(x + 1) - 1/x up to 10, and from there on the
asymptotic series log x - 1/(2x) - Σ B₂ₖ/(2k·x²ᵏ) (Abramowitz and Stegun 6.3.18). Below 8 ulp, but
for the neighbourhood of its zeros, where the error is absolute. float32 is computed in float64.
"""

from __future__ import annotations

import math

from workbench.core.native.ssa import Value
from workbench.core.native.vmath.table import function, is_double, through_double

_LARGE = 10
_SERIES = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)


@function("digamma", inline=False)
def digamma(x: Value) -> Value:
    """The logarithmic derivative of the gamma function; nan at negative whole numbers."""
    if not is_double(x):
        return through_double("digamma", x)
    negative = x.lt(0.0)
    positive = _positive(negative.select(1.0 - x, x))
    result = negative.select(positive - _cotangent(x), positive)
    whole = negative & x.eq(x.rint())
    result = whole.select(x.like(math.nan), result)
    return x.eq(0.0).select(x.like(-math.inf).copysign(-x), result)


def _positive(x: Value) -> Value:
    shift = x.like(0.0)
    for _ in range(_LARGE):
        small = x.lt(float(_LARGE))
        shift = small.select(shift - 1.0 / x, shift)
        x = small.select(x + 1.0, x)
    inverse = 1.0 / x
    square = inverse * inverse
    return shift + (x.code.math("log", x) - 0.5 * inverse - square * square.polynomial(_SERIES))


def _cotangent(x: Value) -> Value:
    """π/tan(πx): exact in the fraction of x."""
    fraction = x - x.rint()
    return math.pi / x.code.math("tan", fraction * math.pi)
