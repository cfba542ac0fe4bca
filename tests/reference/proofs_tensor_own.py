"""Python functions of one's own in a graph."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.agreeing import equal, raises
from tests.reference.proofs import proves
from workbench.theano.compile.ops import as_op


@proves("theano.compile.ops.as_op", "itypes", "otypes")
def functions_of_arrays_in_a_graph() -> None:
    calls = []

    @as_op(itypes=[T.dmatrix, T.lscalar], otypes=[T.dvector, T.lscalar])
    def sorted_column(m: Any, i: Any) -> Any:
        calls.append(i)
        return np.sort(m[:, i]), m.shape[0] * np.int64(1)

    m, i = T.dmatrix("m"), T.lscalar("i")
    column, count = sorted_column(m, i)
    assert (column.dtype, column.ndim, count.ndim) == ("float64", 1, 0)
    f = theano.function([m, i], [column * 2, count])
    given = np.array([[3.0, 1.0], [2.0, 5.0]])
    equal(f(given, 1), [np.array([2.0, 10.0]), np.array(2)])
    assert calls == [1]
    raises(TypeError, "sorted_column", lambda: sorted_column(i, m))
    raises(TypeError, "not defined", lambda: T.grad(column.sum(), m))

    @as_op(T.dvector, T.dvector)
    def wrong(v: Any) -> Any:
        return v.astype("int32")

    v = T.dvector()
    raises(TypeError, "int32", lambda: theano.function([v], wrong(v))([1.0]))


@proves("theano.compile.ops.as_op", "infer_shape")
def shapes_of_functions_of_arrays() -> None:
    """With it the shape is known without a call."""
    calls = []

    def twice(v: Any) -> Any:
        calls.append(1)
        return np.concatenate([v, v])

    v = T.dvector()
    for infer, expected in ((None, 1), (lambda node, shapes: [(shapes[0][0] * 2,)], 0)):
        calls.clear()
        op = as_op([T.dvector], [T.dvector], infer_shape=infer)(twice)
        assert theano.function([v], op(v).shape[0])(np.zeros(3)) == 6
        assert len(calls) == expected
