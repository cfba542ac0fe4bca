"""Lifting: what a loop's body computes for one step, computed for all steps at once.

A value of the body is lifted where all that it depends on is known for every step: rows of
sequences, stacked outputs, invariants. Lifted, it has a leading axis of one row per step, or none
where it is the same in every step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from workbench.core.graph import Apply, Constant, Op, Variable, toposort
from workbench.core.ops.alloc import Alloc
from workbench.core.ops.dot import Dot
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.index import AdvancedSubtensor, Subtensor
from workbench.core.ops.join import Join
from workbench.core.ops.nnet import LogSoftmax, Softmax
from workbench.core.ops.positions import Argmax
from workbench.core.ops.reduce import Reduce, Sum
from workbench.core.ops.scalars import mul
from workbench.core.ops.shape import (
    Dimension,
    DimShuffle,
    SpecifyBroadcast,
    as_scalar_int,
    dimension,
    dimshuffle,
    reshape,
    shape_tuple,
    specify_shape,
    transpose,
    unbroadcast,
)
from workbench.core.ops.slices import FULL
from workbench.core.types import tensor_type
from workbench.frozen import frozen


@frozen
class Lifted:
    """A value for all steps: with a leading axis of rows where `timed`."""

    variable: Variable
    timed: bool

    @property
    def ndim(self) -> int:
        """The rank of one step's value."""
        return tensor_type(self.variable).ndim - self.timed

    def padded(self, ndim: int) -> Variable:
        """As an operand of an elementwise op whose result has this rank in one step."""
        if not self.timed or self.ndim == ndim:
            return self.variable
        order = (0, *["x"] * (ndim - self.ndim), *range(1, self.ndim + 1))
        return dimshuffle(self.variable, order)  # type: ignore[no-any-return]


Values = dict[Variable, Lifted]


def lift(
    outputs: Iterable[Variable], known: Values, inputs: Sequence[Variable], steps: Variable
) -> Values:
    """Everything above the outputs that can be lifted, `known` included.

    known    what the body's inputs, or other values of it, are for all steps
    inputs   the body's inputs: those that are not known cannot be lifted
    steps    how many rows a lifted value has
    """
    values = dict(known)
    stop = {*inputs, *known}
    for node in toposort(outputs, stop=stop):
        operands = [_operand(v, values) for v in node.inputs]
        if None not in operands:
            results = _lift_node(node, [v for v in operands if v is not None], steps)
            values.update(zip(node.outputs, results, strict=False))
    return values


def spread(value: Lifted, steps: Variable) -> Variable:
    """The value with a row per step also where it is the same in all of them. Its rows do not
    broadcast, as those of a loop do not: one may be all that there is.
    """
    t = tensor_type(value.variable)
    if value.timed:
        return unbroadcast(value.variable, 0) if t.shape[0] == 1 else value.variable
    dims = [as_scalar_int(n) for n in (steps, *shape_tuple(value.variable))]
    return Alloc((None, *t.shape))(value.variable, *dims)  # type: ignore[no-any-return]


def _operand(variable: Variable, values: Values) -> Lifted | None:
    return Lifted(variable, False) if isinstance(variable, Constant) else values.get(variable)


def _lift_node(node: Apply, operands: list[Lifted], steps: Variable) -> list[Lifted]:
    """The node's outputs, or nothing where its op has no form for all steps at once."""
    if node.op.effect:
        return []
    if not any(v.timed for v in operands):
        new = node.op.apply(*(v.variable for v in operands))
        return [Lifted(v, False) for v in new.outputs]
    if isinstance(node.op, Dimension):
        return [Lifted(as_scalar_int(dimension(operands[0].variable, node.op.axis + 1)), False)]
    rule = next((f for kind, f in RULES if isinstance(node.op, kind)), None)
    results = None if rule is None else rule(node, operands, steps)
    if results is None:
        return []
    return [Lifted(_typed(v, old), True) for v, old in zip(results, node.outputs, strict=True)]


def _typed(lifted: Variable, old: Variable) -> Variable:
    """The lifted value, its rows of the same static shape as one step's value."""
    rows, t = tensor_type(lifted).shape[0], tensor_type(old)
    return specify_shape(lifted, (rows, *t.shape))  # type: ignore[no-any-return]


Results = Sequence[Variable] | None


def _elementwise(node: Apply, operands: list[Lifted], steps: Variable) -> Results:
    ndim = tensor_type(node.outputs[0]).ndim
    return node.op.apply(*(v.padded(ndim) for v in operands)).outputs


def _dimshuffle(node: Apply, operands: list[Lifted], steps: Variable) -> Results:
    assert isinstance(node.op, DimShuffle)
    order = (0, *(i if isinstance(i, str) else i + 1 for i in node.op.order))
    return [dimshuffle(operands[0].variable, order)]


def _reduce(node: Apply, operands: list[Lifted], steps: Variable) -> Results:
    assert isinstance(node.op, Reduce)
    return [replace(node.op, axes=tuple(a + 1 for a in node.op.axes))(operands[0].variable)]


def _along_axis(node: Apply, operands: list[Lifted], steps: Variable) -> Results:
    assert isinstance(node.op, (Argmax, Softmax, LogSoftmax))
    return [replace(node.op, axis=node.op.axis + 1)(operands[0].variable)]


def _specify(node: Apply, operands: list[Lifted], steps: Variable) -> Results:
    assert isinstance(node.op, SpecifyBroadcast)
    rows = tensor_type(operands[0].variable).shape[0]
    return [specify_shape(operands[0].variable, (rows, *node.op.static))]


def _join(node: Apply, operands: list[Lifted], steps: Variable) -> Results:
    assert isinstance(node.op, Join)
    return [Join(node.op.axis + 1)(*(spread(v, steps) for v in operands))]


def _alloc(node: Apply, operands: list[Lifted], steps: Variable) -> Results:
    assert isinstance(node.op, Alloc)
    value, *dims = operands
    if any(d.timed for d in dims):
        return None
    op = Alloc((None, *node.op.static))
    return [op(value.padded(len(node.op.static)), steps, *(d.variable for d in dims))]


def _subtensor(node: Apply, operands: list[Lifted], steps: Variable) -> Results:
    """The same index of every row; or, of one table, rows by number."""
    assert isinstance(node.op, Subtensor)
    source, *parts = operands
    if not any(p.timed for p in parts):
        return [Subtensor((FULL, *node.op.spec))(source.variable, *(p.variable for p in parts))]
    if not source.timed and node.op.spec == ("?",):
        return [AdvancedSubtensor(("?",))(source.variable, parts[0].variable)]
    return None


def _dot(node: Apply, operands: list[Lifted], steps: Variable) -> Results:
    a, b = operands
    if a.timed and b.timed:
        if a.ndim == b.ndim == 1:
            return [Sum((1,))(mul(a.variable, b.variable))]
        return None
    if a.timed:
        return [_rows_dot(a.variable, b.variable)]
    return [_rows_dot(b.variable, transpose(a.variable))] if b.ndim == 1 else None


def _rows_dot(rows: Variable, matrix: Variable) -> Variable:
    """One product for all steps: the steps' matrices stand one under the other."""
    if tensor_type(rows).ndim == 2:
        return Dot()(rows, matrix)  # type: ignore[no-any-return]
    steps, height, width = shape_tuple(rows)
    product = Dot()(reshape(rows, [steps * height, width]), matrix)
    return reshape(product, [steps, height, *shape_tuple(product)[1:]])  # type: ignore[no-any-return]


Lifting = Callable[[Apply, list[Lifted], Variable], Results]

RULES: tuple[tuple[type[Op] | tuple[type[Op], ...], Lifting], ...] = (
    (Elemwise, _elementwise),
    (DimShuffle, _dimshuffle),
    (Reduce, _reduce),
    ((Argmax, Softmax, LogSoftmax), _along_axis),
    (SpecifyBroadcast, _specify),
    (Join, _join),
    (Alloc, _alloc),
    (Subtensor, _subtensor),
    (Dot, _dot),
)
