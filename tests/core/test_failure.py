"""How much is told of a call that failed."""

from __future__ import annotations

import copy
import traceback

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.failure import HINT
from workbench.core.graph import Op
from workbench.core.types import tensor_type
from workbench.errors import ShapeError
from workbench.frozen import frozen

x, y = T.dvector("x"), T.dvector("y")
MODES = ("FAST_RUN", "FAST_COMPILE")


@frozen
class Fails(Op):
    def infer(self, *inputs):
        return [tensor_type(inputs[0])]

    def evaluate(self, *values):
        raise ZeroDivisionError("this op always fails")


@pytest.fixture(params=MODES)
def f(request):
    s = wb.shared(np.zeros(100), "s")
    return wb.function([x, y], [T.exp(x) * y, s + 1], mode=request.param)


def failure(f, *args):
    with pytest.raises(Exception) as caught:  # noqa: PT011  # its class is checked by each test
        f(*args)
    return caught.value


def test_low_has_four_parts_and_a_hint(f):
    error = failure(f, np.ones(3), np.ones(2))
    assert isinstance(error, ShapeError)
    assert "Storage map" not in str(error)
    assert len(str(error).splitlines()) == 4
    assert error.__notes__ == [HINT]
    assert HINT in "".join(traceback.format_exception(error))


def test_high_adds_the_graph_the_values_and_the_memory(f):
    with wb.config.change(exception_verbosity="high"):
        error = failure(f, np.ones(3), np.array([5.0, 6.0]))
    text = str(error)
    parts = (
        "input dimension mismatch on axis 0\n", "mul of ", "strides (8,)", "array([5., 6.])",
        "made at tests/core/test_failure.py", "make the lengths equal",
        "Debugprint of the apply node:\nElemwise{mul,no_inplace} [id A] <TensorType(",
        " |Elemwise{exp,no_inplace} [id B]", "Storage map footprint:",
        " - s, Shared Input, Shape: (100,), ElemSize: 8 Byte(s), TotalSize: 800 Byte(s)",
        " - Elemwise{exp,no_inplace}.0, Result, Shape: (3,)",
        " - y, Input, Shape: (2,)", "\n TotalSize: 8",
    )  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert not hasattr(error, "__notes__")
    assert "Storage map" in str(copy.copy(error))


@pytest.mark.parametrize("mode", MODES)
def test_other_exceptions_keep_their_class(mode):
    f = wb.function([x], Fails()(T.tanh(x)), mode=mode)
    error = failure(f, np.ones(2))
    assert type(error) is ZeroDivisionError
    assert "this op always fails\nFails of " in str(error)
    assert error.__notes__ == [HINT]
    with wb.config.change(exception_verbosity="high"):
        error = failure(f, np.ones(2))
    assert type(error) is ZeroDivisionError
    assert "Debugprint of the apply node:\nFails [id A]" in str(error)


def test_a_node_in_a_loop():
    m = T.dmatrix("m")
    f = wb.function([m, y], wb.scan(lambda row: row * y, m)[0], mode="FAST_COMPILE")
    with wb.config.change(exception_verbosity="high"):
        error = failure(f, np.ones((2, 3)), np.ones(4))
    assert "Debugprint of the apply node:\nElemwise{mul" in str(error)


def test_many_values_are_not_all_listed():
    shared = [wb.shared(float(i), f"s{i}") for i in range(30)]
    f = wb.function([x, y], (x + y) * sum(shared), mode="FAST_COMPILE")
    with wb.config.change(exception_verbosity="high"):
        error = failure(f, np.ones(3), np.ones(2))
    assert str(error).count("TotalSize:") == 21
    assert "more" in str(error)


def test_an_error_of_the_users_own_function_keeps_its_traceback():
    def stop(i, node, fn):
        raise KeyError("mine")

    f = wb.function([x], x + 1, mode=wb.MonitorMode(post_func=stop))
    error = failure(f, np.ones(2))
    assert "in stop" in "".join(traceback.format_exception(error))
    assert not hasattr(error, "__notes__")
