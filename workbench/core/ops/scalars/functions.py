"""Scalar ops that are functions of real numbers: exponentials, logarithms, trigonometry, special
functions, rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.scalars.kinds import FloatOp, Grads, RoundOp, like, prim_as
from workbench.core.scalar import PRIMITIVES, ScalarBuilder
from workbench.core.types import is_discrete

# Exponentials and logarithms


class Exp(FloatOp):
    name, numpy = "exp", np.exp

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * output]


class Exp2(FloatOp):
    name, numpy = "exp2", np.exp2

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * output * like(math.log(2), g)]


class Expm1(FloatOp):
    name, numpy = "expm1", np.expm1

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * (output + 1)]


class Log(FloatOp):
    name, numpy, domain = "log", np.log, ((0.1, 5.0),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g / inputs[0]]


class Log2(FloatOp):
    name, numpy, domain = "log2", np.log2, ((0.1, 5.0),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g / (inputs[0] * like(math.log(2), g))]


class Log10(FloatOp):
    name, numpy, domain = "log10", np.log10, ((0.1, 5.0),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g / (inputs[0] * like(math.log(10), g))]


class Log1p(FloatOp):
    name, numpy, domain = "log1p", np.log1p, ((-0.9, 5.0),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g / (inputs[0] + 1)]


class Sqrt(FloatOp):
    name, numpy, domain, ulp = "sqrt", np.sqrt, ((0.1, 5.0),), 0

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * 0.5 / output]


class Sigmoid(FloatOp):
    complexes = False
    name, numpy = "sigmoid", PRIMITIVES["sigmoid"].numpy

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * output * (1 - output)]


class Softplus(FloatOp):
    complexes = False
    name, numpy = "softplus", PRIMITIVES["softplus"].numpy

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * sigmoid(inputs[0])]


# Trigonometry and hyperbolics


class Sin(FloatOp):
    name, numpy = "sin", np.sin

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * cos(inputs[0])]


class Cos(FloatOp):
    name, numpy = "cos", np.cos

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [-g * sin(inputs[0])]


class Tan(FloatOp):
    name, numpy, domain = "tan", np.tan, ((-1.2, 1.2),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * (1 + output * output)]


class Arcsin(FloatOp):
    name, numpy, domain = "arcsin", np.arcsin, ((-0.9, 0.9),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g / sqrt(1 - inputs[0] * inputs[0])]


class Arccos(FloatOp):
    name, numpy, domain = "arccos", np.arccos, ((-0.9, 0.9),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [-g / sqrt(1 - inputs[0] * inputs[0])]


class Arctan(FloatOp):
    name, numpy = "arctan", np.arctan

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g / (1 + inputs[0] * inputs[0])]


class Arctan2(FloatOp):
    complexes = False
    name, arity, numpy, domain = "arctan2", 2, np.arctan2, ((0.3, 3.0),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        y, x = inputs
        square = x * x + y * y
        return [g * x / square, -g * y / square]


class Sinh(FloatOp):
    name, numpy = "sinh", np.sinh

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * cosh(inputs[0])]


class Cosh(FloatOp):
    name, numpy = "cosh", np.cosh

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * sinh(inputs[0])]


class Tanh(FloatOp):
    name, numpy = "tanh", np.tanh

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * (1 - output * output)]


class Arcsinh(FloatOp):
    name, numpy = "arcsinh", np.arcsinh

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g / sqrt(inputs[0] * inputs[0] + 1)]


class Arccosh(FloatOp):
    name, numpy, domain = "arccosh", np.arccosh, ((1.2, 5.0),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g / sqrt(inputs[0] * inputs[0] - 1)]


class Arctanh(FloatOp):
    name, numpy, domain = "arctanh", np.arctanh, ((-0.9, 0.9),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g / (1 - inputs[0] * inputs[0])]


# Special functions


class Erf(FloatOp):
    complexes = False
    name, numpy = "erf", PRIMITIVES["erf"].numpy

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * exp(-inputs[0] * inputs[0]) * like(2 / math.sqrt(math.pi), g)]


class Erfc(FloatOp):
    complexes = False
    name, numpy = "erfc", PRIMITIVES["erfc"].numpy

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [-g * exp(-inputs[0] * inputs[0]) * like(2 / math.sqrt(math.pi), g)]


class Gammaln(FloatOp):
    complexes = False
    name, numpy, domain, ulp = "gammaln", PRIMITIVES["lgamma"].numpy, ((0.3, 5.0),), 16

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return prim_as("lgamma", self, b, args)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * psi(inputs[0])]


class Gamma(FloatOp):
    complexes = False
    name, numpy, domain, ulp = "gamma", PRIMITIVES["gamma"].numpy, ((0.3, 5.0),), 16

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * output * psi(inputs[0])]


class Psi(FloatOp):
    """The digamma function."""

    complexes = False
    name, numpy, domain, ulp = "psi", PRIMITIVES["digamma"].numpy, ((0.3, 5.0),), 64

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return prim_as("digamma", self, b, args)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        from workbench.core.ops.scalars.polygamma import trigamma  # rare, and it needs these

        return [g * trigamma(inputs[0])]


# Rounding


class Floor(RoundOp):
    name, numpy, ulp = "floor", np.floor, 0


class Ceil(RoundOp):
    name, numpy, ulp = "ceil", np.ceil, 0


class Trunc(RoundOp):
    name, numpy, ulp = "trunc", np.trunc, 0


class Round(RoundOp):
    """Halves go to the even neighbour."""

    name, numpy, ulp = "round", np.rint, 0

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return args[0] if is_discrete(b.dtypes[args[0]]) else prim_as("rint", self, b, args)


exp, exp2, expm1, log, log2 = (
    Elemwise(Exp()),
    Elemwise(Exp2()),
    Elemwise(Expm1()),
    Elemwise(Log()),
    Elemwise(Log2()),
)
log10, log1p, sqrt = Elemwise(Log10()), Elemwise(Log1p()), Elemwise(Sqrt())
sigmoid, softplus = Elemwise(Sigmoid()), Elemwise(Softplus())
sin, cos, tan = Elemwise(Sin()), Elemwise(Cos()), Elemwise(Tan())
arcsin, arccos, arctan, arctan2 = (
    Elemwise(Arcsin()),
    Elemwise(Arccos()),
    Elemwise(Arctan()),
    Elemwise(Arctan2()),
)
sinh, cosh, tanh = Elemwise(Sinh()), Elemwise(Cosh()), Elemwise(Tanh())
arcsinh, arccosh, arctanh = Elemwise(Arcsinh()), Elemwise(Arccosh()), Elemwise(Arctanh())
erf, erfc, gammaln, gamma, psi = (
    Elemwise(Erf()), Elemwise(Erfc()), Elemwise(Gammaln()), Elemwise(Gamma()), Elemwise(Psi()),
)  # fmt: skip
floor, ceil, trunc, rint = Elemwise(Floor()), Elemwise(Ceil()), Elemwise(Trunc()), Elemwise(Round())
