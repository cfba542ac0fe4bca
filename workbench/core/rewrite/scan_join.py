"""Two loops over the same inputs become one: a gradient may store more of a forward loop than the
user asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from workbench.core import graph
from workbench.core.graph import Apply, Variable, toposort
from workbench.core.inner import InnerGraph
from workbench.core.intern import Interner
from workbench.core.rewrite.engine import Rule, Session, calling_source
from workbench.core.scan.op import Scan
from workbench.core.scan.parts import Map, Parts


def _by_the_pass(node: Apply, context: object) -> None:
    """The step is made by the pass itself."""


JOIN = Rule(
    "join_loops",
    (Scan,),
    _by_the_pass,
    "scan(f), scan(f, g) → scan(f, g)",
    "Loops with the same inputs, states and end run once and store what each of them stored.",
    calling_source(1),
)


def join_loops(session: Session, outputs: Sequence[Variable]) -> list[Variable]:
    """The graph with one loop in the place of several that differ only in what they store."""
    now: list[Variable] | None = list(outputs)
    while now is not None and JOIN.name not in session.excluded:
        outputs, now = now, _joined(session, now)  # loops over joined loops can be joined next
    return list(outputs)


def _joined(session: Session, outputs: Sequence[Variable]) -> list[Variable] | None:
    """The graph with the loops joined that can be now; None where there are none."""
    nodes = toposort(outputs)
    twins = {twin: group for group in _groups(nodes) for twin in group}
    if not twins:
        return None
    final: dict[Variable, Variable] = {}
    for node in nodes:
        if node.outputs[0] in final:
            continue
        inputs = [final.get(v, v) for v in node.inputs]
        moved = any(a is not b for a, b in zip(inputs, node.inputs, strict=True))
        if node in twins:
            _join(session, twins[node], inputs, final)
        elif moved:
            final.update(zip(node.outputs, session.rebuild(node, inputs).outputs, strict=True))
    return [final.get(v, v) for v in outputs]


def _groups(nodes: Iterable[Apply]) -> list[list[Apply]]:
    """Loops that compute the same states over the same inputs, two or more at a time."""
    near: dict[tuple[object, ...], list[Apply]] = {}
    for node in nodes:
        if isinstance(node.op, Scan):
            op = node.op
            form = (op.sequences, op.states, op.until, op.truncate, op.mode)
            types = tuple(v.type for v in op.inner.inputs)
            near.setdefault((node.inputs, types, *form), []).append(node)
    interner = Interner()
    groups: dict[tuple[object, ...], list[Apply]] = {}
    for same, some in near.items():
        for node in some if len(some) > 1 else ():
            parts = _over(node, some[0])
            groups.setdefault((same, *_fed_back(parts, interner)), []).append(node)
    return [group for group in groups.values() if len(group) > 1]


def _over(node: Apply, first: Apply) -> Parts:
    """The node's loop, its body written over the variables that the body of the first reads."""
    assert isinstance(node.op, Scan)
    assert isinstance(first.op, Scan)
    mine, theirs = node.op.inner, first.op.inner.inputs
    if mine.inputs == theirs:
        return Parts.of(node)
    outputs = graph.replace(mine.outputs, dict(zip(mine.inputs, theirs, strict=True)))
    return Parts.of_op(replace(node.op, inner=InnerGraph(theirs, tuple(outputs))), node.inputs)


def _fed_back(parts: Parts, interner: Interner) -> list[Variable]:
    """What decides how the loop runs, each value as the interner has it."""
    condition = [] if parts.condition is None else [parts.condition]
    values = [part.next for part in parts.states] + [part.next for part in parts.carried]
    if not values:  # a loop of maps is better computed at once, each for itself
        values = [part.value for part in parts.maps]
    kept = all(part.keep is None for part in parts.stacked)
    return interner.freeze([*values, *condition]) if kept else [*values, parts.n_steps]


def _join(
    session: Session,
    group: Sequence[Apply],
    inputs: Sequence[Variable],
    final: dict[Variable, Variable],
) -> None:
    interner = Interner()
    loops = [_over(node, group[0]) for node in group]
    maps: dict[Variable, Map] = {}
    for loop in loops:
        for part, value in zip(
            loop.maps, interner.freeze([m.value for m in loop.maps]), strict=True
        ):
            maps.setdefault(value, part)
    node = replace(loops[0], maps=tuple(maps.values())).op().apply(*inputs)
    n, total = len(loops[0].states), len(loops[0].states) + len(maps)
    place = {value: n + i for i, value in enumerate(maps)}
    for twin, loop in zip(group, loops, strict=True):
        values = interner.freeze([m.value for m in loop.maps])
        stacked = [node.outputs[place[v]] for v in values]
        results = [*node.outputs[:n], *stacked, *node.outputs[total:]]
        old = session.rebuild(twin, inputs)
        new = session.replace(JOIN, old, results)
        final.update(zip(twin.outputs, new, strict=True))
