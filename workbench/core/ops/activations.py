"""Activation functions, elementwise, written with the scalar ops.

Any: operands are numbers, arrays or variables, and the results are variables with operators.
"""

from __future__ import annotations

import math
from typing import Any

from workbench.core.graph import Variable
from workbench.core.ops.nnet import softmax
from workbench.core.ops.scalars import (
    absolute,
    add,
    cast,
    erfc,
    expm1,
    ge,
    gt,
    lt,
    maximum,
    minimum,
    mul,
    sigmoid,
    switch,
    tanh,
    true_div,
)
from workbench.core.types import as_tensor, constant, float_like, tensor_type

# Of the paper on self-normalising networks (Klambauer et al. 2017).
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def _like(value: Any, x: Any) -> Any:
    """A Python number in the float dtype that goes with x, so that it widens nothing; a variable as
    it is.
    """
    if isinstance(value, Variable):
        return value
    return constant(value, float_like(tensor_type(as_tensor(x)).dtype))


def _float(x: Any) -> Any:
    return cast(x, float_like(tensor_type(as_tensor(x)).dtype))


def relu(x: Any, alpha: Any = 0) -> Any:
    """max(x, 0), or alpha·x below 0: a number, or a variable of which an element may belong to each
    channel.
    """
    if not isinstance(alpha, Variable) and alpha == 0:
        return maximum(x, 0)
    return switch(gt(x, 0), x, mul(_like(alpha, x), x))


def leaky_relu(x: Any, alpha: Any = 0.01) -> Any:
    """`relu` with a small slope below 0."""
    return relu(x, alpha)


def elu(x: Any, alpha: Any = 1) -> Any:
    """Above 0 x itself, alpha·(exp(x) - 1) below."""
    return switch(gt(x, 0), x, mul(_like(alpha, x), expm1(minimum(x, 0))))


def selu(x: Any) -> Any:
    """`elu`, scaled so that means of 0 and variances of 1 stay (Klambauer et al. 2017)."""
    return mul(_like(_SELU_SCALE, x), elu(x, _SELU_ALPHA))


def gelu(x: Any, approximate: bool = False) -> Any:
    """The product of x and the normal distribution's cumulative function, or its approximation by
    tanh (Hendrycks and Gimpel 2016).
    """
    z = _float(x)
    if not approximate:
        return mul(_like(0.5, z), z * erfc(z * _like(-math.sqrt(0.5), z)))
    inner = _like(math.sqrt(2 / math.pi), z) * (z + _like(0.044715, z) * z * z * z)
    return mul(_like(0.5, z), z * (1 + tanh(inner)))


def silu(x: Any) -> Any:
    """x·sigmoid(x), also called swish."""
    return mul(x, sigmoid(x))


swish = silu


def softsign(x: Any) -> Any:
    """x/(1 + |x|)."""
    return true_div(x, add(1, absolute(x)))


def hard_sigmoid(x: Any) -> Any:
    """A piecewise linear sigmoid: x/5 + 1/2, kept between 0 and 1."""
    return minimum(maximum(mul(x, _like(0.2, x)) + 0.5, 0), 1)


def ultra_fast_sigmoid(x: Any) -> Any:
    """An approximation of sigmoid by three rational pieces on each side: within 0.03 of it."""
    half = absolute(_float(x)) * _like(0.5, x)
    near = _like(1.5, x) * half / (1 + half)
    line = _like(0.935409070603099, x) + _like(0.0458812946797165, x) * (half - _like(1.7, x))
    size = switch(lt(half, 1.7), near, switch(lt(half, 3.0), line, _like(0.99505475368673, x)))
    return _like(0.5, x) * (1 + switch(ge(x, 0), size, -size))


def softmax_with_bias(x: Any, b: Any) -> Any:
    """The softmax of every row of x + b."""
    return softmax(add(x, b))
