"""The recorder: what a history says of the tutorial's logistic regression and of a loop, and that
it always says it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.core.rewrite.support import rewritten, run
from workbench.core.gradient import grad
from workbench.core.ops import dot, reduce, scalars
from workbench.core.records import History
from workbench.core.rewrite import optimise
from workbench.core.scan.build import scan
from workbench.core.snapshot import Ids, port, snapshot
from workbench.core.variable import tensor

S: Any = scalars
ROOT = Path(__file__).parents[3]


def tutorial() -> tuple[list[Any], list[Any]]:
    x, y = tensor("float64", (None, None), "x"), tensor("float64", (None,), "y")
    w, b = tensor("float64", (None,), "w"), tensor("float64", (), "b")
    p = 1 / (1 + S.exp(-dot.dot(x, w) - b))
    xent = -y * S.log(p) - (1 - y) * S.log(1 - p)
    cost = xent.mean() + 0.01 * (w**2).sum()
    gw, gb = grad(cost, [w, b])
    return [p > 0.5, xent, w - 0.1 * gw, b - 0.1 * gb], [x, y, w, b]


def test_history_of_the_tutorial():
    outputs, inputs = tutorial()
    _, recorder = rewritten(outputs, inputs=inputs)
    history = recorder.history
    phases = list(dict.fromkeys(step.phase for step in history.steps))
    assert phases == ["merge", "canonicalise", "stabilise", "specialise", "fusion"]
    assert {"sigmoid_spelled", "log_sigmoid", "multiply_out", "accumulate"} <= {
        s.rule for s in history.steps
    }
    for step in history.steps:
        assert step.equation
        assert step.reason
        assert step.replaced
        assert step.phase == "merge" or step.source or step.rule.startswith("merge")
    assert [p.steps for p in history.passes] == [
        sum(s.phase == p.phase for s in history.steps) for p in history.passes
    ]
    assert {"Gemv", "Loop"} <= {node.op for node in history.last}


def test_history_round_trips_through_json():
    outputs, inputs = tutorial()
    _, recorder = rewritten(outputs, inputs=inputs)
    history = recorder.history
    again = History.from_json(history.to_json())
    assert again == history
    assert again.last == history.last


def test_rebuilt_nodes_keep_their_ids():
    x = tensor("float64", (None,), "x")
    out = S.tanh(S.exp(S.log(x) * 1))
    _, recorder = rewritten([out], excluding=["fusion", "stabilise"])
    history = recorder.history
    ids = {node.label: node.id for node in history.first}
    assert [node.label for node in history.last] == ["x", "log", "exp", "tanh"]
    assert all(ids[node.label] == node.id for node in history.last)


def test_ports_tie_variables_to_nodes():
    outputs, inputs = tutorial()
    result, recorder = rewritten(outputs, inputs=inputs)
    first, last = recorder.history.first, recorder.history.last
    for variable in (*inputs, *outputs):
        where = recorder.port_of(variable)
        assert where is not None
        assert first[where.node].outputs[where.index].dtype == variable.dtype
    for variable in result.outputs:
        where = recorder.port_of(variable)
        assert where is not None
        assert last[where.node].outputs[where.index].dtype == variable.type.dtype
    assert recorder.port_of(tensor("float64", (), "other")) is None


def test_fused_nodes_show_their_scalar_steps():
    outputs, inputs = tutorial()
    _, recorder = rewritten(outputs, inputs=inputs)
    fused = [node for node in recorder.history.last if node.op == "Loop"]
    assert fused
    for node in fused:
        assert node.inner is not None
        assert len(node.inner.inputs) == len(node.inputs)
        assert len(node.inner.outputs) == len(node.outputs)
    assert any(n.label == "sigmoid" for node in fused for n in node.inner)


def test_a_loops_body_has_a_history_of_its_own():
    x = tensor("float64", (None, None), "x")
    h0, w = tensor("float64", (None,), "h0"), tensor("float64", (None, None), "w")
    states, _ = scan(
        lambda row, h, w: S.tanh(dot.dot(w, h) * 1 + row),
        sequences=x,
        outputs_info=h0,
        non_sequences=w,
    )
    result, recorder = rewritten([states, reduce.sum(states)], inputs=[x, h0, w])
    steps = [step for step in recorder.history.steps if step.inner is not None]
    assert [step.rule for step in steps] == ["simplify_body", "compile_body"]
    assert "mul_one" in {s.rule for s in steps[0].inner.steps}
    assert {"dot_to_blas", "accumulate"} & {s.rule for s in steps[1].inner.steps}
    (changed,) = steps[0].changed
    assert changed.op == "Scan"
    assert changed.inner.roles[:3] == ("sequence", "recurrent", "non_sequence")
    rng = np.random.default_rng(0)
    values = {x: rng.normal(size=(6, 3)), h0: rng.normal(size=3), w: rng.normal(size=(3, 3))}
    for a, b in zip(run([states], values), run(result.outputs[:1], values), strict=True):
        np.testing.assert_allclose(a, b, 1e-12)


def test_snapshot_gives_ids_in_order_and_keeps_known_ones():
    x = tensor("float64", (None,), "x")
    e = S.exp(x)
    ids: Ids = {}
    first = snapshot([e], [x], "name", ids)
    assert [(n.id, n.kind, n.label) for n in first] == [(0, "input", "x"), (1, "apply", "exp")]
    assert first.name == "name"
    second = snapshot([S.tanh(e) + 1.5], ids=ids)
    assert [(n.id, n.label) for n in second] == [
        (0, "x"),
        (1, "exp"),
        (2, "tanh"),
        (3, "1.5"),
        (4, "add"),
    ]
    assert port(e, ids) == second[2].inputs[0]


def test_recording_changes_nothing():
    outputs, inputs = tutorial()
    plain = optimise(outputs, inputs)
    recorded, _ = rewritten(outputs, inputs=inputs)
    assert [str(n.op) for n in plain.nodes] == [str(n.op) for n in recorded.nodes]


PRINT = """
import sys
sys.path.insert(0, {root!r})
from tests.core.rewrite.test_recorder import tutorial
from tests.core.rewrite.test_pipeline import network
from workbench.core.rewrite import Recorder, optimise
for outputs, inputs in (tutorial(), network()):
    recorder = Recorder()
    optimise(outputs, inputs, listeners=[recorder])
    history = recorder.history
    for step in history.steps:
        print(step.phase, step.rule, step.removed, step.replaced)
        print([(n.id, n.label, n.inputs, n.detail) for n in step.added])
    print([(n.id, n.label, n.inputs) for n in history.last])
"""


def test_the_same_in_every_process():
    """Neither the hash seed nor addresses decide anything."""
    texts = set()
    for seed in ("0", "1", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", PRINT.format(root=str(ROOT))],
            env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        texts.add(done.stdout)
    (text,) = texts
    assert "fusion" in text
