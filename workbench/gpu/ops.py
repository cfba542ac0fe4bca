"""The ops of a device. Each is the host's op of the same name, with the same meaning, whose tensors
lie on a device; scalars that the host has are read by value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from workbench.core.device_type import lies_on
from workbench.core.graph import Apply, Op, Type, Variable
from workbench.core.ops import alloc, dot, elementwise, gradient_control, index, join, loop, reduce, shape
from workbench.core.ops.transfer import DTYPES
from workbench.core.scalar import ScalarProgram
from workbench.core.types import tensor_type
from workbench.frozen import frozen
from workbench.gpu.dialect import Capabilities, NoDeviceForm
from workbench.gpu.render import check


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


def _refused(program: ScalarProgram, able: Capabilities) -> str:
    try:
        check(program, able.float64)
    except NoDeviceForm as reason:
        return str(reason)
    return ""


@frozen
class GpuElemwise(OnDevice, elementwise.Elemwise):
    """Elementwise."""

    @classmethod
    def refusal(cls, node: Apply, able: Capabilities) -> str:
        scalar: Any = node.op.scalar  # type: ignore[attr-defined]
        return _refused(scalar.program(tuple(tensor_type(v).dtype for v in node.inputs)), able)


@frozen
class GpuLoop(OnDevice, loop.Loop):
    """Elementwise results and totals in one pass."""

    @classmethod
    def refusal(cls, node: Apply, able: Capabilities) -> str:
        op: Any = node.op
        wide = any("float64" in (r.dtype, r.acc_dtype) for r in op.results)
        if wide and not able.float64:
            return "the device does not compute with float64"
        return _refused(op.program, able)


class _Reducing(OnDevice):
    @classmethod
    def refusal(cls, node: Apply, able: Capabilities) -> str:
        op: Any = node.op
        dtype = tensor_type(node.inputs[0]).dtype
        if op.prim not in ("and", "or") and op.acc_dtype(dtype) == "float64" and not able.float64:
            return "the device does not compute with float64"
        return ""


@frozen
class GpuSum(_Reducing, reduce.Sum):
    """Sum."""


@frozen
class GpuProd(_Reducing, reduce.Prod):
    """Product."""


@frozen
class GpuMax(_Reducing, reduce.Max):
    """Maximum."""


@frozen
class GpuPeak(_Reducing, reduce.Peak):
    """Maximum, of nothing too."""


@frozen
class GpuMin(_Reducing, reduce.Min):
    """Minimum."""


@frozen
class GpuAll(_Reducing, reduce.All):
    """Whether all."""


@frozen
class GpuAny(_Reducing, reduce.Any_):
    """Whether any."""


@frozen
class GpuDimShuffle(OnDevice, shape.DimShuffle):
    """Axes in another order: a view."""


@frozen
class GpuReshape(OnDevice, shape.Reshape):
    """Another shape: a view where memory is in one piece."""

    hosts_from = 1


@frozen
class GpuSpecifyBroadcast(OnDevice, shape.SpecifyBroadcast):
    """A length that was promised."""


@frozen
class GpuGradientControl(OnDevice, gradient_control.GradientControl):
    """The operand itself."""


@frozen
class GpuAlloc(OnDevice, alloc.Alloc):
    """A value spread over a shape."""

    hosts_from = 1


@frozen
class GpuJoin(OnDevice, join.Join):
    """Arrays one after another."""


@frozen
class GpuSubtensor(OnDevice, index.Subtensor):
    """A slice: a view."""

    hosts_from = 1


@frozen
class GpuIncSubtensor(OnDevice, index.IncSubtensor):
    """A part changed."""

    hosts_from = 2


@frozen
class GpuDot(OnDevice, dot.Dot):
    """A product that specialisation left."""


@frozen
class GpuGemv(OnDevice, dot.Gemv):
    """beta * y + alpha * A @ x."""


@frozen
class GpuGemm(OnDevice, dot.Gemm):
    """beta * Z + alpha * X @ Y."""


@frozen
class GpuGer(OnDevice, dot.Ger):
    """A + alpha * outer(x, y)."""


FORMS: dict[type[Op], type[OnDevice]] = {
    kind.__mro__[kind.__mro__.index(OnDevice) + 1]: kind
    for kind in (
        GpuElemwise, GpuLoop, GpuSum, GpuProd, GpuMax, GpuPeak, GpuMin, GpuAll, GpuAny,
        GpuDimShuffle, GpuReshape, GpuSpecifyBroadcast, GpuGradientControl, GpuAlloc, GpuJoin,
        GpuSubtensor, GpuIncSubtensor, GpuDot, GpuGemv, GpuGemm, GpuGer,
    )
}  # fmt: skip
"""From the host's ops to the devices'."""


def form_of(node: Apply, able: Capabilities) -> tuple[type[OnDevice] | None, str]:
    """The device's op for a node, or None and why there is none."""
    kind = FORMS.get(type(node.op))
    if kind is None:
        return None, f"{type(node.op).__name__} has no kernel"
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
