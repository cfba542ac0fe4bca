"""The records that the compiler leaves and the views read: plain frozen values with a versioned
JSON form.

Nothing here knows the compiler or a widget. A record is made once, by a recorder that listens to
the compiler (`workbench.core.recorders`), and replayed as often as a view likes. Node ids are
stable over a whole rewrite history.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, ClassVar, Self, get_args, get_origin, get_type_hints

from workbench.frozen import frozen

SCHEMA = 1
RANDOM_STATE = "random state"


class Record:
    """Base of all records: a frozen dataclass that round-trips through JSON.

    `to_json` writes one line of JSON with a `schema` number; `from_json` reads it back to an equal
    record and raises `ValueError` where the schema is unknown or the text describes another record.
    """

    kinds: ClassVar[dict[str, type[Record]]] = {}

    def __init_subclass__(cls) -> None:
        Record.kinds[cls.__name__] = cls

    def to_json(self) -> str:
        import json  # here: most programs write no record

        return json.dumps(
            {"schema": SCHEMA, "record": type(self).__name__, **self.to_dict()},
            separators=(",", ":"),
        )

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        return {f.name: _encode(getattr(self, f.name)) for f in fields}

    @classmethod
    def from_json(cls, text: str) -> Self:
        import json

        data = json.loads(text)
        if data.pop("schema", None) != SCHEMA:
            raise ValueError(
                f"this text is not of record schema {SCHEMA}; it was written by another version "
                f"of workbench"
            )
        if (kind := data.pop("record", None)) != cls.__name__:
            raise ValueError(f"this text holds a {kind}, not a {cls.__name__}")
        return cls.from_dict(data)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        hints = get_type_hints(cls)
        return cls(**{name: _decode(hints[name], value) for name, value in data.items()})


def _encode(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}  # JSON has no nan and no inf
    return value


def _decode(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, dict) and set(value) == {"float"}:
        return float(value["float"])
    if get_origin(hint) is tuple:
        items = get_args(hint)
        if len(items) == 2 and items[1] is ...:
            return tuple(_decode(items[0], item) for item in value)
        return tuple(_decode(h, item) for h, item in zip(items, value, strict=True))
    options = [h for h in get_args(hint) if h is not type(None)] or [hint]
    if isinstance(options[0], type) and issubclass(options[0], Record):
        return options[0].from_dict(value)
    if get_origin(options[0]) is tuple:
        return _decode(options[0], value)
    return value


@frozen
class Place(Record):
    """Where the user wrote a node: a file or a notebook cell (`Cell 3`), the line's number and its
    text.
    """

    file: str
    line: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" + (f": {self.text}" if self.text else "")


@frozen
class Port(Record):
    """Output number `index` of node `node`."""

    node: int
    index: int = 0


@frozen
class Value(Record):
    """One output of a node: its user name (or ""), its dtype and its static shape (None where it is
    not known).
    """

    dtype: str
    shape: tuple[int | None, ...] = ()
    name: str = ""

    @property
    def is_random_state(self) -> bool:
        """Whether it is a generator's state, whose numbers say nothing to a reader."""
        return self.dtype == RANDOM_STATE

    def __str__(self) -> str:
        if self.is_random_state:
            return self.dtype
        return f"{self.dtype}[{', '.join('?' if n is None else str(n) for n in self.shape)}]"


@frozen
class Node(Record):
    """One node of a snapshot.

    kind    'input', 'shared', 'constant' or 'apply'
    op      the op's class name ('Elemwise', 'Gemv', 'Scan', …); "" for leaves
    label   what a picture shows: 'tanh', 'Gemv', a variable's name, a constant's value
    detail  the op with its parameters; of a fused op its expressions, one per line and output
    group   a name scope or repeated block that the node belongs to, "" for none
    inner   the inner graph of a scan or a fused op
    state   'failed' for the node at which an evaluation stopped, else ""
    """

    id: int
    kind: str
    op: str
    label: str
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Value, ...] = ()
    detail: str = ""
    device: str = "cpu"
    group: str = ""
    places: tuple[Place, ...] = ()
    inner: Snapshot | None = None
    state: str = ""


@frozen
class Edge(Record):
    """Output `source_port` of node `source` is input number `target_port` of node `target`."""

    source: int
    source_port: int
    target: int
    target_port: int


@frozen
class Snapshot(Record):
    """A graph at one moment: its nodes in topological order, its input nodes and its output ports.

    `roles` names, for the inner graph of a scan, what each input and output is: 'sequence',
    'recurrent', 'shared', 'non_sequence' for inputs (in order), then the names of the outputs'
    roles; for that of a choice 'input', then 'then' and 'else'; it is empty for other graphs.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[int, ...] = ()
    outputs: tuple[Port, ...] = ()
    name: str = ""
    roles: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, node_id: int) -> Node:
        return self.by_id[node_id]

    def __contains__(self, node_id: int) -> bool:
        return node_id in self.by_id

    @cached_property
    def by_id(self) -> dict[int, Node]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        return tuple(
            Edge(port.node, port.index, node.id, i)
            for node in self.nodes
            for i, port in enumerate(node.inputs)
        )


@frozen
class Step(Record):
    """One rewrite that took place.

    phase     the pass: 'merge', 'canonicalise', 'stabilise', …
    rule      the rule's name, 'log_exp'; `equation` is how it reads, 'log(exp(x)) → x'; `reason`
              says it in words
    source    where the rule is written, 'workbench/core/rewrite/algebra.py:40'
    replaced  pairs (old port, new port): every reader of the old one reads the new one from here on
    removed   ids of nodes that nobody reads any more; added: the new nodes
    changed   nodes of the same id that take another form here (a scan whose inner graph was
              optimised)
    inner     the history of a scan's inner graph, where the step is 'the body was optimised'
    """

    phase: str
    rule: str
    equation: str = ""
    reason: str = ""
    source: str = ""
    removed: tuple[int, ...] = ()
    added: tuple[Node, ...] = ()
    replaced: tuple[tuple[Port, Port], ...] = ()
    changed: tuple[Node, ...] = ()
    seconds: float = 0.0
    inner: History | None = None


@frozen
class Refusal(Record):
    """A rewrite that was tried at node `node` and refused, with the reason."""

    phase: str
    rule: str
    node: int
    reason: str


@frozen
class PassTime(Record):
    """One pass over the graph: how many steps it made, nodes after it, and how long it took."""

    phase: str
    steps: int
    nodes: int
    seconds: float


@frozen
class History(Record):
    """Every rewrite from the user's graph to the optimised one. `at(k)` is the graph after the
    first k steps.
    """

    first: Snapshot
    steps: tuple[Step, ...] = ()
    refused: tuple[Refusal, ...] = ()
    passes: tuple[PassTime, ...] = ()

    def __len__(self) -> int:
        return len(self.steps)

    def at(self, count: int) -> Snapshot:
        """The snapshot after the first `count` steps (0: the first graph; negative counts from the
        end).
        """
        if count < 0:
            count += len(self.steps) + 1
        if not 0 <= count <= len(self.steps):
            raise IndexError(
                f"the history has {len(self.steps)} steps; step {count} is not among them"
            )
        nodes = dict(self.first.by_id)
        forward: dict[Port, Port] = {}
        for step in self.steps[:count]:
            for old in step.removed:
                nodes.pop(old, None)
            nodes.update((node.id, node) for node in (*step.added, *step.changed))
            forward.update(step.replaced)
        return _relink(self.first, nodes.values(), forward)

    @property
    def last(self) -> Snapshot:
        return self.at(len(self.steps))

    def origins(self, count: int = -1) -> dict[int, tuple[int, ...]]:
        """For every node after `count` steps, the ids of the nodes of the first graph that it came
        from.
        """
        if count < 0:
            count += len(self.steps) + 1
        found: dict[int, tuple[int, ...]] = {node.id: (node.id,) for node in self.first}
        for step in self.steps[:count]:
            sources = [*step.removed, *(old.node for old, _ in step.replaced)]
            came_from = _unique(origin for node in sources for origin in found.get(node, ()))
            for node in step.added:
                found[node.id] = came_from
            for (
                _,
                new,
            ) in step.replaced:  # the reader's value now lives in a node that was there before
                found[new.node] = _unique((*found.get(new.node, ()), *came_from))
        return found


def _relink(first: Snapshot, nodes: Iterable[Node], forward: Mapping[Port, Port]) -> Snapshot:
    def final(port: Port) -> Port:
        while (after := forward.get(port)) is not None:
            port = after
        return port

    linked = [dataclasses.replace(node, inputs=tuple(map(final, node.inputs))) for node in nodes]
    outputs = tuple(map(final, first.outputs))
    return dataclasses.replace(
        first, nodes=_in_order(linked, outputs, first.inputs), outputs=outputs
    )


def _in_order(
    nodes: list[Node], outputs: tuple[Port, ...], inputs: tuple[int, ...]
) -> tuple[Node, ...]:
    """The nodes that outputs or inputs name, each after what it reads; ties keep the given
    order.
    """
    by_id = {node.id: node for node in nodes}
    done: dict[int, None] = {}
    stack = [(i, False) for i in reversed((*inputs, *(port.node for port in outputs)))]
    while stack:
        node_id, ready = stack.pop()
        if node_id in done or node_id not in by_id:
            continue
        if ready:
            done[node_id] = None
            continue
        stack.append((node_id, True))
        stack.extend((port.node, False) for port in reversed(by_id[node_id].inputs))
    return tuple(by_id[i] for i in done)


def _unique(items: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(items))


@frozen
class Summary(Record):
    """One array in a few numbers. Counts are of elements; min, max, mean, std leave out what is not
    finite.

    `histogram` counts the finite elements in equal bins from min to max. `sample` holds the first
    elements of the flattened array (all of them where the array is small), for a card to show.
    """

    shape: tuple[int, ...]
    dtype: str
    min: float | None = None
    max: float | None = None
    mean: float | None = None
    std: float | None = None
    nans: int = 0
    infs: int = 0
    zeros: int = 0
    histogram: tuple[int, ...] = ()
    sample: tuple[float | int | bool | str, ...] = ()


@frozen
class ValueTable(Record):
    """The value of every variable of one graph, for one set of inputs: pairs of port and
    summary.
    """

    rows: tuple[tuple[Port, Summary], ...] = ()
    note: str = ""
    inside: tuple[tuple[str, Port, Summary], ...] = ()
    """The values inside choices; the text is the way there: '12', or '12/3' for a choice in one."""

    @cached_property
    def by_port(self) -> dict[Port, Summary]:
        return dict(self.rows)


@frozen
class ScanTrace(Record):
    """What every inner variable of one scan was at every iteration.

    node     the scan's node id in the optimised snapshot (or in the first, where `graph` is
             'before')
    inner    the inner graph whose ports the columns name
    columns  per inner port: one summary per iteration (None where it was dropped to keep within the
             budget)
    dropped  a sentence that says what was left out, "" for nothing
    """

    name: str
    node: int
    inner: Snapshot
    n_steps: int
    columns: tuple[tuple[Port, tuple[Summary | None, ...]], ...] = ()
    dropped: str = ""

    @cached_property
    def by_port(self) -> dict[Port, tuple[Summary | None, ...]]:
        return dict(self.columns)


@frozen
class ProfileRow(Record):
    """One apply node's time over all calls; `seconds` is the total, `median` and `spread` (p90 -
    p10) are per call.

    `parent` is the scan's node id for a row of an inner node (its calls then count iterations),
    else None. On a device the seconds are by its own clock, and `launch` is what the host took, per
    call, to queue the node; `form` is then 'kernel', or 'transfer', whose `bytes` went over the
    bus.
    """

    node: int
    op: str
    label: str
    calls: int
    seconds: float
    median: float
    spread: float = 0.0
    bytes: int = 0
    flops: int = 0
    device: str = "cpu"
    form: str = "native"
    parent: int | None = None
    launch: float = 0.0


@frozen
class Verdict(Record):
    """Whether a device pays off for a node: None where that is no question. `reason` says why."""

    node: int
    pays: bool | None
    reason: str


@frozen
class Span(Record):
    """One command of a device: when it began, after the call's first one, and its seconds, by the
    device's clock. `parent` is the scan's node id for a command of an inner node.
    """

    node: int
    device: str
    form: str
    start: float
    seconds: float
    parent: int | None = None


@frozen
class Profile(Record):
    """Where the time went. `calls` counts runs of the function, `seconds` is their total wall time.

    `stages` are the compile stages with their seconds; `notes` say what could not be native and
    why, and what the measuring itself costs. Of a function for a device `host` has the same nodes'
    times on the processor, and `verdicts` what comes of the comparison; `spans` are the commands of
    the last call, in order.
    """

    rows: tuple[ProfileRow, ...] = ()
    calls: int = 0
    seconds: float = 0.0
    overhead: float = 0.0
    stages: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = field(default=())
    host: tuple[ProfileRow, ...] = field(default=())
    verdicts: tuple[Verdict, ...] = field(default=())
    spans: tuple[Span, ...] = field(default=())
