"""How slow a machine is just now, so that limits of seconds hold on a busy one."""

from __future__ import annotations

import time

USUAL = 0.03
"""Seconds that the loop below takes on a machine with little else to do."""


def slowness() -> float:
    """By how much this machine is slower than usual: 1 at least."""
    return max(1.0, min(_loop() for _ in range(3)) / USUAL)


def _loop() -> float:
    start, total = time.process_time(), 0
    for k in range(500_000):
        total += k
    return time.process_time() - start
