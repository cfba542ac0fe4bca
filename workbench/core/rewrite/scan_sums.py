"""Sums over the steps of a loop that only end in one value: added up after the loop, a product
instead of many.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import replace

from workbench.core.graph import Apply, Variable, leaves
from workbench.core.ops.dot import Dot
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.index import AdvancedIncSubtensor, IncSubtensor
from workbench.core.ops.reduce import Sum
from workbench.core.ops.scalars import Add, Mul, cast
from workbench.core.ops.shape import DimShuffle, dimshuffle, reshape, shape_tuple, transpose
from workbench.core.rewrite.engine import Answer, Context, Refuse, rule
from workbench.core.rewrite.scan_after import after, steps_taken
from workbench.core.rewrite.scan_changes import (
    OWN_MODE,
    answer,
    known_inputs,
    made,
    note_reads,
    select,
)
from workbench.core.scan.lift import spread
from workbench.core.scan.op import Scan
from workbench.core.scan.parts import Carried, Parts
from workbench.core.scan.rows import is_zero
from workbench.core.types import TensorType, tensor_type
from workbench.frozen import frozen


class Term(ABC):
    """What is added in each step, and how all steps' are added at once."""

    @property
    @abstractmethod
    def operands(self) -> tuple[Variable, ...]:
        """The body's values that are needed of every step."""

    @abstractmethod
    def added(self, total: Variable, *rows: Variable) -> Variable:
        """The total and all steps' terms, from the operands' values in all steps."""


@frozen
class Plain(Term):
    """A value of each step."""

    value: Variable

    @property
    def operands(self) -> tuple[Variable, ...]:
        return (self.value,)

    def added(self, total: Variable, *rows: Variable) -> Variable:
        return _plus(total, Sum((0,))(rows[0]))


@frozen
class Product(Term):
    """Of vectors the outer product; of matrices left.T @ right, rows against rows."""

    left: Variable
    right: Variable

    @property
    def operands(self) -> tuple[Variable, ...]:
        return (self.left, self.right)

    def added(self, total: Variable, *rows: Variable) -> Variable:
        left, right = map(_flat_rows, rows)
        return _plus(total, Dot()(transpose(left), right))


@frozen
class Scatter(Term):
    """A row that is added to row number `index`: what a look-up in a table owes the table."""

    row: Variable
    index: Variable

    @property
    def operands(self) -> tuple[Variable, ...]:
        return (self.row, self.index)

    def added(self, total: Variable, *rows: Variable) -> Variable:
        return AdvancedIncSubtensor(("?",))(total, *rows)  # type: ignore[no-any-return]


@rule(Scan, equation="s ← s + outer(a[t], b[t]) → s₀ + a.T @ b")
def sum_after_loop(node: Apply, context: Context) -> Answer:
    """A carried value that only sums is added up after the loop: products of all steps become one
    product. The order in which floats are added changes.
    """
    parts = Parts.of(node)
    if parts.mode is not None:
        return Refuse(OWN_MODE)
    for i, part in enumerate(parts.carried):
        terms = _terms(part, parts)
        if terms:
            done = _summed(node, parts, i, terms, context)
            if done is not None:
                return done
    return None


def _terms(part: Carried, parts: Parts) -> list[Variable | Scatter] | None:
    """What is added to a carried value in each step, where nothing else reads it."""
    if not isinstance(part.inner.type, TensorType):
        return None
    addends = _addends(part.next)
    terms = [v for v in addends if v is not part.inner]
    if len(terms) != len(addends) - 1:
        return None
    others = [v for v in parts.inner_outputs if v is not part.next]
    read = [v for t in terms for v in (t.operands if isinstance(t, Scatter) else (t,))]
    return None if part.inner in leaves([*read, *others]) else terms


def _addends(total: Variable) -> list[Variable | Scatter]:
    """The terms of a sum without broadcasting, also of sums in it."""
    found: list[Variable | Scatter] = []
    pending = [total]
    while pending:
        v = pending.pop()
        node = v.owner
        if node is not None and _is_sum(node) and all(_alike(u, total) for u in node.inputs):
            pending.extend(reversed(node.inputs))
        elif node is not None and node.op == IncSubtensor(("?",)) and _is_row(node, total):
            table, row, index = node.inputs
            pending.append(table)
            found.append(Scatter(row, index))
        else:
            found.append(v)
    return found


def _is_sum(node: Apply) -> bool:
    return isinstance(node.op, Elemwise) and isinstance(node.op.scalar, Add)


def _is_row(node: Apply, total: Variable) -> bool:
    """Whether what is put into a table like the total is as long as its rows."""
    table, row, _ = (tensor_type(v) for v in node.inputs)
    same = row.dtype == table.dtype and row.broadcastable == table.broadcastable[1:]
    return same and _alike(node.inputs[0], total)


def _alike(v: Variable, total: Variable) -> bool:
    a, b = tensor_type(v), tensor_type(total)
    return (a.dtype, a.broadcastable) == (b.dtype, b.broadcastable)


def _summed(
    node: Apply, parts: Parts, i: int, terms: Sequence[Variable | Scatter], context: Context
) -> Answer:
    """The loop without the terms that can be summed afterwards, and their sums."""
    where = len(parts.stacked) + i
    ready = _ready(parts, {where})
    chosen = [t for v in terms if (t := _term(v, ready)) is not None]
    left = [v for v in terms if not isinstance(v, Scatter) and _term(v, ready) is None]
    if not chosen:
        return None
    operands = dict.fromkeys(v for t in chosen for v in t.operands)
    body = _with_sum(parts, i, left) if left else parts
    selection = select(body, () if left else (where,), [v for v in operands if v not in ready])
    outputs = made(node, selection.parts, context)
    values = after(selection, outputs, list(operands))
    steps = steps_taken(selection.parts, outputs)
    results = answer(node, selection.place, outputs)
    total = results[where] if left else parts.carried[i].initial
    assert total is not None
    for t in chosen:
        total = t.added(total, *(spread(values[v], steps) for v in t.operands))
    note_reads(context, results, node, outputs, [total])
    results[where] = total
    return results


def _plus(total: Variable, part: Variable) -> Variable:
    t = tensor_type(total)
    if is_zero(total) and tensor_type(part).broadcastable == t.broadcastable:
        return cast(part, t.dtype)  # type: ignore[no-any-return]
    return Elemwise(Add())(total, cast(part, t.dtype))  # type: ignore[no-any-return]


def _with_sum(parts: Parts, i: int, left: Sequence[Variable]) -> Parts:
    part = parts.carried[i]
    total = part.inner
    for v in left:
        total = Elemwise(Add())(total, v)
    carried = (*parts.carried[:i], replace(part, next=total), *parts.carried[i + 1 :])
    return replace(parts, carried=carried)


def _ready(parts: Parts, dropped: Collection[int]) -> set[Variable]:
    """The body's values that are known for all steps without storing more."""
    rest = select(parts, dropped).parts
    known = known_inputs(rest, rest.n_steps)
    stored = {p.value for p in rest.stacked if p.keep is None}
    if parts.condition is not None and not stored:
        return set()
    return {*known, *stored}


def _term(value: Variable | Scatter, ready: set[Variable]) -> Term | None:
    """How a term is summed after the loop; None where it is better summed in it."""
    if isinstance(value, Scatter):
        return value
    term = _outer(value) or _rows_product(value)
    return term or (Plain(value) if value in ready else None)


def _outer(value: Variable) -> Product | None:
    """A column times a row, which may be written as a vector."""
    node = value.owner
    if node is None or not isinstance(node.op, Elemwise) or not isinstance(node.op.scalar, Mul):
        return None
    flags = {tensor_type(v).broadcastable: v for v in node.inputs}
    column, row = flags.pop((False, True), None), flags.pop((True, False), None)
    vector = flags.pop((False,), None)
    right = vector if row is None else _without(row, 0)
    if flags or column is None or right is None or None not in (row, vector):
        return None
    return Product(_without(column, 1), right)


def _without(v: Variable, axis: int) -> Variable:
    """A column or row as a vector."""
    node = v.owner
    if (
        node is not None
        and isinstance(node.op, DimShuffle)
        and tensor_type(node.inputs[0]).ndim == 1
    ):
        return node.inputs[0]
    return dimshuffle(v, (1 - axis,))  # type: ignore[no-any-return]


def _rows_product(value: Variable) -> Product | None:
    """A product of two matrices, the first of them turned."""
    node = value.owner
    if node is None or not isinstance(node.op, Dot):
        return None
    a, b = node.inputs
    if tensor_type(a).ndim != 2 or tensor_type(b).ndim != 2:
        return None
    turned = a.owner
    if turned is not None and isinstance(turned.op, DimShuffle) and turned.op.order == (1, 0):
        return Product(turned.inputs[0], b)
    return Product(transpose(a), b)


def _flat_rows(rows: Variable) -> Variable:
    """All steps' rows one under the other."""
    if tensor_type(rows).ndim == 2:
        return rows
    steps, height, width = shape_tuple(rows)
    return reshape(rows, [steps * height, width])  # type: ignore[no-any-return]


SUM_RULES = (sum_after_loop,)
