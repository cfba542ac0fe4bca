"""Shapes and axes: lengths read off inputs instead of results, axes moved once, useless moves left
out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from workbench.core.graph import Apply, Constant, Op, Variable
from workbench.core.ops.dot import Dot
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.indexing import same_length
from workbench.core.ops.join import Join
from workbench.core.ops.reduce import Prod, Sum
from workbench.core.ops.scalars import add, mul
from workbench.core.ops.shape import (  # fmt: skip
    Dimension,
    DimShuffle,
    MakeVector,
    Reshape,
    SpecifyBroadcast,
    as_scalar_int,
    dimshuffle,
    transpose,
)
from workbench.core.rewrite.engine import Context, Rule, rule
from workbench.core.rewrite.matching import (
    dtype_of,
    is_scalar,
    made_by,
    ndim_of,
    number_of,
    pattern_of,
)
from workbench.core.types import TensorType, constant, tensor_type


@rule(Dimension, equation="f(x).shape[i] → x.shape[i]")
def lift_length(node: Apply, context: Context) -> Variable | None:
    """A length is known without computing the tensor: from its type, or from the inputs of the op
    that makes it.
    """
    (of,), axis = node.inputs, node.op.axis  # type: ignore[attr-defined]
    known = tensor_type(of).shape[axis]
    if known is not None:
        return as_scalar_int(known)
    shapes = None if of.owner is None else of.owner.op.shape(of.owner.inputs)
    if shapes is None:
        return None
    return as_scalar_int(shapes[of.index][axis])


@rule(DimShuffle, equation="x.dimshuffle(i).dimshuffle(j) → x.dimshuffle(k)")
def dimshuffle_twice(node: Apply, context: Context) -> Variable | None:
    """Axes are moved once; where nothing moves, not at all."""
    (moved,) = node.inputs
    order = _order(node.op)
    inner = made_by(moved, DimShuffle)
    if inner is None:
        return moved if order == tuple(range(ndim_of(moved))) else None
    before = _order(inner.op)
    return dimshuffle(inner.inputs[0], tuple(i if i == "x" else before[int(i)] for i in order))  # type: ignore[no-any-return]


@rule(DimShuffle, equation="f(x, y).T → f(x.T, y.T)")
def dimshuffle_lifts(node: Apply, context: Context) -> Variable | None:
    """An elementwise op is moved out of a view of its result, which only the view reads."""
    (moved,) = node.inputs
    inner = made_by(moved, Elemwise)
    if inner is None or len(inner.outputs) > 1 or is_scalar(moved):
        return None
    if not context.read_once(moved):
        return None
    order, ndim = _order(node.op), ndim_of(moved)
    return inner.op(*(_moved(v, order, ndim) for v in inner.inputs))  # type: ignore[no-any-return]


@rule(Elemwise, equation="f(x, c.dimshuffle('x')) → f(x, c)")
def plain_operand(node: Apply, context: Context) -> Variable | None:
    """A scalar, and what lacks leading axes only, broadcast by themselves."""
    plain = [_unpadded(v) for v in node.inputs]
    if all(a is b for a, b in zip(plain, node.inputs)):
        return None
    new = node.op(*plain)
    same = len(node.outputs) == 1 and pattern_of(new) == pattern_of(node.outputs[0])
    return new if same else None


def _unpadded(variable: Variable) -> Variable:
    """The number behind a constant that has only axes of length 1; what a DimShuffle gave only
    leading axes.
    """
    t = variable.type
    if not isinstance(t, TensorType) or not t.shape or not t.broadcastable[0]:
        return variable
    if isinstance(variable, Constant):
        return constant(variable.data.reshape(()), t.dtype) if all(t.broadcastable) else variable
    inner = made_by(variable, DimShuffle)
    if inner is None:
        return variable
    (padded,), order = inner.inputs, _order(inner.op)
    added = len(order) - ndim_of(padded)
    leading = order == (*("x",) * added, *range(ndim_of(padded)))
    return padded if leading or is_scalar(padded) else variable


def _moved(operand: Variable, order: Sequence[int | str], ndim: int) -> Variable:
    """An operand with the axes of the result in this order."""
    if is_scalar(operand):
        return operand
    shift = ndim - ndim_of(operand)
    return dimshuffle(  # type: ignore[no-any-return]
        operand, tuple("x" if i == "x" or int(i) < shift else int(i) - shift for i in order)
    )


@rule(DimShuffle, equation="dot(x, y).T → dot(y.T, x.T)")
def transpose_of_dot(node: Apply, context: Context) -> Variable | None:
    """Transposes of inputs are views that BLAS takes."""
    (product,) = node.inputs
    inner = made_by(product, Dot)
    if inner is None or _order(node.op) != (1, 0) or not context.read_once(product):
        return None
    a, b = inner.inputs
    if ndim_of(a) != 2 or ndim_of(b) != 2:
        return None
    return inner.op(transpose(b), transpose(a))  # type: ignore[no-any-return]


def _order(op: Op) -> tuple[int | str, ...]:
    order: tuple[int | str, ...] = op.order  # type: ignore[attr-defined]
    return order


@rule(Reshape, equation="x.reshape(a).reshape(b) → x.reshape(b)")
def reshape_twice(node: Apply, context: Context) -> Variable | None:
    """Only the last shape counts."""
    inner = made_by(node.inputs[0], Reshape)
    return None if inner is None else node.op(inner.inputs[0], *node.inputs[1:])


@rule(Reshape, equation="x.reshape(x.shape) → x")
def reshape_same(node: Apply, context: Context) -> Variable | None:
    """x has that shape already: every length surely is its own, or one is -1, what is left."""
    x, *dims = node.inputs
    if pattern_of(x) != pattern_of(node.outputs[0]):
        return None
    others = [d for axis, d in enumerate(dims) if not is_length(d, x, axis)]
    return x if not others or [number_of(d) for d in others] == [-1] else None


def is_length(dim: Variable, x: Variable, axis: int) -> bool:
    """Whether a scalar surely is the length of an axis of x."""
    number = number_of(dim)
    if number is not None:
        return bool(number == tensor_type(x).shape[axis])
    node = made_by(dim, Dimension)
    if node is None:
        return False
    return same_length(node.inputs[0], node.op.axis, x, axis)  # type: ignore[attr-defined]


@rule(Reshape, equation="vector.reshape((1, n)) → vector.dimshuffle('x', 0)")
def reshape_vector(node: Apply, context: Context) -> Variable | None:
    """Axes of length 1 are put round a vector without reshaping."""
    x, *dims = node.inputs
    pattern = pattern_of(node.outputs[0])
    if pattern_of(x) != (False,) or pattern.count(False) != 1:
        return None
    length = dims[pattern.index(False)]
    if number_of(length) != -1 and not is_length(length, x, 0):
        return None
    return dimshuffle(x, tuple("x" if unit else 0 for unit in pattern))  # type: ignore[no-any-return]


@rule(Join, equation="join(join(x, y), z) → join(x, y, z)")
def join_of_join(node: Apply, context: Context) -> Variable | None:
    """Along one axis everything is joined at once."""
    parts: list[Variable] = []
    for v in node.inputs:
        inner = made_by(v, Join)
        same = (
            inner is not None and inner.op == node.op and dtype_of(v) == dtype_of(node.outputs[0])
        )
        parts.extend(inner.inputs if inner is not None and same else [v])
    return node.op(*parts) if len(parts) > len(node.inputs) else None


@rule(Join, equation="join([a], [b, c]) → [a, b, c]")
def join_of_vectors(node: Apply, context: Context) -> Variable | None:
    """Vectors that are made of scalars are made as one."""
    made = [made_by(v, MakeVector) for v in node.inputs]
    if any(m is None or m.op != made[0].op for m in made if made[0] is not None) or made[0] is None:
        return None
    return made[0].op(*(v for m in made if m is not None for v in m.inputs))  # type: ignore[no-any-return]


@rule(Sum, Prod, equation="prod([a, b]) → a * b")
def reduce_vector(node: Apply, context: Context) -> Variable | None:
    """A vector that is made of few scalars is combined as scalars."""
    made = made_by(node.inputs[0], MakeVector)
    if made is None or len(made.inputs) > 8 or not made.inputs or node.op.axes != (0,):  # type: ignore[attr-defined]
        return None
    if {dtype_of(v) for v in made.inputs} != {dtype_of(node.outputs[0])}:
        return None
    combine: Any = add if isinstance(node.op, Sum) else mul
    return reduce(combine, made.inputs)


@rule(SpecifyBroadcast, equation="specify(x, its type) → x")
def specify_known(node: Apply, context: Context) -> Variable | None:
    """What is declared is known already."""
    (x,) = node.inputs
    return x if x.type == node.outputs[0].type else None


SHAPES: tuple[Rule, ...] = (
    lift_length,
    dimshuffle_twice,
    dimshuffle_lifts,
    plain_operand,
    transpose_of_dot,
    reshape_twice,
    reshape_same,
    reshape_vector,
    join_of_join,
    join_of_vectors,
    reduce_vector,
    specify_known,
)
