"""Constant folding: what depends on constants only is computed once, by the interpreter's own
evaluation.
"""

from __future__ import annotations

import math

import numpy as np

from workbench.core.graph import Apply, Constant, Variable
from workbench.core.inner import InnerGraph
from workbench.core.interpreter import evaluate_node
from workbench.core.ops.alloc import Alloc
from workbench.core.ops.scalars import Second
from workbench.core.rewrite.engine import Context, Refuse, rule
from workbench.core.rewrite.matching import is_scalar, scalar_of
from workbench.core.types import TensorType, constant, tensor_type
from workbench.errors import WorkbenchError

LARGEST = 100_000  # elements of a constant that a graph may carry
LARGEST_FILL = 64  # elements, where the value is only repeated: making it anew costs nothing


@rule(equation="f(1, 2) → its value")
def fold(node: Apply, context: Context) -> list[Variable | None] | Refuse | None:
    """An op over constants is computed when the graph is compiled."""
    if not _foldable(node):
        return None
    size = max((_size(v) for v in node.outputs), default=0)
    fill = isinstance(node.op, Alloc) or isinstance(scalar_of(node), Second)
    if size > (LARGEST_FILL if fill else LARGEST):
        return Refuse(f"the value has {size:.0f} elements; the graph would have to carry them")
    try:
        values = evaluate_node(node, [v.data for v in node.inputs])  # type: ignore[attr-defined]
    except (WorkbenchError, ArithmeticError, ValueError) as error:
        return Refuse(f"it fails when it runs: {error}".splitlines()[0])
    return [_as_constant(v, a) for v, a in zip(node.outputs, values, strict=True)]


@rule(equation="1 + 2 → 3")
def fold_number(node: Apply, context: Context) -> list[Variable | None] | None:
    """An elementwise op over numbers is computed when the graph is compiled."""
    if not _foldable(node) or not is_scalar(node.outputs[0]) or scalar_of(node) is None:
        return None
    return [_as_constant(v, a) for v, a in
            zip(node.outputs, evaluate_node(node, [v.data for v in node.inputs]), strict=True)]  # type: ignore[attr-defined]  # fmt: skip


def _foldable(node: Apply) -> bool:
    """Whether it reads nothing but constants, and gives what may be one: that lies on the host."""
    for v in node.inputs:
        if not isinstance(v, Constant):
            return False
    if isinstance(getattr(node.op, "inner", None), InnerGraph):
        return False
    return bool(node.inputs) and not (node.op.effect or node.op.on_device)


def _size(variable: Variable) -> float:
    if not isinstance(variable.type, TensorType):
        return math.inf
    return math.prod(n if n is not None else 1 for n in variable.type.shape)


def _as_constant(variable: Variable, value: object) -> Variable | None:
    """The value as a constant, or None where its length of 1 is not in the variable's type."""
    t = tensor_type(variable)
    found = constant(np.asarray(value), t.dtype)
    return found if tensor_type(found).broadcastable == t.broadcastable else None
