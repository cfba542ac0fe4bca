"""Casts between dtypes as NumPy does them on x86, on every processor and without LLVM's poison
values.

Floats that do not fit an integer type: int64 and int32 give their smallest value; smaller integers
and uint32 are the low bits of a conversion to int32 or int64; uint64 takes [0, 2⁶⁴) as it is and
negative values modulo 2⁶⁴. nan does not fit.
"""

from __future__ import annotations

import numpy as np

from workbench.core.native.ssa import Value, scalar_type


def convert(x: Value, source: str, target: str) -> Value:
    """x of dtype `source` as `target`."""
    if source == target:
        return x
    kind, to = np.dtype(source).kind, np.dtype(target)
    scalar = scalar_type(target)
    if target == "bool":
        return x.ne(0)
    if "float16" in (source, target):
        return _by_float32(x, source, target)
    if kind == "f":
        return _float_to_float(x, scalar) if to.kind == "f" else _float_to_integer(x, to)
    if to.kind == "f":
        return x.convert("sitofp" if kind == "i" else "uitofp", scalar)
    return _resize(x, scalar, signed=kind == "i")


def _float_to_float(x: Value, scalar: str) -> Value:
    return x.convert("fpext" if scalar == "double" else "fptrunc", scalar)


def _by_float32(x: Value, source: str, target: str) -> Value:
    """From or to float16, which processors convert from and to float32 alone."""
    if source == "float16":
        return convert(x.convert("fpext", "float"), "float32", target)
    single = _to_odd(x) if source == "float64" else convert(x, source, "float32")
    return single.convert("fptrunc", "half")


def _to_odd(x: Value) -> Value:
    """A float64 as a float32 that rounds further as the float64 would: what does not fit is cut
    off, and sets the last bit.
    """
    near = x.convert("fptrunc", "float")
    back = near.convert("fpext", "double")
    bits = near.bits
    above = abs(back).gt(abs(x)).convert("zext", "i32")
    inexact = back.compare("one", x).convert("zext", "i32")
    return (bits - above | inexact).as_float()


def _resize(x: Value, scalar: str, *, signed: bool) -> Value:
    width = int(scalar[1:])
    if width == x.type.bits:
        return x
    opcode = "trunc" if width < x.type.bits else "sext" if signed else "zext"
    return x.convert(opcode, scalar)


def _float_to_integer(x: Value, to: np.dtype[np.generic]) -> Value:
    if to == np.uint64:
        return _float_to_uint64(x)
    bits = 64 if to.itemsize == 8 or to == np.uint32 else 32
    return _resize(_float_to_signed(x, bits), f"i{to.itemsize * 8}", signed=True)


def _float_to_signed(x: Value, bits: int) -> Value:
    """Like cvttsd2si: the smallest integer for what does not fit."""
    limit = 2.0 ** (bits - 1)
    exact = (
        bits == 64 or x.type.scalar == "float"
    )  # there is no float between -limit - 1 and -limit
    inside = x.lt(limit) & (x.ge(-limit) if exact else x.gt(-limit - 1))
    number = inside.select(x, 0.0).convert("fptosi", f"i{bits}")
    return inside.select(number, -(1 << bits - 1))


def _float_to_uint64(x: Value) -> Value:
    large = x.ge(2.0**63) & x.lt(2.0**64)
    number = large.select(x, 0.0).convert("fptoui", "i64")
    return large.select(number, _float_to_signed(x, 64))
