"""The entry's protocol in Python: for interpreters whose layout is unknown, and what the native
entry is tested against.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.native.abi import CONTEXT, DESCRIPTOR, ERROR_WORDS, SLOT, WORD
from workbench.core.native.engine import NativeModule
from workbench.core.native.runtime import OUTPUT
from workbench.core.native.spec import ArraySpec, EntrySpec
from workbench.core.types import BY_NUMBER

_ALLOCATE = ctypes.CFUNCTYPE(
    ctypes.c_void_p,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_int64),
)


class CtypesEntry:
    """Calls `@wb.program` with a context made by ctypes; allocations come back through a callback.

    ctypes releases the GIL for the whole program. Slots live for one call.
    """

    def __init__(
        self,
        module: NativeModule,
        spec: EntrySpec,
        cells: Sequence[list[Any]],
        slow_path: Callable[..., Any],
    ) -> None:
        self.module, self.spec, self.cells, self.slow_path = module, spec, list(cells), slow_path
        self._program = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(
            module.address("wb.program")
        )
        self._failure: tuple[int, tuple[int, ...]] | None = None

    @property
    def __self__(self) -> CtypesEntry:
        return self

    def last_error(self) -> tuple[int, tuple[int, ...]] | None:
        """What the last call's program returned, if it failed and nobody has asked yet."""
        failure, self._failure = self._failure, None
        return failure

    def free(self) -> None:
        """Nothing: every call has memory of its own."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # whatever the user passed
        inputs = None if kwargs else self._inputs(args)
        if inputs is None:
            return self.slow_path(*args, **kwargs)
        call = _Call(self.spec, inputs)
        code = self._program(ctypes.addressof(call.context))
        call.free()
        if code:
            self._failure = code, tuple(call.error)
            return self.slow_path(*args)
        for k, target in enumerate(self.spec.updates):
            cell = self.cells[target]
            cell[0], cell[1] = call.updates[k], cell[0]
        single = self.spec.n_outputs == 1 and not self.spec.returns_list
        return call.outputs[0] if single else call.outputs

    def _inputs(self, args: Sequence[Any]) -> list[np.ndarray[Any, Any]] | None:
        """The arrays of arguments and shared variables, or None if one does not fit."""
        if len(args) != len(self.spec.arguments):
            return None
        inputs = []
        values = [*args, *(cell[0] for cell in self.cells)]
        for value, spec in zip(values, (*self.spec.arguments, *self.spec.cells), strict=True):
            if spec.python_float and type(value) is float:
                value = np.asarray(value, spec.dtype)
            if not _fits(value, spec):
                return None
            inputs.append(value)
        return inputs


def _fits(value: object, spec: ArraySpec) -> bool:
    return (
        type(value) is np.ndarray
        and value.dtype == spec.dtype
        and value.dtype.isnative
        and value.ndim == spec.ndim
        and value.flags.c_contiguous
        and value.flags.aligned
        and all(
            size is None or size == given
            for size, given in zip(spec.dims, value.shape, strict=False)
        )
    )


class _Call:
    """The memory of one call."""

    def __init__(self, spec: EntrySpec, inputs: Sequence[np.ndarray[Any, Any]]) -> None:
        self.outputs: list[Any] = [None] * spec.n_outputs
        self.updates: list[Any] = [None] * len(spec.updates)
        self.error = (ctypes.c_int64 * ERROR_WORDS)()
        self._slots = (ctypes.c_size_t * (SLOT.size // WORD * max(1, spec.n_slots)))()
        self._callback = _ALLOCATE(self._allocate)
        self._inputs = inputs
        self._descriptors = (ctypes.c_size_t * (DESCRIPTOR.size // WORD * max(1, len(inputs))))()
        self._keep: list[Any] = []  # dims and strides
        for k, array in enumerate(inputs):
            self._describe(k, array)
        fields = {
            "inputs": ctypes.addressof(self._descriptors),
            "arena": ctypes.addressof(self._slots),
            "error": ctypes.addressof(self.error),
            "allocate": ctypes.cast(self._callback, ctypes.c_void_p).value,
        }
        self.context = (ctypes.c_size_t * len(CONTEXT.fields))(
            *(fields.get(name) or 0 for name in CONTEXT.fields)
        )

    def _describe(self, k: int, array: np.ndarray[Any, Any]) -> None:
        dims, strides = (
            (ctypes.c_int64 * max(1, array.ndim))(*part) for part in (array.shape, array.strides)
        )
        self._keep += [dims, strides]
        words: list[ctypes.c_size_t | int] = [
            array.ctypes.data,
            ctypes.addressof(dims),
            ctypes.addressof(strides),
        ]
        at = k * DESCRIPTOR.size // WORD
        self._descriptors[at : at + len(words)] = words

    def _allocate(self, kind: int, k: int, typenum: int, nd: int, dims: Any) -> int | None:
        try:
            array = np.empty(dims[:nd], BY_NUMBER[typenum])
        except MemoryError:
            return None
        (self.outputs if kind == OUTPUT else self.updates)[k] = array
        return int(array.ctypes.data)

    def free(self) -> None:
        for at in range(SLOT.offset("raw") // WORD, len(self._slots), SLOT.size // WORD):
            free_raw(self._slots[at])


free_raw = ctypes.pythonapi.PyMem_RawFree
free_raw.restype, free_raw.argtypes = None, (ctypes.c_void_p,)
