"""Indexing with arrays on a device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from workbench.core.graph import Apply
from workbench.core.ops import index
from workbench.core.types import tensor_type
from workbench.frozen import frozen
from workbench.gpu.ops.base import forms_of
from workbench.gpu.ops.general import Indexing


class _Picking(Indexing):
    """Index arrays lie on the device; numbers are read on the host."""

    emitters = "workbench.gpu.emit_index"
    parts_from: ClassVar[int] = 1

    @classmethod
    def on_host(cls, node: Apply) -> Sequence[int]:
        first = cls.parts_from
        return [k for k in range(first, len(node.inputs)) if not tensor_type(node.inputs[k]).ndim]


@frozen
class GpuAdvancedSubtensor(_Picking, index.AdvancedSubtensor):
    """Elements or rows picked by index arrays."""


@frozen
class GpuAdvancedIncSubtensor(_Picking, index.AdvancedIncSubtensor):
    """Elements or rows put or added by index arrays."""

    parts_from = 2


FORMS = forms_of(GpuAdvancedSubtensor, GpuAdvancedIncSubtensor)
