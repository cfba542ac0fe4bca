"""What a written program needs of its devices."""

from __future__ import annotations

from workbench.core.array import Array
from workbench.core.graph import Apply
from workbench.frozen import frozen
from workbench.gpu.dialect import Kernel
from workbench.gpu.nest_kernel import WIDEST_SPACE


@frozen
class Pair:
    """A kernel for spaces of so many points at most, as a rule what 32 bits can count, and one for
    larger ones, which is compiled when it is first needed; so is the other where it is not wanted
    `early`.
    """

    narrow: Kernel
    wide: Kernel
    most: int = WIDEST_SPACE
    early: bool = True


@frozen
class Parts:
    """What the devices of a program need.

    devices    their names, in the order of the tables
    kernels    for each device
    constants  for each device
    marks      the nodes, by the number that errors and times name, each with the outermost node
               that holds it
    n_slots    how many slots of the arena there are
    replays    whether there are loops that may be replayed
    """

    devices: tuple[str, ...]
    kernels: tuple[tuple[Pair, ...], ...]
    constants: tuple[tuple[Array, ...], ...]
    marks: tuple[tuple[Apply, Apply | None], ...]
    n_slots: int
    replays: bool = False
