"""What writes the devices' ops: mostly what writes the host's, whose tensors then lie on a device."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import Op
from workbench.core.native import emit_index, emit_loops, emit_shape
from workbench.core.native.writer import Emitter
from workbench.gpu import emit_products, ops

EMITTERS: dict[type[Op], Emitter] = {
    ops.GpuElemwise: emit_loops.emit_elemwise,
    ops.GpuLoop: emit_loops.emit_loop,
    **dict.fromkeys(
        (ops.GpuSum, ops.GpuProd, ops.GpuMax, ops.GpuPeak, ops.GpuMin, ops.GpuAll, ops.GpuAny),
        emit_loops.emit_reduce,
    ),
    ops.GpuDimShuffle: emit_shape.emit_dimshuffle,
    ops.GpuReshape: emit_shape.emit_reshape,
    ops.GpuSpecifyBroadcast: emit_shape.emit_specify,
    ops.GpuGradientControl: emit_shape.emit_same,
    ops.GpuAlloc: emit_shape.emit_alloc,
    ops.GpuJoin: emit_shape.emit_join,
    ops.GpuSubtensor: emit_index.emit_subtensor,
    ops.GpuIncSubtensor: emit_index.emit_inc_subtensor,
    **emit_products.EMITTERS,
}
