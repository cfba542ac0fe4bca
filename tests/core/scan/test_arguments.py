"""What may be given as sequences, initial states, fixed values and a number of steps: by the
definition and compiled.
"""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.scan.loops import both, numbers

x, y, X, Y, W, k = (
    T.dvector("x"),
    T.dvector("y"),
    T.dmatrix("X"),
    T.dmatrix("Y"),
    T.dmatrix("W"),
    T.lscalar("k"),
)
FIVE = np.arange(1.0, 6.0)


def test_the_example_with_taps_of_both_kinds():
    """Two outputs, taps (-4, -0) of the input, (-3, -1) of one state, weights listed, strict."""
    weights = [T.dmatrix(name) for name in ("W", "W_in_1", "W_in_2", "W_feedback", "W_out")]
    u, x0, y0 = T.dmatrix("u"), T.dmatrix("x0"), T.dvector("y0")
    seen: list[str | None] = []

    def step(u_tm4, u_t, x_tm3, x_tm1, y_tm1, *given):
        seen.extend(v.name for v in (u_tm4, u_t, x_tm3, x_tm1, y_tm1, *given))
        W, W_in_1, W_in_2, W_feedback, W_out = given
        x_t = T.tanh(
            T.dot(x_tm1, W) + T.dot(u_t, W_in_1) + T.dot(u_tm4, W_in_2) + T.dot(y_tm1, W_feedback)
        )
        return [x_t, T.dot(x_tm3, W_out)]

    (xs, ys), updates = wb.scan(
        fn=step,
        sequences=dict(input=u, taps=[-4, -0]),  # noqa: C408
        outputs_info=[dict(initial=x0, taps=[-3, -1]), y0],  # noqa: C408
        non_sequences=weights,
        strict=True,
    )
    assert not updates
    assert seen == (
        ["u[t-4]", "u[t]", "x0[t-3]", "x0[t-1]", "y0[t-1]"]
        + ["W", "W_in_1", "W_in_2", "W_feedback", "W_out"]
    )
    shapes = [(3, 3), (2, 3), (2, 3), (4, 3), (3, 4)]
    given = {w: numbers(*shape, seed=i) for i, (w, shape) in enumerate(zip(weights, shapes))}
    given |= {u: numbers(9, 2), x0: numbers(3, 3, seed=9), y0: numbers(4)}
    a, b = both([xs, ys], given)
    w, w1, w2, feedback, out = (given[v] for v in weights)
    states, y_now = list(given[x0]), given[y0]
    for t in range(5):
        inputs = given[u][t + 4] @ w1 + given[u][t] @ w2
        new = np.tanh(states[-1] @ w + inputs + y_now @ feedback)
        y_now = states[-3] @ out
        states.append(new)
        np.testing.assert_allclose(a[t], new)
        np.testing.assert_allclose(b[t], y_now)
    assert (a.shape, b.shape) == ((5, 3), (5, 4))


def test_all_forms_together():
    """Arguments come in the order of sequences, states, fixed values, whatever form each has."""
    values, _ = wb.scan(
        lambda a, b, c, p, q, m, n: (p + a * b, q * c + m, m * n * a),
        (np.arange(1.0, 5.0), {"input": [1, 2, 3, 4], "taps": 0}, {"input": x}),
        [np.float64(1), {"initial": np.array([1.0, 2.0]), "taps": -2}, None],
        [2, np.float32(0.5)],
    )
    p, q, m = both(values, {x: FIVE})
    assert p.tolist() == [2.0, 6.0, 15.0, 31.0]
    assert q.tolist() == [1 * 1 + 2, 2 * 2 + 2, 3 * 3 + 2, 6 * 4 + 2]
    assert m.tolist() == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    "infos", [None, [], [None], [{}], {}, [{"initial": None}], (None,), {"taps": None}]
)
def test_no_feedback(infos):
    doubled, _ = wb.scan(lambda a: a * 2, x, infos)
    assert both(doubled, {x: FIVE}).tolist() == (FIVE * 2).tolist()


@pytest.mark.parametrize("initial", [0, 0.0, np.float32(0), np.zeros(()), [0]])
def test_numbers_as_initial_states(initial):
    if initial == [0]:
        initial = T.constant(0)
    sums, _ = wb.scan(lambda a, p: p + a, x, initial)
    assert both(sums, {x: FIVE}).tolist() == FIVE.cumsum().tolist()
    counts, _ = wb.scan(lambda a, p: p + 1, T.arange(3), T.constant(0, dtype="int8"))
    assert both(counts, {}).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("taps", "expected"),
    [
        ([-1, 0, 1], [321.0, 432.0, 543.0]),
        ([1, 0, -1], [123.0, 234.0, 345.0]),
        ([2], [3.0, 4, 5]),
        ([-2], [1.0, 2, 3]),
        ([-2, -1], [21.0, 32.0, 43.0]),
        ([1, 2], [32.0, 43.0, 54.0]),
        ([0, 0], [11.0, 22, 33, 44, 55]),
        ([-3, 3], []),
        (1, [2.0, 3, 4, 5]),
        (np.int64(-1), [1.0, 2, 3, 4]),
    ],
)
def test_taps_of_a_sequence(taps, expected):
    """All rows that a tap asks for exist: the sequence is trimmed at both ends."""
    digits, _ = wb.scan(
        lambda *v: sum(a * 10**i for i, a in enumerate(v)), {"input": x, "taps": taps}
    )
    assert both(digits, {x: FIVE}).tolist() == expected
    backwards, _ = wb.scan(
        lambda *v: sum(a * 10**i for i, a in enumerate(v)),
        {"input": x, "taps": taps},
        go_backwards=True,
    )
    assert both(backwards, {x: FIVE}).tolist() == expected[::-1]


@pytest.mark.parametrize(
    ("taps", "expected"),
    [([-1], [3.0, 4.5, 6.75]), ([-2], [1.5, 3.0, 2.25]), ([-1, -2], [7.0, 21.0, 66.5])],
)
def test_taps_of_a_state(taps, expected):
    def step(*past):
        return past[0] * 1.5 if len(past) == 1 else past[0] * 3 + past[1]

    initial = x if taps != [-1] else x[1]
    states, _ = wb.scan(step, None, {"initial": initial, "taps": taps}, n_steps=3)
    found = both(states, {x: np.array([1.0, 2.0])})
    if len(taps) == 2:
        expected = [7.0, 23.0, 76.0]
    np.testing.assert_allclose(found, expected)


def test_names_of_the_inner_variables():
    seen: list[str | None] = []

    def step(*given):
        seen.extend(v.name for v in given)
        return given[3] * 1

    nameless = X * 2
    wb.scan(step, {"input": X, "taps": [-1, 0, 1]}, {"initial": Y, "taps": [-2, -1]}, [W])
    assert seen == ["X[t-1]", "X[t]", "X[t+1]", "Y[t-2]", "Y[t-1]", "W"]
    seen.clear()
    wb.scan(lambda *given: seen.extend(v.name for v in given) or given[0] * 1, nameless)
    assert seen == [None]


def test_the_first_rows_or_the_last_ones_backwards():
    for steps in (2, np.int8(2), np.array(2), k, T.constant(2), wb.shared(2)):
        forward, _ = wb.scan(lambda a: a * 10, x, n_steps=steps)
        backward, _ = wb.scan(lambda a, p: a * 10 + p * 0, x, 0.0, n_steps=steps, go_backwards=True)
        a, b = both([forward, backward], {x: FIVE, k: np.int64(2)})
        assert (a.tolist(), b.tolist()) == ([10.0, 20.0], [50.0, 40.0])


def test_the_shortest_sequence_decides():
    for pair in ([x, y], [y, x], [{"input": x, "taps": [-1, 1]}, y], [np.arange(9.0), y]):
        sums, _ = wb.scan(lambda *given: sum(given), pair)
        assert len(both(sums, {x: FIVE, y: FIVE[:2]})) == 2


@pytest.mark.parametrize("steps", [0, 1])
def test_no_step_and_one(steps):
    """A leading axis of that length, also in the gradients."""
    for count in (steps, k):
        (states, maps), _ = wb.scan(
            lambda a, p: (a * 2 + p * p, T.dot(a, W)), X, [Y[0], None], n_steps=count
        )
        given = {X: numbers(3, 2), Y: numbers(1, 2), W: numbers(2, 4), k: np.int64(steps)}
        gradients = T.grad((states**2).sum() + maps.sum(), [X, Y, W])
        found = both([states, maps, *gradients], given)
        assert [v.shape for v in found] == [(steps, 2), (steps, 4), (3, 2), (1, 2), (2, 4)]
        if not steps:
            assert not any(v.any() for v in found[2:])


def test_no_rows():
    for rows in (X, X[::-1], X.T[:, :0].T):
        (states, maps), _ = wb.scan(lambda a, p: (p + a, T.dot(a, W)), rows, [Y[0], None])
        found = both([states, maps], {X: np.empty((0, 2)), Y: numbers(1, 2), W: numbers(2, 4)})
        assert [v.shape for v in found] == [(0, 2), (0, 4)]


def test_no_steps_check_nothing():
    """What would fail in a step, and is checked before the loop, does not fail where there is no
    step.
    """
    states, _ = wb.scan(lambda a, p: p * 0.5 + a[5], X, T.zeros((), "float64"))
    outer, _ = wb.scan(
        lambda m, p: p + wb.scan(lambda a, q: q + a[5], m, p)[0][-1],
        X.dimshuffle(0, "x", 1),
        T.zeros((), "float64"),
    )
    for some in (states, outer):
        f = wb.function([X], some)
        assert f(np.empty((0, 3))).shape == (0,)
        with pytest.raises(IndexError, match="5"):
            f(np.ones((1, 3)))


def test_no_steps_of_an_arange_with_a_step_of_zero():
    i = T.lvector("i")
    sums, _ = wb.scan(lambda n: T.arange(0, 6, k).sum() + n, i)
    f = wb.function([i, k], sums)
    assert f([1], 2).tolist() == [7]
    with pytest.raises(ValueError, match="step"):
        f([1], 0)
