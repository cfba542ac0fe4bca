"""Samples: draws. What they should give is asked of NumPy's RandomState."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from workbench.core.ops import random, random_rows
from workbench.core.random.state import words
from workbench.core.samples.declare import Sample, numbers, of

REPLACED = "drawing by weights without replacement begins anew where a number comes twice"


def _sample(
    name: str,
    kind: type[random.Draw],
    parameters: tuple[Any, ...],
    size: tuple[int, ...],
    draw: Callable[..., Any],
    dtype: str = "",
    smooth: tuple[int, ...] = (),
    native: str = "",
    options: tuple[Any, ...] = (),
    more: int = 0,
    seed: int = 5,
) -> Sample:
    """A use of a draw: `draw(rng, *parameters, size)` is NumPy's. `more` axes come after the
    size's; `smooth` counts parameters.
    """
    given = tuple(map(np.asarray, parameters))
    dtype = dtype or kind.drawn
    op = kind(dtype, (None,) * (len(size) + more), *options)

    def reference(state: Any, *rest: Any) -> Any:
        rng = np.random.RandomState(seed)
        rng.normal()  # a second normal number is kept
        sample = draw(rng, *given, size)
        return [words(rng), np.asarray(sample).astype(dtype)]

    start = np.random.RandomState(seed)
    start.normal()
    arrays = (words(start), *given, *(np.array(n) for n in size))
    slopes = tuple(i + 1 for i in smooth)
    return Sample(name, op, arrays, reference, 0, slopes, native)


def _floats(
    kind: type[random.Draw],
    parameters: tuple[float, ...],
    smooth: tuple[int, ...] = (),
) -> Iterator[Sample]:
    """A continuous distribution with scalar and array parameters."""

    def draw(rng: Any, *given: Any) -> Any:
        return getattr(rng, kind.method)(*given)

    count = len(parameters)
    arrays = tuple(value + np.arange(4) / 7 for value in parameters)
    yield _sample("scalars", kind, parameters, (3, 4), draw, smooth=smooth)
    yield _sample("float32", kind, parameters, (5,), draw, "float32")
    yield _sample("a number", kind, parameters, (), draw, smooth=smooth)
    yield _sample("nothing", kind, parameters, (0, 3), draw)
    yield _sample("many", kind, parameters, (1500,), draw)
    yield _sample("arrays", kind, arrays, (3, 4), draw, smooth=smooth)
    if count == 2:
        mixed = (arrays[0].astype("float32"), parameters[1])
        yield _sample("array and scalar", kind, mixed, (4,), draw)


@of(random.Uniform)
def _uniform() -> Iterator[Sample]:
    yield from _floats(random.Uniform, (-0.5, 2.0), (0, 1))
    yield _sample("integers", random.Uniform, (-3, 4), (5,), lambda g, a, b, n: g.uniform(a, b, n))


@of(random.Normal)
def _normal() -> Iterator[Sample]:
    yield from _floats(random.Normal, (0.5, 2.0), (0, 1))


@of(random.LogNormal)
def _lognormal() -> Iterator[Sample]:
    yield from _floats(random.LogNormal, (0.5, 0.4), (0, 1))


@of(random.Exponential)
def _exponential() -> Iterator[Sample]:
    yield from _floats(random.Exponential, (1.5,), (0,))


@of(random.Laplace)
def _laplace() -> Iterator[Sample]:
    yield from _floats(random.Laplace, (0.5, 2.0), (0, 1))


@of(random.Logistic)
def _logistic() -> Iterator[Sample]:
    yield from _floats(random.Logistic, (0.5, 2.0), (0, 1))


@of(random.Gumbel)
def _gumbel() -> Iterator[Sample]:
    yield from _floats(random.Gumbel, (0.5, 2.0), (0, 1))


@of(random.ChiSquare)
def _chisquare() -> Iterator[Sample]:
    yield from _floats(random.ChiSquare, (1.5,))
    yield from _floats(random.ChiSquare, (7.0,))


@of(random.Gamma)
def _gamma() -> Iterator[Sample]:
    yield from _floats(random.Gamma, (0.7, 2.0))
    shapes = np.array([0.0, 1e-3, 0.2, 0.9, 1.0, 1.1, 3.0, 1e4])

    def draw(rng: Any, shape: Any, scale: Any, size: Any) -> Any:
        return rng.gamma(shape, scale, size)

    yield _sample("shapes", random.Gamma, (shapes, 1.5), (200, 8), draw)


@of(random.Beta)
def _beta() -> Iterator[Sample]:
    yield from _floats(random.Beta, (0.7, 2.0))
    a = np.array([1e-4, 0.1, 0.5, 1.0, 1.0, 2.0, 50.0])

    def draw(rng: Any, a: Any, b: Any, size: Any) -> Any:
        return rng.beta(a, b, size)

    yield _sample("shapes", random.Beta, (a, a[::-1].copy()), (200, 7), draw)
    yield _sample("small", random.Beta, (1e-4, 2e-4), (200,), draw)


@of(random.Binomial)
def _binomial() -> Iterator[Sample]:
    def draw(rng: Any, n: Any, p: Any, size: Any) -> Any:
        return rng.binomial(n, p, size)

    kind = random.Binomial
    p = np.array([0.0, 1e-12, 0.1, 0.5, 0.7, 1 - 1e-12, 1.0])
    for n in (0, 1, 2, 40, 100, 3000, 10**9):
        yield _sample(f"n={n}", kind, (n, p), (9, 7), draw)
        yield _sample(f"n={n}, p=0.3", kind, (n, 0.3), (40,), draw)
    yield _sample("floats", kind, (1, p.astype("float32")), (7,), draw, "float32")
    yield _sample("a number", kind, (1, 0.4), (), draw)
    yield _sample("many", kind, (1, 0.4), (2000,), draw)
    trials = np.array([[3], [70]], "int32")
    yield _sample("arrays", kind, (np.tile(trials, 7), p), (2, 7), draw)


@of(random.Poisson)
def _poisson() -> Iterator[Sample]:
    def draw(rng: Any, lam: Any, size: Any) -> Any:
        return rng.poisson(lam, size)

    lam = np.array([0.0, 1e-9, 0.5, 9.9, 10.0, 33.0, 1e6])
    yield _sample("array", random.Poisson, (lam,), (30, 7), draw)
    yield _sample("scalar", random.Poisson, (12.5,), (50,), draw, "float32")


@of(random.RandomIntegers)
def _random_integers() -> Iterator[Sample]:
    def draw(rng: Any, low: Any, high: Any, size: Any) -> Any:
        return rng.randint(low, high.astype(object) + 1, size, "int64")

    kind = random.RandomIntegers
    spans = (0, 1, 6, 255, 1 << 20, (1 << 32) - 2, (1 << 32) - 1, 1 << 32, (1 << 62) + 5)
    for span in spans:
        yield _sample(f"{span} above -3", kind, (-3, span - 3), (20,), draw)
    whole = np.iinfo("int64")
    yield _sample("all integers", kind, (whole.min, whole.max), (6,), draw)
    yield _sample("many", kind, (0, 9), (700, 2), draw, "float64")
    yield _sample("a number", kind, (np.array(2, "int8"), 9), (), draw, "int8")
    highs = np.array([1, 7, 1 << 40])
    yield _sample("arrays", kind, (np.array([0, -7, 3]), highs), (5, 3), draw)


@of(random_rows.Permutation)
def _permutation() -> Iterator[Sample]:
    def draw(rng: Any, n: Any, size: Any) -> Any:
        rows = [rng.permutation(int(n)) for _ in range(int(np.prod(size)))]
        return np.array(rows, "int64").reshape((*size, int(n)))

    for n in (0, 1, 2, 7, 300):
        yield _sample(f"n={n}", random_rows.Permutation, (n,), (2, 3), draw, more=1)
    yield _sample("one", random_rows.Permutation, (6,), (), draw, "float32", more=1)


@of(random_rows.Choice)
def _choice() -> Iterator[Sample]:
    for replace in (True, False):
        yield _sample(
            f"replace={replace}",
            random_rows.Choice,
            (9,),
            (2, 4),
            lambda g, a, n, replace=replace: g.choice(int(a), n, replace),
            "int64" if replace else "float32",
            options=(replace,),
        )


@of(random_rows.WeightedChoice)
def _weighted_choice() -> Iterator[Sample]:
    p = np.array([0.3, 0.0, 0.2, 0.5])
    for replace, why in ((True, ""), (False, REPLACED)):
        yield _sample(
            f"replace={replace}",
            random_rows.WeightedChoice,
            (p,),
            (30,) if replace else (3,),
            lambda g, p, n, replace=replace: g.choice(len(p), n, replace, p),
            options=(replace,),
            native=why,
        )


@of(random_rows.Multinomial)
def _multinomial() -> Iterator[Sample]:
    def draw(rng: Any, n: Any, pvals: Any, size: Any) -> Any:
        k = pvals.shape[-1]
        rows = np.broadcast_to(pvals, (*size, k)).reshape(-1, k)
        counts = np.broadcast_to(n, size).ravel()
        drawn = [rng.multinomial(c, row) for c, row in zip(counts, rows, strict=True)]
        return np.array(drawn, "int64").reshape((*size, k))

    p = np.array([0.3, 0.0, 0.2, 0.5])
    rows = np.abs(numbers(3, 4)) + 0.1
    rows /= rows.sum(1, keepdims=True)
    kind = random_rows.Multinomial
    for n in (0, 1, 30, 400):
        yield _sample(f"n={n}", kind, (n, p), (5,), draw, more=1)
    yield _sample("rows", kind, (1, rows), (2, 3), draw, "float32", more=1)
    yield _sample("one", kind, (3, p), (), draw, more=1)
    yield _sample("numbers of trials", kind, (np.array([4, 0, 9]), rows), (3,), draw, more=1)
