"""What cancels in a product, and the functions that a product spells out.

exp(u) / (1 + exp(u)) is sigmoid(u), exp(x) / sum(exp(x)) is softmax(x). Without these rules the
gradient of a logarithm divides by what the next node multiplies by, and inf / inf is nan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    Sub,
    TrueDiv,
    add,
    cast,
    neg,
    sigmoid,
    sub,
)  # fmt: skip
from workbench.core.rewrite.engine import Context, Rule, calling_source, rule
from workbench.core.rewrite.equations import is_number
from workbench.core.rewrite.matching import (
    aligned_order,
    behind_dimshuffle,
    dtype_of,
    is_scalar,
    made_by,
    ndim_of,
    number_of,
)  # fmt: skip
from workbench.core.rewrite.products import (
    Product,
    factors,
    sum_terms,
    whole_product,
    without,
    write,
)  # fmt: skip
from workbench.core.types import constant

MOST_TERMS = 4  # terms of a sum that is multiplied out

Transform = Callable[[Product, Context], Product]


def product_rule(transform: Transform, equation: str) -> Rule:
    """The rule that rewrites the factors of a whole product; the very same product means that it
    does not fit.
    """

    def rewrite(node: Apply, context: Context) -> Variable | None:
        product = whole_product(node, context)
        if product is None or (new := transform(product, context)) is product:
            return None
        return write(new, product, node.outputs[0])

    reason = " ".join((transform.__doc__ or "").split())
    return Rule(
        transform.__name__, (Mul, TrueDiv, Neg), rewrite, equation, reason, calling_source()
    )


def cancel(product: Product, context: Context) -> Product:
    """Equal factors above and below the line cancel. Unsafe where they are 0 or inf: it was nan."""
    for below in product.under:
        if below in product.over:
            product = product.exchange(below, below, None)
    return product


def sigmoid_spelled(product: Product, context: Context) -> Product:
    """The quotient of exponentials overflows, sigmoid does not; 1 / (1 + exp(x)) is sigmoid(-x)."""
    for below in product.under:
        e = one_plus_exp(below)
        if e is None:
            continue
        u = cast(e.owner.inputs[0], dtype_of(e))  # type: ignore[union-attr]
        if e in product.over:
            product = product.exchange(e, below, sigmoid(u))
        else:
            product = product.exchange(None, below, sigmoid(neg(u)))
    return product


def softmax_spelled(product: Product, context: Context) -> Product:
    """The quotient of exponentials overflows, softmax does not."""
    for below in product.under:
        found = ((above, softmax_of(above, below)) for above in product.over)
        above, soft = next(((a, s) for a, s in found if s is not None), (None, None))
        if soft is not None:
            product = product.exchange(above, below, soft)
    return product


def sigmoid_moved(product: Product, context: Context) -> Product:
    """exp(x) overflows where sigmoid(-x) is 0."""
    for e in product.over:
        if not made_by(e, Exp) or not any(made_by(s, Sigmoid) for s in product.over):
            continue
        u = cast(e.owner.inputs[0], dtype_of(e))  # type: ignore[union-attr]
        opposite = context.interned(_opposite(u))
        for s in product.over:
            if made_by(s, Sigmoid) and s.owner.inputs[0] is opposite:  # type: ignore[union-attr]
                rest = without(without(product.over, e), s)
                return replace(product, over=(*rest, sigmoid(u)))
    return product


def one_number(product: Product, context: Context) -> Product:
    """The numbers of a product are multiplied when it is compiled."""
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


SPELLED: dict[Transform, str] = {
    cancel: "(x / y) * y → x",
    sigmoid_spelled: "exp(x) / (1 + exp(x)) → sigmoid(x)",
    softmax_spelled: "exp(x) / sum(exp(x)) → softmax(x)",
    sigmoid_moved: "exp(x) * sigmoid(-x) → sigmoid(x)",
    one_number: "2 * x * 3 → 6 * x",
}


def simplify(product: Product, context: Context) -> Product:
    """The product after all of these; the very same one where none fits."""
    before = None
    while before is not product:  # what was found may cancel in its turn
        before = product
        for transform in SPELLED:
            product = transform(product, context)
    return product


@rule(Mul, TrueDiv, Neg, equation="(x / y + z) * y → x + z * y")
def multiply_out(node: Apply, context: Context) -> Variable | None:
    """A sum of fractions times what they are divided by: each term by itself cancels."""
    product = whole_product(node, context)
    if product is None or len(product.over) < 2:
        return None
    for total in product.over:
        terms = sum_terms(total) if made_by(total, Add, Sub) else []
        if 2 <= len(terms) <= MOST_TERMS:
            rest = replace(product, over=without(product.over, total))
            if (found := _multiplied_out(terms, rest, node.outputs[0], context)) is not None:
                return found
    return None


def _multiplied_out(
    terms: list[tuple[bool, Variable]], rest: Product, out: Variable, context: Context
) -> Variable | None:
    known: dict[Variable, Product] = context.note("factors")
    fractions = [factors(v, known) for _, v in terms]
    if not any(f.under for f in fractions):
        return None
    before = [rest.times(f) for f in fractions]
    after = [simplify(p, context) for p in before]
    pairs = zip(fractions, before, after)
    if not any(f.under and len(b.under) > len(a.under) for f, b, a in pairs):
        return None
    written = [(n, write(a, b, out)) for (n, _), b, a in zip(terms, before, after)]
    return None if any(v is None for _, v in written) else _sum(written)


def _sum(terms: Iterable[tuple[bool, Any]]) -> Variable:
    ordered = sorted(terms, key=lambda term: term[0])  # what is added comes first
    (negative, total), *rest = ordered
    total = neg(total) if negative else total
    for subtracted, v in rest:
        total = sub(total, v) if subtracted else add(total, v)
    return total  # type: ignore[no-any-return]


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


def _opposite(u: Any) -> Any:
    """-u as the other rules would write it."""
    if (node := made_by(u, Neg)) is not None:
        return node.inputs[0]
    if (node := made_by(u, Sub)) is not None:
        return sub(node.inputs[1], node.inputs[0])
    return neg(u)


def _wide(variable: Variable) -> Any:
    number = number_of(variable)
    return complex(number) if dtype_of(variable)[0] == "c" else float(number)


PRODUCTS: tuple[Rule, ...] = (*(product_rule(t, text) for t, text in SPELLED.items()), multiply_out)
