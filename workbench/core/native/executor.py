"""Native linking: a plan as one native program with its entry, or as several with the interpreter
between them.
"""

from __future__ import annotations

import ctypes
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.configuration import config
from workbench.core.link import Fast, Plan, PyLinked
from workbench.core.native import engine
from workbench.core.native.entry import ENTRY_EXPORTS, Owner, entry_text, native_entry
from workbench.core.native.library import Complete, complete
from workbench.core.native.program import Program, write_program
from workbench.core.native.runtime import INTERRUPTED
from workbench.core.native.split import split_link
from workbench.core.native.target import NoNativeForm
from workbench.core.profile import Profiler


def link_native(plan: Plan, slow: Fast) -> Any:  # Any: a Linked
    """The plan as native code. Where some op has no native form the plan is split around it, which
    a note tells.
    """
    try:
        return NativeLinked(plan, slow)
    except NoNativeForm:
        return split_link(plan, lambda part: NativeLinked(part, slow))


class NativeLinked:
    """A plan as one native program. `fast` is the entry: what it is not made for goes to `slow`."""

    notes: Sequence[str] = ()

    def __init__(self, plan: Plan, slow: Fast) -> None:
        self.plan = plan
        self._user_slow = slow
        self._ready = threading.local()
        self._timed: _Timed | None = None
        self._built = _Build(plan, self._slow, timed=False)
        self.fast: Fast | None = self._built.entry

    @property
    def stages(self) -> list[tuple[str, float]]:
        """What the native compiler's stages took, in seconds."""
        return list(self._built.module.timings.items())

    def run(self, args: Sequence[Any], profile: Profiler | None = None) -> list[Any]:
        ready = [
            np.require(a, requirements=("C", "A")) if isinstance(a, np.ndarray) else a for a in args
        ]
        for variable in self._built.program.shared:
            value = variable.cell[0]
            if isinstance(value, np.ndarray) and not (
                value.flags.c_contiguous and value.flags.aligned
            ):
                variable.cell[0] = np.require(value, requirements=("C", "A"))
        if profile is not None:
            return self._run_timed(ready, profile)
        return self._call(self._built.entry, ready)

    def _call(self, entry: Callable[..., Any], ready: Sequence[Any]) -> list[Any]:
        self._ready.now = True
        try:
            result = entry(*ready)
        finally:
            self._ready.now = False
        return [result] if self.plan.single else result

    def _slow(self, *args: Any, **kwargs: Any) -> Any:
        """What the entry does not take, and what its program failed at: the interpreter then says
        what is wrong.
        """
        code = self._failure()
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if not getattr(self._ready, "now", False):
            return self._user_slow(*args, **kwargs)
        results = PyLinked(self.plan).run(args)
        if code > 0:
            self._tell_of_disagreement(code)
        return results[0] if self.plan.single else results

    def _failure(self) -> int:
        """What the program of this call returned; 0 where its arguments did not fit."""
        builds = [self._built, *([self._timed.build] if self._timed else [])]
        failures = [build.owner.last_error() for build in builds]  # each tells only once
        return next((failure[0] for failure in failures if failure is not None), 0)

    def _tell_of_disagreement(self, code: int) -> None:
        """The native program refused what the definition can do: the result is right, but late."""
        node = self._built.program.failed[code - 1]
        warnings.warn(
            f"native code refused {node.op} (made at {node.place}), which the interpreter could "
            "compute: this call was slow. Please report it.",
            stacklevel=2,
        )

    def _run_timed(self, ready: Sequence[Any], profile: Profiler) -> list[Any]:
        if self._timed is None:
            start = time.perf_counter()
            self._timed = _Timed(_Build(self.plan, self._slow, timed=True))
            profile.preparing(time.perf_counter() - start)
        before = self._timed.read()
        results = self._call(self._timed.build.entry, ready)
        self._timed.tell(profile, before)
        return results

    def free(self) -> None:
        """Give back the memory that is kept between calls."""
        for build in (self._built, *([self._timed.build] if self._timed else [])):
            build.owner.free()

    def code(self, kind: str = "llvm") -> str:
        """The program's text: 'llvm' as written, 'optimised' after LLVM's passes, or 'assembly'."""
        text = self._built.whole.text
        if kind == "llvm":
            return text
        return engine.assembly(text) if kind == "assembly" else engine.optimised(text)


class _Build:
    """A program written, compiled and entered."""

    def __init__(self, plan: Plan, slow: Fast, timed: bool) -> None:
        self.program: Program = write_program(
            plan.inputs, plan.outputs, plan.updates, engine.host(), single=plan.single, timed=timed,
            blas_threads=config.blas_threads, strict=plan.strict,
        )  # fmt: skip
        self.whole: Complete = complete(self.program.text + entry_text(self.program.spec))
        exports = (*ENTRY_EXPORTS, "wb.times") if timed else ENTRY_EXPORTS
        self.module = engine.compile(
            self.whole.text, self.whole.symbols, exports, cache=config.cache
        )
        cells = [variable.cell for variable in self.program.shared]
        self.entry = native_entry(
            self.module, self.program.spec, cells, slow, plan.name or "function"
        )
        self.owner: Owner = self.entry.__self__  # type: ignore[attr-defined]


class _Timed:
    """A program that counts the nanoseconds and the runs of each of its nodes."""

    def __init__(self, build: _Build) -> None:
        self.build = build
        size = 2 * len(build.program.timed)
        self._words = (ctypes.c_int64 * size).from_address(build.module.address("wb.times"))

    def read(self) -> list[int]:
        return list(self._words)

    def tell(self, profile: Profiler, before: Sequence[int]) -> None:
        """Tell the profiler what each node took since `before`."""
        now = self.read()
        for k, (node, parent) in enumerate(self.build.program.timed):
            calls = now[2 * k + 1] - before[2 * k + 1]
            if calls:
                profile.node(
                    node, (now[2 * k] - before[2 * k]) * 1e-9, calls, form="native", parent=parent
                )
