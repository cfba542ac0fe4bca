"""Distributions over the Mersenne Twister as native routines, each bit for bit NumPy's RandomState:
the same algorithm, its arithmetic in the same order, logarithms of the C library.

Normal numbers come by Marsaglia's polar method, integers from masked words that are taken again
where they are too large; counts are in `count_draws`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial

import numpy as np

from workbench.core.native.mersenne import uniform_number
from workbench.core.native.routine import DOUBLE, I1, I32, I64, POINTER, Routine
from workbench.core.native.ssa import Type, Value
from workbench.core.ops.random_rows import NARROW
from workbench.core.random.state import GAUSS, HAS_GAUSS

SCALARS = ("i8", "i16", "i32", "i64", "float", "double")


# --- continuous ---


def uniform() -> Routine:
    """Low + (high - low) * u."""
    r = Routine("wb.mt.uniform", DOUBLE, POINTER, DOUBLE, DOUBLE, inline=True)
    state, low, high = r.inputs
    r.give(low + (high - low) * uniform_number(r, state))
    return r


def gauss() -> Routine:
    """A standard normal number: of two that are made, one is kept for the next time."""
    r = Routine("wb.mt.gauss", DOUBLE, POINTER)
    (state,) = r.inputs
    has, kept = r.at(state, HAS_GAUSS, "i32"), r.at(state, GAUSS, "i32")
    with r.when(r.load(I32, has).ne(0)):
        number = _load_kept(r, kept)
        r.store(r.number(I32, 0), has)
        _store_kept(r, r.number(DOUBLE, 0.0), kept)
        r.give(number)
    with r.loop() as loop:
        x = uniform_number(r, state) * 2.0 - 1.0
        y = uniform_number(r, state) * 2.0 - 1.0
        square = x * x + y * y
        r.jump_if(square.ge(1.0) | square.eq(0.0), loop.again)
        factor = r.sqrt(r.log(square) * -2.0 / square)
        r.store(r.number(I32, 1), has)
        _store_kept(r, factor * x, kept)
        r.give(factor * y)
    return r


def _load_kept(r: Routine, place: Value) -> Value:
    return r.code.put(DOUBLE, f"load double, {place.typed}, align 4")


def _store_kept(r: Routine, number: Value, place: Value) -> None:
    r.code.line(f"store {number.typed}, {place.typed}, align 4")


def normal() -> Routine:
    """Loc + scale * gauss."""
    r = Routine("wb.mt.normal", DOUBLE, POINTER, DOUBLE, DOUBLE, inline=True)
    state, loc, scale = r.inputs
    r.give(loc + scale * r.call("wb.mt.gauss", DOUBLE, state))
    return r


def lognormal() -> Routine:
    """exp(normal)."""
    r = Routine("wb.mt.lognormal", DOUBLE, POINTER, DOUBLE, DOUBLE, inline=True)
    r.give(r.exp(r.call("wb.mt.normal", DOUBLE, *r.inputs)))
    return r


def exponential() -> Routine:
    """-scale * log(1 - u)."""
    r = Routine("wb.mt.exponential", DOUBLE, POINTER, DOUBLE, inline=True)
    state, scale = r.inputs
    r.give(scale * _waiting_time(r, state))
    return r


def laplace() -> Routine:
    """By inversion: the upper half of u gives one tail, the lower half the other."""
    r = Routine("wb.mt.laplace", DOUBLE, POINTER, DOUBLE, DOUBLE, inline=True)
    state, loc, scale = r.inputs
    with r.loop() as loop:
        u = uniform_number(r, state)
        with r.when(u.ge(0.5)):
            r.give(loc - scale * r.log(2.0 - u - u))
        r.jump_unless(u.gt(0.0), loop.again)
        r.give(loc + scale * r.log(u + u))
    return r


def logistic() -> Routine:
    """By inversion; 0 is drawn again."""
    r = Routine("wb.mt.logistic", DOUBLE, POINTER, DOUBLE, DOUBLE, inline=True)
    state, loc, scale = r.inputs
    with r.loop() as loop:
        u = uniform_number(r, state)
        r.jump_unless(u.gt(0.0), loop.again)
        r.give(loc + scale * r.log(u / (1.0 - u)))
    return r


def gumbel() -> Routine:
    """By inversion; 1 is drawn again."""
    r = Routine("wb.mt.gumbel", DOUBLE, POINTER, DOUBLE, DOUBLE, inline=True)
    state, loc, scale = r.inputs
    with r.loop() as loop:
        u = 1.0 - uniform_number(r, state)
        r.jump_unless(u.lt(1.0), loop.again)
        r.give(loc - scale * r.log(-r.log(u)))
    return r


def standard_gamma() -> Routine:
    """Of a shape above 1 by Marsaglia and Tsang (2000), below 1 by Ahrens and Dieter (1974)."""
    r = Routine("wb.mt.gamma.standard", DOUBLE, POINTER, DOUBLE)
    state, shape = r.inputs
    with r.when(shape.eq(1.0)):
        r.give(_waiting_time(r, state))
    with r.when(shape.eq(0.0)):
        r.give(r.number(DOUBLE, 0.0))
    with r.when(shape.lt(1.0)), r.loop() as loop:
        u, v = uniform_number(r, state), _waiting_time(r, state)
        with r.when(u.le(1.0 - shape)):
            x = r.pow(u, 1.0 / shape)
            r.jump_if(x.gt(v), loop.again)
            r.give(x)
        y = -r.log((1.0 - u) / shape)
        x = r.pow(1.0 - shape + shape * y, 1.0 / shape)
        r.jump_if(x.gt(v + y), loop.again)
        r.give(x)
    b = shape - 1 / 3
    c = 1.0 / r.sqrt(b * 9.0)
    with r.loop() as loop:
        x = r.call("wb.mt.gauss", DOUBLE, state)
        root = c * x + 1.0
        r.jump_if(root.le(0.0), loop.again)
        v = root * root * root
        u = uniform_number(r, state)
        with r.when(u.lt(1.0 - (x * x) * 0.0331 * (x * x))):
            r.give(b * v)
        limit = 0.5 * x * x + b * (1.0 - v + r.log(v))
        r.jump_unless(r.log(u).lt(limit), loop.again)
        r.give(b * v)
    return r


def _waiting_time(r: Routine, state: Value) -> Value:
    return -r.log(1.0 - uniform_number(r, state))


def gamma() -> Routine:
    """Scale times a standard one."""
    r = Routine("wb.mt.gamma", DOUBLE, POINTER, DOUBLE, DOUBLE, inline=True)
    state, shape, scale = r.inputs
    r.give(scale * r.call("wb.mt.gamma.standard", DOUBLE, state, shape))
    return r


def chisquare() -> Routine:
    """Twice a standard gamma number."""
    r = Routine("wb.mt.chisquare", DOUBLE, POINTER, DOUBLE, inline=True)
    state, df = r.inputs
    r.give(r.call("wb.mt.gamma.standard", DOUBLE, state, df / 2.0) * 2.0)
    return r


def beta() -> Routine:
    """Where both parameters are at most 1 by Jöhnk (1964), else from two gamma numbers."""
    r = Routine("wb.mt.beta", DOUBLE, POINTER, DOUBLE, DOUBLE)
    state, a, b = r.inputs
    with r.when(a.le(1.0) & b.le(1.0)), r.loop() as loop:
        u, v = uniform_number(r, state), uniform_number(r, state)
        x, y = r.pow(u, 1.0 / a), r.pow(v, 1.0 / b)
        both = x + y
        r.jump_if(both.gt(1.0), loop.again)
        with r.when(both.gt(0.0)):
            r.give(x / both)
        log_x, log_y = r.log(u) / a, r.log(v) / b  # both have vanished: by their logarithms
        larger = log_x.gt(log_y).select(log_x, log_y)
        log_x, log_y = log_x - larger, log_y - larger
        r.give(r.exp(log_x - r.log(r.exp(log_x) + r.exp(log_y))))
    first, second = (r.call("wb.mt.gamma.standard", DOUBLE, state, n) for n in (a, b))
    r.give(first / (first + second))
    return r


# --- integers ---


def below() -> Routine:
    """An integer from 0 to a largest one (unsigned), of as many bits as that has."""
    r = Routine("wb.mt.below", I64, POINTER, I64, inline=True)
    state, largest = r.inputs
    with r.when(largest.eq(0)):
        r.give(r.number(I64, 0))
    mask = largest
    for shift in (1, 2, 4, 8, 16, 32):
        mask = mask | (mask >> shift)
    wide = r.label()
    r.jump_if(largest.compare("ugt", 0xFFFFFFFF), wide)
    with r.loop() as loop:
        value = r.call("wb.mt.word", I32, state).convert("zext", "i64") & mask
        r.jump_if(value.compare("ugt", largest), loop.again)
        r.give(value)
    r.begin(wide)
    with r.loop() as loop:
        value = r.call("wb.mt.long", I64, state) & mask
        r.jump_if(value.compare("ugt", largest), loop.again)
        r.give(value)
    return r


def random_integers() -> Routine:
    """From low to high, with high."""
    r = Routine("wb.mt.random_integers", I64, POINTER, I64, I64, inline=True)
    state, low, high = r.inputs
    r.give(low + r.call("wb.mt.below", I64, state, high - low))
    return r


# --- rows ---


def multinomial() -> Routine:
    """How often each of `count` outcomes comes in n trials: binomial draws of what is left."""
    skips = _skips_what_cannot_come()
    r = Routine("wb.mt.multinomial", None, POINTER, POINTER, POINTER, I64, POINTER, I64)
    state, kept, into, n, p, count = r.inputs
    left, rest = r.cell(n), r.cell(r.number(DOUBLE, 1.0))
    with r.counted(r.number(I64, 0), count) as i:
        r.store(r.number(I64, 0), r.at(into, i, "i64"))
    done = r.label()
    last = count - 1
    if skips:
        r.jump_unless(n.gt(0), done)
    with r.counted(r.number(I64, 0), last) as i:
        own = r.load(DOUBLE, r.at(p, i, "double"))
        with r.when(own.ne(0.0)) if skips else nullcontext():
            share = own / rest.value
            drawn = r.call("wb.mt.binomial", I64, state, kept, left.value, share)
            r.store(drawn, r.at(into, i, "i64"))
            left.set(left.value - drawn)
            r.jump_unless(left.value.gt(0), done)
            rest.set(rest.value - own)
    r.store(left.value, r.at(into, last, "i64"))
    r.begin(done)
    r.give()
    return r


def _skips_what_cannot_come() -> bool:
    """Whether NumPy's multinomial takes no number for an outcome of probability 0, or no trials,
    as it did before 2.5.
    """
    state = np.random.RandomState(0)
    before = state.get_state(legacy=False)["state"]["pos"]
    state.multinomial(0, [0.5, 0.5])
    return bool(state.get_state(legacy=False)["state"]["pos"] == before)


def probabilities() -> Routine:
    """Whether `count` numbers are probabilities as NumPy's multinomial takes them. Where they were
    `narrow` (float32), a sum that is above 1 by a rounding is brought to 1.
    """
    r = Routine("wb.mt.probabilities", I1, POINTER, I64, I1)
    p, count, narrow = r.inputs
    before, total = r.cell(r.number(DOUBLE, 0.0)), r.cell(r.number(DOUBLE, 0.0))

    def add() -> None:
        before.set(0.0)
        total.set(0.0)
        with r.counted(r.number(I64, 0), count) as i:
            before.set(total.value)
            total.set(total.value + r.load(DOUBLE, r.at(p, i, "double")))

    add()
    above = total.value.gt(1.0) & total.value.lt(1.0 + NARROW)
    with r.when(narrow & above):
        whole = total.value
        with r.counted(r.number(I64, 0), count) as i:
            place = r.at(p, i, "double")
            r.store(r.load(DOUBLE, place) / whole, place)
        add()
    fit = r.cell(before.value.le(1.0 + 1e-12))
    with r.counted(r.number(I64, 0), count) as i:
        own = r.load(DOUBLE, r.at(p, i, "double"))
        fit.set(fit.value & own.ge(0.0) & own.le(1.0))
    r.give(fit.value)
    return r


def shuffle(scalar: str, suffix: str) -> Routine:
    """The numbers below n in random order: each from the last on changes places with one before
    it.
    """
    r = Routine(f"wb.mt.shuffle.{suffix}", None, POINTER, POINTER, I64)
    state, into, n = r.inputs
    kind = Type(scalar)
    with r.counted(r.number(I64, 0), n) as i:
        number = i.convert("sitofp", scalar) if kind.is_float else _resized(i, kind)
        r.store(number, r.at(into, i, scalar))
    with r.counted(r.number(I64, 1), n) as i:
        own = r.at(into, n - i, scalar)
        other = r.at(into, r.call("wb.mt.below", I64, state, n - i), scalar)
        first, second = r.load(kind, own), r.load(kind, other)
        r.store(second, own)
        r.store(first, other)
    r.give()
    return r


def _resized(number: Value, kind: Type) -> Value:
    return number if kind.bits == 64 else number.convert("trunc", kind.scalar)


def place() -> Routine:
    """How many of `count` ascending numbers are not above u, found by halving."""
    r = Routine("wb.mt.place", I64, POINTER, I64, DOUBLE)
    steps, count, u = r.inputs
    first, size = r.cell(r.number(I64, 0)), r.cell(count)
    with r.loop() as loop:
        r.jump_unless(size.value.gt(0), loop.end)
        half = size.value >> 1
        middle = first.value + half
        above = r.load(DOUBLE, r.at(steps, middle, "double")).gt(u)
        first.set(above.select(first.value, middle + 1))
        size.set(above.select(half, size.value - half - 1))
    r.give(first.value)
    return r


ROUTINES: dict[str, Callable[[], Routine]] = {
    "uniform": uniform,
    "gauss": gauss,
    "normal": normal,
    "lognormal": lognormal,
    "exponential": exponential,
    "laplace": laplace,
    "gamma.standard": standard_gamma,
    "logistic": logistic,
    "gumbel": gumbel,
    "chisquare": chisquare,
    "gamma": gamma,
    "beta": beta,
    "below": below,
    "random_integers": random_integers,
    "multinomial": multinomial,
    "place": place,
    "probabilities": probabilities,
    **{f"shuffle.{Type(s).suffix}": partial(shuffle, s, Type(s).suffix) for s in SCALARS},
}
