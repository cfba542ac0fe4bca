"""Pickles, the old pkl_utils, and transfers."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import proven_by, proves
from workbench.theano.misc import pkl_utils
from workbench.theano.sandbox.cuda import basic_ops
from workbench.theano.tensor.shared_randomstreams import RandomStreams

A = np.arange(3.0)
x = T.dvector("x")
TESTS = "tests/core/test_pickling.py::"


def again(thing: object) -> object:
    return pickle.loads(pickle.dumps(thing, -1))


@proves("pickle", "variable", "shared variable", "function")
def what_is_pickled() -> None:
    a, b = again([x, T.exp(x) * 2])
    assert a.name == "x"
    assert theano.function([a], b)(A).tolist() == pytest.approx((2 * np.exp(A)).tolist())
    s = again(theano.shared(A, "s"))
    assert (s.name, s.get_value().tolist()) == ("s", A.tolist())
    kept = theano.shared(A, "kept")
    f = again(theano.function([x], x + kept, updates={kept: kept + 1}))
    assert f(A).tolist() == (2 * A).tolist()
    assert f(A).tolist() == (2 * A + 1).tolist()


@proves("pickle", "several functions share state", "large graph", "random streams")
def what_stays_together_in_a_pickle() -> None:
    s = theano.shared(0.0, "s")
    count, read = again([theano.function([], [], updates={s: s + 1}), theano.function([], s * 1)])
    count()
    assert read() == 1
    assert s.get_value() == 0
    deep = x
    for _ in range(5000):
        deep = T.tanh(deep)
    first, last = again([x, deep])
    assert last.owner.op == deep.owner.op
    assert first.name == "x"
    u = theano.function([], RandomStreams(5).uniform((2,)))
    u()
    twin = again(u)
    assert twin().tolist() == u().tolist()


@proves("theano.compile.Function", "pickle_aliased_memory_strategy")
@proves("theano.compile.function_module.AliasedMemoryError")
def overlapping_memory_is_told_in_a_pickle() -> None:
    y = T.dvector("y")
    inputs = [theano.In(x, value=A[:2], borrow=True), theano.In(y, value=A[1:], borrow=True)]
    f = theano.function(inputs, x + y)
    with pytest.warns(UserWarning, match="overlap"):
        assert again(f)().tolist() == [1, 3]
    f.pickle_aliased_memory_strategy = "raise"
    with pytest.raises(theano.compile.function_module.AliasedMemoryError):
        pickle.dumps(f)
    f.pickle_aliased_memory_strategy = "ignore"
    assert again(f)().tolist() == [1, 3]


@proves("unpickle_function")
def functions_may_be_left_out_when_loading() -> None:
    data = pickle.dumps([theano.function([x], x * 2), 3])
    with theano.config.change(unpickle_function=False):
        assert pickle.loads(data) == [None, 3]
    assert pickle.loads(data)[0](A).tolist() == (2 * A).tolist()


@proves("pickle_test_value")
def values_may_stay_behind() -> None:
    v = T.dvector("v")
    v.tag.test_value = A
    assert again(v).tag.test_value.tolist() == A.tolist()
    with theano.config.change(pickle_test_value=False):
        assert not hasattr(again(v).tag, "test_value")


proven_by(
    f"{TESTS}test_functions_share_what_they_shared", ("pickle", "several functions share state")
)
proven_by(f"{TESTS}test_a_function_of_every_op", ("pickle", "function"))


@proves("theano.misc.pkl_utils.dump", "obj", "file_handler")
@proves("theano.misc.pkl_utils.load", "f")
def objects_in_files() -> None:
    file = io.BytesIO()
    pkl_utils.dump({"w": theano.shared(A, "w"), "n": 3}, file)
    file.seek(0)
    found = pkl_utils.load(file)
    assert found["n"] == 3
    assert found["w"].get_value().tolist() == A.tolist()


@proves("theano.sandbox.cuda.basic_ops.gpu_from_host", "x")
@proves("theano.sandbox.cuda.basic_ops.host_from_gpu", "x")
def transfers_on_the_cpu_are_the_value() -> None:
    for move in (basic_ops.gpu_from_host, basic_ops.host_from_gpu):
        assert theano.function([x], move(x) * 2)(A).tolist() == (2 * A).tolist()
