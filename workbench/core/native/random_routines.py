"""The routines for random numbers by name, of whichever file has them."""

from __future__ import annotations

from functools import cache

from workbench.core.native import count_draws, draws, mersenne, mrg, philox
from workbench.core.native.routine import Routine


@cache
def routine(name: str) -> Routine:
    """The routine `wb.mt.…`, `wb.mrg.…` or `wb.philox.…`; KeyError if there is none of this
    name.
    """
    if name.startswith("wb.mrg."):
        return mrg.of_name(name)
    if name.startswith("wb.philox."):
        return philox.of_name(name)
    rest = name.removeprefix("wb.mt.")
    table = mersenne.ROUTINES | count_draws.ROUTINES | draws.ROUTINES
    return table[rest]()
