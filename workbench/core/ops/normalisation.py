"""Normalisation of activations by their means and variances.

Any: operands are numbers, arrays or variables, and the results are variables with operators.
"""

from __future__ import annotations

from typing import Any

from workbench.core.ops.reduce import count, mean, normal_axes
from workbench.core.ops.scalars import cast, sqr, sqrt, true_div
from workbench.core.ops.shape import addbroadcast, dimshuffle, specify_shape
from workbench.core.types import as_tensor, constant, tensor_type
from workbench.errors import RankError, UsageError, nearest

_AXES = ("per-activation", "spatial")


def batch_normalization(
    inputs: Any, gamma: Any, beta: Any, mean: Any, std: Any, mode: str = "low_mem"
) -> Any:
    """(inputs - mean)·(gamma/std) + beta, with given statistics; all broadcast.

    `mode` is 'low_mem' or 'high_mem', which make no difference here: loops fuse either way.
    """
    if mode not in ("low_mem", "high_mem"):
        raise UsageError(
            f"batch_normalization has no mode {mode!r}", advice="it is 'low_mem' or 'high_mem'"
        )
    return (as_tensor(inputs) - mean) * true_div(gamma, std) + beta


def batch_normalization_train(
    inputs: Any,
    gamma: Any,
    beta: Any,
    axes: Any = "per-activation",
    epsilon: float = 1e-4,
    running_average_factor: Any = 0.1,
    running_mean: Any = None,
    running_var: Any = None,
) -> list[Any]:
    """Inputs normalised over some axes, then scaled by gamma and moved by beta.

    axes           'per-activation': the first; 'spatial': all but the second; or a tuple
    gamma, beta    of the inputs' shape without those axes, or with length 1 there
    epsilon        is added to the variance
    running_mean, running_var   averages to carry on: both, or neither

    Gives the result, the means and 1/sqrt(variance + epsilon) in gamma's shape; with running
    averages also their new values, old·(1 - f) + new·f, the variance being that of n - 1.
    Raises UsageError, RankError.
    """
    x = as_tensor(inputs)
    where = _axes(x, axes)
    scale, move = (_spread(p, x, where) for p in (gamma, beta))
    centre = mean(x, where, keepdims=True)
    centred = x - centre
    variance = mean(sqr(centred), where, keepdims=True)
    inverse = true_div(1, sqrt(variance + _like(epsilon, x)))
    out = centred * (scale * inverse) + move
    results = [out, _gathered(centre, gamma, x, where), _gathered(inverse, gamma, x, where)]
    if (running_mean is None) != (running_var is None):
        raise UsageError(
            "batch_normalization_train has one running average and not the other",
            advice="give running_mean and running_var, or neither",
        )
    if running_mean is None:
        return results
    number = count(x, where, tensor_type(x).dtype)
    unbiased = variance * (number / (number - 1))
    pairs = ((running_mean, centre), (running_var, unbiased))
    return results + [_averaged(old, new, running_average_factor, x, where) for old, new in pairs]


def batch_normalization_test(
    inputs: Any,
    gamma: Any,
    beta: Any,
    mean: Any,
    var: Any,
    axes: Any = "per-activation",
    epsilon: float = 1e-4,
) -> Any:
    """(inputs - mean)·gamma/sqrt(var + epsilon) + beta, with means and variances found before; for
    the rest see `batch_normalization_train`.
    """
    x = as_tensor(inputs)
    where = _axes(x, axes)
    scale, move, centre, variance = (_spread(p, x, where) for p in (gamma, beta, mean, var))
    return (x - centre) * (scale / sqrt(variance + _like(epsilon, x))) + move


def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float = 1e-5
) -> Any:
    """x with mean 0 and variance 1 along some axes, times gamma and plus beta, which broadcast."""
    variable: Any = as_tensor(x)
    centred = variable - mean(variable, axis, keepdims=True)
    variance = mean(sqr(centred), axis, keepdims=True)
    out = centred / sqrt(variance + _like(epsilon, variable))
    out = out if gamma is None else out * gamma
    return out if beta is None else out + beta


def _axes(x: Any, axes: Any) -> tuple[int, ...]:
    ndim = tensor_type(x).ndim
    if isinstance(axes, str):
        if axes not in _AXES:
            raise UsageError(
                f"there are no axes {axes!r}.{nearest(axes, list(_AXES))}",
                advice="give 'per-activation', 'spatial', or a tuple of ints",
            )
        if axes == "spatial" and ndim < 3:
            raise RankError(
                f"spatial axes are those of images; {x} is of {x.type}",
                advice="use 'per-activation'",
            )
        return (0,) if axes == "per-activation" else (0, *range(2, ndim))
    return normal_axes(axes, ndim, "batch normalisation")


def _spread(parameter: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """A parameter as it broadcasts against x. Raises RankError."""
    p, ndim = as_tensor(parameter), tensor_type(x).ndim
    own = tensor_type(p).ndim
    if own == ndim:
        return addbroadcast(p, *axes)
    kept = [i for i in range(ndim) if i not in axes]
    if own == 0:
        return p
    if own != len(kept):
        raise RankError(
            f"a parameter has {own} axes; it needs {len(kept)}, those that are not normalised "
            f"over, or {ndim}",
            f"{p}: {p.type} with {x}: {x.type}, normalised over {axes}",
            advice="give it the shape of the inputs without those axes",
        )
    return dimshuffle(p, ["x" if i in axes else kept.index(i) for i in range(ndim)])


def _gathered(value: Any, like: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """A statistic with as many axes as a parameter was given with."""
    if tensor_type(as_tensor(like)).ndim == tensor_type(x).ndim:
        return value
    return dimshuffle(value, [i for i in range(tensor_type(x).ndim) if i not in axes])


def _averaged(old: Any, new: Any, factor: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """The next running average, of the type of the present one: so that it can be its update."""
    before = as_tensor(old)
    t = tensor_type(before)
    share = cast(as_tensor(factor), t.dtype)
    now = before * (1 - share) + _gathered(new, before, x, axes) * share
    return specify_shape(cast(now, t.dtype), t.shape)


def _like(value: float, x: Any) -> Any:
    return constant(value, tensor_type(as_tensor(x)).dtype)
