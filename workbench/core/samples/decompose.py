"""Samples: eigenvalues, singular values, orthogonal factors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.linalg

from workbench.core.ops import decompose, lu
from workbench.core.samples.declare import Sample, numbers, of
from workbench.core.samples.solve import each, loose, smooth, symmetric

RECTANGLES = ((3, 2), (2, 3), (3, 3), (1, 1), (0, 3), (3, 0), (2, 4, 2), (0, 3, 2), (130, 40))


def _spaced(*lengths: int, dtype: str = "float64") -> Any:
    """Symmetric matrices with eigenvalues that are well apart."""
    ladder = np.diag(3.0 * np.arange(lengths[-1]))
    return (symmetric(*lengths) / (1 + lengths[-1]) + ladder).astype(dtype)


@of(decompose.Eigh)
def _eigh() -> Iterator[Sample]:
    for sample in each(decompose.Eigh(), _spaced, lambda x: list(np.linalg.eigh(x)), 500):
        (x,) = sample.arrays
        if x.dtype == "float64" or x.shape[-1] < 10:  # rounding turns signs in large float32 ones
            yield sample
    crooked = numbers(3, 3)
    for lower in (True, False):
        yield Sample(
            f"one triangle {lower}", decompose.Eigh(lower), (crooked,),
            lambda x, lower=lower: list(np.linalg.eigh(x, "L" if lower else "U")), 64, (0,),
        )  # fmt: skip


@of(decompose.Eigvalsh)
def _eigvalsh() -> Iterator[Sample]:
    yield from each(decompose.Eigvalsh(), _spaced, np.linalg.eigvalsh, 200)
    yield Sample(
        "one triangle", decompose.Eigvalsh(False), (numbers(3, 3),),
        lambda x: np.linalg.eigvalsh(x, "U"), 64, (0,),
    )  # fmt: skip


@of(decompose.Eig)
def _eig() -> Iterator[Sample]:
    def reference(x: Any) -> Any:
        dtype = np.result_type(x.dtype, np.complex64)
        return [np.asarray(part, dtype) for part in np.linalg.eig(x)]

    for shape in ((3, 3), (0, 0), (2, 2, 2)):
        for dtype in ("float64", "float32"):
            yield Sample(
                f"{dtype} {shape}", decompose.Eig(), (numbers(*shape, dtype=dtype),), reference,
                native="its results are complex",
            )  # fmt: skip


@of(decompose.Svd)
def _svd() -> Iterator[Sample]:
    for full in (False, True):
        for shape in RECTANGLES:
            large = shape[-1] > 10  # rounding decides about the signs of its vectors
            for dtype in ("float64", "float32"):
                yield Sample(
                    f"{full} {dtype} {shape}",
                    _signless(decompose.Svd(full)) if large else decompose.Svd(full),
                    (numbers(*shape, dtype=dtype),),
                    lambda x, full=full, large=large: [
                        abs(v) if large else v for v in np.linalg.svd(x, full_matrices=full)
                    ],
                    loose(500, shape), () if full else smooth(dtype, shape[:1], 0),
                )  # fmt: skip


def _signless(op: Any) -> Any:
    """The absolute values of what an op gives."""
    return lambda x: [abs(v) for v in op(x)]


@of(decompose.SingularValues)
def _singular_values() -> Iterator[Sample]:
    for shape in RECTANGLES:
        for dtype in ("float64", "float32"):
            yield Sample(
                f"{dtype} {shape}", decompose.SingularValues(), (numbers(*shape, dtype=dtype),),
                lambda x: np.linalg.svd(x, compute_uv=False),
                loose(500, shape), smooth(dtype, shape[:1], 0),
            )  # fmt: skip


@of(decompose.Qr)
def _qr() -> Iterator[Sample]:
    for mode in ("reduced", "complete", "r"):
        for shape in RECTANGLES:
            for dtype in ("float64", "float32"):
                yield Sample(
                    f"{mode} {dtype} {shape}", decompose.Qr(mode), (numbers(*shape, dtype=dtype),),
                    lambda x, mode=mode: (
                        [np.linalg.qr(x, mode)] if mode == "r" else list(np.linalg.qr(x, mode))
                    ),
                    loose(500, shape), () if mode == "complete" else smooth(dtype, shape[:1], 0),
                )  # fmt: skip


@of(lu.Lu)
def _lu() -> Iterator[Sample]:
    def reference(x: Any) -> Any:
        m, n = x.shape[-2:]
        if not x.size:
            shapes = ((m, m), (m, min(m, n)), (min(m, n), n))
            empty = [np.zeros((*x.shape[:-2], *dims), x.dtype) for dims in shapes]
            return [empty[0] + np.eye(m, dtype=x.dtype), *empty[1:]]
        parts = [scipy.linalg.lu(one) for one in x.reshape(-1, m, n)]
        return [np.stack(p).reshape(*x.shape[:-2], *p[0].shape) for p in zip(*parts, strict=True)]

    for shape in RECTANGLES:
        for dtype in ("float64", "float32"):
            yield Sample(
                f"{dtype} {shape}", lu.Lu(), (numbers(*shape, dtype=dtype),), reference,
                loose(100, shape), smooth(dtype, shape[:1], 0),
            )  # fmt: skip
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    yield Sample("singular", lu.Lu(), (singular,), reference, 4)
