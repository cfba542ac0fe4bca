"""Norms as numpy.linalg has them: of vectors or matrices, as `ord` and `axis` say; and condition
numbers.
"""

from __future__ import annotations

import math
from typing import Any

from workbench.core.ops import norms
from workbench.core.ops.decompose import SingularValues
from workbench.core.ops.linalg import inv
from workbench.core.ops.reduce import max as largest
from workbench.core.ops.reduce import min as smallest
from workbench.core.ops.reduce import sum as total
from workbench.core.ops.scalars import absolute
from workbench.core.ops.shape import dimshuffle, normal_axis
from workbench.core.ops.stacks import floating
from workbench.core.types import tensor_type
from workbench.errors import RankError, UsageError

Order = float | str | None


def norm(x: Any, ord: Order = None, axis: Any = None, keepdims: bool = False) -> Any:
    """As numpy.linalg.norm.

    ord    None: the 2-norm of all elements; for vectors (one axis) a number, inf or -inf; for
           matrices (two axes) 'fro', 'nuc', 1, -1, 2, -2, inf or -inf
    axis   the axis of vectors, or the two axes of matrices; None: all of x

    Its gradient is 0 where all elements are 0 (of the 2-norm, 'fro' and p-norms). Raises RankError
    for an `ord` over more than two axes, UsageError for one that does not exist.
    """
    variable = floating(x)
    ndim = tensor_type(variable).ndim
    if axis is None and ord is None:
        return norms.norm(variable, 2, None, keepdims)
    axes = tuple(range(ndim)) if axis is None else _axes(variable, axis)
    if len(axes) == 1:
        return norms.norm(variable, 2 if ord is None else ord, axes[0], keepdims)
    if len(axes) != 2:
        raise RankError(
            f"a norm is of vectors or matrices, not over {len(axes)} axes",
            f"norm of {variable}: {variable.type}",
            advice="name one or two axes, or give no ord for the 2-norm of all elements",
        )
    return _matrix_norm(variable, "fro" if ord is None else ord, axes, keepdims)


def _axes(variable: Any, axis: Any) -> tuple[int, ...]:
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(normal_axis(int(a), variable, "norm") for a in given)
    if len(set(axes)) < len(axes):
        raise RankError(f"norm: the axes {axis} are not different", advice="name each axis once")
    return axes


def _matrix_norm(x: Any, order: float | str, axes: tuple[int, ...], keepdims: bool) -> Any:
    rows, columns = axes
    if order == "fro":
        return norms.norm(x, 2, axes, keepdims)
    if order in (2, -2, "nuc"):
        s = SingularValues()(_last(x, axes))
        combine: Any = {2: largest, -2: smallest, "nuc": total}[order]
        return _put_back(combine(s, axis=-1), x, axes, keepdims)
    if isinstance(order, str) or not (abs(order) == 1 or math.isinf(order)):
        raise UsageError(
            f"norm: there is no norm {order!r} of matrices",
            advice="it is one of 'fro', 'nuc', 1, -1, 2, -2, inf, -inf",
        )
    within, over = (rows, columns) if abs(order) == 1 else (columns, rows)
    sums = total(absolute(x), within, keepdims=True)
    extreme = (largest if order > 0 else smallest)(sums, over, keepdims=True)
    return extreme if keepdims else _without(extreme, axes)


def _last(x: Any, axes: tuple[int, ...]) -> Any:
    """The matrices' axes moved to the end."""
    rest = [i for i in range(tensor_type(x).ndim) if i not in axes]
    return dimshuffle(x, (*rest, *axes))


def _put_back(made: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if not keepdims:
        return made
    kept = iter(range(tensor_type(made).ndim))
    return dimshuffle(made, ["x" if i in axes else next(kept) for i in range(tensor_type(x).ndim)])


def _without(x: Any, axes: tuple[int, ...]) -> Any:
    return dimshuffle(x, [i for i in range(tensor_type(x).ndim) if i not in axes])


def vector_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Any:
    """As numpy.linalg.vector_norm: the norm of the elements over any axes, all by default."""
    return norms.norm(x, ord, axis, keepdims)


def matrix_norm(x: Any, keepdims: bool = False, ord: Order = "fro") -> Any:
    """As numpy.linalg.matrix_norm: of the matrices that the last two axes are."""
    return norm(x, ord, (-2, -1), keepdims)


def cond(x: Any, p: Order = None) -> Any:
    """As numpy.linalg.cond: the largest over the smallest singular value (`p` None or 2; -2: the
    other way round), or norm(x, p) * norm(inv(x), p).
    """
    variable = floating(x)
    if tensor_type(variable).ndim < 2:
        raise RankError(
            "cond takes matrices", f"cond of {variable}: {variable.type}", advice="give a matrix"
        )
    if p in (None, 2, -2):
        s = SingularValues()(variable)
        first, last = s[..., 0], s[..., -1]
        return last / first if p == -2 else first / last
    return matrix_norm(variable, ord=p) * matrix_norm(inv(variable), ord=p)
