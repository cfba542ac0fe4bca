"""ProfileStats: what a profiled function's calls took, in sums that can be asked for and printed.

All times are measured: those of calls around the whole call, those of nodes by the back end that
ran them.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from workbench.configuration import config
from workbench.core.graph import Apply, Op, Variable, toposort
from workbench.core.interpreter import Interpreter
from workbench.core.ops.print_op import silenced
from workbench.core.printing import profile_text as text
from workbench.core.profile import Profiler, Times
from workbench.core.profile_sums import Sizes, by_class, by_op


class ProfileStats(Profiler):
    """Collects times of one function, or of several that are given the same one by `profile=`.

    name           titles the report
    memory         measure what the nodes' results take, too, by one more run in the interpreter;
                   None: config.profile_memory
    print_at_exit  print the summary when Python ends, if there were calls

    `summary()` prints everything, `summary_ops()` and its like one part each.
    """

    def __init__(
        self, name: str = "", memory: bool | None = None, print_at_exit: bool = True
    ) -> None:
        super().__init__(name)
        self.memory: bool = config.profile_memory if memory is None else memory
        self.run_times = Times()  # of the compiled program, without the checks on arguments
        self.sizes: dict[Apply, Sizes] = {}
        self.results: set[Variable] = set()
        self.position: dict[Apply, int] = {}  # in the function's toposort
        self.prepared = 0.0  # seconds of this call that were spent to be able to measure
        self._skipped = False  # whether the first call was left out
        if print_at_exit:
            AT_EXIT.add(self)

    # What a function tells

    def made(self, maker: Any, linked: Any) -> None:
        """A function was compiled. Any: a Maker, which knows this module."""
        self.stages += [*maker.stages, *((f"  {n}", s) for n, s in getattr(linked, "stages", ()))]
        self.position.update((node, i) for i, node in enumerate(maker.fgraph.toposort()))
        self.results.update(maker.plan.results)
        for note in linked.notes:
            self.note(note)

    def run(self, linked: Any, plan: Any, values: Sequence[Any]) -> list[Any]:
        if self.memory and not self.sizes.keys() & {*toposort(plan.results)}:
            self._measure_sizes(plan, values)
        start, prepared = perf_counter(), self.prepared
        results: list[Any] = linked.run(values, self if config.profiling.time_thunks else None)
        self.run_times.add(perf_counter() - start - (self.prepared - prepared))
        return results

    def preparing(self, seconds: float) -> None:
        """Of the call that runs now, so much was spent to make the program that counts times."""
        self.prepared += seconds
        self.stage("  timed program", seconds)

    def call(self, seconds: float) -> None:
        super().call(seconds - self.prepared)
        self.prepared = 0.0
        if config.profiling.ignore_first_call and self.call_times.calls == 1 and not self._skipped:
            self.reset()
            self._skipped = True

    def reset(self) -> None:
        """Forget the calls so far; what compiling took stays."""
        self.start()
        self.run_times = Times()

    def _measure_sizes(self, plan: Any, values: Sequence[Any]) -> None:
        """One run in the interpreter, of which nothing is kept but what its results take."""
        began = perf_counter()
        with silenced():
            given = dict(zip(plan.inputs, values, strict=True))
            Interpreter(plan.results).run(given, [_SizeListener(self.sizes)])
        self.prepared += perf_counter() - began

    # Sums

    def compute_total_times(self) -> float:
        """The seconds of all nodes (a loop's include those in its body)."""
        return sum(times.seconds for times in self.outer().values())

    def outer(self) -> dict[Apply, Times]:
        """The nodes that do not stand in a loop's body."""
        return {node: times for node, times in self.nodes.items() if times.parent is None}

    def inside(self, loop: Apply) -> dict[Apply, Times]:
        """The nodes of a loop's body, and those of the loops in it."""
        return {node: times for node, times in self.nodes.items() if times.parent is loop}

    def class_time(self) -> dict[type[Op], float]:
        """Seconds for each op class."""
        return {kind: group.seconds for kind, group in by_class(self.outer()).items()}

    def class_callcount(self) -> dict[type[Op], int]:
        """How often nodes of each op class ran."""
        return {kind: group.calls for kind, group in by_class(self.outer()).items()}

    def op_time(self) -> dict[Op, float]:
        """Seconds for each op."""
        return {op: group.seconds for op, group in by_op(self.outer()).items()}

    def op_callcount(self) -> dict[Op, int]:
        """How often nodes of each op ran."""
        return {op: group.calls for op, group in by_op(self.outer()).items()}

    # Print

    def summary(
        self,
        file: Any = None,
        n_ops_to_print: int | None = None,
        n_apply_to_print: int | None = None,
    ) -> None:
        """Print everything (by default to standard error): the function, its op classes, ops and
        nodes, memory where it was measured, the loops' bodies, and what could be quicker.
        """
        n_ops, n_apply = _rows(n_ops_to_print, n_apply_to_print)
        self.summary_function(file)
        if not self.nodes:
            return
        self.summary_globals(file)
        self.summary_class(file, n_ops)
        self.summary_ops(file, n_ops)
        self.summary_nodes(file, n_apply)
        if self.sizes:
            self.summary_memory(file, n_apply)
        _write(text.loops_text(self, n_ops, n_apply), file)
        self.print_tips(file)

    def summary_function(self, file: Any = None) -> None:
        """Print what calls, nodes and compiling took."""
        _write(text.function_text(self), file)

    def summary_globals(self, file: Any = None) -> None:
        """Print what concerns the whole process."""
        _write(text.process_text(self), file)

    def summary_class(self, file: Any = None, N: int | None = None) -> None:
        """Print the N slowest op classes."""
        _write(text.class_text(self, _rows(N, None)[0]), file)

    def summary_ops(self, file: Any = None, N: int | None = None) -> None:
        """Print the N slowest ops."""
        _write(text.ops_text(self, _rows(N, None)[0]), file)

    def summary_nodes(self, file: Any = None, N: int | None = None) -> None:
        """Print the N slowest nodes."""
        _write(text.nodes_text(self, _rows(None, N)[1]), file)

    def summary_memory(self, file: Any = None, N: int | None = None) -> None:
        """Print what the nodes' results take, the N largest."""
        _write(text.memory_text(self, _rows(None, N)[1]), file)

    def print_tips(self, file: Any = None) -> None:
        """Print what could be quicker."""
        _write(text.tips_text(self), file)


def _write(part: str, file: Any) -> None:
    if part:
        (sys.stderr if file is None else file).write(part + "\n")


def _rows(n_ops: int | None, n_apply: int | None) -> tuple[int, int]:
    flags = config.profiling
    return (
        flags.n_ops if n_ops is None else n_ops,
        flags.n_apply if n_apply is None else n_apply,
    )


def total(stats: Iterable[ProfileStats]) -> ProfileStats:
    """The sum of several profiles."""
    parts = list(stats)
    result = ProfileStats(f"Sum of all {len(parts)} profiles", print_at_exit=False)
    for part in parts:
        for mine, theirs in (
            (result.call_times, part.call_times),
            (result.run_times, part.run_times),
        ):
            mine.calls += theirs.calls
            mine.seconds += theirs.seconds
        result.nodes.update(part.nodes)
        result.stages += part.stages
        result.position.update(part.position)
        result.sizes.update(part.sizes)
        result.results |= part.results
        for note in part.notes:
            result.note(note)
    return result


class _SizeListener:
    """Listens to the interpreter and notes what each node makes."""

    def __init__(self, sizes: dict[Apply, Sizes]) -> None:
        self.sizes = sizes

    def before(self, node: Apply, inputs: Sequence[Any]) -> None: ...

    def after(
        self, node: Apply, inputs: Sequence[Any], outputs: Sequence[Any], seconds: float
    ) -> None:
        arrays = [a for a in inputs if isinstance(a, np.ndarray)]
        made = [out for out in outputs if isinstance(out, (np.ndarray, np.generic))]
        view = any(np.may_share_memory(a, out) for out in made for a in arrays)
        size = 0 if view else sum(int(out.nbytes) for out in made)
        known = self.sizes.get(node)
        if known is None or size > known.bytes:
            self.sizes[node] = Sizes([tuple(out.shape) for out in made], size, view)


class _AtExit:
    """The profiles that are printed when Python ends."""

    def __init__(self) -> None:
        self.profiles: list[ProfileStats] = []

    def add(self, stats: ProfileStats) -> None:
        if not self.profiles:
            atexit.register(self.print_all)
        self.profiles.append(stats)

    def print_all(self) -> None:
        """Print each, and their sum, to where config.profiling.destination says."""
        called = [stats for stats in self.profiles if stats.call_times.calls]
        if not called:
            return
        where = config.profiling.destination
        if where in ("stderr", "stdout"):
            _print_all(called, getattr(sys, where))
            return
        with open(where, "a", encoding="utf-8") as file:
            _print_all(called, file)


def _print_all(profiles: Sequence[ProfileStats], file: Any) -> None:
    for stats in profiles:
        stats.summary(file)
    if len(profiles) > 1:
        total(profiles).summary(file)


# State of the process, as `atexit` itself is: which reports it owes when it ends.
AT_EXIT = _AtExit()
