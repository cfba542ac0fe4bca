"""Programs of the fuzzer: lines of Python that make a graph, and the arrays they are called with.

A program is text all the way, so that one that fails can be cut down and printed as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import workbench as wb
import workbench.tensor as T

NAME = re.compile(r"\b[suvx]\d+\b")


@dataclass(frozen=True)
class Leaf:
    """An input or a shared variable: its name tells which (x or s), `array` is its value's text."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    array: str

    @property
    def code(self) -> str:
        if self.name[0] == "s":
            return f"{self.name} = wb.shared({self.array}, {self.name!r})"
        return f"{self.name} = T.tensor({self.dtype!r}, {self.shape}, name={self.name!r})"

    def value(self) -> Any:
        return evaluate(self.array, {})


@dataclass(frozen=True)
class Line:
    """`names = code`. A name that begins with u is that of a loop's updates."""

    names: tuple[str, ...]
    code: str

    @property
    def text(self) -> str:
        return f"{', '.join(self.names)} = {self.code}"

    @property
    def reads(self) -> set[str]:
        return set(NAME.findall(self.code))


@dataclass(frozen=True)
class Program:
    """`updates` are pairs of a shared variable's and its new value's names; so are `givens` of an
    input and what stands in its place.
    """

    leaves: tuple[Leaf, ...]
    lines: tuple[Line, ...]
    outputs: tuple[str, ...]
    updates: tuple[tuple[str, str], ...] = ()
    givens: tuple[tuple[str, str], ...] = ()
    derived: tuple[str, ...] = field(default=())

    @property
    def inputs(self) -> list[Leaf]:
        replaced = {a for a, _ in self.givens}
        return [leaf for leaf in self.leaves if leaf.name[0] == "x" and leaf.name not in replaced]

    @property
    def shared(self) -> list[Leaf]:
        return [leaf for leaf in self.leaves if leaf.name[0] == "s"]

    def build(self) -> dict[str, Any]:
        """The variables by name, made anew."""
        made: dict[str, Any] = {}
        for leaf in self.leaves:
            made[leaf.name] = make_leaf(leaf)
        for line in self.lines:
            run_line(line, made)
        return made

    def used(self) -> Program:
        """Without the lines and the leaves that nothing reads."""
        wanted = {*self.outputs, *(name for pair in (*self.updates, *self.givens) for name in pair)}
        kept = []
        for line in reversed(self.lines):
            if wanted & set(line.names):
                wanted |= line.reads
                kept.append(line)
        leaves = tuple(leaf for leaf in self.leaves if leaf.name in wanted)
        return replace(self, leaves=leaves, lines=tuple(reversed(kept)))

    def text(self) -> str:
        """The program as it can be pasted."""
        return "\n".join(self._texts())

    def _texts(self) -> Iterator[str]:
        yield "import numpy as np, workbench as wb, workbench.tensor as T"
        yield "from tests.fuzz.programs import laid"
        yield from (leaf.code for leaf in self.leaves)
        yield from (line.text for line in self.lines)
        pairs = [f"({a}, {b})" for a, b in self.updates]
        loops = [n for line in self.lines for n in line.names if n[0] == "u"]
        updates = " + ".join([f"[{', '.join(pairs)}]", *(f"list({n}.items())" for n in loops)])
        givens = ", ".join(f"({a}, {b})" for a, b in self.givens)
        inputs = ", ".join(leaf.name for leaf in self.inputs)
        yield f"f = wb.function([{inputs}], [{', '.join(self.outputs)}], updates={updates},"
        yield f"                givens=[{givens}], on_unused_input='ignore')"
        yield f"print(f({', '.join(leaf.array for leaf in self.inputs)}))"


def make_leaf(leaf: Leaf) -> Any:
    if leaf.name[0] == "s":
        return wb.shared(leaf.value(), leaf.name)
    return T.tensor(leaf.dtype, leaf.shape, name=leaf.name)


def run_line(line: Line, made: dict[str, Any]) -> None:
    """Add what a line makes to what there is."""
    result = evaluate(line.code, made)
    several = len(line.names) > 1
    made.update(zip(line.names, result if several else [result], strict=True))


def evaluate(code: str, names: dict[str, Any]) -> Any:
    known = {"np": np, "wb": wb, "T": T, "laid": laid, "rows": rows}
    return eval(code, {**known, **names})  # it is the fuzzer's own text


def rows(outputs: Any) -> Any:
    """What `scan` returns, with its updates last: one flat list."""
    found, updates = outputs
    return [*(found if isinstance(found, list) else [found]), updates]


def laid(array: Any, layout: str) -> Any:
    """The same values in other memory."""
    array = np.asarray(array)
    if array.ndim == 0:
        return array.copy()
    if layout == "fortran":
        return np.asfortranarray(array)
    if layout == "reversed":
        turned = (slice(None, None, -1),) * array.ndim
        return np.ascontiguousarray(array[turned])[turned]
    if layout == "strided":
        room = np.zeros(tuple(2 * n + 1 for n in array.shape), array.dtype)
        part = tuple(slice(1, 2 * n + 1, 2) for n in array.shape)
        room[part] = array
        return room[part]
    if layout == "readonly":
        array = array.copy()
        array.flags.writeable = False
        return array
    if layout == "spread":
        return np.broadcast_to(array[:1], array.shape)
    return array.copy()
