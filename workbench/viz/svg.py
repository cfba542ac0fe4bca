"""Static pictures: one snapshot, or before and after side by side, as SVG text.

Presentation attributes only, explicit fills and a background of its own: the picture survives
sanitisers and is
legible on light and dark pages. The same records give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

from workbench.core.records import History, Node, Snapshot
from workbench.viz.boxes import CHIP, LABEL, SMALL, Chip, Face, chip_width
from workbench.viz.collapse import collapse
from workbench.viz.layout import Box, Layout, layout, plural
from workbench.viz.measure import text_width
from workbench.viz.states import SIGNS, compare, is_scan

INK, DIM, LINE, PAPER, FRAME = "#1c2430", "#5d6878", "#9aa5b4", "#ffffff", "#dfe4ea"
_FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
_FILL = {  # of a box, by what it is: fill, border
    "input": ("#e9f2fe", "#6ba4ea"),
    "shared": ("#e5f6f0", "#4cae90"),
    "constant": ("#f1f2f4", "#b3b9c3"),
    "apply": ("#ffffff", "#b9c2ce"),
    "scan": ("#fef5e6", "#dfa245"),
    "group": ("#f3f4fb", "#8c96d8"),
}
_STATE = {  # fill, border, dashes
    "removed": ("#fdecea", "#cf3f36", "5 3"),
    "added": ("#e8f7ee", "#23924f", ""),
    "replaced": ("#fff4dc", "#b97a10", ""),
    "fused": ("#f1eafd", "#7a4fd0", ""),
    "changed": ("#e9f2fe", "#2f74c8", ""),
    "failed": ("#fbd5d2", "#b3261e", ""),
}
_TITLE, _LEGEND, _PAD = 40, 34, 16  # heights of the title and legend rows, and the room around all
_ROLES = {"recurrent": "to the next step", "map": "output", "shared": "update"}
_MOST_BODIES, _MOST_IN_BODY = 3, 60  # how many bodies are drawn, and of how many nodes


@dataclass(frozen=True)
class Pane:
    """One graph of a picture with its heading and its nodes' states."""

    heading: str
    snapshot: Snapshot
    layout: Layout
    states: Mapping[int, str]


def snapshot_svg(
    snapshot: Snapshot, title: str = "", states: Mapping[int, str] | None = None
) -> str:
    """The picture of one graph; `states` marks nodes with one of the words in `states.SIGNS`."""
    heading = title or snapshot.name or "graph"
    bodies, more = _bodies(snapshot, None)
    return _document([[_pane(heading, snapshot, states or {})], *bodies], more)


def pair_svg(history: History, title: str = "") -> str:
    """The first graph of `history` beside the last one, with what became of every node."""
    change = compare(history)
    bodies, more = _bodies(change.first, change.last if history.steps else None)
    before = _pane(f"{title} before".strip(), change.first, change.before)
    if not history.steps:
        return _document([[before], *bodies], more)
    after = _pane(f"{title} after".strip(), change.last, change.after, before.layout)
    return _document([[before, after], *bodies], more)


def _pane(
    heading: str, snapshot: Snapshot, states: Mapping[int, str], seed: Layout | None = None
) -> Pane:
    shown = collapse(snapshot)
    return Pane(f"{heading} · {plural(len(snapshot), 'node')}", shown, layout(shown, seed), states)


def _bodies(first: Snapshot, last: Snapshot | None) -> tuple[list[list[Pane]], int]:
    """A row for each small body of a loop or a choice, before and after; how many are left."""
    before, after = _with_bodies(first), _with_bodies(last)
    rows = []
    for i in dict.fromkeys([*before, *after]):
        nodes = [side[i] for side in (before, after) if i in side]
        inner = list(dict.fromkeys(node.inner for node in nodes if node.inner is not None))
        if all(len(body) <= _MOST_IN_BODY for body in inner):
            words = ("before", "after") if len(inner) == 2 else ("",)
            rows.append([_body(nodes[0], w, body) for w, body in zip(words, inner, strict=True)])
    return rows[:_MOST_BODIES], max(len({*before, *after}) - _MOST_BODIES, 0)


def _with_bodies(snapshot: Snapshot | None) -> dict[int, Node]:
    nodes = () if snapshot is None else snapshot.nodes
    return {node.id: node for node in nodes if node.inner is not None and node.inner.roles}


def _body(node: Node, word: str, body: Snapshot) -> Pane:
    return _pane(f"inside {node.label} {word}".strip(), body, {})


def _document(rows: list[list[Pane]], more: int = 0) -> str:
    """Rows of panes below each other; `more` bodies are left out."""
    panes = [pane for row in rows for pane in row]
    notes = _notes(panes)
    if more:
        notes.append(f"not drawn: the inside of {plural(more, 'more loop')} or choices")
    legend = [state for state in SIGNS if any(state in p.states.values() for p in panes)]
    foot = _LEGEND * bool(legend) + 18 * len(notes)
    sizes = [_size(row) for row in rows]
    width = max(420 if legend or notes else 0, *(w for w, _ in sizes))
    height = sum(h for _, h in sizes) + foot
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" font-family="{_FONT}">',
        f'<rect width="{width}" height="{height}" rx="10" fill="{PAPER}" stroke="{FRAME}"/>',
    ]
    top = 0
    for row, (_, row_height) in zip(rows, sizes, strict=True):
        if top:
            parts.append(f'<path d="M{_PAD} {top}H{width - _PAD}" stroke="{FRAME}"/>')
        parts += _row(row, top, row_height)
        top += row_height
    parts += _legend(legend, height - foot)
    first_note = height - 18 * len(notes) + 6
    parts += [_text(_PAD + 8, first_note + 18 * i, t, 11, DIM) for i, t in enumerate(notes)]
    parts.append("</svg>\n")
    return "\n".join(parts)


def _width(pane: Pane) -> int:
    return max(pane.layout.width, int(text_width(pane.heading, 14)) + 40)


def _size(row: list[Pane]) -> tuple[int, int]:
    """Width and height of panes side by side."""
    width = sum(map(_width, row)) + _PAD * (len(row) + 1)
    return width, _TITLE + max(pane.layout.height for pane in row) + _PAD


def _row(row: list[Pane], top: int, height: int) -> Iterable[str]:
    left = _PAD
    for pane in row:
        yield _text(left + 8, top + 26, pane.heading, 14, INK, weight="bold")
        if left > _PAD:
            yield f'<path d="M{left - 8} {top + 14}V{top + height - 12}" stroke="{FRAME}"/>'
        yield f'<g transform="translate({left} {top + _TITLE})" text-anchor="middle">'
        yield from _graph(pane)
        yield "</g>"
        left += _width(pane) + _PAD


def _notes(panes: list[Pane]) -> list[str]:
    """What every pane hides, in a sentence each."""
    notes = []
    for pane in panes:
        hidden = list(pane.layout.hidden)
        groups = sum(node.kind == "group" for node in pane.snapshot)
        if groups:
            hidden.insert(0, f"collapsed into {plural(groups, 'group')}")
        if hidden:
            notes.append(f"{pane.heading.split(' · ')[0]}: {', '.join(hidden)}")
    return notes


def _graph(pane: Pane) -> Iterable[str]:
    ways = [route.points for route in pane.layout.routes]
    if ways:  # in two elements, however many there are: a notebook stores the picture twice
        lines = "".join(map(edge_path, ways))
        heads = "".join(f"M{x - 3} {y - 6}h6l-3 6z" for *_, (x, y) in ways)
        yield f'<path d="{lines}" fill="none" stroke="{LINE}" stroke-width="1.3"/>'
        yield f'<path d="{heads}" fill="{LINE}"/>'
    outputs: dict[int, list[int]] = {}
    for i, port in enumerate(pane.snapshot.outputs):
        outputs.setdefault(port.node, []).append(i)
    for node in pane.snapshot:
        if node.id in pane.layout.boxes:
            box, face = pane.layout.boxes[node.id], pane.layout.faces[node.id]
            yield from _node(node, box, face, pane.states.get(node.id, ""))
            if node.id in outputs:
                yield from _output_mark(box, _output_text(pane.snapshot, outputs[node.id]))


def edge_path(points: tuple[tuple[int, int], ...]) -> str:
    """SVG path data: straight down through the rows, curved between them."""
    half = 21
    (x, y), *middle, (end_x, end_y) = points
    path = [f"M{x} {y}"]
    for lane_x, lane_y in middle:
        top = lane_y - half
        path.append(
            f"C{x} {(y + top) // 2} {lane_x} {(y + top) // 2} {lane_x} {top}V{lane_y + half}"
        )
        x, y = lane_x, lane_y + half
    tip = end_y - 5
    path.append(f"C{x} {(y + tip) // 2} {end_x} {(y + tip) // 2} {end_x} {tip}")
    return "".join(path)


def _node(node: Node, box: Box, face: Face, state: str) -> Iterable[str]:
    fill, border = _FILL["scan" if is_scan(node) else node.kind]
    dash = ""
    if state:
        fill, border, dashes = _STATE[state]
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    radius = {"input": box.height / 2, "shared": box.height / 2, "constant": 2}.get(node.kind, 8)
    left, top = box.left, box.top
    shape = f'width="{box.width}" height="{box.height}" rx="{radius:g}"'
    if node.kind == "group" or node.inner is not None:  # a second sheet: there is more inside
        yield f'<rect x="{left + 4:g}" y="{top + 4:g}" {shape} fill="{fill}" stroke="{border}"/>'
    weight = "1.8" if state else "1.2"
    yield (
        f'<rect x="{left:g}" y="{top:g}" {shape} fill="{fill}" stroke="{border}"'
        f' stroke-width="{weight}"{dash}/>'
    )
    if node.kind == "shared":
        inner = f'width="{box.width - 6}" height="{box.height - 6}" rx="{radius - 3:g}"'
        yield f'<rect x="{left + 3:g}" y="{top + 3:g}" {inner} fill="none" stroke="{border}"/>'
    yield from _face(box, face)
    if state:
        yield from _badge(box.right - 2, top + 1, state, border)


def _face(box: Box, face: Face) -> Iterable[str]:
    label = text_width(face.label, LABEL) * 1.05
    row = label + sum(chip_width(chip) + 6 for chip in face.chips)
    x = box.x - row / 2
    baseline = box.y - 3 if face.subtitle else box.y + 4
    for chip in sorted(face.chips, key=lambda chip: not chip.leading):
        if not chip.leading and label:
            yield _text(x + label / 2, baseline, face.label, LABEL, INK, "bold")
            x, label = x + label + 6, 0
        yield from _chip(chip, x, baseline)
        x += chip_width(chip) + 6
    if label:
        yield _text(x + label / 2, baseline, face.label, LABEL, INK, "bold")
    if face.subtitle:
        yield _text(box.x, box.y + 12, face.subtitle, SMALL, DIM)


def _chip(chip: Chip, x: float, baseline: float) -> Iterable[str]:
    width = chip_width(chip)
    paint = 'fill="none" stroke="#9aa5b4"' if chip.far else 'fill="#e6e9ee"'
    place = f'x="{round(x, 1):g}" y="{baseline - 12.5:g}"'
    yield f'<rect {place} width="{width}" height="17" rx="4" {paint}/>'
    yield _text(x + width / 2, baseline, chip.text, CHIP, INK)


def _badge(x: float, y: float, state: str, colour: str) -> Iterable[str]:
    yield f'<circle cx="{x:g}" cy="{y:g}" r="7" fill="{colour}"/>'
    yield _text(x, y + 4, SIGNS[state], 11, "#ffffff", "bold", "middle")


def _output_text(snapshot: Snapshot, numbers: list[int]) -> str:
    roles = snapshot.roles[len(snapshot.inputs) :]
    if len(numbers) > 3:
        return f"{len(numbers)} outputs"
    if roles:
        return ", ".join(_ROLES.get(roles[i], roles[i]) for i in numbers)
    if len(snapshot.outputs) == 1:
        return "output"
    return "out " + ", ".join(map(str, numbers))


def _output_mark(box: Box, text: str) -> Iterable[str]:
    x, y = box.left + 12, box.bottom + 5
    yield f'<path d="M{x - 5:g} {y:g}h10l-5 6z" fill="{INK}"/>'
    yield _text(x + 9, y + 7, text, SMALL, DIM, anchor="start")


def _legend(states: list[str], y: float) -> Iterable[str]:
    x = _PAD + 16.0
    for state in states:
        yield from _badge(x, y + 16, state, _STATE[state][1])
        yield _text(x + 12, y + 20, state, 11, DIM)
        x += 40 + text_width(state, 11)


def _text(
    x: float, y: float, text: str, size: float, colour: str, weight: str = "", anchor: str = ""
) -> str:
    extra = f' font-weight="{weight}"' if weight else ""
    extra += f' text-anchor="{anchor}"' if anchor else ""
    place = f'x="{round(x, 1):g}" y="{round(y, 1):g}"'
    return f'<text {place} font-size="{size:g}" fill="{colour}"{extra}>{escape(text)}</text>'
