"""Loops and choices on a device: the host leads; what the body reads and makes lies there."""

from __future__ import annotations

from typing import ClassVar

from workbench.core.ops.branches import IfElse
from workbench.core.scan.op import Scan
from workbench.frozen import frozen


@frozen
class GpuScan(Scan):
    """A loop whose steps are queued on a device."""

    device: str = ""

    on_device = True
    emitters: ClassVar[str] = "workbench.gpu.emit_ops"

    def __str__(self) -> str:
        return super().__str__().replace("{cpu,", "{gpu,")


@frozen
class GpuIfElse(IfElse):
    """A choice that the host makes between values on a device."""

    device: str = ""

    on_device = True
    emitters: ClassVar[str] = "workbench.gpu.emit_ops"

    def __str__(self) -> str:
        return f"Gpu{super().__str__().capitalize()}"
