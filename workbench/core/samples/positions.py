"""Samples: positions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.core.ops import positions
from workbench.core.samples.declare import Sample, numbers, of

_DTYPES = ("bool", "int8", "uint16", "int64", "uint64", "float32", "float64")


@of(positions.Nonzero)
def _nonzero() -> Iterator[Sample]:
    yield Sample(
        "matrix",
        positions.Nonzero(),
        (numbers(3, 4, dtype="int8", low=-0.3, high=0.3),),
        np.nonzero,
    )
    yield Sample(
        "mask",
        lambda x, m: x[m],
        (numbers(3, 4), numbers(3, 4, dtype="bool")),
        lambda x, m: x[m],
        smooth=(0,),
    )
    yield Sample(
        "mask of rows",
        lambda x, m: x[m],
        (numbers(3, 4), numbers(3, dtype="bool")),
        lambda x, m: x[m],
        smooth=(0,),
    )
    yield Sample("of nothing", positions.Nonzero(), (np.zeros((2, 0)),), np.nonzero)
    yield Sample("nan", positions.Nonzero(), (np.array([0.0, np.nan, -0.0, 1e-320]),), np.nonzero)


def _position(kind: type[positions.Argmax], function: Any) -> Iterator[Sample]:
    for dtype in _DTYPES:
        for axis in (0, 1):
            yield Sample(
                f"{dtype} along {axis}",
                kind(axis),
                (numbers(3, 4, dtype=dtype),),
                lambda x, axis=axis: function(x, axis),
            )
    yield Sample(
        "first of equals, first nan",
        kind(1),
        (np.array([[1.0, 2, 2, 1], [1, np.nan, 0, np.nan]]),),
        lambda x: function(x, 1),
    )


@of(positions.Argmax)
def _argmax() -> Iterator[Sample]:
    yield from _position(positions.Argmax, np.argmax)


@of(positions.Argmin)
def _argmin() -> Iterator[Sample]:
    yield from _position(positions.Argmin, np.argmin)
