"""Traversals, graphs as functions, and assertions."""

from __future__ import annotations

from typing import Any

import workbench as wb
import workbench.tensor as T
from workbench.core.graph import Variable, toposort
from workbench.core.graph import ancestors as _ancestors
from workbench.core.ops.checks import checked
from workbench.errors import UsageError


def ancestors(variables: Any, blockers: Any = None) -> list[Variable]:
    """Every variable that these depend on, themselves included."""
    stop = set(blockers or ())
    return [v for v in _ancestors(variables) if v not in stop]


def io_toposort(inputs: Any, outputs: Any) -> list[Any]:
    """The nodes between, each after what it reads."""
    return toposort(outputs, stop=list(inputs))


class OpFromGraph:
    """A graph as a function of variables: a call puts a copy of it in place."""

    def __init__(self, inputs: Any, outputs: Any, inline: bool = True, name: str = "") -> None:
        self.inputs, self.outputs, self.name = list(inputs), list(outputs), name

    def __call__(self, *arguments: Any) -> Any:
        if len(arguments) != len(self.inputs):
            raise UsageError(f"{len(self.inputs)} arguments are needed, not {len(arguments)}")
        places = dict(zip(self.inputs, map(T.as_tensor_variable, arguments), strict=True))
        made = wb.clone(self.outputs, replace=places)
        return made[0] if len(made) == 1 else made


class Assert:
    """`Assert(message)(x, *conditions)`: x, and an AssertionError where a condition is false."""

    def __init__(self, msg: str = "Theano Assert failed!") -> None:
        self.msg = msg

    def __call__(self, value: Any, *conditions: Any) -> Any:
        truths = [T.all(c) for c in conditions]
        return checked(value, *truths, wrong=self.msg, advice="", kind="assertion")


def assert_op(value: Any, *conditions: Any) -> Any:
    """x, and an AssertionError where a condition is false when it runs."""
    return Assert()(value, *conditions)
