"""The tutorial's programs for a GPU, under the old names, on the device that there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.gpu.support import DEVICE
from workbench.core.devices import find, is_there

theano = pytest.importorskip("workbench.theano")
import workbench.theano.tensor as T  # noqa: E402
from workbench.theano import Out, config, function, sandbox, shared  # noqa: E402

VLEN = 10 * 30 * 768


@pytest.fixture(autouse=True)
def device_flags() -> Iterator[None]:
    """THEANO_FLAGS=device=gpu,floatX=float32"""
    with config.change(device=DEVICE, floatX="float32", mode="FAST_RUN"):
        yield


def used(f: Any) -> str:
    """As the text tells a device from a processor, in both its ways."""
    nodes = f.maker.fgraph.toposort()
    found = np.any([isinstance(x.op, T.Elemwise) for x in nodes])
    assert found == np.any(
        [isinstance(x.op, T.Elemwise) and ("Gpu" not in type(x.op).__name__) for x in nodes]
    )
    return "Used the cpu" if found else "Used the gpu"


def classes(f: Any) -> list[str]:
    return [type(x.op).__name__ for x in f.maker.fgraph.toposort()]


def test_is_it_the_gpu() -> None:
    """exp of a shared variable that lies on the device; the result is NumPy's."""
    rng = np.random.RandomState(22)
    x = shared(np.asarray(rng.rand(VLEN), config.floatX))
    f = function([], T.exp(x))
    assert classes(f) == ["GpuElemwise", "HostFromGpu"]
    text = f"GpuElemwise{{exp,no_inplace}}(<GpuArrayType<{DEVICE}>(float32, vector)>)"
    assert str(f.maker.fgraph.toposort()) == (
        f"[{text}, HostFromGpu(GpuElemwise{{exp,no_inplace}}.0)]"
    )
    for _ in range(3):
        r = f()
    assert isinstance(r, np.ndarray)
    np.testing.assert_allclose(r, np.exp(x.get_value()), rtol=1e-6)
    printed = [1.23178029, 1.61879337, 1.52278066, 2.20771813, 2.29967761, 1.62323284]
    np.testing.assert_allclose([*r[:3], *r[-3:]], printed, rtol=3e-7)
    assert used(f) == "Used the gpu"


@pytest.mark.parametrize("backend", ["cuda", "gpuarray"])
def test_a_handle(backend: str) -> None:
    """gpu_from_host leaves the result on the device."""
    rng = np.random.RandomState(22)
    x = shared(np.asarray(rng.rand(VLEN), config.floatX))
    f = function([], getattr(sandbox, backend).basic_ops.gpu_from_host(T.exp(x)))
    assert classes(f) == ["GpuElemwise"]
    r = f()
    assert repr(r) == f"<DeviceArray float32 ({VLEN},) on {DEVICE}>"
    np.testing.assert_allclose(np.asarray(r), np.exp(x.get_value()), rtol=1e-6)
    assert used(f) == "Used the gpu"


def test_a_device_is_used_from_then_on() -> None:
    config.device = "cpu"
    theano.sandbox.cuda.use(DEVICE, default_to_move_computation_to_gpu=False)
    assert config.device == "cpu"
    theano.sandbox.cuda.use(DEVICE)
    assert config.device == DEVICE
    nodes = function([], T.exp(shared(np.ones(3, "float32")))).maker.fgraph.toposort()
    assert isinstance(nodes[-1].op, sandbox.cuda.basic_ops.HostFromGpu)
    with pytest.raises(wb.errors.DeviceError, match="opencl99"):
        theano.gpuarray.use("opencl99")
    assert config.device == DEVICE
    assert theano.sandbox.cuda.cuda_available is is_there("cuda0")


def test_borrowing_the_result() -> None:
    """With borrow the same memory is used in every call; without, every result is its own."""
    rng = np.random.RandomState(22)
    x = shared(np.asarray(rng.rand(VLEN), config.floatX))
    expression = sandbox.cuda.basic_ops.gpu_from_host(T.exp(x))
    f1 = function([], expression)
    f2 = function([], Out(expression, borrow=True))
    assert classes(f1) == classes(f2) == ["GpuElemwise"]
    assert f1() is not f1()
    first = f2()
    assert f2() is first
    x.set_value(np.zeros(VLEN, "float32"))
    f2()
    assert (np.asarray(first) == 1).all()


def test_logistic_regression() -> None:
    """The exercise: data and weights lie on the device; only the first and the last transfers are
    made.
    """
    rng = np.random.RandomState(0)
    N, feats, steps = 40, 78, 2000
    D = (
        rng.randn(N, feats).astype("float32"),
        rng.randint(size=N, low=0, high=2).astype("float32"),
    )
    device: Any = find(DEVICE)
    begin = device.traffic
    x, y = shared(D[0], name="x"), shared(D[1], name="y")
    w = shared(rng.randn(feats).astype("float32"), name="w")
    b = shared(np.asarray(0.0, dtype="float32"), name="b")
    assert device.traffic.since(begin).uploads == 4
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
    prediction = p_1 > 0.5
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
    cost = xent.mean() + 0.01 * (w**2).sum()
    gw, gb = T.grad(cost, [w, b])
    train = function([], [], updates={w: w - 0.01 * gw, b: b - 0.01 * gb}, name="train")
    predict = function([], prediction, name="predict")
    ops = [n.op.__class__.__name__ for n in train.maker.fgraph.toposort()]
    assert any(name in ("GpuGemm", "GpuGemv") for name in ops)
    assert not any(name in ("Gemv", "CGemv", "Gemm", "CGemm") for name in ops)
    train()
    begin = device.traffic
    for _ in range(steps):
        train()
    assert device.traffic == begin
    result = predict()
    assert (device.traffic.since(begin).uploads, device.traffic.since(begin).downloads) == (0, 1)
    assert (result == (D[1] > 0.5)).mean() > 0.9


def test_the_processor_is_told_too() -> None:
    x = shared(np.zeros(3, "float32"), target="cpu")
    with config.change(device="cpu"):
        assert used(function([], T.exp(x))) == "Used the cpu"
    op = T.Elemwise(T.exp(x).owner.op.scalar)
    assert op == T.exp(x).owner.op
    assert isinstance(op, T.Elemwise)


def test_mixed_types_stay_exact() -> None:
    """int32 with float32 is float64, and runs there where the device can."""
    i = shared(np.arange(5, dtype="int32"))
    f = function([], i * np.float32(0.5))
    assert f().dtype == "float64"
    assert f().tolist() == [0, 0.5, 1, 1.5, 2]
