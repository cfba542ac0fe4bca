"""float16: stored as it is, computed in float32 and rounded."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import BACKENDS, Backend, as_list, inputs_for, interpreter, native
from tests.core.ops.gradients import weighted
from tests.core.ops.halves import check_near, params, wide_arrays
from workbench.core.gradient import grad
from workbench.core.native import engine
from workbench.core.samples import Sample
from workbench.tensor.random import CounterStreams, RandomStreams
from workbench.theano.adapters.own_functions import as_op

EVERY = np.arange(1 << 16, dtype=np.uint16).view(np.float16)


WALK = params()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("sample", WALK)
def test_samples(sample: Sample, backend: Backend) -> None:
    if sample.native and backend is native:
        pytest.skip(sample.native)
    inputs = inputs_for(sample.arrays)
    outputs = as_list(sample.build(*inputs))
    wide = wide_arrays(sample)
    wide_inputs = inputs_for(wide)
    wide_outputs = as_list(sample.build(*wide_inputs))
    expected = backend(wide_inputs, wide_outputs)(wide)
    results = backend(inputs, outputs)(sample.arrays)
    for result, reference, output in zip(results, expected, outputs, strict=True):
        assert str(result.dtype) == output.type.dtype
        check_near(result, reference)


@pytest.mark.parametrize("sample", [p for p in WALK if p.values[0].smooth])
def test_gradients_have_the_dtype(sample: Sample) -> None:
    inputs = inputs_for(sample.arrays)
    outputs = as_list(sample.build(*inputs))
    values = interpreter(inputs, outputs)(sample.arrays)
    wanted = [i for i in sample.smooth if sample.arrays[i].dtype == np.float16]
    slopes = grad(weighted(outputs, values), [inputs[i] for i in wanted])
    assert all(slope.dtype == "float16" for slope in slopes)
    for i, slope in zip(wanted, interpreter(inputs, slopes)(sample.arrays), strict=True):
        assert slope.shape == sample.arrays[i].shape


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("to", ["bool", "int8", "uint16", "int64", "uint64", "float32", "float64"])
def test_every_half_to(to: str, backend: Backend) -> None:
    x = T.vector("x", dtype="float16")
    (result,) = backend([x], [T.cast(x, to)])([EVERY])
    finite = np.isfinite(EVERY)
    with np.errstate(invalid="ignore"):
        wanted = EVERY.astype("float32").astype(to)
    chosen = finite if to[0] in "iu" else slice(None)
    np.testing.assert_array_equal(result[chosen], wanted[chosen])


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_half_and_what_is_between_to_it(backend: Backend) -> None:
    """Halfway between two, ties go to the even one; a little beside decides, in float64 too."""
    low = np.sort(EVERY[np.isfinite(EVERY)].astype("float64"))
    middle = (low[1:] + low[:-1]) / 2
    beyond = [65519.999, 65520.0, 1e6, 1e300, -65520.0, np.inf, -np.inf, np.nan, 1e-9, -1e-320]
    values = np.concatenate(
        [low, middle, np.nextafter(middle, np.inf), np.nextafter(middle, -np.inf), beyond]
    )
    x, y = T.dvector("x"), T.fvector("y")
    run = backend([x, y], [T.cast(x, "float16"), T.cast(y, "float16")])
    with np.errstate(over="ignore"):
        narrow = values.astype("float32")
        from_double, from_single = run([values, narrow])
        np.testing.assert_array_equal(from_double, values.astype("float16"))
        np.testing.assert_array_equal(from_single, narrow.astype("float16"))
    np.testing.assert_array_equal(np.signbit(from_double), np.signbit(values))


@given(st.lists(st.floats(width=64), min_size=1, max_size=40))
def test_any_double_to_half(numbers: list[float]) -> None:
    x = T.dvector("x")
    values = np.array(numbers)
    with np.errstate(over="ignore"):
        (result,) = native([x], [T.cast(x, "float16")])([values])
        np.testing.assert_array_equal(result, values.astype("float16"))


def test_programs_are_rounded_where_numpy_rounds() -> None:
    """Fused or not, each op's result is a float16."""
    x, y = T.vector("x", dtype="float16"), T.vector("y", dtype="float16")
    rng = np.random.default_rng(1)
    a, b = (rng.normal(size=4097).astype("float16") for _ in range(2))
    f = wb.function([x, y], (x * y + x) / (y * y + 1) - 0.1)
    np.testing.assert_array_equal(f(a, b), (a * b + a) / (b * b + 1) - np.float16(0.1))
    assert len(f.maker.fgraph.toposort()) == 1


@pytest.mark.parametrize(
    ("other", "dtype"),
    [(0.1, "float16"), (2, "float16"), (70000.0, "float16"), (np.float32(0.1), "float32"),
     (np.float64(0.1), "float64"), (np.int8(3), "float16"), (np.int16(3), "float32"),
     (np.int32(3), "float64")],
)  # fmt: skip
def test_beside(other: Any, dtype: str) -> None:
    """Python's numbers take its dtype; arrays meet it as NumPy's do."""
    x = T.vector("x", dtype="float16")
    with np.errstate(over="ignore"):
        assert (x * other).dtype == (other - x).dtype == dtype
        assert (np.ones(2, "float16") * other).dtype == dtype


def test_sums_do_not_overflow_on_the_way() -> None:
    x = T.vector("x", dtype="float16")
    a = np.full(4000, 100, "float16")
    f = wb.function([x], [x.mean(), x.var(), x.std(), x.norm(2), x.sum()])
    mean, var, std, norm, total = f(a)
    assert (mean, var, std, norm) == (100, 0, 0, np.float16(6324.5))
    assert np.isposinf(total)


def test_long_sums_are_exact_enough() -> None:
    """NumPy adds up columns in float16, and gets stuck at 2048."""
    x = T.matrix("x", dtype="float16")
    assert wb.function([x], x.sum(axis=0))(np.ones((5000, 1), "float16")) == 5000


def test_logistic_regression_with_floatx() -> None:
    rng = np.random.default_rng(0)
    data = rng.normal(size=(200, 8))
    labels = (data @ rng.normal(size=8) > 0).astype("float16")
    with wb.config.change(floatX="float16"):
        x, y = T.matrix("x"), T.vector("y")
        assert (x.dtype, T.zeros((2,)).dtype, as_dtype(0.5)) == ("float16",) * 3
        w = wb.shared(np.zeros(8, "float16"), "w")
        p = T.nnet.sigmoid(T.dot(x, w))
        cost = T.nnet.binary_crossentropy(p, y).mean()
        step = wb.function([x, y], cost, updates=[(w, w - 0.5 * wb.grad(cost, w))])
        costs = [float(step(data.astype("float16"), labels)) for _ in range(60)]
        assert pickle.loads(pickle.dumps(w)).get_value().dtype == np.float16
    assert costs[-1] < 0.4 * costs[0]
    assert np.mean((data @ w.get_value() > 0) == labels) > 0.95


def as_dtype(number: float) -> str:
    return str(T.as_tensor_variable(number).dtype)


def test_scan_keeps_the_dtype() -> None:
    x = T.matrix("x", dtype="float16")
    states, _ = wb.scan(lambda row, h: T.tanh(row + h), x, T.zeros((3,), dtype="float16"))
    f = wb.function([x], [states, wb.grad(states[-1].sum(), x)])
    a = np.random.default_rng(0).normal(size=(5, 3)).astype("float16")
    h, wanted = np.zeros(3, "float16"), []
    for row in a:
        h = np.tanh(row + h)
        wanted.append(h)
    found, slope = f(a)
    np.testing.assert_allclose(found, wanted, atol=2e-3)
    assert slope.dtype == np.float16
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("streams", [RandomStreams, CounterStreams])
def test_random_numbers(streams: Any) -> None:
    """Those of float32, rounded."""
    drawn = {}
    for dtype in ("float16", "float32"):
        made = streams(3)
        f = wb.function([], [made.uniform((50,), dtype=dtype), made.normal((50,), dtype=dtype)])
        drawn[dtype] = [f(), f()]
    for halves, singles in zip(drawn["float16"], drawn["float32"], strict=True):
        for half, single in zip(halves, singles, strict=True):
            np.testing.assert_array_equal(half, single.astype("float16"))


def test_a_function_of_the_users_own() -> None:
    """It is given the dtype that it declares."""
    kind = T.vector(dtype="float16").type
    twice = as_op(itypes=[kind], otypes=[kind])(lambda x: x + x)
    x = T.vector("x", dtype="float16")
    result = wb.function([x], twice(x))(np.ones(3, "float16"))
    assert result.dtype == np.float16
    np.testing.assert_array_equal(result, [2, 2, 2])


def test_a_processor_without_the_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter computes what is of float16, native code the rest."""
    machine = engine.engine()
    monkeypatch.setattr(machine, "target", dataclasses.replace(machine.target, half=False))
    x, y = T.vector("x", dtype="float16"), T.fvector("y")
    f = wb.function([x, y], [T.exp(x) + 1, T.tanh(y)])
    half, single = f(np.ones(3, "float16"), np.ones(2, "float32"))
    np.testing.assert_array_equal(half, np.exp(np.ones(3, "float16")) + np.float16(1))
    np.testing.assert_allclose(single, np.tanh(np.ones(2, "float32")), rtol=1e-6)
