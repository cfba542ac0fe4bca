"""Binding: from the arguments of a call to one converted value per input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.core.parameters import In
from workbench.core.shared import kept
from workbench.errors import ArgumentError, WorkbenchError, nearest

_ABSENT: Any = object()  # Any: it stands where a value is looked for


class Binder:
    """The parameters of one function. `stored` holds the defaults; calls may replace them
    (`In.update`).
    """

    def __init__(self, inputs: Sequence[In], name: str) -> None:
        self.inputs = tuple(inputs)
        self.name = name
        self.stored = [
            _ABSENT
            if item.value is None
            else kept(item.convert(item.value), item.value, item.borrow)
            for item in self.inputs
        ]
        self._explicit = [i for i, item in enumerate(self.inputs) if not item.implicit]
        self._named: dict[str, list[int]] = {}
        for i, item in enumerate(self.inputs):
            if item.name is not None:
                self._named.setdefault(item.name, []).append(i)

    @property
    def defaults(self) -> dict[int, Any]:
        """The values that are stored now, by the inputs' numbers."""
        return {i: value for i, value in enumerate(self.stored) if value is not _ABSENT}

    def bind(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], trust: bool = False
    ) -> list[Any]:
        """One value per input, of its type (unless `trust`). Raises ArgumentError and the errors
        of conversion.
        """
        values = self._place(args, kwargs)
        missing = [i for i, v in enumerate(values) if v is _ABSENT]
        if missing:
            raise self._missing(missing)
        if trust:
            return values
        return [self._convert(i, v) for i, v in enumerate(values)]

    def _place(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
        values = list(self.stored)
        if len(args) > len(self._explicit):
            raise ArgumentError(
                f"too many arguments: {len(args)} were given",
                f'function "{self.name}" takes {len(self._explicit)}: {self._listing()}',
            )
        for i, value in zip(self._explicit, args, strict=False):
            values[i] = value
        positional = set(self._explicit[: len(args)])
        for key, value in kwargs.items():
            values[self._keyword(key, positional)] = value
        return values

    def _keyword(self, key: str, positional: set[int]) -> int:
        found = self._named.get(key, [])
        if len(found) != 1:
            wrong = (
                f"ambiguous keyword argument: more than one input is named {key}"
                if found
                else f"unknown keyword argument: {key}.{nearest(key, list(self._named))}"
            )
            raise ArgumentError(
                wrong,
                f'function "{self.name}" takes {self._listing()}',
                advice="pass it by position" if found else "use the inputs' names",
            )
        (i,) = found
        if i in positional:
            raise ArgumentError(f"the input {key} was given twice, by position and by name")
        if self.inputs[i].implicit:
            raise ArgumentError(f"the input {key} is implicit: a caller may not pass it")
        return i

    def _missing(self, missing: Sequence[int]) -> ArgumentError:
        first = self.inputs[missing[0]]
        names = ", ".join(self.inputs[i].name or f"number {i}" for i in missing)
        return ArgumentError(
            f"Missing required input: {names}",
            f'function "{self.name}" takes {self._listing()}',
            first.variable.place,
            "pass it by position or name, or give it a default with In(variable, value=…)",
        )

    def _convert(self, i: int, value: Any) -> Any:
        place = f'input argument to function "{self.name}" at index {i} (0-based)'
        return convert(self.inputs[i], value, f"Bad {place}")

    def _listing(self) -> str:
        shown = [
            f"{self.inputs[i].name or f'<unnamed {i}>'}"
            + ("" if self.stored[i] is _ABSENT else "=…")
            for i in self._explicit
        ]
        return f"({', '.join(shown)})"

    def takes(self, key: str) -> bool:
        """Whether an input has this name."""
        return key in self._named

    def index(self, key: Any) -> int:
        """The number of the input with this name, variable or number. Raises ArgumentError."""
        if isinstance(key, str):
            found = [i for i, item in enumerate(self.inputs) if item.name == key]
        elif isinstance(key, int):
            found = [key] if 0 <= key < len(self.inputs) else []
        else:
            found = [i for i, item in enumerate(self.inputs) if item.variable is key]
        if len(found) != 1:
            raise ArgumentError(
                f'{"no" if not found else "more than one"} input {key!r} in function "{self.name}"'
            )
        return found[0]

    def get(self, key: Any) -> Any:
        """The stored default of an input. Raises ArgumentError where it has none."""
        i = self.index(key)
        if self.stored[i] is _ABSENT:
            raise ArgumentError(f"the input {key!r} has no stored value")
        return self.stored[i]

    def set(self, key: Any, value: Any) -> None:
        """Store a default: a copy of the value, unless the input borrows. Raises ArgumentError and
        the errors of conversion.
        """
        i = self.index(key)
        self.stored[i] = kept(self._convert(i, value), value, self.inputs[i].borrow)

    def copy(self) -> Binder:
        """The same parameters with stored values of their own."""
        other = Binder(self.inputs, self.name)
        other.stored = list(self.stored)
        return other


def convert(item: In, value: Any, wrong: str) -> Any:
    """The value in the input's type. Raises the error of the conversion, which says what is wrong
    and where.
    """
    try:
        return item.convert(value)
    except WorkbenchError as error:
        raise type(error)(
            f"{wrong}: {error.wrong}",
            f"{item.name or item.variable}: {item.variable.type} got {describe(value)}",
            item.variable.place,
            error.advice,
        ).at(item.variable) from None


def describe(value: Any) -> str:
    """'an array of float64 of shape (3,)', or the value's class."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"an array of {value.dtype} of shape {tuple(value.shape)}"
    return f"a {type(value).__name__}"
