"""Sorting and searching on the device: rows of every length, in NumPy's order."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import workbench.tensor as T
from tests.core.ops.backends import check_equal, inputs_for
from tests.gpu.support import on_device
from workbench.core.ops.sorting import argsort_rows

RNG = np.random.default_rng(4)
LENGTHS = (1, 2, 3, 255, 511, 513, 1023, 1024, 1025, 2049, 5000)


def _special(*shape: int) -> Any:
    """Few different numbers, nan, infinity and zeros of both signs among them."""
    choice = np.array([0.0, -0.0, 1.5, -2.0, np.nan, np.inf, -np.inf, 7.0], "float32")
    return RNG.choice(choice, shape)


@pytest.mark.parametrize("axis", [0, 1])
def test_lengths(axis: int) -> None:
    """Rows that are short, as long as a work group sorts, and longer; equals keep their order."""
    x = T.fmatrix("x")
    run = on_device([x], [T.sort(x, axis), T.argsort(x, axis)])
    for n in LENGTHS:
        for rows in (1, 3, 130):
            if n * rows > 10_000:
                continue
            values = _special(rows, n) if axis else _special(n, rows)
            ordered, places = run([values])
            wanted = np.argsort(values, axis, kind="stable")
            np.testing.assert_array_equal(places, wanted)
            check_equal(ordered, np.take_along_axis(values, _signed(values, axis), axis))


def _signed(values: Any, axis: int) -> Any:
    """The positions that sort, -0.0 before 0.0."""
    sign = np.where((values == 0) & ~np.signbit(values), 1, 0)
    return np.lexsort((sign, values), axis)


def test_random_shapes() -> None:
    x = T.ltensor3("x")
    run = on_device([x], [T.sort(x, 1), T.argsort(x, 2)])

    @given(st.tuples(st.integers(0, 5), st.integers(0, 70), st.integers(0, 30)))
    @settings(max_examples=25, deadline=None)
    def holds(shape: tuple[int, int, int]) -> None:
        values = RNG.integers(-9, 9, shape)
        ordered, places = run([values])
        np.testing.assert_array_equal(ordered, np.sort(values, 1))
        np.testing.assert_array_equal(places, np.argsort(values, 2, kind="stable"))

    holds()


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint32", "int64", "uint64", "float64"])
def test_a_long_row(dtype: str) -> None:
    x = (RNG.standard_normal(40_000) * 100).astype(dtype)
    (variable,) = inputs_for([x])
    run = on_device([variable], [T.sort(variable), T.argsort(variable)])
    ordered, places = run([x])
    np.testing.assert_array_equal(ordered, np.sort(x))
    np.testing.assert_array_equal(places, np.argsort(x, kind="stable"))


def test_rows_as_items() -> None:
    x = T.imatrix("x")
    run = on_device([x], [argsort_rows(x)])
    for shape in ((1, 4), (7, 1), (300, 3), (3000, 2)):
        values = RNG.integers(0, 3, shape).astype("int32")
        (places,) = run([values])
        np.testing.assert_array_equal(places, np.lexsort([*values.T[::-1]]))


def test_searching() -> None:
    line, values = T.fvector("line"), T.fmatrix("values")
    sides = "left", "right"
    run = on_device([line, values], [T.searchsorted(line, values, side) for side in sides])
    for n in (0, 1, 7, 1000):
        ascending, wanted = np.sort(_special(n)), _special(3, 50)[:, ::2]
        for side, found in zip(sides, run([ascending, wanted]), strict=True):
            np.testing.assert_array_equal(found, np.searchsorted(ascending, wanted, side))
