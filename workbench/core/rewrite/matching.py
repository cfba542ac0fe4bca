"""Small questions that rules ask of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph import Apply, Constant, Variable
from workbench.core.ops.elementwise import Elemwise, ScalarOp
from workbench.core.ops.shape import DimShuffle
from workbench.core.types import TensorType, tensor_type


def made_by(variable: Variable, *kinds: type) -> Apply | None:
    """The node that makes a variable, where its op or scalar op is of one of these classes."""
    node = variable.owner
    if node is None:
        return None
    op = node.op
    if type(op) is Elemwise and isinstance(op.scalar, kinds):
        return node
    return node if isinstance(op, kinds) else None


def scalar_of(node: Apply) -> ScalarOp | None:
    """The scalar op of an elementwise node, else None."""
    return node.op.scalar if isinstance(node.op, Elemwise) else None


def dtype_of(variable: Variable) -> str:
    """A tensor's dtype."""
    return tensor_type(variable).dtype


def ndim_of(variable: Variable) -> int:
    """How many axes a tensor has."""
    return tensor_type(variable).ndim


def pattern_of(variable: Variable) -> tuple[bool, ...]:
    """For each axis whether it broadcasts."""
    return tensor_type(variable).broadcastable


def is_scalar(variable: Variable) -> bool:
    """Whether it is a 0-d tensor."""
    return isinstance(variable.type, TensorType) and not variable.type.shape


def number_of(variable: Variable) -> Any:
    """The number that a 0-d constant is, else None."""
    if isinstance(variable, Constant) and getattr(variable.data, "shape", None) == ():
        return variable.data[()]
    return None


def behind_dimshuffle(variable: Variable) -> tuple[Variable, tuple[int | str, ...]]:
    """What a DimShuffle reads and its order; the variable itself and its own axes where there is
    none.
    """
    node = made_by(variable, DimShuffle)
    if node is None:
        return variable, tuple(range(ndim_of(variable)))
    return node.inputs[0], node.op.order  # type: ignore[attr-defined]


def aligned_order(order: Sequence[int | str], ndim: int) -> tuple[int | str, ...]:
    """An order of axes with the leading ones that broadcasting adds, up to this rank."""
    return ("x",) * (ndim - len(order)) + tuple(order)
