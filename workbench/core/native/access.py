"""Loads and stores of a vector's worth of elements: contiguous or strided, whole or masked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.core.native.ssa import Code, Type, Value, memory_type
from workbench.core.nest import Stride


@dataclass(frozen=True, slots=True)
class Step:
    """How far the next element is: the kind, and the SSA name of the byte stride that 'any' has."""

    kind: Stride
    bytes: str


def load(code: Code, dtype: str, pointer: str, step: Step, lanes: int, mask: Value | None) -> Value:
    """`lanes` elements from `pointer` on; lanes masked off are 0."""
    memory = Type(memory_type(dtype), lanes)
    align = np.dtype(dtype).itemsize
    if lanes == 1 or (step.kind == "unit" and mask is None):
        value = code.put(memory, f"load {memory.text}, ptr {pointer}, align {align}")
    elif step.kind == "unit":
        assert mask is not None
        value = code.put(
            memory,
            f"call {memory.text} @llvm.masked.load.{memory.suffix}.p0"
            f"(ptr align {align} {pointer}, {mask.typed}, {memory.text} zeroinitializer)",
        )
    else:
        where = _addresses(code, pointer, step.bytes, lanes)
        value = code.put(
            memory,
            f"call {memory.text} @llvm.masked.gather.{memory.suffix}.v{lanes}p0"
            f"({_aligned(where, align)}, {_all(code, mask, lanes)}, {memory.text} zeroinitializer)",
        )
    return value.ne(0) if dtype == "bool" else value


def store(
    code: Code, value: Value, dtype: str, pointer: str, step: Step, mask: Value | None
) -> None:
    """The reverse; lanes masked off are not written."""
    lanes, align = value.type.lanes, np.dtype(dtype).itemsize
    if dtype == "bool":
        value = value.convert("zext", "i8")
    if lanes == 1 or (step.kind == "unit" and mask is None):
        code.line(f"store {value.typed}, ptr {pointer}, align {align}")
    elif step.kind == "unit":
        assert mask is not None
        code.line(
            f"call void @llvm.masked.store.{value.type.suffix}.p0"
            f"({value.typed}, ptr align {align} {pointer}, {mask.typed})"
        )
    else:
        where = _addresses(code, pointer, step.bytes, lanes)
        code.line(
            f"call void @llvm.masked.scatter.{value.type.suffix}.v{lanes}p0"
            f"({value.typed}, {_aligned(where, align)}, {_all(code, mask, lanes)})"
        )


def first_lanes(code: Code, count: str, lanes: int) -> Value:
    """The mask of the lanes below `count` (i64), all of them if it is larger."""
    at_most = code.put(Type("i64"), f"call i64 @llvm.umin.i64(i64 {count}, i64 {lanes})")
    limit = at_most.convert("trunc", "i32")
    vector = Type("i32", lanes)
    one = code.put(vector, f"insertelement {vector.text} poison, {limit.typed}, i32 0")
    all = code.put(
        vector, f"shufflevector {one.typed}, {vector.text} poison, {vector.text} zeroinitializer"
    )
    numbers = ", ".join(f"i32 {i}" for i in range(lanes))
    return code.put(vector.mask, f"icmp ult {vector.text} <{numbers}>, {all.name}")


def _addresses(code: Code, pointer: str, step: str, lanes: int) -> Value:
    offsets = Type("i64", lanes)
    one = code.put(offsets, f"insertelement {offsets.text} poison, i64 {step}, i32 0")
    all = code.put(
        offsets,
        f"shufflevector {one.typed}, {offsets.text} poison, <{lanes} x i32> zeroinitializer",
    )
    numbers = ", ".join(f"i64 {i}" for i in range(lanes))
    bytes = code.put(offsets, f"mul {all.typed}, <{numbers}>")
    return code.put(Type("ptr", lanes), f"getelementptr i8, ptr {pointer}, {bytes.typed}")


def _aligned(where: Value, align: int) -> str:
    return f"{where.type.text} align {align} {where.name}"


def _all(code: Code, mask: Value | None, lanes: int) -> str:
    return mask.typed if mask is not None else f"<{lanes} x i1> splat (i1 true)"
