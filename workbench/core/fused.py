"""What a fused op computes: its scalar steps as a graph to open, and as expressions to read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from workbench.core.ops.loop import LoopResult
from workbench.core.records import Node, Port, Snapshot, Value
from workbench.core.scalar import PRIMITIVES, ScalarProgram

LONGEST = 160
"""Characters of an expression; what is longer ends in an ellipsis."""
SHORT = 24
"""Characters of an expression that may stand in a box."""
DEEPEST = 24

_SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "floordiv": "//", "mod": "%", "pow": "**",
    "and": "&", "or": "|", "xor": "^", "shl": "<<", "shr": ">>",
    "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=",
}  # fmt: skip
_LOOSE = re.compile(r" [^\w\s]+ ")  # an operator between words
_WHOLE = 9  # holds together by itself: a name, a call
_LEVELS = {
    **dict.fromkeys(_SIGNS, 2), "add": 4, "sub": 4, "mul": 5, "div": 5, "floordiv": 5, "mod": 5,
    "neg": 6, "-": 6, "pow": 7,
}  # fmt: skip
_TOTALS = {
    "add": "sum", "mul": "prod", "maximum": "max", "minimum": "min", "and": "all", "or": "any",
}  # fmt: skip


def fused_snapshot(
    program: ScalarProgram, results: Sequence[LoopResult] = (), names: Sequence[str] = ()
) -> Snapshot:
    """A scalar program as a graph: its inputs, its steps, and a total where a result is reduced."""
    called = [*names, *(f"i{i}" for i in range(len(names), len(program.inputs)))]
    nodes = [
        Node(i, "input", "", name, (), (Value(dtype),))
        for i, (name, dtype) in enumerate(zip(called, program.inputs, strict=True))
    ]
    for i, step in enumerate(program.steps, len(nodes)):
        constant = step.prim == "const"
        label = str(step.constant) if constant else _step_label(step.prim, step.dtype)
        inputs = tuple(map(Port, step.args))
        kind, op = ("constant", "") if constant else ("apply", step.prim)
        nodes.append(Node(i, kind, op, label, inputs, (Value(step.dtype),)))
    ends = list(program.outputs)
    for i, result in enumerate(results):
        if label := total_label(result):
            nodes.append(
                Node(len(nodes), "apply", label, label, (Port(ends[i]),), (Value(result.dtype),))
            )
            ends[i] = len(nodes) - 1
    return Snapshot(tuple(nodes), tuple(range(len(program.inputs))), tuple(map(Port, ends)))


def total_label(result: LoopResult) -> str:
    """`sum` for a result that is reduced by addition, and so on; "" for an elementwise one."""
    return "" if result.reduce is None else _TOTALS.get(result.reduce, result.reduce)


def _step_label(prim: str, dtype: str) -> str:
    return f"cast to {dtype}" if prim == "cast" else prim


def expressions(inner: Snapshot) -> list[str]:
    """How each output of a fused op's inner graph reads."""
    return [_cut(_spell(inner, port.node, DEEPEST, LONGEST)[0]) for port in inner.outputs]


def short_label(inner: Snapshot) -> str:
    """A fused op in a few words: its expression where that is short, else its costliest steps."""
    texts = expressions(inner)
    if len(texts) == 1 and len(texts[0]) <= SHORT:
        return texts[0]
    ops = [node.op for node in inner if node.kind == "apply" and node.op != "cast"]
    steps = list(dict.fromkeys(ops))
    totals = [op for op in steps if op in _TOTALS.values()][:1]
    costly = sorted((op for op in steps if op in PRIMITIVES), key=lambda op: -PRIMITIVES[op].cost)
    chosen = [*costly[: 3 - len(totals)], *totals]
    return f"fused {', '.join(chosen)}" + (" …" if len(chosen) < len(steps) else "")


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names of which some are the same, told apart by a number."""
    seen: dict[str, int] = {}
    told: list[str] = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name if names.count(name) == 1 else f"{name}.{seen[name]}")
    return tuple(told)


def renamed(inner: Snapshot, names: dict[int, str]) -> Snapshot:
    """The same graph with other labels for some of its inputs."""
    nodes = tuple(
        replace(node, label=names[node.id]) if node.id in names else node for node in inner
    )
    return replace(inner, nodes=nodes)


def _spell(inner: Snapshot, node_id: int, depth: int, room: int) -> tuple[str, int]:
    """The expression of a node in about `room` characters, and how strongly it holds together."""
    node = inner[node_id]
    if not node.inputs:
        return node.label, 0 if _LOOSE.search(node.label) else _LEVELS.get(node.label[:1], _WHOLE)
    if depth == 0 or room <= 0:
        return "…", _WHOLE
    if node.op == "cast":
        return _spell(inner, node.inputs[0].node, depth - 1, room)
    if node.op == "mul" and node.inputs[0] == node.inputs[1]:
        return f"sqr({_spell(inner, node.inputs[0].node, depth - 1, room - 5)[0]})", _WHOLE
    own = _LEVELS.get(node.op, 0)
    parts: list[str] = []
    for i, port in enumerate(node.inputs):
        text, level = _spell(inner, port.node, depth - 1, room - sum(map(len, parts)) - 3)
        parts.append(f"({text})" if level < own or (i and level == own) else text)
    if node.op == "neg":
        return f"-{parts[0]}", own
    if node.op in _SIGNS:
        return f" {_SIGNS[node.op]} ".join(parts), own
    return f"{node.label}({', '.join(parts)})", _WHOLE


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
