"""The notebooks as they are stored: nbval runs them, this looks at what is in the files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
WIDGET = "application/vnd.jupyter.widget"


def test_the_first_two_notebooks_are_there() -> None:
    assert {"01_first_graph", "02_stepping_a_scan"} <= {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_outputs_can_be_compared_and_read_without_a_kernel(path: Path) -> None:
    notebook = json.loads(path.read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and cell["source"]]
    assert [cell["execution_count"] for cell in code] == [*range(1, len(code) + 1)], (
        "run all cells in a new kernel, then save"
    )
    assert any(cell["outputs"] for cell in code), "no outputs are stored, so none would be compared"
    assert not any(key.startswith(WIDGET) for key in notebook["metadata"].get("widgets", {})), (
        "widget state is stored: it is large, and the static output shows without it"
    )
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "site-packages" not in (text := json.dumps(notebook["cells"]))
    assert str(FOLDER.parent) not in text, "an output shows where the notebook was run"
