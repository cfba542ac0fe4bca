"""Shared variables: every parameter, attribute, and what is copied."""

from __future__ import annotations

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import proves

A = np.arange(3.0)
SHARED = "theano.shared"
VARIABLE = "theano.compile.SharedVariable"
MEMORY = "memory of a shared variable"


@proves(SHARED, "value")
def the_type_of_a_shared_variable_is_its_values() -> None:
    for value, dtype, ndim in (
        (1, "int64", 0),
        (1.0, "float64", 0),
        (np.float32(1), "float32", 0),
        (A, "float64", 1),
        (np.ones((2, 1), "int8"), "int8", 2),
    ):
        s = theano.shared(value)
        assert (s.dtype, s.ndim) == (dtype, ndim)
        assert not any(s.broadcastable)
    for value in ([1, 2], "text", None, {"a": 1}):
        s = theano.shared(value)
        assert s.get_value() == value
        with pytest.raises(TypeError):
            s[0]
    with pytest.raises(TypeError):
        theano.shared(T.dscalar("x"))
    with pytest.raises(TypeError):
        theano.shared(1.0, colour="red")


@proves(SHARED, "name")
@proves(VARIABLE, "name")
def a_shared_variable_has_a_name() -> None:
    s = theano.shared(1.0, "w")
    assert s.name == str(s) == "w"
    s.name = "v"
    assert str(s) == "v"
    with pytest.raises(TypeError):
        theano.shared(1.0, name=3)


@proves(SHARED, "strict", "allow_downcast")
def what_set_value_converts() -> None:
    plain, strict = theano.shared(np.float32(A)), theano.shared(np.float32(A), strict=True)
    wide = theano.shared(np.float32(A), allow_downcast=True)
    plain.set_value([1, 2])
    assert plain.get_value().dtype == "float32"
    for refused in (lambda: plain.set_value(A), lambda: strict.set_value([1, 2]),
                    lambda: strict.set_value(A)):  # fmt: skip
        with pytest.raises(TypeError):
            refused()
    strict.set_value(np.ones(5, "float32"))
    assert strict.get_value().shape == (5,)
    wide.set_value(A + 0.1)
    np.testing.assert_array_equal(wide.get_value(), np.float32(A + 0.1))


@proves(SHARED, "broadcastable")
def axes_broadcast_where_that_is_said() -> None:
    s = theano.shared(np.ones((1, 3)), broadcastable=(True, False))
    assert s.broadcastable == (True, False)
    m = T.dmatrix("m")
    np.testing.assert_array_equal((s + m).eval({m: np.ones((2, 3))}), np.full((2, 3), 2.0))
    with pytest.raises(TypeError):
        s.set_value(np.ones((2, 3)))
    with pytest.raises(TypeError):
        theano.shared(np.ones((2, 3)), broadcastable=(True, False))


@proves(SHARED, "target")
def a_target_is_the_cpu() -> None:
    assert theano.shared(A, target="cpu").get_value().tolist() == A.tolist()
    with pytest.raises(RuntimeError, match="cuda7"):
        theano.shared(A, target="cuda7")


@proves(SHARED, "borrow")
@proves(MEMORY, "shared(a, borrow=False)", "shared(a, borrow=True)")
def a_borrowed_array_is_stored_itself() -> None:
    a = A.copy()
    copied, held = theano.shared(a), theano.shared(a, borrow=True)
    a += 1
    np.testing.assert_array_equal(copied.get_value(), A)
    np.testing.assert_array_equal(held.get_value(), A + 1)
    assert held.get_value(borrow=True) is a


@proves(f"{VARIABLE}.get_value", "borrow", "return_internal_type")
@proves(MEMORY, "get_value(False, False)", "get_value(True, False)", "get_value(False, True)",
        "get_value(True, True)")  # fmt: skip
def values_are_copied_unless_borrowed() -> None:
    s = theano.shared(A)
    stored = s.get_value(borrow=True)
    assert s.get_value(True, False) is stored
    assert s.get_value(True, True) is stored
    for internal in (False, True):
        value = s.get_value(borrow=False, return_internal_type=internal)
        assert isinstance(value, np.ndarray)
        assert not np.shares_memory(value, stored)
        value += 1
    np.testing.assert_array_equal(s.get_value(), A)


@proves(f"{VARIABLE}.set_value", "new_value", "borrow")
@proves(MEMORY, "set_value(a, False)", "set_value(a, True)")
def values_are_stored_as_copies_unless_borrowed() -> None:
    s, a = theano.shared(A), np.ones(4)
    s.set_value(a)
    a[:] = 7
    np.testing.assert_array_equal(s.get_value(), np.ones(4))
    s.set_value(a, borrow=True)
    assert s.get_value(borrow=True) is a
    with pytest.raises(TypeError):
        s.set_value(np.ones((2, 2)))
    i = theano.shared(3)
    i.set_value(2.0)
    assert i.get_value() == 2
    with pytest.raises(TypeError):
        i.set_value(1.5)


@proves(MEMORY, "in-place idiom")
def the_idiom_for_work_in_place() -> None:
    s = theano.shared(A)
    stored = s.get_value(borrow=True)

    def doubled(value: np.ndarray) -> np.ndarray:
        value *= 2
        return value

    s.set_value(doubled(s.get_value(borrow=True)), borrow=True)
    assert s.get_value(borrow=True) is stored
    np.testing.assert_array_equal(s.get_value(), A * 2)


@proves(f"{VARIABLE}.clone")
def a_clone_shares_the_storage() -> None:
    s = theano.shared(A, "s")
    twin = s.clone()
    assert twin is not s
    s.set_value(A * 3)
    np.testing.assert_array_equal(twin.get_value(), A * 3)


@proves("T.sharedvar.TensorSharedVariable.zero")
def zero_keeps_shape_and_dtype() -> None:
    s = theano.shared(np.float32(A))
    s.zero()
    assert s.get_value().tolist() == [0, 0, 0]
    assert s.get_value().dtype == "float32"


@proves(VARIABLE, "type", "dtype", "ndim", "shape", "value")
def attributes_of_a_shared_variable() -> None:
    s = theano.shared(np.ones((2, 3)))
    assert s.type == T.dmatrix
    assert T.dscalar("x").type is T.dscalar
    assert (s.dtype, s.ndim) == ("float64", 2)
    length = theano.function([], s.shape)
    assert length().tolist() == [2, 3]
    s.set_value(np.ones((5, 1)))
    assert length().tolist() == [5, 1]
    with pytest.raises(Exception, match="get_value"):
        s.value
    with pytest.raises(Exception, match="set_value"):
        s.value = A
