"""`verify_grad`: a gradient against central differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.gradient import grad
from workbench.core.interpreter import Interpreter
from workbench.core.ops.reduce import sum as total
from workbench.core.types import TensorType, as_tensor, tensor_type
from workbench.errors import GradientError

_STEPS = {"float32": 1e-2, "float64": 1e-6}
_TOLERANCES = {"float32": 2e-2, "float64": 1e-5}


def verify_grad(
    fun: Callable[..., Any],
    pt: Sequence[Any],
    n_tests: int = 2,
    rng: Any = None,
    eps: float | None = None,
    abs_tol: float | None = None,
    rel_tol: float | None = None,
) -> None:
    """Raises GradientError where the gradient of `fun` at the arrays `pt` is not what differences
    say.

    Each test weights the elements of fun's result at random (by `rng`, a numpy Generator or
    RandomState) and derives the sum. `eps` is the step of the differences; a slope may be off by
    `abs_tol` or by `rel_tol` of the larger of the two. The defaults are those of the narrowest
    dtype among pt.
    """
    points = [np.asarray(p) for p in pt]
    narrow = "float32" if any(p.dtype == "float32" for p in points) else "float64"
    step = _STEPS[narrow] if eps is None else eps
    absolute = _TOLERANCES[narrow] if abs_tol is None else abs_tol
    relative = _TOLERANCES[narrow] if rel_tol is None else rel_tol
    random = np.random.default_rng(0) if rng is None else rng
    inputs = [
        TensorType(str(p.dtype), (None,) * p.ndim).make(name=f"input {i}")
        for i, p in enumerate(points)
    ]
    output: Any = as_tensor(fun(*inputs))
    (value,) = Interpreter([output]).run(dict(zip(inputs, points, strict=True)))
    for _ in range(n_tests):
        weights = random.uniform(0.5, 1.5, value.shape).astype(tensor_type(output).dtype)
        cost = total(output * weights)
        slopes = Interpreter(grad(cost, inputs, disconnected_inputs="ignore")).run(
            dict(zip(inputs, points, strict=True))
        )
        evaluate = Interpreter([cost])
        for i, slope in enumerate(slopes):
            expected = _differences(evaluate, inputs, points, i, step)
            _compare(slope, expected, i, absolute, relative)


def _differences(
    evaluate: Interpreter, inputs: Sequence[Any], points: Sequence[Any], which: int, step: float
) -> Any:
    result = np.zeros(points[which].shape)
    for place in np.ndindex(result.shape):
        ends = []
        for sign in (1, -1):
            moved = points[which].copy()
            moved[place] += sign * step
            given = [moved if i == which else p for i, p in enumerate(points)]
            ends.append(
                (float(evaluate.run(dict(zip(inputs, given, strict=True)))[0]), moved[place])
            )
        result[place] = (ends[0][0] - ends[1][0]) / (float(ends[0][1]) - float(ends[1][1]))
    return result


def _compare(slope: Any, expected: Any, which: int, absolute: float, relative: float) -> None:
    error = np.abs(slope - expected)
    allowed = np.maximum(absolute, relative * np.maximum(np.abs(slope), np.abs(expected)))
    if np.all(error <= allowed):
        return
    worst = np.unravel_index(np.argmax(np.nan_to_num(error - allowed, nan=np.inf)), error.shape)
    raise GradientError(
        f"the gradient by input {which} at {tuple(map(int, worst))} is {slope[worst]}; "
        f"differences say {expected[worst]}",
        f"off by {error[worst]:.3g}; allowed are {allowed[worst]:.3g}",
        advice="see the op's grad, or check at a point where the function is smooth",
    )
