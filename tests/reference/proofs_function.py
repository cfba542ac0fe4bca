"""theano.function: every parameter, and what a Function is."""

from __future__ import annotations

import copy
import io
import pickle

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import proves
from workbench.core.link import PyLinked

A = np.arange(3.0)
FUNCTION = "theano.function"
FUNCTIONS = "theano.compile.Function"


@proves(FUNCTION, "inputs")
def inputs_are_a_list_of_variables() -> None:
    x, y = T.dvectors("x", "y")
    np.testing.assert_array_equal(theano.function([x, theano.In(y)], x - y)(A, A * 3), -2 * A)
    np.testing.assert_array_equal(theano.function((y, x), x - y)(A * 3, A), -2 * A)
    for wrong, words in ((x, "list or tuple"), ([3], "an input is a variable"), ([x, x], "twice")):
        with pytest.raises((TypeError, theano.compile.UnusedInputError), match=words):
            theano.function(wrong, x)
    with pytest.raises(TypeError, match="constant"):
        theano.function([T.constant(1.0)], x)
    with pytest.raises(TypeError, match="givens"):
        theano.function([theano.shared(A)], x)


@proves(FUNCTION, "outputs")
def outputs_give_the_form_of_the_result() -> None:
    x = T.dscalar("x")
    one = theano.function([x], x * 2)(3)
    assert isinstance(one, np.ndarray)
    assert (one.shape, float(one)) == ((), 6.0)
    assert theano.function([x], [x * 2, theano.Out(x + 1)])(3) == [6.0, 4.0]
    assert theano.function([x], [x * 2])(3) == [6.0]
    assert theano.function([], None)() == theano.function([], [])() == []
    assert theano.function([x], {"b": x, "a": -x})(3) == {"a": -3.0, "b": 3.0}
    with pytest.raises(TypeError):
        theano.function([x], 5)


@proves("results of a function", "dict of outputs")
def a_dict_of_outputs_is_in_the_order_of_its_keys() -> None:
    x = T.dscalar("x")
    assert list(theano.function([x], {"b": x, "a": -x})(3)) == ["a", "b"]
    with pytest.raises(AssertionError, match="keys"):
        theano.function([x], {1: x})


@proves(FUNCTION, "mode")
def a_mode_says_what_runs_the_function() -> None:
    x = T.dvector("x")
    f = theano.function([x], T.exp(x) + 1, mode="FAST_COMPILE")
    assert isinstance(f.linked, PyLinked)
    assert len(f.maker.fgraph.toposort()) == 2
    f = theano.function([x], T.exp(x) + 1, mode=theano.Mode("cvm", "fast_run"))
    assert not isinstance(f.linked, PyLinked)
    assert len(f.maker.fgraph.toposort()) == 1
    with pytest.raises(Exception, match="no mode 'SLOW'"):
        theano.function([x], x, mode="SLOW")


@proves(FUNCTION, "updates")
def updates_are_stored_together_after_the_outputs() -> None:
    a, b = theano.shared(1.0, "a"), theano.shared(2.0, "b")
    f = theano.function([], a + b, updates=[(a, b), [b, a]])
    assert f() == 3.0
    assert (a.get_value(), b.get_value()) == (2.0, 1.0)
    theano.function([], updates={a: 7})()
    assert a.get_value() == 7.0
    x = T.dscalar("x")
    with pytest.raises(TypeError, match="not a shared variable"):
        theano.function([x], x, updates=[(x, x + 1)])
    with pytest.raises(ValueError, match=r"two updates|twice|more than one"):
        theano.function([], [], updates=[(a, b), (a, a + 1)])
    with pytest.raises(TypeError, match="type"):
        theano.function([], [], updates=[(theano.shared(np.float32(1)), a)])
    with pytest.raises(ValueError, match="pair"):
        theano.function([], [], updates=[a])


@proves("results of a function", "failed updates")
def a_call_that_fails_stores_nothing() -> None:
    s, t, x = theano.shared(A, "s"), theano.shared(A, "t"), T.dvector("x")
    f = theano.function([x], [], updates=[(s, s + 1), (t, t + x)])
    with pytest.raises(ValueError, match="shape"):
        f(np.ones(2))
    np.testing.assert_array_equal(s.get_value(), A)


@proves(FUNCTION, "givens")
def givens_replace_parts_of_a_graph() -> None:
    x, y, s = T.dscalar("x"), T.dscalar("y"), theano.shared(3.0, "s")
    assert theano.function([x], x * y, givens={y: x + 1})(4) == 20
    assert theano.function([x], x * s, givens=[(s, x)])(4) == 16
    assert theano.function([x], x * y, givens={y: np.float64(0.5)})(4) == 2
    with pytest.raises(TypeError):
        theano.function([], y, givens={y: T.fscalar("f")})
    with pytest.raises(TypeError):
        theano.function([], y, givens={"y": s})
    with pytest.raises(RuntimeError):
        theano.function([x], x, givens={x: s})
    z = T.dscalar("z")
    with pytest.raises(AssertionError):
        theano.function([x], [y, z], givens={y: z + 1, z: x})


@proves(FUNCTION, "rebuild_strict")
def rebuild_strict_false_takes_givens_of_other_types() -> None:
    y, narrow = T.dvector("y"), theano.shared(np.ones(2, "float32"))
    with pytest.raises(TypeError):
        theano.function([], y * y, givens={y: narrow})
    out = theano.function([], y * y, givens={y: narrow}, rebuild_strict=False)()
    assert out.dtype == "float32"


@proves(FUNCTION, "no_default_updates")
@proves("theano.compile.SharedVariable", "default_update")
def default_updates_are_applied_unless_suppressed() -> None:
    s, t = theano.shared(0.0, "s"), theano.shared(0.0, "t")
    s.default_update, t.default_update = s + 1, t + 10

    def after(**options: object) -> tuple[float, float]:
        s.set_value(0.0)
        t.set_value(0.0)
        theano.function([], s + t, **options)()
        return float(s.get_value()), float(t.get_value())

    assert after() == (1, 10)
    assert after(no_default_updates=True) == (0, 0)
    assert after(no_default_updates=[s]) == (0, 10)
    assert after(updates={s: s + 5}) == (5, 10)
    with pytest.raises(TypeError):
        after(no_default_updates=3)


@proves(FUNCTION, "accept_inplace")
def accept_inplace_is_taken_and_nothing_is_overwritten() -> None:
    x = T.dvector("x")
    value = A.copy()
    out = theano.function([x], T.inc_subtensor(x[:1], 1.0) * 2, accept_inplace=True)(value)
    np.testing.assert_array_equal(out, [2, 2, 4])
    np.testing.assert_array_equal(value, A)


@proves(FUNCTION, "name")
@proves(FUNCTIONS, "name")
def a_function_has_a_name() -> None:
    x = T.dscalar("x")
    f = theano.function([x], x, name="half")
    assert f.name == "half"
    with pytest.raises(TypeError, match=r'Bad input argument to .*function .*"half" at index 0'):
        f("text")
    assert "proofs_function.py:" in theano.function([x], x).name


@proves(FUNCTION, "allow_input_downcast")
def allow_input_downcast_says_what_is_converted() -> None:
    x = T.fscalar("x")
    assert theano.function([x], x, allow_input_downcast=True)(np.float64(0.1)) == np.float32(0.1)
    for choice in (None, False):
        with pytest.raises(TypeError):
            theano.function([x], x, allow_input_downcast=choice)(np.float64(0.1))
    with theano.config.change(floatX="float32"):
        assert theano.function([x], x)(0.1) == np.float32(0.1)
        with pytest.raises(TypeError):
            theano.function([x], x, allow_input_downcast=False)(0.1)


@proves(FUNCTION, "profile")
@proves(FUNCTIONS, "profile")
def a_profile_is_collected_where_it_is_asked_for() -> None:
    x = T.dvector("x")
    assert theano.function([x], x * 2).profile is None
    f = theano.function([x], x * 2, profile="doubling")
    f(A)
    f(A)
    text = io.StringIO()
    f.profile.summary(file=text)
    assert "doubling" in text.getvalue()
    assert "Time in 2 calls to Function.__call__" in text.getvalue()
    stats = theano.compile.ProfileStats(print_at_exit=False)
    g = theano.function([x], x * 3, profile=stats)
    g(A)
    assert g.profile is stats
    assert stats.call_times.calls == 1
    assert theano.function([x], x, profile=True).profile is not None


@proves(FUNCTION, "on_unused_input")
def unused_inputs_raise_warn_or_pass() -> None:
    x, y = T.dscalars("x", "y")
    with pytest.raises(theano.compile.UnusedInputError):
        theano.function([x, y], x)
    with pytest.warns(UserWarning, match="y"):
        f = theano.function([x, y], x, on_unused_input="warn")
    assert f(1, 2) == 1
    assert theano.function([x, y], x, on_unused_input="ignore")(1, 2) == 1
    with pytest.raises(ValueError, match="shout"):
        theano.function([x, y], x, on_unused_input="shout")
    with pytest.raises(theano.compile.UnusedInputError):  # before the missing one
        theano.function([x], y)
    with pytest.raises(theano.gof.MissingInputError):
        theano.function([x], y, on_unused_input="ignore")


@proves(FUNCTIONS, "__call__")
def arguments_by_position_and_by_name() -> None:
    x, y = T.dscalars("x", "y")
    f = theano.function([x, y], x - y)
    assert f(5, 3) == f(5, y=3) == f(y=3, x=5) == 2
    with pytest.raises(TypeError, match="Missing required input: y"):
        f(1)
    for wrong in (lambda: f(1, 2, 3), lambda: f(1, 2, z=3), lambda: f(1, 2, x=3)):
        with pytest.raises(TypeError):
            wrong()


@proves(FUNCTIONS, "output_subset")
def some_outputs_of_a_call() -> None:
    x = T.dscalar("x")
    f = theano.function([x], [x, x * 2, x * 3])
    assert f(1.0, output_subset=[0, 2]) == [1.0, 3.0]
    g = theano.function([x], {"a": x, "b": x * 2})
    assert g(1.0, output_subset=["b"]) == {"b": 2.0}


@proves(FUNCTIONS, "maker")
def the_maker_has_the_optimised_graph() -> None:
    x = T.dvector("x")
    f = theano.function([x], T.log(T.exp(x)) * 1)
    assert f.maker.fgraph.toposort() == []
    assert len(theano.function([x], T.exp(x) * 2).maker.fgraph.outputs) == 1
    assert str(theano.function([x], x, mode="FAST_COMPILE").maker.mode) == "FAST_COMPILE"


@proves(FUNCTIONS, "trust_input")
def trusted_arguments_are_not_checked() -> None:
    x = T.dvector("x")
    f = theano.function([x], x * 2, mode="FAST_COMPILE")
    assert f.trust_input is False
    assert f([1, 2]).tolist() == [2, 4]
    f.trust_input = True
    assert f(np.float32([1, 2])).dtype == "float32"  # nobody converted it


@proves(FUNCTIONS, "[key]", "value", "container")
def stored_values_are_read_and_written_by_key() -> None:
    x, s = T.dscalar("x"), theano.shared(4.0, "s")
    f = theano.function([theano.In(x, value=3.0, update=x + 1)], x * s)
    assert (f["x"], f[x], f[0], f["s"]) == (3.0, 3.0, 3.0, 4.0)
    assert f() == 12.0
    assert f.value["x"] == f.container["x"].value == 4.0
    f["x"] = 10.0
    f[s] = 2.0
    assert f() == 20.0
    f.value["x"] = 1.0
    assert f() == 2.0
    f.container["x"].value = 5.0
    assert f() == 10.0
    with pytest.raises(TypeError):
        f["nothing"]
    s.name = "x"
    with pytest.raises(TypeError, match="more than one"):
        f["x"]


@proves(f"{FUNCTIONS}.copy", "swap", "delete_updates", "name", "profile", "share_memory")
def copies_of_a_function() -> None:
    x, s, t = T.dscalar("x"), theano.shared(1.0, "s"), theano.shared(100.0, "t")
    f = theano.function([x], x + s, updates={s: s + 1}, name="f")
    g = f.copy(swap={s: t}, name="g")
    assert (g(1), g.name, t.get_value(), s.get_value()) == (101.0, "g", 101.0, 1.0)
    h = f.copy(delete_updates=True, share_memory=True)
    assert (h(1), s.get_value()) == (2.0, 1.0)
    assert f.copy().profile is None
    assert f.copy(profile=True).profile is not None
    first = h(1)
    h(5)
    f(7)
    assert first == 2.0  # no memory of a result is used by another call
    with pytest.raises(ValueError, match="t"):
        f.copy(swap={t: s})
    with pytest.raises(ValueError, match="type"):
        f.copy(swap={s: theano.shared(A)})


@proves(f"{FUNCTIONS}.free")
def memory_can_be_given_back() -> None:
    m = T.dmatrix("m")
    f = theano.function([m], T.dot(T.dot(m, m), m).sum())
    value = np.eye(50)
    assert f(value) == 50
    f.free()
    assert f(value) == 50


@proves(f"{FUNCTIONS}.get_shared")
def shared_variables_of_a_function() -> None:
    s, t, u = theano.shared(1.0), theano.shared(2.0), theano.shared(3.0)
    f = theano.function([], s * 2, updates={t: t + 1})
    assert set(f.get_shared()) == {s, t}
    assert u not in f.get_shared()


@proves(FUNCTIONS, "pickle", "copy.copy", "copy.deepcopy")
def functions_can_be_copied_with_their_state() -> None:
    x = T.dscalar("x")
    f = theano.function([x, theano.In(T.dscalar("n"), value=2.0)], x * 3, on_unused_input="ignore")
    s = theano.shared(1.0, "s")
    g = theano.function([x], s * x, updates={s: s + 1})
    for made in (pickle.loads(pickle.dumps(g, -1)), copy.deepcopy(g)):
        assert [float(made(1)), float(made(1))] == [1, 2]
    assert s.get_value() == 1.0  # they have state of their own
    assert copy.copy(f)(2) == pickle.loads(pickle.dumps(f, -1))(2) == 6
    assert copy.copy(f)["n"] == 2.0


@proves("T.TensorVariable.eval", "inputs_to_values")
def a_variable_can_be_evaluated() -> None:
    x, y = T.dscalars("x", "y")
    z = x * y
    assert z.eval({x: 3, y: 4}) == z.eval({"x": 3, "y": 4}) == 12
    assert (theano.shared(2.0) + 1).eval() == 3
    with pytest.raises(theano.gof.MissingInputError):
        z.eval({x: 3})
    with pytest.raises(theano.compile.UnusedInputError):
        T.exp(x).eval({x: 3, y: 4})
