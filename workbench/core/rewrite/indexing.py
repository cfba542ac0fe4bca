"""Indexing: indices of indices, indices of what was just put there, elementwise work done after
indexing.
"""

from __future__ import annotations

from typing import Any

from workbench.core.graph import Apply, Variable
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.index import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
)
from workbench.core.ops.scalars import Add
from workbench.core.ops.shape import MakeVector
from workbench.core.ops.slices import FULL, Entry, Spec, count_dynamic  # fmt: skip
from workbench.core.rewrite.engine import Context, Rule, rule
from workbench.core.rewrite.equations import is_number
from workbench.core.rewrite.fills import filled
from workbench.core.rewrite.matching import dtype_of, is_scalar, made_by, pattern_of

READS = (Subtensor, AdvancedSubtensor)
WRITES = (IncSubtensor, AdvancedIncSubtensor)


def spec_of(node: Apply) -> Spec:
    """The index that a node reads or writes at."""
    spec: Spec = node.op.spec  # type: ignore[attr-defined]
    return spec


@rule(Subtensor, equation="x[:] → x")
def whole(node: Apply, context: Context) -> Variable | None:
    """A whole slice takes everything."""
    return node.inputs[0] if all(entry == FULL for entry in spec_of(node)) else None


@rule(Subtensor, equation="x[i:][j] → x[i + j]")
def index_twice(node: Apply, context: Context) -> Variable | None:
    """Two indices become one where it is known which places they name."""
    inner = made_by(node.inputs[0], Subtensor)
    if inner is None:
        return None
    first = _with_parts(inner)
    second = _with_parts(node)
    entries: list[tuple[Entry, list[Variable]]] = []
    for entry, parts in first:
        if not isinstance(entry, tuple):  # the axis is gone
            entries.append((entry, parts))
            continue
        outer = second.pop(0) if second else (FULL, [])
        both = _compose((entry, parts), outer)
        if both is None:
            return None
        entries.append(both)
    entries += second
    op = Subtensor(tuple(entry for entry, _ in entries))
    return op(inner.inputs[0], *(v for _, parts in entries for v in parts))  # type: ignore[no-any-return]


Part = tuple[Entry, list[Variable]]


def _with_parts(node: Apply) -> list[Part]:
    """Each entry of an index with the inputs that fill it."""
    left = list(node.inputs[1:])
    taken: list[Part] = []
    for entry in spec_of(node):
        n = count_dynamic((entry,))
        taken.append((entry, left[:n]))
        del left[:n]
    return taken


def _compose(first: Part, second: Part) -> Part | None:
    """A slice, then an index of the result: one index, or None where only running tells."""
    if second[0] == FULL:
        return first
    if first[0] == FULL:
        return second
    if first[1] or second[1]:
        return None
    inner: Any = first[0]
    start, stop, step = inner
    if (start or 0) < 0 or step not in (None, 1) or stop is not None:
        return None
    begin = start or 0
    if isinstance(second[0], int):
        return (begin + second[0], []) if second[0] >= 0 else None
    outer: Any = second[0]
    low, high, stride = outer
    if (low or 0) < 0 or (high is not None and high < 0) or (stride is not None and stride < 1):
        return None
    return (begin + (low or 0), None if high is None else begin + high, stride), []


@rule(Subtensor, equation="[a, b, c][1] → b")
def index_of_vector(node: Apply, context: Context) -> Variable | None:
    """One of the scalars that a vector is made of."""
    made = made_by(node.inputs[0], MakeVector)
    if made is None or len(spec_of(node)) != 1 or len(node.inputs) > 1:
        return None
    (entry,) = spec_of(node)
    dtype = dtype_of(node.outputs[0])
    if any(dtype_of(v) != dtype for v in made.inputs):
        return None
    if isinstance(entry, int):
        return made.inputs[entry]
    return made.op(*made.inputs[slice(*entry)])  # type: ignore[no-any-return]


@rule(Subtensor, equation="set(x, [i], y)[i] → y")
def read_what_was_set(node: Apply, context: Context) -> Variable | None:
    """What was just put there."""
    written = made_by(node.inputs[0], IncSubtensor)
    if written is None or not written.op.set or spec_of(written) != spec_of(node):  # type: ignore[attr-defined]
        return None
    value = written.inputs[1]
    same = all(a is b for a, b in zip(written.inputs[2:], node.inputs[1:]))
    return value if same and pattern_of(value) == pattern_of(node.outputs[0]) else None


@rule(*READS, equation="f(x)[i] → f(x[i])")
def index_lifts(node: Apply, context: Context) -> Variable | None:
    """An elementwise op is computed only where its result is read."""
    whole, *parts = node.inputs
    inner = made_by(whole, Elemwise)
    if inner is None or len(inner.outputs) > 1 or not context.read_once(whole):
        return None
    operands = [v for v in inner.inputs if not is_scalar(v)]
    if any(pattern_of(v) != pattern_of(whole) for v in operands):
        return None
    return inner.op(*(v if is_scalar(v) else node.op(v, *parts) for v in inner.inputs))  # type: ignore[no-any-return]


@rule(Add, equation="inc(0, [i], y) + x → inc(x, [i], y)")
def add_to_zeros(node: Apply, context: Context) -> Variable | None:
    """What was added into zeros is added in place."""
    a, b = node.inputs
    for written, other in ((a, b), (b, a)):
        inner = adds_to_zeros(written)
        if inner is not None and context.read_once(written) and other.type == written.type:
            return inner.op(other, *inner.inputs[1:])  # type: ignore[no-any-return]
    return None


def adds_to_zeros(variable: Variable) -> Apply | None:
    """The node that adds into a tensor of zeros."""
    node = made_by(variable, *WRITES)
    if node is None or node.op.set:  # type: ignore[attr-defined]
        return None
    target = node.inputs[0]
    value = filled(target)
    return node if is_number(target if value is None else value, 0) else None


INDEXING: tuple[Rule, ...] = (
    whole,
    index_twice,
    index_of_vector,
    read_what_was_set,
    index_lifts,
    add_to_zeros,
)
