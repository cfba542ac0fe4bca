"""NanGuardMode: a call stops at the first nan, inf or big value, and says where it came up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.configuration import config
from workbench.core.debug.errors import NanGuardError
from workbench.core.debug.watched import WatchedLinked
from workbench.core.graph import Apply, Constant, Variable, describe, is_shared, leaves
from workbench.core.interpreter import lookup
from workbench.core.link import Fast, Linked, Plan
from workbench.core.modes import Mode
from workbench.core.values import describe as in_words
from workbench.core.values import summarise
from workbench.frozen import frozen

BIG = 1e10
"""A finite number of a larger magnitude is big."""


@frozen
class NanGuardMode(Mode):
    """Checks every input and the outputs of every node, those of loops' bodies too.

    nan_is_error, inf_is_error   whether a nan or an inf stops the call; None: config.NanGuardMode
    big_is_error                 whether a finite |x| > 1e10 does
    optimizer                    as in Mode; with None the nodes are those that the user wrote
    linker                       taken for its name: nodes are watched in the interpreter

    A call raises NanGuardError, an AssertionError, and stores no update.
    """

    nan_is_error: Any = None  # Any: after the initialisation always a bool
    inf_is_error: Any = None
    big_is_error: Any = None

    def __init__(
        self,
        nan_is_error: bool | None = None,
        inf_is_error: bool | None = None,
        big_is_error: bool | None = None,
        optimizer: str | None = "default",
        linker: str | None = None,
        **names: Any,
    ) -> None:
        flags = config.NanGuardMode
        self._fill(
            nan_is_error=flags.nan_is_error if nan_is_error is None else nan_is_error,
            inf_is_error=flags.inf_is_error if inf_is_error is None else inf_is_error,
            big_is_error=flags.big_is_error if big_is_error is None else big_is_error,
            optimizer=optimizer,
            linker=linker,
            **names,
        )

    def link(self, plan: Plan, slow: Fast, program: Any, listeners: Sequence[Any]) -> Linked:
        return WatchedLinked(plan, lambda plan, args: Guard(self, plan, args))

    def found(self, value: Any) -> str:
        """What stops a call at this value, with how much of it, or ''."""
        if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.kind not in "fc":
            return ""
        array = np.asarray(value)
        if self.nan_is_error and (count := np.count_nonzero(np.isnan(array))):
            return f"NaN detected: {count} of {array.size} elements"
        if self.inf_is_error and (count := np.count_nonzero(np.isinf(array))):
            return f"Inf detected: {count} of {array.size} elements"
        if self.big_is_error and (count := np.count_nonzero(_big(array))):
            return f"Big value detected: {count} of {array.size} elements are beyond {BIG:g}"
        return ""


def _big(array: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.isfinite(array) & (np.abs(array) > BIG)


class Guard:
    """Listens to one call. Its arguments, and what its graph reads besides, are checked at once."""

    def __init__(self, mode: NanGuardMode, plan: Plan, args: Sequence[Any]) -> None:
        self.mode = mode
        self._loops: dict[Apply, int] = {}  # the loops that run now: their iterations
        given = dict(zip(plan.inputs, args, strict=True))
        read = [v for v in leaves(plan.results) if isinstance(v, Constant) or is_shared(v)]
        for variable in (*given, *read):
            value = lookup(given, variable)
            if found := mode.found(value):
                kind = "shared variable" if is_shared(variable) else "input"
                raise NanGuardError(
                    f"{found} of the {kind} {variable}",
                    _shown(variable, value),
                    place=variable.place,
                    advice="pass finite values; wb.inspect shows where they are",
                ).at(variable)

    def before(self, node: Apply, inputs: Sequence[Any]) -> None: ...

    def iteration(self, node: Apply, t: int, given: Mapping[Variable, Any]) -> None:
        """A loop's iteration t begins."""
        self._loops[node] = t

    def after(
        self, node: Apply, inputs: Sequence[Any], outputs: Sequence[Any], seconds: float
    ) -> None:
        self._loops.pop(node, None)
        for i, value in enumerate(outputs):
            if found := self.mode.found(value):
                which = (
                    f"output {i} of {node.op}" if len(outputs) > 1 else f"the result of {node.op}"
                )
                raise NanGuardError(
                    ", ".join((f"{found} of {which}", *self._where())),
                    "\n".join((describe(node.op, node.inputs), *_values(node, inputs, outputs))),
                    place=node.place,
                    advice="look at the first input that is out of the ordinary; "
                    "NanGuardMode(nan_is_error=…, inf_is_error=…, big_is_error=…) says what counts",
                ).at(node)

    def _where(self) -> Iterator[str]:
        """The iterations that the loops around a node are in."""
        for node, t in self._loops.items():
            yield f"in iteration {t} of {node.op.label}"


def _values(node: Apply, inputs: Sequence[Any], outputs: Sequence[Any]) -> Iterator[str]:
    for i, (variable, value) in enumerate(zip(node.inputs, inputs, strict=True)):
        yield f"  input {i}: {_shown(variable, value)}"
    for i, (variable, value) in enumerate(zip(node.outputs, outputs, strict=True)):
        yield f"  output {i}: {_shown(variable, value)}"


def _shown(variable: Variable, value: Any) -> str:
    name = f"{variable.name} = " if variable.name else ""
    return f"{name}{in_words(summarise(value))}"
