"""The CUDA driver of ours over an emulated library: what it calls, and that programs run by it."""

from __future__ import annotations

import ctypes
import itertools
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.gpu.emulated_cuda import EmulatedLibrary, emulated
from workbench.core.devices import find
from workbench.gpu import cuda

RNG = np.random.default_rng(0)


@pytest.fixture
def library() -> Iterator[EmulatedLibrary]:
    with emulated() as made:
        yield made


def inside(*calls: str) -> list[str]:
    """Calls in a device's context."""
    return ["cuCtxPushCurrent_v2", *calls, "cuCtxPopCurrent_v2"]


def test_it_is_listed(library: EmulatedLibrary) -> None:
    (found,) = (d for d in wb.devices() if d.name == "cuda0")
    assert (found.title, found.units, found.accelerator) == ("an emulated device", 2, True)
    assert "cuda0" in repr(wb.devices())


def test_one_kernel_a_call(library: EmulatedLibrary) -> None:
    """exp of a shared variable: nothing but the launch, and the copy of the result."""
    value = RNG.random(1000).astype("float32")
    x = wb.shared(value, target="cuda0")
    f = wb.function([], T.exp(x), device="cuda0")
    f()
    library.calls.clear()
    np.testing.assert_allclose(f(), np.exp(value), rtol=1e-6)
    assert library.calls == [
        *inside("cuLaunchKernel"), *inside("cuMemcpyDtoHAsync_v2", "cuStreamSynchronize"),
    ]  # fmt: skip
    g = wb.function([], T.exp(x).transfer("cuda0"), device="cuda0")
    g()
    library.calls.clear()
    g()
    assert library.calls == inside("cuLaunchKernel")


def test_pinned_memory_is_read_in_the_call(library: EmulatedLibrary) -> None:
    """The driver reads it when the stream has come so far; other memory it has copied before."""
    x = T.dvector("x")
    f = wb.function([x], T.exp(x).transfer("cuda0"), device="cuda0")
    value = RNG.random(5)
    expected = np.exp(value)
    for pinned in ([], [value]):
        library.pinned = pinned
        library.calls.clear()
        result = f(value)
        assert library.calls.count("cuStreamSynchronize") == len(pinned)
        held, value[:] = value.copy(), np.nan
        np.testing.assert_allclose(np.asarray(result), expected)
        value[:] = held


def test_training(library: EmulatedLibrary) -> None:
    """A network's step on both devices, weights compared."""
    inputs, targets = RNG.random((32, 8)), RNG.random(32)
    weights = {}
    for device in ("cpu", "cuda0"):
        with wb.config.change(device=device):
            x, y = T.dmatrix("x"), T.dvector("y")
            w = wb.shared(np.linspace(-1, 1, 8 * 5).reshape(8, 5))
            v = wb.shared(np.ones(5))
            cost = T.sqr(T.dot(T.tanh(T.dot(x, w)), v) - y).mean()
            slopes = wb.grad(cost, [w, v])
            updates = {p: p - 0.1 * g for p, g in zip([w, v], slopes, strict=True)}
            step = wb.function([x, y], cost, updates=updates)
        for _ in range(5):
            step(inputs, targets)
        weights[device] = w.get_value(), v.get_value()
    for mine, theirs in zip(weights["cuda0"], weights["cpu"], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10)


def test_out_of_memory(library: EmulatedLibrary) -> None:
    """Caches are freed, then the error says what there is; shared variables keep their values."""
    w = wb.shared(np.ones(1000, "float32"), target="cuda0")
    n = T.lscalar("n")
    f = wb.function([n], T.alloc(w.sum(), n).transfer("cuda0"), updates={w: w + 1}, device="cuda0")
    with pytest.raises(wb.errors.DeviceMemoryError, match="out of memory") as caught:
        f(1 << 40)
    assert isinstance(caught.value, MemoryError)
    assert (w.get_value() == 1).all()
    assert np.asarray(f(3)).tolist() == [1000, 1000, 1000]
    assert (w.get_value() == 2).all()


def test_machine_code_finds_room(library: EmulatedLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what is kept for arrays has taken it all."""
    device: Any = find("cuda0")
    device.array(np.ones(5000))
    load = library._cuModuleLoadData

    def loaded(*args: Any) -> int:
        return load(*args) if "cuMemFree_v2" in library.calls else cuda.OUT_OF_MEMORY

    monkeypatch.setattr(library, "_cuModuleLoadData", loaded)
    x = wb.shared(np.ones(3, "float32"), target="cuda0")
    assert wb.function([], T.exp(x), device="cuda0")().shape == (3,)


def test_a_device_that_is_lost(library: EmulatedLibrary) -> None:
    """A launch that fails is told with its node; nothing is stored."""
    w = wb.shared(np.ones(5, "float32"), target="cuda0", name="w")
    f = wb.function([], updates={w: T.exp(w)}, device="cuda0")
    library.fail["cuLaunchKernel"] = 719
    with pytest.raises(wb.errors.DeviceLostError, match="CUDA_ERROR") as caught:
        f()
    assert "GpuElemwise{exp" in str(caught.value)
    assert isinstance(caught.value, RuntimeError)
    library.fail.clear()
    assert (w.get_value() == 1).all()


def test_more_work_groups_than_a_launch_takes(library: EmulatedLibrary) -> None:
    """They are refused: a part of the work would be a wrong result."""
    device: Any = find("cuda0")
    launch = ctypes.CFUNCTYPE(
        None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p,
        *(ctypes.c_int64,) * 3,
    )  # fmt: skip
    library.calls.clear()
    launch(device.functions["launch"])(device.state, 1, 1 << 31, 0, 0, 0, 5)
    assert "cuLaunchKernel" not in library.calls
    with pytest.raises(wb.errors.DeviceError, match="2147483647 work groups at once, command 5"):
        device.look()


def test_device_sync_waits_for_every_command(library: EmulatedLibrary) -> None:
    x = wb.shared(np.ones(5, "float32"), target="cuda0")
    f = wb.function([], T.exp(x).transfer("cuda0"), device="cuda0")
    with wb.config.change(device_sync=True):
        f()
        library.calls.clear()
        f()
        assert library.calls == inside("cuLaunchKernel", "cuStreamSynchronize")
    f()
    library.calls.clear()
    f()
    assert "cuStreamSynchronize" not in library.calls


def test_times(library: EmulatedLibrary) -> None:
    """Of every command, between two events; commands follow each other."""
    x = T.dmatrix("x")
    value = RNG.random((50, 50))
    seen = wb.inspect(T.exp(T.dot(x, x)), inputs=[x], values={x: value}, device="cuda0")
    spans = seen.profile.spans
    assert [span.form for span in spans] == ["transfer", "kernel", "kernel", "transfer"]
    assert spans[0].start == 0
    for one, next_ in itertools.pairwise(spans):
        assert one.seconds > 0
        assert one.start + one.seconds <= next_.start + 1e-6
    rows = [row for row in seen.profile.rows if row.device == "cuda0"]
    assert {span.node for span in spans} == {row.node for row in rows}


def test_a_refused_kernel(library: EmulatedLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> bytes:
        raise wb.errors.KernelError("CUDA's compiler refused a kernel: error")

    monkeypatch.setattr(library, "cubin", refuse)
    x = wb.shared(np.ones(5, "float32"), target="cuda0")
    with pytest.raises(wb.errors.KernelError, match="refused"):
        wb.function([], T.exp(x), device="cuda0")


def test_a_device_that_gives_no_context(library: EmulatedLibrary) -> None:
    """Another process has taken all memory, or the device for itself."""

    def refused(device: Any) -> None:
        raise RuntimeError("cuDevicePrimaryCtxRetain failed: out of memory")

    library.driver.Device.retain_primary_context = refused
    with pytest.raises(wb.errors.DriverError, match=r"no context.*PrimaryCtxRetain.*out of memory"):
        find("cuda0")


@pytest.mark.parametrize("init", [OSError, RuntimeError, ImportError])
def test_a_library_that_does_not_start(init: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told of where devices are listed, and stops nothing."""

    def start() -> None:
        raise init("no CUDA-capable device is detected")

    driver = ModuleType("pycuda.driver")
    driver.init = start  # type: ignore[attr-defined]
    package = ModuleType("pycuda")
    package.driver = driver  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pycuda", package)
    monkeypatch.setitem(sys.modules, "pycuda.driver", driver)
    cuda.library.cache_clear()
    assert any("no CUDA-capable device" in problem for problem in wb.devices().problems)


def test_code_that_the_driver_does_not_take(library: EmulatedLibrary) -> None:
    x = wb.shared(np.ones(5, "float32"), target="cuda0")
    library.fail["cuModuleLoadData"] = 222
    with pytest.raises(wb.errors.DriverError, match=r"(?s)loading kernels.*newer than the driver"):
        wb.function([], T.exp(x), device="cuda0")


def test_other_threads_enter_the_context(library: EmulatedLibrary) -> None:
    from concurrent.futures import ThreadPoolExecutor

    x = wb.shared(np.arange(5.0), target="cuda0")
    f = wb.function([], x * 2, device="cuda0")
    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(lambda _: f(), range(8)):
            assert result.tolist() == [0, 2, 4, 6, 8]


def test_a_thread_stays_in_its_own_context(library: EmulatedLibrary) -> None:
    """Another library's, which it had entered before: after calls, allocations, failures."""
    library.contexts.append(mine := 77)
    x = wb.shared(np.arange(5.0), target="cuda0")
    f = wb.function([], x * 2, updates={x: x + 1}, device="cuda0")
    f()
    library.fail["cuLaunchKernel"] = 719
    with pytest.raises(wb.errors.DeviceLostError):
        f()
    library.fail.clear()
    del x, f
    device: Any = find("cuda0")
    device.pool.free()
    assert library.contexts == [mine]


def test_a_context_that_is_not_entered(library: EmulatedLibrary) -> None:
    """Nothing is queued in that which the thread is in, and it is not left."""
    library.contexts.append(mine := 77)
    x = wb.shared(np.arange(5.0), target="cuda0")
    f = wb.function([], x * 2, device="cuda0")
    library.calls.clear()
    library.fail["cuCtxPushCurrent_v2"] = 709
    with pytest.raises(wb.errors.DeviceLostError):
        f()
    library.fail.clear()
    assert "cuLaunchKernel" not in library.calls
    assert library.contexts == [mine]


def test_two_devices_of_one_program() -> None:
    """Every command is queued in the context of its own device."""
    value = RNG.random((6, 4))
    with emulated(devices=2) as library:
        a, b = wb.shared(value, target="cuda0"), wb.shared(value + 1, target="cuda1")
        f = wb.function([], [T.exp(a).sum(), T.exp(b).sum(), (a * b).sum()])
        for _ in range(2):
            first, second, both = f()
        np.testing.assert_allclose(first, np.exp(value).sum())
        np.testing.assert_allclose(second, np.exp(value + 1).sum())
        np.testing.assert_allclose(both, (value * (value + 1)).sum())
        assert library.contexts == []
        assert all(memory.buffers for memory in library.memories)


def test_memory_is_freed_when_all_work_is_done(library: EmulatedLibrary) -> None:
    device: Any = find("cuda0")
    device.array(np.ones(5))
    library.calls.clear()
    device.pool.free()
    assert library.calls == [*inside("cuCtxSynchronize"), *inside("cuMemFree_v2")]


def test_two_devices_that_fail() -> None:
    """In one call: nothing of it is left for the next one."""
    with emulated(devices=2) as library:
        a, b = (wb.shared(np.ones(3), target=f"cuda{k}") for k in range(2))
        f = wb.function([], updates={a: T.exp(a), b: T.exp(b)})
        library.fail["cuLaunchKernel"] = 719
        with pytest.raises(wb.errors.DeviceLostError, match="cuda0"):
            f()
        library.fail.clear()
        f()
        np.testing.assert_allclose(b.get_value(), np.exp(np.ones(3)))


def test_what_is_dropped_after_the_end(library: EmulatedLibrary) -> None:
    """The context has freed the memory."""
    device: Any = find("cuda0")
    _, held = device.driver.allocate(256)
    device.driver._leave()
    library.calls.clear()
    del held
    assert library.calls == []


def test_a_number_that_cannot_be_read(library: EmulatedLibrary) -> None:
    """It is 0, so that no loop goes on for as long as what was there says."""
    n = wb.shared(np.int64(3), target="cuda0")
    x = wb.shared(np.ones(4), target="cuda0")
    states, _ = wb.scan(lambda p: T.tanh(p), outputs_info=x, n_steps=n * 2)
    f = wb.function([], states[-1].transfer("cuda0"), device="cuda0")
    f()
    library.fail["cuMemcpyDtoHAsync_v2"] = 719
    with pytest.raises(wb.errors.DeviceLostError):
        f()
