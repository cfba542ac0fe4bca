"""The generator MRG31k3p (L'Ecuyer and Touzin, 2000): two linear recurrences, their difference.

    x[n] = (2²² x[n-2] + (2⁷ + 1) x[n-3]) mod M1
    y[n] = (2¹⁵ y[n-1] + (2¹⁵ + 1) y[n-3]) mod M2
    the number is x[n] - y[n], with M1 added where that is not positive

A state is the last three x and the last three y, the youngest first. To jump ahead is to multiply
by a power of the recurrences' matrices.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.core.types import TensorType
from workbench.errors import RandomError

Matrix = tuple[tuple[int, ...], ...]

M1, M2 = 2**31 - 1, 2**31 - 21069
A1: Matrix = ((0, 2**22, 2**7 + 1), (1, 0, 0), (0, 1, 0))
A2: Matrix = ((2**15, 0, 2**15 + 1), (1, 0, 0), (0, 1, 0))
TO_STREAM, TO_GENERATOR = 72, 134
"""Streams begin 2⁷² numbers apart; what a variable's streams use up is 2¹³⁴ numbers."""

UNIT = {"float64": 2.0**-31, "float32": float(np.float32(1 / (2**31 + 65)))}
"""What a number is multiplied by to lie between 0 and 1, neither of which it reaches."""

STATES = TensorType("int32", (None, 6))

Words = NDArray[np.int32]


def _product(a: Matrix, b: Matrix, modulus: int) -> Matrix:
    return tuple(
        tuple(sum(x * y for x, y in zip(row, column, strict=True)) % modulus
              for column in zip(*b, strict=True))
        for row in a
    )  # fmt: skip


@cache
def jump(power: int) -> tuple[Matrix, Matrix]:
    """The matrices that go 2**power numbers ahead."""
    first, second = A1, A2
    for _ in range(power):
        first, second = _product(first, first, M1), _product(second, second, M2)
    return first, second


def ahead(states: Words, power: int) -> Words:
    """Each row of states, 2**power numbers later."""
    wide = states.astype("int64")
    found = np.empty_like(wide)
    for part, matrix, modulus in zip(
        (slice(0, 3), slice(3, 6)), jump(power), (M1, M2), strict=True
    ):
        for i, row in enumerate(matrix):
            products = [wide[..., part][..., k] * a % modulus for k, a in enumerate(row)]
            found[..., part][..., i] = sum(products) % modulus
    return found.astype("int32")


def streams(start: Words, count: int) -> Words:
    """The states of so many streams, the first of them `start`: a row each."""
    rows, power = start.reshape(1, 6), TO_STREAM
    while len(rows) < count:
        rows, power = np.concatenate([rows, ahead(rows, power)]), power + 1
    return rows[:count].copy()


def seeded(seed: Any) -> Words:
    """A state from an int, which fills it, or from six. Raises RandomError where these are no
    state.
    """
    try:
        given = [int(seed)] * 6 if np.ndim(seed) == 0 else [int(n) for n in seed]
    except (TypeError, ValueError):
        raise _no_seed(seed, "it is neither an int nor six ints") from None
    if len(given) != 6:
        raise _no_seed(seed, f"it has {len(given)} numbers, not six")
    halves = ((given[:3], M1), (given[3:], M2))
    if any(not 0 <= n < modulus for half, modulus in halves for n in half):
        raise _no_seed(seed, f"it is not from 0 to {M2 - 1}")
    if not all(any(half) for half, _ in halves):
        raise _no_seed(seed, "three numbers of 0 stay 0")
    return np.array(given, "int32")


def _no_seed(seed: Any, why: str) -> RandomError:
    return RandomError(
        f"{seed!r:.80} is no seed: {why}", advice=f"give an int from 1 to {M2 - 1}, or six of them"
    )


def numbers(states: Words, count: int) -> tuple[Words, NDArray[np.int64]]:
    """`count` numbers from 1 to M1, element i of stream i modulo their number; the states after
    them.
    """
    x = states.astype("int64").T.copy()
    drawn = np.empty(count, "int64")
    for start in range(0, count, x.shape[1]):
        some = min(x.shape[1], count - start)
        first = (x[1, :some] * 2**22 + x[2, :some] * (2**7 + 1)) % M1
        second = (x[3, :some] * 2**15 + x[5, :some] * (2**15 + 1)) % M2
        x[:, :some] = np.stack([first, *x[:2, :some], second, *x[3:5, :some]])
        difference = first - second
        drawn[start : start + some] = np.where(difference > 0, difference, difference + M1)
    return np.ascontiguousarray(x.T.astype("int32")), drawn
