"""What the tests of rewriting share: running both graphs, comparing values and types, replaying a
history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Variable, toposort
from workbench.core.interpreter import Interpreter
from workbench.core.records import History, Snapshot
from workbench.core.rewrite import PASSES, Optimised, Recorder, optimise
from workbench.core.types import TensorType

Values = Mapping[Variable, Any]


def run(outputs: Sequence[Variable], values: Values) -> list[Any]:
    """The outputs' values, by the interpreter."""
    with np.errstate(all="ignore"):
        return Interpreter(outputs).run(values)


def rewritten(outputs: Sequence[Variable], **options: Any) -> tuple[Optimised, Recorder]:
    """The optimised graph and the recorder that listened; the history is checked on the way."""
    recorder = Recorder()
    result = optimise(outputs, listeners=[recorder], **options)
    check_history(recorder, outputs, result)
    return result, recorder


def fired(recorder: Recorder) -> set[str]:
    return {step.rule for step in recorder.history.steps}


def labels(outputs: Iterable[Variable]) -> list[str]:
    """What the nodes are called, in topological order."""
    return [node.op.label for node in toposort(outputs)]


def show(outputs: Sequence[Variable]) -> str:
    """The graph, a line a node."""
    names: dict[Variable, str] = {}
    lines = []
    for i, node in enumerate(toposort(outputs)):
        names.update((v, f"v{i}.{v.index}") for v in node.outputs)
        read = ", ".join(names.get(v, f"{v}: {v.type}") for v in node.inputs)
        lines.append(f"v{i} = {node.op}({read})  {', '.join(str(v.type) for v in node.outputs)}")
    return "\n".join([*lines, *(names.get(v, str(v)) for v in outputs)])


def same_type(before: Variable, after: Variable) -> None:
    a, b = before.type, after.type
    assert isinstance(a, TensorType)
    assert isinstance(b, TensorType)
    assert (a.dtype, a.broadcastable) == (b.dtype, b.broadcastable)


def same_values(
    before: Sequence[Variable],
    after: Sequence[Variable],
    values: Values,
    rtol: float = 1e-12,
    atol: float = 1e-12,
) -> None:
    """Both graphs give arrays of the same dtype, shape and value; where the first is not finite,
    any value does.
    """
    for old, new in zip(before, after, strict=True):
        same_type(old, new)
    close(run(before, values), run(after, values), rtol, atol)


def close(
    wanted: Sequence[Any], got: Sequence[Any], rtol: float, atol: float | None = None
) -> None:
    """Arrays of the same dtypes, shapes and values; where the wanted ones are finite."""
    for a, b in zip(wanted, map(np.asarray, got), strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        finite = np.isfinite(a)
        wide = "complex128" if a.dtype.kind == "c" else "float64"
        np.testing.assert_allclose(
            np.where(finite, b, 0).astype(wide),
            np.where(finite, a, 0).astype(wide),
            rtol,
            rtol if atol is None else atol,
        )


def check(
    outputs: Variable | Sequence[Variable], values: Values, rtol: float = 1e-12, **options: Any
) -> tuple[Optimised, Recorder]:
    """Optimises, and compares values, dtypes, types and the history."""
    wanted = [outputs] if isinstance(outputs, Variable) else list(outputs)
    result, recorder = rewritten(wanted, **options)
    same_values(wanted, result.outputs, values, rtol, rtol)
    return result, recorder


def check_history(recorder: Recorder, first: Sequence[Variable], last: Optimised) -> None:
    """Every prefix is a graph, the last one is the optimised graph, and every node comes from nodes
    of the first.
    """
    history = recorder.history
    count = len(history.steps)
    for k in range(count + 1) if count < 120 else (0, 1, count // 2, count - 1, count):
        check_snapshot(history.at(k), history)
    check_snapshot(history.first, history)
    check_last(recorder, last)
    check_origins(history)


def check_snapshot(snapshot: Snapshot, history: History) -> None:
    seen: dict[int, int] = {}
    for node in snapshot:
        for port in node.inputs:
            assert port.node in seen, f"{node.label} reads {port}, which is not before it"
            assert port.index < seen[port.node]
        assert node.id not in seen
        seen[node.id] = len(node.outputs)
    for port in snapshot.outputs:
        assert port.index < seen[port.node]
    assert len(snapshot.outputs) == len(history.first.outputs)


def check_last(recorder: Recorder, optimised: Optimised) -> None:
    """The last snapshot has the optimised graph's nodes, edges, dtypes and nothing else."""
    snapshot = recorder.history.last
    applies = {node.id: node for node in snapshot if node.kind == "apply"}
    assert len(applies) == len(optimised.nodes)
    for node in optimised.nodes:
        ports = [recorder.port_of(v) for v in node.outputs]
        record = applies[ports[0].node]
        assert [p.index for p in ports] == list(range(len(ports)))
        assert {p.node for p in ports} == {record.id}
        assert record.op == type(node.op).__name__
        assert list(record.inputs) == [recorder.port_of(v) for v in node.inputs]
        assert [v.dtype for v in record.outputs] == [
            getattr(v.type, "dtype", "object") for v in node.outputs
        ]
    assert list(snapshot.outputs) == [recorder.port_of(v) for v in optimised.outputs]


def check_origins(history: History) -> None:
    first = set(history.first.by_id)
    origins = history.origins()
    for node in history.last:
        assert set(origins[node.id]) <= first
        assert origins[node.id], f"{node.label} comes from nothing"


ALL_RULES = {rule.name: rule for p in PASSES for rule in p.rules}
