"""Reductions: sum, prod, max, min, all, any; mean, var and std are written with them."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from workbench.core.graph import Array, Gradients, Op, Type, Variable, Variables
from workbench.core.half import rounded_once
from workbench.core.ops.scalars import absolute, cast, eq, mul, neq, second, sqrt, switch, true_div
from workbench.core.ops.shape import dimension, dimshuffle
from workbench.core.scalar import lowest
from workbench.core.types import (
    TensorType,
    as_tensor,
    is_discrete,
    is_float,
    tensor_type,
    wider_than_half,
)
from workbench.errors import DtypeError, GraphError, RankError, ShapeError
from workbench.frozen import frozen

Axes = tuple[int, ...]

_WIDER = {"float16": "float32", "float32": "float64", "complex64": "complex128"}


@frozen
class Reduce(Op):
    """A reduction over some axes, which the result no longer has.

    scalar      the primitive that combines two elements
    acc_dtype   what elements are accumulated in
    """

    takes_half = True

    axes: Axes

    prim: ClassVar[str] = ""
    title: ClassVar[str] = ""
    empty: ClassVar[object] = None  # the result over no elements; None: an error
    complexes: ClassVar[bool] = True

    def out_dtype(self, dtype: str) -> str:
        return dtype

    def acc_dtype(self, dtype: str) -> str:
        return wider_than_half(self.out_dtype(dtype))

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        t = tensor_type(inputs[0])
        if builtins.any(not 0 <= a < t.ndim for a in self.axes):
            raise RankError(
                f"{self.title} over axes {self.axes}: {inputs[0]} has {t.ndim} axes",
                advice=f"give axes from 0 to {t.ndim - 1}",
            )
        if t.dtype[0] == "c" and not self.complexes:
            raise DtypeError(
                f"{self.title} is not defined on complex numbers, which have no order",
                advice="take their absolute values first",
            )
        return [
            TensorType(
                self.out_dtype(t.dtype),
                tuple(n for i, n in enumerate(t.shape) if i not in self.axes),
            )
        ]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        (x,) = values
        dtype = str(x.dtype)
        if self.empty is None and builtins.any(x.shape[a] == 0 for a in self.axes):
            raise over_nothing(self.title, x)
        return [
            np.asarray(
                self.combine(x.astype(self.acc_dtype(dtype), copy=False)), self.out_dtype(dtype)
            )
        ]

    def combine(self, x: Array) -> Any:
        raise NotImplementedError  # every subclass has one

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]]:
        ndim = tensor_type(inputs[0]).ndim
        return [[dimension(inputs[0], i) for i in range(ndim) if i not in self.axes]]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return int(inputs[0].size)

    def expand(self, reduced: Any, x: Variable) -> Any:
        """A reduced value with the lost axes put back as length 1, to broadcast against x."""
        kept = iter(range(tensor_type(x).ndim))
        return dimshuffle(
            reduced, ["x" if i in self.axes else next(kept) for i in range(tensor_type(x).ndim)]
        )

    @property
    def label(self) -> str:
        return self.title

    def __str__(self) -> str:
        return f"{type(self).__name__}{{axis={list(self.axes)}}}"


@frozen
class Sum(Reduce):
    """Integers add up in 64 bits; float32 is accumulated in float64, float16 in float32."""

    prim, title, empty = "add", "sum", 0

    def out_dtype(self, dtype: str) -> str:
        return wide_integer(dtype)

    def acc_dtype(self, dtype: str) -> str:
        return _WIDER.get(dtype) or self.out_dtype(dtype)

    def combine(self, x: Array) -> Any:
        return np.add.reduce(x, axis=self.axes)

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        x = inputs[0]
        return [
            None if g is None or is_discrete(tensor_type(x).dtype) else second(x, self.expand(g, x))
        ]


@frozen
class Prod(Reduce):
    """Its gradient is right where elements are zero, too; where there are none (`no_zeros`), it is
    a quotient.
    """

    no_zeros: bool = False

    prim, title, empty = "mul", "prod", 1

    def out_dtype(self, dtype: str) -> str:
        return wide_integer(dtype)

    def acc_dtype(self, dtype: str) -> str:
        return _WIDER.get(dtype) or self.out_dtype(dtype)

    def combine(self, x: Array) -> Any:
        return np.multiply.reduce(x, axis=self.axes)

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        x: Any = inputs[0]
        if g is None or is_discrete(tensor_type(x).dtype):
            return [None]
        if self.no_zeros:
            return [self.expand(g * outputs[0], x) / x]
        from workbench.core.ops.cumulative import product_of_others

        return [self.expand(g, x) * product_of_others(x, self.axes)]


class _Extreme(Reduce):
    """max or min: the gradient goes to every element that equals the result."""

    complexes = False

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        x = inputs[0]
        if g is None or is_discrete(tensor_type(x).dtype):
            return [None]
        return [switch(eq(x, self.expand(outputs[0], x)), self.expand(g, x), 0)]


@frozen
class Max(_Extreme):
    """nan where there is one."""

    prim, title = "maximum", "max"

    def combine(self, x: Array) -> Any:
        return np.maximum.reduce(x, axis=self.axes)


@frozen
class Peak(Max):
    """The maximum, or what no number is below where there are no elements: for what is empty then,
    too.
    """

    empty = "the lowest"

    def combine(self, x: Array) -> Any:
        return np.maximum.reduce(x, axis=self.axes, initial=lowest(str(x.dtype)))

    def __str__(self) -> str:
        return f"Max{{axis={list(self.axes)}}}"


@frozen
class Min(_Extreme):
    """nan where there is one."""

    prim, title = "minimum", "min"

    def combine(self, x: Array) -> Any:
        return np.minimum.reduce(x, axis=self.axes)


class _Logic(Reduce):
    def out_dtype(self, dtype: str) -> str:
        return "bool"

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        return [None]


@frozen
class All(_Logic):
    """Whether every element is not zero."""

    prim, title, empty = "and", "all", True

    def combine(self, x: Array) -> Any:
        return np.logical_and.reduce(x, axis=self.axes)


@frozen
class Any_(_Logic):  # `Any` is typing's
    """Whether some element is not zero."""

    prim, title, empty = "or", "any", False

    def combine(self, x: Array) -> Any:
        return np.logical_or.reduce(x, axis=self.axes)


def over_nothing(what: str, x: Array) -> ShapeError:
    """The error of an op that has no result without elements."""
    return ShapeError(
        f"{what} over no elements: the operand has shape {x.shape}",
        advice="see that it is not empty, or join it with a value that bounds the result",
    )


def wide_integer(dtype: str) -> str:
    """The dtype in which elements add up: 64 bits for integers, floats as they are."""
    if dtype == "bool" or dtype[0] == "i":
        return "int64"
    return "uint64" if dtype[0] == "u" else dtype


def normal_axes(axis: Any, ndim: int, what: str) -> Axes:
    """Axes as sorted non-negative ints: None means all."""
    if axis is None:
        return tuple(range(ndim))
    axes = list(axis if isinstance(axis, (tuple, list, np.ndarray)) else [axis])
    if not builtins.all(isinstance(a, (int, np.integer)) for a in axes):
        raise GraphError(
            f"{what}: the axis {axis!r} is not an int",
            advice="give an int, a tuple of ints, or None for all axes",
        )
    if builtins.any(not -ndim <= a < ndim for a in axes):
        raise RankError(
            f"{what}: axis {axis} is not an axis of a tensor of rank {ndim}",
            advice=f"axes go from {-ndim} to {ndim - 1}" if ndim else "a scalar has no axes",
        )
    return tuple(sorted({int(a) % ndim for a in axes}))


def _reduce(kind: type[Reduce], x: Any, axis: Any, keepdims: bool, *options: Any) -> Any:
    variable = as_tensor(x)
    op = kind(normal_axes(axis, tensor_type(variable).ndim, kind.title), *options)
    if not op.axes:  # every element by itself
        dtype = op.out_dtype(tensor_type(variable).dtype)
        return (
            neq(variable, 0) if dtype == "bool" and kind in (All, Any_) else cast(variable, dtype)
        )
    reduced = op(variable)
    return op.expand(reduced, variable) if keepdims else reduced


def sum(
    x: Any,
    axis: Any = None,
    dtype: str | None = None,
    keepdims: bool = False,
    acc_dtype: str | None = None,
) -> Any:
    """The sum over some axes (all by default), of elements cast to `dtype` where it is given, added
    up in `acc_dtype`.
    """
    return _accumulated(Sum, x, axis, dtype, keepdims, acc_dtype)


def prod(
    x: Any,
    axis: Any = None,
    dtype: str | None = None,
    keepdims: bool = False,
    acc_dtype: str | None = None,
    no_zeros_in_input: bool = False,
) -> Any:
    """The product over some axes (all by default), of elements cast to `dtype` where it is given,
    multiplied in `acc_dtype`. `no_zeros_in_input` promises what makes the gradient cheaper.
    """
    return _accumulated(Prod, x, axis, dtype, keepdims, acc_dtype, no_zeros_in_input)


def _accumulated(
    kind: type[Reduce],
    x: Any,
    axis: Any,
    dtype: str | None,
    keepdims: bool,
    acc_dtype: str | None,
    *options: Any,
) -> Any:
    variable = as_tensor(x)
    own = tensor_type(variable).dtype
    wanted = dtype or (wide_integer(own) if acc_dtype else None)
    inside = acc_dtype or dtype
    total = _reduce(kind, cast(variable, inside) if inside else variable, axis, keepdims, *options)
    return cast(total, wanted) if wanted else total


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element over some axes; nan where there is one."""
    return _reduce(Max, x, axis, keepdims)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element over some axes; nan where there is one."""
    return _reduce(Min, x, axis, keepdims)


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether every element over some axes is not zero."""
    return _reduce(All, x, axis, keepdims)


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether some element over some axes is not zero."""
    return _reduce(Any_, x, axis, keepdims)


def count(x: Any, axis: Any = None, dtype: str = "float64") -> Any:
    """The number of elements that a reduction over these axes combines, as a scalar of a float
    dtype.
    """
    variable = as_tensor(x)
    total: Any = 1
    for a in normal_axes(axis, tensor_type(variable).ndim, "mean"):
        total = total * dimension(variable, a)
    return cast(as_tensor(total), dtype)


def mean(
    x: Any,
    axis: Any = None,
    dtype: str | None = None,
    op: bool = False,
    keepdims: bool = False,
    acc_dtype: str | None = None,
) -> Any:
    """The mean over some axes (all by default), nan over no elements; integers are taken as
    float64. `op` is taken for old programs' sake and changes nothing.
    """
    variable = as_tensor(x)
    own = tensor_type(variable).dtype
    wanted = dtype or (own if is_float(own) else "float64")
    if not is_float(wanted):
        raise DtypeError(
            f"the mean cannot be of dtype {wanted}",
            f"mean of {variable}: {variable.type}",
            advice="give a float dtype, or cast the mean",
        )
    if wanted == "float16":  # whose sum may be too large for it
        return cast(mean(variable, axis, "float32", op, keepdims, acc_dtype), wanted)
    total = sum(cast(variable, wanted), axis, keepdims=keepdims, acc_dtype=acc_dtype)
    real = {"complex64": "float32", "complex128": "float64"}.get(wanted, wanted)
    return true_div(total, count(variable, axis, real))


@rounded_once
def var(
    x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False, corrected: bool = False
) -> Any:
    """The variance over some axes, divided by n - ddof. `corrected`: the square of what rounding
    makes of the mean of the differences is taken off.
    """
    variable = as_tensor(x)
    centred = variable - mean(variable, axis, keepdims=True)
    if tensor_type(centred).dtype[0] == "c":
        centred = absolute(centred)
    squares = sum(mul(centred, centred), axis, keepdims=keepdims)
    n = count(variable, axis, tensor_type(squares).dtype)
    if corrected:
        left = sum(centred, axis, keepdims=keepdims)
        squares = squares - left * left / n
    return squares / (n - ddof)


@rounded_once
def std(
    x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False, corrected: bool = False
) -> Any:
    """The standard deviation over some axes; see `var`."""
    return sqrt(var(x, axis, ddof, keepdims, corrected))


def _smaller(g: TensorType, out: TensorType) -> bool:
    """Whether a gradient still has to be spread over the output's shape."""
    return g.ndim < out.ndim or builtins.any(
        a == 1 and b != 1 for a, b in zip(g.shape, out.shape, strict=True)
    )


def sum_to(gradient: Any, variable: Variable, output: Variable) -> Any:
    """A gradient of an elementwise output, summed over the axes along which this input was
    broadcast, in its dtype.
    """
    t, g = tensor_type(variable), as_tensor(gradient)
    out = tensor_type(output)
    if _smaller(tensor_type(g), out):
        g = second(output, g)
    extra = out.ndim - t.ndim
    stretched = [i + extra for i in range(t.ndim) if t.shape[i] == 1 and out.shape[i + extra] != 1]
    axes = (*range(extra), *stretched)
    if axes:
        g = Sum(axes)(g)
        kept = iter(range(out.ndim))
        g = dimshuffle(g, ["x" if i in stretched else next(kept) for i in range(extra, out.ndim)])
    return cast(g, "floatX" if is_discrete(t.dtype) else t.dtype)
