"""Products of tensors, written with Dot and BatchedDot: tensordot, inner, vdot, kron, cross,
matrix_power, multi_dot, trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from workbench.core.graph import Variable
from workbench.core.ops.batched import contract, matmul
from workbench.core.ops.create import eye
from workbench.core.ops.diagonals import diagonal
from workbench.core.ops.dot import as_line, dot
from workbench.core.ops.join import stack
from workbench.core.ops.reduce import sum as total
from workbench.core.ops.scalars import second
from workbench.core.ops.shape import dimension, dimshuffle, normal_axis, reshape, shape_tuple
from workbench.core.ops.stacks import check_square
from workbench.core.types import as_tensor, tensor_type
from workbench.errors import GraphError, RankError, ShapeError, UsageError

Axes = tuple[int, ...]


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """As numpy.tensordot: the sum of products over `axes`: how many last axes of a meet the first
    ones of b, or two lists of axes that meet. The result has the other axes of a, then those of b.

    Raises RankError for axes that are not there, ShapeError where lengths differ.
    """
    x, y = as_tensor(a), as_tensor(b)
    left, right = meeting_axes("tensordot", x, y, axes)
    return contract(x, y, ((), ()), (left, right))


def meeting_axes(
    what: str, a: Variable, b: Variable, axes: Any, first: int = 0
) -> tuple[Axes, Axes]:
    """The axes of two tensors that meet, from how many or from two lists. The first `first` axes
    are not counted among them.
    """
    if isinstance(axes, (int, np.integer)):
        count, rank = int(axes), min(tensor_type(v).ndim for v in (a, b)) - first
        if not 0 <= count <= rank:
            raise RankError(
                f"{what}: {count} axes cannot meet",
                f"{what} of {a}: {a.type} and {b}: {b.type}",
                advice=f"give a number from 0 to {rank}, or two lists of axes",
            )
        ndim = tensor_type(a).ndim
        left, right = tuple(range(ndim - count, ndim)), tuple(range(first, first + count))
    else:
        left, right = (_listed(what, v, given) for v, given in zip((a, b), _two(what, axes)))
    if len(left) != len(right) or len(set(left)) != len(left) or len(set(right)) != len(right):
        raise RankError(
            f"{what}: the axes {axes} do not meet in pairs",
            f"{what} of {a}: {a.type} and {b}: {b.type}",
            advice="name as many axes of the one as of the other, each once",
        )
    for i, j in zip(left, right, strict=True):
        n, m = tensor_type(a).shape[i], tensor_type(b).shape[j]
        if n is not None and m is not None and n != m:
            raise ShapeError(
                f"{what}: axis {i} of the first has length {n}, axis {j} of the second {m}",
                f"{what} of {a}: {a.type} and {b}: {b.type}",
                advice="axes that meet must be of equal length",
            )
    return left, right


def _two(what: str, axes: Any) -> Sequence[Any]:
    if not isinstance(axes, (list, tuple, np.ndarray)) or len(axes) != 2:
        raise GraphError(
            f"{what}: {axes!r} does not say which axes meet",
            advice="give an int, or a list of axes for each of the two tensors",
        )
    return axes  # type: ignore[return-value]  # one of these sequences


def _listed(what: str, variable: Variable, given: Any) -> Axes:
    wanted = given if isinstance(given, (list, tuple, np.ndarray)) else [given]
    return tuple(normal_axis(int(i), variable, what) for i in wanted)


def inner(a: Any, b: Any) -> Any:
    """As numpy.inner: the sum of products over both last axes; with a scalar, multiplication."""
    x, y = as_tensor(a), as_tensor(b)
    if not tensor_type(x).ndim or not tensor_type(y).ndim:
        return x * y  # type: ignore[operator]
    return tensordot(x, y, [[-1], [-1]])


def vdot(a: Any, b: Any) -> Any:
    """As numpy.vdot: the sum of the products of all elements, in C order, of a's conjugates."""
    return dot(_conjugate(as_line(a)), as_line(b))


def _conjugate(x: Any) -> Any:
    if tensor_type(x).dtype[0] != "c":
        return x
    from workbench.core.ops.scalars.complex_numbers import conj

    return conj(x)


def vecdot(a: Any, b: Any, axis: int = -1) -> Any:
    """As numpy.vecdot: sums of products along an axis, of a's conjugates; other axes broadcast."""
    products = _conjugate(as_tensor(a)) * as_tensor(b)
    return total(products, axis, tensor_type(products).dtype)


def kron(a: Any, b: Any) -> Any:
    """As numpy.kron: blocks of b, each multiplied by an element of a."""
    x, y = as_tensor(a), as_tensor(b)
    rank = max(tensor_type(x).ndim, tensor_type(y).ndim)
    x, y = (dimshuffle(v, ("x",) * (rank - tensor_type(v).ndim) + tuple(range(tensor_type(v).ndim)))
            for v in (x, y))  # fmt: skip
    wide: list[int | str] = [i for axis in range(rank) for i in (axis, "x")]
    narrow: list[int | str] = [i for axis in range(rank) for i in ("x", axis)]
    products = dimshuffle(x, wide) * dimshuffle(y, narrow)
    lengths = [n * m for n, m in zip(shape_tuple(x), shape_tuple(y), strict=True)]
    return reshape(products, lengths) if rank else products


def cross(a: Any, b: Any, axis: int = -1) -> Any:
    """The vector products of vectors of 3 elements along an axis; the other axes broadcast.

    Raises ShapeError where the axis is known to have another length.
    """
    parts = [_three(as_tensor(v), axis) for v in (a, b)]
    (x0, x1, x2), (y0, y1, y2) = parts
    made = [x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, x0 * y1 - x1 * y0]
    return stack(made, axis)


def _three(x: Variable, axis: int) -> list[Any]:
    where = normal_axis(axis, x, "cross")
    if tensor_type(x).shape[where] not in (None, 3):
        raise ShapeError(
            f"cross: axis {axis} of {x} has length {tensor_type(x).shape[where]}",
            f"cross of {x}: {x.type}",
            advice="give vectors of 3 elements",
        )
    return [x[(slice(None),) * where + (i,)] for i in range(3)]  # type: ignore[index]


def matrix_power(a: Any, n: int) -> Any:
    """As numpy.linalg.matrix_power, for an int: by squaring; of the inverse where n is negative."""
    x = as_tensor(a)
    if not isinstance(n, (int, np.integer)):
        raise GraphError(
            f"matrix_power: the exponent {n!r} is not an int",
            advice="use expm, or eigh, for other powers",
        )
    if tensor_type(x).ndim < 2:
        raise RankError(f"matrix_power of {x}: {x.type}", advice="give square matrices")
    check_square(tensor_type(x).shape, "matrix_power")
    if n == 0:
        identity = eye(dimension(x, -1), dtype=tensor_type(x).dtype)
        return second(x, identity)
    if n < 0:
        from workbench.core.ops.linalg import inv

        x, n = inv(x), -n
    square, result = x, None
    while n:
        if n % 2:
            result = square if result is None else matmul(result, square)
        n //= 2
        if n:
            square = matmul(square, square)
    return result


def multi_dot(arrays: Sequence[Any]) -> Any:
    """As numpy.linalg.multi_dot: the product of two or more matrices (the first and the last may be
    vectors), in the order of least work where all lengths are known, else from the left.
    """
    factors = [as_tensor(v) for v in arrays]
    ranks = [tensor_type(v).ndim for v in factors]
    if len(factors) < 2:
        raise UsageError(
            f"multi_dot of {len(factors)} factors", advice="give at least two matrices"
        )
    if any(n != 2 for n in ranks[1:-1]) or any(n not in (1, 2) for n in (ranks[0], ranks[-1])):
        raise RankError(
            f"multi_dot of tensors of {', '.join(map(str, ranks))} axes",
            advice="give matrices; only the first and the last may be vectors",
        )
    lengths = [1, *tensor_type(factors[0]).shape] if ranks[0] == 1 else []
    lengths = lengths or list(tensor_type(factors[0]).shape)
    for v in factors[1:]:
        lengths.append(tensor_type(v).shape[1] if tensor_type(v).ndim == 2 else 1)
    if None in lengths:
        return reduce(dot, factors)
    return _in_order(factors, [int(n) for n in lengths])  # type: ignore[arg-type]  # no None


def matrix_dot(*args: Any) -> Any:
    """The product of matrices, from the left."""
    if not args:
        raise UsageError("matrix_dot of no matrices", advice="give at least one")
    return reduce(dot, map(as_tensor, args))


def _in_order(factors: Sequence[Variable], lengths: Sequence[int]) -> Any:
    """The chain's product with the fewest multiplications (Cormen et al., section 15.2)."""
    n = len(factors)
    best: dict[tuple[int, int], tuple[int, Any]] = {(i, i): (0, v) for i, v in enumerate(factors)}
    for span in range(1, n):
        for i in range(n - span):
            j = i + span
            costs = {
                k: best[i, k][0] + best[k + 1, j][0]
                + lengths[i] * lengths[k + 1] * lengths[j + 1]
                for k in range(i, j)
            }  # fmt: skip
            cheapest = min(costs, key=lambda k: costs[k])
            best[i, j] = costs[cheapest], dot(best[i, cheapest][1], best[cheapest + 1, j][1])
    return best[0, n - 1][1]


def trace(x: Any, offset: Any = 0, axis1: int = 0, axis2: int = 1, dtype: str | None = None) -> Any:
    """As numpy.trace: the sum along a diagonal of the matrices that two axes make."""
    return total(diagonal(x, offset, axis1, axis2), axis=-1, dtype=dtype)
