"""Theano's environment variable and file, where the workbench's own are absent."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.configuration import config


def read_flags() -> None:
    """Let `THEANO_FLAGS` and `.theanorc` count as WORKBENCH_FLAGS and .workbenchrc do; graphs show
    how operands broadcast, as Theano's do.
    """
    config.read_text("explicit_broadcast=True", "workbench.theano", strong=False)
    if "WORKBENCH_FLAGS" not in os.environ and (flags := os.environ.get("THEANO_FLAGS")):
        config.read_text(flags, "THEANO_FLAGS")
    own = os.environ.get("WORKBENCHRC") or Path("~/.workbenchrc").expanduser().exists()
    paths = os.environ.get("THEANORC", "~/.theanorc").split(os.pathsep)
    if not own:
        config.read_files([str(Path(p).expanduser()) for p in paths])
