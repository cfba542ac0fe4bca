"""verify_grad finds a wrong gradient and passes a right one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.core.ops import dot, gradient_control, scalars
from workbench.core.verify import verify_grad
from workbench.errors import GradientError

POINT = np.array([1.0, 2.0])


def wrong(x: Any) -> Any:
    return gradient_control.grad_scale(scalars.sqr(x), 2.0)


@pytest.mark.parametrize("mode", [None, "FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_right(dtype: str, mode: str | None) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3)).astype(dtype), rng.normal(size=(3,)).astype(dtype)
    verify_grad(lambda x, y: scalars.tanh(dot.dot(x, y)), [a, b], mode=mode)
    verify_grad(lambda x: scalars.exp(x), [np.float64(1.5)], n_tests=1, rng=rng, mode=mode)
    verify_grad(lambda x: [scalars.exp(x)], [1.5], rng=np.random.RandomState(3))


def test_wrong() -> None:
    with pytest.raises(GradientError, match="gradient by input 0") as caught:
        verify_grad(wrong, [POINT])
    assert caught.value.advice
    assert isinstance(caught.value, ValueError)
    with pytest.raises(GradientError, match="input 1"):
        wb.verify_grad(lambda x, y: x * wrong(y), [POINT, POINT], mode="FAST_RUN")


def test_a_nan_is_wrong() -> None:
    with pytest.raises(GradientError):
        verify_grad(lambda x: gradient_control.grad_scale(x, float("nan")), [POINT])


def test_tolerances_and_steps() -> None:
    verify_grad(wrong, [POINT], rel_tol=2.0)
    verify_grad(wrong, [POINT], abs_tol=100)
    with pytest.raises(GradientError):
        verify_grad(lambda x: x**3, [POINT], eps=0.5)  # its differences are not its slope
    verify_grad(wrong, [POINT], n_tests=0)


def test_out_type() -> None:
    verify_grad(scalars.exp, [POINT], out_type="float32")
    verify_grad(scalars.exp, [POINT.astype("float32")], out_type="float64")
    verify_grad(
        lambda x: scalars.cast(scalars.exp(x), "float32"), [POINT], cast_to_output_type=True
    )


def test_what_has_no_differences() -> None:
    for points, fun in (([np.array([1, 2])], scalars.exp), ([POINT], scalars.isnan)):
        with pytest.raises(TypeError):
            verify_grad(fun, points)
    with pytest.raises(TypeError, match="one result"):
        verify_grad(lambda x: [x, x], [POINT])
