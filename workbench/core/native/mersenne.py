"""The Mersenne Twister MT19937 as native routines (Matsumoto and Nishimura, 1998).

The state is `workbench.core.random.state`'s vector. Whole blocks of the key are made anew and
tempered with vectors; numbers are taken from it one by one, or many at once.
"""

from __future__ import annotations

from collections.abc import Callable

from workbench.core.native.routine import DOUBLE, I32, I64, POINTER, Routine
from workbench.core.native.ssa import Code, Type, Value
from workbench.core.random.state import KEY, POSITION

FAR = 397  # how far ahead the recurrence reads
LANES = 8
UPPER, LOWER, TWIST = 0x80000000, 0x7FFFFFFF, 0x9908B0DF
ODD = ", ".join(f"i32 {2 * i + 1}" for i in range(LANES))
EVEN = ", ".join(f"i32 {2 * i}" for i in range(LANES))


def twist() -> Routine:
    """The next block of the key, in place; the position goes to its beginning."""
    r = Routine("wb.mt.twist", None, POINTER)
    (state,) = r.inputs
    rest = KEY - FAR
    _twist_span(r, state, 0, rest, FAR)
    _twist_span(r, state, rest, KEY - 1, FAR - KEY)
    last = r.number(I64, KEY - 1)
    _twist_words(r, state, last, r.number(I64, 0), r.number(I64, FAR - 1), 1)
    r.store(r.number(I32, 0), r.at(state, POSITION, "i32"))
    r.give()
    return r


def _twist_span(r: Routine, state: Value, start: int, stop: int, far: int) -> None:
    """Words start ≤ i < stop, from words i, i + 1 and i + far."""
    whole = stop - (stop - start) % LANES
    for first, last, lanes in ((start, whole, LANES), (whole, stop, 1)):
        with r.counted(r.number(I64, first), r.number(I64, last), lanes) as i:
            _twist_words(r, state, i, i + 1, i + far, lanes)


def _twist_words(r: Routine, state: Value, i: Value, after: Value, far: Value, lanes: int) -> None:
    kind = Type("i32", lanes)
    own, other, ahead = (r.load(kind, r.at(state, k, "i32")) for k in (i, after, far))
    mixed = (own & UPPER) | (other & LOWER)
    odd = 0 - (other & 1)
    r.store(ahead ^ (mixed >> 1) ^ (odd & TWIST), r.at(state, i, "i32"))


def temper(y: Value) -> Value:
    """A word of the key as it is given out."""
    y = y ^ (y >> 11)
    y = y ^ ((y << 7) & 0x9D2C5680)
    y = y ^ ((y << 15) & 0xEFC60000)
    return y ^ (y >> 18)


def word() -> Routine:
    """The next 32 bits."""
    r = Routine("wb.mt.word", I32, POINTER, inline=True)
    (state,) = r.inputs
    place = r.at(state, POSITION, "i32")
    with r.when(r.load(I32, place).compare("uge", KEY)):
        r.run("wb.mt.twist", state)
    position = r.load(I32, place)
    r.store(position + 1, place)
    r.give(temper(r.load(I32, r.at(state, position.convert("zext", "i64"), "i32"))))
    return r


def long() -> Routine:
    """The next 64 bits: the first word is the upper half."""
    r = Routine("wb.mt.long", I64, POINTER, inline=True)
    (state,) = r.inputs
    upper, lower = (r.call("wb.mt.word", I32, state).convert("zext", "i64") for _ in range(2))
    r.give((upper << 32) | lower)
    return r


def fraction(upper: Value, lower: Value) -> Value:
    """53 bits of two words as a number in [0, 1)."""
    high, low = ((w >> n).convert("sitofp", "double") for w, n in ((upper, 5), (lower, 6)))
    return (high * 2.0**26 + low) * 2.0**-53


def double() -> Routine:
    """The next number in [0, 1)."""
    r = Routine("wb.mt.double", DOUBLE, POINTER, inline=True)
    (state,) = r.inputs
    place = r.at(state, POSITION, "i32")
    position = r.load(I32, place)
    with r.when(position.compare("ult", KEY - 1)):
        r.store(position + 2, place)
        first = position.convert("zext", "i64")
        pair = (temper(r.load(I32, r.at(state, i, "i32"))) for i in (first, first + 1))
        r.give(fraction(*pair))
    r.give(r.call("wb.mt.apart", DOUBLE, state))
    return r


def apart() -> Routine:
    """The next number in [0, 1), its words perhaps of two blocks."""
    r = Routine("wb.mt.apart", DOUBLE, POINTER)
    (state,) = r.inputs
    upper, lower = (r.call("wb.mt.word", I32, state) for _ in range(2))
    r.give(fraction(upper, lower))
    return r


def uniform_number(r: Routine, state: Value) -> Value:
    """A call of `double` in another routine."""
    return r.call("wb.mt.double", DOUBLE, state)


def uniforms(scalar: str) -> Routine:
    """`count` numbers low + range * u, to memory of this type."""
    name = f"wb.mt.uniforms.{'f64' if scalar == 'double' else 'f32'}"
    r = Routine(name, None, POINTER, POINTER, I64, DOUBLE, DOUBLE)
    state, into, count, low, width = r.inputs
    done = r.cell(r.number(I64, 0))
    place = r.at(state, POSITION, "i32")

    def put(lanes: int, first: Value, where: Value) -> None:
        """As many numbers as lanes, of the words from `first` on."""
        words = temper(r.load(Type("i32", 2 * lanes), r.at(state, first, "i32")))
        number = _spread(r.code, width, lanes) * fraction(*_halves(r.code, words, lanes))
        moved = _spread(r.code, low, lanes) + number
        narrow = moved if scalar == "double" else moved.convert("fptrunc", scalar)
        r.store(narrow, r.at(into, where, scalar))

    with r.loop() as loop:
        start = done.value
        r.jump_unless(start.lt(count), loop.end)
        position = r.load(I32, place)
        with r.when(position.compare("uge", KEY - 1)):  # a new block, or one word of the old
            number = low + width * r.call("wb.mt.apart", DOUBLE, state)
            narrow = number if scalar == "double" else number.convert("fptrunc", scalar)
            r.store(narrow, r.at(into, start, scalar))
            done.set(start + 1)
            r.jump(loop.again)
        first = position.convert("zext", "i64")
        here = r.code.intrinsic("smin", (KEY - first) >> 1, count - start)
        whole = here & -LANES
        with r.counted(r.number(I64, 0), whole, LANES) as i:
            put(LANES, first + i * 2, start + i)
        with r.counted(whole, here) as i:
            put(1, first + i * 2, start + i)
        r.store((first + here * 2).convert("trunc", "i32"), place)
        done.set(start + here)
    r.give()
    return r


def _spread(code: Code, value: Value, lanes: int) -> Value:
    from workbench.core.native.ssa import splat

    return splat(code, value, lanes)


def _halves(code: Code, words: Value, lanes: int) -> tuple[Value, Value]:
    """Every second word, from the first and from the second."""
    if lanes == 1:
        return words.lane(0), words.lane(1)
    kind = Type("i32", lanes)
    even, odd = (
        code.put(
            kind,
            f"shufflevector {words.typed}, {words.type.text} poison, <{lanes} x i32> <{which}>",
        )
        for which in (EVEN, ODD)
    )
    return even, odd


ROUTINES: dict[str, Callable[[], Routine]] = {
    "twist": twist,
    "word": word,
    "long": long,
    "double": double,
    "apart": apart,
    "uniforms.f64": lambda: uniforms("double"),
    "uniforms.f32": lambda: uniforms("float"),
}
