"""The table of vector functions, filled by the modules of this package as they are defined."""

from __future__ import annotations

from collections.abc import Callable

from workbench.core.native.ssa import Value
from workbench.frozen import frozen

Writer = Callable[..., Value]


@frozen
class Function:
    """How a function of `arity` values of one type is written; `inline` is whether its callers may
    contain it.
    """

    write: Writer
    arity: int
    inline: bool = True


FUNCTIONS: dict[str, Function] = {}


def function(name: str, arity: int = 1, *, inline: bool = True) -> Callable[[Writer], Writer]:
    """Put the decorated writer into the table."""

    def add(write: Writer) -> Writer:
        FUNCTIONS[name] = Function(write, arity, inline)
        return write

    return add


def is_double(x: Value) -> bool:
    """Whether the lanes are float64."""
    return x.type.scalar == "double"


def through_double(name: str, *args: Value) -> Value:
    """A float32 function by way of the float64 one, which costs twice the registers and no
    accuracy.
    """
    wide = [x.convert("fpext", "double") for x in args]
    return wide[0].code.math(name, *wide).convert("fptrunc", "float")
