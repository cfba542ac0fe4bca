"""A real IPython shell with the extension loaded, and what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.testing.globalipapp import start_ipython
from IPython.utils.capture import capture_output


@dataclass
class Shown:
    """What one cell did."""

    result: Any
    stdout: str
    stderr: str
    outputs: list[Any] = field(default_factory=list)

    @property
    def error(self) -> BaseException | None:
        return self.result.error_in_exec or self.result.error_before_exec

    @property
    def plain(self) -> list[str]:
        return [output.data["text/plain"] for output in self.outputs]


class Notebook:
    """Runs cells."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell

    def __call__(self, source: str) -> Shown:
        with capture_output() as seen:
            result = self.shell.run_cell(source, store_history=True)
        return Shown(result, seen.stdout, seen.stderr, seen.outputs)

    def __getitem__(self, name: str) -> Any:
        return self.shell.user_ns[name]


@pytest.fixture(scope="session")
def shell() -> InteractiveShell:
    start_ipython()
    return InteractiveShell.instance()


@pytest.fixture
def notebook(shell: InteractiveShell) -> Iterator[Notebook]:
    shell.reset(new_session=True)
    shell.run_line_magic("load_ext", "workbench")
    made = Notebook(shell)
    made("import numpy as np\nimport workbench as wb\nimport workbench.tensor as T")
    yield made
    shell.run_line_magic("unload_ext", "workbench")
