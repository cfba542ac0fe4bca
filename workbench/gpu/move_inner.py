"""Moving loops and choices: the inner graph is rewritten over inputs that lie on the device.

A loop moves where its whole body does: one that went to and fro in every step would be slower than
on the processor. Lengths, positions and other integers that the host counts stay with the host.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.core.device_type import lies_on
from workbench.core.graph import Apply, Constant, Variable, leaves, replace, toposort
from workbench.core.inner import InnerGraph
from workbench.core.ops.transfer import DTYPES, HostFromGpu, Transfer, transferred
from workbench.core.rewrite.engine import Refuse
from workbench.core.types import TensorType, is_float
from workbench.frozen import frozen
from workbench.gpu.ops.loops import GpuIfElse, GpuScan

Rewrite = Callable[[Sequence[Variable], Sequence[Variable]], Sequence[Variable]]
"""The walk over an inner graph: from outputs and inputs to the outputs between transfers."""

Given = Callable[[Variable], Variable]
"""The tensor on the device, of one of the host's."""


def move_scan(node: Apply, device: str, given: Given, rewrite: Rewrite) -> Any:
    """What replaces a loop's outputs, or why it stays. Any: variables, or a Refuse."""
    op: Any = node.op
    draft = _Loop(node, device, rewrite)
    if not any(_is_worth_it(v) for v in (*op.inner.inputs, *op.inner.outputs)):
        return Refuse("its steps are on single numbers: a device would not pay off")
    outputs = draft.settled()
    if (foreign := draft.foreign()) is not None:
        return Refuse(f"its body would go to and fro in every step: {foreign} stays on the host")
    inner = InnerGraph(tuple(draft.inputs), tuple(outputs))
    outer = [given(v) if draft.lies_there(i) else v for i, v in enumerate(node.inputs)]
    fields = {name: getattr(op, name) for name in type(op).__dataclass_fields__}
    new = GpuScan(**{**fields, "inner": inner, "device": device}).apply(*outer)
    return _as_before(node, new)


def _is_worth_it(variable: Variable) -> bool:
    t = variable.type
    return isinstance(t, TensorType) and t.ndim > 0 and is_float(t.dtype)


@frozen
class _Place:
    """An inner input, the number of the outer input it is of, and the state that it recalls."""

    inner: Variable
    outer: int
    state: int | None = None


class _Loop:
    """A loop's body over inputs of which some lie on the device, until states agree: what a step
    leaves on the device the next one finds there.
    """

    def __init__(self, node: Apply, device: str, rewrite: Rewrite) -> None:
        self.node, self.device, self.rewrite = node, device, rewrite
        self.op: Any = node.op
        self.places = list(_places(self.op))
        self.there = {p.outer for p in self.places if self._begins_there(p)}
        self.inputs: list[Variable] = []
        self.outputs: list[Variable] = []

    def lies_there(self, outer: int) -> bool:
        """Whether this outer input lies on the device."""
        return outer in self.there

    def _begins_there(self, place: _Place) -> bool:
        outer, t = self.node.inputs[place.outer], place.inner.type
        if outer.type.device != "cpu":
            return True
        if not isinstance(t, TensorType) or t.dtype not in DTYPES:
            return False
        resident = outer.owner is not None and isinstance(outer.owner.op, HostFromGpu)
        return t.ndim > 0 or (resident and _rank(outer) > 0)

    def settled(self) -> list[Variable]:
        """The body's outputs, when states and carried values lie where they are found again."""
        while True:
            self._rewrite()
            late = {p.outer for p in self._kept() if self._leaves_there(p)} - self.there
            numbers = self._wanted_by_host()
            if not late and not numbers:
                return self.outputs
            self.there = (self.there | late) - numbers

    def _wanted_by_host(self) -> set[int]:
        """The sequences on the device of whose numbers the host computes places in arrays, or
        whether to stop: it is to have them all before the loop.
        """
        nodes = toposort(self.outputs, stop=self.inputs)
        brought = [n.inputs[0] for n in nodes if isinstance(n.op, HostFromGpu)]
        read = set(leaves(brought, stop=self.inputs))
        pairs = zip(self.places, self.inputs, strict=True)
        numbers = {p.outer for p, v in pairs if v in read and p.state is None and not _rank(v)}
        return {k for k in numbers & self.there if self.node.inputs[k].type.device == "cpu"}

    def _kept(self) -> list[_Place]:
        """The inputs that recall a state or a carried value."""
        return [p for p in self.places if p.state is not None]

    def _leaves_there(self, place: _Place) -> bool:
        assert place.state is not None
        return self.outputs[place.state].type.device != "cpu"

    def _rewrite(self) -> None:
        stand_ins: dict[Variable, Variable] = {}
        self.inputs = []
        for place in self.places:
            new = place.inner
            if place.outer in self.there:
                t = new.type
                assert isinstance(t, TensorType)
                new = lies_on(t, self.device).make(name=new.name)
                if place.inner.type.device == "cpu":
                    stand_ins[place.inner] = transferred(new, "cpu")
                else:
                    stand_ins[place.inner] = new
            self.inputs.append(new)
        outputs = replace(self.op.inner.outputs, stand_ins)
        found = self.rewrite(outputs, self.inputs)
        count = len(found) - 1 if self.op.until else len(found)
        self.outputs = [peeled(v) for v in found[:count]] + list(found[count:])
        for place in self._kept():
            if place.outer in self.there:
                assert place.state is not None
                self.outputs[place.state] = transferred(self.outputs[place.state], self.device)

    def foreign(self) -> str | None:
        """What makes the body go between host and device, but for the condition to stop."""
        stop = self.outputs[-1] if self.op.until else None
        for node in toposort(self.outputs, stop=self.inputs):
            fixed = isinstance(node.inputs[0], Constant)  # it lies there since the program was made
            if isinstance(node.op, Transfer) and not fixed and node.out is not stop:
                return _culprit(node, self.outputs)
        return None


def _culprit(node: Apply, outputs: Sequence[Variable]) -> str:
    """The op of the host's that a transfer is for."""
    if node.out.type.device == "cpu":
        readers = [n for n in toposort(outputs) if node.out in n.inputs]
        return str(readers[0].op) if readers else "a result"
    made = node.inputs[0].owner
    return str(made.op) if made is not None else f"the input {node.inputs[0]}"


def _places(op: Any) -> Any:
    """The inner inputs, in order."""
    sequences, states, carried, others = op.split_inner(op.inner.inputs)
    outer = 1
    for taps in sequences:
        yield from (_Place(v, outer) for v in taps)
        outer += 1
    for k, taps in enumerate(states):
        yield from (_Place(v, outer, k) for v in taps)
        outer += 1
    for k, v in enumerate(carried):
        yield _Place(v, outer, op.n_stacked + k)
        outer += 1
    for v in others:
        yield _Place(v, outer)
        outer += 1


def _rank(variable: Variable) -> int:
    return variable.type.ndim if isinstance(variable.type, TensorType) else 0


def peeled(variable: Variable) -> Variable:
    """The tensor on the device, where the host has it from there."""
    owner = variable.owner
    from_there = owner is not None and isinstance(owner.op, HostFromGpu)
    return owner.inputs[0] if from_there and owner is not None else variable


def move_choice(node: Apply, device: str, given: Given, rewrite: Rewrite) -> Any:
    """What replaces a choice's outputs. Any: variables, or None where none of them is an array."""
    op: Any = node.op
    condition, *captured = node.inputs
    if op.inner is None:
        values = _paired([given(v) for v in captured], op.n, device)
        new = GpuIfElse(op.n, None, op.name, device).apply(condition, *values)
        return _as_before(node, new)
    draft = _Choice(op, device)
    found = rewrite(replace(op.inner.outputs, draft.stand_ins), draft.inputs)
    outputs = _paired([peeled(v) for v in found], op.n, device)
    inner = InnerGraph(tuple(draft.inputs), tuple(outputs))
    outer = [given(v) if there else v for v, there in zip(captured, draft.there, strict=True)]
    new = GpuIfElse(op.n, inner, op.name, device).apply(condition, *outer)
    return _as_before(node, new)


@dataclass
class _Choice:
    """The inner inputs of a choice, of which the arrays lie on the device."""

    op: Any
    device: str
    inputs: list[Variable] = field(default_factory=list)
    there: list[bool] = field(default_factory=list)
    stand_ins: dict[Variable, Variable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for v in self.op.inner.inputs:
            t = v.type
            moves = isinstance(t, TensorType) and t.dtype in DTYPES and t.ndim > 0
            new = v
            if moves and isinstance(t, TensorType):
                new = lies_on(t, self.device).make(name=v.name)
                self.stand_ins[v] = transferred(new, "cpu")
            self.inputs.append(new)
            self.there.append(moves)


def _paired(values: Sequence[Variable], n: int, device: str) -> list[Variable]:
    """Both groups of values, each pair in one place: on the device where one of them lies there."""
    found = list(values)
    for i in range(n):
        if found[i].type.device != found[n + i].type.device:
            found[i], found[n + i] = (transferred(v, device) for v in (found[i], found[n + i]))
    return found


def _as_before(node: Apply, new: Apply) -> list[Variable]:
    """The new outputs, each where the one is that it replaces."""
    pairs = zip(new.outputs, node.outputs, strict=True)
    return [transferred(v, old.type.device) for v, old in pairs]
