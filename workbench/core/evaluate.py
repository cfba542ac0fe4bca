"""`variable.eval`: a value without a function of one's own."""

from __future__ import annotations

from typing import Any

from workbench.configuration import config
from workbench.core.function import Function, function
from workbench.core.graph import Variable, free_inputs
from workbench.errors import ArgumentError, UnusedInputError, nearest


class _Compiled(dict[Any, Function]):
    """What `eval` has compiled for a variable; left behind where the variable is pickled."""

    def __reduce__(self) -> Any:
        return _Compiled, ()


def evaluate(variable: Variable, inputs: dict[Any, Any]) -> Any:
    """The variable's value for these inputs, by variable or name. Functions are kept on the
    variable, one for each set of inputs and mode.

    Raises MissingInputError, UnusedInputError, or ArgumentError for a key that is neither a
    variable nor a name.
    """
    if not isinstance(inputs, dict):
        raise ArgumentError(
            f"eval takes a dict of its inputs' values, not {inputs!r}",
            advice="write y.eval({x: value})",
        )
    given = {_by_name(variable, key): value for key, value in inputs.items()}
    made = variable.tag.__dict__.setdefault("compiled", _Compiled())
    order = sorted(given, key=id)
    key = (tuple(order), config.mode, config.linker, config.optimizer)
    if key not in made:
        made[key] = function(order, variable, name=f"eval of {variable}")
    return made[key](*(given[v] for v in order))


def _by_name(variable: Variable, key: Any) -> Variable:
    if isinstance(key, Variable):
        return key
    if not isinstance(key, str):
        raise ArgumentError(
            f"eval takes variables or names of inputs, not {key!r}",
            advice="write y.eval({x: value})",
        )
    free = free_inputs([variable])
    named = [v for v in free if v.name == key]
    if len(named) == 1:
        return named[0]
    names = [v.name for v in free if v.name is not None]
    wrong = "more than one input" if named else "no input"
    raise (ArgumentError if named else UnusedInputError)(
        f"{wrong} of {variable} is named {key!r}.{'' if named else nearest(key, names)}",
        f"its inputs are {', '.join(map(str, free)) or 'none'}",
        advice="give the variable itself as the key",
    )
