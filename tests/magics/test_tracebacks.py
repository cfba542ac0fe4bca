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
