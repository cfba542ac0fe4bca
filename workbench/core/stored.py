"""What a function stores between calls, seen from outside: `f.value` and `f.container`."""

from __future__ import annotations

from typing import Any


class Stored:
    """Stored values by name, variable or number. Any: a function, and what it stores."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def __getitem__(self, key: Any) -> Any:
        return self._function[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._function[key] = value


class Container:
    """The place of one stored value."""

    def __init__(self, function: Any, key: Any) -> None:
        function[key]  # raises where there is none
        self._function, self._key = function, key

    @property
    def value(self) -> Any:
        return self._function[self._key]

    @value.setter
    def value(self, value: Any) -> None:
        self._function[self._key] = value

    data = value


class Containers(Stored):
    """The places of the stored values."""

    def __getitem__(self, key: Any) -> Container:
        return Container(self._function, key)
