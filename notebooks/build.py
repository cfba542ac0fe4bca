"""Makes the notebooks from their sources: runs every cell and stores the outputs.

    python notebooks/build.py            # all of them
    python notebooks/build.py 01         # those whose name begins so

A source is Markdown; its ```python blocks are the code cells, and words after `python` are a
cell's tags. Views of widgets and their state are left out of what is stored: the picture and the
text stay, which show without a kernel.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

FOLDER = Path(__file__).parent
BLOCK = re.compile(r"^```python([^\n]*)\n(.*?)^```$", re.M | re.S)
WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def cells(text: str) -> Iterator[NotebookNode]:
    """The cells of a source, with ids that do not change from run to run."""
    start = number = 0
    for block in [*BLOCK.finditer(text), None]:
        prose = text[start : block.start() if block else len(text)].strip()
        if prose:
            yield new_markdown_cell(prose, id=f"cell-{number}")
            number += 1
        if block:
            tags = {"tags": block[1].split()} if block[1].split() else {}
            yield new_code_cell(block[2].strip(), id=f"cell-{number}", metadata=tags)
            number += 1
            start = block.end()


def build(source: Path) -> Path:
    """Runs one notebook and writes it beside its source's folder."""
    notebook = new_notebook(cells=list(cells(source.read_text("utf-8"))))
    notebook.metadata["kernelspec"] = KERNEL
    notebook.metadata["language_info"] = {"name": "python"}
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    target = FOLDER / f"{source.stem}.ipynb"
    nbformat.write(notebook, target)
    return target


def main(names: list[str]) -> None:
    """Builds the notebooks whose names begin with one of these; all where there is none."""
    for source in sorted((FOLDER / "sources").glob("*.md")):
        if not names or source.name.startswith(tuple(names)):
            target = build(source)
            print(f"{target.relative_to(FOLDER.parent)}: {target.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
