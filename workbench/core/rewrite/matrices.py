"""Rules of linear algebra: systems are solved where inverses were written, triangles are used where
there are some, and no more of a decomposition is computed than is read.

This module is imported with the first graph that has such ops (`pipeline`).
"""

from __future__ import annotations

from typing import Any

from workbench.core.graph import Apply, Variable
from workbench.core.ops.batched import BatchedDot
from workbench.core.ops.decompose import Eigh, Eigvalsh, Qr, SingularValues, Svd
from workbench.core.ops.diagonals import Diagonal, diagonal
from workbench.core.ops.dot import Dot
from workbench.core.ops.reduce import Sum
from workbench.core.ops.reduce import prod as multiplied
from workbench.core.ops.reduce import sum as total
from workbench.core.ops.scalars import Abs, Log, log, lt, minimum, ones_like, switch
from workbench.core.ops.shape import dimension, dimshuffle
from workbench.core.ops.solve import Cholesky, Det, Inverse, SlogDet, Solve, SolveTriangular
from workbench.core.ops.stacks import as_columns, turned
from workbench.core.rewrite.engine import Context, Refuse, Rule, rule
from workbench.core.rewrite.matching import (
    behind_dimshuffle,
    dtype_of,
    made_by,
    ndim_of,
    pattern_of,
)

_NEEDED = "the inverse itself is needed elsewhere"


def transposed_from(variable: Variable) -> Variable | None:
    """What a variable is the transpose of, matrix by matrix, where it is one."""
    source, order = behind_dimshuffle(variable)
    n = ndim_of(source)
    return source if n > 1 and order == (*range(n - 2), n - 1, n - 2) else None


def _matrix_of(variable: Variable, *kinds: type) -> tuple[Apply, bool] | None:
    """The node of one of these ops that makes a variable or its transpose, and whether it is the
    transpose.
    """
    if node := made_by(variable, *kinds):
        return node, False
    source = transposed_from(variable)
    node = made_by(source, *kinds) if source is not None else None
    return None if node is None else (node, True)


def _inverted(variable: Variable) -> tuple[Variable, Variable] | None:
    """The matrix whose inverse a variable is, and the inverse as it was written; inv(Aᵀ) is
    inv(A)ᵀ.
    """
    found = _matrix_of(variable, Inverse)
    if found is None:
        return None
    node, flipped = found
    return (turned(node.inputs[0]) if flipped else node.inputs[0]), node.out


@rule(Dot, BatchedDot, equation="inv(A) @ B → solve(A, B)")
def inverse_times(node: Apply, context: Context) -> Variable | Refuse | None:
    """A solution takes a third of the work of an inverse and a product, and is more exact."""
    a, b = node.inputs
    found = _inverted(a)
    if found is None or dtype_of(a) != dtype_of(b):
        return None
    matrix, inverse = found
    if not context.read_once(inverse) or not context.read_once(a):
        return Refuse(_NEEDED)
    return _fitting(_solution(matrix, b), node)


@rule(Dot, BatchedDot, equation="B @ inv(A) → solve(Aᵀ, Bᵀ)ᵀ")
def times_inverse(node: Apply, context: Context) -> Variable | Refuse | None:
    """A solution takes a third of the work of an inverse and a product, and is more exact."""
    a, b = node.inputs
    found = _inverted(b)
    if found is None or dtype_of(a) != dtype_of(b):
        return None
    matrix, inverse = found
    if not context.read_once(inverse) or not context.read_once(b):
        return Refuse(_NEEDED)
    if ndim_of(a) == 1:
        return _fitting(_solution(turned(matrix), a), node)
    return _fitting(turned(_solution(turned(matrix), turned(a))), node)


def _solution(a: Variable, b: Variable) -> Any:
    if ndim_of(b) > 1:
        return Solve()(a, b)
    return dimshuffle(Solve()(a, as_columns(b)), (0,))


def _fitting(result: Any, node: Apply) -> Variable | None:
    """The result where its type is the node's."""
    return result if pattern_of(result) == pattern_of(node.out) else None


@rule(Inverse, equation="inv(inv(A)) → A")
def inverse_of_inverse(node: Apply, context: Context) -> Variable | None:
    """Unsafe for a singular matrix: there was an error."""
    found = _inverted(node.inputs[0])
    return None if found is None else _fitting(found[0], node)


@rule(Solve, equation="solve(inv(A), B) → A @ B")
def solve_of_inverse(node: Apply, context: Context) -> Variable | Refuse | None:
    """A product needs no elimination. Unsafe for a singular matrix: there was an error."""
    a, b = node.inputs
    found = _inverted(a)
    if found is None:
        return None
    if ndim_of(a) == ndim_of(b) == 2:
        return _fitting(Dot()(found[0], b), node)
    return _fitting(BatchedDot()(found[0], b), node)


@rule(Solve, equation="solve(cholesky(A), B) → solve_triangular(cholesky(A), B)")
def solve_of_factor(node: Apply, context: Context) -> Variable | None:
    """A triangle needs no elimination."""
    a, b = node.inputs
    found = _matrix_of(a, Cholesky)
    return None if found is None else SolveTriangular(lower=not found[1])(a, b)


@rule(Det, equation="det(cholesky(A)) → prod(diagonal(cholesky(A)))")
def det_of_factor(node: Apply, context: Context) -> Variable | None:
    """The determinant of a triangle is the product of its diagonal."""
    found = _matrix_of(node.inputs[0], Cholesky)
    return None if found is None else multiplied(diagonal(found[0].out, 0, -2, -1), axis=-1)


@rule(SlogDet, equation="slogdet(cholesky(A)) → (1, sum(log(diagonal(cholesky(A)))))")
def slogdet_of_factor(node: Apply, context: Context) -> tuple[Variable, Variable] | None:
    """A Cholesky factor has a positive diagonal."""
    found = _matrix_of(node.inputs[0], Cholesky)
    if found is None:
        return None
    logarithm = total(log(diagonal(found[0].out, 0, -2, -1)), axis=-1)
    return ones_like(logarithm), logarithm


@rule(Log, equation="log(det(A)) → slogdet(A), nan where the sign is negative")
def log_det(node: Apply, context: Context) -> Variable | None:
    """A determinant of many rows overflows or vanishes long before its logarithm is large."""
    inside = node.inputs[0]
    magnitude = made_by(inside, Abs)
    det = made_by(magnitude.inputs[0] if magnitude else inside, Det)
    if det is None or dtype_of(det.out) != dtype_of(node.out):
        return None
    sign, logarithm = SlogDet()(det.inputs[0])
    return logarithm if magnitude else switch(lt(sign, 0), float("nan"), logarithm)  # type: ignore[no-any-return]


@rule(Sum, equation="trace(A @ B) → sum(A * Bᵀ)")
def trace_of_product(node: Apply, context: Context) -> Variable | None:
    """Only the diagonal of the product is needed."""
    picked = made_by(node.inputs[0], Diagonal)
    product = made_by(picked.inputs[0], Dot) if picked and picked.op.offset == 0 else None  # type: ignore[attr-defined]
    if product is None or not all(map(context.read_once, (product.out, node.inputs[0]))):
        return None
    a, b = product.inputs
    if ndim_of(a) != 2 or ndim_of(b) != 2 or pattern_of(a) != pattern_of(turned(b)):
        return None
    rows, columns = dimension(a, 0), dimension(b, 1)
    if rows is not columns and not (isinstance(rows, int) and rows == columns):
        shorter = minimum(rows, columns)
        a, b = a[:shorter], b[:, :shorter]  # type: ignore[index]
    return total(a * turned(b))  # type: ignore[no-any-return]


@rule(Eigh, equation="eigh(A)[0] → eigvalsh(A)")
def eigenvalues_only(node: Apply, context: Context) -> list[Variable | None] | None:
    """Nobody reads the eigenvectors, which are most of the work."""
    _, vectors = node.outputs
    if _is_read(vectors, context):
        return None
    return [Eigvalsh(node.op.lower)(node.inputs[0]), None]  # type: ignore[attr-defined]


@rule(Eigvalsh, equation="eigvalsh(A) → eigh(A)[0]")
def eigenvalues_at_hand(node: Apply, context: Context) -> Variable | None:
    """The eigenvectors of the same matrix are computed anyway."""
    whole = _beside(node, Eigh(node.op.lower), 1, context)  # type: ignore[attr-defined]
    return None if whole is None else whole.outputs[0]


@rule(Svd, equation="svd(A)[1] → svdvals(A)")
def singular_values_only(node: Apply, context: Context) -> list[Variable | None] | None:
    """Nobody reads U and V, which are most of the work."""
    u, _, v = node.outputs
    if _is_read(u, context) or _is_read(v, context):
        return None
    return [None, SingularValues()(node.inputs[0]), None]


@rule(SingularValues, equation="svdvals(A) → svd(A)[1]")
def singular_values_at_hand(node: Apply, context: Context) -> Variable | None:
    """U and V of the same matrix are computed anyway."""
    for full in (False, True):
        whole = _beside(node, Svd(full), 0, context) or _beside(node, Svd(full), 2, context)
        if whole is not None:
            return whole.outputs[1]
    return None


@rule(Qr, equation="qr(A)[1] → qr(A, 'r')")
def triangle_only(node: Apply, context: Context) -> list[Variable | None] | None:
    """Nobody reads Q."""
    if node.op.mode != "reduced" or _is_read(node.outputs[0], context):  # type: ignore[attr-defined]
        return None
    return [None, Qr("r")(node.inputs[0])]


@rule(Qr, equation="qr(A, 'r') → qr(A)[1]")
def triangle_at_hand(node: Apply, context: Context) -> Variable | None:
    """Q of the same matrix is computed anyway."""
    whole = _beside(node, Qr(), 0, context) if node.op == Qr("r") else None
    return None if whole is None else whole.outputs[1]


def _is_read(variable: Variable, context: Context) -> bool:
    return bool(context.readers(variable)) or context.is_output(variable)


def _beside(node: Apply, op: Any, output: int, context: Context) -> Apply | None:
    """The node of the graph that applies an op to the same matrix, where that output of it is
    read.
    """
    for reader, _ in context.readers(node.inputs[0]):
        if reader.op == op and _is_read(reader.outputs[output], context):
            return context.session.rebuild(reader, node.inputs)
    return None


MATRICES: tuple[Rule, ...] = (
    inverse_of_inverse, solve_of_inverse, inverse_times, times_inverse, solve_of_factor,
    det_of_factor, slogdet_of_factor, log_det, trace_of_product,
    eigenvalues_only, eigenvalues_at_hand, singular_values_only, singular_values_at_hand,
    triangle_only, triangle_at_hand,
)  # fmt: skip
