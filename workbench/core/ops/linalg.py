"""Linear algebra as a user writes it, by numpy.linalg's and scipy.linalg's names: solving and
decomposing. All take stacks of matrices; integers are computed as float64, float32 stays float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.ops.batched import matmul as product
from workbench.core.ops.decompose import Eig, Eigh, Eigvalsh, Qr, SingularValues, Svd
from workbench.core.ops.exponential import Expm
from workbench.core.ops.pseudoinverse import Pinv
from workbench.core.ops.reduce import max as largest
from workbench.core.ops.reduce import sum as total
from workbench.core.ops.scalars import absolute, cast, gt, maximum
from workbench.core.ops.shape import dimshuffle, flatten, reshape, shape_tuple
from workbench.core.ops.solve import (
    Cholesky,
    Det,
    Inverse,
    SlogDet,
    Solve,
    SolveTriangular,
)
from workbench.core.ops.stacks import (
    as_columns,
    floating,
    mirrored,
    turned,
)
from workbench.core.types import FLOATS, constant, tensor_type, upcast
from workbench.errors import DtypeError, RankError, UsageError, nearest


def inv(a: Any) -> Any:
    """The inverses of square matrices. Raises LinearAlgebraError (when it runs) for a singular
    one.
    """
    return Inverse()(floating(a))


def pinv(a: Any, rcond: float | None = None) -> Any:
    """The Moore-Penrose inverses, of shape (…, n, m); singular values below `rcond` times the
    largest count as zero (by default max(m, n) times the dtype's epsilon).
    """
    return Pinv(None if rcond is None else float(rcond))(floating(a))


def det(a: Any) -> Any:
    """The determinants of square matrices. Its gradient needs the inverse."""
    return Det()(floating(a))


def slogdet(a: Any) -> tuple[Any, Any]:
    """The determinants' signs and the logarithms of their absolute values (0 and -inf where
    singular).
    """
    sign, logarithm = SlogDet()(floating(a))
    return sign, logarithm


def logdet(a: Any) -> Any:
    """The logarithms of the determinants' absolute values."""
    return slogdet(a)[1]


def _pair(a: Any, b: Any) -> tuple[Any, Any]:
    """Both as floats of one dtype."""
    x, y = floating(a), floating(b)
    wide = upcast(tensor_type(x).dtype, tensor_type(y).dtype)
    if wide not in FLOATS:
        raise DtypeError(
            f"linear systems are solved of real floats, not of {wide}",
            f"{x}: {x.type} and {y}: {y.type}",
            advice="solve for the real and the imaginary part",
        )
    return cast(x, wide), cast(y, wide)


def _solved(op: Any, a: Any, b: Any) -> Any:
    """The op's solution; a vector on the right is one column, and gives a vector."""
    if tensor_type(b).ndim == 0:
        raise RankError(
            f"{op.title}: the right side is a scalar",
            f"{op.title} of {a}: {a.type} and {b}: {b.type}",
            advice="give a vector or a matrix with as many rows as the matrix on the left",
        )
    if tensor_type(b).ndim > 1:
        return op(a, b)
    solution = op(a, as_columns(b))
    return dimshuffle(solution, tuple(range(tensor_type(solution).ndim - 1)))


_ASSUMPTIONS = {
    **dict.fromkeys(("gen", "general"), "gen"),
    **dict.fromkeys(("sym", "symmetric", "her", "hermitian"), "sym"),
    **dict.fromkeys(("pos", "positive definite"), "pos"),
    "lower triangular": "lower triangular",
    "upper triangular": "upper triangular",
}


def solve(
    a: Any, b: Any, assume_a: str = "gen", lower: bool = False, transposed: bool = False
) -> Any:
    """The x of a x = b (`transposed`: of aᵀ x = b), for a vector b or a matrix of columns.

    assume_a   'gen', 'sym' (one triangle is read), 'pos' (positive definite: by its Cholesky
               factor), 'lower triangular' or 'upper triangular'
    lower      which triangle is read

    Raises LinearAlgebraError (when it runs) for a singular matrix, UsageError for another
    assumption, ShapeError where lengths do not fit.
    """
    x, y = _pair(a, b)
    kind = _ASSUMPTIONS.get(assume_a)
    if kind is None:
        known = list(_ASSUMPTIONS)
        raise UsageError(
            f"solve: there is no assumption {assume_a!r}.{nearest(str(assume_a), known)}",
            advice=f"assume_a is one of {', '.join(map(repr, known))}",
        )
    if kind == "pos":
        return cho_solve((cholesky(x, lower=lower), lower), y)
    if kind.endswith("triangular"):
        return solve_triangular(x, y, trans=int(transposed), lower=kind.startswith("lower"))
    if kind == "sym":
        x = mirrored(x if lower else turned(x))
    return _solved(Solve(), turned(x) if transposed and kind == "gen" else x, y)


def solve_triangular(
    a: Any, b: Any, trans: int | str = 0, lower: bool = False, unit_diagonal: bool = False
) -> Any:
    """The x of a x = b (`trans` of 1 or 'T': of aᵀ x = b) for triangular a: the other triangle is
    not read, nor the diagonal if it is `unit_diagonal`.
    """
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise UsageError(
            f"solve_triangular: trans is not {trans!r}", advice="it is 0 or 'N', 1 or 'T', 2 or 'C'"
        )
    x, y = _pair(a, b)
    if trans in (0, "N"):
        return _solved(SolveTriangular(bool(lower), bool(unit_diagonal)), x, y)
    return _solved(SolveTriangular(not lower, bool(unit_diagonal)), turned(x), y)


def solve_lower_triangular(a: Any, b: Any) -> Any:
    """The x of a x = b for lower triangular a."""
    return solve_triangular(a, b, lower=True)


def solve_upper_triangular(a: Any, b: Any) -> Any:
    """The x of a x = b for upper triangular a."""
    return solve_triangular(a, b, lower=False)


def cholesky(a: Any, lower: bool = True) -> Any:
    """The lower factor L of symmetric positive definite matrices, L Lᵀ = a, or the upper one, which
    is its transpose. One triangle is read, the one of the factor.

    Raises LinearAlgebraError (when it runs) where a matrix is not positive definite.
    """
    x = floating(a)
    return Cholesky()(x) if lower else turned(Cholesky()(turned(x)))


def cho_factor(a: Any, lower: bool = False) -> tuple[Any, bool]:
    """The factor and which one it is, as `cho_solve` takes them."""
    return cholesky(a, lower), lower


def cho_solve(factor_and_lower: tuple[Any, bool], b: Any) -> Any:
    """The x of a x = b, from a Cholesky factor of a and whether it is the lower one."""
    factor, lower = factor_and_lower
    half = solve_triangular(factor, b, trans=0 if lower else 1, lower=lower)
    return solve_triangular(factor, half, trans=1 if lower else 0, lower=lower)


def eigh(a: Any, UPLO: str = "L") -> tuple[Any, Any]:  # numpy's name
    """Eigenvalues, ascending, and eigenvectors, as columns, of symmetric matrices, of which the
    lower ('L') or upper ('U') triangle is read.

    Gradients through eigenvectors need distinct eigenvalues.
    """
    values, vectors = Eigh(_reads_lower(UPLO))(floating(a))
    return values, vectors


def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """The eigenvalues, ascending, of symmetric matrices; see `eigh`."""
    return Eigvalsh(_reads_lower(UPLO))(floating(a))


def _reads_lower(triangle: str) -> bool:
    if str(triangle).upper() not in ("L", "U"):
        raise UsageError(f"eigh: UPLO is not {triangle!r}", advice="it is 'L' or 'U'")
    return triangle.upper() == "L"


def eig(a: Any) -> tuple[Any, Any]:
    """Eigenvalues and eigenvectors, as columns, of square matrices: always complex, in LAPACK's
    order. They have no gradient here.
    """
    values, vectors = Eig()(floating(a))
    return values, vectors


def eigvals(a: Any) -> Any:
    """The eigenvalues of square matrices: always complex, in LAPACK's order."""
    return eig(a)[0]


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """U, the singular values (descending) and Vᵀ; the singular values alone without `compute_uv`.

    Gradients through U and V need distinct singular values, and `full_matrices=False` where the
    matrix is not (known to be) square.
    """
    x = floating(a)
    return tuple(Svd(bool(full_matrices))(x)) if compute_uv else SingularValues()(x)


def svdvals(a: Any) -> Any:
    """The singular values, descending."""
    return SingularValues()(floating(a))


def qr(a: Any, mode: str = "reduced") -> Any:
    """Q and R; `mode` is 'reduced', 'complete' or 'r' (R alone)."""
    names = {"full": "reduced", "economic": "reduced"}
    wanted = names.get(mode, mode)
    if wanted not in ("reduced", "complete", "r"):
        known = ["reduced", "complete", "r"]
        raise UsageError(
            f"qr: there is no mode {mode!r}.{nearest(str(mode), known)}",
            advice=f"it is one of {', '.join(map(repr, known))}",
        )
    made = Qr(wanted)(floating(a))
    return made if wanted == "r" else tuple(made)


def expm(a: Any) -> Any:
    """The exponentials of square matrices."""
    return Expm()(floating(a))


def _tolerance(a: Any, singular_values: Any, relative: float | None) -> Any:
    """Below what a singular value counts as zero, as a last axis of length 1."""
    dtype = tensor_type(singular_values).dtype
    top = largest(singular_values, axis=-1, keepdims=True)
    if relative is not None:
        return top * constant(relative, dtype)
    m, n = shape_tuple(a)[-2:]
    return top * cast(maximum(m, n), dtype) * constant(np.finfo(dtype).eps, dtype)


def matrix_rank(a: Any, tol: Any = None) -> Any:
    """How many singular values are above `tol` (by default numpy's: the largest times max(m, n)
    times the dtype's epsilon), int64. A vector has rank 1 unless it is zero.
    """
    x = floating(a)
    if tensor_type(x).ndim < 2:
        return cast(gt(total(cast(absolute(x) > 0, "int64")), 0), "int64")
    s = SingularValues()(x)
    bound = _tolerance(x, s, None) if tol is None else floating(tol)
    if tol is not None and tensor_type(bound).ndim:
        bound = as_columns(bound)
    return total(cast(gt(s, bound), "int64"), axis=-1)


def lstsq(a: Any, b: Any, rcond: float | None = None) -> tuple[Any, Any, Any, Any]:
    """The x of smallest norm that minimises |a x - b|, the sums of squared residuals (one for each
    column of b), the rank of a, its singular values.

    a is one matrix; b a vector or a matrix. Unlike NumPy's, the residuals are there in every case.
    Singular values below `rcond` times the largest count as zero.
    """
    x, y = _pair(a, b)
    if tensor_type(x).ndim != 2 or tensor_type(y).ndim not in (1, 2):
        raise RankError(
            "lstsq takes a matrix, and a vector or a matrix on the right",
            f"lstsq of {x}: {x.type} and {y}: {y.type}",
            advice="use pinv for stacks of matrices",
        )
    columns = y if tensor_type(y).ndim == 2 else as_columns(y)
    solution = product(pinv(x, rcond), columns)
    gap = columns - product(x, solution)
    residuals = total(gap * gap, axis=0)
    s = SingularValues()(x)
    rank = total(cast(gt(s, _tolerance(x, s, rcond)), "int64"))
    if tensor_type(y).ndim == 1:
        solution = dimshuffle(solution, (0,))
    return solution, residuals, rank, s


def tensorinv(a: Any, ind: int = 2) -> Any:
    """As numpy.linalg.tensorinv: the inverse with respect to `tensordot` over `ind` axes."""
    x = floating(a)
    ndim = tensor_type(x).ndim
    if not 0 < ind < ndim:
        raise RankError(
            f"tensorinv: ind={ind} does not part {ndim} axes",
            f"tensorinv of {x}: {x.type}",
            advice=f"give a number from 1 to {ndim - 1}",
        )
    dims = shape_tuple(x)
    rows = reshape(x, (_size(dims[:ind]), -1))
    return reshape(inv(rows), (*dims[ind:], *dims[:ind]))


def tensorsolve(a: Any, b: Any) -> Any:
    """As numpy.linalg.tensorsolve: the x for which tensordot(a, x) over all axes of x is b."""
    x, y = _pair(a, b)
    count = tensor_type(y).ndim
    solution = solve(reshape(x, (_size(shape_tuple(y)), -1)), flatten(y))
    return reshape(solution, shape_tuple(x)[count:])


def _size(dims: Any) -> Any:
    size: Any = 1
    for n in dims:
        size = size * n
    return size
