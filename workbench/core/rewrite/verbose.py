"""What `config.optimizer_verbose` asks for: every rewrite is printed as it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph import Apply, Variable
from workbench.core.rewrite.engine import Pairs, Rule


class Verbose:
    """A listener that prints a line for each step: the pass, the rule, its equation, what became of
    what. Lines of loops' bodies are indented.
    """

    def __init__(self, indent: str = "") -> None:
        self._indent = indent
        self._phase = ""

    def begin(self, outputs: Sequence[Variable], inputs: Sequence[Variable]) -> None:
        pass

    def enter(self, phase: str) -> None:
        self._phase = phase

    def rebuilt(self, old: Sequence[Variable], new: Sequence[Variable]) -> None:
        pass

    def rewritten(self, rule: Rule, pairs: Pairs, seconds: float, inner: Any = None) -> None:
        changes = ", ".join(f"{_brief(old)} → {_brief(new)}" for old, new in pairs)
        print(f"{self._indent}{self._phase}: {rule}: {changes}")

    def nested(self, name: str) -> Verbose:
        return Verbose(self._indent + "  ")

    def refused(self, rule: Rule, node: Apply, reason: str) -> None:
        print(f"{self._indent}{self._phase}: {rule.name} refused at {node.op}: {reason}")

    def leave(self, outputs: Sequence[Variable], seconds: float) -> None:
        pass


def _brief(variable: Variable) -> str:
    if variable.owner is None or variable.name is not None:
        return str(variable)
    return f"{variable.owner.op}({', '.join(map(str, variable.owner.inputs))})"
