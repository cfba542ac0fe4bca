"""Running a plan with devices."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.configuration import config
from workbench.core.link import Fast, Plan, PyLinked
from workbench.core.native import engine, layout
from workbench.core.native.runtime import INTERRUPTED, NO_MEMORY
from workbench.core.native.split import split_link
from workbench.core.native.target import NoNativeForm
from workbench.core.profile import Profiler
from workbench.errors import DeviceError
from workbench.gpu.abi import DEVICE_FAILED, FLAGGED
from workbench.gpu.build import Build
from workbench.gpu.timed import TimedBuild

_FLAGS = config.values


def link_devices(plan: Plan, slow: Fast) -> Any:  # Any: a Linked
    """The plan as one native program, or as several where some op of the host's has no native
    form.
    """
    if not layout.is_known():
        raise DeviceError(
            "functions for devices run on 64-bit CPython only",
            advice="use CPython with the GIL, or device='cpu'",
        )
    try:
        return DeviceLinked(plan, slow)
    except NoNativeForm:
        return split_link(plan, lambda part: DeviceLinked(part, slow))


class DeviceLinked:
    """A plan as one native program whose nests are launched on devices."""

    notes: Sequence[str] = ()

    def __init__(self, plan: Plan, slow: Fast) -> None:
        self.plan = plan
        self._user_slow = slow
        self._ready = threading.local()
        self._built = Build(plan, self._slow)
        self._timed_build: TimedBuild | None = None
        self._blocking = bool(_FLAGS["device_sync"])
        self.fast: Fast | None = self._fast()

    @property
    def stages(self) -> list[tuple[str, float]]:
        """What compiling took, in seconds."""
        return [*self._built.module.timings.items(), ("kernels", self._built.kernel_seconds)]

    def _fast(self) -> Fast:
        """The entry, before which a change of config.device_sync is heeded."""
        entry, flags = self._built.entry, _FLAGS

        def call(*args: Any, **kwargs: Any) -> Any:
            if flags["device_sync"] is not self._blocking:
                self._heed()
            return entry(*args, **kwargs)

        return call

    def _heed(self) -> None:
        self._blocking = bool(_FLAGS["device_sync"])
        for table in self._built.tables:
            table.device.block_on_commands(self._blocking)

    def run(self, args: Sequence[Any], profile: Profiler | None = None) -> list[Any]:
        ready = [_ready_argument(v, a) for v, a in zip(self.plan.inputs, args, strict=True)]
        return self._call(self._built, ready) if profile is None else self._timed(ready, profile)

    def _timed(self, ready: Sequence[Any], profile: Profiler) -> list[Any]:
        """A call of the program that tells what each node took."""
        if self._timed_build is None:
            start = time.perf_counter()
            self._timed_build = TimedBuild(self.plan, self._slow)
            profile.preparing(time.perf_counter() - start)
        with self._timed_build.recorded(profile) as build:
            return self._call(build, ready)

    def _call(self, build: Build, ready: Sequence[Any]) -> list[Any]:
        self._ready.build = build
        self._heed()
        try:
            result = build.entry(*ready)
        finally:
            self._ready.build = None
        return [result] if self.plan.single else result

    def _slow(self, *args: Any, **kwargs: Any) -> Any:
        """What the entry does not take, and what its program failed at."""
        now = getattr(self._ready, "build", None)
        build = now or self._built
        failure = build.owner.last_error()
        code = 0 if failure is None else failure[0]
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if code == NO_MEMORY:
            raise build.service_error()
        if code == DEVICE_FAILED:
            raise build.device_error()
        if now is None:
            return self._user_slow(*args, **kwargs)
        if code == FLAGGED:
            error = build.flagged()
            PyLinked(self.plan).run(args)  # it says what is wrong
            raise error
        if code == 0 and build.busy:
            while build.busy:  # another thread's call
                time.sleep(1e-4)
            return build.entry(*args)
        results = PyLinked(self.plan).run(args)
        return results[0] if self.plan.single else results

    def wait(self) -> None:
        """Until all is done that calls have queued."""
        for table in self._built.tables:
            table.device.finish()

    def free(self) -> None:
        """Give back the memory that is kept between calls."""
        for build in filter(None, (self._built, self._timed_build)):
            build.free()

    def code(self, kind: str = "llvm") -> str:
        """The program's text: 'llvm', 'optimised' or 'assembly' of what the host runs, or the
        'kernels'.
        """
        if kind == "kernels":
            return self._built.kernel_text
        text = self._built.text
        if kind == "llvm":
            return text
        return engine.assembly(text) if kind == "assembly" else engine.optimised(text)


def _ready_argument(variable: Any, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return np.require(value, requirements=("C", "A"))
    return value
