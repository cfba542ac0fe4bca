"""What a variable is not: a number, or something of a known length."""

from __future__ import annotations

import math

import pytest

import workbench.tensor as T
from workbench.core.variable import UnknownLengthError
from workbench.errors import GraphError


@pytest.mark.parametrize(
    "convert",
    [
        float,
        int,
        complex,
        math.exp,
        range,
        lambda v: [1, 2][v],
        lambda v: f"{v:.3f}",
    ],
)
def test_a_symbolic_number_is_no_number_yet(convert):
    with pytest.raises(GraphError, match=r"n is symbolic: it is not") as caught:
        convert(T.lscalar("n"))
    assert "eval" in caught.value.advice


def test_a_symbolic_number_in_a_text_is_its_name():
    assert f"{T.lscalar('n'):>3}|{T.lscalar('n')}" == "  n|n"


def test_unknown_lengths_have_a_named_error():
    with pytest.raises(UnknownLengthError, match="known only when it runs"):
        list(T.dvector("x"))
