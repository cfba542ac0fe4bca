"""Functions by NumPy's names against NumPy: the same call with `numpy` and with
`workbench.tensor`, by the interpreter and by native code; gradients against differences.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench.tensor as T
from tests.core.ops.backends import as_list, check_promise, inputs_for, interpreter, native
from tests.core.ops.gradients import check_gradient
from workbench.core.link import Plan
from workbench.core.native.executor import link_native
from workbench.core.rewrite import optimise
from workbench.core.samples import numbers
from workbench.core.types import tensor_type

Case = Callable[..., Any]  # Any: of a module and arrays, or of a module and variables

V, M, C = numbers(7), numbers(3, 4), numbers(2, 3, 4)
EMPTY, ONE = np.zeros((0, 3)), numbers(1, 3)
INTS = np.array([3, 0, 5, 3, -2, 0, 3])
NAN = np.array([[1.0, np.nan, -2.0], [np.inf, 0.5, 0.5], [np.nan, np.nan, np.nan]])
SIGNED = np.array([1.5, -0.0, 0.0, np.nan, -np.inf, np.inf, 2.5])

SMOOTH: dict[str, tuple[Case, tuple[Any, ...]]] = {
    "moveaxis": (lambda m, x: m.moveaxis(x, 0, -1), (C,)),
    "moveaxis of several": (lambda m, x: m.moveaxis(x, (0, 1), (2, 0)), (C,)),
    "swapaxes": (lambda m, x: m.swapaxes(x, 0, 2), (C,)),
    "rollaxis": (lambda m, x: m.rollaxis(x, 2), (C,)),
    "rollaxis to the end": (lambda m, x: m.rollaxis(x, 0, 3), (C,)),
    "rollaxis back": (lambda m, x: m.rollaxis(x, 1, -1), (C,)),
    "expand_dims": (lambda m, x: m.expand_dims(x, (0, -1)), (M,)),
    "squeeze an axis": (lambda m, x: m.squeeze(x, 0), (ONE,)),
    "atleast": (lambda m, x: [m.atleast_1d(x), m.atleast_2d(x), m.atleast_3d(x)], (V,)),
    "atleast of a matrix": (lambda m, x, y: [m.atleast_3d(x), *m.atleast_2d(x, y)], (M, V)),
    "ravel": (lambda m, x: [m.ravel(x), m.ravel(x, order="F")], (M,)),
    "broadcast_to": (lambda m, x: m.broadcast_to(x, (2, 3, 4)), (M,)),
    "hstack": (lambda m, x, y: m.hstack([x, y]), (M, numbers(3, 2))),
    "hstack of vectors": (lambda m, x, y: m.hstack((x, y)), (V, numbers(2))),
    "vstack": (lambda m, x, y: m.vstack([x, y]), (M, numbers(4))),
    "dstack": (lambda m, x, y: m.dstack([x, y]), (M, numbers(3, 4, seed=1))),
    "column_stack": (lambda m, x, y: m.column_stack([x, y]), (M, numbers(3))),
    "stack along the last": (lambda m, x, y: m.stack([x, y], axis=-1), (M, numbers(3, 4, seed=1))),
    "concatenate from behind": (lambda m, x, y: m.concatenate([x, y], axis=-1), (M, numbers(3, 1))),
    "concatenate flat": (lambda m, x, y: m.concatenate([x, y], axis=None), (M, V)),
    "append": (lambda m, x, y: [m.append(x, y), m.append(x, x, 1)], (M, V)),
    "split": (lambda m, x: m.split(x, 2, axis=1), (M,)),
    "split at places": (lambda m, x: m.split(x, [1, 3, 9]), (V,)),
    "array_split": (lambda m, x: m.array_split(x, 3), (V,)),
    "hsplit vsplit dsplit": (
        lambda m, x: [*m.hsplit(x, 3), *m.vsplit(x, 2), *m.dsplit(x, 2)],
        (C,),
    ),
    "repeat": (lambda m, x: [m.repeat(x, 2), m.repeat(x, 3, axis=1)], (M,)),
    "repeat each": (lambda m, x: m.repeat(x, np.array([2, 0, 1]), axis=0), (M,)),
    "tile": (lambda m, x: [m.tile(x, 2), m.tile(x, (2, 1, 3)), m.tile(x, (2, 2))], (M,)),
    "roll": (lambda m, x: [m.roll(x, 1), m.roll(x, -5, axis=1), m.roll(x, 9, axis=0)], (M,)),
    "roll of axes": (
        lambda m, x: [m.roll(x, (1, 2), axis=(0, 1)), m.roll(x, 1, axis=(1, 0))],
        (M,),
    ),
    "roll of nothing": (lambda m, x: m.roll(x, 2, axis=0), (EMPTY,)),
    "flip": (
        lambda m, x: [m.flip(x), m.flip(x, 1), m.flip(x, (0, 2)), m.fliplr(x), m.flipud(x)],
        (C,),
    ),
    "rot90": (lambda m, x: [m.rot90(x, k) for k in range(-1, 4)] + [m.rot90(x, 1, (2, 0))], (C,)),
    "pad": (lambda m, x: [m.pad(x, 2), m.pad(x, (1, 0)), m.pad(x, ((1, 2), (0, 3)))], (M,)),
    "pad with numbers": (lambda m, x: m.pad(x, 1, constant_values=((1, 2), (3, 4))), (M,)),
    "pad edge": (lambda m, x: m.pad(x, ((1, 2), (3, 0)), mode="edge"), (M,)),
    "pad reflect": (lambda m, x: m.pad(x, ((5, 3), (1, 7)), mode="reflect"), (M,)),
    "pad reflect one": (lambda m, x: m.pad(x, 2, mode="reflect"), (ONE,)),
    "pad symmetric": (lambda m, x: m.pad(x, ((4, 8), (1, 2)), mode="symmetric"), (M,)),
    "pad wrap": (lambda m, x: m.pad(x, ((4, 8), (1, 2)), mode="wrap"), (M,)),
    "tril": (lambda m, x: [m.tril(x, k) for k in (-2, 0, 1, 9)], (M,)),
    "triu": (lambda m, x: [m.triu(x, k) for k in (-2, 0, 1, 9)], (C,)),
    "diag": (lambda m, x: [m.diag(x), m.diag(x, 1), m.diag(x, -2), m.diagflat(x, 1)], (V,)),
    "diag of a matrix": (lambda m, x: [m.diag(x), m.diag(x, 2), m.diag(x, -7)], (M,)),
    "diagonal": (
        lambda m, x: [m.diagonal(x), m.diagonal(x, 1, 2, 1), m.diagonal(x, -1, 0, 2)],
        (C,),
    ),
    "take": (lambda m, x: [m.take(x, [5, -1]), m.take(x, [[1, 0]], 1), m.take(x, 2, -1)], (M,)),
    "take wrap and clip": (
        lambda m, x: [m.take(x, [5, -7], 1, mode=k) for k in ("wrap", "clip")],
        (M,),
    ),
    "take_along_axis": (
        lambda m, x: m.take_along_axis(x, np.array([[0, 2], [1, 1], [3, -1]]), 1),
        (M,),
    ),
    "take_along_axis 0": (lambda m, x: m.take_along_axis(x, np.array([[0, 2, 2, 1]]), 0), (M,)),
    "compress": (lambda m, x: m.compress([True, False, True], x, axis=1), (M,)),
    "extract": (lambda m, x: m.extract(x > 0, x), (M,)),
    "choose": (lambda m, x: m.choose([[0, 1, 1, 0]], [x, 2 * x]), (M,)),
    "sort": (lambda m, x: [m.sort(x), m.sort(x, 0), m.sort(x, None)], (M,)),
    "cumsum": (lambda m, x: [m.cumsum(x), m.cumsum(x, 0), m.cumsum(x, -1)], (C,)),
    "cumprod": (lambda m, x: [m.cumprod(x), m.cumprod(x, 0), m.cumprod(x, -1)], (C,)),
    "diff": (lambda m, x: [m.diff(x), m.diff(x, 2), m.diff(x, 3, axis=1), m.diff(x, 0)], (C,)),
    "ediff1d": (lambda m, x: m.ediff1d(x, [9.0], to_begin=[1.0, 2.0]), (M,)),
    "trapezoid": (lambda m, x: [m.trapezoid(x), m.trapezoid(x, dx=2, axis=0)], (M,)),
    "trapezoid at": (lambda m, x, y: m.trapezoid(x, y), (M, np.array([0.0, 1, 3, 4]))),
    "interp": (
        lambda m, x, p: [
            m.interp(x, np.array([-2.0, 0, 0.5, 2]), p),
            m.interp(x, np.array([-2.0, 0, 0.5, 2]), p, 7.0, 8.0),
        ],
        (V, numbers(4)),
    ),
    "unique": (lambda m, x: m.unique(x), (V,)),
    "ptp": (lambda m, x: [m.ptp(x), m.ptp(x, 1), m.ptp(x, (0, 1))], (C,)),
    "median": (
        lambda m, x: [m.median(x), m.median(x, 1), m.median(x, (0, 2), keepdims=True)],
        (C,),
    ),
    "quantile": (lambda m, x: [m.quantile(x, 0.3), m.quantile(x, [0.0, 0.7, 1.0], axis=1)], (M,)),
    "percentile": (lambda m, x: m.percentile(x, [10.0, 62.5], axis=0, keepdims=True), (M,)),
    "average": (lambda m, x: [m.average(x), m.average(x, 1, np.array([1.0, 2, 3, 4]))], (M,)),
    "average weights": (lambda m, x, w: m.average(x, 0, w), (M, numbers(3, 4, low=1))),
    "cov": (lambda m, x: [m.cov(x), m.cov(x, rowvar=False, bias=True), m.cov(x[0])], (M,)),
    "cov of two": (lambda m, x, y: m.cov(x, y), (M, numbers(4))),
    "corrcoef": (lambda m, x: m.corrcoef(x), (M,)),
    "nansum": (
        lambda m, x: [m.nansum(x, 1), m.nanmean(x), m.nanvar(x, 0), m.nanstd(x, ddof=1)],
        (M,),
    ),
    "linspace": (lambda m, a: m.linspace(a[0], a[1], 5), (V,)),
    "geomspace": (lambda m, a: m.geomspace(a[0], a[1], 4), (numbers(2, low=1),)),
    "logspace": (lambda m, a: m.logspace(a[0], a[1], 4), (numbers(2, low=1),)),
    "meshgrid": (lambda m, x, y: m.meshgrid(x, y), (V, numbers(3))),
    "meshgrid ij": (
        lambda m, x, y: m.meshgrid(x, y, x, indexing="ij", sparse=True),
        (V, numbers(3)),
    ),
    "prod": (lambda m, x: [m.prod(x), m.prod(x, (0, 2))], (C,)),
}

OTHERS: dict[str, tuple[Case, tuple[Any, ...]]] = {
    "squeeze": (lambda m, x: m.squeeze(m.expand_dims(x, (0, 2))), (M,)),
    "identity": (lambda m, x: [m.identity(3), m.tri(3), m.tri(2, 4, 1), m.tri(3, 2, -1)], (V,)),
    "full_like": (lambda m, x: [m.full_like(x, 7), m.full_like(x, 2.5, dtype="float64")], (INTS,)),
    "empty_like": (lambda m, x: m.empty_like(x) * 0, (INTS,)),
    "linspace of numbers": (
        lambda m, x: [
            m.linspace(1, 2, 4),
            m.linspace(0, 1, 4, endpoint=False),
            m.linspace(2, 3, 1),
            m.linspace(2, 3, 0),
            *m.linspace(0, 1, 7, retstep=True),
        ],
        (V,),
    ),
    "geomspace of numbers": (lambda m, x: [m.geomspace(1, 256, 9), m.geomspace(-1, -8, 4)], (V,)),
    "indices": (lambda m, x: m.indices((2, 3)), (V,)),
    "mgrid": (lambda m, x: [m.mgrid[0:3, 1:9:2], m.mgrid[0:4], m.mgrid[0:1:3j, 0:2]], (V,)),
    "ogrid": (lambda m, x: list(m.ogrid[0:3, 1:9:2]), (V,)),
    "tril_indices": (lambda m, x: [*m.tril_indices(3), *m.triu_indices(3, 1, 4)], (V,)),
    "tril_indices_from": (lambda m, x: [*m.tril_indices_from(x, 1), *m.triu_indices_from(x)], (M,)),
    "argsort": (lambda m, x: [m.argsort(x, kind="stable"), m.sort(x)], (INTS,)),
    "argsort of signs": (
        lambda m, x: [m.argsort(x, kind="stable"), m.argsort(x[::-1], kind="stable")],
        (SIGNED,),
    ),
    "argmin": (
        lambda m, x: [m.argmin(x), m.argmin(x, 1), m.argmin(x, 0, keepdims=True), m.argmax(x)],
        (NAN,),
    ),
    "searchsorted": (
        lambda m, x: [
            m.searchsorted(np.array([-2, 0, 0, 3]), x, side=s) for s in ("left", "right")
        ],
        (INTS,),
    ),
    "searchsorted sorter": (
        lambda m, x: m.searchsorted(x, [0, 2, 9], sorter=m.argsort(x, kind="stable")),
        (INTS,),
    ),
    "lexsort": (lambda m, x, y: m.lexsort((x, y)), (INTS, np.array([1, 1, 0, 0, 1, 1, 0]))),
    "unique of all": (lambda m, x: list(m.unique(x, True, True, True)), (INTS,)),
    "unique of nan": (
        lambda m, x: list(m.unique(x, return_counts=True, return_index=True)),
        (NAN,),
    ),
    "unique of nothing": (lambda m, x: list(m.unique(x, True, True, True)), (np.zeros(0),)),
    "unique of one": (lambda m, x: list(m.unique(x, return_inverse=True)), (np.full((2, 2), 3),)),
    "unique rows": (
        lambda m, x: list(m.unique(x, True, True, True, axis=0)),
        (np.array([[2, 1], [0, 5], [2, 0], [0, 5], [2, 1]]),),
    ),
    "unique columns": (
        lambda m, x: [m.unique(x, axis=1), m.unique(x[:0], axis=0), m.unique(x[:, :0], axis=1)],
        (np.array([[2.0, 1, 2, 1], [0, 5, 0, 4]]),),
    ),
    "unique slices": (
        lambda m, x: list(m.unique(x, return_counts=True, axis=1)),
        (np.array([[[1, 2], [0, 1], [1, 2]], [[3, 4], [5, 5], [3, 4]]]),),
    ),
    "isin": (
        lambda m, x: [m.isin(x, [3, 5]), m.isin(x, [3, 5], invert=True), m.isin(x, [0.0])],
        (INTS,),
    ),
    "isin of nan": (lambda m, x: m.isin(x, np.array([np.nan, 0.5])), (NAN,)),
    "sets": (
        lambda m, x, y: [m.union1d(x, y), m.intersect1d(x, y), m.setdiff1d(x, y)],
        (INTS, np.array([5, 1, 3])),
    ),
    "bincount": (lambda m, x: [m.bincount(abs(x)), m.bincount(abs(x), minlength=9)], (INTS,)),
    "bincount weights": (lambda m, x, w: m.bincount(abs(x), w), (INTS, V)),
    "bincount of nothing": (lambda m, x: [m.bincount(x), m.bincount(x, minlength=2)], (INTS[:0],)),
    "histogram": (lambda m, x: [*m.histogram(x, 4), *m.histogram(x, 3, (-2, 2))], (V,)),
    "histogram of ends": (
        lambda m, x: [*m.histogram(x, np.array([-2.0, 0, 1])), *m.histogram(x, 3, density=True)],
        (V,),
    ),
    "histogram of ints": (lambda m, x: [*m.histogram(x, 5), *m.histogram(x * 0, 2)], (INTS,)),
    "digitize": (
        lambda m, x: [m.digitize(x, np.array([-1.0, 0, 2]), r) for r in (False, True)],
        (V,),
    ),
    "digitize of variables": (
        lambda m, x, b: [m.digitize(x, b), m.digitize(x, b[::-1]), m.digitize(x, b, right=True)],
        (INTS, np.array([-2, 0, 3])),
    ),
    "diff of bools": (lambda m, x: m.diff(x > 0, axis=0), (M,)),
    "count_nonzero": (lambda m, x: [m.count_nonzero(x), m.count_nonzero(x > 2)], (INTS,)),
    "nan": (
        lambda m, x: [
            m.nansum(x, 1),
            m.nanprod(x, 0),
            m.nanmax(x[:2], 1),
            m.nanmin(x[:2], 0),
            m.median(x, 1),
            m.quantile(x, 0.5),
            m.nanmean(x[:1]),
        ],
        (NAN,),
    ),
    "integers": (
        lambda m, x: [
            m.cumsum(x),
            m.cumprod(x),
            m.median(x),
            m.ptp(x),
            m.average(x),
            m.cov(x),
            m.diff(x),
            m.nanmax(x),
            m.nanmean(x),
        ],
        (INTS,),
    ),
    "small integers": (lambda m, x: [m.cumsum(x), m.cumprod(x)], (INTS.astype("int8"),)),
    "unsigned": (lambda m, x: [m.cumsum(x), m.sort(x), m.argmin(x)], (abs(INTS).astype("uint16"),)),
    "bools": (lambda m, x: [m.cumsum(x), m.sort(x), m.argsort(x, kind="stable")], (INTS > 0,)),
    "nothing": (
        lambda m, x: [
            m.cumsum(x, 0),
            m.cumprod(x, 1),
            m.sort(x),
            m.sort(x, 0),
            m.argsort(x),
            m.flip(x),
            m.repeat(x, 2, 1),
            m.tile(x, (2, 1)),
            m.diff(x, axis=0)[:0],
            m.sum(x, 0),
        ],
        (EMPTY,),
    ),
    "where": (lambda m, x: [m.where(x > 0, x, 0), *m.where(x > 0)], (M,)),
    "nonzero": (lambda m, x: [*m.nonzero(x), m.flatnonzero(x), m.argwhere(x)], (INTS,)),
    "ravel_multi_index": (
        lambda m, i, j: [
            m.ravel_multi_index((i, j), (4, 3)),
            m.ravel_multi_index((i, j), (4, 3), order="F"),
            m.ravel_multi_index((i, -j), (2, 5), mode="wrap"),
            m.ravel_multi_index((i, j), (2, 2), mode="clip"),
        ],
        (np.array([0, 3, 2]), np.array([1, 2, 0])),
    ),
    "unravel_index": (
        lambda m, i: [*m.unravel_index(i, (4, 3)), *m.unravel_index(i, (2, 3, 2), order="F")],
        (np.array([0, 11, 7]),),
    ),
    "choose modes": (
        lambda m, i: [m.choose(i, [[1, 2, 3], [4, 5, 6]], mode=k) for k in ("wrap", "clip")],
        (np.array([0, 3, -2]),),
    ),
    "reductions": (
        lambda m, x: [
            m.argmax(x),
            m.argmin(x, 1),
            m.max(x, (0, 2), keepdims=True),
            m.any(x, axis=()),
            m.all(x > -1, axis=()),
            m.sum(x, axis=()),
            m.sum(x, axis=(-1, 0)),
        ],
        (C,),
    ),
    "cummax": (lambda m, x: [m.cumsum(x, 1, dtype="float64")], (M.astype("float32"),)),
}


def run_numpy(case: Case, arrays: tuple[Any, ...]) -> list[Any]:
    with np.errstate(all="ignore"):
        return [np.asarray(v) for v in as_list(case(np, *arrays))]


def close(found: Any, wanted: Any) -> None:
    assert found.shape == wanted.shape
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=2e-15, atol=5e-15)


@pytest.mark.parametrize("name", [*SMOOTH, *OTHERS])
def test_as_numpy(name: str) -> None:
    case, arrays = {**SMOOTH, **OTHERS}[name]
    inputs = inputs_for(arrays)
    outputs = [T.as_tensor_variable(v) for v in as_list(case(T, *inputs))]
    wanted = run_numpy(case, arrays)
    assert len(outputs) == len(wanted)
    for output, expected in zip(outputs, wanted, strict=True):
        assert tensor_type(output).ndim == expected.ndim
    optimised = optimise(outputs, inputs).outputs
    linked = link_native(Plan(tuple(inputs), optimised), None)
    assert not linked.notes, "all of these have a native form"
    for run in (interpreter(inputs, outputs), linked.run):
        for found, output, expected in zip(run(list(arrays)), outputs, wanted, strict=True):
            check_promise(found, output)
            close(found, expected)


@pytest.mark.parametrize("name", SMOOTH)
def test_gradient(name: str) -> None:
    case, arrays = SMOOTH[name]
    inputs = inputs_for(arrays)
    outputs = as_list(case(T, *inputs))
    smooth = [i for i in range(len(inputs)) if name != "trapezoid at" or i == 0]
    check_gradient(inputs, outputs, arrays, smooth, tolerance=1e-6)


def test_native_gradients_need_no_interpreter() -> None:
    x = T.dmatrix("x")
    cost = sum((T.sort(x, 0) ** 2).sum() + f(x).sum() for f in (T.cumprod, T.median, T.diag))
    run = native([x], [T.grad(cost, x)])
    plain = interpreter([x], [T.grad(cost, x)])
    np.testing.assert_allclose(run([M])[0], plain([M])[0], rtol=1e-13)
