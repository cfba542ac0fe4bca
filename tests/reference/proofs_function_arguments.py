"""In, Out and Param: every parameter; which values an argument takes; memory of results."""

from __future__ import annotations

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import proves

A = np.arange(3.0)
IN, OUT, PARAM = "theano.In", "theano.Out", "theano.Param"
TABLE = "argument of a function"
TAKES = {  # column of the reference's table: options of In
    "default": {},
    "allow": {"allow_downcast": True},
    "forbid": {"allow_downcast": False},
    "strict": {"strict": True},
}


@proves(IN, "variable", "name", "autoname")
def inputs_are_named_by_their_variable_or_by_name() -> None:
    x = T.dscalar("x")
    assert theano.In(x).name == "x"
    assert theano.In(x, autoname=False).name is None
    f = theano.function([theano.In(x, name="width")], x * 2)
    assert f(width=3) == 6
    with pytest.raises(TypeError):
        f(x=3)
    with pytest.raises(TypeError):
        theano.function([theano.In(x, autoname=False)], x)(x=3)
    with pytest.raises(TypeError):
        theano.In(x, name=3)
    with pytest.raises(TypeError):
        theano.In("x")


@proves(IN, "value")
@proves("results of a function", "defaults")
def a_default_may_be_left_out_or_overridden_for_one_call() -> None:
    x, y, z = T.dscalars("x", "y", "z")
    f = theano.function([x, theano.In(y, value=10.0), theano.In(z, value=100.0)], x + y + z)
    assert (f(1), f(1, 2), f(1, z=0), f(1)) == (111, 103, 11, 111)
    g = theano.function([theano.In(x, value=1.0), y], x + y)
    assert (g(y=2), g(5, 2)) == (3, 7)
    with pytest.raises(TypeError, match="Missing required input: y"):
        g(3)


@proves(IN, "update")
def an_update_is_stored_into_the_input() -> None:
    n, i = T.lscalar("n"), T.lscalar("i")
    f = theano.function([i, theano.In(n, value=0, update=n + i)], n)
    assert [int(f(2)) for _ in range(3)] == [0, 2, 4]
    assert (f(1, 100), f(1)) == (100, 101)
    with pytest.raises(TypeError):
        theano.In(n, value=0, update=n + 0.5)


@proves(IN, "mutable", "borrow")
def mutable_and_borrowed_inputs() -> None:
    x = T.dvector("x")
    assert theano.In(x, mutable=True).borrow is True
    assert theano.In(x, borrow=True).borrow is True
    assert theano.In(x).borrow is False
    with pytest.raises(AssertionError):
        theano.In(x, mutable=True, borrow=False)
    stored = A.copy()
    f = theano.function([theano.In(x, value=stored, borrow=True)], x.sum())
    g = theano.function([theano.In(x, value=stored)], x.sum())
    stored += 1
    assert (f(), g()) == (6.0, 3.0)  # the first kept the array, the second a copy
    for mutable in (False, True):
        value = A.copy()
        h = theano.function([theano.In(x, mutable=mutable)], T.inc_subtensor(x[:1], 7.0))
        np.testing.assert_array_equal(h(value), [7, 1, 2])


@proves(IN, "strict", "allow_downcast")
def what_an_input_converts() -> None:
    x = T.fvector("x")
    half = A.astype("float32")
    for option, lossy, exact in (("default", False, True), ("allow", True, True),
                                 ("forbid", False, True), ("strict", False, False)):  # fmt: skip
        f = theano.function([theano.In(x, **TAKES[option])], x)
        assert f(half).dtype == "float32"
        for value, taken in ((A, lossy), ([1, 2], exact)):
            if taken:
                assert f(value).dtype == "float32"
            else:
                with pytest.raises(TypeError):
                    f(value)


@proves(IN, "implicit")
def an_implicit_input_may_not_be_passed() -> None:
    x, n = T.dscalars("x", "n")
    f = theano.function([x, theano.In(n, value=2.0, implicit=True)], x * n)
    assert f(3) == 6
    for call in (lambda: f(3, 4), lambda: f(3, n=4)):
        with pytest.raises(TypeError):
            call()


@proves(IN, "shared")
def the_old_flag_of_stored_inputs_shares_nothing() -> None:
    n = T.dscalar("n")
    item = theano.In(n, value=1.0, update=n + 1, shared=True)
    f, g = theano.function([item], n), theano.function([item], n)
    assert [float(f()), float(f()), float(g())] == [1, 2, 1]


@proves(OUT, "variable", "borrow")
def a_borrowed_output_may_be_the_functions_own_memory() -> None:
    s = theano.shared(A, "s")
    held = theano.function([], theano.Out(s, borrow=True), mode="FAST_COMPILE")()
    assert np.shares_memory(held, s.get_value(borrow=True))
    copied = theano.function([], theano.Out(s), mode="FAST_COMPILE")()
    assert not np.shares_memory(copied, s.get_value(borrow=True))
    with pytest.raises(TypeError):
        theano.Out(3)


@proves("results of a function", "aliases")
def results_alias_nothing_unless_borrowed() -> None:
    x, s = T.dvector("x"), theano.shared(A, "s")
    a, b, c, d = theano.function([x], [x, x, s, x[1:]])(A)
    stored = s.get_value(borrow=True)
    for one in (a, b, c, d):
        assert not np.shares_memory(one, A)
        assert not np.shares_memory(one, stored)
        assert not any(np.shares_memory(one, other) for other in (a, b, c, d) if other is not one)


@proves(PARAM, "variable", "default", "name")
def param_is_in_with_a_default() -> None:
    x = T.dscalar("x")
    with pytest.warns(UserWarning, match="In"):
        item = theano.Param(x, default=3.0, name="width")
    assert isinstance(item, theano.In)
    f = theano.function([item], x * 2)
    assert (f(), f(width=5)) == (6, 10)


@proves(PARAM, "mutable", "strict", "allow_downcast", "implicit", "borrow")
def param_hands_its_options_on() -> None:
    x = T.fvector("x")

    def made(**options: object) -> theano.In:
        with pytest.warns(UserWarning, match="Param"):
            return theano.Param(x, np.ones(2, "float32"), **options)

    assert made(mutable=True).mutable
    assert made(borrow=True).borrow
    assert not made().borrow
    f = theano.function([made(implicit=True)], x)
    with pytest.raises(TypeError):
        f([1])
    with pytest.raises(TypeError):
        theano.function([made(strict=True)], x)([1.0])
    with pytest.raises(TypeError):
        theano.function([made()], x)(A)
    assert theano.function([made(allow_downcast=True)], x)(A).dtype == "float32"


def check(make: object, value: object, *taken: str) -> None:
    """A value is converted under these of the four options, and is a TypeError under the others."""
    for option, options in TAKES.items():
        x = make("x")
        f = theano.function([theano.In(x, **options)], x)
        if option in taken:
            out = f(value)
            assert out.dtype == x.dtype
            with np.errstate(all="ignore"):
                np.testing.assert_array_equal(out, np.asarray(value).astype(x.dtype))
        else:
            with pytest.raises(TypeError, match="Bad input argument"):
                f(value)


ALL, EXACT = ("default", "allow", "forbid", "strict"), ("default", "allow", "forbid")


@proves(TABLE, "same dtype ndarray")
def argument_of_the_same_dtype() -> None:
    check(T.dvector, A, *ALL)
    check(T.ivector, np.arange(3, dtype="int32"), *ALL)


@proves(TABLE, "ndarray that is cast safely")
def argument_that_is_cast_safely() -> None:
    check(T.dvector, np.arange(3), *EXACT)
    check(T.fvector, np.arange(3, dtype="int16"), *EXACT)
    check(T.fvector, np.array([True, False]), *EXACT)
    check(T.dvector, np.float32([0.1, 2]), *EXACT)


@proves(TABLE, "ndarray of a lossy dtype")
def argument_of_a_lossy_dtype() -> None:
    check(T.fvector, A, "allow")
    check(T.fvector, np.arange(3), "allow")
    check(T.fvector, np.arange(3, dtype="int32"), "allow")
    x = T.dvector("x")
    assert theano.function([theano.In(x, allow_downcast=True)], x)(A + 1j).tolist() == A.tolist()
    with pytest.raises(TypeError):
        theano.function([x], x)(A + 1j)


@proves(TABLE, "list or int whose value survives")
def argument_that_is_a_list_or_an_int() -> None:
    check(T.fvector, [0, 1, 2], *EXACT)
    check(T.dvector, [0.5, 0.1], *EXACT)
    check(T.dscalar, 3, *EXACT)
    check(T.bscalar, -3, *EXACT)


@proves(TABLE, "float that is inexact in float32")
def argument_that_is_inexact_in_float32() -> None:
    check(T.fscalar, 0.1, "allow")
    check(T.fvector, [0.1], "allow")
    check(T.fscalar, np.float64(0.1), "allow")
    with theano.config.change(floatX="float32"):
        check(T.fscalar, 0.1, "default", "allow")
        check(T.fvector, [0.1], "allow")
        check(T.fscalar, np.float64(0.1), "allow")


@proves(TABLE, "float with a fraction for an int", "int out of range")
def argument_that_an_int_cannot_hold() -> None:
    check(T.lscalar, 1.5, "allow")
    check(T.bscalar, 300, "allow")
    x = T.lscalar("x")
    with pytest.raises((TypeError, OverflowError)):
        theano.function([x], x)(2**63)


@proves(TABLE, "exact number for an int scalar")
def argument_that_is_an_exact_number() -> None:
    for value in (1.0, np.float32(1), True, np.uint64(3)):
        check(T.lscalar, value, *EXACT)


@proves(TABLE, "wrong ndim")
def argument_of_the_wrong_ndim() -> None:
    check(T.dvector, np.ones((2, 2)))
    check(T.dmatrix, A)
    check(T.dscalar, A)
    x = T.dvector("x")
    with pytest.raises(TypeError, match=r"(?i)wrong number of dimensions: expected 1, got 2"):
        theano.function([x], x)(np.ones((2, 2)))


@proves(TABLE, "broadcastable axis of another length than 1")
def argument_with_a_long_broadcastable_axis() -> None:
    check(T.drow, np.ones((2, 3)))
    check(T.drow, np.ones((1, 3)), *ALL)
    check(T.dcol, np.ones((2, 3)))


@proves(TABLE, "non-contiguous array")
def argument_that_is_not_contiguous() -> None:
    check(T.dvector, np.arange(6.0)[::2], *ALL)
    check(T.dmatrix, np.arange(6.0).reshape(2, 3).T, *ALL)
