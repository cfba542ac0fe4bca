"""How many rows a variable has, as far as the graph says, and the rows of it that the steps of a
loop see.
"""

from __future__ import annotations

from typing import Any

from workbench.core.graph import Constant, Variable
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.index import Subtensor
from workbench.core.ops.linalg import Dot
from workbench.core.ops.shape import Dimension, DimShuffle, SpecifyBroadcast
from workbench.core.scan.op import Scan
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
        if _stacks(current, steps):
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
