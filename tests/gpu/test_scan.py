"""Loops on the device: the same values and gradients as on the processor, and no step that waits,
copies, or goes over the bus.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
import workbench.tensor as T
from tests.core.scan.loops import numbers, run
from tests.core.scan.test_gradient_uses import LOOPS
from tests.core.scan.test_random_scans import COMMON, Loop, configs
from tests.gpu.support import DEVICE
from workbench.core.devices import find
from workbench.core.graph import toposort


def compiled(inputs: Any, outputs: Any, **options: Any) -> Any:
    """The function on the device, from its inputs' values and its outputs."""
    with wb.config.change(device=DEVICE), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # updates that are read, and not stored
        return wb.function(inputs, outputs, on_unused_input="ignore", **options)


def ops(f: Any) -> list[str]:
    return [type(node.op).__name__ for node in f.maker.fgraph.toposort()]


def loop_on_device(f: Any) -> Any:
    """The one loop of a function, which moved."""
    found = [n for n in f.maker.fgraph.toposort() if "Scan" in type(n.op).__name__]
    assert [type(n.op).__name__ for n in found] == ["GpuScan"]
    return found[0]


def traffic_of(f: Any, *args: Any) -> tuple[int, int]:
    """How often one call went over the bus, each way."""
    device: Any = find(DEVICE)
    f(*args)
    begin = device.traffic
    f(*args)
    moved = device.traffic.since(begin)
    return moved.uploads, moved.downloads


@pytest.mark.parametrize("loop", LOOPS)
def test_values_and_gradients(loop: Any) -> None:
    states, values = loop()
    cost = (states[-1] ** 2).sum() + T.sin(states).sum()
    outputs = [states, cost, *T.grad(cost, list(values))]
    f = compiled(list(values), outputs)
    expected = run(outputs, values)
    for _ in range(2):
        for a, b in zip(expected, f(*values.values()), strict=True):
            assert (a.dtype, a.shape) == (b.dtype, b.shape)
            np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-10)


@given(configs, st.sampled_from(["float64", "float32"]))
@settings(max_examples=6, **COMMON)
def test_random_loops(config: Any, dtype: str) -> None:
    loop = Loop(replace(config, dtype=dtype))
    outputs = [*loop.graph(), *loop.after()]
    outputs += T.grad(loop.cost(), list(loop.given), disconnected_inputs="ignore")
    f = compiled(list(loop.given), outputs)
    tolerance = 1e-8 if dtype == "float64" else 2e-4
    for a, b in zip(run(outputs, loop.given), f(*loop.given.values()), strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance)


def network(hidden: int, dtype: str = "float32") -> tuple[Any, Any, dict[Any, Any]]:
    """A recurrent network's states, its cost, and its inputs with values: 30 steps."""
    matrix, vector = T.TensorType(dtype, (None, None)), T.TensorType(dtype, (None,))
    xs, h0, w, u = matrix("xs"), vector("h0"), matrix("w"), matrix("u")
    states, _ = wb.scan(lambda x, h: T.tanh(T.dot(x, u) + T.dot(h, w)), xs, h0)
    values = {
        xs: numbers(30, 3), h0: numbers(hidden, seed=1),
        w: numbers(hidden, hidden, seed=2) * 0.3, u: numbers(3, hidden, seed=3),
    }  # fmt: skip
    values = {v: a.astype(dtype) for v, a in values.items()}
    return states, (states[-1] ** 2).sum(), values


@pytest.mark.parametrize("steps", [1, 7, 30])
def test_no_transfer_in_the_loop(steps: int) -> None:
    """The inputs go there and the result comes back, whatever the number of steps is."""
    states, _, values = network(5)
    f = compiled(list(values), states[-1:])
    args = [a[:steps] if v.name == "xs" else a for v, a in values.items()]
    loop_on_device(f)
    assert traffic_of(f, *args) == (4, 1)


def test_no_transfer_in_the_gradient() -> None:
    _, cost, values = network(5)
    f = compiled(list(values), T.grad(cost, list(values)))
    assert ops(f).count("GpuScan") == 2
    assert "Scan" not in ops(f)
    assert traffic_of(f, *values.values()) == (4, 4)
    loops = [n.op for n in f.maker.fgraph.toposort() if type(n.op).__name__ == "GpuScan"]
    bodies = [op.inner.outputs for op in loops]
    for node in (n for outputs in bodies for n in toposort(outputs)):
        assert type(node.op).__name__ not in ("GpuFromHost", "HostFromGpu")


def test_until_brings_only_the_condition() -> None:
    """One flag in every step; the states stay."""
    x = T.fvector("x")
    states, _ = wb.scan(lambda h: (h * 2, wb.until(h.sum() > 100)), None, x, n_steps=50)
    f = compiled([x], states[-1])
    value = np.array([1, 2], "float32")
    np.testing.assert_array_equal(f(value), run([states[-1]], {x: value})[0])
    loop_on_device(f)
    assert traffic_of(f, value) == (1, 1 + 7)


def test_shared_variables_stay() -> None:
    """A training step by a loop over batches, without a transfer at all."""
    rng = np.random.default_rng(3)
    with wb.config.change(device=DEVICE, floatX="float32"):
        data = wb.shared(rng.normal(size=(6, 4, 3)).astype("float32"), "data")
        w = wb.shared(rng.normal(size=(3,)).astype("float32"), "w")
        seen, _ = wb.scan(lambda batch, v: v - 0.1 * T.dot(batch.T, T.dot(batch, v)), data, w)
        f = wb.function([], [], updates={w: seen[-1]})
    loop_on_device(f)
    expected = w.get_value()
    for batch in data.get_value():
        expected = expected - np.float32(0.1) * (batch.T @ (batch @ expected))
    f()
    np.testing.assert_allclose(w.get_value(), expected, rtol=1e-5)
    assert traffic_of(f) == (0, 0)


def test_what_the_host_would_do_keeps_the_loop_there() -> None:
    """A body that would go to and fro does not move; what is around it does."""
    a = T.dtensor3("a")
    found, _ = wb.scan(lambda m: T.linalg.inv(m) * 2, a)
    f = compiled([a], T.exp(found))
    assert "Scan" in ops(f)
    assert "GpuScan" not in ops(f)
    value = np.eye(3) * np.arange(1.0, 5)[:, None, None]
    np.testing.assert_allclose(f(value), np.exp(np.linalg.inv(value) * 2))


def test_single_numbers_stay_with_the_host() -> None:
    n = T.iscalar("n")
    product, _ = wb.scan(lambda k, p: p * k, T.arange(1, n), T.constant(1.0))
    f = compiled([n], product[-1])
    assert "GpuScan" not in ops(f)
    assert f(6) == 120


def in_loop(f: Any) -> set[str]:
    """The ops of a loop's body, which moved, and of the bodies in it."""
    found, left = set(), [loop_on_device(f).op]
    while left:
        nodes = left.pop().inner.nodes
        found |= {type(n.op).__name__ for n in nodes}
        left += [n.op for n in nodes if hasattr(n.op, "inner")]
    return found


COUNTS = [
    pytest.param(lambda x: T.arange(x.shape[0]), id="forwards"),
    pytest.param(lambda x: T.arange(x.shape[0])[::-1], id="backwards"),
    pytest.param(lambda x: T.constant([2, 0, 1]), id="constant"),
]


@pytest.mark.parametrize("counts", COUNTS)
def test_indexed_by_counted_steps(counts: Any) -> None:
    """The host, which leads the loop, counts."""
    x, a = T.fmatrix("x"), T.fmatrix("a")
    steps = counts(x)
    states, _ = wb.scan(
        lambda i, h, x, a: T.tanh(T.dot(a, h) + x[i] * T.cast(i, "float32") - x[-i - 1]),
        steps, T.ones_like(x[0]), [x, a],
    )  # fmt: skip
    given_here = {x: numbers(5, 4).astype("float32"), a: numbers(4, 4, seed=1).astype("float32")}
    f = compiled(list(given_here), states)
    assert not in_loop(f) & {"GpuFromHost", "HostFromGpu"}
    assert traffic_of(f, *given_here.values()) == (2, 1)
    (expected,) = run([states], given_here)
    np.testing.assert_allclose(f(*given_here.values()), expected, rtol=1e-5)


def test_indexed_by_numbers_of_the_device() -> None:
    """They are brought once, before the loop."""
    with wb.config.change(device=DEVICE):
        labels = wb.shared(np.array([0, 3, 1, 2, 2], "int32"), "labels")
    x = T.fmatrix("x")
    states, _ = wb.scan(lambda k, h: T.tanh(h) + x[k], labels, T.zeros_like(x[0]))
    value = numbers(5, 4).astype("float32")
    f = compiled([x], states[-1])
    loop_on_device(f)
    assert traffic_of(f, value) == (1, 2)
    np.testing.assert_allclose(f(value), run([states[-1]], {x: value})[0], rtol=1e-5)


def test_a_wrong_index_is_told_with_its_line() -> None:
    x = T.fmatrix("x")
    states, _ = wb.scan(lambda i, h: T.tanh(h) + x[i], T.arange(7), T.zeros_like(x[0]))
    f = compiled([x], states[-1])
    loop_on_device(f)
    with pytest.raises(IndexError, match=r"index 5 is out of bounds(?s:.)*test_scan.py"):
        f(np.ones((5, 4), "float32"))


def test_constant_arrays_in_a_body() -> None:
    """They lie on the device; as results of a step they are copied there."""
    a = numbers(4, 4).astype("float32")
    h = T.fvector("h")
    (states, same), _ = wb.scan(
        lambda p, k: [T.tanh(T.dot(a, p) + a[0] * k), T.constant(a[1])], None, [h, h], n_steps=5
    )
    value = numbers(4, seed=1).astype("float32")
    f = compiled([h], [states, same])
    loop_on_device(f)
    assert traffic_of(f, value) == (1, 2)
    for b, expected in zip(f(value), run([states, same], {h: value}), strict=True):
        np.testing.assert_allclose(b, expected, rtol=1e-5)


def test_a_loop_in_a_loop_with_constants_and_counts() -> None:
    a = numbers(4, 4).astype("float32")
    x = T.fmatrix("x")

    def row(i: Any) -> Any:
        inner, _ = wb.scan(
            lambda k, h: T.tanh(T.dot(a, h) + x[i] * x[k]), T.arange(i + 1), T.zeros_like(x[0])
        )
        return inner[-1]

    rows, _ = wb.scan(row, T.arange(3))
    value = numbers(5, 4).astype("float32")
    f = compiled([x], rows)
    assert "GpuScan" in in_loop(f)
    np.testing.assert_allclose(f(value), run([rows], {x: value})[0], rtol=1e-5)


def test_a_choice_that_is_lazy() -> None:
    """Only the branch that is taken is computed, on the device."""
    c, x = T.bscalar("c"), T.fmatrix("x")
    f = compiled([c, x], wb.ifelse(c, T.exp(x).sum(axis=0), T.dot(x, x)[0]))
    assert "GpuIfElse" in ops(f)
    value = numbers(3, 3).astype("float32")
    np.testing.assert_allclose(f(1, value), np.exp(value).sum(axis=0), rtol=1e-6)
    np.testing.assert_allclose(f(0, value), (value @ value)[0], rtol=1e-5)


def test_a_choice_in_a_loop() -> None:
    xs, h = T.fmatrix("xs"), T.fvector("h")
    states, _ = wb.scan(
        lambda x, p, k: wb.ifelse(T.eq(k % 2, 0), T.tanh(p + x), p * x),
        [xs], [h], non_sequences=[T.constant(4)],
    )  # fmt: skip
    given_here = {xs: numbers(5, 3).astype("float32"), h: numbers(3).astype("float32")}
    f = compiled(list(given_here), states)
    loop_on_device(f)
    np.testing.assert_allclose(f(*given_here.values()), run([states], given_here)[0], rtol=1e-5)
