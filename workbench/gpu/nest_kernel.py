"""Loop nests as kernels.

Elementwise: threads take points of the space in turn, in packs of 16 bytes where everything is in
one piece. Reducing: a group of threads takes some of the kept points; for each, `lanes` threads go
over the reduced points side by side and combine what they have. Where there are few kept points,
the reduced ones are cut into chunks, each of which leaves partial results for a second launch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import ClassVar

import numpy as np

from workbench.core.nest import Item, Nest, Result
from workbench.core.scalar import ScalarStep
from workbench.frozen import frozen
from workbench.gpu.dialect import Capabilities, Kernel, NoDeviceForm, c_type, named
from workbench.gpu.render import combined, expression, identity, statements

Word = tuple[str, int, int]
"""What a word holds: ('buffer', item, 0), ('partial', result, 0), ('dim', axis, 0),
('stride', item, axis), ('scalar', operand, 0), or a number that the writer computes: ('points', 0,
0), ('packs', …), ('kept', …), ('reduced', …), ('lanes', …), ('chunks', …), ('chunk', …), and what
else a kind of kernel counts.
"""

TURN = 8
"""Totals that are combined in local memory at once; others take their turn after them. So it does
not grow with their number, and that of a loop's kernel not with its commands.
"""

WIDEST_SPACE = 2**31 - 1
"""Points that 32 bits can count, so that a narrow kernel will do."""


@frozen
class NestKernel:
    """A nest for a device.

    title     what the kernel's name begins with, where that is not what it does
    pointed   operands that do not move and yet lie on the device: read through an address
    wide      points are counted in 64 bits
    """

    nest: Nest
    pointed: frozenset[int] = frozenset()
    wide: bool = False
    pack_bytes: int = 16

    title: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        return self.nest.items

    @property
    def reduces(self) -> bool:
        return bool(self.nest.reduced)

    @property
    def by_column(self) -> bool:
        """Whether neighbouring threads take neighbouring kept points."""
        return self.nest.ndim - 1 not in self.nest.reduced

    def moves(self, k: int) -> bool:
        """Whether item number k is read or written at each point."""
        item = self.items[k]
        return isinstance(item, Result) or not item.by_value

    def in_memory(self, k: int) -> bool:
        """Whether item number k has a buffer."""
        return self.moves(k) or k in self.pointed

    @cached_property
    def pack(self) -> int:
        """How many elements one thread reads at once; 1 where memory is not in one piece."""
        moving = [self.items[k] for k in self._moving()]
        if self.reduces or self.nest.ndim != 1 or any(i.strides != ("unit",) for i in moving):
            return 1
        return max(1, self.pack_bytes // max(np.dtype(i.dtype).itemsize for i in moving))

    @cached_property
    def buffers(self) -> tuple[Word, ...]:
        return tuple(self._buffers())

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """What the kernel's words hold, in order: buffers first."""
        return (*self.buffers, *self._counts(), *self._geometry(), *self._scalars())

    def _buffers(self) -> Iterator[Word]:
        yield from (("buffer", k, 0) for k in range(len(self.items)) if self.in_memory(k))
        totals = [k for k, r in enumerate(self.nest.results) if r.reducer is not None]
        yield from (("partial", k, 0) for k in totals)

    def _counts(self) -> Iterator[Word]:
        names: tuple[str, ...] = ("points", "packs") if self.pack > 1 else ("points",)
        if self.reduces:
            names = ("kept", "reduced", "lanes", "chunks", "chunk")
        yield from ((name, 0, 0) for name in names)

    def _geometry(self) -> Iterator[Word]:
        for axes in (self.nest.kept, self.nest.reduced):
            yield from (("dim", axis, 0) for axis in axes[1:])
        for k, item in enumerate(self.items):
            for axis, stride in enumerate(item.strides):
                if stride == "any":
                    yield ("stride", k, axis)

    def _scalars(self) -> Iterator[Word]:
        for k in range(len(self.nest.operands)):
            if not self.in_memory(k):
                yield ("scalar", k, 0)

    def kernel(self, able: Capabilities) -> Kernel:
        """Its text. Raises NoDeviceForm."""
        self._check(able)
        body = list(self._reduction(able) if self.reduces else self._elementwise())
        base = self.title or ("reduce" if self.reduces else "map")
        name = base + ("_wide" if self.wide else "")
        return named(name, len(self.words), len(self.buffers), body, self._function())

    def _check(self, able: Capabilities) -> None:
        count = len(self.words) + len(self.buffers)
        if count > able.word_limit:
            raise NoDeviceForm(
                f"a fused kernel of {count} arguments; this device takes {able.word_limit}"
            )

    # --- text ---

    def word(self, kind: str, k: int = 0, axis: int = 0) -> str:
        return f"W({self.words.index((kind, k, axis))})"

    def array(self, kind: str, k: int) -> str:
        return f"ARRAY({self.words.index((kind, k, 0))})"

    @property
    def index(self) -> str:
        return "i64" if self.wide else "u32"

    def _function(self) -> str:
        """The program as a function of one point."""
        program = self.nest.program
        inputs = [f"x{i}" for i in range(len(program.inputs))]
        lines, results = statements(program, inputs)
        taken = [f"const {c_type(d)} {x}" for d, x in zip(program.inputs, inputs, strict=True)]
        given = [f"{c_type(d)} *r{i}" for i, d in enumerate(program.output_dtypes)]
        stores = [f"*r{i} = {name};" for i, name in enumerate(results)]
        inside = "\n".join(f"    {line}" for line in (*lines, *stores))
        return f"DEVICE void NAME_f({', '.join((*taken, *given))}) {{\n{inside}\n}}"

    def _call(self, args: Sequence[str]) -> list[str]:
        dtypes = self.nest.program.output_dtypes
        names = [f"y{i}" for i in range(len(dtypes))]
        return [
            *(f"{c_type(d)} {name};" for d, name in zip(dtypes, names, strict=True)),
            f"NAME_f({', '.join((*args, *(f'&{name}' for name in names)))});",
        ]

    def _scalar_reads(self) -> Iterator[str]:
        """Operands that are the same for all points."""
        for k, operand in enumerate(self.nest.operands):
            kind = c_type(operand.dtype)
            if not self.in_memory(k):
                yield f"const {kind} x{k} = {from_word(operand.dtype, self.word('scalar', k))};"
            elif not self.moves(k):
                yield f"const {kind} x{k} = *(GLOBAL const {kind} *){self.array('buffer', k)};"

    def _moving(self) -> list[int]:
        return [k for k in range(len(self.items)) if self.moves(k)]

    def _elementwise(self) -> Iterator[str]:
        yield from self._scalar_reads()
        for k in self._moving():
            yield f"GLOBAL char *p{k} = {self.array('buffer', k)};"
        if self.pack > 1:
            yield from self._packed()
        start = f"(i64){self.pack} * {self.word('packs')} + GID" if self.pack > 1 else "GID"
        index = "i64" if self.nest.ndim == 1 else self.index
        yield f"const {index} n = ({index}){self.word('points')};"
        yield f"for ({index} i = ({index})({start}); i < n; i += ({index})GRID) {{"
        yield from indented(self._point("i", index))
        yield "}"

    def _point(self, at: str, index: str) -> Iterator[str]:
        """One point of an elementwise space."""
        yield from self._place(at, index)
        where = {k: f"p{k}{self.offset(k, range(self.nest.ndim))}" for k in self._moving()}
        yield from self._loads(where)
        yield from self._call([f"x{k}" for k in range(len(self.nest.operands))])
        yield from self._stores(where)

    def _place(self, at: str, index: str) -> Iterator[str]:
        """A point's index along each axis."""
        yield from _decompose(at, [self.word("dim", a) for a in range(1, self.nest.ndim)], index)

    def offset(self, k: int, axes: Sequence[int]) -> str:
        """How far an item is at this point, in bytes."""
        item, parts = self.items[k], []
        for axis in axes:
            if item.strides[axis] == "any":
                parts.append(f" + (i64)i{axis} * {self.word('stride', k, axis)}")
            elif item.strides[axis] == "unit":
                parts.append(f" + (i64)i{axis} * {np.dtype(item.dtype).itemsize}")
        return "".join(parts)

    def _loads(self, where: Mapping[int, str]) -> Iterator[str]:
        for k, operand in enumerate(self.nest.operands):
            if k in where:
                kind = c_type(operand.dtype)
                yield f"const {kind} x{k} = *(GLOBAL const {kind} *)({where[k]});"

    def _stores(self, where: Mapping[int, str]) -> Iterator[str]:
        for r, result in enumerate(self.nest.results):
            if result.reducer is None:
                k = len(self.nest.operands) + r
                yield f"*(GLOBAL {c_type(result.dtype)} *)({where[k]}) = y{result.output};"

    def _packed(self) -> Iterator[str]:
        """Whole packs: one access each."""
        count, operands = self.pack, self.nest.operands
        yield f"for (i64 q = GID; q < {self.word('packs')}; q += GRID) {{"
        for k in self._moving():
            kind = f"{c_type(self.items[k].dtype)}_{count}"
            if k < len(operands):
                yield f"    const {kind} q{k} = ((GLOBAL const {kind} *)p{k})[q];"
            else:
                yield f"    {kind} q{k};"
        yield f"    UNROLL for (int j = 0; j < {count}; j++) {{"
        args = [f"q{k}.v[j]" if self.moves(k) else f"x{k}" for k in range(len(operands))]
        yield from indented(self._call(args), 2)
        for r, result in enumerate(self.nest.results):
            yield f"        q{len(operands) + r}.v[j] = y{result.output};"
        yield "    }"
        for k in self._moving()[-len(self.nest.results) :]:
            kind = f"{c_type(self.items[k].dtype)}_{count}"
            yield f"    ((GLOBAL {kind} *)p{k})[q] = q{k};"
        yield "}"

    # --- reductions ---

    def _reduction(self, able: Capabilities) -> Iterator[str]:
        nest, index = self.nest, self.index
        totals = [(k, r) for k, r in enumerate(nest.results) if r.reducer is not None]
        yield from (f"LOCAL_ARRAY(u64, t{i}, GROUP_SIZE);" for i in range(min(TURN, len(totals))))
        yield from self._scalar_reads()
        yield f"const u32 lanes = (u32){self.word('lanes')}, across = GROUP_SIZE / lanes;"
        yield f"const i64 chunks = {self.word('chunks')}, block = GROUP / chunks;"
        yield "const i64 chunk = GROUP % chunks;"
        lane, column = ("LID / across", "LID % across") if self.by_column else (
            "LID % lanes", "LID / lanes")  # fmt: skip
        yield f"const u32 lane = {lane};"
        yield f"const i64 point = block * across + {column}, n_kept = {self.word('kept')};"
        yield f"const i64 length = {self.word('chunk')}, n_reduced = {self.word('reduced')};"
        yield "const i64 first = chunk * length, last = first + length;"
        yield "const i64 n = last < n_reduced ? last : n_reduced;"
        for k, r in totals:
            assert r.reducer is not None
            yield f"{c_type(r.accumulator)} a{k} = {identity(r.reducer, r.accumulator)};"
        for k in self._moving():
            yield f"GLOBAL char *p{k} = {self.array('buffer', k)};"
        yield "if (point < n_kept) {"
        yield from indented(self._one_kept_point(index, totals))
        yield "}"
        for first in range(0, len(totals), TURN):
            yield "{"
            yield from indented(self._tree(totals[first : first + TURN]))
            yield "}"
        yield "if (lane == 0 && point < n_kept) {"
        yield from indented(self._totals(totals))
        yield "}"

    def _one_kept_point(self, index: str, totals: Sequence[tuple[int, Result]]) -> Iterator[str]:
        nest = self.nest
        dims = [self.word("dim", a) for a in nest.kept[1:]]
        if nest.kept:
            yield from _decompose("point", dims, index, nest.kept)
        for k in self._moving():
            if offset := self.offset(k, nest.kept):
                yield f"p{k} +={offset.removeprefix(' +')};"
        yield "for (i64 r = first + lane; r < n; r += lanes) {"
        yield from indented(self._reduced_point(index, totals))
        yield "}"

    def _reduced_point(self, index: str, totals: Sequence[tuple[int, Result]]) -> Iterator[str]:
        nest = self.nest
        dims = [self.word("dim", a) for a in nest.reduced[1:]]
        yield from _decompose("r", dims, index, nest.reduced)
        reads = [k for k in self._moving() if not self._is_total(k)]
        where = {k: f"p{k}{self.offset(k, nest.reduced)}" for k in reads}
        yield from self._loads(where)
        yield from self._call([f"x{k}" for k in range(len(nest.operands))])
        yield from self._stores(where)
        for k, r in totals:
            assert r.reducer is not None
            source = nest.program.output_dtypes[r.output]
            value = _cast(f"y{r.output}", source, r.accumulator)
            yield f"a{k} = {combined(r.reducer, r.accumulator, f'a{k}', value)};"

    def _is_total(self, k: int) -> bool:
        item = self.items[k]
        return isinstance(item, Result) and item.reducer is not None

    def _tree(self, totals: Sequence[tuple[int, Result]]) -> Iterator[str]:
        """The lanes' partial results combined: halves, quarters, …; in a warp without memory."""
        step = "across" if self.by_column else "1u"
        yield "u32 least = 1;"
        if not self.by_column:
            yield "#ifdef WARP"
            yield "least = WARP;"
            yield "#endif"
        yield "for (u32 s = lanes / 2; s >= least; s /= 2) {"
        places = [f"((LOCAL {c_type(r.accumulator)} *)t{i})" for i, (_, r) in enumerate(totals)]
        yield from (f"    {t}[LID] = a{k};" for t, (k, _) in zip(places, totals, strict=True))
        yield "    BARRIER();"
        yield "    if (lane < s) {"
        for t, (k, r) in zip(places, totals, strict=True):
            assert r.reducer is not None
            other = f"{t}[LID + s * {step}]"
            yield f"        a{k} = {combined(r.reducer, r.accumulator, f'a{k}', other)};"
        yield "    }"
        yield "    BARRIER();"
        yield "}"
        if self.by_column:
            return
        yield "#ifdef WARP"
        yield "const u32 width = lanes < WARP ? lanes : WARP;"
        yield "for (u32 s = width / 2; s; s /= 2) {"
        for k, r in totals:
            assert r.reducer is not None
            kind = c_type(r.accumulator)
            carrier = kind if kind[1:] in ("32", "64") else "i32"
            yield f"    const {kind} o{k} = ({kind})FROM_LANE_BELOW(({carrier})a{k}, s, width);"
            yield f"    a{k} = {combined(r.reducer, r.accumulator, f'a{k}', f'o{k}')};"
        yield "}"
        yield "#endif"

    def _totals(self, totals: Sequence[tuple[int, Result]]) -> Iterator[str]:
        """The results themselves, or a chunk's part of them."""
        count = len(self.nest.operands)
        yield "if (chunks == 1) {"
        for k, r in totals:
            value = _cast(f"a{k}", r.accumulator, r.dtype)
            yield f"    *(GLOBAL {c_type(r.dtype)} *)p{count + k} = {value};"
        yield "} else {"
        for k, r in totals:
            kind = c_type(r.accumulator)
            part = f"((GLOBAL {kind} *){self.array('partial', k)})"
            yield f"    {part}[chunk * n_kept + point] = a{k};"
        yield "}"


def indented(lines: Iterator[str] | Sequence[str], depth: int = 1) -> Iterator[str]:
    """Lines further to the right, but for the preprocessor's."""
    yield from (line if line.startswith("#") else "    " * depth + line for line in lines)


def _decompose(
    at: str, dims: Sequence[str], index: str, axes: Sequence[int] | None = None
) -> Iterator[str]:
    """A point's number as an index along each axis; `dims` are those of all axes but the first."""
    names = [f"i{a}" for a in (axes if axes is not None else range(len(dims) + 1))]
    if len(names) == 1:
        yield f"const i64 {names[0]} = (i64){at};"
        return
    rest = f"rest{names[-1][1:]}"
    yield f"{index} {rest} = ({index}){at};"
    for name, dim in zip(reversed(names[1:]), reversed(dims), strict=True):
        yield f"const {index} {name} = {rest} % ({index}){dim};"
        yield f"{rest} /= ({index}){dim};"
    yield f"const {index} {names[0]} = {rest};"


def _cast(value: str, source: str, target: str) -> str:
    if source == target:
        return value
    return expression(ScalarStep("cast", (0,), target), [source], [value])


def from_word(dtype: str, word: str) -> str:
    """A scalar that was given as the bits of a word."""
    if dtype in ("float32", "float64"):
        return f"bits_f{dtype[-2:]}({word})"
    return f"({c_type(dtype)}){word}"
