"""Pickles and copies of graphs, flat however deep the graph is.

In a pickle a node is a `Row`: its op and what it reads, as rows and leaves. A variable that a node
makes is pickled as all rows above it, in the order in which they are computed, and its place in the
last: when a row is written, those that it reads were written before. Node and row belong together,
so that what two variables share in a graph, they share in one pickle. What the compiler made is
left behind.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

from workbench.core.devices import is_there
from workbench.core.graph import (
    Apply,
    Constant,
    Op,
    Type,
    Variable,
    is_shared,
    leaves,
    toposort,
)
from workbench.core.origin import Line, kept_lines

Lines = tuple[Line, ...]
State = dict[str, Any]  # Any: what the slots of a variable hold
Result = tuple[type[Variable], Type, str | None]
Reference = Variable | tuple["Row", int]

_STRUCTURE = frozenset(("__weakref__", "index", "lines", "name", "owner", "type"))


class Row:
    """A node in a pickle; it is loaded as the node. `once` has what many rows have in common: equal
    types are written once.
    """

    __slots__ = ("node", "once")

    def __init__(self, node: Apply, once: dict[Type, Type]) -> None:
        self.node = node
        self.once = once

    def __reduce__(self) -> Any:
        node, once = self.node, self.once
        results = tuple((type(v), once.setdefault(v.type, v.type), v.name) for v in node.outputs)
        reads = tuple(map(_reference, node.inputs))
        made = _load_node, (node.op, reads, results, kept_lines(node.lines))
        states = tuple(map(_state, node.outputs))
        return (*made, states) if any(states) else made


class Bundle:
    """Several variables in a pickle, with the rows of all their graphs once; loaded as a tuple."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.variables = variables

    def __reduce__(self) -> Any:
        rows = _rows(self.variables)
        return _load_bundle, (rows, tuple(map(_reference, self.variables)))


def reduce_variable(variable: Variable) -> Any:
    """How a variable is pickled."""
    if variable.owner is not None:
        return _load_output, (_rows([variable]), variable.owner.row, variable.index)
    of = type(variable), variable.type, variable.name
    made = _load_leaf, (of, kept_lines(variable.lines))
    state = _state(variable)
    return (*made, state) if state else made


def reduce_node(node: Apply) -> Any:
    """How a node is pickled where it stands by itself."""
    return _load_itself, (_rows(node.outputs), node.row)


def _rows(variables: Iterable[Variable]) -> tuple[Row, ...]:
    """The rows of all nodes that the variables need; each node has but one."""
    once: dict[Type, Type] = {}
    nodes = toposort(variables)
    for node in nodes:
        if not hasattr(node, "row"):
            node.row = Row(node, once)
    return tuple(node.row for node in nodes)


def _reference(variable: Variable) -> Reference:
    node = variable.owner
    return variable if node is None else (node.row, variable.index)


def _slots(kind: type) -> set[str]:
    """The names of what variables of a class hold besides their place in the graph."""
    names = {name for base in kind.__mro__ for name in getattr(base, "__slots__", ())}
    return names - _STRUCTURE


def _state(variable: Variable) -> State:
    """What a variable holds; of a shared variable's storage the value alone."""
    state = {name: getattr(variable, name, None) for name in sorted(_slots(type(variable)))}
    cell: Any = state.pop("cell", None)
    if cell is not None and state["shares"] is None:
        state["cell"] = [cell[0], None]
    return {name: value for name, value in state.items() if value is not None}


def _load_leaf(of: Result, lines: Lines) -> Variable:
    """A shared variable of a device that is not there is one of the host's."""
    kind, type, name = of
    if type.device != "cpu" and not is_there(type.device) and hasattr(kind, "cell"):
        from workbench.core.shared import TensorSharedVariable

        of = TensorSharedVariable, type.host, name  # type: ignore[attr-defined]
    return _made(of, None, 0, lines)


def _load_node(op: Op, reads: Sequence[Any], results: Sequence[Result], lines: Lines) -> Apply:
    """Any: rows are nodes by now."""
    inputs = [v if isinstance(v, Variable) else v[0].outputs[v[1]] for v in reads]
    node = Apply(op, inputs, (), lines)
    node.outputs = tuple(_made(of, node, i, lines) for i, of in enumerate(results))
    return node


def _made(of: Result, owner: Apply | None, index: int, lines: Lines) -> Variable:
    kind, type, name = of
    variable = kind.__new__(kind)
    for slot in _slots(kind):
        setattr(variable, slot, None)
    variable.type, variable.owner, variable.index, variable.lines = type, owner, index, lines
    variable.name = name
    return variable


def _load_output(rows: Sequence[Apply], node: Apply, index: int) -> Variable:
    return node.outputs[index]


def _load_itself(rows: Sequence[Apply], node: Apply) -> Apply:
    return node


def _load_bundle(rows: Sequence[Apply], references: Sequence[Any]) -> tuple[Variable, ...]:
    return tuple(v if isinstance(v, Variable) else v[0].outputs[v[1]] for v in references)


def restore(variable: Variable, state: State) -> None:
    """Give a loaded variable what it held, but for what only one of a device has."""
    for name, value in state.items():
        if hasattr(type(variable), name):
            setattr(variable, name, value)
    if "shares" in state:
        variable.cell = state["shares"].cell  # type: ignore[attr-defined]  # it is a shared one
    if isinstance(variable, Constant):
        variable.data.flags.writeable = False


def copy_variable(variable: Variable) -> Variable:
    """Another variable of the same name, type and maker; a shared variable's copy shares its
    storage.
    """
    new = _made((type(variable), variable.type, variable.name), variable.owner, variable.index, ())
    new.lines = variable.lines
    for slot in _slots(type(variable)):
        setattr(new, slot, getattr(variable, slot, None))
    new._tag = copy.copy(variable._tag)
    if is_shared(variable):
        first: Any = variable.shares  # type: ignore[attr-defined]
        new.shares = variable if first is None else first  # type: ignore[attr-defined]
    return new


Memo = dict[int, Any]
"""What was copied, by the originals' ids, as `copy.deepcopy` has it."""


def copy_graph(variables: Sequence[Variable], memo: Memo) -> list[Variable]:
    """The variables over a copy of their graph: other inputs, other shared variables with copies of
    their values. Constants and ops, which nothing can change, are the same.
    """
    updates: list[Variable] = []
    for leaf in leaves(variables):
        if id(leaf) not in memo:
            memo[id(leaf)] = new = _copy_of_leaf(leaf, memo)
            if is_shared(leaf) and leaf.default_update is not None:  # type: ignore[attr-defined]
                updates.append(leaf)
            elif not isinstance(leaf, Constant):
                new._tag = copy.deepcopy(leaf._tag, memo)
    for node in toposort(variables):
        if id(node) not in memo:
            memo[id(node)] = _copy_of_node(node, memo)
    for shared in updates:
        (update,) = copy_graph([shared.default_update], memo)  # type: ignore[attr-defined]
        memo[id(shared)].default_update = update
    return [memo[id(v)] for v in variables]


def _copy_of_leaf(leaf: Variable, memo: Memo) -> Variable:
    if isinstance(leaf, Constant):
        return leaf
    new = _made((type(leaf), leaf.type, leaf.name), None, 0, leaf.lines)
    for slot in _slots(type(leaf)) - {"_tag", "cell", "default_update"}:
        setattr(new, slot, copy.deepcopy(getattr(leaf, slot, None), memo))
    if is_shared(leaf):
        own: Any = new
        value = leaf.cell[0]  # type: ignore[attr-defined]
        alone = own.shares is None
        own.cell = [copy.deepcopy(value, memo), None] if alone else own.shares.cell
    return new


def _copy_of_node(node: Apply, memo: Memo) -> Apply:
    results = [(type(v), v.type, v.name) for v in node.outputs]
    new = _load_node(node.op, [memo[id(v)] for v in node.inputs], results, node.lines)
    memo.update((id(a), b) for a, b in zip(node.outputs, new.outputs, strict=True))
    for old, made in zip(node.outputs, new.outputs, strict=True):
        for slot in _slots(type(old)):
            setattr(made, slot, copy.deepcopy(getattr(old, slot, None), memo))
    return new
