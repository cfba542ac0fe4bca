"""Loops that one kernel goes through: what is noted comes out as it went in, whatever it is; and
loops of every form give the values that launches give.
"""

from __future__ import annotations

import ctypes
import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
import workbench.tensor as T
from tests.core.scan.loops import numbers
from tests.gpu.support import DEVICE
from workbench.core.devices import find
from workbench.gpu import abi, replay_routines, replaying
from workbench.gpu.replay_kernel import NAMED

Command = tuple[int, int, tuple[int, ...]]
"""A kernel, how many groups, and its words."""

PUT, LOOP = 7, 8
LAUNCH = ctypes.CFUNCTYPE(
    None, *(ctypes.c_void_p,) * 2, ctypes.c_int64, ctypes.c_void_p, *(ctypes.c_int64,) * 3
)


class Recorder:
    """A REPLAY whose launches are kept: those of the loop's kernel as the commands that it does."""

    def __init__(self, period: int, named: int) -> None:
        self.done: list[Command] = []
        self.loops = 0
        self.named = named
        self._list = [0] * abi.LIST_WORDS
        self._launch = LAUNCH(self.launch)
        self._commands = (ctypes.c_int64 * (abi.MOST_COMMANDS * abi.COMMAND_SIZE))()
        self._counts = (ctypes.c_int64 * abi.MOST_PERIOD)()
        self._memory = (ctypes.c_int64 * abi.LIST_WORDS)()
        self._words = (ctypes.c_int64 * len(abi.REPLAY.fields))()
        values = {
            "launch": ctypes.cast(self._launch, ctypes.c_void_p).value, "active": 2,
            "period": period, "kernel": LOOP, "put": PUT, "list": 99 << abi.OFFSET_BITS,
            "named": named, "commands": ctypes.addressof(self._commands),
            "counts": ctypes.addressof(self._counts), "memory": ctypes.addressof(self._memory),
        }  # fmt: skip
        for name, value in values.items():
            self._words[abi.REPLAY.fields.index(name)] = value
        self.address = ctypes.addressof(self._words)
        where = replay_routines.addresses()
        self._add = ctypes.CFUNCTYPE(
            ctypes.c_bool, *(ctypes.c_void_p,) * 2, *(ctypes.c_int64,) * 2, ctypes.c_void_p,
            *(ctypes.c_int64,) * 3,
        )(where[replay_routines.ADD])  # fmt: skip
        one = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
        self._step, self._end = (one(where[n]) for n in (replay_routines.STEP, replay_routines.END))

    def run(self, steps: list[list[Command]]) -> None:
        """As a program does: what is not noted is launched."""
        for step in steps:
            self._step(self.address)
            for kernel, groups, words in step:
                block = (ctypes.c_int64 * len(words))(*words)
                given = ctypes.addressof(block), len(words), min(2, len(words))
                if not self._add(self.address, kernel, kernel, groups, *given, 0):
                    self._launch(0, kernel, groups, given[0], given[1], given[2], 0)
        self._end(self.address)

    def launch(
        self, state: Any, kernel: int, groups: int, at: int, count: int, buffers: int, node: int
    ) -> None:
        words = list((ctypes.c_int64 * count).from_address(at))
        if kernel == PUT:
            first, length = words[1:3]
            self._list[first : first + length] = words[3 : 3 + length]
        elif kernel == LOOP:
            self.loops += 1
            assert (groups, buffers) == (1, 1 + self.named)
            self._replay(words)
        elif groups:
            self.done.append((kernel, groups, tuple(words)))

    def _replay(self, given: list[int]) -> None:
        start, cycles, commands, total = given[1 + self.named :]
        plan = [self._list[3 * k : 3 * k + 3] for k in range(commands)]
        now = self._list[3 * commands : 3 * commands + total]
        growth = self._list[3 * commands + total : 3 * commands + 2 * total]
        now = [a + start * b for a, b in zip(now, growth, strict=True)]
        ends = [*(first for _, _, first in plan[1:]), total]
        for _ in range(cycles):
            for (case, groups, first), end in zip(plan, ends, strict=True):
                self.done.append((case, groups, self._words_of(given, now[first:end])))
            now = [a + b for a, b in zip(now, growth, strict=True)]

    def _words_of(self, given: list[int], words: list[int]) -> tuple[int, ...]:
        if not self.named:
            return tuple(words)
        found = list(words)
        for k, word in enumerate(words[:2]):
            if word:
                number = given[1 + (word >> abi.OFFSET_BITS)] >> abi.OFFSET_BITS
                offset = word & ((1 << abi.OFFSET_BITS) - 1)
                found[k] = (number << abi.OFFSET_BITS) | offset
        return tuple(found)


def word(base: int, growth: int, turn: int) -> Any:
    """A word as a function of the step: of a buffer that changes, and a place in it."""
    return lambda t: ((3 + t % turn) << abi.OFFSET_BITS) + base + growth * t


words = st.builds(word, st.integers(1, 99), st.integers(0, 64), st.sampled_from([1, 1, 2, 3]))
commands = st.tuples(st.integers(1, 5), st.integers(0, 3), st.lists(words, min_size=1, max_size=6))
OTHER: Command = (6, 2, (5, 6, 7))


@given(
    st.lists(commands, max_size=4),
    st.integers(0, 40),
    st.integers(1, 4),
    st.dictionaries(st.integers(0, 39), st.sampled_from(["more", "fewer", "wide", "other"]),
                    max_size=3),
    st.booleans(),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_what_goes_in_comes_out(
    step: list[Any], n: int, period: int, strange: dict[int, str], numbers_: bool
) -> None:
    """In the same order with the same words: also of loops with strange steps, and with a period
    that is not theirs.
    """
    steps: list[list[Command]] = []
    for t in range(n):
        now = [(kernel, groups, tuple(w(t) for w in some)) for kernel, groups, some in step]
        if (what := strange.get(t)) == "more":
            now.append(OTHER)
        elif what == "fewer":
            now = now[:-1]
        elif what == "wide":
            now.append((6, 1000, (1, 2)))
        elif what == "other":
            now = [(k, g, tuple(w + 1 for w in some)) for k, g, some in now]
        steps.append(now)
    recorder = Recorder(period, 0 if numbers_ else NAMED)
    recorder.run(steps)
    assert recorder.done == [c for now in steps for c in now if c[1]]


@pytest.mark.parametrize("period", [1, 2, 3])
@pytest.mark.parametrize("n", [16, 17, 100])
def test_whole_cycles_are_one_kernel(period: int, n: int) -> None:
    of = [word(8, 16, period), word(4, 0, 1)]
    steps: list[list[Command]] = [
        [(1, 1, tuple(w(t) for w in of)), (2, 3, (5 << abi.OFFSET_BITS, 0, t))] for t in range(n)
    ]
    recorder = Recorder(period, NAMED)
    recorder.run(steps)
    assert recorder.loops == 1
    assert recorder.done == [c for now in steps for c in now]


def test_long_loops_are_several_kernels() -> None:
    n = 2 * replay_routines.AT_ONCE + 5
    buffers = (3 << abi.OFFSET_BITS) + 8, (4 << abi.OFFSET_BITS) + 8
    steps: list[list[Command]] = [[(1, 1, (*buffers, 2 * t))] for t in range(n)]
    recorder = Recorder(1, NAMED)
    recorder.run(steps)
    assert recorder.loops == 3
    assert recorder.done == [c for now in steps for c in now]


def test_too_many_buffers_are_launched() -> None:
    """A kernel has no more arguments."""
    step: list[Command] = [(1, 1, ((20 + k) << abi.OFFSET_BITS, 1, 2)) for k in range(NAMED + 1)]
    for named, loops in ((NAMED, 0), (0, 1)):
        recorder = Recorder(1, named)
        recorder.run([step] * 20)
        assert (recorder.loops, recorder.done) == (loops, step * 20)


# --- on a device ---


@pytest.fixture
def replays(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Loops are replayed from the first call on, however slow that is here. Gives the device."""
    device: Any = find(DEVICE)
    monkeypatch.setattr(device, "able", dataclasses.replace(device.able, replays=True))
    monkeypatch.setattr(replaying, "PATIENCE", 0)
    return device


def launches(device: Any, f: Any, *args: Any) -> int:
    count = device.word("launches")
    before = count.value
    f(*args)
    return int(count.value - before)


def compare(device: Any, variables: Any, outputs: Any, values: Any, most: int) -> None:
    """The same values as on the processor, in calls of so many launches at most."""
    f = wb.function(variables, outputs, device=DEVICE)
    expected = wb.function(variables, outputs, device="cpu")(*values)
    for _ in range(2):
        for a, b in zip(f(*values), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)
    assert launches(device, f, *values) <= most


@pytest.mark.parametrize("steps", [40, 41, 4500])
def test_a_network(replays: Any, steps: int) -> None:
    """Its last state, for which two buffers change places; a long loop is several kernels."""
    xs, h, w = T.fmatrix("xs"), T.fvector("h"), T.fmatrix("w")
    states, _ = wb.scan(lambda x, p: T.tanh(x + T.dot(p, w)), xs, h)
    values = [numbers(steps, 5), numbers(5, seed=1), numbers(5, 5, seed=2) * 0.3]
    values = [v.astype("float32") for v in values]
    compare(replays, [xs, h, w], [states[-1]], values, 8)


def test_totals_of_many_dtypes(replays: Any) -> None:
    """The commands of a step take turns in local memory."""
    xs, h = T.fmatrix("xs"), T.fscalar("h")

    states, _ = wb.scan(
        lambda x, p: T.tanh(0.1 * x.sum() + p * (x > p).sum() - (x * p).min()), xs, h
    )  # fmt: skip
    values = [numbers(40, 70).astype("float32"), np.float32(0.3)]
    compare(replays, [xs, h], [states], values, 12)


def test_taps_and_all_rows(replays: Any) -> None:
    xs, hs = T.fmatrix("xs"), T.fmatrix("hs")
    states, _ = wb.scan(
        lambda x, before, p: T.tanh(x + 0.5 * p - 0.25 * before),
        xs, {"initial": hs, "taps": [-3, -1]},
    )  # fmt: skip
    values = [numbers(30, 4).astype("float32"), numbers(3, 4).astype("float32")]
    compare(replays, [xs, hs], [states, states[-2:]], values, 16)


def test_counted_steps_and_constants(replays: Any) -> None:
    x = T.fmatrix("x")
    a = numbers(5, 5).astype("float32") * np.float32(0.3)
    states, _ = wb.scan(
        lambda i, h: T.tanh(T.dot(a, h) + x[i]), T.arange(x.shape[0])[::-1], T.ones_like(x[0])
    )
    compare(replays, [x], [states[-1]], [numbers(40, 5, seed=1).astype("float32")], 8)


@pytest.mark.parametrize("width", [5, 8])
def test_backwards(replays: Any, width: int) -> None:
    """Some of the rows begin at a multiple of four numbers."""
    xs, h, w = T.fmatrix("xs"), T.fvector("h"), T.fmatrix("w")
    states, _ = wb.scan(lambda x, p: T.tanh(x + T.dot(p, w)), xs, h, go_backwards=True)
    values = [numbers(40, width), numbers(width, seed=1), numbers(width, width, seed=2) * 0.3]
    compare(replays, [xs, h, w], [states[-1]], [v.astype("float32") for v in values], 8)


def test_steps_that_differ(replays: Any) -> None:
    """Every third step does something else: all is launched, and right."""
    xs, h = T.fmatrix("xs"), T.fvector("h")
    states, _ = wb.scan(
        lambda x, k, p: wb.ifelse(T.eq(k % 3, 0), T.tanh(p + x), p * x - 1),
        [xs, T.arange(xs.shape[0])], h,
    )  # fmt: skip
    values = [numbers(40, 3).astype("float32"), numbers(3).astype("float32")]
    compare(replays, [xs, h], [states], values, 1000)


def test_wide_steps_are_launched(replays: Any) -> None:
    xs, h = T.fmatrix("xs"), T.fvector("h")
    states, _ = wb.scan(lambda x, p: T.tanh(x + p), xs, h)
    values = [numbers(20, 9000).astype("float32"), numbers(9000).astype("float32")]
    f = wb.function([xs, h], states[-1], device=DEVICE)
    f(*values)
    assert launches(replays, f, *values) >= 20


def test_waiting_for_every_command_launches_them(replays: Any) -> None:
    """config.device_sync attributes errors to nodes."""
    xs, h = T.fmatrix("xs"), T.fvector("h")
    states, _ = wb.scan(lambda x, p: T.tanh(x + p), xs, h)
    values = [numbers(20, 3).astype("float32"), numbers(3).astype("float32")]
    f = wb.function([xs, h], states[-1], device=DEVICE)
    few = launches(replays, f, *values)
    with wb.config.change(device_sync=True):
        assert launches(replays, f, *values) >= 20 > few


def test_only_accelerators_replay() -> None:
    """On an ordinary processor a launch costs less than it takes to compile such a kernel."""
    device: Any = find(DEVICE)
    assert device.able.replays is device.driver.accelerator
