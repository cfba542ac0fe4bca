"""`ifelse`: values, types, errors; that what is not chosen does not run, with every linker."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench import errors
from workbench.core.graph import Apply, toposort
from workbench.core.interpreter import Interpreter
from workbench.core.ops.branches import IfElse
from workbench.core.ops.dot import Dot

MODES = [
    wb.Mode(linker, optimizer)
    for linker in ("py", "native")
    for optimizer in ("none", "fast_compile", "fast_run")
]
EVERY = pytest.mark.parametrize("mode", MODES, ids=str)
ZERO, ONE = np.float64(0), np.float64(1)


def fails(x: Any) -> Any:
    """An expression of x's shape that cannot be computed where x has fewer than 9 rows."""
    return x[8] + x


class Heard:
    """The classes of the ops that ran."""

    def __init__(self) -> None:
        self.ops: list[str] = []

    def before(self, node: Apply, inputs: Any) -> None: ...

    def after(self, node: Apply, inputs: Any, outputs: Any, seconds: float) -> None:
        self.ops.append(type(node.op).__name__)


def ran(outputs: Any, given: dict[Any, Any]) -> list[str]:
    heard = Heard()
    Interpreter(outputs).run(given, [heard])
    return heard.ops


@EVERY
@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint8", "int64", "float32", "float64", "complex64"]
)
def test_every_dtype_of_condition(mode: wb.Mode, dtype: str) -> None:
    c = T.TensorType(dtype, ())("c")
    x, y = T.vectors("x", "y")
    f = wb.function([c, x, y], wb.ifelse(c, x + 1, y * 2), mode=mode)
    a, b = np.arange(3.0), np.arange(4.0)
    for value in (0, 1, 5):
        wanted = a + 1 if value else b * 2
        np.testing.assert_array_equal(f(np.array(value).astype(dtype), a, b), wanted)


@EVERY
def test_nan_and_minus_zero_as_condition(mode: wb.Mode) -> None:
    c, x = T.dscalars("c", "x")
    f = wb.function([c, x], wb.ifelse(c, x + 1, x * 2), mode=mode)
    assert [f(v, 5.0) for v in (np.nan, -0.0, np.inf, 5e-324)] == [6, 10, 6, 6]


@EVERY
def test_what_is_not_chosen_does_not_fail(mode: wb.Mode) -> None:
    """Checks, allocations and the work itself stand inside the branch."""
    c = T.iscalar("c")
    x, y = T.vectors("x", "y")
    f = wb.function([c, x, y], wb.ifelse(c, fails(x).sum(), T.dot(y, y) + 1), mode=mode)
    assert f(0, np.ones(3), np.ones(2)) == 3
    assert f(1, np.ones(9), np.ones(2)) == 18
    with pytest.raises(errors.IndexOutOfRange):
        f(1, np.ones(3), np.ones(2))
    g = wb.function([c, x, y], wb.ifelse(c, x + y, x), mode=mode)
    np.testing.assert_array_equal(g(0, np.ones(3), np.ones(2)), np.ones(3))
    with pytest.raises(errors.ShapeError):
        g(1, np.ones(3), np.ones(2))


@EVERY
def test_in_a_loop_what_is_not_chosen_does_not_fail(mode: wb.Mode) -> None:
    x = T.vector("x")
    flags = T.ivector("flags")

    def step(flag: Any, state: Any, x: Any) -> Any:
        return wb.ifelse(flag, fails(x + state[0])[:2] + state, state * 2 + x[:1].sum())

    states, _ = wb.scan(step, sequences=flags, outputs_info=T.ones((2,)), non_sequences=x)
    f = wb.function([flags, x], states, mode=mode)
    short, long = np.ones(3), np.arange(9.0)
    np.testing.assert_array_equal(f(np.zeros(2, "int32"), short), [[3, 3], [7, 7]])
    with pytest.raises((errors.IndexOutOfRange, errors.ShapeError)):
        f(np.array([0, 1], "int32"), short)
    assert f(np.zeros(0, "int32"), long).shape[0] == 0


@EVERY
def test_lengths_may_differ_in_a_loop(mode: wb.Mode) -> None:
    x = T.matrix("x")
    rows, _ = wb.scan(
        lambda row: wb.ifelse(row[0] > 0, row[1:] * 2, row).sum(),
        sequences=x,
    )
    f = wb.function([x], rows, mode=mode)
    values = np.array([[1.0, 2, 3], [-1, 2, 3], [0, 1, 1]])
    np.testing.assert_array_equal(f(values), [10, 4, 2])


@EVERY
def test_a_loop_inside_a_branch(mode: wb.Mode) -> None:
    c = T.bscalar("c")
    x = T.vector("x")
    rows, _ = wb.scan(lambda v, s: s + v * 2, sequences=x, outputs_info=T.constant(0.0))
    f = wb.function([c, x], wb.ifelse(c, rows[-1], -x.sum()), mode=mode)
    assert f(1, np.arange(4.0)) == 12
    assert f(0, np.arange(4.0)) == -6
    assert f(0, np.zeros(0)) == 0


@EVERY
def test_several_values_and_one_read_twice(mode: wb.Mode) -> None:
    c = T.lscalar("c")
    x, y = T.matrices("x", "y")
    both = wb.ifelse(c, [x.T, y, x[0, 0], x.T], [y + 1, x, y[1, 1], x])
    f = wb.function([c, x, y], [*both, both[0] + both[3]], mode=mode)
    a, b = np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(3, 2) * 10
    for got, wanted in zip(f(1, a, b), [a.T, b, a[0, 0], a.T, a.T + a.T], strict=True):
        np.testing.assert_array_equal(got, wanted)
    b = b.reshape(2, 3)
    for got, wanted in zip(f(0, a, b), [b + 1, a, b[1, 1], a, b + 1 + a], strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert f(0, a, b)[1] is not a


@EVERY
def test_updates_are_chosen(mode: wb.Mode) -> None:
    c = T.bscalar("c")
    w = wb.shared(np.arange(3.0), "w")
    v = wb.shared(np.ones(3), "v")
    f = wb.function(
        [c], [], updates=[(w, wb.ifelse(c, w * 2, v)), (v, wb.ifelse(c, v, w))], mode=mode
    )
    f(1)
    np.testing.assert_array_equal(w.get_value(), [0, 2, 4])
    f(0)
    np.testing.assert_array_equal(w.get_value(), [1, 1, 1])
    np.testing.assert_array_equal(v.get_value(), [0, 2, 4])
    f(0)
    np.testing.assert_array_equal(w.get_value(), [0, 2, 4])


@EVERY
def test_nested(mode: wb.Mode) -> None:
    a, b = T.bscalars("a", "b")
    x = T.vector("x")
    inner = wb.ifelse(b, T.exp(x), fails(x))
    f = wb.function([a, b, x], wb.ifelse(a, inner * 2, wb.ifelse(b, -x, x[:0])), mode=mode)
    v = np.arange(3.0)
    np.testing.assert_allclose(f(1, 1, v), 2 * np.exp(v), rtol=1e-15)
    np.testing.assert_array_equal(f(0, 1, v), -v)
    assert f(0, 0, v).shape == (0,)
    with pytest.raises(errors.IndexOutOfRange):
        f(1, 0, v)


@EVERY
@pytest.mark.parametrize("depth", [20, 70])
def test_a_long_chain_of_else_if(mode: wb.Mode, depth: int) -> None:
    i = T.lscalar("i")
    x = T.vector("x")
    chain: Any = fails(x).sum()
    for k in range(depth):
        chain = wb.ifelse(T.eq(i, k), (x * k).sum(), chain)
    f = wb.function([i, x], chain, mode=mode)
    assert [f(k, np.ones(2)) for k in (0, 1, depth - 1)] == [0, 2, 2 * depth - 2]
    with pytest.raises(errors.IndexOutOfRange):
        f(depth, np.ones(2))


def test_the_interpreter_tells_of_the_branch_taken_only() -> None:
    c = T.bscalar("c")
    x, y = T.matrices("x", "y")
    shared_work = T.exp(x)
    out = wb.ifelse(c, T.dot(shared_work, x), shared_work + y)
    values = {x: np.ones((2, 2)), y: np.ones((2, 2))}
    assert ran([out], {c: np.int8(1), **values}) == ["Elemwise", "Dot", "IfElse"]
    assert ran([out], {c: np.int8(0), **values}) == ["Elemwise", "Elemwise", "IfElse"]


@pytest.mark.parametrize("optimizer", ["none", "fast_compile", "fast_run"])
def test_an_optimised_graph_tells_of_the_branch_taken_only(optimizer: str) -> None:
    c = T.bscalar("c")
    x, y = T.matrices("x", "y")
    out = wb.ifelse(c, T.dot(x, x).sum(), T.argmax(y, axis=0).astype("float64").sum())
    f = wb.function([c, x, y], out, mode=wb.Mode("py", optimizer))
    (node,) = [n for n in f.maker.fgraph.toposort() if isinstance(n.op, IfElse)]
    assert node.op.inner is not None
    assert node.inputs[0].name == "c"
    assert len(node.inputs) == 3
    given = dict(
        zip(f.maker.fgraph.inputs, (np.int8(1), np.ones((2, 2)), np.ones((2, 2))), strict=True)
    )
    taken = ran(f.maker.fgraph.outputs, given)
    assert "Argmax" not in taken
    assert len(taken) >= 2


def test_the_profile_counts_the_branch_taken() -> None:
    c = T.bscalar("c")
    x, y = T.matrices("x", "y")
    out = wb.ifelse(c, T.dot(x, x), T.argmax(y, axis=0).astype("float64")[None, :] + x)
    for mode in ("FAST_RUN", "FAST_COMPILE"):
        f = wb.function([c, x, y], out, mode=mode, profile=True)
        f(1, np.ones((2, 2)), np.ones((2, 2)))
        f(0, np.ones((2, 2)), np.ones((2, 2)))
        f(0, np.ones((2, 2)), np.ones((2, 2)))
        calls = {type(n.op).__name__: t.calls for n, t in f.profile.nodes.items()}
        parents = {type(n.op).__name__: t.parent for n, t in f.profile.nodes.items()}
        assert calls["IfElse"] == 3
        assert calls["Argmax"] == 2
        assert calls.get("Dot", calls.get("Gemm")) == 1
        assert isinstance(parents["Argmax"].op, IfElse)
        assert parents["IfElse"] is None


def test_it_is_told_apart_from_a_loop() -> None:
    """A trace is of loops."""
    c = T.bscalar("c")
    x = T.vector("x")
    rows, _ = wb.scan(lambda v: wb.ifelse(c, v * 2, v), sequences=x)
    bench = wb.inspect(wb.ifelse(c, rows.sum(), x.sum()), values={c: 1, x: np.arange(3.0)})
    assert len(bench.trace) == 1
    taken = {n.op for n in bench.optimised.nodes}
    assert "IfElse" in taken or "Scan" in taken
    (node,) = [n for n in bench.optimised.nodes if n.op == "IfElse"]
    assert node.inner is not None
    assert len(node.inner.outputs) == 2


def test_gradient_of_the_branch_not_taken_is_zero_and_costs_nothing() -> None:
    c = T.bscalar("c")
    x, y = T.matrices("x", "y")
    cost = wb.ifelse(c, T.tanh(T.dot(x, x)).mean(), T.dot(y, y).sum()) ** 2
    slopes = wb.grad(cost, [x, y])
    for mode in MODES:
        f = wb.function([c, x, y], [cost, *slopes], mode=mode)
        a, b = np.array([[1.0, 0.5], [0.2, -1]]), np.array([[2.0, 1], [0, 1]])
        _, along_x, along_y = f(1, a, b)
        np.testing.assert_array_equal(along_y, np.zeros((2, 2)))
        assert np.abs(along_x).min() > 0
        _, along_x, along_y = f(0, a, b)
        np.testing.assert_array_equal(along_x, np.zeros((2, 2)))
        wanted = 2 * (b @ b).sum() * (np.ones((2, 2)) @ b.T + b.T @ np.ones((2, 2)))
        np.testing.assert_allclose(along_y, wanted)


def test_gradients_at_nan_of_the_other_branch() -> None:
    """What switch cannot do: a slope of inf in the branch not taken does not spoil the gradient."""
    x = T.dscalar("x")
    slope = wb.grad(wb.ifelse(x > 0, T.sqrt(x), x * 3), x)
    for mode in MODES[2::3]:
        f = wb.function([x], slope, mode=mode)
        assert [f(4.0), f(0.0), f(-1.0)] == [0.25, 3, 3]


@EVERY
def test_Rop_and_second_derivative(mode: wb.Mode) -> None:
    x, v = T.dvectors("x", "v")
    y = wb.ifelse(x[0] > 0, x**3, T.exp(x))
    f = wb.function([x, v], wb.Rop(y, x, v), mode=mode)
    a, b = np.array([1.0, 2]), np.array([0.5, -1])
    np.testing.assert_allclose(f(a, b), 3 * a**2 * b)
    np.testing.assert_allclose(f(-a, b), np.exp(-a) * b)
    g = wb.function([x], wb.grad(wb.grad(y.sum(), x).sum(), x), mode=mode)
    np.testing.assert_allclose(g(a), 6 * a)
    np.testing.assert_allclose(g(-a), np.exp(-a))


def test_a_static_length_of_one_and_an_unknown_one() -> None:
    c = T.bscalar("c")
    row, matrix = T.row("row"), T.matrix("matrix")
    out = wb.ifelse(c, row, matrix)
    assert out.type == T.TensorType("float64", (None, None))
    f = wb.function([c, row, matrix], out * 2)
    assert f(1, np.ones((1, 2)), np.ones((3, 2))).shape == (1, 2)
    assert f(0, np.ones((1, 2)), np.ones((3, 2))).shape == (3, 2)


def test_forms_of_results() -> None:
    c, x = T.dscalars("c", "x")
    assert isinstance(wb.ifelse(c, [x], [x]), list)
    assert len(wb.ifelse(c, (x, 1.0 * x), [x, x])) == 2
    named = wb.ifelse(c, x, x + 1, name="which")
    assert str(named.owner.op) == "if{which}"
    assert named.owner.op.label == "ifelse which"
    assert wb.ifelse(True, 1, 2).eval() == 1
    assert wb.ifelse(c, np.float64(2), x).eval({c: 1, x: 3}) == 2


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda c, x, v: wb.ifelse(v, x, x), TypeError, "scalar"),
        (lambda c, x, v: wb.ifelse(c, x, v), TypeError, "axes"),
        (lambda c, x, v: wb.ifelse(c, 1, x), TypeError, "int8"),
        (lambda c, x, v: wb.ifelse(c, x, x.astype("float32")), TypeError, "float32"),
        (lambda c, x, v: wb.ifelse(c, [x], [x, x]), ValueError, "1 values if true, 2"),
        (lambda c, x, v: wb.ifelse(c, [], []), ValueError, "0 values"),
        (lambda c, x, v: wb.ifelse("yes", x, x), TypeError, "'yes'"),
        (lambda c, x, v: wb.ifelse(c, x, wb.shared("text")), TypeError, "one branch"),
    ],
)
def test_errors(make: Callable[..., Any], kind: type[Exception], words: str) -> None:
    c, x = T.dscalars("c", "x")
    with pytest.raises(kind, match=words) as caught:
        make(c, x, T.vector("v"))
    assert isinstance(caught.value, errors.WorkbenchError)
    assert "test_branches.py" in str(caught.value)


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs(seed: int) -> None:
    """Choices by a few conditions between values that share work, are read by each other, or not:
    every mode agrees with choosing by hand.
    """
    rng = np.random.default_rng(seed)
    conditions = T.bscalars("a", "b")
    arrays = [rng.normal(size=(2, 2)) for _ in range(3)]
    inputs = [T.matrix(n) for n in "xyz"]
    pool: list[tuple[Any, Any]] = [(v, lambda flags, k=k: arrays[k]) for k, v in enumerate(inputs)]

    def pick() -> tuple[Any, Any]:
        return pool[int(rng.integers(max(0, len(pool) - 6), len(pool)))]

    for _ in range(14):
        (p, f), (q, g) = pick(), pick()
        kind = rng.integers(4)
        k = int(rng.integers(2))
        if kind == 0:
            pool.append((T.tanh(p + q), lambda flags, f=f, g=g: np.tanh(f(flags) + g(flags))))
        elif kind == 1:
            pool.append((T.dot(p, q) / 2, lambda flags, f=f, g=g: f(flags) @ g(flags) / 2))
        else:
            pool.append(
                (wb.ifelse(conditions[k], p, q),
                 lambda flags, f=f, g=g, k=k: f(flags) if flags[k] else g(flags))
            )  # fmt: skip
    results = [pool[-1], pool[-3], *([pool[-2]] if seed % 2 else [])]
    outputs = [v for v, _ in results]
    if seed % 3 == 0:
        outputs.append(
            sum(wb.grad(T.tanh(pool[-1][0]).sum(), inputs, disconnected_inputs="ignore"))
        )
    reference = Interpreter(outputs)
    for mode in MODES[2:]:
        call = wb.function([*conditions, *inputs], outputs, mode=mode, on_unused_input="ignore")
        for flags in ((0, 0), (0, 1), (1, 0), (1, 1)):
            got = call(*map(np.int8, flags), *arrays)
            for value, (_, wanted) in zip(got, results, strict=False):
                np.testing.assert_allclose(value, wanted(flags), rtol=1e-9, atol=1e-12)
            given = dict(zip((*conditions, *inputs), (*map(np.int8, flags), *arrays), strict=True))
            for value, wanted_value in zip(got, reference.run(given), strict=True):
                np.testing.assert_allclose(value, wanted_value, rtol=1e-9, atol=1e-12)


def median_ratio(first: Callable[[], Any], second: Callable[[], Any], times: int = 7) -> float:
    """What the first takes for one of the second, in turns; processor time, for the machine
    may be busy.
    """
    ratios = []
    for _ in range(times):
        start = time.process_time()
        first()
        middle = time.process_time()
        second()
        ratios.append((middle - start) / (time.process_time() - middle))
    return float(np.median(ratios))


def test_it_takes_the_time_of_one_branch() -> None:
    c = T.bscalar("c")
    x, y = T.matrices("x", "y")
    means = T.mean(T.dot(x, x)), T.mean(T.dot(y, y))
    lazy = wb.function([c, x, y], wb.ifelse(c, *means))
    eager = wb.function([c, x, y], T.switch(c, *means))
    a, b = np.ones((500, 500)), np.ones((500, 500))
    lazy(1, a, b), eager(1, a, b)
    assert median_ratio(lambda: lazy(1, a, b), lambda: eager(1, a, b)) < 0.75


def test_no_products_are_left_outside() -> None:
    c = T.bscalar("c")
    x, y = T.matrices("x", "y")
    cost = wb.ifelse(c, T.tanh(T.dot(x, x)).mean(), T.dot(y, y).sum()) ** 2
    f = wb.function([c, x, y], [cost, *wb.grad(cost, [x, y])])
    outside = [type(n.op) for n in toposort(f.maker.fgraph.outputs)]
    assert Dot not in outside
    assert outside.count(IfElse) >= 1


def test_a_branch_with_a_part_that_is_not_native() -> None:
    """The other branch, and the rest of that one, are native all the same."""
    c = T.bscalar("c")
    x, y = T.vectors("x", "y")
    size = abs(x.astype("complex64")).sum().astype("float64")
    f = wb.function([c, x, y], wb.ifelse(c, [size + T.exp(y).sum(), x], [fails(y).sum(), y * 2]))
    assert any("complex" in note for note in f.linked.notes)
    assert not any(note.startswith("if is run") for note in f.linked.notes)
    a, b = np.array([0.0, 1, 0, -3]), np.zeros(3)
    total, rest = f(1, a, b)
    assert total == 4 + 3
    np.testing.assert_array_equal(rest, a)
    with pytest.raises(errors.IndexOutOfRange):
        f(0, a, b)
    np.testing.assert_array_equal(f(0, a, np.ones(9))[1], np.full(9, 2.0))


def test_a_loop_whose_body_has_no_native_form() -> None:
    x = T.vector("x")
    rows, _ = wb.scan(lambda v: abs(v.astype("complex64") * 2j).astype("float64"), sequences=x)
    f = wb.function([x], rows.sum())
    assert any("complex64" in note for note in f.linked.notes)
    assert f(np.array([1.0, -2])) == 6


def test_rows_of_a_loop_whose_lengths_come_from_either_branch() -> None:
    """Both lengths are known before the loop: the rows' memory is made there."""
    x, w = T.matrices("x", "w")
    rows, _ = wb.scan(
        lambda v, w: wb.ifelse(v.sum() > 0, T.dot(w, v), v * 2), sequences=x, non_sequences=w
    )
    f = wb.function([x, w], rows)
    assert not f.linked.notes
    a = np.array([[1.0, 2], [-1, -2]])
    np.testing.assert_array_equal(f(a, np.eye(2) * 3), [[3, 6], [-2, -4]])
    wide = np.ones((3, 2))
    np.testing.assert_array_equal(f(a[:1], wide), [[3, 3, 3]])
    with pytest.warns(UserWarning, match="the interpreter could compute"):
        np.testing.assert_array_equal(f(a[1:], wide), [[-2, -4]])
    with pytest.raises(errors.ScanError, match="changes its shape"):
        f(a, wide)
