"""What counts as the same value, and what is told of others."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.core.debug.compare import difference, misfit, out_of_range, same_bytes
from workbench.core.types import TensorType

A = np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int8", "bool"])
def test_equal_values(dtype):
    a = A.astype(dtype)
    assert difference(a, a.copy()) == ""
    assert difference(a[0, 0], a[0, 0]) == ""
    assert difference(a[:0], a[:0]) == ""


def test_rounding_is_no_difference():
    assert difference(A, A * (1 + 1e-9)) == ""
    assert difference(A, A * (1 + 1e-6)) != ""
    assert difference(A.astype("float32"), (A * (1 + 1e-5)).astype("float32")) == ""
    assert difference(A.astype("float32"), (A * (1 + 1e-3)).astype("float32")) != ""


def test_what_cancelled_is_as_exact_as_its_operands():
    small, other = np.array([1e-4]), np.array([2e-4])
    assert difference(small, other, [np.array([1e12])]) == ""
    assert difference(small, other, [np.array([1.0])]) != ""
    assert difference(np.zeros(1, "float32"), np.full(1, 0.01, "float32"), [A * 1e3] * 2) == ""


def test_what_is_told():
    wrong = A.copy()
    wrong[1, 0] = 9
    assert difference(A, wrong) == (
        "1 of 4 elements differ, the largest difference is 6, first at (1, 0): 9.0 instead of 3.0"
    )
    assert difference(A.astype(int), wrong.astype(int)) == (
        "1 of 4 elements differ, first at (1, 0): 9 instead of 3"
    )
    assert difference(np.float64(1), np.float64(2)) == (
        "1 of 1 elements differ, the largest difference is 1: 2.0 instead of 1.0"
    )
    assert "is inf" in difference(A, np.full_like(A, np.inf))
    assert difference(A, A[:1]) == "shape (1, 2) instead of (2, 2)"
    assert difference(A, A.astype("float32")) == "dtype float32 instead of float64"


def test_values_that_are_not_finite():
    nan = np.array([np.nan, np.inf, 1.0])
    assert difference(nan, np.array([0.0, 5.0, 1.0])) == ""
    assert "3 of 3" in difference(np.ones(3), nan * np.nan)
    assert difference(np.ones(3), nan, excused=np.array([True, True, False])) == ""


def test_what_is_no_array_is_not_compared():
    assert difference("a", "b") == ""
    assert same_bytes(object(), 3)


def test_bytes():
    assert same_bytes(A, A.copy())
    assert not same_bytes(np.array([0.0]), np.array([-0.0]))
    assert not same_bytes(A, A.astype("float32"))
    assert not same_bytes(A, A.reshape(4))


def test_types():
    t = TensorType("float64", (None, 2))
    assert misfit(A, t) == ""
    assert misfit(A.astype("float32"), t) == "its dtype is float32"
    assert misfit(A[:, :1], t) == "its shape is (2, 1)"
    assert misfit(A[0], t) == "its shape is (2,)"
    assert misfit([1.0], t) == "it is of list, not an array"


def test_range():
    assert out_of_range(A) is None
    assert out_of_range(np.array([1, 2])) is None
    values = np.array([1.0, np.inf, 1e-320, 0.0, np.nan])
    assert out_of_range(values).tolist() == [False, True, True, False, True]
