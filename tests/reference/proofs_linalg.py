"""Linear algebra under its old names, against NumPy and SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.agreeing import agrees, computed, equal, raises
from tests.reference.proofs import proves

rng = np.random.RandomState(7)
A, B = rng.standard_normal((3, 3)) + 3 * np.eye(3), rng.standard_normal((3, 3))
RECT = rng.standard_normal((4, 3))
SYM = A + A.T
SPD = A @ A.T + np.eye(3)
V = rng.standard_normal(3)
N, S = "T.nlinalg", "T.slinalg"
nl, sl = T.nlinalg, T.slinalg

agrees(f"{N}.pinv", "a", nl.pinv, np.linalg.pinv, RECT)
agrees(f"{N}.matrix_inverse", "a", nl.matrix_inverse, np.linalg.inv, A)
agrees(f"{N}.matrix_dot", "args", nl.matrix_dot, lambda a, b, c: a @ b @ c, RECT, A, B)
agrees(f"{N}.alloc_diag", "", nl.alloc_diag, np.diag, V)
agrees(f"{N}.extract_diag", "", nl.extract_diag, np.diag, A)
agrees(f"{N}.diag", "", nl.diag, np.diag, V)
agrees(f"{N}.diag", "", nl.diag, np.diag, A)
agrees(f"{N}.trace", "X", lambda x: nl.trace(X=x), np.trace, A)
agrees(f"{N}.det", "a", nl.det, np.linalg.det, A)
agrees(f"{N}.eigh", "a", lambda a: nl.eigh(a)[0], np.linalg.eigvalsh, SYM)
agrees(f"{N}.qr", "a", lambda a: T.dot(*nl.qr(a)), lambda a: a, RECT)
agrees(f"{N}.qr", "mode", lambda a: abs(nl.qr(a, "r")), lambda a: abs(np.linalg.qr(a, "r")), RECT)
agrees(f"{N}.svd", "a", lambda a: nl.svd(a)[1], lambda a: np.linalg.svd(a)[1], RECT)
agrees(f"{N}.matrix_power", "M n", lambda m: nl.matrix_power(M=m, n=3), lambda m: m @ m @ m, A)
agrees(
    f"{N}.matrix_power", "n", lambda m: nl.matrix_power(m, -2), lambda m: np.linalg.inv(m @ m), A
)
for _ord in (None, "fro", 1, -1, 2, -2, np.inf, -np.inf):
    agrees(
        f"{N}.norm",
        "x ord",
        lambda x, o=_ord: nl.norm(x, o),
        lambda x, o=_ord: np.linalg.norm(x, o),
        A,
    )
for _ord in (0, 3, -np.inf):
    agrees(
        f"{N}.norm",
        "ord",
        lambda x, o=_ord: nl.norm(x, o),
        lambda x, o=_ord: np.linalg.norm(x, o),
        V,
    )
_CUBE = rng.standard_normal((2, 3, 6))
agrees(f"{N}.tensorinv", "a ind", lambda a: nl.tensorinv(a, ind=2), np.linalg.tensorinv, _CUBE)
agrees(
    f"{N}.tensorinv",
    "a ind",
    lambda a: nl.tensorinv(a, 1),
    lambda a: np.linalg.tensorinv(a, 1),
    _CUBE.transpose(2, 0, 1),
)
agrees(f"{N}.tensorsolve", "a b", nl.tensorsolve, np.linalg.tensorsolve, _CUBE, RECT[:2])
agrees(
    f"{N}.tensorsolve",
    "axes",
    lambda a, b: nl.tensorsolve(a, b, axes=(0, 2)),
    lambda a, b: np.linalg.tensorsolve(a, b, axes=(0, 2)),
    _CUBE.reshape(2, 6, 3),
    rng.standard_normal(6),
)


@proves(f"{N}.eig", "a")
def eigenvalues_of_any_matrix() -> None:
    values, vectors = computed(nl.eig, SYM)
    np.testing.assert_allclose(np.sort(values.real), np.linalg.eigvalsh(SYM))
    np.testing.assert_allclose(SYM @ vectors, vectors * values, atol=1e-8)


@proves(f"{N}.eigh", "UPLO")
@proves(f"{S}.eigvalsh", "a", "b", "lower")
def which_triangle_is_read() -> None:
    upper = np.triu(SYM) + np.tril(B, -1)
    for name in ("L", "U"):
        values, vectors = computed(lambda a, u=name: nl.eigh(a, UPLO=u), upper)
        wanted = np.linalg.eigvalsh(upper, name)
        np.testing.assert_allclose(values, wanted)
        np.testing.assert_allclose(vectors.T @ vectors, np.eye(3), atol=1e-9)
        lower = name == "L"
        got = computed(lambda a, w=lower: sl.eigvalsh(a, None, lower=w), upper)
        np.testing.assert_allclose(got, wanted)
        got = computed(lambda a, b, w=lower: sl.eigvalsh(a, b, w), upper, SPD)
        np.testing.assert_allclose(got, scipy.linalg.eigvalsh(upper, SPD, lower=lower))


@proves(f"{N}.svd", "full_matrices", "compute_uv")
def parts_of_a_singular_value_decomposition() -> None:
    for full in (True, False):
        u, s, v = computed(lambda a, f=full: nl.svd(a, full_matrices=f), RECT)
        assert u.shape == ((4, 4) if full else (4, 3))
        np.testing.assert_allclose((u[:, :3] * s) @ v, RECT)
    equal(
        computed(lambda a: nl.svd(a, compute_uv=False), RECT), np.linalg.svd(RECT, compute_uv=False)
    )


@proves(f"{N}.lstsq", "a", "b", "rcond")
def least_squares() -> None:
    b = RECT.sum(1) ** 2
    solution = computed(lambda a, y: nl.lstsq(a, y, -1)[0], RECT, b)
    np.testing.assert_allclose(solution, np.linalg.lstsq(RECT, b, rcond=None)[0])
    nearly = np.diag([1.0, 1e-4])
    for rcond in (1e-2, 1e-8):
        got = computed(lambda a, r=rcond: nl.lstsq(a, np.ones(2), r)[0], nearly)
        np.testing.assert_allclose(got, np.linalg.lstsq(nearly, np.ones(2), rcond)[0], atol=1e-9)


agrees(f"{S}.cholesky", "a", sl.cholesky, np.linalg.cholesky, SPD)
agrees(f"{S}.solve", "a b", sl.solve, np.linalg.solve, A, V)
agrees(f"{S}.solve", "a b", sl.solve, np.linalg.solve, A, B)
_LOW, _UP = np.tril(A), np.triu(A)
for _name, _triangle in (("lower", _LOW), ("upper", _UP)):
    _f: Any = getattr(sl, f"solve_{_name}_triangular")
    agrees(f"{S}.solve_{_name}_triangular", "a b", _f, np.linalg.solve(_triangle, V), _triangle, V)
agrees(f"{S}.solve_symmetric", "a b", sl.solve_symmetric, np.linalg.solve, SYM, V)
agrees(f"{S}.kron", "a b", sl.kron, np.kron, RECT, B)
agrees(f"{S}.expm", "a", sl.expm, scipy.linalg.expm, B, rtol=1e-9)


agrees(f"{N}.MatrixInverse", "", lambda a: nl.MatrixInverse()(a), np.linalg.inv, A)
agrees(f"{N}.MatrixPinv", "", lambda a: nl.MatrixPinv()(a), np.linalg.pinv, RECT)
agrees(f"{N}.Det", "", lambda a: nl.Det()(a), np.linalg.det, A)
agrees(f"{N}.ExtractDiag", "", lambda a: nl.ExtractDiag()(a), np.diag, A)
agrees(f"{S}.Expm", "", lambda a: sl.Expm()(a), scipy.linalg.expm, B, rtol=1e-9)
agrees(
    f"{N}.QRFull",
    "mode",
    lambda a: abs(nl.QRFull("r")(a)),
    lambda a: abs(np.linalg.qr(a, "r")),
    RECT,
)
agrees(
    f"{N}.SVD",
    "full_matrices compute_uv",
    lambda a: [abs(nl.SVD(False)(a)[0]), nl.SVD(compute_uv=False)(a)],
    lambda a: [abs(np.linalg.svd(a, False)[0]), np.linalg.svd(a, compute_uv=False)],
    RECT,
)
agrees(
    f"{N}.Eigh",
    "UPLO",
    lambda a: [nl.Eigh()(a)[0], nl.Eigh("U")(a)[0]],
    lambda a: [np.linalg.eigvalsh(a), np.linalg.eigvalsh(a, "U")],
    A,
)
agrees(
    f"{S}.Eigvalsh",
    "lower",
    lambda a: [sl.Eigvalsh()(a), sl.Eigvalsh(lower=False)(a)],
    lambda a: [np.linalg.eigvalsh(a), np.linalg.eigvalsh(a, "U")],
    A,
)


@proves(f"{N}.Eig", "")
def eigenvalues_by_the_old_class() -> None:
    values, _ = computed(lambda a: nl.Eig()(a), SYM)
    np.testing.assert_allclose(np.sort(values.real), np.linalg.eigvalsh(SYM))


@proves(f"{S}.Solve", "A_structure")
@proves(f"{S}.Cholesky", "lower")
def options_of_the_old_classes() -> None:
    equal(computed(sl.Solve(A_structure="lower_triangular"), A, V), np.linalg.solve(_LOW, V))
    equal(computed(sl.Solve("upper_triangular"), A, V), np.linalg.solve(_UP, V))
    equal(computed(sl.Solve("symmetric"), SYM, V), np.linalg.solve(SYM, V))
    equal(computed(sl.Solve(), A, V), np.linalg.solve(A, V))
    equal(computed(sl.Cholesky(lower=False), SPD), np.linalg.cholesky(SPD).T)


@proves(f"{N}.matrix_inverse", "a")
def singular_matrices_raise() -> None:
    a = T.dmatrix()
    inverse, factor = (
        theano.function([a], nl.matrix_inverse(a)),
        theano.function([a], sl.cholesky(a)),
    )
    raises(np.linalg.LinAlgError, "singular", lambda: inverse(np.ones((2, 2))))
    raises(np.linalg.LinAlgError, "definite", lambda: factor(-np.eye(2)))
