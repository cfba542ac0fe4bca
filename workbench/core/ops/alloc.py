"""Alloc: a value spread over a shape; and what is checked where one is spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.shape import as_scalar_int, static_int, static_or_self
from workbench.core.types import Shape as StaticShape
from workbench.core.types import TensorType, as_tensor, tensor_type
from workbench.errors import RankError, ShapeError
from workbench.frozen import frozen


@frozen
class Alloc(Op):
    """A value spread over a shape. Inputs: the value, then one int64 scalar per axis."""

    takes_half = True

    static: StaticShape

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        if tensor_type(inputs[0]).ndim > len(self.static):
            raise RankError(
                f"alloc: the value is of {inputs[0].type}, the shape has only {len(self.static)} "
                f"axes",
                advice="give a length for every axis of the value",
            )
        broadcast_onto(tensor_type(inputs[0]).shape, self.static, "alloc")
        return [TensorType(tensor_type(inputs[0]).dtype, self.static)]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        value, *dims = values
        shape = tuple(int(n) for n in dims)
        try:
            return [np.broadcast_to(value, shape).copy()]
        except ValueError:
            raise _cannot_fill("alloc", value.shape, shape) from None

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        dims = tuple(int(n) for n in values[1:])
        check_lengths(dims)
        check_spread(inputs[0], values[0], dims, "alloc")

    def connected(self, index: int) -> bool:
        return index == 0

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        from workbench.core.ops.reduce import sum_to

        (g,) = gradients
        rest = [None] * (len(inputs) - 1)
        return [None if g is None else sum_to(g, inputs[0], outputs[0]), *rest]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [
            [
                n if n is not None else static_or_self(v)
                for n, v in zip(self.static, inputs[1:], strict=True)
            ]
        ]

    @property
    def label(self) -> str:
        return "alloc"

    def __str__(self) -> str:
        return "Alloc"


def check_lengths(dims: Sequence[int | None]) -> None:
    """Raises ShapeError where a length is below 0."""
    if any(n is not None and n < 0 for n in dims):
        raise ShapeError(
            f"a shape of lengths ({', '.join('?' if n is None else str(n) for n in dims)})",
            advice="a length is 0 at least",
        )


def broadcast_onto(value: StaticShape, onto: StaticShape, what: str) -> None:
    """Raises ShapeError where a value of this static shape cannot be spread over that one."""
    for n, length in zip(reversed(value), reversed(onto), strict=False):
        if n is not None and length is not None and n not in (1, length):
            raise _cannot_fill(what, value, onto)


def check_spread(variable: Variable, value: Array, onto: tuple[int, ...], what: str) -> None:
    """Raises ShapeError where a value's axis would be spread that does not broadcast in the
    type.
    """
    static = tensor_type(variable).shape
    lengths = zip(reversed(value.shape), reversed(static), reversed(onto), strict=False)
    if any(n != length and known != 1 for n, known, length in lengths):
        raise _cannot_fill(what, value.shape, onto)


def _cannot_fill(what: str, value: StaticShape, onto: StaticShape) -> ShapeError:
    return ShapeError(
        f"{what}: a value of shape {value} does not fill shape {onto}",
        advice="lengths must be equal, or 1 in the value's type (row, col, addbroadcast)",
    )


def alloc(value: Any, *dims: Any) -> Any:
    """The value spread over a shape of ints and integer scalars."""
    variables = [as_scalar_int(d) for d in dims]
    check_lengths([static_int(v) for v in variables])
    return Alloc(tuple(static_int(d) for d in variables))(as_tensor(value), *variables)
