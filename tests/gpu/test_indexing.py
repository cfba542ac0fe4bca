"""Index arrays on the device: every kind of index against NumPy, repeated places, and indices that
are out of range.
"""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import workbench as wb
import workbench.tensor as T
from tests.core.ops.backends import inputs_for
from tests.gpu.support import DEVICE, on_device
from workbench.core.ops.transfer import transfer
from workbench.errors import IndexOutOfRange

RNG = np.random.default_rng(3)
LENGTHS = st.integers(0, 40)
SPECS: dict[str, Any] = {
    "rows": lambda i, j: np.s_[i],
    "columns": lambda i, j: np.s_[:, i],
    "elements": lambda i, j: np.s_[i, j],
    "first and last": lambda i, j: np.s_[i, :, j],
    "between slices": lambda i, j: np.s_[::-1, i, 1:],
    "last two": lambda i, j: np.s_[..., i, j],
    "a matrix of rows": lambda i, j: np.s_[i[:, None], j],
    "with a number": lambda i, j: np.s_[-1, :, i],
}


@pytest.mark.parametrize("name", SPECS)
def test_reading_and_writing(name: str) -> None:
    """One program for each kind of index, over many lengths."""
    spec = SPECS[name]
    x, i, j = T.dtensor3("x"), T.lvector("i"), T.ivector("j")
    part = x[spec(i, j)]
    y = part.type.make(name="y")
    put, added = T.set_subtensor(part, y), T.inc_subtensor(part, y)
    run = on_device([x, i, j, y], [part, put, added])

    @given(st.tuples(st.integers(1, 6), st.integers(1, 7), st.integers(2, 9)), LENGTHS, st.data())
    @settings(max_examples=25, deadline=None)
    def holds(shape: tuple[int, ...], count: int, data: Any) -> None:
        values = RNG.integers(-9, 9, shape).astype("float64")
        low = min(shape)
        first, second = (RNG.integers(-low, low, count) for _ in range(2))
        where = spec(first, second.astype("int32"))
        new = RNG.integers(-9, 9, values[where].shape).astype("float64")  # sums are exact
        wanted_put, wanted_added = values.copy(), values.copy()
        wanted_put[where] = new
        np.add.at(wanted_added, where, new)
        got = run([values, first, second.astype("int32"), new])
        for result, wanted in zip(got, (values[where], wanted_put, wanted_added), strict=True):
            np.testing.assert_array_equal(result, wanted)

    holds()


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int32", "int64", "float32"])
@pytest.mark.parametrize("index_dtype", ["int8", "uint64"])
def test_dtypes(dtype: str, index_dtype: str) -> None:
    x = (RNG.standard_normal((90, 3)) * 9).astype(dtype)
    i = RNG.integers(0, 90, 200).astype(index_dtype)
    new = (RNG.standard_normal((200, 3)) * 9).astype(dtype)
    variables = inputs_for([x, i, new])
    part = variables[0][variables[1]]
    run = on_device(variables, [part, T.inc_subtensor(part, variables[2])])
    wanted = x.copy()
    np.add.at(wanted, i, new)
    read, added = run([x, i, new])
    np.testing.assert_array_equal(read, x[i])
    np.testing.assert_array_equal(added, wanted)


def test_many_equal_places() -> None:
    """More than one work group sorts, and runs are longer than one thread goes through: sums are
    the same in every call, and what is put last stays.
    """
    x, i, y = T.fvector("x"), T.lvector("i"), T.fvector("y")
    run = on_device([x, i, y], [T.inc_subtensor(x[i], y), T.set_subtensor(x[i], y)])
    values = RNG.standard_normal(50).astype("float32")
    for count in (256, 257, 2047, 2049, 70_000):
        for distinct in (50, 3, 1):
            places = RNG.integers(-distinct, distinct, count)
            new = RNG.standard_normal(count).astype("float32")
            wanted, last = values.astype("float64"), values.copy()
            np.add.at(wanted, places, new)
            last[places] = new
            added, put = run([values, places, new])
            np.testing.assert_allclose(added, wanted, rtol=2e-6, atol=1e-4)
            np.testing.assert_array_equal(put, last)
            np.testing.assert_array_equal(run([values, places, new])[0], added)


def test_few_equal_places_are_summed_in_order() -> None:
    """As NumPy does it, to the bit."""
    x, i, y = T.fmatrix("x"), T.lvector("i"), T.fmatrix("y")
    run = on_device([x, i, y], [T.inc_subtensor(x[i], y)])
    values, new = (RNG.standard_normal((n, 5)).astype("float32") for n in (20, 256))
    places = RNG.integers(0, 20, 256)
    wanted = values.copy()
    np.add.at(wanted, places, new)
    np.testing.assert_array_equal(run([values, places, new])[0], wanted)


@pytest.mark.parametrize("count", [0, 1, 256, 257, 600])
def test_places_whose_number_is_known(count: int) -> None:
    x, y = T.dmatrix("x"), T.dmatrix("y")
    places, values, new = (RNG.integers(-4, 4, n) for n in (count, (4, 3), (count, 3)))
    part = x[places]
    run = on_device([x, y], [part, T.inc_subtensor(part, y)])
    wanted = values.astype("float64")
    np.add.at(wanted, places, new)
    read, added = run([values.astype("float64"), new.astype("float64")])
    np.testing.assert_array_equal(read, values[places])
    np.testing.assert_array_equal(added, wanted)


def test_one_value_for_all_places() -> None:
    x, i, y = T.dmatrix("x"), T.lvector("i"), T.dscalar("y")
    run = on_device([x, i, y], [T.inc_subtensor(x[:, i], y)])
    values, places = np.zeros((2, 4)), np.array([1, 1, 3, 1])
    (result,) = run([values, places, np.array(2.0)])
    np.testing.assert_array_equal(result, [[0, 6, 0, 2], [0, 6, 0, 2]])


@pytest.mark.parametrize("index", [[0, 3], [-4, 1], [2**40]])
def test_out_of_range(index: list[int]) -> None:
    """The error of the user's own graph; nothing was changed."""
    x, i = T.dmatrix("x"), T.lvector("i")
    state = wb.shared(np.zeros(3))
    read = wb.function([x, i], x[i], updates=[(state, state + 1)], device=DEVICE)
    write = wb.function([i], updates=[(state, T.inc_subtensor(state[i], 1.0))], device=DEVICE)
    for call in (lambda: read(np.eye(3), index), lambda: write(index)):
        with pytest.raises(IndexOutOfRange, match="out of bounds for axis 0 with size 3"):
            call()
        np.testing.assert_array_equal(state.get_value(), np.zeros(3))
    np.testing.assert_array_equal(read(np.eye(3), [-1]), np.eye(3)[[-1]])


def test_out_of_range_of_what_is_empty() -> None:
    """Nothing is read, and yet the index is wrong."""
    x, i = T.dmatrix("x"), T.lvector("i")
    read = wb.function([x, i], x[i], device=DEVICE)
    with pytest.raises(IndexOutOfRange):
        read(np.zeros((3, 0)), [3])
    assert read(np.zeros((0, 3)), np.zeros(0, "int64")).shape == (0, 3)


def test_an_error_that_nobody_waited_for() -> None:
    """A handle says it when it is read."""
    x, i = T.dmatrix("x"), T.lvector("i")
    read = wb.function([x, i], transfer(x[i], DEVICE), device=DEVICE)
    handle = read(np.eye(3), [5])
    with pytest.raises(IndexOutOfRange, match="GpuAdvancedSubtensor"):
        np.asarray(handle)
    np.testing.assert_array_equal(np.asarray(read(np.eye(3), [2])), [[0, 0, 1]])


def test_a_step_of_the_input_stays_on_the_processor() -> None:
    x, i, step = T.dmatrix("x"), T.lvector("i"), T.lscalar("step")
    read = wb.function([x, i, step], x[::step, i], device=DEVICE)
    values = RNG.standard_normal((5, 4))
    np.testing.assert_array_equal(read(values, [1, 1, 3], 2), values[::2, [1, 1, 3]])
