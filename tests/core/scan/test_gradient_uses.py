"""Gradients through loops as costs use them, by the definition, compiled, and against finite
differences: parts of outputs, nested loops, loops that differentiate, second derivatives, Rop.
"""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.scan.loops import assert_gradient, both, differences, numbers, run
from workbench.core.graph import toposort
from workbench.core.scan.op import Scan

x, h, X, Y, W = T.dvector("x"), T.dvector("h"), T.dmatrix("X"), T.dmatrix("Y"), T.dmatrix("W")
scalar = T.dscalar("scalar")
GIVEN = {X: numbers(4, 2), h: numbers(2), W: numbers(2, 2)}


def network(**options):
    states, _ = wb.scan(lambda a, p: T.tanh(T.dot(p, W) + a), X, h, name="rnn", **options)
    return states


def far_taps():
    states, _ = wb.scan(
        lambda a, b, p, q: T.tanh(T.dot(p, W) + q * a - b),
        {"input": X, "taps": [-1, 1]},
        {"initial": Y, "taps": [-3, -1]},
    )
    return states, {X: numbers(5, 2), Y: numbers(3, 2), W: numbers(2, 2)}


def stopping():
    states, _ = wb.scan(lambda a, p: (T.tanh(p * a + a), wb.until(p.sum() > 0.3)), X, h)
    return states, {X: numbers(5, 2), h: numbers(2)}


def nested():
    def outer(row, p):
        inner, _ = wb.scan(lambda e, q: T.tanh(e * q + p), row, [T.ones_like(p)])
        return p * inner[-1]

    states, _ = wb.scan(outer, X, scalar)
    return states, {X: numbers(3, 2), scalar: np.asarray(0.4)}


def nested_thrice():
    cube = T.dtensor3("cube")

    def matrix(m, p):
        def row(r, q):
            inner, _ = wb.scan(lambda e, s: T.tanh(e * s + q * p.sum()), r, q)
            return inner[-1]

        middle, _ = wb.scan(row, m, p[0])
        return T.tanh(p * middle.sum() + m[0])

    states, _ = wb.scan(matrix, cube, h)
    return states, {cube: numbers(2, 2, 2), h: numbers(2)}


def descent():
    """A loop whose step differentiates a loop."""

    def step(p):
        inner, _ = wb.scan(lambda a, q: T.tanh(a * q), X, p)
        return p - 0.1 * T.grad((inner[-1] ** 2).sum(), p)

    states, _ = wb.scan(step, None, h, n_steps=3)
    return states, {X: numbers(3, 2), h: numbers(2)}


def plain():
    return network(), GIVEN


def backwards():
    return network(go_backwards=True), GIVEN


LOOPS = [plain, backwards, far_taps, stopping, nested, nested_thrice, descent]


@pytest.mark.parametrize("loop", LOOPS)
def test_first_second_and_compiled(loop):
    states, given = loop()
    cost = (states[-1] ** 2).sum() + T.sin(states).sum()
    gradients = assert_gradient(cost, given, second=loop not in (nested_thrice, descent))
    both([cost, *gradients], given)


@pytest.mark.parametrize("loop", [far_taps, stopping, nested, descent])
def test_pushed_forward(loop):
    states, given = loop()
    points = {v: numbers(*np.shape(given[v]), seed=8) for v in given}
    pushed = wb.Rop(states, list(given), [T.constant(p) for p in points.values()])
    moved = [
        run(states, {v: given[v] + sign * 1e-6 * points[v] for v in given}) for sign in (1, -1)
    ]
    found = both(pushed, given)
    np.testing.assert_allclose(found, (moved[0] - moved[1]) / 2e-6, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    "cost",
    [
        lambda s: (s[-1] ** 2).sum(),
        lambda s: (s[-1:] ** 2).sum(),
        lambda s: (s[-1] ** 2).sum() + (s[-2] ** 3).sum(),
        lambda s: (s[-1] ** 2).sum() + s[-1].prod(),
        lambda s: (s[::2] ** 2).sum(),
        lambda s: T.exp(s[1:3]).sum(),
        lambda s: s[2].prod(),
        lambda s: (s[::-1][:2] ** 3).sum(),
        lambda s: (s[:, 1] ** 2).sum(),
        lambda s: (s[[0, 2, 2]] ** 2).sum(),
        lambda s: s.max(axis=0).sum(),
        lambda s: (s**2).mean(),
    ],
)
def test_parts_of_an_output(cost):
    gradients = assert_gradient(cost(network()), GIVEN)
    both(gradients, GIVEN)


def test_the_gradient_of_a_last_value_has_no_sequence_of_zeros():
    for cost, zeros in (
        (lambda s: (s[-1] ** 2).sum(), 0),
        (lambda s: s[-1].sum() + (s[-1] ** 2).sum(), 0),
        (lambda s: (s**2).sum(), 1),
    ):
        gradients = T.grad(cost(network()), [W, h])
        (backward,) = (n for n in toposort(gradients) if getattr(n.op, "name", "") == "grad of rnn")
        assert isinstance(backward.op, Scan)
        assert len(backward.op.sequences) == 2 + zeros  # states after and before each step


def test_a_last_value_that_does_not_depend_on_its_past():
    (p, q), _ = wb.scan(lambda a, p, q: (a * 2, q + p * a), X, [h, h])
    assert_gradient((p[-1] ** 2).sum() + (q[-1] ** 2).sum(), {X: numbers(3, 2), h: numbers(2)})
    assert_gradient((p[-1] ** 2).sum(), {X: numbers(3, 2), h: numbers(2)})


def test_outputs_that_are_used_in_part():
    (p, q, m), _ = wb.scan(lambda a, p, q: (T.tanh(p + q * a), q * p, a * p), X, [h, h * 2, None])
    given = {X: numbers(4, 2), h: numbers(2)}
    for cost in ((p * m).sum() + (p[-1] * m[-1]).sum(), (q**2).sum(), m[-1].sum() + q[0].sum()):
        both(assert_gradient(cost, given, second=True), given)


def test_integers():
    """A sequence or state of integers gets zeros where values depend on it, and is disconnected
    where it is an index only.
    """
    i = T.lvector("i")
    product, _ = wb.scan(lambda j, p: p * j, i, np.float64(1))
    assert both(T.grad(product[-1], i), {i: np.array([2, 3])}).tolist() == [0.0, 0.0]
    picked, _ = wb.scan(lambda j, p: p * x[j], i, np.float64(1))
    with pytest.raises(wb.errors.DisconnectedInputError):
        T.grad(picked[-1], i)
    (_, values), _ = wb.scan(
        lambda k, p: (k + 1, p * X[k % 3].sum()), None, [T.constant(0), np.float64(1)], n_steps=4
    )
    assert_gradient(values.sum(), {X: numbers(3, 2)}, second=True)
    flags = T.tensor("bool", (None,), "flags")
    chosen, _ = wb.scan(lambda f, a, p: T.switch(f, p * a, p), [flags, x], np.float64(1))
    assert_gradient(chosen[-1], {x: numbers(3), flags: np.array([True, False, True])})


def test_gradients_of_fixed_values_add_up():
    s, y = wb.shared(np.array([0.3, 0.2]), "s"), T.dvector("y")
    states, _ = wb.scan(lambda a, p, w, b: T.tanh(T.dot(p, w) + a * b * s + s), X, h, [W, y])
    given = {**GIVEN, y: numbers(2, seed=4)}
    cost = (states**2).sum()
    both([*assert_gradient(cost, given), T.grad(cost, s)], given)
    before = s.get_value()
    found = run(T.grad(cost, s), given)
    for i in range(2):
        sides = []
        for sign in (1, -1):
            s.set_value(before + sign * 1e-6 * np.eye(2)[i])
            sides.append(run(cost, given))
        s.set_value(before)
        np.testing.assert_allclose(found[i], (sides[0] - sides[1]) / 2e-6, rtol=1e-5)


def test_hessian_and_its_product_with_a_vector():
    cost = (network()[-1] ** 2).sum()
    gradient, v = T.grad(cost, h), numbers(2, seed=6)
    hessian, pushed, pulled, jacobian = both(
        [
            wb.hessian(cost, h),
            wb.Rop(gradient, h, T.constant(v)),
            T.grad((gradient * v).sum(), h),
            wb.jacobian(network()[-1], h),
        ],
        GIVEN,
    )
    for i in range(2):
        wanted = differences(gradient[i], h, GIVEN)
        np.testing.assert_allclose(hessian[i], wanted, rtol=1e-5, atol=1e-7)
        wanted = differences(network()[-1][i], h, GIVEN)
        np.testing.assert_allclose(jacobian[i], wanted, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(pushed, hessian @ v, rtol=1e-9)
    np.testing.assert_allclose(pulled, hessian @ v, rtol=1e-9)


def test_known_gradients_and_constants():
    states = network()
    known = T.grad(None, [X, h, W], known_grads={states: T.ones_like(states) * 2})
    usual = T.grad((states * 2).sum(), [X, h, W])
    found = both([*known, *usual], GIVEN)
    for a, b in zip(found[:3], found[3:], strict=True):
        np.testing.assert_allclose(a, b)
    cut = T.grad((states**2).sum(), h, consider_constant=[states], disconnected_inputs="ignore")
    assert not both(cut, GIVEN).any()


def test_an_unrolled_loop_has_the_same_gradients():
    rows, state = GIVEN[X], h
    for a in rows:
        state = T.tanh(T.dot(state, W) + a)
    unrolled = T.grad((state**2).sum(), [h, W])
    looped = T.grad((network()[-1] ** 2).sum(), [h, W])
    found = both([*unrolled, *looped], GIVEN)
    for a, b in zip(found[:2], found[2:], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_truncation_with_taps_and_everything_read():
    """Through the last k steps only: as if the state before them were a constant."""
    states, _ = wb.scan(
        lambda a, p, q: T.tanh(T.dot(p, W) + q * a), X, {"initial": Y, "taps": [-2, -1]},
        truncate_gradient=2,
    )  # fmt: skip
    given = {X: numbers(5, 2), Y: numbers(2, 2), W: numbers(2, 2)}
    found = both(T.grad((states**2).sum(), [X, Y, W]), given)
    before = run(states, given)
    tail, _ = wb.scan(
        lambda a, p, q: T.tanh(T.dot(p, W) + q * a), X, {"initial": Y, "taps": [-2, -1]}
    )
    last = {X: given[X][3:], Y: before[1:3], W: given[W]}
    rows, _, weights = run(T.grad((tail**2).sum(), [X, Y, W]), last)
    assert not found[1].any()
    np.testing.assert_allclose(found[0], np.concatenate([np.zeros((3, 2)), rows]))
    np.testing.assert_allclose(found[2], weights)
