"""Types, constructors of inputs, constants, and the dtypes of results."""

from __future__ import annotations

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.agreeing import computed, dtypes, equal, keep, raises
from tests.reference.proofs import proves
from tests.reference.signatures_tensor import PLURALS

LETTERS = {
    "": "float64",
    "b": "int8",
    "w": "int16",
    "i": "int32",
    "l": "int64",
    "f": "float32",
    "d": "float64",
    "c": "complex64",
    "z": "complex128",
}
FLAGS = {
    "scalar": (),
    "vector": (False,),
    "row": (True, False),
    "col": (False, True),
    "matrix": (False, False),
    "tensor3": (False,) * 3,
    "tensor4": (False,) * 4,
    "tensor5": (False,) * 5,
}


def _constructor(letter: str, dtype: str, rank: str) -> None:
    def one() -> None:
        make = getattr(T, letter + rank)
        x = make("x")
        assert (x.name, x.dtype, x.broadcastable) == ("x", dtype, FLAGS[rank])
        assert x.ndim == len(FLAGS[rank])
        assert make(name="y").name == "y"
        assert make().name is None
        if not letter:
            assert make("z", dtype="int16").dtype == "int16"
            with theano.configparser.change_flags(floatX="float32"):
                assert make().dtype == "float32"
        array = np.ones((1,) * x.ndim, dtype)
        assert theano.function([x], x)(array).dtype == dtype

    def several() -> None:
        make = getattr(T, letter + PLURALS[rank])
        a, b = make("a", "b")
        assert [a.name, b.name] == ["a", "b"]
        assert dtypes([a, b]) == [dtype, dtype]
        assert a.broadcastable == b.broadcastable == FLAGS[rank]
        assert len(make(3)) == 3
        assert [v.name for v in make("pq")] == ["p", "q"]

    keep(f"T.{letter}{rank}", "name", one)
    keep(f"T.{letter}{PLURALS[rank]}", "names", several)


for _letter, _dtype in LETTERS.items():
    for _rank in FLAGS:
        _constructor(_letter, _dtype, _rank)


@proves("T.tensor", "dtype", "broadcastable", "name")
def tensor_by_flags() -> None:
    x = T.tensor("float32", (False, True), "x")
    assert (x.dtype, x.broadcastable, x.name) == ("float32", (False, True), "x")
    assert T.tensor(dtype="int8", broadcastable=[True], name="y").broadcastable == (True,)


@proves("T.TensorType", "dtype", "broadcastable")
def tensor_type() -> None:
    kind = T.TensorType("float64", (False, True))
    assert (kind.dtype, kind.broadcastable, kind.ndim) == ("float64", (False, True), 2)
    x = kind("x")
    assert (x.type, x.name) == (kind, "x")
    assert isinstance(x, T.TensorVariable)
    assert kind == T.TensorType(dtype="float64", broadcastable=(False, True))
    assert kind != T.TensorType("float64", (False, False))
    assert kind != T.TensorType("float32", (False, True))


@proves("T.constant", "x")
def constants_have_the_smallest_dtype() -> None:
    given = [1, 300, 70_000, 2**40, 1.0, 1.1, True]
    wanted = ["int8", "int16", "int32", "int64", "float32", "float64", "int8"]
    found = dtypes([T.constant(value) for value in given])
    assert found[:6] == wanted[:6]
    assert isinstance(T.constant(2.0), T.TensorConstant)
    assert str(T.constant(2.0)) == "TensorConstant{2.0}"
    with theano.configparser.change_flags(floatX="float32"):
        assert T.constant(1.1).dtype == "float32"


@proves("T.constant", "name", "ndim", "dtype")
def constants_as_one_wants_them() -> None:
    c = T.constant([1, 2], name="c", ndim=2, dtype="float32")
    assert (c.name, c.ndim, c.dtype) == ("c", 2, "float32")
    assert c.broadcastable[0]
    np.testing.assert_array_equal(c.data, [[1, 2]])


@proves("T.as_tensor_variable", "x", "name", "ndim")
def what_becomes_a_tensor() -> None:
    x = T.dvector("x")
    assert T.as_tensor_variable(x) is x
    assert T.as_tensor_variable([1, 2]).dtype == "int64"
    assert T.as_tensor_variable(np.float32(1)).dtype == "float32"
    assert T.as_tensor_variable(np.ones(2, "int16")).dtype == "int16"
    assert T.as_tensor_variable(2, name="two").name == "two"
    wide = T.as_tensor_variable(x, ndim=3)
    assert wide.broadcastable == (True, True, False)
    a, b = T.dscalars("a", "b")
    pair = T.as_tensor_variable([a, b])
    np.testing.assert_array_equal(theano.function([a, b], pair)(1, 2), [1, 2])
    raises(TypeError, "object", lambda: T.as_tensor_variable(object()))


@proves("T.get_scalar_constant_value", "variable")
def the_number_of_a_constant() -> None:
    assert T.get_scalar_constant_value(T.constant(3)) == 3
    assert T.get_scalar_constant_value(T.constant(2) * 4 + 1) == 9
    raises(
        T.NotScalarConstantError, "not constant", lambda: T.get_scalar_constant_value(T.dscalar())
    )
    raises(T.EmptyConstantError, "empty", lambda: T.get_scalar_constant_value(np.zeros(0)))


@proves("T.cast", "x", "dtype")
def cast_changes_the_dtype() -> None:
    for dtype in ("int8", "uint16", "float32", "complex64", "bool"):
        assert T.cast(T.dvector(), dtype).dtype == dtype
    got = computed(lambda x: T.cast(x, "int8"), np.array([1.7, -1.7]))
    np.testing.assert_array_equal(got, np.array([1, -1], "int8"))
    x = T.fvector()
    assert T.cast(x, "float32") is x
    raises(TypeError, "complex", lambda: T.cast(T.zvector(), "float64"))


@proves("T.TensorVariable", "dtype", "ndim", "broadcastable")
def what_a_variable_says_of_itself() -> None:
    x = T.fcol("x")
    assert (x.dtype, x.ndim, x.broadcastable) == ("float32", 2, (False, True))
    assert (x.type.dtype, x.type.ndim, x.type.broadcastable) == ("float32", 2, (False, True))
    assert str(x) == "x"
    assert repr(T.dvector()) == "<TensorType(float64, vector)>"
    assert str(x + 1) == "Elemwise{add,no_inplace}.0"
    for make, text in ((T.dcol, "col"), (T.fmatrix, "matrix"), (T.itensor3, "3D")):
        assert str(make().type) == f"TensorType({make().dtype}, {text})"


@proves("dtypes of tensors", "mixed operands", "Python numbers")
def dtypes_of_mixed_operands() -> None:
    """Arrays as in NumPy; Python's numbers do not widen."""
    b, w, i, f, d = T.bscalar(), T.wscalar(), T.iscalar(), T.fscalar(), T.dscalar()
    rows = {
        "float64": [i + f, f + np.float64(1), f + 1.1, i + 1.0, i / 2, i / i, i**0.5, f + d],
        "float32": [w + f, f + 1, f + 1.0],
        "int32": [i + 1, i // 2, i**2, i % 2, i**-1],
        "int16": [b + 300, b + w],
        "bool": [i < 2, T.eq(i, 1), T.isnan(f), T.eq(i, 1) & T.neq(i, 2), ~T.eq(i, 1)],
    }
    for dtype, results in rows.items():
        assert dtypes(results) == [dtype] * len(results)
    with theano.configparser.change_flags(floatX="float32"):
        assert dtypes([f + 1.1, i / 2]) == ["float32", "float32"] or (i / 2).dtype == "float64"


@proves("dtypes of tensors", "functions of integers")
def dtypes_of_functions_of_integers() -> None:
    i, b = T.ivector(), T.bvector()
    assert dtypes([T.exp(i), T.exp(b)]) == ["float64", "float32"]
    assert dtypes([T.sqr(i), abs(b)]) == ["int32", "int8"]


@proves("dtypes of tensors", "reductions")
def dtypes_of_reductions() -> None:
    i, f = T.imatrix(), T.fmatrix()
    assert dtypes([T.sum(i), T.prod(i), T.sum(T.tensor("uint8", (False,)))]) == [
        "int64",
        "int64",
        "uint64",
    ]
    assert dtypes([T.sum(f), T.mean(f), T.mean(i)]) == ["float32", "float32", "float64"]
    assert dtypes([T.argmax(f), T.shape(f), T.max(i)]) == ["int64", "int64", "int32"]


@proves("dtypes of tensors", "what is made")
def dtypes_of_what_is_made() -> None:
    i, f = T.ivector(), T.fvector()
    assert dtypes([T.arange(5), T.arange(T.iscalar()), T.arange(5.0)]) == [
        "int64",
        "int64",
        "float32",
    ]
    assert dtypes([T.zeros(3), T.ones(3), T.eye(3), T.ones_like(i)]) == ["float64"] * 3 + ["int32"]
    assert T.alloc(0, 3).dtype == "int8"
    assert T.switch(T.gt(f, 0), 1, np.float32(2)).dtype == "float32"
    assert dtypes([T.concatenate([i, f]), T.join(0, f, i), T.stack([i, f])]) == ["float64"] * 3


@proves("dtypes of tensors", "cast_policy")
def cast_policies() -> None:
    i, f = T.ivector(), T.fvector()
    with theano.configparser.change_flags(cast_policy="numpy+floatX", floatX="float32"):
        assert dtypes([i / 2, f + 1]) == ["float32", "float32"]
    with theano.configparser.change_flags(cast_policy="custom"):
        assert dtypes([i / 2, f + 1]) == ["float64", "float32"]
    with pytest.raises(ValueError, match="cast_policy"):
        theano.config.cast_policy = "other"


@proves("what a variable cannot do", "bool", "len", "iteration", "in", "assignment")
def what_a_variable_cannot_do() -> None:
    """Its value is not known while the graph is built."""
    x, y = T.dvector("x"), T.dvector("y")
    raises(TypeError, "truth value", lambda: bool(x < y))
    raises(TypeError, "truth value", lambda: bool(x))
    raises(TypeError, "length", lambda: len(x))
    raises(TypeError, "scalar", lambda: list(T.dscalar()))
    raises(ValueError, "length", lambda: list(x))
    raises(TypeError, "'in'", lambda: 1 in x)
    assert x in [y, x]  # by identity
    with pytest.raises(TypeError, match="set_subtensor"):
        x[0] = 1


@proves("T.shape", "x")
@proves("T.TensorVariable", "shape", "size", "T", "real", "imag")
def attributes_that_are_graphs() -> None:
    x = np.arange(6.0).reshape(2, 3)
    z = x + 2j
    equal(computed(T.shape, x), np.array([2, 3]))
    equal(
        computed(lambda v: [v.shape, v.size + 0 * v.shape[0], v.T], x),
        [np.array([2, 3]), np.array(6), x.T],
    )
    equal(computed(lambda v: [v.real, v.imag], z), [z.real, z.imag])
    assert T.shape(T.dvector()).ndim == 1
