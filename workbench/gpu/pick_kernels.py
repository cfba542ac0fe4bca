"""Kernels for index arrays. Where picked elements are is computed first, as byte offsets; then
elements are read there, or written.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from workbench.frozen import frozen
from workbench.gpu.dialect import c_type
from workbench.gpu.nest_kernel import NestKernel, Word, indented
from workbench.gpu.render import literal

NOWHERE = -(1 << 63)
"""The offset of what is out of range."""

_NOWHERE = literal(NOWHERE, "int64")


class _OnePoint(NestKernel):
    """A thread takes one point at a time."""

    @cached_property
    def pack(self) -> int:
        return 1


@frozen
class Places(_OnePoint):
    """A nest whose one result is offsets; those that are NOWHERE are reported."""

    title = "places"

    def _buffers(self) -> Iterator[Word]:
        yield from super()._buffers()
        yield ("flags", 0, 0)

    def _counts(self) -> Iterator[Word]:
        yield from super()._counts()
        yield ("mark", 0, 0)

    def _point(self, at: str, index: str) -> Iterator[str]:
        yield from super()._point(at, index)
        yield f"if (y0 == {_NOWHERE})"
        yield f"    report({self.array('flags', 0)}, {self.word('mark')});"


@frozen
class Gather(_OnePoint):
    """A nest whose operand 1 lies, at each point, as far from its address as operand 0 says."""

    title = "gather"

    def moves(self, k: int) -> bool:
        return k == 1 or super().moves(k)

    def _point(self, at: str, index: str) -> Iterator[str]:
        yield from self._place(at, index)
        where = {k: f"p{k}{self.offset(k, range(self.nest.ndim))}" for k in self._moving()}
        yield from self._loads({k: place for k, place in where.items() if k == 0})
        yield f"if (x0 == {_NOWHERE})"
        yield "    continue;"
        yield from self._loads({1: f"{where[1]} + x0"})
        yield from self._call(["x0", "x1"])
        yield from self._stores(where)


@frozen
class Scatter(_OnePoint):
    """A nest whose result is made of itself (operand 0) and of operand 1 where places name it.

    Operand 2 is the order that sorts the `count` places: equal ones are a run, whose first point
    goes through it, so that no two threads write one element and the sum is always the same.
    """

    title = "scatter"

    def moves(self, k: int) -> bool:
        return k == 0 or super().moves(k)

    def _buffers(self) -> Iterator[Word]:
        yield from super()._buffers()
        yield ("places", 0, 0)

    def _counts(self) -> Iterator[Word]:
        yield from super()._counts()
        yield ("count", 0, 0)

    def _point(self, at: str, index: str) -> Iterator[str]:
        yield from self._place(at, index)
        axes = range(self.nest.ndim)
        along = next((a for a in axes if self.nest.operands[2].strides[a] != "zero"), None)
        kind = c_type(self.nest.results[0].dtype)
        yield f"GLOBAL const i64 *order = (GLOBAL const i64 *){self.array('buffer', 2)};"
        yield f"GLOBAL const i64 *places = (GLOBAL const i64 *){self.array('places', 0)};"
        yield f"const i64 k = {'0' if along is None else f'i{along}'}, place = places[order[k]];"
        yield f"if (place == {_NOWHERE} || (k && places[order[k - 1]] == place))"
        yield "    continue;"
        yield f"GLOBAL {kind} *here = (GLOBAL {kind} *)(p0{self.offset(0, axes)} + place);"
        yield f"{kind} x0 = *here;"
        yield f"for (i64 j = k; j < {self.word('count')} && places[order[j]] == place; j++) {{"
        if along is not None:
            yield f"    const i64 i{along} = order[j];"
        if self.moves(1):
            yield from indented(self._loads({1: f"p1{self.offset(1, axes)}"}))
        yield from indented(self._call(["x0", "x1", "0"]))
        yield "    x0 = y0;"
        yield "}"
        yield "*here = x0;"
