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
