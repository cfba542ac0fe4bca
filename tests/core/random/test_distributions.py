"""A million draws have the distribution they should have: of both kinds of streams, interpreted and
native, in a loop and outside.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats

import workbench as wb
from workbench.tensor.random import CounterStreams, MRG_RandomStreams, RandomStreams

COUNT = 1_000_000
STEPS = 50
KINDS = [RandomStreams, MRG_RandomStreams, CounterStreams]


def sample(variable: Any, loop: bool, mode: str) -> Any:
    if not loop:
        return wb.function([], variable, mode=mode)()
    rows, updates = wb.scan(lambda: variable, n_steps=STEPS)
    return wb.function([], rows, updates=updates, mode=mode)().ravel()


def size(loop: bool) -> tuple[int]:
    return (COUNT // STEPS if loop else COUNT,)


def distance(numbers: Any, cdf: Any) -> float:
    """The statistic of Kolmogorov and Smirnov, times √n: above 1.95 once in a thousand times."""
    steps = cdf(np.sort(numbers))
    n = len(numbers)
    above = np.arange(1, n + 1) / n - steps
    return float(np.sqrt(n) * max(above.max(), (steps - np.arange(n) / n).max()))


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("kind", KINDS)
class TestDistribution:
    def test_uniform(self, kind: Any, loop: bool, mode: str) -> None:
        numbers = sample(kind(17).uniform(size(loop), -1.0, 3.0, dtype="float64"), loop, mode)
        assert numbers.shape == (COUNT,)
        assert distance(numbers, lambda x: (x + 1) / 4) < 1.95
        pairs, _, _ = np.histogram2d(numbers[:-1], numbers[1:], 16)  # neighbours are independent
        assert scipy.stats.chisquare(pairs.ravel()).pvalue > 1e-3

    def test_normal(self, kind: Any, loop: bool, mode: str) -> None:
        numbers = sample(kind(17).normal(size(loop), 1.0, 2.0, dtype="float64"), loop, mode)
        assert distance(numbers, scipy.stats.norm(1, 2).cdf) < 1.95
        assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 4e-3

    def test_binomial(self, kind: Any, loop: bool, mode: str) -> None:
        streams = kind(17)
        for n, p in ((1, 0.3), (12, 0.6)):
            counts = np.bincount(sample(streams.binomial(size(loop), n, p), loop, mode))
            expected = scipy.stats.binom(n, p).pmf(np.arange(n + 1)) * COUNT
            assert scipy.stats.chisquare(counts, expected).pvalue > 1e-3


def test_other_distributions() -> None:
    s = RandomStreams(17)
    for variable, cdf in (
        (s.exponential((COUNT,), 2.0), scipy.stats.expon(scale=2).cdf),
        (s.laplace((COUNT,), 1.0, 0.5), scipy.stats.laplace(1, 0.5).cdf),
        (s.lognormal((COUNT,), 0.5, 0.25), scipy.stats.lognorm(0.25, scale=np.exp(0.5)).cdf),
    ):
        assert distance(wb.function([], variable)(), cdf) < 1.95


def check_counts(variable: Any, expected: Any) -> None:
    numbers = wb.function([], variable)()
    counts = np.bincount(numbers, minlength=len(expected))[: len(expected)]
    wanted = expected * counts.sum() / expected.sum()
    assert scipy.stats.chisquare(counts, wanted).pvalue > 1e-3, variable


SHARES = np.array([0.1, 0.2, 0.3, 0.4])
FEW = 30_000


def test_other_counts() -> None:
    s = RandomStreams(17)
    check_counts(s.poisson((COUNT,), 3.0), scipy.stats.poisson(3).pmf(np.arange(12)))
    check_counts(s.random_integers((COUNT,), 0, 9), np.full(10, 0.1))
    check_counts(s.choice((COUNT,), p=SHARES), SHARES)
    check_counts(s.multinomial((FEW,), pvals=SHARES).argmax(-1), SHARES)
    check_counts(s.permutation((FEW,), 10)[:, 3], np.full(10, 0.1))


@pytest.mark.parametrize("kind", [MRG_RandomStreams, CounterStreams])
def test_counts_made_of_uniform_numbers(kind: Any) -> None:
    s, rows = kind(17), np.tile(SHARES, (FEW, 1))
    check_counts(s.choice((COUNT,), p=SHARES), SHARES)
    check_counts(s.choice((COUNT,), 10), np.full(10, 0.1))
    check_counts(s.multinomial(pvals=rows).argmax(-1), SHARES)
    check_counts(s.multinomial_wo_replacement(pvals=rows)[:, 0], SHARES)


def test_bits() -> None:
    """Every byte of raw words is as likely as any other."""
    for dtype in ("uint32", "uint64"):
        drawn = wb.function([], CounterStreams(17).bits((COUNT // 4,), dtype=dtype))()
        for byte in drawn.view("uint8").reshape(COUNT // 4, -1).T:
            assert scipy.stats.chisquare(np.bincount(byte, minlength=256)).pvalue > 1e-3
