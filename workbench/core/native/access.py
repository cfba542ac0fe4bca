"""Loads and stores of a vector's worth of elements: contiguous or strided, whole or masked."""

from __future__ import annotations

import numpy as np

from workbench.core.native.ssa import Code, Type, Value, gather_lanes, memory_type
from workbench.core.nest import Stride
from workbench.frozen import frozen


@frozen
class Step:
    """How far the next element is: the kind, and the SSA name of the byte stride that 'any' has."""

    kind: Stride
    bytes: str


def load(code: Code, dtype: str, pointer: str, step: Step, lanes: int, mask: Value | None) -> Value:
    """`lanes` elements from `pointer` on; lanes masked off are 0."""
    memory = Type(memory_type(dtype), lanes)
    align = np.dtype(dtype).itemsize
    if step.kind != "unit" and lanes > 1:
        value = _load_lanes(code, memory, pointer, step, align)
    elif mask is None:
        value = code.put(memory, f"load {memory.text}, ptr {pointer}, align {align}")
    else:
        value = code.put(
            memory,
            f"call {memory.text} @llvm.masked.load.{memory.suffix}.p0"
            f"(ptr {pointer}, i32 {align}, {mask.typed}, {memory.text} zeroinitializer)",
        )
    return value.ne(0) if dtype == "bool" else value


def store(
    code: Code, value: Value, dtype: str, pointer: str, step: Step, mask: Value | None
) -> None:
    """The reverse; lanes masked off are not written."""
    lanes, align = value.type.lanes, np.dtype(dtype).itemsize
    if dtype == "bool":
        value = value.convert("zext", "i8")
    if step.kind != "unit" and lanes > 1:
        for i, where in enumerate(_places(code, pointer, step, lanes)):
            code.line(f"store {value.lane(i).typed}, ptr {where}, align {align}")
    elif mask is None:
        code.line(f"store {value.typed}, ptr {pointer}, align {align}")
    else:
        code.line(
            f"call void @llvm.masked.store.{value.type.suffix}.p0"
            f"({value.typed}, ptr {pointer}, i32 {align}, {mask.typed})"
        )


def _load_lanes(code: Code, memory: Type, pointer: str, step: Step, align: int) -> Value:
    """One load for each lane: quicker than the gathers of the processors that we measured."""
    one = Type(memory.scalar)
    places = _places(code, pointer, step, memory.lanes)
    return gather_lanes(
        code, [code.put(one, f"load {one.text}, ptr {p}, align {align}") for p in places]
    )


def _places(code: Code, pointer: str, step: Step, lanes: int) -> list[str]:
    """The addresses of the lanes."""
    places = [pointer]
    for _ in range(lanes - 1):
        right = f"getelementptr inbounds i8, ptr {places[-1]}, i64 {step.bytes}"
        places.append(code.put(Type("ptr"), right).name)
    return places


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
