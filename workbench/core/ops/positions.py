"""Positions of elements: of what is not zero, of the greatest and the smallest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.join import stack
from workbench.core.ops.reduce import max, normal_axes, over_nothing
from workbench.core.ops.scalars import cast
from workbench.core.ops.shape import dimension, dimshuffle, flatten
from workbench.core.types import TensorType, as_tensor, tensor_type, wider_than_half
from workbench.errors import DtypeError, RankError
from workbench.frozen import frozen


@frozen
class Nonzero(Op):
    """The positions of what is not zero: an int64 vector for each axis, in C order."""

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        if (ndim := tensor_type(inputs[0]).ndim) == 0:
            raise RankError("nonzero of a scalar", advice="compare it with 0")
        return [TensorType("int64", (None,))] * ndim

    def evaluate(self, *values: Array) -> Sequence[Array]:
        return [np.asarray(i, "int64") for i in np.nonzero(values[0])]

    def connected(self, index: int) -> bool:
        return False

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        return [None]

    @property
    def label(self) -> str:
        return "nonzero"


def nonzero(x: Any, return_matrix: bool = False) -> Any:
    """The positions of what is not zero: an int64 vector for each axis, in C order; as the rows of
    a matrix where `return_matrix`.
    """
    variable = as_tensor(x)
    variable = cast(variable, wider_than_half(tensor_type(variable).dtype))
    found = tuple(Nonzero().apply(variable).outputs)
    return stack(list(found)) if return_matrix else found


@frozen
class Argmax(Op):
    """The position of the first maximum along one axis (the first nan where there is one),
    int64.
    """

    axis: int

    title: ClassVar[str] = "argmax"
    numpy: ClassVar[Callable[..., Any]] = staticmethod(np.argmax)

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = tensor_type(inputs[0])
        if not 0 <= self.axis < t.ndim:
            raise RankError(
                f"{self.title} over axis {self.axis}: {inputs[0]} has {t.ndim} axes",
                advice=f"give an axis from 0 to {t.ndim - 1}",
            )
        if t.dtype[0] == "c":
            raise DtypeError(
                f"{self.title} is not defined on complex numbers, which have no order",
                advice="take their absolute values first",
            )
        return [TensorType("int64", tuple(n for i, n in enumerate(t.shape) if i != self.axis))]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        if values[0].shape[self.axis] == 0:
            raise over_nothing(self.title, values[0])
        return [np.asarray(self.numpy(values[0], axis=self.axis), "int64")]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        return [None]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        ndim = tensor_type(inputs[0]).ndim
        return [[dimension(inputs[0], i) for i in range(ndim) if i != self.axis]]

    def connected(self, index: int) -> bool:
        return False

    @property
    def label(self) -> str:
        return self.title

    def __str__(self) -> str:
        return f"{type(self).__name__}{{axis={self.axis}}}"


@frozen
class Argmin(Argmax):
    """The position of the first minimum along one axis (the first nan where there is one)."""

    title = "argmin"
    numpy = staticmethod(np.argmin)


def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The position of the first maximum along an axis; over several axes (None: all) its position
    among their elements in a row.
    """
    return _position(Argmax, x, axis, keepdims)


def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The position of the first minimum along an axis; over several axes (None: all) its position
    among their elements in a row.
    """
    return _position(Argmin, x, axis, keepdims)


def _position(kind: type[Argmax], x: Any, axis: Any, keepdims: bool) -> Any:
    variable = as_tensor(x)
    ndim = tensor_type(variable).ndim
    axes = normal_axes(axis, ndim, kind.title)
    kept: list[int | str] = [i for i in range(ndim) if i not in axes]
    line = variable
    if len(axes) != 1:
        line = flatten(dimshuffle(variable, (*kept, *axes)), len(kept) + 1)
    found = kind(axes[0] if len(axes) == 1 else len(kept))(line)
    back = ["x" if i in axes else kept.index(i) for i in range(ndim)]
    return dimshuffle(found, back) if keepdims else found


def max_and_argmax(x: Any, axis: Any = None, keepdims: bool = False) -> tuple[Any, Any]:
    """The largest element over some axes, and its position: see `max` and `argmax`."""
    return max(x, axis, keepdims), argmax(x, axis, keepdims)
