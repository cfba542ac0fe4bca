"""RandomStreams: NumPy's own numbers, in the order in which variables are made."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.errors import DtypeError, RandomError
from workbench.tensor.random import RandomStreams, RandomVariable

SEED = 234


def generators(seed: int) -> Iterator[np.random.RandomState]:
    """What the variables of RandomStreams(seed) draw from, written out."""
    g = np.random.RandomState(seed)
    while True:
        yield np.random.RandomState(int(g.randint(2**30)))


DRAWS: dict[str, tuple[Any, Any]] = {
    "uniform": (lambda s: s.uniform((2, 3)), lambda r: r.uniform(size=(2, 3))),
    "uniform bounds": (lambda s: s.uniform((4,), -2, 5), lambda r: r.uniform(-2, 5, 4)),
    "uniform array": (lambda s: s.uniform(low=[0.0, 9], high=10), lambda r: r.uniform([0, 9], 10)),
    "uniform float32": (
        lambda s: s.uniform((5,), dtype="float32"),
        lambda r: r.uniform(size=5).astype("float32"),
    ),
    "uniform number": (lambda s: s.uniform(), lambda r: np.asarray(r.uniform())),
    "uniform int size": (lambda s: s.uniform(3), lambda r: r.uniform(size=3)),
    "normal": (lambda s: s.normal((3, 3)), lambda r: r.normal(size=(3, 3))),
    "normal array": (
        lambda s: s.normal((2, 2), [1, -1], 0.5),
        lambda r: r.normal([1, -1], 0.5, (2, 2)),
    ),
    "lognormal": (lambda s: s.lognormal((3,), 1, 0.2), lambda r: r.lognormal(1, 0.2, 3)),
    "exponential": (lambda s: s.exponential((3,), 2.0), lambda r: r.exponential(2.0, 3)),
    "laplace": (lambda s: s.laplace((30,), 1, 2), lambda r: r.laplace(1, 2, 30)),
    "gamma": (lambda s: s.gamma((5,), 0.5, 2), lambda r: r.gamma(0.5, 2, 5)),
    "logistic": (lambda s: s.logistic((30,), 1, 2), lambda r: r.logistic(1, 2, 30)),
    "gumbel": (lambda s: s.gumbel((30,), 1, 2), lambda r: r.gumbel(1, 2, 30)),
    "chisquare": (lambda s: s.chisquare((30,), 3), lambda r: r.chisquare(3, 30)),
    "beta": (lambda s: s.beta((5,), 2, 0.5), lambda r: r.beta(2, 0.5, 5)),
    "binomial": (lambda s: s.binomial((9,)), lambda r: r.binomial(1, 0.5, 9)),
    "binomial prob": (lambda s: s.binomial((9,), 20, prob=0.9), lambda r: r.binomial(20, 0.9, 9)),
    "poisson": (lambda s: s.poisson((9,), 4.5), lambda r: r.poisson(4.5, 9)),
    "random_integers": (lambda s: s.random_integers((9,), -4, 4), lambda r: r.randint(-4, 5, 9)),
    "random_integers default": (lambda s: s.random_integers((9,)), lambda r: r.randint(0, 2, 9)),
    "choice": (lambda s: s.choice((9,), 5), lambda r: r.choice(5, 9)),
    "choice p": (lambda s: s.choice((9,), p=[0.2, 0.8]), lambda r: r.choice(2, 9, p=[0.2, 0.8])),
    "choice once": (lambda s: s.choice((3,), 5, replace=False), lambda r: r.choice(5, 3, False)),
    "choice of values": (
        lambda s: s.choice((4,), np.array([0.5, 2.5, 7.0])),
        lambda r: r.choice([0.5, 2.5, 7.0], 4),
    ),
    "permutation": (lambda s: s.permutation(n=7), lambda r: r.permutation(7)),
    "permutations": (
        lambda s: s.permutation((3,), 4),
        lambda r: np.array([r.permutation(4) for _ in range(3)]),
    ),
    "multinomial": (
        lambda s: s.multinomial((3,), 10, [0.2, 0.3, 0.5]),
        lambda r: r.multinomial(10, [0.2, 0.3, 0.5], 3),
    ),
    "multinomial rows": (
        lambda s: s.multinomial(n=[1, 5], pvals=[[0.2, 0.8], [0.5, 0.5]]),
        lambda r: np.array([r.multinomial(1, [0.2, 0.8]), r.multinomial(5, [0.5, 0.5])]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("name", DRAWS)
def test_numbers_are_numpys(name: str, mode: str) -> None:
    """To the bit, over calls; the second variable has the second generator."""
    make, expected = DRAWS[name]
    streams = RandomStreams(SEED)
    first, second = make(streams), make(streams)
    f = wb.function([], [first, second], mode=mode)
    known = generators(SEED)
    r1, r2 = next(known), next(known)
    for _ in range(3):
        for result, wanted in zip(f(), (expected(r1), expected(r2)), strict=True):
            assert result.dtype == wanted.dtype
            np.testing.assert_array_equal(result, wanted)


@pytest.mark.parametrize("name", DRAWS)
def test_every_variable_bears_its_stream(name: str) -> None:
    streams = RandomStreams(SEED)
    variable = DRAWS[name][0](streams)
    assert isinstance(variable, RandomVariable)
    assert variable.update == (variable.rng, variable.rng.default_update)
    assert streams.state_updates == streams.updates() == [variable.update]
    assert streams.random_state_variables == [variable.rng]


def test_two_uses_share_the_draw() -> None:
    u = RandomStreams(SEED).uniform((2, 2))
    f = wb.function([], u + u - 2 * u)
    assert not f().any()
    assert not f().any()


def test_updates_may_be_left_out() -> None:
    u = RandomStreams(SEED).normal((2,))
    f = wb.function([], u, no_default_updates=True)
    np.testing.assert_array_equal(f(), f())
    g = wb.function([], u, no_default_updates=True, updates=[u.update])
    assert (g() != g()).all()


def test_a_stream_is_seeded_alone() -> None:
    u = RandomStreams(SEED).uniform((2, 2))
    f = wb.function([], u)
    f()
    rng = u.rng.get_value(borrow=True)
    rng.seed(89234)
    u.rng.set_value(rng, borrow=True)
    np.testing.assert_array_equal(f(), np.random.RandomState(89234).uniform(size=(2, 2)))


def test_all_streams_are_seeded_in_order() -> None:
    streams = RandomStreams(SEED)
    u, n = streams.uniform((2,)), streams.normal((2,))
    f = wb.function([], [u, n])
    first = f()
    streams.seed(902340)
    known = generators(902340)
    np.testing.assert_array_equal(f()[0], next(known).uniform(size=2))
    streams.seed(902340)
    f()
    third = streams.poisson((4,), 7.0)  # made later: the third of the new seed
    next(known)
    np.testing.assert_array_equal(wb.function([], third)(), next(known).poisson(7.0, 4))
    streams.seed()
    for again, before in zip(f(), first, strict=True):
        np.testing.assert_array_equal(again, before)


def test_a_state_is_put_back() -> None:
    u = RandomStreams(SEED).uniform((2,))
    f = wb.function([], u)
    nearly_zeros = wb.function([], u + u - 2 * u)
    state_after_v0 = u.rng.get_value().get_state()
    nearly_zeros()
    v1 = f()
    rng = u.rng.get_value(borrow=True)
    rng.set_state(state_after_v0)
    u.rng.set_value(rng, borrow=True)
    v2, v3 = f(), f()
    assert (v2 != v1).all()
    np.testing.assert_array_equal(v3, v1)


def test_states_are_copied_from_graph_to_graph() -> None:
    first, second = RandomStreams(123), RandomStreams(987)
    f1 = wb.function([], first.uniform((1,)))
    f2 = wb.function([], second.uniform((1,)))
    assert f1() != f2()
    for su1, su2 in zip(first.state_updates, second.state_updates, strict=True):
        su2[0].set_value(su1[0].get_value())
    assert f1() == f2()


def test_sizes_may_be_symbolic() -> None:
    x, n, sizes = T.matrix("x"), T.iscalar("n"), T.lvector("sizes")
    streams, known = RandomStreams(SEED), generators(SEED)
    made = [
        streams.uniform(x.shape),
        streams.uniform((n, x.shape[1])),
        streams.uniform(n),
        streams.uniform(sizes, ndim=2),
    ]
    assert [v.ndim for v in made] == [2, 2, 1, 2]
    results = wb.function([x, n, sizes], made)(np.zeros((3, 2)), 4, [2, 5])
    for result, shape in zip(results, ((3, 2), (4, 2), (4,), (2, 5)), strict=True):
        np.testing.assert_array_equal(result, next(known).uniform(size=shape))


def test_parameters_may_be_symbolic_and_broadcast() -> None:
    p, row, scale = T.matrix("p"), T.row("row"), T.scalar("scale")
    streams, known = RandomStreams(SEED), generators(SEED)
    made = [
        streams.binomial(size=p.shape, n=1, p=p, dtype=wb.config.floatX),
        streams.normal(avg=row, std=p + scale),
        streams.uniform(size=(4, 2, 3), low=-scale, high=row),
    ]
    f = wb.function([p, row, scale], made)
    rng = np.random.default_rng(0)
    pv, rv = rng.random((2, 3)), rng.random((1, 3)) + 1
    a, b, c = f(pv, rv, 0.5)
    np.testing.assert_array_equal(a, next(known).binomial(1, pv).astype(wb.config.floatX))
    np.testing.assert_array_equal(b, next(known).normal(rv, pv + 0.5))
    np.testing.assert_array_equal(c, next(known).uniform(-0.5, rv, (4, 2, 3)))


def test_rows_are_shuffled() -> None:
    x = T.tensor3("x")
    streams = RandomStreams(SEED)
    shuffled = streams.shuffle_row_elements(x)
    f = wb.function([x], shuffled)
    value = np.arange(24.0).reshape(2, 3, 4)
    result = f(value)
    r = next(generators(SEED))
    for i, j in np.ndindex(2, 3):
        np.testing.assert_array_equal(result[i, j], value[i, j][r.permutation(4)])
    vector = RandomStreams(SEED).shuffle_row_elements(np.arange(5))
    expected = next(generators(SEED)).permutation(5)
    np.testing.assert_array_equal(wb.function([], vector)(), expected)


def test_streams_are_pickled() -> None:
    streams = RandomStreams(SEED)
    u = streams.uniform((3,))
    f = wb.function([], u)
    f()
    copy, v = pickle.loads(pickle.dumps((streams, u)))
    assert copy.state_updates[0][0] is v.rng
    assert v.rng.default_update is v.owner.outputs[0]
    np.testing.assert_array_equal(wb.function([], v)(), f())
    np.testing.assert_array_equal(
        wb.function([], copy.normal((2,)))(), wb.function([], streams.normal((2,)))()
    )


def test_no_seed_is_another_seed_each_time() -> None:
    a, b = (wb.function([], RandomStreams().uniform((2,)))() for _ in range(2))
    assert (a != b).all()


def test_equal_draws_of_one_state_are_one_node() -> None:
    u = RandomStreams(SEED).uniform((2,))
    again = u.owner.op(*u.owner.inputs)[1]
    other = RandomStreams(SEED).uniform((2,))  # another state, though with the same words
    f = wb.function([], [u, again, other])
    draws = [n for n in f.maker.fgraph.toposort() if "Uniform" in str(n.op)]
    assert len(draws) == 2


def test_gen_takes_any_draw() -> None:
    from workbench.core.ops.random import Uniform

    streams = RandomStreams(SEED)
    u = streams.gen(Uniform("float64", (3,)), T.constant(0.0), T.constant(1.0), T.constant(3))
    expected = next(generators(SEED)).uniform(size=3)
    np.testing.assert_array_equal(wb.function([], u)(), expected)


def test_gradients_go_through_the_noise() -> None:
    """d/d avg is 1, d/d std is the standard number; for uniform numbers the place between."""
    avg, std = T.vector("avg"), T.scalar("std")
    streams, known = RandomStreams(SEED), generators(SEED)
    n = streams.normal(avg=avg, std=std)
    u = streams.uniform((2,), avg[0], std)
    f = wb.function([avg, std], [*T.grad(n.sum(), [avg, std]), *T.grad(u.sum(), [avg, std])])
    to_avg, to_std, to_low, to_high = f([1.0, 2.0], 3.0)
    noise, place = next(known).normal(size=2), next(known).uniform(size=2)
    np.testing.assert_array_equal(to_avg, [1, 1])
    np.testing.assert_allclose(to_std, noise.sum())
    np.testing.assert_allclose(to_low, [(1 - place).sum(), 0])
    np.testing.assert_allclose(to_high, place.sum())


def test_gradients_of_what_jumps_are_zero() -> None:
    p = T.vector("p")
    b = RandomStreams(SEED).binomial(p=p, dtype=wb.config.floatX)
    np.testing.assert_array_equal(wb.function([p], T.grad(b.sum(), p))([0.1, 0.9]), [0, 0])


def test_a_gradient_that_is_not_defined_says_so() -> None:
    a = T.scalar("a")
    streams = RandomStreams(SEED)
    with pytest.raises(TypeError, match="by its shape is not defined"):
        T.grad(streams.gamma((2,), a).sum(), a)
    with pytest.raises(TypeError, match="by its b is not defined"):
        T.grad(streams.beta((2,), 1.0, a).sum(), a)
    scale = T.grad(streams.gamma((2,), 2.0, a).sum(), a)
    assert wb.function([a], scale)(2.0) > 0


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "negative length": (lambda s: s.uniform((2, -1)), ValueError, "a length of -1"),
    "size of floats": (lambda s: s.uniform((2.5,)), TypeError, "integer scalar is needed"),
    "unknown rank": (lambda s: s.uniform(T.lvector()), ValueError, "give ndim="),
    "ndim against size": (lambda s: s.uniform((2, 3), ndim=1), ValueError, "ndim is 1"),
    "integers": (lambda s: s.uniform((2,), dtype="int32"), TypeError, "uniform of dtype 'int32'"),
    "no dtype": (lambda s: s.normal((2,), dtype="float99"), TypeError, "float99"),
    "complex": (lambda s: s.normal((2,), avg=1j), TypeError, "real numbers"),
    "text": (lambda s: s.normal((2,), avg="big"), TypeError, "avg is no number"),
    "complex variable": (lambda s: s.normal((2,), T.zvector()), TypeError, "loc is of"),
    "half a trial": (lambda s: s.binomial((2,), n=1.5), TypeError, "n is 1.5"),
    "float trials": (lambda s: s.binomial((2,), n=T.vector()), TypeError, "n is of"),
    "larger than the sample": (lambda s: s.normal((2,), T.matrix()), ValueError, "2 axes"),
    "lengths": (lambda s: s.normal((2,), np.zeros(3)), ValueError, "does not fill"),
    "scalar pvals": (lambda s: s.multinomial((2,), pvals=0.5), TypeError, "pvals is a scalar"),
    "matrix of p": (lambda s: s.choice((2,), p=np.ones((2, 2)) / 4), TypeError, "takes a vector"),
    "vector of n": (lambda s: s.permutation((2,), n=[2, 3]), TypeError, "takes a scalar"),
    "shuffled scalar": (lambda s: s.shuffle_row_elements(1.0), TypeError, "of a scalar"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_drawn(name: str) -> None:
    make, error, text = WRONG[name]
    with pytest.raises(error, match=text):
        make(RandomStreams(SEED))


REFUSED: dict[str, tuple[Any, str]] = {
    "p above 1": (lambda s, x: s.binomial((2,), p=x + 1), "p > 1"),
    "p of nan": (lambda s, x: s.binomial(p=T.stack([x, x * np.nan])), "NaNs"),
    "negative n": (lambda s, x: s.binomial((2,), n=T.cast(-x * 4, "int64")), "n < 0"),
    "negative scale": (lambda s, x: s.normal((2,), std=-x), "scale < 0"),
    "endless": (lambda s, x: s.uniform((2,), high=x * np.inf), "(?i)range exceeds"),
    "negative mean": (lambda s, x: s.poisson((2,), lam=-x), "lam < 0"),
    "huge mean": (lambda s, x: s.poisson((2,), lam=x * 1e30), "lam value too large"),
    "empty range": (lambda s, x: s.random_integers((2,), 3, T.cast(x, "int64")), "low >= high"),
    "negative size": (lambda s, x: s.normal((T.cast(-x * 4, "int64"),)), "negative dimensions"),
    "negative permutation": (lambda s, x: s.permutation(n=T.cast(-x * 4, "int64")), "less than"),
    "nothing to choose": (lambda s, x: s.choice((2,), T.cast(x, "int64")), "greater than 0"),
    "p of less than 1": (lambda s, x: s.choice((2,), p=T.stack([x, x / 2])), "sum to 1"),
    "too many": (lambda s, x: s.choice((3,), T.cast(4 * x, "int64"), False), "larger sample"),
    "sum above 1": (lambda s, x: s.multinomial(pvals=T.stack([x, x * 1.5, x])), "(?i)sum"),
    "no outcome": (lambda s, x: s.multinomial(pvals=T.stack([x, -x, x])), "pvals < 0"),
}


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_numpy_refuses_is_an_error_and_the_stream_stays(name: str, mode: str) -> None:
    make, text = REFUSED[name]
    x = T.dscalar("x")
    variable = make(RandomStreams(SEED), x)
    f = wb.function([x], variable, mode=mode)
    before = variable.rng.get_value(return_internal_type=True)
    with pytest.raises(RandomError, match=text) as caught:
        f(0.5)
    assert "made at" in str(caught.value)
    assert "test_streams.py" in str(caught.value)
    assert caught.value.advice in str(caught.value).splitlines()
    np.testing.assert_array_equal(before, variable.rng.get_value(return_internal_type=True))


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_a_parameter_of_another_length_is_an_error(mode: str) -> None:
    p = T.vector("p")
    f = wb.function([p], RandomStreams(SEED).binomial((3,), p=p), mode=mode)
    with pytest.raises(ValueError, match="does not fill"):
        f([0.5, 0.5])
    with pytest.raises(ValueError, match="does not fill"):
        f([0.5])  # of length 1, and not of a type that broadcasts


def test_float32_probabilities_may_add_up_to_a_rounding_more_than_one() -> None:
    p = np.array([[0.4, 0.6000001, 0.0], [0.2, 0.3, 0.5]], "float32")
    with pytest.raises(ValueError, match="sum"):
        np.random.RandomState(0).multinomial(1, p[0].astype("float64"))
    pvals = T.fmatrix("pvals")
    results = []
    for mode in ("FAST_RUN", "FAST_COMPILE"):
        f = wb.function([pvals], RandomStreams(SEED).multinomial((2,), 50, pvals), mode=mode)
        results.append(f(p))
    np.testing.assert_array_equal(*results)
    assert (results[0].sum(1) == 50).all()


def test_what_was_not_made_takes_no_seed() -> None:
    streams = RandomStreams(SEED)
    with pytest.raises(ValueError, match="2 axes"):
        streams.normal((2,), T.matrix())
    expected = next(generators(SEED)).normal(size=2)
    np.testing.assert_array_equal(wb.function([], streams.normal((2,)))(), expected)


def test_dtypes_of_counts() -> None:
    streams = RandomStreams(SEED)
    for dtype in ("int8", "uint32", "float32", "bool"):
        assert wb.function([], streams.binomial((4,), dtype=dtype))().dtype == dtype
    with pytest.raises(DtypeError):
        streams.binomial((4,), dtype="complex64")
