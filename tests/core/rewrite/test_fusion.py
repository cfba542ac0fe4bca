"""Fusion: fewer nodes, the same values and dtypes, never a cycle, never work done twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench.tensor as T
from workbench.core.graph import Apply, Variable, toposort
from workbench.core.intern import Interner
from workbench.core.interpreter import Interpreter
from workbench.core.ops.elementwise import Composite, Elemwise
from workbench.core.ops.loop import Loop
from workbench.core.rewrite.cut import MOST_STEPS
from workbench.core.rewrite.engine import Session
from workbench.core.rewrite.fusion import fuse

RNG = np.random.default_rng(3)


def fused(
    *outputs: Variable, excluding: tuple[str, ...] = ()
) -> tuple[list[Variable], list[Apply]]:
    session = Session(Interner(), (), frozenset(excluding))
    new = fuse(session, session.interner.freeze(outputs))
    return new, toposort(new)


def loops(nodes: list[Apply]) -> list[Any]:
    return [
        n.op
        for n in nodes
        if isinstance(n.op, Loop) or isinstance(getattr(n.op, "scalar", None), Composite)
    ]


def agree(before: list[Variable], after: list[Variable], given: dict[Variable, Any]) -> None:
    wanted, got = Interpreter(before).run(given), Interpreter(after).run(given)
    for a, b in zip(wanted, got, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_array_equal(a, b)


def test_a_chain_is_one_loop() -> None:
    x = T.dvector("x")
    new, nodes = fused(T.exp(x) * 2 + 1)
    assert [type(n.op) for n in nodes] == [Elemwise]
    assert str(nodes[0].op.scalar) == "Composite{((exp(i0) * 2) + 1)}"  # type: ignore[attr-defined]
    agree([T.exp(x) * 2 + 1], new, {x: RNG.normal(size=5)})


def test_several_results_of_one_loop() -> None:
    x = T.dvector("x")
    e = T.exp(x)
    new, nodes = fused(e, e + 1, T.log(e + 1))
    assert len(nodes) == 1
    assert len(nodes[0].outputs) == 3
    agree([e, e + 1, T.log(e + 1)], new, {x: RNG.normal(size=5)})


def test_a_total_takes_its_elements_as_they_come() -> None:
    x = T.dmatrix("x")
    e = T.exp(x)
    new, nodes = fused(e.sum(axis=0), (e * 2).max(axis=0))
    assert [type(n.op) for n in nodes] == [Loop]
    agree([e.sum(axis=0), (e * 2).max(axis=0)], new, {x: RNG.normal(size=(4, 3))})


def test_totals_over_other_axes_stand_alone() -> None:
    x = T.dmatrix("x")
    e = T.exp(x)
    new, nodes = fused(e.sum(axis=0), e.sum(axis=1))
    assert len(loops(nodes)) == 1
    agree([e.sum(axis=0), e.sum(axis=1)], new, {x: RNG.normal(size=(4, 3))})


def test_what_would_make_a_cycle_is_not_joined() -> None:
    """E → dot → sum with e: the loop cannot hold both e and what reads the product."""
    x = T.dmatrix("x")
    e = T.exp(x)
    out = (e @ e) + e
    new, nodes = fused(out)
    assert sum(str(n.op) == "dot" for n in nodes) == 1
    agree([out], new, {x: RNG.normal(size=(3, 3))})


def test_a_smaller_operand_is_not_computed_for_every_element() -> None:
    x, row = T.dmatrix("x"), T.drow("row")
    _, nodes = fused(x * T.exp(row) + 1)
    assert len(nodes) == 2


def test_work_moves_to_its_reader() -> None:
    """X * 2 is read only after the product: it belongs to the loop there."""
    x = T.dmatrix("x")
    _, nodes = fused(T.exp(x @ x) + x * 2)
    assert len(nodes) == 2


def test_loops_have_a_largest_size() -> None:
    x = T.dvector("x")
    y = x
    for k in range(4 * MOST_STEPS):
        y = T.tanh(y) if k % 2 else y + k
    new, nodes = fused(y)
    assert all(len(op.scalar.fused.steps) <= 2 * MOST_STEPS for op in loops(nodes))
    assert 3 < len(nodes) < 12
    agree([y], new, {x: RNG.normal(size=3)})


@pytest.mark.parametrize("excluded", ["fuse_elementwise", "fuse_reduction"])
def test_fusion_can_be_switched_off(excluded: str) -> None:
    x = T.dvector("x")
    out = (T.exp(x) + 1).sum() if excluded == "fuse_reduction" else T.exp(x) + 1
    new, nodes = fused(out, excluding=(excluded,))
    assert not loops(nodes)
    agree([out], new, {x: RNG.normal(size=5)})


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_graphs(data: st.DataObject) -> None:
    x, y, v = T.dmatrix("x"), T.fmatrix("y"), T.dvector("v")
    pool: list[Any] = [x, y, v, x.T]
    for _ in range(data.draw(st.integers(2, 14))):
        a, b = data.draw(st.sampled_from(pool)), data.draw(st.sampled_from(pool))
        kind = data.draw(
            st.sampled_from(["neg", "mul", "where", "sum", "max", "any", "dot", "keep", "cast"])
        )
        if kind == "neg":
            pool.append(-a)
        elif kind == "mul":
            pool.append(a * b)
        elif kind == "where":
            pool.append(T.switch(a > 0, b, 2))
        elif kind in ("sum", "max", "any") and a.ndim:
            axis = data.draw(st.integers(0, a.ndim - 1))
            pool.append(getattr(T, kind)(a, axis=axis, keepdims=data.draw(st.booleans())) * 1)
        elif kind == "dot" and a.type.shape == b.type.shape == (None, None):
            pool.append(a @ b)
        elif kind == "keep" and a.ndim == 2:
            pool.append(a - a.sum(axis=1, keepdims=True))
        elif kind == "cast":
            pool.append(T.cast(a, "float32"))
    outputs = data.draw(st.lists(st.sampled_from(pool[4:] or pool), min_size=1, max_size=4))
    new, nodes = fused(*outputs)
    assert len(nodes) <= len(toposort(outputs))
    n = 3
    agree(
        outputs,
        new,
        {x: RNG.normal(size=(n, n)), y: RNG.normal(size=(n, n)).astype("f"), v: RNG.normal(size=n)},
    )
