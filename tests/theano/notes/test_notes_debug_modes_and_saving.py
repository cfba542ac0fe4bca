"""The notes on GPUs and the basics, every code block under the old names:
debugging, configuration, modes, saving and conditions.

Blocks that are misspelt in the text are mended; what they mean is kept. Programs for a GPU run on
`device='cpu'` here.
"""

import io
import pickle
import timeit
from pathlib import Path

import numpy
import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from workbench.errors import ShapeError
from workbench.theano import config
from workbench.theano.ifelse import ifelse

floatX = theano.config.floatX

# --- Debug ---


def test_values_are_computed_as_the_graph_is_built() -> None:
    with config.change(compute_test_value="raise"):
        x = T.matrix("x")
        x.tag.test_value = np.ones((2, 3), floatX)
        y = T.dot(x, np.ones((3, 4), floatX))
        assert y.tag.test_value.tolist() == [[3.0] * 4] * 2
        with pytest.raises(ValueError, match="test value"):
            _ = x + T.matrix("z")
        with pytest.raises(ShapeError):
            T.dot(y, x)
    with config.change(compute_test_value="warn"), pytest.warns(UserWarning, match="test value"):
        _ = x + T.matrix("z")
    with config.change(compute_test_value="ignore"):
        _ = x + T.matrix("z")


def test_monitor_mode(capsys: pytest.CaptureFixture[str]) -> None:
    def inspect_inputs(i, node, fn):
        print(i, node, "input(s) value(s):", [input[0] for input in fn.inputs], end=" ")

    def inspect_outputs(i, node, fn):
        print("output(s) value(s):", [output[0] for output in fn.outputs])

    x = theano.tensor.dscalar("x")
    f = theano.function(
        [x],
        [5 * x],
        mode=theano.compile.MonitorMode(pre_func=inspect_inputs, post_func=inspect_outputs),
    )
    assert f(3)[0] == 15

    printed = capsys.readouterr().out
    assert printed.startswith("0 Elemwise{mul,no_inplace}(TensorConstant{5")
    assert "input(s) value(s):" in printed
    assert printed.endswith("output(s) value(s): [array(15.)]\n")


def test_print(capsys: pytest.CaptureFixture[str]) -> None:
    x = theano.tensor.dvector("x")

    x_printed = theano.printing.Print("this is a very important value")(x)

    f = theano.function([x], x * 5)
    f_with_print = theano.function([x], x_printed * 5)

    # this runs the graph without any printing
    assert numpy.all(f([1, 2, 3]) == [5, 10, 15])
    assert capsys.readouterr().out == ""

    # this runs the graph with the message, and value printed
    assert numpy.all(f_with_print([1, 2, 3]) == [5, 10, 15])
    assert capsys.readouterr().out == "this is a very important value __str__ = [1. 2. 3.]\n"


# --- Configuration and modes ---


def test_logistic_regression_in_float32() -> None:
    import workbench.theano.tensor as tt

    with config.change(floatX="float32"):
        rng = numpy.random

        N = 400
        feats = 784
        D = (
            rng.randn(N, feats).astype(theano.config.floatX),
            rng.randint(size=N, low=0, high=2).astype(theano.config.floatX),
        )
        training_steps = 1000

        # Declare Theano symbolic variables
        x = tt.matrix("x")
        y = tt.vector("y")
        w = theano.shared(rng.randn(feats).astype(theano.config.floatX), name="w")
        b = theano.shared(numpy.asarray(0.0, dtype=theano.config.floatX), name="b")
        x.tag.test_value = D[0]
        y.tag.test_value = D[1]

        # Construct Theano expression graph
        p_1 = 1 / (1 + tt.exp(-tt.dot(x, w) - b))  # Probability of having a one
        prediction = p_1 > 0.5  # The prediction that is done: 0 or 1
        xent = -y * tt.log(p_1) - (1 - y) * tt.log(1 - p_1)  # Cross-entropy
        cost = tt.cast(xent.mean(), "float32") + 0.01 * (w**2).sum()  # The cost to optimize
        gw, gb = tt.grad(cost, [w, b])

        # Compile expressions to functions
        train = theano.function(
            inputs=[x, y],
            outputs=[prediction, xent],
            updates={w: w - 0.1 * gw, b: b - 0.1 * gb},
            name="train",
        )
        predict = theano.function(inputs=[x], outputs=prediction, name="predict")

    assert any(
        x.op.__class__.__name__ in ["Gemv", "CGemv", "Gemm", "CGemm"]
        for x in train.maker.fgraph.toposort()
    )
    floats = {
        v.dtype for n in train.maker.fgraph.toposort() for v in n.outputs if "float" in v.dtype
    }
    assert floats == {"float32"}
    for _ in range(training_steps):
        _pred, _err = train(D[0], D[1])
    assert (predict(D[0]) == D[1]).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: theano.compile.mode.Mode(linker="py", optimizer="fast_compile"),
        lambda: theano.compile.mode.Mode(linker="cvm", optimizer="fast_run"),
        lambda: theano.compile.debugmode.DebugMode(),
        lambda: theano.compile.profilemode.ProfileMode(),
        lambda: "FAST_COMPILE",
        lambda: "FAST_RUN",
        lambda: "DebugMode",
        lambda: "DEBUG_MODE",
        lambda: "ProfileMode",
    ],
)
def test_modes(make) -> None:
    x = T.dvector("x")
    f = theano.function([x], 10 * x, mode=make())
    assert f([5]).tolist() == [50.0]
    assert f([0]).tolist() == [0.0]
    assert f([7]).tolist() == [70.0]


def test_profile_mode(capsys: pytest.CaptureFixture[str]) -> None:
    from workbench.theano import ProfileMode

    profmode = ProfileMode(optimizer="fast_run", linker=theano.gof.OpWiseCLinker())

    rng = numpy.random.RandomState(0)
    x, y = T.matrix("x"), T.vector("y")
    w = theano.shared(rng.randn(30), name="w")
    b = theano.shared(0.0, name="b")
    p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
    prediction = p_1 > 0.5
    xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
    cost = xent.mean() + 0.01 * (w**2).sum()
    gw, gb = T.grad(cost, [w, b])
    train = theano.function(
        inputs=[x, y],
        outputs=[prediction, xent],
        updates={w: w - 0.01 * gw, b: b - 0.01 * gb},
        name="train",
        mode=profmode,
    )
    for _ in range(20):
        train(rng.randn(40, 30), rng.randint(2, size=40).astype(floatX))

    capsys.readouterr()
    profmode.print_summary()
    printed = capsys.readouterr().out
    sections = [
        "ProfileMode.print_summary()",
        "Time since import",
        "compile time:",
        "Optimization time:",
        "Linker time:",
        "fct call",
        "Op time",
        "function overhead in ProfileMode",
        "20 fct call,",
        "Rest of the time since import",
        "fct summary:",
        "Single Op-wise summary:",
        "Op-wise summary:",
        "Apply-wise summary:",
    ]
    position = -1
    for section in sections:
        position = printed.find(section, position + 1)
        assert position >= 0, section
    assert "(*) Op is running a" in printed
    assert "Gemv" in printed
    assert " 20 train" in printed


# --- Saving ---


class Model:
    """A model for the text's patterns of pickling."""

    def __init__(self, training_set_file: str = "") -> None:
        self.W = theano.shared(np.arange(6.0).reshape(2, 3), name="W")
        self.b = theano.shared(np.ones(3), name="b")
        self.training_set_file = training_set_file
        self.training_set = None


class LeavesOutData(Model):
    def __getstate__(self):
        state = dict(self.__dict__)
        del state["training_set"]
        return state

    def __setstate__(self, d):
        self.__dict__.update(d)
        with open(self.training_set_file, "rb") as file:
            self.training_set = pickle.load(file)


class KeepsParameters(Model):
    def __getstate__(self):
        return (self.W, self.b)

    def __setstate__(self, state):
        W, b = state
        self.W = W
        self.b = b


class Renamed:
    def __getstate__(self):
        return (self.weights, self.bias)

    def __setstate__(self, state):
        W, b = state
        self.weights = W
        self.bias = b


def test_one_object_and_several_in_one_file(tmp_path: Path) -> None:
    x = T.vector("x")
    w = theano.shared(np.ones(3), name="w")
    my_obj = theano.function([x], (x * w).sum(), updates=[(w, w * 2)])
    with open(tmp_path / "obj.save", "wb") as f:
        pickle.dump(my_obj, f, protocol=pickle.HIGHEST_PROTOCOL)
    with open(tmp_path / "obj.save", "rb") as f:
        loaded_obj = pickle.load(f)
    assert [float(loaded_obj(np.ones(3))) for _ in range(2)] == [3.0, 6.0]
    assert w.get_value().tolist() == [1.0] * 3

    obj1, obj2, obj3 = w, x + w, my_obj
    with open(tmp_path / "objects.save", "wb") as f:
        for obj in [obj1, obj2, obj3]:
            pickle.dump(obj, f, protocol=pickle.HIGHEST_PROTOCOL)
    loaded_objects = []
    with open(tmp_path / "objects.save", "rb") as f:
        for _ in range(3):
            loaded_objects.append(pickle.load(f))
    assert loaded_objects[0].get_value().tolist() == [1.0] * 3
    assert loaded_objects[2](np.ones(3)) == 3.0


def test_a_model_without_its_data(tmp_path: Path) -> None:
    data = tmp_path / "training_set.pkl"
    data.write_bytes(pickle.dumps([1, 2, 3]))
    model = LeavesOutData(str(data))
    text = pickle.dumps(model, protocol=pickle.HIGHEST_PROTOCOL)
    again = pickle.loads(text)
    assert again.training_set == [1, 2, 3]
    assert (again.W.get_value() == model.W.get_value()).all()


def test_parameters_outlive_a_change_of_names() -> None:
    file = io.BytesIO()
    model = KeepsParameters()
    pickle.dump(model.__getstate__(), file)
    file.seek(0)
    renamed = Renamed()
    renamed.__setstate__(pickle.load(file))
    assert (renamed.weights.get_value() == model.W.get_value()).all()
    assert (renamed.bias.get_value() == model.b.get_value()).all()
    assert pickle.loads(pickle.dumps(model)).W.get_value().shape == (2, 3)
    assert pickle.loads(pickle.dumps(renamed)).bias.get_value().shape == (3,)


# --- Conditions ---


def test_ifelse_and_switch() -> None:
    a, b = T.scalars("a", "b")
    x, y = T.matrices("x", "y")

    z_switch = T.switch(T.lt(a, b), T.mean(x), T.mean(y))
    z_lazy = ifelse(T.lt(a, b), T.mean(x), T.mean(y))

    f_switch = theano.function([a, b, x, y], z_switch, mode=theano.Mode(linker="vm"))
    f_lazyifelse = theano.function([a, b, x, y], z_lazy, mode=theano.Mode(linker="vm"))

    val1 = 0.0
    val2 = 1.0
    big_mat1 = numpy.ones((1000, 1000), dtype=floatX)
    big_mat2 = numpy.full((1000, 1000), 3, dtype=floatX)

    for first, second in ((val1, val2), (val2, val1)):
        wanted = 1 if first < second else 3
        assert f_switch(first, second, big_mat1, big_mat2) == wanted
        assert f_lazyifelse(first, second, big_mat1, big_mat2) == wanted

    def seconds(f) -> float:
        return min(timeit.repeat(lambda: f(val1, val2, big_mat1, big_mat2), number=3, repeat=7))

    assert seconds(f_lazyifelse) < 0.85 * seconds(f_switch)
