"""The structure of an index, a tuple with one entry per axis: an int, '?' (a scalar or array among
the inputs), or (start, stop, step) of ints, None and '?'. The inputs after the tensor fill the '?'
in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.ops.scalars import maximum, minimum, switch
from workbench.core.ops.shape import (
    as_scalar_int,
)

Entry = int | str | tuple[Any, Any, Any]  # Any: int, None or '?'


Spec = tuple[Entry, ...]


FULL: Entry = (None, None, None)


def fill(spec: Spec, parts: Sequence[Any]) -> tuple[Any, ...]:
    """The index that NumPy takes: every '?' replaced by the next part."""
    left = iter(parts)

    def part(entry: Any) -> Any:
        return next(left) if entry == "?" else entry

    return tuple(slice(*map(part, e)) if isinstance(e, tuple) else part(e) for e in spec)


def count_dynamic(spec: Spec) -> int:
    """How many inputs fill the '?' of an index."""
    return sum(e.count("?") if isinstance(e, tuple) else e == "?" for e in spec)


def describe(spec: Spec) -> str:
    """How the index reads: '[?, 1:, ::-1]'."""

    def part(e: Any) -> str:
        return "" if e is None else str(e)

    def entry(e: Entry) -> str:
        if not isinstance(e, tuple):
            return part(e)
        return f"{part(e[0])}:{part(e[1])}" + (f":{part(e[2])}" if e[2] is not None else "")

    return f"[{', '.join(map(entry, spec))}]"


def slice_length(start: Any, stop: Any, step: Any, n: Any) -> Any:
    """The length of n[start:stop:step], from ints (NumPy's rule) or integer scalars; None for a
    symbolic step.
    """
    if all(v is None or isinstance(v, int) for v in (start, stop, step)) and isinstance(n, int):
        return len(range(*slice(start, stop, step).indices(n)))
    if not (step is None or isinstance(step, int)):
        return None
    stride = 1 if step is None else step
    first, last = slice_bounds(start, stop, stride, n)
    length = (last - first) if stride > 0 else (first - last)
    steps = length if abs(stride) == 1 else (length + (abs(stride) - 1)) // abs(stride)
    if (start is None and stop is None) and abs(stride) == 1:
        return n
    return maximum(steps, 0)


def slice_bounds(start: Any, stop: Any, step: int, n: Any) -> tuple[Any, Any]:
    """First and last (exclusive) position of a slice of an axis of length n, as Python's
    slice.indices has them.
    """
    low, high = (0, n) if step > 0 else (-1, n - 1)

    def bound(value: Any, default: Any) -> Any:
        if value is None:
            return default
        if isinstance(value, int):
            return minimum(value, high) if value >= 0 else maximum(n + value, low)
        value = as_scalar_int(value)
        return switch(value < 0, maximum(value + n, low), minimum(value, high))

    return (
        (bound(start, low), bound(stop, high))
        if step > 0
        else (bound(start, high), bound(stop, low))
    )
