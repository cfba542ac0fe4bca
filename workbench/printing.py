"""Graphs on one line, as trees and as pictures, and values as they are computed.

`pp`, `debugprint`, `Print` and `pydotprint`; what is shown is the graph, the same as in a notebook.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from workbench.core.graph import Apply, Variable
from workbench.core.ops.print_op import Print
from workbench.core.printing.debug_print import debugprint
from workbench.core.printing.pp import pp
from workbench.core.records import Node, Snapshot
from workbench.core.snapshot import snapshot
from workbench.errors import GraphError, UsageError, WorkbenchError, nearest

__all__ = ["Print", "debugprint", "pp", "pprint", "pydotprint"]

pprint = pp
FORMATS = ("png", "svg", "pdf", "dot", "ps", "jpg", "gif")


class DrawingError(WorkbenchError, RuntimeError):
    """A picture cannot be drawn."""


def pydotprint(
    fct: Any,
    outfile: str | Path | None = None,
    compact: bool = True,
    format: str = "png",
    with_ids: bool = False,
    high_contrast: bool = True,
    cond_highlight: Any = None,
    colorCodes: Any = None,  # the old name
    max_label_size: int = 70,
    scan_graphs: bool = False,
    var_with_name_simple: bool = False,
    print_output_file: bool = True,
    return_image: bool = False,
) -> Any:
    """Draw the graph of a function, of a variable, or of a list of variables.

    outfile               the file; by default named by the function. Where its ending is that of a
                          format, this decides before `format` does
    format                'png', 'pdf', 'ps', 'jpg', 'gif' (all by Graphviz's program `dot`); 'svg'
                          (our own layout where there is no `dot`); 'dot' (the text for Graphviz)
    compact               leave out the boxes of constants that are numbers: they stand in the boxes
                          that read them
    with_ids              number the nodes in the order in which they run
    max_label_size        how many characters a label may have
    scan_graphs           draw the bodies of loops, too, in files of their own
    var_with_name_simple  label variables that have a name by the name alone
    print_output_file     say where the picture is
    return_image          write no file: return the picture's bytes

    Colours are those of the notebook's pictures; `high_contrast`, `cond_highlight` and `colorCodes`
    are taken and change nothing. Raises DrawingError, a RuntimeError, where `dot` is needed and not
    there or fails.
    """
    pictured = _snapshot(fct)
    shown = _relabelled(pictured, with_ids, max_label_size, var_with_name_simple)
    target = None if outfile is None else Path(outfile)
    kind = _format(target, format)
    image = _drawn(shown, kind, compact)
    if return_image:
        return image
    path = target or Path(f"workbench.pydotprint.{_file_name(pictured.name)}.{kind}")
    if path.suffix[1:] != kind:
        path = path.with_name(f"{path.name}.{kind}")
    path.write_bytes(image)
    if print_output_file:
        print(f"The output file is available at {path}")
    if scan_graphs:
        for i, body in enumerate(n.inner for n in pictured if n.op == "Scan" and n.inner):
            pydotprint(
                body, path.with_name(f"{path.stem}_{i}.{kind}"), compact, kind, with_ids,
                max_label_size=max_label_size, scan_graphs=True,
                var_with_name_simple=var_with_name_simple, print_output_file=print_output_file,
            )  # fmt: skip
    return None


def _snapshot(fct: Any) -> Snapshot:
    if isinstance(fct, Snapshot):
        return fct
    graph = getattr(getattr(fct, "maker", None), "fgraph", None)
    if graph is not None:
        return snapshot(graph.outputs, graph.inputs, str(fct.name))
    outputs = fct.outputs if isinstance(fct, Apply) else fct
    variables = [outputs] if isinstance(outputs, Variable) else outputs
    if not (isinstance(variables, Sequence) and all(isinstance(v, Variable) for v in variables)):
        raise GraphError(
            f"pydotprint draws functions, variables and nodes, not {type(fct).__name__}"
        )
    return snapshot(list(variables), name="graph")


def _relabelled(graph: Snapshot, ids: bool, longest: int, simple: bool) -> Snapshot:
    """The graph with the labels that the options ask for."""
    order = count()

    def relabelled(node: Node) -> Node:
        name = node.outputs[0].name if node.kind == "apply" and len(node.outputs) == 1 else ""
        text = node.label
        if name:
            text = name if simple else f"{name} = {text}"
        if len(text) > longest:
            text = f"{text[: longest - 1]}…"
        if ids and node.kind == "apply":
            text = f"{next(order)} {text}"
        unnamed = tuple(replace(value, name="") for value in node.outputs)
        return replace(node, label=text, outputs=unnamed)

    return replace(graph, nodes=tuple(map(relabelled, graph)))


def _format(path: Path | None, asked: str) -> str:
    if path is not None and path.suffix[1:] in FORMATS:
        return path.suffix[1:]
    if asked not in FORMATS:
        raise UsageError(f"there is no format {asked!r}.{nearest(asked, list(FORMATS))}")
    return asked


def _drawn(graph: Snapshot, kind: str, compact: bool) -> bytes:
    """The picture. Raises DrawingError."""
    from workbench.viz import snapshot_dot, snapshot_svg  # with the widget: not needed to print

    text = snapshot_dot(graph, compact=compact)
    if kind == "dot":
        return text.encode()
    program = shutil.which("dot")
    if program is None and kind == "svg":
        return snapshot_svg(graph).encode()
    if program is None:
        raise DrawingError(
            f"a picture in {kind} is drawn by Graphviz's program `dot`, which is not installed",
            advice="install Graphviz (apt install graphviz), or ask for format='svg' or 'dot'",
        )
    done = subprocess.run([program, f"-T{kind}"], input=text.encode(), capture_output=True)
    if done.returncode:
        raise DrawingError(
            f"Graphviz's program `dot` failed: {done.stderr.decode(errors='replace').strip()}",
            advice="ask for format='svg' or 'dot'",
        )
    return done.stdout


def _file_name(title: str) -> str:
    return re.sub(r"[^\w.-]+", "_", title) or "graph"
