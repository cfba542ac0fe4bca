"""How gradients flow through one step of a loop.

At step t the gradient of a state is what the cost gives it there, plus what the steps after t owe
it through their taps. `Flow` holds these as new variables ("seeds" and "debts") and the gradients
of the body's inputs in terms of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

from workbench.core import gradient
from workbench.core.graph import Variable
from workbench.core.ops.shape import specify_shape
from workbench.core.scan.op import Scan
from workbench.core.scan.parts import Carried, Parts
from workbench.core.types import TensorType, is_float, tensor_type
from workbench.frozen import frozen

Expressions = dict[Variable, Any]  # Any: variables with operators


@frozen
class Flow:
    """One step backwards.

    seeds   for an inner output the variable that stands for the cost's own gradient of it at step t
    debts   for an inner input (a tap or a carried value) the one that stands for what later steps
            owe through it
    found   for an inner input its gradient at step t, an expression of seeds, debts and the body's
            variables
    """

    seeds: dict[Variable, Variable]
    debts: dict[Variable, Variable]
    found: Expressions


def flow(parts: Parts, seeded: Sequence[bool], last: Collection[int] = ()) -> Flow:
    """The flow from those stacked and carried outputs that have a gradient to all inputs that they
    reach.

    `last` are the numbers of states of which the cost gives a gradient to the last value only: it
    takes the place of what later steps owe through their first tap, and they have no seed.

    A state that is reached gets a gradient at the step before, which may reach more: this is
    repeated until no more is found, at most once per input.
    """
    seeds = {
        part.value: _placeholder(part.value, "d")
        for i, (part, given) in enumerate(zip(parts.outputs, seeded, strict=True))
        if given and i not in last and not isinstance(part, Carried) and is_smooth(part.value)
    }
    debts = {
        part.inner: _placeholder(part.inner, "d")
        for part, given in zip(parts.outputs, seeded, strict=True)
        if isinstance(part, Carried) and given and is_smooth(part.inner)
    }
    owing = [parts.states[i].inner[0] for i in last]
    debts |= {v: _placeholder(v, "d") for v in owing}
    wrt = [v for v in parts.inner_inputs if is_smooth(v)]
    fed_back = [v for state in parts.states for v in state.inner] + [p.inner for p in parts.carried]
    while True:
        found = gradient.backward(_totals(parts, seeds, debts), wrt)
        new = [v for v in fed_back if v in found and v not in debts]
        if not new:
            return Flow(seeds, debts, {v: _fitted(found[v], v) for v in wrt if v in found})
        debts |= {v: _placeholder(v, "d") for v in new}


def depends_on(op: Scan, index: int) -> bool:
    """Whether an output depends on the values of outer input `index`, not only on its shape."""
    return index in _value_inputs(op)


@lru_cache(maxsize=256)
def _value_inputs(op: Scan) -> frozenset[int]:
    """The numbers of the outer inputs whose values reach an output."""
    reached = set(op.inner.outputs[: op.n_stacked + op.n_carried])
    for node in reversed(op.inner.nodes):
        if not reached.isdisjoint(node.outputs):
            reached.update(v for i, v in enumerate(node.inputs) if node.op.connected(i))
    sequences, states, carried, fixed = op.split_inner(op.inner.inputs)
    inner = [*sequences, *states, *([v] for v in (*carried, *fixed))]
    return frozenset(i for i, some in enumerate(inner, 1) if not reached.isdisjoint(some))


def is_smooth(variable: Variable) -> bool:
    """Whether a variable can have a gradient."""
    return isinstance(variable.type, TensorType) and is_float(variable.type.dtype)


def _totals(
    parts: Parts, seeds: dict[Variable, Variable], debts: dict[Variable, Variable]
) -> Expressions:
    """The gradient of every inner output that has one."""
    totals: Expressions = {}
    for value, seed in seeds.items():
        _add(totals, value, [seed])
    for state in parts.states:
        _add(totals, state.next, [debts[v] for v in state.inner if v in debts])
    for part in parts.carried:
        _add(totals, part.next, [debts[part.inner]] if part.inner in debts else [])
    return totals


def _add(totals: Expressions, value: Variable, terms: Iterable[Any]) -> None:
    for term in terms:
        fitted = specify_shape(term, tensor_type(value).shape)
        totals[value] = totals[value] + fitted if value in totals else fitted


def _fitted(found: Any, variable: Variable) -> Any:
    """A gradient in a type that can be fed back in the place of its variable."""
    t = tensor_type(variable)
    return found if t.accepts(found.type) else specify_shape(found, t.shape)


def _placeholder(variable: Variable, prefix: str) -> Variable:
    return variable.type.make(name=f"{prefix}{variable.name}" if variable.name else None)
