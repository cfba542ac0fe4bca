"""`pp`: an expression on one line, the way one would write it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.graph import Apply, Op, Variable, toposort
from workbench.core.ops.dot import Dot
from workbench.core.ops.elementwise import Composite, Elemwise, ScalarOp
from workbench.core.ops.index import AdvancedSubtensor, Subtensor
from workbench.core.ops.reduce import Prod, Sum
from workbench.core.ops.scalars import Abs, Cast, CompareOp, Second
from workbench.core.ops.shape import DimShuffle
from workbench.core.printing.leaves import leaf_text
from workbench.core.types import tensor_type
from workbench.errors import GraphError

LONGEST = 100_000
"""Characters of an expression. What is read often doubles the text at every level."""

Form = Callable[[Apply, Sequence[str]], str]


def pp(*expressions: Any) -> str:
    r"""The expressions of variables, of nodes, or of a function's outputs, separated by commas.

    Every operator has its parentheses: `((x * y) + z)`. Products are `(M \dot v)`, transposes
    `M.T`, elements `v[Constant{0}]`, other ops functions of their inputs.
    """
    return ", ".join(text for item in expressions for text in _texts(_variables(item)))


def _variables(item: Any) -> Sequence[Variable]:
    graph = getattr(getattr(item, "maker", None), "fgraph", item)
    if isinstance(graph, Variable):
        return [graph]
    if isinstance(graph, Apply) or hasattr(graph, "outputs"):
        return list(graph.outputs)
    raise GraphError(f"pp prints variables, nodes and functions, not {type(item).__name__}")


def _texts(variables: Sequence[Variable]) -> list[str]:
    known: dict[Variable, str] = {}

    def text(variable: Variable) -> str:
        return known.get(variable) or leaf_text(variable)

    for node in toposort(variables):
        written = _node(node, [text(v) for v in node.inputs])
        if len(written) > LONGEST:
            written = f"{node.op}(…)"
        many = len(node.outputs) > 1
        known.update((v, f"{written}.{i}" if many else written) for i, v in enumerate(node.outputs))
    return [text(v) for v in variables]


def _node(node: Apply, inputs: Sequence[str]) -> str:
    form = next((form for kind, form in FORMS if isinstance(node.op, kind)), None)
    return _call(str(node.op), inputs) if form is None else form(node, inputs)


def _call(name: str, inputs: Sequence[str]) -> str:
    return f"{name}({', '.join(inputs)})"


def _elementwise(node: Apply, inputs: Sequence[str]) -> str:
    scalar: ScalarOp = node.op.scalar  # type: ignore[attr-defined]  # Elemwise has one
    if isinstance(scalar, Composite):
        return _call(str(node.op), inputs)
    if isinstance(scalar, Cast):
        return _call(scalar.to, inputs)
    if isinstance(scalar, Second):
        return _call("fill", inputs)
    if isinstance(scalar, Abs):
        return f"|{inputs[0]}|"
    if scalar.symbol and not isinstance(scalar, CompareOp):
        if len(inputs) == 1:
            return f"({scalar.symbol}{inputs[0]})"
        return f"({f' {scalar.symbol} '.join(inputs)})"
    return _call(scalar.name, inputs)


def _product(node: Apply, inputs: Sequence[str]) -> str:
    return f"({inputs[0]} \\dot {inputs[1]})"


def _dimshuffle(node: Apply, inputs: Sequence[str]) -> str:
    """A transpose is `.T`; new leading axes are not shown, as broadcasting needs none."""
    order: Sequence[Any] = node.op.order  # type: ignore[attr-defined]  # DimShuffle has one
    shown = list(order)
    while shown and shown[0] == "x":
        shown.pop(0)
    axes = list(range(tensor_type(node.inputs[0]).ndim))
    if shown == axes:
        return inputs[0]
    if shown == axes[::-1]:
        return f"{inputs[0]}.T"
    return f"DimShuffle{{{', '.join(map(str, order))}}}({inputs[0]})"


def _reduction(node: Apply, inputs: Sequence[str]) -> str:
    op: Any = node.op
    t = tensor_type(node.inputs[0])
    axis = [] if len(op.axes) == t.ndim else [f"axis={list(op.axes)}"]
    options = ", ".join([*axis, f"acc_dtype={op.acc_dtype(t.dtype)}"])
    return f"{type(op).__name__}{{{options}}}({inputs[0]})"


def _index(node: Apply, inputs: Sequence[str]) -> str:
    spec: Any = node.op.spec  # type: ignore[attr-defined]  # both ops that are indexed have one
    parts = iter(inputs[1:])

    def part(entry: Any) -> str:
        return next(parts) if entry == "?" else f"Constant{{{entry}}}"

    def bound(entry: Any) -> str:
        return "" if entry is None else part(entry)

    def entry_text(entry: Any) -> str:
        if not isinstance(entry, tuple):
            return part(entry)
        start, stop = bound(entry[0] or None), bound(entry[1])
        return f"{start}:{stop}" + ("" if entry[2] is None else f":{bound(entry[2])}")

    return f"{inputs[0]}[{', '.join(map(entry_text, spec))}]"


FORMS: tuple[tuple[type[Op] | tuple[type[Op], ...], Form], ...] = (
    (Elemwise, _elementwise),
    (Dot, _product),
    (DimShuffle, _dimshuffle),
    ((Sum, Prod), _reduction),
    ((Subtensor, AdvancedSubtensor), _index),
)
