"""What moves to the device, and where transfers are put; parts of one program in several places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.gpu.support import DEVICE
from workbench.core.devices import find

RNG = np.random.default_rng(5)
VALUE = RNG.normal(size=(4, 3)).astype("float32")


def ops(f: Any) -> list[str]:
    return [type(node.op).__name__ for node in f.maker.fgraph.toposort()]


def device_function(*args: Any, **options: Any) -> Any:
    return wb.function(*args, device=DEVICE, **options)


def test_transfers_stand_at_the_ends() -> None:
    """One each way, however long the chain in between is."""
    x = T.fmatrix("x")
    f = device_function([x], T.tanh(T.dot(x, x.T)).sum(axis=0).reshape((2, 2)))
    assert ops(f).count("GpuFromHost") == ops(f).count("HostFromGpu") == 1
    assert all(name.startswith("Gpu") or name in ("HostFromGpu", "Dimension") for name in ops(f))
    square = RNG.normal(size=(4, 4)).astype("float32")
    expected = np.tanh(square @ square.T).sum(axis=0).reshape(2, 2)
    np.testing.assert_allclose(f(square), expected, rtol=1e-5)


def test_a_transfer_there_and_back_is_nothing() -> None:
    x = T.fvector("x")
    there = x.transfer(DEVICE)
    assert wb.function([x], there.transfer("cpu"))(VALUE[0]) is not VALUE[0]
    assert ops(wb.function([x], there.transfer("cpu"))) in ([], ["DeepCopyOp"])


def test_what_the_host_has_no_kernel_for_is_seen() -> None:
    """An inverse stays on the processor, between two transfers."""
    a = T.fmatrix("a")
    f = device_function([a], T.exp(T.linalg.inv(T.exp(a))))
    square = np.eye(3, dtype="float32")
    np.testing.assert_allclose(f(square), np.exp(np.linalg.inv(np.exp(square))), rtol=1e-5)
    assert ops(f) == [
        "GpuFromHost", "GpuElemwise", "HostFromGpu", "Inverse", "GpuFromHost",
        "GpuElemwise", "HostFromGpu",
    ]  # fmt: skip


def test_a_length_of_1_that_was_found_late() -> None:
    """Axes spread where the written graph says so, and nowhere else."""
    x, n = T.fmatrix("x"), T.constant(np.int64(0)) + 1
    f = device_function([x], [T.arange(n) * 2.0, T.eye(n), x[:n] + x[:1]])
    for result, expected in zip(f(VALUE), ([0], [[1]], VALUE[:1] * 2), strict=True):
        np.testing.assert_array_equal(result, expected)


def test_scalars_and_lengths_stay_with_the_host() -> None:
    """A number is given to a kernel by value: no transfer for it."""
    x, k = T.fvector("x"), T.fscalar("k")
    f = device_function([x, k], x * (k + 1) / x.shape[0])
    assert ops(f).count("GpuFromHost") == 1
    device: Any = find(DEVICE)
    begin = device.traffic
    np.testing.assert_allclose(f(VALUE[0], 2), VALUE[0] * 3 / 3)
    assert device.traffic.since(begin).uploads == 1


def test_an_asked_for_part_of_a_function_for_the_processor() -> None:
    """`x.transfer(device)` moves what is computed of it, and nothing else."""
    x, y = T.fmatrix("x"), T.fmatrix("y")
    there = T.exp(x.transfer(DEVICE))
    f = wb.function([x, y], [there.transfer("cpu").sum(), T.exp(y).sum()])
    assert ops(f).count("GpuFromHost") == 1
    assert sorted(name for name in ops(f) if name.endswith("Loop")) == ["GpuLoop", "Loop"]
    for result in f(VALUE, VALUE):
        np.testing.assert_allclose(result, np.exp(VALUE).sum(), rtol=1e-5)


def test_a_handle_in_and_out() -> None:
    """Arrays on the device are taken as inputs, and handles come back: no transfer."""
    there = T.fmatrix("x").transfer(DEVICE).type.make(name="x")
    f = device_function([there], T.exp(there).transfer(DEVICE))
    device: Any = find(DEVICE)
    handle = device.array(VALUE)
    begin = device.traffic
    result = f(f(handle))
    assert device.traffic == begin
    assert isinstance(result, wb.DeviceArray)
    np.testing.assert_allclose(np.asarray(result), np.exp(np.exp(VALUE)), rtol=1e-5)
    np.testing.assert_allclose(np.asarray(f(VALUE)), np.exp(VALUE), rtol=1e-6)  # brought there


def test_a_handle_for_an_input_of_the_host() -> None:
    x = T.fmatrix("x")
    device: Any = find(DEVICE)
    np.testing.assert_allclose(wb.function([x], x + 1)(device.array(VALUE)), VALUE + 1)


def test_shared_variables_there_and_here() -> None:
    """Of two shared variables one lies on the device; their sum is computed there, the update of
    each stays where it is.
    """
    with wb.config.change(device="cpu"):
        here = wb.shared(VALUE, "here")
        there = wb.shared(VALUE * 2, "there", target=DEVICE)
        f = wb.function([], (here + there).sum(), updates={here: here + 1, there: there * 2})
    np.testing.assert_allclose(f(), VALUE.sum() * 3, rtol=1e-5)
    np.testing.assert_allclose(here.get_value(), VALUE + 1)
    np.testing.assert_allclose(there.get_value(), VALUE * 4)
    assert isinstance(there.get_value(borrow=True, return_internal_type=True), wb.DeviceArray)


def test_gradients_of_shared_variables_are_the_hosts() -> None:
    """As the values of the variables are: changing the device changes no type of a result."""
    w = wb.shared(VALUE, "w", target=DEVICE)
    slope = wb.grad((T.exp(w) ** 2).sum(), w)
    assert slope.type.device == "cpu"
    result = device_function([], slope)()
    assert isinstance(result, np.ndarray)
    np.testing.assert_allclose(result, 2 * np.exp(VALUE) ** 2, rtol=1e-5)
    handle = device_function([], slope.transfer(DEVICE))()
    np.testing.assert_allclose(np.asarray(handle), result)


def test_names_for_devices() -> None:
    with wb.config.change(contexts=f"dev0->{DEVICE}"):
        x = T.fvector("x")
        assert x.transfer("dev0").type.device == DEVICE
        assert "GpuElemwise" in ops(wb.function([x], T.exp(x), device="dev0"))


def test_updates_by_value_may_be_swapped() -> None:
    """Every update reads the old values."""
    a = wb.shared(VALUE, target=DEVICE)
    b = wb.shared(VALUE * 3, target=DEVICE)
    f = device_function([], updates={a: b, b: a})
    f()
    np.testing.assert_array_equal(a.get_value(), VALUE * 3)
    np.testing.assert_array_equal(b.get_value(), VALUE)
    f()
    np.testing.assert_array_equal(a.get_value(), VALUE)


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "FAST_RUN", "NanGuardMode", "DEBUG_MODE"])
def test_modes(mode: str) -> None:
    x = T.fmatrix("x")
    f = device_function([x], T.log(T.exp(x).sum(axis=1)), mode=mode)
    np.testing.assert_allclose(f(VALUE), np.log(np.exp(VALUE).sum(axis=1)), rtol=1e-5)


def test_interpreted() -> None:
    """mode=Mode('py') computes the device's nodes by NumPy, with arrays that lie there."""
    x = wb.shared(VALUE, target=DEVICE)
    f = device_function([], T.exp(x).transfer(DEVICE), mode=wb.Mode(linker="py"))
    result = f()
    np.testing.assert_allclose(np.asarray(result), np.exp(VALUE), rtol=1e-6)


def test_nan_guard_names_the_node() -> None:
    x = T.fvector("x")
    f = device_function([x], T.log(x) * 2, mode="NanGuardMode")
    with pytest.raises(Exception, match=r"(?i)nan"):
        f(np.array([-1], "float32"))
