"""CounterStreams and Philox4x32-10: the published answers, places in the sequence, variables."""

from __future__ import annotations

import ctypes
import pickle
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.native.engine import compile
from workbench.core.native.library import complete
from workbench.core.native.philox import name_of
from workbench.core.native.target import SCALAR, Target
from workbench.core.ops.philox import PhiloxUniform
from workbench.core.random.philox import PER_BLOCK, after, blocks, numbers, state
from workbench.errors import DtypeError, GraphError, RandomError
from workbench.tensor.random import CounterStreams, RandomVariable

SEED = 12345

# Of the authors' own tests: counter and key, lowest word first, and the four words of the block.
KNOWN = (
    ("00000000 00000000 00000000 00000000 00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
)  # fmt: skip


def joined(words: Any) -> int:
    """Words of 32 bits, lowest first, as one number."""
    return sum(word << 32 * i for i, word in enumerate(words))


def drawer(dtype: str) -> Any:
    start, n = T.TensorType("uint64", (None,))("start"), T.lscalar("n")
    return wb.function([start, n], PhiloxUniform(dtype, (None,))(start, n))


@pytest.mark.parametrize(("given", "answer"), KNOWN)
def test_known_answers(given: str, answer: str) -> None:
    *counter, low, high = (int(word, 16) for word in given.split())
    start = state(joined([low, high]), joined(counter))
    expected = [int(word, 16) for word in answer.split()]
    assert [int(word[0]) for word in blocks(start, 1)] == expected
    assert drawer("uint32")(start, 4)[1].tolist() == expected
    pairs = [joined(expected[:2]), joined(expected[2:])]
    assert drawer("uint64")(start, 2)[1].tolist() == pairs


def test_a_draw_goes_on_where_the_last_one_ended() -> None:
    """Whole blocks: the draws one after another are the one draw of all."""
    start = state(7, 2**64 - 2)
    for dtype, each in PER_BLOCK.items():
        f = drawer(dtype)
        whole = f(start, 12 * each)[1]
        now, parts = start, []
        for count in (1, 5, 6):
            now, part = f(now, count * each)
            parts.append(part)
        np.testing.assert_array_equal(np.concatenate(parts), whole)
        np.testing.assert_array_equal(now, after(start, 12))
        np.testing.assert_array_equal(f(start, each - 1)[0], after(start, 1))


@pytest.mark.parametrize("target", [SCALAR, Target(16), Target(32), Target(64)])
@pytest.mark.parametrize("dtype", PER_BLOCK)
def test_blocks_side_by_side_for_every_processor(dtype: str, target: Target) -> None:
    """Vectors of any width give the same numbers, whatever their count."""
    name = name_of(dtype, target)
    caller = (
        "define void @go(ptr %a, ptr %b, ptr %into, i64 %n) {\n"
        f"  call void @{name}(ptr %a, ptr %b, ptr %into, i64 %n)\n  ret void\n}}\n"
    )
    whole = complete(caller)
    module = compile(whole.text, whole.symbols, ["go"])
    pointer, word = ctypes.c_void_p, ctypes.c_int64
    run = ctypes.CFUNCTYPE(None, pointer, pointer, pointer, word)(module.address("go"))
    for count in (0, 1, 5, 16, 64, 67, 1000):
        start = state(2**63 + 5, 2**64 - 7)
        new, drawn = np.zeros_like(start), np.zeros(count + 1, dtype)
        run(start.ctypes.data, new.ctypes.data, drawn.ctypes.data, count)
        np.testing.assert_array_equal(new, after(start, -(-count // PER_BLOCK[dtype])))
        np.testing.assert_array_equal(drawn[:count], numbers(start, count, dtype))
        assert drawn[count] == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_lie_in_the_middle_of_equal_parts(dtype: str) -> None:
    bits = {"float32": 23, "float64": 52}[dtype]
    drawn = numbers(state(1), 100_000, dtype).astype("longdouble") * 2**bits - 0.5
    np.testing.assert_array_equal(drawn, np.floor(drawn))
    assert drawn.min() >= 0
    assert drawn.max() <= 2**bits - 1


def test_no_two_variables_have_numbers_in_common() -> None:
    """Nor two seeds, nor two draws of one variable."""
    drawn = []
    for seed in (SEED, SEED + 1):
        s = CounterStreams(seed)
        f = wb.function([], [s.bits((20_000,), dtype="uint64") for _ in range(3)])
        drawn += [*f(), *f()]
    everything = np.concatenate(drawn)
    assert len(np.unique(everything)) == everything.size


def test_variables_begin_far_apart() -> None:
    s = CounterStreams(SEED)
    made = [s.uniform((2,)), s.normal((3,)), s.bits((4,))]
    for k, variable in enumerate(made):
        assert variable.rng.get_value().tolist() == [SEED, 0, k]
    assert [v.update for v in made] == s.updates()
    assert all(isinstance(v, RandomVariable) for v in made)


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_the_same_seed_gives_the_same_numbers(mode: str) -> None:
    def function(seed: int) -> Any:
        s = CounterStreams(seed)
        return s, wb.function([], [s.uniform((4,)), s.normal((3,)), s.binomial((5,))], mode=mode)

    (s, f), (_, g), (_, other) = function(1), function(1), function(2)
    first = f()
    for a, b, c in zip(first, g(), other(), strict=True):
        np.testing.assert_array_equal(a, b)
        assert c.shape == a.shape
    assert not np.array_equal(f()[0], first[0])
    s.seed()
    np.testing.assert_array_equal(f()[0], first[0])
    s.seed(2)
    _, again = function(2)
    np.testing.assert_array_equal(f()[0], again()[0])
    s.seed()
    np.testing.assert_array_equal(f()[0], first[0])


def test_sizes_that_are_known_when_it_runs() -> None:
    x = T.matrix("x")
    s = CounterStreams(SEED)
    f = wb.function([x], [s.uniform(x.shape), s.normal((x.shape[0],), nstreams=7)])
    for shape in ((3, 5), (0, 2), (1, 1)):
        unit, normal = f(np.zeros(shape, wb.config.floatX))
        assert unit.shape == shape
        assert normal.shape == shape[:1]


def test_normal_numbers_are_of_pairs() -> None:
    sample = CounterStreams(SEED).normal((3,), 1.0, 2.0, dtype="float64")
    (r1, r2), (a1, a2) = numbers(state(SEED), 4, "float64").reshape(2, 2)
    radius, angles = np.sqrt(-2 * np.log([r1, r2])), 2 * np.pi * np.array([a1, a2])
    expected = 1 + 2 * np.concatenate([radius * np.cos(angles), radius * np.sin(angles)])[:3]
    np.testing.assert_allclose(wb.function([], sample)(), expected, rtol=1e-14)


def test_gradients_go_through_the_noise_and_not_to_the_state() -> None:
    avg, std = T.dvector("avg"), T.dscalar("std")
    n = CounterStreams(SEED).normal(avg=avg, std=std, dtype="float64")
    sample, to_avg, to_std = wb.function([avg, std], [n, *T.grad(n.sum(), [avg, std])])([1, 2], 4)
    np.testing.assert_array_equal(to_avg, [1, 1])
    np.testing.assert_allclose(to_std, ((sample - [1, 2]) / 4).sum())


def test_streams_are_pickled() -> None:
    s = CounterStreams(SEED)
    u = s.uniform((9,))
    f = wb.function([], u)
    f()
    copy, v = pickle.loads(pickle.dumps((s, u)))
    assert copy.state_updates[0][0] is v.rng
    np.testing.assert_array_equal(wb.function([], v)(), f())
    assert copy.key == s.key


def test_given_states_and_held_draws() -> None:
    """A draw's state may be read, set and left where it is."""
    u = CounterStreams(SEED).uniform((3,))
    f = wb.function([], u, no_default_updates=True)
    np.testing.assert_array_equal(f(), f())
    u.rng.set_value(state(SEED, 5))
    np.testing.assert_array_equal(f(), numbers(state(SEED, 5), 3, u.dtype))


@pytest.mark.parametrize("seed", [-1, 2**64, "x", None, 1.5, [1, 2]])
def test_what_is_no_seed(seed: Any) -> None:
    with pytest.raises(RandomError, match="no seed"):
        CounterStreams(seed)
    assert CounterStreams(2**64 - 1).uniform((1,)).rng.get_value()[0] == 2**64 - 1


def test_what_cannot_be_drawn() -> None:
    s = CounterStreams(SEED)
    with pytest.raises(TypeError, match="uniform of dtype"):
        s.uniform((2,), dtype="int8")
    with pytest.raises(DtypeError, match="numbers of int8"):
        s.bits((2,), dtype="int8")
    with pytest.raises(GraphError, match="does not hold a state"):
        PhiloxUniform("float64", (2,))(T.dvector("x"), T.constant(2))
    assert not s.updates()
    n = T.lscalar("n")
    for mode in ("FAST_RUN", "FAST_COMPILE"):
        f = wb.function([n], s.uniform((n,)), mode=mode)
        with pytest.raises(ValueError, match="not negative"):
            f(-1)
