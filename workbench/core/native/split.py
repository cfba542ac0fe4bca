"""Plans with ops that have no native form: native programs, with the interpreter for what is
between them.

Each node has a stage: native nodes of one stage make one program, interpreted ones run one by one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.graph import Apply, Constant, Variable, is_shared, toposort
from workbench.core.inner import InnerGraph
from workbench.core.interpreter import evaluate_node, lookup
from workbench.core.link import Fast, Linked, Plan, PyLinked, own
from workbench.core.native.target import NoNativeForm
from workbench.core.profile import Profiler
from workbench.frozen import frozen

Make = Callable[[Plan], Linked]


def split_link(plan: Plan, make: Make) -> Linked:
    """The plan in stages. Nodes that turn out to have no native form are found one by one."""
    nodes = toposort(plan.results, stop=plan.inputs)
    reasons: dict[Apply, str] = {}
    for node in nodes:
        if (reason := _refusal(node, make)) is not None:
            reasons[node] = reason
    return SplitLinked(plan, nodes, reasons, make)


def alone(node: Apply) -> Plan:
    """The plan of one node by itself: its inputs are stand-ins for what it reads, each once, but
    for constants.
    """
    inputs = tuple(dict.fromkeys(v for v in node.inputs if not isinstance(v, Constant)))
    stand_ins = {v: v.clone() for v in inputs}
    copy = Apply(
        node.op,
        [stand_ins.get(v, v) for v in node.inputs],
        [v.type for v in node.outputs],
        node.lines,
    )
    return Plan(tuple(stand_ins.values()), copy.outputs)


def _refusal(node: Apply, make: Make) -> str | None:
    """Why a node has no native form by itself, or None where it has one."""
    try:
        make(alone(node))
    except NoNativeForm as refusal:
        return str(refusal)
    return None


@frozen
class _Stage:
    """A native program, one interpreted node, or one node with branches that are linked each by
    itself, with what it reads and what it gives.
    """

    inputs: tuple[Variable, ...]
    outputs: tuple[Variable, ...]
    native: Linked | None = None
    node: Apply | None = None


class SplitLinked:
    """A plan run in stages."""

    fast: Fast | None = None

    def __init__(
        self, plan: Plan, nodes: Sequence[Apply], reasons: dict[Apply, str], make: Make
    ) -> None:
        self.plan = plan
        self.parts = _stages(plan, nodes, reasons, make)
        self.notes: Sequence[str] = [note for part in self.parts for note in _notes(part, reasons)]

    def free(self) -> None:
        """Give back the memory that the native stages keep between calls."""
        for stage in self.parts:
            if stage.native is not None:
                stage.native.free()

    @property
    def stages(self) -> list[tuple[str, float]]:
        """What the native compiler's stages took, in seconds, for all programs together."""
        found: dict[str, float] = {}
        for part in self.parts:
            for name, seconds in getattr(part.native, "stages", ()):
                found[name] = found.get(name, 0.0) + seconds
        return list(found.items())

    def run(self, args: Sequence[Any], profile: Profiler | None = None) -> list[Any]:
        plan = self.plan
        values: dict[Variable, Any] = dict(zip(plan.inputs, args, strict=True))
        for stage in self.parts:
            given = [lookup(values, v) for v in stage.inputs]
            values.update(zip(stage.outputs, _run(stage, given, profile), strict=True))
        results = [lookup(values, v) for v in plan.results]
        shared = [v.cell[0] for v, _ in plan.updates]
        kept = [
            *args,
            *shared,
            *(lookup({}, v) for v in plan.results if v.owner is None and v not in values),
        ]
        pairs = zip(plan.results, own(results, kept), strict=True)
        fresh = [v.type.place(value) for v, value in pairs]
        count = len(plan.outputs)
        for (target, _), value in zip(plan.updates, fresh[count:], strict=True):
            target.cell[0] = value
        return fresh[:count]


def _run(stage: _Stage, given: Sequence[Any], profile: Profiler | None) -> Sequence[Any]:
    if stage.native is not None:
        return stage.native.run(given, profile)
    assert stage.node is not None
    start = time.perf_counter()
    outputs = evaluate_node(stage.node, given)
    if profile is not None:
        profile.node(stage.node, time.perf_counter() - start, form="interpreter")
        profile.size(stage.node, given, outputs)
    return outputs


def _stages(
    plan: Plan, nodes: Sequence[Apply], reasons: dict[Apply, str], make: Make
) -> list[_Stage]:
    level: dict[Apply, int] = {}
    for node in nodes:
        level[node] = max(
            (_level_after(v, level, node in reasons, reasons) for v in node.inputs), default=0
        )
    stages: list[_Stage] = []
    needed = set(plan.results) | {v for node in nodes for v in node.inputs}
    for number in sorted(set(level.values())):
        here = [node for node in nodes if level[node] == number]
        native = [node for node in here if node not in reasons]
        stages += _native_stages(native, needed, make)
        stages += [
            _Stage(node.inputs, node.outputs, _branches(node, make), node)
            for node in here
            if node in reasons
        ]
    return stages


def _notes(part: _Stage, reasons: dict[Apply, str]) -> Sequence[str]:
    """What of a stage is not native, and why."""
    if part.node is None or part.native is not None:
        return part.native.notes if part.native is not None else ()
    return [f"{part.node.op} is run by the interpreter: {reasons[part.node]}"]


class BranchesLinked:
    """A choice of which a part has no native form: each branch is a plan of its own."""

    fast: Fast | None = None

    def __init__(self, node: Apply, make: Make) -> None:
        op: Any = node.op
        self.node, self.op = node, op
        self.linked: list[Linked] = []
        for values in op.branches(node.inputs):
            plan = Plan(op.inner.inputs, tuple(values))
            lazy = any(getattr(n.op, "is_lazy", False) for n in op.inner.nodes)
            self.linked.append(PyLinked(plan) if lazy else _linked(plan, make))

        self.notes: Sequence[str] = [note for linked in self.linked for note in linked.notes]

    def free(self) -> None:
        """Give back the memory that the branches keep between calls."""
        for linked in self.linked:
            linked.free()

    def run(self, args: Sequence[Any], profile: Profiler | None = None) -> list[Any]:
        condition, *captured = args
        start = time.perf_counter()
        taken = self.linked[0 if self.op.chosen(condition).start == 1 else 1]
        results = taken.run(captured)
        if profile is not None:
            profile.node(self.node, time.perf_counter() - start)
            profile.size(self.node, args, results)
        return results


def _branches(node: Apply, make: Make) -> Linked | None:
    """The branches of a node that has some inside."""
    has_some = hasattr(node.op, "branches") and isinstance(
        getattr(node.op, "inner", None), InnerGraph
    )
    return BranchesLinked(node, make) if has_some else None


def _linked(plan: Plan, make: Make) -> Linked:
    try:
        return make(plan)
    except NoNativeForm:
        return split_link(plan, make)


def _level_after(
    variable: Variable, level: dict[Apply, int], interpreted: bool, reasons: dict[Apply, str]
) -> int:
    """The first stage in which a reader of this variable can be."""
    owner = variable.owner
    if owner is None or owner not in level:
        return 0
    crosses = interpreted or owner in reasons
    return level[owner] + (1 if crosses else 0)


def _native_stages(nodes: Sequence[Apply], needed: set[Variable], make: Make) -> list[_Stage]:
    """One program of several nodes, or where they have a native form only apart, one for each."""
    if not nodes:
        return []
    try:
        return [_native_stage(nodes, needed, make)]
    except NoNativeForm:
        return [_native_stage([node], needed, make) for node in nodes]


def _native_stage(nodes: Sequence[Apply], needed: set[Variable], make: Make) -> _Stage:
    """One program of several nodes: it reads what earlier stages made and gives what later ones, or
    the caller, need.
    """
    members = set(nodes)
    read = dict.fromkeys(v for node in nodes for v in node.inputs)
    inputs = tuple(
        v
        for v in read
        if v.owner not in members and not isinstance(v, Constant) and not is_shared(v)
    )
    outputs = tuple(v for node in nodes for v in node.outputs if v in needed)
    return _Stage(inputs, outputs, native=make(Plan(inputs, outputs)))
