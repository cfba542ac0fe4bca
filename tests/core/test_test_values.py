"""Test values: ops evaluated as they are applied, errors at the user's line, missing ones told."""

from __future__ import annotations

import pdb
import pickle
import traceback
import warnings

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import as_list, inputs_for
from workbench.core.interpreter import Interpreter
from workbench.core.rewrite import optimise
from workbench.core.samples import SAMPLES
from workbench.core.trial import get_test_value
from workbench.errors import MissingTestValueError
from workbench.tensor.random import RandomStreams

A = np.array([1.0, 2.0, 3.0])


@pytest.fixture(params=["ignore", "warn", "raise", "pdb"])
def mode(request):
    """Every mode but off."""
    with wb.config.change(compute_test_value=request.param):
        yield request.param


def valued(name="x", value=A, make=T.dvector):
    variable = make(name)
    variable.tag.test_value = value
    return variable


def test_each_op_is_evaluated_as_it_is_applied(mode):
    x, w = valued(), wb.shared(A * 2, "w")
    y = x * w + 1
    np.testing.assert_array_equal(y.tag.test_value, A * A * 2 + 1)
    assert T.sum(y).tag.test_value == 31
    np.testing.assert_array_equal(get_test_value(T.constant([4, 5])), [4, 5])
    np.testing.assert_array_equal(get_test_value(w), A * 2)
    largest, where = T.max_and_argmax(x)
    assert (largest.tag.test_value, where.tag.test_value) == (3, 2)


def test_off_computes_nothing():
    x = valued()
    y = x * 2
    assert not y.tagged("test_value")
    with pytest.raises(AttributeError):
        y.tag.test_value
    np.testing.assert_array_equal(get_test_value(y), A * 2)  # when it is asked for


def test_every_variable_has_a_tag():
    x = T.dvector()
    for variable in (x, x + 1, T.constant(1), wb.shared(1.0)):
        variable.tag.mine = 3
        assert variable.tag.mine == 3
        assert variable.tag is variable.tag


def test_an_error_strikes_at_the_users_line(mode, monkeypatch):
    monkeypatch.setattr(pdb, "post_mortem", lambda trace: None)
    x, y = valued(), valued("y", np.ones(4))
    with pytest.raises(wb.ShapeError) as caught:
        T.exp(x * y)  # the line at fault
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert any("the line at fault" in (frame.line or "") for frame in frames)
    assert "the line at fault" in caught.value.place.text


def test_indices_out_of_range_strike_at_once(mode, monkeypatch):
    monkeypatch.setattr(pdb, "post_mortem", lambda trace: None)
    x, i = valued(), valued("i", np.int64(7), T.lscalar)
    with pytest.raises(IndexError):
        x[i]


def test_missing_values():
    x, y = valued(), T.dvector("y")  # made here
    with wb.config.change(compute_test_value="raise"):
        with pytest.raises(ValueError, match=r"input 1 of .*mul.*, y, has no test value") as caught:
            x * y
        assert isinstance(caught.value, MissingTestValueError)
        assert "made here" in caught.value.place.text
        assert "applied at" in caught.value.met
        assert caught.value.node is y
    with (
        wb.config.change(compute_test_value="warn"),
        pytest.warns(UserWarning, match="y, has no test value"),
    ):
        x * y
    with wb.config.change(compute_test_value="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not (x * y).tagged("test_value")


def test_pdb_is_entered_where_a_value_is_missing_or_an_op_fails(monkeypatch):
    entered = []
    monkeypatch.setattr(pdb, "post_mortem", entered.append)
    with wb.config.change(compute_test_value="pdb"):
        with pytest.raises(MissingTestValueError):
            T.dvector() + 1
        with pytest.raises(wb.ShapeError):
            valued() + valued("y", np.ones(4))
    assert len(entered) == 2


@pytest.mark.parametrize("value", ["text", np.ones((2, 2)), np.ones(3, complex), None])
def test_values_of_another_type(mode, value):
    x = valued(value=value)
    with pytest.raises(TypeError, match="the test value of x is not of its type"):
        x + 1


def test_values_are_converted():
    with wb.config.change(compute_test_value="raise"):
        assert (valued(value=[1, 2]) + 1).tag.test_value.dtype == "float64"


def test_gradients_have_values_and_rewrites_do_not_ask(mode):
    x = valued()
    slope = wb.grad((x**3).sum(), x)
    np.testing.assert_allclose(slope.tag.test_value, 3 * A**2)
    f = wb.function([x], T.log(T.exp(slope * 2)))
    np.testing.assert_allclose(f(A), 6 * A**2)
    made = optimise([T.exp(slope) * 1 + T.exp(slope)])
    assert not any(v.tagged("test_value") for node in made.nodes for v in node.outputs)
    assert wb.config.compute_test_value == mode


def test_what_a_function_adds_needs_no_values():
    s, i = wb.shared(1.5), T.iscalar("i")
    with wb.config.change(compute_test_value="raise"):
        f = wb.function([i], updates={s: i})  # the update is cast to the variable's dtype
    f(3)
    assert s.get_value() == 3


def test_a_graph_from_before_is_evaluated_where_it_is_needed():
    x = valued()
    y = x * 2
    with wb.config.change(compute_test_value="raise"):
        np.testing.assert_array_equal((y + 1).tag.test_value, A * 2 + 1)


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_every_op_has_test_values(kind):
    """The values are those that the graph has when it runs."""
    for sample in SAMPLES[kind]():
        with wb.config.change(compute_test_value="raise"):
            inputs = inputs_for(sample.arrays)
            for variable, array in zip(inputs, sample.arrays, strict=True):
                variable.tag.test_value = array
            outputs = as_list(sample.build(*inputs))
        expected = Interpreter(outputs).run(dict(zip(inputs, sample.arrays, strict=True)))
        for output, value in zip(outputs, expected, strict=True):
            np.testing.assert_array_equal(output.tag.test_value, value)


def test_draws(mode):
    """A test value is drawn from the stream's state, which stays as it is."""
    stream = RandomStreams(3)
    sample = stream.uniform((2,))
    (first, second) = (wb.function([], sample), sample.tag.test_value)
    np.testing.assert_array_equal(first(), second)
    out, updates = wb.scan(lambda: stream.normal((2,)), n_steps=3)
    np.testing.assert_array_equal(wb.function([], out, updates=updates)(), out.tag.test_value)


def test_conditions(mode):
    x, c = valued(), valued("c", np.int32(0), T.iscalar)
    np.testing.assert_array_equal(wb.ifelse(c, x, x * 2).tag.test_value, A * 2)
    out, _ = wb.scan(lambda a, h: (a + h, wb.until(h > 0)), x, outputs_info=np.float64(0))
    np.testing.assert_array_equal(out.tag.test_value, [1, 3])


# Loops


def test_a_step_sees_its_first_rows(mode):
    x, seen = valued("x", np.arange(12.0).reshape(4, 3), T.dmatrix), []

    def step(before, now, after, older, state):
        seen.extend(v.tag.test_value for v in (before, now, after, older, state))
        return now + state

    start = valued("s", np.array([[7.0] * 3, [8.0] * 3]), T.dmatrix)
    out, _ = wb.scan(step, {"input": x, "taps": [-1, 0, 1]}, {"initial": start, "taps": [-2, -1]})
    np.testing.assert_array_equal(seen, [*x.tag.test_value[:3], *start.tag.test_value])
    assert out.tag.test_value.shape == (2, 3)
    np.testing.assert_array_equal(out.tag.test_value[0], x.tag.test_value[1] + 8)


def test_backwards_a_step_sees_the_last_row(mode):
    seen = []
    wb.scan(lambda a: seen.append(a.tag.test_value) or a * 2, valued(), go_backwards=True)
    assert seen == [3.0]


def test_an_error_in_a_step_strikes_at_the_users_line_in_it(mode, monkeypatch):
    monkeypatch.setattr(pdb, "post_mortem", lambda trace: None)
    w = valued("w", np.ones((2, 2)), T.dmatrix)

    def step(h):
        return T.dot(w, h)  # shapes that do not fit

    with pytest.raises(wb.ShapeError) as caught:
        wb.scan(step, outputs_info=valued(), n_steps=3)
    assert "shapes that do not fit" in caught.value.place.text


def test_gradients_of_loops(mode):
    w = valued("w", np.float64(2), T.dscalar)
    out, _ = wb.scan(lambda h: h * w, outputs_info=T.constant(1.0, dtype="float64"), n_steps=3)
    slope = wb.grad(out[-1], w)
    assert slope.tag.test_value == 12
    other = wb.hessian((valued() ** 3).sum(), valued("y"), disconnected_inputs="ignore")
    np.testing.assert_array_equal(other.tag.test_value, 0)
    x = valued()
    np.testing.assert_allclose(wb.jacobian(x * x, x).tag.test_value, np.diag(2 * A))


# What is shown and kept


def test_print_test_value():
    x = valued()
    assert repr(x) == "x"
    with wb.config.change(print_test_value=True):
        assert repr(x) == f"x\n{A!r}"
        assert repr(T.dvector("y")) == "y"
        assert str(x) == "x"


def test_pickles():
    x = valued()
    again = pickle.loads(pickle.dumps(x))
    np.testing.assert_array_equal(again.tag.test_value, A)
    with wb.config.change(pickle_test_value=False):
        assert not pickle.loads(pickle.dumps(x)).tagged("test_value")


def test_inspection_takes_test_values_by_default():
    x, y = valued(), T.dvector("y")
    seen = wb.inspect(x + y, values={y: A})
    np.testing.assert_array_equal(np.asarray(seen.values[x]), A)
    doubled = wb.inspect(x + y, values={y: A, x: A * 2})
    np.testing.assert_array_equal(np.asarray(doubled.values[x]), A * 2)
