"""Reductions: of reductions, of moved axes, over axes of length 1."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import Apply, Variable
from workbench.core.ops.reduce import All, Any_, Max, Min, Prod, Reduce, Sum
from workbench.core.ops.scalars import cast, neq
from workbench.core.ops.shape import DimShuffle, dimshuffle
from workbench.core.rewrite.engine import Context, Rule, rule
from workbench.core.rewrite.matching import dtype_of, made_by, ndim_of, pattern_of


@rule(Reduce, equation="sum(sum(x)) → sum(x)")
def reduce_twice(node: Apply, context: Context) -> Variable | None:
    """Over all axes at once."""
    inner = made_by(node.inputs[0], type(node.op))
    if inner is None or not context.read_once(node.inputs[0]):
        return None
    x, gone = inner.inputs[0], _axes(inner)
    left = [i for i in range(ndim_of(x)) if i not in gone]
    axes = sorted((*gone, *(left[a] for a in _axes(node))))
    return type(node.op)(tuple(axes))(x)  # type: ignore[call-arg, no-any-return]


@rule(Sum, Prod, Max, Min, All, Any_, equation="sum(x.dimshuffle(i)) → sum(x)")
def reduce_moved(node: Apply, context: Context) -> Variable | None:
    """Axes need not be moved before they are reduced."""
    moved = made_by(node.inputs[0], DimShuffle)
    if moved is None:
        return None
    order: Any = moved.op
    kept = [i for at, i in enumerate(order.order) if at not in _axes(node)]
    x = moved.inputs[0]
    gone = tuple(sorted(i for i in range(ndim_of(x)) if i not in kept and i in order.order))
    if not gone:
        return None
    new: Any = type(node.op)(gone)(x)  # type: ignore[call-arg]
    left = [i for i in range(ndim_of(x)) if i not in gone]
    return dimshuffle(new, tuple("x" if i == "x" else left.index(i) for i in kept))  # type: ignore[no-any-return]


@rule(Sum, Prod, Max, Min, All, Any_, equation="sum(x over an axis of length 1) → x")
def reduce_one(node: Apply, context: Context) -> Variable | None:
    """One element is its own sum, and as a truth it is whether it is not zero."""
    (x,) = node.inputs
    if not all(pattern_of(x)[a] for a in _axes(node)):
        return None
    kept = tuple(i for i in range(ndim_of(x)) if i not in _axes(node))
    one, dtype = dimshuffle(x, kept), dtype_of(node.outputs[0])
    if isinstance(node.op, (All, Any_)):
        return one if dtype_of(one) == dtype else neq(one, 0)  # type: ignore[no-any-return]
    return cast(one, dtype)  # type: ignore[no-any-return]


def _axes(node: Apply) -> tuple[int, ...]:
    axes: tuple[int, ...] = node.op.axes  # type: ignore[attr-defined]
    return axes


REDUCTIONS: tuple[Rule, ...] = (reduce_twice, reduce_moved, reduce_one)
