"""A plan run by the interpreter while somebody listens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.interpreter import Listener
from workbench.core.link import Plan, PyLinked
from workbench.core.profile import Profiler

# A listener for one call, from the plan and the call's arguments.
Watch = Callable[[Plan, Sequence[Any]], Listener]


class WatchedLinked(PyLinked):
    """The plan run by the interpreter, with a listener of its own for every call."""

    def __init__(self, plan: Plan, watch: Watch) -> None:
        super().__init__(plan, ["run by the interpreter: every node is watched"])
        self.watch = watch

    def run(self, args: Sequence[Any], profile: Profiler | None = None) -> list[Any]:
        timed = [] if profile is None else [profile.listener(self.interpreter.nodes)]
        return self.run_watched(args, [self.watch(self.plan, args), *timed])
