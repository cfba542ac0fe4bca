"""The generator MRG31k3p as native routines: several streams side by side in vectors.

All values are below 2³² without a sign, so that a remainder is at most one subtraction: of y and
y - M, the smaller without a sign.
"""

from __future__ import annotations

from workbench.core.native.routine import I64, POINTER, Routine
from workbench.core.native.ssa import Type, Value, gather_lanes, scalar_type
from workbench.core.native.target import Target
from workbench.core.random.mrg import M1, M2, UNIT

WORDS = 6
NARROW = 4
"""So many lanes there are where streams are too few for whole registers."""
REGISTERS = 2
"""So many vector registers hold one word of all lanes: two chains of instructions side by side."""


def name_of(dtype: str, target: Target) -> str:
    """The name of the routine that draws numbers of this dtype: `wb.mrg.v32f64`."""
    lanes = REGISTERS * max(target.vector_bytes, 4) // 4
    return f"wb.mrg.v{lanes}{Type(scalar_type(dtype)).suffix}"


def of_name(name: str) -> Routine:
    """The routine of this name."""
    lanes, bits = name.removeprefix("wb.mrg.v").split("f")
    return uniforms(f"float{bits}", int(lanes), name)


def _below(y: Value, modulus: int) -> Value:
    """The remainder of y < 2 M by M."""
    return y.code.intrinsic("umin", y, y - modulus)


def _rotated(x: Value, places: int) -> Value:
    """2**places x modulo M1 = 2³¹ - 1: the 31 bits go round."""
    return ((x & ((1 << 31 - places) - 1)) << places) | (x >> (31 - places))


def _times_power(x: Value) -> Value:
    """2¹⁵ x modulo M2 = 2³¹ - 21069: what is above 2³¹ comes back 21069 times."""
    return _below(((x & 0xFFFF) << 15) + (x >> 16) * 21069, M2)


def _next(words: list[Value]) -> list[Value]:
    """The state one number later."""
    x1, x2, x3, y1, y2, y3 = words
    x = _below(_rotated(x2, 22) + _rotated(x3, 7), M1)
    y = _below(_times_power(y1) + _times_power(y3), M2)
    return [_below(x + x3, M1), x1, x2, _below(y + y3, M2), y1, y2]


def uniforms(dtype: str, width: int, name: str) -> Routine:
    """`count` numbers from `streams` streams, whose states go from `old` to `new`; so many streams
    side by side.
    """
    scalar = scalar_type(dtype)
    r = Routine(name, None, POINTER, POINTER, I64, POINTER, I64)
    old, new, streams, into, count = r.inputs
    rounds, more = count.op("udiv", streams), count.op("urem", streams)

    def span(first: Value, last: Value, times: Value, lanes: int) -> None:
        """Streams first ≤ j < last, so many numbers of each."""
        with r.counted(first, last, lanes) as j:
            cells = [r.cell(word) for word in _read(r, old, j, lanes)]
            with r.counted(r.number(I64, 0), times) as k:
                after = _next([cell.value for cell in cells])
                for cell, word in zip(cells, after, strict=True):
                    cell.set(word)
                number = after[0] - after[3]
                positive = number.gt(0).select(number, number + M1)
                drawn = positive.convert("sitofp", scalar) * UNIT[dtype]
                r.store(drawn, r.at(into, k * streams + j, scalar))
            _write(r, new, j, [cell.value for cell in cells], lanes)

    zero = r.number(I64, 0)
    with r.counted(zero, r.number(I64, 2)) as rest:  # streams that draw once more, then the rest
        second = rest.ne(0)
        first, last = second.select(more, zero), second.select(streams, more)
        times = rounds + 1 - rest
        for lanes in (width, NARROW, 1):
            whole = last - ((last - first) & (lanes - 1))
            span(first, whole, times, lanes)
            first = whole
    r.give()
    return r


def _read(r: Routine, states: Value, j: Value, lanes: int) -> list[Value]:
    """The six words of the streams from j on, each of all lanes."""
    block = r.load(Type("i32", WORDS * lanes), r.at(states, j * WORDS, "i32"))
    if lanes == 1:
        return [block.lane(i) for i in range(WORDS)]
    return [_picked(r, block, [WORDS * k + i for k in range(lanes)]) for i in range(WORDS)]


def _write(r: Routine, states: Value, j: Value, words: list[Value], lanes: int) -> None:
    place = r.at(states, j * WORDS, "i32")
    if lanes == 1:
        r.store(gather_lanes(r.code, words), place)
        return
    pairs = [_joined(r, a, b) for a, b in zip(words[::2], words[1::2], strict=True)]
    four = _joined(r, pairs[0], pairs[1])
    whole = _joined(r, four, _joined(r, pairs[2], pairs[2]))
    r.store(_picked(r, whole, [lanes * i + k for k in range(lanes) for i in range(WORDS)]), place)


def _picked(r: Routine, block: Value, which: list[int]) -> Value:
    places = ", ".join(f"i32 {i}" for i in which)
    kind = Type(block.type.scalar, len(which))
    return r.code.put(
        kind,
        f"shufflevector {block.typed}, {block.type.text} poison, <{len(which)} x i32> <{places}>",
    )


def _joined(r: Routine, first: Value, second: Value) -> Value:
    """One vector after the other."""
    count = 2 * first.type.lanes
    places = ", ".join(f"i32 {i}" for i in range(count))
    kind = Type(first.type.scalar, count)
    return r.code.put(
        kind, f"shufflevector {first.typed}, {second.typed}, <{count} x i32> <{places}>"
    )
