"""Samples: reductions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from workbench.core.ops import (
    reduce,
)
from workbench.core.samples.declare import Sample, numbers, of

_AXES: tuple[tuple[int, ...], ...] = ((0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2))


def _reductions(
    kind: Any,
    function: Any,
    dtypes: Sequence[str],
    ulp: float,
    smooth: bool = True,
    out: Callable[[str], str] = str,
    shapes: Sequence[tuple[int, ...]] = ((2, 3, 4),),
) -> Iterator[Sample]:
    for dtype in dtypes:
        for lengths in shapes if dtype == "float64" else shapes[:1]:
            for axes in _AXES if dtype == "float64" else _AXES[2:4]:
                x = numbers(*lengths, dtype=dtype, low=0.5 if kind is reduce.Prod else -3, high=1.5)
                acc = {"float32": "float64", "complex64": "complex128"}.get(dtype, out(dtype))
                to = out(dtype)
                yield Sample(
                    f"{dtype} {lengths} over {axes}",
                    kind(axes),
                    (x,),
                    lambda x, axes=axes, acc=acc, to=to: np.asarray(
                        function(x.astype(acc), axis=axes), to
                    ),
                    ulp,
                    (0,) if smooth and dtype == "float64" and x.size else (),
                )


_NUMBERS = ("bool", "int8", "uint16", "int64", "uint64", "float32", "float64")
_EMPTIES = ((2, 3, 4), (2, 0, 4), (0, 3, 1))


def _wide(dtype: str) -> str:
    return dtype if dtype[0] in "fc" else "uint64" if dtype[0] == "u" else "int64"


@of(reduce.Sum)
def _sum() -> Iterator[Sample]:
    yield from _reductions(
        reduce.Sum, np.add.reduce, (*_NUMBERS, "complex64"), 16, out=_wide, shapes=_EMPTIES
    )


@of(reduce.Prod)
def _prod() -> Iterator[Sample]:
    yield from _reductions(
        reduce.Prod, np.multiply.reduce, (*_NUMBERS, "complex128"), 16, out=_wide, shapes=_EMPTIES
    )
    for zeros in (1, 2):
        x = numbers(3, 4, low=0.5)
        x[1, :zeros] = 0
        yield Sample(f"with {zeros} zeros", reduce.Prod((1,)), (x,), lambda x: x.prod(1), 4, (0,))
    yield Sample(
        "promised to have none",
        reduce.Prod((1,), no_zeros=True),
        (numbers(3, 4, low=0.5),),
        lambda x: x.prod(1),
        4,
        (0,),
    )


@of(reduce.Max)
def _max() -> Iterator[Sample]:
    yield from _reductions(reduce.Max, np.maximum.reduce, _NUMBERS, 0)
    yield Sample("nan", reduce.Max((0,)), (np.array([1, np.nan, np.inf]),), np.max)


@of(reduce.Peak)
def _peak() -> Iterator[Sample]:
    yield from _reductions(reduce.Peak, np.maximum.reduce, _NUMBERS, 0)
    for dtype, lowest in (("float64", -np.inf), ("float32", -np.inf), ("int8", -128), ("bool", 0)):
        yield Sample(
            f"nothing of {dtype}",
            reduce.Peak((1,)),
            (numbers(3, 0, dtype=dtype),),
            lambda x, lowest=lowest: np.full(3, lowest, x.dtype),
        )


@of(reduce.Min)
def _min() -> Iterator[Sample]:
    yield from _reductions(reduce.Min, np.minimum.reduce, _NUMBERS, 0)
    yield Sample("nan", reduce.Min((0,)), (np.array([1, np.nan, -np.inf]),), np.min)


@of(reduce.All)
def _all() -> Iterator[Sample]:
    yield from _reductions(
        reduce.All, np.logical_and.reduce, _NUMBERS, 0, False, lambda _: "bool", _EMPTIES
    )


@of(reduce.Any_)
def _any() -> Iterator[Sample]:
    yield from _reductions(
        reduce.Any_, np.logical_or.reduce, _NUMBERS, 0, False, lambda _: "bool", _EMPTIES
    )
