"""Functions of tensors whose old signature differs, and lists of dtypes."""

from __future__ import annotations

from typing import Any

import workbench.tensor as T
from workbench.core.graph import Constant
from workbench.errors import GraphError

int_dtypes = ["int8", "int16", "int32", "int64"]
uint_dtypes = ["uint8", "uint16", "uint32", "uint64"]
float_dtypes = ["float16", "float32", "float64"]
complex_dtypes = ["complex64", "complex128"]
discrete_dtypes = int_dtypes + uint_dtypes
continuous_dtypes = complex_dtypes + float_dtypes
all_dtypes = discrete_dtypes + continuous_dtypes


class NotScalarConstantError(GraphError, ValueError):
    """A variable is not the constant scalar that was asked for."""


class EmptyConstantError(NotScalarConstantError):
    """A constant has no element."""


AsTensorError = GraphError  # a TypeError


def get_scalar_constant_value(variable: Any) -> Any:
    """The number that a constant (or a graph of constants) is. Raises NotScalarConstantError."""
    v: Any = T.as_tensor_variable(variable)
    if not isinstance(v, Constant):
        from workbench.core.rewrite import optimise

        (v,) = optimise([v]).outputs
    if not isinstance(v, Constant):
        raise NotScalarConstantError(f"{variable} is not constant", place=v.place)
    if v.data.size == 0:
        raise EmptyConstantError(f"{variable} is empty")
    if v.data.size > 1 and not (v.data == v.data.flat[0]).all():
        raise NotScalarConstantError(f"{variable} is no scalar, but of shape {v.data.shape}")
    return v.data.flat[0]


def flatten(x: Any, ndim: int | None = None, outdim: int | None = None) -> Any:
    """`T.flatten`, whose second argument was once called `outdim`."""
    return T.flatten(x, ndim if ndim is not None else 1 if outdim is None else outdim)


def stack(*tensors: Any, **kwargs: Any) -> Any:
    """`T.stack(list, axis=0)`, or the older `T.stack(a, b, c)`."""
    if len(tensors) == 2 and isinstance(tensors[0], (list, tuple)):
        return T.stack(tensors[0], axis=tensors[1])
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        return T.stack(tensors[0], **kwargs)
    if "tensors" in kwargs:
        return T.stack(kwargs.pop("tensors"), **kwargs)
    return T.stack(list(tensors), **kwargs)


def conj(x: Any) -> Any:
    """The complex conjugate; real numbers as they are."""
    return T.conj(x)


def horizontal_stack(*matrices: Any) -> Any:
    """Matrices beside each other."""
    return T.concatenate(matrices, axis=1)


def vertical_stack(*matrices: Any) -> Any:
    """Matrices below each other."""
    return T.concatenate(matrices, axis=0)


def patternbroadcast(x: Any, broadcastable: Any) -> Any:
    """The tensor with exactly these broadcast flags."""
    variable: Any = T.as_tensor_variable(x)
    have = variable.broadcastable
    if len(have) != len(tuple(broadcastable)):
        raise GraphError(f"{x} has {len(have)} axes, the pattern {len(tuple(broadcastable))}")
    added = [i for i, flag in enumerate(broadcastable) if flag and not have[i]]
    removed = [i for i, flag in enumerate(broadcastable) if not flag and have[i]]
    variable = T.addbroadcast(variable, *added) if added else variable
    return T.unbroadcast(variable, *removed) if removed else variable
