"""MRG_RandomStreams, against the recurrences written out."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.random.mrg import M1, M2, TO_GENERATOR, TO_STREAM, ahead, streams
from workbench.core.samples.mrg import recurrence
from workbench.errors import RandomError
from workbench.tensor.random import MRG_RandomStreams, RandomVariable

SEED = 12345


def later(state: list[int], steps: int) -> list[int]:
    """A state after so many numbers, by powers of the recurrences' matrices."""
    found: list[int] = []
    for part, matrix, modulus in (
        (state[:3], [[0, 2**22, 129], [1, 0, 0], [0, 1, 0]], M1),
        (state[3:], [[2**15, 0, 2**15 + 1], [1, 0, 0], [0, 1, 0]], M2),
    ):
        power = np.array(matrix, object)
        product, left = np.eye(3, dtype=object), steps
        while left:
            if left & 1:
                product = product.dot(power) % modulus
            power, left = power.dot(power) % modulus, left >> 1
        found += [int(n) for n in product.dot(np.array(part, object)) % modulus]
    return found


def test_jumping_is_drawing() -> None:
    state = [11, 22, 33, 44, 55, 66]
    drawn = list(state)
    for _ in range(64):
        recurrence(drawn)
    assert later(state, 64) == drawn
    assert ahead(np.array(state, "int32"), 6).tolist() == drawn


def test_streams_are_a_power_of_two_apart() -> None:
    start = np.full(6, SEED, "int32")
    rows = streams(start, 7)
    assert rows.shape == (7, 6)
    for i, row in enumerate(rows):
        assert row.tolist() == later([SEED] * 6, i * 2**TO_STREAM)


def test_variables_draw_from_streams_of_their_own() -> None:
    s = MRG_RandomStreams(SEED)
    u, v = s.uniform((2, 9), dtype="float64"), s.uniform((5,), dtype="float64")
    f = wb.function([], [u, v])
    states = [later([SEED] * 6, i * 2**TO_STREAM) for i in range(3)]  # 18 numbers: 3 streams
    second = later([SEED] * 6, 2**TO_GENERATOR)
    others = [later(second, i * 2**TO_STREAM) for i in range(5)]  # 5 numbers: 5 streams
    for _ in range(3):
        a, b = f()
        expected = [recurrence(states[i % 3]) * 2.0**-31 for i in range(18)]
        np.testing.assert_array_equal(a, np.reshape(expected, (2, 9)))
        np.testing.assert_array_equal(b, [recurrence(state) * 2.0**-31 for state in others])
    assert s.rstate.tolist() == later([SEED] * 6, 2 * 2**TO_GENERATOR)


@pytest.mark.parametrize(
    ("size", "count"), [((), 1), ((4,), 4), ((6,), 6), ((7,), 1), ((60,), 10), ((400, 400), 15360)]
)
def test_the_number_of_streams(size: tuple[int, ...], count: int) -> None:
    u = MRG_RandomStreams(SEED).uniform(size)
    assert u.rng.get_value().shape == (count, 6)


def test_the_number_of_streams_may_be_said() -> None:
    x = T.matrix("x")
    s = MRG_RandomStreams(SEED)
    assert s.uniform(x.shape).rng.get_value().shape == (256, 6)
    assert s.uniform(x.shape, nstreams=3).rng.get_value().shape == (3, 6)
    with pytest.raises(RandomError, match="nstreams is 0"):
        s.uniform((2,), nstreams=0)


def test_numbers_do_not_reach_the_bounds() -> None:
    """The largest and the smallest number, in both dtypes."""
    for dtype in ("float64", "float32"):
        u = MRG_RandomStreams(SEED).uniform((1,), dtype=dtype)
        f = wb.function([], u)
        for words, number in (([0, 0, 1, 0, 0, 0], 129), ([0, 0, 0, 0, 0, 0], M1)):
            u.rng.set_value(np.array([words], "int32"))
            assert 0 < f()[0] < 1
            u.rng.set_value(np.array([words], "int32"))
            assert f()[0] == pytest.approx(number * 2.0**-31)


def test_normal_numbers_are_of_pairs() -> None:
    s = MRG_RandomStreams(SEED)
    n = s.normal((3,), 1.0, 2.0, dtype="float64")
    rows = n.rng.get_value().tolist()
    assert len(rows) == 4
    r1, r2, a1, a2 = (recurrence(row) * 2.0**-31 for row in rows)
    radius = np.sqrt(-2 * np.log([r1, r2]))
    angles = 2 * np.pi * np.array([a1, a2])
    expected = 1 + 2 * np.concatenate([radius * np.cos(angles), radius * np.sin(angles)])[:3]
    np.testing.assert_allclose(wb.function([], n)(), expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_truncated_normal_numbers(dtype: str) -> None:
    """Normal ones within two standard deviations, whose variance is 0.774."""
    sample = MRG_RandomStreams(3).truncated_normal((40, 500), avg=1.0, std=2.0, dtype=dtype)
    drawn = wb.function([], sample)()
    assert drawn.dtype == dtype
    assert abs(drawn - 1).max() <= 4
    assert abs(drawn - 1).max() > 3.9
    assert abs(drawn.mean() - 1) < 0.05
    assert abs(drawn.var() / 4 - 0.7737) < 0.02
    assert wb.function([], MRG_RandomStreams(3).truncated_normal((0, 2)))().shape == (0, 2)
    centre = wb.shared(np.zeros(3))
    gradient = wb.grad(MRG_RandomStreams(3).truncated_normal((2, 3), avg=centre).sum(), centre)
    np.testing.assert_array_equal(wb.function([], gradient)(), [2.0, 2.0, 2.0])


def test_other_variables() -> None:
    s = MRG_RandomStreams(SEED)
    p = T.vector("p")
    rows = np.array([[0.2, 0.8, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    made = {
        "bernoulli": s.binomial(p.shape, p=p, dtype=wb.config.floatX),
        "binomial": s.binomial((1000,), n=5, p=0.3),
        "multinomial": s.multinomial(n=7, pvals=rows),
        "one": s.multinomial(pvals=[0.0, 1.0]),
        "without": s.multinomial_wo_replacement(n=2, pvals=rows + 1e-9),
        "choice": s.choice((50,), 6),
        "choice p": s.choice((50,), p=[0.0, 0.5, 0.5]),
        "choice once": s.choice(4, 4, replace=False),
        "choice once p": s.choice(2, replace=False, p=np.array([0.3, 0.0, 0.7])),
    }
    assert all(isinstance(v, RandomVariable) for v in made.values())
    assert [v.update for v in made.values()] == s.state_updates
    names = list(made)
    values = wb.function([p], list(made.values()))([0.0, 1.0])
    found: dict[str, Any] = dict(zip(names, values, strict=True))
    np.testing.assert_array_equal(found["bernoulli"], [0, 1])
    assert found["bernoulli"].dtype == wb.config.floatX
    assert set(found["binomial"]) == set(range(6))
    assert (found["multinomial"].sum(1) == 7).all()
    assert (found["multinomial"][1:] == [[7, 0, 0], [0, 0, 7]]).all()
    np.testing.assert_array_equal(found["one"], [0, 1])
    np.testing.assert_array_equal(found["without"][1:, 0], [0, 2])
    assert found["without"].shape == (3, 2)
    assert set(found["choice"]) == set(range(6))
    assert set(found["choice p"]) == {1, 2}
    assert sorted(found["choice once"]) == [0, 1, 2, 3]
    assert sorted(found["choice once p"]) == [0, 2]


def test_gradients_go_through_the_noise() -> None:
    avg, std = T.dvector("avg"), T.dscalar("std")
    n = MRG_RandomStreams(SEED).normal(avg=avg, std=std, dtype="float64")
    f = wb.function([avg, std], [n, *T.grad(n.sum(), [avg, std])])
    sample, to_avg, to_std = f([1.0, 2.0], 4.0)
    np.testing.assert_array_equal(to_avg, [1, 1])
    np.testing.assert_allclose(to_std, ((sample - [1, 2]) / 4).sum())


def test_seeding_starts_all_variables_anew() -> None:
    s = MRG_RandomStreams(SEED)
    u, v = s.uniform((20,)), s.normal((3,))
    f = wb.function([], [u, v])
    first = f()
    second = f()
    s.seed(99)
    other = MRG_RandomStreams(99)
    expected = wb.function([], [other.uniform((20,)), other.normal((3,))])()
    for a, b in zip(f(), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    s.seed()
    for known in (first, second):
        for a, b in zip(f(), known, strict=True):
            np.testing.assert_array_equal(a, b)


def test_states_are_copied_from_graph_to_graph() -> None:
    first, second = MRG_RandomStreams(123), MRG_RandomStreams(987)
    f1, f2 = (wb.function([], s.uniform((1,))) for s in (first, second))
    assert f1() != f2()
    second.rstate = first.rstate
    for su1, su2 in zip(first.state_updates, second.state_updates, strict=True):
        su2[0].set_value(su1[0].get_value())
    assert f1() == f2()
    assert wb.function([], first.normal((1,)))() == wb.function([], second.normal((1,)))()


def test_streams_are_pickled() -> None:
    s = MRG_RandomStreams(SEED)
    u = s.uniform((9,))
    f = wb.function([], u)
    f()
    copy, v = pickle.loads(pickle.dumps((s, u)))
    assert copy.state_updates[0][0] is v.rng
    np.testing.assert_array_equal(wb.function([], v)(), f())
    np.testing.assert_array_equal(copy.rstate, s.rstate)


@pytest.mark.parametrize(
    "seed", [0, -1, M2, "x", None, [1, 2], [0, 0, 0, 1, 1, 1], [1, 1, 1, M2, 1, 1], [1.5] * 5]
)
def test_what_is_no_seed(seed: Any) -> None:
    with pytest.raises(RandomError, match="no seed"):
        MRG_RandomStreams(seed)
    s = MRG_RandomStreams([1, 2, 3, 4, 5, 6])
    assert s.rstate.tolist() == [1, 2, 3, 4, 5, 6]


def test_what_cannot_be_drawn() -> None:
    s = MRG_RandomStreams(SEED)
    with pytest.raises(RandomError, match="no probabilities"):
        s.multinomial()
    with pytest.raises(RandomError, match="vector or a matrix"):
        s.multinomial(pvals=0.5)
    with pytest.raises(RandomError, match="neither a nor p"):
        s.choice(2)
    with pytest.raises(RandomError, match="n is an array"):
        s.binomial((2,), n=[1, 2])
    with pytest.raises(TypeError, match="uniform of dtype"):
        s.uniform((2,), dtype="int8")
    n = T.lscalar("n")
    for mode in ("FAST_RUN", "FAST_COMPILE"):
        f = wb.function([n], s.uniform((n,)), mode=mode)
        with pytest.raises(ValueError, match="not negative"):
            f(-1)
    assert s.rstate.tolist() == later([SEED] * 6, 2 * 2**TO_GENERATOR)  # two were made
