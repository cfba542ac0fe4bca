"""Loops whose gradient stores few states: every k-th is kept, and what is between is computed
again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph import Variable
from workbench.core.ops.create import zeros
from workbench.core.ops.shape import join, reshape, shape_tuple
from workbench.core.scan.arguments import count_steps, read_infos, read_sequences
from workbench.core.scan.build import scan
from workbench.core.scan.returned import as_variable
from workbench.core.scan.updates import OrderedUpdates
from workbench.core.types import tensor_type
from workbench.errors import ScanError


def scan_checkpoints(
    fn: Callable[..., Any],
    sequences: Any = None,
    outputs_info: Any = None,
    non_sequences: Any = None,
    name: str = "checkpointscan_fn",
    n_steps: Any = None,
    save_every_N: int = 10,
    padding: bool = True,
) -> tuple[Any, OrderedUpdates]:
    """As `scan`, but only the outputs of every `save_every_N`-th step are returned, and stored for
    the gradient.

    The gradient runs the steps between two stored states again, so that it takes the memory of `n /
    save_every_N` states and of one stretch of steps, for the time of one forward loop more. It is a
    loop over stretches of steps with a loop in it: nothing else in the compiler knows of it.

    sequences, outputs_info   as for scan, without taps
    n_steps                   by default as many as there are rows
    padding                   where `save_every_N` does not divide the number of steps, rows of
                              zeros make up for it, and the last stretch takes steps over them;
                              without padding it must divide

    Raises ScanError for taps, and for a step that feeds nothing back.
    """
    given, infos = read_sequences(sequences), read_infos(outputs_info)
    if any(s.taps != (0,) for s in given) or any(i is not None and i.leading for i in infos):
        raise ScanError(
            "scan_checkpoints takes sequences and states without taps", advice="use scan"
        )
    if not any(infos):
        raise ScanError("a loop that feeds nothing back has no states to store", advice="use scan")
    every = as_variable(save_every_N)
    steps: Any = count_steps(n_steps, given)
    stretches = (steps + every - 1) // every if padding else steps // every
    rows = [_stretched(s.variable, steps, stretches, save_every_N, padding) for s in given]

    def stretch(*seen: Any) -> Any:
        parts, states = seen[: len(rows)], iter(seen[len(rows) :])
        starts = [None if info is None else next(states) for info in infos]
        outputs, updates = scan(
            fn,
            list(parts),
            starts,
            non_sequences,
            save_every_N,
            name=f"{name}, a stretch",
            return_list=True,
        )
        return [v[-1] for v in outputs], updates

    starts = [None if info is None else info.initial for info in infos]
    return scan(stretch, rows, starts, None, stretches, name=name)


def _stretched(rows: Variable, steps: Any, stretches: Any, every: int, padding: bool) -> Any:
    """The rows of each stretch as one row of a tensor with an axis more."""
    taken: Any = rows[:steps]  # type: ignore[index]
    rest = shape_tuple(rows)[1:]
    if padding:
        missing = stretches * every - steps
        taken = join(0, taken, zeros((missing, *rest), tensor_type(rows).dtype))
    return reshape(taken, [stretches, every, *rest])
