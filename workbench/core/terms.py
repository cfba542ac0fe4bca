"""Terms: operators over a scalar program's values, to write a formula as one reads it."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.scalar import ScalarBuilder

Number = float | int | bool


class Term:
    """A value of a program. Operands are of one dtype; numbers become constants of it.

    >>> b = ScalarBuilder(("float64",))
    >>> x = Term(b, 0)
    >>> len(b.program((1 / (1 + (-x).prim("exp"))).index).steps)
    5
    """

    __slots__ = ("builder", "index")

    def __init__(self, builder: ScalarBuilder, index: int) -> None:
        self.builder = builder
        self.index = index

    @property
    def dtype(self) -> str:
        return self.builder.dtypes[self.index]

    def like(self, number: Number) -> Term:
        """A constant of this term's dtype."""
        return Term(self.builder, self.builder.const(number, self.dtype))

    def cast(self, dtype: str) -> Term:
        return Term(self.builder, self.builder.cast(self.index, dtype))

    def prim(self, name: str, *others: Term | Number, dtype: str | None = None) -> Term:
        """The primitive of this and other terms; its result has this term's dtype, or the one
        given.
        """
        indices = [self.index, *(self._term(other).index for other in others)]
        return Term(self.builder, self.builder.prim(name, dtype or self.dtype, *indices))

    def select(self, yes: Term, no: Term | Number) -> Term:
        """`yes` where this bool holds, else `no`."""
        return Term(
            self.builder,
            self.builder.prim("select", yes.dtype, self.index, yes.index, yes._term(no).index),
        )

    def polynomial(self, coefficients: Sequence[float]) -> Term:
        """Σ cₖ·selfᵏ, by Horner's rule."""
        total = self.like(coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            total = total * self + coefficient
        return total

    def _term(self, other: Term | Number) -> Term:
        return other if isinstance(other, Term) else self.like(other)

    def __add__(self, other: Term | Number) -> Term:
        return self.prim("add", other)

    def __radd__(self, other: Number) -> Term:
        return self.like(other) + self

    def __sub__(self, other: Term | Number) -> Term:
        return self.prim("sub", other)

    def __rsub__(self, other: Number) -> Term:
        return self.like(other) - self

    def __mul__(self, other: Term | Number) -> Term:
        return self.prim("mul", other)

    def __rmul__(self, other: Number) -> Term:
        return self.like(other) * self

    def __truediv__(self, other: Term | Number) -> Term:
        return self.prim("div", other)

    def __rtruediv__(self, other: Number) -> Term:
        return self.like(other) / self

    def __neg__(self) -> Term:
        return self.prim("neg")

    def __abs__(self) -> Term:
        return self.prim("abs")

    def __and__(self, other: Term | Number) -> Term:
        return self.prim("and", other)

    def __or__(self, other: Term | Number) -> Term:
        return self.prim("or", other)

    def __xor__(self, other: Term | Number) -> Term:
        return self.prim("xor", other)

    def __invert__(self) -> Term:
        return self.prim("invert")

    def lt(self, other: Term | Number) -> Term:
        return self.prim("lt", other, dtype="bool")

    def le(self, other: Term | Number) -> Term:
        return self.prim("le", other, dtype="bool")

    def gt(self, other: Term | Number) -> Term:
        return self.prim("gt", other, dtype="bool")

    def ge(self, other: Term | Number) -> Term:
        return self.prim("ge", other, dtype="bool")

    def eq(self, other: Term | Number) -> Term:
        return self.prim("eq", other, dtype="bool")

    def ne(self, other: Term | Number) -> Term:
        return self.prim("ne", other, dtype="bool")

    def isnan(self) -> Term:
        return self.prim("isnan", dtype="bool")

    def isinf(self) -> Term:
        return self.prim("isinf", dtype="bool")
