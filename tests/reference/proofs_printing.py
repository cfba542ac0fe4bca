"""Print, pp, debugprint and pydotprint: every parameter."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest

import workbench.theano as theano
import workbench.theano.tensor as T
from tests.reference.proofs import proven_by, proves

A = np.arange(3.0)
PRINT, DEBUG, DOT = (
    "theano.printing.Print",
    "theano.printing.debugprint",
    "theano.printing.pydotprint",
)
x, y, v, M = T.dscalar("x"), T.dscalar("y"), T.dvector("v"), T.dmatrix("M")
pp, pydotprint = theano.pp, theano.printing.pydotprint


def shown(obj: object, **options: object) -> str:
    return theano.printing.debugprint(obj, file="str", **options)


def printed(call: object, *args: object) -> str:
    """What a call prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        call(*args)
    return out.getvalue()


@proves(PRINT, "message", "attrs")
def values_are_printed_as_they_are_computed() -> None:
    f = theano.function(
        [v], theano.printing.Print("v is", attrs=("__str__", "shape", "min"))(v) * 2
    )
    text = printed(f, A)
    assert text.splitlines() == ["v is __str__ = [0. 1. 2.]", "v is shape = (3,)", "v is min = 0.0"]
    assert f(A).tolist() == (2 * A).tolist()
    plain = theano.function([x], theano.printing.Print()(x))
    assert printed(plain, 1.5).split() == ["__str__", "=", "1.5"]


@proves(PRINT, "global_fn")
def a_function_may_be_called_in_place_of_printing() -> None:
    heard: list[object] = []

    def hear(op: object, value: object) -> None:
        heard.append((op.message, value.tolist()))

    f = theano.function([v], theano.printing.Print("here", global_fn=hear)(v).sum())
    assert f(A) == 3
    assert heard == [("here", A.tolist())]


FORMS = {
    "x + y": (x + y, "(x + y)"),
    "x ** 2": (x**2, "(x ** TensorConstant{2})"),
    "dot": (T.dot(M, v), r"(M \dot v)"),
    "transpose": (M.T, "M.T"),
    "function": (T.exp(x), "exp(x)"),
    "sum": (M.sum(), "Sum{acc_dtype=float64}(M)"),
    "index": (v[0], "v[Constant{0}]"),
    "negative": (-x, "(-x)"),
    "abs": (abs(x), "|x|"),
    "fill": (T.fill(x, y), "fill(x, y)"),
    "cast": (T.cast(T.lscalar("i"), "float64"), "float64(i)"),
    "comparison": (T.gt(x, y), "gt(x, y)"),
}


@proves("theano.pp", "x")
@proves("pp", *FORMS)
def expressions_on_a_line() -> None:
    for variable, text in FORMS.values():
        assert pp(variable) == text


@proves(DEBUG, "obj", "file")
def graphs_as_trees() -> None:
    tree = "Elemwise{add,no_inplace} [id A] ''   \n |x [id B]\n |y [id C]\n"
    assert shown(x + y) == tree
    assert shown([x, y]) == "x [id A]\ny [id B]\n"
    f = theano.function([x, y], x + y)
    assert re.match(r"Elemwise\{add,no_inplace\} \[id A\] ''   0\n", shown(f))
    file = io.StringIO()
    theano.printing.debugprint(x + y, file=file)
    assert file.getvalue() == printed(theano.printing.debugprint, x + y) == tree


@proves(DEBUG, "depth", "stop_on_name", "done")
def trees_that_stop() -> None:
    named = T.exp(x)
    named.name = "e"
    tree = named * y + 1
    assert shown(tree, depth=1).count("\n") == 1
    assert "|x" in shown(tree, depth=-1)
    assert "|x" not in shown(tree, stop_on_name=True)
    done: dict[object, object] = {}
    shown(named, done=done)
    assert done
    assert "|x" not in shown(tree, done=done)


@proves(DEBUG, "print_type", "ids", "print_storage", "print_clients")
def what_a_line_shows() -> None:
    s = theano.shared(2.0, "s")
    assert shown(x, print_type=True) == "x [id A] <TensorType(float64, scalar)>\n"
    assert shown(x, ids="int") == "x [id 0]\n"
    assert shown(x, ids="id") == f"x [id {id(x)}]\n"
    assert shown(x, ids="") == "x\n"
    with pytest.raises(ValueError, match="CHAR"):
        shown(x, ids="char")
    assert "[2.0]" not in shown(s * x)
    assert "s [id B] [2.0]" in shown(s * x, print_storage=True)
    assert "clients:[(Elemwise{mul,no_inplace}, 1)]" in shown(s * x, print_clients=True)


def dot(fct: object, **options: object) -> str:
    return pydotprint(fct, format="dot", return_image=True, **options).decode()


@proves(DOT, "fct", "format", "return_image", "outfile", "print_output_file")
def pictures_in_files() -> None:
    f = theano.function([v], T.tanh(v * 2) + 1, mode="FAST_COMPILE")
    for drawn in (f, f.maker.fgraph.outputs[0], [T.tanh(v)]):
        assert "tanh" in dot(drawn)
    assert pydotprint(f, format="svg", return_image=True).lstrip().startswith(b"<")
    with pytest.raises(ValueError, match="no format"):
        pydotprint(f, format="pnk")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "graph.dot")
        said = printed(lambda: pydotprint(f, outfile=str(path)))
        assert str(path) in said
        assert "tanh" in path.read_text()
        path = Path(folder, "quiet.dot")
        assert printed(lambda: pydotprint(f, str(path), print_output_file=False)) == ""
        assert path.exists()


@proves(DOT, "compact", "with_ids", "max_label_size", "var_with_name_simple", "scan_graphs",
        "high_contrast", "cond_highlight")  # fmt: skip
def options_of_pictures() -> None:
    f = theano.function([v], T.tanh(v * 2) + 1, mode="FAST_COMPILE")
    assert dot(f).count("label=") < dot(f, compact=False).count("label=")
    assert '"1 tanh' in dot(f, with_ids=True)
    assert '"1 tanh' not in dot(f)
    named = T.tanh(v)
    named.name = "activation"
    assert "activation = tanh" in dot(named)
    assert "tanh" not in dot(named, var_with_name_simple=True)
    assert "activation = tanh" not in dot(named, max_label_size=8)
    assert dot(f, high_contrast=False, cond_highlight=True) == dot(f)  # colours are the notebook's
    rows, _ = theano.scan(lambda a: T.tanh(a), v, name="rnn")
    with tempfile.TemporaryDirectory() as folder:
        for bodies in (False, True):
            pydotprint(rows, Path(folder, "g.dot"), scan_graphs=bodies, print_output_file=False)
            assert Path(folder, "g_0.dot").exists() == bodies


proven_by("tests/test_printing.py::test_without_graphviz", (DOT, "format"))
