"""LAPACK from native code: NumPy's own library and scipy's, its memory and its threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import as_list, inputs_for, interpreter, native
from workbench.configuration import config
from workbench.core.link import Plan
from workbench.core.native import blas, lapack, stacks
from workbench.core.native.executor import link_native
from workbench.core.ops.lu_factor import LuFactor, LuSolve
from workbench.core.samples import numbers
from workbench.core.samples.solve import regular, symmetric

L = T.linalg

CALLS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "inv": (L.inv, (regular(5, 5),)),
    "slogdet": (L.slogdet, (-regular(2, 5, 5),)),
    "solve": (L.solve, (regular(5, 5), numbers(5, 2))),
    "solve_triangular": (L.solve_triangular, (regular(5, 5), numbers(5, 2))),
    "cholesky": (L.cholesky, (symmetric(5, 5),)),
    "eigh": (L.eigh, (symmetric(2, 5, 5),)),
    "svd": (L.svd, (numbers(5, 3),)),
    "qr": (L.qr, (numbers(2, 5, 3),)),
    "lu": (L.lu, (numbers(2, 5, 3),)),
    "lu_solve": (
        lambda a, b: LuSolve(transposed=True)(*LuFactor()(a), b),
        (regular(5, 5)[::-1], numbers(5, 2)),
    ),
    "expm": (L.expm, (numbers(5, 5),)),
}


def from_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process whose NumPy brings no OpenBLAS: 32-bit integers, scipy's exports."""
    found = {name: blas.cython_exports(f"cython_{name}") for name in ("blas", "lapack")}
    monkeypatch.setattr(blas, "library", lambda: found["blas"])
    monkeypatch.setattr(lapack, "lapack", lambda: found["lapack"])


@pytest.mark.parametrize("name", CALLS)
def test_scipys_library(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    build, arrays = CALLS[name]
    inputs = inputs_for(arrays)
    outputs = as_list(build(*inputs))
    expected = native(inputs, outputs)(arrays)
    from_scipy(monkeypatch)
    assert stacks.integer_type() == "i32"
    for found, wanted in zip(native(inputs, outputs)(arrays), expected, strict=True):
        np.testing.assert_allclose(abs(found), abs(wanted), rtol=1e-9, atol=1e-12)


def test_a_numpy_without_lapack(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> int:
        raise KeyError(name)

    monkeypatch.setattr(lapack, "library", lambda: blas.Library("i64", nothing))
    assert lapack.lapack.__wrapped__().integer == "i32"
    assert lapack.lapack().find("dgetrf")


def test_signatures() -> None:
    assert lapack.argument_count("sgesdd") == 14
    with pytest.raises(KeyError):
        lapack.argument_count("dgees")
    with pytest.raises(KeyError):
        lapack.lapack_symbol("dnothing")


def test_memory_is_used_again() -> None:
    """A chain of factorisations needs no more slots than two of them do."""

    def slots(steps: int) -> int:
        x: Any = T.dmatrix()
        y = x
        for _ in range(steps):
            y = L.inv(y) + 1.0
        return int(link_native(Plan((x,), (y,)), None)._built.program.spec.n_slots)

    assert slots(8) == slots(4)


def test_threads_are_limited() -> None:
    a = T.dmatrix()
    with config.change(blas_threads=1):
        f = wb.function([a], L.inv(a))
    before = blas.threads()
    np.testing.assert_allclose(f(regular(5, 5)), np.linalg.inv(regular(5, 5)), rtol=1e-10)
    assert blas.threads() == before


def test_inputs_that_change_shape() -> None:
    """Workspaces grow; 0 × 0 needs none."""
    a = T.dmatrix()
    f = wb.function([a], [*L.eigh(a), *L.svd(a), *L.qr(a), L.inv(a)])
    for n in (3, 40, 0, 1, 17):
        x = symmetric(n, n)
        w, v, u, s, vt, q, r, inverse = f(x)
        np.testing.assert_allclose(v * w @ v.T, x, atol=1e-10)
        np.testing.assert_allclose(u * s @ vt, x, atol=1e-10)
        np.testing.assert_allclose(q @ r, x, atol=1e-10)
        np.testing.assert_allclose(inverse @ x, np.eye(n), atol=1e-10)


def test_results_read_by_others_and_returned() -> None:
    """Memory by columns serves as an operand and is copied where it is returned."""
    a, b = T.dmatrix(), T.dmatrix()
    x = L.solve(a, b)
    f = wb.function([a, b], [x, T.tanh(x) + 1, x.T @ x, x[0], x.T])
    given = regular(4, 4), numbers(4, 3)
    wanted = np.linalg.solve(*given)
    expected = [wanted, np.tanh(wanted) + 1, wanted.T @ wanted, wanted[0], wanted.T]
    for found, value in zip(f(*given), expected, strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-10)
        assert found.flags.c_contiguous


def test_updates_and_operands_are_not_written_to() -> None:
    state = wb.shared(symmetric(3, 3))
    step = wb.function([], L.cholesky(state), updates=[(state, L.inv(state))])
    before = state.get_value()
    kept = before.copy()
    np.testing.assert_allclose(step(), np.linalg.cholesky(kept), rtol=1e-10)
    np.testing.assert_array_equal(before, kept)
    np.testing.assert_allclose(state.get_value(), np.linalg.inv(kept), rtol=1e-10)


def test_a_kalman_filter_in_a_loop() -> None:
    """Factorisations within a scan, natively; the covariance is what NumPy gives."""
    p, q = T.dmatrix(), T.dmatrix()

    def step(p: Any, q: Any) -> Any:
        gain = L.solve(p + q, p, "pos")
        return p - p @ gain + 0.1 * q

    states, _ = wb.scan(step, outputs_info=p, non_sequences=q, n_steps=5)
    f = wb.function([p, q], states[-1])
    x, y = symmetric(3, 3), symmetric(3, 3, seed=1)
    wanted = x
    for _ in range(5):
        wanted = wanted - wanted @ np.linalg.solve(wanted + y, wanted) + 0.1 * y
    np.testing.assert_allclose(f(x, y), wanted, rtol=1e-9)


def test_every_decomposition_in_a_loop() -> None:
    """Memory by columns goes to the rows of stacks and to the next step's states."""
    a = T.dmatrix()

    def step(x: Any) -> Any:
        w, v = L.eigh(x + x.T)
        u, s, vt = L.svd(x)
        q, r = L.qr(x + 4 * T.eye(3))
        p, low, up = L.lu(x)
        new = 0.1 * (v + u + vt.T + q + r + p + low + up) + L.solve(x + 9 * T.eye(3), x)
        return new, w, v, s, vt, r, low

    outputs, _ = wb.scan(step, outputs_info=[a, *[None] * 6], n_steps=3)
    kept = [outputs[0][-1], *outputs]
    f = wb.function([a], kept)
    x = numbers(3, 3)
    for found, wanted in zip(f(x), interpreter([a], kept)([x]), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-10)
