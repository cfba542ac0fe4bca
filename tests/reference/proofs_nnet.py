"""Functions of neural networks, against what their formulas say in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.agreeing import agrees, computed, equal, raises
from tests.reference.proofs import proves

rng = np.random.RandomState(11)
X = rng.standard_normal((4, 3)) * 2
BIAS = rng.standard_normal(3)
LABELS = np.array([2, 0, 1, 1])
P = special.softmax(X, axis=1)
UNIT = special.expit(X)
TARGETS = (X > 0).astype("float64")
ROWS = np.arange(4)


def _one(name: str, wanted: Any, *values: Any, rtol: float = 1e-9) -> None:
    agrees(f"T.nnet.{name}", "", getattr(T.nnet, name), wanted, *values, rtol=rtol)


for _name, _items, _numpy in (
    ("softmax", "c", lambda x: special.softmax(x, axis=1)),
    ("logsoftmax", "c", lambda x: special.log_softmax(x, axis=1)),
    ("sigmoid", "x", special.expit),
    ("softplus", "x", lambda x: np.log1p(np.exp(x))),
    ("softsign", "x", lambda x: x / (1 + abs(x))),
    ("hard_sigmoid", "x", lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
    (
        "selu",
        "x",
        lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    ),
):
    agrees(f"T.nnet.{_name}", _items, getattr(T.nnet, _name), _numpy, X, rtol=1e-9)
agrees("T.nnet.softmax", "c", lambda x: T.nnet.softmax(c=x), lambda x: special.softmax(x), BIAS)


def _pieces(x: Any) -> Any:
    """A hyperbola near 0, a straight piece, and the same from there on; mirrored."""
    a = abs(x) / 2
    line = 0.935409070603099 + 0.0458812946797165 * (a - 1.7)
    half = np.where(a < 1.7, 1.5 * a / (1 + a), np.where(a < 3, line, 0.99505475368673))
    return 0.5 * (np.sign(x) * half + 1)


agrees("T.nnet.ultra_fast_sigmoid", "x", T.nnet.ultra_fast_sigmoid, _pieces, np.linspace(-8, 8, 41))
agrees(
    "T.nnet.softmax_with_bias",
    "x b",
    T.nnet.softmax_with_bias,
    lambda x, b: special.softmax(x + b, axis=1),
    X,
    BIAS,
)
agrees("T.nnet.relu", "x", T.nnet.relu, lambda x: np.maximum(x, 0), X)
agrees(
    "T.nnet.relu",
    "alpha",
    lambda x: T.nnet.relu(x, alpha=0.3),
    lambda x: np.where(x > 0, x, 0.3 * x),
    X,
)
agrees("T.nnet.elu", "x", T.nnet.elu, lambda x: np.where(x > 0, x, np.expm1(x)), X)
agrees(
    "T.nnet.elu",
    "alpha",
    lambda x: T.nnet.elu(x, alpha=2),
    lambda x: np.where(x > 0, x, 2 * np.expm1(x)),
    X,
)


def _crossentropy(p: Any, t: Any) -> Any:
    return -(t * np.log(p) + (1 - t) * np.log1p(-p))


agrees(
    "T.nnet.binary_crossentropy",
    "output target",
    lambda p, t: T.nnet.binary_crossentropy(output=p, target=t),
    _crossentropy,
    UNIT,
    TARGETS,
)
agrees(
    "T.nnet.sigmoid_binary_crossentropy",
    "output target",
    lambda x, t: T.nnet.sigmoid_binary_crossentropy(output=x, target=t),
    lambda x, t: _crossentropy(special.expit(x), t),
    X,
    TARGETS,
)
agrees(
    "T.nnet.categorical_crossentropy",
    "coding_dist true_dist",
    lambda p, y: T.nnet.categorical_crossentropy(coding_dist=p, true_dist=y),
    lambda p, y: -np.log(p[ROWS, y]),
    P,
    LABELS,
)
agrees(
    "T.nnet.categorical_crossentropy",
    "true_dist",
    T.nnet.categorical_crossentropy,
    lambda p, y: -(y * np.log(p)).sum(1),
    P,
    special.softmax(-X, axis=1),
)


def _losses(x: Any, y: Any) -> list[Any]:
    return [-special.log_softmax(x, axis=1)[ROWS, y], special.softmax(x, axis=1)]


agrees(
    "T.nnet.crossentropy_softmax_1hot",
    "x y_idx",
    lambda x, y: T.nnet.crossentropy_softmax_1hot(x=x, y_idx=y),
    _losses,
    X,
    LABELS,
)
agrees(
    "T.nnet.crossentropy_softmax_1hot_with_bias",
    "x b y_idx",
    lambda x, b, y: T.nnet.crossentropy_softmax_1hot_with_bias(x=x, b=b, y_idx=y),
    lambda x, b, y: _losses(x + b, y),
    X,
    BIAS,
    LABELS,
)
agrees(
    "T.nnet.crossentropy_softmax_argmax_1hot_with_bias",
    "x b y_idx",
    T.nnet.crossentropy_softmax_argmax_1hot_with_bias,
    lambda x, b, y: [*_losses(x + b, y), (x + b).argmax(1)],
    X,
    BIAS,
    LABELS,
)
for _n in (0, 1):
    agrees(
        f"T.nnet.prepend_{_n}_to_each_row",
        "mat",
        getattr(T.nnet, f"prepend_{_n}_to_each_row"),
        lambda m, n=_n: np.hstack([np.full((4, 1), float(n)), m]),
        X,
    )
agrees(
    "T.nnet.prepend_scalar_to_each_row",
    "val mat",
    T.nnet.prepend_scalar_to_each_row,
    lambda v, m: np.hstack([np.full((4, 1), v), m]),
    2.5,
    X,
)


@proves("T.nnet.confusion_matrix", "actual", "pred")
def confusions() -> None:
    actual, predicted = np.array([2, 0, 2, 2, 0, 1]), np.array([0, 0, 2, 2, 0, 2])
    counts, classes = computed(
        lambda a, p: T.nnet.confusion_matrix(actual=a, pred=p), actual, predicted
    )
    equal(classes, np.array([0, 1, 2]))
    np.testing.assert_array_equal(counts, [[2, 0, 0], [0, 0, 1], [1, 0, 2]])


@proves(
    "T.nnet.h_softmax",
    *("x", "batch_size", "n_outputs", "n_classes", "n_outputs_per_class"),
    *("W1", "b1", "W2", "b2", "target"),
)
def softmax_in_two_levels() -> None:
    n, features, classes, each, outputs = 4, 3, 2, 3, 5
    w1, b1 = rng.standard_normal((features, classes)), rng.standard_normal(classes)
    w2, b2 = rng.standard_normal((classes, features, each)), rng.standard_normal((classes, each))
    parameters = (w1, b1, w2, b2)

    def both(x: Any, y: Any, *given: Any) -> list[Any]:
        sizes = (n, outputs, classes, each)
        return [T.nnet.h_softmax(x, *sizes, *given), T.nnet.h_softmax(x, *sizes, *given, target=y)]

    labels = np.array([4, 0, 3, 2])
    every, own = computed(both, X, labels, *parameters)
    outer = special.softmax(X @ w1 + b1, axis=1)
    inner = special.softmax(np.einsum("nf,cfo->nco", X, w2) + b2, axis=2)
    wanted = (outer[:, :, None] * inner).reshape(n, classes * each)[:, :outputs]
    np.testing.assert_allclose(every, wanted)
    np.testing.assert_allclose(own, wanted[ROWS, labels])


IMAGES = rng.standard_normal((5, 3, 2, 2))
MEAN, STD = X.mean(0), X.std(0)
GAMMA, BETA = np.array([1.5, 0.5, 2.0]), np.array([0.1, -1.0, 0.0])
agrees(
    "T.nnet.batch_normalization",
    "inputs gamma beta mean std",
    lambda x, g, b, m, s: T.nnet.batch_normalization(inputs=x, gamma=g, beta=b, mean=m, std=s),
    lambda x, g, b, m, s: (x - m) * g / s + b,
    X,
    GAMMA,
    BETA,
    MEAN,
    STD,
)


@proves("T.nnet.batch_normalization", "mode")
def modes_of_normalisation_compute_the_same() -> None:
    given = (X, GAMMA, BETA, MEAN, STD)
    for mode in ("low_mem", "high_mem"):
        got = computed(lambda *v, m=mode: T.nnet.batch_normalization(*v, mode=m), *given)
        np.testing.assert_allclose(got, (X - MEAN) * GAMMA / STD + BETA)
    raises(ValueError, "mode", lambda: T.nnet.batch_normalization(*given, mode="no_mem"))


@proves(
    "T.nnet.bn.batch_normalization_train",
    *("inputs", "gamma", "beta", "axes", "epsilon", "running_average_factor"),
    *("running_mean", "running_var"),
)
@proves(
    "T.nnet.bn.batch_normalization_test",
    *("inputs", "gamma", "beta", "mean", "var", "axes", "epsilon"),
)
def normalisation_over_axes() -> None:
    train, test = T.nnet.bn.batch_normalization_train, T.nnet.bn.batch_normalization_test
    for axes, where in (("per-activation", (0,)), ("spatial", (0, 2, 3)), ((0, 3), (0, 3))):
        shape = [1 if i in where else n for i, n in enumerate(IMAGES.shape)]
        gamma, beta = rng.standard_normal(shape), rng.standard_normal(shape)
        flags = tuple(i in where for i in range(4))
        g, b, m, v = (T.tensor("float64", flags) for _ in range(4))
        x = T.dtensor4()
        mean, var = IMAGES.mean(where, keepdims=True), IMAGES.var(where, keepdims=True)
        for epsilon in (1e-4, 0.5):
            outputs = train(x, g, b, axes=axes, epsilon=epsilon, running_average_factor=0.25,
                            running_mean=m, running_var=v)  # fmt: skip
            got = theano.function([x, g, b, m, v], outputs)(IMAGES, gamma, beta, gamma, beta)
            inverse = 1 / np.sqrt(var + epsilon)
            count = np.prod([IMAGES.shape[i] for i in where])
            wanted = [
                (IMAGES - mean) * inverse * gamma + beta,
                mean,
                inverse,
                0.75 * gamma + 0.25 * mean,
                0.75 * beta + 0.25 * var * count / (count - 1),
            ]
            equal(got, wanted)
            tested = test(x, g, b, m, v, axes=axes, epsilon=epsilon)
            got = theano.function([x, g, b, m, v], tested)(IMAGES, gamma, beta, mean, var)
            equal(got, wanted[0])
        assert len(train(x, g, b, axes)) == 3
