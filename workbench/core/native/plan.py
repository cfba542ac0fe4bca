"""How a nest's loops are laid: their order, the vector loop, its lanes and its tail."""

from __future__ import annotations

from typing import Literal

import numpy as np

from workbench.core.native.target import Target
from workbench.core.nest import Item, Nest
from workbench.core.scalar import ScalarProgram
from workbench.frozen import frozen

Tail = Literal["none", "masked", "split", "scalar"]
"""The vector loop's last, partial vector. none: one lane. masked: every vector has a mask. split:
whole vectors, then a masked one. scalar: whole vectors, then one lane at a time.
"""

CHEAP = 8
"""Up to this cost a body is worth writing twice (for whole vectors and for the last)."""


@frozen
class Plan:
    """Loops over `order`, outermost first; the one over the innermost axis takes `lanes` elements
    at a time.

    `depth_of_totals` is the number of loops around the accumulators: the kept axes' loops come
    first.
    """

    order: tuple[int, ...]
    lanes: int
    tail: Tail

    @property
    def vector_depth(self) -> int:
        """The depth of the loop over the innermost axis, or -1 if there is none."""
        return self.order.index(len(self.order) - 1) if self.order else -1


def plan(nest: Nest, target: Target) -> Plan:
    """The loops for this processor."""
    order = nest.kept + nest.reduced
    lanes = _lanes(nest, target)
    if lanes == 1:
        return Plan(order, 1, "none")
    sizes = {np.dtype(item.dtype).itemsize for item in nest.items if _is_vector(item)}
    if not sizes <= target.masked or _strided(nest):
        return Plan(order, lanes, "scalar")
    inner_loops = order[-1] != nest.ndim - 1
    return Plan(
        order, lanes, "split" if nest.program.cost <= CHEAP and not inner_loops else "masked"
    )


def _is_vector(item: Item) -> bool:
    return bool(item.strides) and item.strides[-1] != "zero"


def _lanes(nest: Nest, target: Target) -> int:
    """Elements of the program's widest dtype in a register; for cheap totals several registers of
    accumulators, which hides the latency of adding to them and reads whole cache lines.
    """
    if nest.ndim == 0 or not any(map(_is_vector, nest.items)):
        return 1  # nothing moves along the innermost axis: its length is 1
    lanes = target.vector_bytes // _width(nest.program)
    if nest.reduced and not _strided(nest):
        widest = max(
            (np.dtype(r.accumulator).itemsize for r in nest.results if r.reducer), default=8
        )
        registers = 4 if nest.program.cost <= CHEAP // 2 else 1
        lanes = max(lanes, registers * target.vector_bytes // widest)
    return max(lanes, 1)


def _strided(nest: Nest) -> bool:
    """Whether elements of a vector must be loaded or stored one by one: those have no masks."""
    return any(item.strides[-1] == "any" for item in nest.items)


def _width(program: ScalarProgram) -> int:
    """The item size of the widest dtype that is computed with, in bytes."""
    dtypes = {*program.inputs, *(step.dtype for step in program.steps)}
    return max((np.dtype(dtype).itemsize for dtype in dtypes), default=8)
