"""`scan`: a loop written as a function of one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter_ns
from typing import Any

from workbench.configuration import config
from workbench.core import origin
from workbench.core.graph import Variable
from workbench.core.modes import Mode, get_mode
from workbench.core.scan.arguments import (
    Given,
    as_list,
    count_steps,
    read_infos,
    read_sequences,
    read_truncation,
)
from workbench.core.scan.capture import Scope, carry, check_listed, close, with_default_updates
from workbench.core.scan.initial import Start, settle, start
from workbench.core.scan.parts import Map, Parts, Rows, State
from workbench.core.scan.returned import Returned, as_variable, read_returned, until
from workbench.core.scan.updates import OrderedUpdates
from workbench.errors import ScanError

__all__ = ["OrderedUpdates", "scan", "until"]


def scan(
    fn: Callable[..., Any],
    sequences: Any = None,
    outputs_info: Any = None,
    non_sequences: Any = None,
    n_steps: Any = None,
    truncate_gradient: int = -1,
    go_backwards: bool = False,
    mode: Any = None,
    name: str | None = None,
    profile: bool | str = False,
    allow_gc: bool | None = None,
    strict: bool = False,
    return_list: bool = False,
) -> tuple[Any, OrderedUpdates]:
    """Call `fn` once to learn what a step does, and loop over it: returns (outputs, updates).

    fn                 is called with each sequence's taps, each state's taps, then the
                       non_sequences; what it may return is told by `workbench.core.scan.returned`
    sequences          what to loop over along axis 0: variables, or dict(input=, taps=[…]) where
                       tap k is x[t + k]
    outputs_info       per output: None where it is not fed back; its initial value; or
                       dict(initial=, taps=[-k, …]), where `initial` holds the rows before step 0,
                       the oldest first, on a leading axis
    non_sequences      what is the same in every step; whatever else fn reads is found without being
                       listed
    n_steps            an int or an integer scalar; by default as many as there are rows
    truncate_gradient  through how many of the last steps gradients flow; -1: all
    go_backwards       take the sequences from the last row to the first
    strict             shared variables that fn reads must be listed
    return_list        give a list also where there is one output

    An output has a row per step on a new leading axis; it is one variable, a list of several, or
    None. `updates` says what shared variables are after the loop and belongs in
    `function(updates=…)`.

    mode        a Mode or its name: which rewrites the body gets of those of the function that the
                loop is in, and whether it is native code; such a loop stays one as it is
    profile     True, or a title: a function with this loop collects times in `f.profile`, also of
                the nodes of the body
    allow_gc    taken and without effect: a native loop's memory is taken once, before its steps

    Raises ScanError where arguments, initial values and results do not fit together.
    """
    given, infos = read_sequences(sequences), read_infos(outputs_info)
    fixed = tuple(as_variable(v) for v in as_list(non_sequences))
    starts = [None if info is None else start(info) for info in infos]
    rows = tuple(_rows(sequence, go_backwards) for sequence in given)
    place = line_of(fn)
    if config.values["compute_test_value"] != "off":
        _show_first_step(rows, starts)
    began = perf_counter_ns()
    returned = read_returned(fn(*_inner(*rows, *starts), *fixed), place)
    starts = _one_each(starts, returned.outputs, place)
    returned = with_default_updates(returned, Scope(_inner(*rows, *starts), fixed))
    starts, returned = settle(starts, returned, place)
    scope = Scope(_inner(*rows, *starts), fixed, began)
    if strict:
        check_listed(returned, scope)
    loop = Parts(
        count_steps(n_steps, given),
        rows,
        name=name or "",
        truncate=read_truncation(truncate_gradient),
        mode=_own_mode(mode),
        profile=profile,
    )
    return _results(close(fill(loop, starts, returned), scope), starts, return_list)


def _own_mode(mode: Any) -> Mode | None:
    """The mode of a loop that is not made as whatever it is in. Raises ModeError."""
    chosen = None if mode is None else get_mode(mode)
    return None if chosen == get_mode("FAST_RUN") else chosen


def _show_first_step(rows: Sequence[Rows], starts: Sequence[Start | None]) -> None:
    """Test values for what fn sees."""
    from workbench.core.trial import show_first_step

    for part in rows:
        show_first_step(part.inner, part.outer, [k - min(*part.taps, 0) for k in part.taps])
    for state in filter(None, starts):
        show_first_step(state.inner, state.rows, state.info.taps)


def line_of(fn: Callable[..., Any]) -> object:
    """Where the step function was written."""
    code = getattr(fn, "__code__", None)
    return None if code is None else origin.resolve((code.co_filename, code.co_firstlineno))


def _rows(sequence: Given, backwards: bool) -> Rows:
    outer, taps = sequence.rows(backwards)
    return Rows(outer, taps, sequence.inner())


def _one_each(
    starts: list[Start | None], outputs: Sequence[Variable], place: object
) -> list[Start | None]:
    if not starts:
        return [None] * len(outputs)
    if len(starts) != len(outputs):
        raise ScanError(
            f"fn returned {len(outputs)} outputs, and outputs_info has {len(starts)} entries",
            place=place,
            advice="Please provide None as outputs_info for any output that does not feed back.",
        )
    return starts


def _inner(*parts: Rows | Start | None) -> tuple[Variable, ...]:
    """The variables that the body sees of these, in order."""
    return tuple(v for part in parts if part is not None for v in part.inner)


def fill(loop: Parts, starts: Sequence[Start | None], returned: Returned) -> Parts:
    """The loop with states, maps, carried values and condition; its body still reads outer
    variables.
    """
    pairs = list(zip(starts, returned.outputs, strict=True))
    return replace(
        loop,
        states=tuple(State(s.rows, s.info.taps, s.inner, v) for s, v in pairs if s is not None),
        maps=tuple(Map(v) for s, v in pairs if s is None),
        carried=carry(returned.updates),
        condition=returned.condition,
    )


def _results(
    parts: Parts, starts: Sequence[Start | None], return_list: bool
) -> tuple[Any, OrderedUpdates]:
    """What the user gets: the stacked outputs in the order of fn's, and the updates."""
    node = parts.apply()
    states = iter(node.outputs)
    maps = iter(node.outputs[len(parts.states) :])
    outputs = [next(maps if start is None else states) for start in starts]
    final = node.outputs[len(starts) :]
    updates = OrderedUpdates((p.initial, v) for p, v in zip(parts.carried, final, strict=True))
    if len(outputs) == 1 and not return_list:
        return outputs[0], updates
    return outputs or ([] if return_list else None), updates
