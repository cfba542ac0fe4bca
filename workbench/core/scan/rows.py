"""How many rows a variable has, as far as the graph says, and the rows of it that the steps of a
loop see.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph import Constant, Variable
from workbench.core.ops.alloc import Alloc
from workbench.core.ops.checks import Check, checked
from workbench.core.ops.dot import Dot
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.index import Subtensor
from workbench.core.ops.scalars import Add, Maximum, Minimum, Second, Sub, eq, ge, or_
from workbench.core.ops.shape import Dimension, DimShuffle, SpecifyBroadcast, dimension
from workbench.core.scan.op import Scan, span
from workbench.core.scan.parts import Rows
from workbench.core.types import tensor_type

REVERSED = (None, None, -1)
WHOLE = (None, None, None)


def window(rows: Any, offset: int, steps: Any) -> Any:
    """One row for each step: row `offset` for step 0. The variable itself where it has no
    others.
    """
    if offset == 0 and has_rows(rows, steps):
        return rows
    return rows[offset : steps + offset if offset else steps]


def within(steps: Any, sequences: Sequence[Rows]) -> Any:
    """The number of steps, which is checked when it runs where the graph does not say that every
    sequence has rows enough: for what is computed in the place of a loop, which would check that.
    """
    conditions = [] if not sequences or _is_length(steps) else [ge(steps, 0)]
    for part in sequences:
        extra = span(part.taps)
        if not _has_enough(part.outer, extra, steps):
            enough = ge(dimension(part.outer, 0), steps + extra if extra else steps)
            conditions.append(or_(eq(steps, 0), enough) if extra else enough)
    if not conditions:
        return steps
    return checked(
        steps,
        *conditions,
        wrong="a scan takes fewer steps than 0, or more than a sequence has rows",
        advice="give fewer n_steps or a longer sequence",
    )


def _is_length(steps: Variable) -> bool:
    """Whether it surely is not negative."""
    pending = [steps]
    while pending:
        n = pending.pop()
        scalar, operands = _scalar_of(n)
        if isinstance(scalar, Minimum):
            pending += operands
        elif isinstance(n, Constant):
            if int(n.data) < 0:
                return False
        elif n.owner is None or not (
            isinstance(n.owner.op, Dimension)
            or (isinstance(scalar, Maximum) and any(map(_is_zero, operands)))
        ):
            return False
    return True


def _has_enough(rows: Variable, extra: int, steps: Variable) -> bool:
    """Whether a variable surely has so many rows more than there are steps, if there are any."""
    pending = [steps]
    while pending:
        n = pending.pop()
        scalar, operands = _scalar_of(n)
        if isinstance(n, Constant):
            length = tensor_type(rows).shape[0]
            if int(n.data) == 0 or (length is not None and length >= int(n.data) + extra):
                return True
        elif not extra and has_rows(rows, n):
            return True
        elif isinstance(scalar, Minimum):
            pending += operands
        elif isinstance(scalar, Maximum) and any(map(_is_zero, operands)):
            pending += [v for v in operands if not _is_zero(v)]
        elif (fewer := _less(n)) is not None and fewer[1] >= extra and has_rows(rows, fewer[0]):
            return True
    return False


def _scalar_of(n: Variable) -> tuple[object, Sequence[Variable]]:
    """What computes a scalar elementwise, and of what."""
    if n.owner is None or not isinstance(n.owner.op, Elemwise):
        return None, ()
    return n.owner.op.scalar, n.owner.inputs


def _is_zero(n: Variable) -> bool:
    return isinstance(n, Constant) and int(n.data) == 0


def _less(n: Variable) -> tuple[Variable, int] | None:
    """L and k where n is L - k."""
    scalar, operands = _scalar_of(n)
    if not isinstance(scalar, (Sub, Add)) or len(operands) != 2:
        return None
    a, b = operands
    if isinstance(scalar, Sub) and isinstance(b, Constant):
        return a, int(b.data)
    if isinstance(scalar, Add):
        constant, other = (a, b) if isinstance(a, Constant) else (b, a)
        if isinstance(constant, Constant):
            return other, -int(constant.data)
    return None


def has_rows(rows: Variable, steps: Variable) -> bool:
    """Whether a variable surely has one row per step, no more and no fewer."""
    current: Variable | None = rows
    while current is not None:
        length = tensor_type(current).shape[0]
        if isinstance(steps, Constant):
            if length is not None:
                return length == int(steps.data)
        elif (
            steps.owner is not None
            and steps.owner.op == Dimension(0)
            and steps.owner.inputs[0] is current
        ):
            return True
        if _stacks(current, steps) or _is_window(current, steps):
            return True
        current = _as_long(current)
    return False


def _stacks(rows: Variable, steps: Variable) -> bool:
    """Whether these are all the rows of a scan of so many steps."""
    node = rows.owner
    if node is None or not isinstance(node.op, Scan) or node.op.until:
        return False
    return (
        rows.index < node.op.n_stacked
        and node.op.keep[rows.index] is None
        and node.inputs[0] is steps
    )


def _is_window(rows: Variable, steps: Variable) -> bool:
    """Whether these are the first rows, so many of them, where it is checked that there are."""
    node = rows.owner
    if node is None or not isinstance(node.op, Subtensor):
        return False
    count = node.inputs[1].owner if node.op.spec[0] == (None, "?", None) else None
    return count is not None and isinstance(count.op, Check) and count.inputs[0] is steps


def _as_long(rows: Variable) -> Variable | None:
    """An operand that has as many rows as what is made of it."""
    node = rows.owner
    if node is None:
        return None
    op, first = node.op, node.inputs[0] if node.inputs else None
    match op:
        case Elemwise():
            ndim = tensor_type(rows).ndim
            full = (v for v in node.inputs if tensor_type(v).ndim == ndim)
            return next((v for v in full if tensor_type(v).shape[0] != 1), None)
        case Subtensor(spec) if spec[0] in (REVERSED, WHOLE):
            return first
        case DimShuffle(order) if order and order[0] == 0:
            return first
        case SpecifyBroadcast():
            return first
        case Dot() if first is not None and tensor_type(first).ndim == 2:
            return first
    return None


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
