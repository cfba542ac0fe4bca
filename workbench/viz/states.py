"""What became of every node between the first and the last graph, read from the history and never
from names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.core.records import History, Node, Snapshot

#: The words that the pictures, the texts and the widget use, with the sign that goes with each.
SIGNS = {
    "removed": "−",
    "added": "+",
    "replaced": "→",
    "fused": "◆",
    "changed": "~",
    "failed": "!",  # where an error arose; never part of a comparison
}


@dataclass(frozen=True)
class Change:
    """The two ends of a history, each node's state in them, and which nodes came from which.

    A node that has no entry in `before` or `after` was kept as it was. `origins` maps a node of the
    last graph to the
    nodes of the first that it came from; `fates` is the other direction.
    """

    first: Snapshot
    last: Snapshot
    before: Mapping[int, str]
    after: Mapping[int, str]
    origins: Mapping[int, tuple[int, ...]]
    fates: Mapping[int, tuple[int, ...]]


def compare(history: History) -> Change:
    """The difference between the first and the last graph of `history`."""
    first, last = history.first, history.last if history.steps else history.first
    found = history.origins()
    origins = {node.id: tuple(i for i in found.get(node.id, ()) if i in first) for node in last}
    fates: dict[int, tuple[int, ...]] = {}
    for node_id, sources in origins.items():
        for source in sources:
            fates[source] = (*fates.get(source, ()), node_id)
    after = {
        node.id: state for node in last if (state := _state_after(node, first, origins[node.id]))
    }
    before = {
        node.id: _state_before(fates.get(node.id, ()), after)
        for node in first
        if node.id not in last
    }
    before.update((node.id, node.state) for node in first if node.state)
    return Change(first, last, before, after, origins, fates)


def _state_after(node: Node, first: Snapshot, origins: tuple[int, ...]) -> str:
    if node.state:
        return node.state
    if node.id in first:
        return "changed" if node.inner != first[node.id].inner else ""
    if not origins:
        return "added"
    return "fused" if is_fused(node) else "replaced"


def _state_before(fates: tuple[int, ...], after: Mapping[int, str]) -> str:
    if not fates:
        return "removed"
    return "fused" if any(after.get(node) == "fused" for node in fates) else "replaced"


def is_scan(node: Node) -> bool:
    """Whether the node is a loop."""
    return "scan" in node.op.lower()


def is_fused(node: Node) -> bool:
    """Whether the node stands for several scalar operations in one loop."""
    return node.inner is not None and not node.inner.roles
