"""Options of tensors whose effect shows only in a dtype, in the graph or for chosen shapes: each is
seen to have it.
"""

from __future__ import annotations

import numpy as np

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import proves

x, small, cube = T.dvector("x"), T.bvector("small"), T.dtensor3("cube")
VARIABLE = "T.TensorVariable"


@proves(f"{VARIABLE}.sum", "dtype")
@proves(f"{VARIABLE}.prod", "dtype")
@proves(f"{VARIABLE}.mean", "dtype")
def dtypes_of_reductions_by_method() -> None:
    assert (small.sum().dtype, small.prod().dtype, small.mean().dtype) == (
        "int64",
        "int64",
        "float64",
    )
    wide = theano.function([small], [small.sum(), small.sum(dtype="int8")])
    assert [int(v) for v in wide([100, 100])] == [200, -56]
    assert small.prod(dtype="float32").dtype == small.mean(dtype="float32").dtype == "float32"
    assert theano.function([small], small.prod(dtype="float32"))([3, 5]) == 15
    assert theano.function([small], small.mean(dtype="float32"))([3, 6]) == 4.5


@proves("T.std", "corrected")
@proves(f"{VARIABLE}.var", "corrected")
@proves(f"{VARIABLE}.std", "corrected")
def corrections_for_rounding_are_in_the_graph() -> None:
    values = 1e8 + np.arange(4.0) / 7
    for plain, corrected, numpy in (
        (T.std(x), T.std(x, corrected=True), np.std),
        (x.var(), x.var(corrected=True), np.var),
        (x.std(), x.std(corrected=True), np.std),
    ):
        assert len(theano.pp(corrected)) > len(theano.pp(plain))
        np.testing.assert_allclose(
            theano.function([x], corrected)(values), numpy(values), rtol=1e-6
        )


@proves("T.diagonal", "axis2")
def diagonals_of_other_axes() -> None:
    values = np.arange(24.0).reshape(2, 3, 4)
    got = theano.function([cube], T.diagonal(cube, axis2=2))(values)
    np.testing.assert_array_equal(got, values.diagonal(axis2=2))


@proves("T.sort.argtopk", "idx_dtype")
@proves("T.sort.topk_and_argtopk", "idx_dtype")
def dtypes_of_positions() -> None:
    assert T.argtopk(x, 2).dtype == "int64"
    narrow = T.argtopk(x, 2, idx_dtype="int16")
    assert theano.function([x], narrow)([1, 3, 2]).dtype == "int16"
    assert [v.dtype for v in T.topk_and_argtopk(x, 2, idx_dtype="int32")] == ["float64", "int32"]


@proves("T.nnet.bn.batch_normalization_test", "axes")
def normalisation_of_all_but_the_channels() -> None:
    images, channel = T.dtensor4("images"), T.dvector("channel")
    out = T.nnet.bn.batch_normalization_test(images, *[channel] * 4, axes="spatial", epsilon=0.0)
    values, per = np.ones((2, 3, 4, 5)), np.array([1.0, 4.0, 9.0])
    got = theano.function([images, channel], out)(values, per)
    wanted = (values - per[:, None, None]) / np.sqrt(per)[:, None, None] * per[:, None, None]
    np.testing.assert_allclose(got, wanted + per[:, None, None])


@proves("T.nonzero", "return_matrix")
@proves(f"{VARIABLE}.nonzero", "return_matrix")
def places_as_vectors_or_as_the_rows_of_a_matrix() -> None:
    m, values = T.dmatrix("m"), np.array([[0.0, 2.0], [3.0, 0.0]])
    for nonzero in (T.nonzero, lambda m, **options: m.nonzero(**options)):
        vectors, matrix = nonzero(m), nonzero(m, return_matrix=True)
        assert [v.ndim for v in vectors] == [1, 1]
        assert matrix.ndim == 2
        assert theano.function([m], matrix)(values).tolist() == [[0, 1], [1, 0]]
