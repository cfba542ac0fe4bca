"""Rewriting: from the user's graph to the optimised one, in named passes of small rules, every step
on record.
"""

from workbench.core.rewrite.engine import Context, Listener, Refuse, Rule, rule
from workbench.core.rewrite.pipeline import PASSES, Optimised, Pass, optimise, pipeline
from workbench.core.rewrite.recorder import Recorder

__all__ = [
    "PASSES",
    "Context",
    "Listener",
    "Optimised",
    "Pass",
    "Recorder",
    "Refuse",
    "Rule",
    "optimise",
    "pipeline",
    "rule",
]
