"""Inspection: values inside the choices of a compiled graph, random states, and Print."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.records import RANDOM_STATE, ValueTable
from workbench.inspection import Workbench


def chosen(condition: float) -> Workbench:
    a, x = T.dscalar("a"), T.dvector("x")
    inner = wb.ifelse(a > 2, T.dot(x, x), x.min())
    return wb.inspect(wb.ifelse(a > 0, inner, T.exp(x).prod()), values={a: condition, x: [1, 2, 4]})


def tops(seen: Workbench, place: str) -> dict[str, float | None]:
    """The largest element of what has a value in one place, by label."""
    graph = seen.optimised
    for step in place.split("/"):
        inner = graph[int(step)].inner
        assert inner is not None
        graph = inner
    rows = seen.tables()[1].inside
    return {graph[port.node].label: s.max for where, port, s in rows if where == place}


@pytest.mark.parametrize(("condition", "result"), [(3, 21), (1, 1), (-1, np.exp(7))])
def test_only_the_branch_that_ran_has_values(condition, result):
    seen = chosen(condition)
    (outer,) = (n.id for n in seen.optimised if n.op == "IfElse")
    found = tops(seen, str(outer))
    assert found["x"] == 4
    assert any(value == pytest.approx(result) for value in found.values())
    assert ("ifelse" in found) == (condition > 0)


def test_a_choice_in_a_choice():
    seen = chosen(3)
    (deep,) = {place for place, _, _ in seen.tables()[1].inside if "/" in place}
    assert 21 in tops(seen, deep).values()


def test_the_table_survives_json():
    table = chosen(3).tables()[1]
    assert table.inside
    assert ValueTable.from_json(table.to_json()) == table


def test_the_page_may_ask_for_a_tensor_inside():
    a, x = T.dscalar("a"), T.dvector("x")
    seen = wb.inspect(wb.ifelse(a > 0, T.exp(x), x), values={a: 1, x: [0, 1]})
    source = seen.widget._source
    asked = [f"{found.place}/{found.port.node}" for found in seen.inside()]
    shown = [source({"kind": "slice", "node": node}).get("data") for node in asked]
    assert [1.0, pytest.approx(np.e)] in shown
    place = asked[0].split("/")[0]
    assert "error" in source({"kind": "slice", "node": f"{place}/999"})


def test_a_print_speaks_once(capsys):
    x = T.dvector("x")
    seen = wb.inspect(wb.Print("x is")(x).sum(), values={x: [1, 2]})
    assert capsys.readouterr().out.count("x is") == 1
    assert seen.profile.calls > 1


def test_a_random_state_is_called_so():
    x = T.dvector("x")
    draws = T.random.RandomStreams(3).normal(x.shape)
    seen = wb.inspect((x * draws).sum(), values={x: [1, 2]})
    states = [v for node in seen.graph for v in node.outputs if v.is_random_state]
    assert [v.dtype for v in states] == [RANDOM_STATE] * 2
    hidden = [s for _, s in seen.tables()[0].rows if s.dtype == RANDOM_STATE]
    assert [(s.shape, s.sample) for s in hidden] == [((), ())] * 2
    svg = seen.to_svg()
    assert "uint32" not in svg
    assert RANDOM_STATE in svg


def test_a_random_state_in_a_loop():
    stream = T.random.RandomStreams(3)
    draws, _ = wb.scan(lambda: stream.normal(), n_steps=4)
    (trace,) = wb.inspect(draws, values={}).traces()
    hidden = [column for _, column in trace.columns if column[0].dtype == RANDOM_STATE]
    assert len(hidden) == 2
    assert all(len(column) == 4 for column in hidden)


def test_a_trace_tells_which_iterations_a_branch_left_out():
    s = T.dscalar("s")
    path, _ = wb.scan(lambda x: wb.ifelse(x > 2, x / 2, x * 3), outputs_info=s, n_steps=4)
    seen = wb.inspect(path, values={s: 1.0})  # 3, 1.5, 4.5, 2.25
    (trace,) = seen.trace
    node = trace.inner.outputs[0].owner
    halves, triples = node.inputs[1:]
    assert trace.at(1)[halves] == 1.5
    assert trace.at(2)[triples] == 4.5
    with pytest.raises(ValueError, match="iteration 1 did not compute it"):
        trace.at(1)[triples]
    with pytest.raises(ValueError, match="iteration 0 did not compute it"):
        trace.series(halves)
    np.testing.assert_array_equal(trace.series(trace.inner.outputs[0]), [3, 1.5, 4.5, 2.25])
    (record,) = seen.traces()
    assert {len(column) for _, column in record.columns} == {4}
    means = [[s and s.mean for s in column] for _, column in record.columns]
    assert [None, 1.5, None, 2.25] in means
    assert "iteration 3" in repr(trace.at(3))
    assert "not run" in seen.text("scan")
    assert "1.5" in seen.text("scan")
