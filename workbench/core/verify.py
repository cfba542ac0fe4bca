"""`verify_grad`: a gradient against central differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.gradient import grad
from workbench.core.graph import Variable
from workbench.core.ops.reduce import sum as total
from workbench.core.ops.scalars import cast
from workbench.core.types import TensorType, as_tensor, is_float, tensor_type, wider_than_half
from workbench.errors import DtypeError, GradientError, GraphError
from workbench.frozen import frozen

_STEPS = {"float32": 1e-2, "float64": 1e-6}
_TOLERANCES = {"float32": 2e-2, "float64": 1e-5}

Run = Callable[..., Any]  # Any: arrays


@frozen
class _Tolerance:
    absolute: float
    relative: float


def verify_grad(
    fun: Callable[..., Any],
    pt: Sequence[Any],
    n_tests: int = 2,
    rng: Any = None,
    eps: float | None = None,
    out_type: str | None = None,
    abs_tol: float | None = None,
    rel_tol: float | None = None,
    mode: Any = None,
    cast_to_output_type: bool = False,
    no_debug_ref: bool = True,
) -> None:
    """Raises GradientError where the gradient of `fun` at the arrays `pt` is not what differences
    say.

    fun                  takes a variable for each array of `pt` and returns one variable (a list or
                         tuple of one, too)
    pt                   arrays of floats, or numbers
    n_tests              each weights the elements of fun's result at random, and derives the sum
    rng                  a numpy Generator or RandomState for the weights
    eps                  the step of the differences
    out_type             the dtype that fun's result is cast to first
    abs_tol, rel_tol     a slope may be off by the first, or by the second of the larger of the two
    mode                 how the functions are compiled; None: by the interpreter, unoptimised
    cast_to_output_type  the differences have the precision of the result's dtype, where that is the
                         narrower
    no_debug_ref         accepted: `mode` runs both the function and its gradient

    The defaults of step and tolerances are those of the narrowest dtype among pt (and the result's,
    where `out_type` or `cast_to_output_type` says so). Raises DtypeError where a point is not of a
    floating dtype.
    """
    points = [_point(i, p) for i, p in enumerate(pt)]
    inputs = [
        TensorType(str(p.dtype), (None,) * p.ndim).make(name=f"input {i}")
        for i, p in enumerate(points)
    ]
    output = _output(fun(*inputs), out_type)
    dtypes = [str(p.dtype) for p in points]
    if out_type is not None or cast_to_output_type:
        dtypes.append(tensor_type(output).dtype)
    narrow = "float32" if any(d in ("float32", "complex64") for d in dtypes) else "float64"
    step = _STEPS[narrow] if eps is None else eps
    tolerance = _Tolerance(
        _TOLERANCES[narrow] if abs_tol is None else abs_tol,
        _TOLERANCES[narrow] if rel_tol is None else rel_tol,
    )
    random = np.random.default_rng(0) if rng is None else rng
    shape = _compiled(inputs, output, mode)(*points).shape
    weights: Any = TensorType(tensor_type(output).dtype, (None,) * len(shape)).make(name="weights")
    cost = total(output * weights)
    value = _compiled([*inputs, weights], cost, mode)
    gradients = grad(cost, inputs, disconnected_inputs="ignore")
    slopes = _compiled([*inputs, weights], gradients, mode)
    for _ in range(n_tests):
        chosen = np.asarray(random.uniform(0.5, 1.5, shape), tensor_type(output).dtype)
        for i, slope in enumerate(slopes(*points, chosen)):
            _compare(slope, _differences(value, points, chosen, i, step), i, tolerance)


def _point(i: int, value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind != "f":
        raise DtypeError(
            f"point {i} of verify_grad is of {array.dtype}; differences are taken of floats",
            advice="give a float32 or float64 array, and close over what is of another dtype",
        )
    return array.astype(wider_than_half(str(array.dtype)), copy=False)


def _output(made: Any, out_type: str | None) -> Any:
    if isinstance(made, (list, tuple)):
        if len(made) != 1:
            raise GraphError(
                f"verify_grad takes a function of one result, not of {len(made)}",
                advice="verify each result alone",
            )
        (made,) = made
    output = as_tensor(made) if out_type is None else cast(made, out_type)
    if not is_float(tensor_type(output).dtype):
        raise DtypeError(
            f"the result of the function is of {output.type}, which has no derivative",
            advice="cast it to a float",
        )
    return output


def _compiled(inputs: Sequence[Variable], outputs: Any, mode: Any) -> Run:
    """What computes the outputs: a function of this mode, or the graph as it is."""
    from workbench.core.function import function
    from workbench.core.modes import Mode

    chosen = Mode("py", "none") if mode is None else mode
    return function(inputs, outputs, mode=chosen, on_unused_input="ignore", profile=False)


def _differences(run: Run, points: Sequence[Any], weights: Any, which: int, step: float) -> Any:
    result = np.zeros(points[which].shape)
    for place in np.ndindex(result.shape):
        ends = []
        for sign in (1, -1):
            moved = points[which].copy()
            moved[place] += sign * step
            given = [moved if i == which else p for i, p in enumerate(points)]
            ends.append((float(run(*given, weights)), float(moved[place])))
        result[place] = (ends[0][0] - ends[1][0]) / (ends[0][1] - ends[1][1])
    return result


def _compare(slope: Any, expected: Any, which: int, tolerance: _Tolerance) -> None:
    error = np.abs(slope - expected)
    size = np.maximum(np.abs(slope), np.abs(expected))
    allowed = np.maximum(tolerance.absolute, tolerance.relative * size)
    if np.all(error <= allowed):
        return
    worst = np.unravel_index(np.argmax(np.nan_to_num(error - allowed, nan=np.inf)), error.shape)
    raise GradientError(
        f"the gradient by input {which} at {tuple(map(int, worst))} is {slope[worst]}; "
        f"differences say {expected[worst]}",
        f"off by {error[worst]:.3g}; allowed are {allowed[worst]:.3g}",
        advice="see the op's grad, or check at a point where the function is smooth",
    )
