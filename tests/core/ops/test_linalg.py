"""Linear algebra as a user calls it: values of numpy.linalg and scipy.linalg in both back ends,
dtypes, gradients, and every error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import inputs_for, interpreter, native
from tests.core.ops.gradients import check_gradient
from workbench.core.samples import numbers
from workbench.core.samples.solve import regular, symmetric
from workbench.core.types import TensorType
from workbench.errors import (
    DtypeError,
    LinearAlgebraError,
    NullGradientError,
    RankError,
    ShapeError,
    UsageError,
)

L = T.linalg
Function = Callable[..., Any]
SQUARE, STACK, LINE, TALL, WIDE = (3, 3), (2, 3, 3), (3,), (4, 2), (2, 4)
INF = float("inf")


def lower(a: Any) -> Any:
    return np.tril(a) + np.swapaxes(np.tril(a, -1), -1, -2)


def upper(a: Any) -> Any:
    return lower(np.swapaxes(a, -1, -2))


def triangular(a: Any, b: Any, low: bool, trans: int = 0, unit: bool = False) -> Any:
    return scipy.linalg.solve_triangular(a, b, trans, low, unit)


CASES: dict[str, tuple[Function, Function, tuple[Any, ...]]] = {
    "inv": (L.inv, np.linalg.inv, (regular(*SQUARE),)),
    "inv stack": (L.inv, np.linalg.inv, (regular(*STACK),)),
    "pinv": (L.pinv, np.linalg.pinv, (numbers(*TALL),)),
    "det": (L.det, np.linalg.det, (regular(*SQUARE),)),
    "slogdet": (L.slogdet, np.linalg.slogdet, (-regular(*SQUARE),)),
    "logdet": (L.logdet, lambda a: np.linalg.slogdet(a)[1], (regular(*SQUARE),)),
    "solve vector": (L.solve, np.linalg.solve, (regular(*SQUARE), numbers(3))),
    "solve matrix": (L.solve, np.linalg.solve, (regular(*SQUARE), numbers(3, 2))),
    "solve stack": (L.solve, np.linalg.solve, (regular(*STACK), numbers(2, 3, 2))),
    "solve stack of vectors": (
        lambda a, b: L.solve(a, b[..., None])[..., 0],
        lambda a, b: np.linalg.solve(a, b[..., None])[..., 0], (regular(*STACK), numbers(2, 3)),
    ),
    "solve transposed": (
        lambda a, b: L.solve(a, b, transposed=True), lambda a, b: np.linalg.solve(a.T, b),
        (regular(*SQUARE), numbers(3)),
    ),
    "solve sym": (
        lambda a, b: L.solve(a, b, "sym"), lambda a, b: np.linalg.solve(upper(a), b),
        (regular(*SQUARE), numbers(3)),
    ),
    "solve sym lower": (
        lambda a, b: L.solve(a, b, "sym", lower=True), lambda a, b: np.linalg.solve(lower(a), b),
        (regular(*SQUARE), numbers(3)),
    ),
    "solve pos": (
        lambda a, b: L.solve(a, b, "pos"), lambda a, b: np.linalg.solve(upper(a), b),
        (regular(*SQUARE), numbers(3)),
    ),
    "solve pos lower": (
        lambda a, b: L.solve(a, b, "pos", lower=True), lambda a, b: np.linalg.solve(lower(a), b),
        (regular(*SQUARE), numbers(3, 2)),
    ),
    "solve triangular": (
        lambda a, b: L.solve(a, b, "lower triangular", transposed=True),
        lambda a, b: triangular(a, b, True, 1), (regular(*SQUARE), numbers(3)),
    ),
    "solve_lower_triangular": (
        L.solve_lower_triangular, lambda a, b: triangular(a, b, True),
        (regular(*SQUARE), numbers(3)),
    ),
    "solve_upper_triangular": (
        L.solve_upper_triangular, lambda a, b: triangular(a, b, False),
        (regular(*SQUARE), numbers(3, 2)),
    ),
    "cholesky": (L.cholesky, np.linalg.cholesky, (symmetric(*SQUARE),)),
    "cholesky upper": (
        lambda a: L.cholesky(a, lower=False), lambda a: scipy.linalg.cholesky(a),
        (regular(*SQUARE),),
    ),
    "cho_solve": (
        lambda a, b: L.cho_solve((a, True), b), lambda a, b: scipy.linalg.cho_solve((a, True), b),
        (np.linalg.cholesky(symmetric(*SQUARE)), numbers(3)),
    ),
    "cho_solve upper": (
        lambda a, b: L.cho_solve((a, False), b), lambda a, b: scipy.linalg.cho_solve((a, False), b),
        (np.linalg.cholesky(symmetric(*SQUARE)).T.copy(), numbers(3, 2)),
    ),
    "cho_factor": (
        lambda a, b: L.cho_solve(L.cho_factor(a), b), np.linalg.solve,
        (symmetric(*SQUARE), numbers(3)),
    ),
    "eigh": (L.eigh, np.linalg.eigh, (symmetric(*SQUARE),)),
    "eigh upper": (
        lambda a: L.eigh(a, "U"), lambda a: np.linalg.eigh(a, "U"), (numbers(*SQUARE),),
    ),
    "eigvalsh": (L.eigvalsh, np.linalg.eigvalsh, (symmetric(*STACK),)),
    "svd": (
        lambda a: L.svd(a, full_matrices=False), lambda a: np.linalg.svd(a, full_matrices=False),
        (numbers(*TALL),),
    ),
    "svd values": (
        lambda a: L.svd(a, compute_uv=False), lambda a: np.linalg.svd(a, compute_uv=False),
        (numbers(*WIDE),),
    ),
    "svdvals": (L.svdvals, lambda a: np.linalg.svd(a, compute_uv=False), (numbers(*WIDE),)),
    "qr": (L.qr, np.linalg.qr, (numbers(*TALL),)),
    "qr wide": (L.qr, np.linalg.qr, (numbers(*WIDE),)),
    "qr r": (lambda a: L.qr(a, "r"), lambda a: np.linalg.qr(a, "r"), (numbers(*TALL),)),
    "lu": (lambda a: L.lu(a)[1:], lambda a: scipy.linalg.lu(a)[1:], (numbers(*TALL),)),
    "lu permuted": (
        lambda a: L.lu(a, permute_l=True), lambda a: scipy.linalg.lu(a, permute_l=True),
        (numbers(*WIDE),),
    ),
    "expm": (L.expm, scipy.linalg.expm, (numbers(*SQUARE),)),
    "lstsq": (
        lambda a, b: L.lstsq(a, b)[0], lambda a, b: np.linalg.lstsq(a, b)[0],
        (numbers(*TALL), numbers(4)),
    ),
    "lstsq wide": (
        lambda a, b: L.lstsq(a, b)[0], lambda a, b: np.linalg.lstsq(a, b)[0],
        (numbers(*WIDE), numbers(2, 3)),
    ),
    "lstsq residuals": (
        lambda a, b: L.lstsq(a, b)[1::2], lambda a, b: np.linalg.lstsq(a, b)[1::2],
        (numbers(*TALL), numbers(4, 3)),
    ),
    "tensorinv": (
        L.tensorinv, np.linalg.tensorinv, (regular(6, 6).reshape(2, 3, 6),)),
    "tensorsolve": (
        L.tensorsolve, np.linalg.tensorsolve, (regular(6, 6).reshape(2, 3, 6), numbers(2, 3))),
    "matrix_transpose": (L.matrix_transpose, np.linalg.matrix_transpose, (numbers(2, 3, 4),)),
    "vector_norm": (L.vector_norm, np.linalg.vector_norm, (numbers(2, 3),)),
    "matrix_norm": (L.matrix_norm, np.linalg.matrix_norm, (numbers(2, 3, 2),)),
    "norm": (L.norm, np.linalg.norm, (numbers(2, 3, 2),)),
    "norm of an axis": (
        lambda a: L.norm(a, axis=1), lambda a: np.linalg.norm(a, axis=1), (numbers(2, 3, 2),)),
    "norm method": (lambda a: a.norm(2), np.linalg.norm, (numbers(2, 3),)),
    "norm method of an axis": (
        lambda a: a.norm(3, axis=0), lambda a: np.linalg.norm(a, 3, axis=0), (numbers(2, 3),)),
    "cond": (L.cond, np.linalg.cond, (regular(*STACK),)),
}  # fmt: skip
for _order in (None, 2, 1, INF, -INF, 0, 3, 0.5, -1, -2):
    CASES[f"norm {_order} of a vector"] = (
        lambda a, p=_order: L.norm(a, p), lambda a, p=_order: np.linalg.norm(a, p), (numbers(4),)
    )  # fmt: skip
for _order in (None, "fro", "nuc", 1, -1, 2, -2, INF, -INF):
    for _axes, _keep in ((None, True), ((0, 1), False), ((1, 0), False)):
        CASES[f"norm {_order} of a matrix {_axes} {_keep}"] = (
            lambda a, p=_order, x=_axes, k=_keep: L.norm(a, p, x, k),
            lambda a, p=_order, x=_axes, k=_keep: np.linalg.norm(a, p, x, k),
            (numbers(3, 2),),
        )
    CASES[f"norm {_order} of matrices"] = (
        lambda a, p=_order: L.norm(a, p, (0, 2), True),
        lambda a, p=_order: np.linalg.norm(a, p, (0, 2), True),
        (numbers(2, 2, 3),),
    )
for _order in (None, 2, -2, 1, -1, INF, -INF, "fro"):
    CASES[f"cond {_order}"] = (
        lambda a, p=_order: L.cond(a, p), lambda a, p=_order: np.linalg.cond(a, p),
        (regular(*SQUARE),),
    )  # fmt: skip


def listed(made: Any) -> list[Any]:
    return list(made) if isinstance(made, (list, tuple)) else [made]


@pytest.mark.parametrize(  # the walk over ops runs float32 natively
    ("run", "dtype"), [(interpreter, "float64"), (interpreter, "float32"), (native, "float64")]
)
@pytest.mark.parametrize("name", CASES)
def test_values(name: str, run: Any, dtype: str) -> None:
    ours, theirs, given = CASES[name]
    arrays = [a.astype(dtype) for a in given]
    inputs = inputs_for(arrays)
    outputs = listed(ours(*inputs))
    expected = listed(theirs(*arrays))
    for found, wanted, output in zip(run(inputs, outputs)(arrays), expected, outputs, strict=True):
        assert found.dtype == output.dtype == dtype
        assert found.shape == np.shape(wanted)
        tolerance = {"float64": 1e-11, "float32": 2e-4}[dtype]
        scale = 1 + np.abs(wanted).max(initial=0)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("name", CASES)
def test_gradients(name: str) -> None:
    ours, _, arrays = CASES[name]
    if " 0 of a vector" in name:
        pytest.skip("a count has no slope")
    inputs = inputs_for(arrays)
    check_gradient(inputs, listed(ours(*inputs)), arrays, range(len(arrays)), tolerance=2e-6)


@pytest.mark.parametrize("dtype", ["int32", "bool", "uint8"])
@pytest.mark.parametrize("function", [L.inv, L.det, L.norm, L.cholesky, L.svdvals])
def test_integers_are_computed_as_float64(function: Any, dtype: str) -> None:
    x = TensorType(dtype, (None, None)).make()
    assert function(x).dtype == "float64"
    eye = np.eye(3, dtype=dtype)
    np.testing.assert_allclose(function(x).eval({x: eye}), function(eye.astype("float64")).eval())


@pytest.mark.parametrize("run", [interpreter, native])
def test_solve_of_two_dtypes(run: Any) -> None:
    arrays = [regular(3, 3).astype("float32"), numbers(3)]
    inputs = inputs_for(arrays)
    (found,) = run(inputs, [L.solve(*inputs)])(arrays)
    np.testing.assert_allclose(found, np.linalg.solve(*arrays), rtol=1e-12)
    (found,) = run(inputs[:1], [L.solve(inputs[0], np.arange(3))])(arrays[:1])
    assert found.dtype == "float64"


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_matrix_rank(rank: int) -> None:
    x = numbers(4, rank) @ numbers(rank, 3, seed=1) if rank else np.zeros((4, 3))
    a, v = T.dmatrix(), T.dvector()
    assert wb.function([a], L.matrix_rank(a))(x) == rank
    assert wb.function([a], L.lstsq(a, numbers(4))[2])(x) == rank
    assert wb.function([v], L.matrix_rank(v))(x[0]) == min(rank, 1)
    assert wb.function([a], L.matrix_rank(a, tol=100.0))(x) == 0
    assert L.matrix_rank(a).dtype == "int64"


def test_lstsq_of_lower_rank() -> None:
    a, b = np.outer(numbers(4), numbers(3, seed=1)), numbers(4, seed=2)
    x, _, rank, s = (v.eval() for v in L.lstsq(a, b))
    wanted = np.linalg.lstsq(a, b)
    np.testing.assert_allclose(x, wanted[0], atol=1e-12)
    assert rank == 1
    np.testing.assert_allclose(s, wanted[3], atol=1e-12)


def test_eig() -> None:
    a, x = T.dmatrix(), numbers(3, 3)
    values, vectors = L.eig(a)
    w, v = wb.function([a], [values, vectors])(x)
    np.testing.assert_allclose(x @ v, v * w, atol=1e-12)
    assert w.dtype == "complex128"
    assert L.eigvals(T.fmatrix()).dtype == "complex64"
    with pytest.raises(NullGradientError):
        wb.grad(T.real(values).sum(), a)


@pytest.mark.parametrize("order", [None, 2, 3, "fro"])
def test_the_gradient_of_a_norm_is_zero_at_zero(order: Any) -> None:
    x = T.dmatrix()
    f = wb.function([x], wb.grad(L.norm(x if order == "fro" else x.flatten(), order), x))
    np.testing.assert_array_equal(f(np.zeros((2, 3))), np.zeros((2, 3)))


def test_expm_of_large_and_odd_matrices() -> None:
    a = T.dmatrix()
    f = wb.function([a], L.expm(a))
    big = regular(40, 40) - 5 * np.eye(40)
    np.testing.assert_allclose(f(big), scipy.linalg.expm(big), rtol=1e-9)
    turn = np.array([[0.0, 200.0], [-200.0, 0.0]])
    np.testing.assert_allclose(
        f(turn), [[np.cos(200), np.sin(200)], [-np.sin(200), np.cos(200)]], atol=1e-11
    )
    assert np.isnan(f(np.full((2, 2), np.nan))).all()


def test_second_derivatives_of_functions() -> None:
    """Hessians of a Gaussian's log density, as statistics needs them."""
    a, b = T.dmatrix(), T.dvector()
    half = L.cholesky(a)
    z = L.solve_lower_triangular(half, b)
    cost = (z**2).sum() + 2 * T.log(T.diagonal(half)).sum() - L.logdet(a)
    slope = wb.grad(cost, a)
    check_gradient([a, b], [slope], [symmetric(3, 3), numbers(3)], (0, 1), tolerance=1e-5)


# --- what is refused ---

m, v, s, i3 = T.dmatrix("m"), T.dvector("v"), T.dscalar("s"), T.zmatrix("c")
oblong = TensorType("float64", (2, 3)).make(name="oblong")
REFUSED: list[tuple[Callable[[], Any], type[Exception]]] = [
    *((lambda f=f: f(v), RankError) for f in (L.inv, L.det, L.cholesky, L.eigh, L.svd, L.qr)),
    *((lambda f=f: f(oblong), ShapeError) for f in (L.inv, L.det, L.slogdet, L.eigh, L.expm)),
    *((lambda f=f: f(i3), DtypeError) for f in (L.inv, L.svd, L.qr, L.pinv, L.eig)),
    (lambda: L.solve(m, s), RankError),
    (lambda: L.solve(oblong, v), ShapeError),
    (lambda: L.solve(np.eye(3), np.ones(2)), ShapeError),
    (lambda: L.solve(m, i3), DtypeError),
    (lambda: L.solve(m, v, "positive"), UsageError),
    (lambda: L.solve_triangular(m, v, trans=3), UsageError),
    (lambda: L.eigh(m, "X"), UsageError),
    (lambda: L.qr(m, "rawish"), UsageError),
    (lambda: L.lu(v), RankError),
    (lambda: L.lstsq(T.dtensor3(), v), RankError),
    (lambda: L.tensorinv(m, 2), RankError),
    (lambda: L.norm(v, "fro"), UsageError),
    (lambda: L.norm(m, 3), UsageError),
    (lambda: L.norm(m, "nucular"), UsageError),
    (lambda: L.norm(T.dtensor3(), 2), RankError),
    (lambda: L.norm(m, axis=(0, 0)), RankError),
    (lambda: L.norm(m, axis=2), RankError),
    (lambda: L.cond(v), RankError),
    (lambda: v.norm("two"), UsageError),
    (lambda: wb.grad(L.svd(m)[0].sum(), m), NullGradientError),
    (lambda: wb.grad(L.qr(m, "complete")[0].sum(), m), NullGradientError),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_does_not_fit_is_refused(number: int) -> None:
    make, kind = REFUSED[number]
    with pytest.raises(kind) as refusal:
        make()
    assert refusal.value.advice  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("make", "arrays", "says"),
    [
        (L.inv, (np.ones((2, 2)),), "singular"),
        (L.inv, (np.stack([np.eye(2), np.zeros((2, 2))]),), "singular"),
        (lambda a: wb.grad(L.det(a), a), (np.ones((2, 2)),), "singular"),
        (L.solve, (np.ones((2, 2)), np.ones(2)), "singular"),
        (L.solve_lower_triangular, (np.diag([1.0, 0.0]), np.ones(2)), "singular"),
        (L.cholesky, (-np.eye(2),), "positive definite"),
        (lambda a, b: L.solve(a, b, "pos"), (-np.eye(2), np.ones(2)), "positive definite"),
        (L.eigh, (np.full((3, 3), np.nan),), "converge"),
        (L.eigvalsh, (np.full((3, 3), np.nan),), "converge"),
        (L.svd, (np.full((2, 2), np.nan),), "converge"),
        (L.pinv, (np.full((2, 2), np.nan),), "converge"),
    ],
)
def test_errors_when_it_runs(make: Any, arrays: Any, says: str) -> None:
    """The named error, which is NumPy's too, and says where the node was made."""
    inputs = inputs_for(arrays)
    f = wb.function(inputs, listed(make(*inputs)))
    for _ in range(2):
        with pytest.raises(np.linalg.LinAlgError, match=says) as raised:
            f(*arrays)
        assert isinstance(raised.value, LinearAlgebraError)
        assert raised.value.node is not None
        assert raised.value.advice


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(
    "make",
    [L.inv, L.det, L.slogdet, L.cholesky, L.eigh, L.eigvalsh, L.svd, L.svdvals, L.qr, L.pinv,
     L.expm, lambda a: L.solve(a, a), lambda a: L.solve_lower_triangular(a, a)],
)  # fmt: skip
def test_nan_and_inf_are_treated_as_the_interpreter_does(make: Any, value: float) -> None:
    """An error in both, or results with nan in both; a disagreement would be a warning."""
    (a,) = inputs_for([np.eye(2)])
    outputs = listed(make(a))
    f = wb.function([a], outputs)
    for n in (1, 2, 3, 5):
        for x in (np.full((n, n), value), np.eye(n) + np.diag([0.0] * (n - 1) + [value])):
            try:
                wanted = interpreter([a], outputs)([x])
            except LinearAlgebraError:
                with pytest.raises(LinearAlgebraError):
                    f(x)
                continue
            for found, expected in zip(f(x), wanted, strict=True):
                assert np.isfinite(found).all() == np.isfinite(expected).all()


@pytest.mark.parametrize(
    ("make", "shapes"),
    [
        (L.inv, ((2, 3),)),
        (L.det, ((2, 3),)),
        (L.cholesky, ((2, 3),)),
        (L.eigh, ((2, 3),)),
        (L.expm, ((2, 3),)),
        (L.solve, ((2, 3), (2,))),
        (L.solve, ((2, 2), (3,))),
        (L.solve_lower_triangular, ((2, 2), (3, 1))),
        (L.solve, ((2, 2, 2), (3, 2, 1))),
    ],
)
def test_shapes_that_do_not_fit_when_it_runs(make: Any, shapes: Any) -> None:
    arrays = [np.ones(shape) for shape in shapes]
    inputs = inputs_for(arrays)
    f = wb.function(inputs, listed(make(*inputs)))
    with pytest.raises(ShapeError):
        f(*arrays)


def test_failed_calls_leave_shared_variables_alone() -> None:
    state = wb.shared(np.eye(2))
    f = wb.function([], [], updates=[(state, L.inv(state * 0.0))])
    with pytest.raises(LinearAlgebraError):
        f()
    np.testing.assert_array_equal(state.get_value(), np.eye(2))
