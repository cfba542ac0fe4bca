"""Samples: diagonals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.core.ops import diagonals
from workbench.core.samples.declare import Sample, numbers, of

_OFFSETS = (0, 1, -2, 9)


@of(diagonals.Diagonal)
def _diagonal() -> Iterator[Sample]:
    for offset in _OFFSETS:
        for lengths in ((3, 4), (2, 4, 3)):
            yield Sample(
                f"{lengths} {offset}",
                diagonals.Diagonal(offset),
                (numbers(*lengths),),
                lambda x, offset=offset: np.diagonal(x, offset, -2, -1),
                smooth=(0,),
            )
    yield Sample("nothing", diagonals.Diagonal(), (np.zeros((0, 3)),), np.diagonal)


@of(diagonals.IncDiagonal)
def _inc_diagonal() -> Iterator[Sample]:
    for put in (False, True):
        for offset in _OFFSETS:
            for lengths in ((3, 4), (2, 4, 3)):
                x = numbers(*lengths)
                place = np.diagonal(x, offset, -2, -1)

                def reference(x: Any, y: Any, offset: int = offset, put: bool = put) -> Any:
                    result = x.copy()
                    n = np.diagonal(x, offset, -2, -1).shape[-1]
                    rows = np.arange(n) + max(-offset, 0)
                    columns = np.arange(n) + max(offset, 0)
                    result[..., rows, columns] = y + (0 if put else x[..., rows, columns])
                    return result

                for y in (numbers(*place.shape, seed=3), numbers(seed=3)):
                    yield Sample(
                        f"{'set' if put else 'inc'} {lengths} {offset} of shape {y.shape}",
                        diagonals.IncDiagonal(offset, put),
                        (x, y),
                        reference,
                        smooth=(0, 1),
                    )
