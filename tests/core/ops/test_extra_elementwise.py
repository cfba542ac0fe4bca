"""The elementwise functions that are written with others: NumPy's values, dtypes kept,
gradients.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from tests.core.ops.backends import interpreter
from tests.core.ops.gradients import check_gradient
from workbench.core.ops import extra_elementwise as extra
from workbench.core.types import TensorType

SPECIAL = [0.0, -0.0, 1.5, -2.0, 1e30, np.inf, -np.inf, np.nan]
FUNCTIONS = {
    "clip": (lambda x: extra.clip(x, -1, 1), lambda x: np.clip(x, -1, 1), 1),
    "reciprocal": (extra.reciprocal, np.reciprocal, 1),
    "deg2rad": (extra.deg2rad, np.deg2rad, 1),
    "rad2deg": (extra.rad2deg, np.rad2deg, 1),
    "hypot": (extra.hypot, np.hypot, 2),
    "logaddexp": (extra.logaddexp, np.logaddexp, 2),
    "isclose": (extra.isclose, np.isclose, 2),
    "isclose with nan": (
        lambda x, y: extra.isclose(x, y, equal_nan=True),
        lambda x, y: np.isclose(x, y, equal_nan=True),
        2,
    ),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_values(name: str, dtype: str) -> None:
    build, reference, arity = FUNCTIONS[name]
    inputs = [TensorType(dtype, (None,)).make() for _ in range(arity)]
    arrays: Any = np.array(list(product(SPECIAL, repeat=arity)), dtype).T
    output = build(*inputs)
    (result,) = interpreter(inputs, [output])(list(arrays))
    with np.errstate(all="ignore"):
        expected = reference(*arrays)
    assert result.dtype == expected.dtype == output.dtype
    np.testing.assert_allclose(result, expected, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if "isclose" not in n])
def test_gradient(name: str) -> None:
    build, _, arity = FUNCTIONS[name]
    inputs = [TensorType("float64", (None,)).make() for _ in range(arity)]
    arrays = [np.array([0.5, -1.5, 2.5]), np.array([-0.7, 0.2, 3.0])][:arity]
    check_gradient(inputs, [build(*inputs)], arrays, range(arity))
