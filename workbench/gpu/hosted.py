"""The graph of a function for a device with every node on the processor, each beside the one that
it stands for: what would the same op take there?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from workbench.core.device_type import lies_on
from workbench.core.graph import Apply, Constant, Op, Variable, toposort
from workbench.core.inner import InnerGraph, inner_of
from workbench.core.ops.branches import IfElse
from workbench.core.ops.transfer import Transfer
from workbench.core.scan.op import Scan
from workbench.core.types import TensorType
from workbench.gpu.ops import FORMS
from workbench.gpu.ops.loops import GpuIfElse, GpuScan

_HOSTS: Mapping[type[Op], type[Op]] = {
    **{device: host for host, device in FORMS.items()},
    GpuScan: Scan,
    GpuIfElse: IfElse,
}


@dataclass
class Hosted:
    """A graph on the processor.

    outputs  those of the graph that was given, but of the host's types
    inputs   for each leaf that lies on a device, what stands for it
    nodes    for each node, the one that it stands for
    """

    outputs: list[Variable] = field(default_factory=list)
    inputs: dict[Variable, Variable] = field(default_factory=dict)
    nodes: dict[Apply, Apply] = field(default_factory=dict)


def hosted(outputs: Sequence[Variable], inputs: Sequence[Variable] = ()) -> Hosted:
    """The graph of these outputs without transfers and with the host's ops; `inputs` are leaves
    although something computes them.
    """
    made = Hosted()
    of: dict[Variable, Variable] = {}

    def read(variable: Variable) -> Variable:
        if variable not in of:
            of[variable] = new = _leaf(variable)
            if new is not variable and not isinstance(variable, Constant):
                made.inputs[variable] = new
        return of[variable]

    for variable in inputs:
        read(variable)
    for node in toposort(outputs, stop=inputs):
        given = [read(v) for v in node.inputs]
        if isinstance(node.op, Transfer):
            of[node.out] = given[0]
            continue
        new = Apply(_op(node.op), given, [_type(v) for v in node.outputs], node.lines)
        made.nodes[new] = node
        of.update(zip(node.outputs, new.outputs, strict=True))
    made.outputs = [read(v) for v in outputs]
    return made


def _leaf(variable: Variable) -> Variable:
    t = variable.type
    if t.device == "cpu":
        return variable
    if isinstance(variable, Constant):
        return Constant(_type(variable), variable.data, variable.name)
    return _type(variable).make(name=variable.name)


def _type(variable: Variable) -> Any:
    t = variable.type
    return t if t.device == "cpu" or not isinstance(t, TensorType) else lies_on(t, "cpu")


def _op(op: Op) -> Op:
    kind = _HOSTS.get(type(op))
    if kind is None:
        return op
    given: dict[str, Any] = {f.name: getattr(op, f.name) for f in fields(kind)}  # type: ignore[arg-type]
    inner = inner_of(op)
    if isinstance(inner, InnerGraph):
        body = hosted(inner.outputs, inner.inputs)
        stand_ins = (body.inputs.get(v, v) for v in inner.inputs)
        given["inner"] = InnerGraph(tuple(stand_ins), tuple(body.outputs))
    return kind(**given)
