"""What a loop is told besides its step: name, mode, profile, truncation; the special loops."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.scan.loops import Rewritten, numbers, run
from workbench.core.graph import toposort
from workbench.core.scan.op import Scan
from workbench.errors import ModeError, ScanError

x, X, h, w = T.dvector("x"), T.dmatrix("X"), T.dvector("h"), T.dmatrix("w")
GIVEN = {X: numbers(5, 3), h: numbers(3), w: numbers(3, 3)}


def network(**options):
    states, _ = wb.scan(lambda a, p: T.tanh(T.dot(p, w) + T.exp(a)), X, h, **options)
    return states


def loops(f):
    return [node for node in f.maker.fgraph.toposort() if isinstance(node.op, Scan)]


# --- mode


def test_rules_left_out_of_a_body():
    step = {"fn": lambda a, p: a * p + 1, "sequences": X, "outputs_info": h}
    plain, _ = wb.scan(**step)
    apart, _ = wb.scan(**step, mode=wb.Mode().excluding("fusion"))
    f, g = (wb.function([X, h], T.exp(states) * 2) for states in (plain, apart))
    assert [len(loops(each)[0].op.inner.nodes) for each in (f, g)] == [1, 2]
    labels = [node.op.label for node in g.maker.fgraph.toposort()]
    assert "fused" in labels  # outside of the loop nothing changes
    np.testing.assert_array_equal(f(GIVEN[X], GIVEN[h]), g(GIVEN[X], GIVEN[h]))


@pytest.mark.parametrize("optimizer", [None, "fast_compile"])
def test_a_body_that_is_not_rewritten(optimizer):
    states = network(mode=wb.Mode(optimizer=optimizer))
    f = wb.function([X, h, w], states)
    labels = [node.op.label for node in loops(f)[0].op.inner.nodes]
    assert sorted(labels) == ["add", "dot", "exp", "tanh"]
    np.testing.assert_allclose(f(*GIVEN.values()), run(network(), GIVEN), rtol=1e-14)


def test_a_loop_that_is_interpreted():
    states = network(mode=wb.Mode(linker="py"))
    f = wb.function([X, h, w], [states, *T.grad((states**2).sum(), [X, h, w])])
    plain = network()
    expected = run([plain, *T.grad((plain**2).sum(), [X, h, w])], GIVEN)
    for found, wanted in zip(f(*GIVEN.values()), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
    assert [node.op.mode.linker for node in loops(f)] == ["py", "py"]  # its gradient, too
    assert "mode has it interpreted" in str(f.linked.notes)


def test_a_loop_with_its_own_mode_stays_a_loop():
    doubled, _ = wb.map(lambda a: T.exp(a), X, mode=wb.Mode(optimizer=None))
    done = Rewritten([doubled])
    assert len(done.loops) == 1
    assert "mode of its own" in done.log.refused_by["loop_of_maps"]
    for usual in (None, "FAST_RUN", wb.Mode("native", "fast_run", name="FAST_RUN")):
        doubled, _ = wb.map(lambda a: T.exp(a), X, mode=usual)
        assert not Rewritten([doubled]).loops


def test_modes_by_name():
    states = network(mode="FAST_COMPILE")
    assert states.owner.op.mode.linker == "py"
    with pytest.raises(ModeError, match="NOPE"):
        network(mode="NOPE")


def test_loops_of_different_modes_are_not_joined():
    one, two = network(), network(mode=wb.Mode(optimizer=None))
    assert len(Rewritten([one, two]).loops) == 2
    assert len(Rewritten([one, network()]).loops) == 1  # as loops written twice are


# --- profile and name


@pytest.mark.parametrize("profile", [True, "my loop"])
def test_profile(profile):
    f = wb.function([X, h, w], network(profile=profile, name="rnn"))
    f(*GIVEN.values())
    f(*GIVEN.values())
    assert f.profile.call_times.calls == 2
    (loop,) = loops(f)
    inside = {node: times for node, times in f.profile.nodes.items() if times.parent is loop}
    assert set(inside) == set(loop.op.inner.nodes)
    assert {times.calls for times in inside.values()} == {10}
    assert ("my loop" in repr(f.profile)) == (profile == "my loop")


def test_no_profile():
    assert wb.function([X, h, w], network()).profile is None
    assert wb.function([X, h, w], network(profile=True), profile=False).profile is None


def test_name():
    states = network(name="rnn")
    op = states.owner.op
    assert (op.label, str(op)) == ("scan rnn", "for{cpu,rnn}")
    stopped, _ = wb.scan(lambda a: (a, wb.until(a > 1)), x, name="early")
    assert str(stopped.owner.op) == "do_while{cpu,early}"
    names = {n.op.name for n in toposort([T.grad(states.sum(), h)]) if isinstance(n.op, Scan)}
    assert names == {"rnn", "grad of rnn"}
    assert [node.op.name for node in loops(wb.function([X, h, w], states))] == ["rnn"]


# --- the rest


@pytest.mark.parametrize("allow_gc", [None, True, False])
def test_allow_gc_changes_nothing(allow_gc):
    found = wb.function([X, h, w], network(allow_gc=allow_gc))(*GIVEN.values())
    np.testing.assert_array_equal(found, wb.function([X, h, w], network())(*GIVEN.values()))


def test_truncation_is_a_number_of_steps():
    factors = {x: np.array([2.0, 3, 4])}
    for steps, expected in ((0, [0, 0, 0]), (np.int64(1), [0, 0, 30]), (-7, [60, 40, 30])):
        products, _ = wb.scan(lambda a, p: a * p, x, np.float64(5), truncate_gradient=steps)
        gradient = T.grad(products[-1], x)
        assert run(gradient, factors).tolist() == expected
        assert wb.function([x], gradient)(factors[x]).tolist() == expected
    with pytest.raises(ScanError, match=r"truncate_gradient .* 2.5"):
        wb.scan(lambda a: a, x, truncate_gradient=2.5)


def test_return_list():
    s = wb.shared(0)
    assert wb.scan(lambda a: {s: s + 1}, x)[0] is None
    assert wb.scan(lambda a: {s: s + 1}, x, return_list=True)[0] == []
    assert isinstance(wb.scan(lambda a: a, x, return_list=True)[0], list)
    assert not isinstance(wb.scan(lambda a: [a], x)[0], list)
    assert len(wb.scan(lambda a: [a, a], x)[0]) == 2


def test_special_loops_are_there_and_come_late():
    code = (
        "import sys, workbench as wb; assert 'workbench.core.scan.build' not in sys.modules;"
        "wb.map, wb.reduce, wb.foldl, wb.foldr, wb.scan_checkpoints, wb.scan, wb.until"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    digits = np.array([1.0, 2, 3])
    after = lambda a, so_far, base: so_far * base + a  # noqa: E731
    start, base = T.constant(0.0, dtype="float64"), T.constant(10.0, dtype="float64")
    left, _ = wb.foldl(after, x, start, [base], None, "left")
    right, _ = wb.foldr(after, x, start, [base], None, "right")
    down, _ = wb.reduce(after, x, start, [base], True, None, "down")
    scaled, _ = wb.map(lambda a, k: a * k, x, [base], 1, True, None, "scaled")
    values = wb.function([x], [left, right, down, scaled])(digits)
    assert [v.tolist() for v in values] == [123, 321, 321, [30, 20, 10]]
    states = [v.owner.inputs[0].owner.op for v in (left, right, down)]
    assert [op.name for op in (*states, scaled.owner.op)] == ["left", "right", "down", "scaled"]
    assert scaled.owner.op.truncate == 1
    both, _ = wb.reduce(lambda a, p, q: (p + a, q * a), [x], [start, base])
    assert [float(v) for v in run(both, {x: digits})] == [6.0, 60.0]


def test_more_maps_than_states() -> None:
    """Only states have initial rows."""
    start = T.dvector("start")
    (doubled, halved, states), _ = wb.scan(
        lambda h: (h * 2, h / 2, h + 1), outputs_info=[None, None, start], n_steps=3
    )
    f = wb.function([start], [doubled[-1], halved, states])
    last, halves, all_states = f([1.0, 2.0])
    assert last.tolist() == [6.0, 8.0]
    assert halves.tolist() == [[0.5, 1.0], [1.0, 1.5], [1.5, 2.0]]
    assert all_states[-1].tolist() == [4.0, 5.0]
