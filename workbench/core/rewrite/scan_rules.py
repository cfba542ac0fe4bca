"""Rules about scans as a whole: what is hoisted out of the loop, what it need not keep.

They see the nodes of the outer graph; the body has been simplified before (`rewrite.bodies`) and is optimised for
speed after.
"""

from __future__ import annotations

from workbench.core.rewrite.engine import Rule

SCAN_RULES: tuple[Rule, ...] = ()
