"""What is done about nodes that stay on the host in a function that is for a device."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from workbench.configuration import config
from workbench.core.devices import find
from workbench.core.graph import Apply, Variable
from workbench.core.types import TensorType, is_discrete
from workbench.errors import DeviceError
from workbench.gpu.device import Device
from workbench.gpu.ops import FORMS, form_of


def tell_of_host_nodes(nodes: Iterable[Apply], device: str) -> None:
    """As config.assert_no_cpu_op says: a warning or an error for each node that computes an array
    on the host. Lengths, what is computed of single numbers, and what is counted of them for loops
    are the host's to do. The nodes come in topological order.
    """
    counted: set[Variable] = set()
    for node in nodes:
        if node.op.on_device or not any(map(_is_array, node.outputs)):
            continue
        if all(v in counted or not _is_array(v) for v in node.inputs) and _counts(node):
            counted.update(node.outputs)
        else:
            _tell(node, device)


def _is_array(variable: Variable) -> bool:
    t = variable.type
    return isinstance(t, TensorType) and t.ndim > 0


def _counts(node: Apply) -> bool:
    return all(isinstance(v.type, TensorType) and is_discrete(v.type.dtype) for v in node.outputs)


def _tell(node: Apply, name: str) -> None:
    device = find(name)
    assert isinstance(device, Device)
    reason = form_of(node, FORMS, device.able)[1] or "nothing on the device reads it"
    error = DeviceError(
        f"{node.op} stays on the processor in a function for {name}: {reason}",
        f"{node.op} of {', '.join(str(v.type) for v in node.inputs)}",
        node.place,
        "use an op that has a kernel, or set config.assert_no_cpu_op='ignore'",
        node,
    )
    chosen = config.assert_no_cpu_op
    if chosen == "warn":
        warnings.warn(str(error), UserWarning, stacklevel=2)
        return
    if chosen == "pdb":
        import pdb

        pdb.set_trace()
    raise error
