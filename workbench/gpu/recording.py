"""What a device's commands take, by its own clock: events around each, read when all are done. The
queue is never stalled for it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

from workbench.gpu.device import Device

CAPACITY = 1 << 14
"""Commands of one run whose times are kept; how many came after is told."""


class Recording:
    """A context in which the commands of a device are timed."""

    def __init__(self, device: Device, capacity: int = CAPACITY) -> None:
        self.device, self.capacity = device, capacity
        self._marks = (ctypes.c_int64 * capacity)()
        self._events: Any = None
        self.count = 0

    def __enter__(self) -> Recording:
        word = self.device.word
        self._events = self.device.driver.events(self.capacity)
        word("marks").value = ctypes.addressof(self._marks)
        word("count").value, word("capacity").value = 0, self.capacity
        word("events").value = ctypes.addressof(self._events)
        return self

    def __exit__(self, *error: Any) -> None:
        word = self.device.word
        word("events").value = 0
        self.count = word("count").value

    @property
    def dropped(self) -> int:
        """How many commands came when there was no room for their times."""
        return max(0, self.count - self.capacity)

    def times(self) -> Iterator[tuple[int, float, float]]:
        """The mark of the node of each command, when it began, after the first one, and its seconds
        on the device.
        """
        self.device.finish()
        n = min(self.count, self.capacity)
        spans = self.device.driver.spans(self._events, n)
        for mark, (start, seconds) in zip(self._marks[:n], spans, strict=True):
            yield mark, start, seconds
