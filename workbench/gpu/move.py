"""Moving a graph to a device: one walk of one rule, from the leaves up.

A node that has a form there is replaced by it, between transfers; a transfer back to where a value
came from is nothing, so that values stay on the device until something on the host reads them.
Scalars that the host has are given to kernels by value, and lengths never leave the host.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from workbench.core.device_type import lies_on
from workbench.core.devices import find
from workbench.core.graph import Apply, Variable
from workbench.core.ops.branches import IfElse
from workbench.core.ops.shape import Dimension
from workbench.core.ops.transfer import GpuFromHost, HostFromGpu, Transfer, transferred
from workbench.core.rewrite.engine import Context, Refuse, Rule, Session
from workbench.core.rewrite.pipeline import PASSES, Pass, optimise
from workbench.core.rewrite.transfers import TRANSFERS, cancel_round_trips
from workbench.core.rewrite.walk import RuleIndex, Walk
from workbench.core.scan.op import Scan
from workbench.core.types import TensorType, tensor_type
from workbench.gpu.counted import count_on_host
from workbench.gpu.device import Device
from workbench.gpu.move_inner import move_choice, move_scan, peeled
from workbench.gpu.ops import FORMS, form_of, moved

MERGE = PASSES[0]


def move_rule(default: str) -> Rule:
    """The rule that moves a node to a device: to where its inputs lie, else to the default ('cpu'
    for none).
    """

    def move_to_device(node: Apply, context: Context) -> Any:
        kind_of_node = FORMS.get(type(node.op))
        target = _target(node, default, context, kind_of_node)
        if target is None:
            return None
        if (move_inner := INNER.get(type(node.op))) is not None:
            given = functools.partial(_given, device=target)
            return move_inner(node, target, given, functools.partial(_rewritten, context, default))
        device = find(target)
        assert isinstance(device, Device)
        kind, reason = form_of(node, FORMS, device.able)
        if kind is None:
            return Refuse(reason)
        kept = set(kind.on_host(node))
        inputs = [v if i in kept else _given(v, target) for i, v in enumerate(node.inputs)]
        made = moved(node.op, kind, target).apply(*inputs)
        return [transferred(v, "cpu") for v in _spreading_as(node, made).outputs]

    return Rule(
        "move_to_device", (), move_to_device, "f(x) → host(gpu_f(gpu(x)))",
        "What has a kernel is computed on the device.", "workbench/gpu/move.py",
    )  # fmt: skip


def _spreading_as(node: Apply, made: Apply) -> Apply:
    """The node on the device, with axes that spread where those of the host's do: since that was
    made, a constant may have told a length of 1.
    """
    pairs = [(tensor_type(a), tensor_type(b)) for a, b in zip(node.outputs, made.outputs)]
    if all(a.broadcastable == b.broadcastable for a, b in pairs):
        return made
    return Apply(made.op, made.inputs, [lies_on(a, b.device) for a, b in pairs], made.lines)


INNER = {Scan: move_scan, IfElse: move_choice}


def _rewritten(
    context: Context, default: str, outputs: Sequence[Variable], inputs: Sequence[Variable]
) -> Sequence[Variable]:
    """An inner graph, moved as a graph by itself."""
    return optimise(
        outputs, inputs, passes=(MERGE, move_pass(default)), excluding=context.session.excluded
    ).outputs


def _target(node: Apply, default: str, context: Context, kind: Any) -> str | None:
    """The device that a node is to be moved to, or None where it stays."""
    if isinstance(node.op, (Transfer, Dimension)) or node.op.on_device:
        return None
    kept = set(kind.on_host(node)) if kind is not None else ()
    read = [v for i, v in enumerate(node.inputs) if i not in kept]
    for v in read:
        if (there := _device_of(v)) is not None:
            return there
    readers = [reader for v in node.outputs for reader, _ in context.readers(v)]
    wanted = {r.op.device for r in readers if isinstance(r.op, GpuFromHost)}
    only = len(wanted) == 1 and all(isinstance(r.op, GpuFromHost) for r in readers)
    if only and not any(context.is_output(v) for v in node.outputs):
        return wanted.pop()
    if default == "cpu" or not any(map(_is_array, (*read, *node.outputs))):
        return None
    return default


def _device_of(variable: Variable) -> str | None:
    """The device that a tensor lies on, or that the host has it from."""
    if variable.type.device != "cpu":
        return variable.type.device
    owner = variable.owner
    if owner is None or not isinstance(owner.op, HostFromGpu):
        return None
    return owner.inputs[0].type.device


def _is_array(variable: Variable) -> bool:
    return isinstance(variable.type, TensorType) and variable.type.ndim > 0


def _given(variable: Variable, device: str) -> Variable:
    """What a kernel reads: the tensor on the device, or a scalar of the host's."""
    if _device_of(variable) is not None:
        there: Variable = transferred(peeled(variable), device)
        return there
    if not _is_array(variable):
        return variable
    brought: Variable = transferred(variable, device)
    return brought


ENDS = (cancel_round_trips, count_on_host)
"""What is done where values leave the device, when all that moves has moved."""


@functools.cache
def move_pass(default: str) -> Pass:
    """The pass that moves what can be moved to a device; with 'cpu' what hangs together with
    tensors that lie on one.
    """
    rules = (*TRANSFERS, move_rule(default))

    def run(session: Session, outputs: Sequence[Variable]) -> list[Variable]:
        moved = Walk(session, outputs, RuleIndex(rules, session.excluded)).run()
        return Walk(session, moved, RuleIndex(ENDS, session.excluded)).run()

    return Pass("devices", "What has a kernel is computed on the device.", transform=run)
