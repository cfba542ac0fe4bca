"""What leaves a loop, what it forgets, and what it must not."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.scan.loops import Rewritten, assert_rewrites_preserve, numbers, run
from tests.core.scan.test_gradient import recurrent_network
from tests.core.scan.test_tutorial import random_stream
from workbench.core.scan.parts import Parts

X, W, U = T.dmatrix("X"), T.dmatrix("W"), T.dmatrix("U")
x, h, b = T.dvector("x"), T.dvector("h"), T.dvector("b")
GIVEN = {
    X: numbers(4, 3),
    W: numbers(3, 3),
    U: numbers(3, 3),
    h: numbers(3),
    b: numbers(3),
    x: numbers(4),
}


def network(step, outputs_info=(h,), **options):
    outputs, _ = wb.scan(step, X, list(outputs_info), return_list=True, **options)
    return outputs


def tanh_step(x_t, h_t):
    return T.tanh(T.dot(x_t, U) + T.dot(h_t, W) + b)


# --- inputs and outputs that nobody needs


def test_unread_outputs_go():
    p, _q, m = network(lambda a, p, q: (p + a, q * p, a * 2), [h, h, None])
    done = assert_rewrites_preserve([p, m[-1]], GIVEN)
    assert "drop_unread_outputs" in done.fired
    assert done.loops[0].op.n_stacked == 2


def test_a_state_that_is_needed_by_another_stays():
    p, _ = network(lambda a, p, q: (p + q, q * a), [h, h])
    done = assert_rewrites_preserve([p], GIVEN)
    assert len(done.loops[0].op.states) == 2
    assert done.loops[0].op.keep == (None, 1)


def test_inputs_are_passed_once():
    p, _ = wb.scan(lambda a, c, p, d, e: p * d + e * a * c, [X, X], h, [b, b])
    done = assert_rewrites_preserve([p], GIVEN)
    assert "share_inputs" in done.fired
    assert len(done.loops[0].op.sequences) == 1
    assert done.loops[0].op.n_non_sequences == 1


def test_unread_inputs_are_not_passed():
    p, _ = wb.scan(lambda a, c, p, d: p + a, [X, X * 2], h, [W])
    done = assert_rewrites_preserve([p], GIVEN)
    assert (len(done.loops[0].op.sequences), done.loops[0].op.n_non_sequences) == (1, 0)


def test_constants_stand_inside():
    p, _ = wb.scan(lambda a, p, c: p * c + a, X, h, [T.zeros(3) + 1.5])
    done = Rewritten([p])
    assert done.loops[0].op.n_non_sequences == 1  # an expression is not yet a constant
    node = p.owner
    constant = T.constant(np.full(3, 2.0))
    (other,) = [node.op(*node.inputs[:-1], constant)]
    done = assert_rewrites_preserve([other], GIVEN)
    assert "constant_inside" in done.fired
    assert done.loops[0].op.n_non_sequences == 0


# --- towards the beginning


def test_product_of_a_whole_sequence():
    (p,) = network(tanh_step)
    done = assert_rewrites_preserve([p], GIVEN)
    assert done.fired.count("hoist_rows") == 1
    assert done.body().count("dot") == 1
    assert done.outside().count("dot") == 1


@pytest.mark.parametrize(
    "step",
    [
        lambda a, p: p + T.dot(W, a),
        lambda a, p: p * T.dot(a, b),
        lambda a, p: p + T.exp(a) * a.sum(),
        lambda a, p: p + a.max() * T.dot(a, a),
        lambda a, p: p + T.exp(a[::-1]),
        lambda a, p: p + T.exp(a)[0] * T.nnet.softmax(a * b),
        lambda a, p: p + T.exp(T.concatenate([a, b]))[1:4],
        lambda a, p: p + T.exp(T.alloc(a.sum(), 3)),
        lambda a, p: p * T.exp(a).argmax(),
        lambda a, p: p * T.exp(T.cast(a, "float32")).prod(),
    ],
)
def test_rows_are_lifted(step):
    (p,) = network(step)
    for given in (GIVEN, {**GIVEN, X: numbers(0, 3)}, {**GIVEN, X: numbers(1, 3)}):
        done = assert_rewrites_preserve([p], given)
    assert "hoist_rows" in done.fired


def test_no_arrays_of_a_higher_rank_for_all_steps():
    (p,) = network(lambda a, p: p + T.exp(W * a).sum(axis=0))
    done = assert_rewrites_preserve([p], GIVEN)
    assert "higher rank" in done.log.refused_by["hoist_rows"]
    y, _ = wb.scan(lambda a: T.exp(W * a.dimshuffle(0, "x")).mean(axis=1), X)
    done = assert_rewrites_preserve([y], GIVEN)
    assert "higher rank" in done.log.refused_by["loop_of_maps"]
    outer, _ = wb.scan(lambda a: T.outer(a, a), X)
    assert not assert_rewrites_preserve([outer], GIVEN).loops  # such is what was asked for


def test_matrices_are_lifted():
    Y, H = T.dtensor3("Y"), T.dmatrix("H")
    p, _ = wb.scan(lambda a, q: T.tanh(T.dot(a, U) + T.dot(q, W)), Y, H)
    given = {Y: numbers(4, 2, 3), H: numbers(2, 3), U: numbers(3, 3), W: numbers(3, 3)}
    done = assert_rewrites_preserve([p], given)
    assert done.body().count("dot") == 1
    assert_rewrites_preserve(T.grad((p**2).sum(), [U, W, Y, H]), given)


def test_table_rows_by_number():
    i = T.lvector("i")
    p, _ = wb.scan(lambda k, q: T.tanh(T.dot(W[k], U) + q), i, h)
    given = {**GIVEN, i: np.array([2, 0, -1, 2])}
    done = assert_rewrites_preserve([p], given)
    assert done.body() == ["add", "tanh"]
    done = assert_rewrites_preserve([T.grad((p**2).sum(), W)], given)
    assert done.loops[-1].op.n_carried == 0  # one scatter of all rows after the loop


def test_taps_of_sequences_are_windows():
    p, _ = wb.scan(lambda a, c, q: q + T.dot(a, U) * T.dot(c, W), {"input": X, "taps": [-1, 1]}, h)
    done = assert_rewrites_preserve([p], GIVEN)
    assert "dot" not in done.body()


def test_cheap_work_stays():
    (p,) = network(lambda a, p: p * (a * 2 + b))
    assert "hoist_rows" not in Rewritten([p]).fired


def test_what_the_user_captures_is_outside_from_the_start():
    (p,) = network(lambda a, p: p + T.dot(T.exp(W), a))
    assert "exp" not in [node.op.label for node in p.owner.op.inner.nodes]


def test_invariants_of_a_body_leave():
    """A body that was rewritten, or is a gradient's, may have some."""
    (p,) = network(lambda a, p: p * a + W[0])
    parts = Parts.of(p.owner)
    (row,) = parts.invariants
    (q,) = parts.substitute({row.inner: T.exp(row.inner) * T.tanh(row.inner)}).apply().outputs
    done = assert_rewrites_preserve([q], GIVEN)
    assert done.fired.count("hoist_invariant") == 1
    assert done.body() == ["mul", "add"]


def test_whole_sequences_are_not_computed_for_a_loop_that_may_stop():
    (p,) = network(lambda a, q: (tanh_step(a, q), wb.until(q.sum() > 1.5)))
    done = assert_rewrites_preserve([p], GIVEN)
    assert "hoist_rows" not in done.fired
    assert "may stop early" in done.log.refused_by["hoist_rows"]


# --- towards the end


def test_a_loop_of_maps_is_no_loop():
    y, _ = wb.scan(lambda a: T.tanh(T.dot(a, W) + b), X)
    for given in (GIVEN, {**GIVEN, X: numbers(0, 3)}):
        done = assert_rewrites_preserve([y, y[-1:]], given)
    assert not done.loops
    z, _ = wb.scan(lambda a: b, X)
    assert not assert_rewrites_preserve([z], GIVEN).loops


def test_the_number_of_steps_is_checked_only_where_it_may_be_wrong():
    n = T.lscalar("n")
    taps = {"input": X, "taps": [-1, 1]}
    for sequences in (X, [X, U], [X[::-1], T.exp(X)], taps, [taps, U[1:]]):
        y, _ = wb.scan(lambda a, *rest: a * 2 + (rest[0] if rest else 0), sequences)
        assert "check" not in Rewritten([y]).outside()
    for steps in (n, 3, X.shape[0] - 2, T.minimum(n, X.shape[0])):
        y, _ = wb.scan(lambda a: T.tanh(a), X, n_steps=steps)
        done = assert_rewrites_preserve([y], {**GIVEN, n: np.int64(2)})
        assert done.outside().count("check") == 1
        assert not done.loops
    p, _ = wb.scan(tanh_step, X, h, n_steps=n)
    assert "check" not in Rewritten([p]).outside()  # the loop itself checks


def test_a_loop_over_one_row_does_not_broadcast_afterwards():
    row, wide = T.tensor("float64", (1, 3), "row"), T.dmatrix("wide")
    given = {row: numbers(1, 3), wide: numbers(1, 3)}
    y, _ = wb.scan(lambda a: T.tanh(a) * 2, row)
    (_, z), _ = wb.scan(lambda a, p: (a + p, T.sin(a)), row, [T.zeros(3), None])
    done = assert_rewrites_preserve([y + wide, z + wide], given)
    assert not done.loops


def test_a_loop_of_maps_that_may_stop_stays():
    y, _ = wb.scan(lambda a: (a * 2, wb.until(a.sum() > 0.3)), X)
    done = assert_rewrites_preserve([y], GIVEN)
    assert "may stop early" in done.log.refused_by["loop_of_maps"]


@pytest.mark.parametrize("until", [False, True])
def test_readout_after_the_loop(until):
    def step(a, p):
        new = tanh_step(a, p)
        outputs = [new, T.dot(new, W) + b * a]
        return (outputs, wb.until(new.sum() > 1.5)) if until else outputs

    p, y = network(step, [h, None])
    for given in (GIVEN, {**GIVEN, X: numbers(0, 3)}):
        done = assert_rewrites_preserve([y], given)
    assert "map_after_loop" in done.fired
    assert done.loops[0].op.n_maps == 0
    assert done.loops[0].op.keep == (None,)
    assert_rewrites_preserve([p[-1], y], GIVEN)


def test_product_of_something_not_stored():
    p, y = network(lambda a, p: (T.tanh(p + a), T.dot(T.exp(p * a), W)), [h, None])
    done = assert_rewrites_preserve([p, y], GIVEN)
    assert "map_after_loop" in done.fired
    assert "dot" not in done.body()


def test_a_product_that_the_loop_needs_stays():
    def step(a, p):
        product = T.dot(p, W)
        return T.tanh(product + a), product

    p, y = network(step, [h, None])
    done = assert_rewrites_preserve([p, y], GIVEN)
    assert "map_after_loop" not in done.fired


def test_gradients_of_weights_are_one_product():
    states, given = recurrent_network()
    weights = [v for v in given if v.name != "h"]
    done = assert_rewrites_preserve(T.grad((states**2).sum(), weights), given)
    backward = done.loops[-1]
    assert done.fired.count("sum_after_loop") == 3
    assert backward.op.n_carried == 0
    assert done.body(-1).count("dot") == 1
    for steps in (0, 1):
        few = {v: (a[:steps] if v.name == "x" else a) for v, a in given.items()}
        assert_rewrites_preserve(T.grad((states**2).sum(), list(given)), few)


def test_gradients_in_float32():
    Y, w, c = T.fmatrix("Y"), T.fmatrix("w"), T.fvector("c")
    p, _ = wb.scan(lambda a, q: T.tanh(T.dot(a, w) + T.dot(q, w) + c), Y, T.zeros_like(c))
    given = {v: numbers(*s).astype("float32") for v, s in ((Y, (4, 3)), (w, (3, 3)), (c, (3,)))}
    assert_rewrites_preserve(T.grad((p**2).sum(), [w, c, Y]), given)


# --- loops of one step


@pytest.mark.parametrize("until", [False, True])
def test_a_loop_of_one_step_is_written_out(until):
    s = wb.shared(2.0, "s")
    taps = {"input": X, "taps": [1, -1]}

    def step(a, c, p, q):
        outputs = [p * s + a, q + T.dot(c, W), a * c]
        return (outputs, {s: s + p.sum()}, *([wb.until(a.sum() > 0)] if until else []))

    (p, q, m), updates = wb.scan(
        step, taps, [{"initial": U, "taps": [-3]}, h, None], n_steps=1, name="once"
    )
    done = assert_rewrites_preserve([p, q, m, p[-1], updates[s]], GIVEN)
    assert not done.loops
    gradients = T.grad((p**2).sum() + (q * m).sum() + updates[s], [X, U, h, W])
    assert until or not assert_rewrites_preserve(gradients, GIVEN).loops
    f = wb.function([X, U, h, W], [p, q, m], updates=updates)
    wanted = run([p, q, m], GIVEN)
    for found, expected in zip(f(*(GIVEN[v] for v in (X, U, h, W))), wanted, strict=True):
        assert found.shape == expected.shape == (1, 3)
        np.testing.assert_allclose(found, expected)
    with pytest.raises(ValueError, match="'once': sequence 0"):
        f(GIVEN[X][:2], GIVEN[U], GIVEN[h], GIVEN[W])


def test_one_row_may_meet_a_row_of_ones():
    """The row of a loop does not broadcast, as its type says, nor does what is in its place."""
    p, _ = wb.scan(lambda a, q: q + a, X, h, n_steps=1)
    given = {**GIVEN, U: numbers(1, 3)}
    assert_rewrites_preserve([p + U], given)
    with pytest.raises(ValueError, match="mismatch"):
        wb.function([X, h, U], p + U)(given[X], given[h], numbers(2, 3))


# --- what is kept


def test_only_the_last_value_is_kept():
    k = T.lscalar("k")
    p, _ = wb.scan(lambda q, a: q * a, None, T.ones_like(b), b, n_steps=k)
    done = assert_rewrites_preserve([p[-1]], {b: numbers(3), k: np.int64(5)})
    assert done.loops[0].op.keep == (1,)


def test_last_rows():
    (p,) = network(tanh_step)
    done = assert_rewrites_preserve([p[-3:], p[-2], p[-3:, 1]], GIVEN)
    assert done.loops[0].op.keep == (3,)
    done = assert_rewrites_preserve([p[-3:]], {**GIVEN, X: numbers(2, 3)})
    assert done.loops[0].op.keep == (3,)


@pytest.mark.parametrize(
    "read", [lambda p: p, lambda p: p[0], lambda p: p[-1:0:-1], lambda p: p.sum(), lambda p: p[1:]]
)
def test_all_rows_are_kept_where_they_are_read(read):
    (p,) = network(tanh_step)
    done = assert_rewrites_preserve([p[-1], read(p)], GIVEN)
    assert done.loops[0].op.keep == (None,)


def test_last_rows_of_a_loop_that_may_stop():
    (p,) = network(lambda a, q: (T.tanh(q + a), wb.until(q.sum() > 0.5)))
    done = assert_rewrites_preserve([p[-1]], GIVEN)
    assert done.loops[0].op.keep == (1,)


# --- loops that are one


def test_the_forward_loop_runs_once():
    _, d = random_stream(7)
    w = T.dscalar("w")
    p, _ = wb.scan(lambda q: q * w * d, None, T.ones((), "float64"), n_steps=4)
    done = assert_rewrites_preserve([p, T.grad(p.sum(), w)], {w: np.asarray(0.8)})
    assert "join_loops" in done.fired
    assert len(done.loops) == 2
    assert run(p, {w: np.asarray(0.8)}).shape == (4,)


def test_a_loop_that_is_written_twice_runs_once():
    one, two = network(tanh_step)[0], network(tanh_step)[0]
    done = assert_rewrites_preserve([one, two * 2, *T.grad((one + two).sum(), [U, W])], GIVEN)
    assert len(done.loops) == 2  # and its gradient
    wider, y = network(lambda a, p: (tanh_step(a, p), p * a), [h, None])
    done = assert_rewrites_preserve([one, wider, y], GIVEN)
    assert len(done.loops) == 1
    other = network(lambda a, p: T.tanh(T.dot(a, U) + T.dot(p, W) - b))[0]
    assert len(assert_rewrites_preserve([one, other], GIVEN).loops) == 2


def test_loops_of_maps_are_not_joined():
    """Each may leave its loop alone."""
    y, _ = wb.scan(lambda a: T.tanh(a), X)
    z, _ = wb.scan(lambda a: T.diag(T.diag(T.outer(a, a))), X)
    done = assert_rewrites_preserve([y, z], GIVEN)
    assert all("tanh" not in done.body(i) for i in range(len(done.loops)))


def test_shapes_are_told_without_running():
    y = T.dvector("y")
    (p, q, r), _ = wb.scan(
        lambda a, s: (s * 2, T.dot(a, W), T.zeros((W.shape[1], 2)) + a.sum()), X, [y, None, None]
    )
    given = {X: numbers(4, 3), W: numbers(3, 5), y: numbers(7)}
    shapes = p.owner.op.shape(p.owner.inputs)
    told = [[int(run(T.as_tensor_variable(n), given)) for n in dims] for dims in shapes]
    assert told == [list(v.shape) for v in run([p, q, r], given)]
