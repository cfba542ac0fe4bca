"""grad with every parameter, Lop, Rop, jacobian, hessian, and what only gradients see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.configuration import config
from workbench.core.gradient import grad
from workbench.core.graph import free_inputs, toposort
from workbench.core.interpreter import Interpreter
from workbench.core.jacobian import Lop, Rop, hessian, jacobian
from workbench.core.ops import dot, indexing, nnet, reduce, scalars, shape
from workbench.core.ops import gradient_control as control
from workbench.core.ops.join import join
from workbench.core.ops.positions import argmax
from workbench.core.ops.scalars import special
from workbench.core.shared import shared
from workbench.core.variable import tensor
from workbench.errors import (
    DisconnectedInputError,
    GraphError,
    NullGradientError,
    RankError,
    ShapeError,
    UsageError,
)

A = np.array([1.0, 2.0, 3.0])
B = np.array([0.5, -1.0, 2.0])


@pytest.fixture
def x() -> Any:
    return tensor("float64", (None,), "x")


@pytest.fixture
def y() -> Any:
    return tensor("float64", (None,), "y")


def value(output: Any, **given: Any) -> Any:
    names = {v.name: v for v in free_inputs([output])}
    return Interpreter([output]).run({v: np.asarray(given[n]) for n, v in names.items()})[0]


def test_result_has_the_form_of_wrt(x: Any, y: Any) -> None:
    cost = (x * y).sum()
    assert isinstance(grad(cost, [x, y]), list)
    assert isinstance(grad(cost, (x, y)), tuple)
    np.testing.assert_array_equal(value(grad(cost, x), x=A, y=B), B)
    assert grad(cost, [x, x])[0].type == x.type


def test_names(x: Any) -> None:
    cost = (x * x).sum()
    assert grad(cost, x).name is None
    cost.name = "cost"
    assert grad(cost, x).name == "(dcost/dx)"
    assert grad(cost, x, add_names=False).name is None


def test_the_cost_itself_and_what_lies_between(x: Any) -> None:
    middle = x * x
    cost = middle.sum()
    np.testing.assert_array_equal(value(grad(cost, middle), x=A), np.ones(3))
    assert value(grad(cost, cost), x=A) == 1


def test_consider_constant(x: Any) -> None:
    square = x * x
    cost = (square * x).sum()
    np.testing.assert_allclose(value(grad(cost, x), x=A), 3 * A**2)
    np.testing.assert_allclose(value(grad(cost, x, consider_constant=[square]), x=A), A**2)
    with pytest.raises(DisconnectedInputError):
        grad(square.sum(), x, consider_constant=[square])


def test_disconnected_inputs(x: Any, y: Any) -> None:
    cost = x.sum()
    with pytest.raises(DisconnectedInputError) as caught:
        grad(cost, [x, y])
    assert isinstance(caught.value, ValueError)
    assert caught.value.node is y
    with pytest.warns(UserWarning, match="does not depend on y"):
        grad(cost, y, disconnected_inputs="warn")
    np.testing.assert_array_equal(
        value(grad(cost, y, disconnected_inputs="ignore"), x=A, y=B), 0 * B
    )
    for absent in ("None", "disconnected"):
        assert grad(cost, y, disconnected_inputs="ignore", return_disconnected=absent) is None


@pytest.mark.parametrize(
    "build",
    [
        lambda x: x.shape.sum() * 1.0,
        lambda x: scalars.ones_like(x).sum(),
        lambda x: control.disconnected_grad(x).sum(),
        lambda x: tensor("float64", (None,), "z")[x.shape[0]],
        lambda x: argmax(x) * 1.0,
    ],
)
def test_only_a_shape_or_an_index_is_disconnected(x: Any, build: Any) -> None:
    with pytest.raises(DisconnectedInputError):
        grad(build(x), x)


@pytest.mark.parametrize(
    "build",
    [
        lambda x: scalars.floor(x).sum(),
        lambda x: (x > 0).sum() * 1.0,
        lambda x: scalars.cast(x, "int64").sum() * 1.0,
        lambda x: control.zero_grad(x * x).sum(),
        lambda x: scalars.switch(x, 1.0, 2.0).sum(),
        lambda x: scalars.cast(x, "int64").sum(),  # an integer cost
    ],
)
def test_what_is_flat_has_the_gradient_zero(x: Any, build: Any) -> None:
    np.testing.assert_array_equal(value(grad(build(x), x), x=A), 0 * A)


def test_wrong_arguments(x: Any) -> None:
    with pytest.raises(RankError, match=r"cost must be a scalar\."):
        grad(x, x)
    for bad in (lambda: grad(x.sum(), 3), lambda: grad(1.0, x), lambda: grad(None, x)):
        with pytest.raises(GraphError):
            bad()
    options = {
        "disconnected_inputs": "rais",
        "return_disconnected": "zeros",
        "null_gradients": "no",
    }
    for name, option in options.items():
        with pytest.raises(UsageError) as caught:
            grad(x.sum(), x, **{name: option})
        assert isinstance(caught.value, ValueError)


def test_known_grads(x: Any) -> None:
    """They are the whole gradient of their variable, and start where there is no cost."""
    square = x * x
    given = tensor("float64", (None,), "g")
    found = grad(None, x, known_grads={square: given})
    np.testing.assert_allclose(value(found, x=A, g=B), 2 * A * B)
    cost = (square * square).sum()
    np.testing.assert_allclose(
        value(grad(cost, x, known_grads={square: given}), x=A, g=B), 2 * A * B
    )
    both = dict(zip((x, square), grad(cost, [x, square]), strict=True))
    np.testing.assert_allclose(value(grad(None, x, known_grads=both), x=A), 4 * A**3)
    with pytest.raises(ShapeError, match="another number of axes"):
        grad(None, x, known_grads={square: scalars.constant(1, "float64")})


def test_null_gradients(x: Any) -> None:
    cost = special.gammainc(x, 2.0).sum()
    with pytest.raises(NullGradientError) as caught:
        grad(cost, x)
    assert isinstance(caught.value, TypeError)
    assert np.isnan(value(grad(cost, x, null_gradients="return"), x=A)).all()
    np.testing.assert_array_equal(value(grad(cost + x.sum(), x, consider_constant=[cost]), x=A), 1)


def test_integers() -> None:
    i = tensor("int64", (None,), "i")
    slope = grad((i * 1.5).sum(), i)
    assert slope.dtype == "float64"
    np.testing.assert_array_equal(value(slope, i=[1, 2]), [1.5, 1.5])
    with config.change(floatX="float32"):
        assert grad((i * i).sum(), i).dtype == "float32"
    np.testing.assert_array_equal(value(grad((i * i).sum(), i), i=[1, 2]), [0, 0])


def test_lengths_of_one_are_kept() -> None:
    """A gradient that lost a static length of 1 on its way finds it again."""
    x, s = tensor("float64", (None,), "x"), tensor("float64", (), "s")
    joined = join(0, x, shape.dimshuffle(s, ["x"]))
    assert value(grad((joined * joined).sum(), s), x=A, s=2.0) == 4
    row = tensor("float64", (1, None), "row")
    assert grad((row + x).sum(), row).type.shape[0] == 1
    given = tensor("float64", (None, None), "g")
    assert grad(None, row, known_grads={row: given}).type.shape[0] == 1


def test_gradients_bear_their_origin(x: Any) -> None:
    hidden = scalars.tanh(x)  # forward line
    slope = grad(hidden.sum(), x)
    assert any("forward line" in n.place.text for n in toposort([slope]))


def test_shared_variables_have_gradients(x: Any) -> None:
    w = shared(B, "w")
    np.testing.assert_array_equal(value(grad((x * w).sum(), w), x=A), A)


def test_max_goes_to_every_largest(x: Any) -> None:
    at = np.array([1.0, 3, 3])
    np.testing.assert_array_equal(value(grad(x.max(), x), x=at), [0, 1, 1])
    np.testing.assert_array_equal(value(grad((-x).min(), x), x=at), [0, -1, -1])


def test_second_derivative_of_a_product_is_the_others_product(x: Any) -> None:
    second = grad(grad(x.prod(), x)[0], x)
    np.testing.assert_allclose(value(second, x=A), [0, 3, 2])


# Products with the Jacobian


def network(x: Any, w: Any) -> Any:
    return scalars.tanh(dot.dot(x, w)) * x[:2]


def dense_jacobian(f: Any, at: Any, step: float = 1e-6) -> Any:
    columns = [
        (f(at + step * e) - f(at - step * e)) / (2 * step)
        for e in np.eye(at.size).reshape(-1, *at.shape)
    ]
    return np.stack([c.ravel() for c in columns], axis=1)


def test_lop_and_rop_are_products_with_the_jacobian(x: Any) -> None:
    rng = np.random.default_rng(0)
    w = tensor("float64", (None, None), "w")
    f = network(x, w)
    at = rng.normal(size=(3, 2))
    j = dense_jacobian(lambda v: value(f, x=A, w=v), at)
    u, v = rng.normal(size=2), rng.normal(size=(3, 2))
    np.testing.assert_allclose(value(Lop(f, w, u), x=A, w=at).ravel(), u @ j, atol=1e-8)
    np.testing.assert_allclose(value(Rop(f, w, v), x=A, w=at), j @ v.ravel(), atol=1e-8)


def test_rop_of_several(x: Any, y: Any) -> None:
    np.testing.assert_array_equal(value(Rop(x + y, [x, y], [A, B])), A + B)
    first, second = Rop([x * y, x], [x, y], [A, B])
    np.testing.assert_allclose(value(first, x=A, y=B), A * B + A * B)
    np.testing.assert_array_equal(value(second), A)
    again = Rop([x, x], x, A)
    np.testing.assert_array_equal(value(again[1]), A)
    np.testing.assert_allclose(
        value(Rop(x * x * y, [x, y], [A, B]), x=A, y=B), 2 * A * A * B + A * A * B
    )
    through = x * x  # an output that another is made from
    one, two = Rop([through, through * x], x, B)
    np.testing.assert_allclose(value(one, x=A), 2 * A * B)
    np.testing.assert_allclose(value(two, x=A), 3 * A**2 * B)


def test_rop_with_disconnected_parts(x: Any, y: Any) -> None:
    np.testing.assert_allclose(value(Rop(x * x, [x, y], [A, B]), x=A), 2 * A * A)
    with pytest.raises(DisconnectedInputError):
        Rop([x, y * y], x, A)
    zeros = Rop([x, y * y], x, A, disconnected_outputs="ignore")[1]
    np.testing.assert_array_equal(value(zeros, y=B), 0 * B)
    assert Rop([x, y * y], x, A, "ignore", return_disconnected="None")[1] is None
    np.testing.assert_array_equal(value(Rop(scalars.floor(x), x, A), x=A), 0 * A)
    with pytest.warns(UserWarning, match="does not depend"):
        Rop([x, y * y], x, A, disconnected_outputs="warn")


def test_lop_of_outputs_that_depend_on_each_other(x: Any) -> None:
    square = x * x
    found = Lop([square, square * x], x, [A, B])
    np.testing.assert_allclose(value(found, x=A), 2 * A * A + 3 * A**2 * B)
    twice = Lop([x, x], x, [A, B])
    np.testing.assert_allclose(value(twice), A + B)


def test_products_with_wrong_arguments(x: Any, y: Any) -> None:
    for bad in (lambda: Lop([x], x, [A, B]), lambda: Rop(x, [x, y], [A]), lambda: Lop(3, x, A)):
        with pytest.raises(GraphError):
            bad()
    with pytest.raises(ShapeError):
        Rop(x, x, [[A]])
    with pytest.raises(DisconnectedInputError):
        Lop(y, x, A)


def test_jacobian_and_hessian(x: Any, y: Any) -> None:
    np.testing.assert_allclose(value(jacobian(x * x, x), x=A), np.diag(2 * A))
    first, second = jacobian(x * y, [x, y])
    np.testing.assert_allclose(value(first, x=A, y=B), np.diag(B))
    np.testing.assert_allclose(value(second, x=A, y=B), np.diag(A))
    assert isinstance(jacobian(x * y, (x, y)), tuple)
    w = tensor("float64", (None, None), "w")
    by_matrix = jacobian(network(x, w), w)
    at = np.arange(6.0).reshape(3, 2) / 5
    dense = dense_jacobian(lambda v: value(network(x, w), x=A, w=v), at).reshape(2, 3, 2)
    np.testing.assert_allclose(value(by_matrix, x=A, w=at), dense, atol=1e-8)
    np.testing.assert_array_equal(value(jacobian((x * x).sum(), x), x=A), 2 * A)
    np.testing.assert_allclose(value(hessian((x**3 * y).sum(), x), x=A, y=B), np.diag(6 * A * B))
    np.testing.assert_allclose(value(hessian(nnet.softmax(x)[0], x), x=A).sum(), 0, atol=1e-12)
    np.testing.assert_array_equal(value(hessian((x * 2).sum(), x), x=A), np.zeros((3, 3)))
    with pytest.raises(RankError, match="jacobian"):
        jacobian(w, x)
    with pytest.raises(RankError, match="hessian"):
        hessian(w.sum(), w)
    with pytest.raises(DisconnectedInputError):
        jacobian(y * 2, x)


# What only gradients see


def test_gradient_control(x: Any) -> None:
    np.testing.assert_array_equal(
        value(grad((control.grad_clip(x, -1, 1) * 5).sum(), x), x=A), np.ones(3)
    )
    np.testing.assert_array_equal(
        value(grad(control.grad_scale(x, -2.0).sum(), x), x=A), -2 * np.ones(3)
    )
    kept = control.disconnected_grad(x) * x
    np.testing.assert_array_equal(value(grad(kept.sum(), x), x=A), A)
    np.testing.assert_array_equal(value(control.consider_constant(x), x=A), A)
    assert control.grad_clip(tensor("float32"), 0, 1).dtype == "float32"


UNARY = (
    scalars.tanh,
    scalars.sigmoid,
    scalars.sin,
    scalars.exp,
    scalars.softplus,
    scalars.sqr,
    scalars.neg,
)
BINARY = (scalars.add, scalars.mul, scalars.sub, scalars.maximum)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_graphs(data: Any) -> None:
    """Whatever is built of smooth ops, its gradient equals central differences."""
    x = tensor("float64", (None, None), "x")
    b = tensor("float64", (1, None), "b")
    at = {"x": np.random.default_rng(0).normal(size=(2, 3)), "b": np.array([[0.3, -0.2, 0.9]])}
    made: list[Any] = [x, b, x * b]
    for _ in range(data.draw(st.integers(1, 6))):
        kind = data.draw(st.sampled_from(["unary", "binary", "reduce", "slice", "dot"]))
        a = data.draw(st.sampled_from(made))
        if kind == "unary":
            made.append(scalars.mul(data.draw(st.sampled_from(UNARY))(a), 0.5))
        elif kind == "binary":
            made.append(data.draw(st.sampled_from(BINARY))(a, data.draw(st.sampled_from(made))))
        elif kind == "reduce":
            axis = data.draw(st.sampled_from([0, 1]))
            made.append(reduce.mean(a, axis=axis, keepdims=True) + x)
        elif kind == "slice":
            made.append(indexing.set_subtensor(x[:, ::2], scalars.tanh(x[:, ::2])))
        else:
            made.append(dot.dot(dot.dot(x, shape.transpose(x)), x) * 0.1)
    cost = reduce.sum(scalars.tanh(made[-1]))
    run = Interpreter([cost])
    slopes = grad(cost, [x, b], disconnected_inputs="ignore")
    found = Interpreter(slopes).run({x: at["x"], b: at["b"]})
    for name, slope in zip("xb", found, strict=True):
        assert slope.shape == at[name].shape
        for place in np.ndindex(slope.shape):
            shifted = []
            for step in (1e-6, -1e-6):
                moved = {k: v.copy() for k, v in at.items()}
                moved[name][place] += step
                shifted.append(float(run.run({x: moved["x"], b: moved["b"]})[0]))
            assert slope[place] == pytest.approx((shifted[0] - shifted[1]) / 2e-6, abs=1e-5)
