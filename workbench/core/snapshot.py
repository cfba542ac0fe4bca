"""From variables to `records.Snapshot`: what a graph looks like at one moment.

Ids are given in topological order, so that the same graph has the same ids in every process. A
fused op and a scan carry their inner graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.core import origin
from workbench.core.fused import (
    distinct,
    expressions,
    fused_snapshot,
    renamed,
    short_label,
    total_label,
)
from workbench.core.graph import Apply, Constant, Variable, is_shared, toposort
from workbench.core.inner import InnerGraph
from workbench.core.ops.elementwise import Composite, Elemwise
from workbench.core.ops.loop import Loop
from workbench.core.ops.shape import Dimension, DimShuffle
from workbench.core.records import RANDOM_STATE, Node, Place, Port, Snapshot, Value
from workbench.core.scalar import ScalarProgram
from workbench.core.scan.op import Scan
from workbench.core.types import TensorType
from workbench.core.values import is_random_state

Ids = dict[Apply | Variable, int]


def snapshot(
    outputs: Sequence[Variable],
    inputs: Sequence[Variable] = (),
    name: str = "",
    ids: Ids | None = None,
) -> Snapshot:
    """The graph of the outputs. `inputs` are listed even where nothing reads them.

    `ids` names nodes (and leaves, which have no node) that already have an id; new ones are added
    to it.
    """
    known: Ids = {} if ids is None else ids
    writer = Writer()
    nodes = [writer.node(item, known) for item in in_order(outputs, inputs)]
    return Snapshot(
        tuple(nodes),
        tuple(known[v] for v in inputs),
        tuple(port(v, known) for v in outputs),
        name,
    )


def in_order(
    outputs: Sequence[Variable], inputs: Sequence[Variable] = ()
) -> list[Apply | Variable]:
    """The leaves and the nodes of a graph, each after what it reads; the inputs first, other leaves
    where first read.
    """
    found: dict[Apply | Variable, None] = dict.fromkeys(inputs)
    for node in toposort(outputs, stop=set(inputs)):
        found.update((v, None) for v in node.inputs if v.owner is None)
        found[node] = None
    found.update((v, None) for v in outputs if v.owner is None)
    return list(found)


def port(variable: Variable, ids: Ids) -> Port:
    """Where a variable stands in a snapshot with these ids. Raises KeyError for one that is not in
    it.
    """
    known = ids.get(variable)
    if known is not None:
        return Port(known)
    if variable.owner is None:
        raise KeyError(variable)
    return Port(ids[variable.owner], variable.index)


class Writer:
    """Writes single nodes as records; each line of the user's is looked up once."""

    def __init__(self) -> None:
        self._places: dict[origin.Line, Place] = {}

    def node(self, item: Apply | Variable, ids: Ids) -> Node:
        """The record of a node or a leaf whose inputs have ids; it is given an id if it has
        none.
        """
        node_id = ids.setdefault(item, len(ids))
        if isinstance(item, Variable):
            return self.leaf(node_id, item)
        return self.apply(node_id, item, [port(v, ids) for v in item.inputs])

    def apply(self, node_id: int, node: Apply, inputs: Iterable[Port]) -> Node:
        op, inside = node.op, inner(node)
        label, detail = op.label, str(op)
        if inside is not None and fused_program(op) is not None:
            label, detail = short_label(inside), "\n".join(expressions(inside))
        return Node(
            node_id, "apply", type(op).__name__, label, tuple(inputs),
            tuple(map(value, node.outputs)), detail, node.outputs[0].type.device,
            places=self.places(node.lines), inner=inside,
        )  # fmt: skip

    def leaf(self, node_id: int, variable: Variable) -> Node:
        kind = leaf_kind(variable)
        return Node(
            node_id, kind, "", leaf_label(variable), (), (value(variable),), "",
            variable.type.device, places=() if kind == "constant" else self.places(variable.lines),
        )  # fmt: skip

    def places(self, lines: tuple[origin.Line, ...]) -> tuple[Place, ...]:
        known = self._places
        for line in lines:
            if line not in known:
                known[line] = origin.resolve(line)
        return tuple(known[line] for line in lines)


def leaf_kind(variable: Variable) -> str:
    """'constant', 'shared' or 'input'."""
    if isinstance(variable, Constant):
        return "constant"
    return "shared" if is_shared(variable) else "input"


def leaf_label(variable: Variable) -> str:
    """A leaf's name; for a constant without one its value, or its shape where it is long."""
    if variable.name is not None:
        return variable.name
    if not isinstance(variable, Constant):
        return str(variable.type)
    if np.size(variable.data) != 1:
        return f"array{list(np.shape(variable.data))}"
    number = variable.data.reshape(-1)[0]
    return f"{number:.6g}" if variable.data.dtype.kind == "f" else str(number)


def value(variable: Variable) -> Value:
    """The record of a variable's type and name."""
    t = variable.type
    if is_random_state(t):
        return Value(RANDOM_STATE, (), variable.name or "")
    if isinstance(t, TensorType):
        return Value(t.dtype, t.shape, variable.name or "")
    return Value("object", (), variable.name or "")


def inner(node: Apply) -> Snapshot | None:
    """The inner graph of a scan, a fused op or a choice, else None; its inputs are called as what
    they stand for outside.
    """
    op: Any = node.op
    if isinstance(op, Scan):
        return inner_of_scan(op, node.inputs)
    if (program := fused_program(op)) is not None:
        results = op.results if isinstance(op, Loop) else ()
        return fused_snapshot(program, results, distinct([called(v) for v in node.inputs]))
    if not isinstance(getattr(op, "inner", None), InnerGraph):
        return None
    body = snapshot(op.inner.outputs, op.inner.inputs)
    pairs = zip(body.inputs, op.inner.inputs, node.inputs[1:], strict=True)
    body = renamed(body, {i: called(outer) for i, v, outer in pairs if v.name is None})
    branches = ("then",) * op.n + ("else",) * op.n
    return replace(body, roles=("input",) * len(body.inputs) + branches)


def fused_program(op: Any) -> ScalarProgram | None:
    """The scalar program of a fused op."""
    if isinstance(op, Loop):
        return op.program
    if isinstance(op, Elemwise) and isinstance(op.scalar, Composite):
        return op.scalar.fused
    return None


def called(variable: Variable, depth: int = 4) -> str:
    """A few characters for a variable: its name, a constant's value, or the op that makes it."""
    node = variable.owner
    if variable.name is not None or node is None:
        return leaf_label(variable)
    label = node.op.label
    if depth and (isinstance(node.op, DimShuffle) or label == "cast"):
        return called(node.inputs[0], depth - 1)
    if depth and isinstance(node.op, Dimension):
        return f"{called(node.inputs[0], depth - 1)}.{label}"
    if depth and label.startswith("["):
        return f"{called(node.inputs[0], depth - 1)}{label}"
    if isinstance(node.op, Loop):
        return total_label(node.op.results[variable.index]) or "loop"
    symbol = getattr(getattr(node.op, "scalar", None), "symbol", "")
    if symbol and len(node.inputs) == 2 and all(v.owner is None for v in node.inputs):
        text = f" {symbol} ".join(map(leaf_label, node.inputs))
        if len(text) <= 14:
            return text
    return label


def inner_of_scan(op: Scan, outer: Sequence[Variable] = ()) -> Snapshot:
    """A scan's body, with the role of every input and output."""
    body = snapshot(op.inner.outputs, op.inner.inputs, op.name)
    body = renamed(body, _names_of_nameless(op, outer, body.inputs) if outer else {})
    return Snapshot(body.nodes, body.inputs, body.outputs, body.name, scan_roles(op))


def _names_of_nameless(op: Scan, outer: Sequence[Variable], ids: Sequence[int]) -> dict[int, str]:
    """What the nameless inputs of a body are called: what they read outside, at which step."""
    sequences, states, carried, others = op.split_inner(op.inner.inputs)
    _, rows, _, _, fixed = op.split(outer)
    kept = [v.name or "state" for v in op.inner.outputs]
    names = {
        **{v: f"{called(o)}[t]" for taps, o in zip(sequences, rows, strict=True) for v in taps},
        **{v: f"{name}[t-1]" for taps, name in zip(states, kept) for v in taps},
        **dict.fromkeys(carried, "total[t-1]"),
        **{v: called(o) for v, o in zip(others, fixed, strict=True)},
    }
    pairs = zip(op.inner.inputs, ids, strict=True)
    return {i: names[v] for v, i in pairs if v.name is None}


def scan_roles(op: Scan) -> tuple[str, ...]:
    """What each input of a scan's body is, then each output."""
    sequences, states, carried, others = op.split_inner(op.inner.inputs)
    return (
        *("sequence" for taps in sequences for _ in taps),
        *("recurrent" for taps in states for _ in taps),
        *("shared" for _ in carried),
        *("non_sequence" for _ in others),
        *("recurrent" for _ in states),
        *("map" for _ in range(op.n_maps)),
        *("shared" for _ in carried),
        *(("until",) if op.until else ()),
    )
