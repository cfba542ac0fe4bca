"""Rules about scans as a whole: what is hoisted out of the loop, what it need not keep.

They see the nodes of the outer graph; the body has been simplified before (`rewrite.bodies`) and is
optimised for speed after. `join_loops`, which sees several loops at once, is a pass of its own.
"""

from __future__ import annotations

from workbench.core.rewrite.engine import Rule
from workbench.core.rewrite.scan_after import AFTER_RULES
from workbench.core.rewrite.scan_hoist import HOIST_RULES
from workbench.core.rewrite.scan_inputs import INPUT_RULES
from workbench.core.rewrite.scan_join import join_loops
from workbench.core.rewrite.scan_keep import KEEP_RULES
from workbench.core.rewrite.scan_once import ONCE_RULES
from workbench.core.rewrite.scan_sums import SUM_RULES

SCAN_RULES: tuple[Rule, ...] = (
    *ONCE_RULES,
    *INPUT_RULES,
    *HOIST_RULES,
    *SUM_RULES,
    *AFTER_RULES,
    *KEEP_RULES,
)

__all__ = ["SCAN_RULES", "join_loops"]
