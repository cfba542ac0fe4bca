"""Windows and pools on a device."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import Apply
from workbench.core.ops import pool, windows
from workbench.frozen import frozen
from workbench.gpu.dialect import Capabilities
from workbench.gpu.ops.base import OnDevice, forms_of

MOST_AXES = 3
"""So many axes kernels slide windows over."""


class OverWindows(OnDevice):
    """What slides windows over axes."""

    emitters = "workbench.gpu.emit_windows"

    @classmethod
    def refusal(cls, node: Apply, able: Capabilities) -> str:
        op: Any = node.op
        many = op.place.ndim > MOST_AXES
        return f"no kernel slides windows over more than {MOST_AXES} axes" if many else ""


@frozen
class GpuWindows(OnDevice, windows.Windows):
    """All windows: a view."""

    emitters = "workbench.gpu.emit_windows"


@frozen
class GpuAddWindows(OverWindows, windows.AddWindows):
    """Windows added up where they overlap."""

    hosts_from = 1


@frozen
class GpuMaxPool(OverWindows, pool.MaxPool):
    """The largest element of every window."""


@frozen
class GpuSumPool(OverWindows, pool.SumPool):
    """The sum of every window's elements."""


@frozen
class GpuSpreadPool(OverWindows, pool.SpreadPool):
    """Every element to all places of its window."""

    hosts_from = 1


@frozen
class GpuToMaxima(OverWindows, pool.ToMaxima):
    """What flows back to the largest elements."""


@frozen
class GpuFromMaxima(OverWindows, pool.FromMaxima):
    """What the largest elements have, added up."""


FORMS = forms_of(
    GpuWindows, GpuAddWindows, GpuMaxPool, GpuSumPool, GpuSpreadPool, GpuToMaxima, GpuFromMaxima
)
