"""Summaries and the value table."""

from __future__ import annotations

import time

import numpy as np
import pytest

import workbench.tensor as T
from workbench.core.records import Port
from workbench.core.values import Values, describe, summarise


def test_a_summary_counts_what_is_not_finite_and_leaves_it_out():
    s = summarise(np.array([0.0, 1.0, np.nan, 3.0, np.inf, -np.inf]))
    assert (s.min, s.max, s.nans, s.infs, s.zeros) == (0, 3, 1, 2, 1)
    assert s.mean == pytest.approx(4 / 3)
    assert s.std == pytest.approx(np.std([0, 1, 3]))
    assert sum(s.histogram) == 3
    assert s.sample[0] == 0.0


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float32", "float64", "complex128"])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 4), (2, 0, 3)])
def test_every_dtype_and_shape_has_a_summary(dtype, shape):
    values = np.ones(shape, dtype)
    s = summarise(values)
    assert (s.shape, s.dtype) == (shape, dtype)
    assert s.mean == (1 if values.size else None)
    assert describe(s).startswith(f"{dtype}{list(shape)}")


def test_the_histogram_agrees_with_numpy():
    values = np.random.default_rng(0).normal(size=1000)
    counts, _ = np.histogram(values, bins=24)
    np.testing.assert_allclose(summarise(values).histogram, counts, atol=1)


def test_all_nan_and_huge_values():
    s = summarise(np.full(4, np.nan))
    assert (s.min, s.nans) == (None, 4)
    s = summarise(np.array([-1e308, 1e308]))
    assert s.min == -1e308
    assert sum(s.histogram) == 2


def test_an_object_is_told_by_its_class():
    assert summarise([1]).dtype == "list"


def test_three_hundred_arrays_of_pixels_are_quick():
    values = np.random.default_rng(0).normal(size=(400, 784))
    start = time.perf_counter()
    for _ in range(30):
        summarise(values)
    assert time.perf_counter() - start < 0.3  # 300 of them: 3 s at the very most, on a busy machine


def test_values_by_variable_and_name_and_the_tensor_computed_again():
    x = T.dvector("x")
    h = T.exp(x)
    h.name = "h"
    values = Values([h.sum()], {x: np.arange(4.0)}, budget=0)
    values.run()
    np.testing.assert_allclose(values["h"].array, np.exp(np.arange(4)))
    np.testing.assert_allclose(np.asarray(values[h]), np.exp(np.arange(4)))
    assert values[h].max == pytest.approx(np.exp(3))
    assert values["h"][1] == pytest.approx(np.e)
    with pytest.raises(KeyError, match="named variables are"):
        values["q"]


def test_an_error_stops_the_table_and_is_kept():
    x, y = T.dvectors("x", "y")
    before = x * 2
    values = Values([before + y], {x: np.ones(2), y: np.ones(3)}, budget=10**6)
    values.run()
    assert isinstance(values.error, ValueError)
    assert before in values
    table = values.table(lambda v: Port(0) if v is before else None)
    assert "evaluation stopped" in table.note
    assert len(table.rows) == 1
