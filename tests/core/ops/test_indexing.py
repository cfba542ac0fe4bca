"""Every index of NumPy's with a static rank: read, set and added to; masks are never cut short."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import interpreter
from tests.core.ops.gradients import check_gradient
from tests.core.rewrite.support import labels
from workbench.errors import GraphError, IndexOutOfRange, RankError

X = np.arange(4 * 5 * 3 * 3.0).reshape(4, 5, 3, 3)
A, B = np.array([0, 2]), np.array([[1], [0]])
ROWS, PLACES = np.arange(4) % 2 == 0, (np.arange(20) % 3 == 0).reshape(4, 5)

INDICES: tuple[Any, ...] = (
    np.s_[None, A],
    np.s_[A, None, B],
    np.s_[:, A, None, :, B[:, 0]],
    np.s_[A, None, :, 0],
    np.s_[None, A, :, 1, None],
    np.s_[..., None, A],
    np.s_[..., A, None],
    np.s_[0, ..., A],
    np.s_[A, ..., 0, None],
    np.s_[1, None, A],
    np.s_[ROWS],
    np.s_[PLACES],
    np.s_[PLACES, 0],
    np.s_[PLACES, ..., A[:1]],
    np.s_[ROWS, None],
    np.s_[:, PLACES[0], 1],
    np.s_[None, PLACES, None, A[:1]],
    np.s_[:, None, PLACES[0]],
    np.s_[..., np.array([True, False, True])],
    np.s_[ROWS, [0, 1]],
    np.s_[None, :, 0],
    np.s_[0, None, 0],
    np.s_[1:, None, ::2],
    np.s_[...],
    np.s_[()],
    [True, False, True, False],
)


@pytest.mark.parametrize("k", range(len(INDICES)))
def test_as_numpy(k: int) -> None:
    """Read, set and added to, by the interpreter and compiled."""
    index, x = INDICES[k], T.dtensor4("x")
    part = X[index]
    y = np.cos(np.arange(part.size)).reshape(part.shape)
    put, added = X.copy(), X.copy()
    put[index] = y
    np.add.at(added, index, y)
    outputs = [x[index], T.set_subtensor(x[index], y), T.inc_subtensor(x[index], y)]
    f = wb.function([x], outputs)
    assert not f.linked.notes, "every index has a native form"
    for run in (f, lambda v: interpreter([x], outputs)([v])):
        for found, wanted in zip(run(X), (part, put, added), strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("k", [1, 2, 5, 10, 11, 16])
def test_gradient(k: int) -> None:
    x = T.dtensor4("x")
    index = INDICES[k]
    check_gradient([x], [x[index], T.inc_subtensor(x[index], x[index])], [X / 100], [0])


def test_symbolic_masks_and_positions() -> None:
    x, mask, i = T.dmatrix("x"), T.TensorType("bool", (None, None)).make(), T.lvector("i")
    values, chosen = X[0, :, :, 0], X[0, :, :, 0] % 2 == 0
    f = wb.function(
        [x, mask, i], [x[mask], x[i, None], x[mask[:, 0]], T.set_subtensor(x[mask], -1.0)]
    )
    wanted = (
        values[chosen],
        values[[2, 0], None],
        values[chosen[:, 0]],
        np.where(chosen, -1.0, values),
    )
    for a, b in zip(f(values, chosen, np.array([2, 0])), wanted, strict=True):
        np.testing.assert_array_equal(a, b)


V, MASK = T.dvector("v"), T.TensorType("bool", (None,)).make(name="mask")
MASKED = {
    "itself": V[MASK],
    "a sum": V[MASK].sum(),
    "a mean of what is elementwise": (T.exp(V) + 1)[MASK].mean(),
    "its length": V[MASK].shape[0],
    "a sum of ones": T.ones_like(V[MASK]).sum(),
    "set": T.set_subtensor(V[MASK], 0),
    "the gradient": T.grad(V[MASK].sum(), V),
}


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("name", MASKED)
def test_a_mask_of_another_length_is_an_error(name: str, mode: str) -> None:
    """No rewrite removes the check, whatever is done with the elements."""
    f = wb.function([V, MASK], MASKED[name], mode=mode)
    f(np.arange(3.0), np.array([True, False, True]))
    for n in (2, 5):
        with pytest.raises(IndexError, match="mask of another length"):
            f(np.arange(3.0), np.zeros(n, "bool"))


def test_a_mask_of_its_own_needs_no_check() -> None:
    """`x[x > 0]`: that the lengths are equal is known; the graph stays small."""
    assert "check" not in labels([V[V > 0]])
    assert "check" in labels([V[MASK]])


WRONG: dict[str, tuple[Any, type[Exception]]] = {
    "a float": (lambda: V[1.5], GraphError),
    "floats": (lambda: V[[0.5, 1.0]], GraphError),
    "too many": (lambda: V[0, 0], IndexOutOfRange),
    "too many with None": (lambda: V[0, None, 0], IndexOutOfRange),
    "of a scalar": (lambda: V[0][0], IndexOutOfRange),
    "two ellipses": (lambda: V[..., ...], IndexOutOfRange),
    "a mask of too many axes": (lambda: V[PLACES], IndexOutOfRange),
    "a mask of a known other length": (
        lambda: T.as_tensor_variable(X[0])[np.array([True])],
        IndexOutOfRange,
    ),
    "a text": (lambda: V["a"], GraphError),
    "set of no part": (lambda: T.set_subtensor(V, 1), GraphError),
    "set of a sum": (lambda: T.set_subtensor(V[1:] + 1, 1), GraphError),
    "set of more axes": (lambda: T.set_subtensor(V[1:], np.ones((2, 2))), RankError),
    "set of more axes with None": (
        lambda: T.set_subtensor(V[None, 1:], np.ones((2, 2, 2))),
        RankError,
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_indices(name: str) -> None:
    build, kind = WRONG[name]
    with pytest.raises(kind):
        build()


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_out_of_range_when_it_runs(mode: str) -> None:
    i, places = T.iscalar("i"), T.lvector("places")
    for out, value in ((V[i], 3), (V[i], -4), (V[places], [0, 3]), (V[places].sum(), [-4])):
        f = wb.function([V, i, places], out, mode=mode, on_unused_input="ignore")
        number, several = (value, [0]) if isinstance(value, int) else (0, value)
        with pytest.raises(IndexError):
            f(np.arange(3.0), number, np.array(several))


def test_the_diagonal_can_be_set() -> None:
    m = T.dmatrix("m")
    f = wb.function([m], [T.set_subtensor(m.diagonal(1), 9.0), T.inc_subtensor(m.T[0], 1.0)])
    put, added = X[0, :, :, 0].copy(), X[0, :, :, 0].copy().T
    put[[0, 1], [1, 2]] = 9
    added[0] += 1
    for a, b in zip(f(X[0, :, :, 0]), (put, added), strict=True):
        np.testing.assert_array_equal(a, b)
