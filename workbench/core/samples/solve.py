"""Samples: factorisations by elimination, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.linalg

from workbench.core.graph import Op
from workbench.core.ops import exponential, lu_factor, pseudoinverse, solve
from workbench.core.samples.declare import Sample, numbers, of

SHAPES = ((3, 3), (1, 1), (0, 0), (2, 3, 3), (0, 2, 2), (2, 2, 2, 2), (130, 130))
"""One matrix, the smallest, none, stacks, and one larger than LAPACK's blocks."""


def regular(*lengths: int, dtype: str = "float64", seed: int = 0) -> Any:
    """Matrices that are far from singular."""
    noise = numbers(*lengths, seed=seed, low=-1, high=1)
    return (noise + 2 * (1 + lengths[-1] ** 0.5) * np.eye(lengths[-1])).astype(dtype)


def symmetric(*lengths: int, dtype: str = "float64", seed: int = 0) -> Any:
    """Symmetric positive definite matrices."""
    made = regular(*lengths, seed=seed)
    return (made + np.swapaxes(made, -1, -2)).astype(dtype)


def smooth(dtype: str, shape: tuple[int, ...], *places: int) -> tuple[int, ...]:
    """Which inputs are checked by differences: none of much work, none of float32."""
    return places if dtype == "float64" and shape[-1] < 10 else ()


def loose(ulp: float, shape: tuple[int, ...]) -> float:
    """The tolerance for matrices of this shape: errors add up in large ones."""
    return ulp * 20 if shape[-1] > 10 else ulp


def each(
    op: Op, make: Callable[..., Any], reference: Callable[..., Any], ulp: float = 200
) -> Iterator[Sample]:
    """The op over every shape in both dtypes."""
    for shape in SHAPES:
        for dtype in ("float64", "float32"):
            arrays = (make(*shape, dtype=dtype),)
            where = smooth(dtype, shape, 0)
            allowed = loose(ulp, shape)
            yield Sample(f"{op} {dtype} {shape}", op, arrays, reference, allowed, where)


def _lower(x: Any) -> Any:
    """Symmetric matrices of the lower triangles."""
    return np.tril(x) + np.swapaxes(np.tril(x, -1), -1, -2)


@of(solve.Cholesky)
def _cholesky() -> Iterator[Sample]:
    yield from each(solve.Cholesky(), symmetric, np.linalg.cholesky)
    crooked = symmetric(3, 3)
    crooked[0, 2] = np.nan
    yield Sample(
        "nan above is not read", solve.Cholesky(), (crooked,),
        lambda x: np.linalg.cholesky(_lower(x)), 16,
    )  # fmt: skip


@of(solve.Inverse)
def _inverse() -> Iterator[Sample]:
    yield from each(solve.Inverse(), regular, np.linalg.inv)


@of(solve.Det)
def _det() -> Iterator[Sample]:
    def moderate(*lengths: int, dtype: str = "float64") -> Any:
        return (regular(*lengths) / (2 + 2 * lengths[-1] ** 0.5)).astype(dtype)

    yield from each(solve.Det(), moderate, _det_like, 2000)
    yield Sample("singular", solve.Det(), (np.ones((2, 2)),), _det_like)
    yield Sample("negative", solve.Det(), (regular(3, 3)[[1, 0, 2]],), _det_like, 64, (0,))


def _det_like(x: Any) -> Any:
    return np.asarray(np.linalg.det(x), x.dtype)


@of(solve.SlogDet)
def _slogdet() -> Iterator[Sample]:
    def reference(x: Any) -> Any:
        return [np.asarray(part, x.dtype) for part in np.linalg.slogdet(x)]

    yield from each(solve.SlogDet(), regular, reference)
    yield Sample("singular", solve.SlogDet(), (np.ones((2, 2)),), reference)
    yield Sample("negative", solve.SlogDet(), (regular(3, 3)[[1, 0, 2]],), reference, 64, (0,))


SIDES = (
    ((3, 3), (3, 2)),
    ((3, 3), (3, 1)),
    ((1, 1), (1, 1)),
    ((0, 0), (0, 2)),
    ((3, 3), (3, 0)),
    ((2, 3, 3), (2, 3, 2)),
    ((2, 3, 3), (3, 2)),
    ((3, 3), (2, 3, 2)),
    ((0, 3, 3), (0, 3, 2)),
    ((130, 130), (130, 3)),
)


def _systems(
    op: Op, make: Callable[..., Any], reference: Callable[..., Any], ulp: float
) -> Iterator[Sample]:
    for a, b in SIDES:
        for dtype in ("float64", "float32"):
            yield Sample(
                f"{dtype} {a} {b}", op, (make(*a, dtype=dtype), numbers(*b, dtype=dtype, seed=2)),
                reference, ulp, smooth(dtype, a, 0, 1),
            )  # fmt: skip


@of(solve.Solve)
def _solve() -> Iterator[Sample]:
    yield from _systems(solve.Solve(), regular, np.linalg.solve, 200)


@of(solve.SolveTriangular)
def _solve_triangular() -> Iterator[Sample]:
    for lower in (True, False):
        op = solve.SolveTriangular(lower)

        def reference(a: Any, b: Any, lower: bool = lower) -> Any:
            return np.linalg.solve(np.tril(a) if lower else np.triu(a), b)

        for sample in _systems(op, regular, reference, 200):
            yield Sample(
                f"{'lower' if lower else 'upper'} {sample.name}", op, sample.arrays, reference,
                sample.ulp, sample.smooth,
            )  # fmt: skip
    yield Sample(
        "unit diagonal",
        solve.SolveTriangular(unit=True),
        (numbers(3, 3, low=-1, high=1), numbers(3, 2, seed=1)),
        lambda a, b: np.linalg.solve(np.tril(a, -1) + np.eye(3), b),
        64,
        (0, 1),
    )


@of(pseudoinverse.Pinv)
def _pinv() -> Iterator[Sample]:
    for shape in ((3, 2), (2, 3), (3, 3), (1, 1), (0, 3), (3, 0), (2, 4, 2)):
        for dtype in ("float64", "float32"):
            yield Sample(
                f"{dtype} {shape}", pseudoinverse.Pinv(), (numbers(*shape, dtype=dtype),),
                np.linalg.pinv, 500, smooth(dtype, shape, 0),
            )  # fmt: skip
    flat = np.outer(numbers(3), numbers(2))
    yield Sample(
        "rank 1", pseudoinverse.Pinv(), (flat,), lambda x: np.linalg.pinv(x, rcond=1e-15), 500
    )
    yield Sample("zero", pseudoinverse.Pinv(), (np.zeros((2, 3)),), np.linalg.pinv)
    cut = np.diag([3.0, 2.0, 0.1])
    yield Sample(
        "rcond", pseudoinverse.Pinv(0.1), (cut,), lambda x: np.linalg.pinv(x, rcond=0.1), 16
    )


@of(exponential.Expm)
def _expm() -> Iterator[Sample]:
    def reference(x: Any) -> Any:
        return np.asarray(scipy.linalg.expm(x), x.dtype) if x.size else x

    for shape in ((3, 3), (1, 1), (0, 0), (2, 3, 3)):
        for dtype in ("float64", "float32"):
            yield Sample(
                f"{dtype} {shape}", exponential.Expm(), (numbers(*shape, dtype=dtype),),
                reference, 2000, smooth(dtype, shape, 0),
            )  # fmt: skip
    yield Sample("zero", exponential.Expm(), (np.zeros((2, 2)),), reference, 2, (0,))
    yield Sample("large", exponential.Expm(), (numbers(3, 3) * 10,), reference, 2e5)


@of(exponential.SquaredTimes)
def _squared_times() -> Iterator[Sample]:
    for count in (0, 1, 3):
        for shape in ((3, 3), (2, 2, 2), (0, 0)):
            yield Sample(
                f"{shape} {count}", exponential.SquaredTimes(),
                (regular(*shape), np.array(count)),
                lambda x, count: np.linalg.matrix_power(x, 2 ** int(count)), 64,
            )  # fmt: skip


@of(lu_factor.LuFactor)
def _lu_factor() -> Iterator[Sample]:
    def reference(x: Any) -> Any:
        if not x.size:
            return [x, np.zeros(x.shape[:-1], "int64")]
        parts = [scipy.linalg.lu_factor(one) for one in x.reshape(-1, *x.shape[-2:])]
        factors, rows = (np.stack(p) for p in zip(*parts, strict=True))
        return [factors.reshape(x.shape), rows.reshape(x.shape[:-1]).astype("int64")]

    yield from (
        Sample(s.name, s.build, s.arrays, s.reference, s.ulp)
        for s in each(lu_factor.LuFactor(), regular, reference)
    )


@of(lu_factor.LuSolve)
def _lu_solve() -> Iterator[Sample]:
    for transposed in (False, True):

        def reference(f: Any, p: Any, b: Any, t: bool = transposed) -> Any:
            low = np.tril(f, -1) + np.eye(f.shape[-1], dtype=f.dtype)
            a = low @ np.triu(f)
            for place in np.ndindex(*f.shape[:-2]):
                for i in reversed(range(f.shape[-1])):
                    rows = [i, int(p[place][i])]
                    a[place][rows] = a[place][rows[::-1]]
            return np.linalg.solve(np.swapaxes(a, -1, -2) if t else a, b)

        for a, b in SIDES:
            for dtype in ("float64", "float32"):
                x = regular(*a, dtype=dtype)[..., ::-1, :]
                factors, rows = lu_factor.LuFactor().evaluate(np.ascontiguousarray(x))
                yield Sample(
                    f"{transposed} {dtype} {a} {b}", lu_factor.LuSolve(transposed),
                    (factors, rows, numbers(*b, dtype=dtype, seed=2)), reference, 400,
                )  # fmt: skip
