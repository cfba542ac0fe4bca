"""The recorder: a listener that writes down every rewrite as `records.History`.

It mirrors the graph as ports that read ports. When every reader of one port comes to read another,
the first is forwarded to the second, so that a step costs what it changes and not what reads it. A
node that was only built anew over other inputs keeps its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from workbench.core.fused import renamed
from workbench.core.graph import Apply, Variable, toposort
from workbench.core.records import History, Node, PassTime, Port, Refusal, Snapshot, Step
from workbench.core.rewrite.engine import Pairs, Rule
from workbench.core.snapshot import Ids, Writer, in_order, port, snapshot

MERGED = "x, x → x"
MERGED_REASON = "The same op over the same inputs: one node serves all readers."


class Recorder:
    """Listens to one optimisation; `history` is what happened."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.steps: list[Step] = []
        self.refusals: list[Refusal] = []
        self.passes: list[PassTime] = []
        self.first = Snapshot(())
        self._first: dict[Variable, Port] = {}  # the user's variables
        self._live: dict[Variable, Port] = {}  # the variables that stand for the graph as it is now
        self._forward: dict[Port, Port] = {}
        self._reads: dict[int, tuple[Port, ...]] = {}  # per live node what it reads
        self._uses: dict[Port, int] = {}  # how many inputs read a port
        self._outputs: dict[int, Sequence[Variable]] = {}  # what stands for a live node
        self._next = 0
        self._phase = ""
        self._begun = 0
        self._writer = Writer()

    @property
    def history(self) -> History:
        return History(self.first, tuple(self.steps), tuple(self.refusals), tuple(self.passes))

    def port_before(self, variable: Variable) -> Port | None:
        """The port of a variable of the user's graph in `history.first`."""
        return self._first.get(variable)

    def port_after(self, variable: Variable) -> Port | None:
        """The port of a variable of the optimised graph in `history.last`."""
        return self._live.get(variable)

    def port_of(self, variable: Variable) -> Port | None:
        """The port in the optimised graph, or else in the user's."""
        return self._live.get(variable, self._first.get(variable))

    def nested(self, name: str) -> Recorder:
        """A recorder for an inner graph."""
        return Recorder(name)

    # What a listener is told

    def begin(self, outputs: Sequence[Variable], inputs: Sequence[Variable]) -> None:
        ids: Ids = {}
        self.first = snapshot(outputs, inputs, self.name, ids)
        self._next = len(ids)
        for item in in_order(outputs, inputs):
            self._enrol(item, ids[item], [port(v, ids) for v in getattr(item, "inputs", ())])
        self._first = dict(self._live)
        for pinned in (*outputs, *inputs):  # an output stays, and so does an input nobody reads
            self._use(self._live[pinned])

    def enter(self, phase: str) -> None:
        self._phase, self._begun = phase, len(self.steps)

    def rebuilt(self, old: Sequence[Variable], new: Sequence[Variable]) -> None:
        if old[0] not in self._live or old[0] is new[0]:
            return
        if new[0] in self._live:
            rule = "merge" if new[0].owner is not None else "merge_constants"
            self._step(rule, MERGED, MERGED_REASON, "", list(zip(old, new, strict=True)))
            return
        self._stand_in(list(zip(old, new, strict=True)))

    def rewritten(
        self, rule: Rule, pairs: Pairs, seconds: float, inner: Recorder | None = None
    ) -> None:
        live = [(a, b) for a, b in pairs if a in self._live]
        if live and inner is not None:
            self._changed(rule, live, seconds, inner.history)
        elif live:
            self._step(rule.name, rule.equation, rule.reason, rule.source, live, seconds)

    def refused(self, rule: Rule, node: Apply, reason: str) -> None:
        known = self._live.get(node.outputs[0])
        if known is not None:
            self.refusals.append(Refusal(self._phase, rule.name, known.node, reason))

    def leave(self, outputs: Sequence[Variable], seconds: float) -> None:
        steps = len(self.steps) - self._begun
        self.passes.append(PassTime(self._phase, steps, len(self._reads), seconds))

    # The mirror

    def _step(
        self, rule: str, equation: str, reason: str, source: str, pairs: Pairs, seconds: float = 0.0
    ) -> None:
        """Adds the new nodes, forwards the old ports, and drops what nobody reads any more."""
        added = self._add([new for _, new in pairs])
        replaced: list[tuple[Port, Port]] = []
        for old, new in pairs:
            a, b = self._live.pop(old), self._live[new]
            self._forward[a] = b
            self._uses[b] = self._uses.get(b, 0) + self._uses.pop(a, 0)
            replaced.append((a, b))
        removed = self._sweep([a.node for a, _ in replaced])
        self.steps.append(
            Step(self._phase, rule, equation, reason, source, removed, added, tuple(replaced),
                 seconds=seconds)
        )  # fmt: skip

    def _changed(self, rule: Rule, pairs: Pairs, seconds: float, inner: History) -> None:
        """The same node in another form keeps its id. A body that was only interned is no step."""
        self._stand_in(pairs)
        if not inner.steps:
            return
        new = pairs[0][1]
        node = new.owner
        assert node is not None
        node_id = self._live[new].node
        record = self._writer.apply(node_id, node, map(self._final, self._reads[node_id]))
        step = Step(
            self._phase, rule.name, rule.equation, rule.reason, rule.source,
            changed=(record,), seconds=seconds, inner=_called_as(inner, record.inner),
        )  # fmt: skip
        self.steps.append(step)

    def _stand_in(self, pairs: Pairs) -> None:
        """The second variables stand for the first ones' node from here on."""
        for old, new in pairs:
            self._live[new] = self._live.pop(old)
        self._outputs[self._live[pairs[0][1]].node] = [new for _, new in pairs]

    def _add(self, variables: Sequence[Variable]) -> tuple[Node, ...]:
        """Records for what is not in the graph yet, inputs first."""
        added: list[Node] = []
        for node in toposort(variables, stop=self._live):
            added.extend(self._leaf(v) for v in node.inputs if v not in self._live)
            node_id = self._new_id()
            reads = [self._live[v] for v in node.inputs]
            self._enrol(node, node_id, reads)
            added.append(self._writer.apply(node_id, node, reads))
        added.extend(self._leaf(v) for v in variables if v not in self._live)
        return tuple(added)

    def _leaf(self, variable: Variable) -> Node:
        node_id = self._new_id()
        self._enrol(variable, node_id, ())
        return self._writer.leaf(node_id, variable)

    def _new_id(self) -> int:
        self._next += 1
        return self._next - 1

    def _enrol(self, item: Apply | Variable, node_id: int, reads: Sequence[Port]) -> None:
        self._reads[node_id] = tuple(reads)
        for read in reads:
            self._use(read)
        outputs = (item,) if isinstance(item, Variable) else item.outputs
        self._outputs[node_id] = outputs
        self._live.update((v, Port(node_id, i)) for i, v in enumerate(outputs))

    def _use(self, read: Port) -> None:
        self._uses[read] = self._uses.get(read, 0) + 1

    def _sweep(self, suspects: Iterable[int]) -> tuple[int, ...]:
        """Takes out the nodes that nobody reads, and what only they read."""
        removed: list[int] = []
        stack = list(suspects)
        while stack:
            node_id = stack.pop()
            if node_id not in self._reads or self._is_read(node_id):
                continue
            removed.append(node_id)
            for variable in self._outputs.pop(node_id):
                self._live.pop(variable, None)
            for read in map(self._final, self._reads.pop(node_id)):
                self._uses[read] -= 1
                stack.append(read.node)
        return tuple(removed)

    def _is_read(self, node_id: int) -> bool:
        ports = (Port(node_id, i) for i in range(len(self._outputs[node_id])))
        return any(self._uses.get(p, 0) > 0 for p in ports)

    def _final(self, port: Port) -> Port:
        """The port that a port was forwarded to, by a path that is shortened on the way."""
        forward = self._forward
        end = port
        while (after := forward.get(end)) is not None:
            end = after
        while port is not end:
            forward[port], port = end, forward[port]
        return end


def _called_as(inner: History, body: Snapshot | None) -> History:
    """The history of a body whose inputs are called as in the body's own snapshot."""
    if body is None:
        return inner
    pairs = zip(inner.first.inputs, body.inputs, strict=True)
    return replace(inner, first=renamed(inner.first, {i: body[j].label for i, j in pairs}))
