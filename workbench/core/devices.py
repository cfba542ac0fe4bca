"""Devices by name, and what the compiler knows of one: a small protocol. `workbench.gpu` has the
devices themselves, and is imported when the first is asked for.

Names: 'cpu'; 'cuda' or 'gpu' (the first), 'cuda1'; 'opencl' (the first of all platforms),
'opencl1' (the first of platform 1), 'opencl0:1' (device 1 of platform 0); and what
`config.contexts` calls them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol

from workbench.configuration import config
from workbench.core.array import Array
from workbench.core.graph import Apply
from workbench.errors import DeviceError, DeviceNotFoundError

_NAME = re.compile(r"(cuda|gpu|opencl)(\d*)(?::(\d+))?")


class Device(Protocol):
    """A device that was found: where arrays can be, and functions run."""

    name: str
    holds_float64: bool

    def array(self, value: Array) -> Any:
        """A copy of a host array on the device: a `DeviceArray`. Raises DeviceError."""


class Plugin(Protocol):
    """What `workbench.gpu` gives the compiler."""

    def find(self, name: str) -> Device:
        """The device of a full name. Raises DeviceError."""

    def automatic(self) -> str | None:
        """The full name of the best accelerator, or None."""

    def passes(self, device: str) -> Sequence[Any]:
        """The passes that move a function's work to a device, or to those that it names itself
        where this is 'cpu'. Any: a Pass, which knows this module.
        """

    def stays(self, device: str) -> Callable[[Apply], bool]:
        """Tells of a node whether it has no form on a device."""

    def check_moved(self, nodes: Sequence[Apply], device: str) -> None:
        """What config.assert_no_cpu_op says of nodes that did not move to a device."""

    def link(self, plan: Any, slow: Any) -> Any:
        """What runs a plan with nodes on devices. Any: a Plan, an entry, a Linked."""

    def hosted(self, outputs: Sequence[Any]) -> Any:
        """The graph of these outputs with every node on the processor. Any: a Hosted."""

    def spec(self, name: str) -> Any:
        """How the native entry knows a device's arrays. Any: a DeviceSpec, which stands above."""


def plugin() -> Plugin:
    """The package with the devices."""
    found: Any = import_module("workbench.gpu.plugin")
    return found  # type: ignore[no-any-return]


def full_name(name: str) -> str:
    """The one name of a device, of all that it goes by: 'gpu' is 'cuda0'. Raises
    DeviceNotFoundError for what is no name of a device.
    """
    known = _contexts().get(str(name), str(name))
    if known == "cpu":
        return known
    match = _NAME.fullmatch(known)
    if match is None or (match[1] != "opencl" and match[3]):
        raise DeviceNotFoundError(
            f"there is no device {name!r}",
            advice="devices are called 'cpu', 'cuda0', 'opencl0' or 'opencl0:1'; wb.devices() "
            "lists those that are there",
        )
    kind = "cuda" if match[1] == "gpu" else match[1]
    number = f":{match[3]}" if match[3] and int(match[3]) else ""
    return f"{kind}{int(match[2] or 0)}{number}"


def _contexts() -> dict[str, str]:
    """Names for devices, as config.contexts gives them."""
    pairs = (part.partition("->") for part in str(config.contexts).split(";") if part)
    return {name.strip(): device.strip() for name, _, device in pairs}


def find(name: str) -> Device:
    """The device of a name, started. Raises DeviceError where it is not there."""
    return plugin().find(full_name(name))


def is_there(name: str) -> bool:
    """Whether a device of this name can be had."""
    try:
        return name == "cpu" or find(name) is not None
    except DeviceError:
        return False


def chosen(device: str | None) -> str:
    """The full name of the device that functions are made for: of the one that is asked for, else
    of the configured one; 'auto' is the best accelerator that is there. Raises DeviceError.
    """
    if config.init_gpu_device:
        find(str(config.init_gpu_device))
    name = str(config.device) if device is None else device
    if name == "auto":
        return _automatic()
    name = full_name(name)
    if name != "cpu":
        find(name)
    return name


def _automatic() -> str:
    name = plugin().automatic()
    if name is not None:
        return name
    if config.force_device:
        raise DeviceNotFoundError(
            "device='auto' with config.force_device, and there is no accelerator",
            advice="wb.devices() lists what there is; config.force_device=False falls back to the "
            "processor",
        )
    return "cpu"


def is_device_array(value: object) -> bool:
    """Whether a value is an array on a device."""
    return getattr(type(value), "lies_on_device", False)


def on_host(value: Any) -> Any:
    """A value as the interpreter has it: an array on a device is NumPy's, copied."""
    return value.__array__() if is_device_array(value) else value
