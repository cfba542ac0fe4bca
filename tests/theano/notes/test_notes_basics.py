"""The notes on GPUs and the basics, every code block under the old names:
first functions, random numbers, graphs and derivatives.

Blocks that are misspelt in the text are mended; what they mean is kept. Programs for a GPU run on
`device='cpu'` here.
"""

import numpy
import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.theano.shown import same
from workbench.theano import function, shared
from workbench.theano.sandbox.rng_mrg import MRG_RandomStreams
from workbench.theano.tensor.shared_randomstreams import RandomStreams

# --- Basics ---


def test_two_scalars() -> None:
    x = T.dscalar("x")
    y = T.dscalar("y")
    z = x + y
    f = function([x, y], z)
    result = f(2, 3)
    assert isinstance(result, np.ndarray)
    assert result.ndim == 0
    assert result == 5


def test_two_matrices() -> None:
    x = T.dmatrix("x")
    y = T.dmatrix("y")
    z = x + y
    f = function([x, y], z)
    assert f([[1, 2], [3, 4]], [[10, 20], [30, 40]]).tolist() == [[11.0, 22.0], [33.0, 44.0]]


def test_a_formula(capsys: pytest.CaptureFixture[str]) -> None:
    a = theano.tensor.vector()
    b = theano.tensor.vector()
    out = a**2 + b**2 + 2 * a * b
    f = theano.function([a, b], out)
    print(f([0, 1], [1, 2]))
    same(capsys.readouterr().out, "[ 1. 9.]")


def test_several_outputs(capsys: pytest.CaptureFixture[str]) -> None:
    a, b = T.dmatrices("a", "b")
    diff = a - b
    abs_diff = abs(diff)
    diff_squared = diff**2
    f = function([a, b], [diff, abs_diff, diff_squared])
    print(f([[1, 1], [1, 1]], [[0, 1], [2, 3]]))
    same(
        capsys.readouterr().out,
        """[array([[ 1.,  0.],
          [-1., -2.]]), array([[ 1.,  0.],
          [ 1.,  2.]]), array([[ 1.,  0.],
          [ 1.,  4.]])]""",
    )


def test_default_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    from workbench.theano import Param

    x, y = T.dscalars("x", "y")
    z = x + y
    with pytest.warns(UserWarning, match="Param"):
        f = function([x, Param(y, default=1, name="by_name")], z)
    print(f(33))
    print(f(33, 2))
    print(f(33, by_name=3))
    same(capsys.readouterr().out, "34.0 35.0 36.0")


def test_shared_variables(capsys: pytest.CaptureFixture[str]) -> None:
    state = shared(0)
    inc = T.iscalar("inc")
    accumulator = function([inc], state, updates=[(state, state + inc)])
    print(state.get_value())
    accumulator(1)
    print(state.get_value())
    accumulator(300)
    print(state.get_value())
    state.set_value(-1)
    print(accumulator(3))
    print(state.get_value())
    same(capsys.readouterr().out, "0 1 301 -1 2")

    decrementor = function([inc], state, updates=[(state, state - inc)])
    print(decrementor(2))
    print(state.get_value())
    same(capsys.readouterr().out, "2 0")

    fn_of_state = state * 2 + inc
    foo = T.scalar(dtype=state.dtype)
    skip_shared = function([inc, foo], fn_of_state, givens=[(state, foo)])
    print(skip_shared(1, 3))
    print(state.get_value())
    same(capsys.readouterr().out, "7 0")


def random_functions():
    srng = RandomStreams(seed=234)
    rv_u = srng.uniform((2, 2))
    rv_n = srng.normal((2, 2))
    f = function([], rv_u)
    g = function([], rv_n, no_default_updates=True)
    nearly_zeros = function([], rv_u + rv_u - 2 * rv_u)
    return srng, rv_u, rv_n, f, g, nearly_zeros


def test_random_numbers() -> None:
    _, _, _, f, g, nearly_zeros = random_functions()
    assert (f() != f()).all()  # every call draws anew
    assert (g() == g()).all()  # these stay
    np.testing.assert_allclose(nearly_zeros(), 0, atol=1e-12)  # one draw in a call

    seeds = numpy.random.RandomState(234)
    own = numpy.random.RandomState(int(seeds.randint(2**30)))
    fresh = random_functions()
    assert (fresh[3]() == own.uniform(size=(2, 2))).all()


def test_seeding() -> None:
    srng, rv_u, _, f, _, _ = random_functions()
    rng_val = rv_u.rng.get_value(borrow=True)  # Get the rng for rv_u
    rng_val.seed(89234)  # seeds the generator
    rv_u.rng.set_value(rng_val, borrow=True)
    assert (f() == numpy.random.RandomState(89234).uniform(size=(2, 2))).all()

    srng.seed(902340)
    first = f()
    srng.seed(902340)
    assert (f() == first).all()


def test_functions_share_a_stream() -> None:
    _, rv_u, _, f, _, nearly_zeros = random_functions()
    state_after_v0 = rv_u.rng.get_value().get_state()  # the state before the calls
    nearly_zeros()  # this affects rv_u's generator
    v1 = f()
    rng = rv_u.rng.get_value(borrow=True)
    rng.set_state(state_after_v0)
    rv_u.rng.set_value(rng, borrow=True)
    v2 = f()  # v2 != v1
    v3 = f()  # v3 == v1
    assert (v2 != v1).all()
    assert (v3 == v1).all()


@pytest.mark.parametrize("streams", [RandomStreams, MRG_RandomStreams])
def test_copying_the_state_between_graphs(streams, capsys: pytest.CaptureFixture[str]) -> None:
    class Graph:
        def __init__(self, seed=123):
            self.rng = streams(seed)
            self.y = self.rng.uniform(size=(1,))

    g1 = Graph(seed=123)
    f1 = theano.function([], g1.y)

    g2 = Graph(seed=987)
    f2 = theano.function([], g2.y)

    # By default, the two functions are out of sync.
    print("f1() returns ", f1())
    print("f2() returns ", f2())

    def copy_random_state(g1, g2):
        if isinstance(g1.rng, MRG_RandomStreams):
            g2.rng.rstate = g1.rng.rstate
        for su1, su2 in zip(g1.rng.state_updates, g2.rng.state_updates):
            su2[0].set_value(su1[0].get_value())

    # We now copy the state of the theano random number generators.
    copy_random_state(g1, g2)
    print("f1() returns ", f1())
    print("f2() returns ", f2())

    printed = capsys.readouterr().out
    if streams is RandomStreams:
        same(
            printed,
            """f1() returns  [ 0.72803009]
               f2() returns  [ 0.55056769]
               f1() returns  [ 0.59044123]
               f2() returns  [ 0.59044123]""",
        )
    lines = printed.splitlines()
    assert lines[0][2:] != lines[1][2:]
    assert lines[2][2:] == lines[3][2:]


# --- Logistic regression ---


def test_logistic_regression() -> None:
    rng = numpy.random

    N = 400
    feats = 784
    D = (rng.randn(N, feats), rng.randint(size=N, low=0, high=2))
    training_steps = 1000

    # Declare Theano symbolic variables
    x = T.matrix("x")
    y = T.vector("y")
    w = theano.shared(rng.randn(feats), name="w")
    b = theano.shared(0.0, name="b")

    # Construct Theano expression graph
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))  # Probability that target = 1
    prediction = p_1 > 0.5  # The prediction thresholded
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)  # Cross-entropy loss function
    cost = xent.mean() + 0.01 * (w**2).sum()  # The cost to minimize
    gw, gb = T.grad(cost, [w, b])  # Compute the gradient of the cost

    # Compile
    train = theano.function(
        inputs=[x, y],
        outputs=[prediction, xent],
        updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb)),
    )
    predict = theano.function(inputs=[x], outputs=prediction)

    # Train
    for _ in range(training_steps):
        _pred, _err = train(D[0], D[1])
    assert (predict(D[0]) == D[1]).all()


# --- Graph structures ---


def test_the_parts_of_a_graph() -> None:
    x = T.matrix("x")
    y = T.matrix("y")
    z = x + y
    assert x.owner is None
    assert y.owner is None
    assert type(z.owner) is theano.gof.graph.Apply


def test_nodes_and_their_attributes() -> None:
    x = T.dmatrix("x")
    y = x * 2.0
    assert y.owner.op.name == "Elemwise{mul,no_inplace}"
    assert len(y.owner.inputs) == 2
    assert y.owner.inputs[0] is x
    assert str(y.owner.inputs[1]) == "InplaceDimShuffle{x,x}.0"
    assert type(y.owner.inputs[1]) is theano.tensor.basic.TensorVariable
    assert type(y.owner.inputs[1].owner) is theano.gof.graph.Apply
    assert type(y.owner.inputs[1].owner.op) is theano.tensor.elemwise.DimShuffle
    (number,) = y.owner.inputs[1].owner.inputs
    assert str(number) == "TensorConstant{2.0}"


def test_optimisation(capsys: pytest.CaptureFixture[str]) -> None:
    a = theano.tensor.vector("a")  # declare symbolic variable
    b = a + a**10  # build symbolic expression
    f = theano.function([a], b)  # compile function
    print(f([0, 1, 2]))
    same(capsys.readouterr().out, "[    0.     2.  1026.]")
    assert len(f.maker.fgraph.toposort()) == 1


def test_x_times_y_over_y_is_x() -> None:
    x, y = T.vectors("x", "y")
    f = theano.function([x, y], x * y / y, on_unused_input="ignore")
    assert f.maker.fgraph.toposort() == []


# --- Derivatives ---


def test_gradient_of_a_square(capsys: pytest.CaptureFixture[str]) -> None:
    from workbench.theano import pp

    x = T.dscalar("x")
    y = x**2
    gy = T.grad(y, x)
    print(pp(gy))
    f = function([x], gy)
    print(f(4))
    print(pp(f.maker.fgraph.outputs[0]))
    assert capsys.readouterr().out.splitlines() == [
        "((fill((x ** TensorConstant{2}), TensorConstant{1.0}) * TensorConstant{2}) * "
        "(x ** (TensorConstant{2} - TensorConstant{1})))",
        "8.0",
        "(TensorConstant{2.0} * x)",
    ]


def test_gradient_of_the_logistic_function(capsys: pytest.CaptureFixture[str]) -> None:
    x = T.dmatrix("x")
    s = T.sum(1 / (1 + T.exp(-x)))
    gs = T.grad(s, x)
    dlogistic = function([x], gs)
    print(dlogistic([[0, 1], [-1, -2]]))
    same(
        capsys.readouterr().out,
        """[[0.25        0.19661193]
            [ 0.19661193 0.10499359]]""",
    )


def test_jacobian(capsys: pytest.CaptureFixture[str]) -> None:
    x = T.dvector("x")
    y = x**2

    J, updates = theano.scan(
        lambda i, y, x: T.grad(y[i], x), sequences=T.arange(y.shape[0]), non_sequences=[y, x]
    )

    f = function([x], J, updates=updates)

    print(f([4, 4]))
    same(capsys.readouterr().out, "[[ 8.  0.] [ 0. 8.]]")
    assert (function([x], theano.gradient.jacobian(y, x))([4, 4]) == f([4, 4])).all()


def test_hessian(capsys: pytest.CaptureFixture[str]) -> None:
    x = T.dvector("x")
    y = x**2
    cost = y.sum()
    gy = T.grad(cost, x)

    H, updates = theano.scan(
        lambda i, gy, x: T.grad(gy[i], x), sequences=T.arange(gy.shape[0]), non_sequences=[gy, x]
    )

    f = function([x], H, updates=updates)

    print(f([4, 4]))
    same(capsys.readouterr().out, "[[2.  0.] [ 0. 2.]]")
    assert (function([x], theano.gradient.hessian(cost, x))([4, 4]) == f([4, 4])).all()


def test_jacobian_times_a_vector(capsys: pytest.CaptureFixture[str]) -> None:
    W = T.dmatrix("W")
    V = T.dmatrix("V")
    x = T.dvector("x")
    y = T.dot(x, W)
    JV = T.Rop(y, W, V)
    f = theano.function([W, V, x], JV, on_unused_input="ignore")
    print(f([[1, 1], [1, 1]], [[2, 2], [2, 2]], [0, 1]))
    same(capsys.readouterr().out, "[2.  2.]")


def test_a_vector_times_the_jacobian(capsys: pytest.CaptureFixture[str]) -> None:
    W = T.dmatrix("W")
    v = T.dvector("v")
    x = T.dvector("x")
    y = T.dot(x, W)
    VJ = T.Lop(y, W, v)
    f = theano.function([v, x], VJ)
    print(f([2, 2], [0, 1]))
    same(capsys.readouterr().out, "[[0.  0.] [ 2. 2.]]")


def test_hessian_times_a_vector(capsys: pytest.CaptureFixture[str]) -> None:
    x = T.dvector("x")
    v = T.dvector("v")
    y = T.sum(x**2)
    gy = T.grad(y, x)
    Hv = T.Rop(gy, x, v)
    f = theano.function([x, v], Hv, on_unused_input="ignore")
    print(f([4, 4], [2, 2]))
    same(capsys.readouterr().out, "[4.  4.]")

    vH = T.grad(T.sum(gy * v), x)
    assert (theano.function([x, v], vH, on_unused_input="ignore")([4, 4], [2, 2]) == [4, 4]).all()
