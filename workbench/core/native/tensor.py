"""Where a variable's value is while a program is written: SSA names of its data, dimensions and
strides, or of a scalar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from workbench.frozen import frozen

Name = str
"""An SSA name (`%x`) or an integer literal, both of type i64 (or ptr, or the scalar's register
type).
"""


@frozen
class Tensor:
    """A value in memory or in a register.

    data     the address of the first element; None where the value is a `scalar`
    scalar   the register that holds the one value which all elements are (bool: i1)
    strides  byte strides; the literal '0' on axes along which the value is spread
    buffer   the number of the arena's slot that this memory belongs to, None where it is not the
             arena's
    writable whether the memory is the program's own, to be written over when nobody reads it any
    more
    forward  whether the strides are known not to be negative
    overlaps whether elements may share their memory where the value is not spread
    device   whose memory it is; a register is the host's
    """

    dtype: str
    dims: tuple[Name, ...]
    strides: tuple[Name, ...]
    data: Name | None = None
    scalar: Name | None = None
    buffer: int | None = None
    contiguous: bool = False
    forward: bool = True
    overlaps: bool = False
    device: str = "cpu"

    @property
    def ndim(self) -> int:
        return len(self.dims)

    @property
    def itemsize(self) -> int:
        return np.dtype(self.dtype).itemsize

    def view(
        self,
        data: Name | None,
        dims: Sequence[Name],
        strides: Sequence[Name],
        *,
        contiguous: bool = False,
        forward: bool | None = None,
    ) -> Tensor:
        """Another look at the same memory."""
        known = self.forward if forward is None else forward
        return replace(
            self,
            data=data,
            dims=tuple(dims),
            strides=tuple(strides),
            contiguous=contiguous,
            forward=known,
        )


def register_tensor(dtype: str, scalar: Name, dims: Sequence[Name] = ()) -> Tensor:
    """A scalar in a register, spread over some dimensions."""
    return Tensor(dtype, tuple(dims), ("0",) * len(dims), scalar=scalar)
