"""Whether two values are the same computation's, and where they differ if not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from workbench.core.devices import on_host
from workbench.core.types import TensorType

RELATIVE = {"float16": 1e-2, "float32": 1e-4, "complex64": 1e-4}
ABSOLUTE = {"float16": 1e-3, "float32": 1e-5, "complex64": 1e-5}
ROUNDINGS = 64
"""How many roundings of the largest number that took part may be between two orders of adding."""


def difference(
    expected: Any, found: Any, operands: Iterable[Any] = (), excused: Any = False
) -> str:
    """How `found` differs from `expected`, or '' where rounding explains it.

    operands  what both were computed from: the larger that is, the more rounding explains
    excused   where they may differ, as a mask

    Where the expected value is not finite any other is taken: that is what stable formulas are for.
    Values that are no arrays are not compared.
    """
    expected, found = on_host(expected), on_host(found)
    if not (_is_array(expected) and _is_array(found)):
        return ""
    a, b = np.asarray(expected), np.asarray(found)
    if a.dtype != b.dtype:
        return f"dtype {b.dtype} instead of {a.dtype}"
    if a.shape != b.shape:
        return f"shape {b.shape} instead of {a.shape}"
    if a.dtype.kind not in "fc":
        return _told(a, b, a != b)
    with np.errstate(all="ignore"):
        name = str(a.dtype)
        relative, absolute = RELATIVE.get(name, 1e-7), ABSOLUTE.get(name, 1e-8)
        allowed = absolute + relative * np.abs(a)
        wrong = np.isfinite(a) & ~(np.abs(a - b) <= allowed) & ~np.asarray(excused)
        if wrong.any():  # it takes a while to look at all operands
            took_part = [a, *operands]
            allowed += ROUNDINGS * _coarsest(took_part) * _scale(took_part)
            wrong &= ~(np.abs(a - b) <= allowed)
    return _told(a, b, wrong)


def _told(a: Any, b: Any, wrong: Any) -> str:
    if not wrong.any():
        return ""
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    largest = ""
    if a.dtype.kind in "fc":
        with np.errstate(all="ignore"):
            worst = (
                np.nanmax(np.where(wrong, np.abs(a - b), 0))
                if np.isfinite(b[wrong]).any()
                else np.inf
            )
        largest = f", the largest difference is {worst:.3g}"
    count = f"{np.count_nonzero(wrong)} of {a.size} elements differ{largest}"
    place = f", first at {first}" if first else ""
    return f"{count}{place}: {b[first]} instead of {a[first]}"


def _coarsest(values: Iterable[Any]) -> float:
    """The largest relative rounding of the numbers that took part."""
    kinds = {v.dtype for v in values if _is_array(v) and v.dtype.kind in "fc"}
    return max(float(np.finfo(kind).eps) for kind in kinds)


def _scale(values: Iterable[Any]) -> float:
    """The largest number, or product of two numbers, that took part."""
    sizes = sorted((_largest(value) for value in values), reverse=True)
    return max(1.0, sizes[0], sizes[0] * (sizes[1] if len(sizes) > 1 else 1.0))


def _largest(value: Any) -> float:
    if not _is_array(value) or value.dtype.kind not in "fc":
        return 0.0
    magnitudes = np.abs(np.asarray(value, "complex128" if value.dtype.kind == "c" else "float64"))
    finite = magnitudes[np.isfinite(magnitudes)]
    return float(finite.max()) if finite.size else 0.0


def _is_array(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.generic))


def out_of_range(value: Any) -> Any:
    """Where a float is not finite, or so small that it has lost digits: a mask, or None where that
    is nowhere.
    """
    if not _is_array(value) or value.dtype.kind not in "fc":
        return None
    with np.errstate(all="ignore"):
        size = np.abs(value)
        mask = ~np.isfinite(size) | ((size > 0) & (size < np.finfo(value.dtype).tiny))
    return mask if mask.any() else None


def misfit(value: Any, type: Any) -> str:
    """How a value is not one of a type, or ''."""
    if not isinstance(type, TensorType):
        return ""
    if not _is_array(value):
        return f"it is of {value.__class__.__name__}, not an array"
    if str(value.dtype) != type.dtype:
        return f"its dtype is {value.dtype}"
    known = zip(value.shape, type.shape, strict=False)
    if value.ndim != type.ndim or any(n is not None and m != n for m, n in known):
        return f"its shape is {value.shape}"
    return ""


def same_bytes(a: Any, b: Any) -> bool:
    """Whether two arrays are equal to the bit; what is no array counts as equal."""
    if not (_is_array(a) and _is_array(b)) or a.dtype.hasobject:
        return True
    return bool(a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes())
