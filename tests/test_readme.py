"""The README's cells run, in their order, in a real IPython."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RUNNER = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in sys.stdin.read().split(chr(0)):
    shell.run_cell(cell, store_history=True).raise_error()
"""


def cells(document: str) -> list[str]:
    """The Python blocks of a Markdown file."""
    return re.findall(r"^```python\n(.*?)^```$", (ROOT / document).read_text("utf-8"), re.M | re.S)


@pytest.mark.parametrize("document", ["README.md"])
def test_cells_run(document: str, tmp_path: Path) -> None:
    found = cells(document)
    assert found, f"{document} has no Python blocks"
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input="\0".join(found),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_links_and_pictures_exist(document: str) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / document).read_text("utf-8"))
    missing = [target for target in targets if not (ROOT / target).exists()]
    assert not missing, f"{document} points at what is not there: {', '.join(missing)}"
