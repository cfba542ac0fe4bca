"""Random programs of all ops on the device. `python -m tests.fuzz --device` runs more."""

from __future__ import annotations

import pytest

from tests.fuzz.checks import DEVICES, failure
from tests.fuzz.writer import Writer

FOUND = (44, 67, 450, 6002, 6036)
"""Programs that once failed."""


@pytest.mark.parametrize("seed", [*range(10), *FOUND])
def test_random_programs(seed: int) -> None:
    program = Writer(seed).program()
    told = failure(program, DEVICES)
    assert told is None, f"{told}\n{program.text()}"
