"""What one node's box says and how large it is: its label, its type line and its chips.

A chip is a small tag inside the box. It stands for an input that is not drawn as an edge: a scalar
constant that is
folded into its reader, or a node too far away for a line to help.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.core.records import Node, Port, Snapshot
from workbench.viz.measure import fit, text_width

LABEL, CHIP, SMALL = 12.5, 12.0, 10.0  # font sizes in pixels
HEIGHT, PAD, GAP = 42, 12, 6
WIDEST_LABEL, WIDEST_CHIP, MOST_CHIPS = 230, 84, 3


@dataclass(frozen=True)
class Chip:
    """A tag in a node's box: its text, and the port it stands for.

    `far` marks an edge that is not drawn; `leading` the first of several inputs, which stands
    before the label.
    """

    text: str
    port: Port
    far: bool = False
    leading: bool = False


@dataclass(frozen=True)
class Face:
    """All that a box shows, with its size in pixels."""

    label: str
    subtitle: str
    chips: tuple[Chip, ...]
    width: int
    height: int = HEIGHT


def make_face(node: Node, chips: tuple[Chip, ...] = (), narrowest: int = 34) -> Face:
    """The face of `node`, wide enough for its texts and for `narrowest` pixels of text."""
    label = fit(title(node), LABEL, WIDEST_LABEL)
    subtitle = fit(type_line(node), SMALL, WIDEST_LABEL)
    shown = chips[:MOST_CHIPS]
    if len(chips) > MOST_CHIPS:
        shown = (
            *shown[:-1],
            Chip(f"+{len(chips) - MOST_CHIPS + 1}", shown[-1].port, shown[-1].far),
        )
    first_row = text_width(label, LABEL) * 1.05 + sum(chip_width(chip) + GAP for chip in shown)
    width = max(first_row, text_width(subtitle, SMALL), narrowest) + 2 * PAD
    return Face(label, subtitle, shown, 2 * round(width / 2))


def chip_width(chip: Chip) -> int:
    """The width in pixels of a chip's box."""
    return round(text_width(chip.text, CHIP)) + 10


def title(node: Node) -> str:
    """The first line of a node's box: what it is, after the name that the user gave it."""
    what = node.label or node.op or f"#{node.id}"
    name = user_name(node)
    return f"{name} = {what}" if name and name != what else what


def user_name(node: Node) -> str:
    """The name of the only result of an op, where the user gave one."""
    results = [value for value in node.outputs if not value.is_random_state]
    return results[0].name if node.kind == "apply" and len(results) == 1 else ""


def type_line(node: Node) -> str:
    """The second line of a node's box: the type of its first result, and how many more outputs
    there are.
    """
    if node.kind == "group":
        return node.detail
    if not node.outputs:
        return node.op
    value = next((v for v in node.outputs if not v.is_random_state), node.outputs[0])
    shape = f" {list(value.shape)}".replace("None", "?") if value.shape else ""
    more = f" +{len(node.outputs) - 1}" if len(node.outputs) > 1 else ""
    where = f" · {node.device}" if node.device != "cpu" else ""
    return f"{value.dtype}{shape}{more}{where}"


def folded_constants(snapshot: Snapshot) -> dict[int, str]:
    """The nodes that are shown inside their readers, with their text: scalar constants, also when
    only reshaped.
    """
    kept = {port.node for port in snapshot.outputs}
    folded: dict[int, str] = {}
    for node in snapshot:
        if node.id not in kept and (text := folded_text(node, node.inputs, folded)):
            folded[node.id] = text
    return folded


def folded_text(node: Node, inputs: Sequence[Port], folded: Mapping[int, str]) -> str:
    """What stands for `node`, which reads `inputs`, inside its readers; "" where it is drawn
    itself.
    """
    if node.kind == "constant" and _is_scalar(node):
        return fit(title(node), CHIP, WIDEST_CHIP)
    reshapes = node.op in ("DimShuffle", "GpuDimShuffle") and len(inputs) == 1
    return folded.get(inputs[0].node, "") if reshapes else ""


def _is_scalar(node: Node) -> bool:
    return all(n == 1 for value in node.outputs for n in value.shape) and len(title(node)) <= 12
