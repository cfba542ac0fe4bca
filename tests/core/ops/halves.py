"""The declared samples of ops with float16 in the place of float64."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.core.ops.backends import inputs_for
from workbench.core.graph import Op
from workbench.core.samples import SAMPLES, Sample


def with_halves(sample: Sample) -> Sample | None:
    """The sample with float16 in the place of float64; None where it has none, or is of one dtype
    only.
    """
    with np.errstate(over="ignore"):
        arrays = [a.astype("float16") if a.dtype == np.float64 else a for a in sample.arrays]
    if all(a.dtype != np.float16 for a in arrays):
        return None
    wide = [a.astype("float32") if a.dtype == np.float16 else a for a in arrays]
    try:
        sample.build(*inputs_for(arrays))
        sample.build(*inputs_for(wide))
    except TypeError:
        return None
    return dataclasses.replace(sample, arrays=tuple(arrays))


OF_ONE_DTYPE = {
    "ARange", "Loop", "Scan", "Elemwise-composite", "IfElse-with branches inside", "Poisson-array"
}  # fmt: skip
"""Ops that are made for the dtypes of what is inside, and one whose numbers are too large."""


def halves() -> Iterator[tuple[type[Op], Sample]]:
    """Every such sample."""
    for kind, make in SAMPLES.items():
        for sample in make():
            names = (kind.__name__, f"{kind.__name__}-{sample.name}")
            if OF_ONE_DTYPE.isdisjoint(names) and (half := with_halves(sample)) is not None:
                yield kind, half


def params(kept: Callable[[type[Op]], bool] = lambda kind: True) -> list[Any]:
    """Those of some classes, for pytest."""
    return [
        pytest.param(sample, id=f"{kind.__name__}-{sample.name}")
        for kind, sample in halves() if kept(kind)
    ]  # fmt: skip


def wide_arrays(sample: Sample) -> list[Any]:
    """The sample's arrays, float16 as float32."""
    return [a.astype("float32") if a.dtype == np.float16 else a for a in sample.arrays]


def check_near(result: Any, wide: Any) -> None:
    """A result is what float32 gives, rounded once or a few times."""
    if result.dtype == np.float16:
        with np.errstate(over="ignore"):
            wide = wide.astype("float16").astype("float32")
        result = result.astype("float32")
    assert result.dtype == wide.dtype
    scale = np.abs(wide[np.isfinite(wide)]).max(initial=1) if wide.dtype.kind in "fc" else 0
    np.testing.assert_allclose(result, wide, rtol=0, atol=scale * 2.0**-8)
