"""Functions that the C library computes, lane by lane: exact enough and rare."""

from __future__ import annotations

from workbench.core.native.ssa import Value, gather_lanes
from workbench.core.native.vmath.table import Writer, function, is_double

LIBM = {
    "tan": "tan", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "sinh": "sinh",
    "cosh": "cosh", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "lgamma": "lgamma", "gamma": "tgamma",
    "arctan2": "atan2", "fmod": "fmod",
}  # fmt: skip
"""Our name and C's; C's float32 functions end in `f`."""

BINARY = frozenset(("arctan2", "fmod"))


def by_lanes(name: str, *args: Value) -> Value:
    """C's function of this name on each lane."""
    x = args[0]
    symbol = f"libm.{name}" if is_double(x) else f"libm.{name}f"
    lanes = [[arg.lane(i) for arg in args] for i in range(x.type.lanes)]
    return gather_lanes(x.code, [x.code.call(symbol, lane[0].type, *lane) for lane in lanes])


def _writer(symbol: str) -> Writer:
    def write(*args: Value) -> Value:
        return by_lanes(symbol, *args)

    return write


for _name, _symbol in LIBM.items():
    function(_name, 2 if _name in BINARY else 1, inline=False)(_writer(_symbol))
