"""Samples: running totals and recurrences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.core.ops import cumulative
from workbench.core.samples.declare import Sample, numbers, of

_DTYPES = ("bool", "int8", "uint16", "int64", "float32")


def _running(kind: Any, function: np.ufunc, out: Any) -> Iterator[Sample]:
    for axis in (0, 1, 2):
        yield Sample(
            f"along {axis}",
            kind(axis),
            (numbers(2, 3, 4),),
            lambda x, axis=axis: function.accumulate(x, axis=axis),
            smooth=(0,),
        )
    for dtype in _DTYPES:
        for axis in (0, 1):
            yield Sample(
                f"{dtype} along {axis}",
                kind(axis),
                (numbers(3, 4, dtype=dtype),),
                lambda x, axis=axis, dtype=dtype: function.accumulate(
                    x.astype(out(dtype)), axis=axis
                ),
            )
    for lengths in ((0, 3), (3, 0)):
        for axis in (0, 1):
            yield Sample(
                f"{lengths} along {axis}",
                kind(axis),
                (np.zeros(lengths),),
                lambda x: x,
                smooth=(0,),
            )


def _wide(dtype: str) -> str:
    return dtype if dtype[0] == "f" else "uint64" if dtype[0] == "u" else "int64"


@of(cumulative.CumSum)
def _cumsum() -> Iterator[Sample]:
    yield from _running(cumulative.CumSum, np.add, _wide)


@of(cumulative.CumProd)
def _cumprod() -> Iterator[Sample]:
    yield from _running(cumulative.CumProd, np.multiply, _wide)
    zeros = numbers(3, 4, low=0.5)
    zeros[1, 2] = zeros[2, 0] = zeros[2, 3] = 0
    yield Sample("with zeros", cumulative.CumProd(1), (zeros,), lambda x: x.cumprod(1), 1, (0,))


@of(cumulative.CumMax)
def _cummax() -> Iterator[Sample]:
    yield from _running(cumulative.CumMax, np.maximum, str)
    nan = np.array([1.0, np.inf, np.nan, 2.0])
    yield Sample("nan", cumulative.CumMax(0), (nan,), np.maximum.accumulate)


@of(cumulative.CumMin)
def _cummin() -> Iterator[Sample]:
    yield from _running(cumulative.CumMin, np.minimum, str)
    nan = np.array([1.0, -np.inf, np.nan, 2.0])
    yield Sample("nan", cumulative.CumMin(0), (nan,), np.minimum.accumulate)


def _recurrence_reference(a: Any, b: Any, axis: int) -> Any:
    a, result = np.moveaxis(a, axis, 0), np.moveaxis(b.copy(), axis, 0)
    for t in range(1, len(result)):
        result[t] += a[t] * result[t - 1]
    return np.moveaxis(result, 0, axis)


@of(cumulative.Recurrence)
def _recurrence() -> Iterator[Sample]:
    for dtype in ("float64", "float32"):
        for axis in (0, 1):
            yield Sample(
                f"{dtype} along {axis}",
                cumulative.Recurrence(axis),
                (numbers(3, 4, dtype=dtype), numbers(3, 4, dtype=dtype, seed=1)),
                lambda a, b, axis=axis: _recurrence_reference(a, b, axis),
                2,
                (0, 1) if dtype == "float64" else (),
            )
    nothing = np.zeros((0, 2))
    yield Sample("nothing", cumulative.Recurrence(0), (nothing, nothing), lambda a, b: b)
