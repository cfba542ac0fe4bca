"""Windows and pools on the device, of random shapes: as on the processor, with their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench.tensor as T
from tests.gpu.support import check_as_on_host, moved
from workbench.core.ops.shape import as_scalar_int
from workbench.core.ops.windows import AddWindows, placing, windows
from workbench.tensor.nnet import pool_1d, pool_2d, pool_3d

POOLS = {1: pool_1d, 2: pool_2d, 3: pool_3d}


@st.composite
def pools(draw: Any) -> Any:
    """Axes before, and for each axis of the windows: size, length, stride, pad; whether borders are
    ignored.
    """
    lead = draw(st.lists(st.integers(0, 3), max_size=2))
    length = st.tuples(st.integers(1, 9), st.integers(1, 4), st.integers(1, 5), st.integers(0, 3))
    axes = draw(st.lists(length, min_size=1, max_size=3))
    ignore = draw(st.booleans())
    fitting = [
        (max(size, n), n, stride, min(pad, n - 1) if ignore else 0) for size, n, stride, pad in axes
    ]
    return lead, fitting, ignore


@settings(max_examples=25, deadline=None)
@given(pools(), st.sampled_from(["max", "sum", "average_exc_pad"]))
def test_pools_and_what_flows_back(pool: Any, mode: str) -> None:
    lead, axes, ignore = pool
    sizes, lengths, strides, pads = zip(*axes)
    x = T.TensorType("float64", (None,) * (len(lead) + len(axes)))("x")
    y = POOLS[len(axes)](x, lengths, ignore, strides, pads, mode)
    slope = T.grad((y**3).sum(), x)
    value = np.random.default_rng(0).integers(-9, 9, (*lead, *sizes)) * 0.25  # some are equal
    named = ["GpuMaxPool", "GpuToMaxima"] if mode == "max" else ["GpuSumPool", "GpuSpreadPool"]
    check_as_on_host([x], [y, slope], [value], named)


def test_second_derivatives() -> None:
    x, u = T.dmatrix("x"), T.dmatrix("u")
    slope = T.grad((pool_2d(x, (2, 3), stride=(1, 2)) ** 3).sum(), x)
    both = T.grad((slope * u).sum(), [x, u], disconnected_inputs="ignore")
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(6, 9)), rng.normal(size=(6, 9))]
    check_as_on_host([x, u], both, values, ["GpuToMaxima", "GpuFromMaxima"])


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 3).flatmap(
        lambda n: st.lists(
            st.tuples(st.integers(0, 6), *[st.integers(1, 3)] * 3), min_size=n, max_size=n
        )
    )
)
def test_windows_and_their_sums(axes: Any) -> None:
    more, lengths, strides, dilations = zip(*axes)
    sizes = [m + (n - 1) * d + 1 for m, n, d in zip(more, lengths, dilations)]
    x = T.TensorType("float64", (None,) * (1 + len(axes)))("x")
    cut = windows(x, lengths, strides, dilations)
    slope = T.grad((cut**2).sum(), x)
    value = np.random.default_rng(0).normal(size=(2, *sizes))
    check_as_on_host([x], [cut * 1, slope], [value], ["GpuWindows", "GpuAddWindows"])


@pytest.mark.parametrize("dtype", ["int8", "bool", "float32"])
def test_sums_of_windows_in_other_dtypes(dtype: str) -> None:
    v = T.TensorType(dtype, (None, None, None))("v")
    out = AddWindows((3,), placing(1), (None,))(v, as_scalar_int(7))
    value = (np.arange(30).reshape(2, 5, 3) % 7 * 20).astype(dtype)
    check_as_on_host([v], [out], [value], ["GpuAddWindows"])


def test_many_axes_stay_on_the_processor() -> None:
    v = T.TensorType("float64", (None,) * 8)("v")
    out = AddWindows((1,) * 4, placing(4), (None,) * 4)(v, *[as_scalar_int(2)] * 4)
    (left,) = moved([v], [out])
    assert not left.owner.op.on_device
