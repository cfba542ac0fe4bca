"""A device's memory: blocks that are used again, a limit, and memory that is taken at the start."""

from __future__ import annotations

import gc
from bisect import bisect_left, insort
from collections.abc import Callable
from typing import Any

from workbench.errors import DeviceMemoryError

ALIGNMENT = 256

Allocate = Callable[[int], tuple[int, Any]]
"""From a number of bytes to an address and what keeps it alive. Raises DeviceMemoryError."""


class Block:
    """Memory of a device; it goes back to its pool when nobody holds it any more. Work that was
    queued before is still done with it: the queue runs in order.
    """

    __slots__ = ("__weakref__", "address", "pool", "size")

    def __init__(self, pool: Pool, address: int, size: int) -> None:
        self.pool, self.address, self.size = pool, address, size

    def __del__(self) -> None:
        self.pool.give_back(self.address, self.size)


class Slab:
    """One allocation, cut into pieces: the first that is large enough is taken, neighbours that
    are free join.
    """

    def __init__(self, address: int, size: int, held: Any) -> None:
        self.address, self.size, self.held = address, size, held
        self._free: list[tuple[int, int]] = [(address, size)]

    def take(self, size: int) -> int | None:
        for i, (address, length) in enumerate(self._free):
            if length >= size:
                rest = [(address + size, length - size)] if length > size else []
                self._free[i : i + 1] = rest
                return address
        return None

    def give_back(self, address: int, size: int) -> None:
        at = bisect_left(self._free, (address, 0))
        if at < len(self._free) and self._free[at][0] == address + size:
            size += self._free.pop(at)[1]
        if at and sum(self._free[at - 1]) == address:
            before, length = self._free.pop(at - 1)
            address, size = before, length + size
        insort(self._free, (address, size))

    def __contains__(self, address: int) -> bool:
        return self.address <= address < self.address + self.size


class Pool:
    """Blocks of a device. The driver gave `taken` bytes; `used` bytes are in somebody's hands,
    `kept` bytes are free for the next who asks; `reclaim` has those give blocks back who keep some
    only to be quicker.
    """

    def __init__(
        self,
        allocate: Allocate,
        total: int,
        title: str,
        reclaim: Callable[[], None] = lambda: None,
    ) -> None:
        self._allocate = allocate
        self._reclaim = reclaim
        self.total = total
        self.limit = total
        self.title = title
        self.taken = self.used = self.kept = self.peak = 0
        # What keeps the memory at each address. It is the pool's, not the blocks': what the garbage
        # collector finds with a block in a cycle it finalises, although the block lives on here.
        self._held: dict[int, Any] = {}
        self._free: dict[int, list[int]] = {}
        self._slab: Slab | None = None

    def preallocate(self, size: int) -> None:
        """Take so many bytes in one piece, from which blocks are cut as long as there is room.
        Raises DeviceMemoryError.
        """
        if self._slab is None and size > 0:
            rounded = -(-size // ALIGNMENT) * ALIGNMENT
            address, held = self._allocate(rounded)
            self._slab = Slab(address, rounded, held)
            self.taken += rounded

    def block(self, size: int) -> Block:
        """A block of at least so many bytes. Raises DeviceMemoryError, after everything that is
        kept was given back to the driver.
        """
        rounded = rounded_size(size)
        block = self._from_slab(rounded) or self._kept_block(rounded) or self._new_block(rounded)
        self.used += rounded
        self.peak = max(self.peak, self.used)
        return block

    def _from_slab(self, size: int) -> Block | None:
        address = None if self._slab is None else self._slab.take(size)
        return None if address is None else Block(self, address, size)

    def _kept_block(self, size: int) -> Block | None:
        try:
            address = self._free[size].pop()
        except (KeyError, IndexError):
            return None
        self.kept -= size
        return Block(self, address, size)

    def _new_block(self, size: int) -> Block:
        if self.taken + size > self.limit:
            self.make_room()
        if self.taken + size > self.limit:
            raise self._full(size)
        try:
            address, held = self._allocate(size)
        except DeviceMemoryError:
            self.make_room()
            try:
                address, held = self._allocate(size)
            except DeviceMemoryError:
                raise self._full(size) from None
        self._held[address] = held
        self.taken += size
        return Block(self, address, size)

    def make_room(self) -> None:
        """Have everybody give back what he can do without; garbage may hold blocks, too, and Python
        does not see how large they are.
        """
        self._reclaim()
        gc.collect()
        self.free()

    def give_back(self, address: int, size: int) -> None:
        """A block that nobody holds any more."""
        self.used -= size
        if self._slab is not None and address in self._slab:
            self._slab.give_back(address, size)
            return
        self.kept += size
        self._free.setdefault(size, []).append(address)

    def free(self) -> int:
        """Give what is kept back to the driver; returns how many bytes that were."""
        freed = 0
        for size, addresses in list(self._free.items()):
            while addresses:  # the driver lets other threads run, which may give back more
                held = self._held.pop(addresses.pop())
                self.kept -= size
                self.taken -= size
                freed += size
                del held
        return freed

    def _full(self, size: int) -> DeviceMemoryError:
        limit = (
            "" if self.limit == self.total else f", of which {_megabytes(self.limit)} may be used"
        )
        return DeviceMemoryError(
            f"{self.title} is out of memory: {_megabytes(size)} are asked for",
            f"{_megabytes(self.used)} are in use; it has {_megabytes(self.total)}{limit}",
            advice="use smaller batches or float32, drop arrays that are not needed any more, or "
            "call free() on functions that are not",
        )


def rounded_size(size: int) -> int:
    """The size of the block that holds so many bytes: an eighth more at most, so that blocks fit
    again.
    """
    if size <= 8 * ALIGNMENT:
        return max(ALIGNMENT, -(-size // ALIGNMENT) * ALIGNMENT)
    step = 1 << (size - 1).bit_length() - 4
    return -(-size // step) * step


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.2f} GB"
