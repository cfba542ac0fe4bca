"""The shared variables of a program, and others in their place."""

from __future__ import annotations

from dataclasses import replace as replace_fields
from typing import Any

from workbench.core.graph import Variable, is_shared, leaves, replace
from workbench.core.program import Program
from workbench.core.shared import SharedVariable
from workbench.errors import GraphError


class SwapError(GraphError, ValueError):
    """A copy of a function is to swap what cannot be swapped."""


def shared_of(program: Program) -> list[SharedVariable]:
    """The shared variables that a program reads or updates, in order."""
    found: dict[Any, None] = {v: None for v in leaves(program.results) if is_shared(v)}
    found.update((target, None) for target, _ in program.updates)
    return list(found)


def swapped(
    program: Program,
    swap: dict[SharedVariable, SharedVariable],
    delete_updates: bool,
    name: str | None,
) -> Program:
    """The program with other shared variables, or without updates, under another name. Raises
    SwapError.
    """
    known = set(shared_of(program))
    for old, new in swap.items():
        if old not in known:
            raise SwapError(
                f"swap names {old}, which is not a shared variable of this function",
                f"it has {', '.join(map(str, known)) or 'none'}",
                advice="f.get_shared() lists them",
            )
        if old.type != new.type:
            raise SwapError(
                f"swap cannot put {new} of {new.type} in the place of {old} of {old.type}",
                advice="give one of the same dtype, rank and broadcastable axes",
            )
    places: dict[Variable, Variable] = dict(swap.items())
    changed = replace(program.results, places)
    first, second = len(program.outputs), len(program.outputs) + len(program.stored)
    updates = zip((swap.get(t, t) for t, _ in program.updates), changed[second:], strict=True)
    return replace_fields(
        program,
        outputs=tuple(changed[:first]),
        stored=tuple(
            (i, v) for (i, _), v in zip(program.stored, changed[first:second], strict=True)
        ),
        updates=() if delete_updates else tuple(updates),
        name=program.name if name is None else name,
    )
