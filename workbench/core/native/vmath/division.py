"""floordiv, mod, pow and gcd with NumPy's rules: signs follow the divisor; integers never trap.

Integer division by zero is 0; the smallest integer by -1 wraps. A negative power of a signed
integer is its true value without the fraction (1, -1 or 0), where NumPy raises ValueError.
"""

from __future__ import annotations

from workbench.core.native.ssa import Type, Value
from workbench.core.native.vmath.table import function


@function("mod", 2, inline=False)
def mod(x: Value, y: Value) -> Value:
    """The rest of floored division, of the divisor's sign."""
    rest, other_side = _floored(x, y)
    rest = other_side.select(rest + y, rest)
    return rest.eq(0.0).select(rest.like(0.0).copysign(y), rest)


@function("floordiv", 2, inline=False)
def floordiv(x: Value, y: Value) -> Value:
    """The integer nearest to (x - mod)/y, so that x = y·floordiv + mod."""
    rest, other_side = _floored(x, y)
    quotient = (x - rest) / y
    quotient = other_side.select(quotient - 1.0, quotient)
    below = x.code.intrinsic("floor", quotient)
    whole = (quotient - below).gt(0.5).select(below + 1.0, below)
    ratio = x / y
    whole = quotient.eq(0.0).select(whole.like(0.0).copysign(ratio), whole)
    return y.eq(0.0).select(ratio, whole)


def _floored(x: Value, y: Value) -> tuple[Value, Value]:
    """fmod, and where the divisor has to be added to it."""
    rest = x.code.math("fmod", x, y)
    return rest, rest.ne(0.0) & (y.lt(0.0) ^ rest.lt(0.0))


def _unsigned(opcode: str, x: Value, y: Value) -> Value:
    zero = y.eq(0)
    return zero.select(y, x.op(opcode, zero.select(y.like(1), y)))


def _signed(x: Value, y: Value) -> tuple[Value, Value, Value]:
    """Quotient towards zero, rest, and where the floor is one less; divisors 0 and -1 replaced by
    1.
    """
    divisor = (y + 1).compare("ult", 2).select(y.like(1), y)
    quotient = x.op("sdiv", divisor)
    rest = x - quotient * divisor
    return quotient, rest, rest.ne(0) & (rest ^ divisor).lt(0)


@function("ufloordiv", 2, inline=False)
def ufloordiv(x: Value, y: Value) -> Value:
    """x // y without signs."""
    return _unsigned("udiv", x, y)


@function("umod", 2, inline=False)
def umod(x: Value, y: Value) -> Value:
    """x % y without signs."""
    return _unsigned("urem", x, y)


@function("sfloordiv", 2, inline=False)
def sfloordiv(x: Value, y: Value) -> Value:
    """The quotient, towards minus infinity."""
    quotient, _, less = _signed(x, y)
    quotient = less.select(quotient - 1, quotient)
    return y.eq(0).select(y, y.eq(-1).select(-x, quotient))


@function("smod", 2, inline=False)
def smod(x: Value, y: Value) -> Value:
    """The rest of floored division, of the divisor's sign."""
    _, rest, less = _signed(x, y)
    return y.eq(0).select(y, less.select(rest + y, rest))


@function("upow", 2, inline=False)
def upow(x: Value, y: Value) -> Value:
    """By squaring, as long as any lane has bits of its exponent left."""
    code, t = x.code, x.type
    code.line("br label %again")
    code.lines.append("again:")
    for name, start in (("power", t.literal(1)), ("base", x.name), ("left", y.name)):
        code.line(f"%{name} = phi {t.text} [ {start}, %0 ], [ %{name}.next, %again ]")
    code.line(f"%bit = and {t.text} %left, {t.literal(1)}")
    code.line(f"%odd = icmp ne {t.text} %bit, {t.literal(0)}")
    code.line(f"%times = mul {t.text} %power, %base")
    code.line(f"%power.next = select {t.mask.text} %odd, {t.text} %times, {t.text} %power")
    code.line(f"%base.next = mul {t.text} %base, %base")
    code.line(f"%left.next = lshr {t.text} %left, {t.literal(1)}")
    _any_bits(Value(code, t, "%left.next"))
    code.line("br i1 %more, label %again, label %done")
    code.lines.append("done:")
    return Value(code, t, "%power.next")


def _any_bits(x: Value) -> None:
    """`%more`: whether any lane is not zero."""
    if x.type.lanes > 1:
        x = x.code.put(
            Type(x.type.scalar),
            f"call {x.type.scalar} @llvm.vector.reduce.or.{x.type.suffix}({x.typed})",
        )
    x.code.line(f"%more = icmp ne {x.type.scalar} {x.name}, 0")


@function("spow", 2, inline=False)
def spow(x: Value, y: Value) -> Value:
    """x to the y, modulo the type's size."""
    negative = y.lt(0)
    power = x.code.math("upow", x, negative.select(y & 1, y))
    small = (x + 1).compare("ult", 3) & x.ne(0)
    return (negative & ~small).select(x.like(0), power)


@function("ugcd", 2, inline=False)
def ugcd(x: Value, y: Value) -> Value:
    """The greatest common divisor, by Euclid's rule as long as any lane has a rest."""
    code, t = x.code, x.type
    code.line("br label %again")
    code.lines.append("again:")
    for name, start in (("large", x.name), ("small", y.name)):
        code.line(f"%{name} = phi {t.text} [ {start}, %0 ], [ %{name}.next, %again ]")
    code.line(f"%end = icmp eq {t.text} %small, {t.literal(0)}")
    code.line(f"%by = select {t.mask.text} %end, {t.text} {t.literal(1)}, {t.text} %small")
    code.line(f"%rest = urem {t.text} %large, %by")
    code.line(f"%large.next = select {t.mask.text} %end, {t.text} %large, {t.text} %small")
    code.line(f"%small.next = select {t.mask.text} %end, {t.text} %small, {t.text} %rest")
    _any_bits(Value(code, t, "%small.next"))
    code.line("br i1 %more, label %again, label %done")
    code.lines.append("done:")
    return Value(code, t, "%large.next")


@function("sgcd", 2, inline=False)
def sgcd(x: Value, y: Value) -> Value:
    """The greatest common divisor of the absolute values."""
    sizes = (v.lt(0).select(-v, v) for v in (x, y))
    return x.code.math("ugcd", *sizes)
