"""The derivatives of digamma: formulas of primitives, for every back end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.scalars import Grads, psi
from workbench.core.ops.scalars.formula import FloatFormula
from workbench.core.terms import Term
from workbench.errors import GraphError
from workbench.frozen import frozen

# B₂ₖ for k = 1 …
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


@frozen
class Polygamma(FloatFormula):
    """The n-th derivative of digamma, for a whole n >= 1 (n = 1 is trigamma).

    Below 0 by reflection, then by ψ⁽ⁿ⁾(x) = ψ⁽ⁿ⁾(x + 1) - (-1)ⁿ n!/xⁿ⁺¹ to where the asymptotic
    series holds (Abramowitz and Stegun 6.4.6, 6.4.7, 6.4.11). Computed in float64; below 64 ulp but
    near its zeros, where the error is absolute.
    """

    order: int = 1
    name: ClassVar[str] = "polygamma"
    domain: ClassVar[tuple[tuple[float, float], ...]] = ((0.3, 5.0),)
    ulp: ClassVar[float] = 64

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)

    @staticmethod
    def numpy(x: Any) -> Any:
        import scipy.special

        return scipy.special.polygamma(1, x.astype("float64"))

    def compute_dtype(self, *dtypes: str) -> str:
        return "float64"

    def write(self, *terms: Term) -> Term:
        (x,) = terms
        n = self.order
        below = x.lt(0)
        upper = self._upper(below.select(1 - x, x))
        fraction = (x - x.prim("rint")) * math.pi
        cotangent = 1 / fraction.prim("tan")
        turned = cotangent.polynomial(cotangent_derivative(n)) * math.pi ** (n + 1)
        result = below.select((upper if n % 2 == 0 else -upper) - turned, upper)
        pole = x.le(0) & x.eq(x.prim("floor"))
        return pole.select(x.like(math.inf), result)

    def _upper(self, x: Term) -> Term:
        """For x >= 0."""
        n, sign = self.order, -1.0 if self.order % 2 == 0 else 1.0
        large = 12 + n
        total = x.like(0)
        for _ in range(large):
            small = x.lt(large)
            total = small.select(total + 1 / _power(x, n + 1), total)
            x = small.select(x + 1, x)
        factorial = math.factorial(n)
        inverse = 1 / x
        series = [
            bernoulli * math.factorial(2 * k + n - 1) / (math.factorial(2 * k) * factorial)
            for k, bernoulli in enumerate(_BERNOULLI, 1)
        ]
        square = inverse * inverse
        tail = 1.0 / n + inverse * 0.5 + square * square.polynomial(series)
        return (total + _power(inverse, n) * tail) * (sign * factorial)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * polygamma(self.order + 1, inputs[0])]

    def __hash__(self) -> int:
        return hash((Polygamma, self.order))

    def __str__(self) -> str:
        return f"polygamma({self.order})"


def _power(x: Term, n: int) -> Term:
    result = x
    for bit in bin(n)[3:]:
        result = result * result
        if bit == "1":
            result = result * x
    return result


@cache
def cotangent_derivative(n: int) -> tuple[float, ...]:
    """The n-th derivative of cot as a polynomial in cot: from (cot)' = -1 - cot².

    >>> cotangent_derivative(1)
    (-1.0, 0.0, -1.0)
    """
    if n == 0:
        return (0.0, 1.0)
    slope = [k * c for k, c in enumerate(cotangent_derivative(n - 1))][1:]
    grown = [0.0] * (len(slope) + 2)
    for k, c in enumerate(slope):
        grown[k] -= c
        grown[k + 2] -= c
    return tuple(grown)


def polygamma(n: int, x: Any) -> Any:
    """The n-th derivative of digamma; n is a number, 0 for digamma itself."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 0:
        raise GraphError(f"polygamma: {n!r} is not a whole number from 0 on", advice="give an int")
    return psi(x) if n == 0 else Elemwise(Polygamma(n))(x)


def trigamma(x: Any) -> Any:
    """The derivative of digamma."""
    return polygamma(1, x)
