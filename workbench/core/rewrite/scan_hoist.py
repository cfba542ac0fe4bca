"""Work that leaves the loop towards its beginning: done once, or for the whole sequence at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from workbench.core.graph import Apply, Variable, toposort
from workbench.core.ops.dot import Dot
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.index import AdvancedSubtensor
from workbench.core.ops.nnet import LogSoftmax, Softmax
from workbench.core.ops.positions import Argmax
from workbench.core.ops.reduce import Reduce
from workbench.core.rewrite.engine import Answer, Context, Refuse, rule
from workbench.core.rewrite.scan_changes import OWN_MODE, known_inputs
from workbench.core.scan.lift import Lifted, Values, lift
from workbench.core.scan.op import Scan
from workbench.core.scan.parts import Invariant, Parts, Rows
from workbench.core.types import tensor_type

COSTLY = 10
"""Vector instructions per element from which an elementwise op is worth a pass over memory."""

TOO_WIDE = "all steps at once would take an array of a higher rank than those that the loop reads"


@rule(Scan, equation="scan(f(g(w), x)) → scan(f(u, x)), u = g(w)")
def hoist_invariant(node: Apply, context: Context) -> Answer:
    """What depends on invariants only is computed once, before the loop."""
    parts = Parts.of(node)
    if parts.mode is not None:
        return Refuse(OWN_MODE)
    known = {p.inner: Lifted(p.outer, False) for p in parts.invariants}
    lifted = lift(parts.inner_outputs, known, parts.inner_inputs, parts.n_steps)
    found = [v for v in edge(parts, lifted, parts.inner_outputs) if v.owner is not None]
    if not found:
        return None
    new = {v: v.type.make(name=v.name) for v in found}
    hoisted = tuple(Invariant(lifted[v].variable, inner) for v, inner in new.items())
    body = parts.substitute(new)
    return replace(body, invariants=(*parts.invariants, *hoisted)).apply().outputs


@rule(Scan, equation="scan(f(x[t] @ u)) → scan(f(y[t])), y = x @ u")
def hoist_rows(node: Apply, context: Context) -> Answer:
    """What depends on sequences and invariants only is computed for all steps at once, before the
    loop, where that pays: products, reductions and costly functions.
    """
    parts = Parts.of(node)
    if parts.mode is not None:
        return Refuse(OWN_MODE)
    known = known_inputs(parts, parts.n_steps, loop_checks=True)
    lifted = lift(parts.inner_outputs, known, parts.inner_inputs, parts.n_steps)
    maps = {part.value for part in parts.maps}
    edges = edge(parts, lifted, [v for v in parts.inner_outputs if v not in maps])
    costly = [v for v in edges if v not in known and lifted[v].timed and is_costly(v, known)]
    found = [v for v in costly if not is_wide(v, known, lifted)]
    if not found:
        return Refuse(TOO_WIDE) if costly else None
    if parts.condition is not None:
        return Refuse(
            "the loop may stop early: work on the whole sequence could be for steps never taken"
        )
    new = {v: v.type.make(name=v.name) for v in found}
    rows = tuple(Rows(lifted[v].variable, (0,), (inner,)) for v, inner in new.items())
    body = parts.substitute(new)
    return replace(body, sequences=(*parts.sequences, *rows)).apply().outputs


def edge(parts: Parts, lifted: Values, results: Iterable[Variable]) -> list[Variable]:
    """The lifted values that the rest of the body reads, and those that are among these results of
    it.
    """
    found: dict[Variable, None] = {}
    for node in toposort(parts.inner_outputs, stop=parts.inner_inputs):
        if any(v not in lifted for v in node.outputs):
            found.update((v, None) for v in node.inputs if v in lifted)
    found.update((v, None) for v in results if v in lifted)
    return list(found)


def is_costly(variable: Variable, known: Collection[Variable]) -> bool:
    """Whether something above it is more than a little elementwise work."""
    return any(map(_is_costly_node, toposort([variable], stop=known)))


def is_wide(variable: Variable, known: Values, lifted: Values) -> bool:
    """Whether lifting takes, for all steps, an array of a higher rank than the value or what it is
    computed from.
    """
    nodes = toposort([variable], stop=known)
    timed = [v for node in nodes for v in node.inputs if v in known and known[v].timed]
    limit = max(tensor_type(v).ndim for v in (variable, *timed))
    made = (v for node in nodes for v in node.outputs if v in lifted and lifted[v].timed)
    return any(tensor_type(v).ndim > limit for v in made)


def _is_costly_node(node: Apply) -> bool:
    if isinstance(node.op, Elemwise):
        dtypes = tuple(tensor_type(v).dtype for v in node.inputs)
        return node.op.scalar.program(dtypes).cost >= COSTLY
    return isinstance(node.op, (Dot, Reduce, Argmax, Softmax, LogSoftmax, AdvancedSubtensor))


HOIST_RULES = (hoist_invariant, hoist_rows)
