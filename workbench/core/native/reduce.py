"""Reducers as LLVM text: identity, combination of two values, and of the lanes of one."""

from __future__ import annotations

import numpy as np

from workbench.core.native.lower import lower_step
from workbench.core.native.ssa import Code, Type, Value
from workbench.core.nest import Reducer
from workbench.core.scalar import ScalarStep


def identity(reducer: Reducer, dtype: str) -> float | int:
    """The value that changes nothing: what an empty reduction gives."""
    if reducer in ("add", "or"):
        return 0
    if reducer == "mul":
        return 1
    if reducer == "and":
        return -1
    kind, greatest = np.dtype(dtype).kind, reducer == "minimum"
    if kind == "f":
        return float("inf") if greatest else float("-inf")
    if kind == "b":
        return int(greatest)
    limits = np.iinfo(dtype)
    return limits.max if greatest else limits.min


def combine(code: Code, reducer: Reducer, dtype: str, first: Value, second: Value) -> Value:
    """The two values combined lane by lane; nan goes through maximum and minimum."""
    step = ScalarStep(reducer, (0, 1), dtype)
    return lower_step(code, step, (dtype, dtype), (first, second), first.type.lanes)


def across(code: Code, reducer: Reducer, dtype: str, vector: Value) -> Value:
    """The lanes of a vector combined: halves, quarters, …"""
    while vector.type.lanes > 1:
        half = vector.type.lanes // 2
        low, high = (_part(code, vector, start, half) for start in (0, half))
        vector = combine(code, reducer, dtype, low, high)
    return vector


def _part(code: Code, vector: Value, start: int, count: int) -> Value:
    if count == 1:
        return vector.lane(start)
    lanes = ", ".join(f"i32 {start + i}" for i in range(count))
    type = Type(vector.type.scalar, count)
    return code.put(
        type, f"shufflevector {vector.typed}, {vector.type.text} poison, <{count} x i32> <{lanes}>"
    )
