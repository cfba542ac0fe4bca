"""Draws from a generator's state that is given: each function is (state, …) to (the state after the
draw, the sample).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.random.state import STATE as random_state_type
from workbench.core.random.variable import RandomVariable, drawn
from workbench.tensor.random import RandomStreams

METHODS = {
    **{name: name for name in ("uniform", "normal", "binomial", "poisson", "random_integers")},
    **{name: name for name in ("permutation", "multinomial", "choice")},
    "shuffle": "shuffle_row_elements",
}

__all__ = ["METHODS", "random_state_type"]


class _OnOneState(RandomStreams):
    """What its methods make is drawn from this state, and not from one of its own."""

    def __init__(self, state: Any) -> None:
        super().__init__(0)
        self.state = state

    def gen(self, op: Callable[..., Any], *args: Any, **kwargs: Any) -> RandomVariable:
        new, sample = op(self.state, *args, **kwargs)
        return drawn(sample, (self.state, new))


def __getattr__(name: str) -> Any:
    if name not in METHODS:
        raise AttributeError(name)

    def draw(random_state: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        sample = getattr(_OnOneState(random_state), METHODS[name])(*args, **kwargs)
        return sample.update[1], sample

    draw.__name__ = draw.__qualname__ = name
    draw.__doc__ = f"`RandomStreams.{METHODS[name]}`, drawn from this state."
    globals()[name] = draw
    return draw
