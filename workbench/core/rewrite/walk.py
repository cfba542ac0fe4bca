"""The walk: one pass of a set of rules over an interned graph, from the leaves up.

A node whose inputs changed is built anew over the new ones; then the rules for its op are tried in
order, and what the first one answers is walked in its turn. A rule is tried at most once at a node
in a walk, and in later ones only where it looked at who reads what: a pass takes time linear in the
nodes that are new to its rules.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Collection, Iterable, Sequence

from workbench.configuration import config
from workbench.core import origin
from workbench.core.graph import Apply, Op, Variable, toposort
from workbench.core.ops.elementwise import Elemwise
from workbench.core.rewrite.engine import Answer, Context, Pairs, Refuse, Rule, Session
from workbench.errors import RewriteError, WorkbenchError

PATIENCE = 8  # rewrites per node of the graph, after which a pass stops: no rules may run for ever
ABSORBED = 3  # how deep below a node its rewrite may reach, for the lines that its result bears
MOST_LINES = 16  # of these, so that they cannot grow with the graph

Results = list[Variable | None]
Tried = frozenset[Rule]


class Walk:
    """One pass of a set of rules over a graph."""

    def __init__(self, session: Session, outputs: Sequence[Variable], index: RuleIndex) -> None:
        self.session = session
        self.outputs = list(outputs)
        self.nodes = session.toposort(outputs)
        self.context = Context(session, outputs, self.nodes)
        self.final: dict[Variable, Variable] = {}
        self._index = index
        self._open: set[Apply] = set()
        self._fired: dict[Apply, Rule] = {}  # which rule took a node away
        self._patience = PATIENCE * len(self.nodes) + 256
        self._has_effects = any(node.op.effect for node in self.nodes)

    def run(self) -> list[Variable]:
        """The outputs after the pass."""
        if not self._index.concern(self.nodes, self.session.tried):
            return self.outputs
        agenda: list[tuple[Apply, Pairs]] = [(node, []) for node in reversed(self.nodes)]
        with origin.inherited(()):
            while agenda:
                node, pairs = agenda.pop()
                if pairs:
                    self._link(pairs)
                elif node.outputs[0] not in self.final and (pairs := self._visit(node)):
                    new = toposort([v for _, v in pairs], stop=self.final)
                    agenda.append((node, pairs))
                    agenda.extend((n, []) for n in reversed(new))
        return [self.final.get(v, v) for v in self.outputs]

    def _visit(self, node: Apply) -> Pairs:
        """What replaces the node's outputs where a rule fires; else the node is settled."""
        final = self.final
        new = self._rebuild(node)
        if new is not node and new.outputs[0] in final:
            self._repeat(node, new)
            return []
        results = None if new in self._open else self._fire(new)
        if results is None:
            for a, b in zip(node.outputs, new.outputs):
                final[a] = final[b] = b
            return []
        self._open.add(new)
        kept = [b if r is None else r for b, r in zip(new.outputs, results)]
        pairs = list(zip(new.outputs, kept))
        return pairs if new is node else pairs + list(zip(node.outputs, kept))

    def _repeat(self, node: Apply, new: Apply) -> None:
        """The node turned out to be one that was walked before: the same is done here."""
        pairs = [(v, self.final[v]) for v in new.outputs]
        if any(a is not b for a, b in pairs):
            self.session.exchange(self._fired[new], pairs, node.lines)
        self.final.update((a, b) for a, (_, b) in zip(node.outputs, pairs))

    def _rebuild(self, node: Apply) -> Apply:
        inputs = tuple(map(self.final.get, node.inputs, node.inputs))
        if inputs == node.inputs:  # identity: variables have no other equality
            return node
        new = self.session.rebuild(node, inputs)
        self._note_former(node.outputs, new.outputs)
        return new

    def _fire(self, node: Apply) -> Results | None:
        """What the first rule that fits puts in the place of the node's outputs."""
        tried, context = self.session.tried, self.context
        rules, after = self._index.rules(node.op, tried.get(node))
        for candidate in rules:
            start = time.perf_counter() if self.session.listeners else 0.0
            context.asked = False
            answer = _ask(candidate, node, context)
            if context.asked:
                after = after - {candidate}
            if answer is None:
                continue
            if isinstance(answer, Refuse):
                self._refuse(candidate, node, answer.reason)
            elif not self._patience:
                self._refuse(candidate, node, "this pass has made too many rewrites already")
            else:
                results: Results = [answer] if isinstance(answer, Variable) else list(answer)
                if self._has_effects and (lost := _lost(node, results)):
                    self._refuse(candidate, node, f"it would drop {lost}")
                    continue
                if (done := self._replace(candidate, node, results, start)) is not None:
                    return done
        tried[node] = after
        return None

    def _replace(self, rule: Rule, node: Apply, results: Results, start: float) -> Results | None:
        """The interned results, or None where they are what was there."""
        seconds = time.perf_counter() - start if start else 0.0
        old = [v for v, r in zip(node.outputs, results, strict=True) if r is not None]
        written = [r for r in results if r is not None]
        lines = _lines(node, written, self.session.interner.fresh(written))
        new = self._resolved(self.session.intern(rule, old, written, lines))
        if all(a is b for a, b in zip(old, new)):
            return None
        self._patience -= 1
        self._fired[node] = rule
        self.session.announce(rule, list(zip(old, new)), seconds)
        self._note_former(old, new)
        left = iter(new)
        return [None if r is None else next(left) for r in results]

    def _resolved(self, variables: Sequence[Variable]) -> list[Variable]:
        """The variables over what this pass has made of their parts: what was replaced is not
        brought back.
        """
        final = self.final
        here: dict[Variable, Variable] = {}
        for node in toposort(variables, stop=final):
            inputs = [here.get(v, final.get(v, v)) for v in node.inputs]
            new = self.session.interner.apply(node, inputs)
            for i, v in enumerate(inputs):
                self.context.reads.setdefault(v, []).append((new, i))
            here.update((a, final.get(b, b)) for a, b in zip(node.outputs, new.outputs))
        return [here.get(v, final.get(v, v)) for v in variables]

    def _note_former(self, old: Sequence[Variable], new: Sequence[Variable | None]) -> None:
        former = self.context.former
        for a, b in zip(old, new):
            if b is not None:
                former.setdefault(b, former.get(a, a))

    def _refuse(self, rule: Rule, node: Apply, reason: str) -> None:
        for listener in self.session.listeners:
            listener.refused(rule, node, reason)

    def _link(self, pairs: Pairs) -> None:
        """What was answered is settled: so is what it replaces."""
        final = self.final
        for old, new in pairs:
            if old is not new:
                final[old] = final.get(new, new)
        for old, new in pairs:
            final.setdefault(old, new)


def _lost(node: Apply, results: Results) -> str:
    """The ops, among those that do something besides, that would not be run any more."""
    kept = toposort(n if n is not None else o for o, n in zip(node.outputs, results, strict=True))
    before = {above.op for above in toposort(node.outputs) if above.op.effect}
    return ", ".join(sorted(map(str, before - {above.op for above in kept})))


def _lines(
    node: Apply, results: Sequence[Variable], fresh: Sequence[Apply]
) -> tuple[origin.Line, ...]:
    """Where a rewrite's new nodes come from: the node, and what it read and they do not."""
    if not fresh:
        return node.lines
    lines, kept = node.lines, {*results, *(v for new in fresh for v in new.inputs)}
    level = [node]
    for _ in range(ABSORBED):
        level = [v.owner for n in level for v in n.inputs if v.owner is not None and v not in kept]
        for absorbed in level:
            lines = origin.merge(lines, absorbed.lines)
    return lines[:MOST_LINES]


def _ask(rule: Rule, node: Apply, context: Context) -> Answer:
    """The rule's answer; a graph that will fail when it runs is left to fail there, where the user
    sees his line.
    """
    try:
        return rule.rewrite(node, context)
    except RewriteError:
        raise
    except (WorkbenchError, FloatingPointError) as error:
        return Refuse(f"it fails when it runs: {str(error).splitlines()[0]}")
    except Exception as error:
        return _failed(rule, node, error)


def _failed(rule: Rule, node: Apply, error: Exception) -> Answer:
    """What `config.on_opt_error` says of a rule that has a defect: its error, or the graph as it
    is.
    """
    chosen = config.on_opt_error
    if chosen == "pdb":
        import pdb

        pdb.post_mortem(error.__traceback__)
    if chosen in ("raise", "pdb"):
        raise error
    wrong = f"the rule {rule.name} failed at {node.op}: {type(error).__name__}: {error}"
    if chosen == "warn":
        warnings.warn(f"{wrong}; the graph is left as it is", UserWarning, stacklevel=2)
    return Refuse(wrong)


class RuleIndex:
    """The rules for every kind of node, in the order given, without those that were tried there
    before.
    """

    def __init__(self, rules: Iterable[Rule], excluded: Collection[str] = ()) -> None:
        self._rules = tuple(rule for rule in rules if rule.name not in excluded)
        self._known: dict[tuple[type, Tried | None], tuple[tuple[Rule, ...], Tried]] = {}

    def rules(self, op: Op, tried: Tried | None) -> tuple[tuple[Rule, ...], Tried]:
        """The rules to try, and what has been tried after that."""
        key = (type(op.scalar) if type(op) is Elemwise else type(op), tried)
        known = self._known.get(key)
        if known is None:
            before = tried or frozenset()
            kinds = _kinds(op)
            left = tuple(
                r
                for r in self._rules
                if (not r.on or not kinds.isdisjoint(r.on)) and r not in before
            )
            known = self._known[key] = (left, before | frozenset(left))
        return known

    def concern(self, nodes: Iterable[Apply], tried: dict[Apply, Tried]) -> bool:
        """Whether there is a rule left for any of these nodes."""
        return any(self.rules(node.op, tried.get(node))[0] for node in nodes)


def _kinds(op: Op) -> frozenset[type]:
    """The classes that a rule for this op may name."""
    scalar = type(op.scalar).__mro__ if isinstance(op, Elemwise) else ()
    return frozenset((*type(op).__mro__, *scalar))
