"""A program whose nodes are timed."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from workbench.core.graph import Apply
from workbench.core.link import Fast, Plan
from workbench.core.ops.shape import Dimension
from workbench.core.ops.transfer import Transfer
from workbench.core.profile import Command, Profiler
from workbench.gpu.build import Build
from workbench.gpu.recording import Recording

Node = tuple[Apply, Apply | None]
"""A node, and the outermost one that holds it."""


class TimedBuild(Build):
    """A program whose nodes are timed: on the host by its clock, which for a node of a device is
    what it takes to queue its commands; on the devices by events.
    """

    timed = True

    def __init__(self, plan: Plan, slow: Fast) -> None:
        super().__init__(plan, slow)
        words = ctypes.c_int64 * (2 * len(self.program.timed))
        self._words = words.from_address(self.module.address("wb.times"))

    @contextmanager
    def recorded(self, profile: Profiler) -> Iterator[Build]:
        """A call in this context is told to a profiler."""
        recordings = [Recording(table.device) for table in self.tables]
        before = list(self._words)
        with ExitStack() as stack:
            for recording in recordings:
                stack.enter_context(recording)
            yield self
        queued = self._queued(before)
        there = self._on_devices(recordings, profile)
        for (node, parent), (host, calls) in queued.items():
            device, seconds = there.get(node, ("", 0.0))
            if device:
                form = _form(node)
                launch = 0.0 if form == "transfer" else host  # which the host waits for
                profile.node(node, seconds, calls, form=form, device=device, parent=parent,
                             launch=launch)  # fmt: skip
            elif not _is_view(node):
                profile.node(node, host, calls, form="native", parent=parent)

    def _queued(self, before: Sequence[int]) -> dict[Node, tuple[float, int]]:
        """The host's seconds for each node that ran, and its runs."""
        now, found = list(self._words), {}
        for k, key in enumerate(self.program.timed):
            calls = now[2 * k + 1] - before[2 * k + 1]
            if calls:
                found[key] = ((now[2 * k] - before[2 * k]) * 1e-9, calls)
        return found

    def _on_devices(
        self, recordings: Sequence[Recording], profile: Profiler
    ) -> dict[Apply, tuple[str, float]]:
        """The seconds of each node with commands, and on which device."""
        found: dict[Apply, tuple[str, float]] = {}
        commands: list[Command] = []
        for recording in recordings:
            name = recording.device.name
            for mark, start, seconds in recording.times():
                if mark < 0:
                    continue
                node, holder = self.parts.marks[mark]
                commands.append((node, holder, name, _form(node), start, seconds))
                # a loop's time holds that of the nodes of its body
                for one in (node, holder) if holder is not None else (node,):
                    found[one] = name, found.get(one, (name, 0.0))[1] + seconds
            if recording.dropped:
                profile.note(f"{recording.dropped} commands of {name} came too late to be timed")
        profile.queued(commands)
        return found


def _form(node: Apply) -> str:
    return "transfer" if isinstance(node.op, Transfer) else "kernel"


def _is_view(node: Apply) -> bool:
    """Whether a node of a device queued nothing: it is only another look at its operand."""
    return node.op.on_device and not isinstance(node.op, Dimension)
