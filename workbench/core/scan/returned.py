"""What a step function returns: outputs, updates and a condition, in all the forms that are
allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any

from workbench.core.graph import Variable
from workbench.core.scan.updates import OrderedUpdates
from workbench.core.types import as_tensor, tensor_type
from workbench.errors import ConditionError, ScanError
from workbench.frozen import frozen

FORMS = """a step function returns one of
  outputs                          a variable, or a list or tuple of variables
  updates                          a dict, or a list of pairs (shared variable, new value)
  outputs, updates
  outputs, until(condition)
  updates, until(condition)
  outputs, updates, until(condition)
Numbers, arrays and None are no variables: wrap them with tensor.constant, or leave them out."""


class until:  # it reads as a word of the user's program
    """Returned last by a step function: the loop ends after the step in which the scalar condition
    is true.
    """

    def __init__(self, condition: Any) -> None:
        self.condition = as_tensor(condition)
        if ndim := tensor_type(self.condition).ndim:
            raise ConditionError(
                f"until takes a scalar; {self.condition} has {ndim} axes",
                f"until of {self.condition}: {self.condition.type}",
                self.condition.place,
                "say when the loop ends with all, any or an element of it",
            )


@frozen
class Returned:
    """A step's outputs, updates and condition."""

    outputs: list[Variable] = field(default_factory=list)
    updates: OrderedUpdates = field(default_factory=OrderedUpdates)
    condition: Variable | None = None

    @property
    def flat(self) -> list[Variable]:
        """The outputs, the updates' new values, the condition."""
        condition = [] if self.condition is None else [self.condition]
        return [*self.outputs, *map(as_variable, self.updates.values()), *condition]

    def with_flat(self, values: Sequence[Variable]) -> Returned:
        """The same of other variables."""
        left = iter(values)
        outputs = [next(left) for _ in self.outputs]
        updates = OrderedUpdates([(target, next(left)) for target in self.updates])
        return Returned(outputs, updates, None if self.condition is None else next(left))


def as_variable(value: Any) -> Variable:
    """A variable as it is, also of generic type; anything else as a constant."""
    return value if isinstance(value, Variable) else as_tensor(value)


def read_returned(value: Any, place: object) -> Returned:
    """What fn gave. Raises ScanError for anything that is not one of the forms."""
    if is_outputs(value):
        return Returned(as_outputs(value))
    if is_updates(value):
        return Returned(updates=OrderedUpdates(value))
    parts = list(value) if isinstance(value, (list, tuple)) else [value]
    condition = parts.pop().condition if parts and isinstance(parts[-1], until) else None
    match parts:
        case [outputs] if condition is not None and is_outputs(outputs):
            return Returned(as_outputs(outputs), condition=condition)
        case [updates] if condition is not None and is_updates(updates):
            return Returned(updates=OrderedUpdates(updates), condition=condition)
        case [outputs, updates] if is_outputs(outputs) and is_updates(updates):
            return Returned(as_outputs(outputs), OrderedUpdates(updates), condition)
        case [updates, outputs] if is_updates(updates) and is_outputs(outputs):
            raise ScanError("fn returned updates before outputs", place=place, advice=FORMS)
    raise ScanError(f"fn returned {describe(value)}", place=place, advice=FORMS)


def is_outputs(value: Any) -> bool:
    """Whether it is a variable, or a list or tuple of them."""
    if isinstance(value, (list, tuple)):
        return all(isinstance(item, Variable) for item in value)
    return isinstance(value, Variable)


def is_updates(value: Any) -> bool:
    """Whether it is a dict, or a list or tuple of pairs."""
    if isinstance(value, dict):
        return True
    return isinstance(value, (list, tuple)) and all(
        isinstance(item, (list, tuple)) and len(item) == 2 for item in value
    )


def as_outputs(value: Any) -> list[Variable]:
    """A single output as a list."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def describe(value: Any) -> str:
    """The value's type, and its parts' where it is a list or tuple."""
    kind = type(value).__name__
    if isinstance(value, (list, tuple)):
        return f"a {kind} of {', '.join(type(item).__name__ for item in value) or 'nothing'}"
    return "None" if value is None else f"a value of type {kind}"
