"""Times of nodes in sums: by op class and by op."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar

from workbench.core.graph import Apply, Op
from workbench.core.profile import Times

K = TypeVar("K", bound=Hashable)


@dataclass
class Group:
    """Nodes that are counted together: their seconds, their runs, how many nodes and ops they are,
    and whether native code ran all of them.
    """

    seconds: float = 0.0
    calls: int = 0
    nodes: int = 0
    ops: set[Op] = field(default_factory=set)
    native: bool = True


@dataclass
class Sizes:
    """What one node made in one call: for each output its shape; the bytes of all; whether it is
    only another look at an input.
    """

    shapes: list[tuple[int, ...]]
    bytes: int
    view: bool


def is_native(times: Times) -> bool:
    """Whether native code, of a processor or a device, ran the node."""
    return times.form != "interpreter"


def by_class(nodes: dict[Apply, Times]) -> dict[type[Op], Group]:
    """The nodes grouped by op class, the slowest group first."""
    return _grouped(nodes, lambda node: type(node.op))


def by_op(nodes: dict[Apply, Times]) -> dict[Op, Group]:
    """The nodes grouped by op, the slowest group first."""
    return _grouped(nodes, lambda node: node.op)


def _grouped(nodes: dict[Apply, Times], key: Callable[[Apply], K]) -> dict[K, Group]:
    found: dict[K, Group] = {}
    for node, times in nodes.items():
        group = found.setdefault(key(node), Group())
        group.seconds += times.seconds
        group.calls += times.calls
        group.nodes += 1
        group.ops.add(node.op)
        group.native = group.native and is_native(times)
    return dict(sorted(found.items(), key=lambda item: -item[1].seconds))
