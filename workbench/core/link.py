"""Linking: from an optimised graph to something that runs, natively or by the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from workbench.core.devices import plugin
from workbench.core.graph import Array, Constant, Variable, is_shared, leaves, toposort
from workbench.core.interpreter import Interpreter, Listener, lookup
from workbench.core.profile import Profiler
from workbench.core.shared import SharedVariable
from workbench.errors import ModeError
from workbench.frozen import frozen

Fast = Callable[..., Any]  # Any: an array, or a list of arrays


@frozen
class Linker:
    """What runs a function.

    native   it is made native code
    mixed    what has no native form is run by the interpreter; else it is an error
    """

    native: bool = True
    mixed: bool = True


NATIVE, NATIVE_ONLY, INTERPRETED = Linker(), Linker(mixed=False), Linker(native=False)
# Theano's names, too. What these differ in there is the same for all of them here: every error
# names its op, and a branch that is not taken is not run. The memory of intermediate results is
# one block that a native program keeps between calls, until `free()`; the interpreter keeps none.
LINKERS: dict[str, Linker] = {
    "native": NATIVE,
    "py": INTERPRETED,
    "cvm": NATIVE,
    "cvm_nogc": NATIVE,
    "vm": NATIVE,
    "vm_nogc": NATIVE,
    "c|py": NATIVE,
    "c|py_nogc": NATIVE,
    "c": NATIVE_ONLY,
}


@frozen
class Plan:
    """What is to be run: the optimised graph of a function.

    inputs    the user's own input variables, in the order of the arguments
    outputs   what is returned
    updates   for each shared variable its new value, stored after all of them were computed
    borrowed  for each output whether it may alias an input, a shared variable or another output
    single    the one output is returned itself, not in a list
    strict    for each input whether it takes arrays only
    """

    inputs: tuple[Variable, ...]
    outputs: tuple[Variable, ...]
    updates: tuple[tuple[SharedVariable, Variable], ...] = ()
    borrowed: tuple[bool, ...] = ()
    single: bool = False
    name: str = ""
    strict: tuple[bool, ...] = ()

    @property
    def results(self) -> tuple[Variable, ...]:
        """The outputs, then the updates' new values."""
        return (*self.outputs, *(new for _, new in self.updates))


class Linked(Protocol):
    """A plan that runs.

    `run` takes arguments that were converted to the inputs' types, returns a list of outputs, and
    stores the updates: all of them, or none where anything fails. `free` gives back the memory that
    is kept between calls. `fast` (or None) takes whatever a caller passed; what it is not made for
    it hands to the `slow` that it was linked with. `notes` say what is not native, and why.
    """

    fast: Fast | None
    notes: Sequence[str]

    def run(self, args: Sequence[Any], profile: Profiler | None = None) -> list[Any]: ...

    def free(self) -> None: ...


class NativeOnlyError(ModeError, NotImplementedError):
    """An op has no native form, and the linker takes nothing else."""


class PyLinked:
    """The plan run by the interpreter."""

    fast: Fast | None = None

    def __init__(self, plan: Plan, notes: Sequence[str] = ()) -> None:
        self.plan = plan
        self.notes = notes
        self.interpreter = Interpreter(plan.results)
        self.kept = [v for v in leaves(plan.results) if isinstance(v, Constant) or is_shared(v)]

    def run(self, args: Sequence[Any], profile: Profiler | None = None) -> list[Any]:
        listeners = () if profile is None else (profile.listener(self.interpreter.nodes),)
        return self.run_watched(args, listeners)

    def free(self) -> None:
        """Nothing is kept between calls."""

    def run_watched(self, args: Sequence[Any], listeners: Sequence[Listener]) -> list[Any]:
        """A call of which listeners hear every node."""
        given = dict(zip(self.plan.inputs, args, strict=True))
        return self.store(self.interpreter.run(given, listeners), args)

    def store(self, values: Sequence[Any], args: Sequence[Any]) -> list[Any]:
        """Store the updates among the plan's results; returns the outputs, the caller's own."""
        plan = self.plan
        kept = [
            *args,
            *(lookup({}, v) for v in (*self.kept, *(target for target, _ in plan.updates))),
        ]
        borrowed = plan.borrowed + (False,) * len(plan.updates)
        fresh = own(values, kept, borrowed)
        count = len(plan.outputs)
        placed = [v.type.place(value) for v, value in zip(plan.results, fresh, strict=True)]
        for (target, _), value in zip(plan.updates, placed[count:], strict=True):
            target.cell[0] = value
        return placed[:count]


def link(plan: Plan, linker: Linker, slow: Fast) -> Linked:
    """The plan by the native compiler where that is asked for and can, else by the interpreter.
    Raises NativeOnlyError where it cannot and the linker is native only.
    """
    if not linker.native:
        return PyLinked(plan)
    linked = native_link(plan, slow)
    if linked.notes and not linker.mixed:
        raise NativeOnlyError(
            "the linker 'c' runs native code only, and not all of this function has a native form",
            "; ".join(linked.notes),
            advice="use linker='cvm', which runs the rest by the interpreter",
        )
    return linked


def native_link(plan: Plan, slow: Fast) -> Linked:
    """The plan by the native compiler, for the devices that its values lie on. What has no native
    form is run by the interpreter, which notes tell.
    """
    linked: Linked = plugin().link(plan, slow) if uses_devices(plan) else _native(plan, slow)
    return linked


def uses_devices(plan: Plan) -> bool:
    """Whether a plan has values on devices."""
    nodes = toposort(plan.results, stop=plan.inputs)
    read = (v for node in nodes for v in (*node.inputs, *node.outputs))
    variables = (*plan.inputs, *plan.results, *read)
    return any(v.type.device != "cpu" for v in variables)


def _native(plan: Plan, slow: Fast) -> Linked:
    try:
        from workbench.core.native.executor import link_native
    except ImportError as missing:  # llvmlite is not installed, or not for this machine
        return PyLinked(plan, [f"run by the interpreter: {missing}"])
    linked: Linked = link_native(plan, slow)
    return linked


def own(values: Sequence[Any], kept: Sequence[Any], borrowed: Sequence[bool] = ()) -> list[Any]:
    """The values, copied where their memory is also that of something kept or of a value before
    them, or cannot be written to.
    """
    taken = {id(_root(array)) for array in kept if isinstance(array, np.ndarray)}
    result: list[Any] = []
    for i, value in enumerate(values):
        array = value
        if isinstance(value, (np.ndarray, np.generic)):
            array = np.asarray(value)
            shown = not array.flags.writeable or id(_root(array)) in taken
            if shown and not (i < len(borrowed) and borrowed[i]):
                array = array.copy()
            taken.add(id(_root(array)))
        result.append(array)
    return result


def _root(array: Array) -> Array:
    """The array that owns the memory (or the last array before memory that is not NumPy's)."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
