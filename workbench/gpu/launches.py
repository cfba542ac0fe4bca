"""Nests as launches: the words that their kernels are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.native.emit_loops import Fitted
from workbench.core.native.ssa import Type
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Moving
from workbench.core.nest import Nest, Operand, Result, Stride
from workbench.core.scalar import ScalarBuilder
from workbench.gpu.dialect import GROUP_SIZE
from workbench.gpu.nest_kernel import NestKernel
from workbench.gpu.parts import Pair
from workbench.gpu.shares import COLUMN_LANES, over, shares

if TYPE_CHECKING:
    from workbench.gpu.writer import DeviceWriter

TOTALS_AT_ONCE = 4
"""Totals whose chunks one launch combines: a kernel takes so many arrays of any rank."""


def narrowed(nest: Nest) -> Nest:
    """The nest for a device without float64: totals are accumulated in their own dtype."""
    results = (
        replace(r, accumulator=r.dtype) if r.accumulator == "float64" else r for r in nest.results
    )
    return replace(nest, results=tuple(results))


def launch_as(w: DeviceWriter, kind: type[NestKernel], fit: Fitted, **counts: Name) -> None:
    """A nest as a kernel of some kind; where its reduction is cut into chunks, as two. `counts` are
    words that only such kernels have.
    """
    nest, operands = fit.nest, fit.operands
    device = fit.results[0][0].device
    pointed = frozenset(
        k for k, (t, _) in enumerate(operands) if nest.operands[k].by_value and t.device != "cpu"
    )
    able = w.device(device).able
    kernel = kind(nest, pointed, False, able.pack)
    wide = kind(nest, pointed, True, able.pack)
    pair = Pair(kernel.kernel(able), (wide if _divides(nest) else kernel).kernel(able))
    launch = Launch(w, device, kernel, fit.dims, [*operands, *fit.results])
    launch.counts.update(counts)
    launch.write(pair)


class Launch:
    """One launch of a nest: the words that its kernel is given."""

    def __init__(
        self, w: DeviceWriter, device: str, kernel: NestKernel, dims: Sequence[Name],
        items: Sequence[Moving],
    ) -> None:  # fmt: skip
        self.w, self.device, self.kernel, self.dims, self.items = w, device, kernel, dims, items
        self.nest = kernel.nest
        self.partial: dict[int, Tensor] = {}
        self.counts: dict[str, Name] = {}

    def write(self, pair: Pair) -> None:
        groups = self._spread_out() if self.kernel.reduces else self._in_turn()
        words = [self._word(*word) for word in self.kernel.words]
        points = self.w.multiply(*self.dims)
        self.w.enqueue(self.device, pair, groups, words, points)
        totals = list(self.partial)
        for i in range(0, len(totals), TOTALS_AT_ONCE):
            self._combine(totals[i : i + TOTALS_AT_ONCE])

    def _word(self, kind: str, k: int, axis: int) -> Name:
        w = self.w
        if kind == "buffer":
            return w.address(self.items[k][0])
        if kind == "partial":
            return w.address(self.partial[k]) if k in self.partial else "0"
        if kind == "dim":
            return self.dims[k]
        if kind == "stride":
            return self.items[k][1][axis]
        if kind == "scalar":
            tensor = self.items[k][0]
            assert tensor.device == "cpu", "an operand that moves lies elsewhere"
            return w.bits(w.scalar(tensor))
        return self.counts[kind]

    # --- elementwise ---

    def _in_turn(self) -> Name:
        """Groups of threads that take points in turn."""
        w, points = self.w, self.w.multiply(*self.dims)
        self.counts["points"] = points
        per_group = str(GROUP_SIZE)
        if self.kernel.pack > 1:
            aligned = self._aligned()
            if w.loop is not None:  # steps that are alike are replayed, and rows begin anywhere
                many = w.compare("sgt", points, str(GROUP_SIZE))
                aligned = w.code.put(Type("i1"), f"and i1 {aligned}, {many}").name
            whole = w.integer("sdiv", points, str(self.kernel.pack))
            self.counts["packs"] = w.select(aligned, whole, "0")
            per_group = w.select(aligned, str(GROUP_SIZE * self.kernel.pack), per_group)
        return w.groups(self.device, points, per_group)

    def _aligned(self) -> Name:
        """Whether every address is that of a whole pack."""
        w, code = self.w, self.w.code
        bits: Name = "0"
        for k, item in enumerate(self.kernel.items):
            if self.kernel.moves(k):
                size = min(16, np.dtype(item.dtype).itemsize * self.kernel.pack)
                address = w.address(self.items[k][0])
                low = code.put(Type("i64"), f"and i64 {address}, {size - 1}").name
                bits = code.put(Type("i64"), f"or i64 {bits}, {low}").name
        return code.put(Type("i1"), f"icmp eq i64 {bits}, 0").name

    # --- reductions ---

    def _spread_out(self) -> Name:
        """Lanes for each kept point, and chunks of the reduced ones where points are few."""
        w, able, counts = self.w, self.w.device(self.device).able, self.counts
        kept = w.multiply(*(self.dims[a] for a in self.nest.kept))
        reduced = w.multiply(*(self.dims[a] for a in self.nest.reduced))
        beside = kept if self.kernel.by_column else "1"
        cut = shares(w, kept, reduced, beside, able.groups)
        counts.update(kept=kept, reduced=reduced)
        counts.update(lanes=cut.lanes, chunks=cut.chunks, chunk=cut.chunk)
        self._chunks = cut.chunks
        if cut.chunks != "1":
            self._make_room(cut.chunks, kept)
        return w.integer("mul", cut.blocks, cut.chunks)

    def _make_room(self, chunks: Name, kept: Name) -> None:
        """Memory for the chunks' partial results, as [chunks, kept]."""
        w = self.w
        for k, result in enumerate(self.nest.results):
            if result.reducer is not None:
                self.partial[k] = w.scratch(result.accumulator, [chunks, kept], device=self.device)

    def _combine(self, totals: Sequence[int]) -> None:
        """The second launch, over the chunks of some totals: it does nothing where there is one."""
        w, nest = self.w, self.nest
        dtypes = [nest.results[k].accumulator for k in totals]
        kept_dims = [self.dims[a] for a in nest.kept]
        count = len(kept_dims)
        inner: list[Stride] = ["any"] * count
        if inner:
            inner[-1] = "unit"
        operand_kinds: tuple[Stride, ...] = ("any", *inner) if inner else ("unit",)
        builder = ScalarBuilder(dtypes)
        second = Nest(
            1 + count,
            builder.program(*range(len(totals))),
            tuple(Operand(d, operand_kinds) for d in dtypes),
            tuple(
                Result(
                    i, nest.results[k].dtype,
                    ("zero", *(nest.results[k].strides[a] for a in nest.kept)),
                    nest.results[k].reducer, nest.results[k].accumulator,
                )
                for i, k in enumerate(totals)
            ),
            (0,),
        )  # fmt: skip
        first = len(nest.operands)
        stored: list[Moving] = []
        for tensor, steps in (self.items[first + k] for k in totals):
            stored.append((tensor, ("0", *(steps[a] for a in nest.kept))))
        read: list[Moving] = []
        for k, d in zip(totals, dtypes, strict=True):
            steps = w.strides([self._chunks, *kept_dims], np.dtype(d).itemsize)
            read.append((self.partial[k], steps))
        kernel = NestKernel(second)
        able = w.device(self.device).able
        pair = Pair(kernel.kernel(able), NestKernel(second, wide=True).kernel(able))
        last = Last(w, self.device, kernel, [self._chunks, *kept_dims], [*read, *stored])
        last.write(pair)


class Last(Launch):
    """The launch that combines chunks: its own reduction is not cut, and without chunks it is not
    made.
    """

    def _spread_out(self) -> Name:
        w = self.w
        kept = w.multiply(*self.dims[1:])
        lanes = str(COLUMN_LANES if len(self.dims) > 1 else GROUP_SIZE)
        across = str(GROUP_SIZE // int(lanes))
        self.counts.update(
            kept=kept, reduced=self.dims[0], lanes=lanes, chunks="1", chunk=self.dims[0]
        )
        several = w.compare("sgt", self.dims[0], "1")
        return w.select(several, over(w, kept, across), "0")


def _divides(nest: Nest) -> bool:
    """Whether a kernel counts points along several axes, so that their number's width matters."""
    return nest.ndim > 1
