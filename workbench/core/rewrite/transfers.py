"""Transfers that need not be made."""

from __future__ import annotations

from workbench.core.graph import Apply, Variable
from workbench.core.ops.shape import Dimension
from workbench.core.ops.transfer import GpuFromHost, GpuToGpu, HostFromGpu, Transfer, transferred
from workbench.core.rewrite.engine import Context, Rule, rule


@rule(GpuFromHost, HostFromGpu, GpuToGpu, equation="gpu(host(x)) → x")
def cancel_transfers(node: Apply, context: Context) -> Variable | None:
    """A value that comes back to where it was need not have gone; one that goes on goes straight
    there.
    """
    (there,) = node.inputs
    if there.type.device == node.out.type.device:  # what was loaded where that device is missing
        return there
    if there.owner is None or not isinstance(there.owner.op, Transfer):
        return None
    straight: Variable = transferred(there.owner.inputs[0], node.out.type.device)
    return straight


@rule(Dimension, equation="gpu(x).shape[i] → x.shape[i]")
def length_before_transfer(node: Apply, context: Context) -> Variable | None:
    """The host knows the lengths of what lies on a device."""
    before = node.inputs[0].owner
    if before is None or not isinstance(before.op, Transfer):
        return None
    length: Variable = node.op(before.inputs[0])
    return length


TRANSFERS: tuple[Rule, ...] = (cancel_transfers, length_before_transfer)
