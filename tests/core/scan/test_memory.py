"""A loop holds what somebody reads. Measured as the benchmark of memory does: by the growth of the
process's peak, in units of one array with a row for every step.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.scan.loops import numbers

PEAK = Path("/proc/self/clear_refs")
pytestmark = pytest.mark.skipif(not PEAK.exists(), reason="counts Linux's pages")

STEPS, WIDE = 80_000, 64  # 41 MB: memory of this size is given back to the system when it is freed
X, h, w = T.dmatrix("X"), T.dvector("h"), T.dvector("w")
VALUES = (numbers(STEPS, WIDE), numbers(WIDE), numbers(WIDE, seed=1))


def growth(outputs) -> float:
    f = wb.function([X, h, w], outputs, on_unused_input="ignore")
    f(VALUES[0][:2], *VALUES[1:])
    PEAK.write_text("5")
    before = peak()
    f(*VALUES)
    return (peak() - before) / VALUES[0].nbytes


def peak() -> int:
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def step(a, p):
    return T.tanh(p * w + a)


def with_map(a, p):
    return step(a, p), a * p


(states, maps), _ = wb.scan(with_map, X, [h, None])
stopped, _ = wb.scan(lambda a, p: (step(a, p), wb.until(p.sum() > 1e9)), X, h)
some, _ = wb.scan_checkpoints(step, X, h, save_every_N=None)


@pytest.mark.parametrize(
    "outputs",
    [
        states[-1],
        [states[-1], states[-2]],
        states[-5:],
        maps[-1],
        maps[-3:],
        [states[-1], maps[-2:]],
        stopped[-1],
        some[-1],
    ],
    ids=str,
)
def test_the_last_rows_only(outputs):
    assert growth(outputs) < 0.1


@pytest.mark.parametrize(
    ("outputs", "arrays"),
    [
        (states, 1),
        ((states**2).sum(), 1),
        (T.grad((states[-1] ** 2).sum(), [w, h]), 1),
        (T.grad((states[-1] ** 2).sum() + states[-1].sum(), [w, h]), 1),
        (T.grad((states**2).sum(), [w, h]), 2),
        (T.grad((some[-1] ** 2).sum(), [w, h]), 0.1),
        ([some, *T.grad((some**2).sum(), [w, h])], 0.1),
    ],
    ids=str,
)
def test_what_the_gradient_takes(outputs, arrays):
    """The states once; the cost's own gradient where it has one of every step. With checkpoints a
    tenth.
    """
    assert growth(outputs) < arrays * 1.1


def test_values_are_the_same():
    given = (VALUES[0][:200], *VALUES[1:])
    every, _ = wb.scan(step, X, h)
    f = wb.function([X, h, w], [every[:], *T.grad((every[-1] ** 2).sum(), [w, h])])
    g = wb.function([X, h, w], [states, *T.grad((some[-1] ** 2).sum(), [w, h])])
    for a, b in zip(f(*given), g(*given), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
