"""The native generators: no Python in them, and NumPy's bits also where few draws come."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.native.engine import compile
from workbench.core.native.library import complete
from workbench.core.native.mrg import name_of
from workbench.core.native.target import SCALAR, Target
from workbench.core.ops import random
from workbench.core.random.mrg import M2, UNIT, numbers
from workbench.core.random.state import words
from workbench.tensor.random import CounterStreams, MRG_RandomStreams, RandomStreams


def drawer(op: random.Draw, *parameters: Any) -> Callable[..., Any]:
    """A function of a state, the parameters and a length: the state after the draw, the sample."""
    state, n = T.TensorType("uint32", (None,))("state"), T.lscalar("n")
    return wb.function([state, *parameters, n], op(state, *parameters, n))


def check(f: Callable[..., Any], draw: Any, seed: int, burn: int, n: int, *given: Any) -> None:
    rng = np.random.RandomState(seed)
    rng.randint(2**31, size=burn)  # single words: the position may be odd
    new, sample = f(words(rng), *given, n)
    expected = draw(rng)
    np.testing.assert_array_equal(sample, expected)
    np.testing.assert_array_equal(new, words(rng))


def test_uniform_numbers_from_every_position() -> None:
    low, high = T.dscalar("low"), T.dscalar("high")
    f = drawer(random.Uniform("float64", (None,)), low, high)
    for burn in (0, 1, 5, 607, 608, 615, 621, 622, 623, 624):
        for n in (0, 1, 2, 7, 8, 9, 300, 311, 312, 313, 1000):
            check(f, lambda r, n=n: r.uniform(-1.5, 2.5, n), 7, burn, n, -1.5, 2.5)


def test_binomial_numbers_of_every_kind() -> None:
    """Inversion and all branches of BTPE, of one n and p and of many."""
    n, p = T.lvector("n"), T.dvector("p")
    f = drawer(random.Binomial("int64", (None,)), n, p)
    rng = np.random.default_rng(1)
    count = 4000
    for seed in range(25):
        trials = np.round(10 ** rng.uniform(0, rng.choice([2, 6, 15]), count)).astype("int64")
        chance = rng.choice([1, 0.01, 1e-4]) * rng.random(count)
        chance = np.where(rng.random(count) < 0.3, 1 - chance, chance)
        if seed % 3 == 0:
            trials[:], chance[:] = trials[0], chance[0]
        check(f, lambda r, t=trials, c=chance: r.binomial(t, c), seed, seed, count, trials, chance)


def test_poisson_numbers_of_every_kind() -> None:
    lam = T.dvector("lam")
    f = drawer(random.Poisson("int64", (None,)), lam)
    rng = np.random.default_rng(1)
    for seed in range(15):
        means = 10 ** rng.uniform(-3, rng.choice([1.0, 2.0, 15.0]), 4000)
        check(f, lambda r, m=means: r.poisson(m), seed, seed, 4000, means)


def test_integers_of_every_width() -> None:
    low, high = T.lvector("low"), T.lvector("high")
    f = drawer(random.RandomIntegers("int64", (None,)), low, high)
    rng = np.random.default_rng(1)
    for seed in range(10):
        first = rng.integers(-(2**40), 2**40, 2000)
        last = first + (2.0 ** rng.uniform(0, 62, 2000)).astype("int64") - 1
        check(f, lambda r, a=first, b=last: r.randint(a, b + 1), seed, seed, 2000, first, last)


NATIVE: dict[str, Callable[[Any], Any]] = {
    "uniform": lambda s: s.uniform((5,)),
    "normal": lambda s: s.normal((5,)),
    "binomial": lambda s: s.binomial((5,)),
    "choice": lambda s: s.choice((5,), 4),
    "multinomial": lambda s: s.multinomial(pvals=np.full((5, 2), 0.5)),
}


@pytest.mark.parametrize("kind", [RandomStreams, MRG_RandomStreams, CounterStreams])
@pytest.mark.parametrize("name", NATIVE)
def test_draws_and_loops_of_draws_are_one_program(name: str, kind: Any) -> None:
    variable = NATIVE[name](kind(3))
    assert wb.function([], variable).linked.notes == ()
    rows, updates = wb.scan(lambda: variable, n_steps=4)
    f = wb.function([], rows, updates=updates)
    assert f.linked.notes == ()
    assert f().shape[0] == 4


def test_a_large_draw_releases_the_interpreter() -> None:
    """Another thread runs while numbers are drawn."""
    import threading

    f = wb.function([], RandomStreams(3).normal((4_000_000,)))
    f()
    ticks, done = [0], threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks[0] += 1

    other = threading.Thread(target=tick)
    other.start()
    f()
    done.set()
    other.join()
    assert ticks[0] > 100


@pytest.mark.parametrize("target", [SCALAR, Target(16), Target(32), Target(64)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_streams_side_by_side_for_every_processor(dtype: str, target: Target) -> None:
    """Vectors of any width give the same numbers, whatever the number of streams."""
    name = name_of(dtype, target)
    caller = (
        "define void @go(ptr %a, ptr %b, i64 %s, ptr %into, i64 %n) {\n"
        f"  call void @{name}(ptr %a, ptr %b, i64 %s, ptr %into, i64 %n)\n  ret void\n}}\n"
    )
    whole = complete(caller)
    module = compile(whole.text, whole.symbols, ["go"])
    pointer, word = ctypes.c_void_p, ctypes.c_int64
    run = ctypes.CFUNCTYPE(None, pointer, pointer, word, pointer, word)(module.address("go"))
    rng = np.random.default_rng(2)
    for streams, count in ((1, 5), (3, 7), (32, 96), (33, 20), (71, 1000)):
        states = rng.integers(1, M2, (streams, 6)).astype("int32")
        new, drawn = np.empty_like(states), np.empty(count, dtype)
        run(states.ctypes.data, new.ctypes.data, streams, drawn.ctypes.data, count)
        after, whole_numbers = numbers(states, count)
        np.testing.assert_array_equal(new, after)
        unit = np.dtype(dtype).type(UNIT[dtype])
        np.testing.assert_array_equal(drawn, whole_numbers.astype(dtype) * unit)
