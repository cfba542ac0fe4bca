"""float16, a dtype of storage: what is computed with it is computed in float32, and rounded."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.graph import Op, Variable
from workbench.core.ops.scalars import cast
from workbench.core.types import TensorType, as_tensor, tensor_type


def in_float32(op: Op, inputs: Sequence[Variable]) -> Sequence[Variable]:
    """The outputs of an op, of the dtypes that float16 gives, computed from operands in float32."""
    types = op.infer(*inputs)
    wide = [cast(v, "float32") if _is_half(v.type) else v for v in inputs]
    made = op.apply(*wide).outputs
    return [cast(v, "float16") if _is_half(t) else v for v, t in zip(made, types, strict=True)]


def _is_half(type: object) -> bool:
    return isinstance(type, TensorType) and type.dtype == "float16"


def rounded_once(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of an array, for a float16 array computed in float32 as a whole: what it has on
    the way may be too large for float16.
    """

    @functools.wraps(function)
    def call(x: Any, *args: Any, **options: Any) -> Any:
        variable = as_tensor(x)
        if tensor_type(variable).dtype != "float16":
            return function(x, *args, **options)
        found = function(cast(variable, "float32"), *args, **options)
        several = isinstance(found, tuple)
        return tuple(cast(v, "float16") for v in found) if several else cast(found, "float16")

    return call
