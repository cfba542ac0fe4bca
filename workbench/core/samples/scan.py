"""Samples: loops over steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.core.inner import InnerGraph
from workbench.core.ops import (
    scalars,
)
from workbench.core.samples.declare import Sample, numbers, of
from workbench.core.scan.op import Scan
from workbench.core.types import TensorType


@of(Scan)
def _scan() -> Iterator[Sample]:
    vector = TensorType("float64", (None,))
    row, state, weight = (
        vector.make(name="row"),
        vector.make(name="state"),
        vector.make(name="weight"),
    )
    inner = InnerGraph((row, state, weight), (scalars.tanh(row * weight + state), row + state))  # type: ignore[operator]
    op = Scan(inner, ((0,),), ((-1,),), 1, 0, False, (None, None))

    def loop(n: Any, rows: Any, start: Any, weight: Any) -> Any:
        state, states, maps = start[-1], [], []
        for t in range(int(n)):
            maps.append(rows[t] + state)
            state = np.tanh(rows[t] * weight + state)
            states.append(state)
        return [np.stack(states), np.stack(maps)]

    yield Sample(
        "a state and a map",
        op,
        (np.array(3), numbers(4, 2), numbers(1, 2), numbers(2)),
        loop,
        16,
        (1, 2, 3),
    )
    yield _with_taps()
    yield _that_stops()


def _with_taps() -> Sample:
    """Taps of both signs, a state of which two rows are kept, a value that is carried."""
    number = TensorType("float64")
    before, after, old, young, total = (
        number.make(name=name) for name in ("before", "after", "old", "young", "total")
    )
    new = scalars.tanh(old * before + young - after)  # type: ignore[operator]
    inner = InnerGraph((before, after, old, young, total), (new, total + new))
    op = Scan(inner, ((-1, 1),), ((-3, -1),), 0, 1, False, (2,))

    def loop(n: Any, rows: Any, start: Any, total: Any) -> Any:
        states = list(start)
        for t in range(int(n)):
            states.append(np.tanh(states[-3] * rows[t] + states[-1] - rows[t + 2]))
            total = total + states[-1]
        return [np.stack(states[-2:]), total]

    arrays = (np.array(4), numbers(6), numbers(3), np.array(0.5))
    return Sample("taps, rows kept, a carried value", op, arrays, loop, 16)


def _that_stops() -> Sample:
    row = TensorType("float64", (None,))
    given, state = row.make(name="given"), row.make(name="state")
    new = given + state  # type: ignore[operator]
    inner = InnerGraph((given, state), (new, scalars.gt(new[0], 1.0)))
    op = Scan(inner, ((0,),), ((-1,),), 0, 0, True, (None,))

    def loop(n: Any, rows: Any, start: Any) -> Any:
        states: list[Any] = [start[-1]]
        while len(states) <= int(n) and not (len(states) > 1 and states[-1][0] > 1):
            states.append(states[-1] + rows[len(states) - 1])
        return [np.stack(states[1:])]

    return Sample("a condition", op, (np.array(5), numbers(5, 2), numbers(1, 2)), loop, 16, (1, 2))
