"""Arrays that are made of numbers on the device, diagonals, and copies that transpose."""

from __future__ import annotations

import numpy as np
import pytest

import workbench.tensor as T
from tests.core.ops.backends import inputs_for
from tests.gpu.support import left_behind, moved, on_device
from workbench.core.graph import toposort
from workbench.core.link import Plan
from workbench.core.ops.create import ARange, Eye
from workbench.core.ops.shape import MakeVector
from workbench.gpu.link import link_devices
from workbench.gpu.ops.create import GpuMakeVector

RNG = np.random.default_rng(6)


@pytest.mark.parametrize("dtype", ["int8", "uint32", "int64", "float32", "float64"])
def test_arange(dtype: str) -> None:
    """More numbers than threads, steps in both directions."""
    variables = inputs_for([np.array(0, dtype)] * 3)
    run = on_device(variables, [ARange(dtype)(*variables)])
    limits = [(3, 100, 7), (0, 0, 1)]
    limits += [(1, 100_000, 1)] if dtype != "int8" else []
    limits += [(50, -50, -3), (100, 2, 3)] if dtype[0] != "u" else []
    for numbers in limits:
        given = [np.array(v, dtype) for v in numbers]
        (result,) = run(given)
        np.testing.assert_array_equal(result, np.arange(*given, dtype=dtype))


@pytest.mark.parametrize("dtype", ["bool", "int16", "float64"])
def test_eye(dtype: str) -> None:
    variables = inputs_for([np.array(0)] * 3)
    run = on_device(variables, [Eye(dtype)(*variables)])
    for rows, columns, k in ((3, 3, 0), (300, 200, -7), (2, 900, 5), (4, 4, 9), (0, 3, 0)):
        (result,) = run([np.array(v) for v in (rows, columns, k)])
        np.testing.assert_array_equal(result, np.eye(rows, columns, k, dtype))


def test_vector_of_numbers_from_both_sides() -> None:
    """More than one kernel stores; what the host has is given by value."""
    x, k = T.fvector("x"), T.bscalar("k")
    numbers = [n for i in range(12) for n in (x[i], x.sum(), k)]
    outputs = [MakeVector("float64")(*numbers)]
    kinds = {type(node.op) for node in toposort(moved([x, k], outputs))}
    assert GpuMakeVector in kinds
    values = RNG.standard_normal(12).astype("float32")
    (result,) = on_device([x, k], outputs)([values, np.array(-3, "int8")])
    assert result.shape == (36,)
    np.testing.assert_array_equal(result[::3], values)
    np.testing.assert_array_equal(result[2::3], [-3] * 12)
    np.testing.assert_allclose(result[1::3], values.sum(), rtol=1e-6)


def test_vector_of_the_hosts_numbers_stays_there() -> None:
    a, b = T.lscalar("a"), T.lscalar("b")
    (node,) = left_behind(moved([a, b], [MakeVector()(a, b)]))
    assert isinstance(node.op, MakeVector)


@pytest.mark.parametrize("dtype", ["bool", "int16", "float32", "float64"])
@pytest.mark.parametrize("order", [(1, 0), (0, 2, 1), (2, 1, 0), (0, 3, 1, 2), (3, 0, 2, 1)])
def test_transposing(dtype: str, order: tuple[int, ...]) -> None:
    """Tiles that are whole, cut off, and none; matrices in stacks."""
    (variable,) = inputs_for([np.zeros((1,) * len(order), dtype)])
    run = on_device([variable], [variable.dimshuffle(*order)])
    for lengths in ((64, 33, 2, 32), (1, 70, 3, 5), (40, 1, 31, 1), (0, 7, 2, 2)):
        values = (RNG.standard_normal(lengths[: len(order)]) * 9).astype(dtype)
        np.testing.assert_array_equal(run([values])[0], values.transpose(order))


def test_what_is_copied_by_tiles() -> None:
    """Only what has other neighbours afterwards."""
    for ndim, order, is_tiled in (
        (2, (1, 0), True),
        (3, (1, 0, 2), False),
        (4, (0, 2, 3, 1), True),
    ):
        (variable,) = inputs_for([np.zeros((1,) * ndim)])
        results = tuple(moved([variable], [variable.dimshuffle(*order)]))
        linked = link_devices(Plan((variable,), results), None)
        assert ("tile[" in linked.code("kernels")) == is_tiled
