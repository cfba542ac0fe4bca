"""The engine: how rules are tried, what stops them, what they are told, what listeners hear."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.core.rewrite.support import check_history, fired, labels, rewritten, run
from workbench.core.graph import toposort
from workbench.core.ops import dot, reduce, scalars
from workbench.core.ops.scalars import Cos, Exp, Sin, Tanh
from workbench.core.rewrite import PASSES, Pass, Recorder, Refuse, optimise, pipeline, rule
from workbench.core.rewrite.equations import equation, match, text, x, y
from workbench.core.variable import tensor
from workbench.errors import ModeError, RewriteError, ShapeError

S: Any = scalars


def only(*rules):
    return (PASSES[0], Pass("test", "", rules))


@rule(Sin, equation="sin(x) → cos(x)")
def sin_cos(node, context):
    """Not true, but simple."""
    return S.cos(node.inputs[0])


@rule(Cos, equation="cos(x) → sin(x)")
def cos_sin(node, context):
    """The way back."""
    return S.sin(node.inputs[0])


def vector(name="x", dtype="float64"):
    return tensor(dtype, (None,), name)


def test_rule_has_its_name_text_and_place():
    assert sin_cos.name == "sin_cos"
    assert sin_cos.equation == "sin(x) → cos(x)"
    assert sin_cos.reason == "Not true, but simple."
    assert sin_cos.source.startswith("tests/core/rewrite/test_engine.py:")


def test_what_a_rule_writes_is_rewritten_in_its_turn():
    a = vector()
    result, recorder = rewritten([S.exp(S.log(S.exp(a + 0)))])
    assert labels(result.outputs) == ["exp"]
    assert {"add_zero"} < fired(recorder)


def test_rules_that_undo_each_other_come_to_an_end():
    a = vector()
    result, _ = rewritten([S.sin(a) + S.sin(a)], passes=only(sin_cos, cos_sin))
    assert len(result.nodes) == 2


def test_growing_rules_come_to_an_end():
    @rule(Tanh)
    def grow(node, context):
        return S.tanh(S.exp(node.inputs[0]))

    result, recorder = rewritten([S.tanh(vector())], passes=only(grow))
    assert 100 < len(result.nodes) < 1000
    assert "too many rewrites" in recorder.history.refused[-1].reason


def test_a_rule_is_tried_once_at_a_node():
    tried = []

    @rule()
    def watch(node, context):
        tried.append(node)

    a = vector()
    shared = S.exp(a)
    optimise([shared + S.tanh(shared)], passes=(*only(watch), Pass("again", "", (watch,))))
    assert len(tried) == len(set(tried)) == 3


def test_a_rule_that_asks_for_readers_is_tried_again():
    tried = []

    @rule(Exp)
    def watch(node, context):
        if context.readers(node.outputs[0]):
            tried.append(node)

    a = vector()
    optimise([S.tanh(S.exp(a))], passes=(*only(watch), Pass("again", "", (watch,))))
    assert len(tried) == 2


def test_tries_grow_linearly():
    def tries(n):
        count = 0

        @rule()
        def watch(node, context):
            nonlocal count
            count += 1

        v = vector()
        for _ in range(n):
            v = S.tanh(v * 1 + v)
        optimise(
            [v],
            passes=[p if p.transform else Pass(p.name, p.why, (*p.rules, watch)) for p in PASSES],
        )
        return count

    assert tries(200) <= 2.1 * tries(100)


def test_long_chains_do_not_recurse():
    v = vector()
    for _ in range(20_000):
        v = S.tanh(v)
    result = optimise([v])
    assert len(result.nodes) < 400


@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_changing_the_dtype_is_a_defect_of_the_rule(dtype):
    @rule(Exp)
    def wrong(node, context):
        return S.cast(node.inputs[0], dtype)

    with pytest.raises(RewriteError, match="rule wrong changed the type"):
        optimise([S.exp(vector())], passes=only(wrong))


def test_changing_the_axes_is_a_defect_of_the_rule():
    @rule(Exp)
    def wrong(node, context):
        return reduce.sum(node.inputs[0])

    with pytest.raises(RewriteError, match="rule wrong"):
        optimise([S.exp(vector())], passes=only(wrong))


def test_reading_what_is_replaced_is_a_defect_of_the_rule():
    @rule(Exp)
    def wrong(node, context):
        return S.tanh(node.outputs[0])

    with pytest.raises(RewriteError, match="reads what it replaces"):
        optimise([S.exp(vector())], passes=only(wrong))


def test_refusals_are_on_record():
    @rule(Exp)
    def never(node, context):
        return Refuse("not today")

    a = vector()
    _, recorder = rewritten([S.exp(a)], passes=only(never))
    (refusal,) = recorder.history.refused
    assert (refusal.phase, refusal.rule, refusal.reason) == ("test", "never", "not today")
    assert recorder.history.first[refusal.node].label == "exp"


def test_a_graph_that_will_fail_is_left_to_fail_when_it_runs():
    a = tensor("int32", (None, 1), "a")
    part = (a - 0.5 * dot.dot(a, a))[np.array([0, 1, 0])]
    result = optimise([part])
    with pytest.raises(ShapeError, match="do not fit in dot"):
        run(result.outputs, {a: np.ones((3, 1), "int32")})


def test_readers_are_those_of_the_start():
    seen: dict[str, list[int]] = {}

    @rule(Exp, Sin)
    def watch(node, context):
        (out,) = node.outputs
        seen[node.op.label] = [
            len(context.readers(out)),
            context.is_output(out),
            context.read_once(out),
        ]

    a = vector()
    e = S.exp(S.sin(a))
    optimise([S.tanh(e) + e, e], passes=only(watch))
    assert seen == {"sin": [1, False, True], "exp": [2, True, False]}


def test_names_and_lines_are_carried():
    a = vector()
    cost = S.log(S.exp(a + 1))
    cost.name = "cost"
    result, recorder = rewritten([cost * 2, cost], excluding=["fusion"])
    assert result.outputs[1].name == "cost"
    for node in recorder.history.last:
        assert node.kind == "constant" or node.places


def test_a_rewrite_comes_from_all_lines_that_it_replaces():
    a = vector()
    e = S.exp(a)
    p = 1 / (1 + e)
    out = S.log(p)
    _, recorder = rewritten([out], excluding=["fusion"])
    (soft,) = [node for node in recorder.history.last if node.label == "softplus"]
    texts = {place.text for place in soft.places}
    assert {"p = 1 / (1 + e)", "out = S.log(p)"} <= texts


def test_the_users_graph_is_not_touched():
    a, b = vector(), vector("b")
    first, second = a + b, b + a
    second.name = "second"
    out = S.exp(S.log(S.exp(first))) + second
    before = [(n, n.op, n.inputs, n.lines) for n in toposort([out])]
    optimise([out])
    assert [(n, n.op, n.inputs, n.lines) for n in toposort([out])] == before
    assert first.name is None


def test_equal_nodes_are_merged_in_any_order_of_operands():
    a, b = vector(), vector("b")
    result, recorder = rewritten([(a + b) * (b + a)], passes=pipeline("none"))
    assert labels(result.outputs) == ["add", "mul"]
    (step,) = recorder.history.steps
    assert (step.rule, step.phase) == ("merge", "merge")
    assert step.removed


def test_equations_read_as_they_are_written():
    assert text((1 / (1 + S.exp(-x))).owner.outputs[0]) == "1 / (1 + exp(-x))"
    made = equation("name", S.log(S.exp(x)), x, "why")
    assert str(made) == "name: log(exp(x)) → x"
    assert made.source.startswith("tests/core/rewrite/test_engine.py:")


def test_matching():
    a, b = vector("a"), vector("b")
    pattern = (x * y) + x
    found = match(pattern, a * b + b)
    assert found is not None
    assert (found[x], found[y]) == (b, a)
    assert match(pattern, a * b + a)[x] is a
    assert match(S.exp(x) - 1, S.exp(a) - np.array([1.0, 1.0]))[x] is a
    assert match(S.exp(x) - 1, S.exp(a) - 2) is None
    narrow = vector("n", "int8")
    assert match((-x) * y, (-narrow) * a) is None, "int8 wraps before it is widened"


def test_pipelines_by_name():
    choices = ["sink", "sink_bodies"]
    quick = ["merge", "transfers", "join_loops", "canonicalise", *choices]
    assert [p.name for p in pipeline("FAST_COMPILE")] == quick
    assert [p.name for p in pipeline("none")] == ["merge", *choices]
    assert pipeline("fast_run") is PASSES
    with pytest.raises(ModeError, match="Did you mean 'fast_run'"):
        pipeline("fastrun")


def test_excluding_and_including():
    a = vector()
    out = S.log(1 + S.exp(a * 1))
    assert "fuse_elementwise" not in fired(rewritten([out], excluding=["fusion"])[1])
    assert "log_one_plus_exp" not in fired(rewritten([out], excluding=["stabilise"])[1])
    assert "mul_one" not in fired(rewritten([out], passes=pipeline("none"))[1])
    added = rewritten([out], passes=pipeline("none"), including=["fusion"])[1]
    assert fired(added) >= {"fuse_elementwise"}


def test_every_pass_reports_its_time():
    recorder = Recorder()
    result = optimise([S.exp(vector())], listeners=[recorder])
    names = [p.name for p in PASSES]
    assert [stage.phase for stage in result.stages] == names
    assert [p.phase for p in recorder.history.passes] == names
    assert all(stage.seconds >= 0 for stage in result.stages)


def test_unused_inputs_stay_in_the_picture():
    a, b = vector(), vector("unused")
    recorder = Recorder()
    result = optimise([S.exp(a)], [a, b], listeners=[recorder])
    check_history(recorder, [S.exp(a)], result)
    for snapshot in (recorder.history.first, recorder.history.last):
        assert [snapshot[i].label for i in snapshot.inputs] == ["x", "unused"]
