"""What is computed along an axis on a device: softmax, places of extremes, running totals."""

from __future__ import annotations

from workbench.core.ops import cumulative, nnet, positions
from workbench.frozen import frozen
from workbench.gpu.ops.base import OnDevice, forms_of


class _OfLines(OnDevice):
    emitters = "workbench.gpu.emit_along"


@frozen
class GpuSoftmax(_OfLines, nnet.Softmax):
    """exp(x) / sum(exp(x)) along an axis."""


@frozen
class GpuLogSoftmax(_OfLines, nnet.LogSoftmax):
    """x - log(sum(exp(x))) along an axis."""


@frozen
class GpuArgmax(_OfLines, positions.Argmax):
    """The place of the first maximum."""


@frozen
class GpuArgmin(_OfLines, positions.Argmin):
    """The place of the first minimum."""


@frozen
class GpuCumSum(_OfLines, cumulative.CumSum):
    """Running sums."""


@frozen
class GpuCumProd(_OfLines, cumulative.CumProd):
    """Running products."""


@frozen
class GpuCumMax(_OfLines, cumulative.CumMax):
    """The largest so far."""


@frozen
class GpuCumMin(_OfLines, cumulative.CumMin):
    """The smallest so far."""


@frozen
class GpuRecurrence(_OfLines, cumulative.Recurrence):
    """y = a * y + b along an axis."""


FORMS = forms_of(
    GpuSoftmax, GpuLogSoftmax, GpuArgmax, GpuArgmin, GpuCumSum, GpuCumProd, GpuCumMax, GpuCumMin,
    GpuRecurrence,
)  # fmt: skip
