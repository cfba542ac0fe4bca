"""Scalar ops that compare, choose and convert: comparisons, logic of bits, switch, second, cast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from workbench.configuration import config
from workbench.core.ops.elementwise import Elemwise, ScalarOp
from workbench.core.ops.scalars.kinds import (
    BitOp,
    CompareOp,
    Grads,
    OrderOp,
    as_bool,
    compare,
    prim_as,
)
from workbench.core.scalar import ScalarBuilder
from workbench.core.types import DTYPES, as_tensor, constant, is_discrete, tensor_type, upcast
from workbench.errors import DtypeError
from workbench.frozen import frozen


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
        return compare(self, "eq", b, args)


class NotEqual(CompareOp):
    name, numpy, symbol, commutative = "neq", np.not_equal, "!=", True

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return compare(self, "ne", b, args)


class IsNan(CompareOp):
    name, arity, numpy = "isnan", 1, np.isnan

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return (
            prim_as("isnan", self, b, args)
            if not is_discrete(b.dtypes[args[0]])
            else b.const(False, "bool")
        )


class IsInf(CompareOp):
    name, arity, numpy = "isinf", 1, np.isinf

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return (
            prim_as("isinf", self, b, args)
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
            "select", wide, as_bool(b, args[0]), b.cast(args[1], wide), b.cast(args[2], wide)
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
    """x in another dtype; x itself where it has it already. `dtype` may be 'floatX'."""
    variable = as_tensor(x)
    if dtype not in DTYPES:
        dtype = config.floatX if dtype == "floatX" else _dtype_name(dtype)
    return variable if tensor_type(variable).dtype == dtype else Elemwise(Cast(dtype))(variable)


def zeros_like(x: Any, dtype: str | None = None) -> Any:
    """Zeros of x's shape and dtype (or the one given)."""
    variable = as_tensor(x)
    return second(variable, constant(0, dtype or tensor_type(variable).dtype))


def ones_like(x: Any, dtype: str | None = None) -> Any:
    """Ones of x's shape and dtype (or the one given)."""
    variable = as_tensor(x)
    return second(variable, constant(1, dtype or tensor_type(variable).dtype))
