"""Interning: inside the compiler, equal nodes are one node.

An `Interner` lives as long as one compilation. It keeps every node it was given, so that all graphs
of a rewrite history stay alive and can be compared by identity. It copies the nodes that it is
given: a user's graph is never written to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.core import origin
from workbench.core.graph import Apply, Constant, Op, Type, Variable, toposort
from workbench.errors import RewriteError, WorkbenchError

Key = tuple[Op, tuple[int, ...]]


class Interner:
    """The table of nodes by op and inputs, and of constants by dtype, shape and bytes.

    The inputs of a commutative op count in any order: `x + y` and `y + x` are one node.
    """

    def __init__(self) -> None:
        self._nodes: dict[Key, Apply] = {}
        self._constants: dict[tuple[object, ...], Constant] = {}
        self._frozen: dict[Variable, Variable] = {}

    def __contains__(self, variable: Variable) -> bool:
        """Whether this very variable is one of the interned."""
        return self._frozen.get(variable) is variable

    def __len__(self) -> int:
        """How many nodes were ever interned."""
        return len(self._nodes)

    def freeze(self, outputs: Iterable[Variable]) -> list[Variable]:
        """The interned twin of each output; new parts are interned bottom-up, known ones cost
        nothing.
        """
        outputs = list(outputs)
        for node in self.fresh(outputs):
            self.node(node)
        return [self.twin(v) for v in outputs]

    def fresh(self, outputs: Iterable[Variable]) -> list[Apply]:
        """The nodes above these variables that were never interned, in topological order."""
        return toposort((v for v in outputs if v not in self._frozen), stop=self._frozen)

    def twin(self, variable: Variable) -> Variable:
        """The interned twin of a leaf, or of an output of a node that was interned."""
        known = self._frozen.get(variable)
        return self._leaf(variable) if known is None else known

    def node(self, node: Apply) -> Apply:
        """The interned twin of a node whose inputs are all leaves or known."""
        twin = self.apply(node, [self.twin(v) for v in node.inputs])
        self._frozen.update(zip(node.outputs, twin.outputs))
        return twin

    def apply(self, node: Apply, inputs: Sequence[Variable]) -> Apply:
        """The interned node of the same op over these interned inputs, with the node's names and
        lines.
        """
        ids = tuple(map(id, inputs))
        key = (node.op, tuple(sorted(ids)) if node.op.commutative else ids)
        known = self._nodes.get(key)
        if known is None:
            known = self._nodes[key] = Apply(node.op, inputs, _types(node, inputs), node.lines)
            self._frozen.update((v, v) for v in known.outputs)
        elif node.lines is not known.lines:
            known.lines = origin.merge(known.lines, node.lines)
        for old, new in zip(node.outputs, known.outputs):
            if new.name is None and old.name is not None:
                new.name = old.name
        return known

    def _leaf(self, variable: Variable) -> Variable:
        twin: Variable = variable
        if isinstance(variable, Constant):
            twin = self._constants.setdefault(variable.key, variable)
        self._frozen[variable] = twin
        self._frozen.setdefault(twin, twin)
        return twin


def _types(node: Apply, inputs: Sequence[Variable]) -> Sequence[Type]:
    """The outputs' types over other inputs. Raises RewriteError where they do not fit the old
    ones.
    """
    old = [v.type for v in node.outputs]
    if all(a is b or a.type == b.type for a, b in zip(inputs, node.inputs)):
        return old
    try:
        new = node.op.infer(*inputs)
    except (
        WorkbenchError
    ):  # more is known of the inputs now, and they do not fit: it fails when it runs
        return old
    for before, after in zip(old, new, strict=True):
        if before != after and not (after.accepts(before) or before.accepts(after)):
            raise RewriteError(f"{node.op} changed its type from {before} to {after}").at(node)
    return new
