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
