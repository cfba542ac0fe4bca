"""Gradients through loops, against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.scan.loops import assert_gradient, numbers, run
from tests.core.scan.test_tutorial import random_stream
from workbench.core.graph import toposort
from workbench.core.scan.op import Scan
from workbench.errors import DisconnectedInputError


def recurrent_network(**options):
    x, h0, U, W, b = T.dmatrix("x"), T.dvector("h"), T.dmatrix("U"), T.dmatrix("W"), T.dvector("b")
    h, _ = wb.scan(
        lambda x_t, h_t: T.tanh(T.dot(x_t, U) + T.dot(h_t, W) + b), x, h0, name="rnn", **options
    )
    given = {x: numbers(4, 2), h0: numbers(3), U: numbers(2, 3), W: numbers(3, 3), b: numbers(3)}
    return h, given


def test_recurrent_network():
    h, given = recurrent_network()
    assert_gradient((h**2).sum(), given, second=True)


def test_only_the_last_step_counts():
    h, given = recurrent_network(go_backwards=True)
    assert_gradient((h[-1] ** 2).sum(), given, second=True)


def test_no_steps_give_zero_gradients():
    h, given = recurrent_network()
    given = {v: (a[:0] if v.name == "x" else a) for v, a in given.items()}
    for g, v in zip(run(T.grad((h**2).sum(), list(given)), given), given, strict=True):
        np.testing.assert_array_equal(g, np.zeros_like(given[v]))


def test_the_backward_body_reads_the_stored_states():
    """Neither tanh nor the products of the forward body is computed again: its outputs are
    sequences.
    """
    h, given = recurrent_network()
    gradients = T.grad((h**2).sum(), list(given))
    backward = next(n for n in reversed(toposort(gradients)) if isinstance(n.op, Scan))
    labels = [node.op.label for node in backward.op.inner.nodes]
    assert "tanh" not in labels
    assert backward.op.name == "grad of rnn"


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_long_taps(n):
    x, start, b = T.dmatrix("x"), T.dmatrix("start"), T.dvector("b")
    h, _ = wb.scan(
        lambda before, after, old, young: T.tanh(before * after + old * b + young),
        {"input": x, "taps": [-1, 1]},
        {"initial": start, "taps": [-3, -1]},
    )
    given = {x: numbers(n + 2, 2), start: numbers(3, 2), b: numbers(2)}
    assert_gradient((h**2).sum(), given, second=n > 1)


def test_longer_initial_value_than_needed():
    start = T.dmatrix("start")
    h, _ = wb.scan(lambda a, b: a * b, None, {"initial": start, "taps": [-2, -1]}, n_steps=3)
    assert_gradient(h.sum(), {start: numbers(4, 2)})


def test_fewer_steps_than_rows():
    x = T.dvector("x")
    h, _ = wb.scan(lambda a, p: T.sin(a) * p, x, T.ones((), "float64"), n_steps=2)
    assert_gradient(h.sum(), {x: numbers(5)})


def test_until_counts_executed_steps():
    x, h0, b = T.dmatrix("x"), T.dvector("h"), T.dvector("b")
    h, _ = wb.scan(lambda a, c: (T.tanh(a + c * b), wb.until(a.sum() > 0.2)), x, h0)
    given = {x: numbers(6, 2, seed=3), h0: numbers(2), b: numbers(2)}
    assert 0 < len(run(h, given)) < 6
    assert_gradient((h**2).sum(), given, second=True)


def test_several_states_and_maps():
    x, h0 = T.dmatrix("x"), T.dvector("h")

    def step(a, p, q):
        return T.tanh(a + q), p * a, T.exp(a * p), a.sum()

    (p, q, m, s), _ = wb.scan(step, x, [h0, h0 * 2, None, None])
    given = {x: numbers(4, 2), h0: numbers(2)}
    assert_gradient((p * q).sum() + (m**2).sum() + (s * s * s).sum(), given, second=True)
    assert_gradient((m**2).sum(), given)


def test_outputs_that_are_inputs_or_the_same():
    x, h0 = T.dmatrix("x"), T.dvector("h")
    (a, b, c, d), _ = wb.scan(lambda v, h, g: (v, h * v, h, h), x, [h0, h0, None, None])
    assert_gradient((a * b * c + d).sum(), {x: numbers(3, 2), h0: numbers(2)}, second=True)


def test_shared_variable_in_the_loop():
    x, b, s = T.dmatrix("x"), T.dvector("b"), wb.shared(0.7, "s")
    h, updates = wb.scan(lambda a: (a * s * s, {s: s * 1.1 + a.sum() * b.sum()}), x)
    given = {x: numbers(4, 2), b: numbers(2)}
    assert_gradient((h**2).sum() + updates[s] ** 2, given, second=True)


def test_shared_variable_alone_and_until():
    x, b, s = T.dmatrix("x"), T.dvector("b"), wb.shared(0.7, "s")
    _, updates = wb.scan(lambda a: ({s: s * s * b.sum() + a.sum()}, wb.until(a.sum() > 0.5)), x)
    assert_gradient(updates[s] ** 2, {x: numbers(5, 2), b: numbers(2)})


def test_random_numbers_are_those_that_were_drawn():
    _, d = random_stream(7)
    w = T.dscalar("w")
    h, _ = wb.scan(lambda h: h * w * d, None, T.ones((), "float64"), n_steps=4)
    assert_gradient(h.sum(), {w: np.asarray(0.8)})


@pytest.mark.parametrize(
    ("k", "dx", "dv"),
    [(1, 0, [0, 0, 30]), (2, 0, [0, 40, 30]), (9, 24, [60, 40, 30]), (-1, 24, [60, 40, 30])],
)
def test_truncated(k, dx, dv):
    x, v = T.dscalar("x"), T.dvector("v")
    h, _ = wb.scan(lambda a, p: a * p, v, x, truncate_gradient=k)
    found = run(T.grad(h[-1], [x, v]), {x: np.asarray(5.0), v: np.array([2.0, 3, 4])})
    assert found[0] == dx
    np.testing.assert_array_equal(found[1], dv)


def test_nested():
    x, h0 = T.dmatrix("x"), T.dscalar("h")

    def row_loop(row, p):
        inner, _ = wb.scan(lambda e, q: T.tanh(e * q + p), row, T.ones((), "float64"))
        return p * inner[-1]

    h, _ = wb.scan(row_loop, x, h0)
    assert_gradient((h**2).sum(), {x: numbers(3, 2), h0: np.asarray(0.6)}, second=True)


def test_integer_sequences_have_no_gradient():
    x, i = T.dvector("x"), T.lvector("i")
    h, _ = wb.scan(lambda a, j, p: p * a[j] + j, [x.dimshuffle(0, "x"), i * 0], x[0])
    assert_gradient(h.sum(), {x: numbers(3), i: np.arange(3)})


def test_disconnected():
    x, n = T.dmatrix("x"), T.dvector("n")
    h, _ = wb.scan(lambda a: a * T.zeros_like(n).sum() + n.shape[0], x)
    with pytest.raises(DisconnectedInputError):
        T.grad(h.sum(), T.dvector("other"))


def test_float32_stays_float32():
    x, h0 = T.fmatrix("x"), T.fvector("h")
    h, _ = wb.scan(lambda a, p: T.tanh(a + p), x, h0)
    assert [g.dtype for g in T.grad(h.sum(), [x, h0])] == ["float32", "float32"]


def test_what_comes_of_a_carried_value_and_only_feeds_a_state_is_stored() -> None:
    """The gradient by w reads cos(k), which cannot be computed again from the stacked state."""
    w, k = T.dscalar("w"), wb.shared(1.0)
    states, updates = wb.scan(
        lambda x: (x + T.cos(k * 2) * w, {k: k + 1}), outputs_info=T.constant(0.0), n_steps=3
    )
    f = wb.function([w], T.grad(states[-1], w), updates=updates)
    assert f(2.0) == pytest.approx(np.cos([2.0, 4.0, 6.0]).sum())
    assert k.get_value() == 4
