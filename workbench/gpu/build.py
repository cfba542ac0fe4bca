"""A program with devices, written, compiled and entered; and the tables by which it speaks with its
devices.
"""

from __future__ import annotations

import ctypes
import time
from typing import Any

from workbench.configuration import config
from workbench.core.devices import find
from workbench.core.link import Fast, Plan
from workbench.core.native import engine
from workbench.core.native.abi import SLOT, WORD
from workbench.core.native.entry import ENTRY_EXPORTS, Owner, entry_text, native_entry
from workbench.core.native.library import complete
from workbench.core.native.program import Program, write_program
from workbench.core.types import BY_NUMBER
from workbench.errors import DeviceError, DeviceMemoryError, IndexOutOfRange
from workbench.gpu.abi import (
    ANSWER,
    ASKING_NODE,
    COMPILE,
    GROW,
    MARK_BITS,
    OUTPUT,
    REQUEST_WORDS,
    TABLE,
)
from workbench.gpu.array import DeviceArray
from workbench.gpu.device import Device
from workbench.gpu.parts import Parts
from workbench.gpu.replay_table import ReplayTable
from workbench.gpu.writer import DeviceWriter


class Build:
    """A program written, compiled and entered, with its tables."""

    timed = False

    def __init__(self, plan: Plan, slow: Fast) -> None:
        self.program: Program = write_program(
            plan.inputs, plan.outputs, plan.updates, engine.host(), single=plan.single,
            timed=self.timed, blas_threads=config.blas_threads, strict=plan.strict,
            writer=DeviceWriter,
        )  # fmt: skip
        parts = self.program.parts
        assert isinstance(parts, Parts)
        self.parts = parts
        whole = complete(self.program.text + entry_text(self.program.spec))
        self.text = whole.text
        # outputs whose arrays are the function's own: the user may look at them until the next call
        self.lends = plan.borrowed or (False,) * len(plan.outputs)
        exports = (*ENTRY_EXPORTS, "wb.devices", *(("wb.times",) if self.timed else ()))
        self.module = engine.compile(whole.text, whole.symbols, exports, cache=config.cache)
        start = time.perf_counter()
        self.tables = [DeviceTable(self, k) for k in range(len(parts.devices))]
        self.kernel_seconds = time.perf_counter() - start
        at = self.module.address("wb.devices")
        for k, table in enumerate(self.tables):
            ctypes.c_size_t.from_address(at + WORD * k).value = table.address
        cells = [variable.cell for variable in self.program.shared]
        self.entry = native_entry(
            self.module, self.program.spec, cells, slow, plan.name or "function"
        )
        self.owner: Owner = self.entry.__self__  # type: ignore[attr-defined]
        self.cells = [self.owner.cells[k] for k in self.program.spec.updates]

    @property
    def busy(self) -> bool:
        """Whether a call runs."""
        return self.owner.busy

    @property
    def kernel_text(self) -> str:
        names: dict[str, str] = {}
        for pairs in self.parts.kernels:
            names.update((pair.narrow.name, pair.narrow.text) for pair in pairs)
        return "\n".join(names.values())

    def service_error(self) -> Exception:
        """What went wrong in Python while the program ran."""
        for table in self.tables:
            error, table.error = table.error, None
            if error is not None:
                return error
        return DeviceMemoryError("there is no memory for the results")

    def device_error(self) -> Exception:
        """What a driver has reported, and at which node: of several that failed the first one's,
        and none is told of again.
        """
        found = [error for table in self.tables if (error := self._error_of(table.device))]
        return found[0] if found else DeviceError("a device failed")

    def _error_of(self, device: Device) -> DeviceError | None:
        mark = device.word("node").value
        try:
            device.look()
        except DeviceError as error:
            return self.at_node(error, mark)
        return None

    def at_node(self, error: DeviceError, mark: int) -> DeviceError:
        """The error, naming the node of this number, where it is one's."""
        if 0 <= mark < len(self.parts.marks):
            node, _ = self.parts.marks[mark]
            error.met = "; ".join(filter(None, (str(node.op), error.met)))
            error.place, error.node = node.place, node
        return error

    def flagged(self) -> Exception:
        """The error that a kernel of this program, or of one before, has reported."""
        for table in self.tables:
            try:
                table.device.look()
            except Exception as error:
                return error
        return DeviceError("a kernel reported an error")

    def reported(self, mark: int) -> Exception:
        """The error of a node whose kernel reported one."""
        node, _ = self.parts.marks[mark]
        return IndexOutOfRange(
            f"an index is out of range in {node.op}", str(node.op), node.place,
            "it was found when the device had run; config.device_sync=True finds it in the call",
            node,
        )  # fmt: skip

    def free(self) -> None:
        self.owner.free()
        for table in self.tables:
            table.free()


class DeviceTable:
    """A device's table of one program, and the service that the program asks for what needs
    Python.
    """

    def __init__(self, build: Build, k: int) -> None:
        parts = build.parts
        self._build = build
        device = find(parts.devices[k])
        assert isinstance(device, Device)
        self.device = device
        self.error: Exception | None = None
        self.pairs = parts.kernels[k]
        self.constants = [device.array(value) for value in parts.constants[k]]
        self._blocks: dict[int, Any] = {}
        self._borrowed: dict[int, DeviceArray] = {}
        self._slots = (ctypes.c_size_t * max(SLOT.size // WORD * parts.n_slots, 1))()
        self._request = (ctypes.c_int64 * REQUEST_WORDS)()
        self._kernels = (ctypes.c_void_p * max(2 * len(self.pairs), 1))()
        self._held: list[Any] = []  # kernels
        self._addresses = (ctypes.c_size_t * max(len(self.constants), 1))(
            *(c.block.address for c in self.constants)
        )
        self._service = self.serve  # one bound method, which the table names
        self._replay = ReplayTable(device) if parts.replays else None
        self._table = (ctypes.c_size_t * len(TABLE.fields))()
        self._fill()
        self._compile()
        device.arenas.add(self)

    @property
    def busy(self) -> bool:
        """Whether a call of the program runs."""
        return hasattr(self._build, "owner") and self._build.busy

    @property
    def address(self) -> int:
        return ctypes.addressof(self._table)

    def _fill(self) -> None:
        values = {
            **self.device.functions,
            "state": self.device.state,
            "kernels": ctypes.addressof(self._kernels),
            "slots": ctypes.addressof(self._slots),
            "constants": ctypes.addressof(self._addresses),
            "service": id(self._service),
            "request": ctypes.addressof(self._request),
            "flags": self.device.flags.address,
            "program": self.device.enrol(self._build) << MARK_BITS,
            "replay": 0 if self._replay is None else self._replay.address,
        }
        for i, name in enumerate(TABLE.fields):
            self._table[i] = values.get(name, 0)

    def _compile(self) -> None:
        """The kernels that are wanted early; another is compiled when it is first needed."""
        early = [k for k, pair in enumerate(self.pairs) if pair.early]
        found = self.device.handles([self.pairs[k].narrow for k in early])
        for k, (handle, held) in zip(early, found, strict=True):
            self._kernels[2 * k] = handle
            self._held.append(held)

    # --- the service ---

    def serve(self) -> Any:
        """Answer what the program asks for."""
        words = self._request
        words[ANSWER] = 0
        try:
            what, a, b = words[0], words[1], words[2]
            if what == GROW:
                words[ANSWER] = self._grow(a, b)
                return None
            if what == COMPILE:
                words[ANSWER] = self._compile_one(a)
                return None
            return self._returned(what == OUTPUT, a, b)
        except DeviceError as error:
            self.error = self._build.at_node(error, words[ASKING_NODE])
            return None
        except Exception as error:
            self.error = error
            return None

    def _grow(self, slot: int, size: int) -> int:
        """Memory for a slot of the arena; it had less, which work that is queued may still use."""
        self._blocks.pop(slot, None)
        block = self.device.pool.block(size + 1)
        self._blocks[slot] = block
        at = SLOT.size // WORD * slot
        self._slots[at + SLOT.fields.index("data")] = block.address
        self._slots[at + SLOT.fields.index("capacity")] = block.size
        return int(block.address)

    def _compile_one(self, index: int) -> int:
        pair = self.pairs[index // 2]
        ((handle, held),) = self.device.handles([pair.wide if index % 2 else pair.narrow])
        self._kernels[index] = handle
        self._held.append(held)
        return handle

    def _returned(self, is_output: bool, k: int, typenum: int) -> DeviceArray:
        """A new array for an output or an update. An output that may be borrowed is written over
        in the next call; an update goes into the shared variable's spare array where that fits and
        nobody else holds it.
        """
        rank, place = self._request[3], self._request[4]
        shape = tuple((ctypes.c_int64 * rank).from_address(place)) if rank else ()
        array = self._borrowed.get(k) if is_output else None
        if array is not None and not self._fits(array, shape, typenum):
            array = None
        if not is_output:
            cell = self._build.cells[k]
            if self._fits(cell[1], shape, typenum) and self.device.is_free(cell, 1):
                array, cell[1] = cell[1], None
        if array is None:
            array = self.device.empty(shape, BY_NUMBER[typenum])
        if is_output and self._build.lends[k]:
            self._borrowed[k] = array
        self._request[ANSWER] = array.block.address
        return array

    def _fits(self, array: Any, shape: tuple[int, ...], typenum: int) -> bool:
        return (
            isinstance(array, DeviceArray)
            and array.device is self.device
            and array.shape == shape
            and array.dtype.num == typenum
        )

    def free(self) -> None:
        """Give the arena back to the pool."""
        self._blocks.clear()
        self._borrowed.clear()
        ctypes.memset(self._slots, 0, ctypes.sizeof(self._slots))
