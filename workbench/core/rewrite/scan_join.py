"""Two loops over the same inputs become one: a gradient may store more of a forward loop than the
user asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from workbench.core.graph import Apply, Variable, toposort
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
    nodes = toposort(outputs)
    twins = {twin: group for group in _groups(nodes) for twin in group}
    if not twins or JOIN.name in session.excluded:
        return list(outputs)
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
            key = (node.inputs, op.inner.inputs, op.sequences, op.states, op.until, op.truncate)
            near.setdefault(key, []).append(node)
    interner = Interner()
    groups: dict[tuple[object, ...], list[Apply]] = {}
    for same, some in near.items():
        for node in some if len(some) > 1 else ():
            groups.setdefault((same, *_fed_back(Parts.of(node), interner)), []).append(node)
    return [group for group in groups.values() if len(group) > 1]


def _fed_back(parts: Parts, interner: Interner) -> list[Variable]:
    """What decides how the loop runs, each value as the interner has it."""
    condition = [] if parts.condition is None else [parts.condition]
    values = [part.next for part in parts.states] + [part.next for part in parts.carried]
    kept = all(part.keep is None for part in parts.stacked)
    return interner.freeze([*values, *condition]) if kept else [*values, parts.n_steps]


def _join(
    session: Session,
    group: Sequence[Apply],
    inputs: Sequence[Variable],
    final: dict[Variable, Variable],
) -> None:
    interner = Interner()
    loops = [Parts.of(node) for node in group]
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
