"""Samples: products of stacks of matrices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.core.ops import batched
from workbench.core.samples.declare import Sample, numbers, of


@of(batched.BatchedDot)
def _batched_dot() -> Iterator[Sample]:
    for a, b in (
        ((2, 3, 4), (2, 4, 2)),
        ((1, 3, 4), (1, 4, 1)),
        ((2, 2, 1, 3), (2, 2, 3, 2)),
        ((3, 4), (4, 2)),
        ((0, 3, 2), (0, 2, 3)),
        ((2, 0, 3), (2, 3, 2)),
        ((2, 3, 0), (2, 0, 2)),
        ((2, 3, 4), (4, 2)),
    ):
        for dtype in ("float64", "float32"):
            yield Sample(
                f"{dtype} {a} {b}",
                batched.BatchedDot(),
                (numbers(*a, dtype=dtype), numbers(*b, dtype=dtype, seed=1)),
                np.matmul,
                32,
                (0, 1) if dtype == "float64" else (),
            )
    for left, right in (
        ("int8", "int8"),
        ("int32", "float32"),
        ("bool", "bool"),
        ("complex64", "complex64"),
        ("float32", "float64"),
    ):
        yield Sample(
            f"{left} {right}",
            batched.BatchedDot(),
            (numbers(2, 3, 4, dtype=left), numbers(2, 4, 2, dtype=right)),
            lambda a, b: np.matmul(*(v.astype(np.result_type(a, b)) for v in (a, b))),
            32,
        )
