"""Rules of linear algebra: the graphs they make, the values they keep, what they leave alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import inputs_for
from tests.core.rewrite.support import check, fired, labels, rewritten
from workbench.core.graph import toposort
from workbench.core.rewrite.elimination import ELIMINATION
from workbench.core.rewrite.matrices import MATRICES
from workbench.core.samples import numbers
from workbench.core.samples.solve import regular, symmetric
from workbench.errors import ShapeError

L = T.linalg
A, S, B, V = regular(3, 3), symmetric(3, 3), numbers(3, 2), numbers(3)
STACK, STACK_B = regular(2, 3, 3), numbers(2, 3, 2)

# name: the rule, the expression, its arrays, labels that must be there after, and must not
CASES: dict[str, tuple[str, Callable[..., Any], tuple[Any, ...], set[str], set[str]]] = {
    "inverse times matrix": (
        "inverse_times", lambda a, b: L.inv(a) @ b, (A, B), {"solve"}, {"inv", "dot"}),
    "inverse times vector": (
        "inverse_times", lambda a, b: T.dot(L.inv(a), b), (A, V), {"solve"}, {"inv", "dot"}),
    "inverse's transpose times": (
        "inverse_times", lambda a, b: L.inv(a).T @ b, (A, B), {"solve"}, {"inv", "dot"}),
    "inverses times": (
        "inverse_times", lambda a, b: L.inv(a) @ b, (STACK, STACK_B), {"solve"}, {"inv"}),
    "times inverse": (
        "times_inverse", lambda a, b: b.T @ L.inv(a), (A, B), {"solve"}, {"inv", "dot"}),
    "vector times inverse": (
        "times_inverse", lambda a, b: T.dot(b, L.inv(a)), (A, V), {"solve"}, {"inv", "dot"}),
    "twice inverted": ("inverse_of_inverse", lambda a: L.inv(L.inv(a)), (A,), set(), {"inv"}),
    "transposed between": (
        "inverse_of_inverse", lambda a: L.inv(L.inv(a).T), (A,), {"transpose"}, {"inv"}),
    "solve of an inverse": (
        "solve_of_inverse", lambda a, b: L.solve(L.inv(a), b), (A, B), set(), {"inv", "solve"}),
    "solve of inverses": (
        "solve_of_inverse", lambda a, b: L.solve(L.inv(a), b), (STACK, STACK_B), set(),
        {"inv", "solve"}),
    "solve of a factor": (
        "solve_of_factor", lambda a, b: L.solve(L.cholesky(a), b), (S, B), {"solve_triangular"},
        {"solve"}),
    "solve of an upper factor": (
        "solve_of_factor", lambda a, b: L.solve(L.cholesky(a).T, b), (S, V), {"solve_triangular"},
        {"solve"}),
    "inverse of a factor times": (
        "solve_of_factor", lambda a, b: L.inv(L.cholesky(a)) @ b, (S, B), {"solve_triangular"},
        {"solve", "inv"}),
    "det of a factor": (
        "det_of_factor", lambda a: L.det(L.cholesky(a)), (S,), {"diagonal"}, {"det"}),
    "slogdet of a factor": (
        "slogdet_of_factor", lambda a: sum(L.slogdet(L.cholesky(a, lower=False))), (S,),
        {"diagonal"}, {"slogdet"}),
    "log of det": ("log_det", lambda a: T.log(L.det(a)), (S,), {"slogdet"}, {"det", "log"}),
    "log of |det|": (
        "log_det", lambda a: T.log(abs(L.det(-a))), (S,), {"slogdet"}, {"det", "log"}),
    "trace of a product": (
        "trace_of_product", lambda a, b: T.trace(a @ b) + L.det(a), (A, S), set(), {"dot", "gemm"}),
    "trace of an oblong product": (
        "trace_of_product", lambda a, b, c: T.trace(b @ c.T) + L.det(a),
        (A, B, numbers(5, 2)), set(), {"dot", "gemm"}),
    "eigenvalues": ("eigenvalues_only", lambda a: L.eigh(a)[0], (S,), {"eigvalsh"}, {"eigh"}),
    "eigenvalues at hand": (
        "eigenvalues_at_hand", lambda a: L.eigvalsh(a) + L.eigh(a)[1], (S,), {"eigh"},
        {"eigvalsh"}),
    "singular values": (
        "singular_values_only", lambda a: L.svd(a)[1], (B,), {"svdvals"}, {"svd"}),
    "singular values at hand": (
        "singular_values_at_hand", lambda a: L.svdvals(a) + L.svd(a)[2], (B,), {"svd"},
        {"svdvals"}),
    "R": ("triangle_only", lambda a: L.qr(a)[1], (B,), {"qr"}, set()),
    "solve twice": (
        "share_solve", lambda a, b: L.solve(a, b) + L.solve(a, b[::-1]), (A[::-1], B),
        {"lu_factor", "lu_solve"}, {"solve"}),
    "solve of the transpose": (
        "share_solve", lambda a, b: L.solve(a, b) + L.solve(a.T, b + 1), (A[::-1], B),
        {"lu_factor", "lu_solve"}, {"solve"}),
    "solve of stacks": (
        "share_solve", lambda a, b: L.solve(a, b) + L.solve(a, b[::-1]), (STACK, STACK_B),
        {"lu_factor", "lu_solve"}, {"solve"}),
    "solve and slogdet": (
        "share_slogdet", lambda a, b: L.solve(a, b) + sum(L.slogdet(a)), (-A[::-1], B),
        {"lu_factor", "lu_solve"}, {"solve", "slogdet"}),
    "solve and det": (
        "share_det", lambda a, b: L.solve(a, b) + L.det(a), (A[[1, 0, 2]], B),
        {"lu_factor", "lu_solve"}, {"solve", "det"}),
    "R at hand": (
        "triangle_at_hand", lambda a: L.qr(a, "r")[0, 0] + L.qr(a)[0], (B,), {"qr"}, set()),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_rule(name: str) -> None:
    rule, build, arrays, there, gone = CASES[name]
    inputs = inputs_for(arrays)
    values = dict(zip(inputs, arrays, strict=True))
    result, recorder = check(build(*inputs), values, rtol=1e-9)
    assert rule in fired(recorder)
    found = set(labels(result.outputs))
    assert there <= found
    assert not gone & found
    np.testing.assert_allclose(
        wb.function(inputs, build(*inputs))(*arrays), build(*arrays_as(arrays)).eval(), rtol=1e-9
    )


def arrays_as(arrays: Any) -> list[Any]:
    return [T.as_tensor_variable(a) for a in arrays]


def test_every_rule_has_a_case() -> None:
    assert {rule.name for rule in MATRICES + ELIMINATION} == {case[0] for case in CASES.values()}
    assert all(rule.equation and rule.reason for rule in MATRICES + ELIMINATION)


@pytest.mark.parametrize(
    "build",
    [
        lambda a, b: [L.inv(a) @ b, L.inv(a)],
        lambda a, b: [L.inv(a) @ b, b.T @ L.inv(a)],
    ],
)
def test_an_inverse_that_is_needed_stays(build: Any) -> None:
    inputs = inputs_for((A, B))
    result, recorder = check(build(*inputs), dict(zip(inputs, (A, B), strict=True)), rtol=1e-9)
    assert "solve" not in labels(result.outputs)
    assert labels(result.outputs).count("inv") == 1
    assert any("needed elsewhere" in r.reason for r in recorder.history.refused)


def test_what_is_read_is_computed() -> None:
    (a,) = inputs_for((S,))
    for outputs in (L.eigh(a), L.svd(a), L.qr(a)):
        result, recorder = rewritten(list(outputs))
        assert not {"eigenvalues_only", "singular_values_only", "triangle_only"} & fired(recorder)
        assert len(toposort(result.outputs)) == 1


def test_values_and_gradient_take_one_decomposition() -> None:
    """The gradient of eigenvalues needs the vectors: then the values come from there, too."""
    (a,) = inputs_for((S,))
    cost = L.eigvalsh(a)[0]
    result, _ = rewritten([cost, wb.grad(cost, a)])
    assert labels(result.outputs).count("eigh") == 1
    assert "eigvalsh" not in labels(result.outputs)


def test_log_det_of_a_negative_determinant_is_nan() -> None:
    (a,) = inputs_for((A,))
    f = wb.function([a], T.log(L.det(a)))
    assert np.isnan(f(-A))
    np.testing.assert_allclose(f(np.eye(400) * 1e3), 400 * np.log(1e3))
    assert f(np.zeros((2, 2))) == -np.inf


def test_no_rule_breaks_two_dtypes() -> None:
    a, b = T.fmatrix(), T.dmatrix()
    x, y = A.astype("float32"), B
    np.testing.assert_allclose(
        wb.function([a, b], L.inv(a) @ b)(x, y), np.linalg.inv(x).astype("float64") @ y, rtol=1e-5
    )


def test_inside_a_loop() -> None:
    a, b = inputs_for((A, B))
    states, _ = wb.scan(lambda s, a: L.inv(a) @ s, outputs_info=b, non_sequences=a * 1.0, n_steps=3)
    step = np.linalg.inv(A)
    wanted = [step @ B, step @ step @ B, step @ step @ step @ B]
    np.testing.assert_allclose(wb.function([a, b], states)(A, B), wanted, rtol=1e-9)
    growing, _ = wb.scan(lambda s: L.inv(s + L.expm(-s)) @ s, outputs_info=a, n_steps=2)
    f, g = (wb.function([a], growing, mode=m) for m in ("FAST_RUN", "FAST_COMPILE"))
    np.testing.assert_allclose(f(A), g(A), rtol=1e-9)


def test_a_solution_and_its_gradient_take_one_elimination() -> None:
    a, b = inputs_for((A, V))
    x = L.solve(a, b)
    outputs = [x, *wb.grad((x**2).sum() + L.logdet(a), [a, b])]
    result, _ = check(outputs, {a: A, b: V}, rtol=1e-9)
    assert labels(result.outputs).count("lu_factor") == 1
    assert not {"solve", "slogdet"} & set(labels(result.outputs))
    f = wb.function([a, b], outputs)
    np.testing.assert_allclose(f(A, V)[0], np.linalg.solve(A, V), rtol=1e-10)
    with pytest.raises(np.linalg.LinAlgError, match="singular"):
        f(np.ones((3, 3)), V)
    with pytest.raises(ShapeError):
        f(A, np.ones(2))


def test_one_solution_stays_as_it_is() -> None:
    a, b = inputs_for((A, B))
    assert labels(rewritten([L.solve(a, b), L.inv(a)])[0].outputs).count("solve") == 1


def test_determinants_that_share_an_elimination() -> None:
    (a,) = inputs_for((A,))
    f = wb.function([a], [L.det(a), *L.slogdet(a)])
    for x in (A, -A, A[[1, 0, 2]], np.ones((2, 2)), np.zeros((0, 0))):
        wanted = [np.linalg.det(x), *np.linalg.slogdet(x)]
        np.testing.assert_allclose(f(x), wanted, rtol=1e-10)
