"""The interpreter: one NumPy evaluation per node, in order. It defines what every other back end
must compute.

Listeners are told of every node: the value table, the scan trace, the profile and the debugging
modes are listeners.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from workbench.configuration import config
from workbench.core import origin
from workbench.core.devices import on_host
from workbench.core.graph import Apply, Constant, Variable, is_shared, toposort
from workbench.core.scalar import floating_errors
from workbench.errors import MissingInputError, WorkbenchError

Values = dict[Variable, Any]  # Any: arrays, or the objects of generic variables

_FLAGS = config.values  # asked for every node


class Listener(Protocol):
    """Told of every node as it runs. `seconds` is what its evaluation took."""

    def before(self, node: Apply, inputs: Sequence[Any]) -> None: ...

    def after(
        self, node: Apply, inputs: Sequence[Any], outputs: Sequence[Any], seconds: float
    ) -> None: ...


class Interpreter:
    """Runs a fixed list of nodes over values. `run` is re-entrant: all its state is its own."""

    def __init__(self, outputs: Sequence[Variable], nodes: Sequence[Apply] | None = None) -> None:
        self.outputs = list(outputs)
        self.nodes = list(toposort(outputs)) if nodes is None else list(nodes)
        self._is_lazy = any(getattr(node.op, "is_lazy", False) for node in self.nodes)

    def run(self, given: Mapping[Variable, Any], listeners: Iterable[Listener] = ()) -> list[Any]:
        """The outputs' values for these inputs. Raises an op's own error, extended by where its
        node was made.
        """
        values = self.run_all(given, listeners)
        return [lookup(values, v) for v in self.outputs]

    def run_all(self, given: Mapping[Variable, Any], listeners: Iterable[Listener] = ()) -> Values:
        """The value of every variable that the outputs need: of what a condition decides between,
        only that which it chose.
        """
        values: Values = {v: on_host(value) for v, value in given.items()}
        hear = list(listeners)
        if self._is_lazy:
            self._run_wanted(values, hear)
            return values
        for node in self.nodes:
            inputs = [lookup(values, v) for v in node.inputs]
            _run_node(node, inputs, values, hear)
        return values

    def _run_wanted(self, values: Values, listeners: list[Listener]) -> None:
        """Run what the outputs turn out to need, depth-first."""
        left = set(self.nodes)
        stack = [v.owner for v in reversed(self.outputs)]
        while stack:
            node = stack.pop()
            if node is None or node not in left:
                continue
            wanted = _wanted(node, values, left)
            missing = [v.owner for v in wanted if v.owner in left and v not in values]
            if missing:
                stack += [node, *reversed(missing)]
                continue
            left.remove(node)
            needed = set(wanted)
            inputs = [lookup(values, v) if v in needed else None for v in node.inputs]
            _run_node(node, inputs, values, listeners)


def _wanted(node: Apply, values: Values, left: Collection[Apply]) -> Sequence[Variable]:
    """What a node reads; of a lazy one its condition, and as soon as that is known, what it
    chooses.
    """
    if not getattr(node.op, "is_lazy", False):
        return node.inputs
    condition = node.inputs[0]
    if condition.owner in left and condition not in values:
        return [condition]
    chosen = node.op.chosen(lookup(values, condition))  # type: ignore[attr-defined]  # it is lazy
    return [condition, *(node.inputs[i] for i in chosen)]


def _run_node(
    node: Apply, inputs: Sequence[Any], values: Values, listeners: Sequence[Listener]
) -> None:
    for listener in listeners:
        listener.before(node, inputs)
    start = time.perf_counter()
    outputs = evaluate_node(node, inputs, listeners)
    seconds = time.perf_counter() - start
    for listener in listeners:
        listener.after(node, inputs, outputs, seconds)
    values.update(zip(node.outputs, outputs, strict=True))


def lookup(values: Mapping[Variable, Any], variable: Variable) -> Any:
    """The value of a variable that was given, computed, constant or shared."""
    if variable in values:
        return values[variable]
    if isinstance(variable, Constant):
        return variable.data
    if is_shared(variable):
        return on_host(variable.cell[0])  # type: ignore[attr-defined]
    raise MissingInputError(
        f"a value is needed for the input {variable}",
        place=variable.place,
        advice="give it as an input",
    ).at(variable)


def evaluate_node(
    node: Apply, inputs: Sequence[Any], listeners: Sequence[Listener] = ()
) -> Sequence[Any]:
    """One node's outputs. An op with an inner graph passes the listeners on to it."""
    op = node.op
    try:
        if (check := getattr(op, "check", None)) is not None:
            check(node.inputs, inputs)
        if (watched := getattr(op, "evaluate_watched", None)) is not None:
            return watched(node, inputs, listeners)  # type: ignore[no-any-return]
        with floating_errors():
            return op.evaluate(*inputs)
    except Exception as error:
        explained = explain(error, node, inputs)
        if explained is error:
            raise
        raise explained from error


def explain(error: Exception, node: Apply, inputs: Sequence[Any]) -> Exception:
    """The same kind of error, saying which node of the user's it struck, what met there, and where
    it was written; where `config.exception_verbosity` is 'high', with the values.
    """
    met = ", ".join(
        f"{v.name or 'an expression'}: {v.type}"
        + (f" of shape {tuple(a.shape)}" if hasattr(a, "shape") else "")
        for v, a in zip(node.inputs, inputs, strict=True)
    )
    place = origin.resolve(node.lines[0]) if node.lines else None
    more = _values_of(node, inputs) if _FLAGS["exception_verbosity"] == "high" else ""
    if isinstance(error, WorkbenchError):
        if error.node is None:
            error.met, error.place, error.node = (
                (error.met or f"{node.op} of {met}") + more,
                error.place or place,
                node,
            )
        return error
    advice = "look at the values that met here: wb.inspect shows them"
    return same_kind(error, f"{error}\n{node.op} of {met}{more}\nmade at {place}\n{advice}")


def _values_of(node: Apply, inputs: Sequence[Any]) -> str:
    """A line for each input: its strides and its value, in short."""
    lines = []
    for variable, value in zip(node.inputs, inputs, strict=True):
        strides = f" of strides {value.strides}" if isinstance(value, np.ndarray) else ""
        with np.printoptions(threshold=20, edgeitems=2):
            shown = " ".join(repr(value).split())
        lines.append(f"\n  {variable.name or variable}{strides}: {shown}")
    return "".join(lines)


def same_kind(error: Exception, message: str) -> Exception:
    """An error of the same class, or of the nearest base of it that takes a message."""
    for kind in type(error).__mro__[: -len(Exception.__mro__)]:
        try:
            return kind(message)  # type: ignore[no-any-return]
        except Exception:  # a class of exceptions with a signature of its own
            continue
    return WorkbenchError(message)
