"""erf and erfc.

erfc(x) = exp(-x²)·g(t)/(1 + 2x) for x >= 0 with t = (x - K)/(x + K), K = 3.75 (Shepherd and
Laframboise 1981); g and erf(x)/x - 1 on [0, 1] are interpolated at Chebyshev nodes, with relative
errors below 2⁻⁶⁰ in float64 and 2⁻²⁶ in float32. erf is below 2 ulp, erfc below 5.
"""

from __future__ import annotations

from workbench.core.native.ssa import Value
from workbench.core.native.vmath.exponential import exp_of_sum
from workbench.core.native.vmath.table import function, is_double
from workbench.frozen import frozen

_K = 3.75


@frozen
class _Constants:
    """Where erfc is 0, g in powers of t, erf(x)/x - 1 in powers of x²."""

    largest: float
    g: tuple[float, ...]
    near: tuple[float, ...]


_DOUBLE = _Constants(
    28.0,
    (
        1.2375126308378275, -0.140240598585547, 0.0035854154854636057,
        0.08227673849014927, -0.10880393014170199, 0.09230432116026986,
        -0.058693398590679784, 0.028362277420151644, -0.009746579546082752,
        0.001755625847022551, 0.00029371358546110594, -0.000290154075774528,
        5.164943471278954e-05, 2.238432573107579e-05, -1.1445047946585976e-05,
        -9.740244744013555e-07, 1.7531716883552848e-06, -5.606223945821546e-08,
        -2.6021705136960196e-07, 2.166247267241668e-08, 3.941838305010959e-08,
        -2.551993504058055e-09, -5.1561861565166395e-09, -6.255766439518075e-11,
        3.093226583830838e-10,
    ),
    (
        0.1283791670955126, -0.3761263890318375, 0.11283791670954879,
        -0.026866170645076792, 0.0052239776248180145, -0.000854832698083379,
        0.0001205533111164271, -1.4925595266831182e-05, 1.6461000484121368e-06,
        -1.6350312701054695e-07, 1.4659775274047436e-08, -1.1372848856791674e-09,
        5.957176147748911e-11,
    ),
)  # fmt: skip
_SINGLE = _Constants(
    10.6,
    (
        1.2375126368782203, -0.14024051040376265, 0.003584691335305019,
        0.08227252020572445, -0.10879229860190517, 0.09236454348541796,
        -0.058727166429027707, 0.02803355595743557, -0.009942087147756259,
        0.002300965817612882, 0.0010952937549077635,
    ),
    (
        0.1283791658483509, -0.37612626666720334, 0.11283594715160218,
        -0.026854212010626412, 0.005189087423433974, -0.000801686428716587,
        7.875875062685488e-05,
    ),
)  # fmt: skip


def _constants(x: Value) -> _Constants:
    return _DOUBLE if is_double(x) else _SINGLE


def _upper(size: Value) -> Value:
    """Erfc of a number that is not negative."""
    c = _constants(size)
    size = size.gt(c.largest).select(size.like(c.largest), size)
    square = size * size
    lost = size.exact_fma(size, -square)
    t = (size - _K) / (size + _K)
    return exp_of_sum(-square, -lost) * (t.polynomial(c.g) / size.fma(2.0, 1.0))


def _near(x: Value) -> Value:
    """Erf of a number between -1 and 1."""
    return x.fma((x * x).polynomial(_constants(x).near), x)


@function("erf", inline=False)
def erf(x: Value) -> Value:
    """The error function."""
    size = abs(x)
    far = (1.0 - _upper(size)).copysign(x)
    return size.lt(1.0).select(_near(x), far)


@function("erfc", inline=False)
def erfc(x: Value) -> Value:
    """1 - erf(x), exact for large x too."""
    size = abs(x)
    upper = _upper(size)
    upper = x.lt(0.0).select(2.0 - upper, upper)
    return size.lt(0.5).select(1.0 - _near(x), upper)
