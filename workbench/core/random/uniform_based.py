"""Random variables made of uniform numbers: what streams have in common that draw only these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Variable
from workbench.core.ops.create import arange
from workbench.core.ops.cumulative import cumsum
from workbench.core.ops.indexing import getitem
from workbench.core.ops.join import concatenate
from workbench.core.ops.reduce import sum as total
from workbench.core.ops.scalars import cast, cos, eq, floor, le, log, lt, minimum, sin, sqrt
from workbench.core.ops.shape import as_scalar_int, dimension, dimshuffle, reshape, static_int
from workbench.core.ops.sorting import argsort
from workbench.core.random.arguments import check_dtype, lengths_of, real, whole
from workbench.core.random.streams import Parameter, Size
from workbench.core.random.variable import RandomVariable, Update, drawn
from workbench.core.shared import SharedVariable
from workbench.core.types import constant, tensor_type
from workbench.errors import RandomError


class UniformBased:
    """Base of streams: `_unit` draws the uniform numbers. `nstreams` is handed on to it."""

    def __init__(self) -> None:
        self.state_updates: list[Update] = []

    def updates(self) -> list[Update]:
        """Pairs (state, state after a draw) of all variables."""
        return list(self.state_updates)

    def _unit(
        self, lengths: Sequence[Variable], dtype: str, nstreams: int | None = None
    ) -> RandomVariable:
        """Numbers between 0 and 1, neither of which they reach."""
        raise NotImplementedError  # every subclass has one

    def _registered(self, rng: SharedVariable, new: Variable, sample: Any) -> RandomVariable:
        """The sample of a draw from `rng`, which every call of a function advances."""
        rng.default_update = new
        self.state_updates.append((rng, new))
        return drawn(sample, (rng, new))

    def uniform(
        self,
        size: Size = None,
        low: Parameter = 0.0,
        high: Parameter = 1.0,
        ndim: int | None = None,
        dtype: str = "floatX",
        nstreams: int | None = None,
    ) -> RandomVariable:
        """Numbers between low and high, of which they reach neither."""
        found = check_dtype(dtype or "floatX", "f", "uniform")
        if found == "float16":
            return _half(self.uniform(size, low, high, ndim, "float32", nstreams))
        given = [_of_dtype(real(v, "uniform: low, high"), found) for v in (low, high)]
        unit = self._unit(lengths_of(size, ndim, given), found, nstreams)
        if _is(given[0], 0) and _is(given[1], 1):
            return unit
        return drawn(given[0] + (given[1] - given[0]) * unit, unit.update)

    def normal(
        self,
        size: Size = None,
        avg: Parameter = 0.0,
        std: Parameter = 1.0,
        ndim: int | None = None,
        dtype: str = "floatX",
        nstreams: int | None = None,
    ) -> RandomVariable:
        """Normal numbers of mean avg and standard deviation std, by Box and Muller: a pair of
        uniform numbers makes two.
        """
        found = check_dtype(dtype or "floatX", "f", "normal")
        if found == "float16":
            return _half(self.normal(size, avg, std, ndim, "float32", nstreams))
        given = [_of_dtype(real(v, "normal: avg, std"), found) for v in (avg, std)]
        lengths = lengths_of(size, ndim, given)
        count: Any = as_scalar_int(1)
        for n in lengths:
            count = count * n
        pairs = (count + 1) // 2
        static = [static_int(n) for n in lengths]
        if None not in static:  # so that the number of streams is known
            pairs = constant((math.prod(n for n in static if n is not None) + 1) // 2, "int64")
        unit = self._unit([constant(2, "int64"), pairs], found, nstreams)
        radius = sqrt(constant(-2, found) * log(unit[0]))
        angle = constant(2 * math.pi, found) * unit[1]
        flat = concatenate([radius * cos(angle), radius * sin(angle)])[:count]
        made = reshape(flat, lengths)
        return drawn(given[0] + given[1] * made, unit.update)

    def truncated_normal(
        self,
        size: Size = None,
        avg: Parameter = 0.0,
        std: Parameter = 1.0,
        ndim: int | None = None,
        dtype: str = "floatX",
        nstreams: int | None = None,
    ) -> RandomVariable:
        """Normal numbers that are within two standard deviations: by the inverse of their
        distribution, one uniform number each.
        """
        from workbench.core.ops.scalars.special import erfinv  # rare

        found = check_dtype(dtype or "floatX", "f", "truncated_normal")
        if found == "float16":
            return _half(self.truncated_normal(size, avg, std, ndim, "float32", nstreams))
        given = [_of_dtype(real(v, "truncated_normal: avg, std"), found) for v in (avg, std)]
        unit = self._unit(lengths_of(size, ndim, given), found, nstreams)
        within = (2 * unit - 1) * constant(math.erf(math.sqrt(2)), found)
        return drawn(
            given[0] + given[1] * constant(math.sqrt(2), found) * erfinv(within), unit.update
        )

    def binomial(
        self,
        size: Size = None,
        n: int = 1,
        p: Parameter = 0.5,
        ndim: int | None = None,
        dtype: str = "int64",
        nstreams: int | None = None,
        prob: Parameter = None,
    ) -> RandomVariable:
        """How many of n (an int) trials succeed, each with probability p."""
        found = check_dtype(dtype, "if", "binomial")
        given = real(p if prob is None else prob, "binomial: p")
        lengths = lengths_of(size, ndim, [given])
        if n == 1:
            unit = self._unit(lengths, _unit_dtype(given), nstreams)
            return drawn(cast(lt(unit, given), found), unit.update)
        trials = whole(n, "binomial: n")
        if tensor_type(trials).ndim:
            raise RandomError("binomial: n is an array", advice="n is one number of trials for all")
        unit = self._unit([as_scalar_int(trials), *lengths], _unit_dtype(given), nstreams)
        return drawn(total(cast(lt(unit, given), found), 0, dtype=found), unit.update)

    def multinomial(
        self,
        size: Size = None,
        n: int = 1,
        pvals: Parameter = None,
        ndim: int | None = None,
        dtype: str = "int64",
        nstreams: int | None = None,
    ) -> RandomVariable:
        """How often each outcome comes in n (an int) trials: a row for each row of pvals.

        `size` and `ndim` are taken from pvals, a matrix or a vector.
        """
        found = check_dtype(dtype, "if", "multinomial")
        p = _probabilities(pvals, "multinomial")
        outcomes = self._outcomes(n, p, nstreams)
        picked = outcomes[0]
        places = arange(dimension(p, -1))
        hits = eq(dimshuffle(picked, [*range(picked.ndim), "x"]), places)
        return drawn(total(cast(hits, found), 0, dtype=found), outcomes[1])

    def _outcomes(self, n: Any, p: Any, nstreams: int | None) -> tuple[Any, Update]:
        """The outcomes of n trials for each row of probabilities: trials come first."""
        steps = cumsum(p, axis=-1)
        rows = [as_scalar_int(dimension(p, i)) for i in range(p.ndim - 1)]
        unit = self._unit([as_scalar_int(n), *rows], _unit_dtype(p), nstreams)
        passed = le(steps, dimshuffle(unit, [*range(unit.ndim), "x"]))
        last = as_scalar_int(dimension(p, -1)) - 1  # type: ignore[operator]
        return minimum(total(cast(passed, "int64"), -1), last), unit.update

    def multinomial_wo_replacement(
        self,
        size: Size = None,
        n: int = 1,
        pvals: Parameter = None,
        ndim: int | None = None,
        dtype: str = "int64",
        nstreams: int | None = None,
    ) -> RandomVariable:
        """A row of n different outcomes for each row of pvals, the first ones drawn first: their
        numbers each. The n shortest of exponential waiting times, which are 1 / p on average.
        """
        found = check_dtype(dtype, "if", "multinomial_wo_replacement")
        p = _probabilities(pvals, "multinomial_wo_replacement")
        lengths = [as_scalar_int(dimension(p, i)) for i in range(p.ndim)]
        unit = self._unit(lengths, _unit_dtype(p), nstreams)
        order = argsort(-log(unit) / p, axis=-1)
        first = getitem(order, (..., slice(None, as_scalar_int(n))))
        return drawn(cast(first, found) if found != "int64" else first, unit.update)

    def choice(
        self,
        size: Size = 1,
        a: Parameter = None,
        replace: bool = True,
        p: Parameter = None,
        ndim: int | None = None,
        dtype: str = "int64",
        nstreams: int | None = None,
    ) -> RandomVariable:
        """Numbers below a, with the probabilities p where these are given.

        With `replace` any size; without, an int, and the numbers are different; then p may be a
        matrix, which gives a row of numbers for each of its rows.
        """
        if a is None and p is None:
            raise RandomError("choice: there is neither a nor p", advice="give a, a number")
        found = check_dtype(dtype, "if", "choice")
        weights = None if p is None else _probabilities(p, "choice")
        if not replace:
            if weights is None:
                weights = _alike(a)
            return self.multinomial_wo_replacement(None, size, weights, None, found, nstreams)
        lengths = lengths_of(size, ndim, [])
        if weights is None:
            unit = self._unit(lengths, "float64", nstreams)
            count = whole(a, "choice: a")
            return drawn(cast(floor(unit * count), found), unit.update)
        unit = self._unit(lengths, _unit_dtype(weights), nstreams)
        passed = le(cumsum(weights), dimshuffle(unit, [*range(unit.ndim), "x"]))
        last = as_scalar_int(dimension(weights, 0)) - 1  # type: ignore[operator]
        place = minimum(total(cast(passed, "int64"), -1), last)
        return drawn(cast(place, found) if found != "int64" else place, unit.update)


def _alike(a: Parameter) -> Any:
    from workbench.core.ops.create import ones

    return ones([as_scalar_int(whole(a, "choice: a"))], "float64")


def _probabilities(value: Parameter, what: str) -> Any:
    if value is None:
        raise RandomError(f"{what}: there are no probabilities", advice="give a vector or a matrix")
    p = real(value, f"{what}: probabilities")
    if not 1 <= tensor_type(p).ndim <= 2:
        raise RandomError(
            f"{what}: the probabilities are of {p.type}", advice="give a vector or a matrix"
        )
    return p


def _unit_dtype(p: Variable) -> str:
    """What is compared with float32 needs no more."""
    return "float32" if tensor_type(p).dtype == "float32" else "float64"


def _half(sample: RandomVariable) -> RandomVariable:
    return drawn(cast(sample, "float16"), sample.update)


def _of_dtype(variable: Variable, dtype: str) -> Any:
    return constant(variable.data, dtype) if hasattr(variable, "data") else cast(variable, dtype)


def _is(variable: Any, number: int) -> bool:
    data = getattr(variable, "data", None)
    return data is not None and np.ndim(data) == 0 and data == number
