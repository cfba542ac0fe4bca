"""Products with the Jacobian, the Jacobian itself, and the Hessian: what is made of gradients."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from workbench.core.gradient import (
    Gradients,
    as_given,
    backward,
    check_option,
    constants_of,
    finish,
    grad,
    known_gradient,
    reaching,
    variables_of,
    zeros_for,
)
from workbench.core.graph import Variable
from workbench.core.ops.create import arange
from workbench.core.types import tensor_type
from workbench.errors import DisconnectedInputError, GraphError, RankError


class UnequalListsError(GraphError, AssertionError):
    """There is not one eval_point for each variable."""


class DerivativeRankError(RankError, AssertionError):
    """A jacobian or hessian of, or by, something of another rank than it is defined for."""


def Lop(
    f: Any,
    wrt: Any,
    eval_points: Any,
    consider_constant: Variable | Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """vᵀ·J: the rows of the Jacobian of f with respect to `wrt`, weighted by `eval_points` (one per
    output of f).

    Each result has the shape of its wrt. Raises DisconnectedInputError, GraphError for lists of
    unequal lengths, ShapeError for an eval_point of another rank than its output.
    """
    check_option("disconnected_inputs", disconnected_inputs, ("raise", "warn", "ignore"))
    outputs, targets = variables_of(f, "f"), variables_of(wrt, "wrt")
    points = list(eval_points) if isinstance(eval_points, (list, tuple)) else [eval_points]
    _check_lengths("Lop", points, outputs, "output")
    start = _added(
        zip(outputs, (known_gradient(o, p) for o, p in zip(outputs, points, strict=True)))
    )
    cut = constants_of(consider_constant)
    found, connected = backward(start, targets, cut), reaching(start, cut)
    return as_given(
        wrt,
        [
            finish(found.get(t), t, t in connected, outputs[0], disconnected_inputs, "zero")
            for t in targets
        ],
    )


def _added(pairs: Any) -> Gradients:
    """The gradients by variable; those of one variable are added."""
    total: Gradients = {}
    for variable, gradient in pairs:
        total[variable] = total[variable] + gradient if variable in total else gradient
    return total


def Rop(
    f: Any,
    wrt: Any,
    eval_points: Any,
    disconnected_outputs: str = "raise",
    return_disconnected: str = "zero",
) -> Any:
    """J·v: the Jacobian of f with respect to `wrt` times `eval_points` (one per wrt, None for one
    that does not move), of the shape of f.

    It is the derivative of the linear map u → uᵀ·J, which reverse mode gives, with respect to u. An
    output that does not depend on any wrt raises DisconnectedInputError unless
    `disconnected_outputs` is 'ignore' or 'warn'.
    """
    check_option("disconnected_outputs", disconnected_outputs, ("raise", "warn", "ignore"))
    check_option("return_disconnected", return_disconnected, ("zero", "None", "disconnected"))
    outputs, targets = variables_of(f, "f"), variables_of(wrt, "wrt")
    points = list(eval_points) if isinstance(eval_points, (list, tuple)) else [eval_points]
    _check_lengths("Rop", points, targets, "wrt")
    given = [(t, p) for t, p in zip(targets, points, strict=True) if p is not None]
    known = [(t, known_gradient(t, p)) for t, p in given]
    rows = [
        zeros_for(o) for o in outputs
    ]  # u, at which the linear map is taken; one of its own for each output
    pulled = backward(_added(zip(outputs, rows)), targets)
    pairs = _added((pulled[t], p) for t, p in known if t in pulled)
    pushed = backward(pairs, rows)
    results = []
    for output, row in zip(outputs, rows, strict=True):
        connected = not reaching([output], set()).isdisjoint(targets)
        results.append(
            _finish_output(
                pushed.get(row),
                output,
                targets,
                connected,
                disconnected_outputs,
                return_disconnected,
            )
        )
    return as_given(f, results)


def _finish_output(
    result: Any,
    output: Variable,
    targets: Sequence[Variable],
    connected: bool,
    disconnected: str,
    absent: str,
) -> Any:
    if result is not None:
        return result
    if connected:
        return zeros_for(output)
    if disconnected != "ignore":
        error = DisconnectedInputError(
            f"{output} does not depend on {', '.join(map(str, targets))}",
            f"Rop of {output}: {output.type}",
            output.place,
            "leave it out of f, or pass disconnected_outputs='ignore' to get zeros",
            output,
        )
        if disconnected == "raise":
            raise error
        warnings.warn(str(error), stacklevel=3)
    return zeros_for(output) if absent == "zero" else None


def jacobian(
    expression: Any,
    wrt: Any,
    consider_constant: Variable | Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """The derivatives of a vector by `wrt`, of shape (len(expression), *wrt.shape); of a scalar,
    its gradient.

    One gradient per element, in a scan. Raises RankError for an expression with more axes.
    """
    from workbench.core.scan.build import scan

    (output,) = variables_of(expression, "jacobian")
    targets = variables_of(wrt, "wrt")
    if (ndim := tensor_type(output).ndim) > 1:
        raise DerivativeRankError(
            "the jacobian is of a scalar or a vector",
            f"jacobian of {output}: {output.type}",
            output.place,
            "flatten it first",
            output,
        )
    options = {"consider_constant": consider_constant, "disconnected_inputs": disconnected_inputs}
    if ndim == 0:
        return grad(output, wrt, **options)  # type: ignore[arg-type]

    def row(i: Any, y: Any, *_: Any) -> list[Any]:
        return list(grad(y[i], targets, **options))  # type: ignore[arg-type]

    rows, _ = scan(
        row,
        sequences=arange(output.shape[0]),  # type: ignore[attr-defined]
        non_sequences=[output, *targets],
        name="jacobian",
        return_list=True,
    )
    return as_given(wrt, rows)


def hessian(
    cost: Any,
    wrt: Any,
    consider_constant: Variable | Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """The second derivatives of a scalar cost by a vector, of shape (n, n), or by each of several
    vectors.

    Raises RankError where the cost is not a scalar or a wrt is not a vector.
    """
    targets = variables_of(wrt, "wrt")
    for target in targets:
        if tensor_type(target).ndim != 1:
            raise DerivativeRankError(
                "the hessian is by vectors",
                f"hessian of {cost} by {target}: {target.type}",
                target.place,
                "flatten it first, and compute the cost from the flattened variable",
                target,
            )
    (total,) = variables_of(cost, "hessian")
    if tensor_type(total).ndim:
        raise DerivativeRankError(
            "the hessian is of a scalar",
            f"hessian of {total}: {total.type}",
            total.place,
            "sum or mean it first",
            total,
        )
    slopes = grad(total, targets, consider_constant, disconnected_inputs)
    blocks = [
        jacobian(slope, target, consider_constant, "ignore")
        for slope, target in zip(slopes, targets, strict=True)
    ]
    return as_given(wrt, blocks)


def _check_lengths(what: str, points: Sequence[Any], of: Sequence[Variable], name: str) -> None:
    if len(points) != len(of):
        raise UnequalListsError(
            f"{what} needs one eval_point for each {name}",
            f"{len(points)} eval_points for {len(of)}: {', '.join(f'{v}: {v.type}' for v in of)}",
            advice="give two lists of equal lengths",
        )
