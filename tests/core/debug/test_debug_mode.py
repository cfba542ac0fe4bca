"""DebugMode finds what is wrong with a rule, an op or native code, and nothing in what is right."""

from __future__ import annotations

import itertools
from importlib import import_module

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.debug.debug_mode import DebugMode
from workbench.core.debug.errors import (
    BadDestroyMap,
    BadOptimization,
    BadThunkOutput,
    BadViewMap,
    DebugModeError,
    InvalidValueError,
    StochasticOrder,
)
from workbench.core.graph import Op
from workbench.core.native import emit_shape
from workbench.core.native import program as native_program
from workbench.core.ops.print_op import Print
from workbench.core.ops.scalars import Exp, Tanh, sub, tanh
from workbench.core.rewrite.engine import rule
from workbench.core.types import tensor_type
from workbench.frozen import frozen
from workbench.tensor.random import RandomStreams

passes = import_module("workbench.core.rewrite.pipeline")  # a function has the same name
x, m = T.dvector("x"), T.dmatrix("m")
ONES = np.ones(3)


def debugged(inputs, outputs, updates=None, **options):
    return wb.function(inputs, outputs, updates=updates, mode=DebugMode(**options))


class Same(Op):
    """The base of the ops here: one input, an output of its type."""

    def infer(self, *inputs):
        return [tensor_type(inputs[0])]


@frozen
class Backwards(Same):
    def evaluate(self, *values):
        return [values[0][::-1].copy()]


@frozen
class Overwrites(Same):
    def evaluate(self, *values):
        values[0][...] += 1
        return [values[0].copy()]


@frozen
class Random(Same):
    def evaluate(self, *values):
        return [values[0] + np.random.default_rng().random()]


@frozen
class WrongDtype(Same):
    def evaluate(self, *values):
        return [values[0].astype("float32")]


@frozen
class WrongRank(Same):
    def evaluate(self, *values):
        return [values[0].reshape(1, -1)]


# --- what is right passes


def loop():
    w = wb.shared(np.linspace(-1, 1, 9).reshape(3, 3), "w")
    rows, _ = wb.scan(
        lambda a, h: T.tanh(a + T.dot(h, w)) + T.log(T.exp(h)), m, T.zeros((3,)), name="rnn"
    )
    cost = T.sum(T.nnet.sigmoid(rows[-1]) ** 2)
    return [m], [cost, rows], {w: w - 0.1 * T.grad(cost, w)}


def logistic():
    w, b = wb.shared(np.zeros(3), "w"), wb.shared(0.0, "b")
    p = 1 / (1 + T.exp(-T.dot(m, w) - b))
    cost = (-x * T.log(p) - (1 - x) * T.log(1 - p)).mean() + 0.01 * (w**2).sum()
    gw, gb = T.grad(cost, [w, b])
    return [m, x], [p > 0.5, cost], {w: w - 0.1 * gw, b: b - 0.1 * gb}


GRAPHS = {
    "tutorial": lambda: ([x], 10 * x, {}),
    "softmax": lambda: ([m], T.log(T.nnet.softmax(m)), {}),
    "integers": lambda: ([x], [T.argmax(x), T.cast(x, "int32") // 2, x.shape[0]], {}),
    "views": lambda: ([m], [m.T, m[::2], m.reshape((9,)), m.dimshuffle(0, "x", 1)], {}),
    "inputs as outputs": lambda: ([x], [x, x], {}),
    "constants": lambda: ([], T.constant(2.0) * 3, {}),
    "condition": lambda: ([x], wb.ifelse(T.sum(x) > 1, T.exp(x), T.log(x - 100)), {}),
    "loop": loop,
    "logistic": logistic,
}


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_that_are_right(name):
    inputs, outputs, updates = GRAPHS[name]()
    values = [{1: ONES * 0.5, 2: np.eye(3) / 2}[v.ndim] for v in inputs]
    plain = wb.function(inputs, outputs, updates=updates, mode="FAST_COMPILE")
    start = {s: s.get_value() for s in updates}
    expected = [plain(*values) for _ in range(2)]
    after = {s: s.get_value() for s in updates}
    for s, value in start.items():
        s.set_value(value)
    f = debugged(inputs, outputs, updates, check_isfinite=False)
    for round_ in expected:
        found = f(*values)
        for a, b in zip(np.atleast_1d(found) if not isinstance(found, list) else found,
                        np.atleast_1d(round_) if not isinstance(round_, list) else round_,
                        strict=True):  # fmt: skip
            np.testing.assert_allclose(a, b, rtol=1e-9)
    for s, value in after.items():
        np.testing.assert_allclose(s.get_value(), value, rtol=1e-9)


def test_random_streams_give_what_they_give_elsewhere():
    def drawn(mode):
        stream = RandomStreams(seed=7)
        f = wb.function([], stream.normal((3,)) * 2, mode=mode)
        return [f(), f()]

    for a, b in zip(drawn("DebugMode"), drawn("FAST_RUN"), strict=True):
        np.testing.assert_allclose(a, b)


def test_prints_are_printed_once(capsys):
    f = debugged([x], Print("p")(x) * 2 + 1)
    f(ONES)
    assert capsys.readouterr().out == "p __str__ = [1. 1. 1.]\n"


def test_errors_of_the_user_are_the_users():
    y = T.dvector("y")
    s = wb.shared(0.0, "s")
    f = debugged([x, y], x + y, {s: s + 1})
    with pytest.raises(ValueError, match="dimension mismatch") as caught:
        f(ONES, np.ones(2))
    assert not isinstance(caught.value, DebugModeError)
    assert s.get_value() == 0


# --- rules


@rule(Tanh, equation="tanh(x) → tanh(x) - 0.001")
def wrong_tanh(node, context):
    """A rule that is wrong."""
    if any(tensor_type(v).dtype != "float64" for v in node.inputs):
        return None
    if node.inputs[0].owner is not None and "exp" in str(node.inputs[0].owner):
        return None  # its own result is not rewritten again
    return sub(tanh(T.log(T.exp(node.inputs[0]))), 0.001)


@pytest.fixture
def with_wrong_rule(monkeypatch):
    """The pipeline with one wrong rule among those of its second pass and of loops' bodies."""

    def add(wrong):
        new = tuple(
            passes.Pass(p.name, p.why, (wrong, *p.rules)) if p.name == "canonicalise" else p
            for p in passes.PASSES
        )
        monkeypatch.setattr(passes, "PASSES", new)
        monkeypatch.setattr(passes, "PIPELINES", {"fast_run": new, "fast_compile": new[:4]})

    return add


def test_a_wrong_rule_is_named(with_wrong_rule):
    with_wrong_rule(wrong_tanh)
    s = wb.shared(1.0, "s")
    f = debugged([x], T.tanh(x) * 2 + 1, {s: s + 1})
    with pytest.raises(BadOptimization) as caught:
        f(np.array([0.5, 1.0]))
    error = caught.value
    assert error.rule is wrong_tanh
    text = str(error)
    assert text.startswith("the rule wrong_tanh of the pass canonicalise changed a value: ")
    assert "2 of 2 elements differ, the largest difference is 0.001, first at (0,)" in text
    assert "tanh(x) → tanh(x) - 0.001" in text
    assert "x: TensorType(float64, vector)" in text
    assert "before:\nElemwise{tanh,no_inplace} [id A]" in text
    assert "after:\nElemwise{sub,no_inplace} [id A]" in text
    assert "made at tests/core/debug/test_debug_mode.py" in text
    assert "excluding('wrong_tanh')" in text
    assert s.get_value() == 0 or s.get_value() == 1  # nothing was stored
    assert s.get_value() == 1
    right = wb.function([x], T.tanh(x), mode=DebugMode().excluding("wrong_tanh"))
    np.testing.assert_allclose(right(ONES), np.tanh(ONES))


def test_a_wrong_rule_in_a_loops_body(with_wrong_rule):
    with_wrong_rule(wrong_tanh)
    rows, _ = wb.scan(lambda a, h: T.tanh(a * 2 + h), x, T.constant(0.0))
    f = debugged([x], rows[-1])
    with pytest.raises(BadOptimization, match="rule wrong_tanh of the pass canonicalise") as caught:
        f(ONES)
    assert "instead of" in str(caught.value)


@rule(Exp, equation="exp(x) → exp(-x)")
def wrong_only_elsewhere(node, context):
    """Wrong, but not at 0."""
    (v,) = node.inputs
    if v.owner is not None and "neg" in str(v.owner):
        return None
    return T.exp(-v)


def test_a_wrong_rule_is_found_where_the_values_show_it(with_wrong_rule):
    with_wrong_rule(wrong_only_elsewhere)
    f = debugged([x], T.exp(x))
    np.testing.assert_array_equal(f(np.zeros(2)), [1, 1])
    with pytest.raises(BadOptimization, match=r"1 of 2 elements differ.*first at \(1,\)"):
        f(np.array([0.0, 1.0]))


def test_a_rule_that_makes_a_node_fail(with_wrong_rule):
    @rule(Exp, equation="exp(x) → exp(x)[7]")
    def fails(node, context):
        """Fails when it runs."""
        return T.tanh(node.inputs[0][T.constant([7, 7, 7])])

    with_wrong_rule(fails)
    f = debugged([x], T.exp(x))
    with pytest.raises(
        BadOptimization, match=r"rule fails .*what replaces it fails: .*out of bounds"
    ):
        f(ONES)


def test_a_rule_that_changes_the_shape(with_wrong_rule):
    @rule(Exp, equation="exp(x) → exp(x)[1:]")
    def shorter(node, context):
        """Drops an element."""
        return T.tanh(node.inputs[0])[1:]

    with_wrong_rule(shorter)
    with pytest.raises(BadOptimization, match=r"rule shorter .*shape \(2,\) instead of \(3,\)"):
        debugged([x], T.exp(x))(ONES)


def test_an_unstable_optimisation(with_wrong_rule):
    turns = itertools.count()

    @rule(Exp, equation="exp(x) → one thing or another")
    def moody(node, context):
        """Depends on what came before."""
        if node.inputs[0].owner is not None:
            return None
        return T.exp(node.inputs[0] + 0.0) if next(turns) == 2 else T.exp(node.inputs[0] * 1.0)

    with_wrong_rule(moody)
    with pytest.raises(StochasticOrder, match=r"(?s)two optimisations of .* differ.*another time"):
        debugged([x], T.exp(x), optimizer="fast_compile")
    debugged([x], T.exp(x), optimizer="fast_compile", stability_patience=1)


def test_stable_formulas_are_right_where_the_others_were_out_of_range():
    y = T.fvector("y")
    p = 1 / (1 + T.exp(-y))
    slope = T.grad(T.sum(-T.log(1 - p) * 0.5), y)
    f = debugged([y], slope, check_isfinite=False)
    far = np.array([-60.0, -1.0, 0.5, 60.0], "float32")
    np.testing.assert_allclose(f(far), 0.5 / (1 + np.exp(-far.astype(float))), rtol=1e-5)
    softplus = debugged([x], T.log(1 + T.exp(x)), check_isfinite=False)
    np.testing.assert_allclose(softplus(np.array([-800.0, 800.0])), [0, 800])


# --- ops and native code


@pytest.fixture
def wrong_native(monkeypatch):
    """Backwards has native code, which leaves the order as it is."""
    monkeypatch.setitem(native_program.EMITTERS, Backwards, emit_shape.emit_same)


def test_native_code_that_is_wrong(wrong_native):
    f = debugged([x], T.tanh(Backwards()(x)))
    np.testing.assert_allclose(f(ONES), np.tanh(ONES))
    with pytest.raises(BadThunkOutput) as caught:
        f(np.array([1.0, 2.0, 3.0]))
    text = str(caught.value)
    assert text.startswith(
        "native code and the interpreter differ in output 0 of Backwards: 2 of 3 elements differ"
    )
    assert "first at (0,): 1.0 instead of 3.0" in text
    assert "x: TensorType(float64, vector)" in text
    assert "test_debug_mode.py" in text


@pytest.mark.parametrize("unchecked", ["check_c_code", "check_py_code"])
def test_native_code_need_not_be_compared(wrong_native, unchecked):
    f = debugged([x], Backwards()(x), **{unchecked: False})
    np.testing.assert_array_equal(f(np.array([1.0, 2.0])), [2.0, 1.0])
    with wb.config.change(DebugMode__check_c=False):
        f = wb.function([x], Backwards()(x), mode="DEBUG_MODE")
        np.testing.assert_array_equal(f(np.array([1.0, 2.0])), [2.0, 1.0])


def test_native_code_that_is_wrong_in_a_loop(wrong_native):
    rows, _ = wb.scan(lambda a: Backwards()(a), m)
    f = debugged([m], rows)
    with pytest.raises(BadThunkOutput, match="output 0 of for"):
        f(np.arange(6.0).reshape(2, 3))


def _failing(w, node):
    """Native code that refuses everything."""
    emit_shape.emit_same(w, node)
    w.require("false")


def test_native_code_that_fails(monkeypatch):
    monkeypatch.setitem(native_program.EMITTERS, Backwards, _failing)
    f = debugged([x], Backwards()(x))
    with pytest.raises(BadThunkOutput, match="native code of Backwards failed"):
        f(ONES)


def test_an_op_that_writes_to_its_input():
    f = debugged([x], Overwrites()(x) * 2)
    given = ONES.copy()
    with pytest.raises(BadDestroyMap, match="Overwrites wrote to its input 0, x, when the interp"):
        f(given)


def test_an_op_that_writes_to_its_input_in_a_loop():
    rows, _ = wb.scan(lambda a: Overwrites()(a + 1), m)
    with pytest.raises(BadDestroyMap, match="Overwrites"):
        debugged([m], rows)(np.eye(3))


def test_an_op_that_is_not_the_same_twice():
    with pytest.raises(StochasticOrder, match="two runs of Random over the same inputs"):
        debugged([x], Random()(x), optimizer=None)(ONES)


@pytest.mark.parametrize(
    ("op", "wrong"), [(WrongDtype(), "dtype is float32"), (WrongRank(), r"shape is \(1, 3\)")]
)
def test_values_of_another_type(op, wrong):
    with pytest.raises(InvalidValueError, match=f"is not one of TensorType.*{wrong}"):
        debugged([x], op(x))(ONES)


def test_values_that_are_not_finite():
    f = debugged([x], T.log(x))
    f(ONES)
    with pytest.raises(InvalidValueError, match="not finite"):
        f(ONES * 0)
    assert np.isinf(debugged([x], T.log(x), check_isfinite=False)(ONES * 0)).all()
    rows, _ = wb.scan(lambda a, b: b * a, x, T.constant(1.0), name="powers")
    with pytest.raises(InvalidValueError, match="not finite, in iteration 1 of scan powers"):
        debugged([x], rows)(np.array([1e200, 1e200]))


def test_a_result_that_is_the_callers_memory():
    f = debugged([x], x * 2)
    f(ONES)

    class Aliases:
        def run(self, args):
            args[0][...] *= 2
            return [args[0]]

    f.linked._whole = Aliases()
    with pytest.raises(BadViewMap, match="output 0 is memory of an argument"):
        f(ONES)


def test_native_results_that_lie_differently():
    f = debugged([m], m.T + 0.5, require_matching_strides=0)
    f(np.ones((2, 3)))
    f = debugged([m], m.T + 0.5, require_matching_strides=2)
    with pytest.raises(BadThunkOutput, match="strides"):
        f(np.ones((2, 3)))
    f = debugged([m], m.T + 0.5, require_matching_strides=1)
    with pytest.warns(UserWarning, match="strides"):
        f(np.ones((2, 3)))


def test_the_family_and_the_options():
    for kind in (BadOptimization, BadThunkOutput, BadDestroyMap, BadViewMap, InvalidValueError,
                 StochasticOrder):  # fmt: skip
        assert issubclass(kind, DebugModeError)
        assert issubclass(kind, wb.WorkbenchError)
    assert wb.DebugMode is DebugMode
    with wb.config.change(DebugMode__patience=3, DebugMode__check_finite=False):
        mode = DebugMode()
        assert (mode.stability_patience, mode.check_isfinite) == (3, False)
    kept = DebugMode(check_isfinite=False).excluding("fusion")
    assert isinstance(kept, DebugMode)
    assert not kept.check_isfinite
    f = wb.function([x], T.tanh(x) + 1, mode=kept)
    assert len(f.maker.fgraph.toposort()) == 2


def test_an_op_with_an_attribute_that_is_no_graph():
    image = T.dtensor4("image")
    f = debugged([image], T.nnet.pool_2d(image, (2, 2), ignore_border=True))
    assert f(np.arange(16.0).reshape(1, 1, 4, 4)).ravel().tolist() == [5, 7, 13, 15]
    profiled = wb.function(
        [image], T.nnet.pool_2d(image, (2, 2)), profile=True, mode="FAST_COMPILE"
    )
    profiled(np.ones((1, 1, 4, 4)))
    assert profiled.profile.nodes
    assert "Pool" in wb.debugprint(profiled, file="str")


def test_float64_computed_from_float32_is_as_exact_as_that():
    x = T.fmatrix("x")
    y = 1 / (1 + T.exp(-x))
    f = wb.function([x], T.linalg.matrix_power(T.dot(y, y.T) * 0.1, 3), mode="DebugMode")
    for seed in range(12):
        f(np.random.default_rng(seed).normal(size=(17, 17)).astype("float32"))
