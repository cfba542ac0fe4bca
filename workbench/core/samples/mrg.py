"""Samples: draws from MRG31k3p, against the recurrences written out number by number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.core.ops.mrg import MRGUniform
from workbench.core.samples.declare import Sample, of

M1, M2 = 2147483647, 2147462579


def recurrence(state: list[int]) -> int:
    """The next number of one stream, whose state is changed: [x₁, x₂, x₃, y₁, y₂, y₃]."""
    x = (4194304 * state[1] + 129 * state[2]) % M1
    y = (32768 * state[3] + 32769 * state[5]) % M2
    state[:] = [x, state[0], state[1], y, state[3], state[4]]
    return x - y if x > y else x - y + M1


@of(MRGUniform)
def _mrg_uniform() -> Iterator[Sample]:
    units = {"float64": np.float64(2**-31), "float32": np.float32(1 / (2**31 + 65))}

    def reference(dtype: str, shape: tuple[int, ...], states: Any) -> Any:
        rows = [[int(n) for n in row] for row in states]
        count = int(np.prod(shape))
        drawn = [recurrence(rows[i % len(rows)]) for i in range(count)]
        sample = np.array(drawn, dtype).reshape(shape) * units[dtype]
        return [np.array(rows, "int32"), sample]

    rng = np.random.default_rng(3)
    sizes: tuple[tuple[int, tuple[int, ...]], ...] = (
        (1, ()), (1, (7,)), (3, (0, 2)), (8, (8,)), (8, (5, 8)), (19, (4, 5)),
        (19, (200,)), (40, (3,)), (33, (11, 2, 6)),
    )  # fmt: skip
    for dtype in units:
        for streams, shape in sizes:
            states = rng.integers(0, M2, (streams, 6)).astype("int32")
            states[0] = [0, 0, M1 - 1, 0, M2 - 1, 0]  # the corners
            yield Sample(
                f"{dtype} {shape} of {streams} streams",
                MRGUniform(dtype, (None,) * len(shape)),
                (states, *(np.array(n) for n in shape)),
                lambda states, *_, d=dtype, s=shape: reference(d, s, states),
            )
