"""Inner graphs: the pipeline applied to what stands inside a scan or a condition."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

from workbench.core import origin
from workbench.core.graph import Apply, Variable
from workbench.core.inner import InnerGraph
from workbench.core.rewrite.engine import Rule, Session

# Optimises the outputs of an inner graph for these listeners.
Inner = Callable[[Sequence[Variable], Sequence[Variable], tuple[Any, ...]], Sequence[Variable]]


def bodies(
    session: Session, outputs: Sequence[Variable], optimise: Inner, rule: Rule
) -> list[Variable]:
    """The graph with the inner graph of every node optimised; a node whose inner graph is as good
    stays as it is.
    """
    nodes = session.toposort(outputs)
    if not any(isinstance(getattr(node.op, "inner", None), InnerGraph) for node in nodes):
        return list(outputs)
    final: dict[Variable, Variable] = {}
    for node in nodes:
        inputs = [final.get(v, v) for v in node.inputs]
        moved = any(a is not b for a, b in zip(inputs, node.inputs))
        new = session.rebuild(node, inputs) if moved else node
        results: Sequence[Variable] = new.outputs
        if isinstance(getattr(node.op, "inner", None), InnerGraph):
            results = _optimise_body(session, new, optimise, rule)
        final.update(zip(node.outputs, results))
    return [final.get(v, v) for v in outputs]


def _optimise_body(
    session: Session, node: Apply, optimise: Inner, rule: Rule
) -> Sequence[Variable]:
    op: Any = node.op
    start = time.perf_counter()
    nested = tuple(listener.nested(op.label) for listener in session.listeners)
    new = optimise(op.inner.outputs, op.inner.inputs, nested)
    if all(a is b for a, b in zip(new, op.inner.outputs)):
        return node.outputs
    body = op.inner.with_outputs(new)
    with origin.inherited(node.lines):
        changed = dataclasses.replace(op, inner=body).apply(*node.inputs)
    seconds = time.perf_counter() - start
    return session.replace(rule, node, changed.outputs, seconds, nested)
