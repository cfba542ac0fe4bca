"""Inner graphs: the pipeline applied to what stands inside a scan or a condition."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

from workbench.core import origin
from workbench.core.graph import Apply, Variable, leaves
from workbench.core.inner import InnerGraph
from workbench.core.rewrite.engine import Rule, Session

# Optimises the outputs of an inner graph for these listeners.
# Any: listeners, and the mode of the node's own, or None.
Inner = Callable[[Sequence[Variable], Sequence[Variable], tuple[Any, ...], Any], Sequence[Variable]]


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
            results = _optimise_bodies(session, new, optimise, rule)
        final.update(zip(node.outputs, results))
    return [final.get(v, v) for v in outputs]


def _optimise_bodies(
    session: Session, node: Apply, optimise: Inner, rule: Rule
) -> Sequence[Variable]:
    """The node with its inner graph optimised: where it has branches, one after the other, so that
    no work is done in common.
    """
    total = len(node.op.inner.outputs)  # type: ignore[attr-defined]  # it has an inner graph
    size = total // 2 if hasattr(node.op, "branches") else total
    results: Sequence[Variable] = node.outputs
    for first in range(0, total, size or 1):
        now = results[0].owner
        assert now is not None
        results = _optimise_body(session, now, slice(first, first + size), optimise, rule)
    return results


def _optimise_body(
    session: Session, node: Apply, part: slice, optimise: Inner, rule: Rule
) -> Sequence[Variable]:
    """The node with these outputs of its inner graph optimised."""
    op: Any = node.op
    start = time.perf_counter()
    nested = tuple(listener.nested(op.label) for listener in session.listeners)
    outputs = list(op.inner.outputs)
    new = optimise(outputs[part], op.inner.inputs, nested, getattr(op, "mode", None))
    if all(a is b for a, b in zip(new, outputs[part])):
        return node.outputs
    outputs[part] = new
    with origin.inherited(node.lines):
        changed = _without_unread(node, op.inner.with_outputs(outputs))
    seconds = time.perf_counter() - start
    return session.replace(rule, node, changed.outputs, seconds, nested)


def _without_unread(node: Apply, inner: InnerGraph) -> Apply:
    """The node over another inner graph; where it has branches, without what these do not read."""
    op: Any = node.op
    inputs = list(node.inputs)
    if hasattr(op, "branches"):
        read = set(leaves(inner.outputs, stop=inner.inputs))
        kept = [i for i, v in enumerate(inner.inputs) if v in read]
        inner = InnerGraph(tuple(inner.inputs[i] for i in kept), inner.outputs)
        inputs = [inputs[0], *(inputs[1 + i] for i in kept)]
    return dataclasses.replace(op, inner=inner).apply(*inputs)  # type: ignore[no-any-return]
