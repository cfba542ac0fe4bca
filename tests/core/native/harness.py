"""Compiles a nest on its own and runs it on NumPy arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from workbench.core.native import engine, library
from workbench.core.native.kernel import Argument, kernel_call, kernel_text
from workbench.core.native.ssa import memory_type
from workbench.core.native.target import SCALAR, Target
from workbench.core.nest import Nest, Operand, Result, accumulator_dtype
from workbench.core.scalar import ScalarBuilder, ScalarProgram

SSE = Target(16)
AVX2 = Target(32, frozenset((4, 8)))
TARGETS = {"scalar": SCALAR, "sse": SSE, "avx2": AVX2, "host": engine.host()}


@dataclass
class Compiled:
    """A nest's native code behind `run(dims, operands, results)`; arrays have the nest's ndim."""

    nest: Nest
    text: str
    module: engine.NativeModule
    _call: Any = field(init=False)

    def __post_init__(self):
        self._call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.module.address("run"))

    def run(
        self, dims: Sequence[int], operands: Sequence[Any], results: Sequence[np.ndarray]
    ) -> None:
        words = self.words(dims, operands, results)
        self._call(ctypes.addressof(words))

    def words(self, dims, operands, results):
        words = list(dims)
        for item, array in zip(
            (*self.nest.operands, *self.nest.results), (*operands, *results), strict=True
        ):
            if isinstance(item, Operand) and item.by_value:
                raw = np.asarray(array, item.dtype).tobytes().ljust(8, b"\0")
                words += [int.from_bytes(raw, "little"), *([0] * self.nest.ndim)]
            else:
                assert array.dtype == item.dtype
                assert array.ndim == self.nest.ndim
                words += [array.ctypes.data, *array.strides]
        return (ctypes.c_uint64 * len(words))(*(word % 2**64 for word in words))


def compile_nest(nest: Nest, target: Target | None = None, *, level=1) -> Compiled:
    text = kernel_text("kernel", nest, target or engine.host()) + driver(nest)
    whole = library.complete(text)
    module = engine.compile(whole.text, whole.symbols, ["run"], level=level, cache=False)
    return Compiled(nest, whole.text, module)


def driver(nest: Nest) -> str:
    """`@run(ptr words)`, which takes dims and for each array its data (or value) and strides."""
    lines: list[str] = []

    def word(type: str) -> str:
        k = len(lines) // 2
        lines.append(f"  %p{k} = getelementptr i64, ptr %words, i64 {k}")
        lines.append(f"  %w{k} = load {type}, ptr %p{k}")
        return f"%w{k}"

    def argument(item: Operand | Result) -> Argument:
        by_value = isinstance(item, Operand) and item.by_value
        value = word(memory_type(item.dtype) if by_value else "ptr")
        return Argument(value, [word("i64") for _ in range(nest.ndim)])

    dims = [word("i64") for _ in range(nest.ndim)]
    operands = [argument(operand) for operand in nest.operands]
    results = [argument(result) for result in nest.results]
    lines.append(f"  {kernel_call('kernel', nest, dims, operands, results)}")
    body = "\n".join(lines)
    return f"define void @run(ptr %words) {{\n{body}\n  ret void\n}}\n"


def elementwise(program: ScalarProgram, kind: str = "unit") -> Nest:
    """The program over one axis, with all strides of one kind."""
    operands = tuple(Operand(dtype, (kind,)) for dtype in program.inputs)
    results = tuple(Result(k, d, (kind,)) for k, d in enumerate(program.output_dtypes))
    return Nest(1, program, operands, results)


def single(prim: str, dtype: str, *inputs: str) -> ScalarProgram:
    """A program of one step."""
    builder = ScalarBuilder(inputs)
    return builder.program(builder.prim(prim, dtype, *range(len(inputs))))


def apply(program: ScalarProgram, arrays, target: Target | None = None) -> tuple[np.ndarray, ...]:
    """The program over contiguous 1-d arrays of one size."""
    n = len(arrays[0])
    outputs = tuple(np.empty(n, dtype) for dtype in program.output_dtypes)
    compile_nest(elementwise(program), target).run((n,), arrays, outputs)
    return outputs


def total(reducer: str, output: int, dtype: str, strides) -> Result:
    accumulator = accumulator_dtype(reducer, dtype)
    stored = accumulator if np.dtype(dtype).kind in "biu" else dtype
    return Result(output, stored, strides, reducer, accumulator)


def ulps(got: np.ndarray, want: np.ndarray) -> np.ndarray:
    """The distance from a longdouble reference, in units of the result's last place; inf where one
    is not finite.
    """
    with np.errstate(all="ignore"):
        rounded = want.astype(got.dtype)
        distance = np.abs((got.astype(np.longdouble) - want) / np.spacing(np.abs(rounded)))
    same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
    return np.where(
        same & ~np.isfinite(rounded), 0.0, np.where(np.isfinite(rounded), distance, np.inf)
    )
