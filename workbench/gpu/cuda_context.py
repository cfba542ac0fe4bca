"""A CUDA device's context, and memory in it."""

from __future__ import annotations

import ctypes
from typing import Any, Protocol

DEINITIALIZED = 4
"""The driver's status of what comes when it has gone."""


class Caller(Protocol):
    """The driver's library."""

    def call(self, name: str, *args: Any) -> int:
        """Call a function of it; returns its status."""


class Context:
    """The context in which a device's functions are called. A thread is in it for one call: that of
    another library, in which it was before, it finds again.
    """

    def __init__(self, lib: Caller, handle: int) -> None:
        self._lib = lib
        self.handle = ctypes.c_void_p(handle)
        self.ended = False

    def call(self, name: str, *args: Any) -> int:
        """Call a function of the library; returns its status."""
        if self.ended:
            return DEINITIALIZED
        if status := self._lib.call("cuCtxPushCurrent_v2", self.handle):
            return status
        try:
            return self._lib.call(name, *args)
        finally:
            self._lib.call("cuCtxPopCurrent_v2", ctypes.byref(ctypes.c_void_p()))


class Memory:
    """Keeps memory of a device, whichever thread drops it, until all that was queued is done: by
    us, or on another library's streams that were given it.
    """

    def __init__(self, context: Context, address: ctypes.c_uint64) -> None:
        self._context, self._address = context, address

    def __del__(self) -> None:
        self._context.call("cuCtxSynchronize")
        self._context.call("cuMemFree_v2", self._address)
