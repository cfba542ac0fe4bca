"""How much one fused loop may do: nodes that could all be one loop are cut into chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from workbench.core.graph import Apply, Constant, Variable
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.reduce import Reduce
from workbench.core.types import tensor_type

MOST_STEPS = 128
"""Scalar steps that one loop may have: more gain nothing and take the back end longer than in
proportion.
"""

MOST_ARGUMENTS = 128
"""What a kernel takes on every device: lengths, and for each array its buffer, where it begins
there, and its strides.
"""


@dataclass
class _Chunk:
    """Nodes that become one loop, the arrays that they read from outside, and how many are still to
    read what they make.
    """

    nodes: list[Apply] = field(default_factory=list)
    steps: int = 0
    read: set[Variable] = field(default_factory=set)
    wanted: dict[Variable, int] = field(default_factory=dict)

    def arrays_with(self, node: Apply) -> int:
        """How many arrays the loop reads and writes, with one more node."""
        read = self.read.union(v for v in node.inputs if self._is_read(v))
        return len(read) + len(self.wanted) + len(node.outputs)

    def add(self, node: Apply, readers: Counter[Variable]) -> None:
        self.read.update(v for v in node.inputs if self._is_read(v))
        for v in set(node.inputs).intersection(self.wanted):
            self.wanted[v] -= 1
            if not self.wanted[v]:
                del self.wanted[v]
        self.wanted.update((v, readers[v]) for v in node.outputs)
        self.nodes.append(node)
        self.steps += _steps(node)

    def _is_read(self, variable: Variable) -> bool:
        """Whether it is an array from outside; a number is part of the program."""
        is_number = isinstance(variable, Constant) and variable.data.size == 1
        return variable not in self.wanted and not is_number


class Cut:
    """Cuts the nodes of a graph; where they are for a device, also by what a kernel takes."""

    def __init__(
        self, nodes: Sequence[Apply], outputs: Sequence[Variable], for_device: bool
    ) -> None:
        self._for_device = for_device
        self._readers = Counter(v for node in nodes for v in set(node.inputs))
        self._readers.update(outputs)

    def chunks(self, members: Sequence[Apply]) -> list[list[Apply]]:
        """The members in parts that each may be one loop, in topological order."""
        chunks = [_Chunk()]
        for node in members:
            if chunks[-1].nodes and not self._fits(chunks[-1], node):
                chunks.append(_Chunk())
            chunks[-1].add(node, self._readers)
        every = set(members)
        return [part for chunk in chunks for part in _with_their_totals(chunk.nodes, every)]

    def _fits(self, chunk: _Chunk, node: Apply) -> bool:
        if chunk.steps + _steps(node) > MOST_STEPS:
            return False
        if not self._for_device:
            return True
        ndim = max(tensor_type(v).ndim for v in (*node.inputs, *node.outputs))
        return chunk.arrays_with(node) <= most_arrays(ndim)


def most_arrays(ndim: int, arguments: int = MOST_ARGUMENTS) -> int:
    """How many arrays a kernel can be sure to take: if each has all its strides, and is a total,
    which has a second buffer.
    """
    return (arguments - 5 - 2 * ndim) // (ndim + 3)


def _with_their_totals(chunk: list[Apply], members: set[Apply]) -> list[list[Apply]]:
    """A total whose elements are computed in another chunk stands alone."""
    elsewhere = members.difference(chunk)
    alone = [n for n in chunk if isinstance(n.op, Reduce) and n.inputs[0].owner in elsewhere]
    rest = [n for n in chunk if n not in alone]
    return [part for part in (rest, *([n] for n in alone)) if part]


def _steps(node: Apply) -> int:
    if not isinstance(node.op, Elemwise):
        return 1
    return len(node.op.scalar.program(tuple(tensor_type(v).dtype for v in node.inputs)).steps)
