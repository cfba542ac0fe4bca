"""`pp` writes an expression the way one would."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.printing.pp import pp
from workbench.errors import GraphError

x, y = T.dscalar("x"), T.dscalar("y")
i, k = T.lscalar("i"), T.lscalar("k")
v, M = T.dvector("v"), T.dmatrix("M")

FORMS = {
    r"x": x,
    r"(x + y)": x + y,
    r"(x - y)": x - y,
    r"(x * y)": x * y,
    r"(x / y)": x / y,
    r"(i // k)": i // k,
    r"(i % k)": i % k,
    r"(x ** TensorConstant{2})": x**2,
    r"((x * y) + x)": x * y + x,
    r"(x * (y + x))": x * (y + x),
    r"(-x)": -x,
    r"|x|": abs(x),
    r"(i & k)": i & k,
    r"(~i)": ~i,
    r"exp(x)": T.exp(x),
    r"exp((x + y))": T.exp(x + y),
    r"sigmoid(x)": T.nnet.sigmoid(x),
    r"gt(x, y)": T.gt(x, y),
    r"eq(x, y)": T.eq(x, y),
    r"switch(gt(x, y), x, y)": T.switch(x > y, x, y),
    r"maximum(x, y)": T.maximum(x, y),
    r"float64(i)": T.cast(i, "float64"),
    r"fill(x, y)": T.second(x, y),
    r"(M \dot v)": T.dot(M, v),
    r"(M.T \dot v)": T.dot(M.T, v),
    r"M.T": M.T,
    r"v": v.dimshuffle("x", 0),
    r"DimShuffle{0, x}(v)": v.dimshuffle(0, "x"),
    r"(M + v)": M + v,
    r"Sum{acc_dtype=float64}(M)": M.sum(),
    r"Sum{axis=[0], acc_dtype=float64}(M)": M.sum(axis=0),
    r"Sum{acc_dtype=int64}(w)": T.wvector("w").sum(),
    r"v[Constant{0}]": v[0],
    r"v[i]": v[i],
    r"v[Constant{1}:Constant{3}]": v[1:3],
    r"v[:i]": v[0:i],
    r"v[::Constant{-1}]": v[::-1],
    r"M[:, Constant{1}]": M[:, 1],
    r"(x + TensorConstant{1.5})": x + 1.5,
    r"(v * TensorConstant{[1. 2.]})": v * np.array([1.0, 2.0]),
    r"(v * TensorConstant{(3,) of 1.0})": v * np.ones(3),
}


@pytest.mark.parametrize("text", FORMS)
def test_forms(text):
    assert pp(FORMS[text]) == text


def test_the_tutorials_gradient():
    gradient = T.grad(x**2, x)
    assert pp(gradient) == (
        "((fill((x ** TensorConstant{2}), TensorConstant{1.0}) * TensorConstant{2}) * "
        "(x ** (TensorConstant{2} - TensorConstant{1})))"
    )
    f = wb.function([x], gradient)
    assert pp(f.maker.fgraph.outputs[0]) == pp(f) == "(TensorConstant{2.0} * x)"
    assert f(4) == 8


def test_several_and_nodes():
    assert pp(x + y, M.T) == "(x + y), M.T"
    assert pp((x + y).owner) == "(x + y)"
    assert pp(wb.function([x], [x, -x])) == "x, (-x)"


def test_long_constants_and_fused_nodes():
    assert pp(T.constant(np.arange(100.0))) == "TensorConstant{array of shape (100,)}"
    f = wb.function([x, y], T.tanh(x + y) * 2)
    assert "Composite" in pp(f)
    assert pp(f).endswith("(x, y)")


def test_a_deep_graph_and_one_whose_text_would_double_at_every_level():
    deep = x
    for _ in range(20_000):
        deep = -deep
    assert pp(deep).count("-") > 1000
    doubled = x
    for _ in range(200):
        doubled = doubled * doubled
    assert len(pp(doubled)) < 300_000
    assert "…" in pp(doubled)


def test_what_is_no_expression():
    with pytest.raises(GraphError, match="not str"):
        pp("x")
