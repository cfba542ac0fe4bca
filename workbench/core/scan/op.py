"""The Scan op: a loop whose body is a frozen inner graph. The reference loop below is its
definition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.device_type import lies_on
from workbench.core.graph import Apply, Array, Gradients, Op, Type, Variable, Variables
from workbench.core.inner import InnerGraph
from workbench.core.types import TensorType, tensor_type
from workbench.errors import NegativeStepsError, ScanError
from workbench.frozen import frozen

if TYPE_CHECKING:
    from workbench.core.modes import Mode

Taps = tuple[int, ...]


@frozen
class Scan(Op):
    """A loop of `n_steps` iterations.

    Outer inputs   n_steps; the sequences; the states' initial values (each with a leading axis of
    `depth(taps)` rows,
                   the oldest first); the carried values' initial values; the non-sequences
    Inner inputs   for each sequence its taps in order; for each state its taps in order; the
    carried values; the
                   non-sequences
    Inner outputs  the states' next values; the maps; the carried values' next values; where
    `until`, the condition Outer outputs  the states' and the maps' values stacked on a leading
    axis, one row per executed step (or only the
                   last `keep[i]` rows); the carried values after the last step

    A tap k of a sequence reads row t + k - min(taps, 0); a tap k < 0 of a state reads its value of
    step t + k. A carried value is one of which only the last is ever seen (a shared variable that
    the body updates).
    """

    takes_half = True

    inner: InnerGraph
    sequences: tuple[Taps, ...]
    states: tuple[Taps, ...]
    n_maps: int
    n_carried: int
    until: bool
    keep: tuple[int | None, ...]
    name: str = ""
    truncate: int = field(default=-1)
    mode: Mode | None = field(default=None)  # how the body is made, where not as the rest
    profile: bool | str = field(default=False)  # whether, and under what title, it is profiled

    @property
    def n_stacked(self) -> int:
        """How many outputs are stacked: the states, then the maps."""
        return len(self.states) + self.n_maps

    @property
    def n_non_sequences(self) -> int:
        taps = sum(map(len, self.sequences)) + sum(map(len, self.states))
        return len(self.inner.inputs) - taps - self.n_carried

    def split(
        self, inputs: Sequence[Any]
    ) -> tuple[Any, list[Any], list[Any], list[Any], list[Any]]:
        """Outer inputs as n_steps, sequences, initial states, initial carried values,
        non-sequences.
        """
        sizes = (len(self.sequences), len(self.states), self.n_carried, self.n_non_sequences)
        parts: list[list[Any]] = []
        start = 1
        for size in sizes:
            parts.append(list(inputs[start : start + size]))
            start += size
        return inputs[0], parts[0], parts[1], parts[2], parts[3]

    def split_inner(
        self, values: Sequence[Any]
    ) -> tuple[list[list[Any]], list[list[Any]], list[Any], list[Any]]:
        """Inner inputs as taps of each sequence, taps of each state, carried values,
        non-sequences.
        """
        left = iter(values)
        sequences = [[next(left) for _ in taps] for taps in self.sequences]
        states = [[next(left) for _ in taps] for taps in self.states]
        carried = [next(left) for _ in range(self.n_carried)]
        return sequences, states, carried, list(left)

    def infer(self, *inputs: Variable) -> Sequence[Type]:
        if (
            len(inputs)
            != 1 + len(self.sequences) + len(self.states) + self.n_carried + self.n_non_sequences
        ):
            raise ScanError(f"{self}: {len(inputs)} outer inputs do not fit its inner graph")
        stacked = [tensor_type(v) for v in self.inner.outputs[: self.n_stacked]]
        types: list[Type] = [
            lies_on(TensorType(t.dtype, (None, *t.shape)), t.device) for t in stacked
        ]
        carried = self.inner.outputs[self.n_stacked : self.n_stacked + self.n_carried]
        return [*types, *(v.type for v in carried)]

    def evaluate(self, *values: Array) -> Sequence[Array]:
        from workbench.core.interpreter import Interpreter

        return self.loop(values, Interpreter(self.inner.outputs, self.inner.nodes).run)

    def evaluate_watched(
        self, node: Apply, values: Sequence[Array], listeners: Sequence[Any]
    ) -> Sequence[Array]:
        """As `evaluate`, telling listeners with `iteration(node, t, given)` of every iteration."""
        from workbench.core.interpreter import Interpreter

        interpreter = Interpreter(self.inner.outputs, self.inner.nodes)
        watchers = [hear for hear in listeners if hasattr(hear, "iteration")]
        steps = count()

        def step(given: dict[Variable, Any]) -> list[Any]:
            t = next(steps)
            for watcher in watchers:
                watcher.iteration(node, t, given)
            return interpreter.run(given, listeners)

        return self.loop(values, step)

    def loop(self, values: Sequence[Array], step: Any) -> Sequence[Array]:
        """The definition. `step` maps inner inputs (a dict) to inner outputs (a list)."""
        n_steps, sequences, initial, carried, non_sequences = self.split(values)
        n = int(n_steps)
        self.check_lengths(n, sequences, initial)
        states = [
            list(start[len(start) - depth(taps) :])
            for start, taps in zip(initial, self.states, strict=True)
        ]
        stacks: list[list[Any]] = [[] for _ in range(self.n_stacked)]
        shapes = self._shapes_before(initial, carried)
        for t in range(n):
            taken = [
                s[t + k - min(*taps, 0)]
                for s, taps in zip(sequences, self.sequences, strict=True)
                for k in taps
            ]
            recalled = [s[k] for s, taps in zip(states, self.states, strict=True) for k in taps]
            given = dict(
                zip(self.inner.inputs, [*taken, *recalled, *carried, *non_sequences], strict=True)
            )
            outputs = step(given)
            self._check_shapes(t, outputs, shapes)
            for stack, value in zip(stacks, outputs, strict=False):
                stack.append(value)
            for i, state in enumerate(states):
                state.append(outputs[i])
            carried = outputs[self.n_stacked : self.n_stacked + self.n_carried]
            if self.until and bool(outputs[-1]):
                break
        if not stacks or stacks[0]:
            return [*self._stacked(stacks), *carried]
        return [*self._no_rows(values), *carried]

    def _stacked(self, stacks: Sequence[list[Any]]) -> list[Array]:
        """The rows of each output: all of them, or the last few."""
        return [
            np.stack(rows if keep is None else rows[-keep:])
            for rows, keep in zip(stacks, self.keep, strict=True)
        ]

    def _shapes_before(
        self, initial: Sequence[Array], carried: Sequence[Any]
    ) -> list[tuple[int, ...] | None]:
        """For each inner output the shape that it has to have, None where its first value tells."""
        states = [start.shape[1:] for start in initial]
        return [*states, *[None] * self.n_maps, *(getattr(v, "shape", None) for v in carried)]

    def _check_shapes(
        self, t: int, outputs: Sequence[Any], shapes: list[tuple[int, ...] | None]
    ) -> None:
        """Raises ScanError where a value of step t has not the shape of those before it."""
        for i, value in enumerate(outputs[: len(shapes)]):
            shape = getattr(value, "shape", None)
            if shapes[i] is None:
                shapes[i] = shape
            elif shape != shapes[i]:
                what, k = (
                    ("shared variable", i - self.n_stacked)
                    if i >= self.n_stacked
                    else ("output", i)
                )
                raise ScanError(
                    f"scan{self._title()}: {what} {k} changes its shape: {shapes[i]} before step "
                    f"{t}, {shape} after it",
                    advice="have every step return a value of one shape, that of the initial value",
                )

    def check_lengths(self, n: int, sequences: Sequence[Array], initial: Sequence[Array]) -> None:
        """Raises ScanError where there are fewer rows than steps read."""
        if n < 0:
            raise NegativeStepsError(f"scan{self._title()}: n_steps is {n}; it cannot be negative")
        for i, (s, taps) in enumerate(zip(sequences, self.sequences, strict=True)):
            needed = n + span(taps)
            if n and len(s) < needed:
                raise ScanError(
                    f"scan{self._title()}: sequence {i}{self._name_of(i)} has {len(s)} rows; "
                    f"{n} steps with taps {taps} read {needed}",
                    advice="give fewer n_steps or a longer sequence",
                )
        for i, (s, taps) in enumerate(zip(initial, self.states, strict=True)):
            if len(s) < depth(taps):
                raise ScanError(
                    f"scan{self._title()}: initial state {i} has {len(s)} rows; taps {taps} need "
                    f"{depth(taps)}"
                )

    def _name_of(self, i: int) -> str:
        """The name of sequence i, as its taps bear it."""
        name = self.split_inner(self.inner.inputs)[0][i][0].name
        return f" ({name.rsplit('[t', 1)[0]})" if name else ""

    def _title(self) -> str:
        return f" '{self.name}'" if self.name else ""

    def _no_rows(self, values: Sequence[Array]) -> list[Array]:
        """The stacked outputs of no steps: of the dtypes and shapes that a step would give."""
        from workbench.core.scan.shapes import row_shapes

        types = [tensor_type(v) for v in self.inner.outputs[: self.n_stacked]]
        shapes: Sequence[Sequence[int]] | None = row_shapes(self, values)
        if shapes is None:
            try:
                shapes = [row.shape for row in self._step_of_zeros(values)]
            except Exception:  # values decide, or the body cannot take zeros
                shapes = [tuple(n or 0 for n in t.shape) for t in types]
        return [np.empty((0, *s), t.dtype) for s, t in zip(shapes, types, strict=True)]

    def _step_of_zeros(self, values: Sequence[Array]) -> list[Array]:
        from workbench.core.interpreter import Interpreter

        _, sequences, initial, carried, non_sequences = self.split(values)
        rows = [
            np.zeros(part.shape[1:], part.dtype)
            for part, taps in zip(
                [*sequences, *initial], [*self.sequences, *self.states], strict=True
            )
            for _ in taps
        ]
        given = dict(zip(self.inner.inputs, [*rows, *carried, *non_sequences], strict=True))
        return Interpreter(self.inner.outputs[: self.n_stacked]).run(given)

    def grad(self, inputs: Variables, outputs: Variables, gradients: Gradients) -> Gradients:
        from workbench.core.scan.gradient import backward

        node = outputs[0].owner
        assert node is not None
        return backward(node, gradients)

    def connected(self, index: int) -> bool:
        from workbench.core.scan.flow import depends_on

        return depends_on(self, index)

    def shape(self, inputs: Sequence[Variable]) -> Sequence[Sequence[Any]] | None:
        from workbench.core.scan.parts import Parts
        from workbench.core.scan.shapes import output_shapes

        return output_shapes(Parts.of_op(self, inputs))

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return 0

    @property
    def label(self) -> str:
        return f"scan {self.name}".strip()

    def __str__(self) -> str:
        return f"{'do_while' if self.until else 'for'}{{cpu,{self.name or 'scan_fn'}}}"


def depth(taps: Taps) -> int:
    """How many rows of past a state's taps reach back."""
    return -min(taps)


def span(taps: Taps) -> int:
    """How many rows more than steps a sequence's taps read."""
    return max(*taps, 0) - min(*taps, 0)
