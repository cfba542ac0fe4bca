"""Tensors that are made, joined, moved and shaped, with each parameter, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.agreeing import agrees, computed, equal, raises
from tests.reference.proofs import proves

M = np.arange(12.0).reshape(3, 4)
C = np.arange(24.0).reshape(2, 3, 4)
V = np.array([3.0, 1.0, 2.0])
SQUARE = np.arange(9.0).reshape(3, 3)
TWO = np.int64(2)

for _name in ("zeros", "ones"):
    _f, _g = getattr(T, _name), getattr(np, _name)
    agrees(f"T.{_name}", "shape", lambda n, f=_f: f((n, 3)), lambda n, f=_g: f((n, 3)), TWO)
    agrees(f"T.{_name}", "shape", lambda n, f=_f: f(n), lambda n, f=_g: f(n), TWO)
    agrees(f"T.{_name}", "dtype", lambda n, f=_f: f(n, "int8"), lambda n, f=_g: f(n, "int8"), TWO)
agrees("T.eye", "n", T.eye, np.eye, TWO)
agrees("T.eye", "m k", lambda n: T.eye(n, 4, k=1), lambda n: np.eye(n, 4, 1), TWO)
agrees("T.eye", "dtype", lambda n: T.eye(n, dtype="int32"), lambda n: np.eye(n, dtype="int32"), TWO)
agrees("T.tri", "N", lambda n: T.tri(N=n), np.tri, TWO)
agrees("T.tri", "M k", lambda n: T.tri(n, M=4, k=1), lambda n: np.tri(n, 4, 1), TWO)
agrees("T.tri", "dtype", lambda n: T.tri(n, dtype="int8"), lambda n: np.tri(n, dtype="int8"), TWO)
for _name in ("tril", "triu"):
    _f, _g = getattr(T, _name), getattr(np, _name)
    agrees(f"T.{_name}", "m", lambda m, f=_f: f(m=m), _g, M)
    agrees(f"T.{_name}", "k", lambda m, f=_f: f(m, k=-1), lambda m, f=_g: f(m, -1), M)
agrees("T.alloc", "val shape", lambda n: T.alloc(7.0, n, 3), lambda n: np.full((n, 3), 7.0), TWO)
agrees("T.alloc", "val", lambda v: T.alloc(v, 2, 3), lambda v: np.stack([v, v]), V)
agrees("T.arange", "start", T.arange, np.arange, TWO)
agrees("T.arange", "stop step", lambda n: T.arange(n, 11, 3), lambda n: np.arange(n, 11, 3), TWO)
agrees("T.arange", "step", lambda x: T.arange(2.0, -1.0, x), lambda x: np.arange(2, -1, x), -0.5)
agrees("T.arange", "dtype", lambda n: T.arange(n, dtype="float64"), np.arange(2.0), TWO)
agrees("T.extra_ops.bartlett", "M", T.extra_ops.bartlett, np.bartlett, np.int64(7))
agrees("T.extra_ops.bartlett", "M", T.extra_ops.bartlett, np.bartlett, np.int64(1))

agrees("T.transpose", "x", T.transpose, np.transpose, C)
agrees(
    "T.transpose", "axes", lambda x: T.transpose(x, (1, 2, 0)), lambda x: x.transpose(1, 2, 0), C
)
agrees("T.swapaxes", "y axis1 axis2", lambda x: T.swapaxes(y=x, axis1=0, axis2=2), lambda x: x.T, C)


@proves("T.split", "x", "splits_size", "n_splits", "axis")
def split_in_parts() -> None:
    got = computed(lambda x: T.split(x, [1, 2], 2), M)
    equal(got, [M[:1], M[1:]])
    got = computed(
        lambda x, n: T.split(x, splits_size=n, n_splits=3, axis=1), M, np.array([1, 0, 3])
    )
    equal(got, [M[:, :1], M[:, :0], M[:, 1:]])
    x = T.dmatrix()
    raises(ValueError, "split", lambda: theano.function([x], T.split(x, [1, 1], 2))(M))


agrees(
    "T.join",
    "axis tensors_list",
    lambda a, b: T.join(1, a, b, a),
    lambda a, b: np.hstack([a, b, a]),
    M,
    M[:, :2],
)
agrees("T.join", "axis", lambda a, b: T.join(0, a, b), lambda a, b: np.vstack([a, b]), M, M[:2])
agrees(
    "T.concatenate",
    "tensor_list",
    lambda a, b: T.concatenate(tensor_list=[a, b]),
    lambda a, b: np.concatenate([a, b]),
    M,
    M[:2],
)
agrees(
    "T.concatenate",
    "axis",
    lambda a, b: T.concatenate([a, b], axis=-1),
    lambda a, b: np.concatenate([a, b], -1),
    M,
    M[:, :2],
)
agrees("T.stack", "tensors", lambda a, b: T.stack([a, b]), lambda a, b: np.stack([a, b]), M, -M)
agrees("T.stack", "tensors", lambda a, b: T.stack(a, b, b), lambda a, b: np.stack([a, b, b]), M, -M)
agrees(
    "T.stack", "axis", lambda a, b: T.stack([a, b], axis=2), lambda a, b: np.stack([a, b], 2), M, -M
)
agrees(
    "T.stacklists",
    "arg",
    lambda a, b: T.stacklists([[a, b, a], [b, b, a]]),
    lambda a, b: np.array([[a, b, a], [b, b, a]]),
    V,
    -V,
)
agrees(
    "T.horizontal_stack", "args", T.horizontal_stack, lambda a, b: np.hstack([a, b]), M, M[:, :2]
)
agrees("T.vertical_stack", "args", T.vertical_stack, lambda a, b: np.vstack([a, b]), M, M[:2])
agrees("T.roll", "x shift", lambda x: T.roll(x, 5), lambda x: np.roll(x, 5), M)
agrees("T.roll", "axis", lambda x, n: T.roll(x, -n, axis=1), lambda x, n: np.roll(x, -n, 1), M, TWO)
agrees("T.tile", "x reps", lambda x: T.tile(x, (2, 3)), lambda x: np.tile(x, (2, 3)), M)
agrees("T.tile", "reps", lambda x, n: T.tile(x, n), lambda x, n: np.tile(x, n), V, TWO)
agrees(
    "T.tile",
    "ndim",
    lambda x, r: T.tile(x, r, ndim=3),
    lambda x, r: np.tile(x, r),
    M,
    np.array([2, 1, 3]),
)
agrees(
    "T.extra_ops.repeat",
    "x repeats",
    lambda x, n: T.repeat(x, n),
    lambda x, n: np.repeat(x, n),
    M,
    TWO,
)
agrees(
    "T.extra_ops.repeat",
    "repeats axis",
    lambda x, n: T.repeat(x, n, axis=0),
    lambda x, n: np.repeat(x, n, 0),
    M,
    np.array([2, 0, 1]),
)
agrees("T.extra_ops.squeeze", "x", lambda x: T.squeeze(x.dimshuffle(0, "x", 1, "x")), M, M)


@proves("T.reshape", "x", "newshape", "ndim")
def reshape_to_what_is_known_and_not() -> None:
    equal(computed(lambda x: T.reshape(x, (4, 3)), M), M.reshape(4, 3))
    equal(computed(lambda x: T.reshape(x, (2, -1)), M), M.reshape(2, 6))
    equal(computed(lambda x, n: T.reshape(x, (n, -1)), M, TWO), M.reshape(2, 6))
    shape = np.array([2, 2, 3])
    equal(computed(lambda x, s: T.reshape(x, s, ndim=3), M, shape), M.reshape(2, 2, 3))
    x, s = T.dmatrix(), T.lvector()
    raises((TypeError, ValueError), "ndim", lambda: T.reshape(x, s))
    raises(ValueError, "-1", lambda: T.reshape(x, (-1, -1)))
    raises(ValueError, "reshape", lambda: theano.function([x], T.reshape(x, (5, 2)))(M))


agrees("T.flatten", "x", T.flatten, np.ravel, C)
agrees("T.flatten", "ndim", lambda x: T.flatten(x, ndim=2), lambda x: x.reshape(2, 12), C)
agrees("T.flatten", "outdim", lambda x: T.flatten(x, outdim=2), lambda x: x.reshape(2, 12), C)


@proves("T.is_flat", "var", "ndim", "outdim")
def whether_it_is_flat() -> None:
    assert T.is_flat(T.dvector())
    assert not T.is_flat(T.dmatrix())
    assert T.is_flat(T.dmatrix(), ndim=2)
    assert T.is_flat(T.dtensor3(), outdim=3)
    assert not T.is_flat(T.dvector(), outdim=2)


@proves("shapes of tensors", "flags", "static broadcasting", "shared variables")
@proves("T.addbroadcast", "x", "axes")
@proves("T.unbroadcast", "x", "axes")
@proves("T.patternbroadcast", "x", "broadcastable")
def flags_say_what_broadcasts() -> None:
    """An axis broadcasts where its flag is set, and nowhere else."""
    a, b = T.dmatrix("a"), T.dmatrix("b")
    row = M[:1]
    raises(ValueError, "dimension mismatch", lambda: theano.function([a, b], a + b)(row, M))
    marked = T.addbroadcast(a, 0)
    assert marked.broadcastable == (True, False)
    equal(theano.function([a, b], marked + b)(row, M), row + M)
    raises(ValueError, "length", lambda: theano.function([a], T.addbroadcast(a, 0) * 2)(M))
    assert T.unbroadcast(T.drow(), 0).broadcastable == (False, False)
    r = T.drow()
    raises(
        ValueError, "dimension", lambda: theano.function([r, b], T.unbroadcast(r, 0) + b)(row, M)
    )
    pattern = T.patternbroadcast(a, broadcastable=(True, False))
    assert pattern.broadcastable == (True, False)
    assert T.patternbroadcast(T.dcol(), (False, False)).broadcastable == (False, False)
    raises(TypeError, "pattern", lambda: T.patternbroadcast(a, (True,)))
    assert theano.shared(row).broadcastable == (False, False)
    assert theano.shared(row, broadcastable=(True, False)).broadcastable == (True, False)


@proves("T.shape_padleft", "t", "n_ones")
@proves("T.shape_padright", "t", "n_ones")
@proves("T.shape_padaxis", "t", "axis")
def axes_of_length_one() -> None:
    x = T.dvector()
    assert T.shape_padleft(t=x).broadcastable == (True, False)
    assert T.shape_padright(t=x).broadcastable == (False, True)
    assert T.shape_padleft(x, n_ones=2).broadcastable == (True, True, False)
    assert T.shape_padright(x, n_ones=2).broadcastable == (False, True, True)
    assert T.shape_padaxis(T.dmatrix(), axis=1).broadcastable == (False, True, False)
    equal(computed(lambda m: T.shape_padaxis(t=m, axis=-1), M), M[:, :, None])
    equal(
        computed(lambda m: [T.shape_padleft(m), T.shape_padright(m, 2)], M),
        [M[None], M[..., None, None]],
    )


@proves("T.specify_shape", "x", "shape")
def a_shape_that_is_promised() -> None:
    x = T.dmatrix()
    kept = T.specify_shape(x, shape=(3, 4))
    f = theano.function([x], [kept, kept.shape])
    equal(f(M), [M, np.array([3, 4])])
    raises((AssertionError, ValueError), "4", lambda: f(M.T))


@proves("T.get_vector_length", "v")
def lengths_that_the_type_tells() -> None:
    assert T.get_vector_length(T.dtensor3().shape) == 3
    assert T.get_vector_length([1, 2]) == 2
    raises(ValueError, "runs", lambda: T.get_vector_length(T.dvector()))
    raises(TypeError, "vector", lambda: T.get_vector_length(T.dmatrix()))


agrees("T.diagonal", "a", lambda a: T.diagonal(a=a), np.diagonal, M)
agrees(
    "T.diagonal",
    "offset axis1 axis2",
    lambda a: T.diagonal(a, 1, axis1=2, axis2=1),
    lambda a: np.diagonal(a, 1, 2, 1),
    C,
)
agrees("T.diag", "v", T.diag, np.diag, V)
agrees("T.diag", "v k", lambda v: T.diag(v, k=1), lambda v: np.diag(v, 1), M)
agrees("T.diag", "k", lambda v: T.diag(v, -1), lambda v: np.diag(v, -1), V)


def _filled(a: Any, offset: int) -> Any:
    return np.where(np.eye(*a.shape, offset) > 0, 7.0, a)


agrees(
    "T.extra_ops.fill_diagonal",
    "a val",
    lambda a: T.fill_diagonal(a=a, val=7.0),
    lambda a: _filled(a, 0),
    M,
)
agrees(
    "T.extra_ops.fill_diagonal_offset",
    "a val offset",
    lambda a: T.fill_diagonal_offset(a, val=7.0, offset=1),
    lambda a: _filled(a, 1),
    M,
)
agrees(
    "T.extra_ops.to_one_hot",
    "y nb_class",
    lambda y: T.extra_ops.to_one_hot(y, nb_class=4),
    lambda y: np.eye(4)[y],
    np.array([2, 0, 3]),
)
agrees(
    "T.extra_ops.to_one_hot",
    "dtype",
    lambda y: T.extra_ops.to_one_hot(y, 4, dtype="int8"),
    lambda y: np.eye(4, dtype="int8")[y],
    np.array([2, 0]),
)
agrees("T.inverse_permutation", "perm", T.inverse_permutation, np.argsort, np.array([2, 0, 1]))
_ORDER = np.array([[2, 0, 1, 3], [0, 1, 2, 3], [3, 2, 0, 1]])
agrees(
    "T.permute_row_elements",
    "x y",
    T.permute_row_elements,
    lambda x, y: np.take_along_axis(x, y, 1),
    M,
    _ORDER,
)
agrees("T.permute_row_elements", "y", T.permute_row_elements, lambda x, y: x[:, y], M, _ORDER[0])
agrees(
    "T.permute_row_elements",
    "inverse",
    lambda x, y: T.permute_row_elements(T.permute_row_elements(x, y), y, inverse=1),
    lambda x, y: x,
    M,
    _ORDER,
)
