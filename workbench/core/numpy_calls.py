"""NumPy's own functions called on symbolic variables: `numpy.exp(x)` is `workbench.tensor.exp(x)`.

What has the same name there is called; the rest is an error that says so.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from workbench.core.graph import Variable
from workbench.core.types import as_tensor
from workbench.errors import GraphError, nearest

# What `array + x` calls means what `x + array` does.
_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
    "power": operator.pow,
    "matmul": operator.matmul,
    "bitwise_and": operator.and_,
    "bitwise_or": operator.or_,
    "bitwise_xor": operator.xor,
    "left_shift": operator.lshift,
    "right_shift": operator.rshift,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
}

# Functions whose arguments stand in another order than in workbench.tensor.
_OTHERWISE: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "split": lambda T: lambda x, places, axis=0: T.split(x, places, axis=axis),
    "ndim": lambda T: lambda x: x.ndim,
    "size": lambda T: lambda x, axis=None: x.size if axis is None else x.shape[axis],
    "copy": lambda T: lambda x, **options: x.copy(),
    "var": lambda T: _spread(T.var),
    "std": lambda T: _spread(T.std),
}


def _spread(function: Callable[..., Any]) -> Callable[..., Any]:
    """`var` or `std` with NumPy's arguments."""

    def call(
        x: Any, axis: Any = None, dtype: Any = None, out: None = None, ddof: int = 0, **options: Any
    ) -> Any:
        return function(x, axis, ddof, **options)

    return call


def call_ufunc(
    namespace: ModuleType | None,
    ufunc: Any,
    method: str,
    inputs: Sequence[Any],
    options: Mapping[str, Any],
) -> Any:
    """What `numpy.add(x, y)` gives, and `array + x`. Raises GraphError."""
    name = ufunc.__name__
    if options.get("out") is not None:
        raise GraphError(
            f"numpy.{name} cannot write what is symbolic into an array",
            _met(inputs),
            advice="write a = a + x instead of a += x",
        )
    if method != "__call__" or options:
        how = f".{method}" if method != "__call__" else f" with {', '.join(options)}"
        raise GraphError(
            f"numpy.{name}{how} is not for symbolic variables",
            _met(inputs),
            advice="use the functions of workbench.tensor: sum, cumsum, outer, …",
        )
    if name in _OPERATORS:
        return _OPERATORS[name](*map(as_tensor, inputs))
    return _find(namespace, "numpy", name)(*inputs)


def call_function(
    namespace: ModuleType | None,
    function: Callable[..., Any],
    args: Sequence[Any],
    options: Mapping[str, Any],
) -> Any:
    """What `numpy.concatenate([x, y])` gives. Raises GraphError."""
    return _find(namespace, function.__module__, function.__name__)(*args, **options)


def _find(namespace: ModuleType | None, module: str, name: str) -> Callable[..., Any]:
    """The function of this name; those of numpy.linalg in the namespace of that name."""
    place: Any = namespace
    for part in module.split(".")[1:]:
        place = getattr(place, part, None)
    if module == "numpy" and name in _OTHERWISE:
        return _OTHERWISE[name](namespace)
    found = getattr(place, name, None)
    if found is None or not callable(found):
        near = nearest(name, dir(place) if place is not None else [])
        raise GraphError(
            f"{module}.{name} is not for symbolic variables",
            advice=f"workbench.tensor has no function of this name.{near}",
        )
    return found  # type: ignore[no-any-return]


def no_array(variable: Variable) -> GraphError:
    """The error for `numpy.asarray(x)`."""
    return GraphError(
        f"{variable} is symbolic: it has no values to make an array of",
        f"{variable}: {variable.type}",
        variable.place,
        "use the functions of workbench.tensor (T.stack makes one tensor of several), or "
        "x.eval({…}) for a value",
        variable,
    )


def _met(inputs: Sequence[Any]) -> str:
    return ", ".join(f"{v}: {v.type}" for v in inputs if isinstance(v, Variable))
