"""Indexing, and tensors that are set and added to at an index."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.agreeing import agrees, computed, equal, raises
from tests.reference.proofs import proves

M = np.arange(12.0).reshape(3, 4)
C = np.arange(24.0).reshape(2, 3, 4)
V = np.arange(5.0)
ROWS = np.array([2, 0, 2])
_INDEX = "index of a tensor"

agrees(
    _INDEX,
    "int",
    lambda x: [x[1], x[-1], x[1, 2], x[-1, -2]],
    lambda x: [x[1], x[-1], x[1, 2], x[-1, -2]],
    M,
)


def _slices(x: Any) -> list[Any]:
    return [x[1:], x[:-1], x[::2, ::-1], x[2:0:-1], x[1:1], x[:, 1:3]]


agrees(_INDEX, "slice", _slices, _slices, M)
agrees(
    _INDEX,
    "None",
    lambda x: [x[None], x[:, None], x[0, None, 1:]],
    lambda x: [x[None], x[:, None], x[0, None, 1:]],
    M,
)
agrees(
    _INDEX,
    "Ellipsis",
    lambda x: [x[..., 0], x[1, ...], x[0, ..., 1:]],
    lambda x: [x[..., 0], x[1, ...], x[0, ..., 1:]],
    C,
)


def _chosen(x: Any) -> list[Any]:
    return [x[[1, 0]], x[ROWS], x[ROWS, [1, 2, 0]], x[:, [3, 3]], x[[[0, 1], [2, 0]]]]


agrees(
    _INDEX,
    "mask",
    lambda x: [x[x > 4], x[np.array([True, False, True])]],
    lambda x: [x[x > 4], x[[True, False, True]]],
    M,
)
agrees(
    _INDEX,
    "variables",
    lambda x, i, r: [x[i], x[i:], x[r], x[r, i], x[:i, -i]],
    lambda x, i, r: [x[i], x[i:], x[r], x[r, i], x[:i, -i]],
    M,
    np.int64(1),
    ROWS,
)


@proves(_INDEX, "too many", "float", "out of range", "list, array or vector of ints")
def wrong_indices() -> None:
    x, i, r = T.dvector("x"), T.lscalar("i"), T.lvector("r")
    raises(IndexError, "ind", lambda: T.dscalar()[0])
    raises(IndexError, "ind", lambda: x[0, 0])
    raises(TypeError, "float", lambda: x[1.5])
    raises(IndexError, "5", lambda: theano.function([x, i], x[i])(V, 5))
    raises(IndexError, "-6", lambda: theano.function([x, i], x[i])(V, -6))
    raises(IndexError, "9", lambda: theano.function([x, r], x[r])(V, [0, 9]))
    equal(computed(_chosen, M), _chosen(M))


def _changed(a: Any, index: Any, value: Any, add: bool = False) -> Any:
    copy = a.copy()
    if add:
        np.add.at(copy, index, value)
    else:
        copy[index] = value
    return copy


for _name, _add in (("set_subtensor", False), ("inc_subtensor", True)):
    _f: Any = getattr(T, _name)
    agrees(
        f"T.{_name}", "x y", lambda m, f=_f: f(m[1], 7.0), lambda m, a=_add: _changed(m, 1, 7, a), M
    )
    agrees(
        f"T.{_name}",
        "y",
        lambda m, v, f=_f: f(m[:, 1:3], v),
        lambda m, v, a=_add: _changed(m, (slice(None), slice(1, 3)), v, a),
        M,
        np.array([[5.0, 6.0]]).repeat(3, 0),
    )
    agrees(
        f"T.{_name}",
        "x",
        lambda m, r, f=_f: f(m[r], 1.0),
        lambda m, r, a=_add: _changed(m, r, 1.0, a),
        M,
        ROWS,
    )
    agrees(
        f"T.{_name}",
        "x",
        lambda m, f=_f: f(m[m > 4], 1.0),
        lambda m, a=_add: _changed(m, m > 4, 1.0, a),
        M,
    )
    agrees(
        f"T.{_name}",
        "inplace tolerate_inplace_aliasing",
        lambda m, f=_f: f(m[0], m[1], inplace=True, tolerate_inplace_aliasing=True),
        lambda m, a=_add: _changed(m, 0, m[1], a),
        M,
    )
agrees(
    "T.inc_subtensor",
    "set_instead_of_inc",
    lambda m: T.inc_subtensor(m[0], 5.0, set_instead_of_inc=True),
    lambda m: _changed(m, 0, 5.0),
    M,
)


@proves("T.set_subtensor", "x", "y")
@proves("T.inc_subtensor", "x", "y")
def what_can_be_set() -> None:
    x = T.fmatrix("x")
    for f in (T.set_subtensor, T.inc_subtensor):
        raises(TypeError, "ind", lambda f=f: f(x, 1))
        raises(TypeError, "ind", lambda f=f: f(x + 1, 1))
        raises((TypeError, ValueError), "ax", lambda f=f: f(x[0], T.fmatrix()))
        assert f(x[0], 1.5).type == x.type
    given = M.astype("float32")
    kept = given.copy()
    theano.function([x], T.set_subtensor(x[0], 1.0, inplace=True))(given)
    np.testing.assert_array_equal(given, kept)  # an argument is not written to


agrees("T.nonzero", "a", T.nonzero, lambda a: list(np.nonzero(a)), M % 3)
agrees(
    "T.nonzero",
    "return_matrix",
    lambda a: T.nonzero(a=a, return_matrix=True),
    lambda a: np.array(np.nonzero(a)),
    M % 3,
)
agrees("T.nonzero_values", "a", lambda a: T.nonzero_values(a=a), lambda a: a[a != 0], M % 3)
agrees(
    "T.take", "a indices", lambda a, i: T.take(a=a, indices=i), lambda a, i: np.take(a, i), M, ROWS
)
agrees("T.take", "axis", lambda a, i: T.take(a, i, axis=1), lambda a, i: np.take(a, i, 1), M, ROWS)
for _mode in ("wrap", "clip"):
    agrees(
        "T.take",
        "mode",
        lambda a, i, m=_mode: T.take(a, i, 0, mode=m),
        lambda a, i, m=_mode: np.take(a, i, 0, mode=m),
        M,
        ROWS + 2,
    )
_CHOICES = np.array([[0, 1, 2], [10, 11, 12]])
agrees(
    "T.choose",
    "a choices",
    lambda a, c: T.choose(a, choices=c),
    lambda a, c: np.choose(a, c),
    np.array([1, 0, 1]),
    _CHOICES,
)
for _mode in ("wrap", "clip"):
    agrees(
        "T.choose",
        "mode",
        lambda a, c, m=_mode: T.choose(a, c, mode=m),
        lambda a, c, m=_mode: np.choose(a, c, mode=m),
        np.array([3, -1, 4]),
        _CHOICES,
    )


@proves("T.choose", "mode", "out")
@proves("T.take", "mode")
def places_that_are_not_there() -> None:
    a = T.lvector()
    f = theano.function([a], T.choose(a, _CHOICES))
    raises((ValueError, IndexError), "choose", lambda: f([2, 0, 0]))
    raises(ValueError, "out", lambda: T.choose(a, _CHOICES, out=a))
    raises(IndexError, "9", lambda: theano.function([a], T.take(V, a))([9]))


agrees(
    "T.extra_ops.compress",
    "condition x",
    lambda x: T.extra_ops.compress([0, 1, 1, 0], x),
    lambda x: np.compress([0, 1, 1, 0], x),
    M,
)
agrees(
    "T.extra_ops.compress",
    "axis",
    lambda x, c: T.extra_ops.compress(c, x, axis=0),
    lambda x, c: np.compress(c, x, axis=0),
    M,
    np.array([1, 0, 1]),
)
for _order in ("C", "F"):
    agrees(
        "T.extra_ops.unravel_index",
        "indices dims order",
        lambda i, o=_order: T.unravel_index(i, (3, 4), order=o),
        lambda i, o=_order: list(np.unravel_index(i, (3, 4), order=o)),
        np.array([5, 11]),
    )
    agrees(
        "T.extra_ops.ravel_multi_index",
        "multi_index dims order",
        lambda i, j, o=_order: T.ravel_multi_index((i, j), (3, 4), order=o),
        lambda i, j, o=_order: np.ravel_multi_index((i, j), (3, 4), order=o),
        np.array([1, 2]),
        np.array([3, 0]),
    )
for _mode in ("wrap", "clip"):
    agrees(
        "T.extra_ops.ravel_multi_index",
        "mode",
        lambda i, j, m=_mode: T.ravel_multi_index((i, j), (3, 4), mode=m),
        lambda i, j, m=_mode: np.ravel_multi_index((i, j), (3, 4), mode=m),
        np.array([4, 2]),
        np.array([3, -1]),
    )
