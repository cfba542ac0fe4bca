"""`workbench.printing`: its names, and pictures of graphs in files."""

from __future__ import annotations

import shutil

import pytest

import workbench as wb
import workbench.tensor as T
from workbench import printing
from workbench.errors import GraphError, UsageError

x = T.dvector("x")
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


@pytest.fixture
def f():
    return wb.function([x], T.tanh(x * 2) + 1, name="f of x", mode="FAST_COMPILE")


def dot(fct, **options):
    return printing.pydotprint(fct, format="dot", return_image=True, **options).decode()


def test_names():
    assert printing.pp is printing.pprint is wb.pp
    assert printing.debugprint is wb.debugprint
    assert printing.Print is wb.Print
    assert wb.printing is printing


def test_the_file_is_named_and_told(f, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert printing.pydotprint(f, format="dot") is None
    (path,) = tmp_path.iterdir()
    assert path.name == "workbench.pydotprint.f_of_x.dot"
    assert path.name in capsys.readouterr().out
    assert '"f of x"' in path.read_text()


@needs_dot
@pytest.mark.parametrize(
    ("ending", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<")]
)
def test_the_ending_is_the_format(f, tmp_path, ending, start):
    path = tmp_path / f"graph.{ending}"
    printing.pydotprint(f, outfile=str(path), format="png", print_output_file=False)
    assert path.read_bytes().startswith(start)


@needs_dot
def test_a_file_without_ending_and_an_image(f, tmp_path, capsys):
    printing.pydotprint(f, tmp_path / "graph", print_output_file=False)
    assert (tmp_path / "graph.png").read_bytes() == printing.pydotprint(f, return_image=True)
    assert capsys.readouterr().out == ""


def test_without_graphviz(f, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(RuntimeError, match=r"(?s)not installed.*format='svg'"):
        printing.pydotprint(f, return_image=True)
    drawn = printing.pydotprint(f, format="svg", return_image=True)
    assert drawn.startswith(b"<svg")
    assert b"tanh" in drawn


def test_a_program_that_fails(f, monkeypatch, tmp_path):
    wrong = tmp_path / "dot"
    wrong.write_text("#!/bin/sh\necho no such thing >&2\nexit 3\n")
    wrong.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(wrong))
    with pytest.raises(printing.DrawingError, match="failed: no such thing"):
        printing.pydotprint(f, return_image=True)


def test_options(f):
    assert dot(f).count("label=") < dot(f, compact=False).count("label=")
    assert '"1 tanh' in dot(f, with_ids=True)
    named = T.tanh(x)
    named.name = "activation"
    assert "activation = tanh" in dot(named)
    assert "tanh" not in dot(named, var_with_name_simple=True)
    named.name = "a" * 100
    assert "a" * 99 not in dot(named, var_with_name_simple=True, max_label_size=20)


def test_bodies_of_loops_have_files(tmp_path):
    rows, _ = wb.scan(lambda a: T.tanh(a), x, name="rnn")
    printing.pydotprint(rows, tmp_path / "g.dot", scan_graphs=True, print_output_file=False)
    assert "rnn" in (tmp_path / "g.dot").read_text()
    assert "tanh" in (tmp_path / "g_0.dot").read_text()


def test_what_can_be_drawn(f):
    assert dot(x + 1) == dot([x + 1])
    assert "add" in dot((x + 1).owner)
    with pytest.raises(GraphError, match="not int"):
        dot(3)
    with pytest.raises(UsageError, match="Did you mean 'png'"):
        printing.pydotprint(f, format="pnk")
