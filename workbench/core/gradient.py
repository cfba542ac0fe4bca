"""Gradients: a graph in, the graph of its derivatives out.

`backward` is the whole of reverse mode: it walks the nodes between `wrt` and the outputs once, from the last to the
first, and asks each op for its inputs' gradients. Nodes that it makes bear the lines of the node they come from.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.core import origin
from workbench.core.graph import Apply, Variable, toposort
from workbench.core.ops.scalars import cast, ones_like, zeros_like
from workbench.core.types import TensorType, is_discrete, tensor_type
from workbench.errors import DisconnectedInputError, GraphError, RankError

Gradients = dict[Variable, Any]  # Any: variables with operators


def grad(cost: Any, wrt: Any, consider_constant: Sequence[Variable] | None = None, disconnected_inputs: str = "raise",
         add_names: bool = True, known_grads: Mapping[Variable, Any] | None = None,
         return_disconnected: str = "zero", null_gradients: str = "raise") -> Any:  # fmt: skip
    """The gradient of a scalar cost with respect to one variable or several.

    cost                 a 0-d floating variable (None where `known_grads` gives the starting gradients)
    wrt                  a variable, or a list or tuple of them; the result has the same form, each gradient the shape
                         of its variable (and its dtype, where that is a float's)
    consider_constant    variables through which nothing flows back
    disconnected_inputs  what to do with a wrt that the cost does not depend on: 'raise', 'warn' or 'ignore'
    return_disconnected  what such a gradient is: 'zero' or 'None'

    Raises RankError where the cost is not a scalar, DisconnectedInputError, GraphError.
    """
    targets = list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    for target in targets:
        if not isinstance(target, Variable):
            raise GraphError(f"wrt takes variables; {target!r} is none")
    start: Gradients = dict(known_grads or {})
    if cost is not None:
        if tensor_type(cost).ndim:
            raise RankError(
                f"cost must be a scalar. {cost} is of {cost.type}; sum or mean it first"
            )
        start.setdefault(cost, ones_like(cost, _gradient_dtype(tensor_type(cost).dtype)))
    elif not start:
        raise GraphError("grad needs a cost or known_grads")
    found = backward(start, targets, consider_constant or ())
    results = [
        _finish(found.get(t), t, cost, disconnected_inputs, return_disconnected) for t in targets
    ]
    if add_names and cost is not None and cost.name:
        for target, result in zip(targets, results, strict=True):
            if target.name and result is not None and result.name is None:
                result.name = f"(d{cost.name}/d{target.name})"
    return type(wrt)(results) if isinstance(wrt, (list, tuple)) else results[0]


def backward(
    start: Mapping[Variable, Any],
    wrt: Sequence[Variable],
    consider_constant: Sequence[Variable] = (),
) -> Gradients:
    """The gradient of every variable on a way from `wrt` to the keys of `start`, whose gradients are given."""
    gradients: Gradients = dict(start)
    nodes = toposort(start)
    useful = _between(nodes, wrt, set(consider_constant))
    for node in reversed(nodes):
        if node not in useful:
            continue
        outputs = [gradients.get(v) for v in node.outputs]
        if all(g is None for g in outputs):
            continue
        with origin.inherited(node.lines):
            for variable, part in zip(
                node.inputs, node.op.grad(node.inputs, node.outputs, outputs), strict=True
            ):
                if part is not None and variable not in consider_constant:
                    known = gradients.get(variable)
                    gradients[variable] = part if known is None else known + part
    return gradients


def _between(
    nodes: Sequence[Apply], wrt: Sequence[Variable], constant: set[Variable]
) -> set[Apply]:
    """The nodes that depend on `wrt` by a way that is not cut."""
    reached = set(wrt) - constant
    useful: set[Apply] = set()
    for node in nodes:
        if any(v in reached for v in node.inputs):
            useful.add(node)
            reached.update(v for v in node.outputs if v not in constant)
    return useful


def _finish(gradient: Any, target: Variable, cost: Any, disconnected: str, absent: str) -> Any:
    if gradient is not None:
        return gradient
    if disconnected not in ("raise", "warn", "ignore"):
        raise GraphError(
            f"disconnected_inputs is 'raise', 'warn' or 'ignore', not {disconnected!r}"
        )
    discrete = isinstance(target.type, TensorType) and is_discrete(target.type.dtype)
    if not discrete and disconnected != "ignore":
        message = (
            f"the cost {cost} does not depend on {target}, or only through something without a derivative; "
            "pass disconnected_inputs='ignore' to get zeros"
        )
        if disconnected == "raise":
            raise DisconnectedInputError(message)
        warnings.warn(message, stacklevel=3)
    if absent == "None":
        return None
    return zeros_like(target, _gradient_dtype(tensor_type(target).dtype))


def _gradient_dtype(dtype: str) -> str:
    from workbench.configuration import config

    return config.floatX if is_discrete(dtype) else dtype  # type: ignore[no-any-return]


def Lop(f: Any, wrt: Any, eval_points: Any, consider_constant: Sequence[Variable] | None = None,  # noqa: N802
        disconnected_inputs: str = "raise") -> Any:  # fmt: skip
    """vᵀ·J: the rows of the Jacobian of f with respect to `wrt`, weighted by `eval_points` (one per output of f)."""
    outputs = list(f) if isinstance(f, (list, tuple)) else [f]
    points = list(eval_points) if isinstance(eval_points, (list, tuple)) else [eval_points]
    if len(outputs) != len(points):
        raise GraphError(
            f"Lop needs one eval_point per output; got {len(points)} for {len(outputs)}"
        )
    known = {o: cast(p, tensor_type(o).dtype) for o, p in zip(outputs, points, strict=True)}
    return grad(None, wrt, consider_constant, disconnected_inputs, known_grads=known)


def Rop(f: Any, wrt: Any, eval_points: Any) -> Any:  # noqa: N802
    """J·v: the Jacobian of f with respect to `wrt` times `eval_points` (one per wrt).

    It is the derivative of the linear map u → uᵀ·J, which reverse mode gives, with respect to u.
    """
    outputs = list(f) if isinstance(f, (list, tuple)) else [f]
    targets = list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    points = list(eval_points) if isinstance(eval_points, (list, tuple)) else [eval_points]
    if len(targets) != len(points):
        raise GraphError(f"Rop needs one eval_point per wrt; got {len(points)} for {len(targets)}")
    rows = [zeros_like(o) for o in outputs]
    pulled = grad(
        None,
        targets,
        known_grads=dict(zip(outputs, rows, strict=True)),
        disconnected_inputs="ignore",
    )
    pairs = dict(zip(pulled, points, strict=True))
    pushed = grad(None, rows, known_grads=pairs, disconnected_inputs="ignore")
    return pushed if isinstance(f, (list, tuple)) else pushed[0]
