"""What flags say of devices, and the error of everything that can be wrong with one."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.gpu.support import DEVICE
from workbench.core.devices import find
from workbench.gpu import plugin

VALUE = np.arange(4, dtype="float32")


def inverse_on_device() -> Any:
    a = T.fmatrix("a")
    return wb.function([a], T.linalg.inv(T.exp(a)), device=DEVICE)


def test_a_node_on_the_processor_is_told() -> None:
    with wb.config.change(assert_no_cpu_op="warn"):
        with pytest.warns(UserWarning, match="Inverse stays on the processor") as caught:
            inverse_on_device()
        assert len(caught) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            x = T.fvector("x")
            wb.function([x], T.exp(x).sum() / x.shape[0], device=DEVICE)
            backwards = T.arange(x.shape[0])[::-1]
            states, _ = wb.scan(lambda i, h: T.tanh(h + x[i]), backwards, T.zeros_like(x))
            wb.function([x], states[-1], device=DEVICE)


def test_a_node_on_the_processor_is_refused() -> None:
    with (
        wb.config.change(assert_no_cpu_op="raise"),
        pytest.raises(wb.errors.DeviceError, match="Inverse stays on the processor") as e,
    ):
        inverse_on_device()
    assert "test_policies.py" in str(e.value)


@pytest.mark.parametrize("name", ["cuda99", "opencl77", "opencl0:9"])
def test_a_device_that_is_not_there(name: str) -> None:
    """Which are there is said; a missing driver with what to install."""
    x = T.fvector("x")
    with pytest.raises((wb.errors.DeviceNotFoundError, wb.errors.DriverError), match=name):
        wb.function([x], x + 1, device=name)


def test_a_name_that_is_none() -> None:
    x = T.fvector("x")
    with pytest.raises(wb.errors.DeviceNotFoundError, match="'tpu0'") as caught:
        wb.function([x], x + 1, device="tpu0")
    assert isinstance(caught.value, LookupError)
    with pytest.raises(wb.errors.DeviceNotFoundError, match="no device 3"):
        wb.function([x], x + 1, device=3)  # type: ignore[arg-type]
    with pytest.raises(wb.errors.DeviceNotFoundError, match="'tpu0'"):
        x.transfer("tpu0")
    with pytest.raises(wb.errors.DeviceNotFoundError, match="'tpu0'"):
        wb.shared(VALUE, target="tpu0")


def test_a_library_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The import error of ours has the line that installs it."""
    monkeypatch.setitem(sys.modules, "pyopencl", None)
    plugin.find.cache_clear()
    x = T.fvector("x")
    with pytest.raises(wb.errors.DriverError, match="pip install") as caught:
        wb.function([x], x + 1, device="opencl0")
    assert isinstance(caught.value, ImportError)
    assert any("pip install" in line for line in wb.devices().problems)
    monkeypatch.undo()
    plugin.find.cache_clear()


def test_the_best_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    """'auto' is an accelerator, or the processor; force_device refuses the latter."""
    x = T.fvector("x")
    monkeypatch.setattr(plugin, "automatic", lambda: None)
    f = wb.function([x], T.exp(x), device="auto")
    assert [type(n.op).__name__ for n in f.maker.fgraph.toposort()] == ["Elemwise"]
    with (
        wb.config.change(force_device=True),
        pytest.raises(wb.errors.DeviceNotFoundError, match="no accelerator"),
    ):
        wb.function([x], T.exp(x), device="auto")
    monkeypatch.setattr(plugin, "automatic", lambda: DEVICE)
    f = wb.function([x], T.exp(x), device="auto")
    assert "GpuElemwise" in [type(n.op).__name__ for n in f.maker.fgraph.toposort()]


def test_the_processor_instead_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once in a process."""
    monkeypatch.setattr("workbench.gpu.listing.devices", list)
    plugin.automatic.cache_clear()
    x = T.fvector("x")
    with wb.config.change(print_active_device=True):
        for _ in range(2):
            wb.function([x], x + 1, device="auto")
    assert capsys.readouterr().err == "Using the processor: there is no accelerator\n"
    plugin.automatic.cache_clear()


def test_float64_is_warned_of() -> None:
    with wb.config.change(warn_float64="warn"), pytest.warns(UserWarning, match="float64"):
        T.dvector("x")


def test_out_of_memory() -> None:
    """The error is also a MemoryError; shared variables keep their values; smaller calls go on."""
    w = wb.shared(VALUE, target=DEVICE)
    n = T.lscalar("n")
    f = wb.function([n], T.alloc(w.sum(), n).transfer(DEVICE), updates={w: w + 1}, device=DEVICE)
    with pytest.raises(wb.errors.DeviceMemoryError, match="out of memory") as caught:
        f(1 << 45)
    assert isinstance(caught.value, MemoryError)
    assert "Alloc" in caught.value.met
    assert "T.alloc(w.sum(), n)" in str(caught.value)
    np.testing.assert_array_equal(w.get_value(), VALUE)
    assert np.asarray(f(2)).tolist() == [6, 6]
    np.testing.assert_array_equal(w.get_value(), VALUE + 1)


def test_out_of_memory_on_the_way() -> None:
    """The node whose result finds no room is named; the function goes on with less."""
    x, n = T.fvector("x"), T.lscalar("n")
    squares = T.outer(x, T.alloc(x[0], n))
    f = wb.function([x, n], T.sort(squares, axis=0).sum(), device=DEVICE)
    with pytest.raises(wb.errors.DeviceMemoryError, match="out of memory") as caught:
        f(VALUE, 1 << 42)
    assert caught.value.node is not None
    assert "test_policies.py" in str(caught.value.place)
    assert f(VALUE, 3) == 0


def test_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """config.device_memory, in MB, is what our arrays may take together."""
    device: Any = find(DEVICE)
    monkeypatch.setattr(device.pool, "limit", device.pool.used + (8 << 20))
    kept = device.array(np.zeros(1 << 20, "float32"))
    with pytest.raises(wb.errors.DeviceMemoryError):
        device.array(np.zeros(1 << 22, "float32"))
    assert np.asarray(kept).sum() == 0


def test_a_late_error_names_its_node() -> None:
    """An index that a kernel finds out of range."""
    x, i = T.fvector("x"), T.lvector("i")
    f = wb.function([x, i], T.exp(x)[i], device=DEVICE)
    assert f(VALUE, [0, -1]).shape == (2,)
    with pytest.raises(IndexError, match="out of") as caught:
        f(VALUE, [0, 9])
    assert "test_policies.py" in str(caught.value)
    assert f(VALUE, [1]).shape == (1,)


def test_a_device_that_is_only_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """config.init_gpu_device starts it with the first function, which stays on the processor."""
    started: list[str] = []

    def start(name: str, found: Any = plugin.find) -> Any:
        started.append(name)
        return found(name)

    monkeypatch.setattr(plugin, "find", start)
    x = T.fvector("x")
    with wb.config.change(init_gpu_device=DEVICE, device="cpu"):
        f = wb.function([x], T.exp(x))
    assert started == [DEVICE]
    assert [type(n.op).__name__ for n in f.maker.fgraph.toposort()] == ["Elemwise"]
