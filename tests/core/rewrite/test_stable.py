"""Numbers far out: what was written overflows or takes log(0); what runs does not, in the values
and the gradients.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp, softmax

from tests.core.rewrite.support import labels, rewritten, run
from workbench.core.gradient import grad
from workbench.core.ops import dot, losses, nnet, reduce, scalars
from workbench.core.ops.create import arange
from workbench.core.variable import tensor

S: Any = scalars
FAR = np.array([-1000.0, -745, -100, -37, -1, -1e-9, 0, 1e-9, 1, 37, 100, 709, 1000])


def softplus(z):
    return np.logaddexp(0, z)


def sigmoid(z):
    small = np.exp(-np.abs(z))
    return np.where(z < 0, small, 1) / (1 + small)


def small(x):
    """Something near 0, in the same dtype."""
    return S.tanh(x) * S.cast(2.0**-30, x.dtype)


UNARY = {
    "log(sigmoid)": (lambda x: S.log(S.sigmoid(x)), lambda x: -softplus(-x)),
    "log(1 - sigmoid)": (lambda x: S.log(1 - S.sigmoid(x)), lambda x: -softplus(x)),
    "log1p(-sigmoid)": (lambda x: S.log1p(-S.sigmoid(x)), lambda x: -softplus(x)),
    "log(1 + exp)": (lambda x: S.log(1 + S.exp(x)), softplus),
    "log(exp + 1)": (lambda x: S.log(S.exp(x) + 1), softplus),
    "log1p(exp)": (lambda x: S.log1p(S.exp(x)), softplus),
    "log(exp)": (lambda x: S.log(S.exp(x)), lambda x: x),
    "1 / (1 + exp(-x))": (lambda x: 1 / (1 + S.exp(-x)), sigmoid),
    "1 / (exp(-x) + 1)": (lambda x: 1.0 / (S.exp(-x) + 1.0), sigmoid),
    "exp / (1 + exp)": (lambda x: S.exp(x) / (1 + S.exp(x)), sigmoid),
    "exp / (exp + 1)": (lambda x: S.exp(x) / (S.exp(x) + 1), sigmoid),
    "1 / (1 + exp(x))": (lambda x: 1 / (1 + S.exp(x)), lambda x: sigmoid(-x)),
    "(1 + exp(-x)) ** -1": (lambda x: (1 + S.exp(-x)) ** -1, sigmoid),
    "1 - 1 / (1 + exp(-x))": (lambda x: 1 - 1 / (1 + S.exp(-x)), lambda x: sigmoid(-x)),
    "exp - 1": (lambda x: S.exp(small(x)) - 1, lambda x: np.expm1(np.tanh(x) / 2**30)),
    "log(1 + x)": (lambda x: S.log(1 + small(x)), lambda x: np.log1p(np.tanh(x) / 2**30)),
    "exp(-x) / (1 + exp(-x)) ** 2": (
        lambda x: S.exp(-x) / (1 + S.exp(-x)) ** 2, lambda x: sigmoid(x) * sigmoid(-x)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_function(name, dtype):
    build, reference = UNARY[name]
    x = tensor(dtype, (None,), "x")
    result, _ = rewritten([build(x)])
    far = FAR.astype(dtype) if dtype == "float64" else np.clip(FAR, -80, 80).astype(dtype)
    (value,) = run(result.outputs, {x: far})
    assert value.dtype == dtype
    rtol = 1e-12 if dtype == "float64" else 3e-6
    np.testing.assert_allclose(
        value, reference(far.astype("float64")), rtol, 1e-300 if dtype == "float64" else 1e-37
    )


@pytest.mark.parametrize("name", UNARY)
def test_gradient(name):
    """Finite and right, too: the derivative of the stable formula by central differences, where
    that says anything.
    """
    build, reference = UNARY[name]
    x = tensor("float64", (None,), "x")
    result, _ = rewritten([grad(reduce.sum(build(x)), x)])
    (value,) = run(result.outputs, {x: FAR})
    h = 1e-5 * np.maximum(1, np.abs(FAR))
    slope = (reference(FAR + h) - reference(FAR - h)) / (2 * h)
    np.testing.assert_allclose(value, slope, 1e-4, 1e-9)


P = {
    "tutorial": lambda z: 1 / (1 + S.exp(-z)),
    "reversed": lambda z: 1.0 / (S.exp(-z) + 1.0),
    "by exp(z)": lambda z: S.exp(z) / (1 + S.exp(z)),
    "sigmoid": S.sigmoid,
}
CROSS_ENTROPY = {
    "tutorial": lambda y, p: -y * S.log(p) - (1 - y) * S.log(1 - p),
    "binary_crossentropy": lambda y, p: losses.binary_crossentropy(p, y),
    "negated sum": lambda y, p: -(y * S.log(p) + (1 - y) * S.log(1 - p)),
}


@pytest.mark.parametrize("p", P)
@pytest.mark.parametrize("xent", CROSS_ENTROPY)
@pytest.mark.parametrize("labels_dtype", ["float64", "int64"])
@pytest.mark.parametrize("scale", [1, 30, 3000])
def test_logistic_regression(p, xent, labels_dtype, scale):
    x, y = tensor("float64", (None, None), "x"), tensor(labels_dtype, (None,), "y")
    w, b = tensor("float64", (None,), "w"), tensor("float64", (), "b")
    prob = P[p](dot.dot(x, w) + b)
    loss = CROSS_ENTROPY[xent](y, prob)
    cost = loss.mean() + 0.01 * (w**2).sum()
    outputs = [loss, cost, *grad(cost, [w, b])]
    result, _ = rewritten(outputs)
    rng = np.random.default_rng(1)
    X, t = rng.normal(size=(50, 8)) * scale, rng.integers(0, 2, 50)
    values = {x: X, y: t.astype(labels_dtype), w: rng.normal(size=8), b: np.array(0.3)}
    z = X @ values[w] + 0.3
    wanted_loss = t * softplus(-z) + (1 - t) * softplus(z)
    slope = (sigmoid(z) - t) / 50
    got = run(result.outputs, values)
    np.testing.assert_allclose(got[0], wanted_loss, 1e-12, 1e-300)
    np.testing.assert_allclose(got[1], wanted_loss.mean() + 0.01 * (values[w] ** 2).sum(), 1e-12)
    np.testing.assert_allclose(got[2], X.T @ slope + 0.02 * values[w], 1e-11, 1e-12 * scale)
    np.testing.assert_allclose(got[3], slope.sum(), 1e-12, 1e-15)


def test_tutorial_has_no_logarithm_left():
    x, y, w = (
        tensor("float64", (None, None), "x"),
        tensor("float64", (None,), "y"),
        tensor("float64", (None,), "w"),
    )
    p = 1 / (1 + S.exp(-dot.dot(x, w)))
    cost = (-y * S.log(p) - (1 - y) * S.log(1 - p)).mean()
    result, _ = rewritten([cost, grad(cost, w)], excluding=["fusion"])
    assert not {"log", "log1p", "exp"} & set(labels(result.outputs))
    assert labels(result.outputs).count("Gemv") == 2


SOFTMAX = {
    "softmax": lambda z: nnet.softmax(z),
    "exp / sum(exp)": lambda z: S.exp(z) / reduce.sum(S.exp(z), axis=1, keepdims=True),
    "exp / dimshuffled sum": lambda z: S.exp(z) / reduce.sum(S.exp(z), axis=1).dimshuffle(0, "x"),
}
LABELLED = {
    "log(p)[arange, y]": lambda p, y: -S.log(p)[arange(y.shape[0]), y].mean(),
    "log(p[arange, y])": lambda p, y: -S.log(p[arange(y.shape[0]), y]).mean(),
    "categorical_crossentropy": lambda p, y: losses.categorical_crossentropy(p, y).mean(),
    "log(p[arange(p.shape[0]), y])": lambda p, y: -reduce.mean(S.log(p[arange(p.shape[0]), y])),
}


@pytest.mark.parametrize("form", SOFTMAX)
@pytest.mark.parametrize("loss", LABELLED)
@pytest.mark.parametrize("scale", [1, 2000])
def test_softmax_cross_entropy(form, loss, scale):
    z, y = tensor("float64", (None, None), "z"), tensor("int64", (None,), "y")
    cost = LABELLED[loss](SOFTMAX[form](z), y)
    result, _ = rewritten([cost, grad(cost, z)])
    rng = np.random.default_rng(2)
    Z, t = rng.normal(size=(20, 6)) * scale, rng.integers(0, 6, 20)
    value, gradient = run(result.outputs, {z: Z, y: t})
    np.testing.assert_allclose(value, -log_softmax(Z, axis=1)[np.arange(20), t].mean(), 1e-12)
    np.testing.assert_allclose(gradient, (softmax(Z, axis=1) - np.eye(6)[t]) / 20, 1e-12, 1e-16)


@pytest.mark.parametrize("scale", [1, 2000])
def test_one_hot_cross_entropy(scale):
    z, y = tensor("float64", (None, None), "z"), tensor("float64", (None, None), "y")
    cost = losses.categorical_crossentropy(nnet.softmax(z), y).mean()
    result, _ = rewritten([cost, grad(cost, z)])
    rng = np.random.default_rng(3)
    Z, t = rng.normal(size=(20, 6)) * scale, np.eye(6)[rng.integers(0, 6, 20)]
    value, gradient = run(result.outputs, {z: Z, y: t})
    np.testing.assert_allclose(value, -(t * log_softmax(Z, axis=1)).sum(1).mean(), 1e-12)
    np.testing.assert_allclose(gradient, (softmax(Z, axis=1) - t) / 20, 1e-12, 1e-16)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("scale", [1, 2000])
def test_log_sum_exp(axis, keepdims, scale):
    x = tensor("float64", (None, None), "x")
    value = S.log(reduce.sum(S.exp(x), axis=axis, keepdims=keepdims))
    outputs = [value] if axis is None and not keepdims else [value, grad(value.sum(), x)]
    result, _ = rewritten(outputs)
    X = np.random.default_rng(4).normal(size=(5, 7)) * scale
    X[2] = -np.inf if scale > 1 else X[2]
    got = run(result.outputs[:1], {x: X})[0]
    np.testing.assert_allclose(got, logsumexp(X, axis=axis, keepdims=keepdims), 1e-12)
    X[2] = 0
    if len(outputs) > 1 and axis is not None:
        gradient = run(result.outputs, {x: X})[1]
        np.testing.assert_allclose(gradient, softmax(X, axis=axis), 1e-12, 1e-16)


def test_two_layers():
    """A network of the notebooks: hidden tanh, softmax, labels; in float32."""
    x, y = tensor("float32", (None, None), "x"), tensor("int32", (None,), "y")
    w1, b1 = tensor("float32", (None, None), "w1"), tensor("float32", (None,), "b1")
    w2, b2 = tensor("float32", (None, None), "w2"), tensor("float32", (None,), "b2")
    h = S.tanh(dot.dot(x, w1) + b1)
    p = nnet.softmax(dot.dot(h, w2) + b2)
    cost = -reduce.mean(S.log(p)[arange(y.shape[0]), y])
    wrt = [w1, b1, w2, b2]
    outputs = [cost, *(v - np.float32(0.1) * g for v, g in zip(wrt, grad(cost, wrt), strict=True))]
    result, _ = rewritten(outputs)
    rng = np.random.default_rng(5)
    values = {v: rng.normal(size=s).astype("float32") for v, s in zip(
        [x, w1, b1, w2, b2], [(30, 8), (8, 16), (16,), (16, 5), (5,)], strict=True)}  # fmt: skip
    values[y] = rng.integers(0, 5, 30).astype("int32")
    for a, b in zip(run(result.outputs, values), run(outputs, values), strict=True):
        assert a.dtype == b.dtype == "float32"
        np.testing.assert_allclose(a, b, 2e-5, 2e-6)
    assert labels(result.outputs).count("Gemm") == 5
    assert not {"dot", "softmax", "log_softmax"} & set(labels(result.outputs))
