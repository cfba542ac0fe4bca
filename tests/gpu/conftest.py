"""The device suite runs where there is a device; in CI there is one."""

from __future__ import annotations

import os

import pytest

from tests.gpu.support import missing


@pytest.fixture(autouse=True)
def device() -> None:
    """Skips a test where there is no device, which in CI is a failure."""
    if why := missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
