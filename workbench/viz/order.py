"""The second step of the layout: the left-to-right order within the rows, with few crossings.

The start is a depth-first walk (or the order of an earlier picture); barycentre sweeps and swaps of
neighbours
follow, each a fixed number of times, and the order with the fewest crossings wins. Sums are by
`bincount`, which
adds in order, so that the result is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Ints: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
Floats: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]

_SWAPS_UP_TO = 3000  # more vertices than this are not worth the swaps' time
_PAIRS_AT_ONCE = 1500


@dataclass(frozen=True)
class Side:
    """The links of one row to the row above or below it: local index, far vertex, links per
    vertex.
    """

    local: Ints
    far: Ints
    degree: Floats


@dataclass(frozen=True)
class Rows:
    """Vertices by row, and links between neighbouring rows only."""

    members: tuple[Ints, ...]
    up: tuple[Side, ...]
    down: tuple[Side, ...]


def make_rows(rank: Sequence[int], links: Sequence[tuple[int, int]]) -> Rows:
    """The rows of vertices `0..len(rank)`, whose links all go from one row to the next."""
    ranks = np.asarray(rank, dtype=np.int64)
    ends = np.asarray(links, dtype=np.int64).reshape(-1, 2)
    count = int(ranks.max(initial=-1)) + 1
    members = tuple(np.flatnonzero(ranks == row) for row in range(count))
    slot = np.empty(len(ranks), dtype=np.int64)
    for row in members:
        slot[row] = np.arange(len(row))
    return Rows(
        members,
        _sides(ends[:, 1], ends[:, 0], ranks, slot, members),
        _sides(ends[:, 0], ends[:, 1], ranks, slot, members),
    )


def _sides(
    near: Ints, far: Ints, ranks: Ints, slot: Ints, members: tuple[Ints, ...]
) -> tuple[Side, ...]:
    by_row = np.argsort(ranks[near], kind="stable")
    cuts = np.searchsorted(ranks[near][by_row], np.arange(len(members) + 1))
    sides = []
    for row, vertices in enumerate(members):
        chosen = by_row[cuts[row] : cuts[row + 1]]
        local = slot[near[chosen]]
        degree = np.bincount(local, minlength=len(vertices)).astype(float)
        sides.append(Side(local, far[chosen], degree))
    return tuple(sides)


def order_rows(rows: Rows, start: Floats, sweeps: int) -> list[Ints]:
    """Every row's vertices from left to right, beginning from the positions `start` (one number per
    vertex).
    """
    position = start.copy()
    best = _settle(rows, position)
    fewest = crossings(rows, position)
    for sweep in range(sweeps):
        _sweep(rows, position, downwards=sweep % 2 == 0)
        if (count := crossings(rows, position)) < fewest:
            fewest, best = count, _settle(rows, position)
    if len(position) <= _SWAPS_UP_TO:
        best = _swap_neighbours(rows, best, len(position))
    return best


def _settle(rows: Rows, position: Floats) -> list[Ints]:
    """The rows ordered by position; positions become 0, 1, 2, … within a row."""
    ordered = []
    for row in rows.members:
        row = row[np.argsort(position[row], kind="stable")]
        position[row] = np.arange(len(row))
        ordered.append(row)
    return ordered


def _sweep(rows: Rows, position: Floats, downwards: bool) -> None:
    sides = rows.up if downwards else rows.down
    turn = range(len(rows.members)) if downwards else reversed(range(len(rows.members)))
    for row in turn:
        vertices, side = rows.members[row], sides[row]
        total = np.bincount(side.local, weights=position[side.far], minlength=len(vertices))
        wanted = np.where(side.degree > 0, total / np.maximum(side.degree, 1), position[vertices])
        position[vertices[np.argsort(wanted, kind="stable")]] = np.arange(len(vertices))


def crossings(rows: Rows, position: Floats) -> int:
    """How many pairs of links cross."""
    return sum(
        _inversions(position[vertices][side.local], position[side.far])
        for vertices, side in zip(rows.members, rows.down, strict=True)
    )


def _inversions(near: Floats, far: Floats) -> int:
    far = far[np.lexsort((far, near))]
    near = np.sort(near)
    total = 0
    for begin in range(0, len(far), _PAIRS_AT_ONCE):
        block, right = slice(begin, begin + _PAIRS_AT_ONCE), slice(begin, None)
        crossed = (far[block, None] > far[None, right]) & (near[block, None] < near[None, right])
        total += int(np.count_nonzero(crossed))
    return total


def _swap_neighbours(rows: Rows, ordered: list[Ints], count: int) -> list[Ints]:
    """Two rounds of swapping neighbours where that removes crossings."""
    place = [0] * count
    for row in ordered:
        for slot, vertex in enumerate(row.tolist()):
            place[vertex] = slot
    up, down = _adjacency(rows, rows.up, count), _adjacency(rows, rows.down, count)
    orders: list[list[int]] = [row.tolist() for row in ordered]
    for line in orders * 2:
        for slot in range(len(line) - 1):
            left, right = line[slot], line[slot + 1]
            if _gain(up, place, left, right) + _gain(down, place, left, right) > 0:
                line[slot], line[slot + 1] = right, left
                place[right], place[left] = slot, slot + 1
    return [np.asarray(row, dtype=np.int64) for row in orders]


def _adjacency(rows: Rows, sides: tuple[Side, ...], count: int) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(count)]
    for vertices, side in zip(rows.members, sides, strict=True):
        for near, far in zip(vertices[side.local].tolist(), side.far.tolist(), strict=True):
            found[near].append(far)
    return found


def _gain(links: list[list[int]], place: list[int], left: int, right: int) -> int:
    """How many crossings fewer there are with `right` to the left of `left`."""
    gain = 0
    for a in links[left]:
        for b in links[right]:
            gain += (place[a] > place[b]) - (place[a] < place[b])
    return gain
