"""Products of stacks of matrices on a device."""

from __future__ import annotations

from workbench.core.ops import batched
from workbench.frozen import frozen
from workbench.gpu.ops.base import OnDevice, forms_of


@frozen
class GpuBatchedDot(OnDevice, batched.BatchedDot):
    """The products of two stacks of matrices, one by one."""

    emitters = "workbench.gpu.emit_batched"


FORMS = forms_of(GpuBatchedDot)
