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

_ONLY = "only"
"""The index along places of which there is one."""

BLOCK = 256
"""Equal places that one thread goes through; it takes long runs block by block."""

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


class _AlongRuns(_OnePoint):
    """Operand 2 is the order that sorts the `count` places, so that equal ones are a run. Runs may
    be long: blocks of BLOCK places are gone through by themselves.
    """

    def _buffers(self) -> Iterator[Word]:
        yield from super()._buffers()
        yield ("places", 0, 0)

    def _counts(self) -> Iterator[Word]:
        yield from super()._counts()
        yield ("count", 0, 0)

    @property
    def along(self) -> str:
        """The name of the index along the places."""
        steps = self.nest.operands[2].strides
        return next((f"i{a}" for a, step in enumerate(steps) if step != "zero"), _ONLY)

    def _arrays(self) -> Iterator[str]:
        yield f"GLOBAL const i64 *order = (GLOBAL const i64 *){self.array('buffer', 2)};"
        yield f"GLOBAL const i64 *places = (GLOBAL const i64 *){self.array('places', 0)};"
        if self.along == _ONLY:
            yield f"const i64 {_ONLY} = 0;"

    def _address(self, k: int) -> str:
        return f"p{k}{self.offset(k, range(self.nest.ndim))}"

    def _element(self, k: int, index: str) -> Iterator[str]:
        """Element `index` of operand k along the places' axis."""
        yield f"const i64 {self.along} = {index};"
        if self.moves(k):
            yield from self._loads({k: self._address(k)})

    def _through(self, loop: str, k: int, index: str) -> Iterator[str]:
        """Operand k's elements, one after another, into x0."""
        yield f"for ({loop}) {{"
        yield from indented(self._element(k, index))
        unread = ["0"] * (len(self.nest.operands) - 2)
        yield from indented(self._call(["x0", f"x{k}", *unread]))
        yield "    x0 = y0;"
        yield "}"


@frozen
class Carry(_AlongRuns):
    """A nest over blocks of places. Its result is what operand 1 adds to the run that has begun
    before the block; where none goes on, it is not written.
    """

    title = "carry"

    def _point(self, at: str, index: str) -> Iterator[str]:
        yield from self._place(at, index)
        yield from self._arrays()
        kind = c_type(self.nest.results[0].dtype)
        yield f"const i64 first = (i64){self.along} * {BLOCK}, place = places[order[first]];"
        yield "if (!first || places[order[first - 1]] != place)"
        yield "    continue;"
        yield f"GLOBAL {kind} *here = (GLOBAL {kind} *)({self._address(3)});"
        yield f"const i64 end = first + {BLOCK}, count = {self.word('count')};"
        yield f"{kind} x0;"
        yield "{"
        yield from indented(self._element(1, "order[first]"))
        yield "    x0 = x1;"
        yield "}"
        loop = "i64 j = first + 1; j < end && j < count && places[order[j]] == place; j++"
        yield from self._through(loop, 1, "order[j]")
        yield "*here = x0;"


@frozen
class Scatter(_AlongRuns):
    """A nest whose result is made of itself (operand 0) and of operand 1 where places name it.

    The thread of a run's first point goes through it, so that no two write one element and sums
    are the same in every run. Operand 3 is what `Carry` made of the blocks that the run goes on in.
    """

    title = "scatter"

    def moves(self, k: int) -> bool:
        return k == 0 or super().moves(k)

    def _point(self, at: str, index: str) -> Iterator[str]:
        yield from self._place(at, index)
        yield from self._arrays()
        kind = c_type(self.nest.results[0].dtype)
        yield f"const i64 first = {self.along}, place = places[order[first]];"
        yield f"if (place == {_NOWHERE} || (first && places[order[first - 1]] == place))"
        yield "    continue;"
        yield f"GLOBAL {kind} *here = (GLOBAL {kind} *)({self._address(0)} + place);"
        yield f"{kind} x0 = *here;"
        yield f"const i64 block = first / {BLOCK} + 1, end = block * {BLOCK};"
        yield f"const i64 count = {self.word('count')};"
        loop = "i64 j = first; j < end && j < count && places[order[j]] == place; j++"
        yield from self._through(loop, 1, "order[j]")
        loop = f"i64 b = block; b * {BLOCK} < count && places[order[b * {BLOCK}]] == place; b++"
        yield from self._through(loop, 3, "b")
        yield "*here = x0;"
