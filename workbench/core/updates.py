"""Updates: what a call stores in shared variables, checked and brought to their types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.graph import Apply, Constant, Variable, is_shared, leaves, toposort
from workbench.core.ops.scalars import cast
from workbench.core.shared import SharedVariable
from workbench.core.types import TensorType, as_tensor, constant
from workbench.errors import GraphError, UpdateError, WorkbenchError

Update = tuple[SharedVariable, Variable]


def pairs(given: Any, what: str) -> list[tuple[Any, Any]]:
    """The pairs of a mapping, or of a sequence of 2-element sequences."""
    if given is None:
        return []
    if isinstance(given, Mapping):
        return list(given.items())
    if isinstance(given, Variable) or not isinstance(given, Iterable):
        raise PairsError(
            f"{what} is a dict or a list of pairs, not {given!r}",
            advice=f"write {what}={{variable: new value}}",
        )
    items = list(given)
    for item in items:
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise PairsError(
                f"{what} holds {item!r}; each item is a pair (variable, new value)",
                advice=f"write {what}={{variable: new value}}",
            )
    return [(a, b) for a, b in items]


def explicit_updates(given: Any) -> dict[SharedVariable, Variable]:
    """The updates that a user passed. Raises UpdateError for a target that is not shared or is
    there twice.
    """
    found: dict[SharedVariable, Variable] = {}
    for target, value in pairs(given, "updates"):
        if not (isinstance(target, Variable) and is_shared(target)):
            raise UpdateError(
                f"the target of an update is not a shared variable: {target}",
                place=getattr(target, "place", None),
                advice="updates={shared variable: its new value}",
            ).at(target)
        shared: Any = target
        if shared in found:
            raise DuplicateUpdate(
                f"the shared variable {target} is updated twice in one call", place=target.place
            ).at(target)
        found[shared] = value if isinstance(value, Variable) else _as_variable(value, shared)
    return found


class PairsError(UpdateError, ValueError):
    """What should be pairs of a variable and a value is something else."""


class DuplicateUpdate(UpdateError, ValueError):
    """A shared variable is the target of two updates."""


def default_updates(
    outputs: Sequence[Variable], known: Mapping[SharedVariable, Variable], without: Any
) -> dict[SharedVariable, Variable]:
    """Default updates of the shared variables that take part, until no more are found.

    without  True for none at all, or the shared variables whose default updates are left out
    """
    if without is True:
        return {}
    if not (without is False or isinstance(without, (list, tuple, set, frozenset))):
        raise GraphError(
            f"no_default_updates is True, False or a list of shared variables, not {without!r}"
        )
    suppressed = set(without or ())
    found: dict[SharedVariable, Variable] = {}
    fresh: list[Variable] = [*outputs, *known.values(), *known]
    while fresh:
        new: dict[SharedVariable, Variable] = {}
        for v in leaves(fresh):
            update = getattr(v, "default_update", None)
            if update is not None and v not in known and v not in found and v not in suppressed:
                shared: Any = v
                new[shared] = (
                    update if isinstance(update, Variable) else _as_variable(update, shared)
                )
        found.update(new)
        fresh = list(new.values())
    return found


def convert_update(target: SharedVariable, value: Variable) -> Variable:
    """The new value in the target's type, where that loses nothing. Raises UpdateError
    elsewhere.
    """
    given = value
    if isinstance(value.type, TensorType) and value.type.device != target.type.device:
        value = moved(value, target.type.device)
    if target.type.accepts(value.type):
        return value
    mine, theirs = target.type, value.type
    if isinstance(mine, TensorType) and isinstance(theirs, TensorType):
        if isinstance(value, Constant):
            value = moved(_as_variable(value.data, target), mine.device)
        elif np.can_cast(theirs.dtype, mine.dtype, "safe"):
            value = moved(cast(value, mine.dtype), mine.device)
        if mine.accepts(value.type):
            return value
    raise _mismatch(target, given)


def moved(value: Variable, device: str) -> Variable:
    """The value on a device, or on the 'cpu'."""
    if value.type.device == device:
        return value
    from workbench.core.ops.transfer import transferred

    moved: Variable = transferred(value, device)
    return moved


def _as_variable(value: Any, target: SharedVariable) -> Variable:
    """A plain value as a constant: of the target's dtype where that keeps it."""
    if not isinstance(target.type, TensorType):
        raise UpdateError(f"the update of {target} is not a variable: {value!r}")
    try:
        host = TensorType(target.type.dtype, target.type.shape)
        return constant(host.convert(value), target.type.dtype)
    except WorkbenchError:
        return as_tensor(value)


def _mismatch(target: SharedVariable, value: Variable) -> UpdateError:
    mine, theirs = target.type, value.type
    advice = "make the update of the shared variable's type"
    if isinstance(mine, TensorType) and isinstance(theirs, TensorType):
        if mine.dtype != theirs.dtype:
            advice = f"cast the update: T.cast(update, '{mine.dtype}')" + _widened(
                value, theirs.dtype
            )
        elif mine.ndim == theirs.ndim:
            advice = (
                "an axis of length 1 in the type stays so: specify the update's shape, "
                "or make the shared variable with broadcastable=(False, …)"
            )
    return UpdateError(
        "An update must have the same type as the original shared variable",
        f"{target}: {mine}; its update {value}: {theirs}",
        value.place,
        advice,
    ).at(value)


def _widened(value: Variable, dtype: str) -> str:
    """Where the wider dtype came from: the first node that has it although not all its inputs do,
    or the first leaf.
    """
    first = next((node for node in toposort([value]) if _has(node.outputs, dtype)), None)
    if first is None or first.place is None:
        return ""
    source = [v for v in first.inputs if _has([v], dtype)]
    via = f" from {source[0]}" if source else ""
    return f"; {dtype} first appears{via} in {_brief(first)}, made at {first.place}"


def _has(variables: Iterable[Variable], dtype: str) -> bool:
    return any(getattr(v.type, "dtype", None) == dtype for v in variables)


def _brief(node: Apply) -> str:
    return f"{node.op}({', '.join(v.name or str(v.type) for v in node.inputs)})"
