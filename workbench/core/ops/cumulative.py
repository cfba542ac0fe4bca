"""Running totals along an axis: cumsum, cumprod, cummax, cummin, and the linear recurrence that is
their gradient's gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from workbench.core.graph import Array, Gradients, Type, Variable, Variables
from workbench.core.ops.along import Along
from workbench.core.ops.indexing import set_subtensor
from workbench.core.ops.reduce import wide_integer
from workbench.core.ops.scalars import cast, eq, isnan, ones_like, or_, switch, zeros_like
from workbench.core.ops.shape import dimension, flatten, normal_axis, reshape, shape_tuple
from workbench.core.ops.shaping import moveaxis
from workbench.core.types import as_tensor, is_discrete, tensor_type
from workbench.errors import DtypeError
from workbench.frozen import frozen


class _Running(Along):
    """Every element combined with all before it."""

    prim: ClassVar[str] = ""
    numpy: ClassVar[np.ufunc]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        (x,) = values
        wide = x.astype(self.out_dtype(str(x.dtype)), copy=False)
        return [np.asarray(self.numpy.accumulate(wide, axis=self.axis))]


@frozen
class CumSum(_Running):
    """Integers add up in 64 bits; floats in their own dtype, one after another, as NumPy's."""

    title, prim, numpy = "cumsum", "add", np.add

    def out_dtype(self, dtype: str) -> str:
        return wide_integer(dtype)

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        if g is None or is_discrete(tensor_type(inputs[0]).dtype):
            return [None]
        return [reverse(self(reverse(g, self.axis)), self.axis)]


@frozen
class CumProd(_Running):
    """Its gradient is right where elements are zero, too: nothing is divided by."""

    title, prim, numpy = "cumprod", "mul", np.multiply

    def out_dtype(self, dtype: str) -> str:
        return wide_integer(dtype)

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        x = inputs[0]
        if g is None or is_discrete(tensor_type(x).dtype):
            return [None]
        before = delayed(outputs[0], self.axis, 1)
        return [before * flow_back(x, g, self.axis)]


class _RunningExtreme(_Running):
    """The gradient goes to the element that is the extreme at each place: the last of equals."""

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        if tensor_type(inputs[0]).dtype[0] == "c":
            raise DtypeError(
                f"{self.title} is not defined on complex numbers, which have no order",
                advice="take their absolute values first",
            )
        return super().infer(*inputs)

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        from workbench.core.ops.create import arange
        from workbench.core.ops.selecting import add_along_axis

        (g,) = gradients
        x = inputs[0]
        if g is None or is_discrete(tensor_type(x).dtype):
            return [None]
        places = _column(arange(dimension(x, self.axis)), self.axis, tensor_type(x).ndim)
        here = or_(eq(x, outputs[0]), isnan(x))
        found = CumMax(self.axis)(switch(here, places, 0))
        return [add_along_axis(zeros_like(x), found, g, self.axis)]


@frozen
class CumMax(_RunningExtreme):
    """nan from the first one on."""

    title, prim, numpy = "cummax", "maximum", np.maximum


@frozen
class CumMin(_RunningExtreme):
    """nan from the first one on."""

    title, prim, numpy = "cummin", "minimum", np.minimum


@frozen
class Recurrence(Along):
    """yₜ = aₜ·yₜ₋₁ + bₜ along an axis, from y₋₁ = 0. Inputs: a and b, of one type."""

    title = "recurrence"

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        a, b = (tensor_type(v) for v in inputs)
        if a.dtype != b.dtype or a.ndim != b.ndim:
            raise DtypeError(
                f"a recurrence takes two tensors of one type, not {a} and {b}",
                advice="cast them and give them the same axes",
            )
        return super().infer(*inputs)

    def evaluate(self, *values: Array) -> Sequence[Array]:
        a, b = (np.moveaxis(v, self.axis, 0) for v in values)
        result = b.copy()
        for t in range(1, len(b)):
            result[t] = a[t] * result[t - 1] + b[t]
        return [np.moveaxis(result, 0, self.axis)]

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        (g,) = gradients
        if g is None:
            return [None, None]
        to_b = flow_back(inputs[0], g, self.axis)
        return [to_b * delayed(outputs[0], self.axis, 0), to_b]

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 2 * int(outputs[0].size)


def flow_back(a: Any, g: Any, axis: int) -> Any:
    """sₜ = gₜ + aₜ₊₁·sₜ₊₁: what flows back along a recurrence."""
    later = delayed(reverse(a, axis), axis, 0)
    return reverse(Recurrence(axis)(later, reverse(g, axis)), axis)


def reverse(x: Any, axis: int) -> Any:
    """x from its last to its first element along an axis."""
    return x[(slice(None),) * axis + (slice(None, None, -1),)]


def delayed(x: Any, axis: int, first: int) -> Any:
    """x moved on by one place along an axis; the first element is a number."""
    whole = (slice(None),) * axis
    start = zeros_like(x) if first == 0 else ones_like(x)
    return set_subtensor(start[(*whole, slice(1, None))], x[(*whole, slice(None, -1))])


def product_of_others(x: Any, axes: tuple[int, ...]) -> Any:
    """For every element the product of all others along the axes, without dividing."""
    ndim = tensor_type(x).ndim
    last = tuple(range(ndim - len(axes), ndim))
    moved = moveaxis(x, axes, last)
    line = flatten(moved, ndim - len(axes) + 1)
    axis = ndim - len(axes)
    before = delayed(CumProd(axis)(line), axis, 1)
    after = reverse(delayed(CumProd(axis)(reverse(line, axis)), axis, 1), axis)
    product = before * after
    if len(axes) > 1:
        product = reshape(product, shape_tuple(moved))
    return moveaxis(product, last, axes)


def _column(vector: Any, axis: int, ndim: int) -> Any:
    """A vector along one of several axes."""
    return as_tensor(vector).dimshuffle(*(0 if i == axis else "x" for i in range(ndim)))  # type: ignore[attr-defined]


def _along(kind: type[_Running], x: Any, axis: int | None) -> Any:
    variable = as_tensor(x)
    if axis is None:
        return kind(0)(flatten(variable))
    return kind(normal_axis(axis, variable, kind.title))(variable)


def cumsum(x: Any, axis: int | None = None, dtype: str | None = None) -> Any:
    """The running sum along an axis (None: of the flattened tensor), of elements cast to `dtype`
    where it is given. Integers give int64.
    """
    total = _along(CumSum, x if dtype is None else cast(x, dtype), axis)
    return total if dtype is None else cast(total, dtype)


def cumprod(x: Any, axis: int | None = None, dtype: str | None = None) -> Any:
    """The running product along an axis (None: of the flattened tensor), of elements cast to
    `dtype` where it is given. Integers give int64.
    """
    product = _along(CumProd, x if dtype is None else cast(x, dtype), axis)
    return product if dtype is None else cast(product, dtype)


def cummax(x: Any, axis: int | None = None) -> Any:
    """The largest element so far along an axis (None: of the flattened tensor)."""
    return _along(CumMax, x, axis)


def cummin(x: Any, axis: int | None = None) -> Any:
    """The smallest element so far along an axis (None: of the flattened tensor)."""
    return _along(CumMin, x, axis)
