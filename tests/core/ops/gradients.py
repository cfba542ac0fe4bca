"""Gradients against central differences in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.core.ops.backends import Backend, interpreter
from workbench.core.gradient import grad
from workbench.core.graph import Variable
from workbench.core.ops import reduce
from workbench.core.types import as_tensor, tensor_type


def weighted(outputs: Sequence[Variable], values: Sequence[Any]) -> Any:
    """A scalar that every element of every floating output counts in with its own weight."""
    cost: Any = as_tensor(0.0)
    for k, (output, value) in enumerate(zip(outputs, values, strict=True)):
        if tensor_type(output).dtype[0] == "f":
            weights = np.cos(1 + k + np.arange(value.size, dtype=value.dtype)).reshape(value.shape)
            cost = cost + reduce.sum(output * weights)
    return cost


def differences(f: Callable[[Any], float], x: Any, step: float = 1e-6) -> Any:
    """The central differences of f at x, element by element."""
    result = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        result[place] = (f(up) - f(down)) / (2 * step)
    return result


def check_gradient(
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    values: Sequence[Any],
    wrt: Sequence[int],
    backend: Backend = interpreter,
    tolerance: float = 2e-7,
) -> None:
    """The gradient of a weighted sum of the outputs by each of the inputs `wrt` equals its
    differences.
    """
    values = list(values)
    cost = weighted(outputs, interpreter(inputs, outputs)(values))
    slopes = grad(cost, [inputs[i] for i in wrt], disconnected_inputs="ignore")
    found = backend(inputs, slopes)(values)
    evaluate = interpreter(inputs, [cost])
    for i, slope, symbolic in zip(wrt, found, slopes, strict=True):
        assert tensor_type(symbolic).dtype == tensor_type(inputs[i]).dtype
        assert slope.shape == values[i].shape

        def at(x: Any, i: int = i) -> float:
            changed = [x if j == i else v for j, v in enumerate(values)]
            return float(evaluate(changed)[0])

        expected = differences(at, values[i])
        scale = 1 + np.abs(expected).max(initial=0)
        np.testing.assert_allclose(slope, expected, rtol=0, atol=tolerance * scale)
