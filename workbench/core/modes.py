"""Modes: which rewrites a function gets, and what runs the result.

The names are Theano's and our own; each is a row of a table here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from importlib import import_module
from typing import Any

from workbench.configuration import config
from workbench.core.link import LINKERS, Fast, Linked, Plan, link
from workbench.errors import ModeError, nearest
from workbench.frozen import frozen


@frozen
class Optimizer:
    """A choice of passes: a pipeline of `workbench.core.rewrite`, and passes added to it."""

    pipeline: str
    added: frozenset[str] = frozenset()


FAST_RUN = Optimizer("fast_run")
FAST_COMPILE = Optimizer("fast_compile")
NO_REWRITES = Optimizer("none")
OPTIMISERS: dict[str, Optimizer] = {
    "fast_run": FAST_RUN,
    "fast_compile": FAST_COMPILE,
    "none": NO_REWRITES,
    "o4": FAST_RUN,
    "o3": FAST_RUN,  # elsewhere: without overwriting; here that is no rewrite, but the code's own
    "o2": Optimizer("fast_compile", frozenset({"fusion"})),
    "o1": FAST_COMPILE,
    "fast_run_stable": FAST_RUN,  # no rewrite of ours is less stable than what it replaces
    "unsafe": FAST_RUN,  # no rewrite of ours takes a check away
    "stabilize": Optimizer("fast_compile", frozenset({"stabilise"})),
    "merge": NO_REWRITES,  # equal nodes are one node in every compiled graph
    "None": NO_REWRITES,
}

# What passes are called elsewhere. Overwriting is no rewrite here: native code writes over values
# that nobody reads any more, never over what a user holds, so that there is nothing to turn off.
TAGS: dict[str, tuple[str, ...]] = {
    "canonicalize": ("canonicalise",),
    "stabilize": ("stabilise",),
    "specialize": ("specialise",),
    "constant_folding": ("fold",),
    "elemwise_fusion": ("fusion",),
    "local_elemwise_fusion": ("fusion",),
    "scan": ("scan", "tidy_loops", "join_loops"),
    "inplace": (),
    "inplace_opt": (),
    "inplace_elemwise_opt": (),
    "inplace_elemwise_optimizer": (),
}


@frozen
class Recipe:
    """What a mode makes of a graph: a pipeline's name, the passes added to it, the passes and rules
    left out, and the passes that alone are kept (None: all).
    """

    pipeline: str
    added: frozenset[str]
    excluded: frozenset[str]
    required: frozenset[str] | None


@frozen
class Mode:
    """How a function is made.

    linker      'native' (one native program where there is one, else the interpreter), 'py' (the
                interpreter), or another name of the table LINKERS; None: config.linker
    optimizer   'fast_run' (every pass), 'fast_compile' (the cheap ones), None (the graph as it was
                written), or another name of the table OPTIMISERS; 'default': config.optimizer
    excluded    passes and rules that are left out, by name
    included    passes and rules that are added, by name
    required    where there are any, only passes of these names are made

    Raises ModeError for a linker or optimizer that does not exist.
    """

    linker: Any = None  # Any: a name; after the initialisation always one
    optimizer: Any = "default"
    excluded: frozenset[str] = frozenset()
    included: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    name: str = ""

    def __post_init__(self) -> None:
        linker = config.linker if self.linker is None else str(self.linker)
        optimizer = config.optimizer if self.optimizer == "default" else str(self.optimizer)
        _one_of("linker", linker, LINKERS)
        _one_of("optimizer", optimizer, OPTIMISERS)
        object.__setattr__(self, "linker", linker)
        object.__setattr__(self, "optimizer", optimizer)

    def _fill(self, **values: Any) -> None:
        """Initialises a mode that takes its arguments in an order of its own."""
        for item in fields(self):
            object.__setattr__(self, item.name, values.pop(item.name, item.default))
        if values:
            raise TypeError(f"{type(self).__name__} takes no {', '.join(values)}")
        Mode.__post_init__(self)

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

    def requiring(self, *names: str) -> Mode:
        """The mode with only those of its passes that have these names."""
        return replace(self, required=self.required | set(names), name="")

    @property
    def recipe(self) -> Recipe:
        """What the names come to."""
        chosen = OPTIMISERS[self.optimizer]
        return Recipe(
            chosen.pipeline,
            chosen.added | _passes(self.included),
            _passes(self.excluded),
            _passes(self.required) | {"merge"} if self.required else None,
        )

    def listeners(self) -> Sequence[Any]:
        """What listens to the rewrites of one function for `link`."""
        return ()

    def link(self, plan: Plan, slow: Fast, program: Any, listeners: Sequence[Any]) -> Linked:
        """What runs the plan of one function. Any: the program that it was made from."""
        return link(plan, LINKERS[self.linker], slow)

    def profiler(self, name: str) -> Any:
        """Who collects the times of a function of this name, or None. Any: a Profiler."""
        return None

    def __str__(self) -> str:
        return self.name or f"{type(self).__name__}({self.linker}, {self.optimizer})"


def _passes(names: Iterable[str]) -> frozenset[str]:
    """The names of passes and rules that these names and tags mean."""
    return frozenset(known for name in names for known in TAGS.get(name, (name,)))


def _one_of(what: str, value: str, known: Mapping[str, object]) -> None:
    if value not in known:
        near = nearest(value, list(known))
        raise ModeError(f"there is no {what} {value!r}; there are {', '.join(known)}.{near}")


class _Named(Mapping[str, Mode]):
    """The modes that have a name. Those that debug are imported when they are first asked for."""

    made: Mapping[str, Mode] = {
        "FAST_RUN": Mode("native", "fast_run", name="FAST_RUN"),
        "FAST_COMPILE": Mode("py", "fast_compile", name="FAST_COMPILE"),
    }
    later: Mapping[str, tuple[str, str]] = {
        "DebugMode": ("workbench.core.debug.debug_mode", "DebugMode"),
        "DEBUG_MODE": ("workbench.core.debug.debug_mode", "DebugMode"),
        "NanGuardMode": ("workbench.core.debug.nan_guard", "NanGuardMode"),
        "MonitorMode": ("workbench.core.debug.monitor", "MonitorMode"),
        "ProfileMode": ("workbench.core.debug.profile_mode", "ProfileMode"),
        "PROFILE_MODE": ("workbench.core.debug.profile_mode", "ProfileMode"),
    }

    def __getitem__(self, name: str) -> Mode:
        if name in self.made:
            return self.made[name]
        if name == "Mode":
            return self._of_flags()
        module, kind = self.later[name]
        mode: Mode = getattr(import_module(module), kind)()
        return mode

    def _of_flags(self) -> Mode:
        """The mode that config.linker and config.optimizer make: one with a name where there is."""
        chosen = Mode()
        wanted = (chosen.linker, chosen.optimizer)
        named = (mode for mode in self.made.values() if (mode.linker, mode.optimizer) == wanted)
        return next(named, chosen)

    def __contains__(self, name: object) -> bool:
        return name == "Mode" or name in self.made or name in self.later

    def __iter__(self) -> Iterator[str]:
        yield from ("Mode", *self.made, *self.later)

    def __len__(self) -> int:
        return 1 + len(self.made) + len(self.later)


MODES: Mapping[str, Mode] = _Named()


def get_mode(mode: Mode | type[Mode] | str | None) -> Mode:
    """The mode of a name or of a class of modes; for None the configured one. Raises ModeError for
    an unknown name.
    """
    if isinstance(mode, Mode):
        return mode
    if isinstance(mode, type) and issubclass(mode, Mode):
        return mode()
    return _named(mode) if mode is not None else _configured()


def _named(name: object) -> Mode:
    if not isinstance(name, str) or name not in MODES:
        near = nearest(str(name), list(MODES))
        raise ModeError(f"there is no mode {name!r}; there are {', '.join(MODES)}.{near}")
    return MODES[name]


def _configured() -> Mode:
    """The mode of config.mode (where that is FAST_RUN, with the linker and the optimizer that are
    configured), with the passes that the configuration adds, requires and leaves out.
    """
    mode = _named(config.mode)
    if mode is MODES["FAST_RUN"] and (config.linker, config.optimizer) != ("native", "fast_run"):
        mode = Mode()
    if tags := _tags(config.optimizer_including):
        mode = mode.including(*tags)
    if tags := _tags(config.optimizer_requiring):
        mode = mode.requiring(*tags)
    if tags := _tags(config.optimizer_excluding):
        mode = mode.excluding(*tags)
    return mode


def _tags(text: str) -> list[str]:
    return [tag for tag in text.split(":") if tag]
