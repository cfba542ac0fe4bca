"""The notes on GPUs and the basics, every code block under the old names:
programs on a GPU, and memory that is borrowed.

Blocks that are misspelt in the text are mended; what they mean is kept. Programs for a GPU run on
`device='cpu'` here.
"""

import time

import numpy
import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.theano.shown import same
from workbench.theano import Out, config, function, sandbox, shared, tensor

floatX = theano.config.floatX

# --- I. Programs on a GPU ---


VLEN = 10 * 30 * 768  # 10 x #cores x # threads per core


def used(f) -> str:
    """The text's own check of where a function runs."""
    if numpy.any(
        [
            isinstance(x.op, T.Elemwise) and ("Gpu" not in type(x.op).__name__)
            for x in f.maker.fgraph.toposort()
        ]
    ):
        return "Used the cpu"
    return "Used the gpu"


def test_is_it_the_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    iters = 10
    rng = numpy.random.RandomState(22)
    x = shared(numpy.asarray(rng.rand(VLEN), "float32"))
    f = function([], T.exp(x))
    print(f.maker.fgraph.toposort())
    for _ in range(iters):
        r = f()
    print("Result is", r)
    print(used(f))

    printed = capsys.readouterr().out
    assert printed.startswith("[Elemwise{exp,no_inplace}(<TensorType(float32, vector)>)]\n")
    assert printed.endswith("Used the cpu\n")
    same(
        printed.partition("Result is")[2].partition("Used")[0],
        "[ 1.23178029  1.61879337  1.52278066 ...,  2.20771813  2.29967761  1.62323284]",
    )
    np.testing.assert_allclose(r, numpy.exp(x.get_value()), rtol=3e-7)


@pytest.mark.parametrize("backend", ["cuda", "gpuarray"])
def test_a_handle_to_what_lies_on_the_device(backend: str) -> None:
    """Asked to stay on the device; on the CPU that is an array."""
    iters = 10
    rng = numpy.random.RandomState(22)
    x = shared(numpy.asarray(rng.rand(VLEN), config.floatX))
    f = function([], getattr(sandbox, backend).basic_ops.gpu_from_host(tensor.exp(x)))
    for _ in range(iters):
        r = f()
    np.testing.assert_allclose(
        numpy.asarray(r)[[0, 1, 2, -3, -2, -1]],
        [1.23178032, 1.61879341, 1.52278065, 2.20771815, 2.29967753, 1.62323285],
        atol=6e-9 if config.floatX == "float64" else 2e-7,
    )
    assert used(f) == "Used the cpu"


def test_the_exercise_logistic_regression(capsys: pytest.CaptureFixture[str]) -> None:
    rng = numpy.random

    N = 400
    feats = 784
    D = (
        rng.randn(N, feats).astype(theano.config.floatX),
        rng.randint(size=N, low=0, high=2).astype(theano.config.floatX),
    )
    training_steps = 10000

    # Declare Theano symbolic variables
    x = T.matrix("x")
    y = T.vector("y")
    w = theano.shared(rng.randn(feats).astype(theano.config.floatX), name="w")
    b = theano.shared(numpy.asarray(0.0, dtype=theano.config.floatX), name="b")
    x.tag.test_value = D[0]
    y.tag.test_value = D[1]

    # Construct Theano expression graph
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))  # Probability of having a one
    prediction = p_1 > 0.5  # The prediction that is done: 0 or 1
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)  # Cross-entropy
    cost = xent.mean() + 0.01 * (w**2).sum()  # The cost to optimize
    gw, gb = T.grad(cost, [w, b])

    # Compile expressions to functions
    train = theano.function(
        inputs=[x, y],
        outputs=[prediction, xent],
        updates={w: w - 0.01 * gw, b: b - 0.01 * gb},
        name="train",
    )
    predict = theano.function(inputs=[x], outputs=prediction, name="predict")

    if any(
        x.op.__class__.__name__ in ["Gemv", "CGemv", "Gemm", "CGemm"]
        for x in train.maker.fgraph.toposort()
    ):
        print("Used the cpu")
    elif any(
        x.op.__class__.__name__ in ["GpuGemm", "GpuGemv"] for x in train.maker.fgraph.toposort()
    ):
        print("Used the gpu")
    else:
        print("ERROR, not able to tell if theano used the cpu or the gpu")
        print(train.maker.fgraph.toposort())

    for _ in range(training_steps):
        _pred, _err = train(D[0], D[1])

    assert capsys.readouterr().out == "Used the cpu\n"
    assert (predict(D[0]) == D[1]).all()


# --- II. Shared variables and borrow ---


def test_borrow_when_a_shared_variable_is_made() -> None:
    np_array = numpy.ones(2, dtype="float32")

    s_default = theano.shared(np_array)
    s_false = theano.shared(np_array, borrow=False)
    s_true = theano.shared(np_array, borrow=True)

    np_array += 1  # now it is an array of 2.0 s

    assert s_default.get_value().tolist() == [1.0, 1.0]
    assert s_false.get_value().tolist() == [1.0, 1.0]
    assert s_true.get_value().tolist() == [2.0, 2.0]


def test_borrow_when_a_value_is_read() -> None:
    s = theano.shared(numpy.ones(2, dtype="float32"))

    v_false = s.get_value(borrow=False)  # the default
    v_true = s.get_value(borrow=True)
    v_internal = s.get_value(borrow=True, return_internal_type=True)
    v_copy = s.get_value(borrow=False, return_internal_type=True)

    assert v_true is v_internal
    assert not np.shares_memory(v_false, v_true)
    assert not np.shares_memory(v_copy, v_true)


def test_borrow_when_a_value_is_assigned() -> None:
    def some_inplace_fn(array):
        array *= 3
        return array

    s = theano.shared(numpy.ones(2, dtype="float32"))
    buffer = s.get_value(borrow=True)
    s.set_value(some_inplace_fn(s.get_value(borrow=True)), borrow=True)
    assert s.get_value().tolist() == [3.0, 3.0]
    assert s.get_value(borrow=True) is buffer


def test_borrow_of_inputs_and_outputs() -> None:
    x = theano.tensor.matrix()
    y = 2 * x
    f = theano.function([theano.In(x, borrow=True)], theano.Out(y, borrow=True))
    np.testing.assert_array_equal(f(np.ones((2, 3), floatX)), np.full((2, 3), 2.0))


def test_a_function_that_borrows_its_output(capsys: pytest.CaptureFixture[str]) -> None:
    iters = 10
    rng = numpy.random.RandomState(22)
    x = shared(numpy.asarray(rng.rand(VLEN), config.floatX))
    f1 = function([], sandbox.cuda.basic_ops.gpu_from_host(tensor.exp(x)))
    f2 = function([], Out(sandbox.cuda.basic_ops.gpu_from_host(tensor.exp(x)), borrow=True))
    t0 = time.time()
    for _ in range(iters):
        r = f1()
    t1 = time.time()
    no_borrow = t1 - t0
    t0 = time.time()
    for _ in range(iters):
        r = f2()
    t1 = time.time()
    print("Looping", iters, "times took", no_borrow, "seconds without borrow")
    print("and", t1 - t0, "seconds with borrow.")
    print(used(f1))
    assert capsys.readouterr().out.endswith("Used the cpu\n")
    np.testing.assert_allclose(numpy.asarray(r), numpy.exp(x.get_value()), rtol=1e-6)
