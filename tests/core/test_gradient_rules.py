"""Derivatives as users ask for them: conventions at kinks and ties, what is refused, products with
Hessians, control of what flows back, gradients of a part of a graph; interpreted and native.
"""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench import gradient

A = np.array([1.0, 2.0, 3.0])
B = np.array([0.5, -1.0, 2.0])


@pytest.fixture(params=("FAST_RUN", "FAST_COMPILE"))
def mode(request):
    return request.param


@pytest.fixture
def x():
    return T.dvector("x")


CONVENTIONS = {
    # the cost, the point, the gradient there
    "|x| at 0": (lambda x: abs(x).sum(), [0.0, -2, 3], [0, -1, 1]),
    "sign": (lambda x: T.sign(x).sum(), A, [0, 0, 0]),
    "floor": (lambda x: T.floor(x).sum(), [0.5, 1, -1.5], [0, 0, 0]),
    "ceil": (lambda x: T.ceil(x).sum(), [0.5, 1, -1.5], [0, 0, 0]),
    "round": (lambda x: T.round(x).sum(), [0.5, 1, -1.5], [0, 0, 0]),
    "a comparison": (lambda x: T.cast(x > 1, "float64").sum(), A, [0, 0, 0]),
    "max: every largest": (lambda x: x.max(), [3.0, 1, 3], [1, 0, 1]),
    "min: every smallest": (lambda x: x.min(), [1.0, 1, 3], [1, 1, 0]),
    "maximum: ties to the first": (lambda x: T.maximum(x, x * 1.0 + 0).sum(), A, [1, 1, 1]),
    "maximum with a constant": (lambda x: T.maximum(x, 2.0).sum(), A, [0, 1, 1]),
    "minimum with a constant": (lambda x: T.minimum(x, 2.0).sum(), A, [1, 1, 0]),
    "maximum, the constant first": (lambda x: T.maximum(2.0, x).sum(), A, [0, 0, 1]),
    "switch: none by the condition": (
        lambda x: T.switch(x, x * 2, x * 3).sum(),
        [0.0, 1, 2],
        [3, 2, 2],
    ),
    "clip": (lambda x: T.clip(x, 1.5, 2.5).sum(), A, [0, 1, 0]),
    "sqrt at 0": (lambda x: T.sqrt(x).sum(), [0.0, 1, 4], [np.inf, 0.5, 0.25]),
    "prod with a zero": (lambda x: x.prod(), [0.0, 2, 3], [6, 0, 0]),
    "x ** 2 at 0": (lambda x: (x**2).sum(), [0.0, 1, 2], [0, 2, 4]),
    "an integer cost": (lambda x: T.cast(x, "int64").sum(), A, [0, 0, 0]),
    "x[0] twice": (lambda x: x[0] * 2 + x[[0, 0, 1]].sum(), A, [4, 1, 0]),
}


@pytest.mark.parametrize("case", CONVENTIONS)
def test_conventions(case, mode, x):
    cost, at, expected = CONVENTIONS[case]
    f = wb.function([x], wb.grad(cost(x), x), mode=mode)
    np.testing.assert_allclose(f(np.asarray(at, "float64")), expected)


def test_ties_of_two_arguments_go_to_the_first(mode):
    x, y = T.dvectors("x", "y")
    for op in (T.maximum, T.minimum):
        f = wb.function([x, y], wb.grad(op(x, y).sum(), [x, y]), mode=mode)
        first, second = f(A, A)
        np.testing.assert_array_equal(first, [1, 1, 1])
        np.testing.assert_array_equal(second, [0, 0, 0])


# ---------------------------------------------------------------- what is refused


REFUSED = {
    "a cost with axes": (lambda x: wb.grad(x, x), TypeError, r"cost must be a scalar\."),
    "a cost that is no variable": (lambda x: wb.grad(3.0, x), TypeError, "cost must be a var"),
    "a wrt that is no variable": (lambda x: wb.grad(x.sum(), 3), TypeError, "wrt takes"),
    "a wrt in a list that is none": (lambda x: wb.grad(x.sum(), [x, "y"]), TypeError, "'y'"),
    "a wrt that the cost does not need": (
        lambda x: wb.grad(x.sum(), T.dscalar("z")),
        wb.DisconnectedInputError,
        "does not depend on z",
    ),
    "disconnected is a ValueError": (lambda x: wb.grad(x.sum(), T.dscalar("z")), ValueError, ""),
    "no cost": (lambda x: wb.grad(None, x), AssertionError, "neither a cost nor known_grads"),
    "disconnected_inputs": (
        lambda x: wb.grad(x.sum(), x, disconnected_inputs="no"),
        ValueError,
        "disconnected_inputs",
    ),
    "return_disconnected": (
        lambda x: wb.grad(x.sum(), x, return_disconnected="no"),
        ValueError,
        "return_disconnected",
    ),
    "null_gradients": (
        lambda x: wb.grad(x.sum(), x, null_gradients="no"),
        ValueError,
        "null_gradients",
    ),
    "an undefined gradient": (
        lambda x: wb.grad(gradient.undefined_grad(x).sum(), x),
        wb.NullGradientError,
        "undefined_grad",
    ),
    "undefined is a TypeError": (
        lambda x: wb.grad(gradient.undefined_grad(x).sum(), x),
        TypeError,
        "",
    ),
    "known_grads by no variable": (
        lambda x: wb.grad(None, x, known_grads={"x": x}),
        TypeError,
        "keys",
    ),
    "known_grads of another rank": (
        lambda x: wb.grad(None, x, known_grads={x: 1.0}),
        ValueError,
        "axes",
    ),
    "jacobian of a matrix": (
        lambda x: wb.jacobian(T.dmatrix(), x),
        AssertionError,
        "scalar or a vector",
    ),
    "jacobian by no variable": (lambda x: wb.jacobian(x, 3), TypeError, ""),
    "jacobian, disconnected": (lambda x: wb.jacobian(x, T.dscalar("z")), ValueError, ""),
    "hessian by a scalar": (
        lambda x: wb.hessian(x.sum(), T.dscalar()),
        AssertionError,
        "by vectors",
    ),
    "hessian of a vector": (lambda x: wb.hessian(x, x), AssertionError, "of a scalar"),
    "Lop, lengths": (lambda x: wb.Lop([x, x], x, [A]), AssertionError, "one eval_point"),
    "Lop, rank": (lambda x: wb.Lop(x, x, T.dscalar()), ValueError, "axes"),
    "Lop, disconnected": (lambda x: wb.Lop(x, T.dscalar("z"), x), wb.DisconnectedInputError, ""),
    "Lop, option": (lambda x: wb.Lop(x, x, x, disconnected_inputs="no"), ValueError, ""),
    "Rop, lengths": (lambda x: wb.Rop(x, [x], [A, A]), AssertionError, "one eval_point"),
    "Rop, rank": (lambda x: wb.Rop(x, x, T.dscalar()), ValueError, "axes"),
    "Rop, disconnected": (
        lambda x: wb.Rop(x, T.dscalar("z"), T.dscalar()),
        wb.DisconnectedInputError,
        "",
    ),
    "Rop, option": (lambda x: wb.Rop(x, x, x, disconnected_outputs="no"), ValueError, ""),
    "Rop, other option": (lambda x: wb.Rop(x, x, x, return_disconnected="no"), ValueError, ""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case, x):
    make, kind, message = REFUSED[case]
    with pytest.raises(kind, match=message or None) as caught:
        make(x)
    assert isinstance(caught.value, wb.WorkbenchError)
    assert caught.value.advice


# ---------------------------------------------------------------- forms, names, types


def test_forms_of_everything(x):
    y = T.dvector("y")
    for make in (
        lambda wrt: wb.grad((x * y).sum(), wrt),
        lambda wrt: wb.jacobian(x * y, wrt),
        lambda wrt: wb.hessian((x * y).sum(), wrt),
        lambda wrt: wb.Lop(x * y, wrt, A),
    ):
        assert isinstance(make([x, y]), list)
        assert isinstance(make((x, y)), tuple)
        assert isinstance(make(x).type, T.TensorType)
        assert len(make([x])) == 1
    assert isinstance(wb.Rop([x, y], [x, y], [A, A]), list)
    assert isinstance(wb.Rop((x, y), [x, y], [A, A]), tuple)


def test_names_of_gradients(x):
    cost = (x * x).sum()
    assert wb.grad(cost, x).name is None
    cost.name = "C"
    assert [g.name for g in wb.grad(cost, [x, T.dvector()], disconnected_inputs="ignore")] == [
        "(dC/dx)",
        None,
    ]
    assert wb.grad(cost, x, add_names=False).name is None


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int64", "bool"])
@pytest.mark.parametrize("floatx", ["float32", "float64"])
def test_dtypes_of_gradients(dtype, floatx):
    v = T.vector("v", dtype)
    with wb.config.change(floatX=floatx):
        slope = wb.grad((v * T.constant(0.5)).sum(), v)
    assert slope.dtype == (dtype if dtype[0] == "f" else floatx)


def test_disconnected_inputs_and_what_is_returned(x, mode):
    z = T.dmatrix("z")
    with pytest.warns(UserWarning, match="does not depend on z"):
        wb.grad(x.sum(), z, disconnected_inputs="warn")
    zero = wb.grad(x.sum(), z, disconnected_inputs="ignore")
    np.testing.assert_array_equal(zero.eval({z: np.ones((2, 3))}), np.zeros((2, 3)))
    for kind in ("None", "disconnected"):
        assert wb.grad(x.sum(), [x, z], None, "ignore", return_disconnected=kind)[1] is None


def test_known_grads_start_the_gradient(x, mode):
    h = T.tanh(x)
    g = T.dvector("g")
    f = wb.function([x, g], wb.grad(None, x, known_grads={h: g}), mode=mode)
    np.testing.assert_allclose(f(A, B), B * (1 - np.tanh(A) ** 2))


def test_null_gradients_may_be_returned(x, mode):
    cost = gradient.undefined_grad(x).sum()
    f = wb.function([x], wb.grad(cost, x, null_gradients="return"), mode=mode)
    assert np.isnan(f(A)).all()


# ---------------------------------------------------------------- second derivatives


def test_hessian_times_a_vector_both_ways(x, mode):
    v = T.dvector("v")
    cost = (x**3).sum() + x.prod()
    slope = wb.grad(cost, x)
    right, left = wb.Rop(slope, x, v), wb.Lop(slope, x, v)
    reverse_of_product = wb.grad((slope * v).sum(), x, consider_constant=[v])
    f = wb.function([x, v], [right, left, reverse_of_product], mode=mode)
    whole = wb.function([x], wb.hessian(cost, x), mode=mode)(A)
    for product in f(A, B):
        np.testing.assert_allclose(product, whole @ B)


def test_an_eval_point_that_is_left_out(x, mode):
    y = T.dvector("y")
    f = wb.function([x, y], wb.Rop(x * x * y, [x, y], [A, None]), mode=mode)
    np.testing.assert_array_equal(f(A, B), 2 * A * A * B)
    none = wb.function([x, y], wb.Rop(x * y, [x, y], [None, None]), mode=mode)
    np.testing.assert_array_equal(none(A, B), 0 * A)


def test_consider_constant_takes_one_or_several(x):
    y = T.dvector("y")
    cost = (x * y * x).sum()
    for constant in (y, [y], (y,), {y}):
        with pytest.raises(wb.DisconnectedInputError):
            wb.grad(cost, y, consider_constant=constant)
        wb.grad(cost, x, consider_constant=constant)
    for wrong in (3, ["y"]):
        with pytest.raises(TypeError, match="consider_constant takes variables"):
            wb.grad(cost, x, consider_constant=wrong)
    assert wb.grad(cost, []) == []


def test_jacobian_of_each_rank(x, mode):
    w = T.dmatrix("w")
    at = np.arange(6.0).reshape(2, 3)
    f = wb.function([w, x], wb.jacobian(T.dot(w, x), [w, x]), mode=mode)
    by_w, by_x = f(at, A)
    np.testing.assert_array_equal(by_x, at)
    np.testing.assert_array_equal(by_w, np.einsum("ij,k->ijk", np.eye(2), A))
    g = wb.function([x], wb.jacobian(x.sum(), x), mode=mode)
    np.testing.assert_array_equal(g(A), np.ones(3))
    s = T.dscalar("s")
    h = wb.function([s, x], wb.jacobian(x * s, s), mode=mode)
    np.testing.assert_array_equal(h(2.0, A), A)


def test_consider_constant_of_a_jacobian_and_a_hessian(x, mode):
    square = x * x
    f = wb.function([x], wb.jacobian(square * x, x, consider_constant=[square]), mode=mode)
    np.testing.assert_allclose(f(A), np.diag(A**2))
    z = T.dvector("z")
    np.testing.assert_array_equal(
        wb.function([x, z], wb.jacobian(x, z, disconnected_inputs="ignore"), mode=mode)(A, B),
        np.zeros((3, 3)),
    )


# ---------------------------------------------------------------- control


def test_what_flows_back(x, mode):
    cases = {
        "clipped": (gradient.grad_clip(x, -2, 2) * 5, 2 * np.ones(3)),
        "clipped below": (gradient.grad_clip(x, -2, 2) * -5, -2 * np.ones(3)),
        "scaled": (gradient.grad_scale(x, 3.0) * 2, 6 * np.ones(3)),
        "zero": (gradient.zero_grad(x) * x, A),
        "constant": (gradient.consider_constant(x) * x, A),
        "disconnected": (gradient.disconnected_grad(x) * x, A),
    }
    for out, expected in cases.values():
        value, slope = wb.function([x], [out, wb.grad(out.sum(), x)], mode=mode)(A)
        np.testing.assert_array_equal(slope, expected)
        assert value.shape == (3,)
    with pytest.raises(wb.DisconnectedInputError):
        wb.grad(gradient.disconnected_grad(x).sum(), x)


def test_a_part_of_a_graph(x, mode):
    """Layer by layer, as one pass over all of it."""
    w1, w2 = T.dvectors("w1", "w2")
    h = T.tanh(x * w1)
    cost = ((h * w2) ** 2).sum()
    (by_w2,), (at_h,) = gradient.subgraph_grad([w2], [h], cost=cost)
    (by_w1,), (at_x,) = gradient.subgraph_grad([w1], [x], start={h: at_h})
    whole = wb.grad(cost, [w1, w2, x])
    f = wb.function([x, w1, w2], [by_w1, by_w2, at_x, *whole], mode=mode)
    found = f(A, B, A - 2)
    for part, all_at_once in zip(found[:3], found[3:], strict=True):
        np.testing.assert_allclose(part, all_at_once)
    _, ends, of_start, of_cost = gradient.subgraph_grad([w2], [h], {h: h}, cost, details=True)
    g = wb.function([x, w1, w2], [*ends, *of_start, *of_cost], mode=mode, on_unused_input="ignore")
    total, first, second = g(A, B, A - 2)
    np.testing.assert_allclose(total, first + second)
    with pytest.raises(TypeError, match="neither"):
        gradient.subgraph_grad([w2], [h])


def test_the_public_module():
    for name in gradient.__all__:
        assert getattr(gradient, name) is not None
    assert wb.gradient is gradient
    assert wb.verify_grad is gradient.verify_grad
