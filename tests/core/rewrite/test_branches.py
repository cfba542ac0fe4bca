"""Choices: each rule by the graph that it leaves, what goes into which branch, and histories that
can be replayed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench as wb
import workbench.tensor as T
from tests.core.rewrite.support import check, fired, rewritten
from workbench.core.graph import Apply, Variable, toposort
from workbench.core.ops.branches import IfElse

c = T.bscalar("c")
x, y, z = T.matrices("x", "y", "z")
POINTS = {x: np.eye(2) + 1, y: np.arange(4.0).reshape(2, 2), z: np.ones((2, 2))}


def rules(*outputs: Any) -> set[str]:
    """What fired; values are compared for both values of the condition."""
    found: set[str] = set()
    for flag in (0, 1):
        result, recorder = rewritten(outputs)
        check(outputs, {c: np.int8(flag), **POINTS})
        found |= fired(recorder)
        assert not any(getattr(n.op, "is_lazy", False) for n in result.nodes)
    return found


def choices(*outputs: Any) -> list[Apply]:
    result, _ = rewritten(outputs)
    return [n for n in result.nodes if isinstance(n.op, IfElse)]


def branches(node: Apply) -> list[list[str]]:
    """The classes of the nodes in each branch."""
    op: Any = node.op
    groups = op.branches(node.inputs)
    return [[type(n.op).__name__ for n in toposort(values)] for values in groups]


def test_a_known_condition() -> None:
    assert "choice_made" in rules(wb.ifelse(T.constant(0), x + 1, y * 2))
    result, _ = rewritten([wb.ifelse(T.constant(3.5), x, y)])
    assert result.outputs == (x,)


def test_equal_branches() -> None:
    first, second = wb.ifelse(c, [x + y, x], [y + x, z])
    assert "choice_of_equals" in rules(first, second)
    result, _ = rewritten([first])
    assert [type(n.op).__name__ for n in result.nodes] == ["Elemwise"]


def test_a_choice_within_a_choice() -> None:
    out = wb.ifelse(c, wb.ifelse(c, x, y + 1) * 2, z)
    assert rules(out) >= {"into_branch"}
    assert "choice_of_choice" in rules(wb.ifelse(c, wb.ifelse(c, x, y + 1), z))
    (node,) = choices(out)
    assert y not in node.inputs


def test_fills_forget_what_they_fill() -> None:
    work = T.exp(x)
    out = wb.ifelse(c, work, T.zeros_like(work))
    assert "fill_in_branch" in rules(out)
    (node,) = choices(out)
    assert branches(node)[0] == ["Elemwise"]
    assert toposort([node.inputs[1]]) == []


def test_what_combines_choices_goes_inside() -> None:
    out = wb.ifelse(c, T.exp(x), y) + wb.ifelse(c, z, T.exp(y))
    assert "elementwise_of_choices" in rules(out)
    assert len(rewritten([out])[0].nodes) == 1
    other = T.bscalar("other")
    apart = wb.ifelse(c, x, y) + wb.ifelse(other, x, y)
    assert "elementwise_of_choices" not in fired(rewritten([apart])[1])


def test_what_vanishes_in_a_branch_goes_into_the_other() -> None:
    slope = wb.ifelse(c, x, T.zeros_like(x))
    out = T.dot(slope * y, z.T).sum(axis=0)
    assert "vanishing_branch" in rules(out)
    (node,) = rewritten([out])[0].nodes
    assert {"Dot", "Gemm", "Gemv"} & set(branches(node)[0])
    kept = T.exp(slope)
    assert "vanishing_branch" not in fired(rewritten([kept])[1])


def test_several_choices_become_one_and_share_work() -> None:
    work = T.exp(T.dot(x, y))
    outs = [wb.ifelse(c, work.sum(), z.sum()), wb.ifelse(c, work * 2, z)]
    assert "into_branch" in rules(*outs)
    (node,) = choices(*outs)
    assert len(node.inputs) == 4
    assert len(toposort(rewritten(outs)[0].outputs)) == 1


def test_work_that_both_branches_need_stays_outside() -> None:
    work = T.exp(T.dot(x, y))
    result, _ = rewritten([wb.ifelse(c, work + 1, work.T)])
    assert [type(n.op).__name__ for n in result.nodes][-2:] == ["Elemwise", "IfElse"]
    assert len(result.nodes[-1].inputs) == 2


def test_an_earlier_choice_hands_on_what_a_later_one_needs() -> None:
    """The second choice reads the first one's result from outside, and the first one's own work."""
    work = T.tanh(T.dot(x, y))
    first = wb.ifelse(c, work.sum(), z.sum())
    between = T.exp(first)
    second = wb.ifelse(c, work * between, z)
    outs = [second, between]
    assert "into_branch" in rules(*outs)
    result, _ = rewritten(outs)
    outside = [type(n.op).__name__ for n in result.nodes]
    assert sorted(outside) == ["Elemwise", "IfElse", "IfElse"]
    one, two = [n for n in result.nodes if isinstance(n.op, IfElse)]
    assert len(one.outputs) == 2
    assert one.outputs[1] in two.inputs


def test_unread_results_are_not_computed() -> None:
    first, _ = wb.ifelse(c, [x, T.dot(x, x)], [y, T.dot(y, y)])
    (node,) = choices(first)
    assert len(node.outputs) == 1
    assert branches(node) == [[], []]


def test_large_constants_and_shared_variables_in_branches() -> None:
    w = wb.shared(np.arange(300.0), "w")
    v = T.vector("v")
    f = wb.function([c, v], wb.ifelse(c, v + np.arange(300.0) * w, w[::2]))
    np.testing.assert_array_equal(f(1, np.ones(300)), 1 + np.arange(300.0) ** 2)
    np.testing.assert_array_equal(f(0, np.ones(1)), np.arange(0, 300.0, 2))
    w.set_value(np.ones(300))
    np.testing.assert_array_equal(f(0, np.ones(1)), np.ones(150))


def test_a_long_graph_takes_no_long_time() -> None:
    chain: Variable = x
    for _ in range(3000):
        chain = T.tanh(chain) * 1.0001  # type: ignore[operator]
    f = wb.function([c, x], wb.ifelse(c, chain, x), mode=wb.Mode("py", "none"))
    assert f(0, np.ones((1, 1))) == 1


def test_views_are_not_handed_on_but_made_again() -> None:
    """What an earlier choice hands on is written to memory; a transpose costs nothing."""
    work = T.dot(x, y)
    first = wb.ifelse(c, (work.T + work).sum(), z.sum())
    second = wb.ifelse(c, T.exp(work.T) * T.exp(first), z)
    assert "into_branch" in rules(second, first)
    between = T.exp(first)
    outs = [wb.ifelse(c, work.T * between, z), between]
    rules(*outs)
    one, two = choices(*outs)
    assert [v.type for v in one.outputs[1:]] == [T.matrix().type]
    assert "DimShuffle" in branches(two)[0]


def test_a_loop_backwards_vanishes_too() -> None:
    """The gradient of a loop in one branch is a loop; in the other branch it does not run."""
    xs, w = T.matrix("xs"), T.matrix("w")
    rows, _ = wb.scan(
        lambda v, h, w: T.tanh(T.dot(h, w) + v),
        sequences=xs,
        outputs_info=T.zeros((2,)),
        non_sequences=w,
    )
    cost = wb.ifelse(c, (rows[-1] ** 2).sum(), (w**2).sum())
    slopes = wb.grad(cost, [w, xs])
    result, recorder = rewritten([cost, *slopes])
    assert "vanishing_branch" in fired(recorder)
    assert "Scan" not in {type(n.op).__name__ for n in result.nodes}
    for flag in (0, 1):
        values = {c: np.int8(flag), xs: np.ones((3, 2)), w: np.eye(2) / 2}
        check([cost, *slopes], values, rtol=1e-9)
