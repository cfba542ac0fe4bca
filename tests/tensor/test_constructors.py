"""Constructors of inputs and constants: every letter, word and plural, their names and types."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.tensor.constructors import LETTERS, PLURALS, SHAPES

RANKS = {"scalar": 0, "vector": 1, "row": 2, "col": 2, "matrix": 2}
RANKS |= {f"tensor{n}": n for n in (3, 4, 5, 6, 7)}
BROADCAST = {"row": (True, False), "col": (False, True)}
KINDS = {
    "b": "int8",
    "w": "int16",
    "i": "int32",
    "l": "int64",
    "f": "float32",
    "d": "float64",
    "c": "complex64",
    "z": "complex128",
}


def test_the_tables_are_whole():
    assert set(SHAPES) == set(RANKS) == set(PLURALS)
    assert set(LETTERS) == {"", *KINDS}


@pytest.mark.parametrize("word", RANKS)
@pytest.mark.parametrize("letter", ["", *KINDS])
def test_one(letter, word):
    make = getattr(T, letter + word)
    dtype = KINDS.get(letter, "float64")
    x = make("x")
    assert (x.name, x.dtype, x.ndim) == ("x", dtype, RANKS[word])
    assert x.type.dtype == dtype
    assert x.type.ndim == RANKS[word]
    assert x.type.broadcastable == BROADCAST.get(word, (False,) * RANKS[word])
    assert make().name is None
    assert make(name="y").name == "y"
    assert make.__name__ == letter + word
    assert word in make.__doc__
    with wb.config.change(floatX="float32"):
        assert make().dtype == (dtype if letter else "float32")


@pytest.mark.parametrize("word", RANKS)
@pytest.mark.parametrize("letter", ["", "i", "d"])
def test_several(letter, word):
    make, one = getattr(T, letter + PLURALS[word]), getattr(T, letter + word)
    a, b = make("a", "b")
    assert (a.name, b.name, a.type) == ("a", "b", one().type)
    assert [v.name for v in make("xyz")] == ["x", "y", "z"]
    assert [v.name for v in make(2)] == [None, None]
    assert make("x").name == "x"
    assert make(None).name is None
    assert isinstance(make("a", None), list)
    assert make() == []
    with pytest.raises(TypeError, match="names"):
        make("a", 3)


def test_dtypes_by_argument():
    assert T.matrix("m", "int8").dtype == "int8"
    assert T.vector(dtype=np.float32).dtype == "float32"
    assert T.vector(dtype=np.dtype("int16")).dtype == "int16"
    assert T.scalar(dtype="floatX").dtype == "float64"
    assert T.vectors("ab", dtype="int8")[1].dtype == "int8"
    for wrong in ("longdouble", "real", "U3", object()):
        with pytest.raises(TypeError, match="is not a tensor dtype"):
            T.vector(dtype=wrong)
    with pytest.raises(TypeError, match="name is text"):
        T.vector(3)


def test_names_and_text():
    assert str(T.dvector("x")) == repr(T.dvector("x")) == "x"
    assert str(T.dvector()) == "<TensorType(float64, vector)>"
    assert str(T.dvector() + T.dvector()) == "Elemwise{add,no_inplace}.0"
    assert str(T.constant(2.0)) == "TensorConstant{2.0}"
    texts = {
        T.dscalar: "scalar",
        T.dmatrix: "matrix",
        T.drow: "row",
        T.dcol: "col",
        T.dtensor3: "3D",
        T.dtensor4: "4D",
        T.dtensor5: "5D",
    }
    for make, text in texts.items():
        assert repr(make().type) == f"TensorType(float64, {text})"


# ---------------------------------------------------------------- types


@pytest.mark.parametrize(
    ("made", "shape"),
    [
        (lambda: T.TensorType("float64", (False,)), (None,)),
        (lambda: T.TensorType("float64", [True, False]), (1, None)),
        (lambda: T.TensorType(dtype="float64", broadcastable=(False, True)), (None, 1)),
        (lambda: T.TensorType("float64", broadcastable=()), ()),
        (lambda: T.TensorType("float64", (np.True_, np.False_)), (1, None)),
        (lambda: T.TensorType("float64", (None, 3)), (None, 3)),
        (lambda: T.TensorType("float64", (1, 0)), (1, 0)),
        (lambda: T.TensorType("float64", (np.int64(2),)), (2,)),
        (lambda: T.TensorType("float64"), ()),
    ],
)
def test_types_by_shape_or_flags(made, shape):
    kind = made()
    assert kind.shape == shape
    assert all(n is None or type(n) is int for n in kind.shape)
    assert kind.broadcastable == tuple(n == 1 for n in shape)
    assert kind == T.TensorType("float64", shape)
    assert hash(kind) == hash(T.TensorType("float64", shape))


def test_a_type_is_called_for_a_variable():
    kind = T.TensorType("float64", (False,))
    x = kind("name")
    assert (x.name, x.type, x.owner) == ("name", kind, None)
    assert kind().name is None
    assert isinstance(x, T.TensorVariable)
    assert T.TensorType("float64", (False,) * 2)("m").type == T.dmatrix().type


def test_types_that_are_none():
    for make in (
        lambda: T.TensorType("float65"),
        lambda: T.TensorType(None),
        lambda: T.TensorType("float64", ("a",)),
        lambda: T.TensorType("float64", (1.5,)),
    ):
        with pytest.raises(TypeError):
            make()


def test_tensor():
    assert T.tensor("int8", (None, 2), "x").type == T.TensorType("int8", (None, 2))
    assert T.tensor("int8", (False, True)).broadcastable == (False, True)
    assert T.tensor(dtype="int8", broadcastable=(True,)).broadcastable == (True,)
    assert T.tensor().dtype == "float64"


# ---------------------------------------------------------------- constants

CONSTANTS = [
    (1, "int8"),
    (-128, "int8"),
    (128, "int16"),
    (300, "int16"),
    (70000, "int32"),
    (2**31, "int64"),
    (2**63, "uint64"),
    (True, "bool"),
    (1.0, "float32"),
    (0.5, "float32"),
    (1.1, "float64"),
    (1e300, "float64"),
    (float("inf"), "float32"),
    (1j, "complex128"),
    (np.float64(1), "float64"),
    (np.int64(1), "int64"),
    (np.ones(2, "int8"), "int8"),
    ([1, 2], "int64"),
    ((1.0, 2.0), "float64"),
    ([True], "bool"),
]


@pytest.mark.parametrize(("value", "dtype"), CONSTANTS)
def test_constants_take_the_narrowest_dtype(value, dtype):
    c = T.constant(value, "c")
    assert (c.dtype, c.name) == (dtype, "c")
    np.testing.assert_array_equal(c.data, value)
    assert not c.data.flags.writeable
    assert T.as_tensor_variable(value).dtype == dtype
    with wb.config.change(floatX="float32"):
        assert T.constant(value).dtype == ("float32" if type(value) is float else dtype)


def test_constants_of_a_dtype_and_rank():
    assert T.constant(1, dtype="float32").dtype == "float32"
    assert T.constant(1.5, dtype="floatX").dtype == "float64"
    assert T.constant([1, 2], ndim=3).type.shape == (1, 1, 2)
    assert T.constant(3, name="n", ndim=1, dtype="int8").name == "n"
    for make in (
        lambda: T.constant(300, dtype="int8"),
        lambda: T.constant("text"),
        lambda: T.constant("text", dtype="int8"),
        lambda: T.constant(None),
        lambda: T.constant(T.dvector("x")),
        lambda: T.constant(2**70),
        lambda: T.constant([1], ndim=0),
        lambda: T.constant(1, dtype="what"),
    ):
        with pytest.raises(TypeError):
            make()


def test_a_constants_array_is_its_own():
    given = np.arange(3.0)
    c = T.constant(given)
    given += 1
    np.testing.assert_array_equal(c.data, np.arange(3.0))


def test_as_tensor_variable():
    x = T.dmatrix("x")
    assert T.as_tensor_variable(x) is x
    assert T.as_tensor_variable(x, ndim=2) is x
    assert T.as_tensor_variable(x, ndim=3).broadcastable == (True, False, False)
    assert T.as_tensor_variable(T.drow(), ndim=1).broadcastable == (False,)
    assert T.as_tensor_variable(3.0, name="c").name == "c"
    assert T.as_tensor_variable([T.dscalar(), 2.0]).ndim == 1
    assert T.as_tensor_variable(np.ones(2), ndim=2).eval().shape == (1, 2)
    for make in (
        lambda: T.as_tensor_variable(x, ndim=1),
        lambda: T.as_tensor_variable("text"),
        lambda: T.as_tensor_variable([[1], [1, 2]]),
        lambda: T.as_tensor_variable(wb.shared([1])),
    ):
        with pytest.raises(TypeError):
            make()
