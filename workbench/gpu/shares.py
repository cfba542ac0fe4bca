"""How work along lines is shared out among threads: lanes for each line, and chunks of long lines
where there are few.
"""

from __future__ import annotations

from workbench.core.native.ssa import Type
from workbench.core.native.tensor import Name
from workbench.core.native.writer import Writer
from workbench.frozen import frozen
from workbench.gpu.dialect import GROUP_SIZE

ELEMENTS_PER_LANE = 16
"""Elements that a thread goes over at least, before they are cut into chunks."""

COLUMN_LANES = 8
"""Threads that share a column: fewer than a warp, so that a warp reads neighbouring columns."""


@frozen
class Shares:
    """Lines cut into pieces for work groups.

    lanes   threads side by side on one line, a power of two
    blocks  groups of so many lines as one work group takes at once
    chunks  pieces of a line, and
    chunk   their length, but for the last one's
    """

    lanes: Name
    blocks: Name
    chunks: Name
    chunk: Name


def shares(
    w: Writer, lines: Name, length: Name, beside: Name, groups: int, each: int = 1
) -> Shares:
    """Work groups for so many lines of a length, of which `beside` lie side by side in memory (1:
    each is in one piece). `groups` keep the device busy; a lane takes `each` elements at once.
    """
    wanted = power_of_two(w, over(w, length, str(each)))
    columns = w.call_i64("smin", power_of_two(w, beside), str(GROUP_SIZE))
    spare = w.integer("sdiv", str(GROUP_SIZE), columns)
    lanes = w.call_i64("smin", wanted, w.call_i64("smax", spare, str(COLUMN_LANES)))
    blocks = over(w, lines, w.integer("sdiv", str(GROUP_SIZE), lanes))
    fair = w.integer("sdiv", str(groups), w.call_i64("smax", blocks, "1"))
    least = over(w, length, w.integer("mul", lanes, str(ELEMENTS_PER_LANE)))
    chunks = w.call_i64("smax", w.call_i64("smin", fair, least), "1") if least != "1" else "1"
    chunk = w.call_i64("smax", over(w, length, chunks), "1")
    return Shares(lanes, blocks, chunks, chunk)


def over(w: Writer, count: Name, size: Name) -> Name:
    """How many pieces of a size there are in a count."""
    if size == "1":
        return count
    more = w.integer("add", count, w.integer("sub", size, "1"))
    return w.integer("sdiv", more, size)


def doublings(w: Writer, count: Name) -> Name:
    """How often 1 is doubled until it is not below a count."""
    if count.isdigit():
        return str(max(int(count) - 1, 0).bit_length())
    least = w.integer("sub", w.call_i64("smax", count, "1"), "1")
    code = w.region(least)
    zeros = code.put(Type("i64"), f"call i64 @llvm.ctlz.i64(i64 {least}, i1 false)").name
    return w.integer("sub", "64", zeros)


def power_of_two(w: Writer, count: Name) -> Name:
    """The least power of two that is not below a count, from 1 on."""
    times = doublings(w, count)
    return str(1 << int(times)) if times.isdigit() else w.integer("shl", "1", times)
