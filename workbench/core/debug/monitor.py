"""MonitorMode: functions of the user's own are called before and after every node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.debug.watched import WatchedLinked
from workbench.core.graph import Apply, toposort
from workbench.core.link import Fast, Linked, Plan
from workbench.core.modes import Mode
from workbench.frozen import frozen


@frozen
class Run:
    """One run of a node: `inputs[i][0]` and `outputs[i][0]` are its values. Before it has run, the
    outputs are None.
    """

    inputs: list[list[Any]]  # Any: arrays
    outputs: list[list[Any]]


Callback = Callable[[int, Apply, Run], object]


@frozen
class MonitorMode(Mode):
    """Calls `pre_func(i, node, fn)` before and `post_func(i, node, fn)` after every node.

    i          the node's position in `f.maker.fgraph.toposort()`
    fn         a Run: `fn.inputs` and `fn.outputs` are lists of one-element lists of values
    optimizer  as in Mode; with None the nodes are those that the user wrote
    linker     taken for its name: nodes are watched in the interpreter

    A loop is one node; what it does inside, `wb.inspect(…).trace` tells.
    """

    pre_func: Callback | None = None
    post_func: Callback | None = None

    def __init__(
        self,
        pre_func: Callback | None = None,
        post_func: Callback | None = None,
        optimizer: str | None = "default",
        linker: str | None = None,
        **names: Any,
    ) -> None:
        self._fill(
            pre_func=pre_func, post_func=post_func, optimizer=optimizer, linker=linker, **names
        )

    def link(self, plan: Plan, slow: Fast, program: Any, listeners: Sequence[Any]) -> Linked:
        places = {node: i for i, node in enumerate(toposort(plan.results))}
        return WatchedLinked(plan, lambda plan, args: Monitor(self, places))


class Monitor:
    """Listens to one call and tells the mode's functions."""

    def __init__(self, mode: MonitorMode, places: dict[Apply, int]) -> None:
        self.mode = mode
        self.places = places

    def before(self, node: Apply, inputs: Sequence[Any]) -> None:
        if self.mode.pre_func is not None and node in self.places:
            run = Run([[value] for value in inputs], [[None] for _ in node.outputs])
            self.mode.pre_func(self.places[node], node, run)

    def after(
        self, node: Apply, inputs: Sequence[Any], outputs: Sequence[Any], seconds: float
    ) -> None:
        if self.mode.post_func is not None and node in self.places:
            run = Run([[value] for value in inputs], [[value] for value in outputs])
            self.mode.post_func(self.places[node], node, run)


def detect_nan(i: int, node: Apply, fn: Run) -> None:
    """A `post_func` that prints every node whose result holds a nan, with its values."""
    if not any(_has_nan(value) for (value,) in fn.outputs):
        return
    from workbench.core.printing.debug_print import debugprint

    print("*** NaN detected ***")
    debugprint(node)
    print(f"Inputs : {[value for (value,) in fn.inputs]}")
    print(f"Outputs: {[value for (value,) in fn.outputs]}")


def _has_nan(value: Any) -> bool:
    inexact = isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fc"
    return inexact and bool(np.isnan(value).any())
