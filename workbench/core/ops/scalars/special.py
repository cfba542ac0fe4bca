"""Special functions as scalar ops.

They are scipy's, in the interpreter and natively: there its C function is called for each element,
in float64 also for float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.graph import Constant, Variable, describe
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.gradient_control import disconnected_grad
from workbench.core.ops.scalars import (
    FloatOp,
    Grads,
    add,
    eq,
    exp,
    gamma,
    gammaln,
    ge,
    log,
    log1p,
    neg,
    psi,
    sigmoid,
    sqr,
    sub,
    switch,
)
from workbench.core.ops.scalars.kinds import like
from workbench.core.types import as_tensor, constant, float_like, is_discrete, tensor_type
from workbench.errors import NullGradientError

_HALF_ROOT_PI = math.sqrt(math.pi) / 2


def _scipy(name: str) -> Callable[..., Any]:
    """Scipy's function of this name, in float64 also for float32."""

    def call(*args: Any) -> Any:
        import scipy.special  # here: it costs a fifth of a second to import

        return getattr(scipy.special, name)(*(a.astype("float64") for a in args))

    return staticmethod(call)


class _Special(FloatOp):
    complexes, ulp = False, 1


class Erfinv(_Special):
    """The inverse of erf, on (-1, 1)."""

    name, numpy, domain = "erfinv", _scipy("erfinv"), ((-0.9, 0.9),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * exp(sqr(output)) * like(_HALF_ROOT_PI, g)]


class Erfcinv(_Special):
    """The inverse of erfc, on (0, 2)."""

    name, numpy, domain = "erfcinv", _scipy("erfcinv"), ((0.1, 1.9),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [-g * exp(sqr(output)) * like(_HALF_ROOT_PI, g)]


class Erfcx(_Special):
    """exp(x²)·erfc(x), finite for large x."""

    name, numpy = "erfcx", _scipy("erfcx")

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * (2 * inputs[0] * output - like(1 / _HALF_ROOT_PI, g))]


class LogNdtr(_Special):
    """The logarithm of the normal distribution's cumulative function."""

    name, numpy = "log_ndtr", _scipy("log_ndtr")

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        density = exp(like(-0.5, g) * sqr(inputs[0]) - output)
        return [g * density * like(1 / math.sqrt(2 * math.pi), g)]


class I0(_Special):
    """The modified Bessel function of order 0."""

    name, numpy = "i0", _scipy("i0")

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * i1(inputs[0])]


class I1(_Special):
    """The modified Bessel function of order 1."""

    name, numpy = "i1", _scipy("i1")

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * (i0(inputs[0]) + iv(2, inputs[0])) * like(0.5, g)]


class J0(_Special):
    """The Bessel function of order 0."""

    name, numpy = "j0", _scipy("j0")

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [-g * j1(inputs[0])]


class J1(_Special):
    """The Bessel function of order 1."""

    name, numpy = "j1", _scipy("j1")

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * (j0(inputs[0]) - jv(2, inputs[0])) * like(0.5, g)]


class _ByLast(_Special):
    """A function whose derivative by its last operand is known here: the others have to be
    constants.
    """

    arity = 2

    def slope(self, inputs: Sequence[Any], output: Any) -> Any:
        """The derivative by the last operand."""
        raise NotImplementedError  # every subclass has one

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        *parameters, _ = inputs
        for v in parameters:
            if not _is_fixed(v):
                raise NullGradientError(
                    f"{self.name} has no gradient by {v}: only that by its last operand is known",
                    describe(self, inputs),
                    advice="wrap it in disconnected_grad if nothing is meant to flow back to it",
                )
        return [*(None for _ in parameters), g * self.slope(inputs, output)]

    def connected(self, index: int) -> bool:
        return True


def _is_fixed(v: Variable) -> bool:
    """Whether nothing flows back to it: a constant, an integer, or what the user has cut off."""
    made = v.owner
    cut = made is not None and not any(made.op.connected(i) for i in range(len(made.inputs)))
    return cut or isinstance(v, Constant) or is_discrete(tensor_type(v).dtype)


def _moved(order: Any, step: int) -> Any:
    return disconnected_grad(add(order, step))


class Iv(_ByLast):
    """The modified Bessel function of real order v."""

    name, numpy, domain = "iv", _scipy("iv"), ((0.3, 3.0), (0.3, 3.0))

    def slope(self, inputs: Sequence[Any], output: Any) -> Any:
        v, x = inputs
        return (iv(_moved(v, -1), x) + iv(_moved(v, 1), x)) / 2


class Jv(_ByLast):
    """The Bessel function of real order v."""

    name, numpy, domain = "jv", _scipy("jv"), ((0.3, 3.0), (0.3, 3.0))

    def slope(self, inputs: Sequence[Any], output: Any) -> Any:
        v, x = inputs
        return (jv(_moved(v, -1), x) - jv(_moved(v, 1), x)) / 2


class GammaInc(_ByLast):
    """The regularised lower incomplete gamma function P(a, x)."""

    name, numpy, domain = "gammainc", _scipy("gammainc"), ((0.3, 3.0), (0.3, 3.0))

    def slope(self, inputs: Sequence[Any], output: Any) -> Any:
        return _gamma_density(*inputs)


class GammaIncC(_ByLast):
    """The regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x)."""

    name, numpy, domain = "gammaincc", _scipy("gammaincc"), ((0.3, 3.0), (0.3, 3.0))

    def slope(self, inputs: Sequence[Any], output: Any) -> Any:
        return -_gamma_density(*inputs)


def _gamma_density(a: Any, x: Any) -> Any:
    return exp(sub(a, 1) * log(x) - x - gammaln(a))


class BetaInc(_ByLast):
    """The regularised incomplete beta function I_x(a, b)."""

    arity = 3
    name, numpy = "betainc", _scipy("betainc")
    domain = ((0.3, 3.0), (0.3, 3.0), (0.1, 0.9))

    def slope(self, inputs: Sequence[Any], output: Any) -> Any:
        a, b, x = inputs
        return exp(sub(a, 1) * log(x) + sub(b, 1) * log1p(-x) - betaln(a, b))


class Betaln(_Special):
    """The logarithm of |B(a, b)|."""

    name, arity, numpy, commutative = "betaln", 2, _scipy("betaln"), True
    domain = ((0.3, 3.0),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        a, b = inputs
        both = psi(a + b)
        return [g * (psi(a) - both), g * (psi(b) - both)]


class Beta(_Special):
    """The beta function Γ(a)Γ(b)/Γ(a + b)."""

    name, arity, numpy, commutative = "beta", 2, _scipy("beta"), True
    domain = ((0.3, 3.0),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        a, b = inputs
        both = psi(a + b)
        return [g * output * (psi(a) - both), g * output * (psi(b) - both)]


erfinv, erfcinv, erfcx = Elemwise(Erfinv()), Elemwise(Erfcinv()), Elemwise(Erfcx())
log_ndtr = Elemwise(LogNdtr())
i0, i1, iv = Elemwise(I0()), Elemwise(I1()), Elemwise(Iv())
j0, j1, jv = Elemwise(J0()), Elemwise(J1()), Elemwise(Jv())
gammainc, gammaincc, betainc = Elemwise(GammaInc()), Elemwise(GammaIncC()), Elemwise(BetaInc())
beta, betaln = Elemwise(Beta()), Elemwise(Betaln())
digamma, expit = psi, sigmoid


def gammal(k: Any, x: Any) -> Any:
    """The lower incomplete gamma function, not regularised: `gammainc` times Γ(k)."""
    return gammainc(k, x) * gamma(k)


def gammau(k: Any, x: Any) -> Any:
    """The upper incomplete gamma function, not regularised: `gammaincc` times Γ(k)."""
    return gammaincc(k, x) * gamma(k)


def chi2sf(x: Any, k: Any) -> Any:
    """The survival function of the chi-squared distribution with k degrees of freedom."""
    return gammaincc(as_tensor(k) / _half(k), as_tensor(x) / _half(x))


def _half(x: Any) -> Any:
    return constant(2, float_like(tensor_type(as_tensor(x)).dtype))


def log1mexp(x: Any) -> Any:
    """log(1 - exp(x)) for x < 0, exact near 0 and for large |x|."""
    from workbench.core.ops.scalars import expm1

    near = ge(x, -math.log(2))
    return switch(near, log(-expm1(x)), log1p(-exp(x)))


def logit(x: Any) -> Any:
    """log(x/(1 - x)), the inverse of sigmoid."""
    return log(x) - log1p(neg(x))


def xlogx(x: Any) -> Any:
    """x·log(x), 0 at 0."""
    return xlogy0(x, x)


def xlogy0(x: Any, y: Any) -> Any:
    """x·log(y), 0 where x is 0."""
    zero = eq(x, 0)
    return switch(zero, 0, as_tensor(x) * log(switch(zero, 1, y)))


def entr(x: Any) -> Any:
    """-x·log(x), 0 at 0: the entropy's terms; -inf below 0."""
    from workbench.core.ops.scalars import lt

    negative = lt(x, 0)
    return switch(negative, -math.inf, -xlogx(switch(negative, 1, x)))
