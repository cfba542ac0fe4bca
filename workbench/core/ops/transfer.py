"""Transfers: the same tensor in another memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from workbench.core.device_type import DeviceType, lies_on
from workbench.core.devices import full_name
from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables, is_shared
from workbench.core.ops.shape import shape_tuple
from workbench.core.types import is_discrete, tensor_type
from workbench.errors import DtypeError
from workbench.frozen import frozen

DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64",
)  # fmt: skip
"""What a device can hold."""


class Transfer(Op):
    """Has no effect on values. `emitters` is the module that writes its native code."""

    takes_half = True

    on_device = True
    is_transfer: ClassVar[bool] = True
    emitters: ClassVar[str] = "workbench.gpu.emit_transfers"

    def evaluate(self, *values: Any) -> Sequence[Array]:
        return [np.asarray(values[0])]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        if g is None or is_discrete(tensor_type(inputs[0]).dtype):
            return [None]
        return [transferred(g, inputs[0].type.device)]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [shape_tuple(inputs[0])]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 0

    @property
    def label(self) -> str:
        return type(self).__name__

    def __str__(self) -> str:
        return type(self).__name__


@frozen
class GpuFromHost(Transfer):
    """A tensor of the host on a device."""

    device: str

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = tensor_type(inputs[0])
        if t.dtype not in DTYPES:
            raise DtypeError(
                f"a device holds no {t.dtype}",
                f"{self} of {inputs[0]}: {t}",
                advice="transfer the real and the imaginary part",
            )
        return [DeviceType(t.dtype, t.shape, self.device)]

    @property
    def label(self) -> str:
        return f"to {self.device}"


@frozen
class HostFromGpu(Transfer):
    """A tensor of a device in the memory of the host."""

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        return [lies_on(tensor_type(inputs[0]), "cpu")]

    @property
    def label(self) -> str:
        return "to cpu"


@frozen
class GpuToGpu(Transfer):
    """A tensor of one device on another."""

    device: str

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        return [lies_on(tensor_type(inputs[0]), self.device)]

    @property
    def label(self) -> str:
        return f"to {self.device}"


def transferred(variable: Any, device: str) -> Any:
    """The tensor on a device of this full name, or on the 'cpu'; itself where it lies there."""
    here = variable.type.device
    if here == device:
        return variable
    if device == "cpu":
        return HostFromGpu()(variable)
    return GpuFromHost(device)(variable) if here == "cpu" else GpuToGpu(device)(variable)


def on_host(variable: Variable) -> Variable:
    """The tensor in the memory of the host, which users know by the same name."""
    brought: Variable = transferred(variable, "cpu")
    brought.name = variable.name
    return brought


def transfer(variable: Any, target: str) -> Any:
    """The tensor on the device of a name, or on the 'cpu'; itself where it lies there already, but
    for a shared variable, which graphs read as a tensor of the host. Raises DeviceError where there
    is no such device.
    """
    from workbench.core.devices import chosen

    read = on_host(variable) if is_shared(variable) else variable
    return transferred(read, "cpu" if full_name(target) == "cpu" else chosen(target))
