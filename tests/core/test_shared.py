"""Shared variables: what they hold, what is copied, what `set_value` takes."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.shared import SharedVariable

A = np.arange(3.0)


@pytest.fixture(params=("FAST_RUN", "FAST_COMPILE"))
def mode(request):
    return request.param


# ---------------------------------------------------------------- what a value becomes


@pytest.mark.parametrize(
    ("value", "dtype", "ndim"),
    [
        (3, "int64", 0),
        (3.5, "float64", 0),
        (True, "bool", 0),
        (1j, "complex128", 0),
        (np.float32(3), "float32", 0),
        (np.uint8(3), "uint8", 0),
        (np.bool_(True), "bool", 0),
        (A, "float64", 1),
        (np.ones((1, 3), "int8"), "int8", 2),
        (np.empty((0, 2), "float32"), "float32", 2),
        (A[::-1], "float64", 1),
        (np.ma.array(A), "float64", 1),
    ],
)
def test_numbers_and_arrays_keep_their_dtype(value, dtype, ndim):
    s = wb.shared(value, "s")
    assert (s.dtype, s.ndim, s.name) == (dtype, ndim, "s")
    assert s.broadcastable == (False,) * ndim
    assert s.type == T.TensorType(dtype, (None,) * ndim)
    assert type(s.get_value()) is np.ndarray
    np.testing.assert_array_equal(s.get_value(), np.asarray(value))


def test_floatx_is_not_asked():
    with wb.config.change(floatX="float32"):
        assert wb.shared(1.5).dtype == "float64"


@pytest.mark.parametrize("value", [[1, 2], "text", None, {"a": 1}, np.array(["a"]), object])
def test_other_objects_are_held_as_they_are(value):
    s = wb.shared(value)
    assert type(s) is SharedVariable
    assert str(s.type) == "GenericType"
    np.testing.assert_equal(s.get_value(), value)
    s.set_value("anything")
    assert s.get_value() == "anything"
    with pytest.raises(TypeError):
        s[0]


def test_an_object_is_copied_unless_borrowed():
    held = [1, 2]
    assert wb.shared(held).get_value(borrow=True) is not held
    s = wb.shared(held, borrow=True)
    assert s.get_value(borrow=True) is held
    assert s.get_value() is not held


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: wb.shared(T.dvector("x")), TypeError),
        (lambda: wb.shared(1, unknown=3), TypeError),
        (lambda: wb.shared(1, name=3), TypeError),
        (lambda: wb.shared(2**70), TypeError),
        (lambda: wb.shared(np.longdouble(1)), TypeError),
        (lambda: wb.shared(A, broadcastable=(False, False)), TypeError),
        (lambda: wb.shared(A, broadcastable=(True,)), TypeError),
        (lambda: wb.shared(A, target="cuda0"), wb.DeviceError),
    ],
)
def test_what_is_refused(make, kind):
    with pytest.raises(kind):
        make()


def test_broadcastable():
    s = wb.shared(np.ones((1, 3)), broadcastable=(True, False))
    assert s.broadcastable == (True, False)
    assert (s + T.dmatrix()).broadcastable == (False, False)
    with pytest.raises(TypeError, match="length 1"):
        s.set_value(np.ones((2, 3)))
    assert wb.shared(np.ones((1, 3))).broadcastable == (False, False)


# ---------------------------------------------------------------- the table of copies


def test_made_without_borrow_is_a_copy():
    for given in (A.copy(), np.ma.array(A), np.asfortranarray(np.ones((2, 3)))):
        s = wb.shared(given)
        assert not np.shares_memory(s.get_value(borrow=True), given)


def test_made_with_borrow_is_the_array_itself():
    given = A.copy()
    s = wb.shared(given, borrow=True)
    assert s.get_value(borrow=True) is given
    given += 1
    np.testing.assert_array_equal(s.get_value(), A + 1)


def test_a_borrowed_array_is_left_alone_by_functions(mode):
    """The alias holds until a function puts another array in its place."""
    given = A.copy()
    s = wb.shared(given, borrow=True)
    wb.function([], updates={s: s * 2}, mode=mode)()
    np.testing.assert_array_equal(given, A)
    given += 100
    np.testing.assert_array_equal(s.get_value(), A * 2)


@pytest.mark.parametrize("internal", [False, True])
def test_get_value(internal):
    s = wb.shared(A)
    copy = s.get_value(return_internal_type=internal)
    own = s.get_value(borrow=True, return_internal_type=internal)
    assert type(copy) is type(own) is np.ndarray
    assert not np.shares_memory(copy, own)
    assert s.get_value(True, internal) is own
    copy += 1
    np.testing.assert_array_equal(s.get_value(), A)


def test_set_value():
    s, given = wb.shared(A), A + 1
    s.set_value(given)
    assert not np.shares_memory(s.get_value(borrow=True), given)
    s.set_value(given, borrow=True)
    assert s.get_value(borrow=True) is given
    s.set_value(np.ma.array(given))
    assert not np.shares_memory(s.get_value(borrow=True), given)
    s.set_value([1, 2], borrow=True)
    np.testing.assert_array_equal(s.get_value(), [1, 2])


def test_the_idiom_for_work_in_place():
    s = wb.shared(A)

    def doubled(array):
        array *= 2
        return array

    s.set_value(doubled(s.get_value(borrow=True)), borrow=True)
    np.testing.assert_array_equal(s.get_value(), A * 2)


# ---------------------------------------------------------------- what set_value takes

VALUES = [
    # made of, options, the new value, whether it is taken
    (A, {}, np.ones(7), True),
    (A, {}, [1, 2.5], True),
    (A, {}, np.ones(3, "float32"), True),
    (A, {}, np.ones((3, 1)), False),
    (A, {}, 1.0, False),
    (A, {}, np.ones(3, complex), False),
    (A, {}, "text", False),
    (A, {}, T.dvector("x"), False),
    (A.astype("float32"), {}, A, False),
    (A.astype("float32"), {"allow_downcast": True}, A + 0.1, True),
    (A.astype("float32"), {"strict": True}, A.astype("float32"), True),
    (A.astype("float32"), {"strict": True}, [1.0, 2.0], False),
    (A, {"strict": True}, np.ones(3, "float32"), False),
    (3, {}, 2.0, True),
    (3, {}, 1.5, False),
    (3, {"allow_downcast": True}, 1.5, True),
    (3, {}, 2**63, False),
    (np.int8(3), {}, 300, False),
    (True, {}, False, True),
]


@pytest.mark.parametrize("case", VALUES, ids=lambda c: f"{c[0]!r} {c[1]} {c[2]!r}"[:60])
def test_what_set_value_takes(case):
    made, options, value, taken = case
    s = wb.shared(made, **options)
    if taken:
        s.set_value(value)
        assert s.get_value().dtype == s.dtype
        np.testing.assert_array_equal(s.get_value(), np.asarray(value, s.dtype))
    else:
        with pytest.raises(TypeError):
            s.set_value(value)
        np.testing.assert_array_equal(s.get_value(), np.asarray(made))


# ---------------------------------------------------------------- the rest


def test_zero(mode):
    s = wb.shared(A + 1)
    held = s.get_value(borrow=True)
    s.zero()
    np.testing.assert_array_equal(s.get_value(), np.zeros(3))
    np.testing.assert_array_equal(held, A + 1)


def test_clone_shares_the_storage(mode):
    s = wb.shared(A, "s")
    twin = s.clone()
    assert twin is not s
    assert (twin.name, twin.type) == (s.name, s.type)
    wb.function([], updates={s: s + 1}, mode=mode)()
    np.testing.assert_array_equal(twin.get_value(), A + 1)
    twin.set_value(A)
    np.testing.assert_array_equal(s.get_value(), A)


def test_value_is_no_attribute():
    s = wb.shared(A)
    with pytest.raises(TypeError, match="get_value"):
        s.value
    with pytest.raises(TypeError, match="set_value"):
        s.value = A


def test_symbolic_attributes(mode):
    s = wb.shared(np.ones((2, 3)))
    f = wb.function([], [s.shape, s.size, s.T, s[0], s.sum()], mode=mode)
    shape, size, *_ = f()
    assert (list(shape), size) == ([2, 3], 6)
    s.set_value(np.ones((4, 1)))
    assert list(f()[0]) == [4, 1]


def test_several_functions_over_one_variable(mode):
    s, x = wb.shared(0.0, "s"), T.dscalar("x")
    add = wb.function([x], s, updates={s: s + x}, mode=mode)
    double = wb.function([], updates={s: s * 2}, mode=mode)
    read = wb.function([], s * 1, mode=mode)
    add(3), double(), add(1)
    assert read() == s.get_value() == 7
    s.set_value(10)
    assert read() == 10


def test_variables_that_change_places(mode):
    a, b = wb.shared(A, "a"), wb.shared(A + 10, "b")
    swap = wb.function([], updates=[[a, b], [b, a]], mode=mode)
    swap(), swap(), swap()
    np.testing.assert_array_equal(a.get_value(), A + 10)
    np.testing.assert_array_equal(b.get_value(), A)
    assert not np.shares_memory(a.get_value(borrow=True), b.get_value(borrow=True))


def test_default_update(mode):
    n = wb.shared(0, "n")
    assert n.default_update is None
    n.default_update = n + 1
    f = wb.function([], n * 1, mode=mode)
    assert [int(f()) for _ in range(3)] == [0, 1, 2]
    n.default_update = 7  # a value
    wb.function([], n * 1, mode=mode)()
    assert n.get_value() == 7
    n.default_update = T.dscalar("q")
    with pytest.raises(TypeError, match="same type"):
        wb.function([], n * 1, mode=mode)
