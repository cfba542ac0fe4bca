"""Convolutions on the device, of random shapes: as on the processor, with all their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
import workbench.tensor as T
from tests.gpu.support import DEVICE, by_programs_only, check_as_on_host, moved
from workbench.core.ops.convolution import Conv
from workbench.core.ops.windows import placing
from workbench.errors import ShapeError
from workbench.tensor.nnet import conv2d, conv3d, pool_2d
from workbench.tensor.random import CounterStreams

ALL = ["GpuConv", "GpuConvImages", "GpuConvFilters"]


@st.composite
def convolutions(draw: Any) -> Any:
    """An op, the shapes of images and filters."""
    ndim = draw(st.integers(1, 3))
    few = st.integers(1, 3)
    groups, channels, filters, n = draw(st.tuples(few, few, few, st.integers(0, 3)))
    strides, dilations = (draw(st.tuples(*[st.integers(1, 6 // ndim)] * ndim)) for _ in range(2))
    pads = st.tuples(st.integers(0, 3), st.integers(0, 3))
    border = draw(st.sampled_from(["valid", "full", "half"]) | st.tuples(*[pads] * ndim))
    lengths = draw(st.tuples(*[few] * ndim))
    more = draw(st.tuples(*[st.integers(0, 6 // ndim)] * ndim))
    sizes = [m + (k - 1) * d + 1 for m, k, d in zip(more, lengths, dilations)]
    op = Conv(placing(ndim, strides, dilations, border), draw(st.booleans()), groups)
    return op, (n, groups * channels, *sizes), (groups * filters, channels, *lengths)


def tensors(*shapes: Any, dtype: str = "float64") -> Any:
    """Variables and values."""
    rng = np.random.default_rng(0)
    variables = [T.TensorType(dtype, (None,) * len(s))(f"x{i}") for i, s in enumerate(shapes)]
    return variables, [rng.normal(size=s).astype(dtype) for s in shapes]


@settings(max_examples=30, deadline=None)
@given(convolutions())
def test_convolutions_and_what_flows_back(drawn: Any) -> None:
    op, *shapes = drawn
    (x, f), values = tensors(*shapes)
    y = op(x, f)
    check_as_on_host([x, f], [y, *T.grad((y**2).sum(), [x, f])], values, ALL)


def test_second_derivatives() -> None:
    (x, f, u), values = tensors((2, 3, 7, 6), (4, 3, 3, 2), (2, 3, 7, 6))
    to_images = T.grad((conv2d(x, f, subsample=(2, 1), border_mode=1) ** 2).sum(), x)
    slopes = T.grad((to_images * u).sum(), [x, f, u])
    check_as_on_host([x, f, u], slopes, values, ALL)


@pytest.mark.parametrize(
    ("images", "filters", "stride"),
    [((2, 20, 30, 31), (70, 20, 3, 3), 1), ((3, 5, 40, 40), (9, 5, 5, 4), 3)],
)
def test_many_tiles(images: Any, filters: Any, stride: int) -> None:
    """More rows, columns and steps than a tile has, in single precision."""
    (x, f), values = tensors(images, filters, dtype="float32")
    y = conv2d(x, f, subsample=(stride, stride), border_mode="half")
    check_as_on_host([x, f], [y, *T.grad(y.sum(), [x, f])], values, ALL, rtol=1e-5)


def test_images_whose_axes_lie_in_another_order() -> None:
    (x, f), values = tensors((5, 6, 2, 3), (2, 3, 4, 2))
    y = conv2d(x.dimshuffle(2, 3, 0, 1), f.dimshuffle(2, 1, 3, 0))
    check_as_on_host([x, f], [y], values, ["GpuConv"])


def test_nothing_to_convolve() -> None:
    """No images, and no channels."""
    for images, filters in (((0, 2, 3, 3, 3), (1, 2, 2, 2, 2)), ((1, 0, 3, 3, 3), (2, 0, 2, 2, 2))):
        (x, f), values = tensors(images, filters)
        y = conv3d(x, f)
        check_as_on_host([x, f], [y, *T.grad(y.sum(), [x, f])], values, ALL)


def test_shapes_that_do_not_fit_are_told() -> None:
    (x, f), values = tensors((1, 2, 3, 3), (2, 3, 2, 2))
    with pytest.raises(ShapeError, match="channels"):
        wb.function([x, f], conv2d(x, f), device=DEVICE)(*values)
    with pytest.raises(ShapeError, match="does not fit"):
        wb.function([x, f], conv2d(x, f), device=DEVICE)(values[0], np.ones((2, 2, 4, 4)))


def test_more_axes_stay_on_the_processor() -> None:
    (x, f), _ = tensors((1,) * 6, (1,) * 6)
    (left,) = moved([x, f], [Conv(placing(4))(x, f)])
    assert not left.owner.op.on_device


def test_a_network_learns_as_on_the_processor() -> None:
    """Convolution, pool, noise and product, in three steps of descent."""
    rng = np.random.default_rng(0)
    images, targets = rng.normal(size=(6, 1, 12, 12)), rng.normal(size=(6, 3))
    learned = {}
    for device in ("cpu", DEVICE):
        with wb.config.hold({"device": device}), by_programs_only():
            x, t = T.dtensor4("x"), T.dmatrix("t")
            filters = wb.shared(np.linspace(-1, 1, 4 * 3 * 3).reshape(4, 1, 3, 3))
            weights = wb.shared(np.linspace(-1, 1, 100 * 3).reshape(100, 3))
            hidden = T.tanh(pool_2d(conv2d(x, filters), (2, 2)))
            noise = CounterStreams(1).binomial(hidden.shape, p=0.8, dtype="float64")
            cost = T.sqr(T.dot((hidden * noise).flatten(2), weights) - t).mean()
            parameters = [filters, weights]
            slopes = zip(parameters, wb.grad(cost, parameters), strict=True)
            step = wb.function([x, t], cost, updates={p: p - 0.1 * g for p, g in slopes})
            costs = [float(step(images, targets)) for _ in range(3)]
            learned[device] = [*(p.get_value() for p in parameters), np.array(costs)]
    for a, b in zip(learned["cpu"], learned[DEVICE], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)
