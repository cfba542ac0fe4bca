"""Transfers that need not be made."""

from __future__ import annotations

from workbench.core.graph import Apply, Variable
from workbench.core.ops.shape import Dimension
from workbench.core.ops.transfer import (
    GpuFromHost,
    GpuToGpu,
    HostFromGpu,
    Transfer,
    transferred,
)
from workbench.core.rewrite.engine import Context, Rule, rule

SENDS = (GpuFromHost, GpuToGpu)


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
    if _is_asked_for(node, context):
        return None
    straight: Variable = transferred(there.owner.inputs[0], node.out.type.device)
    return straight


def _is_asked_for(node: Apply, context: Context) -> bool:
    """Whether a tensor was put on a device so that what reads it is computed there. Where it was
    computed there it lies there anyway.
    """
    sent = node.inputs[0].owner
    if not isinstance(node.op, HostFromGpu) or sent is None or not isinstance(sent.op, SENDS):
        return False
    computed = sent.inputs[0].owner
    if computed is not None and any(_comes_from(v, sent.op.device) for v in computed.inputs):
        return False
    readers = (reader.op for reader, _ in context.readers(node.out))
    return any(not isinstance(op, (Transfer, Dimension)) for op in readers)


def _comes_from(variable: Variable, device: str) -> bool:
    made = variable.owner
    return made is not None and isinstance(made.op, HostFromGpu) and (
        made.inputs[0].type.device == device
    )  # fmt: skip


@rule(HostFromGpu, equation="host(gpu(x)) → x")
def cancel_round_trips(node: Apply, context: Context) -> Variable | None:
    """What was to be computed on the device, and has no kernel there, needs no transfers."""
    there = node.inputs[0].owner
    if there is None or not isinstance(there.op, SENDS):
        return None
    straight: Variable = transferred(there.inputs[0], "cpu")
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
