"""Elementwise ops, reductions, shapes, slices and products on a device."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import Apply
from workbench.core.ops import (
    alloc,
    dot,
    elementwise,
    gradient_control,
    index,
    join,
    loop,
    reduce,
    shape,
)
from workbench.core.rewrite.cut import most_arrays
from workbench.core.scalar import ScalarProgram
from workbench.core.types import tensor_type
from workbench.frozen import frozen
from workbench.gpu.dialect import Capabilities, NoDeviceForm
from workbench.gpu.ops.base import OnDevice, forms_of
from workbench.gpu.render import check


def _refused(node: Apply, program: ScalarProgram, able: Capabilities) -> str:
    try:
        check(program, able.float64)
    except NoDeviceForm as reason:
        return str(reason)
    arrays = (*node.inputs, *node.outputs)
    ndim = max(tensor_type(v).ndim for v in arrays)
    if len(arrays) > most_arrays(ndim, able.word_limit):
        return f"a kernel of {ndim} axes cannot take {len(arrays)} arrays"
    return ""


@frozen
class GpuElemwise(OnDevice, elementwise.Elemwise):
    """Elementwise."""

    @classmethod
    def refusal(cls, node: Apply, able: Capabilities) -> str:
        scalar: Any = node.op.scalar  # type: ignore[attr-defined]
        program = scalar.program(tuple(tensor_type(v).dtype for v in node.inputs))
        return _refused(node, program, able)


@frozen
class GpuLoop(OnDevice, loop.Loop):
    """Elementwise results and totals in one pass."""

    @classmethod
    def refusal(cls, node: Apply, able: Capabilities) -> str:
        op: Any = node.op
        return _refused(node, op.program, able)


@frozen
class GpuSum(OnDevice, reduce.Sum):
    """Sum."""


@frozen
class GpuProd(OnDevice, reduce.Prod):
    """Product."""


@frozen
class GpuMax(OnDevice, reduce.Max):
    """Maximum."""


@frozen
class GpuPeak(OnDevice, reduce.Peak):
    """Maximum, of nothing too."""


@frozen
class GpuMin(OnDevice, reduce.Min):
    """Minimum."""


@frozen
class GpuAll(OnDevice, reduce.All):
    """Whether all."""


@frozen
class GpuAny(OnDevice, reduce.Any_):
    """Whether any."""


@frozen
class GpuDimShuffle(OnDevice, shape.DimShuffle):
    """Axes in another order: a view."""


@frozen
class GpuReshape(OnDevice, shape.Reshape):
    """Another shape: a view where memory is in one piece."""

    hosts_from = 1


@frozen
class GpuSpecifyBroadcast(OnDevice, shape.SpecifyBroadcast):
    """A length that was promised."""


@frozen
class GpuGradientControl(OnDevice, gradient_control.GradientControl):
    """The operand itself."""


@frozen
class GpuAlloc(OnDevice, alloc.Alloc):
    """A value spread over a shape."""

    hosts_from = 1


@frozen
class GpuJoin(OnDevice, join.Join):
    """Arrays one after another."""


class Indexing(OnDevice):
    """What reads or writes a part that an index names."""

    @classmethod
    def refusal(cls, node: Apply, able: Capabilities) -> str:
        op: Any = node.op
        steps = [entry[2] for entry in op.spec if isinstance(entry, tuple)]
        return "a slice's step is known only when it runs" if "?" in steps else ""


@frozen
class GpuSubtensor(Indexing, index.Subtensor):
    """A slice: a view."""

    hosts_from = 1


@frozen
class GpuIncSubtensor(Indexing, index.IncSubtensor):
    """A part changed."""

    hosts_from = 2


@frozen
class GpuDot(OnDevice, dot.Dot):
    """A product that specialisation left."""


@frozen
class GpuGemv(OnDevice, dot.Gemv):
    """beta * y + alpha * A @ x."""


@frozen
class GpuGemm(OnDevice, dot.Gemm):
    """beta * Z + alpha * X @ Y."""


@frozen
class GpuGer(OnDevice, dot.Ger):
    """A + alpha * outer(x, y)."""


FORMS = forms_of(
    GpuElemwise, GpuLoop, GpuSum, GpuProd, GpuMax, GpuPeak, GpuMin, GpuAll, GpuAny, GpuDimShuffle,
    GpuReshape, GpuSpecifyBroadcast, GpuGradientControl, GpuAlloc, GpuJoin, GpuSubtensor,
    GpuIncSubtensor, GpuDot, GpuGemv, GpuGemm, GpuGer,
)  # fmt: skip
