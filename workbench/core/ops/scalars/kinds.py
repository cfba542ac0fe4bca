"""Kinds of scalar ops, one for each rule of dtypes, and how they are written as primitives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from workbench.core.ops.elementwise import ScalarOp
from workbench.core.scalar import ScalarBuilder
from workbench.core.types import constant, float_like, is_discrete, tensor_type, upcast
from workbench.errors import DtypeError

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
        return compare(self, self.name, b, args)


class RoundOp(ScalarOp):
    """To a whole number; integers are what they are. The gradient is zero."""

    complexes, ulp = False, 0

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        (x,) = args
        return x if is_discrete(b.dtypes[x]) else super().lower(b, x)

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        from workbench.core.ops.scalars.choice import zeros_like  # it is made of these

        return [zeros_like(g)]


class BitOp(ScalarOp):
    """Bits of integers, logic of bools."""

    arity, ulp = 2, 0
    advice: ClassVar[str] = "compare or cast the operands first: (x > 0) & (y > 0)"

    def dtype(self, *dtypes: str) -> str:
        wide = upcast(*dtypes)
        if not is_discrete(wide):
            whole = all(map(is_discrete, dtypes))
            raise DtypeError(
                f"'{self.name}' works on integers and bools, not on {' and '.join(dtypes)}"
                + (": no integer dtype holds both" if whole else ""),
                advice="cast the one to the other's dtype" if whole else self.advice,
            )
        return wide

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Grads:
        return [None] * len(inputs)


def like(value: float, g: Any) -> Any:
    """A constant of a gradient's own dtype, so that it widens nothing."""
    return constant(value, tensor_type(g).dtype)


def prim_as(prim: str, op: ScalarOp, b: ScalarBuilder, args: Sequence[int]) -> int:
    """The primitive of the operands, cast to the op's compute dtype."""
    dtypes = [b.dtypes[i] for i in args]
    wide = op.compute_dtype(*dtypes)
    return b.prim(prim, op.dtype(*dtypes), *(b.cast(i, wide) for i in args))


def logic_on_bools(op: ScalarOp, prim: str, b: ScalarBuilder, args: Sequence[int]) -> int:
    """As NumPy has it: + and maximum of bools are 'or', * and minimum are 'and'."""
    return prim_as(prim if all(b.dtypes[i] == "bool" for i in args) else op.name, op, b, args)


def compare(op: ScalarOp, prim: str, b: ScalarBuilder, args: Sequence[int]) -> int:
    """As NumPy has it, exact: where int64 meets uint64 no float holds both, and a negative number
    is below all.
    """
    x, y = args
    unsigned = [b.dtypes[i] == "uint64" for i in args]
    if not any(unsigned) or {b.dtypes[i][0] for i in args} != {"i", "u"}:
        return prim_as(prim, op, b, args)
    signed = x if unsigned[1] else y
    negative = b.prim("lt", "bool", signed, b.const(0, b.dtypes[signed]))
    same = b.prim(prim, "bool", b.cast(x, "uint64"), b.cast(y, "uint64"))
    holds = {"eq": False, "ne": True}.get(prim, (prim in ("lt", "le")) == (signed == x))
    return b.prim("select", "bool", negative, b.const(holds, "bool"), same)


def bools_as_int8(b: ScalarBuilder, args: Sequence[int]) -> list[int]:
    """The operands; where all are bools, as int8."""
    bools = all(b.dtypes[i] == "bool" for i in args)
    return [b.cast(i, "int8") if bools else i for i in args]


def no_bools(op: ScalarOp, dtype: str) -> str:
    """The dtype; DtypeError for bool."""
    if dtype == "bool":
        raise DtypeError(
            f"'{op.name}' is not defined on bools",
            advice="use ^ or ~, or cast them to an integer",
        )
    return dtype


def as_bool(b: ScalarBuilder, arg: int) -> int:
    """Whether an operand is not zero."""
    dtype = b.dtypes[arg]
    return arg if dtype == "bool" else b.prim("ne", "bool", arg, b.const(0, dtype))
