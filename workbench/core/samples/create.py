"""Samples: arrays from numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.core.ops import (
    create,
)
from workbench.core.samples.declare import Sample, of


@of(create.ARange)
def _arange() -> Iterator[Sample]:
    for start, stop, step in ((0, 5, 1), (5, 0, -2), (3, 3, 1), (5, 0, 1), (-3, 10, 4)):
        numbers_ = tuple(np.array(v) for v in (start, stop, step))
        yield Sample(
            f"{start} {stop} {step}",
            create.ARange("int64"),
            numbers_,
            lambda a, b, c: np.arange(a, b, c),
        )
    yield Sample(
        "beyond int32",
        create.ARange("uint32"),
        tuple(np.array(v, "uint32") for v in (0, 3 * 10**9, 10**9)),
        lambda a, b, c: np.arange(a, b, c, dtype="uint32"),
    )
    yield Sample(
        "floats",
        create.ARange("float64"),
        tuple(np.array(v) for v in (0.5, 3.2, 0.7)),
        lambda a, b, c: np.arange(a, b, c),
        1,
        (0, 2),
    )


@of(create.Eye)
def _eye() -> Iterator[Sample]:
    for n, m, k in ((3, 3, 0), (3, 4, 1), (4, 2, -2), (0, 2, 0), (2, 2, 5)):
        yield Sample(
            f"{n} {m} {k}",
            create.Eye("float32"),
            tuple(np.array(v) for v in (n, m, k)),
            lambda n, m, k: np.eye(n, m, k, dtype="float32"),
        )
