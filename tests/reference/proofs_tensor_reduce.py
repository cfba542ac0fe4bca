"""Reductions, products, sorting and counting, with each of their parameters, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.agreeing import agrees, computed, equal, raises
from tests.reference.proofs import proves

rng = np.random.RandomState(3)
X = rng.randint(-4, 5, (2, 3, 4)) / 2.0
M, N = rng.standard_normal((3, 4)), rng.standard_normal((4, 2))
V = np.array([3, 1, 2, 1, 0])
FLOATS = X.astype("float32")


def _of_axis(name: str, operand: str) -> None:
    ours, numpy = getattr(T, name), getattr(np, name)
    agrees(f"T.{name}", operand, ours, numpy, X)
    agrees(f"T.{name}", "axis", lambda x: ours(x, axis=1), lambda x: numpy(x, axis=1), X)
    agrees(f"T.{name}", "axis", lambda x: ours(x, -1), lambda x: numpy(x, -1), X)
    agrees(
        f"T.{name}",
        "keepdims",
        lambda x: ours(x, axis=1, keepdims=True),
        lambda x: numpy(x, axis=1, keepdims=True),
        X,
    )


for _name in ("sum", "prod", "mean", "var", "std"):
    _of_axis(_name, "input")
    _f, _g = getattr(T, _name), getattr(np, _name)
    agrees(f"T.{_name}", "input", lambda x, f=_f: f(input=x), _g, X)
for _name in ("max", "min", "argmax", "argmin", "any", "all"):
    _of_axis(_name, "x")
for _name in ("sum", "max", "any"):
    _f, _g = getattr(T, _name), getattr(np, _name)
    agrees(f"T.{_name}", "axis", lambda x, f=_f: f(x, (0, 2)), lambda x, f=_g: f(x, (0, 2)), X)


@proves("T.sum", "dtype", "acc_dtype")
@proves("T.prod", "dtype", "acc_dtype")
@proves("T.mean", "dtype", "acc_dtype", "op")
def dtypes_of_sums() -> None:
    """`dtype` is that of the result, `acc_dtype` that in which it is added up."""
    for f in (T.sum, T.prod, T.mean):
        x = T.fmatrix()
        assert f(x).dtype == "float32"
        assert f(x, dtype="float64").dtype == "float64"
        assert f(x, acc_dtype="float64").dtype == "float32"
    many = np.full(4, 1e-8, "float32")
    many[0] = 1
    exact = np.float32(many.sum(dtype="float64") - 1.0)
    assert exact > 0
    f64 = computed(lambda x: T.sum(x, dtype="float64"), many)
    assert np.float32(f64 - 1) == exact
    exact = np.array([1e8 + 1, 1.0])  # float32 keeps eight digits
    for f, wide, narrow in ((T.sum, 1e8 + 2, 1e8), (T.prod, 1e8 + 1, 1e8), (T.mean, 5e7 + 1, 5e7)):
        assert computed(lambda x, f=f: f(x), exact) == wide
        assert computed(lambda x, f=f: f(x, acc_dtype="float32"), exact) == narrow
        assert f(T.dvector(), acc_dtype="float32").dtype == "float64"
    equal(computed(lambda x: T.mean(x, op=True), X), X.mean())
    assert T.sum(T.bvector(), dtype="int32").dtype == "int32"
    assert T.prod(T.bvector(), dtype="int32").dtype == "int32"


@proves("T.prod", "no_zeros_in_input")
def gradient_of_a_product_without_zeros() -> None:
    """It may divide by the elements: exact where none is 0, and wrong else."""
    x = T.dvector()
    plain = theano.function([x], T.grad(T.prod(x), x))
    divides = theano.function([x], T.grad(T.prod(x, no_zeros_in_input=True), x))
    equal(plain([2.0, 3.0, 4.0]), np.array([12.0, 8.0, 6.0]))
    equal(divides([2.0, 3.0, 4.0]), np.array([12.0, 8.0, 6.0]))
    equal(plain([0.0, 3.0]), np.array([3.0, 0.0]))
    assert np.isnan(divides([0.0, 3.0])[0])


for _name in ("var", "std"):
    _f, _g = getattr(T, _name), getattr(np, _name)
    agrees(
        f"T.{_name}", "ddof", lambda x, f=_f: f(x, 1, ddof=1), lambda x, f=_g: f(x, 1, ddof=1), X
    )


@proves("T.var", "corrected")
@proves("T.std", "corrected")
def corrected_for_rounding() -> None:
    """The two-pass sum less what its mean differs from 0: exact far from 0 in float32."""
    far = (np.arange(1000) % 7 + 1e5).astype("float32")
    wanted = far.astype("float64").var()
    got = computed(lambda x: [T.var(x, corrected=True), T.std(x, corrected=True)], far)
    np.testing.assert_allclose(got, [wanted, np.sqrt(wanted)], rtol=1e-4)
    plain, corrected = (T.var(T.dvector(), corrected=c) for c in (False, True))
    assert theano.printing.debugprint(plain, file="str") != theano.printing.debugprint(
        corrected, file="str"
    )


agrees("T.max_and_argmax", "a", T.max_and_argmax, lambda x: [x.max(), x.argmax()], M)
agrees(
    "T.max_and_argmax",
    "axis keepdims",
    lambda x: [*T.max_and_argmax(x, axis=1), *T.max_and_argmax(a=x, axis=0, keepdims=True)],
    lambda x: [x.max(1), x.argmax(1), x.max(0, keepdims=True), x.argmax(0, keepdims=True)],
    M,
)
agrees("T.ptp", "a", lambda a: T.ptp(a=a), np.ptp, M)
agrees("T.ptp", "axis", lambda a: T.ptp(a, axis=1), lambda a: np.ptp(a, axis=1), M)
agrees("T.cov", "m", T.cov, np.cov, M)
agrees("T.cov", "y", lambda m, y: T.cov(m, y), lambda m, y: np.cov(m, y), M, M[:2] ** 2)
agrees("T.cov", "rowvar", lambda m: T.cov(m, rowvar=False), lambda m: np.cov(m, rowvar=False), M)
agrees("T.cov", "bias", lambda m: T.cov(m, bias=True), lambda m: np.cov(m, bias=True), M)
agrees("T.cov", "ddof", lambda m: T.cov(m, ddof=2), lambda m: np.cov(m, ddof=2), M)

agrees("T.dot", "a b", T.dot, np.dot, M, N)
agrees("T.dot", "a b", T.dot, np.dot, M[0], N)
agrees("T.dot", "a b", T.dot, np.dot, X, N)
agrees("T.batched_dot", "a b", T.batched_dot, np.matmul, X, np.stack([N, 2 * N]))
agrees(
    "T.batched_tensordot",
    "x y axes",
    lambda x, y: T.batched_tensordot(x, y, axes=[[2], [1]]),
    lambda x, y: np.stack([np.tensordot(a, b, [[1], [0]]) for a, b in zip(x, y, strict=True)]),
    X,
    np.stack([N, 2 * N]),
)
agrees("T.tensordot", "a b", T.tensordot, np.tensordot, X, rng.standard_normal((3, 4, 5)))
agrees("T.tensordot", "axes", lambda a, b: T.tensordot(a, b, axes=1), lambda a, b: a @ b, X, N)
agrees(
    "T.tensordot",
    "axes",
    lambda a, b: T.tensordot(a, b, axes=[[0, 2], [1, 0]]),
    lambda a, b: np.tensordot(a, b, axes=[[0, 2], [1, 0]]),
    X,
    N,
)

for _name in ("cumsum", "cumprod"):
    _f, _g = getattr(T.extra_ops, _name), getattr(np, _name)
    agrees(f"T.extra_ops.{_name}", "x", _f, _g, M)
    agrees(f"T.extra_ops.{_name}", "axis", lambda x, f=_f: f(x, axis=1), lambda x, f=_g: f(x, 1), M)
agrees("T.extra_ops.diff", "x n", lambda x: T.extra_ops.diff(x, n=2), lambda x: np.diff(x, n=2), M)
agrees("T.extra_ops.diff", "axis", lambda x: T.diff(x, axis=0), lambda x: np.diff(x, axis=0), M)
agrees("T.extra_ops.bincount", "x", T.bincount, np.bincount, V)
agrees(
    "T.extra_ops.bincount",
    "weights",
    lambda x, w: T.bincount(x, weights=w),
    lambda x, w: np.bincount(x, weights=w),
    V,
    np.arange(5) / 3,
)
agrees(
    "T.extra_ops.bincount",
    "minlength",
    lambda x: T.bincount(x, minlength=7),
    lambda x: np.bincount(x, minlength=7),
    V,
)


@proves("T.extra_ops.bincount", "assert_nonneg")
def counts_of_negative_numbers_are_refused() -> None:
    equal(computed(lambda x: T.bincount(x, assert_nonneg=True), V), np.bincount(V))
    x = T.lvector()
    for checks in (True, False):
        f = theano.function([x], T.bincount(x, assert_nonneg=checks))
        raises((AssertionError, ValueError), "below 0", lambda f=f: f([1, -1]))


def _unique(x: Any, *asked: bool) -> Any:
    found = np.unique(x, *asked)
    return list(found) if isinstance(found, tuple) else found


agrees(
    "T.extra_ops.Unique",
    "return_index return_inverse return_counts",
    lambda x: [
        T.extra_ops.Unique()(x),
        *T.extra_ops.Unique(return_index=True)(x),
        *T.extra_ops.Unique(return_inverse=True)(x),
        *T.extra_ops.Unique(False, False, True)(x),
    ],
    lambda x: [
        np.unique(x),
        *np.unique(x, return_index=True),
        *np.unique(x, return_inverse=True),
        *np.unique(x, return_counts=True),
    ],
    V,
)

for _where in ("left", "right"):
    agrees(
        "T.extra_ops.searchsorted",
        "x v side",
        lambda x, v, s=_where: T.searchsorted(x, v, side=s),
        lambda x, v, s=_where: np.searchsorted(x, v, side=s),
        np.sort(V),
        np.array([[1, 2], [-1, 9]]),
    )
agrees(
    "T.extra_ops.searchsorted",
    "sorter",
    lambda x, v, s: T.searchsorted(x, v, sorter=s),
    lambda x, v, s: np.searchsorted(x, v, sorter=s),
    V,
    np.array([1, 2]),
    np.argsort(V),
)
