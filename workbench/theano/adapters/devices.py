"""Devices: transfers, and the one that is used."""

from __future__ import annotations

from typing import Any

import workbench as wb
import workbench.tensor as T
from workbench.core.devices import find, is_there


def gpu_from_host(x: Any) -> Any:
    """A tensor on the configured device; where that is the CPU, as it is."""
    variable: Any = T.as_tensor_variable(x)
    return variable.transfer(wb.config.device)


def host_from_gpu(x: Any) -> Any:
    """A tensor in the memory of the host."""
    variable: Any = T.as_tensor_variable(x)
    return variable.transfer("cpu")


def use(
    device: str,
    force: bool = False,
    default_to_move_computation_to_gpu: bool = True,
    move_shared_float32_to_gpu: bool = True,
    enable_cuda: bool = True,
    test_driver: bool = True,
) -> None:
    """Use this device from now on, as config.device says it; with nothing moved by default it is
    only started. Raises DeviceError where it is not there: `force` or not, nothing falls back.
    """
    if device != "cpu":
        find(device)
    if default_to_move_computation_to_gpu:
        wb.config.device = device


def __getattr__(name: str) -> bool:
    """`cuda_available`: whether a CUDA device can be had."""
    if name == "cuda_available":
        return is_there("cuda0")
    raise AttributeError(name)
