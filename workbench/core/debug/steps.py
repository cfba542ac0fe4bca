"""What the optimiser did to one function, step by step, with the variables themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.core.graph import Apply, Constant, Variable, toposort
from workbench.core.inner import inner_of
from workbench.core.rewrite.engine import Pairs, Rule


@dataclass(frozen=True, eq=False)
class Step:
    """A rewrite: every reader of the first of a pair reads the second from then on. `inner` are the
    steps in the body of the loop that it replaces.
    """

    phase: str
    rule: Rule
    pairs: Pairs
    inner: Steps | None = None

    def __str__(self) -> str:
        return f"{self.phase}: {self.rule}"


@dataclass(eq=False)
class Steps:
    """Listens to the optimiser. All variables stay alive, as the interned graphs do."""

    list: list[Step] = field(default_factory=list)
    inputs: Sequence[Variable] = ()
    _phase: str = ""

    def begin(self, outputs: Sequence[Variable], inputs: Sequence[Variable]) -> None:
        self.inputs = inputs

    def enter(self, phase: str) -> None:
        self._phase = phase

    def rebuilt(self, old: Sequence[Variable], new: Sequence[Variable]) -> None: ...

    def rewritten(self, rule: Rule, pairs: Pairs, seconds: float, inner: Any = None) -> None:
        self.list.append(Step(self._phase, rule, pairs, inner))

    def nested(self, name: str) -> Steps:
        return Steps()

    def refused(self, rule: Rule, node: Apply, reason: str) -> None: ...

    def leave(self, outputs: Sequence[Variable], seconds: float) -> None: ...

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The steps as text, those in bodies after the one that they belong to."""
        for step in self.list:
            yield str(step)
            if step.inner is not None:
                yield from (f"  {line}" for line in step.inner.lines())


def as_text(outputs: Sequence[Variable]) -> Iterator[str]:
    """A graph as text that is equal for equal graphs: a line for each node, in order."""
    numbers: dict[Variable, str] = {}
    for i, node in enumerate(toposort(outputs)):
        read = ", ".join(numbers.get(v) or _leaf(v) for v in node.inputs)
        yield f"{node.op}({read})"
        numbers.update((v, f"{i}.{v.index}") for v in node.outputs)
        inner = inner_of(node.op)
        if inner is not None:
            yield from (f"  {line}" for line in as_text(inner.outputs))


def _leaf(variable: Variable) -> str:
    if isinstance(variable, Constant):
        return f"{variable.type} {variable.data}"
    return str(variable)
