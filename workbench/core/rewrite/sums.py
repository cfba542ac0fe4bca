"""Sums and products together: what changes nothing in a sum leaves it, what is zero almost
everywhere stays so.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from workbench.core.graph import Apply, Variable
from workbench.core.ops.index import AdvancedIncSubtensor, AdvancedSubtensor, Subtensor
from workbench.core.ops.reduce import Sum
from workbench.core.ops.scalars import (
    Add,
    Exp,
    Mul,
    Neg,
    Sigmoid,
    Sub,
    TrueDiv,
    cast,
    neg,
    sigmoid,
    true_div,
)
from workbench.core.ops.shape import dimshuffle
from workbench.core.rewrite.engine import Context, Rule, rule
from workbench.core.rewrite.indexing import adds_to_zeros, spec_of
from workbench.core.rewrite.matching import dtype_of, is_scalar, made_by, ndim_of, pattern_of
from workbench.core.rewrite.products import Product, factors, sum_terms, write


@rule(Sub, Add, equation="x - x * sigmoid(u) → x * sigmoid(-u)")
def minus_part(node: Apply, context: Context) -> Variable | None:
    """What sigmoid leaves over is sigmoid of the opposite: the difference of two near numbers loses
    digits.
    """
    (out,) = node.outputs
    if dtype_of(out)[0] != "f":
        return None
    terms = sum_terms(out, depth=1)
    if len(terms) != 2 or not any(made_by(v, Mul) for _, v in terms):
        return None
    known: dict[Variable, Product] = context.note("factors")
    a, b = (_signed(negative, factors(v, known)) for negative, v in terms)
    if a.negative == b.negative:
        return None
    for whole, part in ((a, b), (b, a)):
        extra = _extra(whole, part)
        if extra is not None:
            u = cast(extra.owner.inputs[0], dtype_of(extra))  # type: ignore[union-attr]
            new = Product((*whole.over, sigmoid(neg(u))), whole.under, whole.negative)
            return write(new, new, out)
    return None


def _signed(negative: bool, product: Product) -> Product:
    return Product(product.over, product.under, product.negative != negative)


def _extra(whole: Product, part: Product) -> Variable | None:
    """The sigmoid by which a product is longer than another one."""
    if len(part.over) != len(whole.over) + 1 or Counter(part.under) != Counter(whole.under):
        return None
    more, less = Counter(part.over) - Counter(whole.over), Counter(whole.over) - Counter(part.over)
    (extra,) = more if len(more) == 1 and not less else (None,)
    return extra if extra is not None and made_by(extra, Sigmoid) else None


@rule(Sum, equation="sum(x / c) → sum(x) / c")
def sum_of_quotient(node: Apply, context: Context) -> Variable | None:
    """What does not change along the axes is divided by once."""
    (x,), axes = node.inputs, node.op.axes  # type: ignore[attr-defined]
    if made_by(x, Mul, TrueDiv, Neg) is None or dtype_of(x) not in ("float32", "float64"):
        return None
    if not context.read_once(x):
        return None
    product = factors(x, context.note("factors"))
    fixed = tuple(v for v in product.under if _is_fixed(v, axes, ndim_of(x)))
    if not fixed or any(dtype_of(v) != dtype_of(x) for v in fixed):
        return None
    rest = Product(
        product.over, tuple(v for v in product.under if v not in fixed), product.negative
    )
    inside = write(rest, rest, x)
    return None if inside is None else _divided(node.op(inside), fixed, axes, ndim_of(x))


def _divided(total: Any, fixed: tuple[Variable, ...], axes: tuple[int, ...], ndim: int) -> Any:
    for v in fixed:
        total = true_div(total, _reduced(v, axes, ndim))
    return total


def _is_fixed(variable: Variable, axes: tuple[int, ...], ndim: int) -> bool:
    """Whether a factor of an expression of this rank is the same all along the axes."""
    missing = ndim - ndim_of(variable)
    return all(a < missing or pattern_of(variable)[a - missing] for a in axes)


def _reduced(variable: Variable, axes: tuple[int, ...], ndim: int) -> Any:
    """The factor without these axes."""
    missing = ndim - ndim_of(variable)
    return dimshuffle(variable, tuple(a - missing for a in range(missing, ndim) if a not in axes))


@rule(Mul, TrueDiv, equation="inc(0, [i], y) * x → inc(0, [i], y * x[i])")
def scale_added(node: Apply, context: Context) -> Variable | None:
    """A product that is zero almost everywhere is computed only where it is not.

    An exponential stays outside: there it may be part of a softmax.
    """
    a, b = node.inputs
    sides = [(a, b)] if made_by(node.outputs[0], TrueDiv) else [(a, b), (b, a)]
    for written, other in sides:
        inner = adds_to_zeros(written)
        if inner is None or dtype_of(written) != dtype_of(node.outputs[0]) or made_by(other, Exp):
            continue
        if not is_scalar(other) and other.type.broadcastable != pattern_of(written):  # type: ignore[attr-defined]
            continue
        zeros, value, *parts = inner.inputs
        read: Any = (
            AdvancedSubtensor if isinstance(inner.op, AdvancedIncSubtensor) else Subtensor
        )(spec_of(inner))
        factor = other if is_scalar(other) else read(other, *parts)
        if ndim_of(value) < ndim_of(factor):
            continue
        return inner.op(zeros, node.op(value, factor), *parts)  # type: ignore[no-any-return]
    return None


SUMS: tuple[Rule, ...] = (minus_part, sum_of_quotient, scale_added)
