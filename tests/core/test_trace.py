"""The scan trace: every inner variable at every iteration."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T

DATA = np.arange(1.0, 9.0)


@pytest.fixture
def traced():
    x, k = T.dvector("x"), T.dscalar("k")
    start = T.as_tensor_variable(np.float64(0))
    start.name = "h"

    def step(value, before, factor):
        after = factor * before + value
        after.name = "after"
        return after

    out, _ = wb.scan(step, sequences=x, outputs_info=start, non_sequences=k, name="filter")
    out.name = "out"
    return x, out, wb.inspect(out, values={"x": DATA, "k": 0.5})


def reference():
    h, rows = 0.0, []
    for value in DATA:
        h = 0.5 * h + value
        rows.append(h)
    return np.array(rows)


def test_a_step_and_a_series_by_name_inner_and_outer_variable(traced):
    x, out, seen = traced
    (trace,) = seen.trace
    assert (trace.name, trace.n_steps) == ("filter", 8)
    np.testing.assert_allclose(trace.series(out), reference())
    np.testing.assert_allclose(trace.series("out"), reference())
    np.testing.assert_allclose(trace.series("after"), reference())
    np.testing.assert_allclose(trace.series(x), DATA)
    assert trace.at(7)["after"] == pytest.approx(reference()[7])
    assert trace.at(-1)[out] == trace.at(7)[out]
    assert trace.at(3)["x[t]"] == DATA[3]
    with pytest.raises(IndexError, match="8 iterations"):
        trace.at(8)
    with pytest.raises(KeyError, match="named ones are"):
        trace.series("nothing")


def test_the_record_has_a_summary_per_iteration(traced):
    _, _, seen = traced
    (record,) = seen.traces()
    assert record.n_steps == 8
    assert record.node in seen.graph
    assert all(len(column) == 8 for _, column in record.columns)
    names = {record.inner[port.node].outputs[port.index].name for port, _ in record.columns}
    assert {"x[t]", "after"} <= names
    assert type(record).from_json(record.to_json()) == record


def test_what_does_not_fit_the_budget_is_dropped_and_said():
    x = T.dmatrix("x")
    out, _ = wb.scan(lambda row: row * 2, sequences=x)
    with wb.config.change(trace_budget=0):
        seen = wb.inspect(out, values={x: np.ones((5, 3))})
    (trace,) = seen.trace
    with pytest.raises(ValueError, match="trace_budget"):
        trace.series(out)
    (record,) = seen.traces()
    assert "from iteration 0 on" in record.dropped
    assert all(s.mean is not None for _, column in record.columns for s in column)


def test_a_body_that_fails_marks_its_scan():
    x, y = T.dmatrix("x"), T.dvector("y")
    out, _ = wb.scan(lambda row, v: row + v, sequences=x, non_sequences=y)
    seen = wb.inspect(out, values={x: np.ones((5, 3)), y: np.ones(4)})
    assert isinstance(seen.error, wb.ShapeError)
    (failed,) = [node for node in seen.graph if node.state == "failed"]
    assert failed.op == "Scan"


# --- loops of all kinds


def trace_of(outputs, values):
    seen = wb.inspect(outputs, values=values)
    assert seen.to_html()
    for trace, record in zip(seen.trace, seen.traces(), strict=True):
        assert type(record).from_json(record.to_json()) == record
        assert record.n_steps == trace.n_steps
    return seen.trace[0]


def test_a_loop_that_stops():
    x = T.dvector("x")
    out, _ = wb.scan(lambda a, p: (p + a, wb.until(a > 2)), x, np.float64(0))
    trace = trace_of(out, {x: DATA})
    assert trace.n_steps == 3
    assert trace.series(out).tolist() == [1, 3, 6]
    assert trace.series(x).tolist() == [1, 2, 3]


def test_no_iterations():
    x, y = T.dmatrix("x"), T.fmatrix("y")
    out, _ = wb.scan(lambda a, b, p: p + a.sum() + b.sum(), [x, y], np.float64(0))
    trace = trace_of(out, {x: np.empty((0, 3)), y: np.empty((0, 3), "float32")})
    assert trace.n_steps == 0
    assert (trace.series(out).shape, trace.series(y).dtype) == ((0,), np.float32)
    with pytest.raises(IndexError, match="0 iterations"):
        trace.at(0)


def test_a_loop_that_goes_backwards():
    """The sequence is found by its own name, in the order of the iterations."""
    x = T.dvector("x")
    out, _ = wb.scan(lambda a, b, p: p * 10 + a - b, {"input": x, "taps": [0, 1]}, np.float64(0),
                     go_backwards=True)  # fmt: skip
    trace = trace_of(out, {x: DATA[:3]})
    assert trace.series(x).tolist() == trace.series("x[t]").tolist() == [2, 1]
    assert trace.series("x[t+1]").tolist() == [3, 2]


def test_a_loop_in_a_loop():
    x = T.dmatrix("x")

    def outer(row, p):
        inner, _ = wb.scan(lambda e, q: T.tanh(e * q + p), row, [T.ones_like(p)], name="inner")
        inner.name = "inside"
        return p * inner[-1]

    out, _ = wb.scan(outer, x, T.constant(0.5, dtype="float64"), name="outer")
    trace = trace_of(out, {x: np.ones((3, 2))})
    assert (trace.name, trace.n_steps) == ("outer", 3)
    assert trace.series("inside").shape == (3, 2)


def test_shared_variables_and_gradients():
    x, k = T.dvector("x"), wb.shared(1.0, "k")
    out, updates = wb.scan(lambda a: (a * k, {k: k + a}), x)
    trace = trace_of([out, updates[k]], {x: DATA[:3]})
    assert trace.series("k").tolist() == [1, 2, 4]
    product, _ = wb.scan(lambda a, p: p * a, x, np.float64(1), name="product")
    seen = wb.inspect(T.grad(product[-1], x), values={x: DATA[:3]})
    assert [(t.name, t.n_steps) for t in seen.trace] == [("product", 3), ("grad of product", 3)]


def test_what_stays_the_same_is_kept_once():
    """A weight matrix counts once against the budget, and no small row keeps a large array."""
    x, w = T.dmatrix("x"), T.dmatrix("w")
    out, _ = wb.scan(lambda a, w: T.dot(T.dot(w, w), a)[:1], x, non_sequences=[w])
    weights = np.eye(100)
    with wb.config.change(trace_budget=1):  # megabytes; ten steps' weights are 0.8
        trace = trace_of(out, {x: np.ones((12, 100)), w: weights})
    assert not any(row is None for row in trace.columns[trace.find("w")].rows)
    assert len({id(row) for row in trace.columns[trace.find("w")].rows}) == 1
    held = [row for column in trace.columns.values() for row in column.rows if row is not None]
    bases = {
        id(b): b.nbytes for row in held if (b := row if row.base is None else row.base) is not None
    }
    assert sum(bases.values()) <= 1.1 * 2**20


def test_summaries_of_what_was_dropped():
    x = T.dmatrix("x")
    out, _ = wb.scan(lambda row, p: row + p, x, T.zeros(3))
    seen = []
    for budget in (64, 0):
        with wb.config.change(trace_budget=budget):
            seen.append(wb.inspect(out, values={x: np.arange(60.0).reshape(20, 3)}).traces()[0])
    for (_, kept), (_, dropped) in zip(seen[0].columns, seen[1].columns, strict=True):
        assert kept == dropped
