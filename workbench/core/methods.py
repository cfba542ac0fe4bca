"""Methods of tensor variables whose functions are imported when they are first called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import MethodType
from typing import Any

# From a module under core/ops to the functions in it that are methods, too.
METHODS: dict[str, tuple[str, ...]] = {
    "elementwise_functions": ("clip", "deg2rad", "rad2deg", "round"),
    "scalars": (
        "arccos",
        "arccosh",
        "arcsin",
        "arcsinh",
        "arctan",
        "arctanh",
        "ceil",
        "cos",
        "cosh",
        "exp",
        "exp2",
        "expm1",
        "floor",
        "log",
        "log10",
        "log1p",
        "log2",
        "ones_like",
        "sin",
        "sinh",
        "sqrt",
        "tan",
        "tanh",
        "trunc",
        "zeros_like",
    ),
    "scalars.complex_numbers": ("conj", "conjugate"),
    "norms": ("norm",),
    "products": ("trace",),
    "reduce": (
        "all",
        "any",
        "max",
        "mean",
        "min",
        "prod",
        "std",
        "sum",
        "var",
    ),
    "statistics": ("median", "ptp"),
    "cumulative": ("cumprod", "cumsum"),
    "sorting": ("argpartition", "argsort", "partition", "searchsorted", "sort", "topk"),
    "selecting": ("choose", "nonzero_values", "take"),
    "positions": ("argmax", "argmin", "max_and_argmax", "nonzero"),
    "shaping": ("ravel", "squeeze", "swapaxes"),
    "rearranging": ("repeat",),
    "diagonals": ("diagonal",),
}


def install(kind: type) -> None:
    """Give a class of variables these methods."""
    for module, names in METHODS.items():
        for name in names:
            setattr(kind, name, _Method(module, name))


class _Method:
    """A function of a module under core/ops as a method, with its own signature and help."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __get__(self, variable: Any, kind: type | None = None) -> Callable[..., Any]:
        module = import_module(f"workbench.core.ops.{self.module}")
        function: Callable[..., Any] = getattr(module, self.name)
        return function if variable is None else MethodType(function, variable)
