"""float16 on the device: stored there, computed in float32 and rounded."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import as_list, inputs_for, interpreter
from tests.core.ops.halves import check_near, params, wide_arrays
from tests.gpu.support import DEVICE, on_device
from workbench.core.devices import find
from workbench.core.samples import Sample
from workbench.gpu.ops import FORMS

EVERY = np.arange(1 << 16, dtype=np.uint16).view(np.float16)


def first_of_each_form() -> list[object]:
    first: dict[str, object] = {}
    for p in params(FORMS.__contains__):
        first.setdefault(p.id.partition("-")[0], p)
    return list(first.values())


@pytest.mark.parametrize("sample", first_of_each_form())
def test_samples(sample: Sample) -> None:
    inputs = inputs_for(sample.arrays)
    outputs = as_list(sample.build(*inputs))
    wide = wide_arrays(sample)
    wide_inputs = inputs_for(wide)
    expected = interpreter(wide_inputs, as_list(sample.build(*wide_inputs)))(wide)
    for result, reference, output in zip(
        on_device(inputs, outputs)(sample.arrays), expected, outputs, strict=True
    ):
        assert str(result.dtype) == output.type.dtype
        check_near(result, reference)


def test_every_half_and_what_is_between() -> None:
    x, y, z = T.vector("x", dtype="float16"), T.dvector("y"), T.fvector("z")
    low = np.sort(EVERY[np.isfinite(EVERY)].astype("float64"))
    middle = (low[1:] + low[:-1]) / 2
    values = np.concatenate([low, middle, np.nextafter(middle, np.inf), [65520, np.nan, 1e300]])
    there = on_device([x, y, z], [T.cast(x, "float32"), T.cast(y, "float16"), T.cast(z, "float16")])
    with np.errstate(over="ignore"):
        single = values.astype("float32")
        wide, from_double, from_single = there([EVERY, values, single])
        np.testing.assert_array_equal(wide, EVERY.astype("float32"))
        np.testing.assert_array_equal(from_double, values.astype("float16"))
        np.testing.assert_array_equal(from_single, single.astype("float16"))


def test_half_the_bytes_pass() -> None:
    """Values go over the bus, and lie on the device, as they are."""
    value = np.random.default_rng(0).normal(size=10000).astype("float16")
    x = T.vector("x", dtype="float16")
    f = wb.function([x], T.exp(x) * 0.5 + x, device=DEVICE)
    before = find(DEVICE).traffic
    found = f(value)
    moved = find(DEVICE).traffic.since(before)
    assert (moved.uploaded, moved.downloaded) == (value.nbytes, value.nbytes)
    np.testing.assert_allclose(found, np.exp(value) * np.float16(0.5) + value, rtol=2e-3)


def test_training_with_parameters_there() -> None:
    rng = np.random.default_rng(0)
    data = rng.normal(size=(200, 8)).astype("float16")
    labels = (data @ rng.normal(size=8) > 0).astype("float16")
    with wb.config.change(floatX="float16", device=DEVICE):
        x, y = wb.shared(data), wb.shared(labels)
        w = wb.shared(np.zeros(8, "float16"), "w")
        cost = T.nnet.binary_crossentropy(T.nnet.sigmoid(T.dot(x, w)), y).mean()
        step = wb.function([], cost, updates=[(w, w - 0.5 * wb.grad(cost, w))])
        costs = [float(step()) for _ in range(60)]
    assert w.get_value(borrow=True, return_internal_type=True).dtype == np.float16
    assert costs[-1] < 0.4 * costs[0]


def test_a_loop_there() -> None:
    x = T.matrix("x", dtype="float16")
    states, _ = wb.scan(lambda row, h: T.tanh(row + h), x, T.zeros((3,), dtype="float16"))
    outputs = [states, wb.grad(states[-1].sum(), x)]
    value = np.random.default_rng(0).normal(size=(5, 3)).astype("float16")
    here = wb.function([x], outputs, device="cpu")(value)
    there = wb.function([x], outputs, device=DEVICE)(value)
    for a, b in zip(here, there, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-3)
