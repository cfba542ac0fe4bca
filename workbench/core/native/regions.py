"""Regions: where the code of a native program stands, one region per loop depth.

What depends only on dimensions (sizes, checks, arena slots) is written in the outermost region that
knows them, so that loops do it once. Mutable things are `alloca`s, which LLVM promotes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workbench.core.native.ssa import Code, Type
from workbench.core.native.tensor import Name


class Region(Code):
    """Lines of one region; names come from the program's one counter."""

    def __init__(self, regions: Regions, depth: int) -> None:
        super().__init__()
        self._regions = regions
        self.depth = depth

    def name(self) -> str:
        name = self._regions.fresh()
        self._regions.depths[name] = self.depth
        return name


class Regions:
    """The regions of a program, the names in them, and arithmetic on dimensions: each sum is
    written once, where its operands are known.
    """

    def __init__(self) -> None:
        self.depths: dict[Name, int] = {}
        self.allocas: list[str] = []
        self.codes: list[Code] = [Region(self, 0)]
        self._count = 0
        self._floor = 0  # the depth of the innermost region that nothing leaves
        self._sums: dict[tuple[str, ...], Name] = {}
        self._equal: dict[Name, Name] = {}

    def fresh(self, prefix: str = "v") -> Name:
        self._count += 1
        return f"%{prefix}{self._count}"

    def label(self, prefix: str = "b") -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    @property
    def depth(self) -> int:
        return len(self.codes) - 1

    @property
    def code(self) -> Code:
        """The region where values are computed now: the innermost."""
        return self.codes[-1]

    def depth_of(self, *names: Name) -> int:
        return max((self.depths.get(name, 0) for name in names), default=0)

    def region(self, *names: Name) -> Code:
        """The outermost region in which all these names are known, but none outside a branch that
        is written now.
        """
        return self.codes[max(self._floor, self.depth_of(*names))]

    @contextmanager
    def inside(self) -> Iterator[Code]:
        """A region one deeper; when it ends, whoever opened it appends its lines (`append`) where
        they belong.
        """
        region = Region(self, len(self.codes))
        known = dict(self._equal), dict(self._sums)
        self.codes.append(region)
        try:
            yield region
        finally:
            self.codes.pop()
            self._equal, self._sums = known

    @property
    def is_inside_branch(self) -> bool:
        """Whether what is written now may not run."""
        return self._floor > 0

    @contextmanager
    def kept_inside(self) -> Iterator[Code]:
        """A region one deeper that nothing leaves: it may not run."""
        around = self._floor
        self._floor = len(self.codes)
        try:
            with self.inside() as region:
                yield region
        finally:
            self._floor = around

    def alloca(self, text: str, prefix: str = "a") -> Name:
        """Memory of the function's own frame, for one value of an LLVM type."""
        name = self.fresh(prefix)
        self.allocas.append(f"  {name} = alloca {text}")
        return name

    def start_block(self, label: str, code: Code | None = None) -> None:
        (code or self.code).lines.append(f"{label}:")

    # --- arithmetic on dimensions ---

    def integer(self, opcode: str, a: Name, b: Name) -> Name:
        """`a opcode b` in i64, folded where both are literals and written once per region."""
        if (known := _fold(opcode, a, b)) is not None:
            return known
        key = (opcode, a, b)
        if key not in self._sums:
            self._sums[key] = self.region(a, b).put(Type("i64"), f"{opcode} i64 {a}, {b}").name
        return self._sums[key]

    def integer_known(self, opcode: str, a: Name, b: Name) -> Name | None:
        """The name that `integer` would give where it is a literal or there already, else None."""
        known = _fold(opcode, a, b)
        return known if known is not None else self._sums.get((opcode, a, b))

    def multiply(self, *names: Name) -> Name:
        product = "1"
        for name in names:
            product = self.integer("mul", product, name)
        return product

    def call_i64(self, function: str, a: Name, b: Name) -> Name:
        """An intrinsic such as `smax` over two i64."""
        if a.lstrip("-").isdigit() and b.lstrip("-").isdigit() and function in ("smax", "smin"):
            return str(max(int(a), int(b)) if function == "smax" else min(int(a), int(b)))
        key = (function, a, b)
        if key not in self._sums:
            text = f"call i64 @llvm.{function}.i64(i64 {a}, i64 {b})"
            self._sums[key] = self.region(a, b).put(Type("i64"), text).name
        return self._sums[key]

    def compare(self, predicate: str, a: Name, b: Name) -> Name:
        """An i1 of two i64."""
        return self.region(a, b).put(Type("i1"), f"icmp {predicate} i64 {a}, {b}").name

    def select(self, condition: Name, a: Name, b: Name) -> Name:
        return (
            self.region(condition, a, b)
            .put(Type("i64"), f"select i1 {condition}, i64 {a}, i64 {b}")
            .name
        )

    def offset(self, data: Name, count: Name) -> Name:
        """The address `count` bytes after data."""
        if count == "0":
            return data
        text = f"getelementptr i8, ptr {data}, i64 {count}"
        return self.region(data, count).put(Type("ptr"), text).name

    def canonical(self, name: Name) -> Name:
        """The one name for all that are known to be equal."""
        while name in self._equal:
            name = self._equal[name]
        return name


def _fold(opcode: str, a: Name, b: Name) -> Name | None:
    literal_a, literal_b = a.lstrip("-").isdigit(), b.lstrip("-").isdigit()
    if literal_a and literal_b:
        x, y = int(a), int(b)
        if opcode == "sdiv" and x >= 0 and y > 0:
            return str(x // y)
        return {"add": str(x + y), "sub": str(x - y), "mul": str(x * y)}.get(opcode)
    if opcode == "mul" and "0" in (a, b):
        return "0"
    if opcode == "mul" and "1" in (a, b):
        return b if a == "1" else a
    if opcode == "add" and "0" in (a, b):
        return b if a == "0" else a
    return a if opcode in ("sub", "sdiv") and b == ("0" if opcode == "sub" else "1") else None
