"""What a step function reads besides its arguments, found automatically.

Everything that does not change in the loop is computed before it and passed in as one value, also
where the function wrote it. What changes is what depends on the step's arguments, or on a shared
variable that the loop updates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from workbench.core.graph import Constant, Variable, is_shared, leaves, toposort
from workbench.core.ops.scalars import cast
from workbench.core.ops.shape import specify_shape
from workbench.core.ops.transfer import transferred
from workbench.core.scan.parts import Carried, Invariant, Parts
from workbench.core.scan.returned import Returned
from workbench.core.scan.updates import OrderedUpdates
from workbench.core.types import TensorType, tensor_type
from workbench.errors import MissingInputError, UpdateError
from workbench.frozen import frozen


@frozen
class Scope:
    """What a body may read: the step's arguments, and the variables that the user listed as
    non_sequences. `began` is when its function was called: what has an effect and was written
    since then belongs to every step.
    """

    arguments: tuple[Variable, ...]
    fixed: tuple[Variable, ...]
    began: int = 0

    @cached_property
    def known(self) -> frozenset[Variable]:
        return frozenset((*self.arguments, *self.fixed))


def with_default_updates(returned: Returned, scope: Scope) -> Returned:
    """Shared variables may have updates of their own: a captured random stream moves with every
    step.
    """
    updates = OrderedUpdates(returned.updates)
    pending = returned.flat
    while pending:
        new = {v: v.default_update for v in _shared(pending, scope) if v not in updates}
        pending = [update for update in new.values() if update is not None]
        updates.update((v, update) for v, update in new.items() if update is not None)
    return replace(returned, updates=updates)


def check_listed(returned: Returned, scope: Scope) -> None:
    """For `strict`: raises MissingInputError for a shared variable that was not listed."""
    for v in _shared(returned.flat, scope):
        if v not in returned.updates:
            raise MissingInputError(
                f"the step function reads the shared variable {v}, which is not listed, and "
                f"strict=True was given",
                place=v.place,
                advice=f"add {v} to non_sequences",
            )


def carry(updates: OrderedUpdates) -> tuple[Carried, ...]:
    """A carried value for each updated shared variable; `next` still reads the variable itself."""
    return tuple(
        Carried(target, target.type.make(name=target.name), _as_update(target, value))
        for target, value in updates.items()
    )


def close(parts: Parts, scope: Scope) -> Parts:
    """The loop with a body that reads nothing from outside: what it captured became invariants and
    carried values.
    """
    carried = {part.initial: part.inner for part in parts.carried}
    fixed = {v: v.type.make(name=v.name) for v in _captured(parts, scope)}
    closed = parts.substitute(fixed | carried)
    return replace(closed, invariants=tuple(map(Invariant, fixed.keys(), fixed.values())))


def _captured(parts: Parts, scope: Scope) -> list[Variable]:
    """The largest expressions that the body reads and that do not change in the loop, in the order
    they are read.
    """
    changing = {*scope.arguments, *(part.initial for part in parts.carried)}
    found = dict.fromkeys(scope.fixed)
    for node in toposort(parts.inner_outputs, stop=scope.known):
        written_here = node.op.effect and node.op.made >= scope.began
        if written_here or any(v in changing for v in node.inputs):
            changing.update(node.outputs)
            found.update(dict.fromkeys(node.inputs))
    found.update(dict.fromkeys(parts.inner_outputs))
    return [v for v in found if v not in changing and not isinstance(v, Constant)]


def _shared(results: Sequence[Variable], scope: Scope) -> list[Any]:  # Any: shared variables
    """The shared variables that are read and not listed."""
    return [v for v in leaves(results, scope.known) if is_shared(v) and v not in scope.known]


def _as_update(target: Variable, value: Variable) -> Variable:
    """The new value in the shared variable's own type, and where that lies."""
    if target.type.accepts(value.type):
        return value
    if isinstance(target.type, TensorType):
        mine, theirs = target.type, tensor_type(value)
        if mine.ndim == theirs.ndim and np.can_cast(theirs.dtype, mine.dtype, "safe"):
            value = specify_shape(cast(value, mine.dtype), mine.shape)
        value = transferred(value, mine.device)
        if mine.accepts(value.type):
            return value
    raise UpdateError(
        f"the update of {target} has another type than the shared variable",
        f"{target} is of {target.type}; its new value is of {value.type}",
        value.place,
        f"cast the new value to the variable's type: {target.type}",
    )
