"""Scalar programs: the one form in which the meaning of an elementwise op is written.

A program is a list of steps over a small closed set of primitives, in single-assignment order.
Fusion composes programs; the interpreter runs them with NumPy; `native` renders them as LLVM IR and
devices as C.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from workbench.configuration import config
from workbench.core.array import Array
from workbench.frozen import frozen


@frozen
class Primitive:
    """One member of the closed set.

    All operands have the step's dtype T and so has the result, except: `kind` 'compare' takes T
    operands (all of one dtype) and gives bool; 'test' (isnan, isinf) the same with one operand;
    'select' takes (bool, T, T); 'cast' takes any dtype; 'const' takes none and carries its value;
    'complex' goes between complex numbers and their parts.
    """

    name: str
    arity: int
    numpy: Callable[..., Array]
    kind: str = "same"
    cost: int = 1  # about how many vector instructions it takes


# Any, below: arrays of numbers


def _sigmoid(x: Any) -> Any:
    small = np.exp(-np.abs(x))  # never overflows
    return np.where(x < 0, small, np.asarray(1, x.dtype)) / (1 + small)


def _softplus(x: Any) -> Any:
    return np.logaddexp(x, np.asarray(0, x.dtype))


def _pow(x: Any, y: Any) -> Any:
    """As NumPy's; where it refuses, an integer to a negative power, the whole part of the quotient
    (0 for x = 0).
    """
    if np.result_type(x, y).kind not in "i" or not np.any(y < 0):
        return np.power(x, y)
    odd = np.where(y & 1, x, np.asarray(1, x.dtype))
    return np.where(y < 0, np.where(np.abs(x) == 1, odd, 0), np.power(x, np.maximum(y, 0)))


def _special(name: str) -> Callable[..., Array]:
    def call(*args: Array) -> Array:
        import scipy.special  # here: it costs a fifth of a second to import

        return getattr(scipy.special, name)(*args)  # type: ignore[no-any-return]

    return call


def _wide(name: str) -> Callable[..., Array]:
    """Scipy's function in float64, rounded to the operands' dtype."""
    special = _special(name)

    def call(*args: Array) -> Array:
        return special(*(np.asarray(a, "float64") for a in args)).astype(args[0].dtype)

    return call


def _lgamma(x: Any) -> Any:
    """The logarithm of |Γ(x)|; inf at -inf, as C has it."""
    return np.where(x == -np.inf, np.asarray(np.inf, x.dtype), _special("gammaln")(x))


def _complex(real: Any, imaginary: Any) -> Any:
    result = np.empty(np.broadcast_shapes(real.shape, imaginary.shape), "complex128")
    result.real, result.imag = real, imaginary
    return result


def _not(x: Array) -> Array:
    return np.invert(x)


_UNARY: dict[str, tuple[Callable[..., Any], int]] = {
    "neg": (np.negative, 1),
    "abs": (np.abs, 1),
    "sign": (np.sign, 2),
    "sqrt": (np.sqrt, 2),
    "exp": (np.exp, 14),
    "exp2": (np.exp2, 14),
    "expm1": (np.expm1, 18),
    "log": (np.log, 20),
    "log2": (np.log2, 20),
    "log10": (np.log10, 20),
    "log1p": (np.log1p, 24),
    "sin": (np.sin, 20),
    "cos": (np.cos, 20),
    "tan": (np.tan, 30),
    "arcsin": (np.arcsin, 30),
    "arccos": (np.arccos, 30),
    "arctan": (np.arctan, 30),
    "sinh": (np.sinh, 30),
    "cosh": (np.cosh, 30),
    "tanh": (np.tanh, 20),
    "arcsinh": (np.arcsinh, 40),
    "arccosh": (np.arccosh, 40),
    "arctanh": (np.arctanh, 40),
    "floor": (np.floor, 1),
    "ceil": (np.ceil, 1),
    "trunc": (np.trunc, 1),
    "rint": (np.rint, 1),
    "sigmoid": (_sigmoid, 18),
    "softplus": (_softplus, 40),
    "erf": (_special("erf"), 40),
    "erfc": (_special("erfc"), 40),
    "lgamma": (_lgamma, 60),
    "gamma": (_special("gamma"), 60),
    "digamma": (_special("psi"), 60),
    "invert": (_not, 1),
    "cbrt": (np.cbrt, 60),
    "popcount": (np.bitwise_count, 4),
}
_BINARY: dict[str, tuple[Callable[..., Any], int]] = {
    "add": (np.add, 1),
    "sub": (np.subtract, 1),
    "mul": (np.multiply, 1),
    "div": (np.true_divide, 4),
    "floordiv": (np.floor_divide, 8),
    "mod": (np.remainder, 8),
    "pow": (_pow, 40),
    "minimum": (np.minimum, 2),
    "maximum": (np.maximum, 2),
    "arctan2": (np.arctan2, 40),
    "and": (np.bitwise_and, 1),
    "or": (np.bitwise_or, 1),
    "xor": (np.bitwise_xor, 1),
    "shl": (np.left_shift, 1),
    "shr": (np.right_shift, 1),
    "fmod": (np.fmod, 30),
    "copysign": (np.copysign, 2),
    "nextafter": (np.nextafter, 10),
    "gcd": (np.gcd, 400),
}
_COMPARE = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}

# Of scipy, by the number of operands.
SPECIAL = {
    "erfinv": 1, "erfcinv": 1, "erfcx": 1, "log_ndtr": 1,
    "i0": 1, "i1": 1, "j0": 1, "j1": 1, "iv": 2, "jv": 2,
    "beta": 2, "betaln": 2, "gammainc": 2, "gammaincc": 2, "betainc": 3,
}  # fmt: skip
COMPLEX: dict[str, tuple[Callable[..., Any], int]] = {
    "real": (np.real, 1),
    "imag": (np.imag, 1),
    "conj": (np.conj, 1),
    "angle": (np.angle, 1),
    "complex": (_complex, 2),
}

PRIMITIVES: dict[str, Primitive] = {
    **{name: Primitive(name, 1, f, cost=cost) for name, (f, cost) in _UNARY.items()},
    **{name: Primitive(name, 2, f, cost=cost) for name, (f, cost) in _BINARY.items()},
    **{name: Primitive(name, 2, f, "compare") for name, f in _COMPARE.items()},
    "isnan": Primitive("isnan", 1, np.isnan, "test"),
    "isinf": Primitive("isinf", 1, np.isinf, "test"),
    **{name: Primitive(name, n, _wide(name), cost=200) for name, n in SPECIAL.items()},
    **{name: Primitive(name, n, f, "complex") for name, (f, n) in COMPLEX.items()},
    "select": Primitive("select", 3, np.where, "select"),
    "cast": Primitive("cast", 1, np.asarray, "cast", cost=1),
    "const": Primitive("const", 0, np.asarray, "const", cost=0),
}


def lowest(dtype: str) -> float:
    """What no number of a dtype is below."""
    if dtype == "bool":
        return 0
    return -np.inf if dtype[0] == "f" else int(np.iinfo(dtype).min)


@frozen
class ScalarStep:
    """`prim(args) : dtype`. An arg is an index: inputs first (0 … n-1), then the results of the
    steps before.

    For 'compare' and 'test' the dtype is 'bool' (the operands' dtype is theirs). A 'const' carries
    the raw bytes of its value, so that 0.0 differs from -0.0 and nan equals itself.
    """

    prim: str
    args: tuple[int, ...]
    dtype: str
    value: bytes = b""

    @property
    def constant(self) -> np.generic:
        return np.frombuffer(self.value, self.dtype)[0]  # type: ignore[no-any-return]


@dataclass(frozen=True, eq=False)
class ScalarProgram:
    """Steps over inputs of the given dtypes; `outputs` are indices of values."""

    inputs: tuple[str, ...]
    steps: tuple[ScalarStep, ...]
    outputs: tuple[int, ...]

    @cached_property
    def _key(self) -> tuple[int, object]:
        key = (self.inputs, self.steps, self.outputs)
        return hash(key), key

    def __hash__(self) -> int:
        return self._key[0]

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, ScalarProgram) and self._key == other._key)

    def dtype_of(self, index: int) -> str:
        n = len(self.inputs)
        return self.inputs[index] if index < n else self.steps[index - n].dtype

    @property
    def output_dtypes(self) -> tuple[str, ...]:
        return tuple(self.dtype_of(i) for i in self.outputs)

    @property
    def cost(self) -> int:
        """About how many vector instructions one element takes."""
        return sum(PRIMITIVES[step.prim].cost for step in self.steps)

    def run(self, *arrays: Array) -> tuple[Array, ...]:
        """The definition: each step by NumPy, over whole arrays that broadcast."""
        values: list[Array] = list(arrays)
        with floating_errors():
            for step in self.steps:
                values.append(_run_step(step, [values[i] for i in step.args]))
        return tuple(values[i] for i in self.outputs)


def floating_errors() -> AbstractContextManager[None]:
    """What NumPy does about overflows and the like: what `config.numpy.seterr_all` says."""
    chosen = config.values["numpy.seterr_all"]
    return np.errstate() if chosen == "None" else np.errstate(all=chosen)


def _run_step(step: ScalarStep, args: Sequence[Array]) -> Array:
    if step.prim == "const":
        return np.asarray(step.constant)
    if step.prim == "cast":
        return np.asarray(args[0]).astype(step.dtype)
    result = PRIMITIVES[step.prim].numpy(*args)
    return np.asarray(result, dtype=step.dtype)


class ScalarBuilder:
    """Writes a program step by step, sharing equal steps.

    >>> b = ScalarBuilder(("float64",))
    >>> b.program(b.prim("mul", "float64", b.prim("exp", "float64", 0), 0)).outputs
    (2,)
    """

    def __init__(self, inputs: Sequence[str]) -> None:
        self.dtypes: list[str] = list(inputs)
        self._inputs = tuple(inputs)
        self._steps: list[ScalarStep] = []
        self._known: dict[ScalarStep, int] = {}

    def prim(self, name: str, dtype: str, *args: int) -> int:
        return self._add(ScalarStep(name, args, dtype))

    def const(self, value: object, dtype: str) -> int:
        return self._add(ScalarStep("const", (), dtype, np.asarray(value, dtype).tobytes()))

    def cast(self, arg: int, dtype: str) -> int:
        return arg if self.dtypes[arg] == dtype else self.prim("cast", dtype, arg)

    def inline(self, program: ScalarProgram, args: Sequence[int]) -> list[int]:
        """The steps of another program over these values; returns the indices of its outputs."""
        index = list(args)
        for step in program.steps:
            moved = ScalarStep(
                step.prim, tuple(index[i] for i in step.args), step.dtype, step.value
            )
            index.append(self._add(moved))
        return [index[i] for i in program.outputs]

    def program(self, *outputs: int) -> ScalarProgram:
        return ScalarProgram(self._inputs, tuple(self._steps), outputs)

    def _add(self, step: ScalarStep) -> int:
        found = self._known.get(step)
        if found is None:
            found = self._known[step] = len(self.dtypes)
            self._steps.append(step)
            self.dtypes.append(step.dtype)
        return found
