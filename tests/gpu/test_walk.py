"""Every op's declared samples on the device: values in every memory layout; which ops stay on the
processor, and why.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.core.ops.backends import as_list, check_equal, check_promise, inputs_for, layouts
from tests.gpu.support import on_device
from workbench.core.samples import SAMPLES, Sample
from workbench.gpu.ops import FORMS

WALK = [
    pytest.param(sample, id=f"{kind.__name__}-{sample.name}")
    for kind, make in SAMPLES.items()
    if kind in FORMS
    for sample in make()
]
LAYOUTS = ("contiguous", "strided", "transposed")


@pytest.mark.parametrize("sample", WALK)
def test_value(sample: Sample) -> None:
    """NumPy's values in every memory layout; no input is written to."""
    inputs = inputs_for(sample.arrays)
    outputs = as_list(sample.build(*inputs))
    expected = as_list(sample.reference(*sample.arrays))
    run = on_device(inputs, outputs)
    for layout in LAYOUTS:
        arrays: list[Any] = [dict(layouts(a)).get(layout, a) for a in sample.arrays]
        for result, output, wanted in zip(run(arrays), outputs, expected, strict=True):
            check_promise(result, output)
            check_equal(result, np.asarray(wanted), max(sample.ulp, 0))
