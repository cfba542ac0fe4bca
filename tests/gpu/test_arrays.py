"""Arrays on a device as users hold them, and functions that take and give them."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.gpu.support import DEVICE
from workbench.core.device_type import DeviceType
from workbench.core.devices import find
from workbench.core.ops.transfer import DTYPES
from workbench.errors import DtypeError, LengthError, RankError, ShapeError

A = np.arange(6, dtype="float32").reshape(2, 3)


def there(value: Any) -> Any:
    """A copy on the device."""
    return find(DEVICE).array(value)  # type: ignore[arg-type]


def input_there(dtype: str = "float32", shape: tuple[int | None, ...] = (None, None)) -> Any:
    """An input whose argument lies on the device."""
    return DeviceType(dtype, shape, DEVICE).make(name="x")


# ---------------------------------------------------------------- the handle


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(dtype: str) -> None:
    for shape in ((), (0,), (1,), (3, 0, 2), (2, 3, 4)):
        value = (np.arange(np.prod(shape, dtype=int)).reshape(shape) % 2).astype(dtype)
        array = there(value)
        assert (array.shape, array.dtype, array.ndim) == (shape, value.dtype, value.ndim)
        assert (array.size, array.nbytes, array.itemsize) == (
            value.size, value.nbytes, value.itemsize,
        )  # fmt: skip
        found = np.asarray(array)
        assert (found.shape, found.dtype) == (shape, value.dtype)
        np.testing.assert_array_equal(found, value)


def test_strides_are_those_of_c_order() -> None:
    assert there(np.ones((2, 3, 4), "int16")).strides == (24, 8, 2)
    assert there(1.0).strides == ()


@pytest.mark.parametrize(
    "value",
    [A.T, A[::-1, ::2], np.asfortranarray(A), np.broadcast_to(A[0], (4, 3)), A.astype(">f4")],
)
def test_made_of_every_layout(value: Any) -> None:
    array = there(value)
    np.testing.assert_array_equal(np.asarray(array), value)
    assert array.dtype == "float32"


@pytest.mark.parametrize("value", [np.ones(2, complex), np.array(["a"]), np.array([None])])
def test_what_no_device_holds(value: Any) -> None:
    with pytest.raises(DtypeError, match="a device holds no"):
        there(value)


def test_copies_are_their_own() -> None:
    array = there(A)
    for other in (array.copy(), copy.copy(array), copy.deepcopy(array), there(array)):
        assert other.block.address != array.block.address
        np.testing.assert_array_equal(other, A)


def test_numpy_sees_a_copy() -> None:
    array = there(A)
    first, second = np.asarray(array), np.array(array)
    first += 1
    np.testing.assert_array_equal(second, A)
    np.testing.assert_array_equal(array, A)
    assert np.asarray(array, "float64").dtype == "float64"
    np.testing.assert_array_equal(np.add(array, 1), A + 1)
    with pytest.raises(ValueError, match="without a copy"):
        np.array(array, copy=False)


def test_numbers() -> None:
    one = there(np.float32(2.5))
    assert (float(one), int(one), one.item(), bool(one)) == (2.5, 2, 2.5, True)
    assert type(one.item()) is float
    assert (there([[7]]).item(), bool(there(np.zeros((1, 1))))) == (7, False)
    for convert in (float, int, bool, lambda a: a.item()):
        with pytest.raises(TypeError, match="one element"):
            convert(there(A))


def test_as_a_sequence() -> None:
    array: Any = there(A)
    assert len(array) == 2
    assert array.tolist() == A.tolist()
    np.testing.assert_array_equal(array[1, ::2], A[1, ::2])
    np.testing.assert_array_equal(array.T, A.T)
    device: Any = find(DEVICE)
    begin = device.traffic
    assert [row.tolist() for row in array] == A.tolist()
    assert device.traffic.since(begin).downloads == 1
    with pytest.raises(TypeError, match="without axes"):
        len(there(1.0))
    with pytest.raises(IndexError):
        array[5]


def test_what_it_looks_like() -> None:
    assert repr(there(A)) == f"<DeviceArray float32 (2, 3) on {DEVICE}>"
    assert isinstance(there(A), wb.DeviceArray)
    assert there(A).sync().shape == (2, 3)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        there(A).nonsense
    assert hasattr(there(A), "__cuda_array_interface__") == DEVICE.startswith("cuda")


def test_pickled() -> None:
    """On the device where it is there; else it is NumPy's."""
    data = pickle.dumps((there(A), there(np.int8(3))))
    found, number = pickle.loads(data)
    assert isinstance(found, wb.DeviceArray)
    np.testing.assert_array_equal(found, A)
    assert (number.item(), number.dtype) == (3, "int8")
    code = f"""
import pickle
from workbench.gpu import plugin
from workbench.errors import DriverError
def find(name): raise DriverError("no driver here", advice="install one")
plugin.find = find
print([type(v).__name__ for v in pickle.loads({data!r})])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["['ndarray',", "'ndarray']"], done.stderr


# ---------------------------------------------------------------- functions that take them


def test_arguments_for_an_input_there() -> None:
    """Handles themselves, and what a variable of the host takes, brought there."""
    x = input_there()
    f = wb.function([x], x * 2, device=DEVICE)
    for value in (
        there(A),
        A,
        A.T,
        A[:, ::-1],
        A.tolist(),
        A.astype("int8"),
        there(A.astype("int8")),
    ):
        np.testing.assert_array_equal(f(value), np.asarray(value) * 2)
        assert f(value).dtype == "float32"


@pytest.mark.parametrize("where", ["there", "here"])
def test_arguments_that_do_not_fit(where: str) -> None:
    """What NumPy's array of the dtype and shape would be told."""
    give = there if where == "there" else np.asarray
    for x in (input_there(), T.fmatrix("x")):
        f = wb.function([x], x * 2, device=DEVICE)
        with pytest.raises(DtypeError, match="float64 cannot become float32"):
            f(give(A.astype("float64")))
        with pytest.raises(RankError, match="expected 2, got 1"):
            f(give(A[0]))
    column = input_there(shape=(None, 1))
    f = wb.function([column], column * 2, device=DEVICE)
    with pytest.raises(LengthError, match="length 1"):
        f(give(A))


def test_lengths_that_do_not_fit() -> None:
    x, y = input_there(), input_there()
    f = wb.function([x, y], x + y, device=DEVICE)
    with pytest.raises(ShapeError, match=r"(?s)mismatch.*\(2, 3\).*\(2, 1\)"):
        f(there(A), there(A[:, :1]))


def test_an_argument_is_left_alone() -> None:
    """A result is never the argument, nor its memory."""
    x = input_there()
    array = there(A)
    more = [v.transfer(DEVICE) for v in (x.T.T, x + 1)]
    f = wb.function([x], [x, *more], device=DEVICE)
    same, turned, other = f(array)
    assert len({a.block.address for a in (array, same, turned, other)}) == 4
    np.testing.assert_array_equal(array, A)
    np.testing.assert_array_equal(turned, A)


def test_scalars_there() -> None:
    k, x = input_there(shape=()), T.fmatrix("x")
    f = wb.function([k, x], [k * 2, x * k, (k + 1).transfer(DEVICE)], device=DEVICE)
    for value in (3.0, np.float32(3), there(np.float32(3))):
        double, scaled, more = f(value, A)
        assert (double.shape, double, more.item()) == ((), 6, 4)
        np.testing.assert_array_equal(scaled, A * 3)


def test_defaults_and_their_updates() -> None:
    """An input that keeps what it becomes, on the device."""
    x = input_there()
    f = wb.function([wb.In(x, value=A, update=x * 2)], x.sum(), device=DEVICE)
    assert [float(f()) for _ in range(3)] == [15, 30, 60]
    n = input_there("int64", ())
    count = wb.function([wb.In(n, value=0, update=5)], n * 1, device=DEVICE)
    assert [int(count()) for _ in range(2)] == [0, 5]


def test_the_forms_of_results() -> None:
    x = input_there()
    f = wb.function([x], {"here": x + 1, "there": (x * 2).transfer(DEVICE)}, device=DEVICE)
    found = f(A)
    assert [type(found[key]).__name__ for key in ("here", "there")] == ["ndarray", "DeviceArray"]
    g = wb.function([x], [x + 1, (x + 2).transfer(DEVICE)], device=DEVICE)
    (only,) = g(A, output_subset=[1])
    np.testing.assert_array_equal(only, A + 2)


# ---------------------------------------------------------------- transfers in graphs


def test_transfers_by_name() -> None:
    x = T.fmatrix("x")
    assert x.transfer("cpu") is x
    moved = x.transfer(DEVICE)
    assert str(moved.type) == f"GpuArrayType<{DEVICE}>(float32, matrix)"
    assert moved.transfer(DEVICE) is moved
    assert moved.transfer("cpu").type == x.type
    with pytest.raises(wb.DeviceError, match="no device 'nonsense'"):
        x.transfer("nonsense")
    with pytest.raises(DtypeError, match="holds no complex128"):
        T.zmatrix().transfer(DEVICE)


@pytest.mark.parametrize("device", ["cpu", DEVICE])
def test_gradients_go_through(device: str) -> None:
    """First and second ones, products with Jacobians, and none through integers."""
    x = T.fmatrix("x")
    cube = x.transfer(DEVICE) ** 3
    slope = T.grad(cube.sum(), x)
    back = cube.transfer("cpu")
    whole = T.cast(x, "int32").transfer(DEVICE).transfer("cpu")
    outputs = [
        slope, T.grad(slope.sum(), x), T.Rop(back, x, x), T.Lop(back, x, x),
        T.grad((whole * x).sum(), x),
    ]  # fmt: skip
    wanted = [3 * A**2, 6 * A, 3 * A**3, 3 * A**3, A]
    for result, expected in zip(wb.function([x], outputs, device=device)(A), wanted, strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_the_gradient_of_an_input_there_lies_there() -> None:
    x = input_there()
    result = wb.function([x], T.grad((x**2).sum(), x), device=DEVICE)(A)
    assert isinstance(result, wb.DeviceArray)
    np.testing.assert_array_equal(result, 2 * A)


def test_givens_go_where_they_are_wanted() -> None:
    here, x = T.fmatrix("here"), input_there()
    held = wb.shared(A, target=DEVICE)
    kept = wb.shared(A, target="cpu")
    for variable in (here, x):
        for value in (held, kept, A, there(A), held + 0, kept + 0):
            f = wb.function([], variable * 2, givens={variable: value}, device=DEVICE)
            np.testing.assert_array_equal(f(), A * 2)
