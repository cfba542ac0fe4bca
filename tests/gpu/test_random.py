"""Random numbers on the device: the host's, bit for bit, and states that stay where they are."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
import workbench.tensor as T
from tests.gpu.support import DEVICE, by_programs_only
from workbench.core.device_shared import DeviceSharedVariable
from workbench.core.devices import find
from workbench.core.ops.mrg import MRGUniform
from workbench.core.ops.philox import PhiloxUniform
from workbench.core.random import mrg, philox
from workbench.errors import RandomError
from workbench.gpu.ops.loops import GpuScan
from workbench.tensor.random import CounterStreams, MRG_RandomStreams

KINDS = [CounterStreams, MRG_RandomStreams]


@pytest.fixture(autouse=True)
def programs() -> Iterator[None]:
    with by_programs_only():
        yield


@pytest.fixture
def on_device() -> Iterator[None]:
    """Shared variables lie on the device, and functions run there."""
    with wb.config.hold({"device": DEVICE}):
        yield


def same(a: Any, b: Any) -> None:
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))


def drawers(op: Any, state: Any) -> Any:
    """The draw as a function of a state and two lengths, on the host and on the device."""
    variable = T.TensorType(str(state.dtype), (None,) * state.ndim)("state")
    n, m = T.lscalars("n", "m")
    outputs = op(variable, n, m)
    return [wb.function([variable, n, m], outputs, device=d) for d in ("cpu", DEVICE)]


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint32", "uint64"])
def test_blocks_of_numbers(dtype: str) -> None:
    """Of all lengths; many more than there are threads; over the end of the counter's words."""
    start = philox.state(99, 2**96 - 5)
    host, device = drawers(PhiloxUniform(dtype, (None, None)), start)
    for lengths in ((0, 3), (1, 1), (3, 5), (6, 7), (1, 1024), (700, 701)):
        same(device(start, *lengths), host(start, *lengths))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_streams_side_by_side(dtype: str) -> None:
    states = mrg.streams(mrg.seeded(7), 500)
    host, device = drawers(MRGUniform(dtype, (None, None)), states)
    for count, lengths in ((1, (1, 1)), (7, (2, 3)), (7, (9, 9)), (500, (40, 41)), (3, (0, 2))):
        same(device(states[:count], *lengths), host(states[:count], *lengths))


@pytest.mark.parametrize("kind", KINDS)
def test_states_that_lie_on_the_device_stay_there(kind: Any, on_device: None) -> None:
    """A draw moves nothing but, if it is asked for, the sample."""
    u, total = kind(5).uniform((1000,), dtype="float32"), wb.shared(np.zeros(1000, "float32"))
    assert isinstance(u.rng, DeviceSharedVariable)
    f = wb.function([], [], updates={total: total + u})
    f()
    find(DEVICE).finish()
    before = find(DEVICE).traffic
    for _ in range(3):
        f()
    assert find(DEVICE).traffic == before
    with wb.config.hold({"device": "cpu"}):
        g = wb.function([], kind(5).uniform((1000,), dtype="float32"))
    np.testing.assert_array_equal(total.get_value(), g() + g() + g() + g())


@pytest.mark.parametrize("kind", KINDS)
def test_states_of_the_host_are_brought_and_fetched(kind: Any) -> None:
    a, b = kind(5).uniform((9,)), kind(5).uniform((9,))
    f, g = wb.function([], a, device=DEVICE), wb.function([], b, device="cpu")
    for _ in range(3):
        same([f()], [g()])
    np.testing.assert_array_equal(a.rng.get_value(), b.rng.get_value())


def variables(s: Any) -> list[Any]:
    """Uniform numbers, and what is made of them by comparing."""
    p = np.array([[0.2, 0.8, 0.0], [1.0, 0.0, 0.0]])
    return [
        s.uniform((3, 5), -1.0, 2.0, dtype="float64"), s.binomial((50,), p=0.3),
        s.binomial((20,), n=4, p=0.7, dtype="float32"), s.multinomial(n=3, pvals=p),
        s.choice((30,), 6), s.choice((30,), p=[0.5, 0.0, 0.5]),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_variables_seeds_and_pickles(kind: Any, on_device: None) -> None:
    """The same numbers as on the processor, call for call, and again after `seed`."""
    s = kind(8)
    made = variables(s)
    f = wb.function([], made)
    with wb.config.hold({"device": "cpu"}):
        other = wb.function([], variables(kind(8)))
    first = [f() for _ in range(2)]
    for drawn in first:
        same(drawn, other())
    s.seed()
    for drawn in first:
        same(f(), drawn)
    again = pickle.loads(pickle.dumps(made[0]))
    same([wb.function([], again)()], f()[:1])


@pytest.mark.parametrize("kind", KINDS)
def test_normal_numbers_and_their_gradients(kind: Any, on_device: None) -> None:
    std = T.dscalar("std")
    sample = kind(8).normal((2, 3), 1.0, std, dtype="float64")
    f = wb.function([std], [sample, T.grad(sample.sum(), std)])
    with wb.config.hold({"device": "cpu"}):
        std = T.dscalar("std")
        sample = kind(8).normal((2, 3), 1.0, std, dtype="float64")
        g = wb.function([std], [sample, T.grad(sample.sum(), std)])
    for _ in range(2):
        for a, b in zip(f(2.0), g(2.0), strict=True):
            np.testing.assert_allclose(np.asarray(a), b, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_draws_in_a_loop(kind: Any, on_device: None) -> None:
    """Rows of three numbers, which no pack of bytes ends with."""
    u = kind(8).uniform((3,), dtype="float32")
    rows, updates = wb.scan(lambda: u, n_steps=5)
    f = wb.function([], rows, updates=updates)
    assert any(isinstance(n.op, GpuScan) for n in f.maker.fgraph.toposort())
    assert all(v.type.device == DEVICE for v in f.maker.plan.results[1:])
    with wb.config.hold({"device": "cpu"}):
        g = wb.function([], kind(8).uniform((3,), dtype="float32"))
    for _ in range(2):
        same(np.asarray(f()), [g() for _ in range(5)])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**128 - 1), st.integers(0, 70))
def test_any_state(key: int, counter: int, n: int) -> None:
    start = philox.state(key, counter)
    host, device = drawers(PhiloxUniform("uint32", (None, None)), start)
    same(device(start, 1, n), host(start, 1, n))


def test_what_cannot_be_drawn() -> None:
    n = T.lscalar("n")
    f = wb.function([n], CounterStreams(1).uniform((n,)), device=DEVICE)
    with pytest.raises(RandomError, match="not negative"):
        f(-1)
