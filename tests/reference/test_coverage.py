"""Every function, parameter, flag, mode and error of the reference has a test that proves it, and
docs/coverage.md is the table of them.

    WORKBENCH_DOCS=1 pytest tests/reference/test_coverage.py     # writes the table anew
"""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import pkgutil
from pathlib import Path

import pytest

import tests.reference as here
from tests.reference.facts import ALIASES
from tests.reference.proofs import ELSEWHERE, PROOFS, Key, Proof
from tests.reference.rows import Row, named, parameters, rows
from tests.reference.signatures import SIGNATURES

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "coverage.md"

for module in pkgutil.iter_modules(here.__path__, here.__name__ + "."):
    if module.name.rpartition(".")[2].startswith("proofs_"):
        importlib.import_module(module.name)

ROWS = rows()
KEYS = {(row.subject, row.item) for row in ROWS}
ALL_PROOFS = list(dict.fromkeys(proof for proofs in PROOFS.values() for proof in proofs))


@pytest.mark.parametrize("proof", ALL_PROOFS, ids=lambda proof: proof.__name__)
def test_proof(proof: Proof) -> None:
    proof()


def test_no_row_is_empty() -> None:
    empty = [str(row) for row in ROWS if not proving((row.subject, row.item))]
    assert not empty, f"{len(empty)} of {len(ROWS)} rows without a test: {empty[:40]}"


def test_no_proof_is_of_something_else() -> None:
    assert not [key for key in (*PROOFS, *ELSEWHERE) if key not in KEYS]
    names = [proof.__name__ for proof in ALL_PROOFS]
    assert len(names) == len(set(names)), "two proofs have one name"


@pytest.mark.parametrize("test", sorted({t for tests in ELSEWHERE.values() for t in tests}))
def test_what_proves_elsewhere_is_there_and_runs(test: str) -> None:
    """The file has the test, and no decorator of it skips it."""
    path, _, name = test.partition("::")
    name = name.partition("[")[0]
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    found = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == name]
    assert found, f"there is no {name} in {path}"
    for decorator in found[0].decorator_list:
        assert "skip" not in ast.unparse(decorator)
        assert "xfail" not in ast.unparse(decorator)


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature(name: str) -> None:
    """Ours takes the documented parameters, by the same names and with the same defaults (None is
    whatever the configuration says).
    """
    ours = inspect.signature(named(name)).parameters
    spread = any(p.kind is p.VAR_KEYWORD or p.kind is p.VAR_POSITIONAL for p in ours.values())
    for parameter, default in parameters(SIGNATURES[name]).items():
        if parameter not in ours:
            assert spread, f"{name} has no parameter {parameter}"
        elif default is not inspect.Parameter.empty:
            mine = ours[parameter].default
            mine = list(mine) if isinstance(mine, tuple) and isinstance(default, list) else mine
            assert mine is not inspect.Parameter.empty, f"{name}: {parameter}"
            assert mine is None or default is None or mine == default, f"{name}: {parameter}"


@pytest.mark.parametrize("name", ALIASES)
def test_alias(name: str) -> None:
    assert named(name) is named(ALIASES[name])


def proving(key: Key) -> list[str]:
    """The ids of the tests that prove a row."""
    here = "tests/reference/test_coverage.py::"
    own = [f"{here}test_proof[{p.__name__}]" for p in PROOFS.get(key, ())]
    if key[0] in ALIASES:
        own.append(f"{here}test_alias[{key[0]}]")
    return own + ELSEWHERE.get(key, [])


def table() -> str:
    """The table as Markdown."""
    lines = [
        "# Coverage of the reference",
        "",
        "Every function with each parameter, configuration flag, mode, linker, optimizer and",
        "error, with the tests that prove it. Written by tests/reference/test_coverage.py.",
    ]
    kinds: dict[str, list[Row]] = {}
    for row in ROWS:
        kinds.setdefault(row.kind, []).append(row)
    for kind, of_kind in kinds.items():
        lines += [
            "",
            f"## {kind.capitalize()}{'es' if kind[-1] == 's' else 's'} ({len(of_kind)})",
            "",
            "| what | proved by |",
            "|---|---|",
        ]
        for row in of_kind:
            proofs = "<br>".join(f"`{test}`" for test in proving((row.subject, row.item)))
            lines.append(f"| `{row}` | {proofs} |".replace("|`", "\\|`"))
    return "\n".join(lines) + "\n"


def test_the_table_is_up_to_date() -> None:
    if os.environ.get("WORKBENCH_DOCS"):
        TABLE.write_text(table(), "utf-8")
    assert TABLE.read_text("utf-8") == table(), "run with WORKBENCH_DOCS=1"
