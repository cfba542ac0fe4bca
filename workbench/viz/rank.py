"""The first step of the layout: which row every node stands in, sources above readers."""

from __future__ import annotations

from collections.abc import Sequence

Links = Sequence[tuple[int, int]]  # (source, target), both indices into the nodes' order


def assign_ranks(count: int, links: Links) -> list[int]:
    """A row per node: as high as its inputs allow, or just above its readers if those are more
    (or no fewer, for a node that reads leaves only: better a long edge from a leaf).

    Links that point backwards in the nodes' order (a cycle of groups) are left out.
    """
    above, below = neighbours(count, [link for link in links if link[0] < link[1]])
    rank = [0] * count
    for node in range(count):
        rank[node] = max((rank[source] + 1 for source in above[node]), default=0)
    for node in reversed(range(count)):
        on_leaves = not any(above[source] for source in above[node])
        if below[node] and len(above[node]) < len(below[node]) + on_leaves:
            rank[node] = max(rank[node], min(rank[target] for target in below[node]) - 1)
    return rank


def neighbours(count: int, links: Links) -> tuple[list[list[int]], list[list[int]]]:
    """For every node the nodes that it reads and the nodes that read it, without repeats."""
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for source, target in dict.fromkeys(links):
        above[target].append(source)
        below[source].append(target)
    return above, below
