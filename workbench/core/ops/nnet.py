"""Softmax and its logarithm: ops, so that a picture shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Type, Variable, Variables
from workbench.core.ops.along import Along
from workbench.core.ops.reduce import Peak
from workbench.core.ops.reduce import sum as total
from workbench.core.ops.scalars import cast, exp, log
from workbench.core.ops.scalars import sigmoid as sigmoid
from workbench.core.ops.scalars import softplus as softplus
from workbench.core.ops.shape import normal_axis
from workbench.core.types import (
    as_tensor,
    float_like,
    is_discrete,
    tensor_type,
)
from workbench.errors import DtypeError
from workbench.frozen import frozen


class _OfVectors(Along):
    """A function of whole vectors along one axis. `expand` writes it with simpler ops."""

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        if tensor_type(inputs[0]).dtype[0] == "c":
            raise DtypeError(
                f"{self.label} is not defined on complex numbers", advice="take a real part of them"
            )
        return super().infer(*inputs)

    def out_dtype(self, dtype: str) -> str:
        return float_like(dtype)

    def peak(self, x: Any) -> Any:
        """The largest element of each vector, also of none."""
        op = Peak((self.axis,))
        return op.expand(op(x), x)

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 5 * int(outputs[0].size)


@frozen
class Softmax(_OfVectors):
    """exp(x) / sum(exp(x)) along an axis, computed from x - max(x)."""

    title = "softmax"

    def evaluate(self, *values: Array) -> Sequence[Array]:
        x = _floating(values[0])
        e = np.exp(x - x.max(axis=self.axis, keepdims=True, initial=-np.inf))
        return [np.asarray(e / e.sum(axis=self.axis, keepdims=True), x.dtype)]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,), (y,) = gradients, outputs
        if g is None or is_discrete(tensor_type(inputs[0]).dtype):
            return [None]
        weighted = g * y
        return [weighted - total(weighted, axis=self.axis, keepdims=True) * y]

    def expand(self, x: Variable) -> Any:
        """The same in simpler ops, for back ends that fuse loops."""
        x = cast(x, float_like(tensor_type(x).dtype))
        e = exp(x - self.peak(x))
        return e / total(e, axis=self.axis, keepdims=True)


@frozen
class LogSoftmax(_OfVectors):
    """x - log(sum(exp(x))) along an axis, computed from x - max(x)."""

    title = "log_softmax"

    def evaluate(self, *values: Array) -> Sequence[Array]:
        x = _floating(values[0])
        shifted = x - x.max(axis=self.axis, keepdims=True, initial=-np.inf)
        return [
            np.asarray(
                shifted - np.log(np.exp(shifted).sum(axis=self.axis, keepdims=True)), x.dtype
            )
        ]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,), (y,) = gradients, outputs
        if g is None or is_discrete(tensor_type(inputs[0]).dtype):
            return [None]
        return [g - exp(y) * total(g, axis=self.axis, keepdims=True)]

    def expand(self, x: Variable) -> Any:
        """The same in simpler ops, for back ends that fuse loops."""
        x = cast(x, float_like(tensor_type(x).dtype))
        shifted = x - self.peak(x)
        return shifted - log(total(exp(shifted), axis=self.axis, keepdims=True))


def _floating(x: Array) -> Array:
    return x.astype(float_like(str(x.dtype)), copy=False)


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) / sum(exp(x)) along an axis (the last by default)."""
    variable = as_tensor(x)
    return Softmax(normal_axis(axis, variable, "softmax"))(variable)


def logsoftmax(x: Any, axis: int = -1) -> Any:
    """The logarithm of softmax, without overflow or log(0)."""
    variable = as_tensor(x)
    return LogSoftmax(normal_axis(axis, variable, "logsoftmax"))(variable)
