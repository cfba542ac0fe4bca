"""What the devices' compilers say: errors reach the user, remarks do not."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import workbench as wb
import workbench.tensor as T
from tests.gpu.support import DEVICE
from workbench.core.devices import find

REMARKED = "#warning this is remarked on\n"


def driver() -> Any:
    """What compiles for the device."""
    device: Any = find(DEVICE)
    return device.driver


@pytest.fixture(params=["0", "1"])
def nothing_cached(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Kernels are compiled anew, with the library told to show what compilers say, and not."""
    monkeypatch.setenv("PYOPENCL_COMPILER_OUTPUT", request.param)
    with wb.config.change(cache=False):
        yield


@pytest.mark.usefixtures("nothing_cached")
def test_remarks_are_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    driver()  # which may say that it is used
    capfd.readouterr()
    comment = f"// {np.random.default_rng().random()}\n"  # no driver has compiled this before
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        driver().program(comment + REMARKED, [])
        x = T.fmatrix("x")
        wb.function([x], T.exp(x).sum(axis=0), device=DEVICE)(np.ones((2, 3), "float32"))
    assert capfd.readouterr() == ("", "")


def test_a_refused_kernel_is_an_error_with_the_reason() -> None:
    with pytest.raises(wb.errors.KernelError, match=r"refused a kernel(?s:.)*nowhere") as caught:
        driver().program("void f(int *x) { x[0] = nowhere; }", [])
    assert "please report it" in str(caught.value)
