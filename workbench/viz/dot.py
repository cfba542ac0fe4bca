"""A snapshot in Graphviz's language. Only text is made here; no `dot` program is needed or
called.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from workbench.core.records import Node, Snapshot
from workbench.viz.boxes import folded_constants, title, type_line
from workbench.viz.states import is_scan

_SHAPE = {"input": "ellipse", "shared": "doubleoctagon", "constant": "plaintext"}
_FILL = {
    "input": "#e9f2fe",
    "shared": "#e5f6f0",
    "constant": "#f1f2f4",
    "removed": "#fdecea",
    "added": "#e8f7ee",
    "replaced": "#fff4dc",
    "fused": "#f1eafd",
    "changed": "#e9f2fe",
    "failed": "#fbd5d2",
}


def snapshot_dot(
    snapshot: Snapshot, states: Mapping[int, str] | None = None, compact: bool = True
) -> str:
    """DOT text of `snapshot`; where it is compact, scalar constants are folded into their readers'
    labels as in the pictures.
    """
    folded = folded_constants(snapshot) if compact else {}
    lines = [
        f"digraph {_quote(snapshot.name or 'graph')} {{",
        "  rankdir=TB; nslimit=0.5; nslimit1=0.5; mclimit=0.1; splines=line;",
        '  node [fontname="Helvetica", fontsize=11, style="filled,rounded", shape=box];',
        '  edge [color="#9aa5b4", fontsize=9];',
    ]
    for node in snapshot:
        if node.id not in folded:
            lines.append(_node(node, folded, (states or {}).get(node.id, "")))
    for edge in snapshot.edges:
        if edge.source not in folded and edge.source in snapshot:
            many = len(snapshot[edge.target].inputs) > 1
            label = f' [label="{edge.target_port}"]' if many else ""
            lines.append(f"  n{edge.source} -> n{edge.target}{label};")
    for i, port in enumerate(snapshot.outputs):
        lines.append(f'  out{i} [label="output {i}", shape=plaintext, style=""];')
        lines.append(f"  n{port.node} -> out{i};")
    return "\n".join([*lines, "}"]) + "\n"


def _node(node: Node, folded: Mapping[int, str], state: str) -> str:
    constants = [folded[port.node] for port in node.inputs if port.node in folded]
    first = title(node) + (f" ({', '.join(constants)})" if constants else "")
    text = "\n".join(line for line in (first, type_line(node), state) if line)
    fill = _FILL.get(state) or ("#fef5e6" if is_scan(node) else _FILL.get(node.kind, "#ffffff"))
    shape = _SHAPE.get(node.kind, "box")
    return f'  n{node.id} [label={_quote(text)}, shape={shape}, fillcolor="{fill}"];'


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
