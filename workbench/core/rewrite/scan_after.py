"""Work that leaves the loop towards its end: done for all steps at once from what the loop has
stored.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.graph import Apply, Constant, Variable, toposort
from workbench.core.ops.dot import Dot
from workbench.core.ops.shape import as_scalar_int, dimension
from workbench.core.rewrite.engine import Answer, Context, Refuse, rule
from workbench.core.rewrite.scan_changes import (
    OWN_MODE,
    Selection,
    answer,
    known_inputs,
    known_outputs,
    made,
    note_reads,
    select,
)
from workbench.core.rewrite.scan_hoist import TOO_WIDE, is_costly, is_wide
from workbench.core.scan.lift import Lifted, Values, lift, spread
from workbench.core.scan.op import Scan
from workbench.core.scan.parts import Parts


@rule(Scan, equation="scan(f(x[t], w)) → f(x, w)")
def loop_of_maps(node: Apply, context: Context) -> Answer:
    """A loop that feeds nothing back is no loop: all its steps are computed at once."""
    parts = Parts.of(node)
    if parts.mode is not None:
        return Refuse(OWN_MODE)
    if parts.states or parts.carried or any(part.keep is not None for part in parts.maps):
        return None
    values = [part.value for part in parts.maps]
    known = known_inputs(parts, parts.n_steps)
    lifted = lift(values, known, parts.inner_inputs, parts.n_steps)
    results = [_lifted(v, lifted) for v in values]
    whole = [v for v in results if v is not None]
    if len(whole) < len(results):
        return None
    if any(is_wide(v, known, lifted) for v in values if v in lifted and lifted[v].timed):
        return Refuse(TOO_WIDE)
    if parts.condition is not None:
        return Refuse("the loop may stop early: how many rows there are is known only when it runs")
    return [spread(v, parts.n_steps) for v in whole]


@rule(Scan, equation="scan(h[t], h[t] @ v) → h, h @ v")
def map_after_loop(node: Apply, context: Context) -> Answer:
    """What is computed from stored values and fed to no later step is computed for all steps at
    once, after the loop, where that pays. A product that nobody else needs is left for then, and
    what it is of is stored in its place.
    """
    parts = Parts.of(node)
    if parts.mode is not None:
        return Refuse(OWN_MODE)
    for i in range(len(parts.states), len(parts.stacked)):
        part = parts.stacked[i]
        if part.keep is not None or part.value.owner is None:
            continue
        sources = _sources(parts, i)
        if sources is not None:
            return _moved(node, parts, i, sources, context)
    return None


def _sources(parts: Parts, i: int) -> list[Variable] | None:
    """The values to be stored so that map i can be computed after the loop; None where it cannot or
    need not.
    """
    rest, value = select(parts, {i}).parts, parts.stacked[i].value
    if parts.condition is not None and all(part.keep is not None for part in rest.stacked):
        return None  # nothing would tell how many steps were executed
    if value in {part.value for part in rest.stacked}:
        return []
    known = _stand_ins(rest)
    if not is_costly(value, known) or value in set(_computed(rest)):
        return None
    lifted = lift([value], known, parts.inner_inputs, parts.n_steps)
    if value in lifted:
        return None if is_wide(value, known, lifted) else []
    operand = _last_product(value, rest, known)
    if operand is None:
        return None
    wider = _stand_ins(select(rest, (), [operand]).parts)
    lifted = lift([value], wider, parts.inner_inputs, parts.n_steps)
    return [operand] if value in lifted and not is_wide(value, wider, lifted) else None


def _last_product(value: Variable, rest: Parts, known: Values) -> Variable | None:
    """What the last product on the way to a map is of, where the rest of the loop does not need
    that product.
    """
    lifted = lift([value], known, rest.inner_inputs, rest.n_steps)
    needed = set(toposort(rest.inner_outputs, stop=rest.inner_inputs))
    for node in reversed(toposort([value], stop=known)):
        if isinstance(node.op, Dot) and node not in needed and node.outputs[0] not in lifted:
            open_operands = [v for v in node.inputs if v not in lifted]
            return open_operands[0] if len(open_operands) == 1 else None
    return None


def _computed(parts: Parts) -> list[Variable]:
    """Everything that the body computes."""
    return [
        v for node in toposort(parts.inner_outputs, stop=parts.inner_inputs) for v in node.outputs
    ]


def _stand_ins(parts: Parts) -> Values:
    """What is known for all steps, with a body's own variables in the place of stacked outputs: for
    a decision.
    """
    outputs = [v.make() for v in parts.op().infer(*parts.outer_inputs)]
    return known_inputs(parts, parts.n_steps) | known_outputs(parts, outputs)


def _moved(
    node: Apply, parts: Parts, i: int, sources: Sequence[Variable], context: Context
) -> Answer:
    selection = select(parts, {i}, sources)
    outputs = made(node, selection.parts, context)
    value = parts.stacked[i].value
    lifted = after(selection, outputs, [value])
    result = _lifted(value, lifted)
    assert result is not None
    answers = answer(node, selection.place, outputs)
    note_reads(context, answers, node, outputs, [result.variable])
    answers[i] = spread(result, steps_taken(selection.parts, outputs))
    return answers


def after(selection: Selection, outputs: Sequence[Variable], values: Sequence[Variable]) -> Values:
    """What can be lifted of these values once the loop has run."""
    parts = selection.parts
    steps = steps_taken(parts, outputs)
    known = known_inputs(parts, steps) | known_outputs(parts, outputs)
    for k in selection.extra:
        known[parts.stacked[k].value] = Lifted(outputs[k], True)
    return lift(values, known, parts.inner_inputs, steps)


def steps_taken(parts: Parts, outputs: Sequence[Variable]) -> Variable:
    """How many steps were executed."""
    if parts.condition is None:
        return parts.n_steps
    whole = next(k for k, part in enumerate(parts.stacked) if part.keep is None)
    return as_scalar_int(dimension(outputs[whole], 0))


def _lifted(value: Variable, lifted: Values) -> Lifted | None:
    return Lifted(value, False) if isinstance(value, Constant) else lifted.get(value)


AFTER_RULES = (loop_of_maps, map_after_loop)
