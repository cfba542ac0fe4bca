"""Timing a function for its profile, without any lasting effect on shared variables."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any

from workbench.core.function import Function
from workbench.core.graph import Apply
from workbench.core.profile import Profiler

SECONDS = 0.2  # how long calls are repeated
MOST = 100  # calls
FEWEST = 3
WARM_UP = 2


def measure(function: Function, args: Sequence[Any]) -> Profiler:
    """A profiler with the times of repeated calls; warm-up calls are not counted."""
    profiler = Profiler(function.name)
    linked = function.linked
    wait = getattr(linked, "wait", lambda: None)  # a device is busy when the call is over

    def call() -> None:
        linked.run(args)
        wait()

    with values_kept(function):
        plain = repeat(call)
        profiled = repeat(lambda: linked.run(args, profile=profiler), profiler.start)
    for seconds in profiled:
        profiler.call(seconds)
    profiler.overhead = max(0.0, statistics.median(profiled) - statistics.median(plain))
    profiler.stages = _stages(function)
    for note in linked.notes:
        profiler.note(note)
    return profiler


def _stages(function: Function) -> list[tuple[str, float]]:
    """The passes, then what making the program took: writing it, and the compiler's own stages."""
    *passes, (name, seconds) = function.maker.stages
    parts = list(getattr(function.linked, "stages", ()))
    if not parts:
        return [*passes, (name, seconds)]
    writing = seconds - sum(part for _, part in parts)
    return [*passes, ("write", max(0.0, writing)), *parts]


def repeat(call: Callable[[], Any], start: Callable[[], None] = lambda: None) -> list[float]:
    """The seconds of repeated calls, after a warm-up; `start` is called in between."""
    began = time.perf_counter()
    for _ in range(WARM_UP):
        call()
        if time.perf_counter() - began > SECONDS:
            break
    start()
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < FEWEST or (len(times) < MOST and time.perf_counter() - began < SECONDS):
        before = time.perf_counter()
        call()
        times.append(time.perf_counter() - before)
        if times[-1] > SECONDS:
            break
    return times


@contextmanager
def values_kept(function: Function) -> Iterator[None]:
    """Calls in this block write to copies of the shared variables' values."""
    cells = [shared.cell for shared in function.get_shared()]
    saved = [list(cell) for cell in cells]
    try:
        for cell in cells:
            cell[:] = [copy(cell[0]), None]
        yield
    finally:
        for cell, values in zip(cells, saved, strict=True):
            cell[:] = values


class Sizes:
    """Listens to the interpreter and tells a profiler what the nodes that it timed read and
    wrote.
    """

    def __init__(self, profiler: Profiler) -> None:
        self.profiler = profiler

    def before(self, node: Apply, inputs: Sequence[Any]) -> None: ...

    def after(
        self, node: Apply, inputs: Sequence[Any], outputs: Sequence[Any], seconds: float
    ) -> None:
        if node in self.profiler.nodes:
            self.profiler.size(node, inputs, outputs)
