"""`CounterStreams`: variables whose numbers are the same on the processor and on every device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Variable
from workbench.core.ops.philox import PhiloxUniform
from workbench.core.ops.shape import static_int
from workbench.core.random.arguments import lengths_of
from workbench.core.random.philox import state
from workbench.core.random.streams import Size
from workbench.core.random.uniform_based import UniformBased
from workbench.core.random.variable import RandomVariable
from workbench.core.shared import shared
from workbench.errors import RandomError

APART = 64
"""Variables begin 2**64 blocks of four words apart."""


class CounterStreams(UniformBased):
    """Makes random variables that draw from the generator Philox4x32-10 of Salmon, Moraes, Dror and
    Shaw (2011), whose numbers are a function of a key and a counter.

    A variable's `rng` is a shared variable of three words: the seed, which is the key, and where in
    the sequence it is. It lies on the configured device, where draws need no transfer, and its
    numbers are the same on the processor and on every device. No two variables have numbers in
    common, whatever is drawn; other seeds give other sequences. `nstreams` is taken, and has no
    effect: each element has its own place in the one sequence.

    seed  an int from 0 to 2**64 - 1
    """

    def __init__(self, seed: int = 12345) -> None:
        super().__init__()
        self.default_seed = _checked(seed)
        self.key = self.default_seed

    def seed(self, seed: int | None = None) -> None:
        """Start all variables anew; None: from the first seed."""
        self.key = self.default_seed if seed is None else _checked(seed)
        for k, (rng, _) in enumerate(self.state_updates):
            rng.set_value(self._start(k), borrow=True)

    def bits(
        self, size: Size = None, ndim: int | None = None, dtype: str = "uint32"
    ) -> RandomVariable:
        """Unsigned integers of 32 or 64 bits, each as likely as any other."""
        return self._draw(lengths_of(size, ndim, []), dtype)

    def _unit(
        self, lengths: Sequence[Variable], dtype: str, nstreams: int | None = None
    ) -> RandomVariable:
        return self._draw(lengths, dtype)

    def _draw(self, lengths: Sequence[Variable], dtype: str) -> RandomVariable:
        k = len(self.state_updates)
        rng = shared(self._start(k), f"rng{k}", borrow=True)
        static = tuple(static_int(n) for n in lengths)
        new, sample = PhiloxUniform(dtype, static)(rng, *lengths)
        return self._registered(rng, new, sample)

    def _start(self, k: int) -> Any:
        """The first state of variable number k."""
        return state(self.key, k << APART)


def _checked(seed: Any) -> int:
    """The seed. Raises RandomError."""
    if not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**64:
        raise RandomError(f"{seed!r:.80} is no seed", advice="give an int from 0 to 2**64 - 1")
    return int(seed)
