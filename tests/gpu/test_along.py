"""What is computed along an axis on the device: lines that are short, long, many, few, and cut into
chunks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.special

import workbench.tensor as T
from tests.core.ops.backends import check_equal
from tests.gpu.support import on_device
from workbench.core.ops.cumulative import Recurrence

RNG = np.random.default_rng(5)


def _matrices(axis: int, dtype: str = "float32") -> Iterator[Any]:
    """Matrices with lines of many lengths along an axis."""
    for lines, n in ((1, 1), (3, 7), (1, 300), (2, 9000), (700, 5), (33, 257), (1, 50_000)):
        values = (RNG.standard_normal((lines, n)) * 3).astype(dtype)
        yield np.ascontiguousarray(values if axis else values.T)


@pytest.mark.parametrize("axis", [0, 1])
def test_softmax(axis: int) -> None:
    x = T.fmatrix("x")
    run = on_device([x], [T.nnet.softmax(x, axis), T.nnet.logsoftmax(x, axis)])
    for values in _matrices(axis):
        wide = values.astype("float64")
        for result, function in zip(
            run([values]), (scipy.special.softmax, scipy.special.log_softmax), strict=True
        ):
            np.testing.assert_allclose(result, function(wide, axis), rtol=3e-6, atol=2e-6)


def test_softmax_of_what_is_not_finite() -> None:
    x = T.dmatrix("x")
    run = on_device([x], [T.nnet.softmax(x, 1)])
    values = np.array([[np.nan, 1, 2], [-np.inf, 0, 0], [-np.inf] * 3, [np.inf, 0, 1]])
    with np.errstate(invalid="ignore"):
        wanted = scipy.special.softmax(values, 1)
    np.testing.assert_allclose(run([values])[0], wanted)


@pytest.mark.parametrize("axis", [0, 1])
def test_places_of_extremes(axis: int) -> None:
    """The first of equals, the first nan, wherever the line was cut."""
    x = T.fmatrix("x")
    run = on_device([x], [T.argmax(x, axis), T.argmin(x, axis)])
    for values in _matrices(axis):
        with_nan = values.copy()
        with_nan[RNG.random(values.shape) < 0.01] = np.nan
        for given in (values, values.round(), with_nan, np.zeros_like(values)):
            highest, lowest = run([given])
            np.testing.assert_array_equal(highest, np.argmax(given, axis))
            np.testing.assert_array_equal(lowest, np.argmin(given, axis))


def test_place_among_all() -> None:
    x = T.ltensor3("x")
    run = on_device([x], [T.argmax(x)])
    values = RNG.integers(0, 1000, (20, 30, 40))
    assert run([values])[0] == np.argmax(values)


@pytest.mark.parametrize("axis", [0, 1])
def test_running_integers(axis: int) -> None:
    """Exact, whatever the order of the sums."""
    x = T.imatrix("x")
    run = on_device([x], [T.cumsum(x, axis), T.cumprod(x, axis), T.cummax(x, axis)])
    for values in _matrices(axis, "int32"):
        sums, products, largest = run([values])
        np.testing.assert_array_equal(sums, np.cumsum(values, axis))
        np.testing.assert_array_equal(products, np.cumprod(values, axis))
        np.testing.assert_array_equal(largest, np.maximum.accumulate(values, axis))


@pytest.mark.parametrize("axis", [0, 1])
def test_running_floats(axis: int) -> None:
    """Sums whose rounding errors grow no faster than NumPy's, the same in every run."""
    x = T.fmatrix("x")
    run = on_device([x], [T.cumsum(x, axis), T.cummin(x, axis)])
    for values in _matrices(axis):
        sums, smallest = run([values])
        wanted = np.cumsum(values.astype("float64"), axis)
        scale = np.abs(wanted).max()
        np.testing.assert_allclose(sums, wanted, rtol=0, atol=3e-6 * scale)
        np.testing.assert_array_equal(smallest, np.minimum.accumulate(values, axis))
        np.testing.assert_array_equal(run([values])[0], sums)


def test_first_elements_are_summed_in_order() -> None:
    """As long as one thread sees them, to the bit; -0.0 stays."""
    x = T.fmatrix("x")
    run = on_device([x], [T.cumsum(x, 0), T.cumsum(x, 1)])
    values = RNG.standard_normal((8, 8)).astype("float32")
    values[0, :] = values[:, 0] = -0.0
    for axis, result in enumerate(run([values])):
        check_equal(result, np.cumsum(values, axis))


@pytest.mark.parametrize("axis", [0, 1])
def test_recurrence(axis: int) -> None:
    a, b = T.dmatrix("a"), T.dmatrix("b")
    run = on_device([a, b], [Recurrence(axis)(a, b)])
    for given in _matrices(axis, "float64"):
        factors = RNG.uniform(-1, 1, given.shape)
        wanted = np.moveaxis(given.copy(), axis, 0)
        for t in range(1, len(wanted)):
            wanted[t] += np.moveaxis(factors, axis, 0)[t] * wanted[t - 1]
        (result,) = run([factors, given])
        np.testing.assert_allclose(np.moveaxis(result, axis, 0), wanted, rtol=1e-10, atol=1e-12)


def test_recurrence_from_nothing() -> None:
    """Factors whose product no float holds, of zeros."""
    a, b = T.dvector("a"), T.dvector("b")
    run = on_device([a, b], [Recurrence(0)(a, b)])
    factors, given = np.full(20_000, 1e3), np.zeros(20_000)
    factors[-1], given[-2:] = 2, (3, 1)
    (result,) = run([factors, given])
    np.testing.assert_array_equal(result[-2:], [3, 7])
    assert not result[:-2].any()


def test_nothing_at_all() -> None:
    x = T.fmatrix("x")
    run = on_device([x], [T.cumsum(x, 0), T.nnet.softmax(x, 1), T.argmax(x, 1)])
    for result, shape in zip(run([np.zeros((0, 5), "float32")]), ((0, 5), (0, 5), (0,))):
        assert result.shape == shape
