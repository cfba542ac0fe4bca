"""Samples: shapes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.core.ops import (
    shape,
)
from workbench.core.ops.alloc import Alloc, alloc
from workbench.core.ops.join import Join, join
from workbench.core.samples.declare import Sample, numbers, of


@of(shape.Dimension)
def _dimension() -> Iterator[Sample]:
    for axis in (0, 1):
        yield Sample(
            f"axis {axis}",
            shape.Dimension(axis),
            (numbers(3, 0),),
            lambda x, axis=axis: np.array(x.shape[axis]),
        )


@of(shape.MakeVector)
def _make_vector() -> Iterator[Sample]:
    yield Sample(
        "integers",
        shape.MakeVector(),
        tuple(np.array(i) for i in (3, -1, 5)),
        lambda *v: np.array(v),
    )
    yield Sample(
        "floats",
        shape.MakeVector("float64"),
        (np.array(1.5), np.array(2, "int8")),
        lambda *v: np.array(v),
        smooth=(0,),
    )
    yield Sample("none", lambda: shape.MakeVector()(), (), lambda: np.empty(0, "int64"))


@of(shape.DimShuffle)
def _dimshuffle() -> Iterator[Sample]:
    for order in ((1, 0, 2), ("x", 2, 0, "x", 1), (2, 1, 0)):
        axes = [i for i in order if i != "x"]
        new = tuple(i for i, a in enumerate(order) if a == "x")
        yield Sample(
            str(order),
            shape.DimShuffle(order),
            (numbers(2, 3, 4),),
            lambda x, axes=axes, new=new: np.expand_dims(x.transpose(axes), new),
            smooth=(0,),
        )
    yield Sample(
        "drop",
        lambda x: shape.DimShuffle((1,))(shape.addbroadcast(x, 0)),
        (numbers(1, 3),),
        lambda x: x[0],
        smooth=(0,),
    )
    yield Sample(
        "of a scalar",
        shape.DimShuffle(("x", "x")),
        (numbers(),),
        lambda x: x.reshape(1, 1),
        smooth=(0,),
    )


@of(shape.Reshape)
def _reshape() -> Iterator[Sample]:
    for old, new in (
        ((2, 6), (3, 4)),
        ((2, 6), (-1,)),
        ((2, 6), (2, -1, 3)),
        ((0, 3), (3, 0)),
        ((1,), ()),
        ((), (1, 1)),
    ):
        yield Sample(
            f"{old} to {new}",
            lambda x, new=new: shape.reshape(x, new),
            (numbers(*old),),
            lambda x, new=new: x.reshape(new),
            smooth=(0,),
        )
    yield Sample(
        "lengths that are inputs",
        lambda x, n: shape.reshape(x, (n, -1)),
        (numbers(2, 6), np.array(4)),
        lambda x, n: x.reshape(n, -1),
        smooth=(0,),
    )


@of(Alloc)
def _alloc() -> Iterator[Sample]:
    yield Sample(
        "a scalar",
        lambda v: alloc(v, 2, 3),
        (numbers(),),
        lambda v: np.full((2, 3), v),
        smooth=(0,),
    )
    yield Sample(
        "a vector",
        lambda v, n: alloc(v, n, 3),
        (numbers(3), np.array(2)),
        lambda v, n: np.broadcast_to(v, (n, 3)),
        smooth=(0,),
    )
    yield Sample(
        "a column",
        lambda v: alloc(shape.addbroadcast(v, 1), 2, 3),
        (numbers(2, 1),),
        lambda v: np.broadcast_to(v, (2, 3)),
        smooth=(0,),
    )
    yield Sample(
        "nothing",
        lambda v, n: alloc(v, n, 3),
        (numbers(), np.array(0)),
        lambda v, n: np.empty((0, 3)),
    )


@of(Join)
def _join() -> Iterator[Sample]:
    for axis in (0, 1):
        lengths = [(2, 3), (2, 3), (2, 3)]
        yield Sample(
            f"along {axis}",
            Join(axis),
            tuple(numbers(*n, seed=i) for i, n in enumerate(lengths)),
            lambda *v, axis=axis: np.concatenate(v, axis),
            smooth=(0, 1, 2),
        )
    yield Sample(
        "of dtypes",
        Join(0),
        (numbers(2), numbers(0, dtype="int8"), numbers(3, dtype="int32")),
        lambda *v: np.concatenate(v),
        smooth=(0,),
    )
    yield Sample(
        "with a new axis",
        lambda x, s: join(0, x, shape.dimshuffle(s, ["x"])),
        (numbers(3), numbers()),
        lambda x, s: np.append(x, s),
        smooth=(0, 1),
    )


@of(shape.SpecifyBroadcast)
def _specify() -> Iterator[Sample]:
    yield Sample(
        "a row",
        lambda x: shape.specify_shape(x, (1, None)),
        (numbers(1, 3),),
        lambda x: x,
        smooth=(0,),
    )
