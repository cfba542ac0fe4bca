"""Pickles and copies of functions: the user's graph, the mode and what is stored. The loaded
function is optimised and linked anew; its native code is on the disk, where it was compiled before.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from workbench.configuration import config
from workbench.core.devices import is_there
from workbench.core.function import Function, compile_program
from workbench.core.gradient import check_option
from workbench.core.graph import Variable, leaves
from workbench.core.on_processor import on_processor
from workbench.core.parameters import In
from workbench.core.pickling import Bundle, Memo, copy_graph
from workbench.core.program import Program
from workbench.core.shared import SharedVariable
from workbench.errors import WorkbenchError
from workbench.frozen import frozen


@frozen
class Skeleton:
    """A program without its graph: numbers stand for updated inputs' expressions, and shared
    variables for themselves.
    """

    program: Program
    n_inputs: int
    n_outputs: int
    stored: tuple[int, ...]
    updated: tuple[SharedVariable, ...]


class AliasedMemoryError(WorkbenchError, RuntimeError):
    """Two arrays of a function overlap, which a pickle would not keep."""


def reduce_function(function: Function) -> Any:
    """How a function is pickled."""
    _check_overlaps(function)
    variables, skeleton = _apart(function.maker.program)
    settings = {
        "mode": function.maker.mode,
        "profile": _profile(function),
        "trust_input": function.trust_input,
        "aliases": function.pickle_aliased_memory_strategy,
        "defaults": function.defaults,
    }
    return _load, (Bundle(variables), skeleton, settings)


def _check_overlaps(function: Function) -> None:
    """Tell of stored arrays that overlap, as the function's strategy says."""
    strategy = function.pickle_aliased_memory_strategy
    check_option("pickle_aliased_memory_strategy", strategy, ("warn", "raise", "ignore"))
    if strategy == "ignore":
        return
    inputs = function.maker.program.inputs
    held = [(str(inputs[i].variable), value) for i, value in function.defaults.items()]
    held += [(str(v), v.get_value(borrow=True)) for v in function.get_shared()]
    arrays = [(name, value) for name, value in held if isinstance(value, np.ndarray)]
    for (one, a), (other, b) in combinations(arrays, 2):
        if a is not b and np.may_share_memory(a, b):
            error = AliasedMemoryError(
                f"the arrays of {one} and {other} overlap; loaded from a pickle they will not",
                f"function {function.name!r}",
                advice="store copies, or set f.pickle_aliased_memory_strategy = 'ignore'",
            )
            if strategy == "raise":
                raise error
            warnings.warn(str(error), stacklevel=2)


def _load(variables: Sequence[Variable], skeleton: Skeleton, settings: dict[str, Any]) -> Any:
    """The function compiled anew; None where `config.unpickle_function` says so."""
    if not config.unpickle_function:
        return None
    program = _together(variables, skeleton)
    devices = {v.type.device for v in (*program.results, *leaves(program.results))}
    if missing := sorted(name for name in {*devices, program.device} if not is_there(name)):
        warnings.warn(
            f"function {program.name!r} was made for {', '.join(missing)}, which is not there: it "
            "runs on the processor",
            stacklevel=2,
        )
        program = on_processor(program)
    return _compiled(program, settings)


def _compiled(program: Program, settings: dict[str, Any]) -> Function:
    function = compile_program(program, settings["mode"], profile=settings["profile"])
    function.trust_input = settings["trust_input"]
    # a pickle that was made earlier may lack it
    function.pickle_aliased_memory_strategy = settings.get("aliases", "warn")
    function.defaults = settings["defaults"]
    return function


def deepcopy_function(function: Function, memo: Memo) -> Function:
    """The function over copies of its shared variables."""
    variables, skeleton = _apart(function.maker.program)
    new = copy_graph(variables, memo)
    inputs = tuple(_copy_of_input(item, memo) for item in skeleton.program.inputs)
    updated: Any = tuple(copy_graph(skeleton.updated, memo))  # Any: shared variables
    skeleton = Skeleton(
        replace(skeleton.program, inputs=inputs), skeleton.n_inputs, skeleton.n_outputs,
        skeleton.stored, updated,
    )  # fmt: skip
    settings = {
        "mode": function.maker.mode,
        "profile": _profile(function),
        "trust_input": function.trust_input,
        "aliases": function.pickle_aliased_memory_strategy,
        "defaults": copy.deepcopy(function.defaults, memo),
    }
    return _compiled(_together(new, skeleton), settings)


def _copy_of_input(item: In, memo: Memo) -> In:
    new = copy.copy(item)
    (new.variable,) = copy_graph([item.variable], memo)
    new.value = copy.deepcopy(item.value, memo)
    if item.update is not None:
        (new.update,) = copy_graph([item.update], memo)
    return new


def _profile(function: Function) -> Any:
    """What the function's profile was asked for with: a title, or None."""
    return None if function.profile is None else function.profile.name or True


def _apart(program: Program) -> tuple[list[Variable], Skeleton]:
    """All variables of a program, and the rest of it."""
    variables = [*program.variables, *program.results]
    bare = replace(program, variables=(), outputs=(), updates=(), stored=())
    return variables, Skeleton(
        bare,
        len(program.variables),
        len(program.outputs),
        tuple(i for i, _ in program.stored),
        tuple(target for target, _ in program.updates),
    )


def _together(variables: Sequence[Variable], skeleton: Skeleton) -> Program:
    outputs = skeleton.n_inputs
    stored = outputs + skeleton.n_outputs
    updates = stored + len(skeleton.stored)
    return replace(
        skeleton.program,
        variables=tuple(variables[:outputs]),
        outputs=tuple(variables[outputs:stored]),
        stored=tuple(zip(skeleton.stored, variables[stored:updates], strict=True)),
        updates=tuple(zip(skeleton.updated, variables[updates:], strict=True)),
    )
