"""The memory in which a program notes a loop's commands down: see `replay_routines`."""

from __future__ import annotations

import ctypes

from workbench.core.native.abi import WORD
from workbench.gpu.abi import COMMAND_SIZE, LIST_WORDS, MOST_COMMANDS, MOST_PERIOD, REPLAY
from workbench.gpu.device import Device
from workbench.gpu.replay_kernel import named_buffers
from workbench.gpu.replay_routines import ADD, END, STEP, addresses


class ReplayTable:
    """A REPLAY of one program on one device, with what it points to."""

    def __init__(self, device: Device) -> None:
        functions = addresses()
        self._list = device.pool.block(LIST_WORDS * WORD)
        self._commands = (ctypes.c_int64 * (MOST_COMMANDS * COMMAND_SIZE))()
        self._counts = (ctypes.c_int64 * MOST_PERIOD)()
        self._memory = (ctypes.c_int64 * LIST_WORDS)()
        self._words = (ctypes.c_size_t * len(REPLAY.fields))()
        values = {
            "add": functions[ADD],
            "step": functions[STEP],
            "end": functions[END],
            "launch": device.functions["launch"],
            "state": device.state,
            "list": self._list.address,
            "named": named_buffers(device.able),
            "commands": ctypes.addressof(self._commands),
            "counts": ctypes.addressof(self._counts),
            "memory": ctypes.addressof(self._memory),
        }
        for name, value in values.items():
            self._words[REPLAY.fields.index(name)] = value

    @property
    def address(self) -> int:
        return ctypes.addressof(self._words)
