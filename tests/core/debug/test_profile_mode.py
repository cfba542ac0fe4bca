"""ProfileMode prints the times of all its functions."""

from __future__ import annotations

import io
import re

import numpy as np

import workbench as wb
import workbench.tensor as T
from workbench.core.debug.profile_mode import ProfileMode
from workbench.core.ops.print_op import Print
from workbench.core.samples.print_op import quiet

x, m = T.dvector("x"), T.dmatrix("m")


def summary(mode, **options):
    file = io.StringIO()
    mode.print_summary(file=file, **options)
    return file.getvalue()


def used(**options):
    mode = ProfileMode(**options)
    f = wb.function([m], T.tanh(m.dot(np.ones(50))), mode=mode, name="train")
    g = wb.function([x], Print("p", global_fn=quiet)(x) * 2, mode=mode, name="show")
    for _ in range(5):
        f(np.ones((100, 50)))
    g([1.0])
    return mode


def test_the_tutorials_sections_in_order():
    text = summary(used(optimizer="fast_run", linker="c|py"))
    parts = (
        "ProfileMode.print_summary()\n---------------------------\n",
        "Time since import ", "compile time: ", "    Optimization time: ", "    Linker time: ",
        "fct call ", "   Op time ", "   function overhead in ProfileMode ", "6 fct call, ",
        "Rest of the time since import ",
        "fct summary:\n<% total fct time> <total time> <time per call> <nb call> <fct name>",
        "Single Op-wise summary:\n<% of local_time spent on this kind of Op> <cumulative %> ",
        "<nb_op> <nb_apply> <Op name>", "single Op account for", "(*) Op is running a native",
        "Op-wise summary:\n<% of local_time", "<nb apply> <Op name>", " Op account for",
        "Apply-wise summary:\n<% of local_time spent at this position>", "<Apply position>",
        "Apply instances account for",
    )  # fmt: skip
    places, start = [], 0
    for part in parts:
        start = text.index(part, start)
        places.append(start)
    assert re.search(r"\d% [\d.]+s [\d.e-]+s 5 train\n", text)
    assert re.search(r"\d% [\d.]+s [\d.e-]+s 1 show\n", text)


def test_a_star_marks_native_code():
    text = summary(used())
    assert re.search(r"s \* +5 +1 +1  <class 'workbench\.core\.ops\.dot\.Gemv'>", text)
    assert re.search(r"s   +1 +1 +1  <class 'workbench\.core\.ops\.print_op\.Print'>", text)
    assert re.search(r"s \* +5 +\d+  Gemv\(", text)
    text = summary(used(linker="py"))
    assert "s *" not in text


def test_shares_add_up():
    text = summary(used(linker="py", optimizer=None))
    ops = text[text.index("\nOp-wise summary:") : text.index("Apply-wise")]
    rows = re.findall(r"^ +([\d.]+)% +([\d.]+)%", ops, re.M)
    assert len(rows) > 3
    shares = [float(share) for share, _ in rows]
    assert shares == sorted(shares, reverse=True)
    assert abs(sum(shares) - 100) < 1
    assert float(rows[-1][1]) == 100


def test_limits():
    mode = used(linker="py", optimizer=None)
    text = summary(mode, n_apply_to_print=1, n_ops_to_print=2)
    assert not re.search(r"remaining 0 (Op|Apply)", text)
    with wb.config.change(ProfileMode__n_apply_to_print=1, ProfileMode__n_ops_to_print=2):
        again = summary(mode)
    cut = text.index("fct summary")
    assert again[again.index("fct summary") :] == text[cut:]


def test_memory():
    with wb.config.change(ProfileMode__profile_memory=True):
        mode = used(linker="py", optimizer=None)
    text = summary(mode)
    assert "makes results of" in text
    assert re.search(r"800B  \[\(100,\)\] .*tanh", summary_from(mode, 800))
    assert not re.search(r"800B  \[\(100,\)\]", summary_from(mode, 801))
    assert "B  [" not in summary(mode)  # nothing here is of 1024 bytes
    assert "makes results of" not in summary(used())


def summary_from(mode, smallest):
    with wb.config.change(ProfileMode__min_memory_size=smallest):
        return summary(mode)


def test_difference():
    first, second = used(), used()
    second.profiles[0].call(1.0)
    file = io.StringIO()
    first.print_diff_summary(second, file=file)
    text = file.getvalue()
    assert "+1 fct call" in text
    assert re.search(r"fct call \+(1\.\d+e\+00|9\.\d+e-01)s", text)
    assert "workbench.core.ops.dot.Gemv" in text


def test_modes_do_not_share_their_functions():
    first, second = ProfileMode(), ProfileMode()
    f = wb.function([x], x + 1, mode=first)
    assert first.profiles == [f.profile]
    assert second.profiles == []
    assert first != second
    kept = first.excluding("fusion")
    wb.function([x], x + 1, mode=kept)
    assert len(first.profiles) == 2  # a mode made of another one belongs to it


def test_standard_output(capsys):
    ProfileMode().print_summary()
    assert "0 fct call" in capsys.readouterr().out
