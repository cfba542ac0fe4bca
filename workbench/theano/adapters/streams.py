"""Random streams with their older arguments."""

from __future__ import annotations

from typing import Any

from workbench.tensor import random


class MRG_RandomStreams(random.MRG_RandomStreams):
    """`MRG_RandomStreams`; whether a device draws (`use_cuda`), the compiler decides."""

    def __init__(self, seed: Any = 12345, use_cuda: bool | None = None) -> None:
        super().__init__(seed)

    def normal(self, *args: Any, truncate: bool = False, **kwargs: Any) -> Any:
        """Normal numbers; `truncate`: within two standard deviations."""
        if truncate:
            return self.truncated_normal(*args, **kwargs)
        return super().normal(*args, **kwargs)

    def get_substream_rstates(
        self, n_streams: int, dtype: str | None = None, inc_rstate: bool = True
    ) -> Any:
        """The states of so many streams, a row each; then, with `inc_rstate`, the generator goes
        ahead. Its words are of one dtype.
        """
        before = self.rstate
        found = super().get_substream_rstates(n_streams)
        if not inc_rstate:
            self.rstate = before
        return found
