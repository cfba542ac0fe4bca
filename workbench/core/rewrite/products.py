"""Products and quotients in one form: factors over factors, where equal ones cancel.

A tree of *, / and unary - of one dtype is read as a list of factors above and a list below the line. Only the top of
such a tree is rewritten, and only where something cancels: what the user wrote stays, where it is as good. Among the
factors, formulas are known by name: exp(u) / (1 + exp(u)) is sigmoid(u), exp(x) / sum(exp(x)) is softmax(x). Without
this the gradient of a logarithm divides by what the next node multiplies by, and inf / inf is nan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from typing import Any

from workbench.core.graph import Apply, Variable
from workbench.core.ops.nnet import Softmax
from workbench.core.ops.reduce import Sum
from workbench.core.ops.scalars import (
    Add,
    Exp,
    Mul,
    Neg,
    Sigmoid,
    Sqr,
    Sub,
    TrueDiv,
    add,
    cast,
    mul,
    neg,
    second,
    sigmoid,
    sqr,
    sub,
    true_div,
)  # fmt: skip
from workbench.core.rewrite.engine import Context, Rule, rule
from workbench.core.rewrite.equations import is_number
from workbench.core.rewrite.matching import (
    aligned_order,
    behind_dimshuffle,
    dtype_of,
    is_scalar,
    made_by,
    ndim_of,
    number_of,
    pattern_of,
)  # fmt: skip
from workbench.core.types import constant
from workbench.frozen import frozen

MOST = 24  # factors of one product: a longer one is taken apart no further
MOST_TERMS = 4  # terms of a sum that is multiplied out


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
        above = self.over if over is None else _without(self.over, over)
        added = () if new is None else (new,)
        return replace(self, over=above + added, under=_without(self.under, under))


def _without(items: tuple[Variable, ...], item: Variable) -> tuple[Variable, ...]:
    at = items.index(item)
    return items[:at] + items[at + 1 :]


def factors(variable: Variable, known: dict[Variable, Product]) -> Product:
    """The factors of an expression; `known` remembers those of every part, so that each is taken apart once."""
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


@rule(
    Mul,
    TrueDiv,
    Neg,
    equation="(x / y) * y → x,  exp(x) / (1 + exp(x)) → sigmoid(x),  exp(x) / sum(exp(x)) → softmax(x)",
)
def cancel(node: Apply, context: Context) -> Variable | None:
    """Equal factors above and below the line cancel. Unsafe where they are 0 or inf: it was nan."""
    (out,) = node.outputs
    if dtype_of(out)[0] not in "fc":
        return None
    known: dict[Variable, Product] = context.note("factors")
    product = factors(out, known)
    if is_inner(node, context) or not _promising(product, known):
        return None
    simple = simplify(product, context)
    found = multiply_out(simple, out, known, context)
    if found is None and simple is not product:
        found = write(simple, product, out)
    return found


def is_inner(node: Apply, context: Context) -> bool:
    """Whether the one reader is part of the same product: that one will see it whole."""
    (out,) = node.outputs
    readers = context.readers(out)
    if len(readers) != 1 or context.is_output(out):
        return False
    ((reader, _),) = readers
    above = made_by(reader.outputs[0], Mul, TrueDiv, Neg)
    return above is not None and dtype_of(reader.outputs[0]) == dtype_of(out)


def _promising(product: Product, known: dict[Variable, Product]) -> bool:
    """Whether anything can cancel or be put together at all."""
    over = product.over
    if product.under or sum(number_of(v) is not None for v in over) > 1:
        return True
    if any(made_by(v, Exp) for v in over) and any(made_by(v, Sigmoid) for v in over):
        return True
    return len(over) > 1 and any(_has_fractions(v, known) for v in over)


def _has_fractions(variable: Variable, known: dict[Variable, Product]) -> bool:
    """Whether it is a sum with a term that is divided by something."""
    if not made_by(variable, Add, Sub):
        return False
    return any(factors(v, known).under for _, v in sum_terms(variable))


def simplify(product: Product, context: Context) -> Product:
    """The product without what cancels; the very same one where nothing does."""
    before = None
    while before is not product:  # what was found by name may cancel in its turn
        before = product
        for below in product.under:
            product = _cancel_one(product, below)
    product = _exp_times_sigmoid(product, context)
    return _one_number(product)


def _cancel_one(product: Product, below: Variable) -> Product:
    if below in product.over:
        return product.exchange(below, below, None)
    if (e := one_plus_exp(below)) is not None:
        u = cast(e.owner.inputs[0], dtype_of(e))  # type: ignore[union-attr]
        if e in product.over:
            return product.exchange(e, below, sigmoid(u))
        return product.exchange(None, below, sigmoid(neg(u)))
    for above in product.over:
        if (found := softmax_of(above, below)) is not None:
            return product.exchange(above, below, found)
    return product


def one_plus_exp(variable: Variable) -> Variable | None:
    """The exp(u) of 1 + exp(u)."""
    node = made_by(variable, Add)
    if node is None:
        return None
    for number, e in (node.inputs, node.inputs[::-1]):
        if is_scalar(number) and is_number(number, 1) and made_by(e, Exp):
            return e if dtype_of(e) == dtype_of(variable) and dtype_of(e)[0] == "f" else None
    return None


def softmax_of(above: Variable, below: Variable) -> Variable | None:
    """softmax(x) where this is exp(x) over the sum of exp(x) along one axis."""
    if not made_by(above, Exp):
        return None
    total, order = behind_dimshuffle(below)
    node = made_by(total, Sum)
    if node is None or node.inputs[0] is not above or dtype_of(below) != dtype_of(above):
        return None
    axes: tuple[int, ...] = node.op.axes  # type: ignore[attr-defined]
    ndim = ndim_of(above)
    left = iter(range(ndim))
    kept = tuple("x" if i in axes else next(left) for i in range(ndim))
    if len(axes) != 1 or aligned_order(order, ndim) != kept:
        return None
    (x,) = above.owner.inputs  # type: ignore[union-attr]
    return Softmax(axes[0])(cast(x, dtype_of(above)))  # type: ignore[no-any-return]


def _exp_times_sigmoid(product: Product, context: Context) -> Product:
    """exp(u) * sigmoid(-u) → sigmoid(u)."""
    for e in product.over:
        if not made_by(e, Exp):
            continue
        u = cast(e.owner.inputs[0], dtype_of(e))  # type: ignore[union-attr]
        opposite = context.interned(_opposite(u))
        for s in product.over:
            if made_by(s, Sigmoid) and s.owner.inputs[0] is opposite:  # type: ignore[union-attr]
                rest = _without(_without(product.over, e), s)
                return replace(product, over=(*rest, sigmoid(u)))
    return product


def _opposite(u: Any) -> Any:
    """-u as the other rules would write it."""
    if (node := made_by(u, Neg)) is not None:
        return node.inputs[0]
    if (node := made_by(u, Sub)) is not None:
        return sub(node.inputs[1], node.inputs[0])
    return neg(u)


def _one_number(product: Product) -> Product:
    """The numbers of a product as one number."""
    over = [v for v in product.over if number_of(v) is not None]
    under = [v for v in product.under if number_of(v) is not None and number_of(v) != 0]
    if len(over) + len(under) < 2 or (not under and all(is_number(v, 1) for v in over)):
        return product
    number: Any = reduce(lambda a, b: a * b, (_wide(v) for v in over), 1.0)
    number = reduce(lambda a, b: a / b, (_wide(v) for v in under), number)
    dtype = "complex128" if isinstance(number, complex) else "float64"
    rest = tuple(v for v in product.over if v not in over)
    unit = (
        ()
        if number in (1, -1) and rest
        else (constant(abs(number) if dtype == "float64" else number, dtype),)
    )
    negative = product.negative != (dtype == "float64" and number < 0)
    return Product((*unit, *rest), tuple(v for v in product.under if v not in under), negative)


def _wide(variable: Variable) -> Any:
    number = number_of(variable)
    return complex(number) if dtype_of(variable)[0] == "c" else float(number)


def multiply_out(
    product: Product, out: Variable, known: dict[Variable, Product], context: Context
) -> Variable | None:
    """(a / p + b / q) * p * q → a * q + b * p: a sum of fractions times what they are divided by."""
    for total in product.over:
        terms = sum_terms(total)
        if not 2 <= len(terms) <= MOST_TERMS:
            continue
        rest = replace(product, over=_without(product.over, total))
        parts = [(negative, rest.times(factors(v, known))) for negative, v in terms]
        simple = [(negative, p, simplify(p, context)) for negative, p in parts]
        if any(
            factors(v, known).under and cancels(p, s) for (_, v), (_, p, s) in zip(terms, simple)
        ):
            written = [(negative, write(s, p, out)) for negative, p, s in simple]
            if all(v is not None for _, v in written):
                return _sum(written)
    return None


def cancels(before: Product, after: Product) -> bool:
    return len(after.under) < len(before.under)


def sum_terms(
    variable: Variable, negative: bool = False, depth: int = 3
) -> list[tuple[bool, Variable]]:
    """The terms of a sum, each with whether it is subtracted; the variable itself where it is no sum."""
    node = made_by(variable, Add, Sub, Neg) if depth else None
    if node is None or any(dtype_of(v) != dtype_of(variable) for v in node.inputs):
        return [(negative, variable)]
    found: list[tuple[bool, Variable]] = []
    for i, v in enumerate(node.inputs):
        flip = bool(made_by(variable, Neg)) or (i == 1 and bool(made_by(variable, Sub)))
        found += sum_terms(v, negative != flip, depth - 1)
    return found


def _sum(terms: Iterable[tuple[bool, Any]]) -> Variable:
    ordered = sorted(terms, key=lambda term: term[0])  # what is added comes first
    (negative, total), *rest = ordered
    total = neg(total) if negative else total
    for subtracted, v in rest:
        total = sub(total, v) if subtracted else add(total, v)
    return total  # type: ignore[no-any-return]


def write(product: Product, before: Product, out: Variable) -> Variable | None:
    """The product as an expression in the dtype and shape of `out`; None where no operand is left that has its shape."""
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
    """The product of factors, what is small first: scalars are multiplied before they meet a matrix."""
    powers: list[Any] = []
    for v, count in Counter(items).items():
        powers += [sqr(cast(v, dtype))] * (count // 2) + [cast(v, dtype)] * (count % 2)
    return reduce(mul, sorted(powers, key=ndim_of)) if powers else None
