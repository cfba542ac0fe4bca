"""Gradients: a graph in, the graph of its derivatives out.

`backward` is the whole of reverse mode: it walks the nodes between `wrt` and the outputs once, from
the last to the first, and asks each op for its inputs' gradients. Nodes that it makes bear the
lines of the node they come from.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from workbench.configuration import config
from workbench.core import origin
from workbench.core.graph import Apply, Variable, is_shared, toposort
from workbench.core.ops.scalars import cast, ones_like, second, zeros_like
from workbench.core.ops.shape import specify_shape
from workbench.core.ops.transfer import on_host
from workbench.core.profile import timed
from workbench.core.types import TensorType, as_tensor, constant, is_discrete, tensor_type
from workbench.errors import (
    DisconnectedInputError,
    GraphError,
    NullGradientError,
    RankError,
    ShapeError,
    UsageError,
    nearest,
)

Gradients = dict[Variable, Any]  # Any: variables with operators


@timed
def grad(
    cost: Any,
    wrt: Any,
    consider_constant: Variable | Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
    add_names: bool = True,
    known_grads: Mapping[Variable, Any] | None = None,
    return_disconnected: str = "zero",
    null_gradients: str = "raise",
) -> Any:
    """The gradient of a scalar cost with respect to one variable or several.

    cost                 a 0-d variable (None where `known_grads` gives the starting gradients); an
                         integer cost has the gradient zero
    wrt                  a variable, or a list or tuple of them; the result has the same form, each
                         gradient the shape of its variable and its dtype (floatX where that is an
                         integer)
    consider_constant    variables through which nothing flows back
    disconnected_inputs  what to do with a wrt that the cost does not depend on: 'raise', 'warn' or
                         'ignore'
    add_names            name the gradients of named variables '(dCOST/dX)'
    known_grads          the whole gradients of some variables, which are not computed but taken
                         from here
    return_disconnected  what the gradient of such a wrt is: 'zero' or 'None' ('disconnected' means
                         None, too)
    null_gradients       what an undefined gradient does: 'raise', or 'return' nan

    Raises RankError where the cost is not a scalar, DisconnectedInputError, NullGradientError,
    GraphError.
    """
    check_option("disconnected_inputs", disconnected_inputs, ("raise", "warn", "ignore"))
    check_option("return_disconnected", return_disconnected, ("zero", "None", "disconnected"))
    check_option("null_gradients", null_gradients, ("raise", "return"))
    targets = variables_of(wrt, "wrt")
    known = {v: known_gradient(v, g) for v, g in (known_grads or {}).items()}
    start: Gradients = dict(known)
    if cost is not None:
        start.setdefault(_checked_cost(cost), _ones(cost))
    elif not start:
        raise NoCostError("grad has neither a cost nor known_grads", advice="give one of them")
    cut = constants_of(consider_constant)
    found = backward(start, targets, cut, fixed=known, undefined=null_gradients)
    connected = reaching(start, cut)
    results = [
        finish(found.get(t), t, t in connected, cost, disconnected_inputs, return_disconnected)
        for t in targets
    ]
    if add_names and cost is not None and cost.name:
        for target, result in zip(targets, results, strict=True):
            if target.name and result is not None and result.name is None:
                result.name = f"(d{cost.name}/d{target.name})"
    return as_given(wrt, results)


class NoCostError(GraphError, AssertionError):
    """A gradient of nothing was asked for."""


def backward(
    start: Mapping[Variable, Any],
    wrt: Sequence[Variable],
    consider_constant: Collection[Variable] = (),
    fixed: Collection[Variable] = (),
    undefined: str = "raise",
) -> Gradients:
    """The gradient of every variable on a way from `wrt` to the keys of `start`, whose gradients
    are given.

    The gradients of `fixed` variables are as given; what else flows back to the other keys of
    `start` adds to theirs.
    """
    gradients: Gradients = dict(start)
    constant = set(consider_constant)
    nodes = toposort(start)
    useful = _between(nodes, wrt, constant)
    wanted = set(wrt)
    for node in reversed(nodes):
        if node not in useful:
            continue
        outputs = [gradients.get(v) for v in node.outputs]
        if all(g is None for g in outputs):
            continue
        with origin.inherited(node.lines):
            parts = _parts(node, outputs, undefined)
            for variable, part in zip(node.inputs, parts, strict=True):
                if part is None or variable in constant or variable in fixed:
                    continue
                if variable.owner is not None or variable in wanted:
                    fitting, known = _fit(part, variable), gradients.get(variable)
                    gradients[variable] = fitting if known is None else known + fitting
    return gradients


def _parts(node: Apply, outputs: Sequence[Any], undefined: str) -> Sequence[Any]:
    """What one node sends back to its inputs."""
    try:
        return node.op.grad(node.inputs, node.outputs, outputs)
    except NullGradientError as error:
        if undefined == "return":
            nan = [
                None
                if not isinstance(v.type, TensorType) or is_discrete(v.type.dtype)
                else second(v, constant(float("nan"), v.type.dtype))
                for v in node.inputs
            ]
            return [g if node.op.connected(i) else None for i, g in enumerate(nan)]
        error.place, error.node = error.place or node.place, node
        raise


def _fit(part: Any, variable: Variable) -> Any:
    """A gradient of the variable's dtype, with length 1 in its type where the variable's type has
    it.
    """
    t, g = tensor_type(variable), tensor_type(part)
    if t == g:
        return part
    if g.ndim != t.ndim:
        raise GraphError(
            f"a gradient of {g} was made for {variable} of {t}",
            advice="an op's grad gives each input a gradient of its own rank",
        ).at(variable)
    if any(mine == 1 and theirs is None for mine, theirs in zip(t.shape, g.shape, strict=True)):
        part = specify_shape(
            part, [1 if a == 1 else b for a, b in zip(t.shape, g.shape, strict=True)]
        )
    return cast(part, _gradient_dtype(t.dtype))


def _between(
    nodes: Sequence[Apply], wrt: Sequence[Variable], constant: set[Variable]
) -> set[Apply]:
    """The nodes that depend on `wrt` by a way that is not cut."""
    reached = set(wrt) - constant
    useful: set[Apply] = set()
    for node in nodes:
        if any(v in reached and node.op.connected(i) for i, v in enumerate(node.inputs)):
            useful.add(node)
            reached.update(v for v in node.outputs if v not in constant)
    return useful


def reaching(start: Collection[Variable], constant: set[Variable]) -> set[Variable]:
    """The variables on whose values those of `start` depend."""
    reaching = set(start) - constant
    for node in reversed(toposort(start)):
        if any(v in reaching for v in node.outputs):
            reaching.update(
                v for i, v in enumerate(node.inputs) if v not in constant and node.op.connected(i)
            )
    return reaching


def finish(
    gradient: Any, target: Variable, connected: bool, cost: Any, disconnected: str, absent: str
) -> Any:
    """The gradient of one wrt as the user gets it: zero where it is flat, and what he chose where
    it is disconnected. Like a shared variable's value it is the host's, wherever that lies.
    """
    if gradient is not None:
        return on_host(gradient) if is_shared(target) else gradient
    if connected:
        return zeros_for(target)
    if disconnected != "ignore":
        error = DisconnectedInputError(
            f"the cost {'' if cost is None else cost} does not depend on {target}",
            f"gradient with respect to {target}: {target.type}",
            target.place,
            "see that the cost is computed from it, or pass disconnected_inputs='ignore' to get "
            "zeros",
            target,
        )
        if disconnected == "raise":
            raise error
        warnings.warn(str(error), stacklevel=3)
    return zeros_for(target) if absent == "zero" else None


def zeros_for(target: Variable) -> Any:
    """Zeros of a variable's shape and its gradient's dtype."""
    return zeros_like(target, _gradient_dtype(tensor_type(target).dtype))


def _ones(cost: Variable) -> Any:
    return ones_like(cost, _gradient_dtype(tensor_type(cost).dtype))


def _gradient_dtype(dtype: str) -> str:
    return config.floatX if is_discrete(dtype) else dtype


def _checked_cost(cost: Any) -> Variable:
    if not isinstance(cost, Variable):
        raise GraphError(
            f"cost must be a variable, not {cost!r}", advice="a number has no gradient"
        )
    if tensor_type(cost).ndim:
        raise RankError(
            "cost must be a scalar.",
            f"grad of {cost}: {cost.type}",
            cost.place,
            "sum or mean it first, or take the jacobian",
            cost,
        )
    return cost


def known_gradient(variable: Any, gradient: Any) -> Any:
    """A gradient given from outside, checked and in its variable's dtype."""
    if not isinstance(variable, Variable):
        raise GraphError(
            f"known_grads has variables as keys; {variable!r} is none",
            advice="give pairs of a variable and its gradient",
        )
    g, t = as_tensor(gradient), tensor_type(variable)
    if tensor_type(g).ndim != t.ndim:
        raise ShapeError(
            f"the gradient given for {variable} has another number of axes",
            f"{variable}: {t}, its gradient: {g.type}",
            variable.place,
            "a gradient has the shape of its variable",
            variable,
        )
    return _fit(g, variable)


def check_option(name: str, value: object, options: tuple[str, ...]) -> None:
    """Raises UsageError where an argument is not one of these."""
    if value not in options:
        raise UsageError(
            f"{name} is not {value!r}.{nearest(str(value), list(options))}",
            advice=f"it is one of {', '.join(map(repr, options))}",
        )


def variables_of(given: Any, what: str) -> list[Variable]:
    """One variable or several, as a list."""
    found = list(given) if isinstance(given, (list, tuple)) else [given]
    for v in found:
        if not isinstance(v, Variable):
            raise GraphError(
                f"{what} takes variables; {v!r} is none", advice="give a variable of the graph"
            )
    return found


def constants_of(given: Any) -> set[Variable]:
    """The variables through which nothing is to flow back."""
    if given is None:
        return set()
    found = list(given) if isinstance(given, (set, frozenset)) else given
    return set(variables_of(found, "consider_constant"))


def as_given(given: Any, results: list[Any]) -> Any:
    """The results in the form of what was asked for: a list, a tuple or one."""
    if isinstance(given, tuple):
        return tuple(results)
    return results if isinstance(given, list) else results[0]
