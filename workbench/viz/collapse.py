"""Folding a large graph: groups of the user's scopes, else intervals of the topological order, as
nodes to open.

A collapsed snapshot is a snapshot like any other: a group is a node of kind 'group' whose inner
graph is its members,
which may be folded again. Every level shows at most a few dozen groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from workbench.core.records import Node, Port, Snapshot, Value

MOST_VISIBLE = 300
_FAN_OUT, _MOST_IN_GROUP = 24, 120


def collapse(snapshot: Snapshot, most: int = MOST_VISIBLE) -> Snapshot:
    """`snapshot` itself where it has at most `most` nodes, else one with groups in the place of
    nodes.

    Groups have negative ids. Their outputs are the ports that someone outside reads; inputs of
    members that live
    outside keep their names.
    """
    if len(snapshot) <= most:
        return snapshot
    return _Folder(snapshot).fold(snapshot.nodes, depth=0, most=most)


class _Folder:
    """One folding of one snapshot: counts the groups' ids and remembers the ports that groups stand
    for.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.next_id = 0

    def fold(self, nodes: Sequence[Node], depth: int, most: int = _MOST_IN_GROUP) -> Snapshot:
        if len(nodes) <= most:
            return self._part(nodes)
        parts = _by_scope(nodes, depth)
        if len(parts) < 2 or len(parts) > 2 * len(nodes) // 3:
            parts = _intervals(nodes)
        return self._quotient(parts, depth)

    def _part(self, nodes: Sequence[Node]) -> Snapshot:
        members = {node.id for node in nodes}
        inputs = tuple(i for i in self.snapshot.inputs if i in members)
        outputs = tuple(port for port in self.snapshot.outputs if port.node in members)
        return replace(self.snapshot, nodes=tuple(nodes), inputs=inputs, outputs=outputs)

    def _quotient(self, parts: list[tuple[str, list[Node]]], depth: int) -> Snapshot:
        groups = [self._group(name, members, depth) for name, members in parts]
        stands: dict[Port, Port] = {}
        owner: dict[int, int] = {}
        for group, (_, members) in zip(groups, parts, strict=True):
            owner.update((node.id, group.id) for node in members)
        reads = [
            _ports_read(members, owner, g.id) for g, (_, members) in zip(groups, parts, strict=True)
        ]
        asked = [*(port for ports in reads for port in ports), *self.snapshot.outputs]
        outputs: dict[int, list[Value]] = {group.id: [] for group in groups}
        for port in dict.fromkeys(asked):
            node = self.snapshot.by_id.get(port.node)
            group_id = owner.get(port.node)
            if node is None or group_id is None:
                continue
            if group_id == port.node:  # a part of one node is that node
                stands[port] = port
                continue
            stands[port] = Port(group_id, len(outputs[group_id]))
            value = node.outputs[port.index : port.index + 1]
            outputs[group_id].extend(value or (Value(""),))
        linked = tuple(
            group
            if group.kind != "group"
            else replace(
                group,
                inputs=tuple(dict.fromkeys(stands.get(port, port) for port in ports)),
                outputs=tuple(outputs[group.id]),
            )
            for group, ports in zip(groups, reads, strict=True)
        )
        linked = tuple(
            node
            if node.kind == "group"
            else replace(node, inputs=tuple(stands.get(port, port) for port in node.inputs))
            for node in linked
        )
        shown = {node.id for node in linked}
        return replace(
            self.snapshot,
            nodes=linked,
            inputs=tuple(i for i in self.snapshot.inputs if i in shown),
            outputs=tuple(dict.fromkeys(stands[p] for p in self.snapshot.outputs if p in stands)),
        )

    def _group(self, name: str, members: list[Node], depth: int) -> Node:
        if len(members) == 1:
            return members[0]
        self.next_id -= 1
        own_id = self.next_id
        inner = self.fold(members, depth + 1)
        detail = f"{len(members):,} nodes"
        return Node(own_id, "group", "", name or _describe(members), detail=detail, inner=inner)


def _ports_read(members: Iterable[Node], owner: dict[int, int], own: int) -> list[Port]:
    """The ports outside a group that its members read."""
    ports = (port for node in members for port in node.inputs if owner.get(port.node) != own)
    return list(dict.fromkeys(ports))


def _by_scope(nodes: Sequence[Node], depth: int) -> list[tuple[str, list[Node]]]:
    """Nodes by the part of their scope's path at `depth`; nodes without one stand alone."""
    parts: dict[tuple[str, int], list[Node]] = {}
    for node in nodes:
        path = node.group.split("/") if node.group else []
        key = (path[depth], 0) if depth < len(path) else ("", node.id)
        parts.setdefault(key, []).append(node)
    return [(name, members) for (name, _), members in parts.items()]


def _intervals(nodes: Sequence[Node]) -> list[tuple[str, list[Node]]]:
    """About two dozen stretches of the topological order, cut where few edges pass."""
    count = len(nodes)
    index = {node.id: i for i, node in enumerate(nodes)}
    change = [0] * (count + 1)
    for node in nodes:
        for port in node.inputs:
            if port.node in index:
                change[index[port.node] + 1] += 1
                change[index[node.id] + 1] -= 1
    passing = [0] * (count + 1)
    for i in range(count):
        passing[i + 1] = passing[i] + change[i + 1]
    size = max(count / _FAN_OUT, 12)
    cuts = [0]
    while count - cuts[-1] > 1.5 * size:
        middle = cuts[-1] + size
        window = range(int(middle - size / 3), int(middle + size / 3) + 1)
        cuts.append(min(window, key=lambda i: (passing[i], abs(i - middle))))
    cuts.append(count)
    return [("", list(nodes[a:b])) for a, b in pairwise(cuts)]


def _describe(members: Sequence[Node]) -> str:
    """What a nameless group does: its most frequent labels."""
    counts: dict[str, int] = {}
    for node in members:
        if node.kind == "apply":
            counts[node.label] = counts.get(node.label, 0) + 1
    common = sorted(counts, key=lambda label: (-counts[label], label))[:3]
    return ", ".join(common) or "inputs"
