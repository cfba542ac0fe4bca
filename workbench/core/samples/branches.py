"""Samples: one of two branches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.core.inner import InnerGraph
from workbench.core.ops import branches, scalars
from workbench.core.samples.declare import Sample, numbers, of
from workbench.core.types import TensorType


@of(branches.IfElse)
def _if_else() -> Iterator[Sample]:
    for dtype, value in (("bool", True), ("int8", 0), ("float64", np.nan), ("uint16", 3)):
        yield Sample(
            f"{dtype} {value}",
            lambda c, x, y: branches.ifelse(c, scalars.tanh(x) * y, x + y),
            (np.array(value, dtype), numbers(3, 4), numbers(3, 4, seed=1)),
            lambda c, x, y: np.tanh(x) * y if c else x + y,
            4,
            (1, 2),
        )
    yield Sample(
        "several, of other lengths",
        lambda c, x, y: branches.ifelse(c, [x, y[0], x * y], [y, x[1], y[:1]]),
        (np.array(0), numbers(3), numbers(3, seed=1)),
        lambda c, x, y: [x, y[0], x * y] if c else [y, x[1], y[:1]],
        smooth=(1, 2),
    )
    for value in (0.0, 1.0):
        yield Sample(
            f"an input as it is, {value}",
            branches.IfElse(1),
            (np.array(value), numbers(0, 3), numbers(2, 3)),
            lambda c, x, y: x if c else y,
            smooth=(2,),
        )
    x = TensorType("float64", (None,)).make(name="x")
    inner = InnerGraph((x,), (scalars.exp(x), x))
    yield Sample(
        "with branches inside",
        branches.IfElse(1, inner),
        (np.array(1), numbers(4)),
        lambda c, x: np.exp(x) if c else x,
        4,
        (1,),
    )
