"""Elementwise application: `Elemwise` lifts a scalar op over arrays; `Composite` is a fused scalar
op.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from typing import Any, ClassVar

import numpy as np

from workbench.configuration import config
from workbench.core.graph import Array, Constant, Gradients, Op, Type, Variable, Variables, describe
from workbench.core.scalar import ScalarBuilder, ScalarProgram
from workbench.core.types import (
    TensorType,
    as_tensor,
    broadcast_shapes,
    constant,
    is_discrete,
    tensor_type,
    upcast,
    wider_than_half,
)
from workbench.errors import DtypeError, GraphError, ShapeError
from workbench.frozen import frozen

_FLAGS = config.values  # asked for every op that is applied


@frozen
class ScalarOp:
    """An elementwise meaning: its dtype rule, its lowering to scalar primitives, its gradient, its
    facts.

    numpy       the NumPy function that means the same: the tests' reference
    domain      where float samples are drawn, one pair per input (the last one repeats)
    ulp         how far native code may be from NumPy, in units in the last place
    """

    name: ClassVar[str] = ""
    arity: ClassVar[int] = 1
    numpy: ClassVar[Any] = None
    domain: ClassVar[tuple[tuple[float, float], ...]] = ((-3.0, 3.0),)
    ulp: ClassVar[float] = 4
    commutative: ClassVar[bool] = False
    associative: ClassVar[bool] = False
    identity: ClassVar[float | None] = None
    symbol: ClassVar[str] = ""
    complexes: ClassVar[bool] = True  # is defined on complex numbers

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if cls.name and cls.name != "composite":
            SCALAR_OPS[cls.name] = cls

    def dtype(self, *dtypes: str) -> str:
        """The result's dtype. Raises DtypeError for operands that have none."""
        return upcast(*dtypes)

    def compute_dtype(self, *dtypes: str) -> str:
        """The dtype that operands are cast to before the primitive."""
        return self.dtype(*dtypes)

    def lower(self, b: ScalarBuilder, *args: int) -> int:
        """Writes the op into a program; returns the index of its value. As it stands: the primitive
        of its name.
        """
        dtypes = [b.dtypes[i] for i in args]
        wide = self.compute_dtype(*dtypes)
        return b.prim(self.name, self.dtype(*dtypes), *(b.cast(i, wide) for i in args))

    def grad(self, inputs: Sequence[Any], output: Any, g: Any) -> Sequence[Any]:
        """For each input the gradient, as an expression of the output's shape, or None. Any:
        variables with operators.
        """
        raise NotImplementedError  # only for ops with a discrete result, whose gradient nobody asks

    def connected(self, index: int) -> bool:
        """Whether the result depends on this operand's values: see `Op.connected`."""
        return True

    def output_dtypes(self, dtypes: Sequence[str]) -> tuple[str, ...]:
        if not self.complexes and any(d[0] == "c" for d in dtypes):
            raise DtypeError(
                f"'{self.name}' is not defined on complex numbers",
                advice="apply it to the real part, the imaginary part or the absolute value",
            )
        return (self.dtype(*dtypes),)

    def program(self, dtypes: tuple[str, ...]) -> ScalarProgram:
        return _program(self, dtypes)

    def __hash__(self) -> int:
        return hash(type(self))

    def __str__(self) -> str:
        return self.name


# by name; filled as classes are defined, for the walk over every op
SCALAR_OPS: dict[str, type[ScalarOp]] = {}


@lru_cache(maxsize=4096)
def _program(scalar: ScalarOp, dtypes: tuple[str, ...]) -> ScalarProgram:
    """float16 is computed in float32, and rounded, as NumPy does it: no primitive but casts and
    constants has to do with it.
    """
    builder = ScalarBuilder(dtypes)
    operands = [builder.cast(k, wider_than_half(d)) for k, d in enumerate(dtypes)]
    result = scalar.lower(builder, *operands)
    if builder.dtypes[result] == "float32" and "float16" in dtypes:
        result = builder.cast(result, scalar.output_dtypes(dtypes)[0])
    return builder.program(result)


@frozen
class Composite(ScalarOp):
    """Several scalar ops fused into one, with one or more results."""

    fused: ScalarProgram
    text: str = ""
    name: ClassVar[str] = "composite"

    def output_dtypes(self, dtypes: Sequence[str]) -> tuple[str, ...]:
        return self.fused.output_dtypes

    def program(self, dtypes: tuple[str, ...]) -> ScalarProgram:
        return self.fused

    def __str__(self) -> str:
        return f"Composite{{{self.text or f'{len(self.fused.steps)} steps'}}}"

    def __hash__(self) -> int:
        return hash(self.fused)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Composite) and self.fused == other.fused


@frozen
class Elemwise(Op):
    """A scalar op over arrays. Axes of static length 1, and missing leading axes, broadcast; others
    must be equal.
    """

    scalar: ScalarOp

    takes_half = True

    def __call__(self, *inputs: Any) -> Any:
        if len(inputs) != self.scalar.arity and not isinstance(self.scalar, Composite):
            return self._chained(inputs)
        operands = [as_tensor(v) for v in inputs]
        if not _NUMBERS.isdisjoint(map(type, inputs)):
            operands = _beside_half(inputs, operands)
        if _FLAGS["explicit_broadcast"]:
            from workbench.core.ops.shape import pad_ranks

            operands = pad_ranks(operands)
        if _FLAGS["cast_policy"] != "custom":
            operands = _narrowed(operands)
        return super().__call__(*operands)

    def _chained(self, inputs: Sequence[Any]) -> Any:
        """An associative op of another number of operands, one after the other."""
        if not inputs or not self.scalar.associative:
            raise GraphError(
                f"{self.scalar} takes {self.scalar.arity} operands, not {len(inputs)}",
                advice="NumPy's out, where and dtype have no meaning in a graph",
            )
        return reduce(self, map(as_tensor, inputs))

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        types = [tensor_type(v) for v in inputs]
        try:
            shape = broadcast_shapes([t.shape for t in types])
            dtypes = self.scalar.output_dtypes([t.dtype for t in types])
        except (ShapeError, DtypeError) as error:
            met = [describe(self.scalar, inputs), _places(inputs)]
            raise type(error)(
                error.wrong,
                "; ".join(filter(None, met)),
                advice=error.advice or "cast the operands to a dtype that it takes",
            ) from None
        return [TensorType(dtype, shape) for dtype in dtypes]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        program = self.scalar.program(tuple(str(v.dtype) for v in values))
        results = program.run(*values)
        shape = np.broadcast_shapes(*(v.shape for v in values))
        return [_own(result, shape, values) for result in results]

    def check(self, inputs: Sequence[Variable], values: Sequence[Array]) -> None:
        """Raises ShapeError where lengths differ on an axis that does not broadcast in the type."""
        ndim = max((v.ndim for v in values), default=0)
        for axis in range(-ndim, 0):
            lengths = {
                v.shape[axis]
                for v, variable in zip(values, inputs, strict=True)
                if v.ndim >= -axis and tensor_type(variable).shape[axis] != 1
            }
            if len(lengths) > 1:
                raise mismatch(str(self.scalar), inputs, values, axis + ndim)

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        from workbench.core.ops.reduce import sum_to

        (output,) = outputs
        (gradient,) = gradients
        if gradient is None or is_discrete(tensor_type(output).dtype):
            return [None] * len(inputs)
        if all(map(needs_none, inputs)):
            return [None] * len(inputs)
        parts = self.scalar.grad(inputs, output, gradient)
        return [None if p is None or needs_none(v) else sum_to(_real_for(v, p), v, output)
                for v, p in zip(inputs, parts, strict=True)]  # fmt: skip

    def connected(self, index: int) -> bool:
        return self.scalar.connected(index)

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        from workbench.core.ops.shape import dimension

        types = [tensor_type(v) for v in inputs]
        shape = broadcast_shapes([t.shape for t in types])
        dims: list[Any] = list(shape)
        for axis in range(-len(shape), 0):
            if dims[axis] is None:
                source = next(
                    v
                    for v, t in zip(inputs, types, strict=True)
                    if t.ndim >= -axis and t.shape[axis] != 1
                )
                dims[axis] = dimension(source, axis + tensor_type(source).ndim)
        return [dims] * len(self.scalar.output_dtypes([t.dtype for t in types]))

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        program = self.scalar.program(tuple(str(i.dtype) for i in inputs))
        return int(outputs[0].size) * sum(
            1 for step in program.steps if step.prim not in ("cast", "const")
        )

    @property
    def commutative(self) -> bool:  # type: ignore[override]
        return self.scalar.commutative

    @property
    def label(self) -> str:
        return "fused" if isinstance(self.scalar, Composite) else self.scalar.name

    @property
    def name(self) -> str:
        """What Theano's graphs call it."""
        return str(self)

    def __str__(self) -> str:
        return f"Elemwise{{{self.scalar},no_inplace}}"


_NUMBERS = frozenset((int, float))


def _beside_half(inputs: Sequence[Any], operands: list[Variable]) -> list[Variable]:
    """Python's numbers, where they meet nothing but float16, are of it, as NumPy has it."""
    are_numbers = [type(v) in _NUMBERS for v in inputs]
    dtypes = [
        tensor_type(v).dtype for v, is_number in zip(operands, are_numbers, strict=True)
        if not is_number
    ]  # fmt: skip
    if "float16" not in dtypes or upcast(*dtypes) != "float16":
        return operands
    return [
        constant(value, "float16") if is_number else v
        for value, v, is_number in zip(inputs, operands, are_numbers, strict=True)
    ]


def _narrowed(operands: list[Variable]) -> list[Variable]:
    """Operands of which none is float64 and that would meet in it, cast to floatX: what
    `config.cast_policy` 'numpy+floatX' means.
    """
    from workbench.core.ops.scalars import cast

    dtypes = [tensor_type(v).dtype for v in operands]
    if "float64" in dtypes or all(map(is_discrete, dtypes)) or upcast(*dtypes) != "float64":
        return operands
    return [cast(v, "floatX") for v in operands]


def needs_none(variable: Variable) -> bool:
    """Integers take no gradient, but for inputs of the graph: there it is what it is at the same
    real number.
    """
    made = variable.owner is not None or isinstance(variable, Constant)
    return made and is_discrete(tensor_type(variable).dtype)


def _real_for(variable: Variable, gradient: Any) -> Any:
    """The gradient by a real operand of a complex result is real."""
    g = as_tensor(gradient)
    if tensor_type(g).dtype[0] != "c" or tensor_type(variable).dtype[0] == "c":
        return g
    from workbench.core.ops.scalars.complex_numbers import real

    return real(g)


def _own(result: Array, shape: tuple[int, ...], values: Sequence[Array]) -> Array:
    if result.shape != shape:
        return np.broadcast_to(result, shape).copy()
    return result.copy() if any(result is v for v in values) else result


def _describe(variable: Variable) -> str:
    return f"{variable.name or 'an expression'}: {variable.type}"


def _places(inputs: Sequence[Variable]) -> str:
    """Where the operands that have a name were made."""
    return "; ".join(
        f"{_describe(v)} made at {v.place}"
        for v in inputs
        if v.place is not None and v.owner is None
    )


def mismatch(what: str, inputs: Sequence[Variable], values: Sequence[Any], axis: int) -> ShapeError:
    """The error for lengths that differ at run time."""
    met = ", ".join(
        f"{_describe(v)} of shape {a.shape}" for v, a in zip(inputs, values, strict=True)
    )
    hint = (
        "an axis broadcasts only where its length is 1 in the type: declare it so (row, col, "
        "shape=), or use addbroadcast"
        if any(1 in a.shape for a in values)
        else "make the lengths equal"
    )
    return ShapeError(f"input dimension mismatch on axis {axis}", f"{what} of {met}", advice=hint)
