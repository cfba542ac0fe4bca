"""Whole programs: the native compiler must compute what the interpreter computes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
import workbench.tensor as T
from workbench.core.graph import Variable
from workbench.core.interpreter import Interpreter
from workbench.core.link import Plan
from workbench.core.native.executor import NativeLinked, link_native
from workbench.core.native.split import SplitLinked
from workbench.core.profile import Profiler
from workbench.core.rewrite import optimise

RNG = np.random.default_rng(7)


def refuse(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("the native entry did not take these arguments")


def compare(
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    values: Sequence[Any],
    tolerance: float = 1e-12,
) -> NativeLinked:
    """Run both, twice (the second call reuses the arena), and compare dtype, shape and values."""
    arrays = [np.asarray(v) for v in values]
    expected = Interpreter(outputs).run(dict(zip(inputs, arrays, strict=True)))
    linked = NativeLinked(Plan(tuple(inputs), tuple(outputs)), refuse)
    for _ in range(2):
        got = linked.run(arrays)
        for want, have in zip(expected, got, strict=True):
            want = np.asarray(want)
            assert (have.dtype, have.shape) == (want.dtype, want.shape)
            np.testing.assert_allclose(have, want, rtol=tolerance, atol=tolerance)
    return linked


@pytest.fixture
def x() -> Any:
    return T.dmatrix("x")


X = RNG.normal(size=(7, 5))
WIDE = RNG.normal(size=(14, 10))
ROWS = np.array([1, 2, 2, -1])

GRAPHS: dict[str, Any] = {
    "views": lambda x: [x.T + 1, x[2:, ::-2], x[-1], x[:, 1] * 2, x[1:-1].sum(0), x[::3].T],
    "reductions": lambda x: [
        x.sum(),
        x.sum(0),
        x.sum(1),
        x.max(1),
        x.min(),
        x.T.sum(1),
        x.prod(0),
        (x > 0).all(0),
        (x > 0).any(),
        x.mean(),
        x.var(1),
    ],
    "argmax": lambda x: [x.argmax(1), x.argmax(0), x.argmax()],
    "broadcasting": lambda x: [
        x - x.mean(0, keepdims=True),
        (x - x.mean(1, keepdims=True)) ** 2,
        x * x[0],
        x[:, :1] + 1,
    ],
    "products": lambda x: [
        x @ x.T,
        x.T @ x,
        x[0] @ x.T,
        x @ x[1],
        x[0] @ x[1],
        x[::2] @ x[:, ::-1].T,
        x[:, :3] @ x[:3],
    ],
    "shapes": lambda x: [
        T.concatenate([x, x * 2]),
        T.concatenate([x, x], axis=1),
        x.reshape((-1,)),
        x.T.reshape((5, 7)),
        x.shape,
        T.stack([x[0], x[1]]),
        T.zeros((3, 2)),
        x.flatten(),
        T.arange(x.shape[0]),
        T.arange(0, 1, 0.1),
    ],
    "the same memory": lambda x: [x, x, x.T, x[0], x + 0],
    "indices": lambda x: [
        x[ROWS],
        x[ROWS, ROWS],
        x[0, 0],
        x[ROWS].sum(),
        x[:, ROWS],
        x[1:6:2, ROWS],
        x[ROWS, ::-1],
        x[ROWS.reshape(2, 2)],
        x[3, ROWS],
        T.inc_subtensor(x[:, ROWS], x[:, :4]),
        x.dimshuffle(0, "x", 1)[ROWS, :, ROWS],
        x.dimshuffle(0, "x", 1)[:, 0, ROWS],
    ],
    "changes": lambda x: [
        T.set_subtensor(x[1:3], 0),
        T.inc_subtensor(x[ROWS], 1.5),
        T.inc_subtensor(x[ROWS, ROWS], 2.0),
        T.inc_subtensor(x[:, 2], 7),
        T.set_subtensor(x[0, 0], 9),
        T.inc_subtensor(x[::2, ::-1], x[::2]),
    ],
    "dtypes": lambda x: [
        x.astype("float32"),
        x.astype("int32"),
        x.astype("int8") // 2,
        x > 0,
        (x > 0) & (x < 1),
        T.switch(x > 0, x.astype("float32"), 1),
        x.astype("float32").sum(),
    ],
    "mathematics": lambda x: [
        T.exp(x),
        T.tanh(x) * x,
        T.log(abs(x) + 1),
        T.sigmoid(x),
        T.sqrt(abs(x)),
        T.softplus(x),
    ],
    "softmax": lambda x: [T.exp(x) / T.exp(x).sum(1, keepdims=True)],
}


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize(
    "value",
    [X, WIDE[::2, ::-2], X.T.copy().T, X * 1e3],
    ids=["plain", "strided", "fortran", "large"],
)
def test_graphs(name: str, value: Any, x: Any) -> None:
    compare([x], GRAPHS[name](x), [value], 1e-6 if name == "dtypes" else 1e-11)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 1), (1, 9), (65, 1)])
def test_shapes_at_the_edge(shape: tuple[int, int], x: Any) -> None:
    outputs = [
        x + 1,
        x.T * 2,
        x.sum(0),
        x.sum(),
        x @ x.T,
        x.T @ x,
        x.reshape((-1,)),
        T.concatenate([x, x]),
    ]
    compare([x], outputs, [np.arange(float(shape[0] * shape[1])).reshape(shape)], 1e-10)


def test_a_product_is_not_written_over_its_own_operand() -> None:
    """E is what is added to and what is multiplied: it dies here, and yet its memory is in use."""
    x, w = T.dmatrix("x"), T.dmatrix("w")
    e = T.exp(x)
    plan = Plan((x, w), tuple(optimise([0.5 * e + e @ w]).outputs))
    given = [RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3))]
    value = np.exp(given[0])
    np.testing.assert_allclose(
        NativeLinked(plan, refuse).run(given)[0], 0.5 * value + value @ given[1]
    )


def test_product_with_an_empty_side_is_zero() -> None:
    a, v = T.dmatrix("a"), T.dvector("v")
    (out,) = compare([a, v], [a @ v], [np.zeros((4, 0)), np.zeros(0)]).run(
        [np.zeros((4, 0)), np.zeros(0)]
    )
    assert out.tolist() == [0, 0, 0, 0]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_random_graphs(data: st.DataObject) -> None:
    """Elementwise ops, views, reductions and products in any order, of which several results are
    asked.
    """
    x, y = T.dmatrix("x"), T.dvector("y")
    pool: list[Any] = [x, y, x.T, x[0]]
    for _ in range(data.draw(st.integers(1, 8))):
        a = data.draw(st.sampled_from(pool))
        kind = data.draw(st.sampled_from(["exp", "add", "sum", "slice", "turn", "dot", "keep"]))
        if kind == "exp":
            pool.append(T.tanh(a))
        elif kind == "add":
            pool.append(a * 2 - T.sigmoid(a))
        elif kind == "sum" and a.ndim:
            pool.append(a.sum(axis=data.draw(st.integers(0, a.ndim - 1))))
        elif kind == "slice" and a.ndim:
            pool.append(a[:: data.draw(st.sampled_from([1, 2, -1]))])
        elif kind == "turn" and a.ndim == 2:
            pool.append(a.T)
        elif kind == "dot" and a.ndim == 2:
            pool.append(a @ a.T)
        elif kind == "keep" and a.ndim:
            pool.append(a - a.max(axis=0, keepdims=True))
    outputs = data.draw(st.lists(st.sampled_from(pool[2:]), min_size=1, max_size=4))
    n = data.draw(st.integers(1, 20))
    compare([x, y], outputs, [RNG.normal(size=(n, 5)), RNG.normal(size=5)], 1e-9)


def test_what_nobody_reads_gives_its_memory_back_once() -> None:
    v = T.dvector("v")
    (sums, _), _ = wb.scan(lambda x, s: (s + x, s * x), v, [T.constant(0.0), None])
    joined, other = T.concatenate([sums, v]), T.concatenate([v, sums])
    compare([v], [joined * other], [np.arange(5.0)])


def test_second_derivative_of_a_scan() -> None:
    r = T.dscalar("r")
    (_, quotients), _ = wb.scan(lambda m: (m * r, m / r), None, [T.constant(1.0), None], n_steps=1)
    assert np.isclose(wb.function([r], wb.grad(wb.grad(quotients.sum(), r), r))(0.5), 16.0)


def test_a_length_that_turns_out_to_be_one() -> None:
    x = T.tensor("float64", (1,), "x")
    compare([x], [x + T.reshape(x, x.shape)], [[3.0]])


@pytest.mark.parametrize("part", [np.s_[::2], np.s_[::-2], np.s_[::7], np.s_[-1:], np.s_[:3]])
def test_a_part_of_one_column_spreads_as_one_column(part: slice) -> None:
    column, v = T.tensor("float64", (None, 1)), T.dvector()
    taken = column[:, part]
    compare(
        [column, v],
        [taken + v, taken * 2 - v[::2], T.exp(taken) + v],
        [np.array([[1.0], [2]]), np.arange(5.0)],
    )


def test_arrays_that_are_known_to_be_empty() -> None:
    x = T.tensor("float64", (0, None))
    outputs = [T.linalg.pinv(x), x.T + 1, T.dot(x.T, x) + x.sum(), T.sort(x.T * 2, axis=0)]
    compare([x], outputs, [np.zeros((0, 6))])


def test_what_lasts_from_step_to_step_shares_no_memory_with_a_step() -> None:
    """The gradient's stack is as large as an array that a step makes and gives back."""
    x = T.tensor("float64", (4, 1), "x")

    def row(r: Any) -> Any:
        out, _ = wb.scan(lambda p: T.tanh(T.sin(p) + r), None, T.zeros(1) + 0.3, n_steps=3)
        return out[-1]

    rows, _ = wb.scan(row, x)
    outputs = wb.grad(T.tanh(rows).sum(), x)
    value = RNG.normal(size=(4, 1))
    fast, plain = (wb.function([x], outputs, mode=m)(value) for m in ("FAST_RUN", "FAST_COMPILE"))
    np.testing.assert_allclose(fast, plain, rtol=1e-12)


def test_updates_are_all_or_none() -> None:
    w, n, x = wb.shared(np.ones(3), "w"), wb.shared(0, "n"), T.dvector("x")
    step = wb.function([x], w.sum(), updates={w: w + x, n: n + 1})
    step(np.ones(3))
    with pytest.raises(ValueError, match="dimension mismatch"):
        step(np.ones(4))
    assert w.get_value().tolist() == [2, 2, 2]
    assert n.get_value() == 1


def test_an_array_that_someone_holds_is_not_written_over() -> None:
    w = wb.shared(np.zeros(4), "w")
    step = wb.function([], [], updates={w: w + 1})
    held = []
    for _ in range(4):
        step()
        held.append(w.get_value(borrow=True))
    assert [h[0] for h in held] == [1, 2, 3, 4]


def test_two_threads_in_one_function() -> None:
    """The arena belongs to one call; the program gives up the GIL, so calls do overlap."""
    x = T.dmatrix("x")
    f = wb.function([x], (T.exp(x) @ T.exp(x).T).sum(1))
    inputs = [RNG.normal(size=(300, 200)) * 0.1 for _ in range(4)]
    wanted = [f(v) for v in inputs]
    wrong: list[int] = []

    def work(k: int) -> None:
        wrong.extend(k for _ in range(30) if not np.array_equal(f(inputs[k]), wanted[k]))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_op_without_native_form_splits_the_program() -> None:
    x = T.dmatrix("x")
    complex_part = T.cast(T.exp(x), "complex128") * 1j
    linked = link_native(Plan((x,), (abs(complex_part) * 2,)), refuse)
    assert isinstance(linked, SplitLinked)
    assert any("complex128" in note and "interpreter" in note for note in linked.notes)
    value = RNG.normal(size=(4, 4))
    np.testing.assert_allclose(linked.run([value])[0], np.exp(value) * 2)


def test_timers_count_every_node() -> None:
    x = T.dmatrix("x")
    out, _ = wb.scan(lambda row, s: T.tanh(row + s), sequences=x, outputs_info=T.zeros_like(x[0]))
    linked = NativeLinked(Plan((x,), (out,)), refuse)
    profiler = Profiler()
    for _ in range(3):
        linked.run([X], profiler)
    rows = {str(node.op): times for node, times in profiler.nodes.items()}
    scan = next(times for name, times in rows.items() if "for{" in name)
    inner = next(times for name, times in rows.items() if "tanh" in name)
    assert scan.calls == 3
    assert inner.calls == 3 * len(X)
    assert inner.parent is not None
    assert 0 < inner.seconds < scan.seconds < 1


def test_code_can_be_looked_at() -> None:
    x = T.dvector("x")
    linked = NativeLinked(Plan((x,), (T.exp(x),)), refuse)
    assert "define internal i32 @program" in linked.code()
    assert "wb.entry" in linked.code("assembly")


def test_control_c_stops_a_loop() -> None:
    """In a process of its own: the signal would stop the test runner as well."""
    code = """
import os, signal, threading, time
import workbench as wb, workbench.tensor as T
n, k = T.lscalar("n"), wb.shared(1.0, "k")
out, _ = wb.scan(lambda s: T.sin(s) + 1, outputs_info=T.ones(()), n_steps=n)
f = wb.function([n], out[-1], updates={k: k + 1})
f(10)
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
start = time.perf_counter()
try:
    f(10**9)
except KeyboardInterrupt:
    assert time.perf_counter() - start < 5 and k.get_value() == 2
    assert 1 < f(10) < 2
    print("stopped")
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout == "stopped\n", run.stderr
