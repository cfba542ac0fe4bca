"""Products of stacks of matrices: one BLAS call for each of them, or the program's own loops."""

from __future__ import annotations

from workbench.core.graph import Apply, Op
from workbench.core.native.emit_blas import multiply, multiply_vector
from workbench.core.native.emit_loops import Sink, run_loops
from workbench.core.native.stacks import LETTER, batch_space, each, number, over_batch
from workbench.core.native.tensor import Tensor
from workbench.core.native.writer import Emitter, Writer
from workbench.core.nest import accumulator_dtype
from workbench.core.ops import batched
from workbench.core.scalar import ScalarBuilder
from workbench.core.types import tensor_type


def emit_batched_dot(w: Writer, node: Apply) -> None:
    """Floats of one dtype go to BLAS."""
    a, b = (w.tensor(v) for v in node.inputs)
    dtype = tensor_type(node.out).dtype
    w.same(a.dims[-1], b.dims[-2])
    batch = batch_space(w, node.inputs, (a, b))
    left, right = over_batch(w, a, batch), over_batch(w, b, batch)
    out = w.allocate(node.out, (*batch, a.dims[-2], b.dims[-1]))
    if a.dtype == b.dtype == dtype and dtype in LETTER:
        one, zero = number(w, dtype, 1.0), number(w, dtype, 0.0)
        with each(w, batch, left, right, out) as (x, y, result):
            if result.dims[1] == "1":
                multiply_vector(w, _line(result, 0), one, x, _line(y, 0), zero)
            elif result.dims[0] == "1":
                turned = y.view(y.data, y.dims[::-1], y.strides[::-1])
                multiply_vector(w, _line(result, 1), one, turned, _line(x, 1), zero)
            else:
                multiply(w, result, one, x, y, zero)
    else:
        by_loops(w, left, right, out)
    w.bind(node.out, out)


def _line(matrix: Tensor, axis: int) -> Tensor:
    """The one column (along axis 0) or row of a matrix."""
    return matrix.view(matrix.data, (matrix.dims[axis],), (matrix.strides[axis],))


def by_loops(w: Writer, a: Tensor, b: Tensor, out: Tensor) -> None:
    """The sum over the shared axis, which comes last in the space."""
    builder = ScalarBuilder((a.dtype, b.dtype))
    logic = out.dtype == "bool"
    product = builder.prim(
        "and" if logic else "mul",
        out.dtype,
        builder.cast(0, out.dtype),
        builder.cast(1, out.dtype),
    )
    space = [*out.dims, a.dims[-1]]
    *outer_a, row, shared_a = a.strides
    *outer_b, shared_b, column = b.strides
    left = a.view(a.data, space, [*outer_a, row, "0", shared_a])
    right = b.view(b.data, space, [*outer_b, "0", column, shared_b])
    accumulator = "bool" if logic else accumulator_dtype("add", out.dtype)
    sink = Sink(out, 0, "or" if logic else "add", accumulator)
    run_loops(w, builder.program(product), space, [left, right], [sink], (len(out.dims),))


EMITTERS: dict[type[Op], Emitter] = {batched.BatchedDot: emit_batched_dot}
