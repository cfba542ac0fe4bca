"""The rewrite engine: rules, what they are told, who listens, and the one way in which a graph
changes.

`rewrite.walk` applies rules to a whole graph.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import Any, Protocol

from workbench.core import graph, origin
from workbench.core.graph import Apply, Constant, Variable, toposort
from workbench.core.intern import Interner
from workbench.core.types import TensorType
from workbench.errors import RewriteError
from workbench.frozen import frozen

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

Pairs = list[tuple[Variable, Variable]]


@frozen
class Refuse:
    """A rule's answer where it fits but must not be used, with the reason for the record."""

    reason: str


Answer = Variable | Sequence[Variable | None] | Refuse | None
Rewriter = Callable[[Apply, "Context"], Answer]


@frozen
class Rule:
    """One rewrite of one node.

    on        op classes (for elementwise nodes, of their scalar ops too); empty: every node
    rewrite   answers for a node with what replaces its output (for several outputs a sequence,
              None where one stays), None where the rule does not fit, or `Refuse`
    equation  how it reads: 'log(exp(x)) → x'
    reason    one sentence in words; where it is numerically unsafe, this says so
    """

    name: str
    on: tuple[type, ...]
    rewrite: Rewriter
    equation: str = ""
    reason: str = ""
    source: str = ""

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return f"{self.name}: {self.equation}" if self.equation else self.name


def rule(*on: type, equation: str = "") -> Callable[[Rewriter], Rule]:
    """Makes a rule of a function: its name is the function's, its reason the docstring."""

    def make(rewrite: Rewriter) -> Rule:
        reason = " ".join((rewrite.__doc__ or "").split())
        code = rewrite.__code__
        place = source_of(code, code.co_firstlineno)
        return Rule(rewrite.__name__, on, rewrite, equation, reason, place)

    return make


def step_rule(name: str, equation: str, reason: str) -> Rule:
    """What the history says of steps that a pass makes by itself: no walk ever tries it."""
    return Rule(name, (), _never, equation, reason, calling_source())


def _never(node: Apply, context: Context) -> None:
    """The step is made by the pass."""


def source_of(code: CodeType, line: int) -> str:
    """'workbench/core/rewrite/algebra.py:40'."""
    return f"{os.path.relpath(code.co_filename, ROOT)}:{line}"


def calling_source(depth: int = 2) -> str:
    """The source of the caller's caller."""
    frame = sys._getframe(depth)
    return source_of(frame.f_code, frame.f_lineno)


class Listener(Protocol):
    """Told of everything that happens to a graph, in order. All variables are of the graph as it
    then stands.
    """

    def begin(self, outputs: Sequence[Variable], inputs: Sequence[Variable]) -> None:
        """Before the first pass: the user's graph."""

    def enter(self, phase: str) -> None:
        """A pass begins."""

    def rebuilt(self, old: Sequence[Variable], new: Sequence[Variable]) -> None:
        """A node stands over other inputs (or its interned twin takes its place): the same node, or
        one that is there.
        """

    def rewritten(self, rule: Rule, pairs: Pairs, seconds: float, inner: Any = None) -> None:
        """Every reader of each first variable reads the second from here on.

        `inner` is the listener that `nested` gave, where the step is that an inner graph was
        optimised.
        """

    def nested(self, name: str) -> Any:
        """A listener of the same kind for an inner graph."""

    def refused(self, rule: Rule, node: Apply, reason: str) -> None:
        """A rule fitted and refused."""

    def leave(self, outputs: Sequence[Variable], seconds: float) -> None:
        """A pass has ended with these outputs."""


@dataclass
class Session:
    """One optimisation: the table of nodes, who listens, and which rules found nothing at which
    node.
    """

    interner: Interner = field(default_factory=Interner)
    listeners: tuple[Listener, ...] = ()
    excluded: frozenset[str] = frozenset()
    stays: Callable[[Apply], bool] | None = None  # for a device: what has to stay on the host
    steps: int = 0
    tried: dict[Apply, frozenset[Rule]] = field(default_factory=dict)
    _order: tuple[list[Variable], list[Apply]] = ([], [])

    def toposort(self, outputs: Sequence[Variable]) -> list[Apply]:
        """The nodes of the outputs in topological order; the same list where the outputs are those
        of last time.
        """
        if self._order[0] != list(outputs):
            self._order = (list(outputs), toposort(outputs))
        return self._order[1]

    def rebuild(self, node: Apply, inputs: Sequence[Variable]) -> Apply:
        """The node over other inputs."""
        new = self.interner.apply(node, inputs)
        if new is not node:
            for listener in self.listeners:
                listener.rebuilt(node.outputs, new.outputs)
        return new

    def replace(
        self, rule: Rule, node: Apply, results: Sequence[Variable | None],
        seconds: float = 0.0, inner: Sequence[Any] = (),
    ) -> list[Variable]:  # fmt: skip
        """Puts results in the place of a node's outputs (None: stays): interns, checks, names and
        reports them.
        """
        pairs = [(o, n) for o, n in zip(node.outputs, results, strict=True) if n is not None]
        return self.exchange(rule, pairs, node.lines, seconds, inner)

    def exchange(
        self, rule: Rule, pairs: Pairs, lines: tuple[origin.Line, ...], seconds: float = 0.0,
        inner: Sequence[Any] = (),
    ) -> list[Variable]:  # fmt: skip
        """Puts each second variable in the place of the first; the new nodes come from these lines.

        `inner` has for every listener what its `nested` gave, where the step is that an inner graph
        was optimised.
        """
        old = [v for v, _ in pairs]
        new = self.intern(rule, old, [v for _, v in pairs], lines)
        self.announce(rule, list(zip(old, new, strict=True)), seconds, inner)
        return new

    def intern(
        self, rule: Rule, old: Sequence[Variable], new: Sequence[Variable],
        lines: tuple[origin.Line, ...],
    ) -> list[Variable]:  # fmt: skip
        """The interned twins of what a rule wrote. Raises RewriteError where it reads what it
        replaces.
        """
        replaced = set(old)
        for node in self.interner.fresh(new):
            node.lines = lines
            if not replaced.isdisjoint(node.inputs):
                raise RewriteError(f"rule {rule.name}: the new graph reads what it replaces").at(
                    node
                )
            self.interner.node(node)
        return [self.interner.twin(v) for v in new]

    def announce(
        self, rule: Rule, pairs: Pairs, seconds: float = 0.0, inner: Sequence[Any] = ()
    ) -> None:
        """Checks, names and reports a step: the first variables' readers read the second ones from
        here on.
        """
        changed = [(old, new) for old, new in pairs if old is not new]
        for old, new in changed:
            _check(rule, old, new)
            if new.name is None and new.owner is not None:
                new.name = old.name
        if changed:
            self.steps += 1
            for i, listener in enumerate(self.listeners):
                listener.rewritten(rule, changed, seconds, inner[i] if inner else None)


def _check(rule: Rule, old: Variable, new: Variable) -> None:
    """Raises RewriteError where a rule changed a dtype, a rank or an axis that broadcasts."""
    a, b = old.type, new.type
    if a is b or a == b:
        return
    same = isinstance(a, TensorType) and isinstance(b, TensorType)
    if not same or (a.dtype, a.broadcastable) != (b.dtype, b.broadcastable):  # type: ignore[attr-defined]
        raise RewriteError(
            f"rule {rule.name} changed the type of {old} from {a} to {b}", place=old.place
        ).at(old)


class Context:
    """What rules are told beside the node: who reads a variable, constants' values, a place for
    notes.
    """

    def __init__(
        self, session: Session, outputs: Sequence[Variable], nodes: Sequence[Apply]
    ) -> None:
        self.session = session
        self.outputs = set(outputs)
        self.nodes = nodes
        self.notes: dict[str, dict[Any, Any]] = {}
        # new variable → the one of the graph at the start
        self.former: dict[Variable, Variable] = {}
        # who reads a variable among the nodes that this pass wrote
        self.reads: dict[Variable, list[tuple[Apply, int]]] = {}
        # whether a rule looked at readers, which a later pass may change, so that it is tried again
        self.asked = False

    @cached_property
    def _readers(self) -> dict[Variable, list[tuple[Apply, int]]]:
        return graph.readers(self.nodes)

    def readers(self, variable: Variable) -> list[tuple[Apply, int]]:
        """The nodes that read it and the position of the reading input, in the graph as it was when
        the pass began.

        A variable that this pass made has the readers of what it replaces; one that replaces
        nothing has those that this pass wrote, some of which may have been replaced since.
        """
        self.asked = True
        found = self._readers.get(self.former.get(variable, variable))
        return self.reads.get(variable, []) if found is None else found

    def is_output(self, variable: Variable) -> bool:
        self.asked = True
        return self.former.get(variable, variable) in self.outputs

    def read_once(self, variable: Variable) -> bool:
        """Whether at most one node reads it and nobody outside sees it: absorbing it repeats no
        work.
        """
        return len(self.readers(variable)) <= 1 and not self.is_output(variable)

    def note(self, kind: str) -> dict[Any, Any]:
        """A table of a rule's own that lives as long as the pass."""
        return self.notes.setdefault(kind, {})

    def interned(self, variable: Variable) -> Variable:
        """The interned twin of an expression that a rule wrote, to compare it by identity."""
        return self.session.interner.freeze([variable])[0]


def value_of(variable: Variable) -> Any:
    """The array of a constant, else None."""
    return variable.data if isinstance(variable, Constant) else None
