"""`debugprint` shows a graph as a tree."""

from __future__ import annotations

import io

import pytest

import workbench as wb
import workbench.tensor as T
from workbench.core.printing.debug_print import debugprint
from workbench.errors import GraphError, UsageError

x, y, v = T.dscalar("x"), T.dscalar("y"), T.dvector("v")


def shown(obj, **options):
    return debugprint(obj, file="str", **options)


def test_a_tree():
    assert shown((x * y + T.exp(x * 2)) - y) == (
        "Elemwise{sub,no_inplace} [id A] ''   \n"
        " |Elemwise{add,no_inplace} [id B] ''   \n"
        " | |Elemwise{mul,no_inplace} [id C] ''   \n"
        " | | |x [id D]\n"
        " | | |y [id E]\n"
        " | |Elemwise{exp,no_inplace} [id F] ''   \n"
        " |   |Elemwise{mul,no_inplace} [id G] ''   \n"
        " |     |x [id D]\n"
        " |     |TensorConstant{2} [id H]\n"
        " |y [id E]\n"
    )


def test_a_node_is_shown_once():
    twice = x * y
    text = shown(T.exp(twice) + twice)
    assert text.count("|x [id") == 1
    assert text.count("Elemwise{mul,no_inplace} [id C]") == 2


def test_a_function_shows_its_order():
    f = wb.function([x], [T.exp(x) * 2.0, x], mode=wb.Mode().excluding("fusion"))
    assert shown(f) == (
        "Elemwise{mul,no_inplace} [id A] ''   1\n"
        " |Elemwise{exp,no_inplace} [id B] ''   0\n"
        " | |x [id C]\n"
        " |TensorConstant{2.0} [id D]\n"
        "x [id C]\n"
    )


def test_names_types_and_ids():
    named = x * y
    named.name = "product"
    assert shown(named, print_type=True, ids="int") == (
        "Elemwise{mul,no_inplace} [id 0] <TensorType(float64, scalar)> 'product'   \n"
        " |x [id 1] <TensorType(float64, scalar)>\n"
        " |y [id 2] <TensorType(float64, scalar)>\n"
    )
    assert shown(x, ids="") == "x\n"
    assert shown(x, ids="id") == f"x [id {id(x)}]\n"
    with pytest.raises(UsageError, match="'char' is not known; there are 'CHAR'"):
        shown(x, ids="char")


def test_letters_go_on_after_z():
    text = shown([T.dscalar(f"n{i}") for i in range(30)])
    assert "n25 [id Z]" in text
    assert "n26 [id AA]" in text
    assert "n29 [id AD]" in text


def test_depth_and_names_stop():
    named = T.exp(x)
    named.name = "e"
    tree = named * y + 1
    assert shown(tree, depth=1) == "Elemwise{add,no_inplace} [id A] ''   \n"
    assert "Elemwise{mul" in shown(tree, depth=2)
    assert "exp" not in shown(tree, depth=2)
    assert "|x" in shown(tree)
    assert "|x" not in shown(tree, stop_on_name=True)


def test_what_is_done_is_not_shown_again():
    done = {}
    e = T.exp(x)
    shown(e, done=done)
    assert shown(e + 1, done=done) == (
        "Elemwise{add,no_inplace} [id C] ''   \n"
        " |Elemwise{exp,no_inplace} [id A] ''   \n"
        " |TensorConstant{1} [id D]\n"
    )


def test_storage_and_clients():
    s = wb.shared(2.0, "s")
    text = shown(s * x + 1, print_storage=True, print_clients=True)
    assert "s [id C] [2.0] clients:[(Elemwise{mul,no_inplace}, 0)]" in text
    assert "x [id D] [None] clients:[(Elemwise{mul,no_inplace}, 1)]" in text


def test_a_loop_shows_its_body():
    s = wb.shared(2.0, "s")
    rows, _ = wb.scan(lambda a, b: T.tanh(a * s + b), v, T.constant(0.0), name="rnn")
    text = shown(rows)
    assert "for{cpu,rnn} [id A] ''   \n" in text
    head, _, body = text.partition("\nInner graphs of the scan ops:\n")
    assert "v [id C]" in head
    assert body.startswith("\nfor{cpu,rnn} [id A] ''   \n >Elemwise{tanh,no_inplace}")
    assert " > | | |v[t] [id" in body or " >   | |v[t] [id" in body
    assert "-> [id C]" in body  # the sequence comes from v


def test_a_nested_loop_shows_both_bodies():
    m = T.dmatrix("m")
    rows = wb.scan(lambda r: wb.scan(lambda a: a * 2, r, name="inside")[0], m, name="outside")[0]
    text = shown(rows)
    assert text.count(" >") >= 2
    assert text.index("for{cpu,outside} [id A]", 5) < text.rindex("for{cpu,inside}")
    assert "r[t]" not in text.partition("Inner graphs")[0]


def test_a_condition_shows_its_branches():
    f = wb.function([x, y], wb.ifelse(x > 0, T.exp(x), T.log(y)))
    head, _, branches = shown(f).partition("\nInner graphs of the conditions:\n")
    assert head.startswith("if [id A]")
    assert " >Elemwise{exp,no_inplace} [id" in branches
    assert " >Elemwise{log,no_inplace} [id" in branches
    assert "x [id" in branches
    assert "] -> [id" in branches


def test_files():
    target = io.StringIO()
    assert debugprint(x, file=target) is target
    assert target.getvalue() == "x [id A]\n"


def test_standard_output(capsys):
    assert debugprint(x + 1) is None
    assert capsys.readouterr().out.startswith("Elemwise{add,no_inplace} [id A]")


def test_nodes_and_what_is_none():
    assert shown((x + 1).owner).startswith("Elemwise{add,no_inplace}")
    with pytest.raises(GraphError, match="not int"):
        shown(3)


def test_a_deep_graph():
    deep = x
    for _ in range(20_000):
        deep = -deep
    text = shown(deep)
    assert text.count("\n") == 20_001
    assert len(text) < 5_000_000
    assert " …20000 |x" in text or "…20000" in text
