"""States of the Mersenne Twister as vectors, and the shared variables that hold them."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.core.random.state import GAUSS, LENGTH, POSITION, generator, words
from workbench.errors import RandomError
from workbench.tensor.random import RandomStateSharedVariable, RandomStreams


def used(seed: int, normals: int, numbers: int) -> np.random.RandomState:
    rng = np.random.RandomState(seed)
    rng.normal(size=normals)
    rng.randint(2**31, size=numbers)
    return rng


def same(a: np.random.RandomState, b: np.random.RandomState) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a.get_state(), b.get_state(), strict=True))


@pytest.mark.parametrize("normals", [0, 1, 2, 311])
@pytest.mark.parametrize("numbers", [0, 1, 623, 624])
def test_a_state_survives(normals: int, numbers: int) -> None:
    rng = used(3, normals, numbers)
    for form in (rng, rng.get_state(), rng.get_state(legacy=False), words(rng)):
        vector = words(form)
        assert vector.shape == (LENGTH,)
        assert vector.dtype == np.uint32
        assert same(generator(vector), rng)


def test_the_kept_normal_number_is_two_words() -> None:
    rng = used(3, 1, 0)
    kept = rng.get_state()[4]
    assert words(rng)[GAUSS:].view("float64")[0] == kept != 0


ZEROS = np.zeros(LENGTH, "uint32")
BEYOND = words(np.random.RandomState(0))
BEYOND[POSITION] = 625


@pytest.mark.parametrize(
    "value",
    [
        3,
        None,
        "MT19937",
        ("MT19937", [1, 2]),
        ("PCG64", np.arange(624), 0),
        np.random.RandomState(np.random.PCG64(3)),
        np.random.default_rng(3),
        np.zeros(LENGTH),
        np.ones(600, "uint32"),
        ZEROS,
        BEYOND,
    ],
    ids=lambda v: str(type(v).__name__),
)
def test_what_is_no_state(value: Any) -> None:
    shared = wb.shared(np.random.RandomState(3))
    with pytest.raises(RandomError, match="no state of a random stream"):
        shared.set_value(value)
    with pytest.raises(RandomError, match="cannot be zero"):
        shared.zero()
    assert same(shared.get_value(), np.random.RandomState(3))


def test_a_shared_generator_is_copied_in_and_out() -> None:
    rng = np.random.RandomState(3)
    shared = wb.shared(rng, name="noise")
    assert isinstance(shared, RandomStateSharedVariable)
    assert shared.name == "noise"
    rng.normal()
    assert same(shared.get_value(), np.random.RandomState(3))
    shared.get_value(borrow=True).normal()
    assert same(shared.get_value(borrow=True), np.random.RandomState(3))
    shared.set_value(rng)
    assert same(shared.get_value(), rng)


def test_the_vector_itself_is_had() -> None:
    shared = wb.shared(np.random.RandomState(3))
    inside = shared.get_value(borrow=True, return_internal_type=True)
    assert inside is shared.cell[0]
    copy = shared.get_value(return_internal_type=True)
    assert copy is not inside
    copy[0] += 1
    shared.set_value(copy)
    assert shared.cell[0] is not copy
    np.testing.assert_array_equal(shared.cell[0], copy)


def test_a_shared_state_is_pickled_and_cloned() -> None:
    u = RandomStreams(3).uniform((2,))
    f = wb.function([], u)
    f()
    copy = pickle.loads(pickle.dumps(u.rng))
    assert same(copy.get_value(), u.rng.get_value())
    clone = u.rng.clone()
    assert isinstance(clone, RandomStateSharedVariable)
    f()
    assert same(clone.get_value(), u.rng.get_value())
    assert not same(copy.get_value(), u.rng.get_value())


def test_states_in_hand_are_not_written_to() -> None:
    u = RandomStreams(3).uniform((2,))
    f = wb.function([], u)
    held = u.rng.get_value(borrow=True, return_internal_type=True)
    before = held.copy()
    f(), f(), f()
    np.testing.assert_array_equal(held, before)
