"""Looking at every node that the interpreter runs: nothing may write to its inputs, values are of
their types, and a second run gives the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.debug.compare import difference, misfit, out_of_range, same_bytes
from workbench.core.debug.errors import BadDestroyMap, InvalidValueError, StochasticOrder
from workbench.core.graph import Apply, Variable, describe
from workbench.core.interpreter import evaluate_node
from workbench.core.ops.print_op import silenced


class Watch:
    """Listens to the interpreter.

    finite  values that are not finite are errors
    again   every node outside of loops is run a second time and compared
    """

    def __init__(self, finite: bool = False, again: bool = False) -> None:
        self.finite = finite
        self.again = again
        self.left_range = False  # whether a value was not finite, or so small that it lost digits
        self._copies: list[list[Any]] = []  # of the inputs of the nodes that run now
        self._loops: dict[Apply, int] = {}

    def before(self, node: Apply, inputs: Sequence[Any]) -> None:
        self._copies.append([copied(value) for value in inputs])

    def iteration(self, node: Apply, t: int, given: Mapping[Variable, Any]) -> None:
        self._loops[node] = t

    def after(
        self, node: Apply, inputs: Sequence[Any], outputs: Sequence[Any], seconds: float
    ) -> None:
        self._loops.pop(node, None)
        copies = self._copies.pop()
        check_untouched(node, copies, inputs, "the interpreter")
        for variable, value in zip(node.outputs, outputs, strict=True):
            self._check(node, variable, value)
        if self.again and not self._copies:
            _check_again(node, copies, outputs)

    def _check(self, node: Apply, variable: Variable, value: Any) -> None:
        wrong = misfit(value, variable.type)
        self.left_range = self.left_range or out_of_range(value) is not None
        if not wrong and self.finite and not _is_finite(value):
            wrong = "it is not finite"
        if wrong:
            where = "".join(f", in iteration {t} of {n.op.label}" for n, t in self._loops.items())
            raise InvalidValueError(
                f"the result of {node.op} is not one of {variable.type}: {wrong}{where}",
                describe(node.op, node.inputs),
                place=node.place,
                advice="DebugMode(check_isfinite=False) takes nan and inf"
                if wrong == "it is not finite"
                else "see the op's infer and evaluate",
            ).at(node)


def copied(value: Any) -> Any:
    """An array's copy; other things themselves."""
    return value.copy() if isinstance(value, np.ndarray) else value


def check_untouched(node: Apply, copies: Sequence[Any], inputs: Sequence[Any], who: str) -> None:
    """Raises BadDestroyMap where an input is not what it was."""
    for i, (copy, value) in enumerate(zip(copies, inputs, strict=True)):
        if not same_bytes(copy, value):
            raise BadDestroyMap(
                f"{node.op} wrote to its input {i}, {node.inputs[i]}, when {who} ran it",
                describe(node.op, node.inputs),
                place=node.place,
                advice="an op's evaluate makes a new array, or a view, and writes to no input",
            ).at(node)


def _check_again(node: Apply, copies: Sequence[Any], outputs: Sequence[Any]) -> None:
    with silenced():
        again = evaluate_node(node, [copied(value) for value in copies])
    for i, (first, second) in enumerate(zip(outputs, again, strict=True)):
        if text := difference(first, second, copies):
            raise StochasticOrder(
                f"two runs of {node.op} over the same inputs gave different values of output {i}: "
                f"{text}",
                describe(node.op, node.inputs),
                place=node.place,
                advice="an op depends on its inputs alone; a random one reads its state as one",
            ).at(node)


def _is_finite(value: Any) -> bool:
    inexact = isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fc"
    return not inexact or bool(np.isfinite(value).all())
