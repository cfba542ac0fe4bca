"""What `theano-cache` did, by `python -m workbench cache`."""

from __future__ import annotations

from tests.reference.proofs import proven_by

proven_by(
    "tests/test_command_line.py::test_native_code_that_is_kept",
    *[("cache command", word) for word in ("list", "clear", "purge", "unlock")],
)
