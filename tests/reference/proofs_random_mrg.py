"""MRG_RandomStreams, with each parameter, by what their numbers are distributed like."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.agreeing import equal, raises
from tests.reference.proofs import proves
from workbench.theano.sandbox.rng_mrg import MRG_RandomStreams

MRG = "theano.sandbox.rng_mrg.MRG_RandomStreams"
MANY = (4000,)
PVALS = np.array([[0.1, 0.2, 0.7], [0.6, 0.4, 0.0]])


def drawn(name: str, *args: Any, **options: Any) -> Any:
    """A draw of a method, always from the same seed."""
    return theano.function([], getattr(MRG_RandomStreams(7), name)(*args, **options))()


def like(sample: Any, distribution: Any) -> None:
    """Kolmogorov and Smirnov do not say that the sample is of another distribution."""
    assert stats.kstest(np.ravel(sample), distribution.cdf).pvalue > 1e-3


@proves(f"{MRG}.uniform", "size", "low", "high")
@proves(f"{MRG}.normal", "size", "avg", "std", "truncate")
@proves(f"{MRG}.truncated_normal", "size", "avg", "std")
def distributions_of_reals() -> None:
    like(drawn("uniform", MANY), stats.uniform())
    like(drawn("uniform", MANY, low=-1.0, high=3.0), stats.uniform(-1, 4))
    like(drawn("normal", MANY), stats.norm())
    like(drawn("normal", MANY, avg=5.0, std=2.0), stats.norm(5, 2))
    for sample in (
        drawn("truncated_normal", MANY, avg=5.0, std=2.0),
        drawn("normal", MANY, avg=5.0, std=2.0, truncate=True),
    ):
        like(sample, stats.truncnorm(-2, 2, 5, 2))
        assert abs(sample - 5).max() <= 4
    assert drawn("uniform", (2, 3, 4)).shape == (2, 3, 4)


@proves(f"{MRG}.uniform", "ndim", "dtype", "nstreams")
@proves(f"{MRG}.normal", "ndim", "dtype", "nstreams")
@proves(f"{MRG}.truncated_normal", "ndim", "dtype", "nstreams")
@proves(f"{MRG}.binomial", "ndim", "dtype", "nstreams")
@proves(f"{MRG}.choice", "ndim", "dtype", "nstreams")
def what_every_method_takes() -> None:
    size = T.lvector()
    for name in ("uniform", "normal", "truncated_normal", "binomial", "choice"):
        whole = name in ("binomial", "choice")
        extra = {"a": 5} if name == "choice" else {}
        dtype, other = ("int64", "int32") if whole else ("float64", "float32")
        assert drawn(name, (3,), **extra).dtype == dtype
        assert drawn(name, (3,), dtype=other, **extra).dtype == other
        method = getattr(MRG_RandomStreams(7), name)
        sample = method(size, ndim=2, **extra)
        assert theano.function([size], sample)([2, 3]).shape == (2, 3)
        raises((TypeError, ValueError), "ndim", lambda f=method, e=extra: f(size, **e))
        few = method((60,), nstreams=2, **extra)
        assert few.rng.get_value().shape == (2, 6)
        raises(
            ValueError,
            "nstreams",
            lambda f=method, e=extra: f((60,), nstreams=0, **e),
        )


@proves(f"{MRG}.binomial", "size", "n", "p", "prob")
@proves(f"{MRG}.choice", "size", "a", "replace", "p")
def counts_and_choices() -> None:
    assert abs(drawn("binomial", MANY).mean() - 0.5) < 0.05
    assert abs(drawn("binomial", MANY, p=0.9).mean() - 0.9) < 0.03
    assert abs(drawn("binomial", MANY, prob=0.1).mean() - 0.1) < 0.03
    ten = drawn("binomial", MANY, n=10, p=0.3)
    assert ten.max() > 5
    assert abs(ten.mean() - 3) < 0.1
    chosen = drawn("choice", size=MANY, a=4)
    assert abs(np.bincount(chosen) / 4000 - 0.25).max() < 0.04
    weighted = drawn("choice", MANY, a=3, p=PVALS[0])
    assert abs(np.bincount(weighted) / 4000 - PVALS[0]).max() < 0.04
    once = drawn("choice", size=4, a=4, replace=False, p=np.full(4, 0.25))
    assert sorted(once.ravel()) == [0, 1, 2, 3]


@proves(f"{MRG}.multinomial", "size", "n", "pvals", "ndim", "dtype", "nstreams")
@proves(f"{MRG}.multinomial_wo_replacement", "size", "n", "pvals", "ndim", "dtype", "nstreams")
def rows_of_outcomes() -> None:
    """The shape is that of the probabilities, whatever size and ndim say."""
    rows = np.repeat(PVALS, 2000, axis=0)
    one = drawn("multinomial", size=None, pvals=rows, ndim=None)
    assert one.shape == (4000, 3)
    assert (one.sum(1) == 1).all()
    assert abs(one[:2000].mean(0) - PVALS[0]).max() < 0.05
    assert abs(one[2000:].mean(0) - PVALS[1]).max() < 0.05
    assert (drawn("multinomial", n=7, pvals=PVALS).sum(1) == 7).all()
    equal(drawn("multinomial", (2,), pvals=PVALS, ndim=1), drawn("multinomial", pvals=PVALS))
    two = drawn("multinomial_wo_replacement", None, n=2, pvals=PVALS)
    assert two.shape == (2, 2)
    assert sorted(two[1]) == [0, 1]
    equal(two, drawn("multinomial_wo_replacement", (2,), n=2, pvals=PVALS, ndim=1))
    for name in ("multinomial", "multinomial_wo_replacement"):
        assert drawn(name, pvals=PVALS).dtype == "int64"
        assert drawn(name, pvals=PVALS, dtype="int32").dtype == "int32"
        method = getattr(MRG_RandomStreams(7), name)
        assert method(pvals=PVALS, nstreams=3).rng.get_value().shape == (3, 6)
        raises(ValueError, "probabilities", lambda f=method: f(n=1))


@proves(MRG, "seed", "use_cuda")
@proves(f"{MRG}.seed", "seed")
@proves(f"{MRG}.set_rstate", "seed")
@proves(f"{MRG}.updates", "")
def seeds_of_many_streams() -> None:
    streams = MRG_RandomStreams(seed=5, use_cuda=False)
    u = streams.uniform((4,))
    assert streams.updates() == [u.update]
    f = theano.function([], u)
    first, second = f(), f()
    assert (first != second).all()
    streams.seed(5)
    equal(f(), first)
    streams.seed(6)
    other = f()
    assert (other != first).all()
    streams.seed()  # from the first seed
    equal(f(), first)
    assert (theano.function([], MRG_RandomStreams(6).uniform((4,)))() == other).all()
    assert (theano.function([], MRG_RandomStreams(use_cuda=None).uniform((4,)))() != first).all()
    anew = MRG_RandomStreams(1)
    anew.set_rstate(5)
    equal(theano.function([], anew.uniform((4,)))(), first)


@proves(f"{MRG}.inc_rstate", "")
@proves(f"{MRG}.get_substream_rstates", "n_streams", "dtype", "inc_rstate")
def states_of_streams() -> None:
    one, two = MRG_RandomStreams(5), MRG_RandomStreams(5)
    states = one.get_substream_rstates(3, "float32", inc_rstate=False)
    assert states.shape == (3, 6)
    equal(one.get_substream_rstates(n_streams=3, dtype="float64"), states)
    assert (one.get_substream_rstates(3, "float64")[0] != states[0]).any()
    two.inc_rstate()
    assert (two.get_substream_rstates(1, "float32")[0] != states[0]).any()
