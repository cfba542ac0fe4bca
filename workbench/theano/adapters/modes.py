"""Modes, linkers as the objects that Theano makes, and what their callbacks use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import workbench as wb
from workbench.core import modes
from workbench.errors import UsageError

FAST_RUN = modes.get_mode("FAST_RUN")
FAST_COMPILE = modes.get_mode("FAST_COMPILE")
predefined_modes = modes.MODES


def get_default_mode() -> Any:
    """The mode that `config` names."""
    return modes.get_mode(None)


class _Linker(str):
    """A linker's name, made as Theano makes linkers."""

    linker = ""

    def __new__(cls, *_: Any, **__: Any) -> _Linker:
        return super().__new__(cls, cls.linker)


class CLinker(_Linker):
    """Native code only."""

    linker = "c"


class OpWiseCLinker(_Linker):
    """Native code where there is any."""

    linker = "c|py"


class DualLinker(_Linker):
    """Native code where there is any; it is DebugMode that compares it with the interpreter."""

    linker = "c|py"


class PerformLinker(_Linker):
    """The interpreter."""

    linker = "py"


class VM_Linker(_Linker):
    """Lazy, native where there is native code: `use_cloop` is the choice between cvm and vm; `lazy`
    and `c_thunks` are always so. Raises UsageError for a `callback`: MonitorMode calls those.
    """

    def __new__(
        cls,
        allow_gc: bool | None = None,
        use_cloop: bool = False,
        callback: Any = None,
        lazy: bool | None = None,
        c_thunks: bool | None = None,
    ) -> VM_Linker:
        if callback is not None:
            raise UsageError("a linker calls nothing back; MonitorMode(post_func=…) does")
        name = ("cvm" if use_cloop else "vm") + ("_nogc" if allow_gc is False else "")
        return str.__new__(cls, name)


@contextmanager
def change_flags(**flags: Any) -> Iterator[Any]:
    """These flags for a `with` block; dots are written as two underscores."""
    with wb.config.change(**flags) as changed:
        yield changed
