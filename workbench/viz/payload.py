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
_MOST_STEPPED = 3000  # nodes; above, the steps of a history are told but not drawn
_MOST_IN_BODY = 200  # nodes; the rewrites of a larger body are listed, not stepped
_ROOM_FOR_VALUES = 88  # pixels, for "-0.94 … 0.63" in the boxes of a loop
_MOST_SAMPLES = 20_000  # numbers of scan samples that are sent
_NO_SAMPLES = "too many elements to send: every step shows its min, mean and max"


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
    return {"note": table.note, "rows": {_key(port): summary_json(s) for port, s in table.rows}}


def _traces(traces: Sequence[ScanTrace], scenes: Scenes) -> list[Json]:
    left, told = _MOST_SAMPLES, []
    for trace in traces:
        needed = sum(len(s.sample[:16]) for _, column in trace.columns for s in column if s)
        told.append(_trace(trace, scenes, keep_samples=needed <= left))
        left -= needed if needed <= left else 0
    return told


def _trace(trace: ScanTrace, scenes: Scenes, keep_samples: bool) -> Json:
    scene, _ = scenes.add(trace.inner, narrowest=_ROOM_FOR_VALUES)
    notes = [trace.dropped, "" if keep_samples else _NO_SAMPLES]
    return {
        "name": trace.name,
        "node": trace.node,
        "scene": scene,
        "n": trace.n_steps,
        "dropped": "; ".join(filter(None, notes)),
        "cols": {_key(port): _column(column, keep_samples) for port, column in trace.columns},
    }


def _column(column: Sequence[Summary | None], keep_samples: bool) -> Json:
    """One variable over all iterations; `x` holds its first elements at each, where they are
    sent.
    """
    some = next((s for s in column if s is not None), None)
    told: Json = {
        "shape": list(some.shape) if some else [],
        "dtype": some.dtype if some else "",
        "mean": [number(s.mean) if s else None for s in column],
        "min": [number(s.min) if s else None for s in column],
        "max": [number(s.max) if s else None for s in column],
    }
    for name in ("nans", "infs"):
        counts = [getattr(s, name) if s else 0 for s in column]
        if any(counts):
            told[name] = counts
    if keep_samples:
        told["x"] = [sample_json(s) if s else None for s in column]
    return told


def _profile(profile: Profile) -> Json:
    rows = [
        [
            *(r.node, r.op, r.label, r.calls, number(r.seconds), number(r.median)),
            *(number(r.spread), r.bytes, r.flops, r.device, r.form, r.parent),
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
    }
