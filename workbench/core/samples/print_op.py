"""Samples: printing."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.ops.print_op import Print
from workbench.core.samples.declare import Sample, numbers, of


def quiet(op: Print, value: object) -> None:
    """Prints nothing."""


@of(Print)
def _print() -> Iterator[Sample]:
    for name, array in (("matrix", numbers(3, 2)), ("scalar", numbers()), ("empty", numbers(0))):
        yield Sample(
            name,
            Print("value", ("shape",), quiet),
            (array,),
            lambda x: x,
            0,
            (0,),
            native="printing is Python's",
        )
