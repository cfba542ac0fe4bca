"""Functions of tensors whose parameters had other names: they are known by the old ones, too."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from inspect import signature
from typing import Any

_T, _NNET, _LINALG = "workbench.tensor", "workbench.tensor.nnet", "workbench.tensor.linalg"

# The function and its module, and for each of its parameters that had one the old name.
RENAMED: dict[str, tuple[str, dict[str, str]]] = {
    **dict.fromkeys(("sum", "prod", "mean", "var", "std"), (_T, {"x": "input"})),
    **dict.fromkeys(
        ("max_and_argmax", "ptp", "nonzero", "nonzero_values", "diagonal", "take"),
        (_T, {"x": "a"}),
    ),
    **dict.fromkeys(("sort", "argsort"), (_T, {"x": "a"})),
    **dict.fromkeys(("allclose", "isclose"), (_T, {"x": "a", "y": "b"})),
    **dict.fromkeys(("shape_padleft", "shape_padright", "shape_padaxis"), (_T, {"x": "t"})),
    **dict.fromkeys(("tril", "triu"), (_T, {"x": "m"})),
    **dict.fromkeys(("as_tensor_variable", "constant"), (_T, {"value": "x"})),
    **dict.fromkeys(("softmax", "logsoftmax"), (_NNET, {"x": "c"})),
    "clip": (_T, {"low": "min", "high": "max"}),
    "tri": (_T, {"n": "N", "m": "M"}),
    "swapaxes": (_T, {"x": "y"}),
    "concatenate": (_T, {"tensors": "tensor_list"}),
    "specify_shape": (_T, {"static": "shape"}),
    "fill_diagonal": (_T, {"x": "a", "value": "val"}),
    "fill_diagonal_offset": (_T, {"x": "a", "value": "val"}),
    "trace": (_LINALG, {"x": "X"}),
    "matrix_power": (_LINALG, {"a": "M"}),
}


def by_old_names(function: Callable[..., Any], old: dict[str, str]) -> Callable[..., Any]:
    """The function, whose parameters go by their old names and by their own."""
    new = {was: now for now, was in old.items()}

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **{new.get(name, name): value for name, value in kwargs.items()})

    own = signature(function)
    parameters = [p.replace(name=old.get(p.name, p.name)) for p in own.parameters.values()]
    call.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    return call


def __getattr__(name: str) -> Any:
    if name not in RENAMED:
        raise AttributeError(name)
    module, old = RENAMED[name]
    found = by_old_names(getattr(import_module(module), name), old)
    globals()[name] = found
    return found
