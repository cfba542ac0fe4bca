"""No rewrite takes a wrong length for a right one: what NumPy refuses is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.rewrite.support import labels, rewritten

V, M, K = T.dvector("v"), T.dmatrix("m"), T.iscalar("k")

WRONG: dict[str, Callable[[], Any]] = {
    "a vector to another length": lambda: V.reshape((3,)),
    "a vector to a variable length": lambda: V.reshape((K,)),
    "a vector to a row": lambda: V.reshape((1, 3)),
    "one length of two": lambda: M.reshape((M.shape[0], 3)),
    "the other length": lambda: M.reshape((K, M.shape[1])),
    "alloc": lambda: T.alloc(V, 3),
    "alloc of a variable length": lambda: T.alloc(V, K),
    "broadcast_to": lambda: T.broadcast_to(V, (3,)),
    "an elementwise result": lambda: T.alloc(T.exp(V), M.shape[1]),
}

RIGHT: dict[str, Callable[[], Any]] = {
    "its own shape": lambda: M.reshape(M.shape),
    "the shape of what it is made of": lambda: T.exp(M).reshape(M.shape),
    "one length left over": lambda: M.reshape((M.shape[0], -1)),
    "a row": lambda: V.reshape((1, -1)),
    "alloc": lambda: T.alloc(T.exp(V), V.shape[0]),
}


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("name", WRONG)
def test_wrong_lengths_are_errors(name: str, mode: str) -> None:
    f = wb.function([V, M, K], WRONG[name](), mode=mode, on_unused_input="ignore")
    with pytest.raises(ValueError, match=r"reshape|fill"):
        f(np.arange(5.0), np.ones((5, 4)), 3)


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_surely_right_is_left_out(name: str) -> None:
    left = set(labels(rewritten([RIGHT[name]()])[0].outputs))
    assert not left & {"reshape", "alloc"}
