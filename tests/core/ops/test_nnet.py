"""Activations, losses and normalisation: formulas in NumPy, dtypes kept, gradients, mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import interpreter, native
from tests.core.ops.gradients import check_gradient
from workbench.core.gradient import grad
from workbench.core.types import TensorType
from workbench.errors import DtypeError, IndexOutOfRange, RankError, UsageError

nnet = T.nnet
RANDOM = np.random.default_rng(3)


def normal_cumulative(x: Any) -> Any:
    return 0.5 * scipy.special.erfc(-x / np.sqrt(2))


def exponential_below(x: Any, alpha: float = 1) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


ACTIVATIONS: dict[str, tuple[Any, Any]] = {
    "relu": (nnet.relu, lambda x: np.maximum(x, 0)),
    "relu 0.1": (lambda x: nnet.relu(x, 0.1), lambda x: np.where(x > 0, x, 0.1 * x)),
    "leaky_relu": (nnet.leaky_relu, lambda x: np.where(x > 0, x, 0.01 * x)),
    "elu": (nnet.elu, exponential_below),
    "elu 2": (lambda x: nnet.elu(x, 2), lambda x: exponential_below(x, 2)),
    "selu": (
        nnet.selu,
        lambda x: 1.0507009873554805 * exponential_below(x, 1.6732632423543772),
    ),
    "gelu": (nnet.gelu, lambda x: x * normal_cumulative(x)),
    "gelu by tanh": (
        lambda x: nnet.gelu(x, approximate=True),
        lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    ),
    "silu": (nnet.swish, lambda x: x * scipy.special.expit(x)),
    "softsign": (nnet.softsign, lambda x: x / (1 + np.abs(x))),
    "hard_sigmoid": (nnet.hard_sigmoid, lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
}  # fmt: skip
POINTS = np.array([-40.0, -3.3, -1.2, -0.3, 0.4, 1.9, 2.6, 30.0])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name: str, dtype: str) -> None:
    build, reference = ACTIVATIONS[name]
    x = TensorType(dtype, (None,)).make()
    y = build(x)
    assert y.dtype == dtype
    wanted = reference(POINTS)
    for run in (interpreter, native):
        (found,) = run([x], [y])([POINTS.astype(dtype)])
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(found, wanted, rtol=32 * eps, atol=eps)
    if dtype == "float64":
        check_gradient([x], [y], [POINTS], [0], native)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_of_integers(name: str) -> None:
    i = T.ivector("i")
    y = ACTIVATIONS[name][0](i)
    assert y.dtype == ("int32" if name == "relu" else "float64")
    np.testing.assert_allclose(
        y.eval({i: [-2, 0, 3]}), ACTIVATIONS[name][1](np.array([-2.0, 0, 3]))
    )


def test_relu_with_a_slope_for_each_channel() -> None:
    x, a = T.dmatrix("x"), T.dvector("a")
    y = nnet.relu(x, a)
    check_gradient([x, a], [y], [RANDOM.normal(size=(3, 2)), np.array([0.1, 0.3])], [0, 1])


def test_ultra_fast_sigmoid_is_near_sigmoid() -> None:
    x = T.dvector("x")
    at = np.linspace(-12, 12, 501)
    found = nnet.ultra_fast_sigmoid(x).eval({x: at})
    assert np.abs(found - scipy.special.expit(at)).max() < 0.03
    assert nnet.ultra_fast_sigmoid(T.fvector()).dtype == "float32"
    check_gradient([x], [nnet.ultra_fast_sigmoid(x)], [np.array([-8.0, -4, -1, 1, 4, 8])], [0])


def test_softmax() -> None:
    m, c, b = T.dmatrix("m"), T.dtensor3("c"), T.dvector("b")
    x, y = RANDOM.normal(size=(3, 4)), RANDOM.normal(size=(2, 3, 4))
    np.testing.assert_allclose(nnet.softmax(m).eval({m: x}), scipy.special.softmax(x, 1))
    for axis in (0, 1, 2, -2):
        found = nnet.softmax(c, axis=axis).eval({c: y})
        np.testing.assert_allclose(found, scipy.special.softmax(y, axis))
    biased = nnet.softmax_with_bias(m, b).eval({m: x, b: x[0]})
    np.testing.assert_allclose(biased, scipy.special.softmax(x + x[0], 1))


@pytest.mark.parametrize("f", [nnet.softmax, nnet.logsoftmax])
@pytest.mark.parametrize("shape", [(3, 0), (0, 3), (0, 0)])
def test_softmax_of_nothing(f: Any, shape: tuple[int, int]) -> None:
    m = T.dmatrix("m")
    compiled = wb.function([m], [f(m), grad(f(m).sum(), m)])
    assert not compiled.linked.notes
    for result in compiled(np.zeros(shape)):
        assert result.shape == shape


# Losses

ROWS = RANDOM.normal(size=(4, 3)) * 3
LABELS = np.array([2, 0, 1, 1])
PROBABILITIES = scipy.special.softmax(ROWS, 1)
WANTED = -np.log(PROBABILITIES[np.arange(4), LABELS])


def test_cross_entropies_of_labels() -> None:
    p, x, y = T.dmatrix("p"), T.dmatrix("x"), T.ivector("y")
    given = {p: PROBABILITIES, y: LABELS.astype("int32")}
    for f in (nnet.categorical_crossentropy, nnet.crossentropy_categorical_1hot):
        np.testing.assert_allclose(f(p, y).eval(given), WANTED)
    rows = np.eye(3)[LABELS]
    np.testing.assert_allclose(
        nnet.categorical_crossentropy(p, rows).eval({p: PROBABILITIES}), WANTED
    )
    losses, soft = nnet.crossentropy_softmax_1hot(x, y)
    f = wb.function([x, y], [losses, soft, grad(losses.sum(), x)])
    found = f(ROWS, given[y])
    np.testing.assert_allclose(found[0], WANTED)
    np.testing.assert_allclose(found[1], PROBABILITIES)
    np.testing.assert_allclose(found[2], PROBABILITIES - rows, atol=1e-15)
    far = f(np.array([[0.0, 1000, 0]]), np.array([0], "int32"))
    np.testing.assert_array_equal(far[0], [1000])
    many = nnet.crossentropy_softmax_argmax_1hot_with_bias(x, np.zeros(3), y)
    losses, soft, best = wb.function([x, y], many)(ROWS, given[y])
    np.testing.assert_allclose(losses, WANTED)
    np.testing.assert_array_equal(best, ROWS.argmax(1))
    with_bias = nnet.crossentropy_softmax_1hot_with_bias(x, np.ones(3), y)[0]
    np.testing.assert_allclose(with_bias.eval({x: ROWS, y: given[y]}), WANTED)


def test_cross_entropies_of_two_classes() -> None:
    x, t = T.dvector("x"), T.dvector("t")
    logits, targets = np.array([-800.0, -2, 0, 3, 800]), np.array([0.0, 0.3, 0.5, 1, 1])
    loss = nnet.sigmoid_binary_crossentropy(x, t)
    f = wb.function([x, t], [loss, *grad(loss.sum(), [x, t])])
    value, by_x, by_t = f(logits, targets)
    p = scipy.special.expit(logits)
    np.testing.assert_allclose(by_x, p - targets, atol=1e-15)
    np.testing.assert_allclose(by_t, -logits)
    middle = slice(1, 4)
    direct = nnet.binary_crossentropy(T.nnet.sigmoid(x), t).eval(
        {x: logits[middle], t: targets[middle]}
    )
    np.testing.assert_allclose(value[middle], direct)
    assert value[0] == value[4] == 0
    assert nnet.sigmoid_binary_crossentropy(T.fvector(), T.ivector()).dtype == "float64"
    assert nnet.sigmoid_binary_crossentropy(T.fvector(), T.bvector()).dtype == "float32"


def test_one_hot() -> None:
    y = T.lvector("y")
    f = wb.function([y], nnet.to_one_hot(y, 3))
    np.testing.assert_array_equal(f(LABELS), np.eye(3)[LABELS])
    assert f(np.array([], "int64")).shape == (0, 3)
    assert nnet.one_hot(y, 3, dtype="int32").dtype == "int32"
    n = T.lscalar("n")
    assert nnet.to_one_hot(y, n).eval({y: [1], n: 4}).shape == (1, 4)
    with pytest.raises(IndexOutOfRange):
        f(np.array([3]))


def test_confusion_matrix() -> None:
    actual, seen = T.lvector("actual"), T.lvector("seen")
    f = wb.function([actual, seen], nnet.confusion_matrix(actual, seen))
    counts, order = f(np.array([5, 5, 1, 7, 1]), np.array([5, 1, 1, 1, 1]))
    np.testing.assert_array_equal(order, [1, 5, 7])
    np.testing.assert_array_equal(counts, [[2, 0, 0], [1, 1, 0], [1, 0, 0]])
    assert counts.dtype == "int64"


# Normalisation

IMAGES = RANDOM.normal(size=(3, 2, 4, 5))


@pytest.mark.parametrize(
    ("axes", "where"), [("per-activation", (0,)), ("spatial", (0, 2, 3)), ((0, 1), (0, 1))]
)
@pytest.mark.parametrize("full", [True, False])
def test_batch_normalisation(axes: Any, where: tuple[int, ...], full: bool) -> None:
    """Trained with the batch's own statistics, tested with those found; parameters with all axes,
    or without those that are normalised over.
    """
    kept = [1 if i in where else n for i, n in enumerate(IMAGES.shape)]
    shape = kept if full else [n for i, n in enumerate(IMAGES.shape) if i not in where]
    gamma, beta, mean, var = (RANDOM.uniform(0.5, 2, size=shape) for _ in range(4))
    x = T.dtensor4("x")
    g, b, m, v = (T.TensorType("float64", (None,) * len(shape)).make() for _ in range(4))
    outputs = nnet.batch_normalization_train(
        x, g, b, axes, epsilon=1e-3, running_average_factor=0.25, running_mean=m, running_var=v
    )
    for old, new in ((m, outputs[3]), (v, outputs[4])):
        assert old.type == new.type
    found = wb.function([x, g, b, m, v], outputs)(IMAGES, gamma, beta, mean, var)
    centre = IMAGES.mean(where, keepdims=True)
    spread = IMAGES.var(where, keepdims=True)
    inverse = 1 / np.sqrt(spread + 1e-3)
    wide = [p.reshape(kept) for p in (gamma, beta, mean, var)]
    n = IMAGES.size // centre.size
    wanted = [
        (IMAGES - centre) * inverse * wide[0] + wide[1],
        centre.reshape(shape),
        inverse.reshape(shape),
        (0.75 * wide[2] + 0.25 * centre).reshape(shape),
        (0.75 * wide[3] + 0.25 * spread * n / (n - 1)).reshape(shape),
    ]
    for result, expected in zip(found, wanted, strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-12)
    tested = nnet.batch_normalization_test(x, g, b, m, v, axes, epsilon=1e-3)
    result = wb.function([x, g, b, m, v], tested)(IMAGES, gamma, beta, mean, var)
    expected = (IMAGES - wide[2]) / np.sqrt(wide[3] + 1e-3) * wide[0] + wide[1]
    np.testing.assert_allclose(result, expected)


def test_batch_normalisation_is_differentiable() -> None:
    x, g, b = T.dmatrix("x"), T.dvector("g"), T.dvector("b")
    out, *_ = nnet.batch_normalization_train(x, g, b)
    values = [RANDOM.normal(size=(4, 3)), np.array([0.5, 1, 2]), np.array([1.0, 0, -1])]
    check_gradient([x, g, b], [out], values, [0, 1, 2], tolerance=1e-6)
    check_gradient([x, g, b], [out], values, [0, 1, 2], native, tolerance=1e-6)
    f32 = nnet.batch_normalization_train(T.fmatrix(), T.fvector(), T.fvector())
    assert {v.dtype for v in f32} == {"float32"}


def test_running_averages_can_be_updates() -> None:
    x = T.fmatrix("x")
    mean, var = (wb.shared(np.full(3, k, "float32")) for k in (0, 1))
    out, *_, new_mean, new_var = nnet.batch_normalization_train(
        x, np.ones(3, "float32"), np.zeros(3, "float32"), running_mean=mean, running_var=var
    )
    f = wb.function([x], out, updates=[(mean, new_mean), (var, new_var)])
    batch = RANDOM.normal(size=(8, 3)).astype("float32") + 5
    f(batch)
    np.testing.assert_allclose(mean.get_value(), 0.1 * batch.mean(0), rtol=1e-5)
    np.testing.assert_allclose(var.get_value(), 0.9 + 0.1 * batch.var(0, ddof=1), rtol=1e-5)


def test_other_normalisations() -> None:
    x = T.dmatrix("x")
    at = RANDOM.normal(size=(3, 5))
    found = nnet.layer_normalization(x, np.full(5, 2.0), np.ones(5)).eval({x: at})
    centred = at - at.mean(1, keepdims=True)
    wanted = centred / np.sqrt(at.var(1, keepdims=True) + 1e-5) * 2 + 1
    np.testing.assert_allclose(found, wanted)
    given = nnet.batch_normalization(x, np.full(5, 2.0), 1.0, at.mean(0), at.std(0)).eval({x: at})
    np.testing.assert_allclose(given, (at - at.mean(0)) / at.std(0) * 2 + 1)


M, V, LABEL = T.dmatrix("m"), T.dvector("v"), T.lvector("i")
MISTAKES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "labels of a matrix": (lambda: nnet.crossentropy_softmax_1hot(M, M), RankError, "labels"),
    "float labels": (lambda: nnet.categorical_crossentropy(M, V), DtypeError, "integers"),
    "one-hot of floats": (lambda: nnet.to_one_hot(V, 3), RankError, "vector of integers"),
    "confusion": (lambda: nnet.confusion_matrix(M, LABEL), RankError, "two vectors"),
    "axes": (lambda: nnet.batch_normalization_train(M, V, V, "spatail"), UsageError, "'spatial'"),
    "spatial": (lambda: nnet.batch_normalization_train(M, V, V, "spatial"), RankError, "images"),
    "parameters": (
        lambda: nnet.batch_normalization_train(T.dtensor4(), V, V), RankError, "it needs 3",
    ),
    "one average": (
        lambda: nnet.batch_normalization_train(M, V, V, running_mean=V), UsageError, "not the",
    ),
    "mode": (lambda: nnet.batch_normalization(M, V, V, V, V, "mid"), UsageError, "'low_mem'"),
    "axis": (lambda: nnet.softmax(M, axis=2), RankError, "not an axis"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told(name: str) -> None:
    build, kind, told = MISTAKES[name]
    with pytest.raises(kind) as caught:
        build()
    assert told in str(caught.value)
    assert caught.value.advice  # type: ignore[attr-defined]


def test_names() -> None:
    with pytest.raises(AttributeError, match=r"conv4d.*Did you mean 'conv.d'"):
        _ = nnet.conv4d
    with pytest.raises(AttributeError, match=r"erfinvv.*Did you mean 'erfinv'"):
        _ = T.erfinvv
    for name in dir(nnet):
        assert getattr(nnet, name) is not None
