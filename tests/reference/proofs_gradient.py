"""Derivatives: every parameter of grad, jacobian, hessian, Rop, Lop and verify_grad, what controls
a gradient, and the conventions.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import proves
from workbench.theano import gradient

A = np.array([1.0, -2.0, 3.0])
GRAD, JACOBIAN, HESSIAN = "theano.grad", "theano.gradient.jacobian", "theano.gradient.hessian"
ROP, LOP, VERIFY = "theano.Rop", "theano.Lop", "theano.gradient.verify_grad"
CONVENTIONS = "conventions of gradients"
x, y, v = T.dvector("x"), T.dvector("y"), T.dvector("v")


def at(output: object, value: object = A) -> object:
    """The value of an output of x, as lists."""
    return theano.function([x], output, on_unused_input="ignore")(value).tolist()


@proves(GRAD, "cost", "wrt")
def gradients_have_the_form_of_wrt() -> None:
    cost = (x**2).sum() + (x * y).sum()
    assert theano.function([x, y], theano.grad(cost, x))(A, A).tolist() == (3 * A).tolist()
    both = theano.grad(cost, [x, y])
    assert isinstance(both, list)
    assert isinstance(theano.grad(cost, (x, y)), tuple)
    assert theano.function([x, y], both[1], on_unused_input="ignore")(A, A).tolist() == A.tolist()
    with pytest.raises(TypeError, match=r"cost must be a scalar\."):
        theano.grad(x, x)
    with pytest.raises(TypeError):
        theano.grad(cost, 3)
    with pytest.raises(AssertionError):
        theano.grad(None, x)


@proves(GRAD, "consider_constant")
def nothing_flows_through_constants() -> None:
    square = x**2
    cost = (square * x).sum()
    assert at(theano.grad(cost, x, consider_constant=[square])) == (A**2).tolist()
    assert at(theano.grad(cost, x)) == (3 * A**2).tolist()


@proves(GRAD, "disconnected_inputs")
def what_a_cost_does_not_depend_on() -> None:
    cost = x.sum()
    with pytest.raises(gradient.DisconnectedInputError):
        theano.grad(cost, y)
    assert issubclass(gradient.DisconnectedInputError, ValueError)
    with pytest.warns(UserWarning, match="y"):
        warned = theano.grad(cost, y, disconnected_inputs="warn")
    for zeros in (warned, theano.grad(cost, y, disconnected_inputs="ignore")):
        assert theano.function([y], zeros)(np.ones(2)).tolist() == [0, 0]
    with pytest.raises(ValueError, match="shout"):
        theano.grad(cost, y, disconnected_inputs="shout")


@proves(GRAD, "return_disconnected")
def what_is_returned_of_the_disconnected() -> None:
    def found(choice: str) -> object:
        options = {"disconnected_inputs": "ignore", "return_disconnected": choice}
        return theano.grad(x.sum(), [x, y], **options)[1]

    assert found("None") is None
    assert found("disconnected") is None
    assert theano.function([y], found("zero"))(A).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="nothing"):
        found("nothing")


@proves(GRAD, "add_names")
def gradients_have_names() -> None:
    cost = (x**2).sum()
    cost.name = "C"
    assert theano.grad(cost, x).name == "(dC/dx)"
    assert theano.grad(cost, x, add_names=False).name is None


@proves(GRAD, "known_grads")
def known_gradients_start_the_way_back() -> None:
    inner = x**2
    known = OrderedDict([(inner, T.constant(np.array([1.0, 10.0, 100.0])))])
    assert at(theano.grad(None, x, known_grads=known)) == (2 * A * [1, 10, 100]).tolist()
    with pytest.raises(TypeError):
        theano.grad(None, x, known_grads={"inner": x})


@proves(GRAD, "null_gradients")
def undefined_gradients_raise_or_are_nan() -> None:
    cost = T.gammainc(x, 2.0).sum()
    with pytest.raises(gradient.NullTypeGradError):
        theano.grad(cost, x)
    assert issubclass(gradient.NullTypeGradError, TypeError)
    assert np.isnan(at(theano.grad(cost, x, null_gradients="return"))).all()
    with pytest.raises(ValueError, match="null_gradients"):
        theano.grad(cost, x, null_gradients="hide")


@proves(JACOBIAN, "expression", "wrt", "consider_constant", "disconnected_inputs")
def jacobians() -> None:
    square = x**2
    assert at(T.jacobian(square, x)) == np.diag(2 * A).tolist()
    assert at(T.jacobian(square.sum(), x)) == (2 * A).tolist()
    m = T.dmatrix("m")
    over = T.jacobian(m.sum(axis=0), m)
    assert theano.function([m], over)(np.ones((2, 3))).shape == (3, 2, 3)
    assert isinstance(T.jacobian(x * y, [x, y]), list)
    assert isinstance(T.jacobian(x * y, (x, y)), tuple)
    cut = T.jacobian(square * x, x, consider_constant=[square])
    assert at(cut) == np.diag(A**2).tolist()
    with pytest.raises(AssertionError):
        T.jacobian(m, m)
    with pytest.raises(gradient.DisconnectedInputError):
        T.jacobian(x, y)
    zeros = T.jacobian(x, y, disconnected_inputs="ignore")
    assert theano.function([x, y], zeros)(A, np.ones(2)).tolist() == np.zeros((3, 2)).tolist()


@proves(HESSIAN, "cost", "wrt", "consider_constant", "disconnected_inputs")
def hessians() -> None:
    assert at(T.hessian((x**3).sum(), x)) == np.diag(6 * A).tolist()
    square = x**2
    assert at(T.hessian((square * x**2).sum(), x, consider_constant=[square])) == (
        np.diag(2 * A**2).tolist()
    )
    for wrong in (lambda: T.hessian(x, x), lambda: T.hessian(x.sum(), x.sum())):
        with pytest.raises((AssertionError, TypeError)):
            wrong()
    m = T.dmatrix("m")
    with pytest.raises(AssertionError):
        T.hessian(m.sum(), m)
    with pytest.raises(gradient.DisconnectedInputError):
        T.hessian((x**2).sum(), y)
    flat = T.hessian((x**2).sum(), y, disconnected_inputs="ignore")
    assert theano.function([x, y], flat, on_unused_input="ignore")(A, [1, 2]).tolist() == [
        [0, 0],
        [0, 0],
    ]


@proves(ROP, "f", "wrt", "eval_points", "disconnected_outputs", "return_disconnected")
def products_with_a_vector_on_the_right() -> None:
    w = np.array([1.0, 10.0, 100.0])
    f = theano.function([x, v], theano.Rop(x**2, x, v))
    assert f(A, w).tolist() == (2 * A * w).tolist()
    two = theano.Rop([x**2, x * y], [x, y], [v, v])
    assert theano.function([x, y, v], two)(A, A, w)[1].tolist() == (2 * A * w).tolist()
    with pytest.raises(AssertionError):
        theano.Rop(x, [x, y], [v])
    with pytest.raises(ValueError, match=r"axes|dimension|rank"):
        theano.Rop(x, x, T.dmatrix("m"))
    with pytest.raises(gradient.DisconnectedInputError):
        theano.Rop(y, x, v)
    with pytest.warns(UserWarning, match="y"):
        theano.Rop(y, x, v, disconnected_outputs="warn")
    options = {"disconnected_outputs": "ignore"}
    assert theano.function([y], theano.Rop(y, x, v, **options))(A).tolist() == [0, 0, 0]
    assert theano.Rop(y, x, v, return_disconnected="None", **options) is None


@proves(LOP, "f", "wrt", "eval_points", "consider_constant", "disconnected_inputs")
def products_with_a_vector_on_the_left() -> None:
    w = np.array([1.0, 10.0, 100.0])
    square = x**2
    assert theano.function([x, v], theano.Lop(square, x, v))(A, w).tolist() == (2 * A * w).tolist()
    cut = theano.Lop(square * x, x, v, consider_constant=[square])
    assert theano.function([x, v], cut)(A, w).tolist() == (A**2 * w).tolist()
    with pytest.raises(AssertionError):
        theano.Lop([x], [x], [v, v])
    with pytest.raises(gradient.DisconnectedInputError):
        theano.Lop(x, y, v)
    zeros = theano.Lop(x, y, v, disconnected_inputs="ignore")
    assert theano.function([y], zeros)([1, 2]).tolist() == [0, 0]


@proves("theano.gradient.disconnected_grad", "x")
@proves("theano.gradient.zero_grad", "x")
@proves("theano.gradient.consider_constant", "x")
@proves("theano.gradient.grad_clip", "x", "lower_bound", "upper_bound")
@proves("theano.gradient.grad_scale", "x", "multiplier")
def what_controls_a_gradient() -> None:
    def slope(stop: object, **options: str) -> object:
        out = stop(x)
        assert at(out) == A.tolist()  # the value goes through
        return at(theano.grad((5 * out).sum(), x, **options))

    with pytest.raises(gradient.DisconnectedInputError):
        slope(gradient.disconnected_grad)
    assert slope(gradient.disconnected_grad, disconnected_inputs="ignore") == [0, 0, 0]
    assert slope(gradient.zero_grad) == slope(gradient.consider_constant) == [0, 0, 0]
    assert slope(lambda a: gradient.grad_clip(a, lower_bound=-1, upper_bound=2)) == [2, 2, 2]
    assert slope(lambda a: gradient.grad_clip(-a, 0, 7) * -1) == [0, 0, 0]  # -5 is clipped to 0
    assert slope(lambda a: gradient.grad_clip(-a, -1, 7) * -1) == [1, 1, 1]
    assert slope(lambda a: gradient.grad_scale(a, multiplier=-3)) == [-15, -15, -15]


@proves(VERIFY, "fun", "pt", "n_tests", "rng", "eps", "out_type", "abs_tol", "rel_tol", "mode",
        "cast_to_output_type")  # fmt: skip
def gradients_are_checked_against_differences() -> None:
    def wrong(a: object) -> object:
        return gradient.grad_scale(a, 1.01) * 2

    gradient.verify_grad(lambda a, b: T.tanh(a) * b, [A, A + 1], n_tests=1)
    with pytest.raises(gradient.GradientError):
        gradient.verify_grad(wrong, [A])
    for lenient in (
        {"abs_tol": 1.0},
        {"rel_tol": 0.1},
        {"out_type": "float32"},
    ):
        gradient.verify_grad(wrong, [A], **lenient)
    gradient.verify_grad(lambda a: T.cast(wrong(a), "float32"), [A], cast_to_output_type=True)
    with pytest.raises(gradient.GradientError):
        gradient.verify_grad(lambda a: T.cast(wrong(a), "float32"), [A])
    with pytest.raises(gradient.GradientError):  # as coarse a step as that is no derivative
        gradient.verify_grad(lambda a: T.exp(a), [A], eps=1.0)

    class Drawn(np.random.RandomState):
        draws = 0

        def __getattribute__(self, name: str) -> object:
            if name in ("uniform", "normal", "standard_normal", "random_sample", "rand", "random"):
                Drawn.draws += 1
            return super().__getattribute__(name)

    for tests in (1, 3):
        Drawn.draws = 0
        gradient.verify_grad(lambda a: a**2, [A], n_tests=tests, rng=Drawn(3))
        assert Drawn.draws == tests
    seen: list[object] = []
    watched = theano.compile.MonitorMode(post_func=lambda i, node, fn: seen.append(node.op))
    gradient.verify_grad(lambda a: a**2, [A], mode=watched)
    assert seen


@proves(CONVENTIONS, "abs at 0", "floor, ceil, round", "comparisons")
def conventions_of_flat_functions() -> None:
    zero = np.zeros(3)
    assert at(theano.grad(abs(x).sum(), x), zero) == [0, 0, 0]
    for flat in (T.floor, T.ceil, T.round):
        assert at(theano.grad(flat(x).sum(), x)) == [0, 0, 0]
    cost = T.cast(x > 0, "float64").sum()
    assert at(theano.grad(cost, x, disconnected_inputs="ignore")) == [0, 0, 0]


@proves(CONVENTIONS, "max of equal elements", "maximum, minimum of equal arguments",
        "condition of switch")  # fmt: skip
def conventions_of_choices() -> None:
    assert at(theano.grad(x.max(), x), [1.0, 3.0, 3.0]) == [0, 1, 1]
    for choose in (T.maximum, T.minimum):
        slopes = theano.grad(choose(x, y).sum(), [x, y])
        f = theano.function([x, y], slopes)
        assert [g.tolist() for g in f(A, A)] == [[1, 1, 1], [0, 0, 0]]
    c = T.dvector("c")
    cost = T.switch(c, x, 2 * x).sum()
    slope = theano.grad(cost, c, disconnected_inputs="ignore")
    assert theano.function([c, x], slope, on_unused_input="ignore")([0, 1, 2], A).tolist() == [
        0,
        0,
        0,
    ]


@proves(CONVENTIONS, "int variable", "int cost", "branch not taken")
def conventions_of_ints_and_branches() -> None:
    i = T.lvector("i")
    slope = theano.grad((i * x).sum(), i)
    assert slope.dtype == theano.config.floatX
    flat = theano.grad(i.sum(), i)
    assert theano.function([i], flat)([1, 2]).tolist() == [0, 0]
    chosen = theano.ifelse.ifelse(T.gt(x[0], 0), x.sum(), (y * y).sum())
    f = theano.function([x, y], theano.grad(chosen, [x, y]))
    assert [g.tolist() for g in f(A, A)] == [[1, 1, 1], [0, 0, 0]]
    assert [g.tolist() for g in f(-A, A)] == [[0, 0, 0], (2 * A).tolist()]
