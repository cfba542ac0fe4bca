"""What writes the devices' ops: mostly what writes the host's, over tensors of a device."""

from __future__ import annotations

from workbench.core.graph import Op
from workbench.core.native import emit_branches, emit_index, emit_loops, emit_shape
from workbench.core.native.emit_scan import emit_scan
from workbench.core.native.writer import Emitter
from workbench.gpu import emit_products
from workbench.gpu.ops import general, loops

EMITTERS: dict[type[Op], Emitter] = {
    general.GpuElemwise: emit_loops.emit_elemwise,
    general.GpuLoop: emit_loops.emit_loop,
    **dict.fromkeys(
        (
            general.GpuSum,
            general.GpuProd,
            general.GpuMax,
            general.GpuPeak,
            general.GpuMin,
            general.GpuAll,
            general.GpuAny,
        ),
        emit_loops.emit_reduce,
    ),
    general.GpuDimShuffle: emit_shape.emit_dimshuffle,
    general.GpuReshape: emit_shape.emit_reshape,
    general.GpuSpecifyBroadcast: emit_shape.emit_specify,
    general.GpuGradientControl: emit_shape.emit_same,
    general.GpuAlloc: emit_shape.emit_alloc,
    general.GpuJoin: emit_shape.emit_join,
    general.GpuSubtensor: emit_index.emit_subtensor,
    general.GpuIncSubtensor: emit_index.emit_inc_subtensor,
    loops.GpuScan: emit_scan,
    loops.GpuIfElse: emit_branches.emit_if_else,
    **emit_products.EMITTERS,
}
