"""Linear algebra: what was a class of ops with options, and functions with another signature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import workbench.tensor as T

_FORMS = {"general": "gen", "symmetric": "sym"}


def solve_symmetric(a: Any, b: Any) -> Any:
    """The x of a x = b, of a symmetric a."""
    return T.linalg.solve(a, b, assume_a="sym")


def Solve(
    A_structure: str = "general",
    lower: bool = False,
    overwrite_A: bool = False,
    overwrite_b: bool = False,
) -> Callable[..., Any]:
    """The function of (a, b) that solves a x = b for an a of this structure: general, symmetric,
    lower_triangular or upper_triangular.
    """
    if A_structure.endswith("_triangular"):
        found: Callable[..., Any] = getattr(T.linalg, f"solve_{A_structure}")
        return found
    return lambda a, b: T.linalg.solve(a, b, assume_a=_FORMS[A_structure])


def Cholesky(lower: bool = True) -> Callable[[Any], Any]:
    """The function that factors a matrix: lower, or upper."""
    return lambda a: T.linalg.cholesky(a, lower)


def eigvalsh(a: Any, b: Any = None, lower: bool = True) -> Any:
    """The eigenvalues of a symmetric a (of which it reads one triangle), ascending; with b, which
    is positive definite, those of a v = w b v.
    """
    if b is None:
        return T.linalg.eigvalsh(a, "L" if lower else "U")
    whole = _symmetric(a, lower)
    factor = T.linalg.cholesky(_symmetric(b, lower))
    half = T.linalg.solve_lower_triangular(factor, whole)
    return T.linalg.eigvalsh(T.linalg.solve_lower_triangular(factor, half.T))


def _symmetric(a: Any, lower: bool) -> Any:
    read = T.tril(a) if lower else T.triu(a)
    strict = T.tril(a, -1) if lower else T.triu(a, 1)
    return read + strict.T


def tensorsolve(a: Any, b: Any, axes: Sequence[int] | None = None) -> Any:
    """`T.linalg.tensorsolve`, with these axes of a moved to its end first."""
    if axes is not None:
        moved: Any = T.as_tensor_variable(a)
        kept = [i for i in range(moved.ndim) if i not in axes]
        a = moved.dimshuffle(*kept, *axes)
    return T.linalg.tensorsolve(a, b)


def Eigh(UPLO: str = "L") -> Callable[[Any], Any]:
    """The function that finds eigenvalues and eigenvectors; which triangle it reads."""
    return lambda a: T.linalg.eigh(a, UPLO)


def QRFull(mode: str = "reduced") -> Callable[[Any], Any]:
    """The function that factors a matrix into Q and R, in NumPy's mode."""
    return lambda a: T.linalg.qr(a, mode)


def SVD(full_matrices: bool = True, compute_uv: bool = True) -> Callable[[Any], Any]:
    """The function of a matrix's singular value decomposition."""
    return lambda a: T.linalg.svd(a, full_matrices, compute_uv)


def Eigvalsh(lower: bool = True) -> Callable[..., Any]:
    """The function of `eigvalsh` that reads this triangle."""
    return lambda a, b=None: eigvalsh(a, b, lower)


def _plain(name: str) -> Callable[[], Callable[..., Any]]:
    def make() -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(T.linalg, name)
        return found

    make.__name__, make.__doc__ = name, f"The function `T.linalg.{name}`."
    return make


MatrixInverse, MatrixPinv, Det = _plain("inv"), _plain("pinv"), _plain("det")
Eig, Expm, ExtractDiag = _plain("eig"), _plain("expm"), _plain("diagonal")
