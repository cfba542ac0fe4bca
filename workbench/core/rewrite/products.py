"""Products and quotients in one form: factors over factors.

A tree of *, /, squares and unary - of one dtype is read as a list of factors above and a list below
the line. Only the top of such a tree is looked at, and it is written anew only where something
cancels: what the user wrote stays, where it is as good. The rules are in `rewrite.cancel`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import reduce
from typing import Any

from workbench.core.graph import Apply, Variable
from workbench.core.ops.scalars import (
    Add,
    Mul,
    Neg,
    Sqr,
    Sub,
    TrueDiv,
    cast,
    mul,
    neg,
    second,
    sqr,
    true_div,
)  # fmt: skip
from workbench.core.rewrite.engine import Context
from workbench.core.rewrite.matching import (
    dtype_of,
    made_by,
    ndim_of,
    pattern_of,
)  # fmt: skip
from workbench.core.types import constant
from workbench.frozen import frozen

MOST = 24  # factors of one product: a longer one is taken apart no further


@frozen
class Product:
    """The factors above and below the line, and the sign."""

    over: tuple[Variable, ...] = ()
    under: tuple[Variable, ...] = ()
    negative: bool = False

    def times(self, other: Product) -> Product:
        sign = self.negative != other.negative
        return Product(self.over + other.over, self.under + other.under, sign)

    def inverse(self) -> Product:
        return Product(self.under, self.over, self.negative)

    def exchange(self, over: Variable | None, under: Variable, new: Variable | None) -> Product:
        """Without one factor above and one below the line (each once), with a new one above."""
        above = self.over if over is None else without(self.over, over)
        added = () if new is None else (new,)
        return replace(self, over=above + added, under=without(self.under, under))


def without(items: tuple[Variable, ...], item: Variable) -> tuple[Variable, ...]:
    """The items but for one occurrence of one of them."""
    at = items.index(item)
    return items[:at] + items[at + 1 :]


def factors(variable: Variable, known: dict[Variable, Product]) -> Product:
    """The factors of an expression; `known` remembers those of every part, so that each is taken
    apart once.
    """
    found = known.get(variable)
    if found is None:
        found = known[variable] = _factors(variable, known)
    return found


def _factors(variable: Variable, known: dict[Variable, Product]) -> Product:
    node = made_by(variable, Mul, TrueDiv, Neg, Sqr)
    if node is None:
        return Product((variable,))
    parts = [
        factors(v, known) if dtype_of(v) == dtype_of(variable) else Product((v,))
        for v in node.inputs
    ]
    if made_by(variable, Sqr):
        parts *= 2
    if len(parts) == 1:
        return replace(parts[0], negative=not parts[0].negative)
    right = parts[1].inverse() if made_by(variable, TrueDiv) else parts[1]
    whole = parts[0].times(right)
    return whole if len(whole.over) + len(whole.under) <= MOST else Product((variable,))


def whole_product(node: Apply, context: Context) -> Product | None:
    """The factors of a node at the top of a product of floats, else None."""
    known: dict[Apply, Product | None] = context.note("whole products")
    if node not in known:
        (out,) = node.outputs
        product = factors(out, context.note("factors")) if dtype_of(out)[0] in "fc" else None
        known[node] = None if is_inner(node, context) else product
    return known[node]


def is_inner(node: Apply, context: Context) -> bool:
    """Whether the one reader is part of the same product: that one will see it whole."""
    (out,) = node.outputs
    readers = context.readers(out)
    if len(readers) != 1 or context.is_output(out):
        return False
    ((reader, _),) = readers
    above = made_by(reader.outputs[0], Mul, TrueDiv, Neg)
    return above is not None and dtype_of(reader.outputs[0]) == dtype_of(out)


def sum_terms(variable: Variable, depth: int = 3) -> list[tuple[bool, Variable]]:
    """The terms of a sum, each with whether it is subtracted; the variable itself where it is no
    sum.
    """
    return _terms(variable, False, depth, dtype_of(variable))


def _terms(
    variable: Variable, negative: bool, depth: int, dtype: str
) -> list[tuple[bool, Variable]]:
    node = made_by(variable, Add, Sub, Neg) if depth and dtype_of(variable) == dtype else None
    if node is None:
        return [(negative, variable)]
    found: list[tuple[bool, Variable]] = []
    for i, v in enumerate(node.inputs):
        flip = bool(made_by(variable, Neg)) or (i == 1 and bool(made_by(variable, Sub)))
        found += _terms(v, negative != flip, depth - 1, dtype)
    return found


def write(product: Product, before: Product, out: Variable) -> Variable | None:
    """The product as an expression in the dtype and shape of `out`; None where no operand is left
    that has its shape.
    """
    dtype = dtype_of(out)
    over, under = _multiplied(product.over, dtype), _multiplied(product.under, dtype)
    result = over if over is not None else constant(1, dtype)
    if under is not None:
        result = true_div(result, under)
    if product.negative:
        result = neg(result)
    if pattern_of(result) == pattern_of(out):
        return result
    whole = (v for v in (*before.over, *before.under) if pattern_of(v) == pattern_of(out))
    shaped = next(whole, None)
    return None if shaped is None else second(shaped, result)


def _multiplied(items: tuple[Variable, ...], dtype: str) -> Any:
    """The product of factors, what is small first: scalars are multiplied before they meet a
    matrix.
    """
    powers: list[Any] = []
    for v, count in Counter(items).items():
        powers += [sqr(cast(v, dtype))] * (count // 2) + [cast(v, dtype)] * (count % 2)
    return reduce(mul, sorted(powers, key=ndim_of)) if powers else None
