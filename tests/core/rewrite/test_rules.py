"""Every rule fires on an example, and changes neither values, nor dtypes, nor axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.core.rewrite.support import ALL_RULES, check, fired, labels, rewritten, run
from workbench.core.ops import dot, indexing, nnet, reduce, scalars, shape
from workbench.core.ops.alloc import alloc
from workbench.core.ops.create import arange
from workbench.core.ops.join import join
from workbench.core.rewrite import Rule
from workbench.core.variable import tensor
from workbench.errors import ShapeError

S: Any = scalars
RNG = np.random.default_rng(7)


def given(dtype: str = "float64", *lengths: int, **options: Any) -> tuple[Any, Any]:
    """An input variable with a value: negative, zero and positive numbers."""
    known = options.get("static", tuple(1 if n == 1 else None for n in lengths))
    value = RNG.normal(size=lengths) * 2
    if lengths:
        value.flat[0] = 0
    return tensor(dtype, known, options.get("name", "x")), value.astype(dtype)


def elementwise(build: Callable[..., Any], positive: bool = False) -> Callable[[], Any]:
    """An example on a matrix and a row, for each float dtype."""

    def make() -> Any:
        for dtype in ("float64", "float32"):
            (x, a), (y, b) = given(dtype, 3, 4), given(dtype, 1, 4, name="y")
            a, b = (np.abs(a) + 0.1, np.abs(b) + 0.1) if positive else (a, b)
            count = build.__code__.co_argcount
            yield build(*(x, y)[:count]), {x: a, y: b}

    return make


def integers(build: Callable[[Any], Any]) -> Callable[[], Any]:
    def make() -> Any:
        for dtype in ("int8", "int32", "int64"):
            x, a = given(dtype, 3, 4)
            yield build(x), {x: a}

    return make


def one(build: Callable[[], Any]) -> Callable[[], Any]:
    def make() -> Any:
        yield build()

    return make


def _vector(build: Callable[[Any], Any], dtype: str = "float64", n: int = 5) -> Callable[[], Any]:
    def make() -> Any:
        x, a = given(dtype, n)
        yield build(x), {x: a}

    return make


def _matrices(build: Callable[[Any, Any], Any]) -> Callable[[], Any]:
    def make() -> Any:
        for dtype in ("float64", "float32"):
            (x, a), (y, b) = given(dtype, 3, 4), given(dtype, 4, 2, name="y")
            yield build(x, y), {x: a, y: b}

    return make


def _log_indexed_softmax() -> Any:
    x, a = given("float64", 3, 4)
    p = nnet.softmax(x)
    rows = p[arange(shape.dimension(p, 0)), np.array([0, 3, 1])]
    return [S.log(rows), p], {x: a * 300}


def _accumulated(build: Callable[..., Any]) -> Callable[[], Any]:
    def make() -> Any:
        for dtype in ("float64", "float32"):
            (a, av), (b, bv), (c, cv) = (
                given(dtype, 3, 4), given(dtype, 4, 2, name="b"), given(dtype, 3, 2, name="c"),
            )  # fmt: skip
            s, sv = tensor(dtype, (), "s"), np.asarray(0.7, dtype)
            yield build(a, b, c, s), {a: av, b: bv, c: cv, s: sv}

    return make


def _set_then_read() -> Any:
    (x, a), (y, b) = given("float64", 5), given("float64", 3, name="y")
    return [indexing.set_subtensor(x[1:4], y)[1:4]], {x: a, y: b}


def _add_to_zeros() -> Any:
    (x, a), (y, b) = given("float64", 5), given("float64", 3, name="y")
    return [indexing.inc_subtensor(S.zeros_like(x)[1:4], y) + S.exp(x)], {x: a, y: b}


def _scale_added() -> Any:
    (x, a), (y, b) = given("float64", 5), given("float64", 3, name="y")
    return [indexing.inc_subtensor(S.zeros_like(x)[1:4], y) * S.tanh(x)], {x: a, y: b}


def _constant_condition() -> Any:
    (x, a), (y, b) = given("float64", 5), given("float64", 5, name="y")
    return [S.switch(np.ones((5,), "bool"), x, y), S.switch(0, x, y)], {x: a, y: b}


EXAMPLES: dict[str, Callable[[], Any]] = {
    # neutral
    "add_zero": elementwise(lambda x: 0 + (x + 0)),
    "sub_zero": elementwise(lambda x: x - 0),
    "zero_sub": elementwise(lambda x: 0 - x),
    "mul_one": elementwise(lambda x: 1 * (x * 1.0)),
    "div_one": elementwise(lambda x: x / 1),
    "pow_one": integers(lambda x: x**1),
    "square": elementwise(lambda x: x**2),
    "square_root": elementwise(lambda x: x**0.5, positive=True),
    "reciprocal": elementwise(lambda x: x**-1, positive=True),
    "inverse_square": elementwise(lambda x: x**-2, positive=True),
    "neg_neg": elementwise(lambda x: S.neg(-x)),
    "neg_sub": elementwise(lambda x, y: -(x - y)),
    "sub_neg": elementwise(lambda x, y: x - (-y)),
    "add_neg": elementwise(lambda x, y: (-x) + y),
    "neg_minus": elementwise(lambda x, y: -x - y),
    "neg_mul": integers(lambda x: (-x) * (x + 1)),
    "neg_div": elementwise(lambda x, y: (-x) / y, positive=True),
    "div_neg": elementwise(lambda x, y: x / (-y), positive=True),
    "abs_neg": integers(lambda x: abs(-x)),
    "abs_abs": elementwise(lambda x: abs(abs(x))),
    "sqr_neg": elementwise(lambda x: S.sqr(-x)),
    "sqr_abs": elementwise(lambda x: S.sqr(abs(x))),
    "sqrt_sqr": elementwise(lambda x: S.sqrt(S.sqr(x))),
    "sqr_sqrt": elementwise(lambda x: S.sqr(S.sqrt(x)), positive=True),
    "mul_zero": elementwise(lambda x: x * 0),
    "zero_div": elementwise(lambda x: 0 / x, positive=True),
    "sub_self": integers(lambda x: x - x),
    "pow_zero": elementwise(lambda x: x**0),
    "switch_constant": one(_constant_condition),
    "switch_same": elementwise(lambda x, y: S.switch(y > 0, x, x) + y),
    "extreme_self": elementwise(lambda x: S.maximum(x, x)),
    "length_is_positive": _vector(lambda x: S.maximum(shape.dimension(x, 0), 0)),
    "cast_cast": _vector(lambda x: S.cast(S.cast(x, "int64"), "float64"), "int16"),
    "fold_number": elementwise(lambda x: x * (shape.as_tensor(2.0) * shape.as_tensor(3.0))),
    # fills
    "fill_useless": elementwise(lambda x: S.second(x, S.exp(x))),
    "fill_of_fill": elementwise(lambda x, y: S.second(S.second(x, 3.0), y)),
    "fill_sinks": elementwise(lambda x, y: S.second(x, 2.0) * x + S.exp(S.second(x, y)) * x),
    "fill_dimshuffle": elementwise(lambda x: S.zeros_like(x).T),
    "fill_written": elementwise(lambda x: indexing.inc_subtensor(x[1], S.ones_like(x[1]) * 2)),
    "alloc_useless": elementwise(lambda x: alloc(S.exp(x), *shape.shape_tuple(x))),
    "alloc_of_fill": elementwise(
        lambda x, y: alloc(S.second(y, 1.0), *shape.shape_tuple(x))
    ),
    "sum_of_fill": elementwise(lambda x: reduce.sum(S.second(x, 2.5), axis=0)),
    "fill_to_alloc": elementwise(lambda x: S.ones_like(S.exp(x))),
    # shapes
    "lift_length": elementwise(lambda x: shape.shape(S.exp(x).T)),
    "dimshuffle_twice": elementwise(lambda x: x.T.T + x),
    "dimshuffle_lifts": elementwise(lambda x: S.exp(x).T),
    "plain_operand": elementwise(lambda x: x * shape.dimshuffle(reduce.sum(x), ("x", "x"))),
    "transpose_of_dot": _matrices(lambda x, y: dot.dot(x, y).T),
    "reshape_twice": elementwise(lambda x: x.reshape((-1,)).reshape((4, 3))),
    "reshape_same": elementwise(lambda x: x.reshape((x.shape[0], -1))),
    "reshape_vector": _vector(lambda x: x.reshape((1, -1))),
    "join_of_join": _vector(lambda x: join(0, join(0, x, x), x)),
    "join_of_vectors": elementwise(lambda x: join(0, shape.shape(x), shape.shape(x)[:1])),
    "reduce_vector": elementwise(lambda x: reduce.prod(shape.shape(x))),
    # indexing
    "whole": elementwise(lambda x: x[:]),
    "index_twice": elementwise(lambda x: x[1:][0] + x[:, 1:][1, 2]),
    "index_of_vector": elementwise(lambda x: shape.shape(x)[1]),
    "read_what_was_set": one(_set_then_read),
    "index_lifts": elementwise(lambda x: S.exp(x)[1]),
    "add_to_zeros": one(_add_to_zeros),
    "scale_added": one(_scale_added),
    # reductions
    "reduce_twice": elementwise(lambda x: reduce.sum(reduce.sum(x, axis=1), axis=0)),
    "reduce_moved": elementwise(lambda x: reduce.max(x.T, axis=0)),
    "reduce_one": elementwise(
        lambda x, y: reduce.sum(y, axis=0) + x + reduce.all(y, axis=0) + reduce.any(y[0, 0])
    ),
    # stabilise
    "log_exp": elementwise(lambda x: S.log(S.exp(x))),
    "exp_log": elementwise(lambda x: S.exp(S.log(x)), positive=True),
    "log_sigmoid": elementwise(lambda x: S.log(S.sigmoid(x))),
    "one_minus_sigmoid": elementwise(lambda x: 1 - S.sigmoid(x)),
    "log1p_neg_sigmoid": elementwise(lambda x: S.log1p(-S.sigmoid(x))),
    "log_one_plus_exp": elementwise(lambda x: S.log(1 + S.exp(x))),
    "log1p_exp": elementwise(lambda x: S.log1p(S.exp(x))),
    "log_one_plus": elementwise(lambda x: S.log(x + 1), positive=True),
    "log_one_minus": elementwise(lambda x: S.log(1 - x / 100)),
    "exp_minus_one": elementwise(lambda x: S.exp(x) - 1),
    "one_minus_exp": elementwise(lambda x: 1 - S.exp(x)),
    "expm1_log1p": elementwise(lambda x: S.expm1(S.log1p(x)), positive=True),
    "log1p_expm1": elementwise(lambda x: S.log1p(S.expm1(x))),
    "one_minus_erf": elementwise(lambda x: 1 - S.erf(x)),
    "one_minus_erfc": elementwise(lambda x: 1 - S.erfc(x)),
    "tanh_is_sigmoid": elementwise(lambda x: 0.5 * (S.tanh(0.5 * x) + 1)),
    "log_softmax": elementwise(lambda x: S.log(nnet.softmax(x))),
    "log_indexed_softmax": one(_log_indexed_softmax),
    "exp_log_softmax": elementwise(lambda x: S.exp(nnet.logsoftmax(x))),
    "softmax_shifted": elementwise(
        lambda x: nnet.softmax(x - reduce.max(x, axis=1, keepdims=True))
    ),
    "log_sum_exp": elementwise(lambda x: S.log(reduce.sum(S.exp(x), axis=1))),
    "cancel": elementwise(lambda x, y: (x / y) * y, positive=True),
    "sigmoid_spelled": elementwise(lambda x: S.exp(x) / (1 + S.exp(x)) + 1 / (S.exp(-x) + 1)),
    "softmax_spelled": elementwise(lambda x: S.exp(x) / reduce.sum(S.exp(x), axis=0)),
    "sigmoid_moved": elementwise(lambda x: S.exp(x) * S.sigmoid(-x)),
    "one_number": elementwise(lambda x: 2.0 * x * 3 / 4),
    "multiply_out": elementwise(lambda x, y: (x / S.exp(y) + 2) * (S.exp(y) * x), positive=True),
    "minus_part": elementwise(lambda x, y: x - x * S.sigmoid(y)),
    "sum_of_quotient": elementwise(lambda x, y: reduce.sum(x / S.exp(y), axis=0)),
    # fold
    "fold": elementwise(lambda x: x + S.exp(np.arange(4.0, dtype="float32"))),
    # specialise
    "power_by_products": elementwise(lambda x: x**3 + x**-2 + x**4, positive=True),
    "divide_by_power_of_two": elementwise(lambda x: x / 4),
    "expand_softmax": elementwise(lambda x: nnet.softmax(x, axis=0)),
    "dot_to_blas": _matrices(dot.dot),
    "scale_blas": _accumulated(lambda a, b, c, s: s * dot.dot(a, b) / 3),
    "negate_blas": _accumulated(lambda a, b, c, s: -dot.dot(a, b)),
    "accumulate": _accumulated(lambda a, b, c, s: c - s * (dot.dot(a, b) + s * c)),
}  # fmt: skip


def _source(rule: Rule) -> str:
    return rule.source.rsplit("/", 1)[-1]


OURS = {name for name, rule in ALL_RULES.items() if not _source(rule).startswith("scan_")}


def test_every_rule_has_an_example():
    assert set(EXAMPLES) >= OURS - {"specify_known", "cast_same"}  # these two have tests below


@pytest.mark.parametrize("name", EXAMPLES)
def test_rule(name):
    for outputs, values in EXAMPLES[name]():
        dtypes = {a.dtype for a in values.values()}
        rtol = 3e-6 if np.dtype("float32") in dtypes else 1e-12
        _, recorder = check(outputs, values, rtol=rtol)
        assert name in fired(recorder)


@pytest.mark.parametrize("name", sorted(OURS))
def test_rule_says_what_it_does(name):
    rule = ALL_RULES[name]
    assert "→" in rule.equation
    assert rule.reason.endswith(".")
    path, line = rule.source.split(":")
    assert path.startswith("workbench/core/rewrite/")
    assert path.endswith(".py")
    assert int(line) > 0


def test_excluded_rule_does_not_fire():
    x, a = given("float64", 3)
    result, recorder = check(S.log(S.exp(x)), {x: a}, excluding=["log_exp"])
    assert "log_exp" not in fired(recorder)
    assert result.nodes


def test_cast_to_the_same_dtype_goes():
    x, a = given("float64", 3)
    result, recorder = check(S.Elemwise(S.Cast("float64"))(x), {x: a})
    assert fired(recorder) == {"cast_same"}
    assert result.outputs == (x,)


def test_known_declaration_goes():
    x = tensor("float64", (3,), "x")
    result, recorder = check(shape.SpecifyBroadcast((3,))(x), {x: np.zeros(3)})
    assert fired(recorder) == {"specify_known"}
    assert result.outputs == (x,)


def test_update_of_weights_is_one_blas_call():
    (x, a), (g, b), (w, c) = (
        given("float64", 6, 4),
        given("float64", 6, name="g"),
        given("float64", 4, name="w"),
    )
    update = w - 0.1 * (dot.dot(x.T, g) + 0.02 * w)
    result, _ = check(update, {x: a, g: b, w: c})
    assert [name for name in labels(result.outputs) if name != "transpose"] == ["Gemv"]
    call = result.outputs[0].owner
    assert call.inputs[0] is w
    assert call.inputs[1].data == -0.1
    assert call.inputs[4].data == pytest.approx(0.998)


def test_integers_are_refused_by_blas():
    x, a = given("int32", 3, 3)
    _, recorder = check(dot.dot(x, x), {x: a})
    assert [r.rule for r in recorder.history.refused] == ["dot_to_blas"]
    assert "int32" in recorder.history.refused[0].reason


def test_large_fills_are_not_folded():
    result, recorder = check(alloc(np.float64(1), 1000, 1000) + 1.0, {})
    assert any(r.rule == "fold" and "1000000" in r.reason for r in recorder.history.refused)
    assert labels(result.outputs) == ["alloc"]


def test_readers_of_one_array_share_a_loop():
    x, a = given("float64", 5, 4)
    outputs = [reduce.sum(x, axis=1), reduce.max(x, axis=1), S.exp(x), reduce.sum(x, axis=0)]
    result, _ = check(outputs, {x: a})
    assert [node.op.label for node in result.nodes] == ["fused loop", "sum"]


def test_fusion_leaves_a_graph_that_will_fail():
    x, y = tensor("float64", (3, 4), "x"), tensor("float64", (3, 3), "y")
    z = tensor("float64", (None, None), "z")
    shared = S.exp(z)
    result, _ = rewritten([shared + x, shared * y])
    with pytest.raises(ShapeError):
        run(result.outputs, {x: np.ones((3, 4)), y: np.ones((3, 3)), z: np.ones((3, 4))})
