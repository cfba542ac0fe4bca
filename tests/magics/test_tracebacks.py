"""Errors in ordinary cells."""

from tests.magics.conftest import Notebook


def test_an_error_shows_the_users_lines_alone(notebook: Notebook) -> None:
    notebook("def outer(v):\n    return wb.scan(lambda i: inner(v, i), sequences=T.arange(3))")
    notebook("def inner(v, i):\n    return v[i] + v[1.5]")
    shown = notebook("outer(T.dvector('v'))")
    assert isinstance(shown.error, TypeError)
    assert "outer(T.dvector('v'))" in shown.stdout
    assert "v[i] + v[1.5]" in shown.stdout
    assert "workbench/core" not in shown.stdout.replace("\\", "/")
    assert str(shown.error).splitlines()[0] in shown.stdout


def test_other_errors_are_shown_as_ever(notebook: Notebook) -> None:
    shown = notebook("1 / 0")
    assert "ZeroDivisionError" in shown.stdout
    assert "1 / 0" in shown.stdout


def test_it_is_taken_back(notebook: Notebook) -> None:
    notebook.shell.run_line_magic("unload_ext", "workbench")
    assert notebook.shell.custom_exceptions == ()
    notebook.shell.run_line_magic("load_ext", "workbench")


def test_so_do_errors_that_are_not_of_the_workbench(notebook: Notebook) -> None:
    shown = notebook("def ask():\n    return T.no_such_function\nask()")
    assert isinstance(shown.error, AttributeError)
    assert "return T.no_such_function" in shown.stdout
    assert "tensor/__init__" not in shown.stdout.replace("\\", "/")


def test_what_the_library_called_is_left_out(notebook: Notebook) -> None:
    shown = notebook("T.dvector('x').sum(keepdims=1, wrong=2)")
    assert isinstance(shown.error, TypeError)
    shown = notebook("wb.load('/no/such/file')")
    assert isinstance(shown.error, FileNotFoundError)
    assert "wb.load" in shown.stdout
    assert "archive" not in shown.stdout


def test_a_users_function_that_the_library_called_is_shown(notebook: Notebook) -> None:
    shown = notebook("wb.scan(lambda i: 1 / 0, sequences=T.arange(3))")
    assert isinstance(shown.error, ZeroDivisionError)
    assert "lambda i: 1 / 0" in shown.stdout
    assert "workbench/core" not in shown.stdout.replace("\\", "/")


def test_other_libraries_errors_are_shown_whole(notebook: Notebook) -> None:
    shown = notebook("np.linalg.inv(np.zeros((2, 2)))")
    assert "LinAlgError" in shown.stdout
    assert "linalg" in shown.stdout.partition("LinAlgError")[2]
    shown = notebook("import json\njson.loads('{')")
    assert "json/decoder.py" in shown.stdout.replace("\\", "/")
