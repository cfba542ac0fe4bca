"""Diagonals on a device: views, as on the host."""

from __future__ import annotations

from workbench.core.graph import Op
from workbench.core.native.emit_diagonals import emit_diagonal, emit_inc_diagonal
from workbench.core.native.writer import Emitter
from workbench.gpu.ops import diagonals

EMITTERS: dict[type[Op], Emitter] = {
    diagonals.GpuDiagonal: emit_diagonal,
    diagonals.GpuIncDiagonal: emit_inc_diagonal,
}
