"""Replaying an optimisation on values: what a step replaced is compared with what replaces it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.debug.compare import difference, out_of_range
from workbench.core.debug.errors import BadOptimization
from workbench.core.debug.steps import Step, Steps
from workbench.core.graph import Apply, Variable, describe, toposort
from workbench.core.interpreter import Values, evaluate_node, lookup
from workbench.core.scan.op import Scan

MOST_ITERATIONS = 10
"""Iterations of a loop in which the steps of its body are replayed."""


class Failed:
    """Stands for a value that could not be computed."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class Replay:
    """The steps of one graph, ready to be replayed on inputs. Each node of all its versions is run
    once; what nothing needs any more is let go.
    """

    def __init__(self, steps: Steps) -> None:
        pairs = [(step, old, new) for step in steps.list for old, new in step.pairs]
        self.inputs = steps.inputs
        self.nodes = toposort((v for _, *both in pairs for v in both), stop=steps.inputs)
        place = {v: i for i, node in enumerate(self.nodes) for v in node.outputs}
        self._due: dict[int, list[tuple[Step, Variable, Variable]]] = {}
        self._last: dict[Variable, int] = {}
        for i, node in enumerate(self.nodes):
            self._last.update((v, i) for v in (*node.inputs, *node.outputs))
        for step, old, new in pairs:
            when = max(place.get(old, 0), place.get(new, 0))
            self._due.setdefault(when, []).append((step, old, new))
            for v in _concerned(old, new):
                self._last[v] = max(self._last.get(v, 0), when)
        self._bodies = {
            step.pairs[0][0].owner: Replay(step.inner)
            for step in steps.list
            if step.inner is not None and step.inner.list
        }

    def run(self, given: Mapping[Variable, Any]) -> None:
        """Raises BadOptimization at the first step that changes a value."""
        values: Values = dict(given)
        gone: dict[int, list[Variable]] = {}
        for v, i in self._last.items():
            gone.setdefault(i, []).append(v)
        for i, node in enumerate(self.nodes):
            values.update(zip(node.outputs, self._evaluate(node, values), strict=True))
            for step, old, new in self._due.get(i, ()):
                _compare(step, old, new, values, given)
            for v in gone.get(i, ()):
                values.pop(v, None)

    def _evaluate(self, node: Apply, values: Values) -> Sequence[Any]:
        """The node's outputs; what fails fails only for those who need it."""
        inputs = [lookup(values, v) for v in node.inputs]
        failed = next((v for v in inputs if isinstance(v, Failed)), None)
        if getattr(node.op, "is_lazy", False):
            inputs, failed = _chosen(node, inputs)
        if failed is not None:
            return [failed] * len(node.outputs)
        body = self._bodies.get(node)
        listeners = [] if body is None else [_Iterations(node, body)]
        if body is not None and not isinstance(node.op, Scan):  # a condition: its body runs once
            inner: Any = node.op
            body.run(dict(zip(inner.inner.inputs, inputs[1:], strict=True)))
        try:
            return evaluate_node(node, inputs, listeners)
        except BadOptimization:
            raise
        except Exception as error:
            return [Failed(error)] * len(node.outputs)


def _chosen(node: Apply, inputs: list[Any]) -> tuple[list[Any], Failed | None]:
    """The inputs of a condition without those that it does not choose."""
    if isinstance(inputs[0], Failed):
        return inputs, inputs[0]
    kept = {0, *node.op.chosen(inputs[0])}  # type: ignore[attr-defined]  # it is lazy
    wanted = [v if i in kept else None for i, v in enumerate(inputs)]
    return wanted, next((v for v in wanted if isinstance(v, Failed)), None)


def _concerned(old: Variable, new: Variable) -> list[Variable]:
    """The variables whose values a comparison looks at."""
    owners = [v.owner for v in (old, new) if v.owner is not None]
    return [old, new, *(v for owner in owners for v in owner.inputs)]


def _compare(
    step: Step, old: Variable, new: Variable, values: Values, given: Mapping[Variable, Any]
) -> None:
    expected, found = lookup(values, old), lookup(values, new)
    if isinstance(expected, Failed):
        return
    if isinstance(found, Failed):
        raise _wrong(step, old, new, f"what replaces it fails: {found.error}")
    operands = [lookup(values, v) for v in _concerned(old, new)[2:]]
    expected = _rows(expected, found, new)
    if difference(expected, found, operands):
        excused = _excused(old, new, given, np.shape(expected))
        if text := difference(expected, found, operands, excused):
            raise _wrong(step, old, new, text)


def _excused(
    old: Variable, new: Variable, given: Mapping[Variable, Any], shape: tuple[int, ...]
) -> Any:
    """Where something that the rule took away was out of the range of floats: a stable formula is
    meant to give another value there.
    """
    values: Values = dict(given)
    kept = set(toposort([new], stop=given))
    mask = np.zeros(shape, bool)
    for node in toposort([old], stop=given):
        outputs = evaluate_node(node, [lookup(values, v) for v in node.inputs])
        values.update(zip(node.outputs, outputs, strict=True))
        for value in outputs if node not in kept else ():
            bad = out_of_range(value)
            if bad is not None:
                mask |= bad if bad.shape == shape else np.ones(shape, bool)
    return mask


def _rows(expected: Any, found: Any, new: Variable) -> Any:
    """Of a loop that keeps its last rows only, these of the whole."""
    loop = new.owner is not None and isinstance(new.owner.op, Scan)
    if loop and isinstance(expected, np.ndarray) and expected.ndim and len(found) < len(expected):
        return expected[len(expected) - len(found) :]
    return expected


def _wrong(step: Step, old: Variable, new: Variable, text: str) -> BadOptimization:
    from workbench.core.printing.debug_print import debugprint

    shown = old.owner or new.owner
    met = describe(shown.op, shown.inputs) if shown is not None else str(old)
    trees = (
        f"before:\n{debugprint(old, depth=4, file='str')}"
        f"after:\n{debugprint(new, depth=4, file='str')}"
    )
    error = BadOptimization(
        f"the rule {step.rule.name} of the pass {step.phase} changed a value: {text}",
        f"{step.rule.equation or step.rule.reason}\nin {met}\n{trees.rstrip()}",
        place=old.place or new.place,
        advice=f"leave it out with mode.excluding('{step.rule.name}'), and report it "
        f"({step.rule.source})",
    )
    error.rule = step.rule
    return error.at(old.owner or old)


class _Iterations:
    """Listens to one loop and replays the steps of its body in the first iterations."""

    def __init__(self, loop: Apply, body: Replay) -> None:
        self.loop = loop
        self.body = body

    def before(self, node: Apply, inputs: Sequence[Any]) -> None: ...

    def iteration(self, node: Apply, t: int, given: Mapping[Variable, Any]) -> None:
        if node is self.loop and t < MOST_ITERATIONS:
            self.body.run(given)

    def after(
        self, node: Apply, inputs: Sequence[Any], outputs: Sequence[Any], seconds: float
    ) -> None: ...
