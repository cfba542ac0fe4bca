"""One program with parts on two devices: CUDA as it is emulated, and the tests' own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.gpu.emulated_cuda import emulated
from tests.gpu.support import DEVICE
from workbench.core.devices import find

VALUE = np.random.default_rng(2).normal(size=(5, 4)).astype("float32")
CUDA = "cuda0"


@pytest.fixture(autouse=True)
def cuda() -> Iterator[Any]:
    if DEVICE.startswith("cuda"):
        pytest.skip("the second device is emulated, and would stand in for the first")
    with emulated() as library:
        yield library


def ops(f: Any) -> list[str]:
    return [type(node.op).__name__ for node in f.maker.fgraph.toposort()]


def test_two_shared_variables() -> None:
    """What hangs together with each is computed where it lies."""
    a, b = wb.shared(VALUE, "a", target=CUDA), wb.shared(VALUE * 2, "b", target=DEVICE)
    f = wb.function([], [T.exp(a).sum(), T.tanh(b).sum()], updates={a: a + 1, b: b * 2})
    for result, expected in zip(f(), (np.exp(VALUE), np.tanh(VALUE * 2)), strict=True):
        np.testing.assert_allclose(result, expected.sum(), rtol=1e-5)
    np.testing.assert_allclose(a.get_value(), VALUE + 1)
    np.testing.assert_allclose(b.get_value(), VALUE * 4)
    assert {a.cell[0].device.name, b.cell[0].device.name} == {CUDA, DEVICE}


def test_from_one_to_the_other() -> None:
    """A value that both compute goes over the host; it is one node."""
    x = T.fmatrix("x")
    there = T.exp(x.transfer(CUDA)).transfer(DEVICE)
    f = wb.function([x], T.tanh(there).sum(axis=0))
    assert ops(f).count("GpuToGpu") == 1
    np.testing.assert_allclose(f(VALUE), np.tanh(np.exp(VALUE)).sum(axis=0), rtol=1e-5)
    cuda0, other = find(CUDA), find(DEVICE)
    before: Any = cuda0.traffic, other.traffic  # type: ignore[attr-defined]
    f(VALUE)
    moved: Any = cuda0.traffic.since(before[0]), other.traffic.since(before[1])  # type: ignore[attr-defined]
    assert [(m.uploads, m.downloads) for m in moved] == [(1, 1), (1, 1)]


def test_a_sum_of_both() -> None:
    a, b = wb.shared(VALUE, target=CUDA), wb.shared(VALUE * 3, target=DEVICE)
    f = wb.function([], T.dot(a, b.T))
    np.testing.assert_allclose(f(), VALUE @ (VALUE * 3).T, rtol=1e-5, atol=1e-5)


def test_a_loop_on_each() -> None:
    xs = T.fmatrix("xs")
    results = []
    for device in (CUDA, DEVICE):
        states, _ = wb.scan(lambda x, h: T.tanh(x + h), xs.transfer(device), T.zeros_like(xs[0]))
        results.append(states[-1])
    f = wb.function([xs], results)
    first, second = f(VALUE)
    np.testing.assert_allclose(first, second, rtol=1e-5)


def test_an_array_of_the_other_device() -> None:
    """It is brought where it is wanted."""
    w = wb.shared(VALUE, target=DEVICE)
    handle: Any = find(CUDA).array(VALUE * 5)  # type: ignore[attr-defined]
    w.set_value(handle)
    np.testing.assert_array_equal(w.get_value(), VALUE * 5)
    x = w.type.make(name="x")
    f = wb.function([x], (x * 2).sum(), device=DEVICE)
    np.testing.assert_allclose(f(handle), VALUE.sum() * 10, rtol=1e-5)


def test_an_error_of_one_stops_both(cuda: Any) -> None:
    a, b = wb.shared(VALUE, target=CUDA), wb.shared(VALUE, target=DEVICE)
    f = wb.function([], updates={a: T.exp(a), b: T.exp(b)})
    cuda.fail["cuLaunchKernel"] = 719
    with pytest.raises(wb.errors.DeviceLostError):
        f()
    cuda.fail.clear()
    np.testing.assert_array_equal(a.get_value(), VALUE)
    np.testing.assert_array_equal(b.get_value(), VALUE)
