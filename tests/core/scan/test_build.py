"""The forms in which a loop can be written, and what is said where one does not fit."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.scan.loops import numbers, run
from workbench.core.scan.build import OrderedUpdates, scan, until
from workbench.core.scan.folds import foldl, foldr, map, reduce
from workbench.errors import MissingInputError, ScanError, UpdateError


def names_seen(*args, result=lambda *given: given[0] * 1) -> list[str | None]:
    """The names of what the step function is called with."""
    seen: list[str | None] = []

    def step(*given):
        seen.extend(v.name for v in given)
        return result(*given)

    scan(step, *args)
    return seen


X, x, h, W = T.dmatrix("X"), T.dvector("x"), T.dvector("h"), T.dmatrix("W")
FOUR = np.arange(4.0)


def test_order_and_names_of_arguments():
    seen = names_seen(
        [{"input": x, "taps": [1, -1, 0]}, X],
        [{"initial": W, "taps": [-2, -1]}, None],
        [W, 2.0],
        result=lambda *v: [v[4] * 1, v[0]],
    )
    assert seen == ["x[t+1]", "x[t-1]", "x[t]", "X[t]", "W[t-2]", "W[t-1]", "W", None]


def test_nameless_variables_have_nameless_rows():
    assert names_seen(x * 2) == [None]


@pytest.mark.parametrize(
    ("taps", "expected"),
    [([-1, 0, 1], [210.0, 321.0]), ([0], None), ([1, 2], [21.0, 32.0]), ([-2, -1], [10.0, 21.0])],
)
def test_taps_of_a_sequence(taps, expected):
    y, _ = scan(lambda *v: sum(a * 10**i for i, a in enumerate(v)), {"input": x, "taps": taps})
    np.testing.assert_array_equal(run(y, {x: FOUR}), FOUR if expected is None else expected)


def test_go_backwards():
    y, _ = scan(lambda a, b: a + 10 * b, {"input": x, "taps": [0, 1]}, go_backwards=True)
    np.testing.assert_array_equal(run(y, {x: FOUR}), [32, 21, 10])
    y, _ = scan(lambda a: a, x, n_steps=2, go_backwards=True)
    np.testing.assert_array_equal(run(y, {x: FOUR}), [3, 2])


def test_the_shortest_sequence_decides():
    y, _ = scan(lambda a, b: a * b, [x, h])
    np.testing.assert_array_equal(run(y, {x: FOUR, h: FOUR[:2] + 1}), [0, 2])


def test_values_stand_for_variables():
    y, _ = scan(lambda a, p, f: p + a * f, [[1.0, 2.0, 3.0]], np.float64(1), 2)
    np.testing.assert_array_equal(run(y, {}), [3, 7, 13])


@pytest.mark.parametrize("info", [None, {}, {"initial": None}])
def test_no_feedback(info):
    y, _ = scan(lambda a: a * 2, x, [info])
    np.testing.assert_array_equal(run(y, {x: FOUR}), FOUR * 2)


def test_initial_value_with_one_tap_of_its_own():
    """Only [-1] takes an initial value without a leading axis."""
    y, _ = scan(lambda p: p * 2, None, {"initial": x[0], "taps": [-1]}, n_steps=2)
    assert run(y, {x: FOUR + 1}).tolist() == [2, 4]
    y, _ = scan(lambda p: p * 2, None, {"initial": x, "taps": -2}, n_steps=3)
    assert run(y, {x: FOUR + 1}).tolist() == [2, 4, 4]


@pytest.mark.parametrize("n", [0, 1, 3])
def test_number_of_steps(n):
    k = T.iscalar("k")
    for steps in (n, np.int64(n), k, T.constant(n)):
        y, _ = scan(lambda p: p + 1, None, T.constant(0.0), n_steps=steps)
        assert run(y, {k: np.int32(n)}).tolist() == [1.0, 2.0, 3.0][:n]


def test_no_steps_give_no_rows_of_the_right_shape():
    (a, b), _ = scan(lambda r, p: (p + r, T.dot(r, W)), X, [h, None])
    given = {X: np.empty((0, 3)), h: numbers(3), W: numbers(3, 5)}
    assert [v.shape for v in run([a, b], given)] == [(0, 3), (0, 5)]


def test_outputs_come_as_fn_gave_them():
    one, _ = scan(lambda a: [a], x)
    assert one.ndim == 1
    listed, _ = scan(lambda a: a, x, return_list=True)
    assert len(listed) == 1
    (first, second, third), _ = scan(
        lambda a, p: (a, p + a, a * 2), x, [None, T.constant(0.0), None]
    )
    assert [run(v, {x: FOUR}).tolist() for v in (first, second, third)] == [
        FOUR.tolist(),
        FOUR.cumsum().tolist(),
        (FOUR * 2).tolist(),
    ]


# --- until and updates


def test_until_keeps_the_step_at_which_it_becomes_true():
    y, _ = scan(lambda p: (p * 2, until(p * 2 > 10)), None, T.constant(1.0), n_steps=100)
    assert run(y, {}).tolist() == [2, 4, 8, 16]


def test_until_takes_a_scalar():
    with pytest.raises(AssertionError):
        scan(lambda a: (a, until(X.sum(axis=0) > 0)), x)


@pytest.mark.parametrize("form", ["dict", "pairs", "outputs", "outputs until", "until", "all"])
def test_forms_of_updates(form):
    s = wb.shared(1.0, "s")
    new = {s: s * 2}
    forms = {
        "dict": lambda a: new,
        "pairs": lambda a: list(new.items()),
        "outputs": lambda a: (a, new),
        "outputs until": lambda a: ([a], list(new.items()), until(a > 100)),
        "until": lambda a: (new, until(a > 100)),
        "all": lambda a: ([a, a], OrderedUpdates(new), until(a >= 1)),
    }
    _, updates = scan(forms[form], x)
    steps = 2 if form == "all" else 4
    assert run(updates[s], {x: FOUR}) == 2.0**steps


def test_updated_variable_in_non_sequences():
    s = wb.shared(1.0, "s")
    y, updates = scan(lambda a, k: (k * a, {k: k + a}), x, non_sequences=s)
    assert run([y, updates[s]], {x: FOUR})[0].tolist() == [0, 1, 4, 12]


def test_update_is_cast_to_the_variable():
    s = wb.shared(np.zeros(2), "s")
    _, updates = scan(lambda: {s: T.zeros_like(s, "float32") + 1}, n_steps=2)
    assert updates[s].dtype == "float64"
    with pytest.raises(UpdateError, match="another type"):
        scan(lambda: {s: s.sum()}, n_steps=2)


def test_ordered_updates():
    s, t = wb.shared(1.0, "s"), wb.shared(2.0, "t")
    both = OrderedUpdates({s: s + 1}) + {t: t + 1}
    assert list(both) == [s, t]
    with pytest.raises(KeyError, match="Collision"):
        both.update({s: s + 2})
    with pytest.raises(TypeError):
        OrderedUpdates({x: x + 1})


# --- what fn reads without being given it


def test_captured_variables_are_invariants():
    s = wb.shared(3.0, "s")
    outside = T.exp(h).sum()
    y, updates = scan(lambda a: a * s + outside, x)
    assert not updates
    np.testing.assert_allclose(run(y, {x: FOUR, h: FOUR}), FOUR * 3 + np.exp(FOUR).sum())
    labels = [node.op.label for node in y.owner.op.inner.nodes]
    assert labels == ["mul", "add"]


def test_gradient_of_a_captured_expression():
    outside = h * 2
    y, _ = scan(lambda a: a * outside, x)
    (g,) = run([T.grad(y.sum(), outside)], {x: FOUR, h: FOUR})
    assert g.tolist() == [6.0] * 4


def test_strict():
    s = wb.shared(3.0, "s")
    with pytest.raises(MissingInputError, match="s"):
        scan(lambda a: a * s, x, strict=True)
    scan(lambda a, s: a * s, x, non_sequences=s, strict=True)
    scan(lambda a: a * h, x, strict=True)


# --- initial values that give way


def test_initial_value_is_widened():
    y, _ = scan(lambda a, p: p + a, x, 0)
    assert y.dtype == "float64"
    y, _ = scan(lambda a, p: p + a, x, T.constant(0.0))
    assert (y.dtype, run(y, {x: FOUR}).tolist()) == ("float64", FOUR.cumsum().tolist())
    f = T.fscalar("f")
    y, _ = scan(lambda a, p: p + a, x, f)
    assert y.dtype == "float64"


def test_constant_is_narrowed_where_its_value_allows():
    y, _ = scan(lambda p: T.cast(p * 2, "float32"), None, np.float64(1), n_steps=2)
    assert y.dtype == "float32"
    with pytest.raises(ScanError):
        scan(lambda p: T.cast(p * 2, "float32"), None, np.float64(0.1), n_steps=2)


def test_length_one_gives_way():
    row = T.drow("row")
    y, _ = scan(lambda r, p: p + r, [W.dimshuffle("x", 0, 1)], row, n_steps=1)
    given = {W: numbers(1, 3), row: numbers(1, 3)}
    np.testing.assert_allclose(run(y, given), [given[W] + given[row]])


# --- errors


def wrong_dtype():
    scan(lambda a, p: T.cast(p + a, "float32"), x, h[0] * 1)


def wrong_ndim():
    scan(lambda a, p: p.sum() + a, x, h)


def no_steps():
    scan(lambda p: p, None, h)


def number_returned():
    scan(lambda a: 3, x)


def none_returned():
    scan(lambda a: None, x)


def updates_first():
    s = wb.shared(1.0)
    scan(lambda a: ({s: s + 1}, a), x)


def missing_infos():
    scan(lambda a, p: (p, a), x, [h])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (wrong_dtype, ["initial state", "float64", "float32", "test_build.py", "astype"]),
        (wrong_ndim, ["variable h", "1 dimensions", "test_build.py", "shape of one step"]),
        (no_steps, ["No information about the number of steps", "n_steps"]),
        (number_returned, ["int", "tensor.constant", "test_build.py"]),
        (none_returned, ["None", "tensor.constant"]),
        (updates_first, ["updates before outputs"]),
        (missing_infos, ["Please provide None as outputs_info"]),
        (lambda: scan(lambda a: a, T.dscalar("a")), ["scalar", "non_sequences"]),
        (lambda: scan(lambda a: a, {"inputs": x}), ["'inputs'", "Did you mean 'input'"]),
        (lambda: scan(lambda a: a, {"taps": [0]}), ["no 'input'"]),
        (lambda: scan(lambda a: a, {"input": x, "taps": [0.5]}), ["taps are ints"]),
        (lambda: scan(lambda p: p, None, {"taps": [-1]}, n_steps=2), ["no 'initial'"]),
        (lambda: scan(lambda p: p, None, {"initial": x, "taps": [0]}, n_steps=2), ["negative"]),
        (
            lambda: scan(lambda p, q: p, None, {"initial": x, "taps": [-1, -1]}, n_steps=2),
            ["repeated"],
        ),
        (
            lambda: scan(lambda p: p, None, {"initial": x, "return_steps": 1}, n_steps=2),
            ["removed"],
        ),
        (
            lambda: scan(lambda p: p, None, {"initial": h[0], "taps": [-2]}, n_steps=2),
            ["leading axis"],
        ),
        (lambda: scan(lambda p: p, None, h, n_steps=x[0]), ["integer scalar"]),
        (lambda: scan(lambda p: p, None, h, n_steps=2.5), ["2.5"]),
        (lambda: scan(lambda p: p, None, h, n_steps=-1), ["negative"]),
    ],
)
def test_errors(wrong, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        wrong()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("feedback", [False, True])
@pytest.mark.parametrize("native", [False, True])
def test_a_sequence_has_rows_for_every_step(native, feedback):
    """Also where all steps are computed at once, or the step reads only taps of before."""
    k = T.lscalar("k")
    for taps, lengths in (([0], "4 rows; 5 steps"), ([-1, 1], "4 rows; 5 steps")):

        def step(a, *rest):
            return a * 2 + (rest[-1] if feedback else 0)

        start = T.zeros((), "float64") if feedback else None
        y, _ = scan(step, {"input": x, "taps": taps}, start, n_steps=k, name="mine")
        f = wb.function([x, k], y) if native else lambda a, n, y=y: run(y, {x: a, k: np.int64(n)})
        with pytest.raises(ValueError, match=rf"'mine': sequence 0 \(x\) has {lengths}"):
            f(FOUR, 5)
        with pytest.raises(IndexError, match="n_steps is -1; it cannot be negative"):
            f(FOUR, -1)
        assert [len(f(FOUR, n)) for n in (0, 2)] == [0, 2]
        assert len(f(FOUR[:0], 0)) == 0


def test_error_inside_the_loop_names_the_line():
    y, _ = scan(lambda r: T.dot(r, W), X)
    with pytest.raises(ValueError, match=r"test_build.py:\d+.*T.dot\(r, W\)"):
        run(y, {X: numbers(2, 3), W: numbers(2, 2)})


# --- names for special loops


def test_folds():
    doubled, _ = map(lambda a, k: a * k, x, 2.0)
    added, _ = reduce(lambda a, total: total + a, x, T.constant(0.0))
    left, _ = foldl(lambda a, digits: digits * 10 + a, x, T.constant(0.0))
    right, _ = foldr(lambda a, digits: digits * 10 + a, x, T.constant(0.0))
    both, _ = reduce(lambda a, p, q: (p + a, q * a), x, [T.constant(0.0), T.constant(1.0)])
    values = run([doubled, added, left, right, *both], {x: FOUR + 1})
    assert values[0].tolist() == [2, 4, 6, 8]
    assert [float(v) for v in values[1:]] == [10, 1234, 4321, 10, 24]


def test_listeners_hear_every_iteration():
    from workbench.core.interpreter import Interpreter

    class Heard:
        def __init__(self):
            self.steps, self.nodes = [], 0

        def before(self, node, inputs): ...

        def after(self, node, inputs, outputs, seconds):
            self.nodes += 1

        def iteration(self, node, t, given):
            self.steps.append((t, [float(v) for v in given.values()]))

    y, _ = scan(lambda a, p: p + a, x, T.constant(0.0))
    heard = Heard()
    Interpreter([y]).run({x: FOUR}, [heard])
    assert heard.steps == [(0, [0, 0]), (1, [1, 0]), (2, [2, 1]), (3, [3, 3])]


@pytest.mark.parametrize("read", [lambda y: y, lambda y: y[-1]], ids=["all", "last"])
@pytest.mark.parametrize(
    ("step", "words"),
    [
        (lambda p: T.concatenate([p, p]), r"output 0 .*: \(4,\) before step 0, \(8,\) after"),
        (lambda p: p[1:], r"\(4,\) before step 0, \(3,\) after"),
        (lambda p: T.zeros((3,)) + p.sum(), r"\(4,\) before step 0, \(3,\) after"),
    ],
    ids=["longer", "shorter", "static"],
)
def test_a_state_keeps_its_shape(step, words, read):
    k = T.lscalar("k")
    for steps in (3, k):
        y, _ = scan(step, None, x, n_steps=steps)
        for call in (
            lambda y=y: run(read(y), {x: FOUR, k: np.int64(3)}),
            lambda y=y: wb.function([x, k], read(y), on_unused_input="ignore")(FOUR, 3),
        ):
            with pytest.raises(ScanError, match=words):
                call()
    for mode in ("FAST_RUN", "FAST_COMPILE", "DebugMode"):
        f = wb.function([x, k], y, mode=mode)
        assert f(FOUR, 0).shape == (0, y.type.shape[1] or 4)


def test_a_map_and_a_shared_variable_keep_their_shapes():
    y, _ = scan(lambda i: T.arange(i), T.arange(4))
    for read in (y, y[-1]):
        with pytest.raises(ScanError, match=r"output 0 .*: \(0,\) before step 1, \(1,\) after"):
            wb.function([], read)()
    s = wb.shared(np.zeros(2), "s")
    _, updates = scan(lambda: {s: T.concatenate([s, s])}, n_steps=2)
    with pytest.raises(ScanError, match=r"shared variable 0 .*: \(2,\) before step 0, \(4,\)"):
        wb.function([], [], updates=updates)()
    assert s.get_value().shape == (2,)
