"""DebugMode: every rewrite, every node and every back end is checked on the values of every call.

It finds defects of rules, ops and native code: in a user's program there is nothing for it to find.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from workbench.configuration import config
from workbench.core.debug.compare import difference
from workbench.core.debug.errors import (
    BadOptimization,
    BadThunkOutput,
    BadViewMap,
    StochasticOrder,
)
from workbench.core.debug.natively import NativeNodes, run_native
from workbench.core.debug.replay import Replay
from workbench.core.debug.steps import Steps, as_text
from workbench.core.debug.watch import Watch
from workbench.core.interpreter import Interpreter
from workbench.core.link import Fast, Linked, Plan, PyLinked, native_link
from workbench.core.modes import Mode
from workbench.core.ops.print_op import silenced
from workbench.core.profile import Profiler
from workbench.frozen import frozen


@frozen
class DebugMode(Mode):
    """Each call runs the graph as it was written, replays every rewrite on the values, and runs
    every node of the optimised graph by itself and all of it together in native code.

    optimizer                   as in Mode
    stability_patience          how often a graph is optimised to see that the result is the same
    check_c_code, check_py_code native code is compared with the interpreter where both are true
    check_isfinite              a result that is not finite is an error
    check_preallocated_output   '' or how: native nodes run a second time in used memory
    require_matching_strides    0; 1 warns, 2 is an error where native results lie differently

    None stands for what config.DebugMode says. Errors are of the family DebugModeError:
    BadOptimization (a rule), BadThunkOutput (native code), BadDestroyMap (an op wrote to an input),
    BadViewMap (a result is the caller's memory), InvalidValueError (a value is not of its type),
    StochasticOrder (twice the same gave two results). A call that fails stores no update.
    """

    stability_patience: Any = None  # Any: after the initialisation never None
    check_c_code: Any = None
    check_py_code: Any = None
    check_isfinite: Any = None
    check_preallocated_output: Any = None
    require_matching_strides: Any = None

    def __init__(
        self,
        optimizer: str | None = "fast_run",
        stability_patience: int | None = None,
        check_c_code: bool | None = None,
        check_py_code: bool | None = None,
        check_isfinite: bool | None = None,
        check_preallocated_output: str | bool | None = None,
        require_matching_strides: int | None = None,
        linker: str | None = None,
        **names: Any,
    ) -> None:
        flags = config.DebugMode
        given = {
            "stability_patience": (stability_patience, flags.patience),
            "check_c_code": (check_c_code, flags.check_c),
            "check_py_code": (check_py_code, flags.check_py),
            "check_isfinite": (check_isfinite, flags.check_finite),
            "check_preallocated_output": (check_preallocated_output, "previous"),
            "require_matching_strides": (require_matching_strides, flags.check_strides),
        }
        chosen = {name: default if own is None else own for name, (own, default) in given.items()}
        self._fill(optimizer=optimizer, linker=linker, **chosen, **names)

    @property
    def compares(self) -> bool:
        """Whether native code is compared with the interpreter."""
        return bool(self.check_c_code and self.check_py_code)

    def listeners(self) -> Sequence[Any]:
        return [Steps()]

    def link(self, plan: Plan, slow: Fast, program: Any, listeners: Sequence[Any]) -> Linked:
        (steps,) = listeners
        self._check_stable(plan, program, steps)
        return DebugLinked(self, plan, program, steps)

    def _check_stable(self, plan: Plan, program: Any, steps: Steps) -> None:
        """Raises StochasticOrder where optimising again does something else."""
        from workbench.core.function import optimised

        first = [*steps.lines(), *as_text(plan.results)]
        for _ in range(self.stability_patience - 1):
            again = Steps()
            outputs = optimised(program, self, [again]).outputs
            for a, b in zip_longest(
                first, [*again.lines(), *as_text(outputs)], fillvalue="nothing"
            ):
                if a != b:
                    raise StochasticOrder(
                        f"two optimisations of {program.name} differ",
                        f"the first time: {a}\nanother time: {b}",
                        advice="a rule depends on something else than the graph; report it",
                    )


class DebugLinked(PyLinked):
    """A plan whose calls are checked. What is returned is what the interpreter computes."""

    def __init__(self, mode: DebugMode, plan: Plan, program: Any, steps: Steps) -> None:
        super().__init__(plan, ["run by the interpreter: every node and every rewrite is checked"])
        self.mode = mode
        self.program = program
        self.original = Interpreter(program.results)
        self.replay = Replay(steps)
        self.native = NativeNodes(
            bool(mode.check_preallocated_output), mode.require_matching_strides
        )
        self._whole: Any = None  # the native program of the whole plan, made by the first call

    def run(self, args: Sequence[Any], profile: Profiler | None = None) -> list[Any]:
        given = dict(zip(self.program.variables, args, strict=True))
        written = Watch()
        expected = self.original.run(given, [written])
        with silenced():
            timed = [] if profile is None else [profile.listener(self.interpreter.nodes)]
            watch = Watch(self.mode.check_isfinite, again=True)
            native = [_Natively(self)] if self.mode.compares else []
            inputs = dict(zip(self.plan.inputs, args, strict=True))
            self.replay.run(given)
            found = self.interpreter.run(inputs, [watch, *timed, *native])
            if not written.left_range:  # else a stable formula may well give another value
                self._compare(args, expected, found)
            if self.mode.compares:
                self._check_whole(args, found)
        return self.store(found, args)

    def _compare(self, args: Sequence[Any], expected: Sequence[Any], found: Sequence[Any]) -> None:
        """The graph as it was written against the optimised one."""
        for i, (variable, a, b) in enumerate(
            zip(self.program.results, expected, found, strict=True)
        ):
            if text := difference(a, b, _largest_of([*args, *expected])):
                raise BadOptimization(
                    f"the optimised function gives another value of {self._name(i)}: {text}",
                    place=variable.place,
                    advice="no single rule did: look at the pass 'merge', or at an op's evaluate",
                ).at(variable)

    def _name(self, i: int) -> str:
        count = len(self.plan.outputs)
        if i < count:
            return f"output {i}"
        return f"the update of {self.plan.updates[i - count][0]}"

    def _check_whole(self, args: Sequence[Any], found: Sequence[Any]) -> None:
        """The native program of all nodes together; its results must be memory of their own."""
        if self._whole is None:
            plan = Plan(self.plan.inputs, self.plan.results, name=self.plan.name)
            self._whole = native_link(plan, _no_fast_call)
        if isinstance(self._whole, PyLinked):  # llvmlite is not there
            return
        passed = [np.array(a) if isinstance(a, np.ndarray) else a for a in args]
        results = run_native(self._whole, passed, None)
        for i, (a, b) in enumerate(zip(found, results, strict=True)):
            if text := difference(a, b, _largest_of([*args, *found])):
                raise BadThunkOutput(
                    f"the native program and the interpreter differ in {self._name(i)}, but in no "
                    f"single node: {text}",
                    place=self.plan.results[i].place,
                    advice="use linker='py' until it is mended, and report it",
                ).at(self.plan.results[i])
        self._check_owned(passed, results)

    def _check_owned(self, args: Sequence[Any], results: Sequence[Any]) -> None:
        held = [a for a in (*args, *self._shared_values()) if isinstance(a, np.ndarray)]
        for i, result in enumerate(results):
            if isinstance(result, np.ndarray) and any(np.shares_memory(result, a) for a in held):
                raise BadViewMap(
                    f"{self._name(i)} is memory of an argument, of a shared variable or of another "
                    "result",
                    place=self.plan.results[i].place,
                    advice="native results must be arrays of their own; report it",
                ).at(self.plan.results[i])
            if isinstance(result, np.ndarray):
                held.append(result)

    def _shared_values(self) -> Iterator[Any]:
        for variable in (*self.kept, *(target for target, _ in self.plan.updates)):
            cell = getattr(variable, "cell", None)
            yield cell[0] if cell is not None else getattr(variable, "data", None)


class _Natively:
    """Listens to the interpreter and checks every node outside of loops natively."""

    def __init__(self, linked: DebugLinked) -> None:
        self.native = linked.native
        self.nodes = set(linked.interpreter.nodes)

    def before(self, node: Any, inputs: Sequence[Any]) -> None: ...

    def after(
        self, node: Any, inputs: Sequence[Any], outputs: Sequence[Any], seconds: float
    ) -> None:
        if node in self.nodes and not getattr(node.op, "is_lazy", False):
            self.native.check(node, inputs, outputs)


def _no_fast_call(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("only checked arguments are passed")


def _largest_of(values: Sequence[Any]) -> list[Any]:
    return [v for v in values if isinstance(v, (np.ndarray, np.generic))]
