"""A loop of one step is no loop."""

from __future__ import annotations

from workbench.core import graph
from workbench.core.graph import Apply, Variable
from workbench.core.ops.shape import dimshuffle, specify_shape, static_int
from workbench.core.rewrite.engine import Answer, Context, Refuse, rule
from workbench.core.rewrite.scan_changes import OWN_MODE
from workbench.core.scan.op import Scan
from workbench.core.scan.parts import Parts
from workbench.core.types import tensor_type


@rule(Scan, equation="scan(f, x, h) of one step → f(x[0], h)")
def one_step(node: Apply, context: Context) -> Answer:
    """A loop that is known to take one step is written out: its body is part of the graph."""
    parts = Parts.of(node)
    if static_int(parts.n_steps) != 1:
        return None
    if parts.mode is not None:
        return Refuse(OWN_MODE)
    values = graph.replace([part.value for part in parts.outputs], _seen(parts))
    count = len(parts.stacked)
    rows = [_as_row(v, out) for v, out in zip(values, node.outputs[:count], strict=False)]
    carried = [_typed(v, out) for v, out in zip(values[count:], node.outputs[count:], strict=True)]
    return [*rows, *carried]


def _seen(parts: Parts) -> dict[Variable, Variable]:
    """What the body's inputs are in the first step."""
    given: dict[Variable, Variable] = {p.inner: p.outer for p in parts.invariants}
    given |= {p.inner: p.initial for p in parts.carried}
    for rows in parts.sequences:
        for k, inner in zip(rows.taps, rows.inner, strict=True):
            given[inner] = rows.outer[k - min(*rows.taps, 0)]  # type: ignore[index]
    for state in parts.states:
        for k, inner in zip(state.taps, state.inner, strict=True):
            given[inner] = state.initial[k]  # type: ignore[index]
    return given


def _as_row(value: Variable, out: Variable) -> Variable:
    """The value as the one row of a stacked output."""
    return _typed(dimshuffle(value, ("x", *range(tensor_type(value).ndim))), out)


def _typed(value: Variable, out: Variable) -> Variable:
    if value.type == out.type:
        return value
    return specify_shape(value, tensor_type(out).shape)  # type: ignore[no-any-return]


ONCE_RULES = (one_step,)
