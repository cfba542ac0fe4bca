"""Records to the one JSON value that the widget and the exported page show.

A history is sent as its first graph and what each step changes, with the places of new and moved
boxes, so that the
page can replay it forwards and back without asking anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.core.records import History, Port, Profile, ScanTrace, Step, Summary, ValueTable
from workbench.viz.encode import (
    Json,
    Scenes,
    chips_json,
    number,
    ports_json,
    sample_json,
    summary_json,
)
from workbench.viz.layout import Layout, layout
from workbench.viz.states import Change, compare
from workbench.viz.steps import StepLayout, step_layouts

VIEWS = ("graph", "rewrites", "values", "scan", "profile")
Column = Sequence[Summary | None]

_MOST_STEPPED = 3000  # nodes; above, the steps of a history are told but not drawn
_MOST_IN_BODY = 200  # nodes; the rewrites of a larger body are listed, not stepped
_ROOM_FOR_VALUES = 88  # pixels, for "-0.94 … 0.63" in the boxes of a loop
_MOST_NUMBERS = 30_000  # means, minima and maxima of iterations that are sent
_MOST_SAMPLES = 10_000  # elements of arrays at iterations that are sent


def build_payload(
    history: History,
    values_before: ValueTable | None = None,
    values_after: ValueTable | None = None,
    traces: Sequence[ScanTrace] = (),
    profile: Profile | None = None,
    title: str = "",
    view: str = "graph",
    source: Callable[[Json], Json] | None = None,
) -> Json:
    """All that the views show, as JSON without nan or infinity. Raises ValueError for an unknown
    `view`.
    """
    if view not in VIEWS:
        raise ValueError(f"there is no view {view!r}; the views are {', '.join(VIEWS)}")
    change, scenes = compare(history), Scenes()
    before, first = scenes.outer(change.first)
    after = scenes.outer(change.last, first)[0] if history.steps else before
    flat, steps = _steps(history, scenes, before, first)
    return {
        "schema": 1,
        "title": title or history.first.name or "graph",
        "view": view,
        "live": source is not None,
        "before": before,
        "after": after,
        "flat": flat,
        "sizes": [len(change.first), len(change.last)],
        "nodes": _nodes(history, scenes),
        "last": _changed_nodes(history, scenes),
        "change": _change(change),
        "steps": steps,
        "refused": [[r.phase, r.rule, r.node, r.reason] for r in history.refused],
        "passes": [[p.phase, p.steps, p.nodes, number(p.seconds)] for p in history.passes],
        "values": {"before": _table(values_before), "after": _table(values_after)},
        "traces": _traces(traces, scenes),
        "profile": None if profile is None else _profile(profile),
        "scenes": scenes.list,
    }


def _nodes(history: History, scenes: Scenes) -> Json:
    """Every node that ever was, in its first form."""
    nodes = {node.id: node for node in history.first}
    for step in history.steps:
        for node in step.added:
            nodes.setdefault(node.id, node)
    return {str(i): scenes.node(node) for i, node in nodes.items()}


def _changed_nodes(history: History, scenes: Scenes) -> Json:
    """The nodes that took another form on the way, in their last one."""
    changed = {node.id: node for step in history.steps for node in step.changed}
    return {str(i): scenes.node(node) for i, node in changed.items()}


def _change(change: Change) -> Json:
    origins = {str(i): list(o) for i, o in change.origins.items() if o and o != (i,)}
    before, after = ({str(i): s for i, s in side.items()} for side in (change.before, change.after))
    return {"before": before, "after": after, "origins": origins}


def _steps(
    history: History, scenes: Scenes, before: int, first: Layout
) -> tuple[int | None, list[Json]]:
    """The scene from which the steps set out (None for a graph too large to draw), and the
    steps.
    """
    if not history.steps or len(history.first) > _MOST_STEPPED:
        return None, [_step(step, None) for step in history.steps]
    flat = before
    if any(node.id not in first.boxes for node in history.first):
        first = layout(history.first)
        if len(first.boxes) > len(scenes.list[before]["ids"]):
            flat, first = scenes.add(history.first, outer=history.first)
    return flat, [_step(change.patch.step, change) for change in step_layouts(history, first)]


def _step(step: Step, change: StepLayout | None) -> Json:
    told: Json = {
        "phase": step.phase,
        "rule": step.rule,
        "eq": step.equation,
        "why": step.reason,
        "src": step.source,
        "s": number(step.seconds),
        "rm": list(change.patch.removed if change else step.removed),
        "ad": list(change.patch.added if change else (node.id for node in step.added)),
        "ch": [node.id for node in step.changed],
        "body": [[s.phase, s.rule, s.equation] for s in step.inner.steps] if step.inner else None,
        "within": _body(step.inner),
        "re": [[old.node, old.index, new.node, new.index] for old, new in step.replaced],
    }
    if change:
        told["in"] = {str(i): ports_json(ports) for i, ports in change.inputs.items()}
        told["box"] = {str(i): [box.x, box.y, box.width] for i, box in change.boxes.items()}
        told["chip"] = {str(i): [] for i in change.faces} | chips_json(change.faces)
    return {key: value for key, value in told.items() if value not in ("", [], {}, None)}


def _body(inner: History | None) -> Json | None:
    """The history of a loop's body, to step through like the graph's own."""
    if inner is None or not inner.steps or len(inner.first) > _MOST_IN_BODY:
        return None
    return build_payload(inner, view="rewrites", title="the graph")


def _key(port: Port) -> str:
    return f"{port.node}:{port.index}"


def _table(table: ValueTable | None) -> Json | None:
    if table is None:
        return None
    rows = {_key(port): summary_json(s) for port, s in table.rows}
    rows |= {f"{path}/{_key(port)}": summary_json(s) for path, port, s in table.inside}
    return {"note": table.note, "rows": rows}


def _traces(traces: Sequence[ScanTrace], scenes: Scenes) -> list[Json]:
    """The traces, together within a budget: first iterations go, then elements of arrays."""
    share = 1 / max(1, len(traces))
    return [_trace(trace, scenes, share) for trace in traces]


def _trace(trace: ScanTrace, scenes: Scenes, share: float) -> Json:
    scene, _ = scenes.add(trace.inner, narrowest=_ROOM_FOR_VALUES)
    most = int(_MOST_NUMBERS * share) // (3 * max(1, len(trace.columns)))
    sent = min(trace.n_steps, max(most, 50))
    columns = [(port, column[:sent]) for port, column in trace.columns]
    elements = _elements(columns, int(_MOST_SAMPLES * share))
    notes = [trace.dropped]
    if sent < trace.n_steps:
        notes.append(f"the first {sent:,} of {trace.n_steps:,} iterations are here")
    if not elements:
        notes.append("too many elements to send them: every step shows min, mean and max")
    return {
        "name": trace.name,
        "node": trace.node,
        "scene": scene,
        "n": sent,
        "dropped": "; ".join(filter(None, notes)),
        "cols": {_key(port): _column(column, elements) for port, column in columns},
    }


def _elements(columns: Sequence[tuple[Port, Column]], most: int) -> int:
    """How many elements of each array may be sent of every iteration; 0 for none, not even of
    scalars.
    """
    sizes = [len(s.sample) for _, column in columns for s in column if s]
    return next((n for n in (16, 8, 4, 2, 1) if sum(min(n, size) for size in sizes) <= most), 0)


def _column(column: Column, elements: int) -> Json:
    """One variable over all iterations; `x` holds its first elements at each, which is all that is
    said of a scalar.
    """
    some = next((s for s in column if s is not None), None)
    told: Json = {"shape": list(some.shape) if some else [], "dtype": some.dtype if some else ""}
    if elements:
        told["x"] = [sample_json(s)[:elements] if s else None for s in column]
    if told["shape"] or not elements:
        for name in ("mean", "min", "max"):
            told[name] = [number(getattr(s, name)) if s else None for s in column]
    for name in ("nans", "infs"):
        counts = [getattr(s, name) if s else 0 for s in column]
        if any(counts):
            told[name] = counts
    return told


def _profile(profile: Profile) -> Json:
    rows = [
        [
            *(r.node, r.op, r.label, r.calls, number(r.seconds), number(r.median)),
            *(number(r.spread), r.bytes, r.flops, r.device, r.form, r.parent, number(r.launch)),
        ]
        for r in profile.rows
    ]
    return {
        "rows": rows,
        "calls": profile.calls,
        "seconds": number(profile.seconds),
        "overhead": number(profile.overhead),
        "stages": [[name, number(seconds)] for name, seconds in profile.stages],
        "notes": list(profile.notes),
        "host": {row.node: number(row.median) for row in profile.host},
        "verdicts": [[v.node, v.pays, v.reason] for v in profile.verdicts],
        "spans": [
            [s.node, s.device, s.form, number(s.start), number(s.seconds), s.parent]
            for s in profile.spans
        ],
    }
