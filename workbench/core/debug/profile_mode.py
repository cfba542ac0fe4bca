"""ProfileMode: the times of every function that was made with it, printed together."""

from __future__ import annotations

import sys
from typing import Any

from workbench.configuration import config
from workbench.core.modes import Mode
from workbench.core.printing import profile_mode_text as text
from workbench.core.profile_stats import ProfileStats
from workbench.frozen import frozen


@frozen
class ProfileMode(Mode):
    """Functions are made as in Mode and collect times, which `print_summary()` prints.

    `profiles` are the functions' own; each is also its function's `f.profile`.
    """

    profiles: Any = ()  # Any: after the initialisation a list of ProfileStats, which only grows

    def __init__(
        self, linker: Any = None, optimizer: str | None = "default", **names: Any
    ) -> None:  # Any: a linker's name
        self._fill(linker=linker, optimizer=optimizer, **{"profiles": [], **names})

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def profiler(self, name: str) -> ProfileStats:
        """A new profile for a function of this name."""
        memory = config.ProfileMode.profile_memory
        stats = ProfileStats(name, memory=memory or None, print_at_exit=False)
        self.profiles.append(stats)
        return stats

    def print_summary(
        self,
        n_apply_to_print: int | None = None,
        n_ops_to_print: int | None = None,
        file: Any = None,
    ) -> None:
        """Print the times of all its functions: in all, by function, by op class, by op, by node.
        The defaults of the numbers are those of config.ProfileMode.
        """
        flags = config.ProfileMode
        n_apply = flags.n_apply_to_print if n_apply_to_print is None else n_apply_to_print
        n_ops = flags.n_ops_to_print if n_ops_to_print is None else n_ops_to_print
        (file or sys.stdout).write(text.summary_text(self.profiles, n_apply, n_ops))

    def print_diff_summary(
        self,
        other: ProfileMode,
        n_apply_to_print: int | None = None,
        n_ops_to_print: int | None = None,
        file: Any = None,
    ) -> None:
        """Print by how much the times of another ProfileMode are larger than those of this one."""
        flags = config.ProfileMode
        n_apply = flags.n_apply_to_print if n_apply_to_print is None else n_apply_to_print
        n_ops = flags.n_ops_to_print if n_ops_to_print is None else n_ops_to_print
        (file or sys.stdout).write(text.diff_text(self.profiles, other.profiles, n_apply, n_ops))
