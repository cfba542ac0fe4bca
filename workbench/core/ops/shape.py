"""Ops that read and change shapes: Dimension, MakeVector, DimShuffle, Reshape, SpecifyBroadcast.

`alloc` spreads values over shapes, `join` puts arrays together, `shaping` has more functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Array, Constant, Gradients, Op, Type, Variable, Variables
from workbench.core.types import Shape as StaticShape
from workbench.core.types import TensorType, as_tensor, constant, is_discrete, tensor_type
from workbench.errors import DtypeError, RankError, ShapeError
from workbench.frozen import frozen


@frozen
class Dimension(Op):
    """The length of one axis, an int64 scalar: the host knows it, wherever the tensor lies."""

    takes_half = True

    axis: int

    on_device = True

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        if not 0 <= self.axis < tensor_type(inputs[0]).ndim:
            raise RankError(
                f"{inputs[0]} has {tensor_type(inputs[0]).ndim} axes; there is no axis {self.axis}",
                advice="ask for the length of an axis that is there",
            )
        return [TensorType("int64")]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        return [np.asarray(values[0].shape[self.axis], "int64")]

    def connected(self, index: int) -> bool:
        return False

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        return [None]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [()]

    @property
    def label(self) -> str:
        return f"shape[{self.axis}]"

    def __str__(self) -> str:
        return f"Shape_i{{{self.axis}}}"


@frozen
class MakeVector(Op):
    """A vector of scalars."""

    takes_half = True

    dtype: str = "int64"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        for v in inputs:
            if tensor_type(v).ndim != 0:
                raise RankError(
                    f"{v} is of {v.type}; only scalars make a vector", advice="use stack or join"
                )
        return [TensorType(self.dtype, (len(inputs),))]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        return [np.array([v[()] for v in values], self.dtype)]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        from workbench.core.ops.scalars import cast

        (g,) = gradients
        return [
            None
            if g is None or is_discrete(tensor_type(v).dtype)
            else cast(g[i], tensor_type(v).dtype)
            for i, v in enumerate(inputs)
        ]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [(len(inputs),)]


def dimension(x: Any, axis: int) -> Any:
    """The length of one axis: an int where it is static, else an int64 scalar variable."""
    variable = x if isinstance(x, Variable) else as_tensor(x)
    known = tensor_type(variable).shape[normal_axis(axis, variable, "shape")]
    return known if known is not None else Dimension(axis % tensor_type(variable).ndim)(variable)


def shape(x: Any) -> Any:
    """The shape of x as an int64 vector."""
    variable = as_tensor(x)
    dims = [as_scalar_int(dimension(variable, i)) for i in range(tensor_type(variable).ndim)]
    return MakeVector()(*dims)


def shape_tuple(x: Any) -> tuple[Any, ...]:
    """The dimensions of x, each an int or an int64 scalar variable."""
    variable = x if isinstance(x, Variable) else as_tensor(x)
    return tuple(dimension(variable, i) for i in range(tensor_type(variable).ndim))


def as_scalar_int(value: Any) -> Variable:
    """An int64 scalar variable from an int or a scalar variable of any integer dtype."""
    if isinstance(value, int):
        return constant(value, "int64")
    variable = as_tensor(value)
    t = tensor_type(variable)
    if t.ndim != 0 or t.dtype[0] not in "iu":
        raise DtypeError(
            f"{variable} is of {t}; an integer scalar is needed",
            advice="lengths and positions are integers: cast it, or take one element",
        )
    if t.dtype == "int64":
        return variable
    from workbench.core.ops.scalars import cast

    return cast(variable, "int64")  # type: ignore[no-any-return]


def static_int(variable: Variable) -> int | None:
    """The value of a constant integer scalar, else None."""
    return (
        int(variable.data) if isinstance(variable, Constant) and variable.data.ndim == 0 else None
    )


@frozen
class DimShuffle(Op):
    """Axes in another order: an int names an input axis, 'x' a new axis of length 1; axes of length
    1 may be left out.
    """

    takes_half = True

    order: tuple[int | str, ...]

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = tensor_type(inputs[0])
        axes = [i for i in self.order if i != "x"]
        if len(set(axes)) != len(axes) or any(
            not isinstance(i, int) or not 0 <= i < t.ndim for i in axes
        ):
            raise RankError(
                f"dimshuffle{self.order} does not fit {inputs[0]}, which has {t.ndim} axes",
                advice="name every axis once; 'x' makes a new one",
            )
        if dropped := [i for i in range(t.ndim) if i not in axes and t.shape[i] != 1]:
            raise RankError(
                f"dimshuffle{self.order} would drop axis {dropped[0]} of {inputs[0]}, which is "
                f"not of length 1",
                advice="only axes of static length 1 can be dropped; index or reduce it",
            )
        return [TensorType(t.dtype, tuple(1 if i == "x" else t.shape[int(i)] for i in self.order))]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        (x,) = values
        axes = [int(i) for i in self.order if i != "x"]
        dropped = tuple(i for i in range(x.ndim) if i not in axes)
        kept = sorted(axes)
        moved = x.squeeze(dropped).transpose([kept.index(i) for i in axes])
        return [np.expand_dims(moved, tuple(i for i, a in enumerate(self.order) if a == "x"))]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        if g is None:
            return [None]
        ndim = tensor_type(inputs[0]).ndim
        back: list[int | str] = [
            self.order.index(i) if i in self.order else "x" for i in range(ndim)
        ]
        return [dimshuffle(g, back)]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [[1 if i == "x" else dimension(inputs[0], int(i)) for i in self.order]]

    @property
    def is_transpose(self) -> bool:
        return self.order == (1, 0)

    @property
    def label(self) -> str:
        return (
            "transpose" if self.is_transpose else f"dimshuffle({', '.join(map(str, self.order))})"
        )

    def __str__(self) -> str:
        return f"InplaceDimShuffle{{{','.join(map(str, self.order))}}}"


def dimshuffle(x: Any, order: Sequence[int | str]) -> Any:
    """x with its axes in this order ('x' for a new one); x itself where nothing changes."""
    variable = as_tensor(x)
    ndim = tensor_type(variable).ndim
    full = tuple(i if i == "x" else normal_axis(int(i), variable, "dimshuffle") for i in order)
    return variable if full == tuple(range(ndim)) else DimShuffle(full)(variable)


def pad_ranks(operands: Sequence[Variable]) -> list[Variable]:
    """The operands, each given leading axes of length 1 until all have the same rank."""
    most = max((tensor_type(v).ndim for v in operands), default=0)
    return [
        dimshuffle(v, ("x",) * (most - tensor_type(v).ndim) + tuple(range(tensor_type(v).ndim)))
        for v in operands
    ]


def normal_axis(axis: int, variable: Variable, what: str, extra: int = 0) -> int:
    """The axis counted from 0, of a tensor with `extra` axes more than the variable has. Raises
    RankError.
    """
    ndim = tensor_type(variable).ndim + extra
    if not -ndim <= axis < ndim:
        raise RankError(
            f"{what}: {axis} is not an axis; there are {ndim}",
            f"{what} of {variable}: {variable.type}",
            advice=f"axes go from {-ndim} to {ndim - 1}" if ndim else "a scalar has no axes",
        )
    return int(axis) % ndim


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """x with its axes in reverse, or in the order given."""
    variable = as_tensor(x)
    ndim = tensor_type(variable).ndim
    if axes is not None and len(axes) != ndim:
        raise RankError(
            f"transpose: {len(axes)} axes are named of {ndim}",
            f"transpose of {variable}: {variable.type}",
            advice="name every axis once",
        )
    return dimshuffle(variable, tuple(axes) if axes is not None else tuple(reversed(range(ndim))))


@frozen
class Reshape(Op):
    """The same elements in another shape. Inputs: x and one int64 scalar per axis; one of them may
    be -1.
    """

    takes_half = True

    static: StaticShape

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        return [TensorType(tensor_type(inputs[0]).dtype, self.static)]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        x, *dims = values
        try:
            return [x.reshape([int(n) for n in dims])]
        except ValueError as error:
            raise ShapeError(
                f"cannot reshape {x.shape} to {tuple(int(n) for n in dims)}: {error}",
                advice="the numbers of elements must be equal; one length may be -1",
            ) from None

    def connected(self, index: int) -> bool:
        return index == 0

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        back = None if g is None else reshape(g, shape_tuple(inputs[0]))
        return [back, *([None] * (len(inputs) - 1))]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]] | None:
        dims = [
            n if n is not None else static_or_self(v)
            for n, v in zip(self.static, inputs[1:], strict=True)
        ]
        if not any(n == -1 for n in dims):
            return [dims] if all(isinstance(n, int) or _plain(n) for n in dims) else None
        return None

    @property
    def label(self) -> str:
        return "reshape"

    def __str__(self) -> str:
        return f"Reshape{{{len(self.static)}}}"


def _plain(dim: Any) -> bool:
    """Whether a symbolic dimension surely is not -1: it is some array's length."""
    return (
        isinstance(dim, Variable) and dim.owner is not None and isinstance(dim.owner.op, Dimension)
    )


def static_or_self(variable: Variable) -> Any:
    """The value of a constant integer scalar, else the variable."""
    known = static_int(variable)
    return variable if known is None else known


def reshape(x: Any, newshape: Any, ndim: int | None = None) -> Any:
    """x in another shape: a sequence of ints and scalar variables (-1 once), or a vector variable
    with `ndim` given.
    """
    variable = as_tensor(x)
    if isinstance(newshape, Variable) and tensor_type(newshape).ndim == 1:
        length = ndim if ndim is not None else tensor_type(newshape).shape[0]
        if length is None:
            raise RankError(
                "reshape to a shape of an unknown number of axes",
                f"reshape of {variable}: {variable.type} to {newshape}: {newshape.type}",
                advice="give ndim=, the number of axes of the result",
            )
        parts: list[Any] = [newshape[i] for i in range(length)]  # type: ignore[index]
    else:
        parts = list(newshape) if isinstance(newshape, (list, tuple, np.ndarray)) else [newshape]
    dims = [as_scalar_int(p if isinstance(p, Variable) else int(p)) for p in parts]
    static = tuple(None if (n := static_int(d)) is None or n < 0 else n for d in dims)
    known = tensor_type(variable).shape
    _check_lengths(variable, dims)
    if None not in known and sum(n is None for n in static) == 1:  # the one length left over
        rest = int(np.prod([n for n in static if n is not None], dtype=np.int64))
        total = int(np.prod(known, dtype=np.int64))  # type: ignore[arg-type]
        if rest and any(static_int(d) == -1 for d in dims) and total % rest == 0:
            static = tuple(total // rest if n is None else n for n in static)
    return Reshape(static)(variable, *dims)


def _check_lengths(variable: Variable, dims: Sequence[Variable]) -> None:
    """Raises ShapeError where what is known already says that x cannot take this shape."""
    wanted, known = [static_int(d) for d in dims], tensor_type(variable).shape
    fits = wanted.count(-1) <= 1 and all(n is None or n >= -1 for n in wanted)
    if fits and None not in known and None not in wanted:
        size, part = math.prod(known), math.prod(n for n in wanted if n != -1)  # type: ignore[arg-type,misc]
        fits = (part != 0 and size % part == 0) if -1 in wanted else part == size
    if not fits:
        raise ShapeError(
            f"cannot reshape to ({', '.join('?' if n is None else str(n) for n in wanted)})",
            f"reshape of {variable}: {variable.type}",
            advice="the numbers of elements must be equal; one length may be -1",
        )


def flatten(x: Any, ndim: int = 1) -> Any:
    """x with its last axes joined, so that `ndim` are left."""
    variable = as_tensor(x)
    rank = tensor_type(variable).ndim
    if ndim == rank:
        return variable
    if not 1 <= ndim <= max(rank, 1):
        raise RankError(
            f"flatten: {ndim} axes cannot be left",
            f"flatten of {variable}: {variable.type}",
            advice=f"ndim is from 1 to {max(rank, 1)}",
        )
    return reshape(variable, [*shape_tuple(variable)[: ndim - 1], -1])


@frozen
class SpecifyBroadcast(Op):
    """x, with its static shape made narrower ('this axis has length 1', checked) or wider
    ('unknown').
    """

    takes_half = True

    static: StaticShape

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = tensor_type(inputs[0])
        if t.ndim != len(self.static):
            raise RankError(
                f"{inputs[0]} has {t.ndim} axes, not {len(self.static)}",
                advice="give one length (or None) for each axis",
            )
        for axis, (known, n) in enumerate(zip(t.shape, self.static, strict=True)):
            if None not in (known, n) and known != n:
                raise ShapeError(
                    f"axis {axis} of {inputs[0]} has length {known}; it cannot be declared as {n}",
                    advice="only a length that is not known can be declared",
                )
        return [TensorType(t.dtype, self.static)]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        for axis, (n, known) in enumerate(zip(values[0].shape, self.static, strict=True)):
            if known is not None and n != known:
                raise ShapeError(
                    f"axis {axis} was declared to have length {known}; it has {n}",
                    advice="give a value of the declared length, or remove the declaration",
                )
        return [values[0]]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        return [None if g is None else SpecifyBroadcast(tensor_type(inputs[0]).shape)(g)]

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        return [
            [n if n is not None else dimension(inputs[0], i) for i, n in enumerate(self.static)]
        ]

    def __str__(self) -> str:
        return "Rebroadcast"


def specify_shape(x: Any, static: Sequence[int | None]) -> Any:
    """x, declared to have these lengths (None: unknown); checked when it runs."""
    variable = as_tensor(x)
    wanted = tuple(static)
    return variable if tensor_type(variable).shape == wanted else SpecifyBroadcast(wanted)(variable)


def addbroadcast(x: Any, *axes: int) -> Any:
    """x, declared to have length 1 on these axes."""
    variable = as_tensor(x)
    where = [normal_axis(a, variable, "addbroadcast") for a in axes]
    return specify_shape(
        variable, [1 if i in where else n for i, n in enumerate(tensor_type(variable).shape)]
    )


def unbroadcast(x: Any, *axes: int) -> Any:
    """x, with these axes no longer known to have length 1, so that they do not broadcast."""
    variable = as_tensor(x)
    where = [normal_axis(a, variable, "unbroadcast") for a in axes]
    return specify_shape(
        variable, [None if i in where else n for i, n in enumerate(tensor_type(variable).shape)]
    )
