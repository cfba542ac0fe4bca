"""What the compiler asks of this package: see `workbench.core.devices.Plugin`."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

from workbench.configuration import config
from workbench.core.graph import Apply
from workbench.core.native.spec import DeviceSpec
from workbench.errors import DeviceNotFoundError, DriverError
from workbench.gpu.array import DeviceArray, slot_offset
from workbench.gpu.device import Device, Driver, mark_of, tell

__all__ = ["DeviceArray", "automatic", "find", "link", "passes", "spec", "stays"]


@functools.cache
def find(name: str) -> Device:
    """The device of a full name, started. Raises DriverError or DeviceNotFoundError."""
    try:
        device = Device(_driver(name))
    except DriverError as error:
        raise DriverError(
            f"the device {name!r} cannot be had: {error.wrong}", advice=error.advice
        ) from None
    tell(device)
    return device


def _driver(name: str) -> Driver:
    kind = re.sub(r"[\d:]+$", "", name)
    if kind == "opencl":
        from workbench.gpu import opencl

        for found, cl_device in opencl.listed():
            if found == name:
                return opencl.OpenCL(name, cl_device)
        raise _absent(name)
    from workbench.gpu import cuda

    if int(name.removeprefix("cuda")) < cuda.count():
        return cuda.Cuda(name)
    raise _absent(name)


def _absent(name: str) -> DeviceNotFoundError:
    from workbench.gpu.listing import devices

    there = ", ".join(["'cpu'", *(repr(d.name) for d in devices() if d.name != "cpu")])
    return DeviceNotFoundError(
        f"there is no device {name!r}", f"there are {there}", advice="pass one of these"
    )


@functools.cache
def automatic() -> str | None:
    """The full name of the best accelerator: CUDA first. None where there is none, which is said
    once.
    """
    from workbench.gpu.listing import devices

    found = next((d.name for d in devices() if d.accelerator), None)
    if found is None and config.print_active_device:
        print("Using the processor: there is no accelerator", file=sys.stderr)
    return found


def passes(device: str) -> Sequence[Any]:
    """The pass that moves work to a device, or to those that the graph names ('cpu')."""
    from workbench.gpu.move import move_pass

    return [move_pass(device)]


def stays(device: str) -> Callable[[Apply], bool]:
    """Tells of a node whether it has no form on a device."""
    from workbench.gpu.ops import FORMS, form_of

    able = find(device).able
    return lambda node: form_of(node, FORMS, able)[0] is None


def check_moved(nodes: Sequence[Apply], device: str) -> None:
    """What config.assert_no_cpu_op says of nodes that did not move to a device."""
    if config.assert_no_cpu_op != "ignore":
        from workbench.gpu.policy import tell_of_host_nodes

        tell_of_host_nodes(nodes, device)


def link(plan: Any, slow: Any) -> Any:
    """What runs a plan that has nodes on devices."""
    from workbench.gpu.link import link_devices

    return link_devices(plan, slow)


def hosted(outputs: Sequence[Any]) -> Any:
    """The graph of these outputs with every node on the processor: see `gpu.hosted`."""
    from workbench.gpu.hosted import hosted

    return hosted(outputs)


def spec(name: str) -> DeviceSpec:
    """How the native entry knows this device's arrays."""
    return DeviceSpec(mark_of(name), slot_offset("words"))
