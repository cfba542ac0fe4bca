"""Running totals and recurrences. Along the last axis an accumulator goes through each row; along
another axis each slice is made of the one before it, by a kernel.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.graph import Apply
from workbench.core.native.emit_index import address, element, over, slice_at
from workbench.core.native.emit_loops import Sink, iteration_space, run_loops
from workbench.core.native.lower import lower
from workbench.core.native.ssa import memory_type
from workbench.core.native.tensor import Name, Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.ops.cumulative import CumMax, CumMin, CumProd, CumSum, Recurrence
from workbench.core.scalar import ScalarBuilder, ScalarProgram
from workbench.core.types import tensor_type

Step = ScalarProgram
"""From the result so far and the operands' next elements to the next result."""


def emit_running(w: Writer, node: Apply) -> None:
    """cumsum, cumprod, cummax, cummin."""
    op = node.op
    assert isinstance(op, (CumSum, CumProd, CumMax, CumMin))
    dtype, wide = (tensor_type(v).dtype for v in (*node.inputs, node.out))
    prim = op.prim
    if wide == "bool":
        prim = "or" if prim == "maximum" else "and"
    builder = ScalarBuilder((wide, dtype))
    step = builder.program(builder.prim(prim, wide, 0, builder.cast(1, wide)))
    first = ScalarBuilder((dtype,))
    _emit(w, node, op.axis, first.program(first.cast(0, wide)), step)


def emit_recurrence(w: Writer, node: Apply) -> None:
    """A linear recurrence: a * y + b."""
    op = node.op
    assert isinstance(op, Recurrence)
    dtype = tensor_type(node.out).dtype
    first = ScalarBuilder((dtype, dtype))
    builder = ScalarBuilder((dtype,) * 3)
    product = builder.prim("mul", dtype, 1, 0)
    step = builder.program(builder.prim("add", dtype, product, 2))
    _emit(w, node, op.axis, first.program(1), step)


def _emit(w: Writer, node: Apply, axis: int, first: ScalarProgram, step: Step) -> None:
    operands = [w.tensor(v) for v in node.inputs]
    dims = iteration_space(w, node.inputs, operands)
    operands = [w.in_memory(t) if t.scalar is not None else t for t in operands]
    out = w.allocate(node.out, dims)
    along = _rows if axis == len(dims) - 1 else _slices
    along(w, operands, out, axis, first, step)
    w.bind(node.out, out)


def _rows(
    w: Writer,
    operands: Sequence[Tensor],
    out: Tensor,
    axis: int,
    first: ScalarProgram,
    step: Step,
) -> None:
    n = out.dims[axis]
    total = w.alloca(memory_type(out.dtype), "total")
    so_far = out.view(total, (), ())
    with over(w, out.dims[:axis]) as at:
        rows = [element(w, t, at) for t in operands]
        into = element(w, out, at)
        with w.counted(w.call_i64("smin", n, "1")) as i:
            _store(w, first, [element(w, r, [i]) for r in rows], total, address(w, into, [i]))
        with w.counted(w.call_i64("smax", w.integer("sub", n, "1"), "0")) as i:
            k = [w.integer("add", i, "1")]
            given = [so_far, *(element(w, r, k) for r in rows)]
            _store(w, step, given, total, address(w, into, k))


def _store(
    w: Writer, program: ScalarProgram, given: Sequence[Tensor], total: Name, into: Name
) -> None:
    (value,) = lower(program, w.code, [w.scalar(t).name for t in given], 1)
    w.store_scalar(value, total)
    w.store_scalar(value, into)


def _slices(
    w: Writer,
    operands: Sequence[Tensor],
    out: Tensor,
    axis: int,
    first: ScalarProgram,
    step: Step,
) -> None:
    n = out.dims[axis]
    space = [d for i, d in enumerate(out.dims) if i != axis]
    with w.counted(w.call_i64("smin", n, "1")) as i:
        slices = [slice_at(w, t, axis, i) for t in operands]
        into = slice_at(w, out, axis, i)
        if len(operands) == 1:
            w.copy(slices[0], into)
        else:
            run_loops(w, first, space, slices, [Sink(into, 0)], ())
    with w.counted(w.call_i64("smax", w.integer("sub", n, "1"), "0")) as i:
        k = w.integer("add", i, "1")
        given = [slice_at(w, out, axis, i), *(slice_at(w, t, axis, k) for t in operands)]
        run_loops(w, step, space, given, [Sink(slice_at(w, out, axis, k), 0)], ())


EMITTERS: dict[type, Emitter] = {
    **dict.fromkeys((CumSum, CumProd, CumMax, CumMin), emit_running),
    Recurrence: emit_recurrence,
}
