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
