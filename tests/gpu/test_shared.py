"""Shared variables on a device: what is copied and what is not, what `set_value` takes, updates."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.test_shared import VALUES
from tests.gpu.support import DEVICE
from workbench.core.device_shared import DeviceSharedVariable
from workbench.core.devices import find

A = np.arange(6, dtype="float32").reshape(2, 3)


def there(value: Any) -> Any:
    """A copy on the device."""
    return find(DEVICE).array(np.asarray(value))  # type: ignore[arg-type]


def on_device(value: Any = A, **options: Any) -> Any:
    return wb.shared(value, target=DEVICE, **options)


def inside(variable: Any) -> Any:
    """The very array that it holds."""
    return variable.get_value(borrow=True, return_internal_type=True)


def traffic(action: Any) -> tuple[int, int]:
    """How often it goes over the bus, each way."""
    device: Any = find(DEVICE)
    begin = device.traffic
    action()
    moved = device.traffic.since(begin)
    return moved.uploads, moved.downloads


# ---------------------------------------------------------------- what a value becomes


@pytest.mark.parametrize(
    ("value", "dtype", "ndim"),
    [(3, "int64", 0), (3.5, "float64", 0), (True, "bool", 0), (np.float32(3), "float32", 0),
     (A, "float32", 2), (A.T, "float32", 2), (np.empty((0, 2), "int8"), "int8", 2)],
)  # fmt: skip
def test_numbers_and_arrays_keep_their_dtype(value: Any, dtype: str, ndim: int) -> None:
    s = on_device(value, name="s")
    assert type(s) is DeviceSharedVariable
    assert (s.dtype, s.ndim, s.name, s.type.device) == (dtype, ndim, "s", DEVICE)
    assert type(s.get_value()) is np.ndarray
    np.testing.assert_array_equal(s.get_value(), value)


def test_where_a_value_lies() -> None:
    """Where it is told to, else on config.device, or where it lies already."""
    assert type(wb.shared(A)).__name__ == "TensorSharedVariable"
    with wb.config.change(device=DEVICE):
        assert type(wb.shared(A)) is type(wb.shared(3)) is DeviceSharedVariable
        assert type(wb.shared(A, target="cpu")).__name__ == "TensorSharedVariable"
        assert wb.shared(1j).type.device == "cpu"  # no device holds it
        assert type(wb.shared("text")).__name__ == "SharedVariable"
    assert wb.shared(there(A)).type.device == DEVICE
    assert type(wb.shared(there(A), target="cpu").get_value()) is np.ndarray
    with pytest.raises(TypeError, match="holds no complex128"):
        on_device(1j)
    with pytest.raises(wb.DeviceError, match="no device"):
        wb.shared(A, target="nonsense")


@pytest.mark.parametrize("value", [[1.0, 2.0], "text", np.random.RandomState(3)])
def test_a_device_holds_numbers_only(value: Any) -> None:
    with pytest.raises(wb.errors.DtypeError, match=f"no {type(value).__name__}"):
        wb.shared(value, target=DEVICE)


def test_an_update_of_another_type_is_told_as_it_was_written() -> None:
    s = on_device()
    with pytest.raises(wb.errors.UpdateError, match=r"its update Elemwise.mul.*float64") as caught:
        wb.function([], updates={s: s * np.float64(1.1)})
    assert "GpuFromHost" not in str(caught.value)


def test_errors_know_it_by_its_name() -> None:
    s, x = wb.shared(A, "weights", target=DEVICE), T.fvector("x")
    with pytest.raises(wb.errors.ShapeError, match=r"of shape \(7,\), weights: TensorType"):
        wb.function([x], x + s, device=DEVICE)(np.ones(7, "float32"))
    with pytest.raises(IndexError, match=r"weights has 2 axes"):
        s[0, 0, 0]


def test_broadcastable() -> None:
    s = on_device(A[:1], broadcastable=(True, False))
    assert s.broadcastable == (True, False)
    for value in (A, there(A)):
        with pytest.raises(TypeError, match="length 1"):
            s.set_value(value)
        with pytest.raises(TypeError, match="length 1"):
            on_device(value, broadcastable=(True, False))


# ---------------------------------------------------------------- the table of copies


@pytest.mark.parametrize("borrow", [False, True])
def test_made_of_a_host_array_it_is_a_copy(borrow: bool) -> None:
    given = A.copy()
    s = on_device(given, borrow=borrow)
    given += 1
    np.testing.assert_array_equal(s.get_value(), A)


def test_made_of_a_device_array() -> None:
    """`borrow` keeps the very array; get_value gives arrays of the device."""
    given = there(A)
    assert inside(wb.shared(given, borrow=True)) is given
    s = wb.shared(given)
    assert inside(s) is not given
    first, second = s.get_value(), s.get_value(borrow=True)
    assert type(first) is type(second) is wb.DeviceArray
    assert second is inside(s)
    assert first is not second
    np.testing.assert_array_equal(first, A)


@pytest.mark.parametrize("borrow", [False, True])
def test_get_value_is_a_copy_on_the_host(borrow: bool) -> None:
    s = on_device()
    found = s.get_value(borrow=borrow)
    assert type(found) is np.ndarray
    found += 1
    np.testing.assert_array_equal(s.get_value(borrow=borrow), A)
    assert traffic(lambda: s.get_value(borrow=borrow)) == (0, 1)


def test_get_value_of_the_internal_type() -> None:
    """A copy on the device, or the very array; nothing goes over the bus."""
    s = on_device()
    assert traffic(lambda: inside(s)) == (0, 0)
    assert inside(s) is inside(s)
    assert traffic(lambda: s.get_value(return_internal_type=True)) == (0, 0)
    copied = s.get_value(return_internal_type=True)
    assert copied.block.address != inside(s).block.address
    np.testing.assert_array_equal(copied, A)


@pytest.mark.parametrize("borrow", [False, True])
def test_set_value_of_a_host_array_is_a_copy(borrow: bool) -> None:
    s, given = on_device(), A + 1
    s.set_value(given, borrow=borrow)
    given += 1
    np.testing.assert_array_equal(s.get_value(), A + 1)


def test_set_value_of_a_device_array() -> None:
    """Nothing goes over the bus; `borrow` keeps the very array."""
    s, given = on_device(), there(A + 1)
    assert traffic(lambda: s.set_value(given)) == (0, 0)
    assert inside(s) is not given
    assert traffic(lambda: s.set_value(given, borrow=True)) == (0, 0)
    assert inside(s) is given


def test_set_value_leaves_borrowed_arrays_alone() -> None:
    s = on_device()
    held = inside(s)
    s.set_value(A + 5)
    np.testing.assert_array_equal(held, A)
    np.testing.assert_array_equal(s.get_value(), A + 5)


def test_set_value_uses_memory_again() -> None:
    """The spare array that updates leave."""
    s = on_device()
    step = wb.function([], updates={s: s + 1}, device=DEVICE)
    step()
    step()
    spare = s.cell[1].block.address
    s.set_value(A * 7)
    assert inside(s).block.address == spare
    np.testing.assert_array_equal(s.get_value(), A * 7)
    s.set_value(A[:1])  # of another shape
    assert s.get_value().shape == (1, 3)


def test_the_idiom_for_work_in_place() -> None:
    """Numbers go through a function and back without the bus."""
    s = on_device()
    x = s.type.make(name="x")
    double = wb.function([x], (x * 2).transfer(DEVICE), device=DEVICE)
    action = lambda: s.set_value(double(inside(s)), borrow=True)  # noqa: E731
    assert traffic(action) == (0, 0)
    np.testing.assert_array_equal(s.get_value(), A * 2)


# ---------------------------------------------------------------- what set_value takes


@pytest.mark.parametrize("case", VALUES, ids=lambda c: f"{c[0]!r} {c[1]} {c[2]!r}"[:60])
def test_what_set_value_takes(case: Any) -> None:
    """As of the processor; arrays also from the device."""
    made, options, value, taken = case
    given = (
        [value, there(value)]
        if isinstance(value, np.ndarray) and value.dtype != complex
        else [value]
    )
    for each in given:
        s = on_device(made, **options)
        if taken:
            s.set_value(each)
            assert s.get_value().dtype == s.dtype
            np.testing.assert_array_equal(s.get_value(), np.asarray(value, s.dtype))
        else:
            with pytest.raises(TypeError):
                s.set_value(each)
            np.testing.assert_array_equal(s.get_value(), np.asarray(made))


def test_a_variable_of_the_host_takes_device_arrays_by_their_dtype() -> None:
    s = wb.shared(A * 2, target="cpu")
    s.set_value(there(A))
    np.testing.assert_array_equal(s.get_value(), A)
    with pytest.raises(TypeError, match="int16 cannot become int8"):
        wb.shared(np.zeros(2, "int8"), target="cpu").set_value(there(np.ones(2, "int16")))


# ---------------------------------------------------------------- the rest


def test_zero() -> None:
    s = on_device(A + 1)
    held = inside(s)
    s.zero()
    np.testing.assert_array_equal(s.get_value(), np.zeros_like(A))
    np.testing.assert_array_equal(held, A + 1)


@pytest.mark.parametrize("made_of", [np.asarray, there])
def test_clones_pickles_and_copies(made_of: Any) -> None:
    """A clone shares the storage; what was made of an array of the device stays so."""
    s = wb.shared(made_of(A), "s", target=DEVICE)
    step = wb.function([], updates={s: s + 1}, device=DEVICE)
    others = {
        "clone": s.clone(),
        "pickle": pickle.loads(pickle.dumps(s)),
        "deepcopy": copy.deepcopy(s),
    }
    step()
    for how, other in others.items():
        assert (other.name, other.type) == ("s", s.type)
        assert type(other.get_value()) is type(s.get_value())
        np.testing.assert_array_equal(other.get_value(), A + (how == "clone"))


def test_several_functions_over_one_variable() -> None:
    """On the device and on the processor."""
    s, x = on_device(0.0), T.dscalar("x")
    add = wb.function([x], s * 1, updates={s: s + x}, device=DEVICE)
    double = wb.function([], updates={s: s * 2}, device="cpu")
    assert [float(add(3)), double(), float(add(1))] == [0, [], 6]
    assert s.get_value() == 7
    s.set_value(10)
    assert float(add(0)) == 10


def test_updates_from_elsewhere() -> None:
    """Their values are brought to where the variable lies, and to its dtype."""
    s, here = on_device(), wb.shared(A, target="cpu")
    x = T.fmatrix("x")
    for new in (here + 1, x.transfer("cpu") + 1, T.cast(x, "int8") + 1, np.asarray(A + 1)):
        wb.function([x], updates={s: new}, device=DEVICE, on_unused_input="ignore")(A)
        assert isinstance(inside(s), wb.DeviceArray)
        np.testing.assert_array_equal(s.get_value(), A + 1)
    wb.function([], updates={here: s * 3}, device=DEVICE)()
    np.testing.assert_array_equal(here.get_value(), (A + 1) * 3)
    for wrong in (T.cast(s, "float64"), s[0]):
        with pytest.raises(TypeError, match="same type"):
            wb.function([], updates={s: wrong}, device=DEVICE)


def test_updates_beside_what_the_interpreter_computes() -> None:
    """Complex numbers have no native form: the program is in parts."""
    s, other = on_device(), wb.shared(A * 0, target=DEVICE)
    f = wb.function([], [s.transfer(DEVICE), T.constant(1j) * s], updates={other: s}, device="cpu")
    for _ in range(2):
        there, here = f()
        assert isinstance(there, wb.DeviceArray)
        assert isinstance(inside(other), wb.DeviceArray)
        assert len({a.block.address for a in (there, inside(s), inside(other))}) == 3
        np.testing.assert_array_equal(there, A)
        np.testing.assert_array_equal(here, 1j * A)
        np.testing.assert_array_equal(other.get_value(), A)


def test_constants_are_brought_there() -> None:
    """They are folded on the processor, and handed out on the device."""
    s = on_device()
    for new in (T.constant(A + 1), s * 0 + T.constant(A) + 1, T.alloc(np.float32(3), 2, 3)):
        f = wb.function([], (new * 2).transfer(DEVICE), updates={s: new}, device=DEVICE)
        assert type(f()) is type(f()) is type(inside(s)) is wb.DeviceArray
        np.testing.assert_array_equal(np.asarray(f()), s.get_value() * 2)


@pytest.mark.parametrize("device", ["cpu", DEVICE])
def test_read_by_the_processor_alone(device: str) -> None:
    """By what has native code, and by what has not."""
    s = on_device()
    f = wb.function([], [T.sort(-s, axis=0), s * 1j], device=device)
    for result, expected in zip(f(), (-A[::-1], A * 1j), strict=True):
        np.testing.assert_array_equal(result, expected)


def test_default_updates() -> None:
    n = on_device(0)
    n.default_update = n + 1
    f = wb.function([], n * 1, device=DEVICE)
    assert [int(f()) for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("device", [DEVICE, "cpu"])
@pytest.mark.parametrize("made_of", ["host", "device"])
def test_as_a_result_it_is_an_array_of_the_host(device: str, made_of: str) -> None:
    """A program gives the same kinds of results, wherever its variables lie."""
    s = on_device() if made_of == "host" else wb.shared(inside(on_device()))
    n = wb.shared(np.float32(2), target=DEVICE)
    forms = [s, wb.Out(s, borrow=True), n, s * 2]
    for result, expected in zip(
        wb.function([], forms, updates={s: s + 1}, device=device)(), [A, A, 2, A * 2], strict=True
    ):
        assert isinstance(result, np.ndarray)
        np.testing.assert_array_equal(result, expected)
    assert isinstance(s.eval(), np.ndarray)


def test_results_of_the_internal_type() -> None:
    """As get_value has them: on the device, where a function is for one."""
    s = on_device()
    inner = [wb.Out(v, return_internal_type=True) for v in (s, s * 2, T.constant(1j) * s)]
    here = wb.function([], inner, device="cpu")()
    there = wb.function([], inner, device=DEVICE)()
    assert [isinstance(r, wb.DeviceArray) for r in here] == [True, False, False]
    assert [isinstance(r, wb.DeviceArray) for r in there] == [True, True, False]
    for a, b in zip(here, there, strict=True):
        np.testing.assert_array_equal(a, b)
    held = wb.function([], wb.Out(s, borrow=True, return_internal_type=True), device=DEVICE)
    assert traffic(held) == (0, 0)
    assert held() is held()


def test_transferred_it_lies_on_the_device() -> None:
    s = on_device()
    f = wb.function([], s.transfer(DEVICE), device="cpu")
    assert traffic(f) == (0, 0)
    assert isinstance(f(), wb.DeviceArray)


def test_a_result_is_no_shared_value() -> None:
    """What a function hands out stays as it is when the variable goes on."""
    s = on_device()
    f = wb.function([], [s.transfer(DEVICE), s], updates={s: s + 1}, device=DEVICE)
    handed = [f() for _ in range(4)]
    for i, (first, second) in enumerate(handed):
        np.testing.assert_array_equal(first, A + i)
        np.testing.assert_array_equal(second, A + i)


def test_calls_from_threads_do_not_lose_an_update() -> None:
    """Good and bad calls of one function, from several threads at once."""
    s, x = on_device(np.zeros(1000, "float32")), T.fvector("x")
    f = wb.function([x], (s + x).sum(), updates={s: s + x}, device=DEVICE)
    one = np.ones(1000, "float32")

    def call(i: int) -> float | None:
        if i % 7 == 0:
            with pytest.raises(ValueError, match="mismatch"):
                f(one[:3])
            return None
        return float(f(one if i % 2 else one.tolist()))

    with ThreadPoolExecutor(4) as pool:
        found = [v for v in pool.map(call, range(200)) if v is not None]
    assert sorted(found) == [1000.0 * k for k in range(1, len(found) + 1)]
    np.testing.assert_array_equal(s.get_value(), one * len(found))
