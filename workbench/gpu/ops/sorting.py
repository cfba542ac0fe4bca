"""Sorting and searching on a device."""

from __future__ import annotations

from workbench.core.ops import sorting
from workbench.frozen import frozen
from workbench.gpu.ops.base import OnDevice, forms_of


class _Sorting(OnDevice):
    emitters = "workbench.gpu.emit_sorting"


@frozen
class GpuSort(_Sorting, sorting.Sort):
    """The elements along an axis in ascending order."""


@frozen
class GpuArgSort(_Sorting, sorting.ArgSort):
    """The positions of the elements in ascending order."""


@frozen
class GpuArgSortRows(_Sorting, sorting.ArgSortRows):
    """The positions of a matrix's rows in ascending order."""


@frozen
class GpuSearchSorted(_Sorting, sorting.SearchSorted):
    """Where elements would be put into an ascending vector."""


FORMS = forms_of(GpuSort, GpuArgSort, GpuArgSortRows, GpuSearchSorted)
