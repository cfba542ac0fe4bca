"""Loop nests as kernels, against NumPy: every choice of reduced axes, lengths around powers of two
and sizes of groups, reductions that are cut into chunks, packs, results in place, and kernels that
count in 64 bits.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import Compiled, inputs_for
from tests.gpu.support import DEVICE, left_behind, moved, on_device
from workbench.core.ops import reduce
from workbench.core.ops.elementwise import Composite, Elemwise
from workbench.core.ops.loop import Loop, LoopResult
from workbench.core.scalar import ScalarBuilder
from workbench.core.types import TensorType
from workbench.errors import ShapeError
from workbench.gpu import launches
from workbench.gpu.device import Device

RNG = np.random.default_rng(0)
LENGTHS = (1, 2, 31, 32, 33, 255, 256, 257, 4097, 70001)
VIEWS = {
    "plain": lambda x: x,
    "transposed": lambda x: x.T,
    "reversed": lambda x: x[(slice(None, None, -1),) * x.ndim],
    "spaced": lambda x: x[..., ::2],
}
SHAPES = {
    "short": ((5,), (3, 4), (2, 3, 4), (2, 3, 2, 3)),
    "around groups": ((257,), (257, 33), (31, 2, 65), (3, 32, 2, 33)),
    "long last": ((70001,), (2, 4097), (1, 3, 70001), (2, 1, 3, 9001)),
    "long first": ((4097,), (70001, 2), (9001, 3, 2), (4097, 1, 3, 2)),
    "ones": ((1,), (1, 1), (1, 1, 1), (1, 1, 1, 1)),
    "empty": ((0,), (0, 3), (2, 0, 3), (0, 2, 3, 0)),
}


def whole(*shape: int, dtype: str = "float64") -> Any:
    """Small whole numbers, whose sums are exact in any order."""
    return np.asarray(RNG.integers(-5, 6, size=shape)).astype(dtype)


def axes_of(ndim: int) -> Iterator[tuple[int, ...]]:
    """Every choice of some axes."""
    for count in range(1, ndim + 1):
        yield from itertools.combinations(range(ndim), count)


def compiled(dtype: str, ndim: int, *functions: Any) -> Compiled:
    """Functions of one array, in one program."""
    x = TensorType(dtype, (None,) * ndim).make()
    return on_device([x], [f(x) for f in functions])


@pytest.mark.parametrize(
    ("ndim", "view"),
    [(1, "plain"), *((2, view) for view in VIEWS), (3, "plain"), (3, "reversed"), (4, "plain")],
)
def test_every_choice_of_axes(ndim: int, view: str) -> None:
    seen, choices = VIEWS[view], list(axes_of(ndim))
    run = compiled("float64", ndim, *(lambda x, a=a: reduce.sum(seen(x), axis=a) for a in choices))
    for shapes in SHAPES.values():
        x = whole(*shapes[ndim - 1])
        for axes, total in zip(choices, run([x]), strict=True):
            np.testing.assert_array_equal(total, seen(x).sum(axes), f"{axes} of {x.shape}")


def test_every_length() -> None:
    """By row, by column and over all, in one piece and in chunks."""
    run = compiled("float32", 2, *(lambda x, a=a: reduce.sum(x, axis=a) for a in axes_of(2)))
    for n in LENGTHS:
        for shape in ((n, 3), (3, n), (n, 1), (1, n)):
            x = whole(*shape, dtype="float32")
            for axes, total in zip(axes_of(2), run([x]), strict=True):
                np.testing.assert_array_equal(total, x.sum(axes), f"{axes} of {shape}")


@pytest.mark.parametrize("dtype", ["float32", "int8", "uint64", "bool"])
def test_extrema(dtype: str) -> None:
    """The identities that idle threads bring; nan goes through from wherever it is."""
    run = compiled(
        dtype, 2, lambda x: reduce.max(x, axis=1), lambda x: reduce.min(x, axis=0), reduce.max
    )
    for shape in ((3, 70001), (4097, 33)):
        x = whole(*shape).astype(dtype)
        results = [x.max(1), x.min(0), x.max()]
        for result, wanted in zip(run([x]), results, strict=True):
            np.testing.assert_array_equal(result, wanted)
    if dtype == "float32":
        x[4000, 7] = np.nan
        lines, columns, of_all = run([x])
        assert np.isnan(lines).nonzero()[0].tolist() == [4000]
        assert np.isnan(columns).nonzero()[0].tolist() == [7]
        assert np.isnan(of_all)


def test_an_extremum_of_nothing_is_refused() -> None:
    x = T.fmatrix("x")
    f = wb.function([x], reduce.max(x, axis=1), device=DEVICE)
    assert f(whole(0, 3, dtype="float32")).shape == (0,)
    with pytest.raises(ShapeError, match="no elements"):
        f(whole(3, 0, dtype="float32"))


def sums_and_products() -> tuple[Any, tuple[LoopResult, ...]]:
    """A program of two operands, and results of all sorts."""
    b = ScalarBuilder(("float32", "int16"))
    y = b.cast(1, "float32")
    total, above = b.prim("add", "float32", 0, y), b.prim("gt", "bool", 0, y)
    program = b.program(total, above, b.prim("mul", "float32", total, 0), total, above, 1)
    results = (
        LoopResult(None, "float32"),
        LoopResult("or", "bool", "bool"),
        LoopResult("add", "float32", "float64"),
        LoopResult("maximum", "float32", "float32", needs_elements=False),
        LoopResult("add", "int64", "int64"),
        LoopResult("minimum", "int16", "int16", needs_elements=False),
    )
    return program, results


@pytest.mark.parametrize("axes", [*axes_of(2), (1,), (0, 2)], ids=str)
def test_results_of_all_sorts_at_once(axes: tuple[int, ...]) -> None:
    """Elementwise results, and totals in several dtypes, with and without chunks."""
    program, results = sums_and_products()
    ndim = max(axes) + 1
    x = TensorType("float32", (None,) * ndim).make()
    y = TensorType("int16", (None,) * (ndim - 1)).make()
    run = on_device([x, y], list(Loop(program, results, axes, ndim)(x, y)))
    lengths = {1: [(5,), (70001,)], 2: [(4, 5), (3, 70001), (70001, 3)], 3: [(2, 33, 4097)]}
    for shape in lengths[ndim]:
        a, b = whole(*shape, dtype="float32"), whole(*shape[1:], dtype="int16")
        total, every = a + b, np.broadcast_to(b, shape)
        wanted = [
            total, (a > b).any(axes), (total * a).sum(axes), total.max(axes),
            (a > b).sum(axes), every.min(axes),
        ]  # fmt: skip
        for result, expected in zip(run([a, b]), wanted, strict=True):
            np.testing.assert_array_equal(result, expected, f"{axes} of {shape}")


@pytest.mark.parametrize("dtype", ["bool", "int16", "float32", "float64"])
def test_packs(dtype: str) -> None:
    """Whole packs and the rest of them; from an address that is not a pack's, one by one."""
    run = compiled(
        dtype, 1, lambda x: T.neq(x[1:], x[:-1]), lambda x: T.cast(x, "float64"),
        lambda x: T.maximum(x[3:], x[:-3]),
    )  # fmt: skip
    for n in (3, 4, 15, 16, 17, 33, *LENGTHS[4:]):
        x = whole(n).astype(dtype)
        wanted = [x[1:] != x[:-1], x.astype("float64"), np.maximum(x[3:], x[:-3])]
        for result, expected in zip(run([x]), wanted, strict=True):
            np.testing.assert_array_equal(result, expected, f"{n} elements")


def test_in_place() -> None:
    """A chain writes over its own intermediate results, and over no argument."""
    run = compiled("float32", 2, lambda x: ((x * 2 + 1) * x.T - 3) / 2)
    x = whole(65, 65, dtype="float32")
    before = x.copy()
    np.testing.assert_array_equal(run([x])[0], ((x * 2 + 1) * x.T - 3) / 2)
    np.testing.assert_array_equal(x, before)


def test_many_arrays_at_once() -> None:
    """More buffers than one digit counts, some of them of bools."""
    operands = [whole(33).astype("bool") for _ in range(15)]
    b = ScalarBuilder(("bool",) * 15)
    both = [b.prim("and", "bool", i, i + 1) for i in range(14)]
    op = Elemwise(Composite(b.program(*both)))
    inputs = inputs_for(operands)
    results = on_device(inputs, list(op(*inputs)))(operands)
    for i, result in enumerate(results):
        np.testing.assert_array_equal(result, operands[i] & operands[i + 1])


def ends(dtype: str) -> list[Any]:
    """The least and the greatest number of a dtype, and 1."""
    if dtype == "bool":
        return [np.asarray(False), np.asarray(True)]
    info: Any = np.finfo(dtype) if dtype[0] == "f" else np.iinfo(dtype)
    return [np.asarray(number, dtype) for number in (info.min, 1, info.max)]


def test_host_scalars_are_given_by_value() -> None:
    """Every dtype in the bits of a word: the ends of its range, and as an array of one element."""
    for dtype in ("bool", "int8", "uint16", "int32", "uint32", "int64", "uint64", "float32"):
        x = TensorType("float64", (None,)).make()
        y, z = TensorType(dtype).make(), TensorType(dtype, (1,)).make()
        run = on_device([x, y, z], [x + y, x - z, T.logical_and(x > 0, y > 0)])
        for b in ends(dtype):
            a = whole(9)
            plus, minus, truth = run([a, b, b.reshape(1)])
            np.testing.assert_array_equal(plus, a + b.astype("float64"))
            np.testing.assert_array_equal(minus, a - b.astype("float64"))
            np.testing.assert_array_equal(truth, (a > 0) & bool(b > 0))


@pytest.fixture
def names_of_kernels(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kernels that programs ask their device for, from here on."""
    found: list[str] = []
    handles = Device.handles

    def noting(self: Device, kernels: Any) -> Any:
        found.extend(kernel.name for kernel in kernels)
        return handles(self, kernels)

    monkeypatch.setattr(Device, "handles", noting)
    return found


def test_wide_kernels(monkeypatch: pytest.MonkeyPatch, names_of_kernels: list[str]) -> None:
    """Where 32 bits do not count the points, kernels that count in 64 take the narrow ones' place;
    here from the first point on.
    """
    monkeypatch.setattr(launches, "Pair", functools.partial(launches.Pair, most=0))
    program, results = sums_and_products()
    x, y = TensorType("float32", (None, None)).make(), TensorType("int16", (None,)).make()
    outputs = [x.T[::2] * 2, *Loop(program, results, (1,), 2)(x, y), reduce.sum(x.T, axis=1)]
    run = on_device([x, y], outputs)
    assert not any("_wide" in name for name in names_of_kernels)
    for shape in ((3, 70001), (70001, 3), (65, 65)):
        a, b = whole(*shape, dtype="float32"), whole(shape[1], dtype="int16")
        wanted = [
            a.T[::2] * 2, a + b, (a > b).any(1), ((a + b) * a).sum(1), (a + b).max(1),
            (a > b).sum(1), np.broadcast_to(b, shape).min(1), a.sum(0),
        ]  # fmt: skip
        for result, expected in zip(run([a, b]), wanted, strict=True):
            np.testing.assert_array_equal(result, expected)
    bases = {name.rpartition("_")[0] for name in names_of_kernels}
    assert {"map_wide", "reduce_wide"} <= bases


@pytest.mark.parametrize("ndim", [1, 4])
def test_more_arrays_than_a_kernel_takes(ndim: int) -> None:
    """Fusion stops at what a kernel takes; a node that has more stays on the processor."""
    operands = [whole(*(3,) * ndim) for _ in range(40)]
    inputs = inputs_for(operands)
    turned = [x.T if i % 2 else x for i, x in enumerate(inputs)]
    values = [a.T if i % 2 else a for i, a in enumerate(operands)]
    results = [sum(turned[1:], turned[0]), *(x + turned[0] for x in turned)]
    f = wb.function(inputs, results, device=DEVICE)
    assert not left_behind(f.maker.fgraph.outputs)
    wanted = [sum(values), *(a + values[0] for a in values)]
    for result, expected in zip(f(*operands), wanted, strict=True):
        np.testing.assert_array_equal(result, expected)
    b = ScalarBuilder(("float64",) * 70)
    op = Elemwise(Composite(b.program(*(b.prim("neg", "float64", i) for i in range(70)))))
    many = [x for x in inputs for _ in range(2)][:70]
    assert left_behind(moved(inputs, op(*many)))


def test_many_totals() -> None:
    """Each with its chunks."""
    x = TensorType("float32", (None, None)).make()
    bounds = range(-10, 10)
    f = wb.function([x], [reduce.sum(T.maximum(x, n), axis=1) for n in bounds], device=DEVICE)
    assert [type(n.op).__name__ for n in f.maker.fgraph.toposort()].count("GpuLoop") == 1
    for shape in ((3, 5), (2, 70001)):
        a = whole(*shape, dtype="float32")
        for n, total in zip(bounds, f(a), strict=True):
            np.testing.assert_array_equal(total, np.maximum(a, n).sum(1))
