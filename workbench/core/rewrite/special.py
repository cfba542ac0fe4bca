"""Special forms that run faster: powers as products, softmax as loops that fuse, BLAS for products
of matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from workbench.core.graph import Apply, Variable
from workbench.core.ops.nnet import LogSoftmax, Softmax
from workbench.core.ops.scalars import Pow, TrueDiv, cast, mul, sqr, sqrt, true_div
from workbench.core.rewrite.engine import Context, Rule, rule
from workbench.core.rewrite.matching import dtype_of, is_scalar, number_of
from workbench.core.types import constant

POWERS: dict[float, Callable[[Any], Any]] = {
    3: lambda x: mul(sqr(x), x),
    4: lambda x: sqr(sqr(x)),
    5: lambda x: mul(sqr(sqr(x)), x),
    6: lambda x: sqr(mul(sqr(x), x)),
    8: lambda x: sqr(sqr(sqr(x))),
    1.5: lambda x: mul(x, sqrt(x)),
    -0.5: lambda x: true_div(1, sqrt(x)),
    -3: lambda x: true_div(1, mul(sqr(x), x)),
}


@rule(Pow, equation="x ** 3 → sqr(x) * x")
def power_by_products(node: Apply, context: Context) -> Variable | None:
    """A few multiplications are faster than a power, and right to a few units in the last place."""
    base, exponent = node.inputs
    dtype = dtype_of(node.outputs[0])
    write = POWERS.get(number_of(exponent))
    fits = dtype[0] == "f" or (dtype[0] in "iu" and float(number_of(exponent) or -1) > 0)
    return write(cast(base, dtype)) if write is not None and fits else None


@rule(TrueDiv, equation="x / 4 → x * 0.25")
def divide_by_power_of_two(node: Apply, context: Context) -> Variable | None:
    """The reciprocal of a power of two is exact, and multiplying is faster."""
    x, divisor = node.inputs
    number, dtype = number_of(divisor), dtype_of(node.outputs[0])
    if number is None or dtype[0] != "f" or is_scalar(x) or not number or not math.isfinite(number):
        return None
    if abs(math.frexp(number)[0]) != 0.5 or not 2.0**-60 < abs(number) < 2.0**60:
        return None
    return mul(cast(x, dtype), constant(1 / number, dtype))  # type: ignore[no-any-return]


@rule(Softmax, LogSoftmax, equation="softmax(x) → exp(x - max(x)) / sum(exp(x - max(x)))")
def expand_softmax(node: Apply, context: Context) -> Variable | None:
    """Written with simple ops it fuses with what stands round it."""
    return node.op.expand(node.inputs[0])  # type: ignore[attr-defined, no-any-return]


SPECIAL_FORMS: tuple[Rule, ...] = (power_by_products, divide_by_power_of_two, expand_softmax)
