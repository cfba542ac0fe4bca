"""The pictures and texts of the notebooks' graphs are the same bytes in every process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# Runs cells in a shell, then prints what the Workbench objects of these names look like.
SHOW = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

cells, names = json.load(sys.stdin)
shell = InteractiveShell.instance()
with capture_output():
    for cell in cells:
        shell.run_cell(cell, store_history=True).raise_error()
forms = {}
for name in names:
    seen = shell.user_ns[name]
    texts = [seen.text("graph"), repr(seen), seen.to_dot()]
    forms[name] = [seen.to_svg(), seen.show("graph").to_svg(), *texts]
print(json.dumps(forms))
"""


def cells_of(notebook: str) -> list[str]:
    """The cells that set up and show graphs: those up to the last `%%symgraph -o`."""
    text = (ROOT / "notebooks" / "sources" / f"{notebook}.md").read_text("utf-8")
    cells = [match[1] for match in BLOCK.finditer(text)]
    last = max(i for i, cell in enumerate(cells) if re.match(r"%%symgraph .*-o ", cell))
    return [c for c in cells[: last + 1] if c.startswith("%") or "import" in c]


def names_in(cells: list[str]) -> list[str]:
    return [found[1] for cell in cells if (found := re.match(r"%%symgraph .*?-o (\w+)", cell))]


def forms(cells: list[str], seed: str) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        input=json.dumps([cells, names_in(cells)]),
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("notebook", ["01_first_graph", "02_stepping_a_scan"])
def test_pictures_and_texts_do_not_depend_on_the_process(notebook):
    cells = cells_of(notebook)
    first, second = (forms(cells, seed) for seed in ("1", "4242"))
    assert first
    assert first == second
    for svg, *_ in first.values():
        assert svg.startswith("<svg")
