"""The option line: words, brackets, quotes, and what is refused."""

from __future__ import annotations

import pytest

from workbench.errors import UsageError
from workbench.magics.options import OPTIONS, complete, option_help, parse


def test_a_full_line():
    r = parse(
        "logreg -o wbk --inputs x y --outputs cost --wrt w, b "
        "--values x=D[0] y=D[1] --view rewrites --mode FAST_RUN"
    )
    assert (r.words, r.out, r.inputs, r.outputs) == (["logreg"], "wbk", ["x", "y"], ["cost"])
    assert (r.wrt, r.values, r.view, r.mode) == (
        ["w", "b"],
        {"x": "D[0]", "y": "D[1]"},
        "rewrites",
        "FAST_RUN",
    )


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("--values x=f(a, b) y=[1, 2]", {"x": "f(a, b)", "y": "[1, 2]"}),
        ("--values x='D[0] + 1'", {"x": "D[0] + 1"}),
        ('--values x="D[0]" y=2', {"x": "D[0]", "y": "2"}),
        ("--values x=a + b y=3", {"x": "a + b", "y": "3"}),
        ("--values x=D['a b'], y=a==b", {"x": "D['a b']", "y": "a==b"}),
        ("--values x=-1", {"x": "-1"}),
        ("--values x=np.ones((2, 3))[:, 0]", {"x": "np.ones((2, 3))[:, 0]"}),
    ],
)
def test_expressions_of_values(line, values):
    assert parse(line).values == values


def test_other_spellings():
    assert parse("--view=scan").view == "scan"
    assert parse("--out q").out == "q"
    assert parse("--inputs x,y").inputs == ["x", "y"]
    assert parse("name ;").silent
    assert parse("").words == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--vew graph", "no option --vew. Did you mean '--view'"),
        ("-x", "no option -x"),
        ("--view grph", "Did you mean 'graph'"),
        ("--view", "--view needs a value, as in --view rewrites"),
        ("-o 3x", "-o takes a Python name"),
        ("--values D[0]", "NAME=EXPRESSION"),
        ("--values x=", "needs an expression"),
        ("--values x=[1, 2", "a bracket is not closed"),
        ("--values x='a", "a quote is not closed"),
    ],
)
def test_usage_errors_are_one_line(line, message):
    with pytest.raises(UsageError) as caught:
        parse(line)
    assert message in caught.value.wrong
    assert "\n" not in caught.value.wrong


def test_completion():
    assert complete("--v", ["x"]) == ["--values", "--view"]
    assert complete("--values x=1 --v", ["x"]) == ["--values", "--view"]
    assert complete("--view ", []) == ["graph", "rewrites", "values", "scan", "profile"]
    assert complete("--mode N", []) == ["NanGuardMode"]
    assert {"DebugMode", "FAST_COMPILE"} <= set(complete("--mode ", []))
    assert complete("--wrt w", ["w", "x", "w2"]) == ["w", "w2"]
    assert complete("--values ", ["x"]) == ["x="]
    assert complete("", []) == [o.flag for o in OPTIONS]


def test_help_names_every_option():
    assert all(option.flag in option_help() for option in OPTIONS)
