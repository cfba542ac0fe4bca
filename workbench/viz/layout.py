"""Where every node and edge of a snapshot is drawn: a layered layout, inputs at the top, outputs at
the bottom.

The same snapshot gives the same layout in every process and on every machine: iteration counts are
fixed, nothing
depends on the clock or on the order of a set. `Layout` is a value; SVG, the widget and the step
views only read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from workbench.core.records import Edge, Node, Snapshot
from workbench.viz.boxes import (
    CHIP,
    GAP,
    HEIGHT,
    WIDEST_CHIP,
    Chip,
    Face,
    folded_constants,
    make_face,
    title,
    user_name,
)
from workbench.viz.measure import fit
from workbench.viz.order import Floats, make_rows, order_rows
from workbench.viz.place import place_rows
from workbench.viz.rank import assign_ranks, neighbours

PITCH = HEIGHT + 40  # from row to row
MARGIN = 24
NODE_GAP, LANE_GAP, LANE = (
    13,
    5,
    8,
)  # room beside a node, beside a passing edge, and an edge's own width
_STRAIGHT = 4.0  # how much straighter a passing edge is than an edge between two nodes
_FAR, _FAR_IN_LARGE, _LARGE = 14, 6, 60  # an edge over more rows than this is a chip, not a line


@dataclass(frozen=True)
class Box:
    """The place of a node, by its centre."""

    x: int
    y: int
    width: int
    height: int

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class Route:
    """An edge and the points it passes, from its source's lower border to its target's upper
    one.
    """

    edge: Edge
    points: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Layout:
    """Positions in pixels; the picture spans (0, 0) to (width, height). `hidden` says what is not
    drawn.
    """

    boxes: Mapping[int, Box]
    faces: Mapping[int, Face]
    routes: tuple[Route, ...]
    width: int
    height: int
    hidden: tuple[str, ...] = ()


@dataclass
class Plan:
    """The layout's working state: what is drawn, as vertices 0 … n-1 (nodes) and n … (lanes of
    passing edges).
    """

    nodes: list[Node]
    faces: dict[int, Face]
    edges: list[Edge]
    rank: list[int]
    links: list[tuple[int, int]] = field(default_factory=list)
    lanes: dict[tuple[int, int], int] = field(default_factory=dict)  # (source, row) to vertex
    folded: int = 0
    far: int = 0


def layout(
    snapshot: Snapshot,
    seed: Layout | None = None,
    outside: Mapping[int, Node] | None = None,
    narrowest: int = 34,
) -> Layout:
    """Lay out `snapshot`; near to the places that nodes have in `seed`, where one is given.

    `outside` are nodes that inputs may name although they are not in the snapshot (a group's
    surroundings): they
    become chips. No box has room for less than `narrowest` pixels of text.
    """
    plan = make_plan(snapshot, outside or {}, narrowest)
    if not plan.nodes:
        return Layout({}, {}, (), 2 * MARGIN, 2 * MARGIN, hidden_notes(plan))
    add_lanes(plan)
    x = _coordinates(plan, seed)
    boxes = {
        node.id: Box(x[i], MARGIN + HEIGHT // 2 + PITCH * plan.rank[i], face.width, face.height)
        for i, (node, face) in enumerate(zip(plan.nodes, plan.faces.values(), strict=True))
    }
    routes = route_edges(plan, boxes, lambda source, row: x[plan.lanes[source, row]])
    width = max(max(box.right for box in boxes.values()), max(x)) + MARGIN
    height = max(box.bottom for box in boxes.values()) + MARGIN
    return Layout(boxes, plan.faces, routes, int(width), int(height), hidden_notes(plan))


def make_plan(snapshot: Snapshot, outside: Mapping[int, Node], narrowest: int) -> Plan:
    """Decide what is drawn as a node, as an edge and as a chip, and in which row."""
    folded = folded_constants(snapshot)
    nodes = [node for node in snapshot if node.id not in folded]
    index = {node.id: i for i, node in enumerate(nodes)}
    edges = [
        edge for edge in _drawn_once(snapshot) if edge.source in index and edge.target in index
    ]
    rank = assign_ranks(len(nodes), [(index[e.source], index[e.target]) for e in edges])
    limit = _FAR if len(nodes) <= _LARGE else _FAR_IN_LARGE
    near = [e for e in edges if 0 < rank[index[e.target]] - rank[index[e.source]] <= limit]
    drawn = {(e.target, e.target_port) for e in near}
    known = {**outside, **snapshot.by_id}
    faces = {
        node.id: make_face(node, _chips(node, folded, drawn, known), narrowest) for node in nodes
    }
    return Plan(nodes, faces, near, rank, folded=len(folded), far=len(edges) - len(near))


def _drawn_once(snapshot: Snapshot) -> list[Edge]:
    """The edges, only one from a node to a group."""
    groups = {node.id for node in snapshot if node.kind == "group"}
    edges = {
        (e.source, 0, e.target, 0)
        if e.target in groups
        else (e.source, e.source_port, e.target, e.target_port): e
        for e in reversed(snapshot.edges)
    }
    return list(reversed(edges.values()))


def _chips(
    node: Node,
    folded: Mapping[int, str],
    drawn: set[tuple[int, int]],
    known: Mapping[int, Node],
) -> tuple[Chip, ...]:
    """The inputs of `node` that no edge shows."""
    chips: list[Chip] = []
    if node.kind == "group":
        return ()
    for i, port in enumerate(node.inputs):
        leading = i == 0 and len(node.inputs) > 1
        if port.node in folded:
            chips.append(Chip(folded[port.node], port, leading=leading))
        elif (node.id, i) not in drawn and port.node in known:
            chips.append(
                Chip(fit(f"↑{_short(known[port.node])}", CHIP, WIDEST_CHIP), port, far=True)
            )
    return tuple(chips)


def _short(node: Node) -> str:
    return user_name(node) or title(node)


def hidden_notes(plan: Plan) -> tuple[str, ...]:
    """In words, what the picture leaves out."""
    notes = []
    if plan.folded:
        notes.append(f"{plural(plan.folded, 'constant')} folded into readers")
    if plan.far:
        notes.append(f"{plural(plan.far, 'long edge')} as ↑ tags")
    return tuple(notes)


def plural(count: int, noun: str) -> str:
    """`1 node`, `2 nodes`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def add_lanes(plan: Plan) -> None:
    """Give every edge over several rows a vertex per row between; edges of one source share
    them.
    """
    index = {node.id: i for i, node in enumerate(plan.nodes)}
    for edge in plan.edges:
        source, target = index[edge.source], index[edge.target]
        last = source
        for row in range(plan.rank[source] + 1, plan.rank[target]):
            lane = plan.lanes.get((edge.source, row))
            if lane is None:
                lane = plan.lanes[edge.source, row] = len(plan.rank)
                plan.rank.append(row)
                plan.links.append((last, lane))
            last = lane
        plan.links.append((last, target))
    plan.links = list(dict.fromkeys(plan.links))


def _coordinates(plan: Plan, seed: Layout | None) -> list[int]:
    """The centre x of every vertex, as integers, the leftmost border at the margin."""
    count = len(plan.nodes)
    rows = make_rows(plan.rank, plan.links)
    start = _depth_first(plan) if seed is None else _seeded(plan, seed)
    large = len(plan.rank) > 4000
    known = seed is not None and all(node.id in seed.boxes for node in plan.nodes)
    ordered = order_rows(rows, start, sweeps=0 if known else 6 if large else 14)
    lanes = np.arange(len(plan.rank)) >= count
    width = np.full(len(plan.rank), float(LANE))
    width[:count] = [face.width for face in plan.faces.values()]
    gap = np.where(lanes, float(LANE_GAP), float(NODE_GAP))
    stiff = np.where(lanes, _STRAIGHT, 1.0)
    x = place_rows(rows, ordered, width, gap, stiff, rounds=8 if large else 20)
    left = float(np.min(x - width / 2))
    return [round(value - left) + MARGIN for value in x.tolist()]


def _depth_first(plan: Plan) -> Floats:
    """The turn at which a walk from the outputs, through inputs in order, meets each vertex."""
    above, below = neighbours(len(plan.rank), plan.links)
    turn = np.full(len(plan.rank), -1.0)
    count = 0
    roots = [v for v in range(len(plan.rank)) if not below[v]]
    stack = list(reversed(roots))
    while stack:
        vertex = stack.pop()
        if turn[vertex] >= 0:
            continue
        turn[vertex] = count
        count += 1
        stack.extend(reversed(above[vertex]))
    return turn


def _seeded(plan: Plan, seed: Layout) -> Floats:
    """The place in the earlier picture; new vertices stand between their neighbours."""
    known: list[float | None] = [
        float(seed.boxes[node.id].x) if node.id in seed.boxes else None for node in plan.nodes
    ]
    known += [None] * (len(plan.rank) - len(known))
    above, below = neighbours(len(plan.rank), plan.links)
    by_row = sorted(range(len(known)), key=plan.rank.__getitem__)
    for turn, links in ((by_row, above), (by_row[::-1], below), (by_row, above)):
        for vertex in turn:
            if known[vertex] is None:
                known[vertex] = _mean([known[other] for other in links[vertex]])
    return np.asarray([0.0 if value is None else value for value in known])


def _mean(values: Sequence[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found else None


def route_edges(
    plan: Plan, boxes: Mapping[int, Box], lane_x: Callable[[int, int], int]
) -> tuple[Route, ...]:
    """The points of every edge. `lane_x(source, row)` is where edges of `source` pass a row."""
    index = {node.id: i for i, node in enumerate(plan.nodes)}
    lanes: dict[Edge, list[tuple[int, int]]] = {}
    for edge in plan.edges:
        rows = range(plan.rank[index[edge.source]] + 1, plan.rank[index[edge.target]])
        lanes[edge] = [
            (lane_x(edge.source, row), MARGIN + HEIGHT // 2 + PITCH * row) for row in rows
        ]
    outputs = {node.id: len(node.outputs) for node in plan.nodes}
    return connect(lanes, boxes, outputs)


def connect(
    lanes: Mapping[Edge, Sequence[tuple[int, int]]],
    boxes: Mapping[int, Box],
    outputs: Mapping[int, int],
) -> tuple[Route, ...]:
    """Tie every edge's passing points to its boxes; edges enter a box in the order they come
    from.
    """
    arriving: dict[int, list[tuple[int, int, Edge]]] = {}
    for edge, points in lanes.items():
        from_x = points[-1][0] if points else boxes[edge.source].x
        arriving.setdefault(edge.target, []).append((from_x, edge.target_port, edge))
    entry: dict[Edge, int] = {}
    for node_id, edges in arriving.items():
        edges.sort(key=lambda item: item[:2])
        xs = spread(boxes[node_id], len(edges))
        entry.update((edge, x) for (_, _, edge), x in zip(edges, xs, strict=True))
    routes = []
    for edge, points in lanes.items():
        source, target = boxes[edge.source], boxes[edge.target]
        count = outputs.get(edge.source, 1)
        leave = spread(source, count)[edge.source_port] if 1 < count <= 8 else source.x
        start, end = (leave, int(source.bottom)), (entry[edge], int(target.top))
        routes.append(Route(edge, (start, *points, end)))
    return tuple(routes)


def spread(box: Box, count: int) -> list[int]:
    """The x of `count` ports along a box's border."""
    step = min(3 * GAP, 0.62 * box.width / max(count - 1, 1))
    return [round(box.x + step * (i - (count - 1) / 2)) for i in range(count)]
