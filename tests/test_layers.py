"""Imports run one way: magics → viz → core, gpu → core; viz reads records, never the compiler.

An own test rather than import-linter: "viz may import only workbench.core.records" is a list of
what is allowed, which its contracts cannot say, and imports inside functions count here too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "workbench"
BASE = ("workbench.configuration", "workbench.errors", "workbench.frozen")
ALLOWED = {
    "core": ("workbench.core", *BASE),
    "gpu": ("workbench.gpu", "workbench.core", *BASE),
    "tensor": ("workbench.tensor", "workbench.core", *BASE),
    "viz": ("workbench.viz", "workbench.core.records", *BASE),
    "inspection": ("workbench.inspection", "workbench.viz", "workbench.core", *BASE),
    "magics": ("workbench.magics", "workbench.inspection", "workbench.core", *BASE),
    "printing": ("workbench.printing", "workbench.viz", "workbench.core", *BASE),
    "configuration": BASE,
    "errors": BASE,
    "frozen": (),
}


def package(path: Path) -> list[str]:
    """The dotted package that a module's relative imports start from."""
    return [ROOT.name, *path.relative_to(ROOT).parent.parts]


def imports(tree: ast.AST, package: list[str]) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything of workbench that is imported, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((node.lineno, name) for name in names if (name + ".").startswith("workbench."))


def within(name: str, allowed: tuple[str, ...]) -> bool:
    return any((name + ".").startswith(prefix + ".") for prefix in allowed)


@pytest.mark.parametrize("part", ALLOWED)
def test_imports_run_one_way(part: str) -> None:
    paths = [ROOT / f"{part}.py", *(ROOT / part).rglob("*.py")]
    wrong = [
        f"{path.relative_to(ROOT.parent)}:{line}: {name}"
        for path in filter(Path.exists, paths)
        for line, name in imports(ast.parse(path.read_text("utf-8")), package(path))
        if not within(name, ALLOWED[part])
    ]
    assert not wrong, f"{part} may import only {', '.join(ALLOWED[part])}:\n" + "\n".join(wrong)


def test_every_kind_of_import_is_seen() -> None:
    code = """
import workbench.viz.svg
from workbench import magics
from ..viz import layout
from . import graph
import numpy
def later():
    from workbench.gpu.cuda import device
"""
    seen = {name for _, name in imports(ast.parse(code), ["workbench", "core"])}
    assert seen == {
        "workbench.viz.svg",
        "workbench.magics",
        "workbench.viz.layout",
        "workbench.core.graph",
        "workbench.gpu.cuda.device",
    }
