"""Test values: each op is evaluated as it is applied, so that a mistake strikes at the user's line.

`config.compute_test_value` says what happens; inputs bring their values as `x.tag.test_value`.
Nothing of this is imported while the flag is 'off'.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.configuration import config
from workbench.core import origin
from workbench.core.graph import Apply, Constant, Variable, describe, is_shared, toposort
from workbench.core.interpreter import evaluate_node
from workbench.errors import MissingTestValueError, WorkbenchError


def get_test_value(variable: Variable) -> Any:
    """The test value of a variable: `tag.test_value`, a constant's or a shared variable's own, or
    computed from those of what it is made from.

    Raises MissingTestValueError where one is missing, and a TypeError (DtypeError, RankError, …)
    where one is not of its variable's type.
    """
    if not has_value(variable):
        for node in toposort([variable]):
            if not all(map(has_value, node.outputs)):
                _store(node, [_own(v) for v in node.inputs])
    return _own(variable)


def has_value(variable: Variable) -> bool:
    """Whether a variable has a test value now."""
    return isinstance(variable, Constant) or is_shared(variable) or variable.tagged("test_value")


def follow(node: Apply) -> None:
    """Evaluate a node that was just applied. Raises the op's own error; a missing test value is
    told as the flag says, where the line is the user's own.
    """
    mode = config.compute_test_value
    try:
        values = [_value_of(node, i) for i in range(len(node.inputs))]
    except MissingTestValueError as error:
        _tell(error, mode if origin.users_own() else "ignore")
        return
    try:
        _store(node, values)
    except Exception as error:
        if mode == "pdb":
            _debug(error)
        raise


def show_first_step(inner: Sequence[Variable], outer: Variable, rows: Sequence[int]) -> None:
    """Give what a loop's step sees of `outer` the values of its first step: these rows."""
    try:
        value = get_test_value(outer)
    except MissingTestValueError:
        return  # where a value is needed, the op that needs it tells
    for variable, row in zip(inner, rows, strict=True):
        if -len(value) <= row < len(value):
            variable.tag.test_value = np.asarray(value[row])


def _value_of(node: Apply, i: int) -> Any:
    variable = node.inputs[i]
    try:
        return get_test_value(variable)
    except MissingTestValueError as error:
        error.wrong = f"input {i} of {node.op}, {variable}, has no test value"
        error.met = describe(node.op, node.inputs)
        if node.place is not None:
            error.met += f", applied at {node.place}"
        error.place = variable.place
        raise


def _own(variable: Variable) -> Any:
    if isinstance(variable, Constant):
        return variable.data
    if is_shared(variable):
        return variable.cell[0]  # type: ignore[attr-defined]
    if not variable.tagged("test_value"):
        raise MissingTestValueError(
            f"{variable} has no test value",
            f"{variable}: {variable.type}",
            variable.place,
            "set x.tag.test_value, or config.compute_test_value='off'",
            variable,
        )
    try:
        return variable.type.convert(variable.tag.test_value)  # type: ignore[attr-defined]
    except WorkbenchError as error:
        raise type(error)(
            f"the test value of {variable} is not of its type: {error.wrong}",
            error.met,
            variable.place,
            error.advice,
            variable,
        ) from None


def _store(node: Apply, values: Sequence[Any]) -> None:
    for variable, value in zip(node.outputs, evaluate_node(node, values), strict=True):
        variable.tag.test_value = value


def _tell(error: MissingTestValueError, mode: str) -> None:
    if mode == "warn":
        warnings.warn(str(error), UserWarning, stacklevel=2)
    elif mode == "pdb":
        _debug(error)
    if mode in ("raise", "pdb"):
        raise error


def _debug(error: Exception) -> None:
    import pdb

    pdb.post_mortem(error.__traceback__)
