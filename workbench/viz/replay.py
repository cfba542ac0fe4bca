"""Replaying a history one step at a time, cheaply: each step touches only the nodes that it
changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workbench.core.records import History, Node, Port, Step


@dataclass(frozen=True)
class Patch:
    """What one step did to the graph that is drawn.

    `added` nodes were not there before; `rewired` ones read other ports or take another form;
    `removed` ones are read
    by nobody any more, including those that the step did not name.
    """

    step: Step
    added: tuple[int, ...]
    rewired: tuple[int, ...]
    removed: tuple[int, ...]


class Replay:
    """The graph of a history at the step reached so far.

    `nodes` holds the nodes that are reachable from the outputs (and the graph's inputs), `inputs`
    the ports that each
    of them reads now, `readers` the nodes that read each of them.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.nodes: dict[int, Node] = {}
        self.inputs: dict[int, list[Port]] = {}
        self.outputs = list(history.first.outputs)
        self._form = {node.id: node for node in history.first}
        self._forward: dict[Port, Port] = {}
        self.readers: dict[int, dict[int, None]] = {}
        self._pinned = dict.fromkeys(history.first.inputs)
        for port in self.outputs:
            self._enter(port.node, [])
        for node_id in history.first.inputs:
            self._enter(node_id, [])

    def __iter__(self) -> Iterator[Patch]:
        for step in self.history.steps:
            yield self._apply(step)

    def _apply(self, step: Step) -> Patch:
        self._form.update((node.id, node) for node in (*step.added, *step.changed))
        self._forward.update(step.replaced)
        added: list[int] = []
        rewired: dict[int, None] = {}
        loose = dict.fromkeys(i for i in step.removed if i in self.nodes)
        for node in step.changed:
            if node.id in self.nodes:
                self.nodes[node.id] = node
                self._reread(node.id, [self._now(port) for port in node.inputs], added, loose)
                rewired[node.id] = None
        for old, _ in step.replaced:
            for reader in list(self.readers.get(old.node, ())):
                ports = [self._now(port) for port in self.inputs[reader]]
                if ports != self.inputs[reader]:
                    self._reread(reader, ports, added, loose)
                    rewired[reader] = None
            loose.setdefault(old.node)
        for i, port in enumerate(self.outputs):
            self.outputs[i] = self._now(port)
            self._enter(self.outputs[i].node, added)
        dropped = self._drop(loose)
        fresh = set(added)
        return Patch(
            step,
            tuple(i for i in added if i in self.nodes),
            tuple(i for i in rewired if i in self.nodes and i not in fresh),
            tuple(sorted(i for i in dropped if i not in fresh)),
        )

    def _now(self, port: Port) -> Port:
        while (after := self._forward.get(port)) is not None:
            port = after
        return port

    def _reread(
        self, reader: int, ports: list[Port], added: list[int], loose: dict[int, None]
    ) -> None:
        for port in self.inputs[reader]:
            self.readers[port.node].pop(reader, None)
            loose.setdefault(port.node)
        self.inputs[reader] = ports
        for port in ports:
            self._enter(port.node, added)
            self.readers.setdefault(port.node, {})[reader] = None

    def _enter(self, node_id: int, added: list[int]) -> None:
        """Bring a node and what it reads into the graph."""
        stack = [node_id]
        while stack:
            current = stack.pop()
            if current in self.nodes or current not in self._form:
                continue
            node = self.nodes[current] = self._form[current]
            added.append(current)
            self.inputs[current] = [self._now(port) for port in node.inputs]
            for port in self.inputs[current]:
                self.readers.setdefault(port.node, {})[current] = None
                stack.append(port.node)

    def _drop(self, loose: dict[int, None]) -> list[int]:
        """Take out the nodes among `loose` that nobody reads, and what only they read."""
        dropped: list[int] = []
        kept = {port.node for port in self.outputs}
        stack = list(loose)
        while stack:
            node_id = stack.pop()
            if node_id not in self.nodes or node_id in kept or node_id in self._pinned:
                continue
            if self.readers.get(node_id):
                continue
            del self.nodes[node_id]
            dropped.append(node_id)
            for port in self.inputs.pop(node_id):
                self.readers[port.node].pop(node_id, None)
                stack.append(port.node)
        return dropped
