"""Arrays that are made of numbers, on a device."""

from __future__ import annotations

from workbench.core.graph import Apply
from workbench.core.ops import create, shape
from workbench.core.ops.transfer import HostFromGpu
from workbench.frozen import frozen
from workbench.gpu.dialect import Capabilities
from workbench.gpu.ops.base import OnDevice, forms_of


class _Creating(OnDevice):
    emitters = "workbench.gpu.emit_create"


@frozen
class GpuARange(_Creating, create.ARange):
    """Numbers in equal steps."""

    hosts_from = 0


@frozen
class GpuEye(_Creating, create.Eye):
    """Ones on a diagonal."""

    hosts_from = 0


@frozen
class GpuMakeVector(_Creating, shape.MakeVector):
    """Scalars side by side, of which some lie on the device."""

    @classmethod
    def refusal(cls, node: Apply, able: Capabilities) -> str:
        owners = (v.owner for v in node.inputs)
        if any(owner is not None and isinstance(owner.op, HostFromGpu) for owner in owners):
            return ""
        return "the numbers are the host's"


FORMS = forms_of(GpuARange, GpuEye, GpuMakeVector)
