"""The printed profile: every part, with real times."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.ops.elementwise import Elemwise
from workbench.core.ops.print_op import Print
from workbench.core.profile_stats import ProfileStats, total
from workbench.core.samples.print_op import quiet
from workbench.core.scan.op import Scan

x, m = T.dvector("x"), T.dmatrix("m")
MODES = ("FAST_RUN", "FAST_COMPILE")


def printed(method, *args, **options):
    file = io.StringIO()
    method(*args, file=file, **options)
    return file.getvalue()


def seconds(text, label):
    return float(re.search(rf"{re.escape(label)}:? ([\d.e+-]+)s", text)[1])


@pytest.mark.parametrize("mode", MODES)
def test_the_parts_and_their_order(mode):
    f = wb.function([x], T.sum(T.tanh(x) ** 2), profile="mine", mode=mode)
    for _ in range(3):
        f(np.ones(1000))
    text = printed(f.profile.summary)
    titles = ("Function profiling", "Time in", "Time since import", "Class\n-----", "Ops\n---",
              "Apply\n-----")  # fmt: skip
    places = [text.index(title) for title in titles]
    assert places == sorted(places)
    assert "  Message: mine\n" in text
    assert "Time in 3 calls to Function.__call__" in text
    whole = seconds(text, "calls to Function.__call__")
    run = seconds(text, "Function.fn.__call__")
    nodes = seconds(text, "Time in thunks")
    assert 0 < nodes < run < whole
    assert f.profile.compute_total_times() == pytest.approx(nodes, rel=1e-3)
    link, optimizer = seconds(text, "native code)"), seconds(text, "Optimizer time")
    assert seconds(text, "Total compile time") == pytest.approx(link + optimizer, rel=1e-4)
    assert ("   C  " in text) is (mode == "FAST_RUN")
    assert ("  Py  " in text) is (mode == "FAST_COMPILE")
    assert "Memory Profile" not in text


def test_parts_by_themselves_and_limits():
    f = wb.function([x], [T.tanh(x), T.exp(x), x[::2]], profile=True, mode="FAST_COMPILE")
    f(np.ones(10))
    assert printed(f.profile.summary_ops, N=1).count("Elemwise{") == 1
    assert "(remaining 2 Ops account for" in printed(f.profile.summary_ops, N=1)
    assert "(remaining 0 Ops account for 0.0%" in printed(f.profile.summary_ops)
    classes = printed(f.profile.summary_class)
    assert "workbench.core.ops.elementwise.Elemwise" in classes
    assert re.search(r" 2 +2 +workbench.core.ops.elementwise.Elemwise", classes)
    assert "(x)" in printed(f.profile.summary_nodes)
    assert "(remaining 2 Apply instances" in printed(f.profile.summary, n_apply_to_print=1)
    with wb.config.change(profiling__n_ops=1):
        assert "(remaining 2 Ops" in printed(f.profile.summary)


def test_sums():
    f = wb.function([x], [T.tanh(x), T.exp(x)], profile=True, mode="FAST_COMPILE")
    f([1.0])
    f([1.0])
    assert f.profile.class_callcount() == {Elemwise: 4}
    assert set(f.profile.op_callcount().values()) == {2}
    spent = f.profile.compute_total_times()
    assert sum(f.profile.op_time().values()) == pytest.approx(spent)
    assert f.profile.class_time() == {Elemwise: pytest.approx(spent)}
    f.profile.reset()
    assert f.profile.call_times.calls == 0
    assert f.profile.compute_total_times() == 0
    text = printed(f.profile.summary)
    assert "Time in 0 calls" in text
    assert "Ops" not in text
    f([1.0])
    assert f.profile.call_times.calls == 1


@pytest.mark.parametrize("mode", MODES)
def test_a_loop_has_a_part_of_its_own(mode):
    rows, _ = wb.scan(lambda a, h: T.tanh(a + h), x, T.constant(0.0), name="rnn")
    f = wb.function([x], rows, profile=True, mode=mode)
    f(np.ones(50))
    f(np.ones(30))
    text = printed(f.profile.summary)
    part = text[text.index("Scan Op profiling ( rnn )") :]
    assert "Time in 2 calls of the op (for a total of 80 steps)" in part
    assert Scan in f.profile.class_callcount()
    assert f.profile.class_callcount()[Scan] == 2
    inside = float(re.search(r"nodes of its body: ([\d.e+-]+)s", part)[1])
    assert 0 < inside <= f.profile.class_time()[Scan]


def test_a_condition_has_a_part_of_its_own():
    f = wb.function([x], wb.ifelse(T.sum(x) > 0, T.log(x), T.exp(x)), profile=True)
    f([1.0])
    text = printed(f.profile.summary)
    part = text[text.index("IfElse Op profiling ( if )") :]
    assert "Time in 1 calls of the op " in part
    assert "log" in part
    assert "exp" not in part.partition("tips")[0].partition("Message")[2].partition("\n")[2]


def test_memory_is_that_of_real_shapes():
    stats = ProfileStats("memory", memory=True, print_at_exit=False)
    f = wb.function([m], T.exp(m.T).sum(axis=0), profile=stats, mode="FAST_COMPILE")
    assert "nothing was measured" in printed(stats.summary_memory)
    f(np.ones((100, 1000)))
    text = printed(stats.summary)
    assert "Memory Profile" in text
    assert "800000B  [(1000, 100)] c Elemwise{exp" in text
    assert "0B  [(1000, 100)] v InplaceDimShuffle" in text
    assert "its last reader: 782KB" in text
    assert "nothing is freed: 782KB" in text
    assert "shape=(1000, 100)" in printed(stats.summary_nodes)
    with wb.config.change(profile_memory=True):
        g = wb.function([x], T.tanh(T.exp(T.sin(x))), profile=True, mode=wb.Mode("py", None))
        g(np.ones(1000))
    text = printed(g.profile.summary_memory)
    assert "nothing is freed: 23KB" in text
    assert "its last reader: 16KB" in text


def test_measuring_shapes_does_not_store_updates():
    s = wb.shared(1.0, "s")
    stats = ProfileStats(memory=True, print_at_exit=False)
    f = wb.function([], s * 2, updates={s: s + 1}, profile=stats)
    assert f() == 2
    assert s.get_value() == 2


def test_one_profile_for_several_functions():
    stats = ProfileStats("both", print_at_exit=False)
    f = wb.function([x], T.tanh(x), profile=stats)
    g = wb.function([x], T.exp(x), profile=stats)
    f([1.0])
    g([1.0])
    assert f.profile is g.profile is stats
    assert stats.call_times.calls == 2
    assert "tanh" in printed(stats.summary)
    assert "exp" in printed(stats.summary)


def test_total():
    parts = [ProfileStats(name, print_at_exit=False) for name in "ab"]
    for part in parts:
        wb.function([x], T.tanh(x), profile=part)([1.0])
    whole = total(parts)
    assert whole.call_times.calls == 2
    assert whole.compute_total_times() == pytest.approx(
        sum(part.compute_total_times() for part in parts)
    )
    assert "Sum of all 2 profiles" in printed(whole.summary)


def test_the_first_call_can_be_left_out_and_nodes_not_timed():
    with wb.config.change(profiling__ignore_first_call=True):
        f = wb.function([x], T.tanh(x), profile=True)
        f([1.0])
        assert f.profile.call_times.calls == 0
        f([1.0])
        f([1.0])
        assert f.profile.call_times.calls == 2
    with wb.config.change(profiling__time_thunks=False):
        f = wb.function([x], T.tanh(x), profile=True)
        f([1.0])
        assert not f.profile.nodes
        assert f.profile.call_times.calls == 1


def test_tips_are_true():
    f = wb.function([x], T.tanh(x), profile=True, mode="FAST_COMPILE")
    f(np.ones(10))
    assert "every node is run by the interpreter" in printed(f.profile.print_tips)
    assert "in float64" in printed(f.profile.print_tips)
    y = T.fvector("y")
    f = wb.function([y], T.tanh(y), profile=True)
    f(np.ones(1_000_000, "float32"))
    assert printed(f.profile.print_tips) == ""
    f = wb.function([y], T.exp(Print("slow", global_fn=quiet)(T.tanh(y))), profile=True)
    f(np.ones(2, "float32"))
    assert "in ops without native code: Print" in printed(f.profile.print_tips)
    assert printed(ProfileStats(print_at_exit=False).print_tips) == ""


def test_passes_are_shown_where_that_is_asked_for():
    f = wb.function([x], T.tanh(x), profile=True)
    assert "canonicalise:" not in printed(f.profile.summary_function)
    with wb.config.change(profile_optimizer=True):
        assert "canonicalise:" in printed(f.profile.summary_function)


def test_gradients_are_counted():
    before = int(re.search(r"Time in (\d+) calls to grad", printed(_stats().summary_globals))[1])
    T.grad(T.sum(x**2), x)
    after = int(re.search(r"Time in (\d+) calls to grad", printed(_stats().summary_globals))[1])
    assert after == before + 1


def _stats():
    return ProfileStats(print_at_exit=False)


PROGRAM = """
import workbench as wb, workbench.tensor as T
x = T.dvector("x")
f = wb.function([x], T.tanh(x), name="first")
g = wb.function([x], T.exp(x), name="second")
h = wb.function([x], T.exp(x), name="never called")
f([1.0]); g([1.0]); g([1.0])
"""


def ended(flags, tmp_path):
    import os

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True, text=True, check=True, cwd=tmp_path,
        env={**os.environ, "WORKBENCH_FLAGS": flags},
    )  # fmt: skip
    return done.stdout, done.stderr


def test_profiles_are_printed_when_python_ends(tmp_path):
    out, err = ended("profile=True", tmp_path)
    assert out == ""
    assert err.count("Function profiling") == 3
    for message in ("first", "second", "Sum of all 2 profiles"):
        assert f"Message: {message}\n" in err
    assert "never called" not in err
    out, err = ended("profile=True,profiling.destination=times.txt", tmp_path)
    assert out == err == ""
    assert "Message: second" in (tmp_path / "times.txt").read_text()
