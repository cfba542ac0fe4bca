"""verify_grad finds a wrong gradient and passes a right one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.core.ops import gradient_control, linalg, scalars
from workbench.core.verify import verify_grad
from workbench.errors import GradientError


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_right(dtype: str) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3)).astype(dtype), rng.normal(size=(3,)).astype(dtype)
    verify_grad(lambda x, y: scalars.tanh(linalg.dot(x, y)), [a, b])
    verify_grad(lambda x: scalars.exp(x), [np.float64(1.5)], n_tests=1, rng=rng)


def test_wrong() -> None:
    def wrong(x: Any) -> Any:
        return gradient_control.grad_scale(scalars.sqr(x), 2.0)

    with pytest.raises(GradientError, match="gradient by input 0") as caught:
        verify_grad(wrong, [np.array([1.0, 2.0])])
    assert caught.value.advice
