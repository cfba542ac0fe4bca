"""What the ops of devices have in common, and how a node of the host's becomes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from workbench.core.device_type import lies_on
from workbench.core.graph import Apply, Op, Type, Variable
from workbench.core.ops.transfer import DTYPES
from workbench.frozen import frozen
from workbench.gpu.dialect import Capabilities


@frozen
class OnDevice(Op):
    """What they have in common: a base beside the host's op.

    hosts_from  the inputs from this number on are read on the host
    """

    device: str = ""

    on_device = True
    emitters: ClassVar[str] = "workbench.gpu.emit_ops"
    hosts_from: ClassVar[int | None] = None

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        return [lies_on(t, self.device) for t in super().infer(*inputs)]  # type: ignore[safe-super,arg-type]

    @classmethod
    def refusal(cls, node: Apply, able: Capabilities) -> str:
        """Why a node of the host's cannot be this op on a device, or ''."""
        return ""

    @classmethod
    def on_host(cls, node: Apply) -> Sequence[int]:
        """The numbers of the inputs that are read on the host."""
        return () if cls.hosts_from is None else range(cls.hosts_from, len(node.inputs))

    def __str__(self) -> str:
        host = super().__str__().removeprefix("Gpu")
        return f"Gpu{host[:1].upper()}{host[1:]}"


def forms_of(*kinds: type[OnDevice]) -> dict[type[Op], type[OnDevice]]:
    """From the host's op, which each has for its second base, to the device's."""
    return {kind.__mro__[kind.__mro__.index(OnDevice) + 1]: kind for kind in kinds}


Forms = dict[type[Op], type[OnDevice]]


_LAPACK = "LAPACK runs on the processor"
_STREAM = "its stream is drawn number after number; CounterStreams are drawn on a device"
_STAYS = {
    **dict.fromkeys(("solve", "decompose", "lu", "lu_factor", "pseudoinverse"), _LAPACK),
    **dict.fromkeys(("random", "random_rows"), _STREAM),
    "checks": "the host checks",
    "print_op": "the host prints",
    "shape": "the host knows the lengths",
}
"""Why the ops of a family have no forms, by its module."""


def form_of(node: Apply, forms: Forms, able: Capabilities) -> tuple[type[OnDevice] | None, str]:
    """The device's op for a node, or None and why there is none."""
    kind = forms.get(type(node.op))
    if kind is None:
        family = type(node.op).__module__.rpartition(".")[2]
        return None, _STAYS.get(family, f"{type(node.op).__name__} has no kernel")
    for v in (*node.inputs, *node.outputs):
        dtype = getattr(v.type, "dtype", "object")
        if dtype not in DTYPES:
            return None, f"a device holds no {dtype}"
        if dtype == "float64" and not able.float64:
            return None, "the device does not compute with float64"
    reason = kind.refusal(node, able)
    return (None, reason) if reason else (kind, "")


def moved(op: Op, kind: type[OnDevice], device: str) -> OnDevice:
    """The device's op with the parameters of the host's."""
    fields: dict[str, Any] = type(op).__dataclass_fields__  # type: ignore[attr-defined]
    return kind(**{name: getattr(op, name) for name in fields}, device=device)
