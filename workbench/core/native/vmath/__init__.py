"""Vector math as LLVM text: `@wb.NAME.TYPE` for any number of lanes, without branches but where
that is said.

Each function is a Python function over `Value`s, put into a table under its name; `definition`
writes it for a type. Errors are sampled maxima in ulp against 128-bit arithmetic. All special
values are NumPy's. What has no entry here goes lane by lane to the C library (`lanes`).
"""

from __future__ import annotations

from workbench.core.native.ssa import Code, Type, Value
from workbench.core.native.vmath import (
    digamma,
    division,
    error,
    exponential,
    lanes,
    logarithm,
    power,
    trigonometric,
)
from workbench.core.native.vmath.table import FUNCTIONS, Function

__all__ = ["FUNCTIONS", "MODULES", "Function", "definition", "is_function"]

MODULES = (digamma, division, error, exponential, lanes, logarithm, power, trigonometric)
"""Importing them fills the table."""

ATTRIBUTES = "nounwind willreturn memory(none)"


def is_function(name: str) -> bool:
    """Whether the table has a function of this name."""
    return name in FUNCTIONS


def definition(name: str, type: Type, *, inline: bool = True) -> str:
    """The text of `@wb.name.type`; it may mention other functions of this table and of `libm`."""
    function = FUNCTIONS[name]
    code = Code()
    args = [Value(code, type, f"%x{i}") for i in range(function.arity)]
    result = function.write(*args)
    where = "alwaysinline" if inline and function.inline else "noinline"
    head = (
        f"define internal {type.text} @wb.{name}.{type.suffix}({', '.join(a.typed for a in args)})"
    )
    return "\n".join(
        (f"{head} {where} {ATTRIBUTES} {{", *code.lines, f"  ret {result.typed}", "}\n")
    )
