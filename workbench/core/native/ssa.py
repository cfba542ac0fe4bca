"""Straight-line LLVM text in SSA form, written with Python operators over `Value`s of any number of
lanes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from workbench.frozen import frozen

_FLOATS = {"half": "f16", "float": "f32", "double": "f64"}
_SCALARS = {"bool": "i1", "float16": "half", "float32": "float", "float64": "double"}


def scalar_type(dtype: str) -> str:
    """The register type of a dtype (bool is i1); KeyError for dtypes without one (complex)."""
    kind = np.dtype(dtype)
    return f"i{kind.itemsize * 8}" if kind.kind in "iu" else _SCALARS[dtype]


def is_native(dtype: str) -> bool:
    """Whether a dtype has a register type."""
    return np.dtype(dtype).kind in "iu" or dtype in _SCALARS


def memory_type(dtype: str) -> str:
    """The type in memory and in calls: bool is i8."""
    return "i8" if dtype == "bool" else scalar_type(dtype)


@frozen
class Type:
    """A scalar type in a number of lanes; one lane is the scalar itself."""

    scalar: str
    lanes: int = 1

    @cached_property
    def text(self) -> str:
        return self.scalar if self.lanes == 1 else f"<{self.lanes} x {self.scalar}>"

    @cached_property
    def suffix(self) -> str:
        """As in the names of LLVM's overloaded functions: `v8f64`, `i32`."""
        scalar = _FLOATS.get(self.scalar, self.scalar)
        return scalar if self.lanes == 1 else f"v{self.lanes}{scalar}"

    @cached_property
    def is_float(self) -> bool:
        return self.scalar in _FLOATS

    @cached_property
    def bits(self) -> int:
        return {"half": 16, "float": 32, "double": 64, "ptr": 64}.get(self.scalar) or int(
            self.scalar[1:]
        )

    def of(self, scalar: str) -> Type:
        return Type(scalar, self.lanes)

    @property
    def integer(self) -> Type:
        """The integers of the same width."""
        return self.of(f"i{self.bits}")

    @property
    def mask(self) -> Type:
        return self.of("i1")

    def literal(self, number: float | int | bool) -> str:
        """The text of a constant, in all lanes."""
        one = (
            _float_text(self.scalar, float(number))
            if self.is_float
            else str(_wrapped(int(number), self.bits))
        )
        return one if self.lanes == 1 else f"splat ({self.scalar} {one})"


def _float_text(scalar: str, number: float) -> str:
    if scalar == "half":
        return f"0xH{struct.unpack('<H', struct.pack('<e', number))[0]:04X}"
    if scalar == "float":
        number = float(np.float32(number))
    return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"


def _wrapped(number: int, bits: int) -> int:
    """Within the signed range, as LLVM's parser wants it (i1: 0 or 1)."""
    if bits == 1:
        return number & 1
    return (number + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)


Number = float | int | bool


class Code:
    """Lines of a basic block and a source of fresh names."""

    def __init__(self, prefix: str = "t") -> None:
        self.lines: list[str] = []
        self._prefix = prefix
        self._count = 0

    def name(self) -> str:
        self._count += 1
        return f"%{self._prefix}{self._count}"

    def line(self, text: str) -> None:
        self.lines.append(f"  {text}")

    def put(self, type: Type, right: str) -> Value:
        """A new value with this right-hand side."""
        name = self.name()
        self.lines.append(f"  {name} = {right}")
        return Value(self, type, name)

    def constant(self, type: Type, number: Number) -> Value:
        return Value(self, type, type.literal(number))

    def call(self, function: str, type: Type, *args: Value) -> Value:
        """A call of `@function` returning `type`."""
        return self.put(type, f"call {type.text} @{function}({', '.join(a.typed for a in args)})")

    def math(self, function: str, *args: Value) -> Value:
        """A call of the library's `@wb.function` for the type of the arguments, which is the
        result's.
        """
        return self.call(f"wb.{function}.{args[0].type.suffix}", args[0].type, *args)

    def intrinsic(self, function: str, *args: Value) -> Value:
        return self.call(f"llvm.{function}.{args[0].type.suffix}", args[0].type, *args)


class Value:
    """An SSA name or a constant, with its type. Operators write instructions; numbers become
    constants of its type.
    """

    __slots__ = ("code", "name", "type")

    def __init__(self, code: Code, type: Type, name: str) -> None:
        self.code = code
        self.type = type
        self.name = name

    @property
    def typed(self) -> str:
        return f"{self.type.text} {self.name}"

    def like(self, number: Number) -> Value:
        """A constant of this type."""
        return self.code.constant(self.type, number)

    def _other(self, other: Value | Number) -> Value:
        return other if isinstance(other, Value) else self.like(other)

    def _binary(self, floating: str, integer: str, other: Value | Number) -> Value:
        opcode = floating if self.type.is_float else integer
        return self.code.put(self.type, f"{opcode} {self.typed}, {self._other(other).name}")

    def __add__(self, other: Value | Number) -> Value:
        return self._binary("fadd", "add", other)

    def __sub__(self, other: Value | Number) -> Value:
        return self._binary("fsub", "sub", other)

    def __mul__(self, other: Value | Number) -> Value:
        return self._binary("fmul", "mul", other)

    def __radd__(self, other: Number) -> Value:
        return self.like(other) + self

    def __rsub__(self, other: Number) -> Value:
        return self.like(other) - self

    def __rmul__(self, other: Number) -> Value:
        return self.like(other) * self

    def __truediv__(self, other: Value | Number) -> Value:
        return self._binary("fdiv", "sdiv", other)

    def __rtruediv__(self, other: Number) -> Value:
        return self.like(other) / self

    def __neg__(self) -> Value:
        return self.code.put(self.type, f"fneg {self.typed}") if self.type.is_float else 0 - self

    def __and__(self, other: Value | Number) -> Value:
        return self._binary("", "and", other)

    def __or__(self, other: Value | Number) -> Value:
        return self._binary("", "or", other)

    def __xor__(self, other: Value | Number) -> Value:
        return self._binary("", "xor", other)

    def __invert__(self) -> Value:
        return self ^ -1

    def __lshift__(self, other: Value | Number) -> Value:
        return self._binary("", "shl", other)

    def __rshift__(self, other: Value | Number) -> Value:
        """Logical: zeros come in."""
        return self._binary("", "lshr", other)

    def ashr(self, other: Value | Number) -> Value:
        return self._binary("", "ashr", other)

    def op(self, opcode: str, other: Value | Number) -> Value:
        """Any other instruction of two operands of this type."""
        return self._binary(opcode, opcode, other)

    def compare(self, predicate: str, other: Value | Number) -> Value:
        """`fcmp` or `icmp` with LLVM's name of the predicate."""
        opcode = "fcmp" if self.type.is_float else "icmp"
        return self.code.put(
            self.type.mask, f"{opcode} {predicate} {self.typed}, {self._other(other).name}"
        )

    def lt(self, other: Value | Number) -> Value:
        return self.compare("olt" if self.type.is_float else "slt", other)

    def le(self, other: Value | Number) -> Value:
        return self.compare("ole" if self.type.is_float else "sle", other)

    def gt(self, other: Value | Number) -> Value:
        return self.compare("ogt" if self.type.is_float else "sgt", other)

    def ge(self, other: Value | Number) -> Value:
        return self.compare("oge" if self.type.is_float else "sge", other)

    def eq(self, other: Value | Number) -> Value:
        return self.compare("oeq" if self.type.is_float else "eq", other)

    def ne(self, other: Value | Number) -> Value:
        return self.compare("une" if self.type.is_float else "ne", other)

    def isnan(self) -> Value:
        return self.compare("uno", self)

    def select(self, yes: Value, no: Value | Number) -> Value:
        """`yes` where this mask holds, else `no`."""
        return self.code.put(yes.type, f"select {self.typed}, {yes.typed}, {yes._other(no).typed}")

    def convert(self, opcode: str, scalar: str) -> Value:
        """A conversion instruction (`sitofp`, `bitcast`, `zext`, …) to another scalar type, lane by
        lane.
        """
        to = self.type.of(scalar)
        return self.code.put(to, f"{opcode} {self.typed} to {to.text}")

    @property
    def bits(self) -> Value:
        """The same bits as an integer."""
        return self.convert("bitcast", self.type.integer.scalar)

    def as_float(self) -> Value:
        """The same bits as a float."""
        return self.convert("bitcast", "float" if self.type.bits == 32 else "double")

    def __abs__(self) -> Value:
        return self.code.intrinsic("fabs", self)

    def copysign(self, sign: Value | Number) -> Value:
        return self.code.intrinsic("copysign", self, self._other(sign))

    def rint(self) -> Value:
        return self.code.intrinsic("rint", self)

    def fma(self, times: Value | Number, plus: Value | Number) -> Value:
        """self·times + plus, fused where that is quick."""
        return self.code.intrinsic("fmuladd", self, self._other(times), self._other(plus))

    def exact_fma(self, times: Value | Number, plus: Value | Number) -> Value:
        """self·times + plus with one rounding on every processor (a slow call where there is no
        instruction).
        """
        return self.code.intrinsic("fma", self, self._other(times), self._other(plus))

    def polynomial(self, coefficients: Sequence[float]) -> Value:
        """Σ cₖ·selfᵏ: even and odd terms apart, which halves the chain of dependent steps."""
        if len(coefficients) < 4:
            return self._horner(coefficients)
        square = self * self
        return square._horner(coefficients[1::2]).fma(self, square._horner(coefficients[::2]))

    def _horner(self, coefficients: Sequence[float]) -> Value:
        total = self.like(coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            total = total.fma(self, coefficient)
        return total

    def lane(self, i: int) -> Value:
        return (
            self
            if self.type.lanes == 1
            else self.code.put(Type(self.type.scalar), f"extractelement {self.typed}, i32 {i}")
        )


def splat(code: Code, value: Value, lanes: int) -> Value:
    """A scalar in all lanes."""
    if lanes == 1:
        return value
    type = Type(value.type.scalar, lanes)
    one = code.put(type, f"insertelement {type.text} poison, {value.typed}, i32 0")
    return code.put(
        type, f"shufflevector {one.typed}, {type.text} poison, <{lanes} x i32> zeroinitializer"
    )


def gather_lanes(code: Code, values: Sequence[Value]) -> Value:
    """A vector of scalars."""
    if len(values) == 1:
        return values[0]
    type = Type(values[0].type.scalar, len(values))
    vector = Value(code, type, "poison")
    for i, value in enumerate(values):
        vector = code.put(type, f"insertelement {vector.typed}, {value.typed}, i32 {i}")
    return vector
