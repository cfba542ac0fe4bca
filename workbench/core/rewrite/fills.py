"""Fills: a value repeated over a shape (`second(a, c)`, `alloc(c, n)`). Gradient graphs are full of
them.

An elementwise op takes the value itself where the other operands give the shape; else the fill
moves to after the op, where it costs nothing.
"""

from __future__ import annotations

from typing import Any

from workbench.core.graph import Apply, Constant, Variable
from workbench.core.ops.alloc import Alloc, alloc
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.index import AdvancedIncSubtensor, IncSubtensor
from workbench.core.ops.reduce import Sum
from workbench.core.ops.scalars import Second, cast, mul, second
from workbench.core.ops.shape import (  # fmt: skip
    DimShuffle,
    as_scalar_int,
    dimension,
    dimshuffle,
    shape_tuple,
)
from workbench.core.rewrite.engine import Context, Rule, rule
from workbench.core.rewrite.matching import dtype_of, made_by, ndim_of, pattern_of
from workbench.core.rewrite.shapes import is_length
from workbench.core.types import tensor_type


def filled(variable: Variable) -> Variable | None:
    """The value that a fill repeats, else None."""
    node = variable.owner
    if node is None:
        return None
    if type(node.op) is Alloc:
        return node.inputs[0]
    return node.inputs[1] if made_by(variable, Second) else None


def refill(fill: Variable, value: Variable) -> Variable:
    """Another value over the shape of a fill."""
    node = fill.owner
    assert node is not None
    if isinstance(node.op, Alloc):
        return node.op(value, *node.inputs[1:])  # type: ignore[no-any-return]
    return second(node.inputs[0], value)  # type: ignore[no-any-return]


@rule(Second, equation="second(a, x) → x")
def fill_useless(node: Apply, context: Context) -> Variable | None:
    """The value has the shape already."""
    _, value = node.inputs
    return value if pattern_of(value) == pattern_of(node.outputs[0]) else None


@rule(Second, equation="second(second(a, y), x) → second(a, x)")
def fill_of_fill(node: Apply, context: Context) -> Variable | None:
    """Only the shape of the first operand and the value of the second count."""
    shape, value = node.inputs
    inner, repeated = made_by(shape, Second), filled(value)
    source = (
        inner.inputs[0] if inner and pattern_of(inner.inputs[0]) == pattern_of(shape) else shape
    )
    if source is shape and repeated is None:
        return None
    new = second(source, value if repeated is None else repeated)
    return new if pattern_of(new) == pattern_of(node.outputs[0]) else None


@rule(Elemwise, equation="f(second(a, x), y) → f(x, y)")
def fill_sinks(node: Apply, context: Context) -> Variable | None:
    """A repeated value is taken as it is, where broadcasting repeats it; else it is repeated after
    the op.
    """
    fills = [v for v in node.inputs if filled(v) is not None]
    if not fills or made_by(node.outputs[0], Second):
        return None
    out = node.outputs[0]
    new = node.op(*((v if (f := filled(v)) is None else f) for v in node.inputs))
    if pattern_of(new) == pattern_of(out):
        return new  # type: ignore[no-any-return]
    whole = next((v for v in fills if pattern_of(v) == pattern_of(out)), None)
    return None if whole is None else refill(whole, new)


@rule(DimShuffle, equation="second(a, x).T → second(a.T, x)")
def fill_dimshuffle(node: Apply, context: Context) -> Variable | None:
    """One number repeated looks the same from every side."""
    (fill,) = node.inputs
    value = filled(fill)
    if value is None or ndim_of(value):
        return None
    order: Any = node.op
    dims = [1 if i == "x" else dimension(fill, i) for i in order.order]
    return alloc(value, *dims) if dims else value


@rule(Alloc, equation="alloc(x, n) → x")
def alloc_useless(node: Apply, context: Context) -> Variable | None:
    """The value has the shape already: every length is surely its own."""
    value, *dims = node.inputs
    if pattern_of(value) != pattern_of(node.outputs[0]):
        return None
    return value if all(is_length(d, value, axis) for axis, d in enumerate(dims)) else None


@rule(Alloc, equation="alloc(second(a, x), n) → alloc(x, n)")
def alloc_of_fill(node: Apply, context: Context) -> Variable | None:
    """A fill of a fill."""
    value = filled(node.inputs[0])
    return None if value is None else node.op(value, *node.inputs[1:])


@rule(IncSubtensor, AdvancedIncSubtensor, equation="inc(x, [i], second(a, c)) → inc(x, [i], c)")
def fill_written(node: Apply, context: Context) -> Variable | None:
    """One number is put into every place by itself."""
    target, value, *parts = node.inputs
    number = filled(value)
    if number is None or not all(pattern_of(number)):
        return None
    return node.op(target, dimshuffle(number, ()), *parts)  # type: ignore[no-any-return]


@rule(Sum, equation="sum(second(a, x)) → n * x")
def sum_of_fill(node: Apply, context: Context) -> Variable | None:
    """The sum of one number repeated n times."""
    op: Any = node.op
    (fill,) = node.inputs
    value = filled(fill)
    if value is None or not all(pattern_of(value)):
        return None
    dtype = dtype_of(node.outputs[0])
    count: Any = as_scalar_int(1)
    for axis in op.axes:
        count = mul(count, as_scalar_int(dimension(fill, axis)))
    total = mul(cast(dimshuffle(value, ()), dtype), cast(count, dtype))
    kept = [n for i, n in enumerate(shape_tuple(fill)) if i not in op.axes]
    return alloc(total, *kept) if kept else total  # type: ignore[no-any-return]


@rule(Second, equation="second(a, x) → alloc(x, *a.shape)")
def fill_to_alloc(node: Apply, context: Context) -> Variable | None:
    """Only the lengths of `a` are needed, not its values."""
    shape, value = node.inputs
    if isinstance(shape, Constant) and tensor_type(shape).ndim == 0:
        return None
    return alloc(value, *_lengths(node.outputs[0], shape, value))  # type: ignore[no-any-return]


def _lengths(out: Variable, *operands: Variable) -> list[Any]:
    """The lengths of an elementwise result's axes, each from an operand that has it."""
    ndim = ndim_of(out)
    lengths: list[Any] = []
    for axis in range(-ndim, 0):
        having = (v for v in operands if ndim_of(v) >= -axis and not pattern_of(v)[axis])
        source = next(having, None)
        lengths.append(1 if source is None else dimension(source, axis + ndim_of(source)))
    return lengths


FILLS: tuple[Rule, ...] = (
    fill_useless,
    fill_of_fill,
    fill_sinks,
    fill_dimshuffle,
    fill_written,
    alloc_useless,
    alloc_of_fill,
    sum_of_fill,
)
