"""Methods of tensor variables whose functions are imported when they are first called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

# From a module under core/ops to the functions in it that are methods, too.
METHODS: dict[str, tuple[str, ...]] = {
    "extra_elementwise": ("clip", "round"),
    "complex_scalars": ("conj", "conjugate"),
    "norms": ("norm",),
    "products": ("trace",),
}


def install(kind: type) -> None:
    """Give a class of variables these methods."""
    for module, names in METHODS.items():
        for name in names:
            setattr(kind, name, _forward(kind, module, name))


def _forward(kind: type, module: str, name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        function = getattr(import_module(f"workbench.core.ops.{module}"), name)
        return function(self, *args, **kwargs)

    method.__name__, method.__qualname__ = name, f"{kind.__name__}.{name}"
    method.__doc__ = f"The function `workbench.tensor.{name}` of this variable."
    return method
