"""What a step function may return, and what becomes of updates and conditions."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.scan.loops import both, numbers, run
from workbench.core.scan.build import OrderedUpdates
from workbench.errors import ScanError, UpdateError

x, h, X = T.dvector("x"), T.dvector("h"), T.dmatrix("X")
FIVE = np.arange(1.0, 6.0)


# --- forms


@pytest.mark.parametrize(
    ("form", "count"),
    [
        (lambda a, s: a, 1),
        (lambda a, s: [a], 1),
        (lambda a, s: (a,), 1),
        (lambda a, s: (a, a), 2),
        (lambda a, s: [a, a], 2),
        (lambda a, s: (a, {}), 1),
        (lambda a, s: ([a, a], []), 2),
        (lambda a, s: ([], {s: s + a}), 0),
        (lambda a, s: {s: s + a}, 0),
        (lambda a, s: [(s, s + a)], 0),
        (lambda a, s: ((s, s + a),), 0),
        (lambda a, s: OrderedUpdates({s: s + a}), 0),
        (lambda a, s: (a, {s: s + a}), 1),
        (lambda a, s: ([a], [(s, s + a)]), 1),
        (lambda a, s: [a, {s: s + a}], 1),
        (lambda a, s: (a, wb.until(a >= 3)), 1),
        (lambda a, s: [[a, a], wb.until(a >= 3)], 2),
        (lambda a, s: ({s: s + a}, wb.until(a >= 3)), 0),
        (lambda a, s: ([(s, s + a)], wb.until(a >= 3)), 0),
        (lambda a, s: (a, {s: s + a}, wb.until(a >= 3)), 1),
        (lambda a, s: [(a, a), ((s, s + a),), wb.until(a >= 3)], 2),
    ],
)
def test_forms(form, count):
    s = wb.shared(np.float64(0), "s")
    conditions: list[bool] = []

    def step(a):
        returned = form(a, s)
        conditions.append("until" in str(returned) and "until" in repr(type(returned[-1])))
        return returned

    outputs, updates = wb.scan(step, x)
    rows = FIVE[:3] if conditions == [True] else FIVE
    listed = [] if outputs is None else outputs if isinstance(outputs, list) else [outputs]
    assert isinstance(outputs, list) == (count > 1)
    assert len(listed) == count
    found = both([*listed, *updates.values()], {x: FIVE}, updates)
    for v in found[:count]:
        assert v.tolist() == rows.tolist()
    assert [float(v) for v in found[count:]] == [rows.sum()] * len(updates)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda a: None,
        lambda a: 3.0,
        lambda a: np.zeros(2),
        lambda a: [a, 3],
        lambda a: (a, None),
        lambda a: "a",
        lambda a: {a},
        lambda a: [[a, a], [a]],
        lambda a: wb.until(a > 1),
        lambda a: (wb.until(a > 1), a),
        lambda a: (a, wb.until(a > 1), {}),
        lambda a: (a, {}, {}),
    ],
)
def test_what_is_no_form(wrong):
    with pytest.raises(ScanError, match=r"fn returned(.|\n)*tensor.constant"):
        wb.scan(wrong, x)


def test_updates_come_after_outputs():
    s = wb.shared(0.0)
    with pytest.raises(ValueError, match="updates before outputs"):
        wb.scan(lambda a: ({s: s + 1}, a), x)
    with pytest.raises((TypeError, UpdateError), match="x"):
        wb.scan(lambda a: (a, {x: a}), x)


@pytest.mark.parametrize("infos", [[h, h], [h[0], None, None, None], []])
def test_one_entry_for_each_output(infos):
    words = "Please provide None as outputs_info for any output that does not feed back"
    if not infos:
        wb.scan(lambda a: (a, a), x, infos)
        return
    with pytest.raises(ValueError, match=words):
        wb.scan(lambda a, *p: (a, a, a), x, infos)


# --- until


def test_the_last_step_is_the_one_that_makes_it_true():
    states, _ = wb.scan(lambda p: (p * 2, wb.until(p * 2 > 45)), None, np.float64(1), n_steps=1024)
    assert both(states, {}).tolist() == [2, 4, 8, 16, 32, 64]
    never, _ = wb.scan(lambda p: (p * 2, wb.until(p < 0)), None, np.float64(1), n_steps=4)
    assert both(never, {}).tolist() == [2, 4, 8, 16]
    with pytest.raises(ValueError, match="No information about the number of steps"):
        wb.scan(lambda p: (p * 2, wb.until(p > 45)), None, np.float64(1))


@pytest.mark.parametrize("dtype", ["bool", "int8", "float64"])
def test_conditions_of_any_dtype(dtype):
    rows, _ = wb.scan(lambda a: (a, wb.until(T.cast(a >= 2, dtype))), x)
    assert both(rows, {x: FIVE}).tolist() == [1, 2]
    with pytest.raises(AssertionError, match="scalar"):
        wb.scan(lambda a: (a, wb.until(a >= 2)), X)


def test_only_the_last_rows_of_a_loop_that_stops():
    (p, q), _ = wb.scan(
        lambda a, p, q: ((p + a, a * q), wb.until(a >= 3)), x, [np.float64(0), np.float64(1)]
    )
    read = [p[-1], q[-1], p[-2:], p.shape[0]]
    assert [v.tolist() for v in both(read, {x: FIVE})] == [6.0, 6.0, [3.0, 6.0], 3]
    assert [v.tolist() for v in both([p, q[:0]], {x: FIVE[:0]})] == [[], []]


def test_stops_with_taps_and_backwards():
    y = T.dvector("y")
    states, _ = wb.scan(
        lambda a, b, p, q: (p * a + q - b, wb.until(a < 3)),
        {"input": x, "taps": [-1, 0]},
        {"initial": y, "taps": [-2, -1]},
        go_backwards=True,
    )
    assert both(states, {x: FIVE, y: np.ones(2)}).tolist() == [0, -1, -4]


def test_gradients_flow_through_executed_steps_only():
    states, _ = wb.scan(lambda a, p: (a * p, wb.until(a > 2)), x, T.ones((), "float64"))
    for cost, expected in (
        (states[-1], [6, 3, 2, 0, 0]),
        (states.sum(), [9, 4, 2, 0, 0]),
        (states.prod(), [36, 12, 4, 0, 0]),
    ):
        np.testing.assert_allclose(both(T.grad(cost, x), {x: FIVE}), expected)


# --- updates


def test_the_value_after_the_loop_is_a_variable_like_others():
    """`b` is computed of what `a` is before the call, `c` of what it is after the loop."""
    a = wb.shared(1, "a")
    values, updates = wb.scan(lambda: {a: a + 1}, n_steps=10)
    assert values is None
    b, c = a + 1, updates[a] + 1
    f = wb.function([], [b, c], updates=updates)
    assert [int(v) for v in f()] == [2, 12]
    assert a.get_value() == 11
    assert [int(v) for v in f()] == [12, 22]
    assert a.get_value() == 21


def test_without_updates_a_shared_variable_keeps_its_value():
    k = wb.shared(2.0, "k")
    rows, updates = wb.scan(lambda a: (a * k, {k: k * 2}), x)
    with pytest.warns(UserWarning, match="k from step to step"):
        f = wb.function([x], rows)
    for _ in range(2):
        assert f(FIVE[:3]).tolist() == [2.0, 8.0, 24.0]
    assert k.get_value() == 2.0
    f = wb.function([x], rows, updates=updates)
    assert f(FIVE[:2]).tolist() == [2.0, 8.0]
    assert k.get_value() == 8.0


def test_updates_and_states_see_each_other():
    k, m = wb.shared(1.0, "k"), wb.shared(np.ones(2), "m")
    (p, q), updates = wb.scan(
        lambda a, p: ([p * k + a, m * a], {k: k + p, m: m * 2 + k}), x, [np.float64(1), None]
    )
    found = both([p, q, updates[k], updates[m]], {x: FIVE[:3]}, updates)
    k_now, m_now, p_now, ps, qs = 1.0, np.ones(2), 1.0, [], []
    for a in FIVE[:3]:
        k_next, m_next, p_next = k_now + p_now, m_now * 2 + k_now, p_now * k_now + a
        qs.append(m_now * a)
        k_now, m_now, p_now = k_next, m_next, p_next
        ps.append(p_now)
    for a, b in zip(found, (ps, qs, k_now, m_now)):
        np.testing.assert_allclose(a, b)


def test_updates_of_two_loops():
    k, m = wb.shared(1.0, "k"), wb.shared(2.0, "m")
    _, first = wb.scan(lambda: {k: k + 1}, n_steps=2)
    _, second = wb.scan(lambda: {m: m * 3}, n_steps=2)
    _, third = wb.scan(lambda: {k: k * 3}, n_steps=2)
    wb.function([], [], updates=first + second)()
    assert (k.get_value(), m.get_value()) == (3.0, 18.0)
    for join in (lambda: first + third, lambda: first | third, lambda: first.copy().update(third)):
        with pytest.raises(KeyError, match="Collision"):
            join()


def test_ordered_updates_take_shared_variables_only():
    k, m = wb.shared(1.0, "k"), wb.shared(2.0, "m")
    updates = OrderedUpdates([(k, k + 1)])
    assert list(updates | {m: m}) == list(updates + [(m, m)]) == [k, m]
    assert list({m: m} | updates) == list([(m, m)] + updates) == [m, k]
    updates |= {m: m}
    assert type(updates.copy()) is OrderedUpdates
    assert updates.copy() == updates
    assert updates.setdefault(k) is updates[k]
    for wrong in (x, "k", 3):
        with pytest.raises(TypeError):
            updates[wrong] = 1
        with pytest.raises(TypeError):
            updates.setdefault(wrong, 1)
        with pytest.raises(TypeError):
            updates |= {wrong: 1}
    assert OrderedUpdates() == OrderedUpdates(None) == OrderedUpdates({}) == {}


def test_captured_expressions_are_computed_once():
    s = wb.shared(numbers(3), "s")
    outside = T.exp(h) * s
    rows, updates = wb.scan(lambda a: (outside * a).sum(), x)
    assert not updates
    inside = {node.op.label for node in rows.owner.op.inner.nodes}
    assert "exp" not in inside
    given = {x: FIVE, h: numbers(3, seed=2)}
    expected = [(np.exp(given[h]) * s.get_value() * a).sum() for a in FIVE]
    np.testing.assert_allclose(both(rows, given), expected)
    assert run(rows, given).shape == (5,)
