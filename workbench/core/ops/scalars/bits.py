"""Scalar ops of integers: shifts, counts of bits, common divisors and multiples."""

from __future__ import annotations

import numpy as np

from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.scalars import BitOp
from workbench.core.ops.scalars.formula import Formula
from workbench.core.scalar import ScalarBuilder
from workbench.core.terms import Term


class _IntegerOp(BitOp, Formula):
    """Bools are taken as int8."""

    advice = "cast the operands to an integer dtype first"

    def dtype(self, *dtypes: str) -> str:
        wide = super().dtype(*dtypes)
        return "int8" if wide == "bool" else wide

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        return Formula.lower(self, b, *args)


class LeftShift(_IntegerOp):
    """The bits moved up; by as many as there are, or by less than none, gives 0."""

    name, numpy, symbol = "left_shift", np.left_shift, "<<"

    def write(self, *terms: Term) -> Term:
        return terms[0].prim("shl", terms[1])


class RightShift(_IntegerOp):
    """The bits moved down; copies of the sign come in."""

    name, numpy, symbol = "right_shift", np.right_shift, ">>"

    def write(self, *terms: Term) -> Term:
        return terms[0].prim("shr", terms[1])


class BitwiseCount(_IntegerOp):
    """How many bits of |x| are set, as uint8."""

    name, arity, numpy = "bitwise_count", 1, np.bitwise_count

    def dtype(self, *dtypes: str) -> str:
        super().dtype(*dtypes)
        return "uint8"

    def compute_dtype(self, *dtypes: str) -> str:
        return super().dtype(*dtypes)

    def write(self, *terms: Term) -> Term:
        return terms[0].prim("popcount")


class Gcd(_IntegerOp):
    """The greatest common divisor of |x| and |y|."""

    name, numpy, commutative, associative = "gcd", np.gcd, True, True

    def write(self, *terms: Term) -> Term:
        return terms[0].prim("gcd", terms[1])


class Lcm(_IntegerOp):
    """The least common multiple of |x| and |y|."""

    name, numpy, commutative = "lcm", np.lcm, True

    def write(self, *terms: Term) -> Term:
        x, y = (abs(t).cast(f"u{t.dtype.removeprefix('u')}") for t in terms)  # -2**63 has no abs
        divisor = x.prim("gcd", y)
        none = divisor.eq(0)
        return none.select(x.like(0), x.prim("floordiv", none.select(x.like(1), divisor)) * y)


left_shift, right_shift = Elemwise(LeftShift()), Elemwise(RightShift())
bitwise_count, gcd, lcm = Elemwise(BitwiseCount()), Elemwise(Gcd()), Elemwise(Lcm())
