"""Sums over the steps of a loop that only end in one value: added up after the loop, a product instead of many."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from workbench.core.graph import Apply, Constant, Variable, leaves
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.linalg import Dot
from workbench.core.ops.reduce import Sum
from workbench.core.ops.scalars import Add, Mul, Second, cast
from workbench.core.ops.shape import Alloc, DimShuffle, dimshuffle, reshape, shape_tuple, transpose
from workbench.core.rewrite.engine import Answer, Context, rule
from workbench.core.rewrite.scan_after import after, steps_taken
from workbench.core.rewrite.scan_changes import (
    answer,
    known_inputs,
    made,
    note_reads,
    select,
)
from workbench.core.scan.lift import Values, spread
from workbench.core.scan.op import Scan
from workbench.core.scan.parts import Carried, Parts
from workbench.core.types import TensorType, tensor_type


@dataclass(frozen=True)
class Product:
    """A term of a sum: the product of two operands of each step, summed over what they have in common.

    Vectors a and b stand for outer(a, b); matrices for a.T @ b, rows against rows.
    """

    left: Variable
    right: Variable

    def total(self, lefts: Variable, rights: Variable) -> Variable:
        """The sum of all steps' products, from the operands of all steps."""
        return Dot()(transpose(_flat_rows(lefts)), _flat_rows(rights))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Plain:
    """A term of a sum that is a value of each step."""

    value: Variable


Term = Product | Plain


@rule(Scan, equation="s ← s + outer(a[t], b[t]) → s₀ + a.T @ b")
def sum_after_loop(node: Apply, context: Context) -> Answer:
    """A carried value that only sums is added up after the loop: products of all steps become one product. The order in
    which floats are added changes.
    """
    parts = Parts.of(node)
    for i, part in enumerate(parts.carried):
        terms = _terms(part, parts)
        if terms:
            done = _summed(node, parts, i, terms, context)
            if done is not None:
                return done
    return None


def _terms(part: Carried, parts: Parts) -> list[Variable] | None:
    """What is added to a carried value in each step, where nothing else reads it."""
    if not isinstance(part.inner.type, TensorType):
        return None
    addends = _addends(part.next)
    terms = [v for v in addends if v is not part.inner]
    if len(terms) != len(addends) - 1:
        return None
    others = [v for v in parts.inner_outputs if v is not part.next]
    return None if part.inner in leaves([*terms, *others]) else terms


def _addends(total: Variable) -> list[Variable]:
    """The terms of a sum without broadcasting, also of sums in it."""
    found: list[Variable] = []
    pending = [total]
    while pending:
        v = pending.pop()
        node = v.owner
        adds = (
            node is not None and isinstance(node.op, Elemwise) and isinstance(node.op.scalar, Add)
        )
        if adds and node is not None and all(_alike(u, total) for u in node.inputs):
            pending.extend(reversed(node.inputs))
        else:
            found.append(v)
    return found


def _alike(v: Variable, total: Variable) -> bool:
    a, b = tensor_type(v), tensor_type(total)
    return (a.dtype, a.broadcastable) == (b.dtype, b.broadcastable)


def _summed(
    node: Apply, parts: Parts, i: int, terms: Sequence[Variable], context: Context
) -> Answer:
    """The loop without the terms that can be summed afterwards, and their sums."""
    where = len(parts.stacked) + i
    ready = _ready(parts, {where})
    chosen = {v: t for v in dict.fromkeys(terms) if (t := _term(v, ready)) is not None}
    left = [v for v in terms if v not in chosen]
    if not chosen:
        return None
    operands = [v for t in chosen.values() for v in _operands(t)]
    dropped = () if left else (where,)
    body = _with_sum(parts, i, left) if left else parts
    selection = select(body, dropped, [v for v in dict.fromkeys(operands) if v not in ready])
    outputs = made(node, selection.parts, context)
    values = after(selection, outputs, operands)
    results = answer(node, selection.place, outputs)
    total = results[where] if left else parts.carried[i].initial
    assert total is not None
    steps = steps_taken(selection.parts, outputs)
    for v in terms:
        if v in chosen:
            total = _add(total, _total(chosen[v], values, steps), parts.carried[i].inner)
    note_reads(context, results, node, outputs, [total])
    results[where] = total
    return results


def _add(total: Variable, part: Variable, like: Variable) -> Variable:
    t = tensor_type(like)
    if is_zero(total) and tensor_type(part).broadcastable == t.broadcastable:
        return cast(part, t.dtype)  # type: ignore[no-any-return]
    return Elemwise(Add())(total, cast(part, t.dtype))  # type: ignore[no-any-return]


def is_zero(variable: Variable) -> bool:
    """Whether a variable surely is all zeros: a constant, or a constant spread over a shape."""
    node = variable.owner
    while node is not None:
        second = isinstance(node.op, Elemwise) and isinstance(node.op.scalar, Second)
        if not (second or isinstance(node.op, (Alloc, DimShuffle))):
            return False
        variable = node.inputs[1 if second else 0]
        node = variable.owner
    return isinstance(variable, Constant) and not variable.data.any()


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


def _term(value: Variable, ready: set[Variable]) -> Term | None:
    """How a term is summed after the loop; None where it is better summed in it."""
    product = _outer(value) or _rows_product(value)
    if product is not None:
        return product
    return Plain(value) if value in ready else None


def _outer(value: Variable) -> Product | None:
    """A column times a row."""
    node = value.owner
    if node is None or not isinstance(node.op, Elemwise) or not isinstance(node.op.scalar, Mul):
        return None
    flags = {tensor_type(v).broadcastable: v for v in node.inputs}
    if set(flags) != {(False, True), (True, False)}:
        return None
    return Product(_without(flags[(False, True)], 1), _without(flags[(True, False)], 0))


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


def _operands(term: Term) -> Iterable[Variable]:
    return (term.left, term.right) if isinstance(term, Product) else (term.value,)


def _total(term: Term, values: Values, steps: Variable) -> Variable:
    rows = [spread(values[v], steps) for v in _operands(term)]
    if isinstance(term, Product):
        return term.total(*rows)
    return Sum((0,))(rows[0])  # type: ignore[no-any-return]


def _flat_rows(rows: Variable) -> Variable:
    """All steps' rows one under the other."""
    if tensor_type(rows).ndim == 2:
        return rows
    steps, height, width = shape_tuple(rows)
    return reshape(rows, [steps * height, width])  # type: ignore[no-any-return]


SUM_RULES = (sum_after_loop,)
