"""What the tests of scan share: running a graph by its definition, rewriting it, finite
differences.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.function import function
from workbench.core.gradient import grad
from workbench.core.graph import Apply, Variable
from workbench.core.interpreter import Interpreter
from workbench.core.rewrite.pipeline import PASSES, Pass, optimise
from workbench.core.rewrite.scan_rules import SCAN_RULES, join_loops
from workbench.core.scan.op import Scan

Given = Mapping[Variable, Any]

SCAN_PASSES = (
    *(p for p in PASSES if p.name == "merge"),
    Pass("join_loops", "Loops over the same inputs become one.", transform=join_loops),
    *(p for p in PASSES if p.name == "simplify_bodies"),
    Pass("scan", "Work leaves the loop.", SCAN_RULES),
    Pass("scan again", "What the first walk made unneeded goes.", SCAN_RULES),
)


class Log:
    """A listener that notes which rules fired and which refused."""

    def __init__(self) -> None:
        self.fired: list[str] = []
        self.refused_by: dict[str, str] = {}

    def begin(self, *args: Any) -> None: ...
    def enter(self, phase: str) -> None: ...
    def leave(self, *args: Any) -> None: ...
    def rebuilt(self, *args: Any) -> None: ...

    def rewritten(self, rule: Any, pairs: Any, seconds: float, inner: Any = None) -> None:
        self.fired.append(rule.name)

    def refused(self, rule: Any, node: Apply, reason: str) -> None:
        assert "fails when it runs" not in reason, f"{rule.name}: {reason}"
        self.refused_by[rule.name] = reason

    def nested(self, label: str) -> Log:
        return Log()


class Rewritten:
    """A graph after the scan passes."""

    def __init__(self, outputs: Sequence[Variable]) -> None:
        self.log = Log()
        done = optimise(outputs, passes=SCAN_PASSES, listeners=[self.log])
        self.outputs, self.nodes = list(done.outputs), done.nodes
        self.loops = [node for node in done.nodes if isinstance(node.op, Scan)]

    @property
    def fired(self) -> list[str]:
        return self.log.fired

    def body(self, loop: int = 0) -> list[str]:
        """The names of the ops inside a loop."""
        return [label(node) for node in self.loops[loop].op.inner.nodes]

    def outside(self) -> list[str]:
        return [label(node) for node in self.nodes]


def label(node: Apply) -> str:
    return node.op.label


def run(outputs: Any, given: Given) -> Any:
    """The values by the definition."""
    one = isinstance(outputs, Variable)
    values = Interpreter([outputs] if one else outputs).run(given)
    return values[0] if one else values


def both(outputs: Any, given: Given, updates: Any = None) -> Any:
    """The values of a compiled function, which are those of the definition."""
    listed = [outputs] if isinstance(outputs, Variable) else list(outputs)
    if updates:
        with warnings.catch_warnings():  # the updates' values are asked for as outputs
            warnings.simplefilter("ignore")
            compiled = function(list(given), listed, on_unused_input="ignore")
    else:
        compiled = function(list(given), listed, on_unused_input="ignore")
    found = compiled(*given.values())
    for a, b in zip(run(listed, given), found, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        tolerance = 1e-4 if a.dtype == np.float32 else 1e-9
        np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance)
    return found[0] if isinstance(outputs, Variable) else found


def assert_rewrites_preserve(outputs: Sequence[Variable], given: Given) -> Rewritten:
    """Values, dtypes and shapes are the same before and after the scan passes."""
    before, after = run(outputs, given), Rewritten(outputs)
    for a, b in zip(before, Interpreter(after.outputs).run(given), strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        tolerance = 1e-4 if a.dtype == np.float32 else 1e-9
        np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance)
    return after


def assert_gradient(cost: Variable, given: Given, second: bool = False) -> list[Any]:
    """The gradients agree with central differences, and so do those of a weighted sum of them where
    `second`.
    """
    wrt = [v for v in given if v.type.dtype == "float64"]
    gradients = grad(cost, wrt, disconnected_inputs="ignore")
    for variable, found in zip(wrt, run(gradients, given), strict=True):
        assert found.dtype == np.float64
        assert found.shape == np.shape(given[variable])
        np.testing.assert_allclose(found, differences(cost, variable, given), rtol=2e-5, atol=2e-6)
    if second:
        weights = np.random.default_rng(1)
        total = sum(
            (g * weights.normal(size=np.shape(given[v]))).sum() for v, g in zip(wrt, gradients)
        )
        assert_gradient(total, given)
    return gradients


def differences(cost: Variable, variable: Variable, given: Given) -> Any:
    """The gradient by central differences."""
    program, step = Interpreter([cost]), 1e-6
    result = np.zeros(np.shape(given[variable]))
    for i in np.ndindex(result.shape):
        values = []
        for sign in (1, -1):
            moved = np.array(given[variable])
            moved[i] += sign * step
            values.append(float(program.run({**given, variable: moved})[0]))
        result[i] = (values[0] - values[1]) / (2 * step)
    return result


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.asarray(np.random.default_rng((seed, *shape)).normal(size=shape) * 0.5)
