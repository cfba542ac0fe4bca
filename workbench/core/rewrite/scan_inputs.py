"""What a loop has and nobody needs: outputs without readers, inputs that the body does not read, or
has twice.
"""

from __future__ import annotations

from dataclasses import replace

from workbench.core.graph import Apply, Constant, Variable, leaves
from workbench.core.rewrite.engine import Answer, Context, rule
from workbench.core.rewrite.scan_changes import answer, is_read, select
from workbench.core.scan.op import Scan
from workbench.core.scan.parts import Parts


@rule(Scan, equation="scan → (a, b) with b unread → scan → a")
def drop_unread_outputs(node: Apply, context: Context) -> Answer:
    """What nobody reads, neither outside nor in the loop itself, is not computed."""
    parts = Parts.of(node)
    needed = _needed(parts, {i for i, v in enumerate(node.outputs) if is_read(v, context)})
    dropped = set(range(len(node.outputs))) - needed
    if not needed or not dropped:
        return None
    selection = select(parts, dropped)
    return answer(node, selection.place, selection.parts.apply().outputs)


def _needed(parts: Parts, read: set[int]) -> set[int]:
    """The numbers of the outputs that are read, or fed back into those that are."""
    inner = {v: i for i, state in enumerate(parts.states) for v in state.inner}
    inner.update((p.inner, len(parts.stacked) + i) for i, p in enumerate(parts.carried))
    needed, pending = set(read), [parts.outputs[i].value for i in read]
    if parts.condition is not None:
        pending.append(parts.condition)
    while pending:
        recalled = {inner[v] for v in leaves(pending, stop=inner) if v in inner} - needed
        needed |= recalled
        pending = [parts.outputs[i].value for i in recalled]
    return needed


@rule(Scan, equation="scan(x, y) with y unread → scan(x)")
def drop_unread_inputs(node: Apply, context: Context) -> Answer:
    """A sequence or an invariant that the body does not read is not passed in."""
    parts = Parts.of(node)
    read = set(leaves(parts.inner_outputs))
    sequences = tuple(p for p in parts.sequences if not read.isdisjoint(p.inner))
    invariants = tuple(p for p in parts.invariants if p.inner in read)
    if len(sequences) == len(parts.sequences) and len(invariants) == len(parts.invariants):
        return None
    return replace(parts, sequences=sequences, invariants=invariants).apply().outputs


@rule(Scan, equation="scan(x, x) → scan(x)")
def share_inputs(node: Apply, context: Context) -> Answer:
    """What is passed in twice is passed in once."""
    parts = Parts.of(node)
    first: dict[object, Variable] = {}
    same: dict[Variable, Variable] = {}
    for key, inner in _keys(parts):
        if (known := first.setdefault(key, inner)) is not inner:
            same[inner] = known
    if not same:
        return None
    parts = parts.substitute(same)
    sequences = tuple(p for p in parts.sequences if not all(v in same for v in p.inner))
    invariants = tuple(p for p in parts.invariants if p.inner not in same)
    if len(sequences) == len(parts.sequences) and len(invariants) == len(parts.invariants):
        return None
    return replace(parts, sequences=sequences, invariants=invariants).apply().outputs


def _keys(parts: Parts) -> list[tuple[object, Variable]]:
    """For inner inputs what tells whether two are the same: the outer variable, and the row."""
    rows = [
        ((p.outer, k - min(*p.taps, 0)), v)
        for p in parts.sequences
        for k, v in zip(p.taps, p.inner, strict=True)
    ]
    return [*rows, *((p.outer, p.inner) for p in parts.invariants)]


@rule(Scan, equation="scan(f, c) → scan(f(c))")
def constant_inside(node: Apply, context: Context) -> Answer:
    """A constant that is passed in becomes one of the body, where rules can use its value."""
    parts = Parts.of(node)
    constants = {p.inner: p.outer for p in parts.invariants if isinstance(p.outer, Constant)}
    if not constants:
        return None
    fixed = tuple(p for p in parts.invariants if p.inner not in constants)
    return replace(parts.substitute(constants), invariants=fixed).apply().outputs


INPUT_RULES = (drop_unread_outputs, drop_unread_inputs, share_inputs, constant_inside)
