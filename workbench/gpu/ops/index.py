"""Indexing with arrays on a device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from workbench.core.graph import Apply
from workbench.core.ops import index
from workbench.core.types import tensor_type
from workbench.frozen import frozen
from workbench.gpu.dialect import Capabilities
from workbench.gpu.ops.base import OnDevice, forms_of


class _Picking(OnDevice):
    """Index arrays lie on the device; numbers are read on the host."""

    emitters = "workbench.gpu.emit_picks"
    parts_from: ClassVar[int] = 1

    @classmethod
    def on_host(cls, node: Apply) -> Sequence[int]:
        first = cls.parts_from
        return [k for k in range(first, len(node.inputs)) if not tensor_type(node.inputs[k]).ndim]

    @classmethod
    def refusal(cls, node: Apply, able: Capabilities) -> str:
        op: Any = node.op
        slices = [entry for entry in op.spec if isinstance(entry, tuple)]
        return "a slice's step is known only when it runs" if "?" in [s[2] for s in slices] else ""


@frozen
class GpuAdvancedSubtensor(_Picking, index.AdvancedSubtensor):
    """Elements or rows picked by index arrays."""


@frozen
class GpuAdvancedIncSubtensor(_Picking, index.AdvancedIncSubtensor):
    """Elements or rows put or added by index arrays."""

    parts_from = 2


FORMS = forms_of(GpuAdvancedSubtensor, GpuAdvancedIncSubtensor)
