"""The state of a Mersenne Twister as data: a vector of words, and the shared variable that holds
one.

Being an array, a state is carried by loops, pickled, copied and read by native code like any other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph import Array
from workbench.core.shared import TensorSharedVariable
from workbench.core.types import TensorType
from workbench.errors import RandomError

KEY = 624
"""The generator's own words, which come first. Then:"""
POSITION, HAS_GAUSS, GAUSS = KEY, KEY + 1, KEY + 2
"""the next word to use; whether a normal number is kept; that number, a float64 in two words."""
LENGTH = KEY + 4

STATE = TensorType("uint32", (LENGTH,))
"""No other variable is of this type."""


def words(state: Any) -> Array:
    """A state as a vector: of a RandomState, of what its `get_state` gives, or such a vector
    itself. Raises RandomError for anything else.
    """
    if isinstance(state, np.ndarray):
        return _checked(state)
    if isinstance(state, np.random.RandomState):
        state = state.get_state(legacy=False)
    elif isinstance(state, tuple):
        probe = np.random.RandomState(0)
        try:
            probe.set_state(state)
        except (ValueError, TypeError, IndexError) as error:
            raise _no_state(f"set_state does not take it: {error}") from None
        state = probe.get_state(legacy=False)
    if not isinstance(state, dict) or state.get("bit_generator") != "MT19937":
        raise _no_state(f"it is {state!r:.80}")
    found = np.empty(LENGTH, "uint32")
    found[:KEY] = state["state"]["key"]
    found[POSITION] = state["state"]["pos"]
    found[HAS_GAUSS] = state["has_gauss"]
    found[GAUSS:] = np.array([state["gauss"]], "float64").view("uint32")
    return found


def generator(vector: Array) -> np.random.RandomState:
    """NumPy's generator in this state."""
    made = np.random.RandomState(0)
    gauss = vector[GAUSS:].copy().view("float64")[0]
    made.set_state(
        (
            "MT19937",
            vector[:KEY].astype("uint32"),
            int(vector[POSITION]),
            int(vector[HAS_GAUSS]),
            float(gauss),
        )
    )
    return made


def _checked(vector: Array) -> Array:
    if vector.shape != (LENGTH,) or vector.dtype != np.uint32:
        raise _no_state(f"it is an array of {vector.dtype} of shape {vector.shape}")
    if int(vector[POSITION]) > KEY or not vector[:KEY].any():
        raise _no_state("its position is beyond its words, or all of them are 0")
    return vector


def _no_state(why: str) -> RandomError:
    return RandomError(
        f"this is no state of a random stream: {why}",
        advice="give a numpy.random.RandomState, what its get_state() gives, or a vector of "
        f"{LENGTH} uint32 from get_value(return_internal_type=True)",
    )


class RandomStateSharedVariable(TensorSharedVariable):
    """A shared variable that holds the state of a stream. Users see NumPy's RandomState."""

    __slots__ = ()

    def get_value(self, borrow: bool = False, return_internal_type: bool = False) -> Any:
        """A RandomState in this state: a new one each time, so changes to it count only once it is
        given to `set_value`. With `return_internal_type` the vector of words, which `borrow` gives
        without a copy.
        """
        if return_internal_type:
            return super().get_value(borrow)
        return generator(self.cell[0])

    def convert(self, value: Any) -> Any:
        return words(value)

    def zero(self) -> None:
        """Raises RandomError: from zeros come zeros only."""
        raise RandomError(
            f"the state of the random stream {self} cannot be zero",
            advice="set_value(numpy.random.RandomState(seed)) starts it anew",
        )


def shared_state(
    state: Any, name: str | None = None, borrow: bool = False
) -> RandomStateSharedVariable:
    """A shared variable of a state in any form that `words` takes."""
    vector = words(state)
    return RandomStateSharedVariable(STATE, vector if borrow else vector.copy(), name)
