"""Products by cuBLAS, over an emulated one: what it is given, and that the results are NumPy's."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.gpu.emulated_cublas import EmulatedBlas
from tests.gpu.emulated_cuda import emulated
from tests.gpu.support import by_programs_only
from workbench.core.devices import find
from workbench.gpu import cublas
from workbench.gpu.abi import PRODUCT

RNG = np.random.default_rng(3)


@pytest.fixture(autouse=True)
def blas() -> Iterator[EmulatedBlas]:
    with emulated(devices=2, blas=True) as library, by_programs_only():
        assert library.products is not None
        yield library.products


def multiplied(build: Any, *values: Any, device: str = "cuda0") -> Any:
    """What a function of arrays gives on the device."""
    inputs = [T.TensorType(str(v.dtype), (None,) * v.ndim)() for v in values]
    return wb.function(inputs, build(*inputs), device=device)(*values)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [(3, 4, 5), (1, 4, 1), (4, 1, 3), (5, 3, 1), (1, 1, 1)])
@pytest.mark.parametrize("turned", ["", "a", "b", "ab"])
def test_products(blas: EmulatedBlas, dtype: str, sizes: tuple[int, ...], turned: str) -> None:
    """Of matrices and of transposed ones, which are not copied."""
    m, k, n = sizes
    a, b = (RNG.random(size).astype(dtype) for size in ((m, k), (k, n)))
    found = multiplied(
        lambda x, y: T.dot(x.T if "a" in turned else x, y.T if "b" in turned else y),
        np.ascontiguousarray(a.T) if "a" in turned else a,
        np.ascontiguousarray(b.T) if "b" in turned else b,
    )
    np.testing.assert_allclose(found, a @ b, rtol=1e-5)
    (given,) = blas.products
    assert given[:5] == ("b" in turned, "a" in turned, n, m, k)


@pytest.mark.parametrize("sizes", [(0, 3, 2), (2, 3, 0), (2, 0, 3), (0, 0, 0)])
def test_products_of_nothing(blas: EmulatedBlas, sizes: tuple[int, ...]) -> None:
    """Sums of nothing are zeros, whatever was in their memory; the library is not asked."""
    m, k, n = sizes
    a, b = np.ones((m, k)), np.ones((k, n))
    device: Any = find("cuda0")
    held = device.array(np.full((m, n), np.nan))
    del held  # its memory is taken again
    np.testing.assert_array_equal(multiplied(T.dot, a, b), a @ b)
    stacks = np.ones((2, m, k)), np.ones((2, k, n))
    np.testing.assert_array_equal(multiplied(T.matmul, *stacks), stacks[0] @ stacks[1])
    assert not blas.products


def test_parts_of_matrices(blas: EmulatedBlas) -> None:
    """Rows that are apart are counted by the leading dimension; what has no unit step is copied."""
    a, b = RNG.random((8, 9)), RNG.random((9, 12))
    found = multiplied(lambda x, y: T.dot(x[1:5, 2:6], y[:4, 3:]), a, b)
    np.testing.assert_allclose(found, a[1:5, 2:6] @ b[:4, 3:])
    found = multiplied(lambda x, y: T.dot(x[::2, 1:5], y[4:8].T[::3].T), a, b)
    np.testing.assert_allclose(found, a[::2, 1:5] @ b[4:8, ::3])
    found = multiplied(lambda x, y: T.dot(x[::-1, ::2], y[:5]), a, b)
    np.testing.assert_allclose(found, a[::-1, ::2] @ b[:5])
    assert (blas.products[0][7], blas.products[0][10]) == (12, 9)


def test_rows_that_overlap(blas: EmulatedBlas) -> None:
    """No leading dimension says so: they are copied."""
    x, a = RNG.random(20), RNG.random((5, 3))
    rows = np.lib.stride_tricks.sliding_window_view(x, 5)
    np.testing.assert_allclose(multiplied(lambda v, y: T.dot(T.windows(v, 5), y), x, a), rows @ a)
    turned = multiplied(lambda v, y: T.dot(y.T, T.windows(v, 5).T), x, a)
    np.testing.assert_allclose(turned, a.T @ rows.T)
    assert [given[7] for given in blas.products] == [3, 16]


def test_stacks(blas: EmulatedBlas) -> None:
    """One call for all matrices; a matrix that all share is at a step of 0."""
    a, b, c = RNG.random((3, 4, 5)), RNG.random((3, 5, 2)), RNG.random((2, 4))
    np.testing.assert_allclose(multiplied(T.matmul, a, b), a @ b)
    np.testing.assert_allclose(multiplied(T.matmul, c, a), c @ a)
    d = RNG.random((6, 4, 3))
    turned = multiplied(lambda x, y: T.matmul(x.dimshuffle(0, 2, 1), y.dimshuffle(2, 1, 0)), a, d)
    np.testing.assert_allclose(turned, a.transpose(0, 2, 1) @ d.T)
    assert [given[-1] for given in blas.products] == [3, 3, 3]
    assert blas.products[1][11] == 0


def test_scaled_sums() -> None:
    """alpha and beta, of the host's and of the device's, round a product."""
    z, a, b = RNG.random((3, 2)), RNG.random((3, 4)), RNG.random((4, 2))
    found = multiplied(lambda w, x, y: 0.5 * w + 2.0 * T.dot(x, y), z, a, b)
    np.testing.assert_allclose(found, 0.5 * z + 2 * a @ b)
    scale = np.array(3.0)
    found = multiplied(lambda w, x, y, s: s * w - s * T.dot(x, y), z, a, b, scale)
    np.testing.assert_allclose(found, 3 * z - 3 * a @ b)


def test_integers_are_our_own_kernels(blas: EmulatedBlas) -> None:
    a, b = RNG.integers(0, 9, (3, 4)), RNG.integers(0, 9, (4, 2))
    np.testing.assert_array_equal(multiplied(T.dot, a, b), a @ b)
    assert not blas.products


def test_each_device_has_a_handle(blas: EmulatedBlas) -> None:
    """Made in its own context, for its own stream."""
    a = RNG.random((3, 3))
    for device in ("cuda1", "cuda0"):
        np.testing.assert_allclose(multiplied(T.dot, a, a, device=device), a @ a)


def test_a_failure_is_told(blas: EmulatedBlas) -> None:
    blas.status = 13
    with pytest.raises(wb.errors.DeviceLostError, match=r"cuBLAS failed.*13"):
        multiplied(T.dot, np.ones((2, 2)), np.ones((2, 2)))


def test_everything_is_counted_in_64_bits(blas: EmulatedBlas) -> None:
    """Sizes, leading dimensions, steps and the number of matrices arrive as they are."""
    device: Any = find("cuda0")
    far = {name: (1 << 33) + i for i, name in enumerate(PRODUCT.fields)}
    far |= {"double": 1, "a.transposed": 0, "b.transposed": 1}
    words = (ctypes.c_int64 * len(far))(*far.values())
    gemm = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    blas.status = 1
    gemm(device.functions["gemm"])(device.state, ctypes.addressof(words), 0)
    with pytest.raises(wb.errors.DeviceLostError):
        device.look()
    ((b_turned, a_turned, *counts),) = blas.products
    del counts[3], counts[9]  # where alpha and beta are
    names = ("columns", "rows", "shared", "b", "b.lead", "b.step", "a", "a.lead", "a.step", "c",
             "c.lead", "c.step", "batch")  # fmt: skip
    assert (b_turned, a_turned) == (1, 0)
    assert counts == [far[name] for name in names]


def test_an_older_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that counts in 32 bits: products are our own kernels."""
    monkeypatch.setattr(cublas, "first_library", lambda *names, having: None if having else 1)
    assert cublas.library.__wrapped__() is None
