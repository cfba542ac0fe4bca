"""Products of stacks of matrices on a device: one launch for all of them."""

from __future__ import annotations

from itertools import pairwise

from workbench.core.graph import Apply, Op
from workbench.core.native.emit_batched import by_loops
from workbench.core.native.emit_loops import spread
from workbench.core.native.stacks import batch_space
from workbench.core.native.tensor import Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.gpu.emit_products import tiled
from workbench.gpu.ops.batched import GpuBatchedDot
from workbench.gpu.writer import DeviceWriter


def emit_batched_dot(w: Writer, node: Apply) -> None:
    """Tiles of matrices; rows or columns alone, and bools, are a reduction like any other."""
    assert isinstance(w, DeviceWriter)
    a, b = (w.tensor(v) for v in node.inputs)
    w.same(a.dims[-1], b.dims[-2])
    batch = batch_space(w, node.inputs, (a, b))
    left, right = (spread(t, [*batch, *t.dims[-2:]]) for t in (a, b))
    out = w.allocate(node.out, (*batch, a.dims[-2], b.dims[-1]))
    if out.dtype == "bool" or "1" in out.dims[-2:]:
        by_loops(w, left, right, out)
    else:
        tiled(w, *(_as_stack(w, t, out.device) for t in (out, left, right)))
    w.bind(node.out, out)


def _as_stack(w: DeviceWriter, tensor: Tensor, device: str) -> Tensor:
    """The matrices along one axis: a view, or a copy where no stride counts them."""
    if not _counted_by_one_stride(w, tensor):
        tensor = w.on(tensor, device)
    steps = [s for n, s in zip(tensor.dims, tensor.strides[:-2], strict=False) if n != "1"]
    dims = (w.multiply(*tensor.dims[:-2]), *tensor.dims[-2:])
    return tensor.view(tensor.data, dims, (steps[-1] if steps else "0", *tensor.strides[-2:]))


def _counted_by_one_stride(w: DeviceWriter, tensor: Tensor) -> bool:
    axes = [(n, s) for n, s in zip(tensor.dims, tensor.strides[:-2], strict=False) if n != "1"]
    return tensor.contiguous or all(
        outer == w.integer_known("mul", inner, n) for (_, outer), (n, inner) in pairwise(axes)
    )


EMITTERS: dict[type[Op], Emitter] = {GpuBatchedDot: emit_batched_dot}
