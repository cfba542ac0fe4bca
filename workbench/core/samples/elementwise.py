"""Samples: elementwise nodes with more than one result, and loops; plain scalar ops are walked by
their own declarations.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.ops import (
    scalars,
)
from workbench.core.ops.elementwise import Composite, Elemwise
from workbench.core.ops.loop import Loop, LoopResult
from workbench.core.samples.declare import Sample, numbers, of
from workbench.core.scalar import ScalarBuilder


@of(Elemwise)
def _elementwise() -> Iterator[Sample]:
    b = ScalarBuilder(("float64", "float64"))
    total = b.prim("add", "float64", 0, 1)
    fused = b.program(total, b.prim("mul", "float64", total, 0))
    arrays = (numbers(3, 4), numbers(4, seed=1))
    yield Sample(
        "composite",
        Elemwise(Composite(fused, "two results")),
        arrays,
        lambda x, y: [x + y, (x + y) * x],
    )
    for to in ("bool", "int8", "uint16", "int64", "float32", "complex64"):
        yield Sample(
            f"cast to {to}",
            Elemwise(scalars.Cast(to)),
            (numbers(3, 4, low=0),),
            lambda x, to=to: x.astype(to),
        )


@of(Loop)
def _loop() -> Iterator[Sample]:
    b = ScalarBuilder(("float64", "float64"))
    product = b.prim("mul", "float64", 0, 1)
    program = b.program(product, product, product)
    results = (
        LoopResult(None, "float64"),
        LoopResult("add", "float64", "float64"),
        LoopResult("maximum", "float64", "float64"),
    )
    yield Sample(
        "product, its sum and its maximum",
        Loop(program, results, (1,), 2),
        (numbers(3, 5), numbers(5, seed=1)),
        lambda x, y: [x * y, (x * y).sum(1), (x * y).max(1)],
        ulp=8,
    )
