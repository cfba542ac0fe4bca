"""Samples: products of matrices and vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.core.ops import (
    dot,
)
from workbench.core.samples.declare import Sample, numbers, of


@of(dot.Dot)
def _dot() -> Iterator[Sample]:
    for a, b in (
        ((3, 4), (4, 2)),
        ((3, 4), (4,)),
        ((4,), (4, 2)),
        ((4,), (4,)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
        ((0,), (0,)),
        ((1, 1), (1, 1)),
    ):
        for dtype in ("float64", "float32"):
            yield Sample(
                f"{dtype} {a} {b}",
                dot.Dot(),
                (numbers(*a, dtype=dtype), numbers(*b, dtype=dtype, seed=1)),
                np.dot,
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
            dot.Dot(),
            (numbers(3, 4, dtype=left), numbers(4, 2, dtype=right)),
            lambda a, b: np.dot(*(v.astype(np.result_type(a, b)) for v in (a, b))),
            32,
        )


def _blas(kind: Any, *lengths: tuple[int, ...]) -> Iterator[Sample]:
    for dtype in ("float64", "float32"):
        for alpha, beta in ((1.0, 0.0), (-0.5, 1.0), (2.0, -1.5), (0.0, 2.0)):
            z, a, b = (numbers(*n, dtype=dtype, seed=i) for i, n in enumerate(lengths))
            scale = np.array(alpha, dtype), np.array(beta, dtype)
            yield Sample(
                f"{dtype} {alpha} {beta}",
                kind(),
                (z, scale[0], a, b, scale[1]),
                lambda z, alpha, a, b, beta: beta * z + alpha * (a @ b),
                64,
            )
    nan = np.full(lengths[0], np.nan)
    yield Sample(
        "beta 0 forgets nan",
        kind(),
        (nan, np.array(1.0), numbers(*lengths[1]), numbers(*lengths[2]), np.array(0.0)),
        lambda z, alpha, a, b, beta: a @ b,
        32,
    )


@of(dot.Gemv)
def _gemv() -> Iterator[Sample]:
    yield from _blas(dot.Gemv, (3,), (3, 4), (4,))


@of(dot.Gemm)
def _gemm() -> Iterator[Sample]:
    yield from _blas(dot.Gemm, (3, 2), (3, 4), (4, 2))


@of(dot.Ger)
def _ger() -> Iterator[Sample]:
    yield Sample(
        "ger",
        dot.Ger(),
        (numbers(3, 2), np.array(0.5), numbers(3), numbers(2)),
        lambda a, alpha, x, y: a + alpha * np.outer(x, y),
        4,
    )
