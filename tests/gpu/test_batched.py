"""Products of stacks on the device, where the samples do not go: spread, transposed and large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.gpu.support import DEVICE, by_programs_only


@pytest.fixture(autouse=True)
def programs() -> Iterator[None]:
    with by_programs_only():
        yield


def product(a: Any, b: Any, static: bool = False) -> Any:
    """matmul on the device; `static`: axes of length 1 are known as such, and spread."""
    kinds = [
        T.TensorType(str(v.dtype), [1 if static and n == 1 else None for n in v.shape])
        for v in (a, b)
    ]
    x, y = (kind(name) for kind, name in zip(kinds, "xy"))
    f = wb.function([x, y], T.matmul(x, y), device=DEVICE)
    assert any(type(n.op).__name__ == "GpuBatchedDot" for n in f.maker.fgraph.toposort())
    return np.asarray(f(a, b))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((2, 3, 4, 5), (1, 3, 5, 2)),
        ((2, 1, 4, 5), (1, 3, 5, 2)),
        ((4, 5), (2, 3, 5, 6)),
        ((2, 3, 1, 5), (3, 5, 6)),
        ((3, 65, 70), (3, 70, 66)),
        ((2, 0, 4, 5), (2, 0, 5, 2)),
    ],
)
def test_stacks_of_all_shapes(a: Any, b: Any) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=a).astype("float32"), rng.normal(size=b).astype("float32")
    np.testing.assert_allclose(product(x, y, static=True), x @ y, rtol=1e-4, atol=1e-4)


def test_stacks_whose_axes_lie_in_another_order() -> None:
    rng = np.random.default_rng(1)
    x, y = T.TensorType("float64", (None,) * 4)("x"), T.TensorType("float64", (None,) * 4)("y")
    z = T.matmul(x.dimshuffle(1, 0, 3, 2), y.dimshuffle(3, 2, 0, 1))
    a, b = rng.normal(size=(3, 2, 5, 4)), rng.normal(size=(5, 6, 3, 2))
    found = wb.function([x, y], z, device=DEVICE)(a, b)
    np.testing.assert_allclose(found, a.transpose(1, 0, 3, 2) @ b.transpose(3, 2, 0, 1))


def test_gradients() -> None:
    rng = np.random.default_rng(1)
    x, y = T.tensor3("x"), T.tensor3("y")
    cost = (T.matmul(x, y) ** 2).sum()
    a, b = rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 5, 6))
    a, b = (v.astype(wb.config.floatX) for v in (a, b))
    f = wb.function([x, y], T.grad(cost, [x, y]), device=DEVICE)
    g = 2 * (a @ b)
    np.testing.assert_allclose(f(a, b)[0], g @ b.transpose(0, 2, 1))
    np.testing.assert_allclose(f(a, b)[1], a.transpose(0, 2, 1) @ g)
