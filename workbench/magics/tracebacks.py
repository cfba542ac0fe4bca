"""Errors in ordinary cells: the user's own lines and the message, without the library's frames."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from workbench.errors import WorkbenchError

_PACKAGE = str(Path(__file__).parent.parent)


def install(shell: Any) -> None:
    """Let a shell show errors of the workbench this way."""
    shell.set_custom_exc((WorkbenchError,), _show)


def uninstall(shell: Any) -> None:
    """Take it back."""
    shell.set_custom_exc((), None)


def _show(
    shell: Any, kind: type[BaseException], error: BaseException, trace: Any, tb_offset: Any = None
) -> None:
    shell.showtraceback((kind, error, own_frames(trace)), tb_offset=0)


def own_frames(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the cell on, without frames of the library; all of it where nothing would
    be left.
    """
    steps = []
    step = trace
    while step is not None:
        steps.append(step)
        step = step.tb_next
    shown: TracebackType | None = None
    for step in reversed(steps[1:]):  # the first is the shell's own
        if not step.tb_frame.f_code.co_filename.startswith(_PACKAGE):
            shown = TracebackType(shown, step.tb_frame, step.tb_lasti, step.tb_lineno)
    return shown or trace
