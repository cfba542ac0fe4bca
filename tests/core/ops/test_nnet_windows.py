"""Convolutions, pools and patches as users write them: shapes and types, errors, memory, the
pipeline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.signal

import workbench as wb
import workbench.tensor as T
from tests.core.ops.gradients import check_gradient
from workbench.core.graph import toposort
from workbench.core.types import TensorType
from workbench.errors import DtypeError, RankError, ShapeError, UsageError

nnet = T.nnet
X, W = T.dtensor4("x"), T.dtensor4("w")
RANDOM = np.random.default_rng(5)


def images(*shape: int) -> Any:
    return RANDOM.normal(size=shape)


def kinds(output: Any) -> list[str]:
    return [type(node.op).__name__ for node in toposort([output])]


def test_a_convolution_is_scipys() -> None:
    x, w = images(1, 1, 6, 7), images(1, 1, 3, 2)
    for mode in ("valid", "full"):
        found = nnet.conv2d(X, W, border_mode=mode).eval({X: x, W: w})
        np.testing.assert_allclose(found[0, 0], scipy.signal.convolve2d(x[0, 0], w[0, 0], mode))
        found = nnet.conv2d(X, W, border_mode=mode, filter_flip=False).eval({X: x, W: w})
        np.testing.assert_allclose(found[0, 0], scipy.signal.correlate2d(x[0, 0], w[0, 0], mode))
    half = nnet.conv2d(X, W, border_mode="half").eval({X: x, W: images(1, 1, 3, 3)})
    assert half.shape == (1, 1, 6, 7)


def test_types_and_static_shapes() -> None:
    known = nnet.conv2d(X, W, (None, 3, 28, 28), (8, 3, 5, 5), border_mode=(2, 1), subsample=(2, 1))
    assert known.type.shape == (None, 8, 14, 26)
    partly = nnet.conv2d(X, W, (T.constant(2), 3, T.lscalar("rows"), 9), (8, None, 3, 3))
    assert partly.type.shape == (2, 8, None, 7)
    assert nnet.conv2d(T.ftensor4(), T.ftensor4()).dtype == "float32"
    assert nnet.conv2d(T.ftensor4(), W).dtype == "float64"
    assert nnet.conv2d(T.btensor4(), T.btensor4()).dtype == "float32"
    assert nnet.conv1d(T.dtensor3(), T.dtensor3()).ndim == 3
    five = TensorType("float64", (None,) * 5).make()
    assert nnet.conv3d(five, five).ndim == 5
    assert "Conv2d" in str(nnet.conv2d(X, W))
    assert nnet.conv2d(X, W).owner.op.label == "conv2d"


def test_a_layer_is_one_node_and_its_gradients_are_two() -> None:
    cost = nnet.conv2d(X, W).sum()
    slopes = wb.grad(cost, [X, W])
    assert sum(kind.startswith("Conv") for kind in kinds(cost)) == 1
    f = wb.function([X, W], [cost, *slopes])
    assert not f.linked.notes
    x, w = images(2, 3, 5, 5), images(4, 3, 2, 2)
    total, by_x, by_w = f(x, w)
    assert total == pytest.approx(nnet.conv2d(X, W).eval({X: x, W: w}).sum())
    assert by_x.shape == x.shape
    assert by_w.shape == w.shape


def test_a_transposed_convolution_is_the_adjoint() -> None:
    x, w = images(2, 3, 7, 6), images(4, 3, 3, 2)
    options: dict[str, Any] = {"border_mode": (1, 0)}
    y = nnet.conv2d(X, W, subsample=(2, 1), **options)
    g = images(*y.eval({X: x, W: w}).shape)
    back = nnet.conv2d_transpose(g, W, (None, None, 7, 6), input_dilation=(2, 1), **options).eval(
        {W: w}
    )
    same = wb.grad((y * g).sum(), X).eval({X: x, W: w})
    np.testing.assert_allclose(back, same)
    filters = nnet.conv2d_grad_wrt_weights(x, g, w.shape, subsample=(2, 1), **options).eval()
    np.testing.assert_allclose(filters, wb.grad((y * g).sum(), W).eval({X: x, W: w}))
    shape = T.lvector("shape")
    lengths = np.array([2, 3, 7, 6])
    by_vector = nnet.conv2d_grad_wrt_inputs(g, W, shape, subsample=(2, 1), **options)
    np.testing.assert_allclose(by_vector.eval({W: w, shape: lengths}), same)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("lengths", [(7, 3), (3, 7), (4, 4), (1, 5), (6, 2)])
def test_convolve_is_numpys(mode: str, lengths: tuple[int, int]) -> None:
    a, v = T.dvector("a"), T.dvector("v")
    first, second = images(lengths[0]), images(lengths[1])
    wanted = np.convolve(first, second, mode)
    np.testing.assert_allclose(T.convolve(a, v, mode).eval({a: first, v: second}), wanted)
    np.testing.assert_allclose(T.convolve(first, second, mode).eval(), wanted)
    check_gradient([a, v], [T.convolve(a, v, mode)], [first, second], [0, 1])


MISTAKES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "rank": (lambda: nnet.conv2d(T.dmatrix(), W), RankError, "4 axes"),
    "channels": (
        lambda: nnet.conv2d(X, W, (2, 3, 8, 8), (4, 2, 3, 3)), ShapeError, "3 channels",
    ),
    "groups": (
        lambda: nnet.conv2d(X, W, None, (5, 1, 3, 3), num_groups=2), ShapeError, "2 groups",
    ),
    "large filters": (
        lambda: nnet.conv2d(X, W, (2, 3, 4, 4), (4, 3, 5, 5)), ShapeError, "does not fit",
    ),
    "shape": (lambda: nnet.conv2d(X, W, (28, 28)), RankError, "2 lengths"),
    "border mode": (lambda: nnet.conv2d(X, W, border_mode="vaild"), UsageError, "'valid'"),
    "border of three": (lambda: nnet.conv2d(X, W, border_mode=(1, 2, 3)), UsageError, "2 axes"),
    "border below 0": (lambda: nnet.conv2d(X, W, border_mode=-1), UsageError, "from 0 on"),
    "stride": (lambda: nnet.conv2d(X, W, subsample=(1, 0)), UsageError, "the stride"),
    "dilation": (lambda: nnet.conv2d(X, W, filter_dilation=1.5), UsageError, "the dilation"),
    "complex": (
        lambda: nnet.conv2d(TensorType("complex64", (None,) * 4).make(), W), DtypeError, "float",
    ),
    "pool mode": (lambda: nnet.pool_2d(X, (2, 2), mode="maxx"), UsageError, "'max'"),
    "pool size": (lambda: nnet.pool_2d(X, (2, 2, 2)), UsageError, "ws"),
    "pool rank": (lambda: nnet.pool_2d(T.dvector(), 2), RankError, "last 2 axes"),
    "pool pad": (lambda: nnet.pool_2d(X, (2, 2), pad=(2, 0)), UsageError, "nothing in them"),
    "pool pad and border": (
        lambda: nnet.pool_2d(X, (2, 2), ignore_border=False, pad=(1, 1)), UsageError, "do not go",
    ),
    "large pool": (lambda: nnet.pool_2d(np.ones((3, 3)), 4), ShapeError, "does not fit"),
    "convolve mode": (lambda: T.convolve([1.0], [1.0], "fulll"), UsageError, "'full'"),
    "convolve rank": (lambda: T.convolve(X, X), RankError, "two vectors"),
    "patches": (lambda: nnet.images2neibs(T.dmatrix(), (2, 2)), RankError, "images"),
    "patches mode": (lambda: nnet.images2neibs(X, (2, 2), mode="vald"), UsageError, "'valid'"),
    "patches left over": (
        lambda: nnet.images2neibs(np.ones((1, 1, 5, 4)), (2, 2)), ShapeError, "do not fill",
    ),
    "windows": (lambda: T.windows(T.dvector(), 0), UsageError, "the length"),
    "windows rank": (lambda: T.windows(T.dvector(), (2, 2)), RankError, "2 axes"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told(name: str) -> None:
    build, kind, told = MISTAKES[name]
    with pytest.raises(kind) as caught:
        build()
    assert told in str(caught.value)
    assert caught.value.advice  # type: ignore[attr-defined]


def test_mistakes_at_run_time() -> None:
    f = wb.function([X, W], nnet.conv2d(X, W))
    with pytest.raises(ShapeError, match="3 channels"):
        f(images(1, 3, 5, 5), images(1, 2, 2, 2))
    with pytest.raises(ShapeError, match="does not fit"):
        f(images(1, 2, 2, 2), images(1, 2, 3, 3))
    pool = wb.function([X], nnet.pool_2d(X, (3, 3)))
    with pytest.raises(ShapeError, match="does not fit"):
        pool(images(1, 1, 2, 5))
    patches = wb.function([X], nnet.images2neibs(X, (2, 2)))
    with pytest.raises(ShapeError, match="do not fill"):
        patches(images(1, 1, 5, 4))
    transposed = wb.function([X, W], nnet.conv2d_transpose(X, W, (None, None, 9, 9)))
    with pytest.raises(ShapeError, match="give the shape"):
        transposed(images(1, 2, 4, 4), images(2, 1, 3, 3))


@pytest.mark.parametrize("stride", [1, 5])
def test_products_of_windows(stride: int) -> None:
    """Windows that overlap are no matrix to BLAS: its rows lie apart."""
    v, a = T.dvector("v"), T.dmatrix("a")
    x, y = images(20), images(5, 3)
    rows = np.lib.stride_tricks.sliding_window_view(x, 5)[::stride]
    seen = T.windows(v, 5, stride)
    results = T.dot(seen, a), T.dot(a.T, seen.T), T.dot(seen, a[:, 0])
    found = wb.function([v, a], results)(x, y)
    for result, expected in zip(found, (rows @ y, y.T @ rows.T, rows @ y[:, 0]), strict=True):
        np.testing.assert_allclose(result, expected)


def test_images_in_any_memory() -> None:
    f = wb.function([X, W], nnet.conv2d(X, W, border_mode=1))
    x, w = images(4, 6, 10, 12), images(8, 3, 3, 3)
    strided = x[::2, ::2, ::-1, ::3]
    np.testing.assert_allclose(f(strided, w[::-1]), f(strided.copy(), w[::-1].copy()))
    turned = w.transpose(0, 1, 3, 2)
    np.testing.assert_allclose(f(strided, turned), f(strided.copy(), turned.copy()))


def test_many_rows_are_done_a_few_at_a_time() -> None:
    """Images whose windows are more than what is done at once."""
    x, w = images(2, 8, 40, 41), images(3, 8, 7, 7)
    f = wb.function([X, W], [nnet.conv2d(X, W), *wb.grad(nnet.conv2d(X, W).sum(), [X, W])])
    slow = wb.function([X, W], [nnet.conv2d(X, W), *wb.grad(nnet.conv2d(X, W).sum(), [X, W])],
                       mode="FAST_COMPILE")  # fmt: skip
    for a, b in zip(f(x, w), slow(x, w), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


# Pools


def test_pools_of_a_small_image() -> None:
    x = np.arange(20.0).reshape(4, 5)
    m = T.dmatrix("m")

    def of(**options: Any) -> Any:
        return nnet.pool_2d(m, (2, 2), **options).eval({m: x}).tolist()

    assert of() == [[6, 8], [16, 18]]
    assert of(ignore_border=False) == [[6, 8, 9], [16, 18, 19]]
    assert of(mode="sum") == [[12, 20], [52, 60]]
    assert of(mode="average_exc_pad") == [[3, 5], [13, 15]]
    assert of(ignore_border=False, mode="average_inc_pad") == [[3, 5, 6.5], [13, 15, 16.5]]
    assert of(pad=(1, 1), stride=(2, 2), mode="average_inc_pad")[0] == [0, 0.75, 1.75]
    assert of(pad=(1, 1), stride=(2, 2), mode="average_exc_pad")[0] == [0, 1.5, 3.5]
    assert of(pad=(1, 1))[0] == [0, 2, 4]
    assert nnet.pool_2d(np.arange(4).reshape(2, 2), 2).eval().dtype == "int64"
    assert nnet.pool_2d(T.itensor3(), 2, mode="average_exc_pad").dtype == "float64"


def test_the_gradient_of_a_maximum_goes_to_all_that_equal_it() -> None:
    m = T.dmatrix("m")
    slope = wb.grad(nnet.pool_2d(m, (2, 2)).sum(), m)
    x = np.array([[1.0, 1, 3, 2], [0, 1, 3, 4]])
    np.testing.assert_array_equal(slope.eval({m: x}), [[1, 1, 0, 0], [0, 1, 0, 1]])


def test_pools_over_one_and_three_axes() -> None:
    x = images(2, 6, 4, 4)
    found = nnet.pool_3d(X, 2).eval({X: x})
    np.testing.assert_array_equal(found, x.reshape(2, 3, 2, 2, 2, 2, 2).max((2, 4, 6)))
    found = nnet.pool_1d(X, 2, mode="sum").eval({X: x})
    np.testing.assert_allclose(found, x.reshape(2, 6, 4, 2, 2).sum(-1))
    kept = nnet.max_pool_2d_same_size(X, (2, 2)).eval({X: x})
    assert (kept != 0).sum() == x.size // 4
    np.testing.assert_array_equal(kept[kept != 0], x[kept != 0])


def test_pools_know_their_shapes() -> None:
    x = TensorType("float64", (None, 3, 28, 27)).make()
    assert nnet.pool_2d(x, (2, 3)).type.shape == (None, 3, 14, 9)
    assert nnet.pool_2d(x, (3, 2), False).type.shape == (None, 3, 10, 14)
    assert "MaxPool" in str(nnet.pool_2d(x, (2, 3)))


# Windows and patches


def test_windows_are_views_and_differentiable() -> None:
    v = T.dvector("v")
    moving = T.windows(v, 3, stride=2).mean(axis=1)
    x = np.arange(8.0)
    np.testing.assert_allclose(moving.eval({v: x}), [1, 3, 5])
    slope = wb.grad(moving.sum(), v).eval({v: x})
    np.testing.assert_allclose(slope * 3, [1, 1, 2, 1, 2, 1, 1, 0])
    assert T.windows(np.ones((5, 6)), (2, 2)).type.shape == (4, 5, 2, 2)


def test_patches() -> None:
    x = images(2, 3, 4, 6)
    rows = nnet.images2neibs(X, (2, 3)).eval({X: x})
    wanted = x.reshape(2, 3, 2, 2, 2, 3).transpose(0, 1, 2, 4, 3, 5).reshape(-1, 6)
    np.testing.assert_array_equal(rows, wanted)
    np.testing.assert_array_equal(nnet.neibs2images(rows, (2, 3), x.shape).eval(), x)
    left = nnet.images2neibs(X, (3, 4), mode="ignore_borders").eval({X: x})
    assert left.shape == (6, 12)
    back = nnet.neibs2images(left, (3, 4), x.shape, mode="ignore_borders").eval()
    np.testing.assert_array_equal(back[:, :, :3, :4], x[:, :, :3, :4])
    assert not back[:, :, 3:].any()
    steps = nnet.images2neibs(X, (2, 2), (1, 2)).eval({X: x})
    assert steps.shape == (2 * 3 * 3 * 3, 4)
    half = nnet.images2neibs(X, (3, 3), (1, 1), mode="half").eval({X: x})
    np.testing.assert_array_equal(half[:, 4], x.ravel())
    slope = wb.grad(nnet.images2neibs(X, (2, 2), (1, 1)).sum(), X).eval({X: x[:1, :1]})
    np.testing.assert_array_equal(slope[0, 0, 0], [1, 2, 2, 2, 2, 1])


# Networks


def test_a_network_of_convolutions_learns() -> None:
    """Layers, pools, a softmax and updates in one native program."""
    random = np.random.default_rng(0)

    def shared(*shape: int) -> Any:
        return wb.shared(random.normal(size=shape).astype("float32") * 0.3)

    x, y = T.ftensor4("x"), T.ivector("y")
    weights = [shared(4, 1, 3, 3), shared(4), shared(3, 4, 3, 3), shared(3 * 2 * 2, 2)]
    hidden = nnet.relu(nnet.conv2d(x, weights[0]) + weights[1].dimshuffle("x", 0, "x", "x"))
    hidden = T.tanh(nnet.conv2d(nnet.pool_2d(hidden, (2, 2)), weights[2], border_mode=1))
    pooled = nnet.pool_2d(hidden, (2, 2), mode="average_exc_pad", ignore_border=False)
    guess = nnet.softmax(T.dot(pooled.flatten(2), weights[3]))
    cost = nnet.categorical_crossentropy(guess, y).mean()
    rate = np.float32(0.2)
    updates = [(w, w - rate * g) for w, g in zip(weights, wb.grad(cost, weights), strict=True)]
    train = wb.function([x, y], cost, updates=updates)
    assert not train.linked.notes
    labels = random.integers(0, 2, 16).astype("int32")
    noise = random.normal(size=(16, 1, 8, 8))
    pictures = (noise + labels[:, None, None, None]).astype("float32")
    costs = [float(train(pictures, labels)) for _ in range(40)]
    assert costs[-1] < 0.5 * costs[0]


def test_a_convolution_in_a_loop() -> None:
    w = images(2, 2, 3, 3) * 0.2
    states, _ = wb.scan(
        lambda s: T.tanh(nnet.conv2d(s, w, border_mode="half")), outputs_info=X, n_steps=3
    )
    f = wb.function([X], [states[-1], wb.grad(states[-1].sum(), X)])
    assert not f.linked.notes
    x = images(2, 2, 5, 4)
    last, slope = f(x)
    wanted = x
    for _ in range(3):
        wanted = np.tanh(nnet.conv2d(wanted, w, border_mode="half").eval())
    np.testing.assert_allclose(last, wanted)
    assert slope.shape == x.shape
