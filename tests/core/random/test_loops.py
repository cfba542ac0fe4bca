"""Random variables in loops: drawn anew in each step, or held."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.random.test_streams import generators
from workbench.tensor.random import CounterStreams, MRG_RandomStreams, RandomStreams

MODES = ["FAST_RUN", "FAST_COMPILE"]


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("mode", MODES)
def test_a_captured_variable_is_drawn_in_each_step(mode: str) -> None:
    """The tutorial's example, to the numbers printed there."""
    X, W, b = T.matrix("X"), T.matrix("W"), T.vector("b")
    d = RandomStreams(1234).binomial(size=W[1].shape)
    results, updates = wb.scan(lambda v: T.tanh(T.dot(v, W) + b) * d, sequences=X)
    f = wb.function([X, W, b], results, updates=updates, allow_input_downcast=True, mode=mode)
    x = np.eye(10, 2, dtype=wb.config.floatX)
    w, bias = np.ones((2, 2)), np.ones(2)
    high, low = 0.96402758, 0.76159416
    printed = [
        [high, 0], [0, high], [0, 0], [low, low], [low, 0],
        [0, low], [0, low], [0, low], [0, 0], [low, low],
    ]  # fmt: skip
    np.testing.assert_allclose(f(x, w, bias), printed, atol=1e-7)
    r = next(generators(1234))
    r.binomial(1, 0.5, (10, 2))
    expected = np.tanh(x @ w + bias) * r.binomial(1, 0.5, (10, 2))
    np.testing.assert_allclose(f(x, w, bias), expected)  # the second call goes on


@pytest.mark.parametrize("mode", MODES)
def test_a_variable_among_the_non_sequences_is_held(mode: str) -> None:
    d = RandomStreams(1234).uniform((2,))
    rows, updates = wb.scan(lambda held: held * 1, non_sequences=d, n_steps=3)
    assert not updates
    f = wb.function([], rows, mode=mode)
    r = next(generators(1234))
    for _ in range(2):
        np.testing.assert_array_equal(f(), np.tile(r.uniform(size=2), (3, 1)))


def test_a_variable_made_in_the_step_is_drawn_in_each() -> None:
    streams = RandomStreams(1234)
    rows, updates = wb.scan(lambda: streams.normal((2,)), n_steps=5)
    f = wb.function([], rows, updates=updates)
    r = next(generators(1234))
    for _ in range(2):
        np.testing.assert_array_equal(f(), r.normal(size=(5, 2)))


def test_without_the_updates_calls_overlap_and_that_is_told() -> None:
    d = RandomStreams(1234).uniform()
    rows, updates = wb.scan(lambda: d, n_steps=3)
    with pytest.warns(UserWarning, match="pass the updates that scan returned"):
        f = wb.function([], rows)
    numbers = next(generators(1234)).uniform(size=4)
    np.testing.assert_array_equal(f(), numbers[:3])
    np.testing.assert_array_equal(f(), numbers[1:])
    (rng,) = updates
    rng.default_update = updates[rng]
    g = wb.function([], rows)  # what is stored is the loop's own: no warning
    np.testing.assert_array_equal(g()[1], numbers[3])


def test_one_stream_in_a_loop_and_beside_it_shares_the_first_draw() -> None:
    d = RandomStreams(1234).uniform()
    rows, updates = wb.scan(lambda: d, n_steps=3)
    one, many = wb.function([], [d, rows], updates=updates)()
    assert one == many[0]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("listed", [False, True])
def test_gibbs_sampling(listed: bool, mode: str) -> None:
    """Both versions of the tutorial; to the bit what NumPy draws by hand."""
    rng = np.random.RandomState(0)
    weights = rng.randn(7, 4)
    W, bvis, bhid = wb.shared(weights), wb.shared(np.zeros(7)), wb.shared(np.zeros(4))
    trng = RandomStreams(1234)

    def one_step(vsample: Any, W: Any, bvis: Any, bhid: Any) -> Any:
        hmean = T.nnet.sigmoid(T.dot(vsample, W) + bhid)
        hsample = trng.binomial(size=hmean.shape, n=1, p=hmean)
        vmean = T.nnet.sigmoid(T.dot(hsample, W.T) + bvis)
        return trng.binomial(size=vsample.shape, n=1, p=vmean, dtype=wb.config.floatX)

    sample = T.vector("sample")
    step = one_step if listed else lambda v: one_step(v, W, bvis, bhid)
    values, updates = wb.scan(
        step,
        outputs_info=sample,
        non_sequences=[W, bvis, bhid] if listed else None,
        n_steps=10,
    )
    gibbs10 = wb.function([sample], values[-1], updates=updates, mode=mode)
    known = generators(1234)
    hidden, visible = next(known), next(known)
    v = np.ones(7)
    for _ in range(4):
        result = gibbs10(v)
        for _ in range(10):
            h = hidden.binomial(1, sigmoid(v @ weights))
            v = visible.binomial(1, sigmoid(h @ weights.T)).astype(wb.config.floatX)
        np.testing.assert_array_equal(result, v)


@pytest.mark.parametrize("kind", [RandomStreams, MRG_RandomStreams, CounterStreams])
def test_a_loop_goes_on_where_calls_would(kind: Any) -> None:
    """A loop of n draws gives what n calls give, and leaves the state that they leave."""
    a, b = kind(7).normal((3,)), kind(7).normal((3,))
    rows, updates = wb.scan(lambda: a, n_steps=4)
    loop, call = wb.function([], rows, updates=updates), wb.function([], b)
    for _ in range(2):
        np.testing.assert_array_equal(loop(), [call() for _ in range(4)])
    internal = {"return_internal_type": True}
    np.testing.assert_array_equal(a.rng.get_value(**internal), b.rng.get_value(**internal))


@pytest.mark.parametrize("kind", [RandomStreams, MRG_RandomStreams, CounterStreams])
def test_gradients_go_through_draws_in_a_loop(kind: Any) -> None:
    """States x·w + std·noise: central differences with the same noise."""
    w, std = T.dscalar("w"), T.dscalar("std")
    streams = kind(7)
    states, _ = wb.scan(
        lambda x: x * w + streams.normal((2,), 0.0, std),
        outputs_info=T.constant(np.zeros(2)),
        n_steps=6,
    )
    cost = (states[-1] ** 2).sum()
    held = {"no_default_updates": True}
    value = wb.function([w, std], cost, **held)
    slopes = wb.function([w, std], T.grad(cost, [w, std]), **held)(0.8, 0.5)
    h = 1e-6
    expected = (
        (value(0.8 + h, 0.5) - value(0.8 - h, 0.5)) / (2 * h),
        (value(0.8, 0.5 + h) - value(0.8, 0.5 - h)) / (2 * h),
    )
    np.testing.assert_allclose(slopes, expected, rtol=1e-6)


def test_a_loop_that_stops_early_leaves_the_state_of_its_last_step() -> None:
    streams = RandomStreams(1234)

    def step() -> Any:
        u = streams.uniform()
        return u, wb.until(u > 0.9)

    rows, updates = wb.scan(step, n_steps=1000)
    f = wb.function([], rows, updates=updates)
    r = next(generators(1234))
    for _ in range(5):
        for number in f():
            assert number == r.uniform()
        assert number > 0.9


def test_looking_at_a_loop_needs_no_updates() -> None:
    """What is inspected stores nothing, so there is nothing to warn of, and no stream moves."""
    d = RandomStreams(1234).uniform()
    states, _ = wb.scan(lambda x: x + d, outputs_info=T.constant(0.0), n_steps=3)
    found = wb.inspect(states)
    expected = next(generators(1234)).uniform(size=3).cumsum()
    assert found.trace[0].n_steps == 3
    np.testing.assert_allclose(found.values[states].array, expected)
    np.testing.assert_allclose(wb.function([], d)(), expected[0])


def test_a_state_that_is_read_again_is_not_written_over() -> None:
    """Beside its draw: as an output, by an expression, by a second draw, by a draw of the draw."""
    from workbench.core.ops.random import Uniform

    low, high, n = T.constant(0.0), T.constant(1.0), T.constant(2)
    draw = Uniform("float64", (2,))

    rng = wb.shared(np.random.RandomState(3))

    def beside(*, of_the_draw: bool) -> Any:
        after, first = draw(rng, low, high, n)
        last, second = draw(after if of_the_draw else rng, high, high + 1, n)
        return [rng * 1, rng[0], first, second], {rng: last if of_the_draw else after}

    for of_the_draw in (False, True):
        rng.set_value(np.random.RandomState(3))
        outputs, updates = wb.scan(lambda b=of_the_draw: beside(of_the_draw=b), n_steps=4)
        whole, word, first, second = wb.function([], outputs, updates=updates)()
        r = np.random.RandomState(3)
        for step in range(4):
            key = r.get_state()[1]
            np.testing.assert_array_equal(whole[step][:624], key)
            assert word[step] == key[0]
            expected = r.uniform(size=2)
            np.testing.assert_array_equal(first[step], expected)
            expected = r.uniform(1, 2, 2) if of_the_draw else 1 + expected
            np.testing.assert_array_equal(second[step], expected)
        assert rng.get_value().uniform() == r.uniform()


def test_no_steps_leave_the_state() -> None:
    u, steps = RandomStreams(1234).uniform((2,)), T.lscalar("steps")
    rows, updates = wb.scan(lambda: u, n_steps=steps)
    f = wb.function([steps], rows, updates=updates)
    before = u.rng.get_value(return_internal_type=True)
    assert f(0).shape == (0, 2)
    np.testing.assert_array_equal(u.rng.get_value(return_internal_type=True), before)
    np.testing.assert_array_equal(f(3), next(generators(1234)).uniform(size=(3, 2)))


def test_loops_in_loops() -> None:
    u = RandomStreams(1234).uniform((2,))

    def outer() -> Any:
        rows, updates = wb.scan(lambda: u, n_steps=3)
        return rows.sum(0), updates

    sums, updates = wb.scan(outer, n_steps=4)
    f = wb.function([], sums, updates=updates)
    assert f.linked.notes == ()
    r = next(generators(1234))
    for _ in range(2):
        np.testing.assert_allclose(f(), r.uniform(size=(4, 3, 2)).sum(1), rtol=1e-15)
