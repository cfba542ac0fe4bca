"""Samples: neural networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.core.ops import (
    nnet,
)
from workbench.core.samples.declare import Sample, numbers, of


@of(nnet.Softmax)
def _softmax() -> Iterator[Sample]:
    import scipy.special

    yield from _along(nnet.Softmax, scipy.special.softmax)


@of(nnet.LogSoftmax)
def _log_softmax() -> Iterator[Sample]:
    import scipy.special

    yield from _along(nnet.LogSoftmax, scipy.special.log_softmax)


def _along(kind: Any, function: Any) -> Iterator[Sample]:
    for dtype in ("float64", "float32"):
        for axis in (0, 1):
            yield Sample(
                f"{dtype} {axis}",
                kind(axis),
                (numbers(3, 4, dtype=dtype),),
                lambda x, axis=axis: function(x, axis=axis),
                8,
                (0,) if dtype == "float64" else (),
            )
    yield Sample(
        "large", kind(0), (np.array([1000.0, 0, -1000]),), lambda x: function(x, axis=0), 8
    )
    yield Sample("empty", kind(1), (numbers(0, 3),), lambda x: x)
    yield Sample(
        "integers",
        kind(0),
        (numbers(4, dtype="int32"),),
        lambda x: function(x.astype("float64"), axis=0),
        8,
    )
