"""Modes: which rewrites a function gets, and what runs the result."""

from __future__ import annotations

from dataclasses import replace

from workbench.configuration import config
from workbench.errors import DeviceError, ModeError, nearest
from workbench.frozen import frozen

LINKERS = ("native", "py")
OPTIMISERS = ("fast_run", "fast_compile", "none")


def _one_of(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        near = nearest(str(value), list(known))
        raise ModeError(f"there is no {what} {value!r}; there are {', '.join(known)}.{near}")


@frozen
class Mode:
    """How a function is made.

    linker      'native' (one native program where there is one, else the interpreter) or 'py' (the
                interpreter)
    optimizer   'fast_run' (every pass), 'fast_compile' (the cheap ones) or 'none' (the graph as it
                was written)
    excluded    passes and rules that are left out, by name
    included    passes and rules that are added, by name

    Raises ModeError for a linker or optimizer that does not exist.
    """

    linker: str = "native"
    optimizer: str = "fast_run"
    excluded: frozenset[str] = frozenset()
    included: frozenset[str] = frozenset()
    name: str = ""

    def __post_init__(self) -> None:
        _one_of("linker", self.linker, LINKERS)
        _one_of("optimizer", self.optimizer, OPTIMISERS)

    def excluding(self, *names: str) -> Mode:
        """The mode without these passes and rules."""
        return replace(
            self, excluded=self.excluded | set(names), included=self.included - set(names), name=""
        )

    def including(self, *names: str) -> Mode:
        """The mode with these passes and rules."""
        return replace(
            self, included=self.included | set(names), excluded=self.excluded - set(names), name=""
        )

    def __str__(self) -> str:
        return self.name or f"Mode({self.linker}, {self.optimizer})"


MODES = {
    "FAST_RUN": Mode("native", "fast_run", name="FAST_RUN"),
    "FAST_COMPILE": Mode("py", "fast_compile", name="FAST_COMPILE"),
}


def get_mode(mode: Mode | str | None) -> Mode:
    """The mode of a name; the configured one for None. Raises ModeError for an unknown name."""
    if isinstance(mode, Mode):
        return mode
    name = config.mode if mode is None else mode
    if not isinstance(name, str) or name not in MODES:
        near = nearest(str(name), list(MODES))
        raise ModeError(f"there is no mode {name!r}; there are {', '.join(MODES)}.{near}")
    return MODES[name]


def get_device(device: str | None) -> str:
    """The device of a name; the configured one for None. Raises DeviceError for one that is not
    there.
    """
    name = config.device if device is None else device
    if name in ("cpu", "auto"):
        return "cpu"
    raise DeviceError(
        f"the device {name!r} is not there; there is 'cpu'", advice="pass device='cpu'"
    )
