"""Fused ops in words: labels and expressions that a reader can check against the graph."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from workbench.inspection import inspect


def fused(outputs):
    return next(n for n in inspect(outputs).optimised if n.inner is not None)


def test_a_short_expression_is_the_label():
    w = wb.shared(np.ones(2), name="w")
    node = fused((w**2).sum())
    assert node.label == node.detail == "sum(sqr(w))"
    assert [n.label for n in node.inner] == ["w", "mul", "sum"]


def test_a_long_one_is_called_by_its_costliest_steps():
    x, y = T.dvectors("x", "y")
    node = fused((T.log(x) * T.exp(y) + 1) / (x - 2))
    assert node.label.startswith("fused log, exp, div")
    assert node.detail == "(log(x) * exp(y) + 1) / (x - 2)"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda x, y: T.exp(x - (y - x)), "exp(x - (y - x))"),
        (lambda x, y: -(x * y) + T.tanh(x), "tanh(x) - x * y"),
        (lambda x, y: T.exp(x[1:]) + y[:-1], "exp(x[1:]) + y[:-1]"),
        (lambda x, y: T.exp(x).sum(), "sum(exp(x))"),
        (lambda x, y: T.exp(T.dot(x, y) * x), "exp(dot * x)"),
    ],
)
def test_expressions(make, text):
    assert fused(make(*T.dvectors("x", "y"))).detail == text


def test_a_long_program_is_cut():
    x = T.dvector("x")
    y = x
    for i in range(200):
        y = T.exp(y) * x + i
    assert len(fused(y).detail) <= 160


def test_nameless_inputs_of_a_body_are_called_by_what_they_read():
    x, k = T.dvector("x"), T.dscalar("k")
    out, _ = wb.scan(lambda a, b, c: a * b + c, x[1:], T.zeros(()), 1 - k)
    scan = next(n for n in inspect(out).graph if n.op == "Scan")
    labels = [n.label for n in scan.inner if n.kind == "input"]
    assert "1 - k" in labels
    assert not any("TensorType" in label for label in labels)
