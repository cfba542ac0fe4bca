"""The elementwise functions that are written with others, and those of complex numbers: NumPy's
values, dtypes kept, gradients.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy.special

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import interpreter, native
from tests.core.ops.gradients import check_gradient
from workbench.configuration import config
from workbench.core.gradient import grad
from workbench.core.ops.gradient_control import disconnected_grad
from workbench.core.ops.scalars import special
from workbench.core.types import TensorType
from workbench.errors import DtypeError, GraphError, NullGradientError, UsageError

SPECIAL = [0.0, -0.0, 1.5, -2.5, 0.1, 1e30, np.inf, -np.inf, np.nan]
FUNCTIONS: dict[str, tuple[Any, Any, int]] = {
    "clip": (lambda x: T.clip(x, -1, 1), lambda x: np.clip(x, -1, 1), 1),
    "clip below": (lambda x: x.clip(-1, None), lambda x: np.clip(x, -1, None), 1),
    "clip above": (lambda x: x.clip(high=1), lambda x: np.clip(x, None, 1), 1),
    "positive": (T.positive, np.positive, 1),
    "fabs": (T.fabs, np.fabs, 1),
    "reciprocal": (T.reciprocal, np.reciprocal, 1),
    "deg2rad": (T.deg2rad, np.deg2rad, 1),
    "rad2deg": (T.degrees, np.rad2deg, 1),
    "fix": (T.fix, np.trunc, 1),
    "round": (T.round, np.round, 1),
    "round to hundreds": (lambda x: T.round(x, -2), lambda x: np.round(x, -2), 1),
    "nan_to_num": (T.nan_to_num, np.nan_to_num, 1),
    "nan_to_num given": (
        lambda x: T.nan_to_num(x, 1, 2, 3),
        lambda x: np.nan_to_num(x, nan=1, posinf=2, neginf=3),
        1,
    ),
    "isclose": (T.isclose, np.isclose, 2),
    "isclose with nan": (
        lambda x, y: T.isclose(x, y, equal_nan=True),
        lambda x, y: np.isclose(x, y, equal_nan=True),
        2,
    ),
    "logical_xor": (T.logical_xor, np.logical_xor, 2),
    "modf": (lambda x: T.modf(x)[0], lambda x: np.modf(x)[0], 1),
    "whole part": (lambda x: T.modf(x)[1], lambda x: np.modf(x)[1], 1),
    "spacing": (T.spacing, np.spacing, 1),
    "ldexp": (lambda x: T.ldexp(x, 5), lambda x: np.ldexp(x, 5), 1),
    "divmod": (lambda x, y: divmod(x, y)[1], lambda x, y: np.divmod(x, y)[1], 2),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_values(name: str, dtype: str) -> None:
    build, reference, arity = FUNCTIONS[name]
    inputs = [TensorType(dtype, (None,)).make() for _ in range(arity)]
    arrays: Any = np.array(list(product(SPECIAL, repeat=arity)), dtype).T
    output = build(*inputs)
    with np.errstate(all="ignore"):
        expected = reference(*arrays)
    for run in (interpreter, native):
        (result,) = run(inputs, [output])(list(arrays))
        assert result.dtype == expected.dtype == output.dtype
        np.testing.assert_allclose(result, expected, rtol=4 * np.finfo(dtype).eps)


SMOOTH = {
    name: f for name, f in FUNCTIONS.items() if not name.startswith(("is", "logical", "spac"))
}


@pytest.mark.parametrize("name", SMOOTH)
def test_gradient(name: str) -> None:
    build, _, arity = FUNCTIONS[name]
    inputs = [TensorType("float64", (None,)).make() for _ in range(arity)]
    arrays = [np.array([0.52, -1.56, 2.57]), np.array([-0.7, 0.2, 3.0])][:arity]
    check_gradient(inputs, [build(*inputs)], arrays, range(arity))


def test_rounding_of_halves() -> None:
    x = T.dvector("x")
    halves = np.array([0.5, 1.5, 2.5, -0.5, -2.5, 0.49999999999999994, 0.25, 4503599627370497.0])
    away = [1, 2, 3, -1, -3, 0, 0, 4503599627370497.0]
    f = wb.function(
        [x], [T.round(x), T.round(x, mode="half_away_from_zero"), T.iround(x), x.round(1)]
    )
    even, away_found, whole, decimal = f(halves)
    np.testing.assert_array_equal(even, np.round(halves))
    np.testing.assert_array_equal(away_found, away)
    np.testing.assert_array_equal(whole, np.round(halves).astype("int64"))
    np.testing.assert_allclose(decimal, np.round(halves, 1))
    np.testing.assert_array_equal(T.round(np.array([14, 16, -15]), -1).eval(), [10, 20, -20])
    with pytest.raises(UsageError, match="half_to_even"):
        T.round(x, mode="half_to_evn")


def test_ldexp_reaches_the_ends_of_the_range() -> None:
    x, e = T.dvector("x"), T.ivector("e")
    at, powers = np.array([1.0, 2.0**-1000, 2.0**1000, -3.0]), np.array([-1074, 2000, -2000, 1022])
    found = T.ldexp(x, e).eval({x: at, e: powers.astype("int32")})
    np.testing.assert_array_equal(found, np.ldexp(at, powers))
    with pytest.raises(DtypeError, match="whole exponents"):
        T.ldexp(x, x)


def test_every_ufunc_of_numpy_has_its_name_here() -> None:
    ufuncs = {f.__name__ for f in vars(np).values() if isinstance(f, np.ufunc)}
    products = {"matvec", "vecdot", "vecmat"}
    assert ufuncs - products - set(dir(T)) == {"frexp", "isnat"}


def test_names_of_the_same() -> None:
    assert T.bitwise_and is T.and_
    assert T.bitwise_not is T.invert
    assert T.radians is T.deg2rad
    assert T.digamma is T.psi
    assert T.expit is T.sigmoid


def test_integers_and_bools() -> None:
    i, b = T.ivector("i"), T.vector("b", dtype="bool")
    assert T.reciprocal(i).dtype == "float64"
    assert T.fabs(i).dtype == "float64"
    assert T.float_power(i, 2).dtype == T.float_power(T.fvector(), 2).dtype == "float64"
    assert (i << 1).dtype == (1 << i).dtype == "int32"
    assert (i >> 1).dtype == (100 >> i).dtype == "int32"
    assert T.left_shift(b, b).dtype == "int8"
    assert T.gcd(i, 4).dtype == "int32"
    assert T.bitwise_count(i).dtype == "uint8"
    assert T.isfinite(i).dtype == "bool"
    with pytest.raises(DtypeError, match="no integer dtype holds both"):
        T.lvector() & T.vector(dtype="uint64")
    with pytest.raises(DtypeError, match="integer dtype first"):
        T.left_shift(T.dvector(), 1)
    (found,) = wb.function([i], [T.allclose(i, i)])([1, 2])
    assert found


# Complex numbers: the gradient by z is ∂/∂x - i ∂/∂y.

Z = np.array([1 + 2j, -0.5 + 0.3j, 2 - 1j])
COMPLEX = {
    "real": lambda z: z.real,
    "imag": lambda z: z.imag,
    "abs": abs,
    "angle": T.angle,
    "conj": lambda z: (z.conj() * z * z).imag,
    "square": lambda z: (z * z).real,
    "exp": lambda z: T.exp(z).imag,
    "of parts": lambda z: abs(T.complex(z.imag, 2 * z.real)),
    "polar": lambda z: T.complex_from_polar(abs(z), 2 * T.angle(z)).real,
}


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_gradients(name: str) -> None:
    z = T.zvector("z")
    weights = np.array([1.0, -2.0, 0.5])
    cost = (COMPLEX[name](z) * weights).sum()
    slope = grad(cost, z)
    assert slope.dtype == "complex128"
    f, found = wb.function([z], cost), wb.function([z], slope)(Z)
    for k in range(len(Z)):

        def at(step: complex, k: int = k) -> float:
            moved = Z.copy()
            moved[k] += step
            return float(f(moved))

        by_x = (at(1e-6) - at(-1e-6)) / 2e-6
        by_y = (at(1e-6j) - at(-1e-6j)) / 2e-6
        assert found[k] == pytest.approx(by_x - 1j * by_y, abs=1e-7)


def test_complex_values() -> None:
    z, x = T.zvector("z"), T.dvector("x")
    np.testing.assert_allclose(
        T.complex(x, -x).eval({x: [1.0, np.inf]}), [1 - 1j, complex("inf-infj")]
    )
    np.testing.assert_allclose(T.complex_from_polar(abs(z), T.angle(z)).eval({z: Z}), Z)
    odd = np.array([complex(np.nan, 1), complex(1, np.inf)])
    np.testing.assert_array_equal(T.nan_to_num(z).eval({z: odd}), np.nan_to_num(odd))
    assert x.real.dtype == x.conj().dtype == "float64"
    assert T.complex(T.fvector(), 1).dtype == "complex64"


def test_the_gradient_by_a_real_factor_of_a_complex_product_is_real() -> None:
    z, r = T.zvector("z"), T.dvector("r")
    slope = grad(abs(z * r).sum(), r)
    assert slope.dtype == "float64"
    np.testing.assert_allclose(slope.eval({z: [3 + 4j], r: [-2.0]}), [-5.0])


# Special functions


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("run", [interpreter, native])
def test_polygamma(order: int, run: Any) -> None:
    x = T.dvector("x")
    at = np.array([1e-3, 0.3, 1.0, 2.5, 17.0, 1e4, -0.5, -2.25, -7.6, np.inf, np.nan])
    (found,) = run([x], [T.polygamma(order, x)])([at])
    np.testing.assert_allclose(found, scipy.special.polygamma(order, at), rtol=2e-12)
    (poles,) = run([x], [T.polygamma(order, x)])([np.array([0.0, -1.0, -30.0])])
    assert np.isinf(poles).all()


def test_polygamma_takes_a_number() -> None:
    x = T.dvector("x")
    assert T.polygamma(0, x).owner.op is T.psi
    for wrong in (-1, 1.5, True, x):
        with pytest.raises(GraphError, match="whole number"):
            T.polygamma(wrong, x)


@pytest.mark.parametrize("name", ["iv", "jv", "gammainc", "gammaincc", "betainc"])
def test_gradient_by_the_last_operand(name: str) -> None:
    op = getattr(T, name)
    x, a = T.dvector("x"), T.dvector("a")
    fixed = (0.7, 1.6)[: op.scalar.arity - 1]
    values = [np.array([0.2, 0.5, 0.9])]
    check_gradient([x], [op(*fixed, x)], values, [0])
    check_gradient([x], [grad(op(*fixed, x).sum(), x)], values, [0], native, 1e-6)
    slope = grad(op(*fixed[1:], disconnected_grad(a), x).sum(), x)
    assert slope.dtype == "float64"
    with pytest.raises(NullGradientError, match="last operand"):
        grad(op(*fixed[1:], a, x).sum(), x)


def test_special_compositions() -> None:
    x, k = T.dvector("x"), T.dvector("k")
    at, degrees = np.array([0.0, 1e-9, 0.3, 0.9]), np.array([1.0, 2.0, 3.5, 8.0])
    outputs = [
        T.chi2sf(x, k),
        T.xlogx(x),
        T.xlogy0(x, k),
        T.entr(x - 0.1),
        T.log1mexp(-k),
        T.logit(x),
        T.gammal(k, x),
        T.gammau(k, x),
    ]
    found = wb.function([x, k], outputs)(at, degrees)
    with np.errstate(divide="ignore"):
        wanted = [
            scipy.special.chdtrc(degrees, at),
            scipy.special.xlogy(at, at),
            scipy.special.xlogy(at, degrees),
            scipy.special.entr(at - 0.1),
            np.log(-np.expm1(-degrees)),
            scipy.special.logit(at),
            scipy.special.gammainc(degrees, at) * scipy.special.gamma(degrees),
            scipy.special.gammaincc(degrees, at) * scipy.special.gamma(degrees),
        ]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    near = T.log1mexp(x).eval({x: [-1e-20, -1e3]})
    np.testing.assert_allclose(near, [np.log(1e-20), -np.exp(-1000)], rtol=1e-14)
    np.testing.assert_allclose(grad(T.xlogx(x).sum(), x).eval({x: [0.5]}), [np.log(0.5) + 1])


def test_special_functions_of_float32() -> None:
    x = T.fvector("x")
    at = np.linspace(0.1, 0.8, 9, dtype="float32")
    for name in ("erfinv", "i0", "j1", "log_ndtr", "erfcx"):
        found = wb.function([x], getattr(special, name)(x))(at)
        assert found.dtype == "float32"
        wanted = getattr(scipy.special, name)(at.astype("float64"))
        np.testing.assert_array_max_ulp(found, wanted.astype("float32"), 1)


# The rules of dtypes: what a user writes, under both floatX.

V8, V32, V64 = (TensorType(f"int{n}", (None,)).make() for n in (8, 32, 64))
F32, F64 = (TensorType(f"float{n}", (None,)).make() for n in (32, 64))
DTYPES: list[tuple[str, Any, str, str]] = [  # what, under float64, under float32
    ("int32 + float32", lambda: V32 + F32, "float64", "float64"),
    ("int16 + float32", lambda: TensorType("int16", (None,)).make() + F32, "float32", "float32"),
    ("float32 + 1", lambda: F32 + 1, "float32", "float32"),
    ("float32 + 1.", lambda: F32 + 1.0, "float32", "float32"),
    ("float32 + 1.1", lambda: F32 + 1.1, "float64", "float32"),
    ("float32 + np.float64(1)", lambda: F32 + np.float64(1), "float64", "float64"),
    ("float64 + 1.1", lambda: F64 + 1.1, "float64", "float64"),
    ("int32 + 1", lambda: V32 + 1, "int32", "int32"),
    ("int32 + 1.", lambda: V32 + 1.0, "float64", "float64"),
    ("int8 + 300", lambda: V8 + 300, "int16", "int16"),
    ("int8 + 70000", lambda: V8 + 70000, "int32", "int32"),
    ("int32 / 2", lambda: V32 / 2, "float64", "float32"),
    ("int32 / int32", lambda: V32 / V32, "float64", "float32"),
    ("int32 // 2", lambda: V32 // 2, "int32", "int32"),
    ("int32 % 2", lambda: V32 % 2, "int32", "int32"),
    ("int32 ** 2", lambda: V32**2, "int32", "int32"),
    ("int32 ** 0.5", lambda: V32**0.5, "float64", "float64"),
    ("int32 ** -1", lambda: V32**-1, "int32", "int32"),
    ("exp int32", lambda: T.exp(V32), "float64", "float64"),
    ("exp int8", lambda: T.exp(V8), "float32", "float32"),
    ("gammaln int64", lambda: T.gammaln(V64), "float64", "float64"),
    ("hypot int8", lambda: T.hypot(V8, V8), "float32", "float32"),
    ("sqr", lambda: T.sqr(V32), "int32", "int32"),
    ("abs", lambda: abs(V8), "int8", "int8"),
    ("floor", lambda: T.floor(V32), "int32", "int32"),
    ("comparison", lambda: V8 < F32, "bool", "bool"),
    ("switch", lambda: T.switch(V8, 1, 2.0), "float32", "float32"),
    ("isnan", lambda: T.isnan(F32), "bool", "bool"),
    ("and", lambda: V8 & V32, "int32", "int32"),
]


@pytest.mark.parametrize(("floatX", "column"), [("float64", 2), ("float32", 3)])
@pytest.mark.parametrize("case", DTYPES, ids=[c[0] for c in DTYPES])
def test_dtype_rules(case: tuple[Any, ...], floatX: str, column: int) -> None:
    with config.change(floatX=floatX):
        assert case[1]().dtype == case[column]


NUMPYS: list[tuple[str, Any, str, str]] = [  # what, under float64, under float32
    ("int32 + 1", lambda: V32 + 1, "int64", "int64"),
    ("float32 + 1.5", lambda: F32 + 1.5, "float64", "float32"),
    ("float32 + 1.1", lambda: F32 + 1.1, "float64", "float32"),
    ("int32 + float32", lambda: V32 + F32, "float64", "float32"),
    ("float64 + float32", lambda: F64 + F32, "float64", "float64"),
    ("int8 < 1", lambda: V8 < 1, "bool", "bool"),
]


@pytest.mark.parametrize(("floatX", "column"), [("float64", 2), ("float32", 3)])
@pytest.mark.parametrize("case", NUMPYS, ids=[c[0] for c in NUMPYS])
def test_dtype_rules_of_numpy(case: tuple[Any, ...], floatX: str, column: int) -> None:
    with config.change(floatX=floatX, cast_policy="numpy+floatX"):
        assert case[1]().dtype == case[column]


def test_numbers_of_operands() -> None:
    """Associative ops take any number, one after the other; others, their own."""
    x, y, z = T.dvectors("x", "y", "z")
    a = np.array([1.0, 5.0])
    f = wb.function([x, y, z], [T.add(x, y, z, 1), T.mul(x, y, z), T.maximum(x, 2, y, z), T.add(x)])
    sums, products, largest, own = f(a, a + 1, a - 3)
    np.testing.assert_array_equal(sums, 3 * a - 1)
    np.testing.assert_array_equal(products, a * (a + 1) * (a - 3))
    np.testing.assert_array_equal(largest, np.maximum(2, a + 1))
    np.testing.assert_array_equal(own, a)
    for wrong in (lambda: T.exp(x, y), lambda: T.sub(x, y, z), lambda: T.switch(x, y), T.add):
        with pytest.raises(TypeError, match=r"takes \d operands"):
            wrong()
