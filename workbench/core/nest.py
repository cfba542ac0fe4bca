"""Loop nests: an elementwise program over an iteration space, with stores and reductions.

A nest says what is computed and how operands lie in memory as far as that is known at compile time;
it does not say how loops are written. `native.kernel` renders it as LLVM IR and the devices'
renderer as C.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from workbench.core.scalar import ScalarProgram
from workbench.frozen import frozen

Stride = Literal["zero", "unit", "any"]
"""How an operand moves along an axis: not at all (broadcast), by its item size, or by a run-time
byte stride.
"""

Reducer = Literal["add", "mul", "maximum", "minimum", "and", "or"]

REDUCERS: tuple[Reducer, ...] = ("add", "mul", "maximum", "minimum", "and", "or")


@frozen
class Operand:
    """One input of the program: a dtype and a stride kind for each axis of the iteration space.

    'unit' may stand for the innermost axis only. An operand that moves along no axis is passed by
    value.
    """

    dtype: str
    strides: tuple[Stride, ...]

    @property
    def by_value(self) -> bool:
        return all(stride == "zero" for stride in self.strides)


@frozen
class Result:
    """Where output number `output` of the program goes.

    Elementwise (`reducer` None): every element is stored. Else the elements are combined over the
    nest's reduced axes in the `accumulator` dtype and each total is stored as `dtype`; `strides` is
    'zero' on reduced axes. `inplace` names operands that may be this very buffer, with the same
    strides; any other overlap of a result with an operand or another result is not allowed.
    """

    output: int
    dtype: str
    strides: tuple[Stride, ...]
    reducer: Reducer | None = None
    accumulator: str = ""
    inplace: tuple[int, ...] = ()


Item = Operand | Result


@frozen
class Nest:
    """An iteration space of `ndim` run-time dimensions (axis 0 outermost) and what is done at each
    point.

    `operands` are the program's inputs in order. `reduced` axes apply to every reducing result; a
    nest may have elementwise and reducing results at once. A total over an empty space is the
    reducer's identity: callers refuse an empty maximum or minimum before.
    """

    ndim: int
    program: ScalarProgram
    operands: tuple[Operand, ...]
    results: tuple[Result, ...]
    reduced: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        problem = next(_problems(self), None)
        if problem:
            raise ValueError(f"not a loop nest: {problem}")

    @property
    def items(self) -> tuple[Item, ...]:
        """Everything in memory: operands, then results."""
        return (*self.operands, *self.results)

    @property
    def kept(self) -> tuple[int, ...]:
        return tuple(axis for axis in range(self.ndim) if axis not in self.reduced)


def contiguous(ndim: int) -> tuple[Stride, ...]:
    """Stride kinds of a C-contiguous operand: run-time byte strides but for the innermost axis."""
    outer: list[Stride] = ["any"] * (ndim - 1)
    return (*outer, "unit") if ndim else ()


def accumulator_dtype(reducer: Reducer, dtype: str) -> str:
    """The dtype to combine in: float32 sums and products in float64, small integers in 64 bits.

    >>> accumulator_dtype("add", "float32"), accumulator_dtype("maximum", "float32")
    ('float64', 'float32')
    """
    kind = np.dtype(dtype).kind
    if reducer not in ("add", "mul"):
        return dtype
    return {"f": "float64", "i": "int64", "u": "uint64", "b": "int64"}[kind]


def _problems(nest: Nest) -> Iterator[str]:
    program = nest.program
    if tuple(operand.dtype for operand in nest.operands) != program.inputs:
        yield f"operands {nest.operands} are not the program's inputs {program.inputs}"
    if any(not 0 <= axis < nest.ndim for axis in nest.reduced) or len(set(nest.reduced)) != len(
        nest.reduced
    ):
        yield f"reduced axes {nest.reduced} of {nest.ndim}"
    for item in nest.items:
        if len(item.strides) != nest.ndim or "unit" in item.strides[:-1]:
            yield f"strides of {item}: one for each of {nest.ndim} axes, 'unit' innermost only"
    for result in nest.results:
        if not 0 <= result.output < len(program.outputs):
            yield f"{result}: the program has {len(program.outputs)} outputs"
        if result.reducer is None and result.dtype != program.output_dtypes[result.output]:
            yield f"{result}: elementwise results have their output's dtype: cast in the program"
        if result.reducer is not None and (
            result.reducer not in REDUCERS or not result.accumulator
        ):
            yield f"{result}: no such reducer, or no accumulator dtype"
        if result.reducer is not None and any(
            result.strides[axis] != "zero" for axis in nest.reduced
        ):
            yield f"{result}: a total does not move along reduced axes"
