"""Times by the device's own clock, launches and transfers apart, and the processor beside it."""

from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.gpu.support import DEVICE
from workbench.core.link import uses_devices
from workbench.gpu.link import DeviceLinked
from workbench.inspection.pays import made_for_processor
from workbench.inspection.text import duration

VALUE = np.random.default_rng(1).normal(size=(64, 64)).astype("float32")


def rows_of(record: Any, op: str) -> list[Any]:
    return [row for row in record.rows if row.op.startswith(op)]


def inspected(**options: Any) -> Any:
    x = T.fmatrix("x")
    out = T.tanh(T.dot(x, x)).sum(axis=0)
    return wb.inspect(out, inputs=[x], values={x: VALUE}, device=DEVICE, **options)


def test_rows() -> None:
    """A kernel has its device's time, and what queueing it took; a transfer its bytes."""
    record = inspected().profile
    kernels = [row for row in record.rows if row.form == "kernel"]
    assert {row.device for row in kernels} == {DEVICE}
    assert {row.op for row in kernels} >= {"GpuGemm"}
    for row in kernels:
        assert row.seconds > 0
        assert row.launch > 0
        assert row.calls == record.calls
    (up,) = rows_of(record, "GpuFromHost")
    (down,) = rows_of(record, "HostFromGpu")
    assert (up.form, down.form) == ("transfer", "transfer")
    assert (up.bytes, down.bytes) == (VALUE.nbytes, VALUE.nbytes // 64)
    assert up.median > 0
    assert up.launch == 0


def test_the_processor_beside_the_device() -> None:
    """Every kernel has the same node's time on the processor, and a verdict with its reason."""
    record = inspected().profile
    verdicts = {v.node: v for v in record.verdicts}
    there = {row.node: row for row in record.host}
    for row in record.rows:
        if row.form == "kernel":
            assert row.node in there, row.op
            assert there[row.node].device == "cpu"
            verdict = verdicts[row.node]
            assert verdict.pays is not None
            quicker = there[row.node].median > max(row.median, row.launch)
            assert verdict.pays is quicker
            assert "quicker" in verdict.reason or "queueing" in verdict.reason
        if row.form == "transfer":
            assert verdicts[row.node].pays is None
            assert "B/s" in verdicts[row.node].reason
    assert any("on the processor" in note for note in record.notes)


def test_a_call_is_compared_without_what_timing_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """And with the time that the device takes after the call is over."""
    waits = []
    monkeypatch.setattr(DeviceLinked, "wait", lambda self: waits.append(time.sleep(0.02)))
    record = inspected().profile
    assert len(waits) >= 3
    (note,) = (note for note in record.notes if "a call takes" in note)
    seconds = record.seconds / record.calls - record.overhead
    assert f"a call takes {duration(max(0.0, seconds))} on {DEVICE}" in note


def test_the_processors_call_is_all_its_own() -> None:
    """Shared variables, loops over them, and what was transferred: nothing runs on the device."""
    x, w = T.fmatrix("x"), wb.shared(VALUE / 16, "w", target=DEVICE)
    states, _ = wb.scan(lambda row, h: T.tanh(row + T.dot(h, w)), x, T.zeros_like(x[0]))
    f = wb.function([x], [states[-1], T.exp(w).transfer(DEVICE)], updates={w: w * 2}, device=DEVICE)
    twin = made_for_processor(f)
    assert not uses_devices(twin.maker.plan)
    for a, b in zip(f(VALUE), twin(VALUE), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_the_columns() -> None:
    text = inspected().text("profile")
    head = next(line for line in text.splitlines() if "launch" in line)
    assert all(word in head for word in ("device", "launch", "cpu", "bytes", "pays", "why"))
    assert "GpuGemm" in text
    assert f"to {DEVICE}" in text
    assert "to cpu" in text


def test_what_stays_says_why() -> None:
    x = T.fmatrix("x")
    seen = wb.inspect(
        T.linalg.inv(T.exp(x) + T.eye(64)), inputs=[x], values={x: VALUE}, device=DEVICE
    )
    (row,) = rows_of(seen.profile, "Inverse")
    (verdict,) = (v for v in seen.profile.verdicts if v.node == row.node)
    assert (row.device, verdict.pays) == ("cpu", None)
    assert "LAPACK" in verdict.reason


def test_loops_hold_what_their_bodies_take() -> None:
    """A loop's time is that of the kernels of its body, which are rows by themselves."""
    x = T.fmatrix("x")
    states, _ = wb.scan(lambda row, h: T.tanh(row + h), x, T.zeros_like(x[0]))
    seen = wb.inspect(states[-1].sum(), inputs=[x], values={x: VALUE}, device=DEVICE)
    (loop,) = rows_of(seen.profile, "GpuScan")
    inner = [row for row in seen.profile.rows if row.parent == loop.node and row.form == "kernel"]
    assert inner
    assert all(row.calls == 64 * loop.calls for row in inner)
    assert loop.device == DEVICE
    assert loop.seconds >= 0.9 * sum(row.seconds for row in inner)


def test_a_function_with_a_profile() -> None:
    x = T.fmatrix("x")
    f = wb.function([x], T.exp(x).sum(), device=DEVICE, profile=True)
    for _ in range(3):
        f(VALUE)
    file = io.StringIO()
    f.profile.summary(file)
    assert "GpuLoop" in file.getvalue()
