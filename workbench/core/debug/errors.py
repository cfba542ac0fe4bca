"""What the debugging modes find."""

from __future__ import annotations

from typing import Any

from workbench.errors import WorkbenchError


class NanGuardError(WorkbenchError, AssertionError):
    """A nan, an inf or a big value came up in a function that NanGuardMode made."""


class DebugModeError(WorkbenchError, AssertionError):
    """DebugMode found a defect of a rule, an op or a back end."""


class BadOptimization(DebugModeError):
    """A rewrite changed a value. `rule` is the rule that did, where it is known."""

    rule: Any = None  # Any: a Rule, which stands above the errors


class BadThunkOutput(DebugModeError):
    """Two back ends compute different values for one node."""


class BadDestroyMap(DebugModeError):
    """A node wrote to its inputs."""


class BadViewMap(DebugModeError):
    """A result is memory that the caller holds already."""


class InvalidValueError(DebugModeError):
    """A value is not of its variable's type, or is not finite."""


class StochasticOrder(DebugModeError):
    """Two optimisations of one graph, or two runs of one node, are different."""
