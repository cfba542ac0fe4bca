"""Softmax and its logarithm: ops, so that a picture shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.reduce import Peak
from workbench.core.ops.reduce import sum as total
from workbench.core.ops.scalars import cast, exp, log
from workbench.core.ops.scalars import sigmoid as sigmoid
from workbench.core.ops.scalars import softplus as softplus
from workbench.core.ops.shape import normal_axis, shape_tuple
from workbench.core.types import (
    as_tensor,
    float_like,
    is_discrete,
    tensor_type,
)
from workbench.errors import DtypeError, RankError
from workbench.frozen import frozen


class _AlongAxis(Op):
    """A function of whole vectors along one axis, of the same shape. `expand` writes it with
    simpler ops.
    """

    axis: int

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = tensor_type(inputs[0])
        if not 0 <= self.axis < t.ndim:
            raise RankError(
                f"{self.label} along axis {self.axis}: {inputs[0]} has {t.ndim} axes",
                advice=f"give an axis from 0 to {t.ndim - 1}",
            )
        if t.dtype[0] == "c":
            raise DtypeError(
                f"{self.label} is not defined on complex numbers", advice="take a real part of them"
            )
        return [t.with_dtype(float_like(t.dtype))]

    def peak(self, x: Any) -> Any:
        """The largest element of each vector, also of none."""
        op = Peak((self.axis,))
        return op.expand(op(x), x)

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 5 * int(outputs[0].size)

    def __str__(self) -> str:
        return f"{type(self).__name__}{{axis={self.axis}}}"


@frozen
class Softmax(_AlongAxis):
    """exp(x) / sum(exp(x)) along an axis, computed from x - max(x)."""

    axis: int

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

    @property
    def label(self) -> str:
        return "softmax"


@frozen
class LogSoftmax(_AlongAxis):
    """x - log(sum(exp(x))) along an axis, computed from x - max(x)."""

    axis: int

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

    @property
    def label(self) -> str:
        return "log_softmax"


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
