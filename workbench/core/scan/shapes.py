"""The shapes of a scan's outputs, told from its inputs without running it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.core import graph
from workbench.core.graph import Apply, Type, Variable, leaves, toposort
from workbench.core.ops.scalars import minimum
from workbench.core.ops.shape import Dimension, as_scalar_int, shape_tuple
from workbench.core.scan.op import Scan
from workbench.core.scan.parts import Map, Parts, State
from workbench.core.types import GenericType, TensorType, tensor_type

Dims = Sequence[Any]  # ints and int64 scalar variables


def output_shapes(parts: Parts) -> list[Dims] | None:
    """Each output's dimensions; None where running the loop is the only way to know one."""
    if parts.condition is not None:
        return None
    inner = _inner_shapes(parts)
    rows = [_row(part, inner) for part in parts.stacked]
    if any(row is None for row in rows):
        return None
    stacked = [
        [_count(parts.n_steps, part.keep), *(row or ())]
        for part, row in zip(parts.stacked, rows, strict=True)
    ]
    return [*stacked, *(_shape(part.initial) for part in parts.carried)]


def row_shapes(op: Scan, values: Sequence[Any]) -> list[list[int]] | None:
    """The shapes of one step's stacked values, given the values of the outer inputs; None where
    they cannot be told without running a step.
    """
    from workbench.core.interpreter import Interpreter

    inputs = [_type_of(value).make() for value in values]
    parts = replace(Parts.of_op(op, inputs), condition=None)
    told = output_shapes(parts)
    if told is None:
        return None
    rows = [[as_scalar_int(n) for n in dims[1:]] for dims in told[: op.n_stacked]]
    found = iter(Interpreter([n for dims in rows for n in dims]).run(dict(zip(inputs, values))))
    return [[int(next(found)) for _ in dims] for dims in rows]


def _type_of(value: Any) -> Type:
    if isinstance(value, (np.ndarray, np.generic)):
        return TensorType(str(value.dtype), (None,) * value.ndim)
    return GenericType()


def _count(n_steps: Variable, keep: int | None) -> Any:
    return n_steps if keep is None else minimum(n_steps, keep)


def _row(part: State | Map, inner: dict[Variable, Dims]) -> Dims | None:
    if not isinstance(part, State):
        return inner.get(part.value)
    known = tensor_type(part.value).shape  # without steps the initial state may still differ
    dims = shape_tuple(part.initial)[1:]
    return [dim if n is None else n for n, dim in zip(known, dims, strict=True)]


def _shape(variable: Variable) -> Dims:
    return shape_tuple(variable) if isinstance(variable.type, TensorType) else ()


def _inner_shapes(parts: Parts) -> dict[Variable, Dims]:
    """The shapes of the body's values, as expressions outside the loop, as far as they are
    known.
    """
    shapes = _input_shapes(parts)
    scalars = {p.inner: p.outer for p in parts.invariants}
    values = [part.value for part in parts.maps]
    for v in values:
        if v.owner is None and v not in shapes:
            shapes[v] = _shape(v)  # a constant
    for node in toposort(values, stop=parts.inner_inputs):
        found = node.op.shape(node.inputs)
        for v, dims in zip(node.outputs, found or (), strict=False):
            outer = [_outside(n, shapes, scalars, parts) for n in dims]
            if None not in outer:
                shapes[v] = outer
    return shapes


def _input_shapes(parts: Parts) -> dict[Variable, Dims]:
    shapes: dict[Variable, Dims] = {}
    for rows in parts.sequences:
        shapes.update((v, _shape(rows.outer)[1:]) for v in rows.inner)
    for state in parts.states:
        shapes.update((v, _shape(state.initial)[1:]) for v in state.inner)
    shapes.update((p.inner, _shape(p.initial)) for p in parts.carried)
    shapes.update((p.inner, _shape(p.outer)) for p in parts.invariants)
    return shapes


def _outside(
    dim: Any, shapes: dict[Variable, Dims], scalars: dict[Variable, Variable], parts: Parts
) -> Any:
    """A dimension that the body computes, computed outside; None where it depends on what happens
    in the loop.
    """
    if not isinstance(dim, Variable):
        return dim
    known = dict(scalars)
    for node in toposort([dim], stop=parts.inner_inputs):
        length = _length(node, shapes)
        if length is not None:
            known[node.outputs[0]] = as_scalar_int(length)
    (outer,) = graph.replace([dim], known)
    inside = set(parts.inner_inputs)
    return None if any(v in inside for v in leaves([outer])) else outer


def _length(node: Apply, shapes: dict[Variable, Dims]) -> Any:
    if isinstance(node.op, Dimension) and node.inputs[0] in shapes:
        return shapes[node.inputs[0]][node.op.axis]
    return None
