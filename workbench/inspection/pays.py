"""Would the device pay off? The same program on the processor, node beside node, and the reason for
each verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from workbench.core.function import compile_program
from workbench.core.modes import Mode
from workbench.core.on_processor import on_processor
from workbench.core.program import Program
from workbench.core.records import History, Port, Profile, ProfileRow, Snapshot, Verdict
from workbench.core.rewrite.recorder import Recorder
from workbench.inspection.measure import measure
from workbench.inspection.text import duration

MOVE = "move_to_device"
"""The rule that moves a node."""


def beside_processor(
    profile: Profile, history: History, program: Program, mode: Mode, args: Sequence[Any]
) -> Profile:
    """The profile of a program on a device, with what the same nodes take on the processor and a
    verdict for each.
    """
    recorder = Recorder(program.name)
    function = compile_program(on_processor(program), mode, (recorder,), profile=False)
    profiler = measure(function, args)

    def node_id(node: Any, parent: Any) -> int | None:
        found = None if parent is not None else recorder.port_after(node.outputs[0])
        return None if found is None else found.node

    there = profiler.record(node_id)
    pairs = dict(_pairs(recorder.history.last, history))
    host = tuple(replace(row, node=pairs[row.node]) for row in there.rows if row.node in pairs)
    verdicts = tuple(_verdicts(profile, host, history))
    whole = (
        f"a call takes {_a_call(profile)} on {program.device}, {_a_call(there)} on the processor"
    )
    return replace(profile, host=host, verdicts=verdicts, notes=(whole, *profile.notes))


def _a_call(profile: Profile) -> str:
    return duration(profile.seconds / max(profile.calls, 1))


def _pairs(processor: Snapshot, history: History) -> Iterator[tuple[int, int]]:
    """Node ids of the processor's graph, each with that of the same node in the device's."""
    before = next((i for i, s in enumerate(history.steps) if s.phase == "devices"), len(history))
    there = dict(_moved(history))
    for mine, theirs in _alike(processor, history.at(before)):
        yield mine, there.get(theirs, theirs)


def _alike(one: Snapshot, other: Snapshot) -> Iterator[tuple[int, int]]:
    """Nodes of two graphs that stand in the same place and do the same."""
    seen: set[int] = set()
    stack: list[tuple[Port, Port]] = list(zip(one.outputs, other.outputs, strict=True))
    while stack:
        a, b = (_past_transfers(s, p) for s, p in zip((one, other), stack.pop(), strict=True))
        if a in seen or one[a].op != other[b].op or not one[a].op:
            continue
        seen.add(a)
        yield a, b
        if len(one[a].inputs) == len(other[b].inputs):
            stack += zip(one[a].inputs, other[b].inputs, strict=True)


def _past_transfers(snapshot: Snapshot, port: Port) -> int:
    """The node that a port is of, before any transfer."""
    node = snapshot[port.node]
    while node.op in ("GpuFromHost", "HostFromGpu", "GpuToGpu"):
        node = snapshot[node.inputs[0].node]
    return node.id


def _moved(history: History) -> Iterator[tuple[int, int]]:
    """Nodes that were moved, each with what stands for it on the device."""
    for step in history.steps:
        if step.rule == MOVE and step.replaced:
            made = [n.id for n in step.added if n.op.startswith("Gpu") and n.op != "GpuFromHost"]
            yield from ((old.node, made[-1]) for old, _ in step.replaced[:1] if made)


def _verdicts(profile: Profile, host: Sequence[ProfileRow], history: History) -> Iterator[Verdict]:
    there = {row.node: row for row in host}
    refused = {r.node: r.reason for r in history.refused if r.rule == MOVE}
    for row in profile.rows:
        if row.parent is not None:
            continue
        if row.form == "transfer":
            yield Verdict(row.node, None, _of_transfer(row))
        elif row.device == "cpu":
            reason = refused.get(row.node, "it is the host's: lengths, or numbers by themselves")
            yield Verdict(row.node, None, f"stays on the processor: {reason}")
        elif row.node in there:
            yield _of_kernel(row, there[row.node])


def _of_transfer(row: ProfileRow) -> str:
    rate = row.bytes / row.median if row.median else 0.0
    return f"moves {_bytes(row.bytes)} in {duration(row.median)}: {_bytes(rate)}/s"


def _of_kernel(row: ProfileRow, host: ProfileRow) -> Verdict:
    """On a device a node takes as long as its kernels, or as long as queueing them."""
    took = max(row.median, row.launch)
    times = host.median / took if took else float("inf")
    if times > 1:
        return Verdict(row.node, True, f"{times:.1f} × quicker than the processor")
    if row.launch > row.median:
        return Verdict(
            row.node, False,
            f"too little work: queueing takes {duration(row.launch)}, all of it on the processor "
            f"{duration(host.median)}",
        )  # fmt: skip
    return Verdict(row.node, False, f"the processor is {1 / max(times, 1e-9):.1f} × quicker")


def _bytes(size: float) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.3g} {unit}"
    return f"{size:.0f} B"
