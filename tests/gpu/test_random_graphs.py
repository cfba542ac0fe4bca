"""Random graphs through the whole pipeline for a device, against the interpreter of the graph as it
was written.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

import workbench as wb
from tests.core.ops.backends import layouts
from tests.core.rewrite.support import close, run, show
from tests.core.rewrite.test_random import fails, graphs, tolerance_of
from tests.gpu.support import DEVICE
from workbench.core.device_type import lies_on
from workbench.core.devices import find
from workbench.core.graph import Variable, free_inputs
from workbench.core.ops.transfer import DTYPES
from workbench.core.types import tensor_type
from workbench.errors import WorkbenchError

EXAMPLES = int(os.environ.get("RANDOM_GRAPHS", "30"))


@dataclass
class Use:
    """A graph, the values of its inputs, and how each is given: as an array of the host's, as a
    handle, or in a shared variable on the device.
    """

    outputs: list[Variable]
    values: dict[Variable, Any]
    ways: dict[Variable, str]

    def __post_init__(self) -> None:
        self.inputs = free_inputs(self.outputs)
        self.shared = {
            v: wb.shared(self.values[v], target=DEVICE, broadcastable=tensor_type(v).broadcastable)
            for v in self.inputs
            if self.ways[v] == "shared"
        }
        self.passed = [v for v in self.inputs if v not in self.shared]
        self.news = {v: new for v in self.shared if (new := last_like(v, self.outputs)) is not None}

    def compiled(self) -> Any:
        """The function on the device; shared variables are updated with outputs that fit."""
        there = {
            v: lies_on(tensor_type(v), DEVICE).make(name=v.name)
            for v in self.passed
            if self.ways[v] == "handle"
        }
        return wb.function(
            [there.get(v, v) for v in self.passed],
            self.outputs,
            givens={**self.shared, **there},
            updates={self.shared[v]: new for v, new in self.news.items()},
            device=DEVICE,
        )

    def arguments(self) -> list[Any]:
        device: Any = find(DEVICE)
        values = ((self.values[v], self.ways[v]) for v in self.passed)
        return [device.array(a) if way == "handle" else a for a, way in values]


@st.composite
def uses(draw: st.DrawFn) -> Use:
    outputs, values = draw(graphs())
    if draw(st.booleans()):
        values = emptied(values, draw(st.sampled_from([3, 4])))
    laid = {v: draw(st.sampled_from([a for _, a in layouts(a)])) for v, a in values.items()}
    return Use(outputs, laid, {v: draw(st.sampled_from(ways_of(v))) for v in laid})


def emptied(values: dict[Variable, Any], n: int) -> dict[Variable, Any]:
    """The values without elements along axes of this length, where no type knows it."""
    if any(n in tensor_type(v).shape for v in values):
        return values
    return {v: a[tuple(slice(0 if n == k else k) for k in a.shape)] for v, a in values.items()}


def ways_of(variable: Variable) -> list[str]:
    """A device holds no complex numbers, and a shared variable's type knows no length but 1."""
    t = tensor_type(variable)
    if t.dtype not in DTYPES:
        return ["host"]
    return ["host", "handle", *(["shared"] if {*t.shape} <= {None, 1} else [])]


def last_like(variable: Variable, outputs: Sequence[Variable]) -> Variable | None:
    """The last output of a variable's dtype and axes."""
    t = tensor_type(variable)
    kinds = [(v, tensor_type(v)) for v in outputs]
    fit = [v for v, k in kinds if (k.dtype, k.broadcastable) == (t.dtype, t.broadcastable)]
    return fit[-1] if fit else None


@pytest.mark.filterwarnings("ignore")
@given(uses())
@settings(max_examples=EXAMPLES, deadline=None)
def test_values_stay(use: Use) -> None:
    """Results, their dtypes and shapes, and what is stored; of two calls."""
    note(f"{show(use.outputs)}\n{use.ways}")
    if fails(use.outputs, use.values):  # lengths that do not fit, or nothing to take the maximum of
        return
    f = use.compiled()
    for _ in range(2):
        if fails(use.outputs, use.values) or not agrees(f, use):
            return


def agrees(f: Any, use: Use) -> bool:
    """Whether a call works; then it gives and stores the right values, and changes no argument."""
    before = {v: use.values[v].copy() for v in use.passed}
    try:
        found = f(*use.arguments())
    except WorkbenchError as error:
        assert "over no elements" in str(error), "only a softmax of nothing may fail now"  # noqa: PT017
        return False
    expected, tolerance = run(use.outputs, use.values), tolerance_of(use.outputs)
    close(expected, found, tolerance)
    for v, kept in before.items():
        np.testing.assert_array_equal(use.values[v], kept)
    values = dict(zip(use.outputs, expected, strict=True))
    for v, new in use.news.items():
        use.values[v] = use.shared[v].get_value()
        close([values[new]], [use.values[v]], tolerance)
    return True
