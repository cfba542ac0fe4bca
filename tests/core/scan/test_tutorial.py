"""Every example of the loop tutorial, and its exercise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.random.streams import RandomStreams

floatX = "float64"


def test_elementwise_tanh():
    X, W, b = T.matrix("X"), T.matrix("W"), T.vector("b_sym")
    results, updates = wb.scan(lambda v: T.tanh(T.dot(v, W) + b), sequences=X)
    f = wb.function([X, W, b], results)
    x, w, c = np.eye(2), np.ones((2, 2)), np.array([1.0, 2.0])
    assert not updates
    np.testing.assert_allclose(f(x, w, c), [[0.96402758, 0.99505475]] * 2)


def test_sequence_with_state():
    X, W, U, Y = T.vector("X"), T.matrix("W"), T.matrix("U"), T.matrix("Y")
    V, P = T.matrix("V"), T.matrix("P")
    results, _ = wb.scan(
        lambda y, p, x_tm1: T.tanh(T.dot(x_tm1, W) + T.dot(y, U) + T.dot(p, V)),
        sequences=[Y, P[::-1]],
        outputs_info=[X],
    )
    f = wb.function([X, W, Y, U, P, V], results)
    x, w, u, v = np.array([0.0, 1.0]), np.ones((2, 2)), np.ones((2, 2)), np.ones((2, 2))
    y, p = np.ones((5, 2)), np.ones((5, 2))
    y[0], p[0] = -3, 3
    expected = [-0.99505475, 0.96471973, 0.99998585, 0.99998771, 1.0]
    np.testing.assert_allclose(f(x, w, y, u, p, v), np.transpose([expected] * 2), rtol=1e-7)


@pytest.mark.parametrize("columns", [False, True])
def test_norms(columns):
    X = T.matrix("X")
    results, _ = wb.scan(lambda x_i: T.sqrt((x_i**2).sum()), sequences=[X.T if columns else X])
    f = wb.function([X], results)
    expected = [0, 1, 2, 3, 4, 5] if columns else [1, 2, 3, 4, 5, 0]
    np.testing.assert_allclose(f(np.diag(np.arange(1.0, 6), 1)), expected)


def test_trace():
    X = T.matrix("X")
    results, _ = wb.scan(
        lambda i, j, t_f: T.cast(X[i, j] + t_f, "float32"),
        sequences=[T.arange(X.shape[0]), T.arange(X.shape[1])],
        outputs_info=np.asarray(0.0, dtype="float32"),
    )
    f = wb.function([X], results[-1])
    x = np.eye(5)
    x[0] = np.arange(5)
    assert f(x) == 4.0
    assert f(x).dtype == np.float32


def test_two_taps():
    X, U, V, W = T.matrix("X"), T.matrix("U"), T.matrix("V"), T.matrix("W")
    b, n_sym = T.vector("b_sym"), T.iscalar("n_sym")
    results, _ = wb.scan(
        lambda x_tm2, x_tm1: T.dot(x_tm2, U) + T.dot(x_tm1, V) + T.tanh(T.dot(x_tm1, W) + b),
        n_steps=n_sym,
        outputs_info=[{"initial": X, "taps": [-2, -1]}],
    )
    f = wb.function([X, U, V, W, b, n_sym], results)
    x, half = np.array([[0.0, 0.0], [0.0, 1.0]]), 0.5 * np.ones((2, 2))
    got = f(x, 0.5 * (np.ones((2, 2)) - np.eye(2)), half, half, np.ones(2), 10)
    np.testing.assert_allclose(got[0], [1.40514825, 1.40514825])
    np.testing.assert_allclose(got[1], [2.88898899, 2.38898899])
    np.testing.assert_allclose(got[-1], [54.28407732, 54.25282732])


def test_jacobian():
    v, A = T.vector(), T.matrix()
    y = T.tanh(T.dot(v, A))
    results, _ = wb.scan(lambda i: T.grad(y[i], v), sequences=[T.arange(y.shape[0])])
    f = wb.function([A, v], results, allow_input_downcast=True)
    x, w = np.eye(5)[0], np.eye(5, 3)
    w[2] = 1
    np.testing.assert_allclose(f(w, x), ((1 - np.tanh(x.dot(w)) ** 2) * w).T)


def test_jacobian_with_listed_variables():
    """The variables that fn is given are the user's own: a gradient with respect to them is one."""
    x = T.dvector("x")
    y = x**2
    J, updates = wb.scan(
        lambda i, y, x: T.grad(y[i], x), sequences=T.arange(y.shape[0]), non_sequences=[y, x]
    )
    f = wb.function([x], J, updates=updates)
    np.testing.assert_allclose(f([4, 4]), [[8, 0], [0, 8]])


def test_loop_count_in_a_shared_variable():
    k, n_sym = wb.shared(0, "k"), T.iscalar("n_sym")
    results, updates = wb.scan(lambda: {k: (k + 1)}, n_steps=n_sym)
    accumulator = wb.function([n_sym], [], updates=updates, allow_input_downcast=True)
    assert results is None
    assert k.get_value() == 0
    accumulator(5)
    assert k.get_value() == 5
    accumulator(0)
    assert k.get_value() == 5


def random_stream(seed: int) -> tuple[Any, Any]:
    """A stream's state and a number drawn from it."""
    drawn = RandomStreams(seed).uniform()
    return drawn.rng, drawn


def numpy_stream(seed: int) -> np.random.RandomState:
    return np.random.RandomState(np.random.RandomState(seed).randint(2**30))


def test_random_variable_is_drawn_in_every_step():
    rng, d = random_stream(1234)
    X = T.vector("X")
    results, updates = wb.scan(lambda v: v * d, sequences=X)
    assert list(updates) == [rng]
    f = wb.function([X], results, updates=updates)
    expected = numpy_stream(1234)
    for _ in range(2):
        np.testing.assert_array_equal(f(np.ones(3)), [expected.uniform() for _ in range(3)])


def test_listed_random_variable_is_drawn_once():
    _, d = random_stream(1234)
    X = T.vector("X")
    results, updates = wb.scan(lambda v, d: v * d, sequences=X, non_sequences=d)
    assert not updates
    got = wb.function([X], results)(np.ones(3))
    np.testing.assert_array_equal(got, [numpy_stream(1234).uniform()] * 3)


def test_power():
    k, A = T.iscalar("k"), T.vector("A")
    result, updates = wb.scan(
        fn=lambda prior_result, B: prior_result * B,
        outputs_info=T.ones_like(A),
        non_sequences=A,
        n_steps=k,
    )
    power = wb.function(inputs=[A, k], outputs=result[-1], updates=updates)
    np.testing.assert_allclose(power(range(10), 2), [0, 1, 4, 9, 16, 25, 36, 49, 64, 81])


def test_polynomial():
    coefficients, x = T.vector("coefficients"), T.scalar("x")
    components, _ = wb.scan(
        fn=lambda coeff, power, free_var: coeff * (free_var**power),
        outputs_info=None,
        sequences=[coefficients, T.arange(10000)],
        non_sequences=x,
    )
    f = wb.function([coefficients, x], components.sum())
    assert f(np.asarray([1, 0, 2], dtype=np.float32), 3) == 19.0


def test_exercise_polynomial_by_reduction():
    coefficients, x = T.vector("coefficients"), T.scalar("x")
    results, updates = wb.scan(
        fn=lambda coeff, power, prior_value, free_var: prior_value + (coeff * (free_var**power)),
        sequences=[coefficients, T.arange(10000)],
        outputs_info=T.as_tensor_variable(np.asarray(0, floatX)),
        non_sequences=x,
    )
    f = wb.function([coefficients, x], results[-1], updates=updates)
    assert f(np.asarray([1, 0, 2], dtype=np.float32), 3) == 19.0
