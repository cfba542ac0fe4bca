"""What rules about scans share: choosing outputs, telling which old output is which new one, who
reads what.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from workbench.core import origin
from workbench.core.graph import Apply, Variable, toposort
from workbench.core.rewrite.engine import Context
from workbench.core.scan.lift import Lifted, Values
from workbench.core.scan.parts import Map, Parts
from workbench.core.scan.rows import window, within
from workbench.frozen import frozen

OWN_MODE = "the loop has a mode of its own: what its body computes stays in it"
READ = "outputs of scans that new nodes of this pass read whole"


@frozen
class Selection:
    """A loop with some of its outputs, and more maps than before.

    parts   the loop
    place   for the number of an old output that is still there its new one
    extra   the numbers of the new maps
    """

    parts: Parts
    place: dict[int, int]
    extra: range


def select(parts: Parts, dropped: Collection[int], extra: Iterable[Variable] = ()) -> Selection:
    """The loop without the outputs of these numbers, and with these values as maps."""
    states = [i for i in range(len(parts.states)) if i not in dropped]
    first = len(parts.states)
    maps = [i for i in range(first, len(parts.stacked)) if i not in dropped]
    carried = [i for i in range(len(parts.stacked), len(parts.outputs)) if i not in dropped]
    new = tuple(Map(v) for v in extra)
    where = len(states) + len(maps)
    order: list[int | None] = [*states, *maps, *[None] * len(new), *carried]
    return Selection(
        replace(
            parts,
            states=tuple(parts.states[i] for i in states),
            maps=(*(parts.maps[i - first] for i in maps), *new),
            carried=tuple(parts.carried[i - len(parts.stacked)] for i in carried),
        ),
        {old: k for k, old in enumerate(order) if old is not None},
        range(where, where + len(new)),
    )


def answer(node: Apply, place: dict[int, int], made: Sequence[Variable]) -> list[Variable | None]:
    """For a rule: each old output's new one, None for those that are gone."""
    return [made[place[i]] if i in place else None for i in range(len(node.outputs))]


def known_inputs(parts: Parts, steps: Variable, loop_checks: bool = False) -> Values:
    """What a body's inputs are for all steps: the rows of sequences, and invariants.

    That there are rows enough is checked, unless a loop over what is made of them does so.
    """
    values: Values = {p.inner: Lifted(p.outer, False) for p in parts.invariants}
    if not loop_checks:
        steps = within(steps, parts.sequences)
    for rows in parts.sequences:
        for k, inner in zip(rows.taps, rows.inner, strict=True):
            values[inner] = Lifted(window(rows.outer, k - min(*rows.taps, 0), steps), True)
    return values


def known_outputs(parts: Parts, outputs: Sequence[Variable]) -> Values:
    """What the values that the loop stacks are for all steps."""
    return {
        part.value: Lifted(v, True)
        for part, v in zip(parts.stacked, outputs, strict=False)
        if part.keep is None and part.value.owner is not None
    }


def made(node: Apply, parts: Parts, context: Context) -> Sequence[Variable]:
    """The outputs of a loop that stands in the place of a node, as the table of nodes has them."""
    with origin.inherited(node.lines):
        return [context.interned(v) for v in parts.apply().outputs]


def note_reads(
    context: Context,
    answers: Sequence[Variable | None],
    node: Apply,
    outputs: Sequence[Variable],
    readers: Sequence[Variable],
) -> None:
    """Have it known that new expressions read outputs of the loop in the place of a node.

    The context tells only who read what before the pass. An output that stands for an old one is
    noted by the name under which it was known then, as it will go by that name when it is rewritten
    again.
    """
    read = {*readers, *(v for n in toposort(readers) for v in n.inputs)}
    first = {new: old for new, old in zip(answers, node.outputs, strict=True) if new is not None}
    for v in outputs:
        if v in read:
            old = first.get(v, v)
            context.note(READ)[context.former.get(old, old)] = True


def is_read_whole(variable: Variable, context: Context) -> bool:
    """Whether it is an output of the graph, or read by something that this pass made."""
    first = context.former.get(variable, variable)
    return context.is_output(variable) or first in context.note(READ)


def is_read(variable: Variable, context: Context) -> bool:
    """Whether anything reads it."""
    return is_read_whole(variable, context) or bool(context.readers(variable))
