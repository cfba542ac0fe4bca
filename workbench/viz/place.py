"""The third step of the layout: x coordinates, near to the neighbours and never overlapping.

Each row is moved to where its links pull it and then pushed apart by isotonic regression, which is
the nearest
arrangement that keeps the order and the gaps.
"""

from __future__ import annotations

import numpy as np

from workbench.viz.order import Floats, Ints, Rows, Side


def place_rows(
    rows: Rows, ordered: list[Ints], width: Floats, gap: Floats, stiff: Floats, rounds: int
) -> Floats:
    """The centre x of every vertex. `gap` is the room a vertex keeps at either side, `stiff` how
    straight its links are.
    """
    x = np.zeros(len(width))
    room = width / 2 + gap
    offsets = [_offsets(room[row]) for row in ordered]
    for row, offset in zip(ordered, offsets, strict=True):
        x[row] = offset - (offset[0] + offset[-1]) / 2
    slots = [np.searchsorted(*pair) for pair in zip(rows.members, ordered, strict=True)]
    for turn in range(rounds):
        sides: tuple[tuple[Side, ...], ...]
        sides = (rows.up,) if turn % 2 == 0 else (rows.down,)
        if turn >= rounds - 2:
            sides = (rows.up, rows.down)
        sequence = range(len(ordered)) if turn % 2 == 0 else reversed(range(len(ordered)))
        for r in sequence:
            wanted, weight = _pull(rows.members[r], [side[r] for side in sides], x, stiff)
            x[ordered[r]] = _apart(wanted[slots[r]], weight[slots[r]], offsets[r])
    return x


def _offsets(room: Floats) -> Floats:
    return np.concatenate(([0.0], np.cumsum(room[:-1] + room[1:])))


def _pull(vertices: Ints, sides: list[Side], x: Floats, stiff: Floats) -> tuple[Floats, Floats]:
    """Where the links want each vertex, and how strongly."""
    count = len(vertices)
    total, weight = np.zeros(count), np.zeros(count)
    for side in sides:
        strength = stiff[vertices][side.local] * stiff[side.far]
        total += np.bincount(side.local, weights=strength * x[side.far], minlength=count)
        weight += np.bincount(side.local, weights=strength, minlength=count)
    free = weight == 0
    wanted = np.where(free, x[vertices], total / np.where(free, 1.0, weight))
    return wanted, np.where(free, 0.05, weight)


def _apart(wanted: Floats, weight: Floats, offset: Floats) -> Floats:
    """The x nearest to `wanted` (weighted least squares) with the gaps that `offset` asks for."""
    target = wanted - offset
    if np.all(target[1:] >= target[:-1]):
        return wanted
    means: list[float] = []
    masses: list[float] = []
    sizes: list[int] = []
    for mean, mass in zip(target.tolist(), weight.tolist(), strict=True):
        size = 1
        while means and means[-1] > mean:
            before, mass_before = means.pop(), masses.pop()
            mean = (mean * mass + before * mass_before) / (mass + mass_before)
            mass += mass_before
            size += sizes.pop()
        means.append(mean)
        masses.append(mass)
        sizes.append(size)
    return np.repeat(np.asarray(means), sizes) + offset
