"""Random loops against a Python loop: values, gradients, and both after the rewrites."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import workbench as wb
import workbench.tensor as T
from tests.core.scan.loops import assert_gradient, assert_rewrites_preserve, run
from workbench.core.scan.build import scan
from workbench.core.types import TensorType

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}


@dataclass(frozen=True)
class Config:
    """A loop: taps of its sequences and states, how many maps, how long and how wide it is (width
    0: scalars), whether it updates a shared variable, and which rows of its outputs are read.
    """

    steps: int
    width: int
    sequences: tuple[tuple[int, ...], ...]
    states: tuple[tuple[int, ...], ...]
    maps: int
    backwards: bool
    spare: int
    limit: float | None
    read: str
    shared: bool
    dtype: str

    def number(self, value: float) -> Any:
        """A number of the loop's dtype."""
        return np.asarray(value, self.dtype)[()]


READ = {
    "all": lambda v: v,
    "last rows": lambda v: v[-1:],
    "last": lambda v: v[-1],
    "last twice": lambda v: v[-1] + T.sin(v[-1]),
    "every other": lambda v: v[::2],
    "last and all": lambda v: v[-1] + v.sum(axis=0),
}


def taps(low: int, high: int) -> Any:
    return st.lists(st.integers(low, high), min_size=1, max_size=3, unique=True).map(tuple)


configs = st.builds(
    Config,
    steps=st.integers(0, 5),
    width=st.integers(0, 3),
    sequences=st.lists(taps(-2, 2), min_size=1, max_size=2).map(tuple),
    states=st.lists(taps(-3, -1), max_size=2).map(tuple),
    maps=st.integers(0, 2),
    backwards=st.booleans(),
    spare=st.integers(0, 2),
    limit=st.none() | st.floats(-0.5, 0.5),
    read=st.sampled_from(list(READ)),
    shared=st.booleans(),
    dtype=st.just("float64"),
).filter(lambda c: (c.states or c.maps) and (c.steps or "last" not in c.read.split()))


def step(config: Config, lib: Any, seen: list[Any], w: Any, b: Any, s: Any) -> list[Any]:
    """What a step computes, written for NumPy and for graphs alike: every output reads everything a
    little.
    """
    outputs = []
    for i in range(len(config.states) + config.maps):
        total = b * config.number(0.1 * i)
        if config.shared:
            total = total + s * config.number(0.2 + 0.1 * i)
        for j, v in enumerate(seen):
            factor = (0.3 + 0.1 * ((i + 2 * j) % 5)) * (-1) ** (i * j)
            total = total + v * config.number(factor)
            if config.width and (i + j) % 2:
                total = total + lib.dot(v, w)
        outputs.append(lib.tanh(total) if i % 2 == 0 else total * 0.5 + lib.sin(seen[0]))
    return outputs


def updated(config: Config, lib: Any, s: Any, outputs: list[Any]) -> Any:
    """The shared variable after a step."""
    return s * 0.5 + lib.sum(outputs[0]) * 0.25


def stops(config: Config, lib: Any, outputs: list[Any]) -> Any:
    return lib.sum(outputs[0]) > config.limit


def span(some: tuple[int, ...]) -> int:
    return max(*some, 0) - min(*some, 0)


class Loop:
    """The same loop as a graph and in Python."""

    def __init__(self, config: Config) -> None:
        self.config = config
        rng = np.random.default_rng(len(config.sequences) * 7 + config.steps)
        shape = (config.width,) if config.width else ()
        vector = self.variable(1 if config.width else 0)
        matrix = self.variable(2 if config.width else 1)
        size = (config.width, config.width) if config.width else ()
        self.w, self.b = self.variable(len(size))("W"), vector("b")
        self.s = wb.shared(np.asarray(0.7, config.dtype), "s")
        self.updates: Any = {}
        self.xs = [matrix(f"x{i}") for i in range(len(config.sequences))]
        self.starts = [
            vector(f"h{i}") if k == (-1,) else matrix(f"h{i}") for i, k in enumerate(config.states)
        ]
        self.given = {self.w: rng.normal(size=size) * 0.5, self.b: rng.normal(size=shape)}
        for x, some in zip(self.xs, config.sequences, strict=True):
            self.given[x] = rng.normal(size=(config.steps + span(some) + config.spare, *shape))
        for h, some in zip(self.starts, config.states, strict=True):
            rows = () if some == (-1,) else (-min(some),)
            self.given[h] = rng.normal(size=(*rows, *shape))
        self.given = {v: np.asarray(a, config.dtype) for v, a in self.given.items()}

    def variable(self, ndim: int) -> Any:
        """Makes variables of this rank."""
        t = TensorType(self.config.dtype, (None,) * ndim)
        return lambda name: t.make(name=name)

    def graph(self) -> list[Any]:
        config = self.config

        def body(*seen: Any) -> Any:
            outputs = step(config, T, list(seen), self.w, self.b, self.s)
            updates = {self.s: updated(config, T, self.s, outputs)} if config.shared else {}
            if config.limit is None:
                return outputs, updates
            return outputs, updates, wb.until(stops(config, T, outputs))

        outputs, self.updates = scan(
            body,
            [{"input": x, "taps": list(k)} for x, k in zip(self.xs, config.sequences, strict=True)],
            [
                *(
                    {"initial": h, "taps": list(k)}
                    for h, k in zip(self.starts, config.states, strict=True)
                ),
                *[None] * config.maps,
            ],
            n_steps=config.steps,
            go_backwards=config.backwards,
            return_list=True,
        )
        return outputs

    def after(self) -> list[Any]:
        """The shared variable after the loop, where there is one."""
        return list(self.updates.values())

    def python(self) -> list[Any]:
        """The outputs, and the shared variable after the loop."""
        config = self.config
        s = self.s.get_value()
        value = self.given
        past = []
        for h, k in zip(self.starts, config.states, strict=True):
            past.append([value[h]] if k == (-1,) else list(value[h]))
        rows: list[list[Any]] = [[] for _ in range(len(config.states) + config.maps)]
        for t in range(config.steps):
            seen = []
            for x, some in zip(self.xs, config.sequences, strict=True):
                a, first = value[x], t - min(*some, 0)
                at = len(a) - 1 - t - max(*some, 0) if config.backwards else first
                seen += [a[at + k] for k in some]
            for state, some in zip(past, config.states, strict=True):
                seen += [state[k] for k in some]
            outputs = step(config, np, seen, value[self.w], value[self.b], s)
            s = updated(config, np, s, outputs)
            for row, v in zip(rows, outputs, strict=True):
                row.append(v)
            for state, v in zip(past, outputs, strict=False):
                state.append(v)
            if config.limit is not None and stops(config, np, outputs):
                break
        shape = (config.width,) if config.width else ()
        found = [np.array(row, config.dtype).reshape(len(row), *shape) for row in rows]
        return [*found, s] if config.shared else found

    def cost(self) -> Any:
        total: Any = 0.0
        for i, v in enumerate(self.graph()):
            total = total + (T.sin(READ[self.config.read](v)) * (i + 1.0)).sum()
        return sum((T.sin(v) for v in self.after()), start=total)


@given(configs)
@settings(max_examples=120, **COMMON)
def test_values(config):
    loop = Loop(config)
    stacked = loop.graph()
    outputs = [*stacked, *loop.after()]
    for found, expected in zip(run(outputs, loop.given), loop.python(), strict=True):
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    assert_rewrites_preserve(outputs, loop.given)
    assert_rewrites_preserve([v[-2:] for v in stacked], loop.given)


@given(configs)
@settings(max_examples=36, **COMMON)
def test_gradients(config):
    loop = Loop(config)
    gradients = assert_gradient(loop.cost(), loop.given)
    assert_rewrites_preserve(gradients, loop.given)
    assert_rewrites_preserve([loop.cost(), *gradients[:1]], loop.given)


@given(configs)
@settings(max_examples=8, **COMMON)
def test_second_derivatives(config):
    loop = Loop(config)
    given = {v: a for v, a in loop.given.items() if v in (loop.b, loop.w)}
    cost = loop.cost()
    assert_gradient(T.grad(cost, loop.b).sum(), {**loop.given, **given})


@given(configs, st.sampled_from(["float64", "float32"]))
@settings(max_examples=16, **COMMON)
def test_compiled(config, dtype):
    """The whole pipeline and native code, values and gradients."""
    loop = Loop(replace(config, dtype=dtype))
    outputs = [*loop.graph(), *loop.after()]
    outputs += T.grad(loop.cost(), list(loop.given), disconnected_inputs="ignore")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the updates are read, and not stored
        compiled = wb.function(list(loop.given), outputs, on_unused_input="ignore")
    tolerance = 1e-8 if dtype == "float64" else 2e-4
    for a, b in zip(run(outputs, loop.given), compiled(*loop.given.values()), strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert a.dtype == dtype
        np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance)


@given(configs, st.booleans())
@settings(max_examples=12, **COMMON)
def test_pushed_forward(config, some):
    """Rop, against what the gradients say of the same direction."""
    loop = Loop(config)
    cost, wrt = loop.cost(), [loop.b, loop.w] if some else [*loop.xs, *loop.starts]
    if not wrt:
        return
    points = [np.cos(np.arange(np.size(loop.given[v]))).reshape(loop.given[v].shape) for v in wrt]
    gradients = T.grad(cost, wrt, disconnected_inputs="ignore")
    pushed = wb.Rop(cost, wrt, [T.constant(p) for p in points], disconnected_outputs="ignore")
    expected = sum((g * p).sum() for g, p in zip(gradients, points, strict=True))
    found, wanted = run([pushed, expected], loop.given)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)
