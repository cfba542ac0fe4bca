"""CUDA by pycuda: the driver of NVIDIA's devices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.errors import DriverError


def count() -> int:
    """How many devices there are. Raises DriverError."""
    return sum(1 for _ in listed())


def listed() -> Iterator[tuple[Any, ...]]:
    """The fields of `listing.DeviceInfo` for each device. Raises DriverError."""
    raise DriverError("CUDA devices need pycuda", advice="pip install pycuda")
    yield ()


class Cuda:
    """The driver of one CUDA device."""
