"""A device's graph with every node on the processor gives the same values, node for node."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.core.ops.backends import as_list, check_equal, inputs_for
from tests.core.scan.test_gradient_uses import LOOPS
from tests.gpu.support import DEVICE, moved
from tests.gpu.test_walk import WALK
from workbench.core.graph import toposort
from workbench.core.interpreter import Interpreter
from workbench.core.ops.shape import Dimension
from workbench.core.samples import Sample
from workbench.gpu.hosted import hosted


def check(inputs: Any, outputs: Any, values: Any) -> None:
    made = hosted(outputs)
    for node in toposort(made.outputs):
        assert isinstance(node.op, Dimension) or not node.op.on_device
        assert all(v.type.device == "cpu" for v in (*node.inputs, *node.outputs))
        assert made.nodes[node].op.label.lower().removeprefix("gpu") in node.op.label.lower()
    assert not made.inputs
    given = dict(zip(inputs, values, strict=True))
    pairs = zip(Interpreter(made.outputs).run(given), Interpreter(outputs).run(given), strict=True)
    for mine, theirs in pairs:
        check_equal(np.asarray(mine), np.asarray(theirs), 0)


@pytest.mark.parametrize("sample", WALK[::3])
def test_samples(sample: Sample) -> None:
    inputs = inputs_for(sample.arrays)
    check(inputs, moved(inputs, as_list(sample.build(*inputs))), sample.arrays)


@pytest.mark.parametrize("loop", LOOPS)
def test_loops(loop: Any) -> None:
    states, values = loop()
    check(list(values), moved(list(values), [states]), list(values.values()))


def test_what_lies_there_is_an_input() -> None:
    w = wb.shared(np.arange(3.0), "w", target=DEVICE)
    f = wb.function([], wb.tensor.exp(w), device=DEVICE)
    made = hosted(f.maker.plan.results)
    ((leaf, stand_in),) = made.inputs.items()
    assert leaf is w
    assert stand_in.type.device == "cpu"
    (value,) = Interpreter(made.outputs).run({stand_in: np.zeros(3)})
    assert value.tolist() == [1, 1, 1]
