"""Samples: conditions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.core.ops import checks
from workbench.core.samples.declare import Sample, numbers, of


@of(checks.Check)
def _check() -> Iterator[Sample]:
    for conditions in ((np.array(True),), (np.array(3), np.array(-0.5))):
        yield Sample(
            f"{len(conditions)} that hold",
            checks.Check("it does not hold", "make it hold"),
            (numbers(3), *conditions),
            lambda x, *conditions: x,
            smooth=(0,),
        )
