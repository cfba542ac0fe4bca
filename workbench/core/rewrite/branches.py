"""Conditions: what only one branch of an `ifelse` needs moves into it.

All choices by one condition are taken together: nodes of the graph that do not depend on each other
become one, so that work which their branches share is done once. Where one depends on another, the
earlier one hands on what the branch of the later one needs of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from workbench.core.graph import Apply, Constant, Type, Variable, is_shared, leaves, readers
from workbench.core.inner import InnerGraph
from workbench.core.ops.alloc import Alloc
from workbench.core.ops.branches import IfElse
from workbench.core.ops.index import Subtensor
from workbench.core.ops.shape import Dimension, DimShuffle, Reshape, SpecifyBroadcast
from workbench.core.rewrite.engine import Session, step_rule
from workbench.core.types import TensorType, constant, tensor_type

DEEPEST = 40
"""Branches within branches: deeper ones are chosen by the interpreter."""

SINK = step_rule(
    "into_branch",
    "ifelse(c, f(x), g(y)) → ifelse(c, f, g)(x, y)",
    "What only one branch needs is computed only where that branch is taken.",
)

FREE = (Alloc, Dimension, DimShuffle, Reshape, SpecifyBroadcast, Subtensor)
"""Ops whose results are other looks at their inputs."""

Branch = int  # 0: taken where the condition is not zero; 1: the other


def sink(session: Session, outputs: Sequence[Variable]) -> list[Variable]:
    """The graph with every choice's own work inside it."""
    now = list(outputs)
    while (last := next(filter(is_open, reversed(session.toposort(now))), None)) is not None:
        now = _Choice(session, now, last.inputs[0]).sunk()
    return now


def is_open(node: Apply) -> bool:
    """Whether a node chooses between values that are computed outside it."""
    return isinstance(node.op, IfElse) and node.op.inner is None


def is_too_deep(nodes: Iterable[Apply]) -> bool:
    """Whether there are too many choices on a way through a body to write them inside each
    other.
    """
    depth: dict[Variable, int] = {}
    for node in nodes:
        above = max((depth.get(v, 0) for v in node.inputs), default=0)
        depth.update(dict.fromkeys(node.outputs, above + is_open(node)))
    return max(depth.values(), default=0) > DEEPEST


class _Choice:
    """All choices by one condition in a graph, and what is guarded by it: nodes that only their
    branches need, for each of the two branches.

    A node's level is the number of choices by this condition that it depends on. Within a branch
    the result of a choice by the same condition is the value of that branch, so that it counts as
    if it were that.
    """

    def __init__(self, session: Session, outputs: Sequence[Variable], condition: Variable) -> None:
        self.session, self.outputs, self.condition = session, outputs, condition
        self.nodes = session.toposort(outputs)
        found = [n for n in self.nodes if is_open(n) and n.inputs[0] is condition]
        self._all = set(found)
        around = readers(self.nodes)
        self._read = {*outputs, *around}
        guarded = [self._guarded(b, around) for b in (0, 1)]
        self.choices = [n for n in found if not any(n in some for some in guarded)]
        self.guarded = [self._needed(b, guarded[b]) for b in (0, 1)]
        self._gone = self._all.union(*guarded)
        self.level: dict[Variable, int] = {}
        self.level_inside: list[dict[Variable, int]] = [{}, {}]
        self.groups: dict[int, list[Apply]] = {}
        self.order = self._levels()
        # what stands for a variable now: outside, and for the readers in each branch
        self.final: dict[Variable, Variable] = {}
        self.handed_on: list[dict[Variable, Variable]] = [{}, {}]
        # what later levels read of what is made at a level, and what a level makes again itself
        self.wanted: list[dict[int, dict[Variable, None]]] = [{}, {}]
        self.again: list[dict[int, set[Apply]]] = [{}, {}]
        for b in (0, 1):
            self._hand_on(b)

    def sunk(self) -> list[Variable]:
        """The outputs of the graph with one node for each level of choices."""
        final = self.final
        for level in range(len(self.groups) + 1):
            for node in self.order.get(level, ()):
                inputs = [final.get(v, v) for v in node.inputs]
                if any(a is not b for a, b in zip(inputs, node.inputs, strict=True)):
                    new = self.session.rebuild(node, inputs)
                    final.update(zip(node.outputs, new.outputs, strict=True))
            if level in self.groups:
                self._join(level)
        return [final.get(v, v) for v in self.outputs]

    # --- what is where ---

    def _guarded(
        self, branch: Branch, around: dict[Variable, list[tuple[Apply, int]]]
    ) -> set[Apply]:
        """The nodes of which all readers are in this branch of a choice."""
        found: set[Apply] = set()
        seen = set(self.outputs)

        def is_inside(reader: Apply, position: int) -> bool:
            if reader in found or reader not in self._all:
                return reader in found and (position > 0 or reader not in self._all)
            is_read = reader.outputs[(position - 1) % reader.op.n] in self._read  # type: ignore[attr-defined]
            return position in reader.op.chosen(branch == 0) or (position > 0 and not is_read)  # type: ignore[attr-defined]

        for node in reversed(self.nodes):
            inside = all(is_inside(*r) for v in node.outputs for r in around.get(v, ()))
            if inside and all(
                isinstance(v.type, TensorType) and v not in seen for v in node.outputs
            ):
                found.add(node)
        return found

    def _needed(self, branch: Branch, guarded: Collection[Apply]) -> set[Apply]:
        """Those of the guarded nodes that are read, now that no choice is made twice."""
        read = {v for node in self.choices for v in self._values(branch, node)}
        needed: set[Apply] = set()
        for node in reversed(self.nodes):
            if node in guarded and not read.isdisjoint(node.outputs):
                needed.add(node)
                read.update(self.inside(branch, v) for v in node.inputs)
        return needed

    def inside(self, branch: Branch, variable: Variable) -> Variable:
        """What a variable is within a branch: of a choice by the same condition the value of that
        branch.
        """
        while (node := variable.owner) is not None and node in self._all:
            value = node.op.branches(node.inputs)[branch][variable.index]  # type: ignore[attr-defined]
            if value.type != variable.type:
                break
            variable = value
        return variable

    def _values(self, branch: Branch, choice: Apply) -> list[Variable]:
        """What a branch gives for each of the results that are read."""
        groups = choice.op.branches(choice.inputs)  # type: ignore[attr-defined]  # it is an IfElse
        values = zip(choice.outputs, groups[branch], strict=True)
        return [self.inside(branch, v) for result, v in values if result in self._read]

    def _pairs(self, choice: Apply) -> Iterator[tuple[Variable, Variable]]:
        return zip(self._values(0, choice), self._values(1, choice), strict=True)

    def is_made_inside(self, branch: Branch, variable: Variable) -> bool:
        return variable.owner is not None and variable.owner in self.guarded[branch]

    def _level_of(self, branch: Branch, variable: Variable) -> int:
        if self.is_made_inside(branch, variable):
            return self.level_inside[branch][variable]
        return self.level.get(variable, 0)

    def _levels(self) -> dict[int, list[Apply]]:
        """The nodes outside by their level; finds the level of everything, and of the choices."""
        order: dict[int, list[Apply]] = {}
        chosen = set(self.choices)
        for node in self.nodes:
            for b in (0, 1):
                if node in self.guarded[b]:
                    inputs = [self.inside(b, v) for v in node.inputs]
                    level = max((self._level_of(b, v) for v in inputs), default=0)
                    self.level_inside[b].update(dict.fromkeys(node.outputs, level))
            if node in chosen:
                inside = (self._level_of(b, v) for b in (0, 1) for v in self._values(b, node))
                level = max(self.level.get(self.condition, 0), *inside)
                self.groups.setdefault(level, []).append(node)
                self.level.update(dict.fromkeys(node.outputs, level + 1))
            elif node not in self._gone:
                level = max((self.level.get(v, 0) for v in node.inputs), default=0)
                order.setdefault(level, []).append(node)
                self.level.update(dict.fromkeys(node.outputs, level))
        return order

    def _hand_on(self, branch: Branch) -> None:
        """Finds what each level reads of what the branch made at an earlier one: it is handed on,
        or where that is only another look at something, made again.
        """
        made = list(self.made(branch))
        for level, choices in self.groups.items():
            read = {v for n in choices for v in self._values(branch, n)}
            for node in reversed(made):
                own = self._level_of(branch, node.outputs[0])
                again = own < level and isinstance(node.op, FREE)
                if own == level or (again and not read.isdisjoint(node.outputs)):
                    read.update(self.inside(branch, v) for v in node.inputs)
                if again and not read.isdisjoint(node.outputs):
                    self.again[branch].setdefault(level, set()).add(node)
                elif own < level:
                    found = self.wanted[branch].setdefault(own, {})
                    found.update(dict.fromkeys(v for v in node.outputs if v in read))

    def made(self, branch: Branch) -> Iterator[Apply]:
        return (node for node in self.nodes if node in self.guarded[branch])

    # --- one node for the choices of a level ---

    def _join(self, level: int) -> None:
        choices = self.groups[level]
        captured: Captured = {}
        bodies = [_Body(self, b, level, captured) for b in (0, 1)]
        pairs = [pair for n in choices for pair in self._pairs(n)]
        both: dict[tuple[Variable | None, Variable | None], int] = {}
        for pair in pairs:
            both.setdefault(pair, len(both))
        for v in self.wanted[0].get(level, ()):
            if not any(a is v for a, _ in both):
                both[v, None] = len(both)
        for v in self.wanted[1].get(level, ()):
            if not any(b is v for _, b in both):
                both[None, v] = len(both)
        values = [_filled(bodies[0].value(a), bodies[1].value(b)) for a, b in both]
        results = [a for a, _ in values] + [b for _, b in values]
        read = set(leaves(results))
        outside = [outer for (outer, _), v in captured.items() if v in read]
        inner = InnerGraph(tuple(v for v in captured.values() if v in read), tuple(results))
        name = next((n.op.name for n in choices if n.op.name), "")  # type: ignore[attr-defined]
        condition = self.final.get(self.condition, self.condition)
        made = IfElse(len(both), inner, name).apply(condition, *outside).outputs
        old = [v for n in choices for v in n.outputs if v in self._read]
        new = [made[both[pair]] for pair in pairs]
        sunk = self.session.exchange(SINK, list(zip(old, new, strict=True)), choices[0].lines)
        self.final.update(zip(old, sunk, strict=True))
        node = sunk[0].owner
        assert node is not None
        for shared, i in both.items():
            for b, value in enumerate(shared):
                if value is not None:
                    self.handed_on[b].setdefault(value, node.outputs[i])


Captured = dict[tuple[Variable, Type], Variable]
"""The stand-ins of what bodies read from outside."""


class _Body:
    """A branch's own nodes of one level, copied; what they read from outside has stand-ins."""

    def __init__(self, choice: _Choice, branch: Branch, level: int, captured: Captured) -> None:
        self.choice, self.branch, self.captured = choice, branch, captured
        self.copies: dict[Variable, Variable] = {}
        again = choice.again[branch].get(level, ())
        for node in choice.made(branch):
            if choice.level_inside[branch][node.outputs[0]] == level or node in again:
                self._copy(node)

    def _copy(self, node: Apply) -> None:
        inputs = [self._read(self.choice.inside(self.branch, v)) for v in node.inputs]
        copy = Apply(node.op, inputs, [v.type for v in node.outputs], node.lines)
        for old, new in zip(node.outputs, copy.outputs, strict=True):
            new.name = old.name
            self.copies[old] = new

    def _read(self, variable: Variable) -> Variable:
        known = self.copies.get(variable)
        if known is not None:
            return known
        choice = self.choice
        outer = choice.handed_on[self.branch].get(variable)
        if outer is None or not choice.is_made_inside(self.branch, variable):
            outer = choice.final.get(variable, variable)
        if isinstance(outer, Constant) and not is_shared(outer):
            return outer
        key = (outer, variable.type)
        if key not in self.captured:
            self.captured[key] = variable.type.make(name=variable.name)
        return self.captured[key]

    def value(self, variable: Variable | None) -> Variable | None:
        """A variable as this branch has it."""
        return None if variable is None else self._read(variable)


def _filled(a: Variable | None, b: Variable | None) -> tuple[Variable, Variable]:
    """Both values; where only one branch has something to hand on, the other has an empty array."""
    if a is not None and b is not None:
        return a, b
    given = a if a is not None else b
    assert given is not None
    t = tensor_type(given)
    empty = constant(np.zeros([1 if n == 1 else 0 for n in t.shape]), t.dtype)
    return (given, empty) if b is None else (empty, given)
