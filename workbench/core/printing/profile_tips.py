"""Tips for a quicker function: each only where the measured times say that it would help."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from workbench.core.graph import Apply
from workbench.core.profile import Times
from workbench.core.profile_sums import is_native
from workbench.core.types import TensorType

if TYPE_CHECKING:
    from workbench.core.profile_stats import ProfileStats

MUCH = 0.1
"""The share of the nodes' time from which something is worth a tip."""
SHORT = 2e-5
"""Seconds of a call below which the call itself is what takes time."""


def tips(stats: ProfileStats) -> list[str]:
    """What could be quicker."""
    if not stats.nodes or not stats.call_times.calls:
        return []
    return [*_interpreted(stats), *_wide(stats), *_overhead(stats)]


def _interpreted(stats: ProfileStats) -> Iterator[str]:
    share = _share(stats, lambda node, times: not is_native(times))
    if share >= 0.999:
        yield "every node is run by the interpreter: compile with mode='FAST_RUN'"
    elif share > MUCH:
        slow = sorted({str(n.op) for n, t in stats.outer().items() if not is_native(t)})
        yield f"{share:.0%} of the time is in ops without native code: {', '.join(slow)}"


def _wide(stats: ProfileStats) -> Iterator[str]:
    share = _share(stats, lambda node, times: _is_wide(node))
    if share > MUCH:
        yield (
            f"{share:.0%} of the time is in float64: where the precision of float32 is enough, "
            "half the memory is moved, and twice as much computed at once (config.floatX)"
        )


def _overhead(stats: ProfileStats) -> Iterator[str]:
    calls, seconds = stats.call_times.calls, stats.call_times.seconds
    outside = seconds - stats.compute_total_times()
    if seconds / calls < SHORT and outside > seconds / 2:
        yield (
            f"{outside / seconds:.0%} of a call's time is not in its nodes: compute more in one "
            "call, on longer arrays or with scan. A call that is not profiled has less around it"
        )


def _share(stats: ProfileStats, chosen: Callable[[Apply, Times], bool]) -> float:
    """How much of the nodes' time is in these of them."""
    whole = stats.compute_total_times()
    if not whole:
        return 0.0
    some = (t.seconds for n, t in stats.outer().items() if chosen(n, t))
    return sum(some) / whole


def _is_wide(node: Apply) -> bool:
    """Whether the node computes arrays of float64."""
    types = (v.type for v in node.outputs)
    return any(isinstance(t, TensorType) and t.dtype == "float64" and t.ndim for t in types)
