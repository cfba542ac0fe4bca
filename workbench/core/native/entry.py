"""The way from Python into a native program: a builtin made at run time, and the same protocol
through ctypes.

spec = EntrySpec(arguments=(ArraySpec("float64", 1),), n_outputs=1, n_slots=2) whole =
complete(program_text + entry_text(spec)) module = engine.compile(whole.text, whole.symbols,
ENTRY_EXPORTS) call = native_entry(module, spec, cells=[], slow_path=…)
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.native import layout
from workbench.core.native.abi import ERROR_WORDS, SLOT, WORD
from workbench.core.native.engine import NativeModule
from workbench.core.native.entry_text import Block, entry_text
from workbench.core.native.spec import ArraySpec, EntrySpec

__all__ = ["ENTRY_EXPORTS", "ArraySpec", "Cell", "EntrySpec", "Owner", "entry_text", "native_entry"]

ENTRY_EXPORTS = ("wb.entry", "wb.block", "wb.program")

Cell = list[Any]
"""A shared variable's storage: `[array, spare]`; any Python value may be in either place."""

Failure = tuple[int, tuple[int, ...]]
"""A program's result and the words of its error."""

_FASTCALL_KEYWORDS = 0x80 | 0x02


def native_entry(
    module: NativeModule,
    spec: EntrySpec,
    cells: Sequence[Cell],
    slow_path: Callable[..., Any],
    name: str = "function",
) -> Callable[..., Any]:
    """The callable: checks, runs, commits updates, returns outputs; whatever does not fit goes to
    `slow_path(*args, **kw)`.

    One output gives the array, else a list. Its `__self__` is the `Owner`, whose `last_error()`
    tells the slow path (once) what a program returned when it failed: no error means that the
    arguments did not fit. A module serves one entry. Where Python's or NumPy's layout is not known
    the callable is a `CtypesEntry` with the same `__self__`.
    """
    if not layout.is_known():
        from workbench.core.native.ctypes_entry import CtypesEntry

        return CtypesEntry(module, spec, cells, slow_path)
    owner = Owner(module, spec, cells, slow_path, name)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = (
        ctypes.py_object,
        (ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p),
    )
    return make(ctypes.addressof(owner.method), owner, None)  # type: ignore[no-any-return]


_free_raw = ctypes.pythonapi.PyMem_RawFree
_free_raw.restype, _free_raw.argtypes = None, (ctypes.c_void_p,)


class _MethodDef(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


_in_use: dict[int, NativeModule] = {}
"""The code of every living owner: a cycle of garbage must not unload it before its owner has freed
the slots in it.
"""


class Owner:
    """The builtin's `self`: keeps its code, memory and shared variables alive, and is the way to
    the slow path.
    """

    def __init__(
        self,
        module: NativeModule,
        spec: EntrySpec,
        cells: Sequence[Cell],
        slow_path: Callable[..., Any],
        name: str,
    ) -> None:
        self.module, self.spec, self.slow_path = module, spec, slow_path
        _in_use[id(self)] = module
        self.cells = [_checked(cell) for cell in cells]
        self.method = _MethodDef(
            name.encode(), module.address("wb.entry"), _FASTCALL_KEYWORDS, None
        )
        self._offsets, self._block = Block.of(spec), module.address("wb.block")
        for k, cell in enumerate(self.cells):
            self._word(self._offsets.cells + WORD * k).value = id(cell)
        for k, target in enumerate(spec.updates):
            self._word(self._offsets.targets + WORD * k).value = id(self.cells[target])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # whatever the user passed
        return self.slow_path(*args, **kwargs)

    def last_error(self) -> Failure | None:
        """What the last call's program returned, if it failed and nobody has asked yet."""
        code = self._word(self._offsets.code)
        if not code.value:
            return None
        words = (ctypes.c_int64 * ERROR_WORDS).from_address(self._block + self._offsets.error)
        failure = ctypes.c_int32(code.value).value, tuple(words)
        code.value = 0
        return failure

    @property
    def busy(self) -> bool:
        """Whether a call uses the slots."""
        return bool(self._word(self._offsets.busy).value)

    @property
    def arena_bytes(self) -> int:
        """The memory that the slots hold between calls."""
        return sum(self._slot(k, "capacity").value for k in range(self.spec.n_slots))

    def free(self) -> None:
        """Give back the memory of the slots, where no call uses them."""
        busy = self._word(self._offsets.busy)
        if not busy.value:  # no other thread runs before the next line: nothing is called between
            busy.value = 1
            self._free_slots()
            busy.value = 0

    def _free_slots(self) -> None:
        for k in range(self.spec.n_slots):
            _free_raw(self._slot(k, "raw").value)
            for field in SLOT.fields:
                self._slot(k, field).value = 0

    def _word(self, offset: int) -> ctypes.c_size_t:
        return ctypes.c_size_t.from_address(self._block + offset)

    def _slot(self, k: int, field: str) -> ctypes.c_size_t:
        return self._word(self._offsets.slots + SLOT.size * k + SLOT.offset(field))

    def __del__(self) -> None:
        if not hasattr(self, "_block"):
            return
        self._free_slots()
        _in_use.pop(id(self), None)


def _checked(cell: Cell) -> Cell:
    if type(cell) is not list or len(cell) != 2:
        raise TypeError(f"a shared variable's storage is a list [array, spare], not {cell!r}")
    return cell
