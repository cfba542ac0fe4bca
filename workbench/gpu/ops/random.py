"""Draws on a device. A state that lies there stays there."""

from __future__ import annotations

from workbench.core.ops import mrg, philox
from workbench.frozen import frozen
from workbench.gpu.ops.base import OnDevice, forms_of


class _Draw(OnDevice):
    emitters = "workbench.gpu.emit_random"
    hosts_from = 1


@frozen
class GpuMRGUniform(_Draw, mrg.MRGUniform):
    """Draws from many streams of MRG31k3p side by side."""


@frozen
class GpuPhiloxUniform(_Draw, philox.PhiloxUniform):
    """Draws from the counter-based generator Philox4x32-10."""


FORMS = forms_of(GpuMRGUniform, GpuPhiloxUniform)
