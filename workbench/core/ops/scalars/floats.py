"""More scalar ops of NumPy's: roots, sums of exponentials, signs and neighbours of floats, rests of
divisions, rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.scalars import (
    CompareOp,
    FloatOp,
    Grads,
    RoundOp,
    absolute,
    cos,
    eq,
    ge,
    isnan,
    le,
    lt,
    or_,
    sigmoid,
    sign,
    sqr,
    switch,
    trunc,
    zeros_like,
)
from workbench.core.ops.scalars.formula import FloatFormula, Formula
from workbench.core.ops.scalars.kinds import like
from workbench.core.scalar import ScalarBuilder
from workbench.core.terms import Term
from workbench.core.types import is_discrete, upcast


class Cbrt(FloatOp):
    """The third root, of negative numbers too."""

    complexes = False
    name, numpy, domain = "cbrt", np.cbrt, ((0.1, 5.0),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g / (3 * sqr(output))]


class Hypot(FloatFormula):
    """sqrt(x² + y²), without overflow on the way; inf with inf even where the other is nan. Its
    slope at (0, 0) is 0.
    """

    name, arity, numpy, ulp, commutative = "hypot", 2, np.hypot, 4, True
    domain = ((0.3, 3.0), (-3.0, -0.3))

    def write(self, *terms: Term) -> Term:
        x, y = map(abs, terms)
        large, small = x.prim("maximum", y), x.prim("minimum", y)
        ratio = small / large.eq(0).select(large.like(1), large)
        length = large * (ratio * ratio + 1).prim("sqrt")
        return (x.isinf() | y.isinf()).select(large.like(math.inf), length)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        x, y = inputs
        length = switch(eq(output, 0), 1, output)
        return [g * (x / length), g * (y / length)]


class Logaddexp(FloatFormula):
    """log(exp(x) + exp(y)), without overflow on the way."""

    name, arity, numpy, ulp, commutative = "logaddexp", 2, np.logaddexp, 4, True

    def write(self, *terms: Term) -> Term:
        large, gap = _largest_and_gap(*terms)
        return large + gap.prim("exp").prim("log1p")

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        gap = _difference(*inputs)
        return [g * sigmoid(gap), g * sigmoid(-gap)]


class Logaddexp2(FloatFormula):
    """log2(2 ** x + 2 ** y), without overflow on the way."""

    name, arity, numpy, ulp, commutative = "logaddexp2", 2, np.logaddexp2, 4, True

    def write(self, *terms: Term) -> Term:
        large, gap = _largest_and_gap(*terms)
        return large + gap.prim("exp2").prim("log1p") * math.log2(math.e)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        gap = _difference(*inputs) * like(math.log(2), g)
        return [g * sigmoid(gap), g * sigmoid(-gap)]


def _largest_and_gap(x: Term, y: Term) -> tuple[Term, Term]:
    """The larger of two and the smaller less it; equal infinities have no difference."""
    large, small = x.prim("maximum", y), x.prim("minimum", y)
    return large, large.eq(small).select(large.like(0), small - large)


def _difference(x: Any, y: Any) -> Any:
    return switch(eq(x, y), 0, x - y)


class Fmod(Formula):
    """The rest of division towards zero, of the dividend's sign: C's. `mod` has the divisor's."""

    name, arity, numpy, ulp = "fmod", 2, np.fmod, 0
    domain = ((-3.0, 3.0), (0.5, 3.0))

    def dtype(self, *dtypes: str) -> str:
        wide = upcast(*dtypes)
        return "int8" if wide == "bool" else wide

    def write(self, *terms: Term) -> Term:
        x, y = terms
        if not is_discrete(x.dtype):
            return x.prim("fmod", y)
        rest = x.prim("mod", y)
        return (rest.ne(0) & (x.lt(0) ^ y.lt(0))).select(rest - y, rest)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        x, y = inputs
        return [g, -g * trunc(x / y)]


class Copysign(FloatOp):
    """|x| with the sign of y."""

    name, arity, numpy, ulp, complexes = "copysign", 2, np.copysign, 0, False

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * sign(inputs[0]) * sign(output), zeros_like(g)]


class Nextafter(FloatOp):
    """The float next to x on the way to y."""

    name, arity, numpy, ulp, complexes = "nextafter", 2, np.nextafter, 0, False

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g, zeros_like(g)]


class Heaviside(FloatFormula):
    """0 below 0, 1 above, `y` at 0; nan stays."""

    name, arity, numpy, ulp = "heaviside", 2, np.heaviside, 0

    def write(self, *terms: Term) -> Term:
        x, y = terms
        above = x.gt(0).select(x.like(1), x.isnan().select(x, y))
        return x.lt(0).select(x.like(0), above)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [zeros_like(g), switch(eq(inputs[0], 0), g, 0)]


class Fmax(Formula):
    """The larger one; where one is nan, the other."""

    name, arity, numpy, ulp, commutative = "fmax", 2, np.fmax, 0, True

    def write(self, *terms: Term) -> Term:
        x, y = terms
        if x.dtype == "bool":
            return x | y
        return y.isnan().select(x, x.isnan().select(y, x.prim("maximum", y)))

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        x, y = inputs
        first = or_(isnan(y), ge(x, y))
        return [switch(first, g, 0), switch(first, 0, g)]


class Fmin(Formula):
    """The smaller one; where one is nan, the other."""

    name, arity, numpy, ulp, commutative = "fmin", 2, np.fmin, 0, True

    def write(self, *terms: Term) -> Term:
        x, y = terms
        if x.dtype == "bool":
            return x & y
        return y.isnan().select(x, x.isnan().select(y, x.prim("minimum", y)))

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        x, y = inputs
        first = or_(isnan(y), le(x, y))
        return [switch(first, g, 0), switch(first, 0, g)]


class Sinc(FloatFormula):
    """sin(πx)/(πx), 1 at 0."""

    name, numpy, ulp, domain = "sinc", np.sinc, 4, ((-0.9, 0.9),)

    def write(self, *terms: Term) -> Term:
        (x,) = terms
        angle = x * math.pi
        zero = x.eq(0)
        return zero.select(x.like(1), angle.prim("sin") / zero.select(x.like(1), angle))

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        (x,) = inputs
        near = lt(absolute(x), like(0.01, g))
        square = sqr(x * like(math.pi, g))
        series = x * like(-(math.pi**2) / 3, g) * (1 - square / 10 * (1 - square / 28))
        away = (cos(x * like(math.pi, g)) - output) / switch(near, 1, x)
        return [g * switch(near, series, away)]


class RoundHalfAway(RoundOp, Formula):
    """To the nearest whole number; halves go away from zero."""

    name = "round_half_away_from_zero"
    numpy = staticmethod(
        lambda x: np.copysign(_half_up(np.abs(x)), x) if x.dtype.kind == "f" else x
    )

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        (x,) = args
        return x if is_discrete(b.dtypes[x]) else Formula.lower(self, b, x)

    def write(self, *terms: Term) -> Term:
        (x,) = terms
        whole = x.prim("trunc")
        away = abs(x - whole).ge(0.5)
        return away.select(whole + x.prim("sign"), whole)


def _half_up(x: Any) -> Any:
    return np.floor(x) + (x - np.floor(x) >= 0.5)


class _Test(CompareOp):
    """A question about one real number."""

    arity, complexes = 1, False

    def ask(self, x: Term) -> Term:
        raise NotImplementedError  # every subclass has one

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return self.ask(Term(b, args[0])).index


class IsFinite(_Test):
    """Neither infinite nor nan."""

    name, numpy, complexes = "isfinite", np.isfinite, True

    def ask(self, x: Term) -> Term:
        if is_discrete(x.dtype):
            return Term(x.builder, x.builder.const(True, "bool"))
        return ~(x.isnan() | x.isinf())


class SignBit(_Test):
    """Whether the sign is set: of -0.0, too."""

    name, numpy = "signbit", np.signbit

    def ask(self, x: Term) -> Term:
        if is_discrete(x.dtype):
            zero = x.like(0)
            return x.lt(zero)
        return x.like(1).prim("copysign", x).lt(0)


class IsPosInf(_Test):
    """inf, and not -inf."""

    name, numpy = "isposinf", np.isposinf

    def ask(self, x: Term) -> Term:
        if is_discrete(x.dtype):
            return Term(x.builder, x.builder.const(False, "bool"))
        return x.eq(math.inf)


class IsNegInf(_Test):
    """-inf, and not inf."""

    name, numpy = "isneginf", np.isneginf

    def ask(self, x: Term) -> Term:
        if is_discrete(x.dtype):
            return Term(x.builder, x.builder.const(False, "bool"))
        return x.eq(-math.inf)


cbrt, hypot = Elemwise(Cbrt()), Elemwise(Hypot())
logaddexp, logaddexp2 = Elemwise(Logaddexp()), Elemwise(Logaddexp2())
fmod, copysign, nextafter = Elemwise(Fmod()), Elemwise(Copysign()), Elemwise(Nextafter())
heaviside, fmax, fmin, sinc = (
    Elemwise(Heaviside()), Elemwise(Fmax()), Elemwise(Fmin()), Elemwise(Sinc()),
)  # fmt: skip
isfinite, signbit, isposinf, isneginf = (
    Elemwise(IsFinite()), Elemwise(SignBit()), Elemwise(IsPosInf()), Elemwise(IsNegInf()),
)  # fmt: skip
round_half_away_from_zero = Elemwise(RoundHalfAway())
