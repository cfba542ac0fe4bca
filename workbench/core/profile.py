"""The profile recorder: it collects times per node over calls, from whichever back end ran them,
and makes the record.

A back end that times its nodes tells `Profiler.node(node, seconds, …)` after each run of one;
`listener` does so for the interpreter. `record` turns what was collected into rows. Warm-up calls
are run before `start` and not counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from workbench.core.graph import Apply
from workbench.core.inner import InnerGraph, inner_of
from workbench.core.records import Profile, ProfileRow, Span

# The id of a node in a snapshot; of a body's node in the snapshot of its parent's body.
NodeId = Callable[[Apply, Apply | None], int | None]

P = ParamSpec("P")
R = TypeVar("R")

IMPORTED = time.perf_counter()
"""When this process imported the workbench."""

MOST_TIMES = 10_000  # per node, for median and spread; calls beyond are counted and summed
MOST_SPANS = 400  # commands of a call whose times are kept one by one

Command = tuple[Apply, Apply | None, str, str, float, float]
"""A command of a device: its node and the outermost node that holds it, the device, the form of its
row, when it began and its seconds.
"""


@dataclass
class Times:
    """What one node took: its calls, their seconds, and the size of its last run."""

    calls: int = 0
    seconds: float = 0.0
    kept: list[float] = field(default_factory=list)
    bytes: int = 0
    flops: int = 0
    device: str = "cpu"
    form: str = "native"
    parent: Apply | None = None
    launch: float = 0.0  # the host's seconds to queue it on a device

    def add(self, seconds: float, calls: int = 1, launch: float = 0.0) -> None:
        self.calls += calls
        self.launch += launch
        self.seconds += seconds
        if len(self.kept) < MOST_TIMES:
            self.kept.append(seconds / calls)


GRADIENTS = Times()
"""What calls of `grad` took in this process: a clock that only runs on."""


def timed(function: Callable[P, R]) -> Callable[P, R]:
    """The function, whose calls are counted among the gradients."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            GRADIENTS.add(time.perf_counter() - start)

    return run


class Profiler:
    """Collects times of one function. `name` titles its report."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.nodes: dict[Apply, Times] = {}
        self.call_times = Times()
        self.stages: list[tuple[str, float]] = []
        self.notes: list[str] = []
        self.overhead = 0.0
        self.commands: Sequence[Command] = ()  # of the last call

    def start(self) -> None:
        """Forget the calls so far; compile stages and notes stay."""
        self.nodes.clear()
        self.call_times = Times()

    def made(self, maker: Any, linked: Any) -> None:
        """A function was compiled that tells this profiler. Any: its Maker and its Linked, which
        know this module.
        """

    def run(self, linked: Any, plan: Any, values: Sequence[Any]) -> list[Any]:
        """Run what was linked of a plan."""
        results: list[Any] = linked.run(values, self)
        return results

    def preparing(self, seconds: float) -> None:
        """In the call that runs now, so much went to making a program that counts times."""

    def call(self, seconds: float) -> None:
        """One call of the function took so long, all in all."""
        self.call_times.add(seconds)

    def node(
        self,
        node: Apply,
        seconds: float,
        calls: int = 1,
        *,
        form: str = "native",
        device: str = "cpu",
        parent: Apply | None = None,
        launch: float = 0.0,
    ) -> None:
        """A node ran `calls` times and took `seconds` together; `parent` is the scan whose body it
        stands in. `launch` is what the host took to queue it, where it ran on a device.
        """
        times = self.nodes.get(node)
        if times is None:
            times = self.nodes[node] = Times(form=form, device=device, parent=parent)
        times.add(seconds, calls, launch)

    def queued(self, commands: Sequence[Command]) -> None:
        """The commands that devices were given in one call, in order."""
        self.commands = commands[:MOST_SPANS]
        if len(commands) > MOST_SPANS:
            self.note(f"the timeline has the first {MOST_SPANS} commands of a call")

    def size(self, node: Apply, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """What the node read and wrote in one run, from its arrays (or anything with dtype, shape,
        size, nbytes). Views count nothing.
        """
        times = self.nodes[node]
        if times.bytes:
            return
        if times.form == "transfer":
            times.bytes = sum(int(out.nbytes) for out in outputs)
        elif not _is_view(inputs, outputs):
            times.bytes = sum(int(getattr(a, "nbytes", 0)) for a in (*inputs, *outputs))
            times.flops = int(node.op.flops(inputs, outputs))

    def stage(self, name: str, seconds: float) -> None:
        """A compile stage took so long."""
        self.stages.append((name, seconds))

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def listener(self, nodes: Iterable[Apply]) -> InterpreterTimes:
        """A listener over the interpreter that feeds this profiler with the times of these nodes
        and their bodies'.
        """
        return InterpreterTimes(self, nodes)

    def record(self, node_id: NodeId) -> Profile:
        """The record, slowest node first; rows of nodes that `node_id` does not know are left
        out.
        """
        rows = [
            row
            for node, times in self.nodes.items()
            if (row := _row(node, times, node_id)) is not None
        ]
        rows.sort(key=lambda row: (-row.seconds, row.node))
        return Profile(
            rows=tuple(rows),
            calls=self.call_times.calls,
            seconds=self.call_times.seconds,
            overhead=self.overhead,
            stages=tuple(self.stages),
            notes=tuple(self.notes),
            spans=tuple(_spans(self.commands, node_id)),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name or 'function'}, {self.call_times.calls} calls)"


def _is_view(inputs: Sequence[Any], outputs: Sequence[Any]) -> bool:
    """Whether the result is only another look at an operand: nothing is read or written."""
    arrays = [a for a in inputs if isinstance(a, np.ndarray)]
    return any(np.may_share_memory(a, out) for out in outputs for a in arrays)


class InterpreterTimes:
    """Listens to the interpreter and tells a profiler what each node took."""

    def __init__(self, profiler: Profiler, nodes: Iterable[Apply]) -> None:
        self.profiler = profiler
        self.parents = parents(nodes)

    def before(self, node: Apply, inputs: Sequence[Any]) -> None: ...

    def after(
        self, node: Apply, inputs: Sequence[Any], outputs: Sequence[Any], seconds: float
    ) -> None:
        parent = self.parents.get(node)
        self.profiler.node(node, seconds, form="interpreter", parent=parent)
        self.profiler.size(node, inputs, outputs)


def parents(nodes: Iterable[Apply]) -> dict[Apply, Apply]:
    """For every node that stands in a body, the outermost node that holds it."""
    found: dict[Apply, Apply] = {}
    for outer in nodes:
        held = _body(outer)
        while held:
            node = held.pop()
            found[node] = outer
            held.extend(_body(node))
    return found


def _body(node: Apply) -> list[Apply]:
    inner = inner_of(node.op)
    return list(inner.nodes) if isinstance(inner, InnerGraph) else []


def _row(node: Apply, times: Times, node_id: NodeId) -> ProfileRow | None:
    number = node_id(node, times.parent)
    parent = None if times.parent is None else node_id(times.parent, None)
    if number is None or (times.parent is not None and parent is None):
        return None
    return ProfileRow(
        node=number,
        op=type(node.op).__name__,
        label=node.op.label,
        calls=times.calls,
        seconds=times.seconds,
        median=median(times.kept),
        spread=spread(times.kept),
        bytes=times.bytes,
        flops=times.flops,
        device=times.device,
        form=times.form,
        parent=parent,
        launch=times.launch / max(times.calls, 1),
    )


def _spans(commands: Sequence[Command], node_id: NodeId) -> Iterator[Span]:
    for node, parent, device, form, start, seconds in commands:
        number = node_id(node, parent)
        outer = None if parent is None else node_id(parent, None)
        if number is not None:
            yield Span(number, device, form, start, seconds, outer)


def median(times: Sequence[float]) -> float:
    """The middle one, or the mean of the middle two."""
    ordered = sorted(times)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def spread(times: Sequence[float]) -> float:
    """The 90th percentile less the 10th."""
    ordered = sorted(times)
    last = len(ordered) - 1
    return ordered[round(0.9 * last)] - ordered[round(0.1 * last)]
