"""`function`: calls, forms of outputs, inputs with options, givens, names, copies."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T

MODES = ("FAST_RUN", "FAST_COMPILE")
x, y = T.dvectors("x", "y")
A = np.arange(3.0)
B = np.array([4.0, 5.0, 6.0])


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


# ---------------------------------------------------------------- what a call returns


def test_one_output_is_an_array_a_list_a_list_and_none_an_empty_list(mode):
    assert isinstance(wb.function([x], x.sum(), mode=mode)(A), np.ndarray)
    assert wb.function([x], x.sum(), mode=mode)(A).shape == ()
    one, two = wb.function([x], [x + 1, x.sum()], mode=mode)(A)
    np.testing.assert_array_equal(one, A + 1)
    assert two == 3
    assert isinstance(wb.function([x], [x + 1], mode=mode)(A), list)
    assert wb.function([], None, mode=mode)() == []
    assert wb.function([], [], mode=mode)() == []


def test_a_dict_of_outputs_gives_a_dict(mode):
    f = wb.function([x, y], {"sum": x + y, "product": x * y}, mode=mode)
    for result in (f(A, B), f(list(A), B), f(A, y=B)):
        assert list(result) == ["product", "sum"]  # in the keys' order
        np.testing.assert_array_equal(result["product"], A * B)


def test_arguments_by_position_and_name(mode):
    f = wb.function([x, y], x - y, mode=mode)
    for result in (f(A, B), f(A, y=B), f(y=B, x=A), f([0, 1, 2], (4, 5, 6))):
        np.testing.assert_array_equal(result, A - B)


def test_results_never_alias_arguments_shared_values_or_each_other(mode):
    s = wb.shared(A.copy(), "s")
    f = wb.function([x], [x, x, s, x[::-1], s[1:]], mode=mode)
    results = f(A)
    for i, one in enumerate(results):
        assert not np.shares_memory(one, A)
        assert not np.shares_memory(one, s.get_value(borrow=True))
        assert not any(np.shares_memory(one, other) for other in results[:i])


def test_results_can_be_written_to(mode):
    m = T.dmatrix("m")
    for result in wb.function([m], [T.diag(m + 1), T.broadcast_to(m * 2, (2, 3, 3))], mode=mode)(
        np.ones((3, 3))
    ):
        result[0] = 5.0
        assert (result[0] == 5).all()


def test_strided_and_empty_arguments(mode):
    f = wb.function([x], x * 2, mode=mode)
    np.testing.assert_array_equal(f(np.arange(6.0)[::2]), [0, 4, 8])
    assert f(np.empty(0)).shape == (0,)


# ---------------------------------------------------------------- errors of a call


def test_a_missing_argument_is_named():
    f = wb.function([x, y], x + y, name="adder")
    with pytest.raises(wb.ArgumentError, match=r"Missing required input: y\n.*adder.*\(x, y\)"):
        f(A)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: f(A, A, A), "too many arguments"),
        (lambda f: f(A, z=A), "unknown keyword argument: z"),
        (lambda f: f(A, x=A), "given twice"),
    ],
)
def test_arguments_that_do_not_fit_the_signature(call, message):
    with pytest.raises(TypeError, match=message):
        call(wb.function([x, y], x + y))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (np.ones((2, 2)), wb.RankError),
        (np.ones(2, complex), wb.DtypeError),
        (["a"], wb.DtypeError),
        (x, wb.DtypeError),
    ],
)
def test_a_bad_argument_is_told_with_its_index_and_place(value, kind, mode):
    f = wb.function([y, x], x + y, name="f", mode=mode)
    with pytest.raises(kind) as caught:
        f(A, value)
    assert 'function "f" at index 1 (0-based)' in caught.value.wrong
    assert "x: TensorType(float64, vector)" in caught.value.met
    assert caught.value.place.file.endswith("test_function.py")
    assert isinstance(caught.value, TypeError)


def test_an_error_at_run_time_names_the_users_node(mode):
    a, b = T.dvectors("a", "b")
    f = wb.function([a, b], T.exp(a * b).sum(), mode=mode)
    with pytest.raises(wb.ShapeError) as caught:
        f(np.ones(3), np.ones(4))
    error = caught.value
    assert "a: TensorType(float64, vector) of shape (3,)" in error.met
    assert "exp(a * b)" in error.place.text
    assert error.node.op.scalar.name == "mul"
    assert str(error).splitlines()[0].startswith("input dimension mismatch")


def test_allow_input_downcast():
    f = T.fvector("f")
    with pytest.raises(wb.DtypeError):
        wb.function([f], f)(np.ones(2))
    assert wb.function([f], f, allow_input_downcast=True)(np.ones(2)).dtype == "float32"
    assert wb.function([wb.In(f, allow_downcast=True)], f)([0.1]).dtype == "float32"
    with pytest.raises(wb.DtypeError):
        wb.function([wb.In(f, strict=True)], f)([1.0])


def test_trust_input_skips_conversion():
    f = wb.function([x], x + 1, mode="FAST_COMPILE")
    f.trust_input = True
    assert f(np.ones(2, "float32")).dtype == "float32"


# ---------------------------------------------------------------- what function() refuses


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: wb.function(x, x), TypeError, "list or tuple"),
        (lambda: wb.function([3], x), TypeError, "an input is a variable"),
        (lambda: wb.function([T.constant(1.0)], x), TypeError, "constant"),
        (lambda: wb.function([wb.shared(1.0)], x), TypeError, "givens"),
        (lambda: wb.function([x, x], x), wb.UnusedInputError, "twice"),
        (lambda: wb.function([x], x + y), wb.MissingInputError, "y"),
        (lambda: wb.function([x, y], x), wb.UnusedInputError, "y is used by no output"),
        (lambda: wb.function([x], x + T.dvector("z")), wb.MissingInputError, "z"),
        (lambda: wb.function([x], 5), TypeError, "an output is a variable"),
        (lambda: wb.function([x], {1: x}), TypeError, "keys"),
        (lambda: wb.function([x], x, on_unused_input="no"), ValueError, "raise, warn, ignore"),
        (lambda: wb.function([x], x, mode="FAST_RUNN"), ValueError, "Did you mean 'FAST_RUN'"),
        (lambda: wb.function([x], x, device="cuda7"), wb.DeviceError, "cpu"),
        (lambda: wb.Mode("nativ"), wb.ModeError, "Did you mean 'native'"),
    ],
)
def test_requests_that_are_refused(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


def test_unused_inputs_come_before_missing_ones():
    with pytest.raises(wb.UnusedInputError):
        wb.function([x], y)
    with pytest.raises(wb.MissingInputError):
        wb.function([x], y, on_unused_input="ignore")


def test_on_unused_input_by_argument_and_configuration():
    with pytest.warns(UserWarning, match="y is used by no output"):
        wb.function([x, y], x, on_unused_input="warn")
    with warnings.catch_warnings(), wb.config.change(on_unused_input="ignore"):
        warnings.simplefilter("error")
        wb.function([x, y], x)


# ---------------------------------------------------------------- inputs with options


def test_defaults(mode):
    scale = wb.In(T.dscalar("k"), value=2, name="scale")
    inputs = [x, wb.In(y, value=[1, 2, 3]), scale]
    f = wb.function(inputs, x + y, mode=mode, on_unused_input="ignore")
    np.testing.assert_array_equal(f(A), A + [1, 2, 3])
    np.testing.assert_array_equal(f(A, B), A + B)
    np.testing.assert_array_equal(f(A, scale=3), A + [1, 2, 3])
    assert f["scale"] == 2
    f["y"] = B
    np.testing.assert_array_equal(f(A), A + B)
    np.testing.assert_array_equal(f[y], B)
    with pytest.raises(TypeError, match="no input 'q'"):
        f["q"]


def test_an_input_with_an_update_is_state(mode):
    n, step = T.dscalars("n", "step")
    f = wb.function([step, wb.In(n, value=0.0, update=n + step)], n * 10, mode=mode)
    assert [float(f(1)), float(f(2)), float(f(3))] == [0, 10, 30]
    assert f[n] == 6
    assert f(1, 100) == 1000
    assert f["n"] == 101  # computed from the value that was passed


def test_in_checks_itself():
    with pytest.raises(wb.UpdateError):
        wb.In(x, value=A, update=x.sum())
    with pytest.raises(TypeError, match="name is text"):
        wb.In(x, name=3)
    with pytest.raises(TypeError, match="mutable"):
        wb.In(x, mutable=True, borrow=False)
    f = wb.function([wb.In(x, value=A, implicit=True), y], x + y)
    np.testing.assert_array_equal(f(B), A + B)
    with pytest.raises(TypeError, match="implicit"):
        f(y=B, x=A)


def test_a_computed_variable_may_be_an_input(mode):
    h = x * 2
    np.testing.assert_array_equal(wb.function([h], h + 1, mode=mode)(A), A + 1)


# ---------------------------------------------------------------- givens


def test_givens_replace_inputs_expressions_and_shared(mode):
    s, t = wb.shared(A, "s"), wb.shared(B, "t")
    h = x + 1
    np.testing.assert_array_equal(
        wb.function([y], h * 2, givens={x: y * 3}, mode=mode)(A), (A * 3 + 1) * 2
    )
    np.testing.assert_array_equal(wb.function([], x + 1, givens={x: s}, mode=mode)(), A + 1)
    np.testing.assert_array_equal(wb.function([], s + 1, givens={s: t}, mode=mode)(), B + 1)
    np.testing.assert_array_equal(wb.function([y], h * 2, givens=[(h, y)], mode=mode)(A), A * 2)
    np.testing.assert_array_equal(wb.function([], x + 1, givens={x: [1, 2]}, mode=mode)(), [2, 3])


def test_givens_apply_to_updates(mode):
    s = wb.shared(A, "s")
    wb.function([y], updates={s: s + x}, givens={x: y}, mode=mode)(B)
    np.testing.assert_array_equal(s.get_value(), A + B)


@pytest.mark.parametrize(
    ("inputs", "givens", "message"),
    [
        ([x], {x: y}, "is an input"),
        ([], {x: T.fvector("q")}, "Cannot convert"),
        ([], {x: y * 2, y: T.dvector("q")}, "replaced itself"),
        ([], {"x": y}, "a key of givens is a variable"),
        ([], {x: np.ones((2, 2))}, "Wrong number of dimensions"),
    ],
)
def test_givens_that_are_refused(inputs, givens, message):
    with pytest.raises(TypeError, match=message):
        wb.function(inputs, x + 1, givens=givens)


# ---------------------------------------------------------------- the function object


def test_names_and_repr():
    assert wb.function([x], x, name="f").name == "f"
    assert wb.function([x], x).name.startswith("tests/core/test_function.py:")


def test_the_optimised_graph_can_be_read():
    w = T.dmatrix("w")
    f = wb.function([w, x], T.tanh(T.dot(w, x)) * 2)
    kinds = {type(node.op).__name__ for node in f.maker.fgraph.toposort()}
    assert "Gemv" in kinds
    assert f.maker.mode.name == "FAST_RUN"
    assert f.maker.fgraph.inputs == [w, x]


def test_copy_with_other_shared_variables_and_without_updates(mode):
    s, t = wb.shared(1.0, "s"), wb.shared(10.0, "t")
    f = wb.function([], s * 2, updates={s: s + 1}, mode=mode)
    g = f.copy(swap={s: t})
    assert (g(), t.get_value(), s.get_value()) == (20, 11, 1)
    h = f.copy(delete_updates=True, name="h")
    assert (h(), h(), s.get_value(), h.name) == (2, 2, 1, "h")
    assert f.get_shared() == [s]
    with pytest.raises(ValueError, match="not a shared variable of this function"):
        f.copy(swap={t: s})
    with pytest.raises(ValueError, match="in the place of"):
        f.copy(swap={s: wb.shared(1, "i")})


def test_copies_have_state_of_their_own():
    n = T.dscalar("n")
    f = wb.function([wb.In(n, value=1.0, update=n + 1)], n)
    f()
    g = f.copy()
    g()
    assert (f["n"], g["n"]) == (2, 3)


def test_eval_by_variable_and_by_name():
    z = x + y
    np.testing.assert_array_equal(z.eval({x: A, "y": B}), A + B)
    assert len(z.tag.compiled) == 1
    z.eval({x: A, y: B})
    assert len(z.tag.compiled) == 1
    with pytest.raises(wb.MissingInputError):
        z.eval({x: A})
    with pytest.raises(wb.UnusedInputError):
        x.eval({x: A, y: B})
    with pytest.raises(wb.UnusedInputError, match="no input"):
        z.eval({"q": A})


def test_a_variable_that_was_evaluated_is_pickled():
    z = T.tanh(x) + 1
    z.eval({x: A})
    again = pickle.loads(pickle.dumps(z))
    np.testing.assert_array_equal(again.eval({"x": A}), np.tanh(A) + 1)


def test_profile_counts_calls_and_ops():
    f = wb.function([x, y], x + y, profile="adding", mode="FAST_COMPILE")
    f(A, B)
    f(A, B)
    assert f.profile.call_times.calls == 2
    assert f.profile.name == "adding"
    (times,) = f.profile.nodes.values()
    assert (times.calls, times.flops, times.bytes) == (2, 3, 72)


def test_a_function_may_be_called_from_within_a_call():
    f = wb.function([x], x + 1)
    assert [f(f(f(A)))[0] for _ in range(3)] == [3, 3, 3]


def test_updates_of_a_loop_that_are_not_passed_on():
    k, x = wb.shared(0, "k"), T.dvector("x")
    out, updates = wb.scan(lambda a: (a, {k: k + 1}), x)
    with pytest.warns(UserWarning, match="changes k .* pass the updates"):
        wb.function([x], out)
    wb.function([x], out, updates=updates)([1.0, 2.0])
    assert k.get_value() == 2
