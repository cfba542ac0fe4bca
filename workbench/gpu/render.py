"""Scalar programs as C: a table from primitive to expression, the devices' counterpart of
`native.lower`. + - * / sqrt and comparisons give NumPy's bits; for the other functions the device's
own library is called.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from workbench.core.scalar import ScalarProgram, ScalarStep
from workbench.frozen import frozen
from workbench.gpu.dialect import NoDeviceForm, c_type


@frozen
class Site:
    """A step in its place: its primitive, its dtype and its first operand's dtype."""

    prim: str
    dtype: str
    source: str

    @property
    def kind(self) -> str:
        return np.dtype(self.source).kind

    @property
    def type(self) -> str:
        return c_type(self.dtype)

    @property
    def of(self) -> str:
        """The operands' C type."""
        return c_type(self.source)

    @property
    def unsigned(self) -> str:
        """The unsigned type in which integers of the operands' type wrap: 32 bits at least."""
        return "u64" if np.dtype(self.source).itemsize == 8 else "u32"


Writer = Callable[..., str]


def statements(program: ScalarProgram, inputs: Sequence[str]) -> tuple[list[str], list[str]]:
    """The program over named values: declarations, one a step, and the outputs' names. Raises
    NoDeviceForm.
    """
    names, lines = list(inputs), []
    for i, step in enumerate(program.steps):
        args = [names[k] for k in step.args]
        name = f"v{i}"
        value = expression(step, [program.dtype_of(k) for k in step.args], args)
        lines.append(f"const {c_type(step.dtype)} {name} = {value};")
        names.append(name)
    return lines, [names[i] for i in program.outputs]


def expression(step: ScalarStep, dtypes: Sequence[str], args: Sequence[str]) -> str:
    """One step. Raises NoDeviceForm."""
    if step.prim == "const":
        return literal(step.constant.item(), step.dtype)
    writer = TABLE.get(step.prim)
    site = Site(step.prim, step.dtype, dtypes[0])
    stored = "float16" in (step.dtype, *dtypes) and step.prim != "cast"
    for dtype in (step.dtype, *dtypes):
        c_type(dtype)
    if writer is None or stored:
        raise _refused(site)
    return writer(site, *args)


def combined(prim: str, dtype: str, first: str, second: str) -> str:
    """Two partial results of a reduction as one."""
    return expression(ScalarStep(prim, (0, 1), dtype), (dtype, dtype), (first, second))


def literal(number: float | int | bool, dtype: str) -> str:
    """A constant."""
    kind = np.dtype(dtype)
    if dtype == "float16":
        return f"((f16){np.float16(number).view(np.uint16)})"
    if kind.kind == "f":
        return _float_literal(float(number), dtype)
    whole = int(number)
    if kind.kind == "b":
        return str(int(bool(number)))
    bits = whole % (1 << 8 * kind.itemsize)
    text = str(bits) if bits < 1 << 31 else f"0x{bits:X}"
    return f"(({c_type(dtype)}){text})"


def _float_literal(number: float, dtype: str) -> str:
    if math.isnan(number):
        return f"(({c_type(dtype)})NAN)"
    if math.isinf(number):
        return f"(({c_type(dtype)}){'-' if number < 0 else ''}INFINITY)"
    text = number.hex() + ("f" if dtype == "float32" else "")
    return f"({text})" if text.startswith("-") else text


def identity(reducer: str, dtype: str) -> str:
    """What changes nothing in a reduction."""
    from workbench.core.native.reduce import identity as number

    return literal(number(reducer, dtype), dtype)  # type: ignore[arg-type]  # one of the reducers


def _refused(site: Site) -> NoDeviceForm:
    return NoDeviceForm(f"{site.prim} of {site.source} has no form on a device")


def _by_kind(
    floating: Writer | None = None, integer: Writer | None = None, boolean: Writer | None = None
) -> Writer:
    """A writer for each kind of the first operand's dtype."""

    def write(site: Site, *args: str) -> str:
        writer = {"f": floating, "b": boolean}.get(site.kind, integer)
        if writer is None:
            raise _refused(site)
        return writer(site, *args)

    return write


def _infix(sign: str) -> Writer:
    return lambda site, x, y: f"({x} {sign} {y})"


def _wrapping(sign: str) -> Writer:
    """Integer arithmetic modulo the type's size."""
    return lambda site, x, y: f"({site.type})(({site.unsigned}){x} {sign} ({site.unsigned}){y})"


def _call(function: str) -> Writer:
    return lambda site, *args: f"{function}({', '.join(args)})"


def _own(function: str) -> Writer:
    """A function of `kernels/scalars.c`."""
    return lambda site, *args: f"{function}_{site.of}({', '.join(args)})"


def _same(site: Site, x: str) -> str:
    return x


def _compare(sign: str) -> Writer:
    return lambda site, x, y: f"(b8)({x} {sign} {y})"


def _test(function: str) -> Writer:
    return lambda site, x: f"(b8)({function}({x}) != 0)"


def _never(site: Site, x: str) -> str:
    return "0"


def _popcount(site: Site, x: str) -> str:
    """Of the absolute value, as NumPy has it."""
    bits = 64 if np.dtype(site.source).itemsize == 8 else 32
    unsigned = f"u{np.dtype(site.source).itemsize * 8}"
    return f"({site.type})popcount{bits}((u{bits})({unsigned})size_{site.of}({x}))"


def _cast(site: Site, x: str) -> str:
    target, to = np.dtype(site.dtype), site.type
    if site.source == "float16":
        return _cast(Site(site.prim, site.dtype, "float32"), f"from_half({x})")
    if site.dtype == "float16":
        exact = site.source == "float64"
        return f"half_from_{site.of}({x})" if exact else f"half_from_f32((f32){x})"
    if site.dtype == "bool":
        return f"(b8)({x} != 0)"
    if site.kind != "f" or target.kind == "f":
        return f"({to}){x}"
    if site.dtype == "uint64":
        return f"to_u64_{site.of}({x})"
    wide = target.itemsize == 8 or site.dtype == "uint32"
    return f"({to})to_{'i64' if wide else 'i32'}_{site.of}({x})"


_FLOAT_FUNCTIONS = {
    "sqrt": "sqrt", "exp": "exp", "exp2": "exp2", "expm1": "expm1", "log": "log", "log2": "log2",
    "log10": "log10", "log1p": "log1p", "sin": "sin", "cos": "cos", "tan": "tan",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "sinh": "sinh", "cosh": "cosh",
    "tanh": "tanh", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "erf": "erf",
    "erfc": "erfc", "cbrt": "cbrt", "arctan2": "atan2", "pow": "pow",
    "fmod": "fmod", "copysign": "copysign", "nextafter": "nextafter",
}  # fmt: skip
_OWN_FUNCTIONS = {
    "sigmoid": "sigmoid", "softplus": "softplus", "lgamma": "log_gamma", "digamma": "digamma",
    "gamma": "gamma",
    **{name: f"special_{name}" for name in
       ("erfcx", "log_ndtr", "erfinv", "erfcinv", "i0", "i1", "j0", "j1")},
}  # fmt: skip

ULP = {
    "tan": 5, "arctan": 5, "arctanh": 5, "tanh": 5, "arctan2": 6, "erf": 16, "erfc": 16, "pow": 16,
    "erfcx": 8, "log_ndtr": 16, "erfinv": 4, "erfcinv": 4, "i0": 8, "i1": 8, "j0": 4, "j1": 4,
}  # fmt: skip
"""How far a device's function may be from NumPy's or scipy's, in units in the last place, where
that is more than the ops' own `ulp`: by what OpenCL demands of its library, and what follows for
ours.
"""

TABLE: dict[str, Writer] = {
    **{prim: _by_kind(_call(function)) for prim, function in _FLOAT_FUNCTIONS.items()},
    **{prim: _by_kind(_own(function)) for prim, function in _OWN_FUNCTIONS.items()},
    **{
        name: _by_kind(_call(name), _same, _same)
        for name in ("floor", "ceil", "trunc", "rint")
    },
    "popcount": _by_kind(None, _popcount),
    "gcd": _by_kind(None, _own("divisor")),
    "pow": _by_kind(_call("pow"), _own("power")),
    "neg": _by_kind(
        lambda site, x: f"(-{x})", lambda site, x: f"({site.type})(0 - ({site.unsigned}){x})"
    ),
    "abs": _by_kind(_call("fabs"), _own("size"), _same),
    "sign": _by_kind(_own("sign"), _own("sign")),
    "invert": _by_kind(None, lambda site, x: f"({site.type})(~{x})", lambda site, x: f"(b8)(!{x})"),
    "add": _by_kind(_infix("+"), _wrapping("+"), _infix("|")),
    "sub": _by_kind(_infix("-"), _wrapping("-")),
    "mul": _by_kind(_infix("*"), _wrapping("*"), _infix("&")),
    "div": _by_kind(_infix("/")),
    "floordiv": _by_kind(_own("floored_div"), _own("floored_div")),
    "mod": _by_kind(_own("floored_mod"), _own("floored_mod")),
    "minimum": _by_kind(_own("smaller"), _own("smaller"), _infix("&")),
    "maximum": _by_kind(_own("larger"), _own("larger"), _infix("|")),
    "and": _by_kind(None, _infix("&"), _infix("&")),
    "or": _by_kind(None, _infix("|"), _infix("|")),
    "xor": _by_kind(None, _infix("^"), _infix("^")),
    "shl": _by_kind(None, _own("shift_left")),
    "shr": _by_kind(None, _own("shift_right")),
    "lt": _compare("<"),
    "le": _compare("<="),
    "gt": _compare(">"),
    "ge": _compare(">="),
    "eq": _compare("=="),
    "ne": _compare("!="),
    "isnan": _by_kind(_test("isnan"), _never, _never),
    "isinf": _by_kind(_test("isinf"), _never, _never),
    "select": lambda site, c, x, y: f"({c} ? {x} : {y})",
    "cast": _cast,
}  # fmt: skip


def check(program: ScalarProgram, float64: bool = True) -> None:
    """Raises NoDeviceForm where a step has no form, or computes with float64 and that is not
    there.
    """
    statements(program, [f"x{i}" for i in range(len(program.inputs))])
    if not float64 and "float64" in set(_dtypes(program)):
        raise NoDeviceForm("the device does not compute with float64")


def _dtypes(program: ScalarProgram) -> Iterator[str]:
    yield from program.inputs
    yield from (step.dtype for step in program.steps)
