"""`debugprint`: a graph as an indented tree, a line for each variable."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from workbench.core.graph import Apply, Constant, Variable, is_shared, readers, toposort
from workbench.core.inner import inner_of
from workbench.core.printing.leaves import leaf_text
from workbench.core.scan.op import Scan
from workbench.errors import GraphError, UsageError

DEEPEST = 60
"""Levels that are indented; below them the level is written as a number."""

LOOPS, CONDITIONS = "Inner graphs of the scan ops:", "Inner graphs of the conditions:"
IDS = ("CHAR", "int", "id", "")

# What has been printed, and under which id.
Done = dict[Apply | Variable, str]


def debugprint(
    obj: Any,
    depth: int = -1,
    print_type: bool = False,
    file: Any = None,
    ids: str = "CHAR",
    stop_on_name: bool = False,
    done: Done | None = None,
    print_storage: bool = False,
    print_clients: bool = False,
) -> Any:
    """Print the graph of a variable, a node, a function, or a list of these.

    depth          how many levels; -1: all of them
    print_type     show the type of every variable
    file           where to print; None: standard output; 'str': return the text
    ids            how variables are numbered: 'CHAR' (A, B, …), 'int', 'id' (Python's), or ''
    stop_on_name   do not look above a variable that has a name
    done           what has an id already; it is added to, and not printed a second time
    print_storage  show the values of constants and shared variables
    print_clients  show who reads a variable

    A function's nodes bear their position in `f.maker.fgraph.toposort()`. The bodies of loops
    follow the graph. Returns the file that was given, or the text.
    """
    if ids not in IDS:
        raise UsageError(f"ids={ids!r} is not known; there are {', '.join(map(repr, IDS))}")
    found = [root for item in _listed(obj) for root in _roots(item)]
    options = _Options(depth, print_type, ids, stop_on_name, print_storage)
    clients = _clients(found) if print_clients else None
    text = "\n".join(_Tree(options, {} if done is None else done, clients).lines(found)) + "\n"
    if file == "str":
        return text
    (sys.stdout if file is None else file).write(text)
    return file


Root = tuple[Variable, dict[Apply, int]]


def _listed(obj: Any) -> list[Any]:
    return list(obj) if isinstance(obj, (list, tuple, set, frozenset)) else [obj]


def _roots(obj: Any) -> Iterator[Root]:
    """The variables that an object stands for, with the positions of its nodes where it is a
    function.
    """
    graph = getattr(getattr(obj, "maker", None), "fgraph", obj)
    if isinstance(graph, Variable):
        yield graph, {}
    elif isinstance(graph, Apply):
        yield graph.outputs[0], {}
    elif hasattr(graph, "toposort") and hasattr(graph, "outputs"):
        order = {node: i for i, node in enumerate(graph.toposort())}
        yield from ((v, order) for v in graph.outputs)
    else:
        raise GraphError(
            f"debugprint prints variables, nodes and functions, not {type(obj).__name__}"
        )


def _clients(roots: Sequence[Root]) -> dict[Variable, list[tuple[Apply, int]]]:
    return readers(toposort(v for v, _ in roots))


@dataclass
class _Options:
    depth: int
    types: bool
    ids: str
    stop_on_name: bool
    storage: bool


@dataclass
class _Tree:
    """The lines of some graphs. Loops that are met on the way are printed after them."""

    options: _Options
    done: Done
    clients: dict[Variable, list[tuple[Apply, int]]] | None
    loops: dict[Apply, None] = field(default_factory=dict)
    feeds: dict[Variable, Variable] = field(default_factory=dict)

    def lines(self, roots: Sequence[Root]) -> Iterator[str]:
        for variable, order in roots:
            yield from self.tree(variable, "", "", order)
        if not self.loops:
            return
        scans = any(isinstance(node.op, Scan) for node in self.loops)
        yield from ("", LOOPS if scans else CONDITIONS)
        printed: set[Apply] = set()
        while left := [node for node in self.loops if node not in printed]:
            for node in left:
                printed.add(node)
                yield from self.body(node)

    def body(self, node: Apply) -> Iterator[str]:
        """The inner graph of a loop, under the line of its node."""
        inner = inner_of(node.op)
        assert inner is not None  # it was listed for having one
        self.feeds.update(_feeds(node))
        yield ""
        yield self.line(node.outputs[0], "", {})
        for output in inner.outputs:
            yield from self.tree(output, " >", " >", {}, inner.inputs)

    def tree(
        self,
        root: Variable,
        prefix: str,
        below: str,
        order: dict[Apply, int],
        stop: Iterable[Variable] = (),
    ) -> Iterator[str]:
        """A variable and what it is made of. `prefix` stands before its line, `below` before those
        of its inputs.
        """
        stack = [(root, prefix, below, 1)]
        ends = set(stop)
        while stack:
            variable, prefix, below, level = stack.pop()
            node = variable.owner
            seen = node in self.done if node is not None else True
            yield self.line(variable, prefix, order)
            if node is None or seen or variable in ends:
                continue
            if inner_of(node.op) is not None:
                self.loops[node] = None
            deep = self.options.depth >= 0 and level >= self.options.depth
            if deep or (self.options.stop_on_name and variable.name):
                continue
            start = below if level < DEEPEST else f" …{level}"
            last = len(node.inputs) - 1
            children = [
                (v, start + " |", start + (" |" if i < last else "  "), level + 1)
                for i, v in enumerate(node.inputs)
            ]
            stack.extend(reversed(children))

    def line(self, variable: Variable, prefix: str, order: dict[Apply, int]) -> str:
        node = variable.owner
        kind = f" <{variable.type}>" if self.options.types else ""
        if node is None:
            text = f"{prefix}{leaf_text(variable)}{self.id_of(variable)}{kind}"
            source = self.feeds.get(variable)
            origin = "" if source is None else f" ->{self.id_of(source.owner or source)}"
            return text + origin + self.storage_of(variable) + self.clients_of(variable)
        which = f".{variable.index}" if len(node.outputs) > 1 else ""
        position = order.get(node, "")
        text = f"{prefix}{node.op}{which}{self.id_of(node)}{kind} '{variable.name or ''}'   "
        return f"{text}{position}{self.clients_of(variable)}"

    def id_of(self, item: Apply | Variable) -> str:
        if item not in self.done:
            self.done[item] = self._new_id(item)
        return self.done[item]

    def _new_id(self, item: Apply | Variable) -> str:
        kind = self.options.ids
        if not kind:
            return ""
        number = id(item) if kind == "id" else len(self.done)
        return f" [id {_letters(number) if kind == 'CHAR' else number}]"

    def storage_of(self, variable: Variable) -> str:
        if not self.options.storage:
            return ""
        if isinstance(variable, Constant):
            return f" [{variable.data}]"
        return f" [{variable.cell[0]}]" if is_shared(variable) else " [None]"  # type: ignore[attr-defined]

    def clients_of(self, variable: Variable) -> str:
        if self.clients is None:
            return ""
        read = ", ".join(f"({node.op}, {i})" for node, i in self.clients.get(variable, ()))
        return f" clients:[{read}]"


def _feeds(node: Apply) -> Iterator[tuple[Variable, Variable]]:
    """For the inputs of a loop's body the variables outside that they are taken from."""
    op, inner = node.op, inner_of(node.op)
    if not isinstance(op, Scan):
        assert inner is not None  # it was listed for having one
        yield from zip(
            inner.inputs, node.inputs[len(node.inputs) - len(inner.inputs) :], strict=True
        )
        return
    sequences, states, carried, others = op.split_inner(op.inner.inputs)
    _, rows, initial, first, fixed = op.split(node.inputs)
    for taps, outer in (*zip(sequences, rows, strict=True), *zip(states, initial, strict=True)):
        yield from zip_longest(taps, [], fillvalue=outer)
    yield from zip((*carried, *others), (*first, *fixed), strict=True)


def _letters(number: int) -> str:
    """A, B, …, Z, AA, AB, …"""
    text = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        text = chr(ord("A") + digit) + text
    return text
