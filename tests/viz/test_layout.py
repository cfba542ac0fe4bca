"""The layout: nothing overlaps, edges point down, the same everywhere, near to the step before."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.pace import slowness
from tests.viz.samples import chain, logistic_history, random_snapshot
from workbench.core.records import Node, Snapshot, Value
from workbench.viz.boxes import LABEL, make_face
from workbench.viz.layout import Layout, layout
from workbench.viz.measure import fit, text_width
from workbench.viz.replay import Replay
from workbench.viz.steps import step_layouts


def overlaps(picture: Layout) -> list[tuple[int, int]]:
    """Pairs of nodes whose boxes touch."""
    rows: dict[int, list] = {}
    for node_id, box in picture.boxes.items():
        rows.setdefault(box.y, []).append((box.left, box.right, node_id))
    found = []
    for row in rows.values():
        row.sort()
        found += [(a[2], b[2]) for a, b in pairwise(row) if a[1] >= b[0]]
    return found


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("count", [5, 40, 150])
def test_boxes_do_not_overlap(count, seed):
    picture = layout(random_snapshot(count, seed))
    assert overlaps(picture) == []


@pytest.mark.parametrize("seed", range(4))
def test_edges_point_down_and_end_at_their_boxes(seed):
    picture = layout(random_snapshot(120, seed))
    for route in picture.routes:
        ys = [y for _, y in route.points]
        source, target = picture.boxes[route.edge.source], picture.boxes[route.edge.target]
        assert ys == sorted(ys)
        assert source.left < route.points[0][0] < source.right
        assert ys[0] == source.bottom
        assert target.left < route.points[-1][0] < target.right
        assert ys[-1] == target.top


def test_routes_pass_between_boxes():
    picture = layout(logistic_history().first)
    for route in picture.routes:
        for x, y in route.points[1:-1]:
            assert not any(b.y == y and b.left < x < b.right for b in picture.boxes.values())


def test_all_is_within_the_bounds():
    picture = layout(random_snapshot(100, 3))
    for box in picture.boxes.values():
        assert box.left >= 0 <= box.top
        assert box.right <= picture.width
        assert box.bottom <= picture.height


def test_an_empty_graph_has_a_layout():
    assert layout(Snapshot(())).boxes == {}


def test_a_deep_chain_needs_no_recursion():
    picture = layout(chain(3000))
    assert len(picture.boxes) == 3000


def test_labels_fit_into_their_boxes():
    node = Node(1, "apply", "Elemwise", "W" * 60, outputs=(Value("float64", (None, 12345, 678)),))
    face = make_face(node)
    assert text_width(face.label, LABEL) <= face.width
    assert face.label.endswith("…")


def test_a_text_is_cut_to_the_width():
    assert fit("short", 10, 200) == "short"
    assert text_width(fit("a rather long text", 10, 40), 10) <= 40


def test_scalar_constants_are_folded_and_said():
    picture = layout(logistic_history().first)
    assert "11 constants folded into readers" in picture.hidden
    assert any(chip.text == "0.01" for face in picture.faces.values() for chip in face.chips)


def test_the_same_in_every_process():
    code = (
        "from tests.viz.samples import *; from workbench.viz import *;"
        "import hashlib, json; h = logistic_history();"
        "text = pair_svg(h) + json.dumps(build_payload(h));"
        "text += snapshot_text(h.last) + snapshot_dot(h.last);"
        "text += snapshot_svg(random_snapshot(500, 2));"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    root = str(Path(__file__).parents[2])
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": root},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("0", "1", "12345")
    }  # fmt: skip
    assert len(digests) == 1


@pytest.mark.parametrize(("count", "bar"), [(300, 0.3), (2000, 1.0), (10_000, 4.0)])
def test_speed(count, bar):
    snapshot = random_snapshot(count, window=20)
    start = time.process_time()
    layout(snapshot)
    assert time.process_time() - start < bar * slowness()


def test_replay_agrees_with_the_history():
    history = logistic_history()
    replay = Replay(history)
    for count, _ in enumerate(replay, 1):
        snapshot = history.at(count)
        assert set(replay.nodes) == set(snapshot.by_id)
        assert all(replay.inputs[node.id] == list(node.inputs) for node in snapshot)
        assert replay.outputs == list(snapshot.outputs)


def test_a_step_moves_only_what_it_touches():
    history = logistic_history()
    for change in step_layouts(history, layout(history.first)):
        touched = {*change.patch.added, *change.patch.rewired}
        moved = set(change.boxes) - touched
        assert len(moved) <= 2, change.patch.step.rule


def test_step_boxes_never_overlap():
    history = logistic_history()
    boxes = dict(layout(history.first).boxes)
    for change in step_layouts(history, layout(history.first)):
        for gone in change.patch.removed:
            boxes.pop(gone, None)
        boxes.update(change.boxes)
        assert overlaps(Layout(boxes, {}, (), 0, 0)) == []


def test_a_seeded_layout_keeps_most_of_the_order():
    first = layout(logistic_history().first)
    again = layout(logistic_history().first, seed=first)
    pairs = [
        (again.boxes[a].x < again.boxes[b].x) == (first.boxes[a].x < first.boxes[b].x)
        for a in first.boxes
        for b in first.boxes
        if a < b and first.boxes[a].y == first.boxes[b].y
    ]
    assert sum(pairs) >= 0.85 * len(pairs)
