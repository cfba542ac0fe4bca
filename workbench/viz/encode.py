"""Snapshots and layouts in the compact JSON form that the widget reads: nodes, and scenes that show
them.

A scene is one picture: boxes and edges in flat lists of integers. A node that opens (a scan, a
fused op, a group)
names the scene of its inside by number. The keys are spelt out in `static/js/model.js`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any  # JSON

from workbench.core.records import Node, Snapshot, Summary
from workbench.viz.boxes import Chip, Face
from workbench.viz.collapse import collapse
from workbench.viz.layout import Layout, layout

Json = dict[str, Any]


class Scenes:
    """The scenes made so far; a node's inside becomes a scene when the node is encoded."""

    def __init__(self) -> None:
        self.list: list[Json] = []
        self._of_inner: dict[int, int] = {}
        self._alive: list[Snapshot] = []  # keeps the ids of the dictionary above from being reused

    def add(
        self,
        snapshot: Snapshot,
        seed: Layout | None = None,
        outer: Snapshot | None = None,
        narrowest: int = 34,
    ) -> tuple[int, Layout]:
        """The number of a new scene that shows `snapshot`, and its layout.

        With `outer`, the scene is a part of that graph: the nodes are known, only groups are spelt
        out.
        """
        outside = outer.by_id if outer else {}
        picture = layout(snapshot, seed, outside, narrowest)
        number = len(self.list)
        scene = scene_json(snapshot, picture)
        self.list.append(scene)
        spelt = (node for node in snapshot if outer is None or node.kind == "group")
        scene["nodes"] = {str(node.id): self.node(node, outer) for node in spelt}
        return number, picture

    def outer(self, snapshot: Snapshot, seed: Layout | None = None) -> tuple[int, Layout]:
        """A scene of the whole graph, collapsed where it is large; its nodes are spelt out
        elsewhere.
        """
        return self.add(collapse(snapshot), seed, outer=snapshot)

    def node(self, node: Node, outer: Snapshot | None = None) -> Json:
        """All that the widget may say about `node`, without its place."""
        info = {
            "k": node.kind,
            "o": node.op,
            "l": node.label,
            "t": [str(value) for value in node.outputs],
            "n": [value.name for value in node.outputs] if _named(node) else None,
            "d": node.detail if node.detail != node.label else "",
            "v": node.device if node.device != "cpu" else "",
            "g": node.group,
            "p": [[place.file, place.line, place.text] for place in node.places],
            "x": None if node.inner is None else self._inner(node, outer),
        }
        return {key: value for key, value in info.items() if value not in ("", None, [])}

    def _inner(self, node: Node, outer: Snapshot | None) -> int:
        inner = node.inner
        assert inner is not None
        if id(inner) not in self._of_inner:
            self._alive.append(inner)
            group = node.kind == "group"
            self._of_inner[id(inner)], _ = self.add(
                inner if group else collapse(inner), outer=outer if group else None
            )
        return self._of_inner[id(inner)]


def _named(node: Node) -> bool:
    return any(value.name not in ("", node.label) for value in node.outputs)


def scene_json(snapshot: Snapshot, picture: Layout) -> Json:
    """One picture: where its boxes and edges are, what the chips say, and what is hidden."""
    shown = [node for node in snapshot if node.id in picture.boxes]
    boxes: list[int] = []
    for node in shown:
        box = picture.boxes[node.id]
        boxes += (box.x, box.y, box.width)
    return {
        "name": snapshot.name,
        "size": [picture.width, picture.height],
        "ids": [node.id for node in shown],
        "box": boxes,
        "in": {str(node.id): ports_json(node.inputs) for node in snapshot if node.inputs},
        "out": ports_json(snapshot.outputs),
        "edge": [
            [e.source, e.source_port, e.target, e.target_port, *(n for xy in r.points for n in xy)]
            for r in picture.routes
            for e in (r.edge,)
        ],
        "chip": chips_json(picture.faces),
        "role": _roles(snapshot),
        "hidden": list(picture.hidden),
    }


def ports_json(ports: Any) -> list[int]:
    """Ports as one flat list: node, index, node, index, …"""
    return [number for port in ports for number in (port.node, port.index)]


def chips_json(faces: Mapping[int, Face]) -> Json:
    """The chips of every box that has some."""
    return {str(i): [_chip(chip) for chip in face.chips] for i, face in faces.items() if face.chips}


def _chip(chip: Chip) -> list[Any]:
    return [chip.text, chip.port.node, chip.port.index, int(chip.far) + 2 * chip.leading]


def _roles(snapshot: Snapshot) -> Json:
    roles: Json = {}
    for port, role in zip(snapshot.outputs, snapshot.roles[len(snapshot.inputs) :], strict=False):
        roles[str(port.node)] = f"out {role}"
    for node_id, role in zip(snapshot.inputs, snapshot.roles, strict=False):
        roles[str(node_id)] = role
    return roles


def number(value: float | None, digits: int = 6) -> float | int | str | None:
    """A number with so many digits; what JSON cannot write becomes its name."""
    if value is None or isinstance(value, str | int):
        return value
    if not math.isfinite(value):
        return repr(value)
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def summary_json(summary: Summary) -> list[Any]:
    """A value in a few numbers, in the order of the record's fields."""
    s = summary
    head = [list(s.shape), s.dtype, *map(number, (s.min, s.max, s.mean, s.std))]
    return [*head, s.nans, s.infs, s.zeros, list(s.histogram), sample_json(s)]


def sample_json(summary: Summary) -> list[Any]:
    """The first elements; a single one with the digits that it deserves."""
    digits = 10 if len(summary.sample) == 1 else 5
    return [number(x, digits) if isinstance(x, float) else x for x in summary.sample[:16]]
