"""Calls: which outputs, how arguments are given, what is stored, and every way in which a value
becomes an input's.
"""

from __future__ import annotations

import threading

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T

A = np.arange(3.0)
B = np.array([4.0, 5.0, 6.0])


@pytest.fixture(params=("FAST_RUN", "FAST_COMPILE"))
def mode(request):
    return request.param


# ---------------------------------------------------------------- output_subset


def test_some_outputs_of_a_list(mode):
    x = T.dvector("x")
    f = wb.function([x], [x + 1, x * 2, x.sum()], mode=mode)
    one, two = f(A, output_subset=[2, 0])
    assert one == 3
    np.testing.assert_array_equal(two, A + 1)
    assert f(A, output_subset=[]) == []
    assert len(f(A, output_subset=None)) == 3
    assert len(f(x=A, output_subset=(1,))) == 1


def test_some_outputs_of_a_dict(mode):
    x = T.dvector("x")
    f = wb.function([x], {"sum": x.sum(), "product": x.prod(), "max": x.max()}, mode=mode)
    assert f(A, output_subset=["sum", "max"]) == {"sum": 3, "max": 2}
    assert f(A) == {"max": 2, "product": 0, "sum": 3}


def test_only_the_chosen_outputs_are_computed(mode):
    """The other is an error that does not strike; updates are made all the same."""
    x, i, s = T.dvector("x"), T.lscalar("i"), wb.shared(0.0, "s")
    f = wb.function([x, i], [x[i], x.sum()], updates={s: s + 1}, mode=mode)
    assert f(A, 7, output_subset=[1]) == [3]
    with pytest.raises(IndexError):
        f(A, 7)
    assert s.get_value() == 1


def test_a_single_output_stays_single(mode):
    x = T.dvector("x")
    f = wb.function([x], x.sum(), mode=mode)
    assert f(A, output_subset=[0]).shape == ()


def test_state_is_shared_with_the_subset(mode):
    n = T.dscalar("n")
    f = wb.function([wb.In(n, value=1.0, update=n * 2)], [n, n + 1], mode=mode)
    f()
    assert f(output_subset=[0]) == [2]
    assert f["n"] == 4


@pytest.mark.parametrize(
    ("chosen", "message"),
    [([5], "names 5"), (["a"], "names 'a'"), ("a", "a list of"), (1, "a list of"), ([-1], "-1")],
)
def test_outputs_that_are_not_there(chosen, message):
    x = T.dvector("x")
    with pytest.raises(TypeError, match=message):
        wb.function([x], [x + 1])(A, output_subset=chosen)
    with pytest.raises(TypeError, match="output_subset"):
        wb.function([x], {"b": x})(A, output_subset=chosen)


def test_an_input_of_that_name_wins():
    x, y = T.dvector("x"), T.dvector("output_subset")
    f = wb.function([x, y], x + y)
    np.testing.assert_array_equal(f(A, output_subset=B), A + B)


# ---------------------------------------------------------------- names, defaults, order


def test_names_that_are_not_unique():
    one, two = T.dscalar("x"), T.dscalar("x")
    f = wb.function([one, two], one - two)
    assert f(3, 1) == 2
    with pytest.raises(TypeError, match="more than one input is named x"):
        f(3, x=1)
    g = wb.function([wb.In(one, value=1.0), wb.In(two, value=2.0)], one - two)
    with pytest.raises(TypeError, match="more than one"):
        g["x"]
    assert (g[one], g[two], g[1]) == (1, 2, 2)


def test_unnamed_inputs_are_given_by_position():
    x, y = T.dscalar(), T.dscalar("y")
    f = wb.function([x, y], x - y)
    assert f(3, y=1) == 2
    with pytest.raises(TypeError, match="Missing required input: number 0"):
        f(y=1)


def test_what_follows_a_default_may_be_given_by_name(mode):
    x, y, z = T.dscalars("x", "y", "z")
    f = wb.function([x, wb.In(y, value=10), z], x + y * z, mode=mode)
    assert f(1, z=2) == 21
    assert f(1, 3, 2) == f(z=2, y=3, x=1) == 7
    with pytest.raises(TypeError, match="Missing required input: z"):
        f(1, 3)
    g = wb.function([wb.In(y, value=10), x], x + y, mode=mode)
    with pytest.raises(TypeError, match="Missing required input: x"):
        g(1)
    assert g(x=1) == 11


def test_an_override_is_for_one_call(mode):
    """The stored state is not touched by it, but the update is computed from it."""
    n, step = T.dscalars("n", "step")
    f = wb.function([step, wb.In(n, value=5.0)], n + step, mode=mode)
    assert (f(1), f(1, 100), f(1)) == (6, 101, 6)
    g = wb.function([step, wb.In(n, value=5.0, update=n + step)], n, mode=mode)
    assert (g(1), g["n"]) == (5, 6)
    assert (g(1, 100), g["n"]) == (100, 101)


def test_autoname_and_name():
    x = T.dscalar("x")
    assert wb.In(x).name == "x"
    assert wb.In(x, name="y").name == "y"
    assert wb.In(x, autoname=False).name is None
    f = wb.function([wb.In(x, name="y")], x + 1)
    assert f(y=1) == 2
    with pytest.raises(TypeError, match="unknown keyword argument: x"):
        f(x=1)


def test_an_update_of_an_input_may_be_a_number(mode):
    n = T.dscalar("n")
    f = wb.function([wb.In(n, value=3, update=0)], n, mode=mode)
    assert (f(), f()) == (3, 0)
    for wrong in (T.ones((2,)), T.fscalar()):
        with pytest.raises(TypeError, match="another type"):
            wb.In(n, value=3, update=wrong)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda x: wb.In(x, name=3), TypeError),
        (lambda x: wb.In(x, mutable=True, borrow=False), AssertionError),
        (lambda x: wb.In(3), TypeError),
        (lambda x: wb.In(T.constant(1)), TypeError),
        (lambda x: wb.In(wb.shared(1)), TypeError),
        (lambda x: wb.In(x, value="text") and wb.function([wb.In(x, value="text")], x), TypeError),
        (lambda x: wb.Out(3), TypeError),
    ],
)
def test_in_and_out_check_themselves(make, kind):
    with pytest.raises(kind) as caught:
        make(T.dvector("x"))
    assert isinstance(caught.value, wb.WorkbenchError)


def test_what_in_says_of_itself():
    x = T.dvector("x")
    assert (wb.In(x, mutable=True).borrow, wb.In(x).borrow, wb.In(x, borrow=True).mutable) == (
        True,
        False,
        False,
    )
    assert repr(wb.In(x)) == "In(x)"
    assert repr(wb.Out(x)) == "Out(x)"


def test_mutable_and_borrowed_inputs(mode):
    """They allow, and do not oblige: the result is the same."""
    x = T.dvector("x")
    for options in ({"mutable": True}, {"borrow": True}, {}):
        array = A.copy()
        f = wb.function([wb.In(x, **options)], wb.Out(x * 2, borrow=True), mode=mode)
        np.testing.assert_array_equal(f(array), A * 2)


def test_a_borrowed_output_may_be_the_argument(mode):
    x = T.dvector("x")
    given = A.copy()
    safe = wb.function([x], x, mode=mode)(given)
    borrowed = wb.function([x], wb.Out(x, borrow=True), mode=mode)(given)
    assert not np.shares_memory(safe, given)
    np.testing.assert_array_equal(borrowed, A)


# ---------------------------------------------------------------- what is stored


def test_stored_values_by_every_key(mode):
    x, s = T.dvector("x"), wb.shared(1.0, "s")
    f = wb.function([wb.In(x, value=A)], x * s, mode=mode)
    for place in (f, f.value):
        for key in ("x", x, 0):
            np.testing.assert_array_equal(place[key], A)
            place[key] = B
            np.testing.assert_array_equal(f(), B * s.get_value())
            place[key] = A
        for key in ("s", s):
            place[key] = 3
            assert place[key] == 3 == s.get_value()
    assert f.container[s].value == 3
    f.container["x"].value = B
    np.testing.assert_array_equal(f.container[x].data, B)
    f.container["x"] = [1, 2, 3]
    np.testing.assert_array_equal(f["x"], [1, 2, 3])


def test_a_default_is_a_copy_unless_it_is_borrowed(mode):
    x = T.dvector("x")
    given, later = A.copy(), B.copy()
    f = wb.function([wb.In(x, value=given)], x * 1, mode=mode)
    given += 100
    np.testing.assert_array_equal(f(), A)
    f["x"] = later
    later += 100
    np.testing.assert_array_equal(f(), B)
    borrowed = wb.function([wb.In(x, value=given, borrow=True)], x * 1, mode=mode)
    given += 100
    np.testing.assert_array_equal(borrowed(), A + 200)


@pytest.mark.parametrize("key", ["q", 7, T.dscalar("x"), None, wb.shared(1)])
def test_keys_that_are_not_there(key):
    x = T.dvector("x")
    f = wb.function([wb.In(x, value=A)], x)
    for read in (f.__getitem__, f.value.__getitem__, f.container.__getitem__):
        with pytest.raises(TypeError):
            read(key)
    with pytest.raises(TypeError):
        f[key] = A


def test_a_name_of_an_input_and_a_shared_variable():
    x, s = T.dvector("x"), wb.shared(1.0, "x")
    f = wb.function([wb.In(x, value=A)], x + s)
    with pytest.raises(TypeError, match="more than one"):
        f["x"]
    assert f[s] == 1
    np.testing.assert_array_equal(f[x], A)


def test_an_input_without_a_default_has_no_value():
    x = T.dvector("x")
    f = wb.function([x], x)
    with pytest.raises(TypeError, match="no stored value"):
        f["x"]
    f["x"] = A
    np.testing.assert_array_equal(f(), A)
    with pytest.raises(TypeError):
        f["x"] = np.ones((2, 2))


def test_free(mode):
    x = T.dmatrix("x")
    f = wb.function([x], T.dot(T.dot(x, x), T.dot(x, x) + 1).sum(), mode=mode)
    before = f(np.eye(50))
    if mode == "FAST_RUN":
        assert f.linked._built.owner.arena_bytes > 0
    f.free()
    if mode == "FAST_RUN":
        assert f.linked._built.owner.arena_bytes == 0
    f.free()
    assert f(np.eye(50)) == before


def test_get_shared():
    s, t, u = (wb.shared(1.0, n) for n in "stu")
    f = wb.function([], s * 2, updates={t: u + 1})
    assert set(f.get_shared()) == {s, t, u}


def test_profiles_may_be_joined():
    x = T.dvector("x")
    f = wb.function([x], x + 1, profile="both")
    g = wb.function([x], x * 2, profile=f.profile)
    f(A), g(A)
    assert g.profile is f.profile
    assert (f.profile.name, f.profile.call_times.calls) == ("both", 2)
    with wb.config.change(profile=True):
        assert wb.function([x], x + 1).profile is not None
        assert wb.function([x], x + 1, profile=False).profile is None


def test_eval():
    x, y = T.dvectors("x", "y")
    z = x - y
    np.testing.assert_array_equal(z.eval({x: A, y: B}), A - B)
    np.testing.assert_array_equal(z.eval({y: B, "x": A}), A - B)
    assert len(z.tag.compiled) == 1  # the order does not count
    assert T.constant(3).eval() == 3
    for given, kind in (
        ({x: A}, wb.MissingInputError),
        ({x: A, y: B, T.dvector(): A}, wb.UnusedInputError),
        ({"xx": A}, wb.UnusedInputError),
        ({3: A}, TypeError),
        ([A], TypeError),
    ):
        with pytest.raises(kind):
            z.eval(given)
    with pytest.raises(TypeError, match="more than one input"):
        (x + T.dvector("x")).eval({"x": A})


# ---------------------------------------------------------------- the table of conversions

OK, NO = "taken", TypeError
VECTOR32, VECTOR64, VECTOR8 = T.fvector, T.dvector, T.bvector
ROWS = {
    # what: (the input, the argument), by default, allow_downcast=True, =False, strict=True
    "same dtype": (VECTOR64, A, OK, OK, OK, OK),
    "int64 for float64": (VECTOR64, np.arange(3), OK, OK, OK, NO),
    "int16 for float32": (VECTOR32, np.arange(3, dtype="int16"), OK, OK, OK, NO),
    "bool for float32": (VECTOR32, np.ones(3, bool), OK, OK, OK, NO),
    "float32 for float64": (VECTOR64, A.astype("float32"), OK, OK, OK, NO),
    "float64 for float32": (VECTOR32, A, NO, OK, NO, NO),
    "int32 for float32": (VECTOR32, np.arange(3, dtype="int32"), NO, OK, NO, NO),
    "int64 for float32": (VECTOR32, np.arange(3), NO, OK, NO, NO),
    "complex for float64": (VECTOR64, A + 0j, NO, OK, NO, NO),
    "list of whole numbers": (VECTOR64, [0, 1, 2], OK, OK, OK, NO),
    "list of floats": (VECTOR32, [0.5, 1.5], OK, OK, OK, NO),
    "tuple for int8": (VECTOR8, (1, 2), OK, OK, OK, NO),
    "an int": (T.dscalar, 3, OK, OK, OK, NO),
    "an int for float32": (T.fscalar, 3, OK, OK, OK, NO),
    "0.1 for float32": (T.fscalar, 0.1, NO, OK, NO, NO),
    "[0.1] for float32": (VECTOR32, [0.1], NO, OK, NO, NO),
    "np.float64(0.1) for float32": (T.fscalar, np.float64(0.1), NO, OK, NO, NO),
    "1.5 for int": (T.lscalar, 1.5, NO, OK, NO, NO),
    "300 for int8": (T.bscalar, 300, NO, OK, NO, NO),
    "2**63 for int64": (T.lscalar, 2**63, NO, OK, NO, NO),
    "1.0 for int": (T.lscalar, 1.0, OK, OK, OK, NO),
    "np.float32(1) for int": (T.lscalar, np.float32(1), OK, OK, OK, NO),
    "True for int": (T.lscalar, True, OK, OK, OK, NO),
    "np.uint64(3) for int": (T.lscalar, np.uint64(3), OK, OK, OK, NO),
    "two axes for one": (VECTOR64, np.ones((2, 2)), NO, NO, NO, NO),
    "no axis for one": (VECTOR64, 3.0, NO, NO, NO, NO),
    "an axis for none": (T.dscalar, A, NO, NO, NO, NO),
    "a row of two": (T.drow, np.ones((2, 3)), NO, NO, NO, NO),
    "a row": (T.drow, np.ones((1, 3)), OK, OK, OK, OK),
    "every second": (VECTOR64, np.arange(6.0)[::2], OK, OK, OK, OK),
    "backwards": (VECTOR64, np.arange(6.0)[::-1], OK, OK, OK, OK),
    "transposed": (T.dmatrix, np.arange(6.0).reshape(2, 3).T, OK, OK, OK, OK),
    "columns in front": (T.dmatrix, np.asfortranarray(np.ones((2, 3))), OK, OK, OK, OK),
    "spread": (T.dmatrix, np.broadcast_to(A, (2, 3)), OK, OK, OK, OK),
    "read-only": (VECTOR64, np.broadcast_to(1.0, 3), OK, OK, OK, OK),
    "empty": (VECTOR64, np.empty(0), OK, OK, OK, OK),
    "an empty list": (VECTOR64, [], OK, OK, OK, NO),
    "other byte order": (VECTOR64, A.astype(">f8"), OK, OK, OK, NO),
    "not aligned": (VECTOR64, np.frombuffer(bytes(25), "u1")[1:].view("f8"), OK, OK, OK, OK),
    "masked": (VECTOR64, np.ma.array(A), OK, OK, OK, OK),
    "text": (VECTOR64, "abc", NO, NO, NO, NO),
    "None": (VECTOR64, None, NO, NO, NO, NO),
    "objects": (VECTOR64, np.array([None, 1], object), NO, NO, NO, NO),
    "ragged": (T.dmatrix, [[1], [1, 2]], NO, NO, NO, NO),
    "a variable": (VECTOR64, T.dvector("v"), NO, NO, NO, NO),
}
COLUMNS = (
    {},
    {"allow_downcast": True},
    {"allow_downcast": False},
    {"strict": True},
)


@pytest.mark.parametrize("row", ROWS)
def test_conversion_of_an_argument(row, mode):
    make, value, *wanted = ROWS[row]
    for options, outcome in zip(COLUMNS, wanted, strict=True):
        x = make("x")
        f = wb.function([wb.In(x, **options)], x, mode=mode, name="f")
        if outcome is OK:
            result = f(value)
            assert result.dtype == x.dtype
            expected = value if options != {"allow_downcast": True} else _cast(value, x.dtype)
            np.testing.assert_array_equal(result, np.asarray(expected, x.dtype))
            assert not np.shares_memory(result, value) if isinstance(value, np.ndarray) else True
        else:
            with pytest.raises(outcome) as caught:
                f(value)
            assert 'Bad input argument to function "f" at index 0' in str(caught.value)


def _cast(value, dtype):
    with np.errstate(all="ignore"):
        array = np.asarray(value)
        return (array.real if dtype[0] != "c" else array).astype(dtype)


def test_a_plain_float_for_a_float32_scalar_by_floatx(mode):
    x = T.fscalar("x")
    f = wb.function([x], x, mode=mode)
    with wb.config.change(floatX="float32"):
        assert f(0.1) == np.float32(0.1)
        with pytest.raises(TypeError):
            f(np.float64(0.1))
    strictly = wb.function([x], x, mode=mode, allow_input_downcast=False)
    with wb.config.change(floatX="float32"), pytest.raises(TypeError):
        strictly(0.1)


def test_memory_is_given_back_while_other_threads_call():
    x = T.dmatrix("x")
    f = wb.function([x], T.dot(T.tanh(T.dot(x, x)), T.exp(x * 0.01)).sum())
    value = np.random.default_rng(0).normal(size=(120, 120))
    expected, found = f(value), []
    threads = [
        threading.Thread(target=lambda: found.extend(f(value) for _ in range(40))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        f.free()
    np.testing.assert_allclose(found, [expected] * 120)
