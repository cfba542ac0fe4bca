"""Random graphs: the optimised one gives the values, dtypes and shapes of the written one."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tests.core.rewrite.support import close, rewritten, run, same_values, show
from workbench.core.function import function
from workbench.core.gradient import grad
from workbench.core.graph import Variable, ancestors, free_inputs
from workbench.core.ops import dot, indexing, nnet, reduce, scalars, shape
from workbench.core.ops.join import join
from workbench.core.types import tensor_type
from workbench.core.variable import tensor
from workbench.errors import ShapeError, WorkbenchError

S: Any = scalars
UNARY = [
    S.neg, S.tanh, S.sigmoid, S.absolute, S.sqr, S.exp, S.softplus, S.zeros_like, S.ones_like,
    lambda x: S.log(S.absolute(x) + 1), lambda x: S.sqrt(S.absolute(x)), lambda x: x**2,
    lambda x: S.cast(x, "float64"), lambda x: S.cast(x, "float32"), lambda x: x**1, lambda x: x**3,
    lambda x: S.cast(x, "int32") if tensor_type(x).dtype[0] in "bi" else x, lambda x: x / 4,
    lambda x: 1 / (1 + S.exp(-x)), lambda x: S.exp(S.log(S.exp(x))), lambda x: x - x,
    lambda x: S.log(1 + S.exp(x)), lambda x: S.log(S.sigmoid(x)), lambda x: 1 - S.sigmoid(x),
]  # fmt: skip
BINARY = [
    S.add, S.sub, S.mul, S.maximum, S.minimum, S.second,
    lambda x, y: S.divide(x, S.absolute(y) + 1), lambda x, y: x / (1 + S.exp(y)),
    lambda x, y: x * y / (S.absolute(y) + 2), lambda x, y: x - x * S.sigmoid(y),
]  # fmt: skip
INDICES = [0, -1, 1, slice(None), slice(1, None), slice(None, None, -1), slice(0, 2)]
DTYPES = ["float64"] * 3 + ["float32", "int32", "int8", "uint8", "bool", "int64", "complex128"]
SHAPES = [(), (4,), (3,), (3, 4), (1, 4), (3, 1), (4, 3)]


def _static(lengths: tuple[int, ...], known: bool) -> tuple[int | None, ...]:
    return tuple(n if known or n == 1 else None for n in lengths)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Variable], dict[Variable, np.ndarray]]:
    values: dict[Variable, np.ndarray] = {}
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    for i in range(draw(st.integers(1, 4))):
        dtype, lengths = draw(st.sampled_from(DTYPES)), draw(st.sampled_from(SHAPES))
        v = tensor(dtype, _static(lengths, draw(st.booleans())), f"x{i}")
        numbers = rng.normal(size=lengths) * 2
        if dtype == "complex128":
            numbers = numbers + 1j * rng.normal(size=lengths)
        values[v] = np.asarray(np.abs(numbers) if dtype == "uint8" else numbers).astype(dtype)
    made: list[Variable] = list(values)
    for _ in range(draw(st.integers(1, 14))):
        try:
            new = draw(st.sampled_from(STEPS))(draw, made)
        except (WorkbenchError, ValueError, TypeError):  # it does not fit: another one
            continue
        made.append(new)
    count = draw(st.integers(1, min(3, len(made))))
    return made[-count:], values


def _pick(draw: st.DrawFn, made: list[Variable]) -> Variable:
    return draw(st.sampled_from(made[-6:]))


def _unary(draw, made):
    return draw(st.sampled_from(UNARY))(_pick(draw, made))


def _binary(draw, made):
    return draw(st.sampled_from(BINARY))(_pick(draw, made), _pick(draw, made))


def _constant(draw, made):
    number = draw(st.sampled_from([0, 1, -1, 2, 0.5, 1.5, -3]))
    x = _pick(draw, made)
    op = draw(st.sampled_from([S.add, S.mul, S.sub]))
    return op(x, number) if draw(st.booleans()) else op(number, x)


def _switch(draw, made):
    """The condition is an input: computed ones may be a rounding away from the other way."""
    return S.switch(made[0] > 0, _pick(draw, made), _pick(draw, made))


def _reduce(draw, made):
    x = _pick(draw, made)
    kind = draw(
        st.sampled_from([reduce.sum, reduce.max, reduce.prod, reduce.mean, reduce.any, reduce.min])
    )
    axis = draw(st.sampled_from([None, *range(tensor_type(x).ndim)]))
    return kind(S.tanh(x) if kind is reduce.prod else x, axis=axis, keepdims=draw(st.booleans()))


def _dimshuffle(draw, made):
    x = _pick(draw, made)
    order = draw(st.permutations(range(tensor_type(x).ndim)))
    where = draw(st.sampled_from([None, 0, len(order)]))
    full = list(order) if where is None else [*order[:where], "x", *order[where:]]
    return shape.dimshuffle(x, full) if len(full) < 4 else x


def _subtensor(draw, made):
    x = _pick(draw, made)
    items = draw(st.lists(st.sampled_from(INDICES), min_size=1, max_size=2))
    return x[tuple(items)]


def _increment(draw, made):
    x = _pick(draw, made)
    part = x[draw(st.sampled_from([0, slice(1, None), slice(None, 2)]))]
    put = draw(st.sampled_from([indexing.set_subtensor, indexing.inc_subtensor]))
    return put(part if draw(st.booleans()) else S.zeros_like(x)[0], part * 2)


def _take(draw, made):
    return _pick(draw, made)[np.array([0, 1, 0])]


def _dot(draw, made):
    a, b = _pick(draw, made), _pick(draw, made)
    return dot.dot(a, b) if draw(st.booleans()) else dot.dot(a, shape.transpose(b))


def _accumulate(draw, made):
    a, b, c = (_pick(draw, made) for _ in range(3))
    return c - 0.5 * dot.dot(a, b)


def _reshape(draw, made):
    x = _pick(draw, made)
    return shape.reshape(x, draw(st.sampled_from([(-1,), (2, -1), (-1, 1)])))


def _join(draw, made):
    return join(0, _pick(draw, made), _pick(draw, made))


def _softmax(draw, made):
    x = _pick(draw, made)
    e = S.exp(x)
    spelled = [e / reduce.sum(e, axis=-1, keepdims=True), S.log(reduce.sum(e, axis=0))]
    return draw(st.sampled_from([nnet.softmax(x), nnet.logsoftmax(x), *spelled]))


def _length(draw, made):
    x = _pick(draw, made)
    return S.cast(shape.shape(x)[0], "float64") * x


STEPS = [
    _unary, _unary, _unary, _binary, _binary, _binary, _constant, _constant, _reduce, _reduce,
    _switch, _dimshuffle, _subtensor, _increment, _take, _dot, _accumulate, _reshape, _join,
    _softmax, _length,
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@given(graphs())
@settings(max_examples=int(os.environ.get("RANDOM_GRAPHS", "100")), deadline=None)
def test_values_stay(graph):
    outputs, values = graph
    note(show(outputs))
    result, _ = rewritten(outputs)
    if fails(outputs, values):  # lengths that do not fit, or nothing to take the maximum of
        return
    if (error := fails(result.outputs, values)) is not None:
        assert "over no elements" in str(error), "only a softmax of nothing may fail now"
        return
    tolerance = tolerance_of(outputs)
    same_values(outputs, result.outputs, values, tolerance, tolerance)


@pytest.mark.filterwarnings("ignore")
@given(graphs())
@settings(max_examples=int(os.environ.get("RANDOM_GRAPHS", "30")), deadline=None)
def test_values_stay_when_compiled(graph):
    outputs, values = graph
    note(show(outputs))
    if fails(outputs, values):
        return
    inputs = free_inputs(outputs)
    compiled = function(inputs, outputs)
    try:
        got = compiled(*(values[v] for v in inputs))
    except WorkbenchError as error:
        assert "over no elements" in str(error), "only a softmax of nothing may fail now"  # noqa: PT017
        return
    close(run(outputs, values), got, tolerance_of(outputs))


def tolerance_of(outputs):
    narrow = any(tensor_type(v).dtype == "float32" for v in ancestors(outputs))
    return 2e-4 if narrow else 1e-9


def fails(outputs, values):
    """The error that running the graph raises, else None."""
    try:
        run(outputs, values)
    except WorkbenchError as error:
        return error
    return None


@pytest.mark.filterwarnings("ignore")
@given(graphs())
@settings(max_examples=int(os.environ.get("RANDOM_GRAPHS", "60")), deadline=None)
def test_gradients_stay(graph):
    made, values = graph
    floats = [v for v in made if tensor_type(v).dtype in ("float32", "float64")]
    wrt = [v for v in values if tensor_type(v).dtype in ("float32", "float64")]
    if not floats or not wrt or any(tensor_type(v).dtype[0] == "c" for v in values):
        return
    cost = reduce.sum(S.tanh(floats[-1]))
    try:
        outputs = [cost, *grad(cost, wrt, disconnected_inputs="ignore")]
    except ShapeError:  # the graph fails when it runs, and its gradient already here
        return
    note(show(outputs))
    result, _ = rewritten(outputs)
    if fails(outputs, values) or fails(result.outputs, values):
        return
    tolerance = 10 * tolerance_of(outputs)
    same_values(outputs, result.outputs, values, tolerance, tolerance)
