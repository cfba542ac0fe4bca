"""The gradient of a scan: another scan, which runs backwards over what the first one stored.

Nothing is computed twice that the forward loop has stacked: its outputs, and the states before each
step, are sequences of the backward loop. Other values of the body are computed again there, as
later rewrites can do for the whole sequence at once. Only what cannot be computed again, since it
came from a carried value such as a random state, is stored by a wider forward loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from workbench.core.graph import Apply, Variable, leaves, toposort
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.index import IncSubtensor
from workbench.core.ops.indexing import inc_subtensor
from workbench.core.ops.join import join
from workbench.core.ops.reduce import sum as total
from workbench.core.ops.scalars import Add, cast, maximum, minimum, zeros_like
from workbench.core.ops.shape import as_scalar_int, dimension, dimshuffle
from workbench.core.scan.flow import Flow, flow, is_smooth
from workbench.core.scan.op import depth
from workbench.core.scan.parts import Carried, Map, Parts, Rows, State
from workbench.core.scan.rows import has_rows, is_zero
from workbench.core.types import tensor_type
from workbench.frozen import frozen

Outer = Any  # a variable with operators


def backward(node: Apply, gradients: Sequence[Variable | None]) -> list[Variable | None]:
    """For every outer input of the scan its gradient, given those of the outer outputs."""
    forward = Parts.of(node)
    assert all(part.keep is None for part in forward.stacked), "a rewritten scan"
    given = [g is not None for g in gradients]
    last = _last_only(forward, gradients)
    local = flow(forward, given, last)
    if any(forward.states[i].inner[0] not in local.found for i in last):
        last, local = {}, flow(forward, given)
    if not local.found:
        return [None] * len(node.inputs)
    return Backward(forward, local, _traces(forward, local, node), gradients, last).results()


def _last_only(forward: Parts, gradients: Sequence[Outer]) -> dict[int, Outer]:
    """For the number of each state of which the cost reads the last value only that one's gradient:
    it is where the backward loop begins, and no sequence of zeros ends with it.
    """
    found = {}
    for i, (state, g) in enumerate(zip(forward.states, gradients, strict=False)):
        of_last = None if g is None or not is_smooth(state.inner[0]) else _at_the_end(g)
        if of_last is not None:
            found[i] = of_last
    return found


def _at_the_end(g: Variable) -> Outer:
    """The sum of what is added to the last row of zeros; None where there is more in g."""
    total: Outer = None
    pending = [g]
    while pending:
        node = pending.pop().owner
        if node is None:
            return None
        if isinstance(node.op, Elemwise) and isinstance(node.op.scalar, Add):
            pending += reversed(node.inputs)
        elif node.op == IncSubtensor((-1,)) and is_zero(node.inputs[0]):
            total = node.inputs[1] if total is None else total + node.inputs[1]
        else:
            return None
    return total


@frozen
class Traces:
    """What the forward loop stored, one row per executed step.

    states    the states' values
    stacked   of whatever else of the body is known, and of the states: values by the body's
              variable
    steps     how many steps were executed
    """

    states: tuple[Outer, ...]
    stacked: dict[Variable, Outer]
    steps: Outer


def _traces(forward: Parts, local: Flow, node: Apply) -> Traces:
    """The outputs of the node, and of a wider one where the backward body reads what it cannot
    compute again.
    """
    outputs = forward.stacked
    stacked = dict(zip((part.value for part in outputs), node.outputs, strict=False))
    known = {value: rows for value, rows in stacked.items() if value.owner is not None}
    extra = _from_carried(forward, local, known)
    if forward.condition is not None and not outputs:
        extra.append(forward.condition)  # to count the steps
    if extra:
        wider = replace(forward, maps=(*forward.maps, *map(Map, extra)))
        new = dict(zip(extra, wider.apply().outputs[len(outputs) :], strict=False))
        known.update(new)
        stacked.update(new)
    steps: Outer = forward.n_steps
    if forward.condition is not None:
        steps = as_scalar_int(dimension(next(iter(stacked.values())), 0))
    return Traces(node.outputs[: len(forward.states)], known, steps)


def _from_carried(forward: Parts, local: Flow, known: dict[Variable, Outer]) -> list[Variable]:
    """Variables of the body that the gradients read and that depend on carried values."""
    dependent = {part.inner for part in forward.carried}
    nodes = dict.fromkeys(toposort(forward.inner_outputs, stop=forward.inner_inputs))
    for node in nodes:
        if any(v in dependent for v in node.inputs):
            dependent.update(v for v in node.outputs if v not in known)
    results = list(local.found.values())
    new = (node for node in toposort(results, stop=known) if node not in nodes)
    read = dict.fromkeys([v for node in new for v in node.inputs] + results)
    return [v for v in read if v in dependent]


@frozen
class Backward:
    """The backward loop under construction: step s of it undoes step `steps - 1 - s` of the forward
    loop.
    """

    forward: Parts
    local: Flow
    traces: Traces
    gradients: Sequence[Variable | None]
    last: Mapping[int, Outer]

    @cached_property
    def count(self) -> Outer:
        """How many steps are undone."""
        limit, steps = self.forward.truncate, self.traces.steps
        return steps if limit < 0 else minimum(steps, limit)

    @cached_property
    def first(self) -> Outer:
        """The earliest forward step that is undone."""
        return 0 if self.forward.truncate < 0 else self.traces.steps - self.count

    def results(self) -> list[Variable | None]:
        """Gradients of the outer inputs: n_steps, sequences, initial states, carried values,
        invariants.
        """
        parts = self.loop()
        made = dict(zip(self.owners, parts.apply().outputs, strict=True))
        return [
            None,
            *(self.of_sequence(rows, made) for rows in self.forward.sequences),
            *(self.of_initial(state, made) for state in self.forward.states),
            *(made.get(part.inner) for part in self.forward.carried),
            *(made.get(part.inner) for part in self.forward.invariants),
        ]

    @cached_property
    def owners(self) -> list[Variable]:
        """For each output of the backward loop the forward input whose gradient it holds."""
        found = self.local.found
        states = [v for s in self.forward.states for v in s.inner if v in found]
        maps = [v for s in self.forward.sequences for v in s.inner if v in found]
        carried = [p.inner for p in self.forward.carried if p.inner in self.local.debts]
        sums = [p.inner for p in self.forward.invariants if p.inner in found]
        return [*states, *maps, *carried, *sums]

    def loop(self) -> Parts:
        """The backward loop."""
        name = f"grad of {self.forward.name}" if self.forward.name else "grad"
        open_loop = Parts(
            as_scalar_int(self.count),
            states=tuple(self.debt(s, i) for s in self.forward.states for i in self.taps_found(s)),
            maps=tuple(
                Map(self.local.found[v])
                for rows in self.forward.sequences
                for v in rows.inner
                if v in self.local.found
            ),
            carried=(*self.carried_debts(), *self.sums()),
            name=name,
            mode=self.forward.mode,
            profile=self.forward.profile,
        )
        return self.close(open_loop)

    def taps_found(self, state: State) -> list[int]:
        return [i for i, v in enumerate(state.inner) if v in self.local.found]

    def debt(self, state: State, i: int) -> State:
        """What is owed through tap k = -|k| reaches the state |k| backward steps later: the same
        tap.
        """
        k, v = state.taps[i], state.inner[i]
        owed: Outer = zeros_like(first_rows(state.initial, -k))
        number = self.forward.states.index(state)
        if i == 0 and number in self.last:
            owed = inc_subtensor(owed[0], cast(self.last[number], tensor_type(owed).dtype))
        return State(
            owed,
            (k,),
            (self.local.debts[v],),
            self.local.found[v],
        )

    def carried_debts(self) -> list[Carried]:
        """The gradient of a carried value starts as the cost's, and is passed on from step to
        step.
        """
        n = len(self.forward.stacked)
        debts: list[Carried] = []
        for part, g in zip(self.forward.carried, self.gradients[n:], strict=True):
            if part.inner in self.local.debts:
                zero = zeros_like(part.initial)
                given = zero if g is None else cast(g, tensor_type(part.inner).dtype)
                after = self.local.found.get(part.inner, zeros_like(part.inner))
                debts.append(Carried(given, self.local.debts[part.inner], after))
        return debts

    def sums(self) -> list[Carried]:
        """The gradient of an invariant is the sum over all steps."""
        sums: list[Carried] = []
        for part in self.forward.invariants:
            if part.inner in self.local.found:
                so_far: Outer = part.inner.type.make()
                sums.append(
                    Carried(zeros_like(part.outer), so_far, so_far + self.local.found[part.inner])
                )
        return sums

    def close(self, loop: Parts) -> Parts:
        """The loop with sequences for all that its body reads of the forward loop."""
        known = {v: v.type.make(name=v.name) for v in self.traces.stacked}
        closed = _without_effects(loop.substitute(known))
        read = set(leaves(closed.inner_outputs))
        rows = [
            *((self.reverse(self.traces.stacked[v]), inner) for v, inner in known.items()),
            *((self.reverse(g), self.local.seeds[v]) for v, g in self.seeded().items()),
            *(pair for part in self.forward.sequences for pair in self.rows_of(part, read)),
            *(pair for i in range(len(self.forward.states)) for pair in self.history(i, read)),
        ]
        return replace(
            closed,
            sequences=tuple(Rows(outer, (0,), (inner,)) for outer, inner in rows if inner in read),
            invariants=tuple(part for part in self.forward.invariants if part.inner in read),
        )

    def seeded(self) -> dict[Variable, Outer]:
        """The cost's gradient of every stacked value, summed where it is stacked twice."""
        sums: dict[Variable, Outer] = {}
        for part, g in zip(self.forward.stacked, self.gradients, strict=False):
            value = part.value
            if g is not None and value in self.local.seeds:
                given = cast(g, tensor_type(value).dtype)
                sums[value] = sums[value] + given if value in sums else given
        return sums

    def rows_of(self, part: Rows, read: set[Variable]) -> list[tuple[Outer, Variable]]:
        """What the steps saw of a sequence, last step first."""
        return [
            (self.window(part.outer, k - min(*part.taps, 0)), v)
            for k, v in zip(part.taps, part.inner, strict=True)
            if v in read
        ]

    def history(self, i: int, read: set[Variable]) -> list[tuple[Outer, Variable]]:
        """What the steps saw of a state, last step first: its initial rows and its trace, one after
        the other.
        """
        state = self.forward.states[i]
        if read.isdisjoint(state.inner):
            return []
        values = join(0, state.initial, self.traces.states[i])
        return [
            (self.window(values, k + depth(state.taps)), v)
            for k, v in zip(state.taps, state.inner, strict=True)
            if v in read
        ]

    def window(self, rows: Outer, offset: int) -> Outer:
        """The rows from an offset that the undone steps saw, last first."""
        if self.covers(rows, offset):
            return rows[::-1]
        return rows[offset + self.first : offset + self.traces.steps][::-1]

    def reverse(self, trace: Outer) -> Outer:
        """A row per executed step: those of the undone steps, last first."""
        return trace[::-1] if self.forward.truncate < 0 else trace[self.first :][::-1]

    def covers(self, rows: Outer, offset: int) -> bool:
        """Whether the undone steps are known to have seen each row once."""
        if offset or self.forward.truncate >= 0 or self.forward.condition is not None:
            return False
        return has_rows(rows, self.forward.n_steps)

    def of_sequence(self, part: Rows, made: dict[Variable, Outer]) -> Outer | None:
        """The gradients of what the steps saw, each added to the row that it was."""
        seen = [
            (k - min(*part.taps, 0), made[v])
            for k, v in zip(part.taps, part.inner, strict=True)
            if v in made
        ]
        if len(seen) == 1 and self.covers(part.outer, seen[0][0]):
            return seen[0][1][::-1]
        result: Outer = zeros_like(part.outer) if seen else None
        for offset, rows in seen:
            start, stop = offset + self.first, offset + self.traces.steps
            result = inc_subtensor(result[start:stop], rows[::-1])
        return result

    def of_initial(self, state: State, made: dict[Variable, Outer]) -> Outer | None:
        """What the first steps owe the rows before them."""
        result = None
        for k, v in zip(state.taps, state.inner, strict=True):
            if v in made:
                owed = self.owed(made[v], -k, state, depth(state.taps) + k)
                result = owed if result is None else result + owed
        return result

    def owed(self, debts: Outer, reach: int, state: State, place: int) -> Outer:
        """The debts of the first `reach` steps (fewer where fewer were taken), put in their place
        in the initial rows.
        """
        whole = self.forward.truncate < 0
        if whole and depth(state.taps) == 1:
            return dimshuffle(total(debts[-1:], axis=0), ("x", *range(debts.ndim - 1)))
        start = -reach if whole else maximum(self.traces.steps - reach, 0)
        rows = debts[start:][::-1]
        place = place + self.first
        zero = zeros_like(state.initial)
        return inc_subtensor(zero[place : place + dimension(rows, 0)], rows)


def _without_effects(loop: Parts) -> Parts:
    """The loop whose body computes of the forward one what it needs, without what that did besides:
    a value is printed once.
    """
    while node := next((n for n in toposort(loop.inner_outputs) if n.op.effect), None):
        loop = loop.substitute({node.outputs[0]: node.inputs[0]})
    return loop


def first_rows(rows: Outer, count: int) -> Outer:
    """The first rows; the variable itself where it is known to have no more."""
    return rows if tensor_type(rows).shape[0] == count else rows[:count]
