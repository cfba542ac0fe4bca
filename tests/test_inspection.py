"""`workbench.inspect` and the Workbench object."""

from __future__ import annotations

import json

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.records import History, Profile, ScanTrace, ValueTable
from workbench.inspection.source import Source

X = np.random.default_rng(1).normal(size=(5, 3))


@pytest.fixture
def model():
    x, y = T.dmatrix("x"), T.dvector("y")
    w = wb.shared(np.ones(3), "w")
    p = T.sigmoid(T.dot(x, w))
    p.name = "p"
    cost = T.mean((p - y) ** 2)
    cost.name = "cost"
    return x, y, w, p, cost


def test_everything_is_there(model):
    _, y, w, p, cost = model
    seen = wb.inspect(cost, values={"x": X, y: np.ones(5)}, wrt=[w], name="model")
    expected = 1 / (1 + np.exp(-X.sum(axis=1)))
    np.testing.assert_allclose(seen.values["p"].array, expected)
    np.testing.assert_allclose(seen.values[p].mean, expected.mean())
    assert len(seen.history.steps) > 3
    assert {node.op for node in seen.optimised} >= {"Gemv"}
    assert len(seen.graph) > len(seen.optimised)
    assert seen.trace == []
    assert seen.profile.calls >= 3
    assert {row.op for row in seen.profile.rows} >= {"Gemv"}
    assert all(row.node in seen.optimised for row in seen.profile.rows)
    assert any(row.flops for row in seen.profile.rows)
    cost_value, gradient = seen.function(X, np.ones(5))
    np.testing.assert_allclose(cost_value, ((expected - 1) ** 2).mean())
    np.testing.assert_allclose(seen.values["(dcost/dw)"].array, gradient)
    assert repr(seen).startswith("model: ")


def test_shared_variables_keep_their_values(model):
    x, y, w, _, cost = model
    train = wb.function([x, y], cost, updates={w: w - T.grad(cost, w)})
    cell = w.get_value(borrow=True)
    seen = wb.inspect(train, values={x: X, y: np.zeros(5)})
    assert seen.profile.calls > 0
    assert w.get_value(borrow=True) is cell
    np.testing.assert_array_equal(cell, np.ones(3))
    assert len(seen.graph.outputs) == 2  # the cost and the update


def test_missing_values_are_said(model):
    *_, cost = model
    seen = wb.inspect(cost, values={"x": X})
    assert "give --values y=…" in seen.profile.notes[0]
    assert "give --values y=…" in seen.tables()[0].note
    with pytest.raises(KeyError, match="give --values"):
        seen.values["p"]
    with pytest.raises(wb.ArgumentError, match="Did you mean 'x'"):
        wb.inspect(cost, values={"xx": X})


def test_a_failing_graph_is_shown_with_its_node(model):
    *_, cost = model
    seen = wb.inspect(cost, values={"x": X, "y": np.ones(4)})
    assert isinstance(seen.error, wb.ShapeError)
    (failed,) = [node for node in seen.graph if node.state]
    assert failed.label == "sub"
    assert "input dimension mismatch" in repr(seen)
    assert "p" in seen.values
    assert "failed" in seen.to_svg()
    assert seen.widget.error.startswith("ShapeError")


def test_values_of_the_wrong_kind_are_refused(model):
    *_, cost = model
    with pytest.raises(wb.RankError, match="the value given for x"):
        wb.inspect(cost, values={"x": np.ones(3)})
    with pytest.raises(TypeError, match="no graph to inspect"):
        wb.inspect(3)


def test_forms(model, tmp_path):
    *_, cost = model
    seen = wb.inspect(cost, values={"x": X, "y": np.ones(5)})
    data = json.loads(seen.to_json(tmp_path / "seen.json"))
    assert (tmp_path / "seen.json").read_text("utf-8") == seen.to_json()
    assert History.from_dict(data["history"]) == seen.history
    assert ValueTable.from_dict(data["values"]["before"]).rows
    assert Profile.from_dict(data["profile"]) == seen.profile
    assert [ScanTrace.from_dict(t) for t in data["traces"]] == []
    assert seen.to_svg().startswith("<svg")
    assert "<!doctype html>" in seen.to_html()[:20].lower()
    assert seen.to_dot().startswith("digraph")
    for view in ("graph", "rewrites", "values", "scan", "profile"):
        assert seen.text(view)


def test_the_page_may_ask_for_slices_and_code(model):
    x, *_, cost = model
    seen = wb.inspect(cost, values={"x": X, "y": np.ones(5)})
    ask = Source(seen)
    node = seen.port(x).node
    answer = ask({"kind": "slice", "node": str(node), "index": 0, "side": "before"})
    np.testing.assert_array_equal(answer["data"], X)
    json.dumps(answer)
    code = ask({"kind": "code", "node": str(node)})
    assert any("define" in text for _, text in code["parts"])
    assert "error" in ask({"kind": "slice", "node": "99999", "side": "after"})
    assert "error" in ask({"kind": "nothing"})


def test_text_is_the_same_in_every_run(model):
    *_, cost = model
    given = {"x": X, "y": np.ones(5)}
    one, two = wb.inspect(cost, values=given), wb.inspect(cost, values=given)
    assert one.to_svg() == two.to_svg()
    assert repr(one) == repr(two)
    assert one.text("rewrites") == two.text("rewrites")
