"""Samples: draws from Philox4x32-10, against its definition written out word by word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.core.ops.philox import PhiloxUniform
from workbench.core.samples.declare import Sample, of

MASK = 0xFFFFFFFF


def block(key: tuple[int, int], counter: tuple[int, ...]) -> list[int]:
    """The four words of a key of two words at a counter of four, the lowest first."""
    words = list(counter)
    for i in range(10):
        bumped = (key[0] + i * 0x9E3779B9) & MASK, (key[1] + i * 0xBB67AE85) & MASK
        first, second = 0xD2511F53 * words[0], 0xCD9E8D57 * words[2]
        words = [
            second >> 32 ^ words[1] ^ bumped[0], second & MASK,
            first >> 32 ^ words[3] ^ bumped[1], first & MASK,
        ]  # fmt: skip
    return words


def words_of(number: int, count: int) -> tuple[int, ...]:
    """A number's 32-bit words, the lowest first."""
    return tuple(number >> 32 * i & MASK for i in range(count))


def _reference(dtype: str, shape: tuple[int, ...], state: Any) -> Any:
    key, low, high = map(int, state)
    counter, count = low + (high << 64), int(np.prod(shape))
    drawn: list[int] = []
    while len(drawn) < count:
        four = block((key & MASK, key >> 32), words_of(counter, 4))
        pairs = [four[0] + (four[1] << 32), four[2] + (four[3] << 32)]
        drawn += pairs if dtype in ("float64", "uint64") else four
        counter = (counter + 1) % (1 << 128)
    after = np.array([key, counter % (1 << 64), counter >> 64], "uint64")
    bits = {"float64": 52, "float32": 23}.get(dtype)
    if bits is None:
        sample = np.array(drawn[:count], dtype)
    else:  # the middle of one of 2**bits parts
        width = 64 if dtype == "float64" else 32
        middles = [((n >> width - bits) + 0.5) / 2.0**bits for n in drawn[:count]]
        sample = np.array(middles, dtype)
    return [after, sample.reshape(shape)]


@of(PhiloxUniform)
def _philox_uniform() -> Iterator[Sample]:
    corners = (
        (0, 0, 0), (2**64 - 1, 2**64 - 1, 2**64 - 1), (0x0123456789ABCDEF, 2**64 - 9, 41),
    )  # fmt: skip
    shapes: tuple[tuple[int, ...], ...] = ((), (7,), (0, 2), (3, 5), (16,), (2, 33), (129,))
    for dtype in ("float32", "float64", "uint32", "uint64"):
        for i, shape in enumerate(shapes):
            state = np.array(corners[i % 3], "uint64")
            yield Sample(
                f"{dtype} {shape} from {corners[i % 3]}",
                PhiloxUniform(dtype, (None,) * len(shape)),
                (state, *(np.array(n) for n in shape)),
                lambda state, *_, d=dtype, s=shape: _reference(d, s, state),
            )
