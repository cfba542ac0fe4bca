"""Building the node of a loop from the nodes that it replaces: one scalar program, and how it
reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workbench.core.graph import Apply, Constant, Variable
from workbench.core.ops.elementwise import Composite, Elemwise, ScalarOp
from workbench.core.ops.loop import Loop, LoopResult
from workbench.core.ops.reduce import Reduce
from workbench.core.scalar import ScalarBuilder
from workbench.core.types import tensor_type

LONGEST = 80
"""Characters of an expression's text before it is cut."""


def build_loop(
    nodes: Sequence[Apply], kept: Sequence[Variable], final: Mapping[Variable, Variable]
) -> list[Variable]:
    """What replaces the `kept` outputs of the nodes. `final` says what stands now for variables
    that were replaced.
    """
    draft = _Draft(nodes, final)
    for node in nodes:
        if isinstance(node.op, Elemwise):
            draft.compute(node, node.op.scalar)
    totals = [v.owner for v in kept if v.owner is not None and isinstance(v.owner.op, Reduce)]
    if not totals:
        program = draft.builder.program(*(draft.index[v] for v in kept))
        fused = Composite(program, draft.text_of(kept))
        return list(Elemwise(fused).apply(*draft.inputs).outputs)
    return _with_totals(draft, kept)


def _with_totals(draft: _Draft, kept: Sequence[Variable]) -> list[Variable]:
    results: list[LoopResult] = []
    values: list[int] = []
    axes: tuple[int, ...] = ()
    ndim = 0
    for v in kept:
        node = v.owner
        assert node is not None
        if isinstance(node.op, Reduce):
            axes = node.op.axes
            ndim = tensor_type(node.inputs[0]).ndim
            dtype = tensor_type(node.inputs[0]).dtype
            values.append(draft.element(node.op, node.inputs[0]))
            logic = node.op.prim in ("and", "or")
            accumulator = "bool" if logic else node.op.acc_dtype(dtype)
            needs = node.op.empty is None
            results.append(LoopResult(node.op.prim, tensor_type(v).dtype, accumulator, needs))
        else:
            values.append(draft.index[v])
            results.append(LoopResult(None, tensor_type(v).dtype))
    program = draft.builder.program(*values)
    loop = Loop(program, tuple(results), axes, ndim, draft.text_of(kept))
    return list(loop.apply(*draft.inputs).outputs)


@dataclass
class _Draft:
    """A scalar program in the making: which value of it each variable is, and how that reads."""

    nodes: Sequence[Apply]
    final: Mapping[Variable, Variable]
    inputs: list[Variable] = field(default_factory=list)
    index: dict[Variable, int] = field(default_factory=dict)
    text: dict[Variable, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """What comes from outside; scalar constants are written into the program."""
        made = {v for node in self.nodes for v in node.outputs}
        reads = dict.fromkeys(v for node in self.nodes for v in node.inputs if v not in made)
        literals = [v for v in reads if isinstance(v, Constant) and not v.data.ndim]
        arrays = [v for v in reads if v not in literals]
        self.inputs = list(dict.fromkeys(self.final.get(v, v) for v in arrays))
        place = {v: i for i, v in enumerate(self.inputs)}
        self.builder = ScalarBuilder([tensor_type(v).dtype for v in self.inputs])
        for v in arrays:
            self.index[v] = place[self.final.get(v, v)]
            self.text[v] = f"i{self.index[v]}"
        for v in literals:
            assert isinstance(v, Constant)
            self.index[v] = self.builder.const(v.data[()], tensor_type(v).dtype)
            self.text[v] = str(v.data[()])

    def compute(self, node: Apply, scalar: ScalarOp) -> None:
        """The steps of one elementwise node."""
        program = scalar.program(tuple(tensor_type(v).dtype for v in node.inputs))
        values = self.builder.inline(program, [self.index[v] for v in node.inputs])
        for v, value in zip(node.outputs, values, strict=True):
            self.index[v] = value
            self.text[v] = _cut(_expression(scalar, [self.text[i] for i in node.inputs]))

    def element(self, op: Reduce, variable: Variable) -> int:
        """What a reduction combines: the variable's value, for logic as a bool."""
        value = self.index[variable]
        return self.builder.cast(value, "bool") if op.prim in ("and", "or") else value

    def text_of(self, kept: Sequence[Variable]) -> str:
        """How the results read: one expression, or several in brackets."""
        parts: list[str] = []
        for v in kept:
            assert v.owner is not None
            total = isinstance(v.owner.op, Reduce)
            parts.append(
                _cut(
                    f"{v.owner.op.label}({self.text[v.owner.inputs[0]]})" if total else self.text[v]
                )
            )
        return parts[0] if len(parts) == 1 else f"[{', '.join(parts)}]"


def _expression(scalar: ScalarOp, args: Sequence[str]) -> str:
    if scalar.symbol and len(args) == 2:
        return f"({args[0]} {scalar.symbol} {args[1]})"
    if scalar.symbol:
        return f"{scalar.symbol}{args[0]}"
    return f"{scalar}({', '.join(args)})"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
