"""Scalar ops of arithmetic: + - * / // % **, signs, squares, the larger and the smaller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.configuration import config
from workbench.core.graph import Constant, describe
from workbench.core.ops.elementwise import Elemwise, ScalarOp
from workbench.core.ops.scalars.choice import cast, eq, ge, le, switch, zeros_like
from workbench.core.ops.scalars.functions import log
from workbench.core.ops.scalars.kinds import (
    FloatOp,
    Grads,
    bools_as_int8,
    logic_on_bools,
    no_bools,
    prim_as,
)
from workbench.core.scalar import ScalarBuilder
from workbench.core.types import as_tensor, is_discrete, tensor_type, upcast
from workbench.errors import DtypeError


class Add(ScalarOp):
    name, arity, numpy, symbol, ulp = "add", 2, np.add, "+", 0
    commutative, associative, identity = True, True, 0.0

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return logic_on_bools(self, "or", b, args)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g, g]


class Sub(ScalarOp):
    name, arity, numpy, symbol, ulp = "sub", 2, np.subtract, "-", 0

    def dtype(self, *dtypes: str) -> str:
        return no_bools(self, upcast(*dtypes))

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g, -g]


class Mul(ScalarOp):
    name, arity, numpy, symbol, ulp = "mul", 2, np.multiply, "*", 0
    commutative, associative, identity = True, True, 1.0

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return logic_on_bools(self, "and", b, args)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        x, y = inputs
        return [g * y, g * x]


class TrueDiv(FloatOp):
    name, arity, numpy, symbol, ulp = "true_div", 2, np.true_divide, "/", 0
    domain = ((-3.0, 3.0), (0.5, 3.0))

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return prim_as("div", self, b, args)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        x, y = inputs
        return [g / y, -(g * x) / (y * y)]


class FloorDiv(ScalarOp):
    name, arity, numpy, symbol, ulp = "int_div", 2, np.floor_divide, "//", 0
    complexes = False
    domain = ((-3.0, 3.0), (0.5, 3.0))

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return prim_as("floordiv", self, b, bools_as_int8(b, args))

    def dtype(self, *dtypes: str) -> str:
        wide = upcast(*dtypes)
        return "int8" if wide == "bool" else wide

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [zeros_like(g), zeros_like(g)]


class Mod(ScalarOp):
    name, arity, numpy, symbol, ulp = "mod", 2, np.remainder, "%", 0
    complexes = False
    domain = ((-3.0, 3.0), (0.5, 3.0))

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return prim_as("mod", self, b, bools_as_int8(b, args))

    def dtype(self, *dtypes: str) -> str:
        wide = upcast(*dtypes)
        return "int8" if wide == "bool" else wide

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        x, y = inputs
        return [g, -g * floor_div(x, y)]


class Pow(ScalarOp):
    """Integers to a negative power are the whole part of the quotient: 0 but for 1 and -1 (and for
    0, which gives 0).
    """

    name, arity, numpy, symbol = "pow", 2, np.power, "**"
    domain = ((0.3, 3.0), (-2.0, 2.0))

    def dtype(self, *dtypes: str) -> str:
        wide = upcast(*dtypes)
        return "int8" if wide == "bool" else wide

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        x, y = inputs
        exponent = cast(y, "int64") if tensor_type(y).dtype[0] in "ub" else y  # y - 1 must not wrap
        slope = g * y * x ** (exponent - 1)
        if not (isinstance(y, Constant) and y.data.all()):
            slope = switch(eq(y, 0), 0, slope)  # x ** 0 is 1, at x = 0 too
        if is_discrete(tensor_type(y).dtype) and isinstance(y, Constant):
            return [slope, None]
        return [slope, g * output * log(switch(eq(x, 0), 1, x))]


class Neg(ScalarOp):
    name, numpy, symbol, ulp = "neg", np.negative, "-", 0

    def dtype(self, *dtypes: str) -> str:
        return no_bools(self, upcast(*dtypes))

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [-g]


class Abs(ScalarOp):
    name, numpy, ulp = "abs", np.abs, 0

    def dtype(self, *dtypes: str) -> str:
        return {"complex64": "float32", "complex128": "float64"}.get(dtypes[0], dtypes[0])

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        (x,) = args
        return x if b.dtypes[x] == "bool" else b.prim("abs", self.dtype(b.dtypes[x]), x)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        direction = sign(inputs[0])
        if tensor_type(inputs[0]).dtype[0] == "c":
            from workbench.core.ops.scalars.complex_numbers import conj  # rare, and it needs these

            direction = conj(direction)
        return [g * direction]


class Sign(ScalarOp):
    name, numpy, ulp = "sign", np.sign, 0

    def dtype(self, *dtypes: str) -> str:
        return no_bools(self, dtypes[0])

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [zeros_like(g)]


class Sqr(ScalarOp):
    name, numpy, ulp = "sqr", np.square, 0

    def dtype(self, *dtypes: str) -> str:
        return "int8" if dtypes[0] == "bool" else dtypes[0]

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        x = b.cast(args[0], self.dtype(b.dtypes[args[0]]))
        return b.prim("mul", b.dtypes[x], x, x)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * inputs[0] * 2]


class Minimum(ScalarOp):
    name, arity, numpy, ulp = "minimum", 2, np.minimum, 0
    commutative, associative, complexes = True, True, False

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return logic_on_bools(self, "and", b, args)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        x, y = inputs
        return [switch(le(x, y), g, 0), switch(le(x, y), 0, g)]


class Maximum(ScalarOp):
    name, arity, numpy, ulp = "maximum", 2, np.maximum, 0
    commutative, associative, complexes = True, True, False

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return logic_on_bools(self, "or", b, args)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        x, y = inputs
        return [switch(ge(x, y), g, 0), switch(ge(x, y), 0, g)]


add, sub, mul, true_div = Elemwise(Add()), Elemwise(Sub()), Elemwise(Mul()), Elemwise(TrueDiv())
floor_div, mod, power, neg = Elemwise(FloorDiv()), Elemwise(Mod()), Elemwise(Pow()), Elemwise(Neg())
absolute, sign, sqr = Elemwise(Abs()), Elemwise(Sign()), Elemwise(Sqr())
minimum, maximum = Elemwise(Minimum()), Elemwise(Maximum())


def divide(x: Any, y: Any) -> Any:
    """x / y as an operator means it: integers are divided in floatX, or not at all, by
    `config.int_division`.
    """
    operands = as_tensor(x), as_tensor(y)
    if all(is_discrete(tensor_type(v).dtype) for v in operands):
        if config.int_division == "raise":
            raise DtypeError(
                "integers are divided, and config.int_division is 'raise'",
                describe(true_div, operands),
                advice="write x // y for whole numbers, or cast one to a float",
            )
        return true_div(*(cast(v, "floatX") for v in operands))
    return true_div(*operands)
