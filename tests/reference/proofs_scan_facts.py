"""What the reference says of loops besides their parameters; OrderedUpdates; branches."""

from __future__ import annotations

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import proven_by, proves
from workbench.theano.scan_module import until
from workbench.theano.tensor.shared_randomstreams import RandomStreams

A = np.arange(1.0, 5.0)
UPDATES = "theano.OrderedUpdates"
x, y = T.dvectors("x", "y")


@proves("scan", "order of fn's arguments", "inner names")
def arguments_are_sequences_states_and_fixed_values() -> None:
    seen: list[object] = []

    def step(*arguments: object) -> list[object]:
        seen.extend(a.name for a in arguments)
        return [arguments[3] + arguments[0], arguments[4] * 1]

    k, s, r = T.dscalar("k"), T.dvector("s"), T.dscalar("r")
    theano.scan(
        step, [{"input": x, "taps": [-1, 1]}, y], [{"initial": s, "taps": [-1]}, r], k, n_steps=2
    )
    theano.scan(
        lambda *names: seen.append([n.name for n in names]) or names[2] * 1,
        {"input": x, "taps": [0, 1]},
        {"initial": s, "taps": [-2, -1]},
    )
    assert seen == ["x[t-1]", "x[t+1]", "y[t]", "s[t-1]", "r[t-1]", "k",
                    ["x[t]", "x[t+1]", "s[t-2]", "s[t-1]"]]  # fmt: skip


@proves("scan", "taps of a sequence", "shortest sequence")
def rows_before_and_after() -> None:
    out, _ = theano.scan(lambda a, b, c: 100 * a + 10 * b + c, {"input": x, "taps": [-1, 0, 1]})
    assert theano.function([x], out)(A).tolist() == [123, 234]
    assert theano.function([x], theano.scan(lambda a: a, {"input": x, "taps": 2})[0])(
        A
    ).tolist() == [
        3,
        4,
    ]
    pair = theano.function([x, y], theano.scan(lambda a, b: a + b, [x, y])[0])
    assert pair(A, np.ones(2)).tolist() == [2, 3]


@proves("scan", "taps of a state", "states that are refused")
def states_look_back() -> None:
    start = T.dvector("start")
    out, _ = theano.scan(
        lambda a, b: a + b, outputs_info={"initial": start, "taps": [-2, -1]}, n_steps=4
    )
    assert theano.function([start], out)([0, 1]).tolist() == [1, 2, 3, 5]
    one, _ = theano.scan(lambda a: a + 1, outputs_info={"initial": np.float64(0)}, n_steps=2)
    assert one.eval().tolist() == [1, 2]
    for wrong in (
        {"taps": [-1]},
        {"initial": start, "taps": [0]},
        {"initial": start, "taps": [1]},
        {"initial": start, "taps": [-1, -1]},
        {"initial": start, "return_steps": 2},
    ):
        with pytest.raises(ValueError, match=r"tap|initial|return_steps"):
            theano.scan(lambda *a: a[0], outputs_info=wrong, n_steps=2)


@proves("scan", "returns updates", "returns outputs, updates", "returns updates, until",
        "returns outputs, updates, until", "updates that are not passed on")  # fmt: skip
def updates_are_what_a_shared_variable_is_after_the_loop() -> None:
    k = theano.shared(0.0, "k")
    forms = {
        "dict": lambda a: {k: k + a},
        "pairs": lambda a: [(k, k + a)],
        "outputs": lambda a: (a, {k: k + a}),
        "until": lambda a: ({k: k + a}, until(a >= 3)),
        "all": lambda a: ([a], [(k, k + a)], until(a >= 3)),
    }
    ends = {"dict": 10, "pairs": 10, "outputs": 10, "until": 6, "all": 6}
    for name, form in forms.items():
        out, updates = theano.scan(form, x)
        assert isinstance(updates, theano.OrderedUpdates)
        k.set_value(0.0)
        theano.function([x], [] if out is None else out, updates=updates, on_unused_input="ignore")(
            A
        )
        assert k.get_value() == ends[name], name
        assert (out is None) == (name in ("dict", "pairs", "until"))
    out, updates = theano.scan(forms["outputs"], x)
    k.set_value(0.0)
    with pytest.warns(UserWarning, match="updates") as told:
        theano.function([x], out)(A)
    assert told
    assert k.get_value() == 0


@proves("scan", "returns updates before outputs", "returns no variable")
def what_a_step_may_not_return() -> None:
    k = theano.shared(0.0, "k")
    with pytest.raises(ValueError, match="updates before outputs"):
        theano.scan(lambda a: ({k: k + a}, [a]), x)
    for value in (None, 3.0, np.ones(2), [x, 3]):
        with pytest.raises(ValueError, match=r"tensor\.constant"):
            theano.scan(lambda a, value=value: value, x)


@proves("scan", "type of a state")
def a_state_keeps_its_type() -> None:
    wide, narrow = T.dscalar("wide"), T.fscalar("narrow")
    with pytest.raises(ValueError, match=r"(?s)wide.*float64.*float32|float32.*wide.*float64"):
        theano.scan(lambda a, s: T.cast(s + a, "float32"), x, wide)
    out, _ = theano.scan(lambda a, s: s + a, x, narrow)  # a conversion that loses nothing is made
    assert theano.function([x, narrow], out)(A, 0).tolist() == A.cumsum().tolist()
    with pytest.raises(ValueError, match="dimensions"):
        theano.scan(lambda a, s: s + x, x, np.float64(0))
    row = T.drow("row")
    m = T.dmatrix("m")
    fitting = T.unbroadcast(row, 0)
    out, _ = theano.scan(lambda s: s + m, outputs_info=fitting, n_steps=2)
    assert theano.function([row, m], out)(np.ones((1, 2)), np.ones((1, 2)))[-1].tolist() == [[3, 3]]


@proves("scan", "captured variables")
def variables_that_fn_reads_are_found() -> None:
    k, w = theano.shared(2.0, "k"), T.dscalar("w")
    out, _ = theano.scan(lambda a: a * k + w * w, x)
    assert theano.function([x, w], out)(A, 3).tolist() == (A * 2 + 9).tolist()


@proves("scan", "captured random variable")
def a_random_variable_is_drawn_in_each_step_or_once() -> None:
    u = RandomStreams(3).uniform()
    drawn, updates = theano.scan(lambda: u, n_steps=5)
    first, second = (theano.function([], drawn, updates=updates) for _ in range(2))
    values = np.concatenate([first(), second()])
    assert len({*values.tolist()}) == 10
    held, updates = theano.scan(lambda v: v * 1, non_sequences=u, n_steps=5)
    assert len({*theano.function([], held, updates=updates)().tolist()}) == 1


@proves("scan", "nested", "gradient of an int sequence")
def loops_in_loops_and_ints_in_gradients() -> None:
    m = T.dmatrix("m")
    out, _ = theano.scan(lambda row: theano.scan(lambda a: a * a, row)[0].sum(), m)
    slopes = theano.function([m], theano.grad(out.sum(), m))
    np.testing.assert_array_equal(slopes(np.ones((2, 3))), np.full((2, 3), 2.0))
    i = T.lvector("i")
    out, _ = theano.scan(lambda a, b: a * b, [x, i])
    gx, gi = theano.grad(out.sum(), [x, i])
    f = theano.function([x, i], [gx, gi], on_unused_input="ignore")
    slope, of_ints = f(A, [1, 2, 3, 4])
    assert slope.tolist() == [1, 2, 3, 4]
    assert of_ints.dtype == "float64"


proven_by("tests/core/scan/test_scan_rules.py::test_only_the_last_value_is_kept",
          ("scan", "memory of last rows"))  # fmt: skip
proven_by("tests/core/scan/test_scan_rules.py::test_last_rows", ("scan", "memory of last rows"))


@proves(UPDATES, "keys", "+", "update", "order")
def ordered_updates() -> None:
    a, b, c = (theano.shared(float(i), name) for i, name in enumerate("abc"))
    updates = theano.OrderedUpdates([(c, c + 1), (a, a + 1)])
    assert [v.name for v in updates] == ["c", "a"]
    with pytest.raises(TypeError, match="shared"):
        updates[T.dscalar("d")] = a
    joined = updates + {b: b * 2}
    assert isinstance(joined, theano.OrderedUpdates)
    assert (list(joined), list(updates)) == ([c, a, b], [c, a])
    with pytest.raises(KeyError, match="Collision"):
        updates + {a: a + 2}
    with pytest.raises(KeyError, match="Collision"):
        updates.update({a: a + 2})
    updates.update({b: b + 5})
    theano.function([], [], updates=updates)()
    assert [float(v.get_value()) for v in (a, b, c)] == [1, 6, 3]


@proves("theano.ifelse.ifelse", "condition", "then_branch", "else_branch")
def a_branch_is_chosen() -> None:
    c, i = T.lscalar("c"), T.lscalar("i")
    f = theano.function([c, x, i], theano.ifelse.ifelse(c, x * 2, T.tanh(x)[i] + x))
    assert f(3, A, 99).tolist() == (A * 2).tolist()  # the index is not looked at
    assert f(0, A, 0).tolist() == (np.tanh(1) + A).tolist()
    two = theano.ifelse.ifelse(c, [x, -x], [x + 1, x + 2])
    assert theano.function([c, x], two[1])(0, A).tolist() == (A + 2).tolist()
    for wrong, kind in (
        (lambda: theano.ifelse.ifelse(x, x, x), TypeError),
        (lambda: theano.ifelse.ifelse(c, x, x.sum()), TypeError),
        (lambda: theano.ifelse.ifelse(c, x.sum(), T.constant(1)), TypeError),
        (lambda: theano.ifelse.ifelse(c, [x, x], [x]), ValueError),
    ):
        with pytest.raises(kind):
            wrong()


@proves("theano.ifelse.ifelse", "name")
def a_choice_has_a_name() -> None:
    chosen = theano.ifelse.ifelse(T.lscalar("c"), x, -x, name="turn")
    assert "turn" in theano.printing.debugprint(chosen, file="str")


@proves("T.switch", "cond", "ift", "iff")
def switch_chooses_element_by_element() -> None:
    out = T.switch(T.gt(x, 2), x, T.constant(0, dtype="int8"))
    assert theano.function([x], out)(A).tolist() == [0, 0, 3, 4]
    assert T.switch(T.bvector() > 0, 1, np.float32(2)).dtype == "float32"
    m = T.dmatrix("m")
    assert theano.function([m, x], T.switch(x > 2, m, 0.0))(np.ones((2, 4)), A).tolist() == [
        [0, 0, 1, 1]] * 2  # fmt: skip


@proves("theano.clone", "output", "replace", "strict", "share_inputs")
def a_graph_is_copied_with_replacements() -> None:
    z = T.exp(x) * y
    copy = theano.clone(z, replace={y: x + 1})
    assert theano.function([x], copy)(A).tolist() == pytest.approx(np.exp(A) * (A + 1))
    first, second = theano.clone([z, -z], replace=[(x, y)])
    assert theano.function([y], [first, second])(A)[0].tolist() == pytest.approx(np.exp(A) * A)
    narrow = T.fvector("narrow")
    with pytest.raises(TypeError):
        theano.clone(z, replace={y: narrow})
    assert theano.clone(T.exp(y), replace={y: narrow}, strict=False).dtype == "float32"
    own = theano.clone(z, share_inputs=False)
    with pytest.raises(theano.gof.MissingInputError):
        theano.function([x, y], own, on_unused_input="ignore")
    assert theano.function([x, y], theano.clone(z))(A, A).tolist() == pytest.approx(np.exp(A) * A)
