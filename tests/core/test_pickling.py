"""Pickles and copies: of graphs as deep as they are, with what they share; of every op; of
functions, in a fresh process too.
"""

from __future__ import annotations

import copy
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import as_list, inputs_for
from workbench.core.function_pickle import AliasedMemoryError
from workbench.core.graph import Constant, Variable, leaves, toposort
from workbench.core.inner import InnerGraph
from workbench.core.interpreter import Interpreter
from workbench.core.ops.print_op import Print
from workbench.core.samples import SAMPLES

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
FIRST = [pytest.param(next(iter(make())), id=kind.__name__) for kind, make in SAMPLES.items()]
KINDS = [pytest.param(make, id=kind.__name__) for kind, make in SAMPLES.items()]


def again(item: Any, protocol: int = pickle.HIGHEST_PROTOCOL) -> Any:
    return pickle.loads(pickle.dumps(item, protocol))


def same_graph(old: Variable, new: Variable) -> None:
    """The same ops, types and names, in the same order."""
    a, b = toposort([old]), toposort([new])
    assert [(str(n.op), [v.type for v in n.inputs]) for n in a] == [
        (str(n.op), [v.type for v in n.inputs]) for n in b
    ]
    pairs = zip(leaves([old]), leaves([new]), strict=True)
    for x, y in pairs:
        assert (type(x), x.type, x.name) == (type(y), y.type, y.name)
        assert x is not y


# --- variables ---


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_graph_in_every_protocol(protocol: int) -> None:
    x, w = T.matrix("x"), wb.shared(np.ones((2, 2), "float32"), "w")
    y = T.tanh(T.dot(x, w) + 1)
    y.name = "y"
    new = again(y, protocol)
    same_graph(y, new)
    assert new.name == "y"
    values = dict.fromkeys(leaves([new])[:1], np.eye(2))
    np.testing.assert_allclose(
        Interpreter([new]).run(values)[0], np.tanh(np.eye(2) @ np.ones((2, 2)) + 1)
    )


def test_a_deep_graph() -> None:
    """A chain as long as no recursion reaches; pickling takes time linear in it."""
    x: Any = T.vector("x")
    deep = x
    for _ in range(20_000):
        deep = deep + 1
    new, inner, leaf = again([deep, deep.owner.inputs[0], x])
    assert new.owner.inputs[0] is inner
    assert leaves([new])[0] is leaf
    assert len(toposort([new])) == 20_000
    for _ in range(15_000):
        deep = deep.owner.inputs[0]
    copied = copy.deepcopy(deep)
    assert len(toposort([copied])) == 5_000
    assert leaves([copied])[0] is not x


def test_pure_python_picklers_do_not_recurse_either() -> None:
    deep: Any = T.vector("x")
    for _ in range(1000):
        deep = T.tanh(deep) * deep
    assert len(toposort([pickle._loads(pickle._dumps(deep))])) == 2000  # type: ignore[attr-defined]


def test_identity_is_kept_within_one_pickle() -> None:
    x, w = T.vector("x"), wb.shared(1.0, "w")
    y = T.exp(x) * w
    cost = (y + y).sum()
    box = {"cost": cost, "y": y, "list": [x, w, y.owner], "w": w}
    new = again(box)
    assert new["y"].owner is new["list"][2]
    assert new["list"][1] is new["w"]
    (total,) = [n for n in toposort([new["cost"]]) if new["y"] in n.inputs]
    assert total.inputs == (new["y"], new["y"])
    assert leaves([new["cost"]]) == [new["list"][0], new["w"]]


def test_nodes_by_themselves_and_several_outputs() -> None:
    x = T.matrix("x")
    first, second = wb.ifelse(x[0, 0] > 0, [x, x + 1], [x * 2, x])
    node = again(first.owner)
    assert len(node.outputs) == 2
    a, b = again((second, first))
    assert a.owner is b.owner
    assert (a.index, b.index) == (1, 0)


def test_names_tags_and_lines() -> None:
    x = T.vector("größe")
    x.tag.test_value = np.arange(3.0)
    y = x * 2
    y.tag.note = SimpleNamespace(of="y")
    y.tag.own = y
    new = again(y)
    assert new.tag.note.of == "y"
    assert new.tag.own is new
    (leaf,) = [v for v in leaves([new]) if not isinstance(v, Constant)]
    assert leaf.name == "größe"
    np.testing.assert_array_equal(leaf.tag.test_value, np.arange(3.0))
    assert (new.place.file, new.place.line, new.place.text) == (
        y.place.file,
        y.place.line,
        "y = x * 2",
    )
    assert again(new).place == y.place


def test_test_values_stay_behind_where_that_is_configured() -> None:
    x = T.vector("x")
    x.tag.test_value, x.tag.other = np.arange(3.0), 1
    with wb.config.change(pickle_test_value=False):
        new = again(x + 1)
    (leaf,) = [v for v in leaves([new]) if not isinstance(v, Constant)]
    assert not leaf.tagged("test_value")
    assert leaf.tag.other == 1


def test_constants_stay_constant() -> None:
    new = again(T.constant(np.arange(3.0)) + T.vector("x"))
    constant = next(v for v in leaves([new]) if isinstance(v, Constant))
    with pytest.raises(ValueError, match="read-only"):
        constant.data[0] = 1


@pytest.mark.parametrize(
    "value", [np.zeros((0, 3)), np.float32(2), True, {"any": [1]}, np.array(1 + 2j)]
)
def test_shared_variables(value: Any) -> None:
    w = wb.shared(value, "w", strict=True)
    w.default_update = w
    new = again(w)
    assert type(new) is type(w)
    assert (new.type, new.name, new.strict) == (w.type, "w", True)
    assert new.default_update is new
    assert new.cell[1] is None
    np.testing.assert_equal(new.get_value(), w.get_value())
    assert new.get_value(borrow=True) is not w.get_value(borrow=True)


def test_a_spare_array_is_no_part_of_a_pickle() -> None:
    w = wb.shared(np.zeros(10_000))
    step = wb.function([], updates=[(w, w + 1)])
    step(), step(), step()
    assert len(pickle.dumps(w)) < 90_000


def test_aliases_stay_aliases() -> None:
    array = np.arange(3.0)
    a, b = wb.shared(array, borrow=True), wb.shared(array, borrow=True)
    c, d = again([a, b])
    assert c.get_value(borrow=True) is d.get_value(borrow=True)


def test_variables_over_one_storage_keep_it() -> None:
    w = wb.shared(np.zeros(2), "w")
    for send in (again, copy.deepcopy):
        twin, first, other = send([w.clone(), w, copy.copy(w.clone())])
        first.set_value(np.ones(2))
        assert twin.get_value().sum() == other.get_value().sum() == 2
        assert w.get_value().sum() == 0


def test_eval_is_compiled_again() -> None:
    x = T.scalar("x")
    y = x + 1
    assert y.eval({x: 1}) == 2
    new = again(y)
    assert new.eval({leaves([new])[0]: 2}) == 3


# --- copies ---


def test_copy_of_a_variable() -> None:
    x = T.vector("x")
    y = x + 1
    y.tag.note = 1
    other = copy.copy(y)
    assert other is not y
    assert (other.owner, other.type, other.tag.note) == (y.owner, y.type, 1)
    other.tag.note = 2
    assert y.tag.note == 1
    w = wb.shared(1.0, "w")
    twin = copy.copy(w)
    w.set_value(5.0)
    assert twin.get_value() == 5


def test_deepcopy_of_variables() -> None:
    x, w = T.vector("x"), wb.shared(np.ones(2), "w")
    w.default_update = w * 2
    y = x * w
    (new, leaf), shared = copy.deepcopy(([y, x], w))
    assert leaves([new]) == [leaf, shared]
    assert leaf is not x
    shared.set_value(np.zeros(2))
    assert w.get_value().sum() == 2
    assert leaves([shared.default_update])[0] is shared
    same_graph(y, new)


# --- ops ---


@pytest.mark.parametrize("make", KINDS)
def test_every_op(make: Any) -> None:
    graphs = [as_list(sample.build(*inputs_for(sample.arrays))) for sample in make()]
    for op in {node.op for outputs in graphs for node in toposort(outputs)}:
        new = again(op)
        assert str(new) == str(op)
        inner = getattr(op, "inner", None)
        if isinstance(inner, InnerGraph):
            for a, b in zip(inner.outputs, new.inner.outputs, strict=True):
                if a.owner is not None:
                    same_graph(a, b)
        elif not isinstance(op, Print):  # each of which is another
            assert new == op
            assert hash(new) == hash(op)


@pytest.mark.parametrize("sample", FIRST)
def test_a_function_of_every_op(sample: Any) -> None:
    """Optimised forms, fused ones too, are not in the pickle: the user's graph is."""
    inputs = inputs_for(sample.arrays)
    f = wb.function(inputs, as_list(sample.build(*inputs)), on_unused_input="ignore")
    g = again(f)
    for a, b in zip(f(*sample.arrays), g(*sample.arrays), strict=True):
        np.testing.assert_array_equal(a, b)
    for node in f.maker.fgraph.toposort():
        if not isinstance(getattr(node.op, "inner", None), InnerGraph):
            assert again(node.op) == node.op or isinstance(node.op, Print)


# --- functions ---


def accumulator() -> tuple[Any, Any, Any]:
    x, w, scale = T.vector("x"), wb.shared(np.zeros(2), "w"), T.scalar("scale")
    f = wb.function(
        [x, wb.In(scale, value=2.0, update=scale + 1)],
        {"total": (x * w).sum() * scale},
        updates=[(w, w + x)],
        name="accumulate",
    )
    return f, wb.function([], w.sum()), w


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_functions_share_what_they_shared(protocol: int) -> None:
    f, total, w = accumulator()
    f(np.ones(2))
    f.trust_input = True
    g, new_total, new_w = again((f, total, w), protocol)
    assert (g.name, g.trust_input) == ("accumulate", True)
    assert g["scale"] == 3
    assert g(np.ones(2)) == {"total": 6}
    assert new_total() == 4
    assert new_w.get_value().tolist() == [2, 2]
    assert w.get_value().tolist() == [1, 1]
    assert g.get_shared() == [new_w]


def test_a_function_keeps_its_mode_and_profile() -> None:
    x = T.vector("x")
    mode = wb.Mode("py", "fast_compile").excluding("canonicalise")
    f = wb.function([x], wb.Out(x + 1, borrow=True), mode=mode, profile="mine")
    f(np.ones(2))
    g = again(f)
    assert g.maker.mode == mode
    assert (g.profile.name, g.profile.call_times.calls) == ("mine", 0)
    assert g.maker.program.borrowed == (True,)


def test_stored_arrays_that_overlap_are_told() -> None:
    x, y = T.dvectors("x", "y")
    rows = np.arange(6.0)
    parts = (wb.In(x, value=rows[:4], borrow=True), wb.In(y, value=rows[2:], borrow=True))
    f = wb.function(list(parts), x + y)
    with pytest.warns(UserWarning, match="the arrays of x and y overlap"):
        assert again(f)().tolist() == [2, 4, 6, 8]
    f.pickle_aliased_memory_strategy = "raise"
    with pytest.raises(AliasedMemoryError, match="overlap") as caught:
        pickle.dumps(f)
    assert "'ignore'" in caught.value.advice
    f.pickle_aliased_memory_strategy = "ignore"
    g = again(f)
    assert g.pickle_aliased_memory_strategy == "ignore"
    assert g().tolist() == [2, 4, 6, 8]
    f.pickle_aliased_memory_strategy = "hide"
    with pytest.raises(ValueError, match="'hide'"):
        pickle.dumps(f)
    whole = wb.function([wb.In(x, value=rows, borrow=True)], x + wb.shared(rows, borrow=True))
    twice = again(whole)  # one array in two places stays one
    assert twice.get_shared()[0].get_value(borrow=True) is twice.defaults[0]


def test_a_computed_input_and_givens() -> None:
    x, z = T.vectors("x", "z")
    y = x * 2
    f = wb.function([y], T.exp(y).sum() + z.sum(), givens={z: np.ones(2)})
    np.testing.assert_allclose(again(f)(np.zeros(3)), 5)


def test_loading_can_be_turned_off() -> None:
    x = T.vector("x")
    data = pickle.dumps([wb.function([x], x + 1), 5])
    with wb.config.change(unpickle_function=False):
        assert pickle.loads(data) == [None, 5]


def test_random_streams_go_on() -> None:
    streams = pytest.importorskip("workbench.core.random.streams")
    draw = streams.RandomStreams(3).uniform((2,))
    f = wb.function([], draw)
    f()
    g = again(f)
    for _ in range(3):
        np.testing.assert_array_equal(f(), g())


def test_copies_of_functions() -> None:
    f, _, w = accumulator()
    shares, own = copy.copy(f), copy.deepcopy(f)
    shares(np.ones(2))
    assert w.get_value().tolist() == [1, 1]
    own(np.ones(2)), own(np.ones(2))
    assert w.get_value().tolist() == [1, 1]
    assert own.get_shared()[0].get_value().tolist() == [2, 2]
    assert (f["scale"], shares["scale"], own["scale"]) == (2, 3, 4)
    model = copy.deepcopy({"f": f, "w": w})
    model["f"](np.ones(2))
    assert model["w"].get_value().tolist() == [2, 2]
    assert w.get_value().tolist() == [1, 1]


def test_what_cannot_be_pickled_says_so() -> None:
    w = wb.shared(lambda: 1)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(w)


@pytest.mark.parametrize("cut", [1, 100, -1])
def test_truncated(cut: int) -> None:
    data = pickle.dumps(accumulator()[0])
    with pytest.raises((pickle.UnpicklingError, EOFError)):
        pickle.loads(data[:cut])


# --- patterns ---


class Model:
    """Leaves its training set behind."""

    def __init__(self, data: Any) -> None:
        self.data = data
        self.w, self.b = wb.shared(np.ones((2, 3)), "w"), wb.shared(np.zeros(3), "b")
        x = T.matrix("x")
        self.predict = wb.function([x], T.dot(x, self.w) + self.b)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        del state["data"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.data = None


class Parameters:
    """Only (w, b) are saved; they were called otherwise once."""

    def __init__(self) -> None:
        self.weights, self.bias = wb.shared(np.ones(2), "w"), wb.shared(0.5, "b")

    def __getstate__(self) -> Any:
        return (self.weights, self.bias)

    def __setstate__(self, state: Any) -> None:
        self.weights, self.bias = state


def test_a_model_without_its_data() -> None:
    model = Model(np.ones(1000))
    new = again(model)
    assert new.data is None
    new.w.set_value(np.full((2, 3), 2.0))
    np.testing.assert_array_equal(new.predict(np.ones((1, 2))), [[4, 4, 4]])
    np.testing.assert_array_equal(model.predict(np.ones((1, 2))), [[2, 2, 2]])


def test_parameters_only() -> None:
    new = again(Parameters())
    assert new.weights.get_value().tolist() == [1, 1]
    assert new.bias.get_value() == 0.5


def test_several_objects_one_after_another_in_one_file(tmp_path: Path) -> None:
    f, total, w = accumulator()
    with (tmp_path / "objects.save").open("wb") as file:
        for item in (w, total, f):
            pickle.dump(item, file, protocol=pickle.HIGHEST_PROTOCOL)
    with (tmp_path / "objects.save").open("rb") as file:
        new_w, new_total, g = [pickle.load(file) for _ in range(3)]
    g(np.ones(2))
    assert new_w.get_value().sum() == new_total() == 0
    assert g.get_shared()[0].get_value().sum() == 2


FRESH = """
import pickle, sys
import numpy as np
f, cost = pickle.load(open(sys.argv[1], "rb"))
out = f(np.arange(4.0))
print([np.round(np.asarray(v), 6).tolist() for v in out], cost.place.text)
"""


def program() -> tuple[Any, Any]:
    """A function with a loop, a choice, a fused part, random numbers' like, and a product."""
    x = T.vector("x")
    w = wb.shared(np.eye(4), "w")
    rows, _ = wb.scan(lambda v, s: T.tanh(v + s), sequences=x, outputs_info=T.constant(0.5))
    cost = wb.ifelse(x.sum() > 0, T.dot(w, rows).sum(), T.exp(x).sum())
    return wb.function([x], [cost, *wb.grad(cost, [x, w])], updates=[(w, w * 0.5)]), cost


def others() -> list[str]:
    """Other interpreters that have what the workbench needs."""
    found = {shutil.which(f"python3.{minor}") for minor in range(11, 15)} - {None, sys.executable}
    needs = "import numpy, scipy, llvmlite, IPython, anywidget, graphviz"
    return [
        p
        for p in found
        if p and subprocess.run([p, "-c", needs], check=False, capture_output=True).returncode == 0
    ]


def test_in_a_fresh_process(tmp_path: Path) -> None:
    """By this interpreter and whichever others there are."""
    made = program()
    (tmp_path / "program.pickle").write_bytes(pickle.dumps(made))
    wanted = [np.round(np.asarray(v), 6).tolist() for v in made[0](np.arange(4.0))]
    root = str(Path(wb.__file__).parents[1])
    for python in (sys.executable, *others()):
        run = subprocess.run(
            [python, "-c", FRESH, str(tmp_path / "program.pickle")],
            capture_output=True, text=True, check=False, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": root},
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        assert run.stdout.strip() == f"{wanted} {made[1].place.text}"


def test_what_another_python_pickled() -> None:
    """Recorded with Python 3.13: `program()`, after one call."""
    with (Path(__file__).parent / "data" / "program_python_3_13.pickle").open("rb") as file:
        f, cost = pickle.load(file)
    g, other = program()
    g(np.arange(4.0))
    for a, b in zip(f(np.arange(4.0)), g(np.arange(4.0)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    same_graph(other, cost)
    assert cost.place.file.endswith("test_pickling.py")
    assert cost.place.text.startswith("cost = wb.ifelse(")
