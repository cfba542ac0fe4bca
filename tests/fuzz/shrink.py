"""Cuts a program that fails down to what still fails in the same way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from tests.fuzz.programs import Leaf, Program
from workbench.core.interpreter import Interpreter

Fails = Callable[[Program], bool]


def shrink(program: Program, fails: Fails) -> Program:
    """The smallest program that is found by leaving out one thing after another."""
    best, changed = program, True
    while changed:
        changed = False
        for smaller in _smaller(best):
            if fails(smaller):
                best, changed = smaller, True
                break
    return best


def _smaller(program: Program) -> Iterator[Program]:
    if program.derived:
        yield replace(program, derived=())
    for name in program.outputs:
        if len(program.outputs) > 1 and name not in program.derived:
            rest = tuple(n for n in program.outputs if n != name)
            yield replace(program, outputs=rest).used()
    for pair in program.updates:
        yield replace(program, updates=tuple(p for p in program.updates if p != pair)).used()
    if program.givens:
        yield replace(program, givens=()).used()
    for line in program.lines:
        if (cut := _cut(program, line.names)) is not None:
            yield cut
    for leaf in program.leaves:
        if "laid(" in leaf.array and "'plain'" not in leaf.array:
            plain = replace(leaf, array=leaf.array.rsplit(",", 1)[0] + ", 'plain')")
            yield replace(program, leaves=tuple(plain if x is leaf else x for x in program.leaves))


def _cut(program: Program, names: tuple[str, ...]) -> Program | None:
    """An input in the place of what a line makes."""
    if set(names) & {*program.outputs, *program.derived} or (
        names[-1][0] == "u" and len(names) > 2
    ):
        return None
    try:
        made = program.build()
        given = {made[leaf.name]: leaf.value() for leaf in program.inputs}
        value = np.asarray(Interpreter([made[names[0]]]).run(given)[0])
    except Exception:  # this line fails itself: it is no value that could stand for it
        return None
    new = f"x{names[0][1:]}"
    text = f"np.array({value.tolist()!r}, {str(value.dtype)!r}).reshape({value.shape})"
    leaf = Leaf(new, str(value.dtype), made[names[0]].type.shape, text)
    lines = []
    for line in program.lines:
        if line.names != names:
            code = re.sub(rf"\b{names[0]}\b", new, line.code)
            lines.append(replace(line, code=code))
    updates = tuple((a, new if b == names[0] else b) for a, b in program.updates)
    return replace(
        program, leaves=(*program.leaves, leaf), lines=tuple(lines), updates=updates
    ).used()
