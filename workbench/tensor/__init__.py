"""Symbolic arrays: constructors of inputs, and functions by NumPy's names where NumPy has one.

import workbench.tensor as T
x = T.matrix('x'); w = T.vector('w')
y = T.tanh(T.dot(x, w))
"""

import sys
from typing import Any

from workbench.core.gradient import grad
from workbench.core.ops.alloc import alloc
from workbench.core.ops.create import arange, eye, full, ones, zeros
from workbench.core.ops.dot import dot, outer
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.indexing import inc_subtensor, set_subtensor
from workbench.core.ops.join import concatenate, join, stack
from workbench.core.ops.positions import argmax
from workbench.core.ops.reduce import all, any, max, mean, min, prod, std, sum, var
from workbench.core.ops.scalars import (
    absolute,
    add,
    and_,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    cast,
    ceil,
    cos,
    cosh,
    eq,
    erf,
    erfc,
    exp,
    exp2,
    expm1,
    floor,
    floor_div,
    gamma,
    gammaln,
    ge,
    gt,
    invert,
    isinf,
    isnan,
    le,
    log,
    log1p,
    log2,
    log10,
    lt,
    maximum,
    minimum,
    mod,
    mul,
    neg,
    neq,
    ones_like,
    or_,
    power,
    psi,
    rint,
    second,
    sigmoid,
    sign,
    sin,
    sinh,
    softplus,
    sqr,
    sqrt,
    sub,
    switch,
    tan,
    tanh,
    true_div,
    trunc,
    xor,
    zeros_like,
)
from workbench.core.ops.shape import (
    addbroadcast,
    dimshuffle,
    flatten,
    reshape,
    shape,
    specify_shape,
    transpose,
    unbroadcast,
)
from workbench.core.shared import shared
from workbench.core.types import TensorType, tensor_type
from workbench.core.variable import TensorConstant, TensorVariable, tensor
from workbench.errors import nearest
from workbench.tensor import nnet
from workbench.tensor.constructors import *  # noqa: F403
from workbench.tensor.constructors import as_tensor_variable, constant
from workbench.tensor.later import LATER, MODULES

# NumPy's other spellings.
abs = absolute
pow = power
square = sqr
negative = neg
subtract = sub
multiply = mul
divide = true_div
floor_divide = floor_div
remainder = mod
equal = eq
not_equal = neq
less, less_equal, greater, greater_equal = lt, le, gt, ge


TensorVariable.namespace = sys.modules[__name__]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in MODULES:
        return import_module(f"workbench.tensor.{name}")
    if name not in LATER:
        hint = "" if name.startswith("_") else _elsewhere(name) or nearest(name, __dir__())
        raise AttributeError(f"module 'workbench.tensor' has no attribute {name!r}.{hint}")
    value = getattr(import_module(LATER[name]), name)
    globals()[name] = value
    return value


def _elsewhere(name: str) -> str:
    """Where a name is that is not here."""
    found = (f"T.{module}.{name}" for module in MODULES if hasattr(__getattr__(module), name))
    place = next(found, f"T.nnet.{name}" if name in nnet.__dir__() else "")
    return f" It is {place}" if place else ""


def __dir__() -> list[str]:
    return sorted({*globals(), *LATER, *MODULES})
