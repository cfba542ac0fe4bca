"""Linear algebra by numpy.linalg's names, and some of scipy.linalg's. Everything takes stacks of
matrices where NumPy does, computes integers as float64, keeps float32, and is differentiable
(but for eig, matrix_rank and signs of determinants).

A matrix that is singular, or not positive definite, raises LinearAlgebraError when the function
runs: it is a numpy.linalg.LinAlgError.
"""

from workbench.core.ops.batched import matmul
from workbench.core.ops.diagonals import diagonal
from workbench.core.ops.dot import outer
from workbench.core.ops.linalg import (
    cho_factor,
    cho_solve,
    cholesky,
    det,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    expm,
    inv,
    logdet,
    lstsq,
    matrix_rank,
    pinv,
    qr,
    slogdet,
    solve,
    solve_lower_triangular,
    solve_triangular,
    solve_upper_triangular,
    svd,
    svdvals,
    tensorinv,
    tensorsolve,
)
from workbench.core.ops.lu import lu
from workbench.core.ops.matrix_norms import cond, matrix_norm, norm, vector_norm
from workbench.core.ops.products import (
    cross,
    kron,
    matrix_dot,
    matrix_power,
    multi_dot,
    tensordot,
    trace,
    vecdot,
)
from workbench.core.ops.stacks import turned as matrix_transpose
from workbench.errors import LinearAlgebraError as LinAlgError

matrix_inverse = inv

__all__ = [
    "LinAlgError",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "inv",
    "kron",
    "logdet",
    "lstsq",
    "lu",
    "matmul",
    "matrix_dot",
    "matrix_inverse",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_lower_triangular",
    "solve_triangular",
    "solve_upper_triangular",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vecdot",
    "vector_norm",
]
