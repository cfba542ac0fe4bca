"""The way from Python into a native program: a builtin made at run time, and the same protocol through ctypes.

    spec = EntrySpec(arguments=(ArraySpec("float64", 1),), cells=(), n_outputs=1, updates=(), n_slots=2)
    module = engine.compile(complete(program_text + entry_text(spec)).…, exports=ENTRY_EXPORTS)
    call = native_entry(module, spec, cells=[], slow_path)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.core.native.engine import NativeModule

Cell = list[Any]
"""A shared variable's storage: `[array, spare]`; any Python value may be in either place."""


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """An array that the fast path takes: exact dtype, ndim, C-contiguous, aligned; `dims` fixes some sizes (None: any)."""

    dtype: str
    ndim: int
    dims: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True)
class EntrySpec:
    """What a program takes and gives. `updates[k]` is the number of the cell that update k goes to."""

    arguments: tuple[ArraySpec, ...]
    cells: tuple[ArraySpec, ...]
    n_outputs: int
    updates: tuple[int, ...] = ()
    n_slots: int = 0
    returns_list: bool = False  # also for a single output


def entry_text(spec: EntrySpec, program: str = "program") -> str:
    """IR of the entry that calls `i32 @program(ptr)`, to be put in the same module; it exports ENTRY_EXPORTS."""
    raise NotImplementedError


ENTRY_EXPORTS = ("wb.entry", "wb.block", "wb.program")


def native_entry(
    module: NativeModule, spec: EntrySpec, cells: Sequence[Cell], slow_path: Callable[..., Any], name: str = "function"
) -> Callable[..., Any]:
    """The callable: checks, runs, commits updates, returns outputs; whatever does not fit goes to `slow_path(*args, **kw)`.

    One output gives the array, else a list. The builtin's `__self__` is the `Owner`, whose `last_error()` tells the slow path
    (once) what a program returned when it failed. Where Python's or NumPy's layout is not known it is a `CtypesEntry`.
    """
    raise NotImplementedError
