"""RandomStreams: NumPy's own numbers, with each parameter."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.agreeing import equal, keep, raises
from tests.reference.proofs import proves
from tests.reference.signatures_tensor import DRAWS
from workbench.theano.tensor.shared_randomstreams import RandomStreams

STREAMS = "theano.tensor.shared_randomstreams.RandomStreams"
SEED = 234


def numpys(count: int = 1, seed: int = SEED) -> np.random.RandomState:
    """The generator of the count-th variable of streams of this seed."""
    seeds = np.random.RandomState(seed)
    found = [int(seeds.randint(2**30)) for _ in range(count)]
    return np.random.RandomState(found[-1])


def drawn(name: str, *args: Any, **options: Any) -> Any:
    """The first draw of a method."""
    return theano.function([], getattr(RandomStreams(SEED), name)(*args, **options))()


@proves(f"{STREAMS}.uniform", "size", "low", "high", "dtype", "ndim")
@proves(f"{STREAMS}.normal", "size", "avg", "std", "dtype", "ndim")
def numbers_of_a_real_kind() -> None:
    equal(drawn("uniform", (2, 3)), numpys().uniform(size=(2, 3)))
    equal(drawn("uniform", size=4, low=-1, high=5), numpys().uniform(-1, 5, 4))
    equal(drawn("normal", (2, 3)), numpys().normal(size=(2, 3)))
    equal(drawn("normal", size=(4,), avg=3.0, std=0.1), numpys().normal(3, 0.1, 4))
    centres = np.array([[0.0], [100.0]])
    equal(drawn("normal", (2, 3), centres), numpys().normal(centres, size=(2, 3)))
    equal(
        drawn("uniform", None, np.zeros(3), np.array([1.0, 2, 3])), numpys().uniform(0, [1, 2, 3])
    )
    for name in ("uniform", "normal"):
        assert drawn(name, (2,)).dtype == "float64"
        assert drawn(name, (2,), dtype="float32").dtype == "float32"
        with theano.configparser.change_flags(floatX="float32"):
            assert drawn(name, (2,)).dtype == "float32"
        size = T.lvector()
        sample = getattr(RandomStreams(SEED), name)(size, ndim=2)
        assert sample.ndim == 2
        equal(theano.function([size], sample)([2, 3]), getattr(numpys(), name)(size=(2, 3)))
        raises(
            (TypeError, ValueError), "ndim", lambda n=name, s=size: getattr(RandomStreams(1), n)(s)
        )


@proves(f"{STREAMS}.binomial", "size", "n", "p", "prob", "dtype", "ndim")
@proves(f"{STREAMS}.random_integers", "size", "low", "high", "dtype", "ndim")
@proves(f"{STREAMS}.poisson", "size", "lam", "dtype", "ndim")
def numbers_that_are_counted() -> None:
    equal(drawn("binomial", (9,)), numpys().binomial(1, 0.5, 9))
    equal(drawn("binomial", (9,), n=7, p=0.2), numpys().binomial(7, 0.2, 9))
    equal(drawn("binomial", (9,), 7, prob=0.9), numpys().binomial(7, 0.9, 9))
    equal(drawn("random_integers", (9,)), numpys().randint(0, 2, 9))
    equal(drawn("random_integers", (9,), low=-3, high=3), numpys().randint(-3, 4, 9))
    assert drawn("random_integers", (99,), 0, 2).max() == 2
    equal(drawn("poisson", (9,)), numpys().poisson(1.0, 9))
    equal(drawn("poisson", (9,), lam=20.0), numpys().poisson(20.0, 9))
    size = T.lvector()
    for name in ("binomial", "random_integers", "poisson"):
        assert drawn(name, (2,)).dtype == "int64"
        assert drawn(name, (2,), dtype="int32").dtype == "int32"
        assert getattr(RandomStreams(1), name)(size, ndim=3).ndim == 3
        raises(
            (TypeError, ValueError), "ndim", lambda n=name, s=size: getattr(RandomStreams(1), n)(s)
        )


@proves(f"{STREAMS}.choice", "size", "a", "replace", "p", "dtype", "ndim")
def choices() -> None:
    equal(drawn("choice", (9,)), numpys().choice(2, 9))
    equal(drawn("choice", (9,), a=5), numpys().choice(5, 9))
    equal(drawn("choice", (5,), 5, replace=False), numpys().choice(5, 5, replace=False))
    weights = np.array([0.1, 0.0, 0.9])
    equal(drawn("choice", (9,), 3, p=weights), numpys().choice(3, 9, p=weights))
    assert drawn("choice", (2,)).dtype == "int64"
    assert drawn("choice", (2,), dtype="int8").dtype == "int8"
    size = T.lvector()
    assert RandomStreams(1).choice(size, ndim=2).ndim == 2
    raises((TypeError, ValueError), "ndim", lambda: RandomStreams(1).choice(size))


@proves(f"{STREAMS}.permutation", "size", "n", "dtype", "ndim")
@proves(f"{STREAMS}.multinomial", "size", "n", "pvals", "dtype", "ndim")
def numbers_in_rows() -> None:
    equal(drawn("permutation", n=6), numpys().permutation(6))
    state = numpys()
    equal(drawn("permutation", (2,), 6), np.array([state.permutation(6) for _ in range(2)]))
    equal(drawn("multinomial", (4,)), numpys().multinomial(1, [0.5, 0.5], 4))
    p = [0.2, 0.3, 0.5]
    equal(drawn("multinomial", (4,), n=20, pvals=p), numpys().multinomial(20, p, 4))
    size = T.lvector()
    for name in ("permutation", "multinomial"):
        assert drawn(name, (2,), 3).dtype == "int64"
        assert drawn(name, (2,), 3, dtype="int32").dtype == "int32"
        assert getattr(RandomStreams(1), name)(size, ndim=1).ndim == 2
        raises(
            (TypeError, ValueError), "ndim", lambda n=name, s=size: getattr(RandomStreams(1), n)(s)
        )


@proves(f"{STREAMS}.shuffle_row_elements", "input")
def rows_in_random_order() -> None:
    rows = np.arange(12).reshape(3, 4)
    state = numpys()
    wanted = np.array([row[state.permutation(4)] for row in rows])
    equal(drawn("shuffle_row_elements", rows), wanted)


@proves(STREAMS, "seed")
@proves(f"{STREAMS}.seed", "seed")
@proves("random streams", "exact numbers")
def seeds() -> None:
    """The k-th variable draws from the k-th seed; seed starts all of them anew."""
    streams = RandomStreams(seed=SEED)
    first, second = streams.uniform((3,)), streams.normal((3,))
    f = theano.function([], [first, second])
    equal(f(), [numpys(1).uniform(size=3), numpys(2).normal(size=3)])
    f()
    streams.seed(99)
    equal(f(), [numpys(1, 99).uniform(size=3), numpys(2, 99).normal(size=3)])
    streams.seed()
    equal(f(), [numpys(1).uniform(size=3), numpys(2).normal(size=3)])
    different = [theano.function([], RandomStreams().uniform((3,)))() for _ in range(2)]
    assert (different[0] != different[1]).all()


@proves(f"{STREAMS}.updates", "")
@proves(f"{STREAMS}.gen", "op", "args", "kwargs")
@proves("random streams", "rng and update")
def updates_of_streams() -> None:
    streams = RandomStreams(SEED)
    u = streams.uniform((2,))
    rng, new = u.update
    assert u.rng is rng
    assert rng.default_update is new
    assert streams.updates() == [(rng, new)] == streams.state_updates

    def doubled(state: Any, size: Any, scale: float = 1.0) -> Any:
        node = u.owner.op(state, *u.owner.inputs[1:3], *size)
        return node[0], node[1] * scale

    made = streams.gen(doubled, [T.constant(2, dtype="int64")], scale=2.0)
    equal(theano.function([], made)(), 2 * numpys(2).uniform(size=2))
    assert len(streams.updates()) == 2


@proves("random streams", "a draw is shared", "no_default_updates", "set_value")
def streams_in_functions() -> None:
    u = RandomStreams(SEED).uniform((2,))
    assert abs(theano.function([], u + u - 2 * u)()).max() == 0
    frozen = theano.function([], u, no_default_updates=True)
    equal(frozen(), frozen())
    f = theano.function([], u)
    assert (f() != f()).all()
    u.rng.set_value(np.random.RandomState(902340))
    equal(f(), np.random.RandomState(902340).uniform(size=2))
    held = u.rng.get_value(borrow=False)
    ahead = f()
    u.rng.set_value(held, borrow=True)
    equal(f(), ahead)


def _from_a_state(name: str) -> None:
    options: dict[str, Any] = {"permutation": {"n": 5}, "choice": {"a": 9}}.get(name, {})

    def proof() -> None:
        state = theano.shared(np.random.RandomState(3))
        new, sample = getattr(T.raw_random, name)(state, (4,), **options)
        f = theano.function([], sample, updates=[(state, new)])
        numpy = np.random.RandomState(3)
        wanted: Any = {
            "random_integers": lambda: numpy.randint(0, 2, 4),
            "binomial": lambda: numpy.binomial(1, 0.5, 4),
            "permutation": lambda: np.array([numpy.permutation(5) for _ in range(4)]),
            "multinomial": lambda: numpy.multinomial(1, [0.5, 0.5], 4),
            "choice": lambda: numpy.choice(9, 4),
        }.get(name, lambda: getattr(numpy, name)(size=4))
        equal([f(), f()], [wanted(), wanted()])

    keep(f"T.raw_random.{name}", "random_state", proof)


for _name in DRAWS:
    _from_a_state(_name)
