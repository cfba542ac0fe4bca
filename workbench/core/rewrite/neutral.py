"""Identities of arithmetic: neutral and absorbing elements, signs, casts, conditions with one way
out.
"""

from __future__ import annotations

import numpy as np

from workbench.core.graph import Apply, Variable
from workbench.core.ops.scalars import (
    Cast,
    Maximum,
    Minimum,
    Mul,
    Pow,
    Sub,
    Switch,
    TrueDiv,
    absolute,
    cast,
    neg,
    second,
    sqr,
    sqrt,
)  # fmt: skip
from workbench.core.ops.shape import Dimension
from workbench.core.rewrite.engine import Context, Rule, rule, value_of
from workbench.core.rewrite.equations import ANY, FLOAT, conform, equation, is_number, x, y
from workbench.core.rewrite.matching import dtype_of, is_scalar, made_by, pattern_of
from workbench.core.types import constant

UNITS: tuple[Rule, ...] = (
    equation("add_zero", x + 0, x, "Zero adds nothing.", ANY),
    equation("sub_zero", x - 0, x, "Zero takes nothing away.", ANY),
    equation("zero_sub", 0 - x, -x, "What is left of zero is the negative.", ANY),
    equation("mul_one", x * 1, x, "One changes no product.", ANY),
    equation("div_one", x / 1, x, "One changes no quotient.", ANY),
    equation("pow_one", x**1, x, "The first power is the number itself.", ANY),
    equation("square", x**2, sqr(x), "A square is one multiplication.", ANY),
    equation("square_root", x**0.5, sqrt(x), "Another value at -inf only.", FLOAT),
    equation("reciprocal", x**-1, 1 / x, "A quotient is faster than a power.", FLOAT),
    equation("inverse_square", x**-2, 1 / sqr(x), "A quotient is faster than a power.", FLOAT),
)

SIGNS: tuple[Rule, ...] = (
    equation("neg_neg", neg(neg(x)), x, "Two signs are none.", ANY),
    equation("neg_sub", -(x - y), y - x, "A difference changes its sign by changing sides.", ANY),
    equation("sub_neg", x - (-y), x + y, "Two signs are none.", ANY),
    equation("add_neg", x + (-y), x - y, "Adding the negative is subtracting.", ANY),
    equation("neg_minus", (-x) - y, -(x + y), "Signs move out of sums.", ANY),
    equation("neg_mul", (-x) * y, -(x * y), "Signs move out of products.", ANY),
    equation("neg_div", (-x) / y, -(x / y), "Signs move out of quotients.", ANY),
    equation("div_neg", x / (-y), -(x / y), "Signs move out of quotients.", ANY),
    equation("abs_neg", absolute(-x), absolute(x), "The sign does not count.", "if"),
    equation("abs_abs", absolute(absolute(x)), absolute(x), "It has no sign any more."),
    equation("sqr_neg", sqr(-x), sqr(x), "The sign does not count.", ANY),
    equation("sqr_abs", sqr(absolute(x)), sqr(x), "The sign does not count."),
    equation("sqrt_sqr", sqrt(sqr(x)), absolute(x), "The square may overflow.", FLOAT),
    equation("sqr_sqrt", sqr(sqrt(x)), x, "Unsafe below 0: x there, where it was nan.", FLOAT),
)  # fmt: skip


@rule(Mul, equation="x * 0 → 0")
def mul_zero(node: Apply, context: Context) -> Variable | None:
    """A product with zero is zero. Unsafe for inf and nan: it was nan."""
    if not any(is_number(v, 0) for v in node.inputs):
        return None
    return _filled(0, node)


@rule(TrueDiv, equation="0 / x → 0")
def zero_div(node: Apply, context: Context) -> Variable | None:
    """Zero over anything is zero. Unsafe for 0 and nan: it was nan. Not over a number of elements:
    the mean of none is nan.
    """
    above, below = node.inputs
    if not is_number(above, 0) or is_number(below, 0) or _counts(below):
        return None
    return _filled(0, node)


def _counts(variable: Variable) -> bool:
    """Whether it is a whole number as a float: a number of elements, which may be 0."""
    node = made_by(variable, Cast)
    return node is not None and dtype_of(node.inputs[0])[0] in "iu" and is_scalar(variable)


@rule(Sub, equation="x - x → 0")
def sub_self(node: Apply, context: Context) -> Variable | None:
    """Unsafe for inf and nan: it was nan."""
    a, b = node.inputs
    return _filled(0, node) if a is b else None


@rule(Pow, equation="x ** 0 → 1")
def pow_zero(node: Apply, context: Context) -> Variable | None:
    """Anything to the power of zero is one, nan too."""
    return _filled(1, node) if is_number(node.inputs[1], 0) else None


def _filled(number: int, node: Apply) -> Variable | None:
    """A number in the shape of the node's result, taken from one of its inputs."""
    out = node.outputs[0]
    value = constant(number, dtype_of(out))
    if not pattern_of(out):
        return value
    shaped = (v for v in node.inputs if pattern_of(v) == pattern_of(out))
    return next((second(v, value) for v in shaped), None)


@rule(Switch, equation="switch(True, x, y) → x")
def switch_constant(node: Apply, context: Context) -> Variable | None:
    """A condition that is known takes one way."""
    condition = value_of(node.inputs[0])
    if condition is None or condition.size == 0 or condition.any() != condition.all():
        return None
    return conform(node.inputs[1 if condition.any() else 2], node.outputs[0])


@rule(Switch, equation="switch(c, x, x) → x")
def switch_same(node: Apply, context: Context) -> Variable | None:
    """Both ways lead to the same."""
    _, a, b = node.inputs
    return conform(a, node.outputs[0]) if a is b else None


@rule(Maximum, Minimum, equation="maximum(x, x) → x")
def extreme_self(node: Apply, context: Context) -> Variable | None:
    """The greater (or smaller) of two equals."""
    a, b = node.inputs
    return a if a is b else None


@rule(Maximum, equation="maximum(x.shape[i], 0) → x.shape[i]")
def length_is_positive(node: Apply, context: Context) -> Variable | None:
    """A length is never negative."""
    a, b = node.inputs
    if is_number(a, 0):
        a, b = b, a
    return a if is_number(b, 0) and made_by(a, Dimension) is not None else None


@rule(Cast, equation="cast(x, its dtype) → x")
def cast_same(node: Apply, context: Context) -> Variable | None:
    """A cast to the dtype that is there."""
    (a,) = node.inputs
    return a if dtype_of(a) == dtype_of(node.outputs[0]) else None


@rule(Cast, equation="cast(cast(x, wider), dtype) → cast(x, dtype)")
def cast_cast(node: Apply, context: Context) -> Variable | None:
    """Of two casts the first is left out where it loses nothing."""
    inner = made_by(node.inputs[0], Cast)
    if inner is None or not keeps_values(dtype_of(inner.inputs[0]), dtype_of(inner.outputs[0])):
        return None
    return cast(inner.inputs[0], dtype_of(node.outputs[0]))  # type: ignore[no-any-return]


def keeps_values(narrow: str, wide: str) -> bool:
    """Whether every value of one dtype is a value of the other.

    >>> keeps_values("int32", "float64"), keeps_values("int64", "float64")
    (True, False)
    """
    a, b = np.dtype(narrow), np.dtype(wide)
    if not np.can_cast(a, b, "safe"):
        return False
    digits = {"float16": 11, "float32": 24, "complex64": 24, "float64": 53, "complex128": 53}
    return a.kind not in "iu" or b.kind in "iu" or a.itemsize * 8 <= digits[b.name]


NEUTRAL: tuple[Rule, ...] = (
    *UNITS,
    *SIGNS,
    mul_zero,
    zero_div,
    sub_self,
    pow_zero,
    switch_constant,
    switch_same,
    extreme_self,
    length_is_positive,
    cast_same,
    cast_cast,
)
