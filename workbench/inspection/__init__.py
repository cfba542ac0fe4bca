"""`inspect`: one look at a graph or a compiled function; the `Workbench` object holds what was
seen.
"""

from workbench.inspection.examine import inspect
from workbench.inspection.workbench import Workbench

__all__ = ["Workbench", "inspect"]
