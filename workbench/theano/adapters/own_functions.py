"""Python functions of arrays as ops of a graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Op, Type, Variable
from workbench.core.ops.shape import shape_tuple
from workbench.core.types import TensorType, as_tensor
from workbench.errors import DtypeError, GraphError
from workbench.frozen import frozen


@frozen
class FromFunction(Op):
    """A function of arrays that gives one array, or a sequence of them, of these types."""

    function: Callable[..., Any]
    itypes: tuple[TensorType, ...]
    otypes: tuple[TensorType, ...]
    lengths: Callable[..., Any] | None = None

    takes_half = True  # it is given what it declares

    def __call__(self, *inputs: Any) -> Any:
        return super().__call__(*map(as_tensor, inputs))

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        found = tuple(v.type for v in inputs)
        if found != self.itypes:
            raise GraphError(
                f"{self} takes {_listed(self.itypes)}, not {_listed(found)}",
                advice="cast the arguments, or declare other itypes",
            )
        return self.otypes

    def evaluate(self, *values: Array) -> Sequence[Array]:
        made = self.function(*values)
        results = list(made) if isinstance(made, (tuple, list)) else [made]
        if len(results) != len(self.otypes):
            raise GraphError(f"{self} gave {len(results)} results, not {len(self.otypes)}")
        arrays = list(map(np.asarray, results))
        for array, kind in zip(arrays, self.otypes, strict=True):
            if (str(array.dtype), array.ndim) != (kind.dtype, kind.ndim):
                raise DtypeError(
                    f"{self} gave an array of {array.dtype} with {array.ndim} axes, not {kind}",
                    advice="let the function give what otypes say",
                )
        return [a.copy() if any(np.shares_memory(a, v) for v in values) else a for a in arrays]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]] | None:
        if self.lengths is None:
            return None
        found: Sequence[Sequence[Any]] = self.lengths(None, [shape_tuple(v) for v in inputs])
        return found

    def __str__(self) -> str:
        return f"FromFunctionOp{{{self.function.__name__}}}"


def as_op(
    itypes: Any, otypes: Any, infer_shape: Callable[..., Any] | None = None
) -> Callable[[Callable[..., Any]], FromFunction]:
    """Decorates a function of arrays: it becomes one of variables of `itypes`, giving `otypes` (a
    type, or a list of them). `infer_shape` of (node, shapes) gives the results' shapes.
    """
    return lambda function: FromFunction(function, _types(itypes), _types(otypes), infer_shape)


def _types(given: Any) -> tuple[TensorType, ...]:
    listed = given if isinstance(given, (tuple, list)) else [given]
    return tuple(t if isinstance(t, TensorType) else t().type for t in listed)


def _listed(types: Sequence[Type]) -> str:
    return ", ".join(map(str, types)) or "nothing"
