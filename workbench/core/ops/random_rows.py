"""Draws from a Mersenne Twister whose numbers depend on each other: permutations, choices, counts
of outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Variable
from workbench.core.ops.alloc import check_spread
from workbench.core.ops.random import Draw, check_spreads
from workbench.core.ops.shape import dimension, static_or_self
from workbench.core.types import tensor_type
from workbench.errors import RandomError, RankError
from workbench.frozen import frozen


@frozen
class Permutation(Draw):
    """The numbers below n in random order: one row of the sample each."""

    method, parameters, whole = "permutation", ("n",), frozenset({"n"})
    drawn = "int64"

    def check_ranks(self, parameters: Sequence[Variable], lengths: Sequence[Variable]) -> None:
        _check_rank(self, "n", parameters[0], 0)

    def draw(
        self, rng: np.random.RandomState, parameters: Sequence[Any], shape: tuple[int, ...]
    ) -> Any:
        n = int(parameters[0])
        if n < 0:
            raise RandomError(
                f"{self}: n is {n}; there are no permutations of less than nothing",
                advice="give a number from 0 on",
            )
        rows = [rng.permutation(n) for _ in range(_size(shape))]
        return np.array(rows, "int64").reshape((*shape, n))

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        pass

    def tail(self, parameters: Sequence[Variable]) -> Sequence[Any]:
        return [static_or_self(parameters[0])]


@frozen
class Choice(Draw):
    """Numbers below a; where not `replace`, each at most once."""

    replace: bool

    method, parameters, whole = "choice", ("a",), frozenset({"a"})
    drawn = "int64"

    def check_ranks(self, parameters: Sequence[Variable], lengths: Sequence[Variable]) -> None:
        _check_rank(self, "a", parameters[0], 0)

    def draw(
        self, rng: np.random.RandomState, parameters: Sequence[Any], shape: tuple[int, ...]
    ) -> Any:
        return rng.choice(int(parameters[0]), shape, self.replace)


@frozen
class WeightedChoice(Draw):
    """Numbers below the length of p, with its probabilities; where not `replace`, each at most
    once.
    """

    replace: bool

    method, parameters, drawn = "choice", ("p",), "int64"

    def check_ranks(self, parameters: Sequence[Variable], lengths: Sequence[Variable]) -> None:
        _check_rank(self, "p", parameters[0], 1)

    def draw(
        self, rng: np.random.RandomState, parameters: Sequence[Any], shape: tuple[int, ...]
    ) -> Any:
        (p,) = parameters
        return rng.choice(len(p), shape, self.replace, p)

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        pass


@frozen
class Multinomial(Draw):
    """How often each of the outcomes with probabilities pvals comes in n trials: one row of the
    sample each. n and the rows of pvals spread over the rows of the sample.
    """

    method, parameters, whole = "multinomial", ("n", "pvals"), frozenset({"n"})
    drawn = "int64"

    def check_ranks(self, parameters: Sequence[Variable], lengths: Sequence[Variable]) -> None:
        n, pvals = map(tensor_type, parameters)
        if not pvals.ndim:
            raise RankError(
                f"{self}: pvals is a scalar",
                advice="give a vector of probabilities, or one in each row of a matrix",
            )
        check_spreads(f"{self}: n", n.shape, self.static[:-1])
        check_spreads(f"{self}: pvals", pvals.shape[:-1], self.static[:-1])

    def draw(
        self, rng: np.random.RandomState, parameters: Sequence[Any], shape: tuple[int, ...]
    ) -> Any:
        n, pvals = parameters
        count = pvals.shape[-1]
        numbers = np.broadcast_to(n, shape).ravel()
        rows = np.broadcast_to(pvals, (*shape, count)).reshape(-1, count)
        drawn = [
            rng.multinomial(k, _probabilities(row)) for k, row in zip(numbers, rows, strict=True)
        ]
        return np.array(drawn, "int64").reshape((*shape, count))

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        _, (n, pvals), _ = self.split(inputs)
        _, (numbers, rows), lengths = self.split(values)
        shape = tuple(map(int, lengths))
        check_spread(n, numbers, shape, str(self))
        check_spread(pvals, rows, (*shape, rows.shape[-1]), str(self))

    def tail(self, parameters: Sequence[Variable]) -> Sequence[Any]:
        return [dimension(parameters[1], -1)]


NARROW = 1e-5
"""By so much float32 probabilities may add up to more than 1."""


def _probabilities(row: Any) -> Any:
    """As float64. Where float32 adds up to more than 1 by a rounding, which NumPy refuses: to 1."""
    wide = row.astype("float64")
    total = wide.cumsum()[-1] if len(row) else 0
    return wide / total if row.dtype == np.float32 and 1 < total < 1 + NARROW else wide


def _size(shape: tuple[int, ...]) -> int:
    """How many rows there are. Raises RandomError for a negative length."""
    if any(n < 0 for n in shape):
        raise RandomError(
            f"negative dimensions are not allowed: {shape}", advice="give lengths from 0 on"
        )
    return int(np.prod(shape, dtype=np.int64))


def _check_rank(op: Draw, name: str, variable: Variable, ndim: int) -> None:
    if tensor_type(variable).ndim != ndim:
        kind = "a vector" if ndim else "a scalar"
        raise RankError(
            f"{op}: {name} is of {variable.type}; it takes {kind}",
            advice="draw in a loop, or for each of them, where there are several",
        )
