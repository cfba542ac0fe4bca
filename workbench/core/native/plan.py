"""How a nest's loops are laid: their order, the vector loop, its lanes and its tail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.core.native.target import Target
from workbench.core.nest import Item, Nest

Tail = Literal["none", "masked", "split", "scalar"]
"""The vector loop's last, partial vector. none: one lane. masked: every vector has a mask. split:
whole vectors, then a masked one. scalar: whole vectors, then one lane at a time.
"""

CHEAP = 16
"""Up to this cost a body is worth writing twice (for whole vectors and for the last)."""


@dataclass(frozen=True, slots=True)
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
    if not sizes <= target.masked:
        return Plan(order, lanes, "scalar")
    inner_loops = order[-1] != nest.ndim - 1
    return Plan(
        order, lanes, "split" if nest.program.cost <= CHEAP and not inner_loops else "masked"
    )


def _is_vector(item: Item) -> bool:
    return bool(item.strides) and item.strides[-1] != "zero"


def _lanes(nest: Nest, target: Target) -> int:
    """Elements of the widest dtype in a register, and several registers where that makes
    accumulators or whole cache lines.
    """
    if nest.ndim == 0:
        return 1
    lanes = target.vector_bytes // widest(nest)
    strided = any(item.strides[-1] == "any" for item in nest.items)
    if strided and (target.vector_bytes < 32 or nest.program.cost < CHEAP):
        return 1
    if nest.reduced and not strided:
        lanes *= 4 if nest.program.cost <= CHEAP else 2 if nest.program.cost <= 4 * CHEAP else 1
    return max(lanes, 1)


def widest(nest: Nest) -> int:
    """The item size of the widest dtype in the nest, in bytes."""
    program = nest.program
    dtypes = {*program.inputs, *(step.dtype for step in program.steps)}
    dtypes |= {result.accumulator or result.dtype for result in nest.results}
    return max(np.dtype(dtype).itemsize for dtype in dtypes)
