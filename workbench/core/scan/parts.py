"""A scan taken apart: each sequence, state, map, carried value and invariant with its outer and its
inner side.

The Scan op lists outer and inner variables in a fixed order; building, differentiating and
rewriting a scan is easier on parts that say which belongs to which. `Parts.of` takes a node apart,
`Parts.apply` makes one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.core import graph
from workbench.core.graph import Apply, Variable
from workbench.core.inner import InnerGraph
from workbench.core.scan.op import Scan, Taps
from workbench.frozen import frozen

if TYPE_CHECKING:
    from workbench.core.modes import Mode


@frozen
class Rows:
    """A sequence: `outer` has a row per step (and `span` more), `inner` is what the body sees of
    it, one per tap.
    """

    outer: Variable
    taps: Taps
    inner: tuple[Variable, ...]


@frozen
class State:
    """A value that is fed back: `inner` are its past values, one per tap, `next` its new one."""

    initial: Variable
    taps: Taps
    inner: tuple[Variable, ...]
    next: Variable
    keep: int | None = None

    @property
    def value(self) -> Variable:
        """What the body computes."""
        return self.next


@frozen
class Map:
    """A value of each step that nothing feeds back."""

    value: Variable
    keep: int | None = None


@frozen
class Carried:
    """A value that is fed back and of which only the last is seen."""

    initial: Variable
    inner: Variable
    next: Variable

    @property
    def value(self) -> Variable:
        """What the body computes."""
        return self.next


@frozen
class Invariant:
    """A value that is the same in every step."""

    outer: Variable
    inner: Variable


@frozen
class Parts:
    """All of one scan."""

    n_steps: Variable
    sequences: tuple[Rows, ...] = ()
    states: tuple[State, ...] = ()
    maps: tuple[Map, ...] = ()
    carried: tuple[Carried, ...] = ()
    invariants: tuple[Invariant, ...] = ()
    condition: Variable | None = None
    name: str = ""
    truncate: int = -1
    mode: Mode | None = None
    profile: bool | str = False

    @staticmethod
    def of(node: Apply) -> Parts:
        """The parts of a Scan node."""
        assert isinstance(node.op, Scan)
        return Parts.of_op(node.op, node.inputs)

    @staticmethod
    def of_op(op: Scan, inputs: Sequence[Variable]) -> Parts:
        """The parts of a scan with these outer inputs."""
        n_steps, rows, initial, carried, fixed = op.split(inputs)
        row_taps, state_taps, carried_in, fixed_in = op.split_inner(op.inner.inputs)
        out, n = op.inner.outputs, len(op.states)
        return Parts(
            n_steps,
            tuple(map(Rows, rows, op.sequences, map(tuple, row_taps))),
            tuple(map(State, initial, op.states, map(tuple, state_taps), out, op.keep)),
            tuple(map(Map, out[n : op.n_stacked], op.keep[n:])),
            tuple(map(Carried, carried, carried_in, out[op.n_stacked :])),
            tuple(map(Invariant, fixed, fixed_in)),
            out[-1] if op.until else None,
            op.name,
            op.truncate,
            op.mode,
            op.profile,
        )

    @property
    def stacked(self) -> tuple[State | Map, ...]:
        """The outputs that have a row per step, in order."""
        return (*self.states, *self.maps)

    @property
    def outputs(self) -> tuple[State | Map | Carried, ...]:
        """All outputs of the node, in order."""
        return (*self.states, *self.maps, *self.carried)

    @property
    def inner_inputs(self) -> tuple[Variable, ...]:
        return (
            *(v for rows in self.sequences for v in rows.inner),
            *(v for state in self.states for v in state.inner),
            *(part.inner for part in self.carried),
            *(part.inner for part in self.invariants),
        )

    @property
    def inner_outputs(self) -> tuple[Variable, ...]:
        """The states' next values, the maps, the carried values' next values, and the condition
        where there is one.
        """
        condition = () if self.condition is None else (self.condition,)
        return (*(part.value for part in self.outputs), *condition)

    @property
    def outer_inputs(self) -> tuple[Variable, ...]:
        return (
            self.n_steps,
            *(part.outer for part in self.sequences),
            *(state.initial for state in self.states),
            *(part.initial for part in self.carried),
            *(part.outer for part in self.invariants),
        )

    def with_inner_outputs(self, outputs: Sequence[Variable]) -> Parts:
        """The same loop with another body."""
        left = iter(outputs)
        return replace(
            self,
            states=tuple(replace(state, next=next(left)) for state in self.states),
            maps=tuple(replace(part, value=next(left)) for part in self.maps),
            carried=tuple(replace(part, next=next(left)) for part in self.carried),
            condition=None if self.condition is None else next(left),
        )

    def substitute(self, replacements: Mapping[Variable, Variable]) -> Parts:
        """The same loop, its body reading a replacement wherever it read a key."""
        return self.with_inner_outputs(graph.replace(self.inner_outputs, dict(replacements)))

    def op(self) -> Scan:
        return Scan(
            InnerGraph(self.inner_inputs, self.inner_outputs),
            tuple(part.taps for part in self.sequences),
            tuple(part.taps for part in self.states),
            len(self.maps),
            len(self.carried),
            self.condition is not None,
            tuple(part.keep for part in self.stacked),
            self.name,
            self.truncate,
            self.mode,
            self.profile,
        )

    def apply(self) -> Apply:
        """The node: its outputs are the states', the maps' and the carried values', in this
        order.
        """
        return self.op().apply(*self.outer_inputs)
