"""Test values: every value of config.compute_test_value, and where values come from."""

from __future__ import annotations

import pdb
import re

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import proven_by, proves

VALUES = "test values"


def inputs() -> tuple[object, object]:
    """A vector with a test value and one without."""
    x, bare = T.dvector("x"), T.dvector("bare")
    x.tag.test_value = np.arange(3.0)
    return x, bare


def has_value(variable: object) -> bool:
    return hasattr(variable.tag, "test_value")


@proves("compute_test_value")
@proves(VALUES, "off", "ignore", "warn", "raise", "pdb")
def what_a_missing_value_does() -> None:
    x, bare = inputs()
    assert not has_value(x * 2)
    for choice in ("ignore", "warn", "raise", "pdb"):
        with theano.config.change(compute_test_value=choice):
            assert (x * 2).tag.test_value.tolist() == [0, 2, 4]
    with theano.config.change(compute_test_value="ignore"):
        assert not has_value(bare * 2)
    with theano.config.change(compute_test_value="warn"), pytest.warns(UserWarning, match="bare"):
        assert not has_value(bare * 2)
    with (
        theano.config.change(compute_test_value="raise"),
        pytest.raises(ValueError, match=r"(?s)bare.*mul.*proofs_test_values\.py"),
    ):
        bare * 2
    entered, kept = [], (pdb.set_trace, pdb.post_mortem)
    pdb.set_trace = pdb.post_mortem = lambda *_: entered.append(1)
    try:
        with (
            theano.config.change(compute_test_value="pdb"),
            pytest.raises(ValueError, match="bare"),
        ):
            bare * 2
    finally:
        pdb.set_trace, pdb.post_mortem = kept
    assert entered
    with pytest.raises(ValueError, match="off"):
        theano.config.compute_test_value = "on"


@proves(VALUES, "failing op", "wrong type", "shared and constants")
def what_strikes_at_the_users_line() -> None:
    x, _ = inputs()
    other = T.dvector("other")
    other.tag.test_value = np.ones(5)
    with theano.config.change(compute_test_value="raise"):
        with pytest.raises(ValueError, match=r"proofs_test_values\.py"):
            x + other
        assert (theano.shared(2.0) + T.constant(1.0)).tag.test_value == 3
        other.tag.test_value = np.ones((2, 2))
        with pytest.raises(TypeError):
            other * 2


@proves(VALUES, "scan")
def a_step_sees_its_first_rows() -> None:
    x, _ = inputs()
    seen = []
    with theano.config.change(compute_test_value="raise"):
        out, _ = theano.scan(lambda a: seen.append(a.tag.test_value) or a * 2, x)
        assert out.tag.test_value.tolist() == [0, 2, 4]
    assert seen == [0.0]


@proves("print_test_value")
def the_repr_shows_a_test_value() -> None:
    x, _ = inputs()
    assert repr(x) == "x"
    with theano.config.change(print_test_value=True):
        assert re.fullmatch(r"(?s)x\n.*0\., 1\., 2\..*", repr(x))


proven_by("tests/core/test_test_values.py::test_print_test_value", ("print_test_value", ""))
proven_by(
    "tests/core/test_test_values.py::test_every_op_has_test_values", ("compute_test_value", "")
)
