"""`python -m workbench`, run as a user does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.core.records import History

ROOT = Path(__file__).parent.parent
MODEL = """
import numpy as np
import workbench as wb
import workbench.tensor as T

w = wb.shared(np.ones(3), "w")
x = T.matrix("x")
D = np.arange(12.0).reshape(4, 3)
p = T.tanh(T.dot(x, w))
cost = p.sum()
cost
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "model.py").write_text(MODEL, "utf-8")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "workbench", *words],
            cwd=tmp_path,
            env={"PATH": "", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
        )

    return run


def test_text_of_a_file(run):
    done = run("model.py", "--wrt", "w", "--values", "x=D", "--view", "values")
    assert done.returncode == 0, done.stderr
    assert "(dcost/dw)     float64[3] min" in done.stdout
    assert run("model.py").stdout.startswith("graph: ")


def test_json_of_a_file(run):
    done = run("model.py", "--json")
    history = History.from_dict(json.loads(done.stdout)["history"])
    assert "Loop" in {node.op for node in history.last}


def test_errors_are_short_and_have_a_status(run):
    done = run("model.py", "--vew", "graph")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "Did you mean '--view'" in done.stderr
    done = run("model.py", "--values", "x=D[0]")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "made at model.py:7" in done.stderr
    assert run("nothing.py").returncode == 2


def test_configuration(run):
    assert "floatX" in run("config").stdout
    one, two = run("config", "floatX", "scan.allow_gc").stdout.splitlines()
    assert one.split()[:3] == ["floatX", "float64", "default"]
    assert two.split()[:3] == ["scan.allow_gc", "False", "default"]
    assert "dtype of constructors" in one
    assert run("config", "NanGuardMode").stdout.count("\n") == 3
    assert "floatX=float32" in run("config", "floatX=float32").stderr
    wrong = run("config", "flotX")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "Did you mean 'floatX'?" in wrong.stderr


def test_native_code_that_is_kept(run, tmp_path):
    place = tmp_path / ".cache" / "workbench"
    assert run("cache").stdout == f"{place}: 0 programs, 0 bytes\n"
    (tmp_path / "use.py").write_text(
        "import workbench as wb\ns = wb.shared(1.0)\n(s * 2).eval()\ns", "utf-8"
    )
    assert run("use.py").returncode == 0
    head, *lines = run("cache", "list").stdout.splitlines()
    assert len(lines) == len(list(place.iterdir())) > 0
    assert f" {len(lines)} programs" in head
    (place / "notes.txt").write_text("of the user's own")
    (place / "unfinished-x").write_text("of a process that was ended")
    assert "nothing is ever locked" in run("cache", "unlock").stdout
    assert f"{len(lines)} removed" in run("cache", "clear").stdout
    assert sorted(p.name for p in place.iterdir()) == ["notes.txt", "unfinished-x"]
    assert "0 removed" in run("cache", "purge").stdout
    assert [p.name for p in place.iterdir()] == ["notes.txt"]
    (place / "notes.txt").unlink()
    run("cache", "purge")
    assert not place.exists()
    wrong = run("cache", "empty")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "list, clear, purge, unlock" in wrong.stderr
