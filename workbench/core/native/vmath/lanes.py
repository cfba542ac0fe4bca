"""Functions that the C library or scipy computes, lane by lane: exact enough and rare."""

from __future__ import annotations

from workbench.core.native.ssa import Type, Value, gather_lanes
from workbench.core.native.vmath.table import Writer, function, is_double, through_double
from workbench.core.scalar import SPECIAL

LIBM = {
    "tan": "tan", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "sinh": "sinh",
    "cosh": "cosh", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "lgamma": "lgamma", "gamma": "tgamma",
    "arctan2": "atan2", "fmod": "fmod", "cbrt": "cbrt", "nextafter": "nextafter",
}  # fmt: skip
"""Our name and C's; C's float32 functions end in `f`."""

BINARY = frozenset(("arctan2", "fmod", "nextafter"))


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


def _special_writer(name: str) -> Writer:
    def write(*args: Value) -> Value:
        """Scipy's function of float64 on each lane."""
        x = args[0]
        if not is_double(x):
            return through_double(name, *args)
        cython = x.code.constant(Type("i32"), 0)
        results = [
            x.code.call(f"special.{name}", Type("double"), *(arg.lane(i) for arg in args), cython)
            for i in range(x.type.lanes)
        ]
        return gather_lanes(x.code, results)

    return write


for _name, _arity in SPECIAL.items():
    function(_name, _arity, inline=False)(_special_writer(_name))
