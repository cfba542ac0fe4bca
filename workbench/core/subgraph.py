"""`subgraph_grad`: gradients through a part of a graph, between given gradients and given ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.core.gradient import grad
from workbench.core.graph import Variable
from workbench.errors import GraphError


def subgraph_grad(
    wrt: Sequence[Variable],
    end: Sequence[Variable],
    start: Mapping[Variable, Any] | None = None,
    cost: Variable | None = None,
    details: bool = False,
) -> Any:
    """Gradients from a cost, or from variables whose gradients are given, down to `end` and no
    further.

    wrt      variables between the start and the end; those that only what lies below an end leads
             to have the gradient zero
    end      where the backward pass stops
    start    the gradients of some variables, to which a cost's are added
    cost     a 0-d variable

    Returns the gradients by `wrt` and the gradients at `end`, two lists; with `details` also those
    that the start and the cost give at `end`, each alone. Raises GraphError where there is neither
    a start nor a cost.
    """
    if cost is None and not start:
        raise GraphError(
            "subgraph_grad has neither a cost nor a start",
            advice="give start={variable: its gradient}, or a cost",
        )
    targets, given = [*wrt, *end], {} if start is None else dict(start)
    from_start = _down(None, given, targets, end) if given else [None] * len(targets)
    from_cost = _down(cost, {}, targets, end) if cost is not None else [None] * len(targets)
    total = [_sum(a, b) for a, b in zip(from_start, from_cost, strict=True)]
    n = len(list(wrt))
    if details:
        return total[:n], total[n:], from_start[n:], from_cost[n:]
    return total[:n], total[n:]


def _down(
    cost: Variable | None, known: dict[Variable, Any], targets: list[Variable], end: Sequence[Any]
) -> list[Any]:
    """Gradients by the targets of a graph in which the ends are leaves."""
    from workbench.core.graph import replace

    stands = {v: v.clone() for v in end}
    tops = [*([] if cost is None else [cost]), *known]
    inner = [v for v in targets if v not in stands]
    cut = dict(zip([*tops, *inner], replace([*tops, *inner], dict(stands)), strict=True))
    found = grad(
        None if cost is None else cut[cost],
        [stands.get(v, cut.get(v)) for v in targets],
        known_grads={cut[v]: g for v, g in known.items()} or None,
        disconnected_inputs="ignore",
    )
    back = {new: old for old, new in stands.items()}
    return list(replace(found, dict(back)))


def _sum(a: Any, b: Any) -> Any:
    if a is None or b is None:
        return b if a is None else a
    return a + b
