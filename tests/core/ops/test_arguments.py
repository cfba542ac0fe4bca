"""Functions of shapes and orders: symbolic arguments, old signatures, and every wrong argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.ops.reduce import Prod

V, M, C = T.dvector("v"), T.dmatrix("m"), T.dtensor3("c")
K, L = T.iscalar("k"), T.lvector("l")
v, m = np.arange(7.0), np.arange(12.0).reshape(3, 4)

SYMBOLIC: dict[str, tuple[Callable[[], Any], int, Any, Callable[[], Any]]] = {
    # outputs of V, M, K and L; the values of K and L; what NumPy says
    "split": (lambda: T.split(V, L, 3), 0, [2, 1, 4], lambda: np.split(v, [2, 3])),
    "split along 1": (lambda: T.split(M, [1, 3], 2, axis=1), 0, [], lambda: np.split(m, [1], 1)),
    "array_split": (lambda: T.array_split(V[:K], 3), 5, [], lambda: np.array_split(v[:5], 3)),
    "repeat": (
        lambda: [T.repeat(M, K, 1), T.repeat(M, K), M.repeat(K, axis=0)],
        3,
        [],
        lambda: [np.repeat(m, 3, 1), np.repeat(m, 3), np.repeat(m, 3, 0)],
    ),
    "repeat 0 times": (lambda: T.repeat(M, K, 0), 0, [], lambda: np.repeat(m, 0, 0)),
    "repeat each": (
        lambda: T.repeat(M, L, axis=0),
        0,
        [1, 0, 2],
        lambda: np.repeat(m, [1, 0, 2], 0),
    ),
    "tile": (lambda: T.tile(M, (K, 2)), 3, [], lambda: np.tile(m, (3, 2))),
    "tile by a vector": (lambda: T.tile(M, L, ndim=2), 0, [2, 1], lambda: np.tile(m, (2, 1))),
    "tile to more axes": (lambda: T.tile(V, 2, ndim=2), 0, [], lambda: np.tile(v, (1, 2))),
    "roll": (
        lambda: [T.roll(M, K, 1), T.roll(M, -K), T.roll(M, (K, 1), (0, 1))],
        6,
        [],
        lambda: [np.roll(m, 6, 1), np.roll(m, -6), np.roll(m, (6, 1), (0, 1))],
    ),
    "pad": (
        lambda: [T.pad(M, ((K, 0), (0, K)), mode="symmetric"), T.pad(M, K, constant_values=5)],
        2,
        [],
        lambda: [np.pad(m, ((2, 0), (0, 2)), mode="symmetric"), np.pad(m, 2, constant_values=5)],
    ),
    "stack": (
        lambda: [T.stack([K, 1, 2.5]), T.stack(K, 1), T.stack(V, V), T.stack([V, V], 1)],
        3,
        [],
        lambda: [np.array([3, 1, 2.5]), np.array([3, 1]), np.stack([v, v]), np.stack([v, v], 1)],
    ),
    "join": (lambda: T.join(-2, M, M), 0, [], lambda: np.concatenate([m, m])),
    "topk": (
        lambda: [*T.topk_and_argtopk(M, K), T.topk(M, -2, axis=0), T.argtopk(M, 1, axis=None)],
        2,
        [],
        lambda: [np.sort(m)[:, :1:-1], np.argsort(m)[:, :1:-1], np.sort(m, 0)[:2], np.array([11])],
    ),
    "linspace": (
        lambda: [T.linspace(0, 1, K), T.logspace(0, 1, K), T.geomspace(1, 2, K)],
        5,
        [],
        lambda: [np.linspace(0, 1, 5), np.logspace(0, 1, 5), np.geomspace(1, 2, 5)],
    ),
    "triangles": (
        lambda: [T.tri(K), T.tri(K, K + 1, -1), T.identity(K), T.tril(M, K), T.triu(M, K)],
        3,
        [],
        lambda: [np.tri(3), np.tri(3, 4, -1), np.eye(3), np.tril(m, 3), np.triu(m, 3)],
    ),
    "diagonal": (
        lambda: [T.diagonal(M, K), T.fill_diagonal_offset(M, 9, K)],
        1,
        [],
        lambda: [np.diagonal(m, 1), np.where(np.eye(3, 4, 1), 9, m)],
    ),
    "fill_diagonal": (
        lambda: [
            T.fill_diagonal(M, 7),
            T.fill_diagonal(M, V[:3]),
            T.fill_diagonal_offset(M, 9, -1),
        ],
        0,
        [],
        lambda: [
            np.where(np.eye(3, 4), 7, m),
            np.where(np.eye(3, 4), v[:3, None], m),
            np.where(np.eye(3, 4, -1), 9, m),
        ],
    ),
    "max_and_argmax": (
        lambda: list(T.max_and_argmax(M, axis=1)),
        0,
        [],
        lambda: [m.max(1), m.argmax(1)],
    ),
    "old signatures": (
        lambda: [
            T.mean(M, 0, op=True),
            M.mean(1, acc_dtype="float64"),
            M.sum(1, acc_dtype="float64"),
            T.var(M, 1, corrected=True),
            T.prod(M, 1, no_zeros_in_input=True),
        ],
        0,
        [],
        lambda: [m.mean(0), m.mean(1), m.sum(1), m.var(1), m.prod(1)],
    ),
    "set in new axes": (
        lambda: [T.set_subtensor(M[None, 1:], 7), T.set_subtensor(M[:, None, 0], [[1], [2], [3]])],
        0,
        [],
        lambda: [np.vstack([m[:1], np.full((2, 4), 7)]), np.hstack([[[1], [2], [3]], m[:, 1:]])],
    ),
    "positions": (
        lambda: [T.nonzero(M > 5, return_matrix=True), T.nonzero_values(M)],
        0,
        [],
        lambda: [np.array(np.nonzero(m > 5)), m[m != 0]],
    ),
    "patternbroadcast": (
        lambda: [T.patternbroadcast(M[:1], (True, False)) + M, T.shape_padaxis(V, 1) * V],
        0,
        [],
        lambda: [m[:1] + m, v[:, None] * v],
    ),
}


@pytest.mark.parametrize("name", SYMBOLIC)
def test_arguments(name: str) -> None:
    build, k, several, numpy = SYMBOLIC[name]
    outputs = build()
    f = wb.function([V, M, K, L], outputs, on_unused_input="ignore")
    assert not f.linked.notes
    found = f(v, m, k, np.array(several, "int64"))
    found, wanted = (r if isinstance(r, list) else [r] for r in (found, numpy()))
    for a, b in zip(found, wanted, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-14)


def test_acc_dtype() -> None:
    x = T.fvector("x")
    assert T.sum(x, acc_dtype="float64").dtype == "float32"
    assert T.sum(x, dtype="float64").dtype == "float64"
    assert T.prod(L, acc_dtype="float64").dtype == "int64"
    assert T.mean(x, acc_dtype="float64").dtype == "float32"


def test_a_promise_makes_the_gradient_a_quotient() -> None:
    promised = T.grad(T.prod(V, no_zeros_in_input=True), V)
    np.testing.assert_allclose(promised.eval({V: v + 1}), (v + 1).prod() / (v + 1))
    assert Prod((0,), True) != Prod((0,))


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_the_mean_of_nothing_is_nan(mode: str) -> None:
    outputs = [T.mean(V), T.mean(T.zeros_like(V)), T.mean(T.zeros((0, 3)), axis=0), T.mean(V * 0)]
    f = wb.function([V], outputs, mode=mode)
    assert all(np.isnan(r).all() and r.size for r in f(v[:0]))


def test_sorting_inside_a_loop() -> None:
    """Lengths that only running tells, different in every step."""

    def step(row: Any) -> Any:
        ordered = T.sort(row)
        above = ordered[ordered > row.mean()].sum()
        return above + T.cumsum(ordered)[-1] + T.unique(T.round(row)).shape[0]

    results, _ = wb.scan(step, sequences=[M])
    rows = np.random.default_rng(0).normal(size=(5, 60)) * np.arange(1, 6)[:, None]
    f = wb.function([M], results)
    assert not f.linked.notes
    wanted = [r[r > r.mean()].sum() + r.sum() + len(np.unique(np.round(r))) for r in rows]
    np.testing.assert_allclose(f(rows), wanted)


WRONG: dict[str, Callable[[], Any]] = {
    "moveaxis": lambda: T.moveaxis(M, 0, 5),
    "moveaxis twice": lambda: T.moveaxis(M, (0, 0), (0, 1)),
    "rollaxis": lambda: T.rollaxis(M, 0, 4),
    "expand_dims twice": lambda: T.expand_dims(M, (0, 0)),
    "squeeze": lambda: T.squeeze(T.as_tensor_variable(m), 0),
    "patternbroadcast": lambda: T.patternbroadcast(M, (True,)),
    "ravel": lambda: T.ravel(M, order="Z"),
    "roll": lambda: T.roll(M, 1, 3),
    "roll of axes": lambda: T.roll(M, (1, 2, 3), (0, 1)),
    "flip": lambda: T.flip(V, 1),
    "rot90": lambda: T.rot90(V),
    "rot90 of one axis": lambda: T.rot90(M, 1, (0, -2)),
    "pad's mode": lambda: T.pad(M, 1, mode="x"),
    "pad's widths": lambda: T.pad(M, ((1, 2), (3, 4), (5, 6))),
    "pad below 0": lambda: T.pad(M, -1),
    "split's lengths": lambda: T.split(T.as_tensor_variable(v), [1, 2], 2),
    "split's number of lengths": lambda: T.split(V, [1, 2, 3], 2),
    "split in unequal parts": lambda: T.split(T.as_tensor_variable(v), 3),
    "array_split": lambda: T.array_split(V, 0),
    "repeat by a float": lambda: T.repeat(V, 1.5),
    "repeat by a matrix": lambda: T.repeat(V, T.lmatrix()),
    "tile": lambda: T.tile(V, L),
    "tile to fewer axes": lambda: T.tile(M, 2, ndim=1),
    "stack": lambda: T.stack([V, M]),
    "zeros": lambda: T.zeros((-2,)),
    "ones": lambda: T.ones((3, -1)),
    "broadcast_to": lambda: T.broadcast_to(V, (2, -1)),
    "linspace of vectors": lambda: T.linspace(V, 1, 3),
    "linspace below 0": lambda: T.linspace(0, 1, -1),
    "meshgrid": lambda: T.meshgrid(V, indexing="a"),
    "mgrid": lambda: T.mgrid[3],
    "tril": lambda: T.tril(V),
    "identity_like": lambda: T.identity_like(V),
    "diag": lambda: T.diag(C),
    "diagonal of a vector": lambda: T.diagonal(V),
    "diagonal of one axis": lambda: T.diagonal(M, 0, 1, 1),
    "diagonal's offset": lambda: T.diagonal(M, 0.5),
    "fill_diagonal": lambda: T.fill_diagonal(V, 1),
    "fill_diagonal of lengths": lambda: T.fill_diagonal(
        T.as_tensor_variable(m.reshape(3, 2, 2)), 1
    ),
    "fill_diagonal with a matrix": lambda: T.fill_diagonal(M, M),
    "take floats": lambda: T.take(M, [0.5]),
    "take's mode": lambda: T.take(M, [0], mode="x"),
    "take_along_axis": lambda: T.take_along_axis(M, L, 0),
    "choose by floats": lambda: T.choose(V, [V]),
    "choose of nothing": lambda: T.choose(L, []),
    "choose of a scalar": lambda: T.choose(L, V[0]),
    "compress": lambda: T.compress(M, M),
    "where": lambda: T.where(V, 1),
    "ravel_multi_index": lambda: T.ravel_multi_index((L,), (2, 2)),
    "unravel_index": lambda: T.unravel_index(L, (2, 2), order="Z"),
    "sort": lambda: T.sort(M, 2),
    "sort a scalar": lambda: T.sort(K),
    "cumsum": lambda: T.cumsum(M, 2),
    "cummax of complex": lambda: T.cummax(T.zvector()),
    "topk of 0": lambda: T.topk(V, 0),
    "topk of too many": lambda: T.topk(T.as_tensor_variable(v), 8),
    "searchsorted in a matrix": lambda: T.searchsorted(M, V),
    "searchsorted's side": lambda: T.searchsorted(V, V, side="middle"),
    "unique": lambda: T.unique(M, axis=2),
    "bincount of floats": lambda: T.bincount(V),
    "bincount's minlength": lambda: T.bincount(L, minlength=-1),
    "bincount's weights": lambda: T.bincount(L, M),
    "histogram": lambda: T.histogram(V, 0),
    "digitize": lambda: T.digitize(V, M),
    "diff": lambda: T.diff(V, -1),
    "argmax": lambda: T.argmax(M, 3),
    "median of complex": lambda: T.median(T.zmatrix()),
    "quantile at a matrix": lambda: T.quantile(V, M),
    "average": lambda: T.average(M, None, V),
    "cov": lambda: T.cov(C),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments(name: str) -> None:
    """One of the named errors, with the user's line and what to do."""
    with pytest.raises(wb.errors.WorkbenchError) as caught:
        WRONG[name]()
    assert isinstance(caught.value, (TypeError, ValueError, IndexError))
    assert caught.value.advice
    assert "test_arguments.py" in str(caught.value)


FAILING: dict[str, tuple[Callable[[], Any], int, Any, type[Exception]]] = {
    "split's lengths": (lambda: T.split(V, L, 2), 0, [1, 1], ValueError),
    "split in unequal parts": (lambda: T.split(V, 3), 0, [], ValueError),
    "repeat's numbers": (lambda: T.repeat(M, L, axis=0), 0, [1, 2], ValueError),
    "repeat's many numbers": (lambda: T.repeat(M, L, axis=0), 0, [1, 2, 1, 1], ValueError),
    "repeat below 0": (lambda: T.repeat(M, L, axis=0), 0, [1, -2, 1], ValueError),
    "repeat all below 0": (lambda: T.repeat(M, K, axis=0), -1, [], ValueError),
    "zeros": (lambda: T.zeros((K,)), -1, [], ValueError),
    "bincount": (lambda: T.bincount(L), 0, [1, -1], ValueError),
    "bincount's weights": (lambda: T.bincount(L, V), 0, [1], ValueError),
    "ravel_multi_index": (lambda: T.ravel_multi_index((L, L), (2, 3)), 0, [2], ValueError),
    "unravel_index": (lambda: T.unravel_index(L, (2, 3)), 0, [6], ValueError),
    "choose": (lambda: T.choose(L, [[1], [2]]), 0, [2], ValueError),
    "take": (lambda: T.take(V, L), 0, [7], IndexError),
    "topk": (lambda: T.topk(V, K), 8, [], ValueError),
    "squeeze": (lambda: T.squeeze(M, 0), 0, [], ValueError),
    "max": (lambda: T.max(V[:0]), 0, [], ValueError),
    "argmin": (lambda: T.argmin(V[:K]), 0, [], ValueError),
}


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("name", FAILING)
def test_wrong_values(name: str, mode: str) -> None:
    """The same error from native code and from the interpreter."""
    build, k, several, kind = FAILING[name]
    f = wb.function([V, M, K, L], build(), mode=mode, on_unused_input="ignore")
    with pytest.raises(kind):
        f(v, m, k, np.array(several, "int64"))


def test_logsumexp() -> None:
    """No overflow, no underflow, infinities as they are; the gradient is softmax."""
    rows = np.array([[1000.0, 1000, -1e4], [-1e4, -1e4, -1e4], [-np.inf] * 3, [np.inf, 0, 1]])
    f = wb.function([M], [T.logsumexp(M, axis=1), T.logsumexp(M[:2]), T.grad(T.logsumexp(V), V)],
                    on_unused_input="ignore", givens={V: M[0]})  # fmt: skip
    along, whole, slope = f(rows)
    np.testing.assert_allclose(along, [1000 + np.log(2), np.log(3) - 1e4, -np.inf, np.inf])
    np.testing.assert_allclose(whole, 1000 + np.log(2))
    np.testing.assert_allclose(slope, [0.5, 0.5, 0])
    assert T.logsumexp(M, axis=0, keepdims=True).broadcastable == (True, False)


def test_the_gradient_of_topk_goes_to_what_was_taken() -> None:
    x = np.array([[3.0, 1, 2], [5, 6, 4]])
    weights = np.array([10.0, 20])
    for k, places in ((2, [[10, 0, 20], [20, 10, 0]]), (-2, [[0, 10, 20], [20, 0, 10]])):
        slope = T.grad((T.topk(M, k) * weights).sum(), M)
        np.testing.assert_array_equal(slope.eval({M: x}), places)
