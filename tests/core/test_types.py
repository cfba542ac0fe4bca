"""How dtypes combine, what values a type takes, and what broadcasts: every rule and every cell of
the table.
"""

from __future__ import annotations

import numpy as np
import pytest

from workbench.configuration import config
from workbench.core.ops import create, reduce, scalars
from workbench.core.ops.alloc import alloc
from workbench.core.ops.join import join
from workbench.core.types import TensorType, as_tensor, broadcast_shapes
from workbench.core.variable import tensor
from workbench.errors import DtypeError, GraphError, LengthError, RankError, ShapeError


def v(dtype: str, ndim: int = 0):
    return tensor(dtype, (None,) * ndim, dtype)


RULES = {
    "int32 ⊕ float32": (lambda: v("int32") + v("float32"), "float64"),
    "int16 ⊕ float32": (lambda: v("int16") + v("float32"), "float32"),
    "float32 + 1": (lambda: v("float32") + 1, "float32"),
    "float32 + 1.": (lambda: v("float32") + 1.0, "float32"),
    "float32 + 1.1": (lambda: v("float32") + 1.1, "float64"),
    "float32 + numpy float64": (lambda: v("float32") + np.float64(1), "float64"),
    "numpy float64 + float32": (lambda: np.float64(1) + v("float32"), "float64"),
    "float32 + numpy array": (lambda: v("float32") + np.ones(2), "float64"),
    "int32 + 1": (lambda: v("int32") + 1, "int32"),
    "int32 + 1.": (lambda: v("int32") + 1.0, "float64"),
    "int8 + 300": (lambda: v("int8") + 300, "int16"),
    "int32 / 2": (lambda: v("int32") / 2, "float64"),
    "int32 / int32": (lambda: v("int32") / v("int32"), "float64"),
    "int8 / int8": (lambda: v("int8") / v("int8"), "float64"),
    "2 / int8": (lambda: 2 / v("int8"), "float64"),
    "float32 / int8": (lambda: v("float32") / v("int8"), "float32"),
    "int32 // 2": (lambda: v("int32") // 2, "int32"),
    "int32 ** 2": (lambda: v("int32") ** 2, "int32"),
    "int32 ** 0.5": (lambda: v("int32") ** 0.5, "float64"),
    "int32 ** -1": (lambda: v("int32") ** -1, "int32"),
    "int32 % 2": (lambda: v("int32") % 2, "int32"),
    "float32 ** 2": (lambda: v("float32") ** 2, "float32"),
    "x < y": (lambda: v("float32") < v("int8"), "bool"),
    "eq": (lambda: scalars.eq(v("float32"), 1), "bool"),
    "isnan": (lambda: scalars.isnan(v("float32")), "bool"),
    "~bool": (lambda: ~v("bool"), "bool"),
    "bool & bool": (lambda: v("bool") & v("bool"), "bool"),
    "int8 & int32": (lambda: v("int8") & v("int32"), "int32"),
    "exp of int32": (lambda: scalars.exp(v("int32")), "float64"),
    "exp of int8": (lambda: scalars.exp(v("int8")), "float32"),
    "sqr of int8": (lambda: scalars.sqr(v("int8")), "int8"),
    "abs of int32": (lambda: abs(v("int32")), "int32"),
    "floor of float32": (lambda: scalars.floor(v("float32")), "float32"),
    "abs of complex64": (lambda: abs(v("complex64")), "float32"),
    "sum of int8": (lambda: v("int8", 1).sum(), "int64"),
    "sum of bool": (lambda: v("bool", 1).sum(), "int64"),
    "sum of uint8": (lambda: v("uint8", 1).sum(), "uint64"),
    "prod of int16": (lambda: v("int16", 1).prod(), "int64"),
    "sum of float32": (lambda: v("float32", 1).sum(), "float32"),
    "sum of a scalar int8": (lambda: v("int8").sum(), "int64"),
    "sum as int32": (lambda: v("int8", 1).sum(dtype="int32"), "int32"),
    "sum as float64": (lambda: v("float32", 1).sum(dtype="float64"), "float64"),
    "mean of int8": (lambda: v("int8", 1).mean(), "float64"),
    "mean of float32": (lambda: v("float32", 2).mean(0), "float32"),
    "mean of complex64": (lambda: v("complex64", 1).mean(), "complex64"),
    "var of float32": (lambda: v("float32", 2).var(0), "float32"),
    "argmax": (lambda: v("float32", 1).argmax(), "int64"),
    "shape": (lambda: v("float32", 1).shape, "int64"),
    "shape[0]": (lambda: v("float32", 1).shape[0], "int64"),
    "max of int8": (lambda: v("int8", 1).max(), "int8"),
    "all": (lambda: v("int8", 1).all(), "bool"),
    "arange(5)": (lambda: create.arange(5), "int64"),
    "arange(int32)": (lambda: create.arange(v("int32")), "int64"),
    "arange(5.)": (lambda: create.arange(5.0), "float32"),
    "zeros": (lambda: create.zeros((2,)), "float64"),
    "eye": (lambda: create.eye(2), "float64"),
    "ones_like(int32)": (lambda: scalars.ones_like(v("int32")), "int32"),
    "alloc(0, 3)": (lambda: alloc(0, 3), "int8"),
    "switch(c, 1, 2.)": (lambda: scalars.switch(v("bool"), 1, 2.0), "float32"),
    "join": (lambda: join(0, v("int8", 1), v("float32", 1)), "float32"),
    "constant 1": (lambda: as_tensor(1), "int8"),
    "constant 300": (lambda: as_tensor(300), "int16"),
    "constant 70000": (lambda: as_tensor(70000), "int32"),
    "constant 2**40": (lambda: as_tensor(2**40), "int64"),
    "constant 2**63": (lambda: as_tensor(2**63), "uint64"),
    "constant 1.": (lambda: as_tensor(1.0), "float32"),
    "constant 1.1": (lambda: as_tensor(1.1), "float64"),
    "constant 1e300": (lambda: as_tensor(1e300), "float64"),
    "constant nan": (lambda: as_tensor(float("nan")), "float32"),
    "constant inf": (lambda: as_tensor(float("inf")), "float32"),
    "constant True": (lambda: as_tensor(True), "bool"),
    "constant 1j": (lambda: as_tensor(1j), "complex128"),
    "list of ints": (lambda: as_tensor([1, 2]), "int64"),
    "big-endian": (lambda: as_tensor(np.ones(2, ">f4")), "float32"),
    "list of variables": (lambda: as_tensor([v("int8"), 1.5]), "float32"),
}


@pytest.mark.parametrize("rule", RULES)
def test_dtype_rule(rule: str) -> None:
    build, dtype = RULES[rule]
    assert build().dtype == dtype


FLOAT32_RULES = {
    "float32 + 1.1": (lambda: v("float32") + 1.1, "float32"),
    "constant 1.1": (lambda: as_tensor(1.1), "float32"),
    "int32 / 2": (lambda: v("int32") / 2, "float32"),
    "zeros": (lambda: create.zeros((2,)), "float32"),
    "tensor": (lambda: tensor(), "float32"),
    "cast to floatX": (lambda: scalars.cast(v("int8"), "floatX"), "float32"),
    "mean of int8": (lambda: v("int8", 1).mean(), "float64"),
}


@pytest.mark.parametrize("rule", FLOAT32_RULES)
def test_dtype_rule_with_floatx_float32(rule: str) -> None:
    build, dtype = FLOAT32_RULES[rule]
    with config.change(floatX="float32"):
        assert build().dtype == dtype


def test_casts() -> None:
    x = v("float32", 1)
    assert scalars.cast(x, "float32") is x
    assert x.astype("int8").dtype == "int8"
    with pytest.raises(DtypeError, match="complex"):
        scalars.cast(v("complex64"), "float32")
    with pytest.raises(TypeError):
        TensorType("float16x")


@pytest.mark.parametrize(
    "build", [lambda: -v("bool"), lambda: v("bool") - v("bool"), lambda: v("float32") & v("int8")]
)
def test_what_has_no_meaning_is_refused(build) -> None:
    with pytest.raises(DtypeError):
        build()


# The conversion of values: rows are the argument and the type; columns are the options

AS_IS, CAST, LOSSY = "as is", "cast", "TypeError"
F32, F64, I8, I32, I64 = (
    TensorType(d, (None,)) for d in ("float32", "float64", "int8", "int32", "int64")
)
S = {d: TensorType(d) for d in ("float32", "float64", "int8", "int32", "int64", "bool")}
CELLS = [
    # value, type: default, allow_downcast=True, allow_downcast=False, strict=True
    (np.ones(2), F64, AS_IS, AS_IS, AS_IS, AS_IS),
    (np.ones(2, "int64"), F64, CAST, CAST, CAST, LOSSY),
    (np.ones(2, "int16"), F32, CAST, CAST, CAST, LOSSY),
    (np.ones(2, "bool"), F32, CAST, CAST, CAST, LOSSY),
    (np.ones(2, "float32"), F64, CAST, CAST, CAST, LOSSY),
    (np.ones(2, ">f8"), F64, CAST, CAST, CAST, LOSSY),
    (np.ones(2), F32, LOSSY, CAST, LOSSY, LOSSY),
    (np.ones(2, "int32"), F32, LOSSY, CAST, LOSSY, LOSSY),
    (np.ones(2, "int64"), F32, LOSSY, CAST, LOSSY, LOSSY),
    (np.ones(2, "complex128"), F64, LOSSY, CAST, LOSSY, LOSSY),
    (np.full(2, 1e300), F32, LOSSY, CAST, LOSSY, LOSSY),
    (np.array([1.5, np.nan]), I8, LOSSY, CAST, LOSSY, LOSSY),
    ([1, 2], F64, CAST, CAST, CAST, LOSSY),
    ([1, 2], I8, CAST, CAST, CAST, LOSSY),
    ([0.5, np.nan], F32, CAST, CAST, CAST, LOSSY),
    ([], I64, CAST, CAST, CAST, LOSSY),
    (3, S["float32"], CAST, CAST, CAST, LOSSY),
    (2**24 + 1, S["float32"], LOSSY, CAST, LOSSY, LOSSY),
    (2**53 + 1, S["float64"], LOSSY, CAST, LOSSY, LOSSY),
    (0.1, S["float32"], LOSSY, CAST, LOSSY, LOSSY),
    ([0.1], F32, LOSSY, CAST, LOSSY, LOSSY),
    (np.float64(0.1), S["float32"], LOSSY, CAST, LOSSY, LOSSY),
    (1e300, S["float32"], LOSSY, CAST, LOSSY, LOSSY),
    (1.5, S["int64"], LOSSY, CAST, LOSSY, LOSSY),
    (float("nan"), S["int64"], LOSSY, CAST, LOSSY, LOSSY),
    (300, S["int8"], LOSSY, CAST, LOSSY, LOSSY),
    (2**63, S["int64"], LOSSY, CAST, LOSSY, LOSSY),
    (1j, S["float64"], LOSSY, CAST, LOSSY, LOSSY),
    (1.0, S["int64"], CAST, CAST, CAST, LOSSY),
    (np.float32(1), S["int64"], CAST, CAST, CAST, LOSSY),
    (True, S["int64"], CAST, CAST, CAST, LOSSY),
    (np.uint64(3), S["int8"], CAST, CAST, CAST, LOSSY),
    (1, S["bool"], CAST, CAST, CAST, LOSSY),
    (2, S["bool"], LOSSY, CAST, LOSSY, LOSSY),
    ("1", S["float64"], LOSSY, LOSSY, LOSSY, LOSSY),
    (None, S["float64"], LOSSY, LOSSY, LOSSY, LOSSY),
    (2**64, S["float64"], LOSSY, LOSSY, LOSSY, LOSSY),
    ([[1], [1, 2]], F64, LOSSY, LOSSY, LOSSY, LOSSY),
    ({}, S["float64"], LOSSY, LOSSY, LOSSY, LOSSY),
]
OPTIONS = ({}, {"allow_downcast": True}, {"allow_downcast": False}, {"strict": True})


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: f"{str(c[0])[:20]} to {c[1]}")
def test_conversion_table(cell) -> None:
    value, t, *wanted = cell
    for options, outcome in zip(OPTIONS, wanted, strict=True):
        if outcome == LOSSY:
            with pytest.raises(DtypeError) as caught:
                t.convert(value, **options)
            assert isinstance(caught.value, TypeError)
            assert caught.value.met
            assert caught.value.advice
            continue
        result = t.convert(value, **options)
        assert result.dtype == t.dtype
        assert (result is value) == (outcome == AS_IS)


def test_integers_that_are_too_wide_are_overflows_too() -> None:
    for value, kind in ((2**63, S["int64"]), (2**70, S["int64"]), (-(2**63) - 1, S["float64"])):
        with pytest.raises(OverflowError) as caught:
            kind.convert(value)
        assert isinstance(caught.value, DtypeError)
    with pytest.raises(DtypeError) as small:
        S["int8"].convert(300)
    assert not isinstance(small.value, OverflowError)


def test_a_plain_float_for_a_float32_scalar_where_floatx_says_so() -> None:
    with config.change(floatX="float32"):
        assert S["float32"].convert(0.1) == np.float32(0.1)
        for value, options in (
            (np.float64(0.1), {}),
            ([0.1], {}),
            (0.1, {"allow_downcast": False}),
        ):
            with pytest.raises(TypeError):
                S["float32"].convert(value, **options)


def test_ranks_and_lengths_of_values() -> None:
    with pytest.raises(
        RankError, match=r"Wrong number of dimensions: expected 1, got 2 with shape \(2, 3\)"
    ):
        F64.convert(np.ones((2, 3)))
    with pytest.raises(LengthError) as caught:
        TensorType("float64", (1, None)).convert(np.ones((2, 3)))
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ValueError)
    strided = np.ones((4, 4))[::2, ::-1]
    assert TensorType("float64", (None, None)).convert(strided) is strided
    matrix = np.ones((2, 2)).view(np.ma.MaskedArray)
    assert type(TensorType("float64", (None, None)).convert(matrix)) is np.ndarray
    with pytest.raises(DtypeError, match="symbolic"):
        F64.convert(v("float64", 1))


def test_names_of_types() -> None:
    assert str(TensorType("float64", (None, None))) == "TensorType(float64, matrix)"
    assert str(TensorType("float64", (None,) * 3)) == "TensorType(float64, 3D)"
    assert str(TensorType("int8")) == "TensorType(int8, scalar)"
    assert str(TensorType("int8", (1, None))) == "TensorType(int8, row)"
    assert str(TensorType("int8", (None, 1))) == "TensorType(int8, col)"
    assert TensorType("int8", (1, None)).broadcastable == (True, False)
    assert TensorType("int8", (None,)).accepts(TensorType("int8", (3,)))
    assert not TensorType("int8", (3,)).accepts(TensorType("int8", (None,)))


@pytest.mark.parametrize(
    ("shapes", "result"),
    [
        ([(None,), (None,)], (None,)),
        ([(None,), (5,)], (5,)),
        ([(1,), (None,)], (None,)),
        ([(1,), (1,)], (1,)),
        ([(), (2, None)], (2, None)),
        ([(None, 1), (1, None)], (None, None)),
        ([(3,), (2, 1)], (2, 3)),
        ([(0,), (1,)], (0,)),
        ([(0,), (None,)], (0,)),
        ([], ()),
    ],
)
def test_static_broadcasting(shapes, result) -> None:
    assert broadcast_shapes(shapes) == result


def test_static_lengths_that_differ() -> None:
    for shapes in ([(2,), (3,)], [(0,), (2,)], [(4, 1), (2, 5), (3, 1)]):
        with pytest.raises(ShapeError, match="shapes do not fit"):
            broadcast_shapes(shapes)


def test_what_cannot_be_a_tensor() -> None:
    for value in (
        "text",
        None,
        object(),
        [[1], [1, 2]],
        np.datetime64("2020-01-01"),
        np.longdouble(1),
    ):
        with pytest.raises(GraphError):
            as_tensor(value)
    with pytest.raises(DtypeError, match="64 bits"):
        as_tensor(2**70)


def test_variables_have_no_value_yet() -> None:
    x = v("float64", 1)
    for use in (lambda: bool(x < x), lambda: len(x), lambda: 1 in x, lambda: list(v("float64"))):
        with pytest.raises(TypeError):
            use()
    with pytest.raises(ValueError, match="length of"):
        list(x)
    assert len(list(tensor("float64", (3,)))) == 3
    with pytest.raises(TypeError, match="set_subtensor"):
        x[0] = 1


@pytest.mark.parametrize(
    ("index", "error"),
    [
        (1.0, TypeError),
        ("a", TypeError),
        (True, TypeError),
        ((0, 0, 0), IndexError),
        ([0.5], TypeError),
        (slice(None, None, 0), ValueError),
        (slice(0.5), TypeError),
        ((..., ...), IndexError),
    ],
)
def test_indices_that_are_none(index, error) -> None:
    with pytest.raises(error) as caught:
        v("float64", 2)[index]
    assert caught.value.advice


def test_indices_out_of_range_where_lengths_are_known() -> None:
    x = tensor("float64", (3, 4))
    with pytest.raises(IndexError, match="out of range"):
        x[3]
    with pytest.raises(IndexError, match="too many"):
        tensor("float64")[0]
    assert x[1:, ::2].type.shape == (2, 2)
    assert x[None, 0].type.shape == (1, 4)
    assert reduce.sum(x, 0).type.shape == (4,)
