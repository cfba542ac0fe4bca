"""theano.scan and its kin: every parameter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import proves

A = np.arange(1.0, 5.0)
SCAN = "theano.scan"
x = T.dvector("x")


def run(output: object, updates: object = None, **given: object) -> list[object]:
    """The value of an output of x, as lists."""
    f = theano.function([x], output, updates=updates, on_unused_input="ignore")
    value = f(given.get("x", A))
    return [v.tolist() for v in value] if isinstance(value, list) else value.tolist()


@proves(SCAN, "fn", "sequences")
@proves("scan", "one value for a list", "returns outputs")
def a_step_is_applied_to_each_row() -> None:
    out, updates = theano.scan(lambda a: a * 2, sequences=x)
    assert run(out) == (A * 2).tolist()
    assert not updates
    out, _ = theano.scan(lambda a, b: a * b, sequences=[x, A[::-1].copy()])
    assert run(out) == (A * A[::-1]).tolist()
    several, _ = theano.scan(lambda a: (a, -a), x)
    assert run(several) == [A.tolist(), (-A).tolist()]
    assert theano.scan(lambda a: [], x)[0] is None


@proves(SCAN, "outputs_info")
def outputs_that_are_fed_back() -> None:
    sums, _ = theano.scan(lambda a, s: s + a, x, outputs_info=T.constant(0.0, dtype="float64"))
    assert run(sums) == A.cumsum().tolist()
    both, _ = theano.scan(lambda a, s: (s + a, s * 0 + a), x, [{"initial": np.float64(10)}, None])
    assert run(both) == [(10 + A.cumsum()).tolist(), A.tolist()]
    for none in (None, [], [None], [{}]):
        assert run(theano.scan(lambda a: a + 1, x, none)[0]) == (A + 1).tolist()
    with pytest.raises(ValueError, match="Please provide None as outputs_info"):
        theano.scan(lambda a, s: (a, s), x, [np.float64(0)])


@proves(SCAN, "non_sequences")
def what_is_the_same_in_every_step() -> None:
    k = theano.shared(3.0, "k")
    seen = []

    def step(a: object, *fixed: object) -> object:
        seen.extend(fixed)
        return a * fixed[0] + fixed[1]

    out, _ = theano.scan(step, x, non_sequences=[k, 1.0])
    assert run(out) == (A * 3 + 1).tolist()
    assert seen[0].name == "k"
    assert run(theano.scan(lambda a, b: a * b, x, non_sequences=k)[0]) == (A * 3).tolist()


@proves(SCAN, "n_steps")
@proves("scan", "zero steps")
def the_number_of_steps() -> None:
    n = T.lscalar("n")

    def powers(steps: object) -> object:
        return theano.scan(lambda p: p * 2, outputs_info=np.float64(1), n_steps=steps)[0]

    assert powers(3).eval().tolist() == [2, 4, 8]
    assert powers(1).eval().tolist() == [2]
    f = theano.function([n], powers(n))
    assert f(4).tolist() == [2, 4, 8, 16]
    assert f(0).shape == (0,)
    assert run(theano.scan(lambda a: a, x, n_steps=2)[0]) == [1, 2]
    assert run(theano.scan(lambda a: a, x, n_steps=2, go_backwards=True)[0]) == [4, 3]
    assert run(theano.scan(lambda a: a, x)[0], x=np.empty(0)) == []
    with pytest.raises(IndexError):
        f(-1)
    with pytest.raises(ValueError, match="steps"):
        powers(-1)
    with pytest.raises(ValueError, match=r"(?i)integer|whole|float"):
        powers(T.dscalar("d"))
    with pytest.raises(ValueError, match="No information about the number of steps provided"):
        powers(None)
    with pytest.raises(ValueError, match=r"rows|steps|length"):
        run(theano.scan(lambda a: a, x, n_steps=9)[0])


@proves(SCAN, "truncate_gradient")
def gradients_flow_through_the_last_steps_only() -> None:
    v, s = T.dvector("v"), T.dscalar("s")

    def slopes(**options: int) -> list[list[float]]:
        out, _ = theano.scan(lambda a, p: p * a, v, outputs_info=s, **options)
        f = theano.function([s, v], theano.grad(out[-1], [s, v]))
        return [g.tolist() for g in f(5.0, [2.0, 3.0, 4.0])]

    assert slopes(truncate_gradient=1) == [0, [0, 0, 30]]
    assert slopes() == slopes(truncate_gradient=-1) == [24, [60, 40, 30]]


@proves(SCAN, "go_backwards")
def sequences_from_the_last_row_to_the_first() -> None:
    assert run(theano.scan(lambda a: a, x, go_backwards=True)[0]) == A[::-1].tolist()
    out, _ = theano.scan(lambda a, s: 10 * s + a, x, np.float64(0), go_backwards=True)
    assert run(out) == [4, 43, 432, 4321]


@proves(SCAN, "mode", "name", "profile", "allow_gc")
def a_loop_has_a_mode_a_name_and_a_profile() -> None:
    def loop(**options: object) -> theano.function:
        out, _ = theano.scan(
            lambda a, s: s * T.exp(a) + T.log(T.exp(a)), x, np.float64(0), **options
        )
        return theano.function([x], out)

    plain = loop()
    expected = plain(A)

    def body(f: object) -> int:
        return theano.printing.debugprint(f, file="str").split("Inner graphs")[1].count("log")

    assert body(plain) == 0
    slow = loop(mode=theano.Mode("py", None))
    assert body(slow) > 0
    np.testing.assert_allclose(slow(A), expected)
    named = loop(name="decay")
    assert "decay" in theano.printing.debugprint(named, file="str")
    assert plain.profile is None
    profiled = loop(profile="the loop")
    np.testing.assert_allclose(profiled(A), expected)
    assert profiled.profile.name == "the loop"
    for free in (True, False, None):
        np.testing.assert_allclose(loop(allow_gc=free)(A), expected)
    with pytest.raises(Exception, match="no mode"):
        loop(mode="SLOW")


@proves(SCAN, "strict")
def shared_variables_must_be_listed_where_it_is_strict() -> None:
    k, y = theano.shared(3.0, "k"), T.dscalar("y")
    with pytest.raises(theano.gof.MissingInputError, match="k"):
        theano.scan(lambda a: a * k, x, strict=True)
    assert run(theano.scan(lambda a, k: a * k, x, non_sequences=k, strict=True)[0]) == [3, 6, 9, 12]
    assert run(theano.scan(lambda a: a * k, x)[0]) == [3, 6, 9, 12]
    out, _ = theano.scan(lambda a: a * y, x, strict=True)  # it is no shared variable
    assert theano.function([x, y], out)(A, 2).tolist() == (A * 2).tolist()


@proves(SCAN, "return_list")
def one_output_may_come_in_a_list() -> None:
    assert isinstance(theano.scan(lambda a: a, x, return_list=True)[0], list)
    assert not isinstance(theano.scan(lambda a: [a], x)[0], list)


@proves("theano.map", "fn", "sequences", "non_sequences", "go_backwards", "name", "mode")
def map_is_a_loop_without_feedback() -> None:
    out, updates = theano.map(
        lambda a, k: a * k, x, 3.0, go_backwards=True, name="tripled", mode=theano.Mode("py", None)
    )
    assert run(out) == (A * 3)[::-1].tolist()
    assert dict(updates) == {}
    assert "tripled" in theano.printing.debugprint(out, file="str")
    f = theano.function([x], out)
    assert [type(n.op).__name__ for n in f.maker.fgraph.toposort()].count("Scan") == 1
    g = theano.function([x], theano.map(lambda a, k: a * k, x, 3.0)[0])
    assert "Scan" not in [type(n.op).__name__ for n in g.maker.fgraph.toposort()]


@proves("theano.map", "truncate_gradient")
def map_takes_truncate_gradient() -> None:
    def slopes(k: int) -> list[float]:
        out, _ = theano.map(lambda a: a * a, x, truncate_gradient=k)
        return run(theano.grad(out.sum(), x))

    assert slopes(-1) == (2 * A).tolist()
    assert slopes(2) == [0, 0, 6, 8]


@proves("theano.reduce", "fn", "sequences", "outputs_info", "non_sequences", "go_backwards")
@proves("theano.foldl", "fn", "sequences", "outputs_info", "non_sequences")
@proves("theano.foldr", "fn", "sequences", "outputs_info", "non_sequences")
def folds_give_the_last_value() -> None:
    def digits(a: object, number: object, base: object) -> object:
        return number * base + a

    for fold, options, expected in (
        (theano.reduce, {}, 1234),
        (theano.reduce, {"go_backwards": True}, 4321),
        (theano.foldl, {}, 1234),
        (theano.foldr, {}, 4321),
    ):
        out, updates = fold(digits, x, np.float64(0), 10.0, **options)
        assert run(out) == expected
        assert dict(updates) == {}
        two, _ = fold(lambda a, s, p: (s + a, p * a), x, [np.float64(0), np.float64(1)], **options)
        assert run(two) == [10, 24]


@proves("theano.reduce", "mode", "name")
@proves("theano.foldl", "mode", "name")
@proves("theano.foldr", "mode", "name")
def folds_have_a_mode_and_a_name() -> None:
    def body(fold: Callable[..., object], **options: object) -> str:
        out, _ = fold(lambda a, s: s + T.log(T.exp(a)), x, np.float64(0), **options)
        f = theano.function([x], out)
        assert f(A) == pytest.approx(10)
        return theano.printing.debugprint(f, file="str")

    for fold in (theano.reduce, theano.foldl, theano.foldr):
        assert "exp" not in body(fold)
        text = body(fold, mode=theano.Mode("py", None), name="total")
        assert "exp" in text
        assert "total" in text


@proves("theano.scan_module.until", "condition")
@proves("scan", "returns outputs, until")
def a_loop_ends_after_the_step_in_which_the_condition_is_true() -> None:
    until = theano.scan_module.until
    out, _ = theano.scan(
        lambda p: (p * 2, until(p * 2 >= 20)), outputs_info=np.float64(1), n_steps=100
    )
    assert out.eval().tolist() == [2, 4, 8, 16, 32]
    out, _ = theano.scan(lambda a: (a, until(a > 99)), x)
    assert run(out) == A.tolist()  # it never becomes true
    with pytest.raises(AssertionError):
        until(x > 0)
    with pytest.raises(ValueError, match="No information about the number of steps"):
        theano.scan(lambda p: (p * 2, until(p > 9)), outputs_info=np.float64(1))
    slopes = theano.grad(theano.scan(lambda a: (a * a, until(a >= 2)), x)[0].sum(), x)
    assert run(slopes) == [2, 4, 0, 0]
