"""The generator Philox4x32-10 as native routines: several blocks side by side in vectors.

A word of 32 bits is the lower half of a lane of 64, so that a product has room; what is in the
upper half does not matter until the words leave.
"""

from __future__ import annotations

from workbench.core.native.routine import I64, POINTER, Routine
from workbench.core.native.ssa import Type, Value, gather_lanes, scalar_type, splat
from workbench.core.native.target import Target
from workbench.core.random.philox import KEY_STEPS, LENGTH, MULTIPLIERS, PER_BLOCK, ROUNDS

HALF, LOW = 32, 0xFFFFFFFF
NARROW = 4
"""So many lanes there are where blocks are too few for whole registers."""
REGISTERS = 2
"""So many vector registers hold one word of all lanes: two chains of instructions side by side."""

DTYPES = {"f32": "float32", "f64": "float64", "i32": "uint32", "i64": "uint64"}


def name_of(dtype: str, target: Target) -> str:
    """The name of the routine that draws numbers of this dtype: `wb.philox.v8f64`."""
    lanes = REGISTERS * max(target.vector_bytes // 8, 1)
    return f"wb.philox.v{lanes}{Type(scalar_type(dtype)).suffix}"


def of_name(name: str) -> Routine:
    """The routine of this name."""
    kind = name.removeprefix("wb.philox.v")
    return uniforms(DTYPES[kind[-3:]], int(kind[:-3]), name)


def uniforms(dtype: str, width: int, name: str) -> Routine:
    """`count` numbers, whose state goes from `old` to `new`; so many blocks side by side."""
    r = Routine(name, None, POINTER, POINTER, POINTER, I64)
    old, new, into, count = r.inputs
    key, low, high = (r.load(I64, r.at(old, i, "i64")) for i in range(LENGTH))
    each, scalar = PER_BLOCK[dtype], scalar_type(dtype)

    def drawn(first: Value, lanes: int) -> Value:
        counter = _places(low, high, first.op("udiv", each), lanes)
        return _as_numbers(_rounds(counter, key, lanes), dtype)

    done = r.number(I64, 0)
    for lanes in dict.fromkeys((width, min(width, NARROW))):
        size = lanes * each
        whole = count - ((count - done) & (size - 1))
        with r.counted(done, whole, size) as i:
            r.store(drawn(i, lanes), r.at(into, i, scalar))
        done = whole
    with r.when(count.gt(done)):
        last = r.cell(drawn(done, lanes))
        rest = (count - done) * (Type(scalar).bits // 8)
        to = r.at(into, done, scalar)
        r.code.line(
            f"call void @llvm.memcpy.p0.p0.i64({to.typed}, ptr {last.address}, {rest.typed}, "
            "i1 false)"
        )
    _store(r, new, key, low, high, (count + (each - 1)).op("udiv", each))
    r.give()
    return r


def _store(r: Routine, into: Value, key: Value, low: Value, high: Value, blocks: Value) -> None:
    """The state so many blocks later."""
    after = low + blocks
    carried = high + after.compare("ult", low).convert("zext", "i64")
    for i, word in enumerate((key, after, carried)):
        r.store(word, r.at(into, i, "i64"))


def _places(low: Value, high: Value, first: Value, lanes: int) -> list[Value]:
    """The counters of the blocks from `first` on, as four words."""
    code = low.code
    begin, above = splat(code, low, lanes), splat(code, high, lanes)
    numbers = gather_lanes(code, [low.like(i) for i in range(lanes)])
    at = begin + splat(code, first, lanes) + numbers
    above = above + at.compare("ult", begin).convert("zext", "i64")
    return [at, at >> HALF, above, above >> HALF]


def _rounds(words: list[Value], key: Value, lanes: int) -> list[Value]:
    """What the generator makes of counters and a key."""
    keys = [key, key >> HALF]
    for _ in range(ROUNDS):
        first, second = (
            (words[place] & LOW) * factor for place, factor in zip((0, 2), MULTIPLIERS, strict=True)
        )
        a, b = (splat(key.code, k, lanes) for k in keys)
        words = [
            (second >> HALF) ^ words[1] ^ a, second,
            (first >> HALF) ^ words[3] ^ b, first,
        ]  # fmt: skip
        keys = [k + step for k, step in zip(keys, KEY_STEPS, strict=True)]
    return words


def _as_numbers(words: list[Value], dtype: str) -> Value:
    """The numbers of some blocks, block after block."""
    pairs = [(words[k] & LOW) | (words[k + 1] << HALF) for k in (0, 2)]
    bits = _alternating(*pairs)
    if dtype in ("float32", "uint32"):  # the same bytes, in words
        kind = Type("i32", 2 * bits.type.lanes)
        bits = bits.code.put(kind, f"bitcast {bits.typed} to {kind.text}")
    if dtype == "float32":  # from 1 to 2, and less: the bits of a mantissa are the number's
        return ((bits >> 9) | 0x3F800000).as_float() - (1 - 2.0**-24)
    if dtype == "float64":
        return ((bits >> 12) | 0x3FF0000000000000).as_float() - (1 - 2.0**-53)
    return bits


def _alternating(first: Value, second: Value) -> Value:
    """One lane of each in turn."""
    lanes = first.type.lanes
    if lanes == 1:
        return gather_lanes(first.code, [first, second])
    places = ", ".join(f"i32 {i}, i32 {lanes + i}" for i in range(lanes))
    kind = Type("i64", 2 * lanes)
    return first.code.put(
        kind, f"shufflevector {first.typed}, {second.typed}, <{2 * lanes} x i32> <{places}>"
    )
