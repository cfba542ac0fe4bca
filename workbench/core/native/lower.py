"""Scalar programs as LLVM text for any number of lanes: a table from primitive to writer.

No fast-math flags: + - * / sqrt and comparisons give NumPy's bits; the other functions' errors are
in `vmath`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from workbench.core.native import vmath
from workbench.core.native.convert import convert
from workbench.core.native.ssa import Code, Type, Value, scalar_type, splat
from workbench.core.native.target import NoNativeForm
from workbench.core.scalar import COMPLEX, SPECIAL, ScalarProgram, ScalarStep
from workbench.frozen import frozen


@frozen
class Site:
    """A step in its place: its primitive, its dtype and its first operand's dtype."""

    code: Code
    prim: str
    dtype: str
    source: str

    @property
    def kind(self) -> str:
        return np.dtype(self.source).kind

    @property
    def signed(self) -> bool:
        return self.kind == "i"

    def refuse(self) -> NoNativeForm:
        return NoNativeForm(self.prim, self.source)


Writer = Callable[..., Value]


def lower(program: ScalarProgram, code: Code, inputs: Sequence[str], lanes: int) -> list[Value]:
    """Write the program over the named SSA values of `lanes` lanes (bool: i1); the values of its
    outputs.
    """
    values = [
        Value(code, Type(scalar_type(d), lanes), name)
        for d, name in zip(program.inputs, inputs, strict=True)
    ]
    for step in program.steps:
        args = [values[i] for i in step.args]
        values.append(lower_step(code, step, [program.dtype_of(i) for i in step.args], args, lanes))
    return [values[i] for i in program.outputs]


def lower_step(
    code: Code, step: ScalarStep, dtypes: Sequence[str], args: Sequence[Value], lanes: int
) -> Value:
    """The value of one step; scalar arguments are put in all lanes. Raises NoNativeForm."""
    if step.prim == "const":
        return code.constant(Type(register(step.prim, step.dtype), lanes), step.constant.item())
    writer = TABLE.get(step.prim)
    if writer is None:
        raise NoNativeForm(step.prim, step.dtype)
    for dtype in (step.dtype, *dtypes):
        register(step.prim, dtype)
        if dtype == "float16" and step.prim != "cast":  # it is one of storage
            raise NoNativeForm(step.prim, dtype)
    site = Site(code, step.prim, step.dtype, dtypes[0])
    return writer(
        site, *(arg if arg.type.lanes == lanes else splat(code, arg, lanes) for arg in args)
    )


def register(prim: str, dtype: str) -> str:
    """The register type of a dtype; NoNativeForm where there is none."""
    try:
        return scalar_type(dtype)
    except KeyError:
        raise NoNativeForm(prim, dtype) from None


def _by_kind(
    floating: Writer | None = None, integer: Writer | None = None, boolean: Writer | None = None
) -> Writer:
    """A writer for each kind of the first operand's dtype; None has no native form."""

    def write(site: Site, *args: Value) -> Value:
        writer = {"f": floating, "b": boolean}.get(site.kind, integer)
        if writer is None:
            raise site.refuse()
        return writer(site, *args)

    return write


def _instruction(opcode: str) -> Writer:
    return lambda site, x, y: x.op(opcode, y)


def _intrinsic(name: str) -> Writer:
    return lambda site, x: site.code.intrinsic(name, x)


def _library(site: Site, *args: Value) -> Value:
    return site.code.math(site.prim, *args)


def _signed_library(site: Site, *args: Value) -> Value:
    return site.code.math(f"{'s' if site.signed else 'u'}{site.prim}", *args)


def _same(site: Site, x: Value) -> Value:
    return x


def _or(site: Site, x: Value, y: Value) -> Value:
    return x | y


def _and(site: Site, x: Value, y: Value) -> Value:
    return x & y


def _invert(site: Site, x: Value) -> Value:
    return ~x


def _compare(floating: str, ordering: str) -> Writer:
    def write(site: Site, x: Value, y: Value) -> Value:
        if site.kind == "f":
            return x.compare(floating, y)
        return x.compare(
            ordering if ordering in ("eq", "ne") else f"{'s' if site.signed else 'u'}{ordering}", y
        )

    return write


def _float_extremum(predicate: str) -> Writer:
    """The second unless the first is beyond it or nan: one instruction and a blend, nan goes
    through.
    """

    def write(site: Site, x: Value, y: Value) -> Value:
        return x.isnan().select(x, x.compare(predicate, y).select(x, y))

    return write


def _integer_extremum(name: str) -> Writer:
    return lambda site, x, y: site.code.intrinsic(f"{'s' if site.signed else 'u'}{name}", x, y)


def _float_sign(site: Site, x: Value) -> Value:
    one = x.lt(0.0).select(x.like(-1.0), x.like(0.0))
    return x.isnan().select(x, x.gt(0.0).select(x.like(1.0), one))


def _integer_sign(site: Site, x: Value) -> Value:
    positive = x.ne(0).convert("zext", x.type.scalar)
    return x.ashr(x.type.bits - 1) | positive if site.signed else positive


def _integer_abs(site: Site, x: Value) -> Value:
    return x.lt(0).select(-x, x) if site.signed else x


def _popcount(site: Site, x: Value) -> Value:
    """Of the absolute value, as NumPy has it."""
    return site.code.intrinsic("ctpop", _integer_abs(site, x))


def _negate(site: Site, x: Value) -> Value:
    return -x


def _shift_left(site: Site, x: Value, y: Value) -> Value:
    """Amounts outside 0 … bits - 1 give 0, as in NumPy."""
    inside = y.compare("ult", x.type.bits)
    return inside.select(x << inside.select(y, 0), 0)


def _shift_right(site: Site, x: Value, y: Value) -> Value:
    """Amounts outside 0 … bits - 1 leave only copies of the sign."""
    inside = y.compare("ult", x.type.bits)
    if site.signed:
        return x.ashr(inside.select(y, x.type.bits - 1))
    return inside.select(x >> inside.select(y, 0), 0)


def _isnan(site: Site, x: Value) -> Value:
    return x.isnan()


def _isinf(site: Site, x: Value) -> Value:
    return abs(x).eq(float("inf"))


def _never(site: Site, x: Value) -> Value:
    return site.code.constant(x.type.mask, 0)


def _select(site: Site, mask: Value, yes: Value, no: Value) -> Value:
    return mask.select(yes, no)


def _cast(site: Site, x: Value) -> Value:
    return convert(x, site.source, site.dtype)


_FLOAT_LIBRARY = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan",
    "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
    "sigmoid", "softplus", "erf", "erfc", "lgamma", "gamma", "digamma", "arctan2",
    "cbrt", "nextafter", "fmod", *SPECIAL,
)  # fmt: skip

TABLE: dict[str, Writer] = {
    **{name: _by_kind(floating=_library) for name in _FLOAT_LIBRARY if vmath.is_function(name)},
    **{
        name: _by_kind(_intrinsic(name), _same, _same)
        for name in ("floor", "ceil", "trunc", "rint")
    },
    **dict.fromkeys(COMPLEX, _by_kind()),
    "sqrt": _by_kind(_intrinsic("sqrt")),
    "copysign": _by_kind(lambda site, x, y: x.copysign(y)),
    "popcount": _by_kind(None, _popcount),
    "gcd": _by_kind(None, _signed_library),
    "neg": _by_kind(_negate, _negate),
    "abs": _by_kind(_intrinsic("fabs"), _integer_abs, _same),
    "sign": _by_kind(_float_sign, _integer_sign),
    "invert": _by_kind(None, _invert, _invert),
    "add": _by_kind(_instruction("fadd"), _instruction("add"), _or),
    "sub": _by_kind(_instruction("fsub"), _instruction("sub")),
    "mul": _by_kind(_instruction("fmul"), _instruction("mul"), _and),
    "div": _by_kind(_instruction("fdiv")),
    "floordiv": _by_kind(_library, _signed_library),
    "mod": _by_kind(_library, _signed_library),
    "pow": _by_kind(_library, _signed_library),
    "minimum": _by_kind(_float_extremum("olt"), _integer_extremum("min"), _and),
    "maximum": _by_kind(_float_extremum("ogt"), _integer_extremum("max"), _or),
    "and": _by_kind(None, _and, _and),
    "or": _by_kind(None, _or, _or),
    "xor": _by_kind(None, _instruction("xor"), _instruction("xor")),
    "shl": _by_kind(None, _shift_left),
    "shr": _by_kind(None, _shift_right),
    "lt": _compare("olt", "lt"),
    "le": _compare("ole", "le"),
    "gt": _compare("ogt", "gt"),
    "ge": _compare("oge", "ge"),
    "eq": _compare("oeq", "eq"),
    "ne": _compare("une", "ne"),
    "isnan": _by_kind(_isnan, _never, _never),
    "isinf": _by_kind(_isinf, _never, _never),
    "select": _select,
    "cast": _cast,
}
