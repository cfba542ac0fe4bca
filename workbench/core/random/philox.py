"""The generator Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1,
2, 3", SC11): a function from a key and a counter to four words, and nothing else.

So the state is the place in the sequence, any part of it can be had at once, and sequences of
different keys, or far apart, have nothing to do with each other. A state is three words of 64 bits:
the key, then the counter's lower and upper half.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
KEY_STEPS = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10

LENGTH = 3
DTYPE = "uint64"
"""Of a state."""

PER_BLOCK = {"float32": 4, "float64": 2, "uint32": 4, "uint64": 2}
"""How many numbers a block of four words gives."""

Words = NDArray[np.uint64]  # of 32 bits each, but for states

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def state(key: int, counter: int = 0) -> Words:
    """The state of this key at this place."""
    mask = 2**64 - 1
    return np.array([key & mask, counter & mask, counter >> 64 & mask], DTYPE)


def after(start: Words, blocks: int) -> Words:
    """The state so many blocks later."""
    key, low, high = (int(word) for word in start)
    return state(key, low + (high << 64) + blocks)


def blocks(start: Words, count: int) -> list[Words]:
    """The four words of each of so many blocks."""
    low = start[1] + np.arange(count, dtype=DTYPE)
    high = start[2] + (low < start[1])
    words = [low & _LOW, low >> _HALF, high & _LOW, high >> _HALF]
    keys = [int(start[0]) & 0xFFFFFFFF, int(start[0]) >> 32]
    for _ in range(ROUNDS):
        first, second = (
            words[place] * np.uint64(factor)
            for place, factor in zip((0, 2), MULTIPLIERS, strict=True)
        )
        words = [
            second >> _HALF ^ words[1] ^ np.uint64(keys[0]),
            second & _LOW,
            first >> _HALF ^ words[3] ^ np.uint64(keys[1]),
            first & _LOW,
        ]
        keys = [(key + step) & 0xFFFFFFFF for key, step in zip(keys, KEY_STEPS, strict=True)]
    return words


def numbers(start: Words, count: int, dtype: str) -> Any:
    """`count` numbers: words as they come, two of them as one of 64 bits, the first one below; or
    the floats in the middle of 2**23 or 2**52 equal parts of the span from 0 to 1.
    """
    words = blocks(start, -(-count // PER_BLOCK[dtype]))
    if dtype in ("float64", "uint64"):
        words = [words[k] | words[k + 1] << _HALF for k in (0, 2)]
    drawn = np.stack(words, -1).reshape(-1)[:count]
    if dtype == "float64":
        return (drawn >> np.uint64(11) | np.uint64(1)).astype(dtype) * 2.0**-53
    if dtype == "float32":
        return (drawn >> np.uint64(8) | np.uint64(1)).astype(dtype) * np.float32(2.0**-24)
    return drawn.astype(dtype)
