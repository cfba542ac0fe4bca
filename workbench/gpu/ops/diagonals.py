"""Diagonals on a device."""

from __future__ import annotations

from workbench.core.ops import diagonals
from workbench.frozen import frozen
from workbench.gpu.ops.base import OnDevice, forms_of


@frozen
class GpuDiagonal(OnDevice, diagonals.Diagonal):
    """A diagonal: a view."""

    emitters = "workbench.gpu.emit_diagonals"


@frozen
class GpuIncDiagonal(OnDevice, diagonals.IncDiagonal):
    """A diagonal changed."""

    emitters = "workbench.gpu.emit_diagonals"


FORMS = forms_of(GpuDiagonal, GpuIncDiagonal)
