"""Loops that store every k-th state."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.core.scan.loops import assert_gradient, assert_rewrites_preserve, numbers, run
from workbench.core.scan.checkpoints import scan_checkpoints
from workbench.errors import ScanError

x, h, w = T.dmatrix("x"), T.dvector("h"), T.dmatrix("w")


def step(a, p):
    return T.tanh(a + T.dot(p, w))


@pytest.mark.parametrize("steps", [6, 7, 1])
def test_every_third_state(steps):
    given = {x: numbers(steps, 2), h: numbers(2), w: numbers(2, 2)}
    whole, _ = wb.scan(step, np.concatenate([given[x], np.zeros((2, 2))]), h)
    some, updates = scan_checkpoints(step, x, h, save_every_N=3)
    assert not updates
    expected, found = run([whole, some], given)
    np.testing.assert_allclose(found, expected[2::3][: len(found)])
    assert len(found) == -(-steps // 3)
    assert_gradient((some**2).sum(), given)
    assert_rewrites_preserve(T.grad((some**2).sum(), [w, h, x]), given)


def test_without_padding():
    given = {x: numbers(6, 2), h: numbers(2), w: numbers(2, 2)}
    some, _ = scan_checkpoints(step, x, h, save_every_N=2, padding=False)
    whole, _ = wb.scan(step, x, h)
    a, b = run([some[-1], whole[-1]], given)
    np.testing.assert_allclose(a, b)
    compiled = wb.function(list(given), T.grad((some[-1] ** 2).sum(), [w, h, x]))
    expected = run(T.grad((whole[-1] ** 2).sum(), [w, h, x]), given)
    for found, wanted in zip(compiled(*given.values()), expected, strict=True):
        np.testing.assert_allclose(found, wanted)


def test_what_it_does_not_take():
    with pytest.raises(ScanError, match="without taps"):
        scan_checkpoints(step, {"input": x, "taps": [-1]}, h)
    with pytest.raises(ScanError, match="no states"):
        scan_checkpoints(lambda a: a, x)
