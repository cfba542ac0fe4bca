"""Convolutions on a device."""

from __future__ import annotations

from workbench.core.ops import convolution
from workbench.frozen import frozen
from workbench.gpu.ops.base import forms_of
from workbench.gpu.ops.windows import OverWindows


class _Convolution(OverWindows):
    emitters = "workbench.gpu.emit_convolution"


@frozen
class GpuConv(_Convolution, convolution.Conv):
    """Images convolved with filters."""


@frozen
class GpuConvImages(_Convolution, convolution.ConvImages):
    """What flows back to the images."""

    hosts_from = 2


@frozen
class GpuConvFilters(_Convolution, convolution.ConvFilters):
    """What flows back to the filters."""

    hosts_from = 2


FORMS = forms_of(GpuConv, GpuConvImages, GpuConvFilters)
