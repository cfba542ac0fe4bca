"""Fusion: elementwise work over one iteration space, and the totals of it, become one loop.

Every node gets a level: how many loops lie before it. It rises where a value leaves a loop, along
an edge that fusion cannot absorb; so nodes of one level that absorbing edges join can be one loop,
and no path leaves the loop and comes back. Levels are as late as their readers allow, which brings
a value to where it is read. All of it takes time linear in the graph.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workbench.core.graph import Apply, Variable
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.reduce import Reduce
from workbench.core.ops.scalars import Second
from workbench.core.rewrite.cut import Cut
from workbench.core.rewrite.engine import Session, step_rule
from workbench.core.rewrite.loops import build_loop
from workbench.core.types import is_float, tensor_type
from workbench.errors import WorkbenchError

FUSE = step_rule(
    "fuse_elementwise",
    "f(g(x)) → (f ∘ g)(x)",
    "Elementwise ops over the same elements become one loop: what only they read is never stored.",
)
FUSE_TOTALS = step_rule(
    "fuse_reduction",
    "sum(f(x)) → one loop",
    "A reduction takes its elements as they are computed; stored only where another reads them.",
)


Choice = Callable[[Apply], bool]


def fuse(session: Session, outputs: Sequence[Variable]) -> list[Variable]:
    """The graph with its elementwise nodes and their reductions in loops; then what is left of
    arithmetic on scalars, which takes no loop, in one node where it hangs together.
    """
    now = list(outputs)
    for choice in _choices(session.stays):
        now = _fuse(session, now, choice)
    return now


def _choices(stays: Choice | None) -> tuple[Choice, ...]:
    """What is fused with what: nodes that stay on the host are apart from those that move to a
    device.
    """
    if stays is None:
        return on_arrays, on_scalars
    return (
        lambda node: on_arrays(node) and not stays(node),
        lambda node: on_arrays(node) and stays(node),
        on_scalars,
    )


def _fuse(session: Session, outputs: Sequence[Variable], choice: Choice) -> list[Variable]:
    """The graph with the chosen nodes fused."""
    nodes = session.toposort(outputs)
    cut = Cut(nodes, outputs, for_device=session.stays is not None)
    units = _units(nodes, choice, cut)
    final: dict[Variable, Variable] = {}
    readers = _Readers(nodes, outputs, units)
    for unit in _in_order(units):
        kept = [v for node in unit.nodes for v in node.outputs if readers.outside(v)]
        if len(unit.nodes) == 1 or not _fuse_unit(session, unit.nodes, kept, final):
            for node in unit.nodes:
                inputs = tuple(map(final.get, node.inputs, node.inputs))
                if inputs != node.inputs:
                    final.update(zip(node.outputs, session.rebuild(node, inputs).outputs))
    return [final.get(v, v) for v in outputs]


def _fuse_unit(
    session: Session,
    nodes: Sequence[Apply],
    kept: Sequence[Variable],
    final: dict[Variable, Variable],
) -> bool:
    """Puts one loop in the place of the nodes, as far as the kept variables go."""
    start = time.perf_counter()
    rule = FUSE_TOTALS if any(isinstance(n.op, Reduce) for n in nodes) else FUSE
    if rule.name in session.excluded:
        return False
    try:
        loop = build_loop(nodes, kept, final)
    except WorkbenchError:  # lengths that do not fit: it fails when it runs
        return False
    lines = tuple(dict.fromkeys(line for node in nodes for line in node.lines))
    pairs = list(zip(kept, loop, strict=True))
    final.update(zip(kept, session.exchange(rule, pairs, lines, time.perf_counter() - start)))
    return True


@dataclass(eq=False)
class _Unit:
    """Nodes that become one loop, in topological order, or one node that stays; and the units that
    it reads.
    """

    nodes: list[Apply] = field(default_factory=list)
    reads: list[_Unit] = field(default_factory=list)


class _Readers:
    """Which variables are read outside of their unit."""

    def __init__(
        self, nodes: Sequence[Apply], outputs: Sequence[Variable], units: dict[Apply, _Unit]
    ) -> None:
        self._outside = set(outputs)
        for node in nodes:
            mine = units[node]
            self._outside.update(
                v for v in node.inputs if v.owner is not None and units[v.owner] is not mine
            )

    def outside(self, variable: Variable) -> bool:
        return variable in self._outside


def on_arrays(node: Apply) -> bool:
    """Whether a node is elementwise work on arrays that a loop can absorb; complex numbers have no
    native loops.
    """
    return _is_real_elemwise(node) and tensor_type(node.outputs[0]).ndim > 0


def on_scalars(node: Apply) -> bool:
    """Whether a node is arithmetic on scalars. Whole ones are mostly lengths, which the native
    compiler follows one by one.
    """
    return _is_real_elemwise(node) and all(
        not tensor_type(v).ndim and is_float(tensor_type(v).dtype) for v in node.outputs
    )


def _is_real_elemwise(node: Apply) -> bool:
    op = node.op
    if not isinstance(op, Elemwise) or isinstance(op.scalar, Second):
        return False
    return not any(tensor_type(v).dtype[0] == "c" for v in (*node.inputs, *node.outputs))


def _absorbs(variable: Variable, node: Apply, loops: set[Apply]) -> bool:
    """Whether a loop that makes the variable can also do this node, element by element."""
    owner = variable.owner
    if owner is None or owner not in loops:
        return False
    if isinstance(node.op, Reduce):
        return tensor_type(variable).dtype[0] != "c"
    if node not in loops:
        return False
    return _same_axes(variable, node.outputs[0])


def _units(nodes: Sequence[Apply], choice: Choice, cut: Cut) -> dict[Apply, _Unit]:
    """The unit of every node."""
    loops = {node for node in nodes if choice(node)}
    absorbing = {
        (v, node)
        for node in nodes
        for v in node.inputs
        if v.owner is not None and _absorbs(v, node, loops)
    }
    level = _levels(nodes, loops, absorbing)
    units: dict[Apply, _Unit] = {}
    for members in _join(nodes, loops, absorbing, level):
        for chunk in cut.chunks(members) if len(members) > 1 else [members]:
            unit = _Unit(chunk)
            units.update((node, unit) for node in chunk)
    for node in nodes:
        unit = units[node]
        unit.reads += [
            units[v.owner]
            for v in node.inputs
            if v.owner is not None and units[v.owner] is not unit
        ]
    return units


Edges = set[tuple[Variable, Apply]]


def _levels(nodes: Sequence[Apply], loops: set[Apply], absorbing: Edges) -> dict[Apply, int]:
    """Levels as early as inputs allow; then those of elementwise nodes as late as their readers
    allow.
    """

    def rise(variable: Variable, node: Apply) -> bool:
        """Whether the value leaves a loop on its way to this node."""
        maker = variable.owner
        loop = maker in loops or (maker is not None and isinstance(maker.op, Reduce))
        return loop and (variable, node) not in absorbing

    level: dict[Apply, int] = {}
    for node in nodes:
        before = (level[v.owner] + rise(v, node) for v in node.inputs if v.owner is not None)
        level[node] = max(before, default=0)
    latest: dict[Apply, int] = {}
    for node in reversed(nodes):
        if node in loops and node in latest:
            level[node] = max(level[node], latest[node])
        for v in node.inputs:
            if v.owner is not None:
                bound = level[node] - rise(v, node)
                latest[v.owner] = min(latest.get(v.owner, bound), bound)
    return level


class _Groups:
    """Which nodes were joined: a union of sets, each with the axes that its totals are over."""

    def __init__(self, nodes: Sequence[Apply]) -> None:
        self._parent = {node: node for node in nodes}
        self._axes = {node: node.op.axes for node in nodes if isinstance(node.op, Reduce)}

    def root(self, node: Apply) -> Apply:
        parent = self._parent
        while parent[node] is not node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def join(self, one: Apply, other: Apply) -> None:
        """Makes the two sets one, where that leaves one set of axes for all totals."""
        a, b = self.root(one), self.root(other)
        axes = {self._axes[n] for n in (a, b) if n in self._axes}
        if a is b or len(axes) > 1:
            return
        self._parent[b] = a
        self._axes.update((a, only) for only in axes)


def _join(
    nodes: Sequence[Apply], loops: set[Apply], absorbing: Edges, level: dict[Apply, int]
) -> list[list[Apply]]:
    """The sets of nodes of one level that absorbing edges connect, or that read the elements of
    one variable: they are read once for all.
    """
    groups = _Groups(nodes)
    for totals in (False, True):
        for node in nodes:
            if isinstance(node.op, Reduce) is totals:
                for v in node.inputs:
                    if (v, node) in absorbing and level[v.owner] == level[node]:  # type: ignore[index]
                        groups.join(v.owner, node)  # type: ignore[arg-type]
    first: dict[tuple[Variable, int], Apply] = {}
    for node in nodes:
        for v in node.inputs:
            if _reads_elements(v, node, loops):
                groups.join(first.setdefault((v, level[node]), node), node)
    found: dict[Apply, list[Apply]] = {}
    for node in nodes:
        found.setdefault(groups.root(node), []).append(node)
    return list(found.values())


def _reads_elements(variable: Variable, node: Apply, loops: set[Apply]) -> bool:
    """Whether a node goes over all elements of a variable, one by one."""
    if isinstance(node.op, Reduce):
        return tensor_type(variable).dtype[0] != "c"
    return node in loops and _same_axes(variable, node.outputs[0])


def _same_axes(one: Variable, other: Variable) -> bool:
    return tensor_type(one).broadcastable == tensor_type(other).broadcastable


def _in_order(units: dict[Apply, _Unit]) -> list[_Unit]:
    """The units, each after those it reads."""
    done: dict[_Unit, None] = {}
    for start in units.values():
        stack = [(start, False)]
        while stack:
            unit, ready = stack.pop()
            if unit in done:
                continue
            if ready:
                done[unit] = None
                continue
            stack.append((unit, True))
            stack.extend((read, False) for read in reversed(unit.reads) if read not in done)
    return list(done)
