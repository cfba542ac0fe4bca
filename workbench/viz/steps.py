"""The layout of every step of a history, incrementally: what a step does not touch holds still.

New nodes take the places of those they replace, or the free place nearest to their neighbours;
readers move down only
where they must. The cost of a step is that of its change.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass

from workbench.core.records import History, Node, Port
from workbench.viz.boxes import HEIGHT, Chip, Face, folded_constants, folded_text, make_face
from workbench.viz.layout import MARGIN, NODE_GAP, PITCH, Box, Layout
from workbench.viz.replay import Patch, Replay


@dataclass(frozen=True)
class StepLayout:
    """What changed on screen in one step: boxes that are new or moved, and the nodes that left."""

    patch: Patch
    boxes: dict[int, Box]
    faces: dict[int, Face]
    inputs: dict[int, tuple[Port, ...]]


def step_layouts(history: History, first: Layout) -> Iterator[StepLayout]:
    """One `StepLayout` per step of `history`, from `first`, the layout of its first graph."""
    stage = _Stage(history, first)
    for patch in stage.replay:
        yield stage.advance(patch)


class _Stage:
    """The boxes on screen at the step reached so far, by row."""

    def __init__(self, history: History, first: Layout) -> None:
        self.replay = Replay(history)
        self.boxes = {i: box for i, box in first.boxes.items() if i in self.replay.nodes}
        self.rows: dict[int, list[tuple[float, float, int]]] = {}
        self.folded = folded_constants(history.first)
        for node_id, box in self.boxes.items():
            self._occupy(node_id, box)

    def advance(self, patch: Patch) -> StepLayout:
        old = {i: self.boxes[i] for i in patch.removed if i in self.boxes}
        for node_id in old:
            self._leave(node_id)
        self._fold(patch)
        touched = [i for i in (*patch.added, *patch.rewired) if i not in self.folded]
        order = self._upwards_first(touched)
        faces = {i: self._face(self.replay.nodes[i]) for i in order}
        moved: dict[int, Box] = {}
        homes = _homes(patch, old)
        for node_id in order:
            self._settle(node_id, faces[node_id], homes.get(node_id), moved)
        self._push_readers(order, moved)
        inputs = {i: tuple(self.replay.inputs[i]) for i in (*patch.added, *patch.rewired)}
        return StepLayout(patch, moved, faces, inputs)

    def _fold(self, patch: Patch) -> None:
        kept = {port.node for port in self.replay.outputs}
        for node_id in self._upwards_first(patch.added):
            node, inputs = self.replay.nodes[node_id], self.replay.inputs[node_id]
            if node_id not in kept and (text := folded_text(node, inputs, self.folded)):
                self.folded[node_id] = text

    def _upwards_first(self, touched: list[int] | tuple[int, ...]) -> list[int]:
        """`touched`, each node after those of them that it reads."""
        wanted = dict.fromkeys(touched)
        done: dict[int, None] = {}
        stack = [(i, False) for i in reversed(touched)]
        while stack:
            node_id, ready = stack.pop()
            if node_id in done:
                continue
            if ready:
                done[node_id] = None
                continue
            stack.append((node_id, True))
            inputs = self.replay.inputs[node_id]
            stack += [(p.node, False) for p in inputs if p.node in wanted and p.node not in done]
        return list(done)

    def _face(self, node: Node) -> Face:
        chips = []
        for i, port in enumerate(self.replay.inputs[node.id]):
            leading = i == 0 and len(node.inputs) > 1
            if port.node in self.folded:
                chips.append(Chip(self.folded[port.node], port, leading=leading))
        return make_face(node, tuple(chips))

    def _settle(self, node_id: int, face: Face, home: Box | None, moved: dict[int, Box]) -> None:
        """Give a node a place below what it reads; it keeps the one it has, or that of the node it
        replaces.
        """
        box = self.boxes.get(node_id)
        lowest = max((_row(b) for b in self._above(node_id)), default=-1) + 1
        start = box or home
        row = max(lowest, _row(start)) if start else lowest
        wanted = float(start.x) if start else self._between(node_id)
        if box:
            self._leave(node_id)
        x = self._free(row, wanted, face.width)
        new = Box(x, _y(row), face.width, face.height)
        self._occupy(node_id, new)
        if new != box:
            moved[node_id] = new

    def _push_readers(self, order: list[int], moved: dict[int, Box]) -> None:
        """Move readers down, row by row, until every edge points downwards."""
        queue = list(order)
        while queue:
            source = queue.pop(0)
            for reader in self.replay.readers.get(source, ()):
                box, above = self.boxes.get(reader), self.boxes[source]
                if box is None or _row(box) > _row(above):
                    continue
                self._leave(reader)
                row = _row(above) + 1
                new = Box(self._free(row, box.x, box.width), _y(row), box.width, box.height)
                self._occupy(reader, new)
                moved[reader] = new
                queue.append(reader)

    def _above(self, node_id: int) -> list[Box]:
        ports = self.replay.inputs[node_id]
        return [self.boxes[port.node] for port in ports if port.node in self.boxes]

    def _between(self, node_id: int) -> float:
        readers = self.replay.readers.get(node_id, ())
        near = [*self._above(node_id), *(self.boxes[i] for i in readers if i in self.boxes)]
        return sum(box.x for box in near) / len(near) if near else 0.0

    def _occupy(self, node_id: int, box: Box) -> None:
        self.boxes[node_id] = box
        insort(self.rows.setdefault(_row(box), []), (box.left, box.right, node_id))

    def _leave(self, node_id: int) -> None:
        box = self.boxes.pop(node_id)
        row = self.rows[_row(box)]
        row.pop(bisect_left(row, (box.left, box.right, node_id)))

    def _free(self, row: int, wanted: float, width: int) -> int:
        """The x nearest to `wanted` where a box of `width` fits into the row."""
        room = width / 2 + NODE_GAP
        options: list[float] = []
        right = float("-inf")
        for begin, end, _ in [*self.rows.get(row, ()), (float("inf"), 0.0, 0)]:
            if right + room <= begin - room:
                options.append(min(max(wanted, right + room), begin - room))
            right = end
        nearest = min(options, key=lambda x: abs(x - wanted))
        return round(nearest)


def _homes(patch: Patch, old: dict[int, Box]) -> dict[int, Box]:
    """The places that become free, for the nodes that replace their holders; others take what is
    left, in order.
    """
    homes: dict[int, Box] = {}
    free = dict(old)
    for before, after in patch.step.replaced:
        if after.node in patch.added and before.node in free and after.node not in homes:
            homes[after.node] = free.pop(before.node)
    others = [i for i in reversed(patch.added) if i not in homes]
    spare = sorted(free.values(), key=lambda box: (box.y, box.x))
    homes.update(zip(others, spare, strict=False))
    return homes


def _row(box: Box) -> int:
    return (box.y - MARGIN) // PITCH


def _y(row: int) -> int:
    return MARGIN + HEIGHT // 2 + PITCH * row
