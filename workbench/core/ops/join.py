"""Join: arrays one after another; concatenate and stack are written with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.shape import dimension, dimshuffle, flatten, normal_axis, shape_tuple
from workbench.core.types import TensorType, as_tensor, is_discrete, tensor_type, upcast
from workbench.errors import GraphError, RankError, ShapeError
from workbench.frozen import frozen


@frozen
class Join(Op):
    """Arrays one after another along an axis. All other lengths must be equal."""

    takes_half = True

    axis: int

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        types = [tensor_type(v) for v in inputs]
        if len({t.ndim for t in types}) > 1:
            raise RankError(
                "join needs tensors of one rank", advice="add axes with dimshuffle, or use stack"
            )
        if not 0 <= self.axis < types[0].ndim:
            raise RankError(
                f"join: axis {self.axis} is not an axis of {types[0]}",
                advice="scalars are stacked, not joined",
            )
        dims: list[int | None] = []
        for axis in range(types[0].ndim):
            lengths = [t.shape[axis] for t in types]
            if axis == self.axis:
                dims.append(None if None in lengths else sum(lengths))  # type: ignore[arg-type]
            else:
                known = {n for n in lengths if n is not None}
                if len(known) > 1:
                    raise ShapeError(
                        f"join along axis {self.axis}: axis {axis} has lengths {sorted(known)}",
                        advice="all lengths but those along the joined axis must be equal",
                    )
                dims.append(known.pop() if known else None)
        return [TensorType(upcast(*(t.dtype for t in types)), tuple(dims))]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        try:
            dtype = np.result_type(*(v.dtype for v in values))
            return [np.concatenate(values, axis=self.axis).astype(dtype, copy=False)]
        except ValueError:
            raise ShapeError(
                f"join along axis {self.axis}: shapes {', '.join(str(v.shape) for v in values)}",
                advice="all lengths but those along the joined axis must be equal",
            ) from None

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        from workbench.core.ops.scalars import cast

        (g,) = gradients
        parts: list[Variable | None] = []
        start: Any = 0
        for v in inputs:
            stop = start + dimension(v, self.axis)
            index = (slice(None),) * self.axis + (slice(start, stop),)
            discrete = is_discrete(tensor_type(v).dtype)
            parts.append(None if g is None or discrete else cast(g[index], tensor_type(v).dtype))
            start = stop
        return parts

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        dims = list(shape_tuple(inputs[0]))
        for v in inputs[1:]:
            dims[self.axis] = dims[self.axis] + dimension(v, self.axis)
        return [dims]

    @property
    def label(self) -> str:
        return "join"

    def __str__(self) -> str:
        return f"Join{{{self.axis}}}"


def join(axis: int, *tensors: Any) -> Any:
    """The tensors one after another along an axis."""
    variables = [as_tensor(t) for t in tensors]
    if not variables:
        raise GraphError("join of no tensors", advice="give at least one")
    where = normal_axis(axis, variables[0], "join")
    return variables[0] if len(variables) == 1 else Join(where)(*variables)


def concatenate(tensors: Sequence[Any], axis: int | None = 0) -> Any:
    """The tensors one after another along an axis (None: all of them flattened)."""
    if axis is None:
        return join(0, *(flatten(as_tensor(t)) for t in tensors))
    return join(axis, *tensors)


def stack(*tensors: Any, axis: int = 0) -> Any:
    """The tensors along a new axis: `stack([x, y], axis)`, or `stack(x, y)`."""
    first, *rest = tensors or ((),)
    if isinstance(first, (list, tuple)) and len(rest) <= 1:
        axis = rest[0] if rest else axis
        variables = [as_tensor(t) for t in first]
    else:
        variables = [as_tensor(t) for t in tensors]
    if not variables:
        raise GraphError("stack of no tensors", advice="give at least one")
    ndim = tensor_type(variables[0]).ndim
    where = normal_axis(axis, variables[0], "stack", extra=1)
    for v in variables:
        if tensor_type(v).ndim != ndim:
            raise RankError(
                "stack needs tensors of one rank",
                f"stack of {', '.join(f'{v}: {v.type}' for v in variables)}",
                advice="add axes with dimshuffle",
            )
    order: list[int | str] = [*range(where), "x", *range(where, ndim)]
    return join(where, *(dimshuffle(v, order) for v in variables))
