"""Nests that only copy, and after which other elements are neighbours than before: by tiles,
through local memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.native.emit_loops import Fitted
from workbench.gpu.handmade import kernel
from workbench.gpu.shares import over

if TYPE_CHECKING:
    from workbench.gpu.writer import DeviceWriter

_TILE = "32"

_STACKED = 2
"""Axes along which matrices may be stacked."""


def turned_axes(fit: Fitted) -> tuple[int, int] | None:
    """The axis along which the source's neighbours are, and that of what it is copied into; None
    where they are the same, or more is done than copying, or along more axes than the kernel knows.
    """
    nest = fit.nest
    copies = not nest.program.steps and len(nest.operands) == len(nest.results) == 1
    if not copies or nest.reduced or nest.ndim > 2 + _STACKED:
        return None
    (_, steps), (into, out_steps) = fit.operands[0], fit.results[0]
    unit = str(into.itemsize)
    rows = [a for a, step in enumerate(steps) if step == unit]
    columns = [a for a, step in enumerate(out_steps) if step == unit]
    if not rows or not columns or columns[-1] in rows:
        return None
    return rows[-1], columns[-1]


def transpose(w: DeviceWriter, fit: Fitted, row: int, column: int) -> None:
    """Queue the copy, in which these axes change places."""
    (source, steps), (into, out_steps) = fit.operands[0], fit.results[0]
    dims = [*fit.dims, *["1"] * _STACKED]
    given, made = ([*strides, *["0"] * _STACKED] for strides in (steps, out_steps))
    outer, inner = [a for a in range(len(dims)) if a not in (row, column)][:_STACKED]
    tiles = [over(w, dims[axis], _TILE) for axis in (row, column)]
    words = [
        *map(w.address, (into, source)), dims[row], dims[column], *tiles, made[row], given[column],
        dims[inner], made[outer], made[inner], given[outer], given[inner],
    ]  # fmt: skip
    turn = kernel("transpose", T=f"u{8 * into.itemsize}")
    w.queue(into.device, turn, w.multiply(dims[outer], dims[inner], *tiles), words)
