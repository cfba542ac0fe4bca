"""Samples: sorting and searching."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.core.ops import sorting
from workbench.core.samples.declare import Sample, numbers, of

_DTYPES = ("bool", "int8", "uint16", "int64", "uint64", "float32", "float64")
_SPECIAL = np.array([[0.5, np.nan, -np.inf, 0.25], [np.inf, -1.0, np.nan, np.nan]])


def _many(dtype: str) -> Any:
    """More than are sorted by insertion, with equal ones among them."""
    return ((numbers(2, 90) * 10).round() + 0.0).astype(dtype)


@of(sorting.Sort)
def _sort() -> Iterator[Sample]:
    for axis in (0, 1, 2):
        yield Sample(
            f"along {axis}",
            sorting.Sort(axis),
            (numbers(2, 3, 4),),
            lambda x, axis=axis: np.sort(x, axis),
            smooth=(0,),
        )
    for dtype in _DTYPES:
        yield Sample(f"{dtype}, few", sorting.Sort(0), (numbers(9, dtype=dtype),), np.sort)
        yield Sample(f"{dtype}, many", sorting.Sort(1), (_many(dtype),), np.sort)
    yield Sample("nan and infinity", sorting.Sort(1), (_SPECIAL,), np.sort)
    signs = np.array([0.0, -0.0, 2.0, 0.0, -0.0, -1.0])
    yield Sample(
        "signs of zeros", sorting.Sort(0), (signs,), lambda x: np.array([-1, -0.0, -0.0, 0, 0, 2])
    )
    yield Sample("nothing", sorting.Sort(0), (np.zeros((0, 3)),), lambda x: np.sort(x, 0))


@of(sorting.ArgSort)
def _argsort() -> Iterator[Sample]:
    def stable(x: Any, axis: int = -1) -> Any:
        return np.argsort(x, axis, kind="stable")

    for axis in (0, 1, 2):
        yield Sample(
            f"along {axis}",
            sorting.ArgSort(axis),
            (numbers(2, 3, 4).round(),),
            lambda x, axis=axis: stable(x, axis),
        )
    for dtype in _DTYPES:
        yield Sample(f"{dtype}, few", sorting.ArgSort(0), (numbers(9, dtype=dtype),), stable)
        yield Sample(f"{dtype}, many", sorting.ArgSort(1), (_many(dtype),), stable)
    yield Sample("nan and infinity", sorting.ArgSort(1), (_SPECIAL,), stable)
    zeros = np.array([0.0, -0.0, 0.0, -1.0, -0.0])
    yield Sample("zeros of either sign", sorting.ArgSort(0), (zeros,), stable)
    yield Sample("nothing", sorting.ArgSort(1), (np.zeros((3, 0)),), stable)


@of(sorting.ArgSortRows)
def _argsort_rows() -> Iterator[Sample]:
    def rows(x: Any) -> Any:
        keys = [*x.T[::-1]]
        return np.lexsort(keys) if keys else np.arange(len(x))

    for dtype in _DTYPES:
        x = (numbers(90, 3, low=0, high=2.9) * 0.4).astype(dtype)
        yield Sample(f"{dtype}, many", sorting.ArgSortRows(), (x,), rows)
        yield Sample(f"{dtype}, few", sorting.ArgSortRows(), (x[:9],), rows)
    for lengths in ((0, 3), (3, 0)):
        yield Sample(f"{lengths}", sorting.ArgSortRows(), (np.zeros(lengths),), rows)


@of(sorting.SearchSorted)
def _searchsorted() -> Iterator[Sample]:
    for side in ("left", "right"):
        for dtype in _DTYPES[1:]:
            line = np.sort(numbers(9, dtype=dtype))
            yield Sample(
                f"{dtype} {side}",
                sorting.SearchSorted(side),
                (line, np.concatenate([line[::2], numbers(5, dtype=dtype, seed=1)]).reshape(2, 5)),
                lambda a, v, side=side: np.searchsorted(a, v, side),
            )
        yield Sample(
            f"nan {side}",
            sorting.SearchSorted(side),
            (
                np.array([-np.inf, 0.0, 1.0, np.nan, np.nan]),
                np.array([np.nan, -0.0, np.inf, -np.inf]),
            ),
            lambda a, v, side=side: np.searchsorted(a, v, side),
        )
        yield Sample(
            f"a number {side}",
            sorting.SearchSorted(side),
            (np.array([1, 2, 2, 3]), np.array(2)),
            lambda a, v, side=side: np.asarray(np.searchsorted(a, v, side)),
        )
    yield Sample(
        "in nothing",
        sorting.SearchSorted("left"),
        (np.zeros(0), numbers(3)),
        np.searchsorted,
    )
