"""Errors in ordinary cells: the user's own lines and the message, without the library's frames."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from types import TracebackType
from typing import Any

_PACKAGE = str(Path(__file__).parent.parent)
_OTHERS = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib")})


def install(shell: Any) -> None:
    """Let a shell show errors that come out of the workbench this way."""
    shell.set_custom_exc((Exception,), _show)


def uninstall(shell: Any) -> None:
    """Take it back."""
    shell.set_custom_exc((), None)


def _show(
    shell: Any, kind: type[BaseException], error: BaseException, trace: Any, tb_offset: Any = None
) -> None:
    shown = own_frames(trace)
    offset = tb_offset if shown is trace else 0
    shell.showtraceback((kind, error, shown), tb_offset=offset, running_compiled_code=True)


def own_frames(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the cell on, without frames of the library and of what the library
    called; as it is where the library has no part in it, or nothing would be left.
    """
    steps = []
    step = trace
    while step is not None:
        steps.append(step)
        step = step.tb_next
    kept = _kept(steps[1:])  # the first is the shell's own
    if len(kept) == len(steps) - 1:
        return trace
    shown: TracebackType | None = None
    for step in reversed(kept):
        shown = TracebackType(shown, step.tb_frame, step.tb_lasti, step.tb_lineno)
    return shown or trace


def _kept(steps: list[TracebackType]) -> list[TracebackType]:
    """The user's own steps, also those that the library called: a scan's function, say."""
    kept = []
    inside = False
    for step in steps:
        file = step.tb_frame.f_code.co_filename
        inside = file.startswith(_PACKAGE) or (inside and file.startswith(_OTHERS))
        if not inside:
            kept.append(step)
    return kept
