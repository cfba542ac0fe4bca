"""What `function` is asked for: every parameter, and the error of every request that cannot be."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T

A = np.arange(3.0)
B = np.array([4.0, 5.0, 6.0])
x, y = T.dvectors("x", "y")
s, t = wb.shared(A, "s"), wb.shared(B, "t")
M, ROW = T.dmatrix("M"), wb.shared(np.ones((1, 2)), broadcastable=(True, False))


@pytest.fixture(params=("FAST_RUN", "FAST_COMPILE"))
def mode(request):
    return request.param


REFUSED = {
    # the request, the errors that it is, part of the message
    "inputs that are no list": (lambda: wb.function(x, x), (TypeError,), "list or tuple"),
    "an input that is none": (lambda: wb.function([3], x), (TypeError,), "an input is a variable"),
    "a constant as input": (lambda: wb.function([T.constant(1)], x), (TypeError,), "constant"),
    "a shared variable as input": (lambda: wb.function([s], x), (TypeError,), "givens="),
    "an input twice": (lambda: wb.function([x, x], x), (wb.UnusedInputError,), "twice"),
    "a missing input": (lambda: wb.function([], x), (wb.MissingInputError, ValueError), "x"),
    "an unused input": (
        lambda: wb.function([x], s),
        (wb.UnusedInputError, ValueError),
        "x is used",
    ),
    "an unused one before a missing one": (
        lambda: wb.function([x], y),
        (wb.UnusedInputError,),
        "x",
    ),
    "an output that is none": (lambda: wb.function([], 5), (TypeError,), "an output is a variable"),
    "an output in a list that is none": (lambda: wb.function([], [s, "s"]), (TypeError,), "'s'"),
    "a key that is no text": (lambda: wb.function([], {1: s}), (TypeError, AssertionError), "keys"),
    "on_unused_input": (lambda: wb.function([], s, on_unused_input="no"), (ValueError,), "raise"),
    "a mode": (lambda: wb.function([], s, mode="QUICK"), (ValueError,), "QUICK"),
    "a device": (lambda: wb.function([], s, device="cuda7"), (wb.DeviceError,), "cuda7"),
    "no_default_updates": (
        lambda: wb.function([], s, no_default_updates=3),
        (TypeError,),
        "no_default",
    ),
    "an unknown parameter": (lambda: wb.function([], s, speed=3), (TypeError,), "speed"),
    "an update of no shared variable": (
        lambda: wb.function([x], x, updates={x: s}),
        (TypeError,),
        "not a shared",
    ),
    "two updates of one": (
        lambda: wb.function([], s, updates=[(s, t), (s, s)]),
        (ValueError,),
        "twice",
    ),
    "updates without targets": (
        lambda: wb.function([x], x, updates=[x]),
        (ValueError, TypeError),
        "pair",
    ),
    "updates of three parts": (
        lambda: wb.function([], s, updates=[(s, t, t)]),
        (ValueError,),
        "pair",
    ),
    "updates that are no pairs": (lambda: wb.function([], s, updates=3), (ValueError,), "pairs"),
    "an update of another dtype": (
        lambda: wb.function([], updates={wb.shared(np.float32(1)): T.constant(1.1)}),
        (TypeError,),
        "same type",
    ),
    "an update of another rank": (
        lambda: wb.function([], updates={s: s.sum()}),
        (TypeError,),
        "same type",
    ),
    "an update that may not broadcast": (
        lambda: wb.function([M], updates={ROW: M}),
        (TypeError,),
        "same type",
    ),
    "givens of an input": (
        lambda: wb.function([x], x, givens={x: y}),
        (RuntimeError, TypeError),
        "is an input",
    ),
    "givens by no variable": (
        lambda: wb.function([], s, givens={"s": t}),
        (TypeError,),
        "a key of givens",
    ),
    "givens of another dtype": (
        lambda: wb.function([], x, givens={x: T.fvector("f")}),
        (TypeError,),
        "Cannot convert",
    ),
    "givens of another rank": (
        lambda: wb.function([], x, givens={x: T.dscalar("q")}),
        (TypeError,),
        "Cannot convert",
    ),
    "givens that read givens": (
        lambda: wb.function([y], x, givens={x: y * 2, y: s}),
        (RuntimeError,),
        "is an input",
    ),
    "givens of what is given": (
        lambda: wb.function([], x, givens={x: y * 2, y: s}),
        (AssertionError,),
        "replaced itself",
    ),
    "givens twice": (lambda: wb.function([], x, givens=[(x, s), (x, t)]), (TypeError,), "twice"),
    "givens of a bad value": (
        lambda: wb.function([], x, givens={x: np.ones((2, 2))}),
        (TypeError,),
        "dimensions",
    ),
    "givens that are no pairs": (lambda: wb.function([], x, givens=[x]), (ValueError,), "pair"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    make, kinds, message = REFUSED[case]
    with pytest.raises(kinds[0], match=message) as caught:
        make()
    for kind in kinds[1:]:
        assert isinstance(caught.value, kind)


def test_a_missing_input_when_the_unused_one_is_ignored():
    with pytest.raises(wb.MissingInputError) as caught:
        wb.function([x], y, on_unused_input="ignore")
    assert caught.value.node is y
    warned = pytest.warns(UserWarning, match="x is used by no output")
    with warned, pytest.raises(wb.MissingInputError):
        wb.function([x], y, on_unused_input="warn")


def test_forms_of_outputs(mode):
    assert wb.function([], None, mode=mode)() == []
    assert wb.function([], [], mode=mode)() == []
    assert isinstance(wb.function([x], x.sum(), mode=mode)(A), np.ndarray)
    assert isinstance(wb.function([x], [x.sum()], mode=mode)(A), list)
    assert isinstance(wb.function([x], (x.sum(),), mode=mode)(A), list)
    assert isinstance(wb.function([x], wb.Out(x.sum()), mode=mode)(A), np.ndarray)
    result = wb.function([x], {"b": x.sum(), "a": wb.Out(x + 1)}, mode=mode)(A)
    assert list(result) == ["a", "b"]
    assert result["b"] == 3
    assert wb.function([], {}, mode=mode)() == {}
    assert wb.function((x,), x, mode=mode)(A).shape == (3,)


def test_a_constant_or_an_input_may_be_an_output(mode):
    f = wb.function([x], [x, T.constant([1, 2]), s], mode=mode)
    given, two, shared = f(A)
    np.testing.assert_array_equal(given, A)
    np.testing.assert_array_equal(two, [1, 2])
    np.testing.assert_array_equal(shared, A)
    two[0] = 7
    np.testing.assert_array_equal(f(A)[1], [1, 2])


def test_givens_in_every_form(mode):
    h = x + 1
    replaced = {
        "an input by an input": ({x: y}, [y], [B], B + 1),
        "an input by an expression": ({x: y * 2}, [y], [B], B * 2 + 1),
        "an input by a shared variable": ({x: t}, [], [], B + 1),
        "an input by a value": ({x: [1, 2]}, [], [], [2, 3]),
        "an input by a constant": ({x: T.constant([1.0, 2.0])}, [], [], [2, 3]),
        "an input by a constant of ints": ({x: T.constant([1, 2])}, [], [], [2, 3]),
        "pairs": ([(x, y)], [y], [B], B + 1),
        "lists of two": ([[x, y]], [y], [B], B + 1),
        "an expression": ({h: y}, [y], [B], B),
    }
    for givens, inputs, args, expected in replaced.values():
        np.testing.assert_array_equal(
            wb.function(inputs, h, givens=givens, mode=mode)(*args), expected
        )
    np.testing.assert_array_equal(wb.function([], s + 1, givens={s: t}, mode=mode)(), B + 1)
    np.testing.assert_array_equal(
        wb.function([y], s + 1, givens={s: y * 2}, mode=mode)(B), B * 2 + 1
    )


def test_givens_reach_updates_and_default_updates(mode):
    u, n = wb.shared(A, "u"), wb.shared(0, "n")
    n.default_update = n + T.cast(x[0], "int64")
    f = wb.function([y], [n * 1], updates={u: u + x}, givens={x: y}, mode=mode)
    f(B)
    np.testing.assert_array_equal(u.get_value(), A + B)
    assert n.get_value() == 4


def test_rebuild_strict(mode):
    """Without it a replacement may be of another type, and the types are found anew."""
    f32, m = T.fvector("f"), T.dmatrix("m")
    out = x * 2
    f = wb.function([f32], out, givens={x: f32}, rebuild_strict=False, mode=mode)
    assert f(A.astype("float32")).dtype == "float32"
    g = wb.function([m], out, givens={x: m}, rebuild_strict=False, mode=mode)
    assert g(np.ones((2, 2))).shape == (2, 2)
    h = wb.function([], out, givens={x: T.constant(np.int8(3))}, rebuild_strict=False, mode=mode)
    assert h().shape == ()
    with pytest.raises(TypeError, match="rebuild_strict=False"):
        wb.function([f32], out, givens={x: f32})
    u = wb.shared(A)
    with pytest.raises(TypeError, match="same type"):
        wb.function([m], updates={u: x}, givens={x: m}, rebuild_strict=False)


def test_accept_inplace_changes_nothing(mode):
    given = A.copy()
    wb.function([x], x * 2 + 1, accept_inplace=True, mode=mode)(given)
    np.testing.assert_array_equal(given, A)


def test_no_default_updates(mode):
    n, k = wb.shared(0, "n"), wb.shared(0, "k")
    n.default_update, k.default_update = n + 1, k + 1
    for without, expected in ((False, (1, 1)), (True, (0, 0)), ([n], (0, 1)), ((n, k), (0, 0))):
        n.set_value(0), k.set_value(0)
        wb.function([], [n * 1, k * 1], no_default_updates=without, mode=mode)()
        assert (n.get_value(), k.get_value()) == expected
    n.set_value(0)
    f = wb.function([], n * 1, updates={n: n + 10}, no_default_updates=True, mode=mode)
    f()
    assert n.get_value() == 10  # what was asked for is done


def test_names():
    assert wb.function([x], x, name="mine").name == "mine"
    assert wb.function([x], x).name.startswith("tests/core/test_function_requests.py:")
    assert repr(wb.function([x], x, name="mine")) == "<Function mine>"


def test_profiles():
    assert wb.function([x], x + 1).profile is None
    assert wb.function([x], x + 1, profile=True, name="f").profile.name == "f"
    assert wb.function([x], x + 1, profile="title").profile.name == "title"


def test_unused_inputs_by_argument_before_configuration():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wb.function([x, y], x, on_unused_input="ignore")
    with wb.config.change(on_unused_input="ignore"), pytest.raises(wb.UnusedInputError):
        wb.function([x, y], x, on_unused_input="raise")
    wb.function([wb.In(x, value=A, update=x + 1)], [])  # it is used by its update


def test_copies(mode):
    n, m = wb.shared(1.0, "n"), wb.shared(10.0, "m")
    z = T.dscalar("z")
    f = wb.function([wb.In(z, value=2.0)], n * z, updates={n: n + z}, mode=mode, name="f")
    f.trust_input = True
    g = f.copy(swap={n: m}, name="g", profile=True)
    assert (g(), m.get_value(), n.get_value()) == (20, 12, 1)
    assert (g.name, g.trust_input, g.profile is not None) == ("g", True, True)
    h = f.copy(delete_updates=True, share_memory=True)
    assert (h(), h(), n.get_value()) == (2, 2, 1)
    g["z"] = 5
    assert f["z"] == 2
    for swap in ({m: n}, {n: wb.shared(1)}):
        with pytest.raises(ValueError, match="swap"):
            f.copy(swap=swap)
