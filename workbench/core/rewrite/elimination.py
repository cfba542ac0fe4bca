"""One elimination for all who need it: systems with one matrix (and its transpose, as in gradients)
and its determinant.
"""

from __future__ import annotations

from typing import Any

from workbench.core.graph import Apply, Variable
from workbench.core.ops.create import arange
from workbench.core.ops.diagonals import diagonal
from workbench.core.ops.lu_factor import LuFactor, LuSolve
from workbench.core.ops.reduce import prod as multiplied
from workbench.core.ops.reduce import sum as total
from workbench.core.ops.scalars import absolute, cast, eq, exp, log, mod, neq, sign, switch
from workbench.core.ops.shape import DimShuffle, dimension
from workbench.core.ops.solve import Det, SlogDet, Solve
from workbench.core.rewrite.engine import Context, Rule, rule
from workbench.core.rewrite.matching import pattern_of
from workbench.core.rewrite.matrices import transposed_from


@rule(Solve, equation="solve(A, B), solve(Aᵀ, C), det(A) → from one elimination of A")
def share_solve(node: Apply, context: Context) -> Variable | None:
    """Elimination is most of the work, and does for the transpose, too."""
    a, b = node.inputs
    source = transposed_from(a)
    matrix = a if source is None else source
    if not _is_shared(matrix, context):
        return None
    result = LuSolve(source is not None)(*LuFactor()(matrix), b)
    return result if pattern_of(result) == pattern_of(node.out) else None


@rule(SlogDet, equation="slogdet(A) → from the elimination of A that is there")
def share_slogdet(node: Apply, context: Context) -> tuple[Variable, Variable] | None:
    """Elimination is all of the work."""
    (a,) = node.inputs
    return _sign_and_logarithm(a) if _is_shared(a, context) else None


@rule(Det, equation="det(A) → from the elimination of A that is there")
def share_det(node: Apply, context: Context) -> Variable | None:
    """Elimination is all of the work."""
    (a,) = node.inputs
    if not _is_shared(a, context):
        return None
    plus_or_minus, logarithm = _sign_and_logarithm(a)
    return plus_or_minus * exp(logarithm)  # type: ignore[no-any-return]


def _sign_and_logarithm(a: Variable) -> tuple[Any, Any]:
    factors, rows = LuFactor()(a)
    pivots = diagonal(factors, 0, -2, -1)
    exchanges = total(cast(neq(rows, arange(dimension(rows, -1))), "int64"), axis=-1)
    signs = multiplied(sign(pivots), axis=-1)
    even = eq(mod(exchanges, 2), 0)
    return switch(even, signs, -signs), total(log(absolute(pivots)), axis=-1)


def _is_shared(matrix: Variable, context: Context) -> bool:
    """Whether more than one node needs the elimination of a matrix."""
    users = 0
    for reader, position in context.readers(matrix):
        if position == 0 and isinstance(reader.op, (Solve, Det, SlogDet)):
            users += 1
        elif isinstance(reader.op, DimShuffle) and transposed_from(reader.out) is not None:
            users += sum(
                isinstance(far.op, Solve) and place == 0
                for far, place in context.readers(reader.out)
            )
    return users > 1


ELIMINATION: tuple[Rule, ...] = (share_solve, share_slogdet, share_det)
