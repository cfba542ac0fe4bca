"""Loops that store every k-th state."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.scan.loops import assert_gradient, assert_rewrites_preserve, numbers, run
from workbench.errors import ScanError

x, h, w, n = T.dmatrix("x"), T.dvector("h"), T.dmatrix("w"), T.lscalar("n")
e = T.iscalar("e")


def step(a, p):
    return T.tanh(a + T.dot(p, w))


def kept(steps: int, every: int) -> list[int]:
    """The numbers of the steps whose states are stored."""
    return sorted({*range(every - 1, steps, every), *([steps - 1] if steps else [])})


@pytest.mark.parametrize("steps", [0, 1, 6, 7])
@pytest.mark.parametrize("known", [True, False])
def test_every_third_state_and_the_last(steps, known):
    given = {x: numbers(steps, 2), h: numbers(2), w: numbers(2, 2)}
    count = steps if known else None
    some, updates = wb.scan_checkpoints(step, x, h, n_steps=count, save_every_N=3)
    whole, _ = wb.scan(step, x, h)
    assert not updates
    np.testing.assert_array_equal(run(some, given), run(whole, given)[kept(steps, 3)])
    assert_gradient((some**2).sum(), given)
    assert_rewrites_preserve(T.grad((some**2).sum(), [w, h, x]), given)


@pytest.mark.parametrize(("steps", "every"), [(9, 3), (10, 3), (2, 10), (1, 1), (0, 4)])
@pytest.mark.parametrize("symbolic", [False, True])
def test_gradients_are_those_of_the_whole_loop(steps, every, symbolic):
    """To the last bit where the sums over steps are added in the same order."""
    values = [numbers(steps, 2), numbers(2), numbers(2, 2), steps, every]
    options = {"n_steps": n if symbolic else steps}
    some, _ = wb.scan_checkpoints(step, x, h, save_every_N=e if symbolic else every, **options)
    whole, _ = wb.scan(step, x, h, **options)

    def all_of(states):
        last = T.concatenate([h.dimshuffle("x", 0), states])[-1]
        return wb.function(
            [x, h, w, n, e],
            [last, *T.grad((last**2).sum(), [x, h, w])],
            on_unused_input="ignore",
        )

    found, expected = all_of(some)(*values), all_of(whole)(*values)
    for a, b in zip(found[:3], expected[:3], strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(found[3], expected[3], rtol=1e-13, atol=1e-15)


def test_without_sequences_or_a_given_length():
    a, k = T.dvector("a"), T.iscalar("k")
    powers, updates = wb.scan_checkpoints(
        lambda prior, a: prior * a,
        outputs_info=T.ones_like(a),
        non_sequences=a,
        n_steps=k,
        save_every_N=100,
    )
    f = wb.function([a, k], [powers, T.grad(powers[-1].sum(), a)], updates=updates)
    base = np.linspace(0.9, 1.1, 5)
    for steps in (1, 100, 101, 250):
        states, gradient = f(base, steps)
        np.testing.assert_allclose(states, [base ** (t + 1) for t in kept(steps, 100)], rtol=1e-12)
        np.testing.assert_allclose(gradient, steps * base ** (steps - 1), rtol=1e-11)


@pytest.mark.parametrize("steps", [1, 5, 16, 17])
def test_the_root_of_the_number_of_steps(steps):
    for count in (steps, n):
        some, _ = wb.scan_checkpoints(lambda p: p + 1.0, None, h, n_steps=count, save_every_N=None)
        every = int(np.ceil(np.sqrt(steps)))
        found = run(some, {h: np.zeros(1), n: np.int64(steps)})
        assert found.ravel().tolist() == [t + 1.0 for t in kept(steps, every)]


def test_several_outputs_two_sequences_and_widened_states():
    """A map, a state that starts as an int, one that starts as a row of static length 1."""
    row, wide = T.drow("row"), T.dmatrix("wide")

    def many(a, b, p, q):
        return p + a.sum() * b, T.dot(a, w), q + wide * b

    arguments = (many, [x, x[:, 0]], [0, None, row])
    some, _ = wb.scan_checkpoints(*arguments, save_every_N=2)
    whole, _ = wb.scan(*arguments)
    for steps in (4, 5, 1):
        given = {x: numbers(steps, 2), w: numbers(2, 3), row: numbers(1, 2), wide: numbers(1, 2)}
        for a, b in zip(run(some, given), run(whole, given), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b[kept(steps, 2)])


def test_shared_variables_are_updated_in_every_step():
    s = wb.shared(1.0, "s")

    def counting(p):
        return p + s, {s: s * 2}

    for steps, expected in ((6, 64.0), (7, 128.0), (0, 1.0)):
        for count in (steps, n):
            some, updates = wb.scan_checkpoints(
                counting, None, T.constant(0.0, dtype="float64"), n_steps=count, save_every_N=3
            )
            states, after = run([some, updates[s]], {n: np.int64(steps)})
            assert after == expected
            assert states.tolist() == [2.0 ** (t + 1) - 1 for t in kept(steps, 3)]


def test_fn_is_called_once():
    calls = []
    wb.scan_checkpoints(lambda a, p: calls.append(0) or p + a, x, h)
    assert len(calls) == 1


def test_without_padding():
    some, _ = wb.scan_checkpoints(step, x, h, save_every_N=2, padding=False)
    whole, _ = wb.scan(step, x, h)
    given = {x: numbers(6, 2), h: numbers(2), w: numbers(2, 2)}
    np.testing.assert_array_equal(run(some, given), run(whole, given)[1::2])
    found = run(T.grad((some[-1] ** 2).sum(), [w, h, x]), given)
    expected = run(T.grad((whole[-1] ** 2).sum(), [w, h, x]), given)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b)
    with pytest.raises(ValueError, match="does not divide 7 steps"):
        wb.scan_checkpoints(step, x, h, n_steps=7, save_every_N=2, padding=False)


def test_a_sequence_that_is_too_short():
    some, _ = wb.scan_checkpoints(step, x, h, n_steps=6, save_every_N=3)
    with pytest.raises(ValueError, match="5"):
        wb.function([x, h, w], some)(numbers(5, 2), numbers(2), numbers(2, 2))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: wb.scan_checkpoints(step, {"input": x, "taps": [-1]}, h), "without taps"),
        (
            lambda: wb.scan_checkpoints(lambda p: p, None, {"initial": x, "taps": [-2]}, n_steps=4),
            "without taps",
        ),
        (lambda: wb.scan_checkpoints(lambda a: a, x), "no states"),
        (lambda: wb.scan_checkpoints(step, x, h, save_every_N=0), "positive int"),
        (lambda: wb.scan_checkpoints(step, x, h, save_every_N=2.5), "positive int"),
        (lambda: wb.scan_checkpoints(step, x, h, save_every_N=T.dscalar()), "positive int"),
        (lambda: wb.scan_checkpoints(lambda a, p: (a + p, wb.until(a[0] > 0)), x, h), "until"),
        (lambda: wb.scan_checkpoints(lambda p: p, None, h), "number of steps"),
    ],
)
def test_errors(wrong, words):
    with pytest.raises(ScanError, match=words):
        wrong()
