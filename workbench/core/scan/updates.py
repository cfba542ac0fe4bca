"""What a scan's shared variables become: an ordered dict from shared variable to its value after
the loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workbench.core.graph import Variable, is_shared
from workbench.errors import UpdateError

Pairs = Mapping[Any, Any] | Iterable[tuple[Any, Any]]  # Any: shared variables and expressions


class OrderedUpdates(dict[Any, Any]):
    """Updates to pass to `function(updates=…)`. `+` joins two, and two values for one variable are
    a KeyError.
    """

    def __init__(self, pairs: Pairs = ()) -> None:
        super().__init__()
        self.update(pairs)

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(key, Variable) or not is_shared(key):
            raise UpdateError(f"updates are of shared variables; {key!r} is none")
        super().__setitem__(key, value)

    def update(self, pairs: Pairs | None = (), /, **names: Any) -> None:  # type: ignore[override]
        """Add the pairs. Raises KeyError where a variable already has another value."""
        for key, value in dict(pairs or (), **names).items():
            if key in self and self[key] is not value:
                raise KeyError("Collision", key)
            self[key] = value

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """The value of a variable, which is `default` where it had none."""
        if key not in self:
            self[key] = default
        return self[key]

    def copy(self) -> OrderedUpdates:
        return OrderedUpdates(self)

    def __ior__(self, other: Pairs) -> OrderedUpdates:  # type: ignore[override]
        self.update(other)
        return self

    def __add__(self, other: Pairs) -> OrderedUpdates:
        joined = OrderedUpdates(self)
        joined.update(other)
        return joined

    def __radd__(self, other: Pairs) -> OrderedUpdates:
        return OrderedUpdates(other) + self

    __or__ = __add__
    __ror__ = __radd__
