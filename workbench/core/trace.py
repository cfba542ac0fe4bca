"""The scan trace recorder: what every inner variable of a loop was at every iteration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Apply, Array, Variable
from workbench.core.records import RANDOM_STATE, Port, ScanTrace, Snapshot, Summary
from workbench.core.scan.op import Scan
from workbench.core.types import TensorType
from workbench.core.values import SAMPLES, is_random_state, summarise

MOST_STEPS = 20_000  # iterations of which each variable gets a summary
AT_ONCE = 1 << 19  # bytes of values that are summarised together


class Column:
    """One inner variable over the iterations: its values while the budget lasts, and a summary of
    each.
    """

    def __init__(self) -> None:
        self.rows: list[Any] = []  # None where the value was not kept, or not computed
        self._skipped: set[int] = set()  # iterations in which another branch was taken
        self._last: Any = None
        self._early: dict[int, Summary] = {}  # of iterations whose value was not kept
        self._pending: list[tuple[int, Any]] = []  # values that are about to be summarised
        self._waiting = 0  # their bytes

    def repeats(self, value: Any) -> bool:
        """Whether the value is kept already: that of the last iteration, as an invariant is."""
        return value is self._last and self.rows[-1] is not None

    def add(self, t: int, value: Any, keep: bool) -> None:
        same = self.rows[-1] if self.repeats(value) else None
        for skipped in range(len(self.rows), t):
            self._skipped.add(skipped)
            self.rows.append(None)
        self.rows.append((_apart(value) if same is None else same) if keep else None)
        self._last = value
        if not keep and t < MOST_STEPS:
            self._pending.append((t, value))
            self._waiting += int(getattr(value, "nbytes", 0))
            if self._waiting > AT_ONCE:
                self._summarise_pending()

    def at(self, t: int) -> Any:
        """The value at iteration t; None where it was not kept, or not computed."""
        return self.rows[t] if t < len(self.rows) else None

    def ran(self, t: int) -> bool:
        """Whether the variable was computed in iteration t."""
        return t < len(self.rows) and t not in self._skipped

    def summaries(self, n: int) -> tuple[Summary | None, ...]:
        """One for each of n iterations, None where it was not computed, or there are too many."""
        self._summarise_pending()
        kept = {t: row for t, row in enumerate(self.rows[:MOST_STEPS]) if row is not None}
        made = dict(self._early)
        made.update(zip(kept, summarise_rows(list(kept.values())), strict=True))
        return tuple(made.get(t) for t in range(n))

    def hidden(self, n: int) -> tuple[Summary | None, ...]:
        """Instead of `summaries`, where the numbers say nothing: a random state."""
        return tuple(Summary((), RANDOM_STATE) if self.ran(t) else None for t in range(n))

    def _summarise_pending(self) -> None:
        """Many small values take hardly longer than one."""
        rows = [value for _, value in self._pending]
        self._early.update(
            (t, made) for (t, _), made in zip(self._pending, summarise_rows(rows), strict=True)
        )
        self._pending, self._waiting = [], 0


class Trace:
    """What one scan did: `at(t)` is iteration t, `series(variable)` one variable over all of them.

    Variables are named by the inner variable itself, by its name ('h[t-1]'), or by the scan's
    output or sequence outside that it belongs to.
    """

    def __init__(self, node: Apply) -> None:
        op: Any = node.op
        self.node = node
        self.inner = op.inner
        self.name: str = op.name or "scan"
        self.n_steps = 0
        self.began = False
        self.dropped = ""
        self.columns: dict[Variable, Column] = {v: Column() for v in _inner_variables(op.inner)}

    def at(self, t: int) -> Step:
        """Every inner variable's value at iteration t (negative: from the end). Raises
        IndexError.
        """
        if not -self.n_steps <= t < self.n_steps:
            raise IndexError(
                f"scan '{self.name}' made {self.n_steps} iterations; {t} is not among them"
            )
        return Step(self, t % self.n_steps)

    def series(self, variable: Variable | str) -> Array:
        """The variable's value at every iteration, stacked. Raises KeyError, or ValueError where
        values were dropped.
        """
        column = self.columns[self.find(variable)]
        rows = column.rows
        for step in range(self.n_steps if rows else 0):
            if column.at(step) is None:
                raise ValueError(f"not every iteration has a value: {self._absent(column, step)}")
        if rows:
            return np.stack(rows)
        kind = self.find(variable).type
        known = kind if isinstance(kind, TensorType) else TensorType("float64")
        return np.empty((0, *(n or 0 for n in known.shape)), known.dtype)

    def _absent(self, column: Column, t: int) -> str:
        return self.dropped if column.ran(t) else f"iteration {t} did not compute it"

    def find(self, key: Variable | str) -> Variable:
        """The inner variable that a key names."""
        for variable, names in self._names():
            if key is variable or (isinstance(key, str) and key in names):
                return variable
        inner = self._outside(key)
        if inner is None:
            known = [name for _, names in self._names() for name in names]
            raise KeyError(
                f"{key} is not a variable of scan '{self.name}'; named ones are {', '.join(known)}"
            )
        return inner

    def _names(self) -> Iterator[tuple[Variable, list[str]]]:
        for variable in self.columns:
            yield variable, [variable.name] if variable.name else []

    def _outside(self, key: Variable | str) -> Variable | None:
        """The inner variable behind an output of the scan, or the first tap of a sequence."""
        op: Any = self.node.op
        pairs = list(zip(self.node.outputs, op.inner.outputs, strict=False))
        sequences, _, _, others = op.split_inner(op.inner.inputs)
        _, outer, _, _, fixed = op.split(self.node.inputs)
        for v, taps in zip(outer, sequences, strict=True):
            pairs += [(whole, taps[0]) for whole in _read_backwards(v) if taps]
        pairs += zip(fixed, others, strict=True)
        for variable, inner in pairs:
            if key is variable or (isinstance(key, str) and variable.name == key):
                return inner if inner in self.columns else None
        return None

    def record(
        self, node_id: int, inner: Snapshot, port: Callable[[Variable], Port | None]
    ) -> ScanTrace:
        """The record; `port` names inner variables."""
        columns = (
            (p, (column.hidden if is_random_state(v.type) else column.summaries)(self.n_steps))
            for v, column in self.columns.items()
            if (p := port(v)) is not None and column.rows
        )
        return ScanTrace(self.name, node_id, inner, self.n_steps, tuple(columns), self.dropped)

    def __repr__(self) -> str:
        return f"Trace({self.name}, {self.n_steps} iterations, {len(self.columns)} variables)"


class Step(Mapping[Any, Any]):
    """One iteration: a mapping from inner variables, or their names, to values."""

    def __init__(self, trace: Trace, t: int) -> None:
        self.trace = trace
        self.t = t

    def __getitem__(self, key: Variable | str) -> Any:
        column = self.trace.columns[self.trace.find(key)]
        value = column.at(self.t)
        if value is None:
            raise ValueError(f"{key} has no value: {self.trace._absent(column, self.t)}")
        return value

    def __iter__(self) -> Iterator[Variable]:
        return iter(self.trace.columns)

    def __len__(self) -> int:
        return len(self.trace.columns)

    def __repr__(self) -> str:
        shown = "".join(f"\n  {v} = {c.at(self.t)}" for v, c in self.trace.columns.items())
        return f"iteration {self.t} of {self.trace.n_steps} of scan '{self.trace.name}'{shown}"


class TraceRecorder:
    """Listens to the interpreter: a `Trace` for each of the scans it was made for, in their order.

    budget  bytes of raw values that may be kept in all; beyond them there are summaries only
    """

    def __init__(self, nodes: Sequence[Apply], budget: int) -> None:
        self.traces: dict[Apply, Trace] = {node: Trace(node) for node in nodes if _is_loop(node)}
        self.left = budget
        self._open: Trace | None = None

    def before(self, node: Apply, inputs: Sequence[Any]) -> None:
        if node in self.traces:
            self._open = self.traces[node]
            self._open.began = True

    def iteration(self, node: Apply, t: int, given: Mapping[Variable, Any]) -> None:
        """Iteration t of a scan begins with these inner inputs."""
        trace = self._open
        if trace is None or node is not trace.node:
            return
        trace.n_steps = t + 1
        for variable, value in given.items():
            self._add(trace, variable, value)

    def after(
        self, node: Apply, inputs: Sequence[Any], outputs: Sequence[Any], seconds: float
    ) -> None:
        if self._open is None:
            return
        if node is self._open.node:
            self._open = None
            return
        for variable, value in zip(node.outputs, outputs, strict=True):
            self._add(self._open, variable, value)

    def _add(self, trace: Trace, variable: Variable, value: Any) -> None:
        column = trace.columns.get(variable)
        if column is None:
            return
        size = 0 if column.repeats(value) else int(getattr(value, "nbytes", 0))
        keep = size <= self.left
        if keep:
            self.left -= size
        elif not trace.dropped:
            trace.dropped = _dropped(trace.n_steps - 1)
        column.add(trace.n_steps - 1, value, keep)


def _dropped(t: int) -> str:
    from workbench.configuration import config

    return (
        f"from iteration {t} on values are kept as summaries only: "
        f"the budget of {config.trace_budget} MB is used up (config.trace_budget)"
    )


def _is_loop(node: Apply) -> bool:
    return isinstance(node.op, Scan)


def _inner_variables(inner: Any) -> list[Variable]:
    return [*inner.inputs, *(v for node in inner.nodes for v in node.outputs)]


def _apart(value: Any) -> Any:
    """The value without the larger array that it may be a view of, which would stay, too."""
    base = getattr(value, "base", None)
    return value.copy() if isinstance(base, np.ndarray) and base.nbytes > value.nbytes else value


def _read_backwards(variable: Variable) -> list[Variable]:
    """A loop's sequence, and what it is of where the loop goes backwards."""
    node = variable.owner
    backwards = node is not None and getattr(node.op, "spec", None) == ((None, None, -1),)
    return [variable, node.inputs[0]] if node is not None and backwards else [variable]


def summarise_rows(rows: Sequence[Any]) -> list[Summary]:
    """A summary of each row, without histograms; many rows of one shape are done together, and what
    stays the same is done once.
    """
    made: dict[int, Summary] = {}
    different = list({id(row): row for row in rows}.values())
    largest = max((int(getattr(r, "nbytes", 0)) for r in different), default=0)
    most = max(1, AT_ONCE // max(1, largest))
    for first in range(0, len(different), most):
        some = different[first : first + most]
        made.update(zip(map(id, some), _summarise_together(some), strict=True))
    return [made[id(row)] for row in rows]


def _summarise_together(rows: Sequence[Any]) -> list[Summary]:
    uniform = len(rows) > 1 and all(
        isinstance(r, (np.ndarray, np.generic)) and r.shape == rows[0].shape for r in rows
    )
    if not uniform or rows[0].size == 0 or rows[0].dtype.kind not in "biuf":
        return [summarise(row, bins=0) for row in rows]
    stacked = np.stack(rows).reshape(len(rows), -1)
    if not np.isfinite(stacked).all():
        return [summarise(row, bins=0) for row in rows]
    zeros = (stacked.shape[1] - np.count_nonzero(stacked, axis=1)).tolist()
    low, high = stacked.min(axis=1).tolist(), stacked.max(axis=1).tolist()
    mean = stacked.mean(axis=1, dtype=np.float64)
    std = np.sqrt(np.square(stacked - mean[:, None]).mean(axis=1)).tolist()
    samples = stacked[:, :SAMPLES].tolist()
    shape, dtype = rows[0].shape, str(rows[0].dtype)
    return [
        Summary(shape, dtype, float(a), float(b), m, s, 0, 0, z, (), tuple(x))
        for a, b, m, s, z, x in zip(low, high, mean.tolist(), std, zeros, samples, strict=True)
    ]
