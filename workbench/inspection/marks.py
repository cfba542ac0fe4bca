"""Marking a node at fault in a history."""

from __future__ import annotations

from dataclasses import replace

from workbench.core.records import History

FAILED = "failed"


def marked(history: History, node: int) -> History:
    """The history whose first graph shows this node as failed; rewrites are left out, for they did
    not run.
    """
    first = history.first
    nodes = tuple(replace(n, state=FAILED) if n.id == node else n for n in first.nodes)
    return History(replace(first, nodes=nodes))
