"""Every primitive, dtype and width against NumPy: bits for plain arithmetic, ulp bounds for
functions.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.core.native.harness import TARGETS, apply, elementwise, single, ulps
from workbench.core.native.kernel import kernel_text
from workbench.core.native.lower import TABLE
from workbench.core.native.target import SCALAR, NoNativeForm
from workbench.core.scalar import PRIMITIVES, ScalarBuilder
from workbench.core.scalar import SPECIAL as OF_SCIPY

FLOATS = ("float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DTYPES = (*FLOATS, *INTEGERS, "bool")

EXACT_FLOAT = (
    "neg", "abs", "sign", "sqrt", "floor", "ceil", "trunc", "rint", "add", "sub", "mul", "div",
    "floordiv", "mod", "minimum", "maximum", "isnan", "isinf", "lt", "le", "gt", "ge", "eq", "ne",
    "copysign", "fmod", "nextafter",
)  # fmt: skip
EXACT_INTEGER = (
    "neg", "abs", "sign", "floor", "ceil", "trunc", "add", "sub", "mul", "floordiv", "mod",
    "minimum", "maximum", "and", "or", "xor", "shl", "shr", "invert", "isnan", "isinf",
    "gcd", "popcount",
    "lt", "le", "gt", "ge", "eq", "ne",
)  # fmt: skip
EXACT_BOOL = (
    "abs", "add", "mul", "minimum", "maximum", "and", "or", "xor", "invert",
    "lt", "le", "gt", "ge", "eq", "ne",
)  # fmt: skip

SPECIAL = [
    0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, -3.0, 5e-324,
    -5e-324, 1e-310, 2e-45, -2e-45, 1e-38, 3e38, -3e38, 1e300, -1e300, 1e16, 89.0, -104.0, 710.0,
    -710.0, 745.2, -746.0, 0.1, 7.0, 1e-8, -1e-8, 1e-17, 2.0**31, 2.0**63, -(2.0**31), 2.0**-1022,
]  # fmt: skip


def samples(dtype: str) -> np.ndarray:
    kind = np.dtype(dtype).kind
    if kind == "b":
        return np.array([True, False, True])
    if kind == "f":
        with np.errstate(all="ignore"):
            return np.array(SPECIAL).astype(dtype)
    limits = np.iinfo(dtype)
    near = [
        0,
        1,
        2,
        3,
        7,
        8,
        31,
        63,
        64,
        100,
        limits.max,
        limits.max - 1,
        limits.min,
        limits.min + 1,
    ]
    if kind == "i":
        near += [-1, -2, -3, -7, -64, -100]
    return np.array(near, dtype)


def pairs(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    x = samples(dtype)
    return np.repeat(x, len(x)), np.tile(x, len(x))


def operands(prim: str, dtype: str) -> tuple[np.ndarray, ...]:
    return pairs(dtype) if PRIMITIVES[prim].arity == 2 else (samples(dtype),)


def result_dtype(prim: str, dtype: str) -> str:
    return "bool" if PRIMITIVES[prim].kind in ("compare", "test") else dtype


def exact_cases():
    for dtypes, prims in (
        (FLOATS, EXACT_FLOAT),
        (INTEGERS, EXACT_INTEGER),
        (("bool",), EXACT_BOOL),
    ):
        for dtype in dtypes:
            for prim in prims:
                if not (prim in ("neg",) and dtype.startswith("u")):
                    yield prim, dtype


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_arithmetic_has_numpys_bits(dtype, target):
    for prim in (prim for prim, its in exact_cases() if its == dtype):
        args = operands(prim, dtype)
        program = single(prim, result_dtype(prim, dtype), *[dtype] * len(args))
        (got,) = apply(program, args, target)
        (want,) = program.run(*args)
        np.testing.assert_array_equal(got, want, err_msg=prim)
        if got.dtype.kind == "f" and prim not in ("minimum", "maximum"):
            number = ~np.isnan(want)
            np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(want)[number], prim)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_power(dtype, target):
    x, y = pairs(dtype)
    (got,) = apply(single("pow", dtype, dtype, dtype), (x, y), target)
    with np.errstate(all="ignore"):
        positive = y >= 0
        np.testing.assert_array_equal(got[positive], np.power(x[positive], y[positive]))
        unit = np.abs(x) == 1
        want = np.where(unit & (x == -1) & (y % 2 == 1), -1, np.where(unit, 1, 0)).astype(dtype)
        np.testing.assert_array_equal(got[~positive], want[~positive])


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("source", DTYPES)
def test_casts(source, target):
    builder = ScalarBuilder((source,))
    program = builder.program(*(builder.cast(0, dtype) for dtype in DTYPES))
    x = samples(source)
    if source in FLOATS:  # what does not fit differs between NumPy's own loops
        x = np.concatenate([x, np.linspace(-130, 260, 99).astype(source)])
    with np.errstate(all="ignore"):
        want = [x.astype(dtype) for dtype in DTYPES]
    for dtype, mine, theirs in zip(DTYPES, apply(program, (x,), target), want, strict=True):
        fits = slice(None)
        if source in FLOATS and dtype in INTEGERS:
            limits = np.iinfo(dtype)
            fits = (np.trunc(x) >= float(limits.min)) & (x < float(limits.max))
        np.testing.assert_array_equal(mine[fits], theirs[fits], err_msg=f"{source} to {dtype}")


def test_casts_of_what_does_not_fit():
    x = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 3e9, -3e9, 300.0, -1.0])
    builder = ScalarBuilder(("float64",))
    targets = ("int64", "int32", "uint32", "uint8", "uint64")
    program = builder.program(*(builder.cast(0, dtype) for dtype in targets))
    least64, least32 = -(2**63), -(2**31)
    wanted = {
        "int64": [least64] * 5 + [3 * 10**9, -3 * 10**9, 300, -1],
        "int32": [least32] * 7 + [300, -1],
        "uint32": [0] * 5 + [3 * 10**9, 2**32 - 3 * 10**9, 300, 2**32 - 1],
        "uint8": [0] * 7 + [300 - 256, 255],
        "uint64": [2**63] * 5 + [3 * 10**9, 2**64 - 3 * 10**9, 300, 2**64 - 1],
    }
    for dtype, got in zip(targets, apply(program, (x,)), strict=True):
        np.testing.assert_array_equal(got, np.array(wanted[dtype], dtype), err_msg=dtype)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_select_and_constants(dtype, target):
    builder = ScalarBuilder(("bool", dtype))
    constant = samples(dtype)[-1]
    program = builder.program(builder.prim("select", dtype, 0, 1, builder.const(constant, dtype)))
    x = np.tile(samples(dtype), 9)
    mask = np.arange(len(x)) % 3 == 0
    (got,) = apply(program, (mask, x), target)
    np.testing.assert_array_equal(got, np.where(mask, x, constant))


def logistic(x):
    return 1 / (1 + np.exp(-x))


REFERENCES = {  # in longdouble, with the bound that the function's docstring states
    "exp": (np.exp, 1.1), "exp2": (np.exp2, 1.1), "expm1": (np.expm1, 2.0), "log": (np.log, 1.0),
    "log2": (np.log2, 1.0), "log10": (np.log10, 1.0), "log1p": (np.log1p, 1.0),
    "tanh": (np.tanh, 2.5), "sigmoid": (logistic, 2.5),
    "softplus": (lambda x: np.logaddexp(x, np.longdouble(0)), 2.0),
    "sin": (np.sin, 1.5), "cos": (np.cos, 1.5), "pow": (np.power, 1.5),
}  # fmt: skip


def spread(prim: str, dtype: str) -> tuple[np.ndarray, ...]:
    """Points all over a function's domain, near its zeros and its overflow."""
    random, n = np.random.default_rng(0), 6000
    double = dtype == "float64"
    decades = np.exp(random.uniform(-700, 700, n) if double else random.uniform(-100, 87, n))
    parts = [
        random.uniform(-1, 1, n), random.uniform(-20, 20, n), random.uniform(0.5, 2, n),
        1 + random.uniform(-1e-3, 1e-3, n), decades, -decades, np.array(SPECIAL),
        random.uniform(-745, 710, n) if double else random.uniform(-104, 89, n),
    ]  # fmt: skip
    with np.errstate(all="ignore"):
        x = np.concatenate(parts).astype(dtype)
        if prim in ("sin", "cos"):  # a huge argument sends its whole vector to the C library
            return (x[~(np.abs(x) > 1e6)],)
        if prim != "pow":
            return (x,)
        y = np.concatenate([random.uniform(-30, 30, len(x)), random.integers(-9, 9, len(x)) * 0.5])
        few_x, few_y = pairs(dtype)
        near = np.exp(random.uniform(-0.01, 0.01, n)), random.uniform(-7e4, 7e4, n)
        return (
            np.concatenate([x, x, few_x, near[0]]).astype(dtype),
            np.concatenate([y, few_y, near[1]]).astype(dtype),
        )


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("prim", REFERENCES)
def test_functions_within_their_bounds(prim, dtype, target):
    reference, bound = REFERENCES[prim]
    args = spread(prim, dtype)
    (got,) = apply(single(prim, dtype, *[dtype] * len(args)), args, target)
    with np.errstate(all="ignore"):
        want = reference(*(x.astype(np.longdouble) for x in args))
        error = ulps(got, want)
        zero = want.astype(dtype) == 0
    worst = error.argmax()
    assert error[worst] <= bound, (prim, [x[worst] for x in args], got[worst], want[worst])
    np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


LIBRARY = {
    "tan": 4, "arcsin": 4, "arccos": 4, "arctan": 4, "sinh": 4, "cosh": 4,
    "arcsinh": 4, "arccosh": 4, "arctanh": 4, "arctan2": 4, "cbrt": 4,
    **dict.fromkeys(OF_SCIPY, 1),
    "erf": 4, "erfc": 32, "lgamma": 32, "gamma": 32, "digamma": 32,
}  # fmt: skip


@pytest.mark.parametrize("target", [SCALAR, TARGETS["host"]], ids=["scalar", "host"])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("prim", LIBRARY)
def test_library_functions(prim, dtype, target):
    random = np.random.default_rng(1)
    n = PRIMITIVES[prim].arity
    args = [np.append(random.normal(size=500) * 3, SPECIAL[:19]).astype(dtype) for _ in range(n)]
    if prim in ("lgamma", "gamma", "digamma"):
        args = [
            np.concatenate([random.uniform(0.01, 30, 500), [np.inf, np.nan, 0.0]]).astype(dtype)
        ]
    program = single(prim, dtype, *[dtype] * n)
    (got,) = apply(program, args, target)
    (want,) = program.run(*args)
    finite = np.isfinite(want)
    np.testing.assert_array_equal(got[~finite], want[~finite])
    if prim in ("lgamma", "digamma"):  # near its zeros relative errors say nothing
        np.testing.assert_allclose(
            got, want, rtol=32 * np.finfo(dtype).eps, atol=4 * np.finfo(dtype).eps
        )
        return
    np.testing.assert_array_max_ulp(got[finite], want[finite], LIBRARY[prim])


def test_digamma_of_negative_numbers():
    x = np.array([-0.5, -1.5, -2.25, -7.75, -20.1, 0.0, -0.0, -3.0, np.inf, -1e-8, np.nan])
    program = single("digamma", "float64", "float64")
    (got,) = apply(program, (x,))
    np.testing.assert_allclose(got, program.run(x)[0], rtol=1e-13)


@pytest.mark.parametrize("prim", ["erf", "erfc"])
def test_error_functions(prim):
    x = np.concatenate([np.linspace(-6, 26, 4001), [0.0, -0.0, 1e-300, np.inf, -np.inf]])
    (got,) = apply(single(prim, "float64", "float64"), (x,))
    want = np.array([getattr(math, prim)(v) for v in x])
    np.testing.assert_array_max_ulp(got, want, 6)  # the C library's own error is 2
    np.testing.assert_array_equal(np.signbit(got), np.signbit(want))


@pytest.mark.parametrize("dtype", FLOATS)
def test_huge_angles(dtype):
    x = np.array([1e5, 1e7, 1e10, 1e22, 3e38, -1e15, 123456789.0, 1.0, -0.0, 0.5], dtype)
    for prim in ("sin", "cos"):
        (got,) = apply(single(prim, dtype, dtype), (x,))
        want = getattr(np, prim)(x.astype(np.longdouble))
        assert (ulps(got, want) <= 1.5).all()


def test_every_primitive_is_here():
    known = {*TABLE, "const"}
    assert set(PRIMITIVES) <= known


@pytest.mark.parametrize(
    ("prim", "dtype"),
    [
        ("div", "int64"),
        ("exp", "int64"),
        ("add", "complex128"),
        ("add", "float16"),
        ("and", "float32"),
    ],
)
def test_no_native_form(prim, dtype):
    program = single(prim, dtype, *[dtype] * PRIMITIVES[prim].arity)
    with pytest.raises(NoNativeForm, match=f"no native form for {dtype}"):
        kernel_text("kernel", elementwise(program), SCALAR)
