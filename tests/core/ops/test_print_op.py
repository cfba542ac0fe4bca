"""Print says what a value is, as often as the value is computed."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.debug.errors import NanGuardError
from workbench.core.ops.print_op import Print, silenced
from workbench.core.samples.print_op import quiet

x = T.dvector("x")
MODES = ("FAST_RUN", "FAST_COMPILE")


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


def lines(capsys):
    return capsys.readouterr().out.splitlines()


def test_it_prints_in_every_call(mode, capsys):
    f = wb.function([x], Print("this is a very important value")(x) * 5, mode=mode)
    assert capsys.readouterr().out == ""
    np.testing.assert_array_equal(f([1, 2, 3]), [5, 10, 15])
    f([1])
    assert lines(capsys) == [
        "this is a very important value __str__ = [1. 2. 3.]",
        "this is a very important value __str__ = [1.]",
    ]


def test_attributes_and_a_function_of_ones_own(mode, capsys):
    wb.function([x], Print("x", attrs=("shape", "min"))(x), mode=mode)([1, 2])
    assert lines(capsys) == ["x shape = (2,)", "x min = 1.0"]
    seen = []
    own = Print("own", global_fn=lambda op, value: seen.append((op.message, value.tolist())))
    wb.function([x], own(x) + 1, mode=mode)([1, 2])
    assert seen == [("own", [1.0, 2.0])]
    assert lines(capsys) == []


@pytest.mark.parametrize(
    "use",
    [
        lambda p: 0 * p,
        lambda p: p - p,
        lambda p: T.zeros_like(p),
        lambda p: p.shape[0],
        lambda p: p**0,
        lambda p: T.log(T.exp(p)),
        lambda p: T.switch(True, x, p),
        lambda p: (p + 1)[:0],
    ],
)
def test_no_rule_drops_it(use, capsys):
    wb.function([x], use(Print("kept")(x)))([1.0])
    assert lines(capsys) == ["kept __str__ = [1.]"]


def test_two_uses_stay_two(mode, capsys):
    p = Print("p")
    wb.function([x], p(x) + p(x), mode=mode)([1.0])
    assert len(lines(capsys)) == 2
    once = p(x)
    wb.function([x], once * once + T.exp(once), mode=mode)([1.0])
    assert len(lines(capsys)) == 1


def test_a_constant_is_printed_when_it_runs(mode, capsys):
    f = wb.function([], Print("c")(T.constant(2.0)) + 1, mode=mode)
    assert lines(capsys) == []
    assert f() == f() == 3
    assert len(lines(capsys)) == 2


def test_a_loop_prints_in_every_iteration(mode, capsys):
    w = wb.shared(2.0, "w")
    rows, _ = wb.scan(lambda a, h: T.tanh(w * a + Print("h")(h)), x, T.constant(0.0))
    f = wb.function([x], [rows[-1], T.grad(rows[-1], w)], mode=mode)
    f([1.0, 2.0, 3.0])
    assert len(lines(capsys)) == 3
    doubled, _ = wb.scan(lambda a: Print("a")(a) * 2, x)
    wb.function([x], doubled, mode=mode)([1.0, 2.0])
    assert lines(capsys) == ["a __str__ = 1.0", "a __str__ = 2.0"]


def test_a_loop_prints_what_does_not_change_in_every_iteration_too(mode, capsys):
    w = wb.shared(2.0, "w")
    outside = Print("outside")(w)

    def step(a, h, v):
        return T.tanh(Print("inside")(w) * a + h + outside + Print("fixed")(v))

    rows, _ = wb.scan(step, x, T.constant(0.0), non_sequences=x.sum())
    f = wb.function([x], [rows[-1], T.grad(rows[-1], w)], mode=mode)
    f([1.0, 2.0])
    assert lines(capsys) == [
        "outside __str__ = 2.0",
        *["inside __str__ = 2.0", "fixed __str__ = 3.0"] * 2,
    ]


def test_gradients_pass_through(mode, capsys):
    g = T.grad(T.sum(Print("g")(x) ** 2), x)
    np.testing.assert_array_equal(wb.function([x], g, mode=mode)([3.0]), [6.0])
    assert len(lines(capsys)) == 1


def test_it_is_told_why_a_node_is_not_native():
    f = wb.function([x], Print("n")(x) + 1)
    (note,) = f.linked.notes
    assert note.startswith("Print{message='n'} is run by the interpreter")


def test_a_call_that_fails_does_not_print_again(mode, capsys):
    y = T.dvector("y")
    f = wb.function([x, y], Print("once")(x) + y, mode=mode)
    with pytest.raises(ValueError, match="dimension mismatch"):
        f([1.0], [1.0, 2.0])
    assert len(lines(capsys)) == 1
    guarded = wb.function([x], T.log(Print("once")(x)), mode="NanGuardMode")
    with pytest.raises(NanGuardError):
        guarded([-1.0])
    assert len(lines(capsys)) == 1


def test_silence(capsys):
    f = wb.function([x], Print("quiet")(x))
    with silenced():
        f([1.0])
    assert lines(capsys) == []


def test_pickles(capsys):
    one, two = (Print("p", ("shape",), quiet)(x) for _ in range(2))
    again = pickle.loads(pickle.dumps([one + two, one]))
    assert again[0].owner.inputs[0] is again[1]
    assert again[0].owner.inputs[0].owner.op != again[0].owner.inputs[1].owner.op
