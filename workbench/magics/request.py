"""From a request to a Workbench: the texts of an option line evaluated in the user's namespace."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from workbench.core.function import Function
from workbench.core.graph import Constant, Variable, free_inputs
from workbench.errors import UsageError, WorkbenchError, nearest
from workbench.inspection.examine import draft, inspect
from workbench.inspection.workbench import Workbench
from workbench.magics.cell import forget_shell
from workbench.magics.options import Request

Evaluate = Callable[[str], Any]


class Namespace:
    """The user's names, and how expressions of the option line are evaluated in them."""

    def __init__(self, names: dict[str, Any], command: str) -> None:
        self.names = names
        self.command = command

    def value(self, text: str, what: str) -> Any:
        """The value of an expression. Raises UsageError in one line."""
        try:
            return eval(text, self.names)
        except NameError as error:
            name = getattr(error, "name", None) or text
            near = nearest(name, [n for n in self.names if not n.startswith("_")])
            raise UsageError(
                f"{self.command}: {what} {text}: there is no name {name}.{near}"
            ) from None
        except Exception as error:
            raise UsageError(
                f"{self.command}: {what} {text}: {type(error).__name__}: {error}"
            ) from None

    def variable(self, text: str, what: str, known: list[Variable]) -> Any:
        """A variable by its Python name, or by its own name among those known."""
        value = self.names.get(text)
        if value is None:
            value = next((v for v in known if v.name == text), None)
        return self.value(text, what) if value is None else value


def answer(request: Request, target: Any, names: dict[str, Any], command: str) -> Workbench:
    """The Workbench of what the user's code gave (a variable, a list of them, a function) and the
    options.
    """
    space = Namespace(names, command)
    if request.outputs is not None:
        found = [space.value(text, "--outputs") for text in request.outputs]
        target = found[0] if len(found) == 1 else found
    if isinstance(target, Workbench):
        return target.show(request.view or target.view)
    check_target(target, command)
    known = _inputs(target)
    wrt = [space.variable(text, "--wrt", known) for text in request.wrt]
    inputs = None
    if request.inputs is not None:
        inputs = [space.variable(text, "--inputs", known) for text in request.inputs]
    given = {
        _key(name, names, known): space.value(text, f"--values {name}=")
        for name, text in request.values.items()
    }
    title = " ".join(request.words)
    options: dict[str, Any] = {"mode": request.mode, "device": request.device, "name": title}
    try:
        return inspect(
            target, inputs, given, wrt=wrt or None, view=request.view or "graph", **options
        )
    except WorkbenchError as error:
        forget_shell(error)
        error.workbench = draft(target, error, title)  # type: ignore[attr-defined]
        raise


def name_variables(names: dict[str, Any], assigned: Iterable[str]) -> None:
    """Name variables that have none as the Python names that they were assigned to."""
    for name in assigned:
        value = names.get(name)
        if isinstance(value, Variable) and value.name is None and not isinstance(value, Constant):
            value.name = name


def _inputs(target: Any) -> list[Variable]:
    if isinstance(target, Function):
        return [item.variable for item in target.maker.program.inputs]
    found = list(target.values()) if isinstance(target, dict) else target
    return free_inputs(found if isinstance(found, (list, tuple)) else [found])


def _key(name: str, names: dict[str, Any], known: list[Variable]) -> Any:
    """The variable that a name of --values means: the user's Python name first, then an input's
    own name.
    """
    value = names.get(name)
    return value if isinstance(value, Variable) and value in known else name


def check_target(target: Any, command: str) -> None:
    """Raises UsageError where there is nothing to show."""
    found = list(target.values()) if isinstance(target, dict) else target
    found = list(found) if isinstance(found, (list, tuple)) else [found]
    if isinstance(target, Function) or (found and all(isinstance(v, Variable) for v in found)):
        return
    raise UsageError(
        f"{command}: the last expression is of class {type(target).__name__}; it must be a "
        "variable, a list of them or a compiled function (or name --outputs)"
    )


def call_target(text: str, space: Namespace) -> tuple[Any, dict[Any, Any]]:
    """`f(x, y=2)` as the function and its inputs' values; any other expression as it is, without
    values.
    """
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        raise UsageError(f"{space.command}: {text} is not an expression") from None
    if not isinstance(tree, ast.Call):
        return space.value(text, "the expression"), {}
    function = space.value(ast.unparse(tree.func), "the function")
    if not isinstance(function, Function):
        return space.value(text, "the expression"), {}
    inputs = function.maker.program.inputs
    args = [space.value(ast.unparse(node), "the argument") for node in tree.args]
    if len(args) > len(inputs):
        raise UsageError(f"{space.command}: {text}: the function takes {len(inputs)} arguments")
    given: dict[Any, Any] = {item.variable: arg for item, arg in zip(inputs, args, strict=False)}
    for keyword in tree.keywords:
        if keyword.arg is None:
            raise UsageError(f"{space.command}: {text}: write the arguments out, without **")
        given[keyword.arg] = space.value(ast.unparse(keyword.value), "the argument")
    return function, given
