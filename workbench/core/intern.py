"""Interning: inside the compiler, equal nodes are one node.

An `Interner` lives as long as one compilation. It keeps every node it was given, so that all graphs of a rewrite
history stay alive and can be compared by identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.core import origin
from workbench.core.graph import Apply, Constant, Op, Variable, toposort
from workbench.errors import RewriteError

Key = tuple[Op, tuple[int, ...]]


class Interner:
    """The table of nodes by op and inputs, and of constants by dtype, shape and bytes."""

    def __init__(self) -> None:
        self._nodes: dict[Key, Apply] = {}
        self._constants: dict[tuple[object, ...], Constant] = {}
        self._frozen: dict[Variable, Variable] = {}

    def __contains__(self, variable: Variable) -> bool:
        """Whether this very variable is one of the interned."""
        return self._frozen.get(variable) is variable

    def freeze(self, outputs: Iterable[Variable]) -> list[Variable]:
        """The interned twin of each output; new parts are interned bottom-up, known ones cost nothing."""
        outputs = list(outputs)
        frozen = self._frozen
        for node in toposort((v for v in outputs if v not in frozen), stop=frozen):
            self.node(node)
        return [self._leaf(v) if v.owner is None else frozen[v] for v in outputs]

    def node(self, node: Apply) -> Apply:
        """The interned twin of a node whose inputs are all leaves or known."""
        frozen = self._frozen
        inputs = [frozen[v] if v in frozen else self._leaf(v) for v in node.inputs]
        twin = self._intern(node, inputs)
        for old, new in zip(node.outputs, twin.outputs, strict=True):
            frozen[old] = new
            frozen[new] = new
            if new.name is None:
                new.name = old.name
        return twin

    def _intern(self, node: Apply, inputs: Sequence[Variable]) -> Apply:
        key = (node.op, tuple(map(id, inputs)))
        known = self._nodes.get(key)
        if known is not None:
            known.lines = origin.merge(known.lines, node.lines)
            return known
        if all(a is b for a, b in zip(inputs, node.inputs, strict=True)):
            twin = node
        else:
            twin = Apply(node.op, inputs, node.op.infer(*inputs), node.lines)
            for old, new in zip(node.outputs, twin.outputs, strict=True):
                if not (new.type.accepts(old.type) or old.type.accepts(new.type)):
                    raise RewriteError(
                        f"{node.op} changed its type from {old.type} to {new.type}"
                    ).at(node)
        self._nodes[key] = twin
        return twin

    def _leaf(self, variable: Variable) -> Variable:
        if (known := self._frozen.get(variable)) is not None:
            return known
        twin: Variable = variable
        if isinstance(variable, Constant):
            twin = self._constants.setdefault(variable.key, variable)
        self._frozen[variable] = twin
        self._frozen.setdefault(twin, twin)
        return twin
