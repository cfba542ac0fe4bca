"""NumPy's functions, arrays and methods that meet symbolic variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench.tensor as T
from tests.core.ops.backends import as_list, interpreter
from workbench.core.graph import Variable
from workbench.errors import GraphError

X, Y = T.dmatrix("x"), T.dmatrix("y")
A, B = np.arange(6.0).reshape(2, 3) - 2.5, np.ones((2, 3))

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "a ufunc": lambda x, y: np.exp(x),
    "a ufunc of two": lambda x, y: np.maximum(x, y),
    "another spelling": lambda x, y: np.true_divide(np.subtract(x, 1), np.absolute(y)),
    "a comparison": lambda x, y: np.greater_equal(x, y),
    "an array and a variable": lambda x, y: B + x * A - np.float64(2) * y,
    "an array to the left": lambda x, y: [B / x, B - x, B**x, B @ x.T, x > A, np.float32(2) ** x],
    "matmul": lambda x, y: [np.matmul(x, y.T), np.dot(x, B.T)],
    "reductions": lambda x, y: [np.sum(x, axis=0), np.mean(x), np.max(x, 1), np.std(x, 0)],
    "var with ddof": lambda x, y: np.var(x, axis=1, ddof=1, keepdims=True),
    "concatenate": lambda x, y: np.concatenate([x, y, B], axis=1),
    "stack": lambda x, y: [np.stack([x, y]), np.vstack((x, y)), np.hstack([x, B])],
    "where": lambda x, y: np.where(x > 0, x, y),
    "clip": lambda x, y: np.clip(x, -1, 1),
    "split": lambda x, y: [*np.split(x, 3, 1), *np.array_split(x, 2)],
    "shapes": lambda x, y: [np.reshape(x, (3, 2)), np.transpose(x), np.squeeze(x[:1], 0)],
    "sort": lambda x, y: [np.sort(x, axis=0), np.cumsum(x), np.argmax(x, axis=1)],
    "size": lambda x, y: np.zeros(np.ndim(x)) + np.size(x),
}


@pytest.mark.parametrize("name", CALLS)
def test_numpys_functions(name: str) -> None:
    """They mean for variables what they mean for arrays."""
    outputs = as_list(CALLS[name](X, Y))
    assert all(isinstance(v, Variable) for v in outputs)
    found = interpreter([X, Y], outputs)([A, B])
    with np.errstate(all="ignore"):
        wanted = as_list(CALLS[name](A, B))
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "an array of it": (lambda: np.asarray(X), "x.eval"),
    "an array of several": (lambda: np.array([X, Y]), "T.stack"),
    "a number of it": (lambda: np.float64(X), "x.eval"),
    "in place": (lambda: np.add(A, X, out=A.copy()), "a = a + x"),
    "reduce": (lambda: np.add.reduce(X), "sum"),
    "options": (lambda: np.add(X, Y, dtype="float32"), "functions of workbench.tensor"),
    "a function that there is not": (lambda: np.unwrap(X), "workbench.tensor has no function"),
    "another namespace": (lambda: np.fft.hfft(X), "workbench.tensor has no function"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_numpy_cannot_do(name: str) -> None:
    call, advice = REFUSED[name]
    with pytest.raises(GraphError) as caught:
        call()
    assert advice in str(caught.value)


METHODS: dict[str, Callable[[Any], Any]] = {
    "sort": lambda x: [x.sort(0) if isinstance(x, Variable) else np.sort(x, 0)],
    "argsort argmin": lambda x: [x.argsort(axis=1), x.argmin(), x.argmax(1)],
    "sums": lambda x: [x.sum(0), x.prod(axis=1), x.mean(0), x.var(0, ddof=1), x.std(keepdims=True)],
    "extremes": lambda x: [x.max(0), x.min(), x.all(), x.any(1)],
    "running": lambda x: [x.cumsum(), x.cumprod(axis=0)],
    "shapes": lambda x: [x.ravel(), x[:1].squeeze(0), x.swapaxes(0, 1), x.repeat(2, axis=1)],
    "diagonal": lambda x: x.diagonal(1),
    "take": lambda x: [x.take([1, -1]), x.take([0, 5], axis=1, mode="wrap")],
    "compress": lambda x: [x.compress([True, False], axis=0), x.compress([False, True])],
    "nonzero": lambda x: list(x.nonzero()),
    "searchsorted": lambda x: x.ravel().searchsorted(0.5),
    "choose": lambda x: (x[0] > 0).astype("int64").choose([[1.0, 2, 3], [4.0, 5, 6]]),
    "copy": lambda x: x.copy(),
    "size": lambda x: [x.size + np.zeros(()), x.nbytes + np.zeros(())],
    "all of it": lambda x: x[...],
}


@pytest.mark.parametrize("name", METHODS)
def test_methods(name: str) -> None:
    outputs = as_list(METHODS[name](X))
    found = interpreter([X], outputs)([A])
    for a, b in zip(found, as_list(METHODS[name](A)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)


def test_methods_that_numpy_has_otherwise() -> None:
    f = interpreter([X], [X.fill(7), X.ptp(0), X.median(), X.topk(1)])
    wanted = [np.full_like(A, 7), np.ptp(A, 0), np.median(A), A.max(1, keepdims=True)]
    for a, b in zip(f([A]), wanted, strict=True):
        np.testing.assert_array_equal(a, b)


def test_methods_have_their_functions_help() -> None:
    assert X.cumsum.__doc__ == T.cumsum.__doc__
    assert X.take.__name__ == "take"
