"""What a compiled function takes and gives, as its entry needs to know it."""

from __future__ import annotations

from workbench.frozen import frozen


@frozen
class DeviceSpec:
    """How the entry knows an array of a device: its object has, `words` bytes from its beginning, a
    NumPy array of int64: the address, the device's `mark`, the dtype's number, the rank, then
    lengths and strides.
    """

    mark: int
    words: int


@frozen
class ArraySpec:
    """An array that the fast path takes: exact dtype, ndim, C-contiguous, aligned; `dims` fixes
    some sizes (None: any).

    `python_float` (0-d float32 and float64 arguments only): a Python float is taken as well.
    """

    dtype: str
    ndim: int
    dims: tuple[int | None, ...] = ()
    python_float: bool = False
    device: DeviceSpec | None = None

    def __post_init__(self) -> None:
        if self.python_float and (self.ndim or self.dtype not in ("float32", "float64")):
            raise ValueError(f"a Python float is no {self}")


@frozen
class EntrySpec:
    """What a program takes and gives. Update k goes to the cell number `updates[k]`."""

    arguments: tuple[ArraySpec, ...]
    cells: tuple[ArraySpec, ...] = ()
    n_outputs: int = 1
    updates: tuple[int, ...] = ()
    n_slots: int = 0
    returns_list: bool = False  # also for a single output
    exclusive: bool = False  # a call while another runs is left to the slow path
