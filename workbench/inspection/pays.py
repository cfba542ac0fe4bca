"""Would the device pay off? The same program on the processor, node beside node, and the reason for
each verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np

from workbench.core.devices import plugin
from workbench.core.function import Function, compile_program
from workbench.core.graph import Apply, Variable, is_shared
from workbench.core.link import Plan, native_link
from workbench.core.on_processor import on_processor
from workbench.core.profile import Profiler
from workbench.core.records import History, Profile, ProfileRow, Verdict
from workbench.inspection.measure import repeat, values_kept
from workbench.inspection.text import duration

MOVE = "move_to_device"
"""The rule that moves a node."""

NodeId = Callable[[Apply], int | None]


def beside_processor(
    profile: Profile, history: History, function: Function, args: Sequence[Any], node_id: NodeId
) -> Profile:
    """The profile of a function for a device, with what the same nodes take on the processor and a
    verdict for each.
    """
    host = tuple(_times_there(function.maker.plan, args, node_id))
    verdicts = tuple(_verdicts(profile, host, history))
    # the processor's calls are not timed node by node either
    seconds = profile.seconds / max(profile.calls, 1) - profile.overhead
    here, there = duration(max(0.0, seconds)), _a_call(function, args)
    device = function.maker.program.device
    whole = f"a call takes {here} on {device}, {there} on the processor"
    return replace(profile, host=host, verdicts=verdicts, notes=(whole, *profile.notes))


def _a_call(function: Function, args: Sequence[Any]) -> str:
    """What the program takes when it is made for the processor."""
    other = made_for_processor(function)
    with values_kept(other):
        return duration(median(repeat(lambda: other.linked.run(args))))


def made_for_processor(function: Function) -> Function:
    """The same program with nothing on a device, wherever the user has put it."""
    maker = function.maker
    mode = maker.mode.excluding("move_to_device")
    return compile_program(on_processor(maker.program), mode, profile=False)


def _times_there(plan: Plan, args: Sequence[Any], node_id: NodeId) -> Iterator[ProfileRow]:
    """The rows of the processor, each with the id of the device's node."""
    made = plugin().hosted(plan.results)
    given = dict(zip(plan.inputs, args, strict=True))
    leaves = [*(v for v in plan.inputs if v not in made.inputs), *made.inputs.values()]
    values = [given[v] for v in plan.inputs if v not in made.inputs]
    values += [_on_host(v, given) for v in made.inputs]
    linked = native_link(Plan(tuple(leaves), tuple(made.outputs)), _handed_over)
    profiler = Profiler()
    repeat(lambda: linked.run(values, profile=profiler), profiler.start)

    def here(node: Apply, parent: Apply | None) -> int | None:
        return None if parent is not None or node not in made.nodes else node_id(made.nodes[node])

    yield from profiler.record(here).rows


def _on_host(variable: Variable, given: Mapping[Variable, Any]) -> Any:
    value: Any = variable.cell[0] if is_shared(variable) else given[variable]  # type: ignore[attr-defined]
    return np.asarray(value)


def _handed_over(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("the program does not take these arguments")


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
