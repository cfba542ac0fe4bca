"""The rewrite engine: rules, what they are told, and the walk that applies them.

A walk goes over an interned graph once, from the leaves up. A node whose inputs changed is built anew over the new
ones; then the rules for its op are tried in order, and what the first one answers is walked in its turn. Every node
is tried at most once in a walk, so that a pass takes time linear in the nodes it meets.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import Any, Protocol

from workbench.core import graph, origin
from workbench.core.graph import Apply, Constant, Op, Variable, toposort
from workbench.core.intern import Interner
from workbench.core.ops.elementwise import Elemwise
from workbench.core.types import TensorType
from workbench.errors import RewriteError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PATIENCE = (
    8  # rewrites per node of the graph, after which a pass stops: no set of rules may run for ever
)

Pairs = list[tuple[Variable, Variable]]


@dataclass(frozen=True)
class Refuse:
    """A rule's answer where it fits but must not be used, with the reason for the record."""

    reason: str


Answer = Variable | Sequence[Variable | None] | Refuse | None
Rewriter = Callable[[Apply, "Context"], Answer]


@dataclass(frozen=True)
class Rule:
    """One rewrite of one node.

    on        op classes, or for elementwise nodes the classes of their scalar ops; empty: every node
    rewrite   given the node and the context, answers with what replaces its output (for several outputs a sequence,
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

    def __str__(self) -> str:
        return f"{self.name}: {self.equation}" if self.equation else self.name


def rule(*on: type, equation: str = "") -> Callable[[Rewriter], Rule]:
    """Makes a rule of a function: its name is the function's, its reason the docstring."""

    def make(rewrite: Rewriter) -> Rule:
        reason = " ".join((rewrite.__doc__ or "").split())
        code = rewrite.__code__  # type: ignore[attr-defined]
        place = source_of(code, code.co_firstlineno)
        return Rule(rewrite.__name__, on, rewrite, equation, reason, place)  # type: ignore[attr-defined]

    return make


def source_of(code: CodeType, line: int) -> str:
    """'workbench/core/rewrite/algebra.py:40'."""
    return f"{os.path.relpath(code.co_filename, ROOT)}:{line}"


def calling_source(depth: int = 2) -> str:
    """The source of the caller's caller."""
    frame = sys._getframe(depth)
    return source_of(frame.f_code, frame.f_lineno)


class Listener(Protocol):
    """Told of everything that happens to a graph, in order. All variables are of the graph as it then stands."""

    def begin(self, outputs: Sequence[Variable], inputs: Sequence[Variable]) -> None:
        """Before the first pass: the user's graph."""

    def enter(self, phase: str) -> None:
        """A pass begins."""

    def rebuilt(self, old: Sequence[Variable], new: Sequence[Variable]) -> None:
        """A node stands over other inputs (or its interned twin takes its place): the same node, or one that is there."""

    def rewritten(self, rule: Rule, pairs: Pairs, seconds: float, inner: Any = None) -> None:
        """Every reader of each first variable reads the second from here on.

        `inner` is the listener that `nested` gave, where the step is that an inner graph was optimised.
        """

    def nested(self, name: str) -> Any:
        """A listener of the same kind for an inner graph."""

    def refused(self, rule: Rule, node: Apply, reason: str) -> None:
        """A rule fitted and refused."""

    def leave(self, outputs: Sequence[Variable], seconds: float) -> None:
        """A pass has ended with these outputs."""


@dataclass
class Session:
    """One optimisation: the table of nodes and who listens."""

    interner: Interner = field(default_factory=Interner)
    listeners: tuple[Listener, ...] = ()
    excluded: frozenset[str] = frozenset()
    steps: int = 0

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
        """Puts results in the place of a node's outputs (None: stays): interns, checks, names and reports them."""
        pairs = [(o, n) for o, n in zip(node.outputs, results, strict=True) if n is not None]
        return self.exchange(rule, pairs, node.lines, seconds, inner)

    def exchange(
        self, rule: Rule, pairs: Pairs, lines: tuple[origin.Line, ...], seconds: float = 0.0,
        inner: Sequence[Any] = (),
    ) -> list[Variable]:  # fmt: skip
        """Puts each second variable in the place of the first; the new nodes come from these lines.

        `inner` has for every listener what its `nested` gave, where the step is that an inner graph was optimised.
        """
        new = self._intern([v for _, v in pairs], lines, {old for old, _ in pairs}, rule)
        done = [(old, twin) for (old, _), twin in zip(pairs, new, strict=True)]
        for old, twin in done:
            _check(rule, old, twin)
            if twin.name is None and twin.owner is not None:
                twin.name = old.name
        self.steps += 1
        changed = [(old, twin) for old, twin in done if old is not twin]
        for i, listener in enumerate(self.listeners):
            listener.rewritten(rule, changed, seconds, inner[i] if inner else None)
        return new

    def _intern(
        self, new: list[Variable], lines: tuple[origin.Line, ...], replaced: set[Variable], rule: Rule
    ) -> list[Variable]:  # fmt: skip
        for node in self.interner.fresh(new):
            node.lines = lines
            if not replaced.isdisjoint(node.inputs):
                raise RewriteError(f"rule {rule.name}: the new graph reads what it replaces").at(
                    node
                )
            self.interner.node(node)
        return [self.interner.twin(v) for v in new]


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
    """What rules are told beside the node: who reads a variable, constants' values, a place for notes."""

    def __init__(
        self, session: Session, outputs: Sequence[Variable], nodes: Sequence[Apply]
    ) -> None:
        self.session = session
        self.outputs = set(outputs)
        self.nodes = nodes
        self.notes: dict[str, dict[Any, Any]] = {}
        self.former: dict[
            Variable, Variable
        ] = {}  # new variable → the one of the graph at the start

    @cached_property
    def _readers(self) -> dict[Variable, list[tuple[Apply, int]]]:
        return graph.readers(self.nodes)

    def readers(self, variable: Variable) -> list[tuple[Apply, int]]:
        """The nodes that read it and the position of the reading input, in the graph as it was when the pass began.

        A variable that this pass made has the readers of what it replaces; one that replaces nothing has none.
        """
        return self._readers.get(self.former.get(variable, variable), [])

    def is_output(self, variable: Variable) -> bool:
        return self.former.get(variable, variable) in self.outputs

    def read_once(self, variable: Variable) -> bool:
        """Whether at most one node reads it and nobody outside sees it: absorbing it repeats no work."""
        return len(self.readers(variable)) <= 1 and not self.is_output(variable)

    def note(self, kind: str) -> dict[Any, Any]:
        """A table of a rule's own that lives as long as the pass."""
        return self.notes.setdefault(kind, {})

    def interned(self, variable: Variable) -> Variable:
        """The interned twin of an expression that a rule wrote, to compare it by identity."""
        return self.session.interner.freeze([variable])[0]


class Walk:
    """One pass of a set of rules over a graph."""

    def __init__(
        self, session: Session, outputs: Sequence[Variable], rules: Iterable[Rule]
    ) -> None:
        self.session = session
        self.outputs = list(outputs)
        self.nodes = toposort(outputs)
        self.context = Context(session, outputs, self.nodes)
        self.final: dict[Variable, Variable] = {}
        self._index = RuleIndex(r for r in rules if r.name not in session.excluded)
        self._open: set[Apply] = set()
        self._patience = PATIENCE * len(self.nodes) + 256

    def run(self) -> list[Variable]:
        """The outputs after the pass."""
        agenda: list[tuple[Apply, Pairs]] = [(node, []) for node in reversed(self.nodes)]
        with origin.inherited(()):
            while agenda:
                node, pairs = agenda.pop()
                if pairs:
                    self._link(node, pairs)
                elif node.outputs[0] not in self.final and (pairs := self._visit(node)):
                    new = toposort([v for _, v in pairs], stop=self.final)
                    agenda.append((node, pairs))
                    agenda.extend((n, []) for n in reversed(new))
        return [self.final.get(v, v) for v in self.outputs]

    def _visit(self, node: Apply) -> Pairs:
        """What replaces the node's outputs where a rule fires; else the node is settled."""
        new = self._rebuild(node)
        if new is not node and new.outputs[0] in self.final:
            self.final.update((a, self.final[b]) for a, b in zip(node.outputs, new.outputs))
            return []
        results = None if new in self._open else self._fire(new)
        if results is None:
            self.final.update((v, v) for v in new.outputs)
            self.final.update(zip(node.outputs, new.outputs))
            return []
        self._open.add(new)
        kept = [b if r is None else r for b, r in zip(new.outputs, results)]
        pairs = list(zip(new.outputs, kept))
        return pairs if new is node else pairs + list(zip(node.outputs, kept))

    def _rebuild(self, node: Apply) -> Apply:
        final = self.final
        inputs = [final.get(v, v) for v in node.inputs]
        if all(map(_is, inputs, node.inputs)):
            return node
        new = self.session.rebuild(node, inputs)
        former = self.context.former
        for a, b in zip(node.outputs, new.outputs):
            former.setdefault(b, former.get(a, a))
        return new

    def _fire(self, node: Apply) -> list[Variable | None] | None:
        for candidate in self._index[node.op]:
            start = time.perf_counter()
            answer = candidate.rewrite(node, self.context)
            if answer is None:
                continue
            if isinstance(answer, Refuse):
                self._refuse(candidate, node, answer.reason)
                continue
            results = [answer] if isinstance(answer, Variable) else list(answer)
            if all(r is None or r is v for r, v in zip(results, node.outputs, strict=True)):
                continue
            if not self._patience:
                self._refuse(candidate, node, "this pass has made too many rewrites already")
                return None
            self._patience -= 1
            return self._replace(candidate, node, results, time.perf_counter() - start)
        return None

    def _replace(
        self, rule: Rule, node: Apply, results: list[Variable | None], seconds: float
    ) -> list[Variable | None]:
        new = iter(self.session.replace(rule, node, results, seconds))
        done = [None if r is None else next(new) for r in results]
        former = self.context.former
        for a, b in zip(node.outputs, done):
            if b is not None:
                former.setdefault(b, former.get(a, a))
        return done

    def _refuse(self, rule: Rule, node: Apply, reason: str) -> None:
        for listener in self.session.listeners:
            listener.refused(rule, node, reason)

    def _link(self, node: Apply, pairs: Pairs) -> None:
        """What was answered is settled: so is what it replaces."""
        final = self.final
        for old, new in pairs:
            if old is not new:
                final[old] = final.get(new, new)
        for old, new in pairs:
            final.setdefault(old, new)


def _is(a: object, b: object) -> bool:
    return a is b


class RuleIndex:
    """The rules for every kind of node, in the order given."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._known: dict[type, tuple[Rule, ...]] = {}

    def __getitem__(self, op: Op) -> tuple[Rule, ...]:
        kind = type(op.scalar) if isinstance(op, Elemwise) else type(op)
        known = self._known.get(kind)
        if known is None:
            kinds = (kind, Elemwise) if isinstance(op, Elemwise) else (kind,)
            known = self._known[kind] = tuple(r for r in self._rules if _fits(r, kinds))
        return known


def _fits(rule: Rule, kinds: tuple[type, ...]) -> bool:
    return not rule.on or any(issubclass(kind, on) for kind in kinds for on in rule.on)


def value_of(variable: Variable) -> Any:
    """The array of a constant, else None."""
    return variable.data if isinstance(variable, Constant) else None
