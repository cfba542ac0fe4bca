"""Every scalar op and the elementwise function of its name. Adding one is adding one class and one
line.

A class gives the dtype rule (by its base), NumPy's function of the same meaning, the gradient,
facts and a sample domain; where the lowering is more than the primitive of the same name, that too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from workbench.configuration import config
from workbench.core.graph import Constant, describe
from workbench.core.ops.elementwise import Elemwise, ScalarOp
from workbench.core.scalar import PRIMITIVES, ScalarBuilder
from workbench.core.types import (
    DTYPES,
    as_tensor,
    constant,
    float_like,
    is_discrete,
    tensor_type,
    upcast,
)
from workbench.errors import DtypeError
from workbench.frozen import frozen

Grads = Sequence[Any]  # Any: variables with operators


class FloatOp(ScalarOp):
    """Computed in floating point: small integers become float32, others float64."""

    def dtype(self, *dtypes: str) -> str:
        return float_like(*dtypes)


class CompareOp(ScalarOp):
    """Operands of a common dtype, a bool result."""

    arity, ulp = 2, 0

    def dtype(self, *dtypes: str) -> str:
        return "bool"

    def compute_dtype(self, *dtypes: str) -> str:
        return upcast(*dtypes)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [None] * len(inputs)


class OrderOp(CompareOp):
    """A comparison that asks for an order, which complex numbers have not."""

    complexes = False

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return _compare(self, self.name, b, args)


class RoundOp(ScalarOp):
    """To a whole number; integers are what they are. The gradient is zero."""

    complexes, ulp = False, 0

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        (x,) = args
        return x if is_discrete(b.dtypes[x]) else super().lower(b, x)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [zeros_like(g)]


class BitOp(ScalarOp):
    """Bits of integers, logic of bools."""

    arity, ulp = 2, 0

    def dtype(self, *dtypes: str) -> str:
        wide = upcast(*dtypes)
        if not is_discrete(wide):
            whole = all(map(is_discrete, dtypes))
            raise DtypeError(
                f"'{self.name}' works on integers and bools, not on {' and '.join(dtypes)}"
                + (": no integer dtype holds both" if whole else ""),
                advice="cast the one to the other's dtype"
                if whole
                else "compare or cast the operands first: (x > 0) & (y > 0)",
            )
        return wide

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [None] * len(inputs)


# Arithmetic


class Add(ScalarOp):
    name, arity, numpy, symbol, ulp = "add", 2, np.add, "+", 0
    commutative, associative, identity = True, True, 0.0

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return _logic_on_bools(self, "or", b, args)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g, g]


class Sub(ScalarOp):
    name, arity, numpy, symbol, ulp = "sub", 2, np.subtract, "-", 0

    def dtype(self, *dtypes: str) -> str:
        return _no_bools(self, upcast(*dtypes))

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g, -g]


class Mul(ScalarOp):
    name, arity, numpy, symbol, ulp = "mul", 2, np.multiply, "*", 0
    commutative, associative, identity = True, True, 1.0

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return _logic_on_bools(self, "and", b, args)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        x, y = inputs
        return [g * y, g * x]


class TrueDiv(FloatOp):
    name, arity, numpy, symbol, ulp = "true_div", 2, np.true_divide, "/", 0
    domain = ((-3.0, 3.0), (0.5, 3.0))

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return _prim_as("div", self, b, args)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        x, y = inputs
        return [g / y, -(g * x) / (y * y)]


class FloorDiv(ScalarOp):
    name, arity, numpy, symbol, ulp = "int_div", 2, np.floor_divide, "//", 0
    complexes = False
    domain = ((-3.0, 3.0), (0.5, 3.0))

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return _prim_as("floordiv", self, b, _bools_as_int8(b, args))

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
        return _prim_as("mod", self, b, _bools_as_int8(b, args))

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
        return _no_bools(self, upcast(*dtypes))

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
            from workbench.core.ops.complex_scalars import conj  # rare, and it needs these

            direction = conj(direction)
        return [g * direction]


class Sign(ScalarOp):
    name, numpy, ulp = "sign", np.sign, 0

    def dtype(self, *dtypes: str) -> str:
        return _no_bools(self, dtypes[0])

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
        return _logic_on_bools(self, "and", b, args)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        x, y = inputs
        return [switch(le(x, y), g, 0), switch(le(x, y), 0, g)]


class Maximum(ScalarOp):
    name, arity, numpy, ulp = "maximum", 2, np.maximum, 0
    commutative, associative, complexes = True, True, False

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return _logic_on_bools(self, "or", b, args)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        x, y = inputs
        return [switch(ge(x, y), g, 0), switch(ge(x, y), 0, g)]


# Exponentials and logarithms


class Exp(FloatOp):
    name, numpy = "exp", np.exp

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * output]


class Exp2(FloatOp):
    name, numpy = "exp2", np.exp2

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g * output * _like(math.log(2), g)]


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
        return [g / (inputs[0] * _like(math.log(2), g))]


class Log10(FloatOp):
    name, numpy, domain = "log10", np.log10, ((0.1, 5.0),)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g / (inputs[0] * _like(math.log(10), g))]


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
        return [g * exp(-inputs[0] * inputs[0]) * _like(2 / math.sqrt(math.pi), g)]


class Erfc(FloatOp):
    complexes = False
    name, numpy = "erfc", PRIMITIVES["erfc"].numpy

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [-g * exp(-inputs[0] * inputs[0]) * _like(2 / math.sqrt(math.pi), g)]


class Gammaln(FloatOp):
    complexes = False
    name, numpy, domain, ulp = "gammaln", PRIMITIVES["lgamma"].numpy, ((0.3, 5.0),), 16

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return _prim_as("lgamma", self, b, args)

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
        return _prim_as("digamma", self, b, args)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        from workbench.core.ops.special_scalars import trigamma  # rare, and it needs these

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
        return args[0] if is_discrete(b.dtypes[args[0]]) else _prim_as("rint", self, b, args)


# Comparison and logic


class Less(OrderOp):
    name, numpy, symbol = "lt", np.less, "<"


class LessEqual(OrderOp):
    name, numpy, symbol = "le", np.less_equal, "<="


class Greater(OrderOp):
    name, numpy, symbol = "gt", np.greater, ">"


class GreaterEqual(OrderOp):
    name, numpy, symbol = "ge", np.greater_equal, ">="


class Equal(CompareOp):
    name, numpy, symbol, commutative = "eq", np.equal, "==", True

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return _compare(self, "eq", b, args)


class NotEqual(CompareOp):
    name, numpy, symbol, commutative = "neq", np.not_equal, "!=", True

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return _compare(self, "ne", b, args)


class IsNan(CompareOp):
    name, arity, numpy = "isnan", 1, np.isnan

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return (
            _prim_as("isnan", self, b, args)
            if not is_discrete(b.dtypes[args[0]])
            else b.const(False, "bool")
        )


class IsInf(CompareOp):
    name, arity, numpy = "isinf", 1, np.isinf

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return (
            _prim_as("isinf", self, b, args)
            if not is_discrete(b.dtypes[args[0]])
            else b.const(False, "bool")
        )


class And(BitOp):
    name, numpy, symbol, commutative, associative = "and", np.bitwise_and, "&", True, True


class Or(BitOp):
    name, numpy, symbol, commutative, associative = "or", np.bitwise_or, "|", True, True


class Xor(BitOp):
    name, numpy, symbol, commutative, associative = "xor", np.bitwise_xor, "^", True, True


class Invert(BitOp):
    name, arity, numpy, symbol = "invert", 1, np.invert, "~"


class Switch(ScalarOp):
    """`if_true` where the condition is not zero, else `if_false`."""

    name, arity, numpy, ulp = "switch", 3, np.where, 0

    def dtype(self, *dtypes: str) -> str:
        return upcast(*dtypes[1:])

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        wide = self.dtype(*(b.dtypes[i] for i in args))
        return b.prim(
            "select", wide, _as_bool(b, args[0]), b.cast(args[1], wide), b.cast(args[2], wide)
        )

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        condition = inputs[0]
        return [None, switch(condition, g, 0), switch(condition, 0, g)]


class Second(ScalarOp):
    """The second argument, in the shape that both have together (Theano's `fill`)."""

    name, arity, numpy, ulp = (
        "second",
        2,
        staticmethod(lambda a, b: np.broadcast_arrays(a, b)[1]),
        0,
    )

    def dtype(self, *dtypes: str) -> str:
        return dtypes[1]

    def connected(self, index: int) -> bool:
        return index == 1

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return args[1]

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [None, g]


@frozen
class Cast(ScalarOp):
    """To another dtype. A float becomes an integer by dropping its fraction; any number becomes
    bool by `!= 0`.
    """

    to: str = "float64"
    name: ClassVar[str] = "cast"
    ulp: ClassVar[float] = 0

    def dtype(self, *dtypes: str) -> str:
        if dtypes[0][0] == "c" and self.to[0] not in "cb":
            raise DtypeError(
                f"a complex number cannot be cast to {self.to}",
                advice="take its real part, x.real, or its absolute value",
            )
        return self.to

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return b.cast(args[0], self.to)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [g]

    def __str__(self) -> str:
        return f"Cast{{{self.to}}}"


def _like(value: float, g: Any) -> Any:
    """A constant of a gradient's own dtype, so that it widens nothing."""
    return constant(value, tensor_type(g).dtype)


def _prim_as(prim: str, op: ScalarOp, b: ScalarBuilder, args: Sequence[int]) -> int:
    dtypes = [b.dtypes[i] for i in args]
    wide = op.compute_dtype(*dtypes)
    return b.prim(prim, op.dtype(*dtypes), *(b.cast(i, wide) for i in args))


def _logic_on_bools(op: ScalarOp, prim: str, b: ScalarBuilder, args: Sequence[int]) -> int:
    """As NumPy has it: + and maximum of bools are 'or', * and minimum are 'and'."""
    return _prim_as(prim if all(b.dtypes[i] == "bool" for i in args) else op.name, op, b, args)


def _compare(op: ScalarOp, prim: str, b: ScalarBuilder, args: Sequence[int]) -> int:
    """As NumPy has it, exact: where int64 meets uint64 no float holds both, and a negative number
    is below all.
    """
    x, y = args
    unsigned = [b.dtypes[i] == "uint64" for i in args]
    if not any(unsigned) or {b.dtypes[i][0] for i in args} != {"i", "u"}:
        return _prim_as(prim, op, b, args)
    signed = x if unsigned[1] else y
    negative = b.prim("lt", "bool", signed, b.const(0, b.dtypes[signed]))
    same = b.prim(prim, "bool", b.cast(x, "uint64"), b.cast(y, "uint64"))
    holds = {"eq": False, "ne": True}.get(prim, (prim in ("lt", "le")) == (signed == x))
    return b.prim("select", "bool", negative, b.const(holds, "bool"), same)


def _bools_as_int8(b: ScalarBuilder, args: Sequence[int]) -> list[int]:
    bools = all(b.dtypes[i] == "bool" for i in args)
    return [b.cast(i, "int8") if bools else i for i in args]


def _no_bools(op: ScalarOp, dtype: str) -> str:
    if dtype == "bool":
        raise DtypeError(
            f"'{op.name}' is not defined on bools",
            advice="use ^ or ~, or cast them to an integer",
        )
    return dtype


def _as_bool(b: ScalarBuilder, arg: int) -> int:
    dtype = b.dtypes[arg]
    return arg if dtype == "bool" else b.prim("ne", "bool", arg, b.const(0, dtype))


add, sub, mul, true_div = Elemwise(Add()), Elemwise(Sub()), Elemwise(Mul()), Elemwise(TrueDiv())
floor_div, mod, power, neg = Elemwise(FloorDiv()), Elemwise(Mod()), Elemwise(Pow()), Elemwise(Neg())
absolute, sign, sqr = Elemwise(Abs()), Elemwise(Sign()), Elemwise(Sqr())
minimum, maximum = Elemwise(Minimum()), Elemwise(Maximum())
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
lt, le, gt, ge = (
    Elemwise(Less()),
    Elemwise(LessEqual()),
    Elemwise(Greater()),
    Elemwise(GreaterEqual()),
)
eq, neq, isnan, isinf = (
    Elemwise(Equal()),
    Elemwise(NotEqual()),
    Elemwise(IsNan()),
    Elemwise(IsInf()),
)
and_, or_, xor, invert = Elemwise(And()), Elemwise(Or()), Elemwise(Xor()), Elemwise(Invert())
switch, second = Elemwise(Switch()), Elemwise(Second())


def _dtype_name(dtype: Any) -> str:
    try:
        return str(np.dtype(dtype))
    except TypeError:
        known = ", ".join(DTYPES)
        raise DtypeError(f"{dtype!r} is not a dtype", advice=f"give one of {known}") from None


def cast(x: Any, dtype: str) -> Any:
    """X in another dtype; x itself where it has it already. `dtype` may be 'floatX'."""
    variable = as_tensor(x)
    if dtype not in DTYPES:
        dtype = config.floatX if dtype == "floatX" else _dtype_name(dtype)
    return variable if tensor_type(variable).dtype == dtype else Elemwise(Cast(dtype))(variable)


def divide(x: Any, y: Any) -> Any:
    """X / y as an operator means it: integers are divided in floatX, or not at all, by
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


def zeros_like(x: Any, dtype: str | None = None) -> Any:
    """Zeros of x's shape and dtype (or the one given)."""
    variable = as_tensor(x)
    return second(variable, constant(0, dtype or tensor_type(variable).dtype))


def ones_like(x: Any, dtype: str | None = None) -> Any:
    """Ones of x's shape and dtype (or the one given)."""
    variable = as_tensor(x)
    return second(variable, constant(1, dtype or tensor_type(variable).dtype))
