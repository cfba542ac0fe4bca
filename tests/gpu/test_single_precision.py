"""A device that does not compute with float64: what is of float32 runs there all the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import as_list, inputs_for, interpreter
from tests.core.ops.halves import check_near, halves
from tests.gpu.support import DEVICE, by_programs_only, on_device
from workbench.core.devices import find
from workbench.core.graph import toposort
from workbench.core.samples import Sample
from workbench.gpu import opencl, plugin
from workbench.gpu.dialect import Capabilities
from workbench.gpu.ops import FORMS

pytestmark = pytest.mark.skipif(not DEVICE.startswith("opencl"), reason="CUDA devices have float64")


@pytest.fixture(autouse=True, scope="module")
def single() -> Iterator[None]:
    """The tests' device without float64: no kernel of its programs knows the type."""
    told = opencl.OpenCL._capabilities

    def less(driver: Any) -> Capabilities:
        return dataclasses.replace(told(driver), float64=False)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opencl.OpenCL, "_capabilities", less)
        plugin.find.cache_clear()
        yield
    plugin.find.cache_clear()


def in_float32() -> list[Any]:
    """One sample of each op with a form, its float64 as float32."""
    first: dict[str, Any] = {}
    for kind, sample in halves():
        if kind in FORMS:
            arrays = [a.astype("float32") if a.dtype == np.float16 else a for a in sample.arrays]
            made = dataclasses.replace(sample, arrays=tuple(arrays))
            first.setdefault(kind.__name__, pytest.param(made, id=kind.__name__))
    return list(first.values())


@pytest.mark.parametrize("sample", in_float32())
def test_samples(sample: Sample) -> None:
    inputs = inputs_for(sample.arrays)
    outputs = as_list(sample.build(*inputs))
    expected = interpreter(inputs, outputs)(sample.arrays)
    for found, wanted in zip(on_device(inputs, outputs)(sample.arrays), expected, strict=True):
        check_near(found, wanted)


def test_totals_move() -> None:
    """Sums, means and what is fused with them, in the dtype itself."""
    assert not find(DEVICE).holds_float64
    x = T.fmatrix("x")
    outputs = [T.exp(x).sum(), x.mean(axis=0), x.var(axis=1), T.nnet.softmax(x), x.prod()]
    with wb.config.change(device=DEVICE), by_programs_only():
        f = wb.function([x], outputs)
        value = np.random.default_rng(0).normal(size=(300, 200)).astype("float32")
        found = f(value)
    stayed = [n for n in toposort(f.maker.fgraph.outputs) if n.op.label in ("sum", "loop", "prod")]
    assert not [n for n in stayed if not n.op.on_device]
    for a, b in zip(found, wb.function([x], outputs, device="cpu")(value), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5)


def test_float64_stays() -> None:
    x = T.dvector("x")
    f = wb.function([x], T.exp(x).sum(), device=DEVICE)
    assert not [n for n in f.maker.fgraph.toposort() if n.op.on_device]
    assert f([0.0, 0.0]) == 2
