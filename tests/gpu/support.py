"""Running graphs on the device that the tests are for: OpenCL on the processor (PoCL), or what
WORKBENCH_TEST_DEVICE names.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

import numpy as np

from tests.core.ops.backends import Compiled
from workbench.core.devices import find
from workbench.core.function import function
from workbench.core.graph import Apply, Variable, toposort
from workbench.core.link import Plan
from workbench.core.rewrite.pipeline import PASSES, optimise
from workbench.errors import DeviceError
from workbench.gpu.link import link_devices
from workbench.gpu.move import move_pass

DEVICE = os.environ.get("WORKBENCH_TEST_DEVICE", "opencl0")


@functools.cache
def missing() -> str:
    """Why there is no device to test on, or ''."""
    try:
        find(DEVICE)
    except DeviceError as error:
        return str(error)
    return ""


def moved(inputs: Sequence[Variable], outputs: Sequence[Variable]) -> Sequence[Variable]:
    """The graph with what can be moved on the device, and no other rewrite."""
    return optimise(outputs, inputs, passes=(PASSES[0], move_pass(DEVICE))).outputs


def on_device(inputs: Sequence[Variable], outputs: Sequence[Variable]) -> Compiled:
    """A way to run a graph that every op is walked through: see tests.core.ops.backends."""
    results = moved(inputs, outputs)
    linked = link_devices(Plan(tuple(inputs), tuple(results)), _refuse)

    def run(values: Sequence[Any]) -> list[Any]:
        with by_programs_only():
            return [np.asarray(value) for value in linked.run(list(values))]

    return run


def by_programs_only() -> AbstractContextManager[Any]:
    """No program for a device hands over to the interpreter, which would give the same."""
    return mock.patch("workbench.gpu.link.PyLinked", side_effect=_handed_over)


def _handed_over(*args: Any) -> Any:
    raise AssertionError("the program stopped and handed over to the interpreter")


def _refuse(*args: Any) -> Any:
    raise AssertionError("the program does not take these arguments")


def left_behind(outputs: Sequence[Variable]) -> list[Apply]:
    """The nodes that stay on the processor."""
    return [n for n in toposort(outputs) if not n.op.on_device]


def check_as_on_host(
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    values: Sequence[Any],
    ops: Sequence[str] = (),
    rtol: float = 1e-10,
) -> None:
    """The device gives what the processor gives, and runs these ops."""
    f = function(inputs, outputs, device=DEVICE)
    ran = {type(n.op).__name__ for n in f.maker.fgraph.toposort()}
    assert ran.issuperset(ops), ran
    expected = function(inputs, outputs, device="cpu")(*values)
    with by_programs_only():
        results = f(*values)
    for found, wanted in zip(results, expected, strict=True):
        scale = np.abs(wanted).max(initial=1e-300)
        np.testing.assert_allclose(np.asarray(found), wanted, rtol=rtol, atol=rtol * scale)
