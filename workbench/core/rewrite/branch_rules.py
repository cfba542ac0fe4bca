"""Choices made simpler: by a constant, between equals, of results of choices; and what vanishes in
one branch is computed in the other only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core import origin
from workbench.core.graph import Apply, Constant, Variable, readers, toposort
from workbench.core.ops.alloc import Alloc, alloc
from workbench.core.ops.branches import IfElse
from workbench.core.ops.dot import Dot
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.gradient_control import GradientControl
from workbench.core.ops.index import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
)
from workbench.core.ops.join import Join
from workbench.core.ops.reduce import Sum
from workbench.core.ops.scalars import Mul, Second, Switch, TrueDiv
from workbench.core.ops.shape import DimShuffle, Reshape, SpecifyBroadcast, shape_tuple
from workbench.core.rewrite.branches import is_open
from workbench.core.rewrite.engine import Answer, Context, Rule, Session, rule, step_rule, value_of
from workbench.core.rewrite.matching import made_by, scalar_of
from workbench.core.scan.op import Scan
from workbench.core.scan.parts import Carried, Parts, State
from workbench.core.types import TensorType, constant, tensor_type


def _choice(variable: Variable) -> Apply | None:
    """The open choice that makes a variable."""
    node = variable.owner
    return node if node is not None and is_open(node) else None


@rule(IfElse, equation="ifelse(1, x, y) → x")
def choice_made(node: Apply, context: Context) -> Answer:
    """The condition is known: so is the branch."""
    value = value_of(node.inputs[0])
    if value is None or not is_open(node):
        return None
    op: Any = node.op
    chosen = [node.inputs[i] for i in op.chosen(value)]
    return [v if _fits(v, out) else None for v, out in zip(chosen, node.outputs, strict=True)]


@rule(IfElse, equation="ifelse(c, x, x) → x")
def choice_of_equals(node: Apply, context: Context) -> Answer:
    """Both branches give the same: nothing depends on the condition."""
    if not is_open(node):
        return None
    op: Any = node.op
    pairs = list(zip(*op.branches(node.inputs), strict=True))
    return [a if a is b else None for a, b in pairs] if any(a is b for a, b in pairs) else None


@rule(IfElse, equation="ifelse(c, ifelse(c, x, y), z) → ifelse(c, x, z)")
def choice_of_choice(node: Apply, context: Context) -> Answer:
    """Within a branch the same condition has been decided."""
    if not is_open(node):
        return None
    op: Any = node.op
    values = [_decided(v, node.inputs[0], i // op.n) for i, v in enumerate(node.inputs[1:])]
    if all(a is b for a, b in zip(values, node.inputs[1:], strict=True)):
        return None
    return op.apply(node.inputs[0], *values).outputs  # type: ignore[no-any-return]


def _decided(variable: Variable, condition: Variable, branch: int) -> Variable:
    """What a variable is in this branch of the condition."""
    while (node := _choice(variable)) is not None and node.inputs[0] is condition:
        value = node.op.branches(node.inputs)[branch][variable.index]  # type: ignore[attr-defined]
        if not _fits(value, variable):
            break
        variable = value
    return variable


def _fits(value: Variable, result: Variable) -> bool:
    """Whether a value has the lengths of 1 in its type that the result of a choice has."""
    return _broadcastable(value) == _broadcastable(result)


def _broadcastable(variable: Variable) -> object:
    t = variable.type
    return t.broadcastable if isinstance(t, TensorType) else t


@rule(IfElse, equation="ifelse(c, second(x, a), y) → ifelse(c, alloc(a, x.shape), y)")
def fill_in_branch(node: Apply, context: Context) -> Answer:
    """A fill needs the shape of what it fills, and not its values."""
    if not is_open(node):
        return None
    values = [_as_alloc(v) for v in node.inputs[1:]]
    if all(a is b for a, b in zip(values, node.inputs[1:], strict=True)):
        return None
    return node.op.apply(node.inputs[0], *values).outputs


def _as_alloc(variable: Variable) -> Variable:
    node = made_by(variable, Second)
    if node is None or node.inputs[0].owner is None:
        return variable
    shape, value = node.inputs
    filled: Variable = alloc(value, *shape_tuple(shape))
    return filled if filled.type == variable.type else variable


@rule(Elemwise, equation="f(ifelse(c, x, y), ifelse(c, u, v)) → ifelse(c, f(x, u), f(y, v))")
def elementwise_of_choices(node: Apply, context: Context) -> Answer:
    """What combines results of one condition belongs into its branches."""
    arrays = [v for v in dict.fromkeys(node.inputs) if not isinstance(v, Constant)]
    found = [_choice(v) for v in arrays]
    if len(arrays) < 2 or not all(found) or len(node.outputs) > 1:
        return None
    condition = found[0].inputs[0]  # type: ignore[union-attr]  # all of them are nodes
    if any(n is None or n.inputs[0] is not condition for n in found):
        return None
    if not all(context.read_once(v) for v in arrays):
        return None
    values = [node.op(*(_decided(v, condition, branch) for v in node.inputs)) for branch in (0, 1)]
    new = IfElse(1).apply(condition, *values).out
    return new if _fits(new, node.outputs[0]) else None


CHOICES: tuple[Rule, ...] = (
    choice_made,
    choice_of_equals,
    choice_of_choice,
    fill_in_branch,
    elementwise_of_choices,
)


VANISH = step_rule(
    "vanishing_branch",
    "f(ifelse(c, x, 0)) → ifelse(c, f(x), 0)",
    "What is zero in one branch is computed in the other only: so a gradient is not computed for "
    "the branch that was not taken. Unsafe for inf and nan: there it was nan.",
)

MOVES = (
    DimShuffle, Reshape, Subtensor, AdvancedSubtensor, Alloc, SpecifyBroadcast, GradientControl,
    Sum,
)  # fmt: skip
"""Ops whose result is zero where their first input is."""

IsZero = Callable[[Variable], bool]


def vanish(session: Session, outputs: Sequence[Variable]) -> list[Variable]:
    """The graph in which what is zero in one branch of a choice is itself a choice."""
    now = list(outputs)
    done: set[Variable] = set()
    while left := [n.inputs[0] for n in session.toposort(now) if is_open(n)]:
        condition = next((c for c in left if c not in done), None)
        if condition is None:
            break
        done.add(condition)
        for branch in (0, 1):
            now = _vanish(session, now, condition, branch)
    return now


def _vanish(
    session: Session, outputs: Sequence[Variable], condition: Variable, branch: int
) -> list[Variable]:
    nodes = session.toposort(outputs)
    zeros = _zeros(nodes, condition, branch)
    region = [n for n in nodes if n.outputs[0] in zeros and not _decides(n, condition)]
    if not region:
        return list(outputs)
    inside, seen, around = set(region), set(outputs), readers(nodes)
    made = [v for n in region for v in n.outputs]
    edge = [v for v in made if v in seen or any(r not in inside for r, _ in around.get(v, ()))]
    edge = [v for v in edge if not _goes_into_choice(v, seen, around, condition)]
    if not edge:
        return list(outputs)
    with origin.inherited(edge[0].lines):
        values = _in_other_branch(session, region, condition, 1 - branch)
        new = _choices([values[v] for v in edge], condition, branch)
    results = session.exchange(VANISH, list(zip(edge, new, strict=True)), edge[0].lines)
    final = dict(zip(edge, results, strict=True))
    for node in nodes:
        if node not in inside:
            inputs = [final.get(v, v) for v in node.inputs]
            if any(a is not b for a, b in zip(inputs, node.inputs, strict=True)):
                final.update(zip(node.outputs, session.rebuild(node, inputs).outputs, strict=True))
    return [final.get(v, v) for v in outputs]


def _goes_into_choice(
    variable: Variable, outputs: set[Variable], around: Any, condition: Variable
) -> bool:
    """Whether only choices by the same condition read it: then it is computed in a branch
    already.
    """
    reads = around.get(variable, ())
    return variable not in outputs and all(_decides(n, condition) and i for n, i in reads)


def _decides(node: Apply, condition: Variable) -> bool:
    return is_open(node) and node.inputs[0] is condition


def _in_other_branch(
    session: Session, region: Sequence[Apply], condition: Variable, branch: int
) -> dict[Variable, Variable]:
    """The region's values where this branch is taken."""
    values: dict[Variable, Variable] = {}
    for node in region:
        inputs = [values.get(v, _decided(v, condition, branch)) for v in node.inputs]
        copy = session.interner.apply(node, [session.interner.twin(v) for v in inputs])
        values.update(zip(node.outputs, copy.outputs, strict=True))
    return values


def _choices(values: Sequence[Variable], condition: Variable, branch: int) -> Sequence[Variable]:
    """The values, or where this branch is taken zeros of their shapes."""
    zero = [alloc(constant(0, tensor_type(v).dtype), *shape_tuple(v)) for v in values]
    groups = (*zero, *values) if branch == 0 else (*values, *zero)
    return IfElse(len(values)).apply(condition, *groups).outputs


def _zeros(nodes: Sequence[Apply], condition: Variable, branch: int) -> set[Variable]:
    """The variables that are zero where this branch is taken, and not in any case."""
    always: set[Variable] = set()
    found: set[Variable] = set()

    def is_always_zero(v: Variable) -> bool:
        return v in always or _is_zero(v)

    def is_zero(v: Variable) -> bool:
        return v in found or is_always_zero(v)

    for node in nodes:
        if _vanishes(node, is_always_zero):
            always.update(node.outputs)
        elif _decides(node, condition):
            groups = node.op.branches(node.inputs)  # type: ignore[attr-defined]  # an IfElse
            for v, value, other in zip(
                node.outputs, groups[branch], groups[1 - branch], strict=True
            ):
                if is_zero(value) and _fits(other, v):
                    found.add(v)
        elif _vanishes(node, is_zero):
            found.update(node.outputs)
    return found


def _is_zero(variable: Variable) -> bool:
    return isinstance(variable, Constant) and isinstance(variable.type, TensorType) and (
        not np.any(variable.data)
    )  # fmt: skip


def _vanishes(node: Apply, is_zero: IsZero) -> bool:
    """Whether all that a node gives is zero because inputs are."""
    if not node.inputs or not all(isinstance(v.type, TensorType) for v in node.outputs):
        return False
    if isinstance(node.op, Scan):
        return _loop_vanishes(node, is_zero)
    if isinstance(node.op, IfElse):
        return node.op.inner is None and all(map(is_zero, node.inputs[1:]))
    if len(node.outputs) > 1:
        return False
    first, *rest = node.inputs
    if isinstance(node.op, MOVES):
        return is_zero(first)
    if isinstance(node.op, Dot):
        return any(map(is_zero, node.inputs))
    if isinstance(node.op, (IncSubtensor, AdvancedIncSubtensor)):
        return is_zero(first) and is_zero(rest[0])
    if isinstance(node.op, Join):
        return all(map(is_zero, node.inputs))
    scalar = scalar_of(node)
    if isinstance(scalar, Mul):
        return any(map(is_zero, node.inputs))
    if isinstance(scalar, TrueDiv):
        return is_zero(first)
    if isinstance(scalar, Second):
        return is_zero(rest[0])
    if isinstance(scalar, Switch):
        return all(map(is_zero, rest))
    return scalar is not None and all(map(is_zero, node.inputs)) and _keeps_zero(node)


def _loop_vanishes(node: Apply, is_zero: IsZero) -> bool:
    """Whether all values of a loop are zero: that of each state, if it begins with zeros, as long
    as the others are.
    """
    parts = Parts.of(node)
    outside = [(v, rows.outer) for rows in parts.sequences for v in rows.inner]
    outside += [(part.inner, part.outer) for part in parts.invariants]
    fixed = {v for v, outer in outside if is_zero(outer)}
    states: list[State | Carried] = [*parts.states, *parts.carried]
    assumed = [part for part in states if is_zero(part.initial)]
    while True:
        zeros = _zeros_inside(parts, fixed.union(*map(_inner_values, assumed)))
        kept = [part for part in assumed if part.next in zeros]
        if len(kept) == len(assumed):
            return all(part.value in zeros for part in parts.outputs)
        assumed = kept


def _zeros_inside(parts: Parts, found: set[Variable]) -> set[Variable]:
    """What is zero in a body where these inputs are."""
    zeros = found | {v for v in parts.inner_outputs if _is_zero(v)}

    def is_zero(v: Variable) -> bool:
        return v in zeros or _is_zero(v)

    for node in toposort(parts.inner_outputs, stop=parts.inner_inputs):
        if _vanishes(node, is_zero):
            zeros.update(node.outputs)
    return zeros


def _inner_values(part: State | Carried) -> tuple[Variable, ...]:
    """What the body reads of a value that is fed back."""
    return part.inner if isinstance(part, State) else (part.inner,)


def _keeps_zero(node: Apply) -> bool:
    """Whether an elementwise op of zeros is zero."""
    zeros = [np.zeros((1,) * tensor_type(v).ndim, tensor_type(v).dtype) for v in node.inputs]
    with np.errstate(all="ignore"):
        return not np.any(node.op.evaluate(*zeros)[0])
