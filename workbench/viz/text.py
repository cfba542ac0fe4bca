"""Graphs and histories as plain text: a tree to read, and a paragraph for `text/plain`. No times,
no addresses.
"""

from __future__ import annotations

from collections import Counter

from workbench.core.records import History, Node, Port, Snapshot
from workbench.viz.boxes import title, type_line
from workbench.viz.layout import plural

_MOST_LINES = 400
_DEEPEST = 60


def snapshot_text(snapshot: Snapshot, most: int = _MOST_LINES) -> str:
    """A tree from every output down to the inputs.

    A node that several others read is written out once, as `#3`, and named `#3 …` from then on.
    """
    readers = Counter(port for node in snapshot for port in node.inputs)
    named = {port.node for port, count in readers.items() if count > 1}
    lines: list[str] = []
    seen: set[int] = set()
    stack: list[tuple[Port, str, str]] = [(port, "", "") for port in reversed(snapshot.outputs)]
    while stack and len(lines) < most:
        port, head, indent = stack.pop()
        node = snapshot.by_id.get(port.node)
        if node is None:
            lines.append(f"{head}#{port.node}")
            continue
        again = node.id in seen and bool(node.inputs)
        lines.append(head + _line(node, port, node.id in named, again))
        if again:
            continue
        seen.add(node.id)
        if len(indent) > 3 * _DEEPEST and node.inputs:
            lines.append(f"{indent}… deeper nodes are left out")
            continue
        stack.extend(_children(node, indent))
    if stack:
        lines.append(f"… {plural(len(snapshot) - len(seen), 'more node')} not shown")
    return "\n".join(lines) + "\n"


def _children(node: Node, indent: str) -> list[tuple[Port, str, str]]:
    last = len(node.inputs) - 1
    rows = []
    for i, port in enumerate(node.inputs):
        branch, onward = ("└─ ", "   ") if i == last else ("├─ ", "│  ")
        rows.append((port, indent + branch, indent + onward))
    return rows[::-1]


def _line(node: Node, port: Port, named: bool, again: bool) -> str:
    mark = f" #{node.id}" if named else ""
    if again:
        return f"{title(node)}{mark} …"
    which = f".{port.index}" if len(node.outputs) > 1 else ""
    kind = f" <{node.kind}>" if node.kind in ("input", "shared") else ""
    return f"{title(node)}{which}{kind}{mark}  {type_line(node)}".rstrip()


def summary_text(history: History, title: str = "") -> str:
    """One paragraph: the sizes before and after, the ops that remain, and what each pass did."""
    first, last = history.first, history.last
    name = title or first.name or "graph"
    count = plural(len(history.steps), "rewrite")
    text = f"{name}: {plural(len(first), 'node')}, {len(last):,} after {count}."
    if ops := op_counts(last):
        text += f" Ops: {ops}."
    steps = Counter(step.phase for step in history.steps)
    if steps:
        text += f" Passes: {', '.join(f'{phase} {n}' for phase, n in steps.items())}."
    if history.refused:
        text += f" Refused: {plural(len(history.refused), 'rewrite')}."
    return text


def op_counts(snapshot: Snapshot, most: int = 8) -> str:
    """`Elemwise ×3, Gemv ×2`: the ops of a graph, the most frequent first."""
    counts = Counter(node.op or node.label for node in snapshot if node.kind == "apply")
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    parts = [op if n == 1 else f"{op} ×{n}" for op, n in ranked[:most]]
    if len(ranked) > most:
        parts.append(f"{len(ranked) - most} more")
    return ", ".join(parts)
