"""ProfileStats and ProfileMode: every method and parameter, and their reports."""

from __future__ import annotations

import contextlib
import io
import re

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import proven_by, proves
from workbench.theano.compile import ProfileStats
from workbench.theano.compile.profilemode import ProfileMode

STATS = "theano.compile.profiling.ProfileStats"
MODE = "theano.compile.profilemode.ProfileMode"
REPORT, OLD_REPORT = "report of a profile", "report of a ProfileMode"
PROFILE_TESTS, MODE_TESTS = (
    "tests/core/test_profile_stats.py::",
    "tests/core/debug/test_profile_mode.py::",
)
x = T.dvector("x")


def profiled(calls: int = 2) -> ProfileStats:
    """Times of three elementwise nodes and a view, interpreted."""
    stats = ProfileStats("mine", memory=True, print_at_exit=False)
    f = theano.function([x], [T.tanh(x), T.exp(x), x[::2]], profile=stats, mode="FAST_COMPILE")
    for _ in range(calls):
        f(np.ones(1000))
    return stats


def text(method: object, *args: object, **options: object) -> str:
    """What a method prints into a file."""
    file = io.StringIO()
    method(*args, file=file, **options)
    return file.getvalue()


@proves(STATS)
@proves(f"{STATS}.class_time")
@proves(f"{STATS}.op_time")
@proves(f"{STATS}.class_callcount")
@proves(f"{STATS}.op_callcount")
@proves(f"{STATS}.compute_total_times")
@proves(f"{STATS}.reset")
def sums_of_a_profile() -> None:
    stats = profiled()
    spent = stats.compute_total_times()
    assert spent > 0
    assert {k.__name__: n for k, n in stats.class_callcount().items()} == {
        "Elemwise": 4, "Subtensor": 2}  # fmt: skip
    assert set(stats.op_callcount().values()) == {2}
    assert len(stats.op_time()) == 3
    assert sum(stats.class_time().values()) == pytest.approx(spent)
    assert sum(stats.op_time().values()) == pytest.approx(spent)
    stats.reset()
    assert stats.compute_total_times() == 0
    assert "Time in 0 calls" in text(stats.summary)


@proves(f"{STATS}.summary", "file", "n_ops_to_print", "n_apply_to_print")
@proves(REPORT, "order of sections", "columns", "remaining", "memory")
def the_whole_report() -> None:
    stats = profiled()
    whole = text(stats.summary)
    titles = ("Function profiling", "  Message: mine", "Time in 2 calls to Function.__call__",
              "Time in Function.fn.__call__", "Time in thunks", "Total compile time",
              "Number of Apply nodes: 3", "Optimizer time", "Linker time", "calls to grad()",
              "Time since import", "Class\n-----", "Ops\n---", "Apply\n-----", "Memory Profile",
              "tips")  # fmt: skip
    places = [whole.index(title) for title in titles]
    assert places == sorted(places)
    for columns in (
        "<% time> <sum %> <apply time> <time per call> <type> <#call> <#apply> <Op name>",
        "<% time> <sum %> <apply time> <time per call> <#call> <id> <Apply name>",
    ):
        assert columns in whole
    assert "(remaining 0 Ops account for" in whole
    assert "(remaining 2 Ops account for" in text(stats.summary, n_ops_to_print=1)
    assert "(remaining 2 Apply instances account for" in text(stats.summary, n_apply_to_print=1)
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors):
        stats.summary()
    assert "Message: mine" in errors.getvalue()


@proves(f"{STATS}.summary_function", "file")
@proves(f"{STATS}.summary_globals", "file")
@proves(f"{STATS}.summary_class", "file", "N")
@proves(f"{STATS}.summary_ops", "file", "N")
@proves(f"{STATS}.summary_nodes", "file", "N")
@proves(f"{STATS}.summary_memory", "file", "N")
@proves(f"{STATS}.print_tips", "file")
def the_parts_of_a_report() -> None:
    stats = profiled()
    assert "Message: mine" in text(stats.summary_function)
    assert "Time since import" in text(stats.summary_globals)
    for part, title, count in (
        (stats.summary_class, "Class\n-----", "remaining 1 Classes"),
        (stats.summary_ops, "Ops\n---", "remaining 2 Ops"),
        (stats.summary_nodes, "Apply\n-----", "remaining 2 Apply"),
        (stats.summary_memory, "Memory Profile", "remaining 2 Apply"),
    ):
        assert title in text(part)
        assert "remaining 0" in text(part)
        assert count in text(part, N=1)
    assert "interpreter" in text(stats.print_tips)


proven_by(f"{PROFILE_TESTS}test_a_loop_has_a_part_of_its_own", (REPORT, "scan"))
proven_by(f"{PROFILE_TESTS}test_total", (REPORT, "sum over functions"))
proven_by(f"{PROFILE_TESTS}test_profiles_are_printed_when_python_ends",
          (REPORT, "at exit"), (REPORT, "sum over functions"))  # fmt: skip
proven_by(f"{PROFILE_TESTS}test_memory_is_that_of_real_shapes", (REPORT, "memory"))


def used(**options: object) -> ProfileMode:
    """A mode with one function that was called three times."""
    mode = ProfileMode(**options)
    f = theano.function([x], [T.tanh(x) + 1, T.exp(x)], mode=mode, name="train")
    for _ in range(3):
        f(np.ones(10))
    return mode


def printed(method: object, *args: object, **options: object) -> str:
    """What a method prints to standard output."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        method(*args, **options)
    return out.getvalue()


@proves(MODE, "linker", "optimizer")
@proves(OLD_REPORT, "star for native code")
def a_mode_that_profiles() -> None:
    slow = used(linker="py", optimizer="fast_compile")
    assert (slow.linker, slow.optimizer) == ("py", "fast_compile")
    assert "s *" not in printed(slow.print_summary)
    assert re.search(r"s \* +3 +1 +1 ", printed(used(linker="c|py").print_summary))


@proves(f"{MODE}.print_summary", "n_apply_to_print", "n_ops_to_print")
@proves(OLD_REPORT, "sections", "columns")
def the_report_of_a_mode() -> None:
    mode = used(linker="py", optimizer="fast_compile")
    whole = printed(mode.print_summary)
    places = [whole.index(part) for part in (
        "ProfileMode.print_summary()", "Time since import", "compile time", "fct call ", "Op time",
        "function overhead", "3 fct call", "Single Op-wise summary", "<nb_op> <nb_apply> <Op name>",
        "(*)", "\nOp-wise summary", "Apply-wise summary", "<Apply position>")]  # fmt: skip
    assert places == sorted(places)
    assert "remaining 2 Apply" in printed(mode.print_summary, n_apply_to_print=1)
    assert re.search(r"remaining 2 Ops? account", printed(mode.print_summary, n_ops_to_print=1))
    assert "remaining 2" not in whole


@proves(f"{MODE}.print_diff_summary", "other", "n_apply_to_print", "n_ops_to_print")
def the_difference_of_two_modes() -> None:
    modes = [ProfileMode(linker="py", optimizer="fast_compile") for _ in range(2)]
    for mode in modes:
        theano.function([x], [T.tanh(x), T.exp(x), x.sum()], mode=mode)(np.ones(10))
    first, second = modes
    second.profiles[0].call(1.0)

    def rows(**limits: int) -> list[int]:
        text = printed(first.print_diff_summary, second, **limits)
        assert "+1 fct call" in text
        return [len(re.findall(r"^   [+-]\d", part, re.M)) for part in text.split("Apply-wise")]

    assert rows() == [2, 3]  # classes of ops; nodes
    assert rows(n_ops_to_print=1) == [1, 3]
    assert rows(n_apply_to_print=1) == [2, 1]
