"""Arrays made from numbers: arange, eye, zeros, ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.configuration import config
from workbench.core.graph import Array, Constant, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.alloc import alloc
from workbench.core.ops.scalars import cast, ceil, maximum
from workbench.core.ops.shape import as_scalar_int, static_int
from workbench.core.types import (
    TensorType,
    as_tensor,
    constant,
    is_integer,
    tensor_type,
    upcast,
    wider_than_half,
)
from workbench.errors import DtypeError, RankError, ShapeError
from workbench.frozen import frozen


@frozen
class ARange(Op):
    """start, start + step, … before stop. Inputs: three scalars of the op's dtype."""

    dtype: str

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        if any(tensor_type(v).ndim for v in inputs):
            raise RankError("arange takes scalars", advice="take one element, or its length")
        if self.dtype[0] in "bc":
            raise DtypeError(
                f"arange of {self.dtype}", advice="give dtype= an integer's or a float's"
            )
        if is_integer(self.dtype) and static_int(inputs[2]) == 0:
            raise ShapeError("arange with a step of 0", advice="give a step of 1 or -1")
        numbers = [static_int(v) for v in inputs] if is_integer(self.dtype) else [None]
        known = len(range(*numbers)) if None not in numbers and numbers[2] else None  # type: ignore[arg-type]
        return [TensorType(self.dtype, (known,))]

    def evaluate(self, *values: Any) -> Sequence[Array]:  # Any: arrays of numbers
        start, stop, step = (v[()] for v in values)
        if step == 0:
            raise ShapeError("arange with a step of 0", advice="give a step of 1 or -1")
        return [np.arange(start, stop, step, dtype=self.dtype)]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        from workbench.core.ops.reduce import sum as total

        (g,) = gradients
        if g is None or is_integer(self.dtype):
            return [None, None, None]
        steps = arange(outputs[0].shape[0])  # type: ignore[attr-defined]
        return [total(g), None, total(g * cast(steps, self.dtype))]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        start, stop, step = inputs
        if (one := static_int(step)) == 1 and static_int(start) == 0 and is_integer(self.dtype):
            return [[maximum(cast(stop, "int64"), 0)]]
        if one == 1 and is_integer(self.dtype):
            return [[maximum(cast(stop - start, "int64"), 0)]]  # type: ignore[operator]
        wide = "float64"
        length = ceil((cast(stop, wide) - cast(start, wide)) / cast(step, wide))
        return [[maximum(cast(length, "int64"), 0)]]

    @property
    def label(self) -> str:
        return "arange"


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: str | None = None) -> Any:
    """As numpy.arange, of scalars; integers give int64."""
    if stop is None:
        start, stop = 0, start
    values = [as_tensor(v) for v in (start, stop, step)]
    if dtype == "floatX":
        dtype = config.floatX
    wide = upcast(*(tensor_type(v).dtype for v in values))
    made = dtype or ("int64" if is_integer(wide) or wide == "bool" else wide)
    counted = wider_than_half(made)
    return cast(ARange(counted)(*(_constant_or_cast(v, counted) for v in values)), made)


def _constant_or_cast(value: Variable, dtype: str) -> Variable:
    """The value in a dtype; a number stays a number, so that the length is known."""
    if isinstance(value, Constant):
        return constant(value.data, dtype)
    return cast(value, dtype)  # type: ignore[no-any-return]


@frozen
class Eye(Op):
    """Ones on the k-th diagonal. Inputs: rows, columns, k."""

    dtype: str

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        return [TensorType(self.dtype, (static_int(inputs[0]), static_int(inputs[1])))]

    def connected(self, index: int) -> bool:
        return False

    def evaluate(self, *values: Array) -> Sequence[Array]:
        n, m, k = (int(v) for v in values)
        return [np.eye(n, m, k, dtype=self.dtype)]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        return [None, None, None]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [list(inputs[:2])]

    @property
    def label(self) -> str:
        return "eye"


def eye(n: Any, m: Any = None, k: Any = 0, dtype: str | None = None) -> Any:
    """As numpy.eye; dtype floatX by default."""
    rows = as_scalar_int(n)
    columns = rows if m is None else as_scalar_int(m)
    made = dtype or config.floatX
    return cast(Eye(wider_than_half(made))(rows, columns, as_scalar_int(k)), made)


def lengths_of(shape: Any) -> Sequence[Any]:
    """The lengths that a shape is made of: a number, a list of ints and scalars, or a vector of
    known length.
    """
    if isinstance(shape, Variable) and tensor_type(shape).ndim == 1:
        length = tensor_type(shape).shape[0]
        if length is None:
            raise RankError(
                "a shape must have a known number of axes",
                f"{shape}: {shape.type}",
                advice="give a list of lengths",
            )
        return [shape[i] for i in range(length)]  # type: ignore[index]
    return list(shape) if isinstance(shape, (list, tuple, np.ndarray)) else [shape]


def zeros(shape: Any, dtype: str | None = None) -> Any:
    """Zeros; dtype floatX by default."""
    return alloc(constant(0, dtype or config.floatX), *lengths_of(shape))


def ones(shape: Any, dtype: str | None = None) -> Any:
    """Ones; dtype floatX by default."""
    return alloc(constant(1, dtype or config.floatX), *lengths_of(shape))


def full(shape: Any, value: Any, dtype: str | None = None) -> Any:
    """A value spread over a shape."""
    return alloc(cast(value, dtype) if dtype else value, *lengths_of(shape))
