"""`RandomStreams`: variables that are drawn anew with every call, number for number as NumPy's
`RandomState` draws them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Variable
from workbench.core.ops import random as draws
from workbench.core.ops import random_rows as rows
from workbench.core.ops.scalars import cast
from workbench.core.ops.shape import dimension, shape_tuple, static_int
from workbench.core.random.arguments import check_dtype, lengths_of, real, whole
from workbench.core.random.state import RandomStateSharedVariable, shared_state
from workbench.core.random.variable import RandomVariable, Update, drawn
from workbench.core.types import as_tensor, tensor_type, wider_than_half
from workbench.errors import RankError

Size = Any  # None, an int, a sequence of ints and integer scalars, or a vector variable
Parameter = Any  # a number, an array or a variable


class RandomStreams:
    """Makes random variables, each with a stream of its own.

    The k-th variable draws from `numpy.random.RandomState(g.randint(2**30))`, where g is
    `RandomState(seed)` and k calls of it have been made: the same seed and the same order of
    variables give the same numbers, and they are NumPy's own.

    A variable's `rng` is a shared variable with the state of its stream, which every call of a
    function that reads it advances; two uses in one function share the draw. `size` is None, an
    int, a sequence of ints and integer scalars, or a vector variable (with `ndim` where its length
    is not known); None is the shape of the parameters together. Parameters may be arrays and
    variables: they broadcast. Raises RandomError, DtypeError or ShapeError where these do not fit.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.default_seed = seed
        self.state_updates: list[Update] = []
        self._seeds = np.random.RandomState(seed)

    @property
    def random_state_variables(self) -> list[RandomStateSharedVariable]:
        """The states of the streams, in the order in which their variables were made."""
        return [rng for rng, _ in self.state_updates]  # type: ignore[misc]  # gen made them

    def updates(self) -> list[Update]:
        """Pairs (state, state after a draw) of all streams."""
        return list(self.state_updates)

    def seed(self, seed: int | None = None) -> None:
        """Start every stream anew, in the order of creation; None: from the first seed."""
        self._seeds = np.random.RandomState(self.default_seed if seed is None else seed)
        for rng in self.random_state_variables:
            rng.set_value(self._new_state(), borrow=True)

    def _new_state(self) -> np.random.RandomState:
        return np.random.RandomState(int(self._seeds.randint(2**30)))

    def gen(
        self,
        op: Callable[..., tuple[Variable, Variable]],
        *args: Any,
        **kwargs: Any,
    ) -> RandomVariable:
        """A variable with a new stream: op(rng, *args, **kwargs) gives (the state after the draw,
        the sample).
        """
        seeds = self._seeds.get_state()
        rng = shared_state(self._new_state(), f"rng{len(self.state_updates)}", borrow=True)
        try:
            new, sample = op(rng, *args, **kwargs)
        except Exception:
            self._seeds.set_state(seeds)  # what was not made takes no seed from what follows
            raise
        rng.default_update = new
        self.state_updates.append((rng, new))
        return drawn(sample, (rng, new))

    def _draw(
        self,
        kind: type[draws.Draw],
        parameters: Sequence[Variable],
        lengths: Sequence[Variable],
        dtype: str,
        tail: Sequence[Any] = (),
        *options: Any,
    ) -> RandomVariable:
        static = [static_int(n) for n in lengths]
        static += [n if isinstance(n, int) else static_int(n) for n in tail]
        made = kind(wider_than_half(dtype), tuple(static), *options)
        sample = self.gen(made, *parameters, *lengths)
        return sample if made.dtype == dtype else drawn(cast(sample, dtype), sample.update)

    def uniform(
        self,
        size: Size = None,
        low: Parameter = 0.0,
        high: Parameter = 1.0,
        ndim: int | None = None,
        dtype: str = "floatX",
    ) -> RandomVariable:
        """Numbers from low to high, without high."""
        return self._floats(draws.Uniform, size, ndim, dtype, low=low, high=high)

    def normal(
        self,
        size: Size = None,
        avg: Parameter = 0.0,
        std: Parameter = 1.0,
        ndim: int | None = None,
        dtype: str = "floatX",
    ) -> RandomVariable:
        """Normal numbers of mean avg and standard deviation std."""
        return self._floats(draws.Normal, size, ndim, dtype, avg=avg, std=std)

    def lognormal(
        self,
        size: Size = None,
        mean: Parameter = 0.0,
        sigma: Parameter = 1.0,
        ndim: int | None = None,
        dtype: str = "floatX",
    ) -> RandomVariable:
        """Numbers whose logarithms are normal."""
        return self._floats(draws.LogNormal, size, ndim, dtype, mean=mean, sigma=sigma)

    def exponential(
        self,
        size: Size = None,
        scale: Parameter = 1.0,
        ndim: int | None = None,
        dtype: str = "floatX",
    ) -> RandomVariable:
        """Exponential numbers of mean scale."""
        return self._floats(draws.Exponential, size, ndim, dtype, scale=scale)

    def laplace(
        self,
        size: Size = None,
        loc: Parameter = 0.0,
        scale: Parameter = 1.0,
        ndim: int | None = None,
        dtype: str = "floatX",
    ) -> RandomVariable:
        """Laplace numbers around loc."""
        return self._floats(draws.Laplace, size, ndim, dtype, loc=loc, scale=scale)

    def logistic(
        self,
        size: Size = None,
        loc: Parameter = 0.0,
        scale: Parameter = 1.0,
        ndim: int | None = None,
        dtype: str = "floatX",
    ) -> RandomVariable:
        """Logistic numbers around loc."""
        return self._floats(draws.Logistic, size, ndim, dtype, loc=loc, scale=scale)

    def gumbel(
        self,
        size: Size = None,
        loc: Parameter = 0.0,
        scale: Parameter = 1.0,
        ndim: int | None = None,
        dtype: str = "floatX",
    ) -> RandomVariable:
        """Gumbel numbers, for choices that gradients go through."""
        return self._floats(draws.Gumbel, size, ndim, dtype, loc=loc, scale=scale)

    def chisquare(
        self,
        size: Size = None,
        df: Parameter = 1.0,
        ndim: int | None = None,
        dtype: str = "floatX",
    ) -> RandomVariable:
        """Sums of df squares of normal numbers."""
        return self._floats(draws.ChiSquare, size, ndim, dtype, df=df)

    def gamma(
        self,
        size: Size = None,
        shape: Parameter = 1.0,
        scale: Parameter = 1.0,
        ndim: int | None = None,
        dtype: str = "floatX",
    ) -> RandomVariable:
        """Gamma numbers of this shape parameter and scale."""
        return self._floats(draws.Gamma, size, ndim, dtype, shape=shape, scale=scale)

    def beta(
        self,
        size: Size = None,
        a: Parameter = 1.0,
        b: Parameter = 1.0,
        ndim: int | None = None,
        dtype: str = "floatX",
    ) -> RandomVariable:
        """Beta numbers."""
        return self._floats(draws.Beta, size, ndim, dtype, a=a, b=b)

    def _floats(
        self,
        kind: type[draws.Draw],
        size: Size,
        ndim: int | None,
        dtype: str | None,
        **parameters: Parameter,
    ) -> RandomVariable:
        found = check_dtype(dtype or "floatX", "f", kind.method)
        given = [real(value, f"{kind.method}: {name}") for name, value in parameters.items()]
        return self._draw(kind, given, lengths_of(size, ndim, given), found)

    def binomial(
        self,
        size: Size = None,
        n: Parameter = 1,
        p: Parameter = 0.5,
        ndim: int | None = None,
        dtype: str = "int64",
        prob: Parameter = None,
    ) -> RandomVariable:
        """How many of n trials succeed, each with probability p (`prob` is another name of p)."""
        given = [
            whole(n, "binomial: n"),
            real(p if prob is None else prob, "binomial: p"),
        ]
        found = check_dtype(dtype, "if", "binomial")
        return self._draw(draws.Binomial, given, lengths_of(size, ndim, given), found)

    def poisson(
        self,
        size: Size = None,
        lam: Parameter = 1.0,
        ndim: int | None = None,
        dtype: str = "int64",
    ) -> RandomVariable:
        """How many events happen where lam are expected."""
        given = [real(lam, "poisson: lam")]
        found = check_dtype(dtype, "if", "poisson")
        return self._draw(draws.Poisson, given, lengths_of(size, ndim, given), found)

    def random_integers(
        self,
        size: Size = None,
        low: Parameter = 0,
        high: Parameter = 1,
        ndim: int | None = None,
        dtype: str = "int64",
    ) -> RandomVariable:
        """Integers from low to high, with high."""
        given = [whole(low, "random_integers: low"), whole(high, "random_integers: high")]
        found = check_dtype(dtype, "if", "random_integers")
        return self._draw(draws.RandomIntegers, given, lengths_of(size, ndim, given), found)

    def choice(
        self,
        size: Size = None,
        a: Parameter = 2,
        replace: bool = True,
        p: Parameter = None,
        ndim: int | None = None,
        dtype: str = "int64",
    ) -> RandomVariable:
        """Numbers below a, or elements of a vector a: each with its probability in p, or all with
        the same. Without `replace`, none is taken twice.
        """
        found = check_dtype(dtype, "if", "choice")
        population = as_tensor(a)
        of_values = tensor_type(population).ndim == 1
        lengths = lengths_of(size, ndim, [])
        kind: type[draws.Draw] = rows.Choice if p is None else rows.WeightedChoice
        if p is not None:
            given = real(p, "choice: p")
        elif of_values:
            given = whole(dimension(population, 0), "choice: a")
        else:
            given = whole(a, "choice: a")
        taken = self._draw(
            kind, [given], lengths, "int64" if of_values else found, (), bool(replace)
        )
        return drawn(population[taken], taken.update) if of_values else taken  # type: ignore[index]

    def permutation(
        self, size: Size = None, n: Parameter = 1, ndim: int | None = None, dtype: str = "int64"
    ) -> RandomVariable:
        """The numbers below n in random order, on a last axis of length n: one for each element of
        the size.
        """
        given = whole(n, "permutation: n")
        found = check_dtype(dtype, "if", "permutation")
        lengths = lengths_of(size, ndim, [])
        return self._draw(rows.Permutation, [given], lengths, found, [given])

    def multinomial(
        self,
        size: Size = None,
        n: Parameter = 1,
        pvals: Parameter = (0.5, 0.5),
        ndim: int | None = None,
        dtype: str = "int64",
    ) -> RandomVariable:
        """How often each outcome comes in n trials, on a last axis as long as that of pvals. n and
        the rows of pvals spread over the size, which by default is what they have together.
        """
        given = [whole(n, "multinomial: n"), real(pvals, "multinomial: pvals")]
        found = check_dtype(dtype, "if", "multinomial")
        if not tensor_type(given[1]).ndim:
            raise RankError("multinomial: pvals is a scalar", advice="give a vector")
        first = given[1][..., 0]  # type: ignore[index]
        lengths = lengths_of(size, ndim, [given[0], first])
        tail = [dimension(given[1], -1)]
        return self._draw(rows.Multinomial, given, lengths, found, tail)

    def shuffle_row_elements(self, input: Any) -> RandomVariable:
        """The input with the elements of each row (along the last axis) in random order."""
        x = as_tensor(input)
        if not tensor_type(x).ndim:
            raise RankError("shuffle_row_elements of a scalar", advice="give rows to shuffle")
        *lengths, n = shape_tuple(x)
        order = self.permutation(lengths, n)
        picked = [_along(x, axis) for axis in range(len(lengths))]
        return drawn(x[(*picked, order)], order.update)  # type: ignore[index]


def _along(x: Variable, axis: int) -> Any:
    """The positions along an axis, spread over the others."""
    from workbench.core.ops.create import arange
    from workbench.core.ops.shape import dimshuffle

    ndim = tensor_type(x).ndim
    return dimshuffle(arange(dimension(x, axis)), [0 if i == axis else "x" for i in range(ndim)])
