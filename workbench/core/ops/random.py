"""Draws from a Mersenne Twister: NumPy's `RandomState`, number for number.

An op is a function of the stream's state (see `workbench.core.random.state`) and gives the state
after the draw along with the sample. Here are the distributions whose numbers are drawn one by one;
`random_rows` has those that draw whole rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from workbench.core.graph import Array, Constant, Gradients, Op, Type, Variable, Variables
from workbench.core.ops.alloc import broadcast_onto, check_spread
from workbench.core.ops.elementwise import needs_none
from workbench.core.ops.reduce import sum_to
from workbench.core.ops.scalars import log
from workbench.core.ops.shape import static_or_self
from workbench.core.random.state import LENGTH, STATE, generator, words
from workbench.core.types import Shape as StaticShape
from workbench.core.types import TensorType, is_discrete, tensor_type
from workbench.errors import (
    DtypeError,
    GraphError,
    NullGradientError,
    RandomError,
    WorkbenchError,
)
from workbench.frozen import frozen


@frozen
class Draw(Op):
    """Base of the draws. Inputs: the state, the parameters, the lengths of the sample's axes (int64
    scalars). Outputs: the state after the draw, the sample.

    method      the name of RandomState's method
    parameters  their names, in that method's order
    whole       those that are integers
    drawn       what the method gives; the sample is cast to `dtype`
    """

    dtype: str
    static: StaticShape

    method: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]]
    whole: ClassVar[frozenset[str]] = frozenset()
    overwrites: ClassVar[bool] = True  # native code may write the new state over the old one
    drawn: ClassVar[str] = "float64"

    def split(self, values: Sequence[Any]) -> tuple[Any, list[Any], list[Any]]:
        """Inputs as state, parameters, lengths."""
        count = 1 + len(self.parameters)
        return values[0], list(values[1:count]), list(values[count:])

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        state, parameters, lengths = self.split(inputs)
        t = tensor_type(state)
        if t.dtype != STATE.dtype or t.shape not in (STATE.shape, (None,)):
            raise GraphError(
                f"{state} is no state of a random stream: it is of {state.type}",
                advice="draw from RandomStreams, or pass the `rng` of one of its variables",
            )
        for name, variable in zip(self.parameters, parameters, strict=True):
            self._check_dtype(name, variable)
        self.check_ranks(parameters, lengths)
        return [STATE, TensorType(self.dtype, self.static)]

    def _check_dtype(self, name: str, variable: Variable) -> None:
        kinds, noun = ("biu", "integers") if name in self.whole else ("biuf", "real numbers")
        if np.dtype(tensor_type(variable).dtype).kind not in kinds:
            raise DtypeError(
                f"{self}: {name} is of {variable.type}; it takes {noun}",
                advice="cast it to int64" if name in self.whole else "take its real part",
            )

    def check_ranks(self, parameters: Sequence[Variable], lengths: Sequence[Variable]) -> None:
        """Raises RandomError or ShapeError where the parameters do not spread over the sample."""
        for name, variable in zip(self.parameters, parameters, strict=True):
            check_spreads(f"{self}: {name}", tensor_type(variable).shape, self.static)

    def evaluate(self, *values: Array) -> Sequence[Array]:
        state, parameters, lengths = self.split(values)
        rng = generator(words(state))
        try:
            sample = self.draw(rng, parameters, tuple(map(int, lengths)))
        except (ValueError, OverflowError) as error:
            if isinstance(error, WorkbenchError):
                raise
            raise RandomError(
                f"{self}: {error}",
                self._met(values),
                advice=f"the parameters are those of numpy.random.RandomState.{self.method}",
            ) from None
        return [words(rng), np.asarray(sample).astype(self.dtype, copy=False)]

    def draw(
        self, rng: np.random.RandomState, parameters: Sequence[Any], shape: tuple[int, ...]
    ) -> Any:  # Any: an array or a number, as NumPy gives it
        """The sample, by NumPy."""
        return getattr(rng, self.method)(*parameters, size=shape)

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        _, variables, _ = self.split(inputs)
        _, parameters, lengths = self.split(values)
        shape = tuple(map(int, lengths))
        for variable, value in zip(variables, parameters, strict=True):
            check_spread(variable, value, shape, str(self))

    def _met(self, values: Sequence[Array]) -> str:
        _, parameters, lengths = self.split(values)
        met = ", ".join(
            f"{name}={value if value.ndim == 0 else f'an array of shape {value.shape}'}"
            for name, value in zip(self.parameters, parameters, strict=True)
        )
        return f"{self} of size {tuple(map(int, lengths))}, {met}"

    def connected(self, index: int) -> bool:
        return 1 <= index <= len(self.parameters)

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        """How the sample changes with its parameters where the noise stays the same. A sample that
        jumps has gradient zero, like a step function.
        """
        _, parameters, lengths = self.split(inputs)
        sample, g = outputs[1], gradients[1]
        slopes: Gradients = [None] * len(parameters)
        if g is not None and not is_discrete(self.drawn) and not is_discrete(self.dtype):
            slopes = self.slopes(parameters, sample, g)
        to = [
            None if slope is None or needs_none(v) else sum_to(slope, v, sample)
            for slope, v in zip(slopes, parameters, strict=True)
        ]
        return [None, *to, *([None] * len(lengths))]

    def slopes(self, parameters: Sequence[Any], sample: Any, g: Any) -> Gradients:
        """The gradient by each parameter where the sample's is g, in the sample's shape. None is
        for what is constant.
        """
        for name, variable in zip(self.parameters, parameters, strict=True):
            self.require_constant(name, variable)
        return [None] * len(parameters)

    def require_constant(self, name: str, variable: Variable) -> None:
        """Raises NullGradientError where a parameter is computed by which there is no gradient."""
        if not isinstance(variable, Constant):
            raise NullGradientError(
                f"the gradient of {self} by its {name} is not defined",
                f"{name} is {variable} of {variable.type}",
                variable.place,
                "wrap the sample in disconnected_grad if nothing is meant to flow back",
            )

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        _, parameters, lengths = self.split(inputs)
        dims = [*lengths, *self.tail(parameters)]
        known = zip(self.static, dims, strict=True)
        return [
            [LENGTH],
            [
                n if n is not None else v if isinstance(v, int) else static_or_self(v)
                for n, v in known
            ],
        ]

    def tail(self, parameters: Sequence[Variable]) -> Sequence[Any]:
        """The dimensions of what one draw gives."""
        return ()

    @property
    def label(self) -> str:
        return self.method

    def __str__(self) -> str:
        return f"{type(self).__name__}{{{self.dtype}}}"


def check_spreads(what: str, value: StaticShape, onto: StaticShape) -> None:
    """Raises RandomError where there are more axes than the sample has, ShapeError where lengths
    are known not to fit.
    """
    if len(value) > len(onto):
        raise RandomError(
            f"{what} has {len(value)} axes, the sample {len(onto)}",
            advice="give a size with all the axes of the parameters, or none",
        )
    broadcast_onto(value, onto, what)


@frozen
class Uniform(Draw):
    """Numbers from low to high, without high."""

    method, parameters = "uniform", ("low", "high")

    def slopes(self, parameters: Sequence[Any], sample: Any, g: Any) -> Gradients:
        low, high = parameters
        at = (sample - low) / (high - low)
        return [g * (1 - at), g * at]


@frozen
class LogNormal(Draw):
    """exp of normal numbers."""

    method, parameters = "lognormal", ("mean", "sigma")

    def slopes(self, parameters: Sequence[Any], sample: Any, g: Any) -> Gradients:
        mean, sigma = parameters
        return [g * sample, g * sample * (log(sample) - mean) / sigma]


@frozen
class Exponential(Draw):
    """Waiting times of mean scale."""

    method, parameters = "exponential", ("scale",)

    def slopes(self, parameters: Sequence[Any], sample: Any, g: Any) -> Gradients:
        return [g * sample / parameters[0]]


@frozen
class _Scaled(Draw):
    """Loc + scale times a number of the standard distribution."""

    parameters = ("loc", "scale")

    def slopes(self, parameters: Sequence[Any], sample: Any, g: Any) -> Gradients:
        loc, scale = parameters
        return [g, g * (sample - loc) / scale]


@frozen
class Normal(_Scaled):
    """Normal numbers of mean loc and standard deviation scale."""

    method = "normal"


@frozen
class Laplace(_Scaled):
    """Two exponential tails around loc."""

    method = "laplace"


@frozen
class Logistic(_Scaled):
    """Numbers whose distribution function is the sigmoid."""

    method = "logistic"


@frozen
class Gumbel(_Scaled):
    """The largest of many numbers. Of log-probabilities with standard ones added, the largest is at
    an outcome drawn with these probabilities.
    """

    method = "gumbel"


@frozen
class Gamma(Draw):
    """Gamma numbers. There is a gradient by the scale, none by the shape."""

    method, parameters = "gamma", ("shape", "scale")

    def slopes(self, parameters: Sequence[Any], sample: Any, g: Any) -> Gradients:
        self.require_constant("shape", parameters[0])
        return [None, g * sample / parameters[1]]


@frozen
class ChiSquare(Draw):
    """Sums of df squares of normal numbers. There is no gradient by df."""

    method, parameters = "chisquare", ("df",)


@frozen
class Beta(Draw):
    """Beta numbers. There is no gradient by a and b."""

    method, parameters = "beta", ("a", "b")


@frozen
class Binomial(Draw):
    """How many of n trials succeed, each with probability p."""

    method, parameters, whole = "binomial", ("n", "p"), frozenset({"n"})
    drawn = "int64"


@frozen
class Poisson(Draw):
    """How many events happen where lam are expected."""

    method, parameters, drawn = "poisson", ("lam",), "int64"


@frozen
class RandomIntegers(Draw):
    """Integers from low to high, with high."""

    method, parameters = "random_integers", ("low", "high")
    whole, drawn = frozenset(parameters), "int64"

    def draw(
        self, rng: np.random.RandomState, parameters: Sequence[Any], shape: tuple[int, ...]
    ) -> Any:
        low, high = parameters
        above = high.astype(object) + 1 if high.ndim else int(high) + 1
        return rng.randint(low if low.ndim else int(low), above, size=shape, dtype="int64")
