"""The magics in a real shell."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from IPython.core.completer import provisionalcompleter

MODEL = """x = T.vector('x')
w = wb.shared(np.ones(3), 'w')
p = T.tanh(x * w)
p.name = 'p'
cost = p.sum()
"""


@pytest.fixture
def model(notebook):
    assert notebook(MODEL).error is None
    return notebook


def test_a_cell_is_compiled_shown_and_bound(notebook):
    shown = notebook(f"%%symgraph tanh -o wbk --wrt w --values x=[1, 2, 3]\n{MODEL}cost")
    assert shown.error is None
    assert shown.plain[0].startswith("tanh: ")
    data = shown.outputs[0].data
    assert {
        "text/plain",
        "text/html",
        "image/svg+xml",
        "application/vnd.jupyter.widget-view+json",
    } <= set(data)
    seen = notebook["wbk"]
    np.testing.assert_allclose(seen.values["p"].array, np.tanh([1, 2, 3]))
    np.testing.assert_allclose(seen.function([1, 2, 3])[0], np.tanh([1, 2, 3]).sum())
    assert seen.function.maker.program.inputs[0].name == "x"
    assert notebook["cost"].name == "cost"  # the body ran in the user's namespace, and names it
    np.testing.assert_allclose(
        seen.values["(dcost/dw)"].sample, 1 / np.cosh([1, 2, 3]) ** 2 * [1, 2, 3]
    )


def test_places_name_the_cell_and_count_the_magics_line(notebook):
    notebook("1")
    number = notebook.shell.execution_count
    notebook(f"\n\n%%symgraph -o wbk\n{MODEL}cost")
    places = {node.label: node.places[0] for node in notebook["wbk"].graph if node.kind == "apply"}
    assert (places["tanh"].file, places["tanh"].line) == (f"Cell {number}", 6)
    assert places["tanh"].text == "p = T.tanh(x * w)"


@pytest.mark.parametrize(
    "cell",
    [
        "%%symgraph -o q --outputs p cost\npass",
        "%%symgraph -o q\n[p, cost]",
        "%%symgraph -o q\n(p, cost)",
        "%%symgraph -o q\nboth = [p, cost]",
        "%symgraph [p, cost] -o q",
        "%symgraph p cost -o q",
        "%symgraph p, cost -o q",
        "%symgraph p * 1, cost -o q",
    ],
)
def test_ways_to_name_outputs(model, cell):
    assert model(cell).error is None
    assert len(model["q"].graph.outputs) == 2


def test_a_compiled_function_with_its_updates(model):
    model("f = wb.function([x], cost, updates={w: w - 1})")
    assert model("%symgraph f -o q --values x=[1, 2, 3]").error is None
    assert len(model["q"].graph.outputs) == 2
    np.testing.assert_array_equal(model["w"].get_value(), np.ones(3))


@pytest.mark.parametrize("command", ["symprofile", "symscan", "symvalues"])
def test_calls(model, command):
    model("f = wb.function([x], cost, updates={w: w - 1})")
    shown = model(f"%{command} f(x=np.arange(3.0)) -o q")
    assert shown.error is None
    assert len(shown.outputs) == 1
    assert model["q"].values["x"].max == 2
    np.testing.assert_array_equal(model["w"].get_value(), np.ones(3))
    model(f"%{command} f([1, 2, 3]) -o q")
    assert model["q"].values["x"].max == 3


def test_a_semicolon_silences(model):
    for cell in ("%%symgraph -o q\ncost;", "%%symgraph -o q ;\ncost", "%symgraph cost -o q;"):
        shown = model(cell)
        assert shown.error is None
        assert shown.outputs == []
        assert model["q"].graph


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        (
            "%%symgraph --vew graph\ncost",
            "%%symgraph: there is no option --vew. Did you mean '--view'?",
        ),
        (
            "%%symgraph\nz = 1\ndef f(): pass",
            "the cell ends without a value: end it with an expression",
        ),
        (
            "%%symgraph --values x=nope\ncost",
            "%%symgraph: --values x= nope: there is no name nope.",
        ),
        ("%symgraph", "%symgraph: say what to show, as in %symgraph cost"),
        ("%symgraph nope", "%symgraph: the expression nope: there is no name nope."),
        ("%%symgraph\n'text'", "%%symgraph: the last expression is of class str"),
    ],
)
def test_usage_errors_are_one_line_without_a_traceback(model, cell, line):
    shown = model(cell)
    text = shown.stdout.strip()
    assert shown.error is not None
    assert len(text.splitlines()) == 1
    assert text.startswith(f"UsageError: {line}")


def test_an_error_of_the_graph_is_shown_with_the_failing_node(model):
    shown = model("%%symgraph -o q --values x=np.ones(4)\ncost")
    assert type(shown.error).__name__ == "ShapeError"
    text = shown.stdout
    assert text.startswith("ShapeError: input dimension mismatch on axis 0")
    assert "Traceback" not in text
    assert "workbench/" not in text
    assert "made at Cell" in text
    assert "failed" in shown.outputs[0].data["image/svg+xml"]
    assert model["q"].error is shown.error


def test_a_missing_input_draws_what_there_is(model):
    shown = model("%%symgraph --inputs\ncost")
    assert "needs a value" in shown.stdout
    shown = model("y = T.vector('y')\n")
    shown = model("%%symgraph --inputs x\ncost + y.sum()")
    assert shown.stdout.startswith("MissingInputError")
    assert "failed" in shown.outputs[0].data["image/svg+xml"]


def test_a_device_that_is_not_there_is_told_without_the_shells_lines(model):
    shown = model("%%symgraph --device opencl99 --inputs x\ncost")
    pictures = repr([output.data for output in shown.outputs])
    for text in (shown.stdout, pictures):
        assert "opencl99" in text
        assert "interactiveshell" not in text


def test_errors_of_the_users_own_code_show_only_that_code(model):
    text = model("%%symgraph\nz = 3\n1 / 0").stdout
    assert "ZeroDivisionError" in text
    assert "----> 3 1 / 0" in text
    assert "workbench" not in text
    assert model("%%symgraph\nx = = 1").stdout.count("workbench") == 0


def test_configuration(notebook):
    try:
        assert notebook("%symconfig floatX").result.result == "float64"
        notebook("%symconfig floatX=float32")
        assert notebook("T.vector().dtype").result.result == "float32"
        text = notebook("%symconfig floatX=float3").stdout
        assert "Did you mean 'float32'" in text
        assert "interactiveshell" not in text
        assert "trace_budget" in notebook("%symconfig").stdout
        found = repr(notebook("%symconfig profil").result.result)
        assert "profile_memory" in found
        assert "trace_budget" not in found
        assert "no configuration flag 'flotX'" in notebook("%symconfig flotX").stdout
        assert "not both" in notebook("%symconfig floatX=float32 mode").stdout
    finally:
        notebook("%symconfig floatX=float64")


def test_tab_completion(model):
    def offered(text: str) -> list[str]:
        with provisionalcompleter():
            found = model.shell.Completer.completions(text, len(text))
            return [completion.text for completion in found]

    assert offered("%%symgraph --vi") == ["--view"]
    assert offered("%%symgraph --view re") == ["rewrites"]
    assert set(offered("%symgraph --wrt ")) >= {"x", "w", "cost"}
    assert offered("%symconfig flo") == ["floatX="]


def test_help_has_examples(notebook):
    doc = notebook.shell.find_line_magic("symgraph").__doc__
    assert "Examples" in doc
    assert "--values x=D[0] y=D[1]" in doc


def test_magics_inside_the_body_still_work(notebook):
    shown = notebook("%%symgraph -o q\n%config\nx = T.scalar('x')\nx * 2")
    assert shown.error is None


def test_a_terminal_shows_an_error_once(tmp_path):
    """It has no picture beside it, whose text would say the same."""
    lines = ["%load_ext workbench", "import workbench.tensor as T"]
    lines += ["x, y = T.dvectors('x', 'y')", "%symgraph x + y --inputs x"]
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"],
        input="\n".join([*lines, ""]), capture_output=True, text=True, timeout=120,
        env={**os.environ, "IPYTHONDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout.count("MissingInputError:") == 1, done.stdout
