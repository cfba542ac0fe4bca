"""The payload and the widget: JSON without nan, small, complete; traits, mime bundle, questions."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from tests.viz.samples import (
    logistic_history,
    profile_of,
    random_snapshot,
    scan_history,
    summary_of,
    values_of,
)
from workbench.core.records import History, Port, ValueTable
from workbench.viz import WorkbenchWidget, assets, build_payload
from workbench.viz.collapse import collapse


def test_payload_is_strict_json():
    history, trace = scan_history()
    table = ValueTable(((Port(0), summary_of(np.array([np.nan, np.inf, 1.0]))),))
    payload = build_payload(history, table, None, (trace,))
    assert json.loads(json.dumps(payload, allow_nan=False)) == payload


def test_an_unknown_view_is_refused():
    with pytest.raises(ValueError, match="the views are graph, rewrites"):
        build_payload(logistic_history(), view="grpah")


def test_steps_are_diffs():
    history = logistic_history()
    payload = build_payload(history)
    assert len(payload["steps"]) == len(history.steps)
    assert len(json.dumps(payload["steps"])) < 10_000


def test_payload_of_a_tutorial_is_small():
    history = logistic_history()
    payload = build_payload(
        history, values_of(history.first), values_of(history.last), (), profile_of(history.last)
    )
    assert len(json.dumps(payload)) < 100_000


def test_a_collapsed_graph_keeps_every_node():
    snapshot = random_snapshot(3000, window=30)
    found: list[int] = []
    stack = [collapse(snapshot)]
    while stack:
        level = stack.pop()
        assert len(level) <= 300
        stack += [node.inner for node in level if node.kind == "group"]
        found += [node.id for node in level if node.kind != "group"]
    assert sorted(found) == sorted(snapshot.by_id)


def test_groups_follow_the_users_scopes():
    from dataclasses import replace

    snapshot = random_snapshot(400, window=10)
    nodes = tuple(replace(node, group=f"layer{node.id // 100}") for node in snapshot)
    folded = collapse(replace(snapshot, nodes=nodes))
    assert [node.label for node in folded] == ["layer0", "layer1", "layer2", "layer3"]


def test_a_large_graph_is_sent_in_reasonable_size():
    payload = build_payload(History(random_snapshot(10_000, window=40)))
    assert len(json.dumps(payload)) < 3_500_000
    assert len(payload["scenes"][payload["before"]]["ids"]) <= 300


def test_mime_bundle():
    widget = WorkbenchWidget(logistic_history(), title="logreg")
    data, _ = widget._repr_mimebundle_()
    assert {"text/plain", "text/html", "image/svg+xml"} < set(data)
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "0x" not in data["text/plain"]
    assert repr(widget) == data["text/plain"]
    assert sum(len(str(value)) for value in data.values()) < 200_000


def test_the_module_is_small():
    assert len(assets.esm().encode()) < 60_000
    assert len(assets.css().encode()) < 20_000


def test_every_class_is_prefixed():
    css = re.sub(r"\{[^}]*\}", "", assets.css())
    assert all(name.startswith("wb-") for name in re.findall(r"\.([a-zA-Z][\w-]*)", css))


def test_a_source_answers_and_its_failure_is_shown():
    def source(message):
        if message["kind"] == "code":
            return {"code": "ret"}
        raise KeyError("no such node")

    widget = WorkbenchWidget(logistic_history(), source=source)
    sent = []
    widget.send = sent.append
    widget._answer(widget, {"kind": "code", "node": "5", "ask": 1}, [])
    assert sent == [{"code": "ret", "ask": 1}]
    assert widget.error == ""
    widget._answer(widget, {"kind": "slice", "ask": 2}, [])
    assert "KeyError" in widget.error
    assert sent[1]["ask"] == 2


def test_only_a_live_widget_asks():
    assert build_payload(logistic_history())["live"] is False
    assert build_payload(logistic_history(), source=dict)["live"] is True


@pytest.mark.parametrize(
    ("steps", "width", "said"), [(40, 4, ""), (9000, 1, "the first"), (900, 16, "the first")]
)
def test_a_long_trace_is_cut_and_the_cut_is_told(steps, width, said):
    history, trace = scan_history()
    row = summary_of(np.linspace(-1, 1, width) if width > 1 else np.array(0.123456789))
    columns = tuple((port, (row,) * steps) for port, _ in trace.columns)
    long = replace(trace, n_steps=steps, columns=columns, dropped="")
    (told,) = build_payload(history, None, None, (long,))["traces"]
    assert len(json.dumps(told)) < 400_000
    assert said in told["dropped"]
    assert bool(said) == bool(told["dropped"])
    assert {len(column["x"]) for column in told["cols"].values() if "x" in column} <= {told["n"]}
