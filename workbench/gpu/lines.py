"""Tensors as lines along one of their axes, for kernels that go along them."""

from __future__ import annotations

from workbench.core.native.tensor import Name, Tensor
from workbench.frozen import frozen
from workbench.gpu.shares import Shares, shares
from workbench.gpu.writer import DeviceWriter


@frozen
class Lines:
    """A tensor in one piece of a device's memory, along an axis.

    count   how many lines there are, and
    length  how long they are
    inner   how far a line's elements are apart: so many lines lie side by side
    """

    tensor: Tensor
    count: Name
    length: Name
    inner: Name

    def shares(self, w: DeviceWriter, each: int = 1) -> Shares:
        """How they are shared out; a thread takes `each` elements at once."""
        groups = w.device(self.tensor.device).able.groups
        return shares(w, self.count, self.length, self.inner, groups, each)


def lines_of(w: DeviceWriter, tensor: Tensor, axis: int, device: str) -> Lines:
    """The lines of a tensor, which is copied where it is not in one piece there."""
    whole = w.on(tensor, device)
    inner = w.multiply(*whole.dims[axis + 1 :])
    count = w.multiply(*whole.dims[:axis], inner)
    return Lines(whole, count, whole.dims[axis], inner)
