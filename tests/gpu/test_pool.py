"""A device's memory: blocks are used again, no two share a byte, limits hold, nothing is lost."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import workbench as wb
from tests.gpu.support import DEVICE
from workbench.core.devices import find
from workbench.errors import DeviceMemoryError
from workbench.gpu.device import Device
from workbench.gpu.pool import ALIGNMENT, Block, Pool, Slab, rounded_size

KB = 1 << 10


class Memory:
    """A driver's memory, of a size."""

    def __init__(self, size: int) -> None:
        self.size, self.given = size, 0
        self.asked: list[int] = []
        self._next = 1 << 40

    def allocate(self, size: int) -> tuple[int, Any]:
        self.asked.append(size)
        if self.given + size > self.size:
            raise DeviceMemoryError("the driver has no more")
        self.given += size
        address, self._next = self._next, self._next + (1 << 40)
        return address, Held(self, size)


class Held:
    """What keeps a piece of it."""

    def __init__(self, memory: Memory, size: int) -> None:
        self.memory, self.size = memory, size

    def __del__(self) -> None:
        self.memory.given -= self.size


def pool_of(size: int, reclaim: Callable[[], None] = lambda: None) -> tuple[Pool, Memory]:
    memory = Memory(size)
    return Pool(memory.allocate, size, "a device", reclaim), memory


def apart(blocks: list[Block]) -> bool:
    """Whether no two of them share a byte."""
    ends = sorted((b.address, b.address + b.size) for b in blocks)
    return all(a[1] <= b[0] for a, b in pairwise(ends))


# ---------------------------------------------------------------- blocks


def test_sizes() -> None:
    """An eighth too much at most, and few different ones, so that blocks fit again."""
    for size in [*range(0, 5000, 7), 10**6, 10**9 + 1, 2**30, 2**30 + 1]:
        rounded = rounded_size(size)
        assert size <= rounded <= max(ALIGNMENT, size + size // 8 + ALIGNMENT)
        assert rounded % ALIGNMENT == 0
        assert rounded_size(rounded) == rounded
    assert len({rounded_size(n) for n in range(1 << 16)}) < 60


def test_a_block_is_used_again() -> None:
    pool, memory = pool_of(100 * KB)
    block = pool.block(3000)
    address = block.address
    assert (pool.used, pool.kept) == (block.size, 0)
    del block
    assert (pool.used, pool.kept) == (0, rounded_size(3000))
    assert pool.block(2900).address == address
    assert memory.asked == [rounded_size(3000)]
    assert pool.peak == rounded_size(3000)


def test_what_is_kept_is_given_to_the_driver_where_memory_is_short() -> None:
    """By its own size, and by the limit."""
    for limit in (None, 10 * KB):
        pool, memory = pool_of(10 * KB if limit is None else 100 * KB)
        pool.limit = limit or pool.limit
        blocks = [pool.block(2 * KB) for _ in range(4)]
        del blocks[1:]
        whole = pool.block(8 * KB)
        assert (pool.kept, pool.used) == (0, 10 * KB)
        assert memory.given == pool.taken == whole.size + blocks[0].size


def test_others_are_asked_to_give_back() -> None:
    kept: list[Block] = []
    pool, _ = pool_of(10 * KB, kept.clear)
    kept.append(pool.block(8 * KB))
    assert pool.block(4 * KB).size == 4 * KB
    assert not kept


def test_a_clear_error_and_nothing_lost() -> None:
    pool, memory = pool_of(10 * KB)
    held = [pool.block(4 * KB)]
    with pytest.raises(DeviceMemoryError) as caught:
        pool.block(8 * KB)
    text = str(caught.value)
    for part in ("a device is out of memory", "0.0 MB are in use", "smaller batches", "free()"):
        assert part in text
    pool.limit = 5 * KB
    with pytest.raises(DeviceMemoryError, match=r"of which 0\.0 MB may be used"):
        pool.block(2 * KB)
    assert (pool.used, pool.taken) == (4 * KB, 4 * KB)
    held.clear()
    assert pool.free() == 4 * KB
    assert (pool.used, pool.kept, pool.taken, memory.given) == (0, 0, 0, 0)


def test_the_driver_may_have_less_than_it_says() -> None:
    """Others use the device, too: what is kept goes back, then it is asked once more."""
    pool, memory = pool_of(100 * KB)
    kept = pool.block(8 * KB)
    del kept
    memory.size = 10 * KB
    held = pool.block(6 * KB)
    assert memory.given == held.size
    with pytest.raises(DeviceMemoryError, match="out of memory"):
        pool.block(6 * KB)


def test_what_is_given_back_meanwhile() -> None:
    """While memory goes back to the driver, other threads drop blocks and take some."""
    pool, memory = pool_of(100 * KB)
    blocks = [pool.block(size * KB) for size in (4, 4, 7, 9)]
    dropped: list[Block] = [blocks[2], blocks[3]]
    taken: list[Block] = []

    class Busy(Held):
        def __del__(self) -> None:
            super().__del__()
            if dropped:
                dropped.pop()
                taken.append(pool.block(4 * KB))

    for block in blocks[:2]:
        pool._held[block.address].__class__ = Busy
    del block
    blocks.clear()
    pool.free()
    assert len(dropped) < 2
    assert pool.used == sum(block.size for block in taken + dropped)
    assert pool.taken == pool.used + pool.kept == memory.given
    taken.clear()
    dropped.clear()
    pool.free()
    assert (pool.used, pool.kept, pool.taken, memory.given) == (0, 0, 0, 0)


def test_garbage_in_a_cycle() -> None:
    """What the collector finds goes back as all else; it is asked where memory is short."""
    pool, memory = pool_of(10 * KB)
    for collect in (gc.collect, lambda: None):
        cycle: list[Any] = [pool.block(6 * KB)]
        cycle.append(cycle)
        del cycle
        collect()
        held = pool.block(6 * KB)
        assert pool.used == memory.given == held.size
        del held


# ---------------------------------------------------------------- memory that is taken at the start


def test_blocks_are_cut_from_what_is_taken_at_the_start() -> None:
    pool, memory = pool_of(100 * KB)
    pool.preallocate(10 * KB)
    pool.preallocate(50 * KB)  # once is enough
    blocks = [pool.block(2 * KB) for _ in range(5)]
    assert memory.asked == [10 * KB]
    blocks.append(pool.block(2 * KB))
    assert memory.asked == [10 * KB, 2 * KB]
    assert apart(blocks)
    blocks.clear()
    assert (pool.used, pool.kept, pool.taken) == (0, 2 * KB, 12 * KB)
    assert pool.block(10 * KB).size == 10 * KB
    assert memory.asked == [10 * KB, 2 * KB]


def test_the_limit_counts_what_is_taken_at_the_start() -> None:
    pool, memory = pool_of(100 * KB)
    pool.limit = 12 * KB
    pool.preallocate(10 * KB)
    held = pool.block(6 * KB)
    with pytest.raises(DeviceMemoryError):
        pool.block(5 * KB)
    assert memory.given <= pool.limit
    assert pool.block(2 * KB).size == 2 * KB
    del held
    assert pool.block(8 * KB).size == 8 * KB


class Cutting(RuleBasedStateMachine):
    """Taking from a slab and giving back, in any order."""

    SIZE = 32 * ALIGNMENT

    def __init__(self) -> None:
        super().__init__()
        self.slab = Slab(1 << 40, self.SIZE, None)
        self.taken: list[tuple[int, int]] = []

    @rule(units=st.integers(1, 12))
    def take(self, units: int) -> None:
        size = units * ALIGNMENT
        address = self.slab.take(size)
        if address is None:
            assert all(length < size for _, length in self.slab._free)
        else:
            self.taken.append((address, size))

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        k = data.draw(st.integers(0, len(self.taken) - 1))
        self.slab.give_back(*self.taken.pop(k))

    @invariant()
    def every_byte_is_somewhere(self) -> None:
        """Once, and free neighbours are one piece."""
        free = self.slab._free
        assert free == sorted(free)
        assert all(sum(a) < b[0] for a, b in pairwise(free))
        at = self.slab.address
        for address, size in sorted((*free, *self.taken)):
            assert address == at
            at += size
        assert at == self.slab.address + self.SIZE


Cutting.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestSlab = Cutting.TestCase


class Holding(RuleBasedStateMachine):
    """Blocks of a pool with a slab, a limit and a driver that runs out."""

    def __init__(self) -> None:
        super().__init__()
        self.pool, self.memory = pool_of(64 * KB)
        self.pool.limit = 48 * KB
        self.pool.preallocate(16 * KB)
        self.blocks: list[Block] = []

    @rule(size=st.integers(0, 20 * KB))
    def take(self, size: int) -> None:
        try:
            self.blocks.append(self.pool.block(size))
        except DeviceMemoryError:
            assert self.pool.kept == 0
            assert self.pool.taken + rounded_size(size) > self.pool.limit

    @precondition(lambda self: self.blocks)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        del self.blocks[data.draw(st.integers(0, len(self.blocks) - 1))]

    @rule()
    def free(self) -> None:
        self.pool.free()
        assert self.pool.kept == 0

    @invariant()
    def all_is_counted(self) -> None:
        assert apart(self.blocks)
        assert self.pool.used == sum(b.size for b in self.blocks)
        assert self.pool.taken == self.memory.given <= self.pool.limit
        assert self.pool.used <= self.pool.peak


Holding.TestCase.settings = settings(max_examples=15, stateful_step_count=40, deadline=None)
TestPool = Holding.TestCase


# ---------------------------------------------------------------- configuration


def test_config_device_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Megabytes of a device that may be used, and what is taken at once."""
    driver: Any = find(DEVICE).driver
    with wb.config.change(device_memory=2.0):
        device = Device(driver)
    assert device.pool.limit == 2_000_000
    held = device.array(np.ones(200_000))
    with pytest.raises(DeviceMemoryError, match=r"of which 2\.0 MB may be used"):
        device.array(np.ones(200_000))
    np.testing.assert_array_equal(held, np.ones(200_000))


def test_config_preallocate() -> None:
    """Megabytes, or a share of the memory that may be used at most."""
    code = f"""
from workbench.core.devices import find
pool = find({DEVICE!r}).pool
print(pool.limit, pool.taken, pool.used)
"""
    for flag, taken in (("gpuarray.preallocate=3", 3e6), ("lib.cnmem=0.9", 4e6)):
        flags = f"device_memory=4,print_active_device=False,{flag}"
        environment = {**os.environ, "WORKBENCH_FLAGS": flags}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        limit, found, used = map(int, done.stdout.split())
        assert limit == 4_000_000
        assert taken <= found < taken + ALIGNMENT
        assert 0 < used < KB
