"""The named errors. Each is also a subclass of the Python exception that a user would expect.

A message has four parts, in this order: what was wrong; the op with the types and shapes that met;
where the user wrote it; what to do. Every error that names a node carries it as `.node`.
"""

from __future__ import annotations

from typing import Self

from numpy.linalg import LinAlgError


class WorkbenchError(Exception):
    """Base of every error that the workbench raises about a user's program: its message is the
    parts, a line each.

    wrong   what was wrong
    met     the op with the types and shapes that met
    place   where the user made the node at fault; where there is none, `here`: the user's line that
            led to the error
    advice  what to do
    node    the graph node at fault (a Variable or an Apply), or None; views mark it red
    details what config.exception_verbosity='high' adds below these
    """

    details = ""

    @staticmethod
    def locate() -> object:
        """The user's own line that is running now; `workbench.core.origin` puts its function
        here.
        """
        return None

    def __init__(
        self,
        wrong: str = "",
        met: str = "",
        place: object = None,
        advice: str = "",
        node: object = None,
    ) -> None:
        super().__init__(wrong)
        self.wrong, self.met, self.place, self.advice, self.node = wrong, met, place, advice, node
        self.here = None if place else self.locate()

    def at(self, node: object) -> Self:
        """The same error, carrying the node it is about."""
        self.node = node
        return self

    def __str__(self) -> str:
        where = f"made at {self.place}" if self.place else f"at {self.here}" if self.here else ""
        parts = (self.wrong, self.met, where, self.advice, self.details)
        return "\n".join(part for part in parts if part)


class DtypeError(WorkbenchError, TypeError):
    """Values of the wrong dtype met, or a value does not fit its variable's dtype."""


class ConditionError(WorkbenchError, AssertionError):
    """A condition that the user put into a graph is false."""


class RankError(WorkbenchError, TypeError):
    """A value or variable has the wrong number of dimensions."""


class ShapeError(WorkbenchError, ValueError):
    """Shapes that met do not fit together."""


class LengthError(ShapeError, TypeError):
    """A value's axis has another length than the type of its variable says."""


class IndexOutOfRange(WorkbenchError, IndexError):
    """An index lies outside its axis, or there are more indices than axes."""


class GraphError(WorkbenchError, TypeError):
    """A graph was built of things that cannot be in one."""


class ArgumentError(WorkbenchError, TypeError):
    """A compiled function was called with missing, unknown or too many arguments."""


class MissingInputError(WorkbenchError, ValueError):
    """An output needs an input that was not given to `function`."""


class UnusedInputError(WorkbenchError, ValueError):
    """An input given to `function` is used by no output."""


class UpdateError(WorkbenchError, TypeError):
    """An update has no shared variable as its target, or a type other than its target's."""


class DisconnectedInputError(WorkbenchError, ValueError):
    """A gradient was asked with respect to something that the cost does not depend on."""


class NullGradientError(WorkbenchError, TypeError):
    """A gradient is not defined for an op on the way from cost to input."""


class GradientError(WorkbenchError, ValueError):
    """A gradient is not what central differences of the function are: `verify_grad` found it."""


class LinearAlgebraError(WorkbenchError, LinAlgError):
    """A matrix is singular, not positive definite, or an iteration on it did not converge."""


class ScanError(WorkbenchError, ValueError):
    """A scan's step function, sequences or initial states do not fit together."""


class NegativeStepsError(ScanError, IndexError):
    """A scan was run with a number of steps below zero."""


class RandomError(WorkbenchError, ValueError):
    """A random draw or a stream's state is not possible as it was asked for."""


class MissingTestValueError(WorkbenchError, ValueError, AttributeError):
    """A test value is needed of a variable that has none."""


class ConfigError(WorkbenchError, ValueError):
    """An unknown configuration flag or a value that the flag does not take."""


class ModeError(WorkbenchError, ValueError):
    """An unknown mode, linker or optimiser."""


class DeviceError(WorkbenchError, RuntimeError):
    """A device that is not there, or that failed."""


class DeviceNotFoundError(DeviceError, LookupError):
    """There is no device of this name."""


class DriverError(DeviceError, ImportError):
    """A device's driver, or the library that speaks with it, is not installed."""


class DeviceMemoryError(DeviceError, MemoryError):
    """A device has not as much memory as is needed, or as its limit allows."""


class KernelError(DeviceError):
    """A device's compiler refused a kernel. This is a defect of ours, or of the compiler."""


class DeviceLostError(DeviceError):
    """A device failed while it ran."""


class RewriteError(WorkbenchError, RuntimeError):
    """A rewrite broke a rule of the graph: it changed a dtype or made a cycle. This is a defect of
    the rule.
    """


class ArchiveError(WorkbenchError, ValueError):
    """What is to be saved has no name or is no array, or a saved file does not fit."""


class UsageError(WorkbenchError, ValueError):
    """A function, a magic or the command line was called with options that do not exist or do not
    fit.
    """


def nearest(name: str, known: list[str]) -> str:
    """' Did you mean …?' for the known name nearest to this one, or ''."""
    import difflib

    match = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" Did you mean '{match[0]}'?" if match else ""
