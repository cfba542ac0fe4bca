"""Every op class but the scalar ones: values, layouts, types, shapes and gradients of its declared
samples.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench.core.ops
import workbench.core.scan
from tests.core.ops.backends import (
    BACKENDS,
    Backend,
    as_list,
    check_equal,
    check_promise,
    check_shape,
    inputs_for,
    interpreter,
    layouts,
    link_native,
    native,
)
from tests.core.ops.gradients import check_gradient, weighted
from workbench.core.gradient import grad
from workbench.core.graph import Op
from workbench.core.samples import SAMPLES, Sample


def op_classes(kind: type[Op] = Op) -> Iterator[type[Op]]:
    """Every concrete op class of workbench.core; names with an underscore are bases."""
    for child in kind.__subclasses__():
        yield from op_classes(child)
        own = child.__module__.startswith("workbench.core")
        if own and not inspect.isabstract(child) and not child.__name__.startswith("_"):
            yield child


WALK = [
    pytest.param(sample, id=f"{kind.__name__}-{sample.name}")
    for kind, make in SAMPLES.items()
    for sample in make()
]
SMOOTH = [p for p in WALK if p.values[0].smooth]


def first_of_each_class() -> list[Any]:
    found: dict[str, Any] = {}
    for p in SMOOTH:
        found.setdefault(p.id.partition("-")[0], p)
    return list(found.values())


WITH_ZEROS = [p for p in SMOOTH if "zeros" in p.id]  # where a product must not be divided by


LAYOUTS = ("contiguous", "strided", "reversed", "transposed", "unaligned", "read-only")


def applied(sample: Sample) -> tuple[list[Any], list[Any]]:
    inputs = inputs_for(sample.arrays)
    return inputs, as_list(sample.build(*inputs))


def test_every_op_class_has_samples() -> None:
    for package in (workbench.core.ops, workbench.core.scan):
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)
    bases = {"Reduce", "Draw"}  # bases of families: they combine and draw nothing themselves
    bases |= {"Transfer", "GpuFromHost", "HostFromGpu", "GpuToGpu"}  # those of tests/gpu
    missing = {c.__name__ for c in op_classes() if c not in SAMPLES} - bases
    assert not missing, f"give these samples in workbench/core/samples/: {sorted(missing)}"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("sample", WALK)
def test_value(sample: Sample, backend: Backend) -> None:
    """NumPy's values in every memory layout; no input is written to."""
    inputs, outputs = applied(sample)
    expected = as_list(sample.reference(*sample.arrays))
    if sample.native and backend is native:
        pytest.skip(sample.native)
    run = backend(inputs, outputs)
    for layout in LAYOUTS:
        arrays = [dict(layouts(a)).get(layout, a) for a in sample.arrays]
        before = [a.copy() for a in arrays]
        results = run(arrays)
        assert len(results) == len(expected)
        for result, output, wanted in zip(results, outputs, expected, strict=True):
            check_promise(result, output)
            check_equal(result, np.asarray(wanted), sample.ulp)
        for array, kept in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(array, kept, f"{layout}: an input was written to")


@pytest.mark.parametrize("sample", WALK)
def test_shape(sample: Sample) -> None:
    inputs, outputs = applied(sample)
    check_shape(inputs, outputs, sample.arrays)


@pytest.mark.parametrize("sample", SMOOTH)
def test_gradient(sample: Sample) -> None:
    inputs, outputs = applied(sample)
    check_gradient(inputs, outputs, sample.arrays, sample.smooth)


@pytest.mark.skipif(link_native is None, reason="there is no native executor")
@pytest.mark.parametrize("sample", first_of_each_class())
def test_native_gradient(sample: Sample) -> None:
    if sample.native:
        pytest.skip(sample.native)
    inputs, outputs = applied(sample)
    check_gradient(inputs, outputs, sample.arrays, sample.smooth, native)


@pytest.mark.parametrize("sample", SMOOTH)
def test_gradient_of_float32(sample: Sample) -> None:
    """The gradient has its variable's dtype, whatever the op's other inputs are."""
    arrays = [a.astype("float32") if i in sample.smooth else a for i, a in enumerate(sample.arrays)]
    inputs = inputs_for(arrays)
    try:
        outputs = as_list(sample.build(*inputs))
    except TypeError:
        return  # the sample is of float64 alone
    values = [np.asarray(v) for v in as_list(sample.reference(*arrays))]
    for slope in grad(weighted(outputs, values), [inputs[i] for i in sample.smooth]):
        assert slope.dtype == "float32"


@pytest.mark.parametrize("sample", first_of_each_class() + WITH_ZEROS)
def test_second_derivative(sample: Sample) -> None:
    inputs, outputs = applied(sample)
    values = interpreter(inputs, outputs)(sample.arrays)
    squares = [o * o for o in outputs]
    slopes = grad(weighted(squares, values), [inputs[i] for i in sample.smooth])
    check_gradient(inputs, slopes, sample.arrays, sample.smooth, tolerance=2e-6)
