"""Merging: the user's graph is frozen, and nodes that compute the same become one."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.graph import Constant, Variable, toposort
from workbench.core.rewrite.engine import Session


def merge(session: Session, outputs: Sequence[Variable]) -> list[Variable]:
    """The interned twins of the outputs. Every merge is a step."""
    interner = session.interner
    nodes = toposort(outputs)
    for node in nodes:
        for leaf in node.inputs:
            if isinstance(leaf, Constant):
                _tell(session, [leaf], [interner.twin(leaf)])
        _tell(session, node.outputs, interner.node(node).outputs)
    session.steps += len(nodes) - len(interner)
    return [interner.twin(v) for v in outputs]


def _tell(session: Session, old: Sequence[Variable], new: Sequence[Variable]) -> None:
    for listener in session.listeners:
        listener.rebuilt(old, new)
