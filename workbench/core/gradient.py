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
from workbench.core.graph import Apply, Variable, toposort
from workbench.core.ops.create import arange
from workbench.core.ops.scalars import cast, ones_like, second, zeros_like
from workbench.core.ops.shape import specify_shape
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
    consider_constant: Sequence[Variable] | None = None,
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
    _check_option("disconnected_inputs", disconnected_inputs, ("raise", "warn", "ignore"))
    _check_option("return_disconnected", return_disconnected, ("zero", "None", "disconnected"))
    _check_option("null_gradients", null_gradients, ("raise", "return"))
    targets = _variables(wrt, "wrt")
    known = {v: _known(v, g) for v, g in (known_grads or {}).items()}
    start: Gradients = dict(known)
    if cost is not None:
        start.setdefault(_checked_cost(cost), _ones(cost))
    elif not start:
        raise NoCostError("grad has neither a cost nor known_grads", advice="give one of them")
    cut = set(consider_constant or ())
    found = backward(start, targets, cut, fixed=known, undefined=null_gradients)
    connected = _reaching(start, cut)
    results = [
        _finish(found.get(t), t, t in connected, cost, disconnected_inputs, return_disconnected)
        for t in targets
    ]
    if add_names and cost is not None and cost.name:
        for target, result in zip(targets, results, strict=True):
            if target.name and result is not None and result.name is None:
                result.name = f"(d{cost.name}/d{target.name})"
    return _as_given(wrt, results)


class NoCostError(GraphError, AssertionError):
    """A gradient of nothing was asked for."""


class UnequalListsError(GraphError, AssertionError):
    """There is not one eval_point for each variable."""


class DerivativeRankError(RankError, AssertionError):
    """A jacobian or hessian of, or by, something of another rank than it is defined for."""


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


def _reaching(start: Collection[Variable], constant: set[Variable]) -> set[Variable]:
    """The variables on whose values those of `start` depend."""
    reaching = set(start) - constant
    for node in reversed(toposort(start)):
        if any(v in reaching for v in node.outputs):
            reaching.update(
                v for i, v in enumerate(node.inputs) if v not in constant and node.op.connected(i)
            )
    return reaching


def _finish(
    gradient: Any, target: Variable, connected: bool, cost: Any, disconnected: str, absent: str
) -> Any:
    if gradient is not None:
        return gradient
    if connected:
        return _zeros(target)
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
    return _zeros(target) if absent == "zero" else None


def _zeros(target: Variable) -> Any:
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


def _known(variable: Any, gradient: Any) -> Any:
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


def _check_option(name: str, value: object, options: tuple[str, ...]) -> None:
    if value not in options:
        raise UsageError(
            f"{name} is not {value!r}.{nearest(str(value), list(options))}",
            advice=f"it is one of {', '.join(map(repr, options))}",
        )


def _variables(given: Any, what: str) -> list[Variable]:
    """One variable or several, as a list."""
    found = list(given) if isinstance(given, (list, tuple)) else [given]
    for v in found:
        if not isinstance(v, Variable):
            raise GraphError(
                f"{what} takes variables; {v!r} is none", advice="give a variable of the graph"
            )
    return found


def _as_given(given: Any, results: list[Any]) -> Any:
    """The results in the form of what was asked for: a list, a tuple or one."""
    if isinstance(given, tuple):
        return tuple(results)
    return results if isinstance(given, list) else results[0]


def _check_lengths(what: str, points: Sequence[Any], of: Sequence[Variable], name: str) -> None:
    if len(points) != len(of):
        raise UnequalListsError(
            f"{what} needs one eval_point for each {name}",
            f"{len(points)} eval_points for {len(of)}: {', '.join(f'{v}: {v.type}' for v in of)}",
            advice="give two lists of equal lengths",
        )


def Lop(
    f: Any,
    wrt: Any,
    eval_points: Any,
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """vᵀ·J: the rows of the Jacobian of f with respect to `wrt`, weighted by `eval_points` (one per
    output of f).

    Each result has the shape of its wrt. Raises DisconnectedInputError, GraphError for lists of
    unequal lengths, ShapeError for an eval_point of another rank than its output.
    """
    _check_option("disconnected_inputs", disconnected_inputs, ("raise", "warn", "ignore"))
    outputs, targets = _variables(f, "f"), _variables(wrt, "wrt")
    points = list(eval_points) if isinstance(eval_points, (list, tuple)) else [eval_points]
    _check_lengths("Lop", points, outputs, "output")
    start = _added(zip(outputs, (_known(o, p) for o, p in zip(outputs, points, strict=True))))
    cut = set(consider_constant or ())
    found, connected = backward(start, targets, cut), _reaching(start, cut)
    return _as_given(
        wrt,
        [
            _finish(found.get(t), t, t in connected, outputs[0], disconnected_inputs, "zero")
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
    """J·v: the Jacobian of f with respect to `wrt` times `eval_points` (one per wrt), of the shape
    of f.

    It is the derivative of the linear map u → uᵀ·J, which reverse mode gives, with respect to u. An
    output that does not depend on any wrt raises DisconnectedInputError unless
    `disconnected_outputs` is 'ignore' or 'warn'.
    """
    _check_option("disconnected_outputs", disconnected_outputs, ("raise", "warn", "ignore"))
    _check_option("return_disconnected", return_disconnected, ("zero", "None", "disconnected"))
    outputs, targets = _variables(f, "f"), _variables(wrt, "wrt")
    points = list(eval_points) if isinstance(eval_points, (list, tuple)) else [eval_points]
    _check_lengths("Rop", points, targets, "wrt")
    known = [_known(t, p) for t, p in zip(targets, points, strict=True)]
    rows = [
        _zeros(o) for o in outputs
    ]  # u, at which the linear map is taken; one of its own for each output
    pulled = backward(_added(zip(outputs, rows)), targets)
    pairs = _added((pulled[t], p) for t, p in zip(targets, known, strict=True) if t in pulled)
    pushed = backward(pairs, rows)
    results = []
    for output, row in zip(outputs, rows, strict=True):
        connected = not _reaching([output], set()).isdisjoint(targets)
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
    return _as_given(f, results)


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
        return _zeros(output)
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
    return _zeros(output) if absent == "zero" else None


def jacobian(
    expression: Any,
    wrt: Any,
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """The derivatives of a vector by `wrt`, of shape (len(expression), *wrt.shape); of a scalar,
    its gradient.

    One gradient per element, in a scan. Raises RankError for an expression with more axes.
    """
    from workbench.core.scan.build import scan

    (output,) = _variables(expression, "jacobian")
    targets = _variables(wrt, "wrt")
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
    return _as_given(wrt, rows)


def hessian(
    cost: Any,
    wrt: Any,
    consider_constant: Sequence[Variable] | None = None,
    disconnected_inputs: str = "raise",
) -> Any:
    """The second derivatives of a scalar cost by a vector, of shape (n, n), or by each of several
    vectors.

    Raises RankError where the cost is not a scalar or a wrt is not a vector.
    """
    targets = _variables(wrt, "wrt")
    for target in targets:
        if tensor_type(target).ndim != 1:
            raise DerivativeRankError(
                "the hessian is by vectors",
                f"hessian of {cost} by {target}: {target.type}",
                target.place,
                "flatten it first, and compute the cost from the flattened variable",
                target,
            )
    (total,) = _variables(cost, "hessian")
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
    return _as_given(wrt, blocks)
