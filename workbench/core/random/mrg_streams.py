"""`MRG_RandomStreams`: variables that draw from many streams of MRG31k3p side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workbench.core.graph import Variable
from workbench.core.ops.mrg import MRGUniform
from workbench.core.ops.shape import static_int
from workbench.core.random.mrg import TO_GENERATOR, ahead, seeded, streams
from workbench.core.random.uniform_based import UniformBased
from workbench.core.random.variable import RandomVariable
from workbench.core.shared import shared
from workbench.errors import RandomError

MOST_STREAMS = 60 * 256
UNKNOWN_SIZE = 256
"""How many streams there are where the size is not known: a draw copies their states."""


class MRG_RandomStreams(UniformBased):  # the name is known from the field
    """Makes random variables that draw from the generator MRG31k3p of L'Ecuyer and Touzin (2000).

    Each variable has `nstreams` streams, a row of six words each in a shared variable (its `rng`);
    element i of a sample is drawn from stream i modulo their number. By default there is one stream
    for every six numbers (one for each, up to six), at most 15360; where the size is symbolic, 256.
    Streams are 2**72 numbers apart, the variables' first streams 2**134.

    seed  an int from 1 to 2**31 - 21070, or six of them
    """

    def __init__(self, seed: Any = 12345) -> None:
        super().__init__()
        self.default_seed = seed
        self.rstate = seeded(seed)

    def set_rstate(self, seed: Any) -> None:
        """Start the generator anew for the variables to come: from an int, or six."""
        self.rstate = seeded(seed)

    def inc_rstate(self) -> None:
        """Go 2**134 numbers ahead."""
        self.rstate = ahead(self.rstate, TO_GENERATOR)

    def seed(self, seed: Any = None) -> None:
        """Start anew, this generator and the streams of all its variables in the order of their
        creation; None: from the first seed.
        """
        self.set_rstate(self.default_seed if seed is None else seed)
        for rng, _ in self.state_updates:
            rng.set_value(self.get_substream_rstates(rng.cell[0].shape[0]), borrow=True)

    def get_substream_rstates(self, n_streams: int) -> Any:
        """The states of so many streams, a row each; then the generator goes ahead."""
        found = streams(self.rstate, n_streams)
        self.inc_rstate()
        return found

    def n_streams(self, lengths: Sequence[Variable]) -> int:
        """How many streams there are by default for a sample of these lengths."""
        known = [static_int(n) for n in lengths]
        if None in known:
            return UNKNOWN_SIZE
        count = math.prod(n for n in known if n is not None)
        return max(1, min(count // 6 if count > 6 else count, MOST_STREAMS))

    def _unit(
        self, lengths: Sequence[Variable], dtype: str, nstreams: int | None = None
    ) -> RandomVariable:
        count = self.n_streams(lengths) if nstreams is None else nstreams
        if count < 1:
            raise RandomError(f"nstreams is {count}", advice="there is at least one stream")
        name = f"rng{len(self.state_updates)}"
        rng = shared(self.get_substream_rstates(count), name, borrow=True)
        static = tuple(static_int(n) for n in lengths)
        new, sample = MRGUniform(dtype, static)(rng, *lengths)
        return self._registered(rng, new, sample)
